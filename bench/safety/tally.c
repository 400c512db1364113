/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/safety/tally.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void add(struct tally *tally, const struct drill *drill, const struct drill_result *result)
{
    const struct figures *figures = &result->figures;
    tally->failed += drill_failed(result);
    tally->trips += figures->trips;
    tally->guard_hits += figures->guard_hits;
    tally->exposure_short += figures->exposure_short;
    tally->faults += result->faults;
    tally->hours += (double)drill->duration_ns / 3600e9;
    tally->busy_s += result->busy_s;
    tally->worst_heat = fmax(tally->worst_heat, figures->worst_heat);
    tally->longest_recovery_s = fmax(tally->longest_recovery_s, (double)figures->recovery_ns / 1e9);
    tally->energy_j += result->energy_j;
    tally->demand_j += result->demand_j;
    if (!drill->compared)
        return;
    tally->compared++;
    tally->governed_j += result->energy_j;
    tally->static_j += result->static_j;
    tally->oracle_j += result->oracle_j;
}

void tally_take(struct tally *tally, const struct drill *drill, const struct drill_result *result,
                uint32_t count, uint32_t place, enum fault_level level, double *scratch)
{
    memset(tally, 0, sizeof *tally);
    for (uint32_t i = 0; i < count; i++) {
        if (!result[i].done || (place < PLACES && drill[i].place != place) ||
            (level < LEVEL_COUNT && drill[i].level != level))
            continue;
        scratch[tally->runs++] = result[i].figures.tightness_p99;
        add(tally, &drill[i], &result[i]);
    }
    if (!tally->runs)
        return;
    qsort(scratch, tally->runs, sizeof *scratch, by_size);
    tally->tightness_least = scratch[0];
    tally->tightness_middle = scratch[tally->runs / 2];
}

void tally_report(const struct tally *tally, struct bench_report *report)
{
    bench_count(report, "runs", tally->runs);
    bench_number(report, "hours", tally->hours);
    bench_count(report, "faults", tally->faults);
    bench_count(report, "trips", tally->trips);
    bench_count(report, "guard_hits", tally->guard_hits);
    bench_count(report, "exposure_short", tally->exposure_short);
    bench_number(report, "worst_heat", tally->worst_heat);
    bench_number(report, "longest_recovery_s", tally->longest_recovery_s);
    bench_number(report, "energy_share_of_demand",
                 tally->demand_j > 0 ? tally->energy_j / tally->demand_j : 0);
    bench_number(report, "tightness_p99_least", tally->tightness_least);
    bench_number(report, "tightness_p99_middle", tally->tightness_middle);
    if (tally->busy_s > 0)
        bench_number(report, "speed_x", tally->hours * 3600 / tally->busy_s);
    if (!tally->compared)
        return;
    bench_count(report, "runs_compared", tally->compared);
    bench_number(report, "energy_vs_static", tally->governed_j / tally->static_j);
    bench_number(report, "energy_vs_oracle", tally->governed_j / tally->oracle_j);
}
