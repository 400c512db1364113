/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may wait does, by hand on the stand (safety.md section 9): raises for hold, pool and damper, then for
 * a ramp; voluntary cuts for what only they would pay for, and for a ramp; what protects for nothing. A watt
 * of cap draws 1.2 W at the wall. Host 0 holds 5 kW unless a test says otherwise; buckets are filled by
 * hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "core/pace.h"
#include "stand.h"

#define KW INT64_C(1000000)
#define W INT64_C(1000)

static void open_stand(struct stand *stand)
{
    stand_site(stand);
    stand->type.gain_ppm = 1200000;
    stand->type.phys_max_mw = 14400 * W;
    stand->type.quantum_mw = 10 * W;
    stand->model.policy.damper_window_ns = NS_PER_S;
    stand->model.policy.damper_changes = 3;
    stand->model.policy.hold_least_ns = NS_PER_S;
    stand->model.policy.hold_most_ns = 60 * NS_PER_S;
    stand->node[BRANCH_A].level_mva = 100 * KW;
    for (uint32_t n = 0; n < STAND_NODES; n++)
        for (uint32_t p = 0; p < PHASES; p++)
            stand->node[n].limit_mva[0][p] = 1000 * KW;
    stand_start(stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
    ledger_enter(&stand->core->ledger, 0, 5 * KW);
    stand->core->t_ns = stand->t_ns;
}

/* A bucket of the main that holds so much and hardly anything more within the test. */
static void bucket(struct stand *stand, enum ramp_direction direction, int64_t credit_mw)
{
    stand->core->ramps.limited = 1;
    stand->core->ramps.node[MAIN].bucket[direction] = (struct ramp_bucket){
        .rate_mw_per_s = 1, .most_mw = 100 * KW, .credit_mw = credit_mw, .t_ns = stand->t_ns};
}

static int64_t paced(struct stand *stand, int64_t cap_mw, enum egress_why why)
{
    return pace_cap_mw(stand->core, 0, cap_mw, why);
}

static void check(const struct stand *stand, enum bound_term term, uint32_t node)
{
    assert_int_equal(stand->core->paced.term, term);
    assert_int_equal(stand->core->paced.node, node);
}

static void without_a_reason_to_wait_nothing_waits(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    assert_int_equal(paced(&stand, 9 * KW, WHY_SHARE), 9 * KW);
    check(&stand, BOUND_NOTHING, INDEX_NONE);
    assert_int_equal(paced(&stand, 3 * KW, WHY_CUT), 3 * KW);
    assert_int_equal(paced(&stand, 5 * KW, WHY_RENEWAL), 5 * KW);
    check(&stand, BOUND_NOTHING, INDEX_NONE);
    stand_stop(&stand);
}

/* 3600 W at the wall, a cord's mW apart, are 3 kW of cap; whole quanta of 10 W. */
static void a_raise_goes_as_far_as_the_buckets_reach(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    bucket(&stand, RAMP_UP, 3600 * W + 1);
    assert_int_equal(paced(&stand, 9 * KW, WHY_SHARE), 8 * KW);
    check(&stand, BOUND_RAMP, MAIN);
    assert_int_equal(paced(&stand, 8 * KW, WHY_SHARE), 8 * KW);
    check(&stand, BOUND_NOTHING, INDEX_NONE);
    bucket(&stand, RAMP_UP, 3600 * W);
    assert_int_equal(paced(&stand, 9 * KW, WHY_SHARE), 7990 * W);
    bucket(&stand, RAMP_UP, 0);
    assert_int_equal(paced(&stand, 9 * KW, WHY_SHARE), 5 * KW);
    check(&stand, BOUND_RAMP, MAIN);
    stand_stop(&stand);
}

/* Up to fail-safe it goes by itself when its lease runs out: the ramp counts from there. */
static void up_to_fail_safe_no_ramp_counts(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    ledger_enter(&stand.core->ledger, 0, KW);
    bucket(&stand, RAMP_UP, 3600 * W + 1);
    assert_int_equal(paced(&stand, FAIL_SAFE_MW, WHY_SHARE), FAIL_SAFE_MW);
    assert_int_equal(paced(&stand, 9 * KW, WHY_SHARE), FAIL_SAFE_MW + 3 * KW);
    bucket(&stand, RAMP_UP, 0);
    assert_int_equal(paced(&stand, 1500 * W, WHY_SHARE), 1500 * W);
    assert_int_equal(paced(&stand, 9 * KW, WHY_SHARE), FAIL_SAFE_MW);
    stand_stop(&stand);
}

static void a_voluntary_cut_goes_as_far_as_the_buckets_reach(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    bucket(&stand, RAMP_DOWN, 1200 * W + 1);
    assert_int_equal(paced(&stand, 3 * KW, WHY_CUT), 4 * KW);
    check(&stand, BOUND_RAMP, MAIN);
    assert_int_equal(paced(&stand, 3 * KW, WHY_ORDER), 4 * KW);
    assert_int_equal(paced(&stand, 4 * KW, WHY_CUT), 4 * KW);
    check(&stand, BOUND_NOTHING, INDEX_NONE);
    bucket(&stand, RAMP_DOWN, 1200 * W);
    assert_int_equal(paced(&stand, 3 * KW, WHY_CUT), 4010 * W);
    assert_int_equal(paced(&stand, 3 * KW, WHY_LIMIT), 3 * KW);         /* protects */
    assert_int_equal(paced(&stand, 3 * KW, WHY_EMERGENCY), 3 * KW);
    stand_stop(&stand);
}

/* While S or D passes a limit above the host, its cut makes room and waits for nothing. */
static void a_cut_that_makes_room_waits_for_nothing(void **state)
{
    (void)state;
    for (int sum = 0; sum < 3; sum++) {
        struct stand stand;
        open_stand(&stand);
        bucket(&stand, RAMP_DOWN, 0);
        struct core *core = stand.core;
        struct ledger_sums *sums = &core->ledger.node[BRANCH_A];
        for (uint32_t p = 0; p < PHASES; p++)
            sums->limit_mva[0][p] = sum == 1 ? sums->newest_mva[0][p] - 1 : 1000 * KW;
        if (sum == 2)
            ledger_enter(&core->ledger, 0, 4 * KW);         /* D stands at 5 kW, S at 4 */
        for (uint32_t p = 0; sum == 2 && p < PHASES; p++)
            sums->limit_mva[0][p] = sums->exposed_mva[0][p] - 1;
        memset(sums->left_mva, 0, sizeof sums->left_mva);   /* nothing is known to be left */
        assert_int_equal(paced(&stand, 3 * KW, WHY_CUT), sum ? 3 * KW : 5 * KW);
        stand_stop(&stand);
    }
}

static void hold(struct stand *stand)
{
    struct core *core = stand->core;
    hold_observe(&core->holds, &core->heat, BRANCH_A, HOLD_EMERGENCY, true, stand->t_ns);
}

static void damp(struct stand *stand)
{
    struct dampers *dampers = &stand->core->dampers;
    dampers->node[BRANCH_A].until_ns = dampers->held_until_ns = stand->t_ns + NS_PER_S;
}

static void bind_pool(struct stand *stand, int64_t unconfirmed_mw)
{
    struct pool *pool = &stand->core->pools.node[BRANCH_A];
    pool->trims = true;
    pool->capacity_mva = 0;
    pool->unconfirmed_mw = unconfirmed_mw;
    pool->cut_ns = stand->t_ns;
}

/* Each by itself holds a raise where it is; all together the hold is told, then the pool. */
static void a_raise_waits_for_hold_pool_and_damper(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    damp(&stand);
    assert_int_equal(paced(&stand, 9 * KW, WHY_SHARE), 5 * KW);
    check(&stand, BOUND_DAMPER, BRANCH_A);
    bind_pool(&stand, 50 * KW);
    assert_int_equal(paced(&stand, 9 * KW, WHY_SHARE), 5 * KW);
    check(&stand, BOUND_LEVEL, BRANCH_A);
    hold(&stand);
    assert_int_equal(paced(&stand, 9 * KW, WHY_SHARE), 5 * KW);
    check(&stand, BOUND_HOLD, BRANCH_A);
    assert_int_equal(pace_cap_mw(stand.core, 2, 9 * KW, WHY_SHARE), 9 * KW);    /* beside it */
    stand_stop(&stand);
}

/* I4: what waits waits at its floor. */
static void nothing_holds_a_host_below_its_floor(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    ledger_enter(&stand.core->ledger, 0, KW / 2);
    damp(&stand);
    assert_int_equal(paced(&stand, 9 * KW, WHY_SHARE), FLOOR_MW);
    check(&stand, BOUND_DAMPER, BRANCH_A);
    bind_pool(&stand, 50 * KW);
    assert_int_equal(paced(&stand, 9 * KW, WHY_SHARE), FLOOR_MW);
    hold(&stand);
    assert_int_equal(paced(&stand, 9 * KW, WHY_SHARE), FLOOR_MW);
    check(&stand, BOUND_HOLD, BRANCH_A);
    assert_int_equal(paced(&stand, 3 * KW / 4, WHY_SHARE), 3 * KW / 4);
    /* a lease of no watts: what was told nothing does not wait */
    stand.core->ledger.host[0].newest_mw = 0;
    assert_int_equal(paced(&stand, 9 * KW, WHY_SHARE), FLOOR_MW);
    stand.core->ledger.host[0].newest_mw = -1;
    assert_int_equal(paced(&stand, 9 * KW, WHY_SHARE), 9 * KW);
    stand_stop(&stand);
}

/* Arbitrations under a hold that want so much more or less of host 0, and nothing of others. */
static void arbitrate(struct stand *stand, int64_t change_mw)
{
    for (int i = 0; i < 3; i++) {
        damper_arbitrate(&stand->core->dampers, true, stand->t_ns);
        damper_target(&stand->core->dampers, 0, change_mw);
    }
}

/* Under a hold a cut is not issued for a raise that does not come; what its node as a whole is to have less
 * of is cut, and so is what an order asks. */
static void under_a_hold_only_a_cut_that_pays_for_nobody_is_issued(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    hold(&stand);
    assert_int_equal(paced(&stand, 3 * KW, WHY_CUT), 3 * KW);           /* not known yet */
    arbitrate(&stand, KW / 2);
    assert_int_equal(paced(&stand, 3 * KW, WHY_CUT), 5 * KW);
    check(&stand, BOUND_HOLD, BRANCH_A);
    assert_int_equal(paced(&stand, 3 * KW, WHY_ORDER), 3 * KW);
    arbitrate(&stand, -50 * KW);
    assert_int_equal(paced(&stand, 3 * KW, WHY_CUT), 3 * KW);
    stand_stop(&stand);
}

static void under_a_damper_too(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    damp(&stand);
    arbitrate(&stand, KW / 2);
    assert_int_equal(paced(&stand, 3 * KW, WHY_CUT), 5 * KW);
    check(&stand, BOUND_DAMPER, BRANCH_A);
    assert_int_equal(paced(&stand, 3 * KW, WHY_ORDER), 3 * KW);
    stand_stop(&stand);
}

/* A pool that binds protects its level: its cuts wait for no ramp. */
static void a_cut_below_a_pool_that_binds_waits_for_nothing(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    bucket(&stand, RAMP_DOWN, 0);
    hold(&stand);
    arbitrate(&stand, KW / 2);
    bind_pool(&stand, 0);
    assert_int_equal(paced(&stand, 3 * KW, WHY_CUT), 3 * KW);
    check(&stand, BOUND_LEVEL, BRANCH_A);
    stand_stop(&stand);
}

/* Who was told nothing yet waits for nothing, and counts as at fail-safe when it is told: 3 kW draw 3.6. */
static void what_was_sent_is_taken_from_ramps_and_counted_by_dampers(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    bucket(&stand, RAMP_UP, 9 * KW);
    bucket(&stand, RAMP_DOWN, 9 * KW);
    const struct ramp_bucket *buckets = stand.core->ramps.node[MAIN].bucket;
    const struct damper *damper = &stand.core->dampers.node[BRANCH_A];
    int64_t sum_mw = damper->sum_mw;
    pace_sent(stand.core, 0, -1, 5 * KW);
    assert_int_equal(buckets[RAMP_UP].credit_mw, 5400 * W);
    assert_int_equal(damper->sum_mw, sum_mw + 3600 * W);
    ledger_enter(&stand.core->ledger, 0, 4 * KW);
    pace_sent(stand.core, 0, 5 * KW, 4 * KW);
    assert_int_equal(stand.core->pools.node[BRANCH_A].unconfirmed_mw, 1200 * W);
    assert_int_equal(buckets[RAMP_DOWN].credit_mw, 7800 * W);
    assert_int_equal(damper->sum_mw, sum_mw + 2400 * W);
    pace_sent(stand.core, 0, 4 * KW, 4 * KW);
    assert_int_equal(buckets[RAMP_UP].credit_mw, 5400 * W);
    stand.core->ledger.host[0].newest_mw = -1;
    hold(&stand);
    assert_int_equal(paced(&stand, 9 * KW, WHY_SHARE), 9 * KW);
    stand_stop(&stand);
}

/* What arbitration wants beyond what was sent is noted under a hold: 4 kW less are 4.8 at the wall. */
static void a_target_is_noted_under_a_hold_by_what_it_changes(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    struct core *core = stand.core;
    const struct damper *damper = &core->dampers.node[BRANCH_A];
    core->cluster.target_mw[0] = KW;
    pace_begin(core);
    pace_target(core, 0);
    assert_int_equal(damper->lacks_mw, 0);                              /* nothing is held */
    hold(&stand);
    pace_begin(core);
    pace_target(core, 0);
    assert_int_equal(damper->lacks_mw, -4800 * W);
    core->cluster.target_mw[1] = -1;                                    /* has no target */
    pace_target(core, 1);
    core->ledger.host[1].newest_mw = -1;                                /* was told nothing: fail-safe */
    core->cluster.target_mw[1] = 0;
    pace_target(core, 1);
    assert_int_equal(damper->lacks_mw, -7200 * W);
    core->ledger.host[1].newest_mw = 0;                                 /* a lease of no watts is one */
    core->cluster.target_mw[1] = KW;
    pace_target(core, 1);
    assert_int_equal(damper->lacks_mw, -6000 * W);
    stand_stop(&stand);
}

/* Ramps by contract come and go with arbitrations, several of them, in any order. */
static void ramps_by_contract_count_from_the_next_arbitration_on(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    struct core *core = stand.core;
    for (uint32_t n = 0; n < STAND_NODES; n++) {
        struct slot_order order = {.kind = ORDER_RAMP, .number = 5 + n, .contract = n, .node = n,
                                   .value_mw = (1 + n) * KW, .down_mw_per_s = 9 * KW};
        assert_int_equal(contract_give(&core->contracts, &order, stand.t_ns), ORDER_TAKEN);
    }
    pace_begin(core);
    for (uint32_t n = 0; n < STAND_NODES; n++) {
        assert_int_equal(core->ramps.node[n].bucket[RAMP_UP].rate_mw_per_s, (1 + n) * KW);
        assert_int_equal(core->ramps.node[n].bucket[RAMP_DOWN].rate_mw_per_s, 9 * KW);
    }
    assert_int_equal(core->ramps.ordered_count, STAND_NODES);
    contract_lift(&core->contracts, MAIN);
    contract_lift(&core->contracts, BRANCH_A);
    pace_begin(core);
    assert_int_equal(core->ramps.node[MAIN].bucket[RAMP_UP].rate_mw_per_s, 0);
    assert_int_equal(core->ramps.node[BRANCH_A].bucket[RAMP_UP].rate_mw_per_s, 0);
    assert_int_equal(core->ramps.node[BRANCH_B].bucket[RAMP_UP].rate_mw_per_s, 3 * KW);
    assert_int_equal(core->ramps.ordered_count, 1);
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_reason_to_wait_nothing_waits),
        cmocka_unit_test(a_raise_goes_as_far_as_the_buckets_reach),
        cmocka_unit_test(up_to_fail_safe_no_ramp_counts),
        cmocka_unit_test(a_voluntary_cut_goes_as_far_as_the_buckets_reach),
        cmocka_unit_test(a_cut_that_makes_room_waits_for_nothing),
        cmocka_unit_test(a_raise_waits_for_hold_pool_and_damper),
        cmocka_unit_test(nothing_holds_a_host_below_its_floor),
        cmocka_unit_test(under_a_hold_only_a_cut_that_pays_for_nobody_is_issued),
        cmocka_unit_test(under_a_damper_too),
        cmocka_unit_test(a_cut_below_a_pool_that_binds_waits_for_nothing),
        cmocka_unit_test(what_was_sent_is_taken_from_ramps_and_counted_by_dampers),
        cmocka_unit_test(a_target_is_noted_under_a_hold_by_what_it_changes),
        cmocka_unit_test(ramps_by_contract_count_from_the_next_arbitration_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
