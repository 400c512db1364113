/* SPDX-License-Identifier: Apache-2.0 */
/* Ramp buckets: domain.md 4.3 and 4.7. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "core/pace.h"
#include "hall.h"
#include "stand.h"

#define KW INT64_C(1000000)

/* 50 kW/ms: the bucket holds 16 ms of it, 800 kW. */
static void a_bucket_holds_sixteen_milliseconds_of_its_rate(void **state)
{
    struct ramp_bucket bucket = {0};
    (void)state;
    ramp_bucket_set(&bucket, 50 * KW * 1000, 0, NS_PER_S);
    assert_int_equal(bucket.credit_mw, 800 * KW);
    bucket.credit_mw -= 650 * KW;
    ramp_bucket_fill(&bucket, NS_PER_S + NS_PER_MS);
    assert_int_equal(bucket.credit_mw, 200 * KW);
    assert_int_equal(ramp_bucket_wait_ns(&bucket, 250 * KW), NS_PER_MS + 1);
    ramp_bucket_fill(&bucket, NS_PER_S + NS_PER_S);
    assert_int_equal(bucket.credit_mw, 800 * KW);
}

/* Fixed point: no nanosecond is lost between many small steps, nothing wraps within an hour or a year. */
static void a_bucket_fills_the_same_in_any_steps(void **state)
{
    struct ramp_bucket steps = {0}, whole = {0};
    (void)state;
    ramp_bucket_set(&steps, 1234567, 1000000000000, 0);
    ramp_bucket_set(&whole, 1234567, 1000000000000, 0);
    steps.credit_mw = whole.credit_mw = -1000;
    for (int64_t t_ns = 0; t_ns <= 3 * NS_PER_S; t_ns += 7919)
        ramp_bucket_fill(&steps, t_ns);
    ramp_bucket_fill(&steps, 3 * NS_PER_S);
    ramp_bucket_fill(&whole, 3 * NS_PER_S);
    assert_int_equal(steps.credit_mw, whole.credit_mw);
    assert_int_equal(whole.credit_mw, 3 * 1234567 - 1000);
    struct ramp_bucket site = {0};
    ramp_bucket_set(&site, 50 * KW * 1000000, INT64_MAX / 4, 0);
    site.credit_mw = 0;
    ramp_bucket_fill(&site, 3600 * NS_PER_S);
    assert_int_equal(site.credit_mw, 3600 * 50 * KW * 1000000);
    ramp_bucket_fill(&site, INT64_MAX / 2);
    assert_int_equal(site.credit_mw, 2 * 3600 * 50 * KW * 1000000);
}

static void open_stand(struct stand *stand, int64_t up_mw_per_s, int64_t down_mw_per_s)
{
    stand_site(stand);
    stand->node[MAIN].ramp_up_mw_per_s = up_mw_per_s;
    stand->node[MAIN].ramp_down_mw_per_s = down_mw_per_s;
    stand_start(stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
}

static int64_t sum_mw(const struct stand *stand)
{
    int64_t sum = 0;
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        sum += stand->host[h].last.cap_mw;
    return sum;
}

/* Four hosts that want all they can have: 20 kW more come at 4 kW a second, never faster. */
static void raises_of_a_whole_site_follow_its_ramp(void **state)
{
    struct stand stand;
    bool waited = false;
    (void)state;
    open_stand(&stand, 4 * KW, 0);
    int64_t start_mw = sum_mw(&stand), start_ns = stand.t_ns;
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        stand.host[h].draw_mw = 9 * KW;
        stand.host[h].flags = REPORT_AT_CAP;
    }
    for (int i = 0; i < 60; i++) {
        stand_run(&stand, 100 * NS_PER_MS);
        int64_t allowed_mw = 4 * KW / 1000 * ((stand.t_ns - start_ns) / NS_PER_MS) + 80000;
        assert_true(sum_mw(&stand) - start_mw <= allowed_mw);
        waited |= stand.core->bound[0].term == BOUND_RAMP && stand.core->bound[0].node == MAIN;
        if (i == 39)                                /* and hardly slower */
            assert_true(sum_mw(&stand) - start_mw > 15 * KW);
    }
    assert_true(waited);
    assert_true(sum_mw(&stand) > 26 * KW);          /* 14 kW a branch in the end */
    stand_stop(&stand);
}

