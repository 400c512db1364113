/* SPDX-License-Identifier: Apache-2.0 */
/* What all runs came to. */
#ifndef FLYBALL_BENCH_SAFETY_TALLY_H
#define FLYBALL_BENCH_SAFETY_TALLY_H

#include "bench/report.h"
#include "bench/safety/drill.h"

struct tally {
    uint32_t runs, failed, compared;
    uint64_t trips, guard_hits, exposure_short, faults;
    double hours, busy_s, worst_heat, longest_recovery_s;
    double energy_j, demand_j;          /* of all runs */
    double governed_j, static_j, oracle_j;      /* of those compared */
    double tightness_least, tightness_middle;   /* of the runs' 99th percentiles */
};

/* any: of the runs of one place and level; PLACES, LEVEL_COUNT: of all. `scratch` has room for a number a
 * run. */
void tally_take(struct tally *tally, const struct drill *drill, const struct drill_result *result,
                uint32_t count, uint32_t place, enum fault_level level, double *scratch);

void tally_report(const struct tally *tally, struct bench_report *report);

#endif
