/* SPDX-License-Identifier: Apache-2.0 */
/* A pool through the whole pipeline: branch A of the stand carries 14 kVA and has a level of 10 kVA. Its
 * two hosts want all they can have, obey, and are metered every 15 ms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "stand.h"

#define KW INT64_C(1000000)
#define STEP_NS (5 * NS_PER_MS)

static void open_stand(struct stand *stand)
{
    stand_site(stand);
    stand->node[BRANCH_A].level_mva = stand->node[BRANCH_A].level_burst_mva = 10 * KW;
    stand->meter[BRANCH_A].error_ppm = 0;
    stand->node[BRANCH_A].ramp_down_mw_per_s = 100000;  /* of voluntary cuts: these are none */
    stand_start(stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* 5 ms in which every host draws what it wants, at most its cap; returns what branch A carries. */
static int64_t live(struct stand *stand, int64_t wanted_mw)
{
    int64_t load_mw = 0;
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        int64_t cap_mw = stand->host[h].last.cap_mw;
        stand->host[h].draw_mw = smaller(wanted_mw, cap_mw);
        stand->host[h].flags = wanted_mw >= cap_mw ? REPORT_AT_CAP : 0;
        load_mw += h < 2 ? stand->host[h].draw_mw : 0;
    }
    stand_run(stand, STEP_NS);
    if (stand->t_ns / STEP_NS % 3 == 0)
        stand_reading(stand, BRANCH_A, load_mw);
    return load_mw;
}

/* Meters come late: hosts fill the branch to 14 kVA first. */
static void fill(struct stand *stand)
{
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        stand->host[h].draw_mw = 9 * KW;
        stand->host[h].flags = REPORT_AT_CAP;
    }
    stand_run(stand, 3 * NS_PER_S);
    assert_true(stand->host[0].last.cap_mw + stand->host[1].last.cap_mw > 13900000);
}

static void a_load_above_the_level_is_cut_with_the_next_tick(void **state)
{
    struct stand stand;
    (void)state;
    open_stand(&stand);
    fill(&stand);
    for (uint32_t h = 0; h < 2; h++) {
        stand.host[h].draw_mw = stand.host[h].last.cap_mw;
        stand_obey(&stand, h);
    }
    stand_reading(&stand, BRANCH_A, 13900000);
    assert_int_equal(stand.outbox.count, 0);            /* no emergency */
    stand_tick(&stand);
    assert_in_range(stand.host[0].last.cap_mw + stand.host[1].last.cap_mw, 9 * KW, 9900000);
    assert_int_equal(stand.host[0].last.why, WHY_CUT);
    assert_int_equal(stand_counters(&stand)->level_trims, 1);
    assert_int_equal(stand.core->bound[0].term, BOUND_LEVEL);
    assert_int_equal(stand.core->bound[0].node, BRANCH_A);
    assert_true(stand.host[2].last.cap_mw > 6900000);   /* branch B has no level */
    stand_stop(&stand);
}

static void load_stays_at_the_level_and_caps_stand_still(void **state)
{
    struct stand stand;
    int64_t most_mw = 0, least_mw = INT64_MAX;
    (void)state;
    open_stand(&stand);
    fill(&stand);
    for (int64_t end_ns = stand.t_ns + 30 * NS_PER_S; stand.t_ns < end_ns;) {
        int64_t load_mw = live(&stand, 9 * KW);
        if (stand.t_ns < end_ns - 10 * NS_PER_S)
            continue;
        most_mw = load_mw > most_mw ? load_mw : most_mw;
        least_mw = smaller(load_mw, least_mw);
    }
    assert_in_range(most_mw, 9800000, 10 * KW);         /* 0.99 of the level */
    assert_in_range(least_mw, 9700000, 10 * KW);
    assert_int_equal(stand_counters(&stand)->emergencies, 0);
    stand_stop(&stand);
}

/* Demand falls and comes back: the level is not passed by more than what rises before a cut can act. */
static void demand_that_comes_back_finds_the_level_again(void **state)
{
    struct stand stand;
    int64_t above_ns = 0;
    (void)state;
    open_stand(&stand);
    fill(&stand);
    for (int turn = 0; turn < 4; turn++) {
        for (int i = 0; i < 2000; i++)
            above_ns += live(&stand, 9 * KW) > 10 * KW && turn ? STEP_NS : 0;
        for (int i = 0; i < 400; i++)
            live(&stand, 3 * KW);
    }
    assert_true(above_ns <= 3 * 400 * NS_PER_MS);
    stand_stop(&stand);
}

/* Hosts 0 and 1 draw half of what they do through a second cord on branch B, whose level is 8 kVA. */
static void a_pool_reaches_hosts_through_their_second_cords(void **state)
{
    struct stand stand;
    (void)state;
    stand_site(&stand);
    stand.node[BRANCH_B].level_mva = stand.node[BRANCH_B].level_burst_mva = 8 * KW;
    for (uint32_t h = 0; h < 2; h++) {
        stand.host_model[h].cord_count = 2;
        stand.host_model[h].cord[0].share_ppm[0] = 500000;
        stand.host_model[h].cord[1] = stand.host_model[h].cord[0];
        stand.host_model[h].cord[1].node = BRANCH_B;
    }
    stand_start(&stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(&stand, h);
    for (uint32_t h = 0; h < 2; h++) {
        stand.host[h].draw_mw = 9500000;
        stand.host[h].flags = REPORT_AT_CAP;
    }
    stand_run(&stand, 3 * NS_PER_S);
    assert_true(stand.host[0].last.cap_mw > 9500000);
    stand_reading(&stand, BRANCH_B, 9500000);
    stand_tick(&stand);
    assert_in_range(stand.host[0].last.cap_mw, 7 * KW, 7950000);    /* 7.9 kVA of B, and of A as much */
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_load_above_the_level_is_cut_with_the_next_tick),
        cmocka_unit_test(load_stays_at_the_level_and_caps_stand_still),
        cmocka_unit_test(a_pool_reaches_hosts_through_their_second_cords),
        cmocka_unit_test(demand_that_comes_back_finds_the_level_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