static void voluntary_cuts_follow_the_ramp_down(void **state)
{
    struct stand stand;
    (void)state;
    open_stand(&stand, 0, 4 * KW);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand.core->ledger.host[h].newest_mw = 7 * KW;
    assert_int_equal(pace_cap_mw(stand.core, 0, 2 * KW, WHY_CUT), 7 * KW - 79000);
    assert_int_equal(stand.core->paced.term, BOUND_RAMP);
    assert_int_equal(pace_cap_mw(stand.core, 0, 2 * KW, WHY_ORDER), 7 * KW - 79000);
    stand_stop(&stand);
}

static void a_cut_that_protects_is_not_delayed_and_its_debt_is_worked_off(void **state)
{
    struct stand stand;
    struct ramp_view view;
    (void)state;
    open_stand(&stand, 0, 4 * KW);
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        stand.host[h].draw_mw = 6 * KW;
        stand.host[h].flags = REPORT_AT_CAP;
    }
    stand_run(&stand, 2 * NS_PER_S);
    int64_t before_mw = stand.host[0].last.cap_mw;
    stand_reading(&stand, BRANCH_A, BRANCH_MVA + 1000000);
    assert_int_equal(stand.host[0].last.cap_mw, 4500000);
    assert_true(before_mw >= 6 * KW);
    ramp_view(&stand.core->ramps, MAIN, stand.t_ns, &view);
    assert_true(view.credit_mw[RAMP_DOWN] < -3 * KW);
    stand_stop(&stand);
}

static void an_order_sets_a_ramp_and_gives_the_old_one_back(void **state)
{
    struct stand stand;
    struct ramp_view view;
    uint32_t node;
    (void)state;
    open_stand(&stand, 4 * KW, 0);
    ramp_set(&stand.core->ramps, BRANCH_A, KW, 2 * KW, stand.t_ns);
    assert_int_equal(ramp_allows_mw(&stand.core->ramps, 0, 5 * KW, stand.t_ns, &node), 19999);
    assert_int_equal(node, BRANCH_A);
    assert_int_equal(ramp_allows_mw(&stand.core->ramps, 2, 5 * KW, stand.t_ns, &node), 79999);
    assert_int_equal(node, MAIN);
    /* another rate gives nothing away */
    ramp_take(&stand.core->ramps, 0, 15000, stand.t_ns);
    ramp_set(&stand.core->ramps, BRANCH_A, 2 * KW, 2 * KW, stand.t_ns);
    assert_int_equal(ramp_allows_mw(&stand.core->ramps, 0, 5 * KW, stand.t_ns, &node), 4999);
    ramp_set(&stand.core->ramps, BRANCH_A, -1, -1, stand.t_ns);
    ramp_view(&stand.core->ramps, BRANCH_A, stand.t_ns, &view);
    assert_int_equal(view.rate_mw_per_s[RAMP_UP], 0);
    assert_int_equal(ramp_allows_mw(&stand.core->ramps, 0, 5 * KW, stand.t_ns, &node), 64999);
    stand_stop(&stand);
}

static void give_order(struct stand *stand, struct slot_order order)
{
    struct slot slot;
    memset(&slot, 0, sizeof slot);
    slot.kind = SLOT_ORDER;
    slot.order = order;
    stand_step(stand, &slot);
    stand_tick(stand);
}

static void a_ramp_by_contract_counts_until_it_is_lifted(void **state)
{
    struct stand stand;
    struct ramp_view view;
    (void)state;
    open_stand(&stand, 4 * KW, 0);
    give_order(&stand, (struct slot_order){.kind = ORDER_RAMP, .number = 1, .contract = 9, .node = MAIN,
                                           .value_mw = KW, .down_mw_per_s = 2 * KW});
    ramp_view(&stand.core->ramps, MAIN, stand.t_ns, &view);
    assert_int_equal(view.rate_mw_per_s[RAMP_UP], KW);
    assert_int_equal(view.rate_mw_per_s[RAMP_DOWN], 2 * KW);
    give_order(&stand, (struct slot_order){.kind = ORDER_LIFT, .number = 2, .contract = 9});
    ramp_view(&stand.core->ramps, MAIN, stand.t_ns, &view);
    assert_int_equal(view.rate_mw_per_s[RAMP_UP], 4 * KW);
    assert_int_equal(view.rate_mw_per_s[RAMP_DOWN], 0);
    assert_int_equal(stand.core->ramps.ordered_count, 0);
    stand_stop(&stand);
}

