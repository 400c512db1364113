/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios in which nothing strikes: rules that are at work in every lease, and what comes of a site without
 * them though all is well. */
#include "sim/scenario.h"

#define ANYWAY .anyway = "nothing strikes: hosts that want more than there is are the disturbance"

static const struct scenario row[] = {
    {501, "calm-unretired", "Hosts ask for all there is where the steady limit binds.",
     .rule = "covers-unretired", .site = SITE_FIXED, .demand = DEMAND_FULL, .greedy = true, .duration_s = 30,
     .warmup_s = 5, ANYWAY,
     .bounds = {.overshoot_w = 500, .over_ms = 10, .heat = 0.7, .energy_least = 0.51, .recovery_s = 0.15,
                .tightness = 0.92}},
    {502, "calm-from-phys-max", "Hosts come in from phys_max, and train, serve and start by turns.",
     .rule = "leaves-phys-max-held", .site = SITE_PLAIN, .demand = DEMAND_MIXED, .duration_s = 40,
     .warmup_s = 12, ANYWAY,
     .bounds = {.overshoot_w = 500, .over_ms = 10, .heat = 0.66, .energy_least = 0.72, .recovery_s = 0.15,
                .tightness = 0.92}},
    {503, "calm-reports", "Hosts report what they have applied, and train, serve and start by turns.",
     .rule = "newest-sequence-reported", .site = SITE_PLAIN, .demand = DEMAND_MIXED, .duration_s = 40,
     .warmup_s = 12, ANYWAY,
     .bounds = {.overshoot_w = 500, .over_ms = 10, .heat = 0.7, .energy_least = 0.74, .recovery_s = 0.15,
                .tightness = 0.92}},
    {504, "calm-level", "Hosts want all that they can draw: leases may stand above the level of a pool.",
     .rule = "level-bounds-no-lease", .site = SITE_PLAIN, .demand = DEMAND_FULL, .duration_s = 40,
     .warmup_s = 12, ANYWAY,
     .bounds = {.overshoot_w = 500, .over_ms = 10, .heat = 0.86, .energy_least = 0.6, .recovery_s = 0.15,
                .tightness = 0.92}},
    {505, "calm-contingencies", "Hosts of two feeds ask for all there is; either feed may be lost.",
     .rule = "every-contingency", .site = SITE_2N, .demand = DEMAND_FULL, .greedy = true, .duration_s = 30,
     .warmup_s = 8, ANYWAY,
     .bounds = {.overshoot_w = 500, .over_ms = 10, .heat = 0.48, .energy_least = 0.5, .recovery_s = 0.32,
                .tightness = 0.92}},
    {506, "calm-cords", "Hosts of two feeds ask for all there is, through both of their cords.",
     .rule = "cut-on-every-cord", .site = SITE_2N, .demand = DEMAND_FULL, .greedy = true, .duration_s = 30,
     .warmup_s = 8, ANYWAY,
     .bounds = {.overshoot_w = 500, .over_ms = 10, .heat = 0.48, .energy_least = 0.5, .recovery_s = 0.32,
                .tightness = 0.92}},
    {507, "calm-shares", "Hosts of two feeds ask for all there is; each loss has shares of its own.",
     .rule = "own-shares", .site = SITE_2N, .demand = DEMAND_FULL, .greedy = true, .duration_s = 30,
     .warmup_s = 8, ANYWAY,
     .bounds = {.overshoot_w = 500, .over_ms = 10, .heat = 0.48, .energy_least = 0.5, .recovery_s = 0.32,
                .tightness = 0.92}},
};

const struct scenario_table scenario_calm = {row, sizeof row / sizeof row[0]};
