/* SPDX-License-Identifier: Apache-2.0 */
/* The sites that the safety bench plays. */
#ifndef FLYBALL_BENCH_SAFETY_PLACE_H
#define FLYBALL_BENCH_SAFETY_PLACE_H

#include "sim/workload.h"
#include "site/site.h"

/* The first is the 1 MW site; the last came when hours were shared out already, and has its own. */
enum { PLACES = 5, PLACE_LARGE = 0, PLACE_LATE = PLACES - 1 };

struct place {
    const char *name;
    struct site site;
    struct workload workload;
};

/* setup: loads one from bench/safety; findings go to standard error. 0 or -errno; closed either way. */
int place_open(struct place *place, uint32_t index);
void place_close(struct place *place);

const char *place_name(uint32_t index);

/* any: its site and workload, as options of `flyball sim`, from the root of the source. */
void place_options(uint32_t index, char *text, size_t bytes);

#endif
