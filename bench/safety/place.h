/* SPDX-License-Identifier: Apache-2.0 */
/* The sites that the safety bench plays. */
#ifndef FLYBALL_BENCH_SAFETY_PLACE_H
#define FLYBALL_BENCH_SAFETY_PLACE_H

#include "sim/workload.h"
#include "site/site.h"

enum { PLACES = 4, PLACE_LARGE = 0 };       /* the first is the 1 MW site */

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
