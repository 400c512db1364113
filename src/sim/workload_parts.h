/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of workload_load: what its files share. */
#ifndef FLYBALL_SIM_WORKLOAD_PARTS_H
#define FLYBALL_SIM_WORKLOAD_PARTS_H

#include <libfyaml.h>

#include "sim/workload.h"

struct loader {
    struct workload *workload;
    const struct model *model;
    const char *path;
    FILE *report;
    int errors;
};

/* setup: one finding, `file:line:column: error: ...`. */
__attribute__((format(printf, 3, 4)))
void workload_complain(struct loader *loader, struct fy_node *at, const char *format, ...);

/* setup: of a scalar; "" of everything else. */
const char *workload_text(struct fy_node *node);

/* setup: the list of `events`, NULL: there is none. */
void workload_load_events(struct loader *loader, struct fy_node *events);

#endif
