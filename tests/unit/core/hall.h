/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small hall for tests of one stage by itself, and all that the stages keep about it. A main over two
 * branches, a rack under the right one:
 *
 *     MAIN --- LEFT   hosts 0, 1
 *          \-- RIGHT  host 2
 *              \-- RACK  hosts 3, 4
 *
 * As it stands a cap of 1 W puts 1 VA on every phase; change the model, then hall_open. What lies beyond a
 * count (ancestors, cords, contingencies, one more host) is filled with something that would show.
 */
#ifndef FLYBALL_TESTS_HALL_H
#define FLYBALL_TESTS_HALL_H

#include "core/cluster.h"
#include "core/demand.h"
#include "core/emergency.h"
#include "core/ledger.h"
#include "msg/reading.h"

enum { HALL_MAIN, HALL_LEFT, HALL_RIGHT, HALL_RACK, HALL_NODES };
enum { HALL_HOSTS = 5, HALL_GANGS = 2, HALL_CELLS = CONTINGENCIES_MAX * PHASES + CLUSTER_STEERED };
#define HALL_W INT64_C(1000)                    /* in mW or mVA */
#define HALL_KW (1000 * HALL_W)
#define HALL_T_NS (10 * NS_PER_S)               /* the newest report of every host */

struct hall {
    struct model model;
    struct model_node node[HALL_NODES];
    struct model_host host[HALL_HOSTS + 1];
    struct model_host_type type;
    struct model_meter meter[HALL_NODES];
    struct ledger ledger;
    struct ledger_host account[HALL_HOSTS];
    struct ledger_sums sums[HALL_NODES];
    struct demand demand[HALL_HOSTS];
    struct cluster cluster;
    struct extent host_extent[HALL_HOSTS + 1];
    int64_t draw_mw[HALL_HOSTS + 1], target_mw[HALL_HOSTS + 1];
    uint32_t bound_node[HALL_HOSTS + 1];
    uint8_t bound_term[HALL_HOSTS + 1], tier[HALL_HOSTS + 1], changed[HALL_HOSTS + 1];
    int64_t wake_ns[HALL_HOSTS + 1];
    uint8_t was_scarce[HALL_HOSTS + 1], refused[HALL_HOSTS + 1], own_tier[HALL_HOSTS + 1];
    uint32_t type_of[HALL_HOSTS + 1], weight[HALL_HOSTS + 1], job[HALL_HOSTS + 1];
    uint32_t cord_node[HALL_HOSTS + 1][CORDS_MAX];
    uint16_t above[HALL_NODES][ANCESTORS_MAX];
    struct cluster_node cluster_node[HALL_NODES];
    int64_t capacity_mva[HALL_NODES * HALL_CELLS], load_mva[HALL_NODES * HALL_CELLS];
    struct cluster_gang gang[HALL_GANGS];
    struct cluster_run runs_below[4 * CORDS_MAX * HALL_HOSTS];
    uint32_t other[4 * HALL_NODES];
    int64_t coefficient[(CORDS_MAX * HALL_HOSTS + 1) * HALL_CELLS];
    struct claim claim[CORDS_MAX * HALL_HOSTS];
    struct heat heat;
    struct heat_node heat_node[HALL_NODES];
    struct emergencies emergencies;
    struct emergency emergency[HALL_NODES];
    uint32_t below_first[HALL_NODES], below_count[HALL_NODES], below[4 * CORDS_MAX * HALL_HOSTS];
    struct reading reading;
};

/* Fail-safe 2 kW, caps up to 10 kW, physical maximum 12 kW, quantum 1 W; 1 MVA a phase at every node. */
void hall_build(struct hall *hall);

/* Limits and amperes of a node, by kVA on one phase at 100 V. */
void hall_limit(struct hall *hall, uint32_t node, int64_t kva);

/* After a test has written into the sums itself: what they leave is not known any more. */
static inline void hall_look_again(struct hall *hall)
{
    for (uint32_t n = 0; n < HALL_NODES; n++)
        hall->sums[n].left_mva[0] = hall->sums[n].left_mva[1] = 0;
}

/* Every host known, bounded at fail-safe under its first lease, drawing nothing. */
void hall_open(struct hall *hall);

/* What arbitration is to believe that a host can use: a draw, no headroom. */
void hall_uses(struct hall *hall, uint32_t host, int64_t draw_mw);

/* One arbitration to its end, `items` visits a part; the caps stand in target_mw. */
void hall_arbitrate(struct hall *hall, uint32_t items);

/* What a node can carry of a cell, as the last arbitration saw it. */
int64_t hall_capacity(const struct hall *hall, uint32_t node, uint32_t contingency, uint32_t phase);

/* The newest lease of a host, and its receipt. */
void hall_holds(struct hall *hall, uint32_t host, int64_t cap_mw);

#endif
