/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of traces_load: rows as they were read, and what becomes of them. */
#ifndef FLYBALL_SIM_TRACE_PARTS_H
#define FLYBALL_SIM_TRACE_PARTS_H

#include "sim/trace.h"

struct trace_row {
    int64_t t_ns;               /* since the first */
    double power_w;
    uint32_t line;
};

struct trace_rows {
    uint32_t count, room;
    struct trace_row *row;
};

/* setup: all rows of one file; counts what is not taken. 0, -EINVAL with its reason on `report`, -errno. */
int trace_rows_read(struct trace_rows *rows, struct trace *trace, const char *path, FILE *report);

/* setup: fills runs of steps of that length, and length, peak and mean. 0, -EINVAL with its reason on
 * `report`, or -ENOMEM. */
int trace_resample(struct trace *trace, const struct trace_rows *rows, int64_t step_ns, const char *path,
                   FILE *report);

#endif
