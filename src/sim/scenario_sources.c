/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios of safety.md sections 2, 4 and 11: generators, UPS batteries and transfer switches, each at its
 * limit. */
#include "sim/scenario.h"

#define USUAL {.start_s = 4, .battery_s = 20, .recharge_s = 1700, .walk_in_s = 3, .break_s = 0.1, \
               .retransfer_s = 5}
/* A battery that is empty when the generator comes. */
#define SHORT {.start_s = 4, .battery_s = 6, .recharge_s = 600, .walk_in_s = 3, .break_s = 0.1, \
               .retransfer_s = 5}

#define STANDS "a generator that stands still reads no volts: taken for a sag, what it may carry falls"
#define BINDS "which source feeds is not known: what the generator may carry binds while it stands, too"

static const struct scenario row[] = {
    {701, "generator-carries", "The utility is lost at full demand: a battery bridges, a generator carries.",
     .rule = "dead-feed-no-sag", .site = SITE_SOURCES, .demand = DEMAND_FULL, .greedy = true,
     .duration_s = 50, .warmup_s = 8, .sources = USUAL, .strike = {{FAULT_DARK, AT_UTILITY, 14, 20, 0}},
     .anyway = STANDS,
     .bounds = {.overshoot_w = 500, .over_ms = 10, .heat = 0.29, .energy_least = 0.47,
                .recovery_s = 0.3, .tightness = 0.95}},
    {702, "generator-unheard", "The utility is lost, and from when the generator carries on every message.",
     .rule = "silent-keeps-exposure", .site = SITE_SOURCES, .demand = DEMAND_FULL, .greedy = true,
     .duration_s = 40, .warmup_s = 8, .sources = USUAL,
     .strike = {{FAULT_DARK, AT_UTILITY, 12, 28, 0},
                {FAULT_CUT_UP, AT_SWITCH, 17, 23, 0},
                {FAULT_CUT_DOWN, AT_SWITCH, 17, 23, 0}},
     .bounds = {.overshoot_w = 500, .over_ms = 10, .heat = 0.28, .energy_least = 0.35,
                .recovery_s = 0.3, .tightness = 0.95}},
    {703, "generator-late", "A generator starts later than its battery lasts: all boot on it at once.",
     .rule = "reports-in-sixths", .site = SITE_SOURCES, .demand = DEMAND_FULL, .greedy = true,
     .duration_s = 60, .warmup_s = 8, .sources = SHORT,
     .strike = {{FAULT_LATE_START, AT_GENERATOR, 10, 40, 16}, {FAULT_DARK, AT_UTILITY, 12, 60, 0}},
     .bounds = {.overshoot_w = 136300, .over_ms = 36, .heat = 0.29, .energy_least = 0.4,
                .recovery_s = 1.41, .tightness = 0.95}},
    {704, "generator-fails", "A generator does not start, the battery empties, the utility returns.",
     .rule = "level-bounds-no-lease", .site = SITE_SOURCES, .demand = DEMAND_FULL, .greedy = true,
     .duration_s = 70, .warmup_s = 8, .sources = SHORT,
     .strike = {{FAULT_NO_START, AT_GENERATOR, 10, 60, 0}, {FAULT_DARK, AT_UTILITY, 12, 40, 0}},
     .bounds = {.overshoot_w = 3900, .over_ms = 31, .heat = 0.28, .energy_least = 0.27,
                .recovery_s = 1.38, .tightness = 0.95}},
    {705, "battery-old", "A battery has lost nearly all it held: dark until the generator starts.",
     .rule = "reports-in-sixths", .site = SITE_SOURCES, .demand = DEMAND_MIXED, .duration_s = 40,
     .warmup_s = 8, .sources = USUAL,
     .strike = {{FAULT_BATTERY, AT_UPS, 10, 30, 0.95}, {FAULT_DARK, AT_UTILITY, 14, 30, 0}},
     .bounds = {.overshoot_w = 136800, .over_ms = 31, .heat = 0.28, .energy_least = 0.55,
                .recovery_s = 1.41, .tightness = 0.95}},
    {706, "transfer-break", "On bypass a hand puts the switch over: supplies hold for as long as it is open.",
     .rule = "dead-feed-no-sag", .site = SITE_SOURCES, .demand = DEMAND_FULL, .greedy = true,
     .duration_s = 40, .warmup_s = 8,
     .sources = {.start_s = 4, .battery_s = 20, .recharge_s = 1700, .walk_in_s = 3, .break_s = 0.012,
                 .retransfer_s = 5},
     .strike = {{FAULT_BYPASS, AT_UPS, 12, 28, 0}, {FAULT_TRANSFER, AT_SWITCH, 14, 12, 0}},
     .anyway = STANDS,
     .bounds = {.overshoot_w = 19500, .over_ms = 31, .heat = 0.32, .energy_least = 0.44,
                .recovery_s = 1.38, .tightness = 0.95}},
    {707, "transfer-long", "On bypass a switch is open for longer than supplies hold: all boot at once.",
     .rule = "dead-feed-no-sag", .site = SITE_SOURCES, .demand = DEMAND_FULL, .greedy = true,
     .duration_s = 40, .warmup_s = 8, .sources = USUAL,
     .strike = {{FAULT_BYPASS, AT_UPS, 12, 28, 0}, {FAULT_TRANSFER, AT_SWITCH, 14, 12, 0}},
     .anyway = STANDS,
     .bounds = {.overshoot_w = 133800, .over_ms = 37, .heat = 0.28, .energy_least = 0.43,
                .recovery_s = 1.41, .tightness = 0.95}},
    {708, "generator-loaded", "A quarter of a generator's rating appears on it beside full leases.",
     .rule = "stage-fail-safe", .site = SITE_SOURCES, .demand = DEMAND_FULL, .greedy = true,
     .duration_s = 50, .warmup_s = 8, .sources = USUAL,
     .strike = {{FAULT_DARK, AT_UTILITY, 12, 40, 0}, {FAULT_OTHER, AT_SWITCH, 26, 8, 35}},
     .bounds = {.overshoot_w = 16700, .over_ms = 273, .heat = 0.29, .energy_least = 0.37,
                .recovery_s = 8.64, .tightness = 0.95}},
    {709, "utility-turns", "A utility goes and comes while its generator starts, carries, and hands back.",
     .rule = "every-ancestor", .site = SITE_SOURCES, .demand = DEMAND_MIXED, .duration_s = 60, .warmup_s = 8,
     .sources = USUAL,
     .strike = {{FAULT_DARK, AT_UTILITY, 12, 2, 0},
                {FAULT_DARK, AT_UTILITY, 16, 6, 0},
                {FAULT_DARK, AT_UTILITY, 25, 1, 0},
                {FAULT_DARK, AT_UTILITY, 32, 9, 0}},
     .anyway = BINDS,
     .bounds = {.overshoot_w = 500, .over_ms = 10, .heat = 0.29, .energy_least = 0.59,
                .recovery_s = 0.3, .tightness = 0.95}},
    {710, "generator-sag", "A generator carries full leases, and its volts fall by a fifth for ten seconds.",
     .rule = "sag-lowers", .site = SITE_SOURCES, .demand = DEMAND_FULL, .greedy = true,
     .duration_s = 50, .warmup_s = 8, .sources = USUAL,
     .strike = {{FAULT_DARK, AT_UTILITY, 12, 40, 0}, {FAULT_SAG, AT_GENERATOR, 24, 10, 0.2}},
     .bounds = {.overshoot_w = 24900, .over_ms = 1493, .heat = 0.29, .energy_least = 0.4,
                .recovery_s = 0.44, .tightness = 0.95}},
    {711, "generator-takeover", "A controller dies while a battery bridges; the next one goes on.",
     .rule = "start-new-epoch", .site = SITE_SOURCES, .demand = DEMAND_FULL, .greedy = true,
     .duration_s = 50, .warmup_s = 8, .sources = USUAL,
     .strike = {{FAULT_DARK, AT_UTILITY, 14, 20, 0}, {FAULT_CRASH, AT_ANY, 15.5, 0.5, 0}},
     .bounds = {.overshoot_w = 500, .over_ms = 10, .heat = 0.29, .energy_least = 0.47,
                .recovery_s = 0.49, .tightness = 0.95}},
};

const struct scenario_table scenario_sources = {row, sizeof row / sizeof row[0]};
