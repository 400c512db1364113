/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A loaded site that lends above its steady limits, its own reserve included, is handed over at a random
 * moment, after a random gap in which nobody listens (safety.md section 10): the first lease of every host is
 * the cap it had, nobody comes down for a limit or a permit, no host falls to fail-safe, and nothing trips in
 * the plant.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "run.h"
#include "sim/virtual.h"
#include "site/site.h"

struct tally {
    uint64_t lending, heard;
};

static bool complain(uint64_t seed, const struct virtual_handover *handover, const char *what, double a,
                     double b)
{
    printf("handover_property: --seed %llu, at %lld ms, gap %lld ms: %s: %.3f, %.3f\n",
           (unsigned long long)seed, (long long)(handover->at_ns / NS_PER_MS),
           (long long)(handover->gap_ns / NS_PER_MS), what, a, b);
    return false;
}

static bool judge(uint64_t seed, const struct model *model, const struct virtual_handover *handover,
                  const struct outcome *outcome, struct tally *tally)
{
    const struct core_counters *core = &handover->next;
    bool good = true;
    for (uint32_t h = 0; h < model->host_count; h++) {
        tally->heard += handover->first_mw[h] >= 0;
        if (handover->first_mw[h] != handover->had_mw[h])
            good = complain(seed, handover, "first lease of a host is not the cap it had",
                            (double)handover->first_mw[h] / 1e6, (double)handover->had_mw[h] / 1e6);
    }
    tally->lending += handover->lending > 0;
    if (core->handed != model->host_count || !core->handed_meters)
        good = complain(seed, handover, "not everything was handed over", (double)core->handed,
                        (double)core->handed_meters);
    if (core->limit_cuts || core->emergencies || core->invariant_failures || core->claims)
        good = complain(seed, handover, "limit_cuts, emergencies or claims", (double)core->limit_cuts,
                        (double)core->emergencies);
    if (outcome->trip_count || outcome->caps.fail_safe_falls)
        good = complain(seed, handover, "trips, falls to fail-safe", outcome->trip_count,
                        (double)outcome->caps.fail_safe_falls);
    return good;
}

static bool one(uint64_t seed, const struct site *site, const struct workload *workload, struct tally *tally)
{
    const uint32_t hosts = site->model.host_count;
    const int64_t lease_ns = site->model.policy.lease_ns, report_ns = site->model.policy.report_ns;
    struct chance chance = {.state = seed};
    struct workload own = *workload;
    struct virtual_handover handover = {
        .at_ns = chance_range(&chance, 4000000, 7000000) * NS_PER_US,
        .gap_ns = chance_range(&chance, 1, (lease_ns - 2 * report_ns) / NS_PER_MS / 2) * NS_PER_MS,
        .had_mw = calloc(hosts, sizeof(int64_t)),
        .first_mw = calloc(hosts, sizeof(int64_t))};
    struct virtual_config config = {.duration_ns = handover.at_ns + handover.gap_ns + NS_PER_S, .epoch = 1,
                                    .handover = &handover};
    struct outcome outcome = {0};
    own.seed = seed;
    own.event_count = 0;
    bool good = handover.had_mw && handover.first_mw &&
                !virtual_run(&site->model, &own, &config, &outcome) &&
                judge(seed, &site->model, &handover, &outcome, tally);
    outcome_finish(&outcome);
    free(handover.had_mw);
    free(handover.first_mw);
    return good;
}

int main(int argc, char **argv)
{
    struct run run = run_begin("handover_property", 12, 200);
    struct site *site = calloc(1, sizeof *site);
    struct workload *workload = calloc(1, sizeof *workload);
    struct tally tally = {0};
    if (argc < 3 || !site || !workload)
        return run_usage(&run, " behind SITE WORKLOAD");
    for (int i = 3; i < argc; i++)
        if (!run_option(&run, argc, argv, &i))
            return run_usage(&run, " behind SITE WORKLOAD");
    if (site_load(site, argv[1], "default", stderr) || workload_load(workload, argv[2], &site->model, stderr))
        return 2;
    int failures = 0;
    for (uint64_t i = 0; i < run.cases; i++)
        failures += !one(run.seed + i, site, workload, &tally);
    failures += run.cases > 3 && tally.lending * 2 < run.cases;
    printf("%llu hand-overs while something was lent, %llu first leases\n", (unsigned long long)tally.lending,
           (unsigned long long)tally.heard);
    run_end(&run, (uint64_t)failures);
    workload_unload(workload);
    site_unload(site);
    free(site);
    free(workload);
    return failures ? 1 : 0;
}