/* When its lease runs out a host goes there by itself. */
static void up_to_fail_safe_no_ramp_holds_a_cap(void **state)
{
    struct stand stand;
    (void)state;
    open_stand(&stand, 4 * KW, 4 * KW);
    stand.core->ledger.host[0].newest_mw = 1 * KW;
    assert_int_equal(pace_cap_mw(stand.core, 0, 1500000, WHY_SHARE), 1500000);
    assert_int_equal(pace_cap_mw(stand.core, 0, FAIL_SAFE_MW, WHY_SHARE), FAIL_SAFE_MW);
    assert_int_equal(pace_cap_mw(stand.core, 0, 3 * KW, WHY_SHARE), FAIL_SAFE_MW + 79000);
    stand_stop(&stand);
}

/* A rate so low that 16 ms of it are less than one quantum still lets caps rise, a quantum at a time. */
static void a_slow_ramp_still_moves_by_quanta(void **state)
{
    struct stand stand;
    (void)state;
    stand_site(&stand);
    stand.type.quantum_mw = 100000;
    stand.node[MAIN].ramp_up_mw_per_s = KW;         /* 20 W a tick */
    stand_start(&stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(&stand, h);
    stand.host[0].draw_mw = 9 * KW;
    stand.host[0].flags = REPORT_AT_CAP;
    int64_t start_mw = sum_mw(&stand);
    stand_run(&stand, 3 * NS_PER_S);
    assert_in_range(sum_mw(&stand) - start_mw, 2 * KW, 3 * KW + 200000);
    stand_stop(&stand);
}

/* ---- over the tree of the hall: host 0 on LEFT and on RACK, 55 % of it each ---- */

struct tree {
    struct hall hall;
    struct ramps ramps;
    struct ramp_node node[HALL_NODES];
};

static void build_tree(struct tree *tree)
{
    memset(tree, 0, sizeof *tree);
    hall_build(&tree->hall);
    tree->hall.host[0].cord_count = 2;
    tree->hall.host[0].cord[1].node = HALL_RACK;
    tree->hall.host[0].cord[0].share_ppm[0] = tree->hall.host[0].cord[1].share_ppm[0] = 550000;
    memset(tree->node, 0x5A, sizeof tree->node);            /* memory that was not cleared */
    tree->ramps.node = tree->node;
}

/* 100 W a second up at MAIN, 1 kW a second down at RACK; a tick of 20 ms, 16 ms of rate or one quantum. */
static void start_tree(struct tree *tree)
{
    tree->hall.node[HALL_MAIN].ramp_up_mw_per_s = 1000 * HALL_KW;
    tree->hall.node[HALL_RACK].ramp_down_mw_per_s = 100 * HALL_KW;
    ramp_init(&tree->ramps, &tree->hall.model, HALL_T_NS);
}

/* 1 MW a second: 20 kW in the 20 ms of a tick; 100 kW a second: 2 kW. */
static void a_bucket_holds_what_flows_in_between_two_ticks(void **state)
{
    struct tree tree;
    struct ramp_view view;
    (void)state;
    build_tree(&tree);
    start_tree(&tree);
    ramp_view(&tree.ramps, HALL_MAIN, HALL_T_NS, &view);
    assert_int_equal(view.rate_mw_per_s[RAMP_UP], 1000 * HALL_KW);
    assert_int_equal(view.credit_mw[RAMP_UP], 20 * HALL_KW);
    assert_int_equal(view.rate_mw_per_s[RAMP_DOWN], 0);
    assert_int_equal(tree.node[HALL_MAIN].ahead.credit_mw, 20 * HALL_KW);
    ramp_view(&tree.ramps, HALL_RACK, HALL_T_NS, &view);
    assert_int_equal(view.rate_mw_per_s[RAMP_UP], 0);
    assert_int_equal(view.rate_mw_per_s[RAMP_DOWN], 100 * HALL_KW);
    assert_int_equal(view.credit_mw[RAMP_DOWN], 2 * HALL_KW);
    assert_int_equal(tree.ramps.limited, 2);
}

/* Both cords of host 0 count at MAIN, 1.1 of its change: less a mW for each, 19.999998 kW are 18.181816 kW of
 * it. */
static void a_change_waits_for_the_bucket_that_holds_least(void **state)
{
    struct tree tree;
    uint32_t node;
    (void)state;
    build_tree(&tree);
    start_tree(&tree);
    assert_int_equal(ramp_allows_mw(&tree.ramps, 0, 30 * HALL_KW, HALL_T_NS, &node), 18181816);
    assert_int_equal(node, HALL_MAIN);
    assert_int_equal(ramp_allows_mw(&tree.ramps, 0, 18181816, HALL_T_NS, &node), 18181816);
    assert_int_equal(node, INDEX_NONE);
    assert_int_equal(ramp_allows_mw(&tree.ramps, 1, 30 * HALL_KW, HALL_T_NS, &node), 20 * HALL_KW - 1);
    /* down it waits at RACK, where 55 % of it goes; host 1 does not hang there */
    assert_int_equal(ramp_allows_mw(&tree.ramps, 0, -30 * HALL_KW, HALL_T_NS, &node), -3636360);
    assert_int_equal(node, HALL_RACK);
    assert_int_equal(ramp_allows_mw(&tree.ramps, 1, -30 * HALL_KW, HALL_T_NS, &node), -30 * HALL_KW);
    assert_int_equal(node, INDEX_NONE);
}

/* What was taken is gone from every bucket above, each cord's part; an empty one lets nothing pass. */
static void what_was_taken_is_gone(void **state)
{
    struct tree tree;
    uint32_t node;
    (void)state;
    build_tree(&tree);
    start_tree(&tree);
    ramp_take(&tree.ramps, 0, 10 * HALL_KW, HALL_T_NS);
    assert_int_equal(tree.node[HALL_MAIN].bucket[RAMP_UP].credit_mw, 9 * HALL_KW);
    assert_int_equal(tree.node[HALL_RACK].bucket[RAMP_DOWN].credit_mw, 2 * HALL_KW);
    ramp_take(&tree.ramps, 0, -10 * HALL_KW, HALL_T_NS);
    assert_int_equal(tree.node[HALL_MAIN].bucket[RAMP_UP].credit_mw, 9 * HALL_KW);
    assert_int_equal(tree.node[HALL_RACK].bucket[RAMP_DOWN].credit_mw, -3500 * HALL_W);
    ramp_take(&tree.ramps, 1, 9 * HALL_KW, HALL_T_NS);
    assert_int_equal(ramp_allows_mw(&tree.ramps, 1, HALL_KW, HALL_T_NS, &node), 0);
    assert_int_equal(node, HALL_MAIN);
    assert_int_equal(ramp_allows_mw(&tree.ramps, 1, HALL_KW, HALL_T_NS + NS_PER_MS, &node), HALL_KW - 1);
    /* 5.5 kW a second in debt: 35 ms until nothing, and a cord's mW */
    assert_int_equal(ramp_allows_mw(&tree.ramps, 3, -HALL_KW, HALL_T_NS + 35 * NS_PER_MS, &node), 0);
    assert_int_equal(ramp_allows_mw(&tree.ramps, 3, -HALL_KW, HALL_T_NS + 36 * NS_PER_MS, &node),
                     -100 * HALL_W + 1);
}

/* A bucket holds a quantum of every host below, in watts at the wall, and one mW. */
static void no_bucket_is_too_small_for_one_quantum(void **state)
{
    struct tree tree;
    (void)state;
    build_tree(&tree);
    tree.hall.type.quantum_mw = 100 * HALL_W;
    tree.hall.type.gain_ppm = 1200000;
    tree.hall.node[HALL_RACK].ramp_up_mw_per_s = HALL_W;
    ramp_init(&tree.ramps, &tree.hall.model, HALL_T_NS);
    assert_int_equal(tree.node[HALL_RACK].bucket[RAMP_UP].credit_mw, 120 * HALL_W + 1);
    assert_int_equal(tree.node[HALL_LEFT].grain_mw, 120 * HALL_W + 1);
}

/* Nodes with a ramp, either way, are counted once however often it is set: with none left nothing is
 * walked. */
static void nodes_that_are_limited_are_counted_once(void **state)
{
    struct tree tree;
    (void)state;
    build_tree(&tree);
    start_tree(&tree);
    static const struct {
        int64_t up_mw_per_s, down_mw_per_s;
        uint32_t limited;
    } to[] = {{5, 5, 3}, {7, 7, 3}, {0, 7, 3}, {0, 0, 2}, {0, 0, 2}, {3, 0, 3}, {0, 0, 2}};
    for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
        ramp_set(&tree.ramps, HALL_LEFT, to[i].up_mw_per_s * HALL_KW, to[i].down_mw_per_s * HALL_KW,
                 HALL_T_NS);
        assert_int_equal(tree.ramps.limited, to[i].limited);
    }
    ramp_set(&tree.ramps, HALL_MAIN, 0, 0, HALL_T_NS);
    ramp_set(&tree.ramps, HALL_RACK, 0, 0, HALL_T_NS);
    assert_int_equal(tree.ramps.limited, 0);
}

