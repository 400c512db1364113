/* SPDX-License-Identifier: Apache-2.0 */
/* One run of the safety bench: a site, a seed, faults drawn at a level, so long. */
#ifndef FLYBALL_BENCH_SAFETY_DRILL_H
#define FLYBALL_BENCH_SAFETY_DRILL_H

#include "bench/safety/place.h"
#include "sim/figures.h"
#include "sim/history.h"

struct drill {
    uint32_t place;
    enum fault_level level;
    uint64_t seed;
    int64_t duration_ns;
    bool compared;              /* the baselines are run, too, on the same demand, without faults */
};

struct drill_result {
    int error;                  /* -errno */
    bool done;
    struct figures figures;
    uint64_t faults;
    double energy_j, demand_j, static_j, oracle_j;      /* after warm-up; the last two where compared */
    double warmup_s, busy_s;    /* processor time of the governed run */
    char first_trip[96];        /* "branch-a at 12.3 s by long-time", "" = none */
};

/* setup: plays it on its place, which stays as it is. */
void drill_play(const struct drill *drill, const struct place *place, struct drill_result *result);

/* any: what must never be, was. */
bool drill_failed(const struct drill_result *result);

/* any: the one command that repeats it, from the root of the source. */
void drill_command(const struct drill *drill, char *text, size_t bytes);

#endif