/* A new rate gives nothing away, takes what does not fit, and begins full where there was none. */
static void a_change_of_rate_gives_nothing_away(void **state)
{
    struct ramp_bucket bucket = {0};
    (void)state;
    ramp_bucket_set(&bucket, 1000 * KW, 0, NS_PER_S);
    assert_int_equal(bucket.credit_mw, 16 * KW);
    bucket.credit_mw = 4 * KW;
    ramp_bucket_set(&bucket, 2000 * KW, 0, NS_PER_S + NS_PER_MS);       /* one at the old rate came first */
    assert_int_equal(bucket.credit_mw, 5 * KW);
    assert_int_equal(bucket.most_mw, 32 * KW);
    ramp_bucket_set(&bucket, 100 * KW, 0, NS_PER_S + NS_PER_MS);
    assert_int_equal(bucket.credit_mw, 1600 * INT64_C(1000));
    assert_int_equal(ramp_bucket_wait_ns(&bucket, 1600 * INT64_C(1000)), 0);
    assert_int_equal(ramp_bucket_wait_ns(&bucket, KW), 0);
    bucket.credit_mw = -KW;
    assert_int_equal(ramp_bucket_wait_ns(&bucket, KW), 20 * NS_PER_MS + 1);
    assert_int_equal(ramp_bucket_wait_ns(&bucket, 500 * KW), 26 * NS_PER_MS + 1);   /* full is enough */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_holds_sixteen_milliseconds_of_its_rate),
        cmocka_unit_test(a_bucket_fills_the_same_in_any_steps),
        cmocka_unit_test(raises_of_a_whole_site_follow_its_ramp),
        cmocka_unit_test(voluntary_cuts_follow_the_ramp_down),
        cmocka_unit_test(a_cut_that_protects_is_not_delayed_and_its_debt_is_worked_off),
        cmocka_unit_test(an_order_sets_a_ramp_and_gives_the_old_one_back),
        cmocka_unit_test(a_ramp_by_contract_counts_until_it_is_lifted),
        cmocka_unit_test(up_to_fail_safe_no_ramp_holds_a_cap),
        cmocka_unit_test(a_slow_ramp_still_moves_by_quanta),
        cmocka_unit_test(a_bucket_holds_what_flows_in_between_two_ticks),
        cmocka_unit_test(a_change_waits_for_the_bucket_that_holds_least),
        cmocka_unit_test(what_was_taken_is_gone),
        cmocka_unit_test(no_bucket_is_too_small_for_one_quantum),
        cmocka_unit_test(a_change_of_rate_gives_nothing_away),
        cmocka_unit_test(nodes_that_are_limited_are_counted_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
