/* SPDX-License-Identifier: Apache-2.0 */
/* A contract over several nodes: what flows through all of them together. The stand without its main: two
 * feeds of two hosts each, as a site has that is fed twice. A watt is a volt-ampere on each of three phases,
 * so a third of what flows is told as a phase's reading. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "stand.h"

enum { PLACE = STAND_NODES };       /* of the first group */

static struct slot_order both(int64_t value_mw)
{
    return (struct slot_order){.kind = ORDER_CAP, .node = BRANCH_A, .also_count = 1, .also = {BRANCH_B},
                               .contract = 9, .value_mw = value_mw};
}

static void lift(struct stand *stand, uint32_t id)
{
    assert_int_equal(stand_order(stand, (struct slot_order){.kind = ORDER_LIFT, .contract = id}),
                     ORDER_TAKEN);
}

/* Nothing joins the feeds but the hosts' watts. */
static void two_feeds(struct stand *stand)
{
    stand_site(stand);
    stand->node[MAIN].child_count = stand->node[MAIN].host_below = 0;
    for (uint32_t n = BRANCH_A; n <= BRANCH_B; n++) {
        stand->node[n].parent_count = 0;
        stand->node[n].ancestor_count = 1;
    }
}

static void open_all(struct stand *stand)
{
    stand_start(stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        stand->host[h].draw_mw = CAP_MAX_MW;
        stand->host[h].flags = REPORT_AT_CAP;
    }
    stand_run(stand, 3 * NS_PER_S);
}

/* 7 kW each by the limits of the feeds, 28 kW together. */
static void fill(struct stand *stand)
{
    two_feeds(stand);
    open_all(stand);
}

static int64_t leased_mw(const struct stand *stand, uint32_t first, uint32_t hosts)
{
    int64_t sum_mw = 0;
    for (uint32_t h = first; h < first + hosts; h++)
        sum_mw += stand->host[h].last.cap_mw;
    return sum_mw;
}

/* What each feed's meter shows, three phases together. */
static void measure(struct stand *stand, int64_t a_mw, int64_t b_mw, int64_t for_ns)
{
    for (int64_t end_ns = stand->t_ns + for_ns; stand->t_ns < end_ns;) {
        stand_wait(stand, 16 * NS_PER_MS);
        stand_reading(stand, BRANCH_A, a_mw / 3);
        stand_reading(stand, BRANCH_B, b_mw / 3);
    }
}

/* Demand response: 30 % less, in force within a second: 28 kW fall to 19.6 kW over both feeds. Every host is
 * told in the slot of the order, obeys within A = 100 ms, and the meters find no breach. */
static void thirty_percent_less_over_two_roots_within_a_second(void **state)
{
    (void)state;
    struct stand stand;
    struct core_contract_view view;
    fill(&stand);
    int64_t before_mw = leased_mw(&stand, 0, STAND_HOSTS), asked_mw = before_mw / 10 * 7;
    assert_in_range(before_mw, 27900000, 28000000);
    struct slot_order response = both(asked_mw);
    response.within_ns = NS_PER_S;
    uint64_t leases = stand.leases;
    int64_t t0_ns = stand.t_ns;
    assert_int_equal(stand_order(&stand, response), ORDER_TAKEN);
    assert_int_equal(stand.leases - leases, STAND_HOSTS);
    assert_in_range(leased_mw(&stand, 0, STAND_HOSTS), asked_mw * 99 / 100, asked_mw);
    while (stand.t_ns < t0_ns + 10 * NS_PER_S) {
        stand_run(&stand, 20 * NS_PER_MS);
        assert_true(leased_mw(&stand, 0, STAND_HOSTS) <= asked_mw);
        bool late = stand.t_ns > t0_ns + A_NS;
        int64_t a_mw = late ? leased_mw(&stand, 0, 2) : before_mw / 2;
        int64_t b_mw = late ? leased_mw(&stand, 2, 2) : before_mw / 2;
        stand_reading(&stand, BRANCH_A, a_mw / 3);
        stand_reading(&stand, BRANCH_B, b_mw / 3);
    }
    assert_true(leased_mw(&stand, 0, STAND_HOSTS) >= asked_mw * 98 / 100);     /* and all of it is used */
    core_contract_view(stand.core, 0, &view);
    assert_true(view.due && view.metered && !view.breached);
    assert_int_equal(view.nodes, 2);
    assert_in_range(view.load_mw, asked_mw * 97 / 100, asked_mw);
    assert_int_equal(stand_counters(&stand)->breaches, 0);
    lift(&stand, 9);
    stand_run(&stand, 3 * NS_PER_S);
    assert_in_range(leased_mw(&stand, 0, STAND_HOSTS), 27600000, 28000000);
    stand_stop(&stand);
}

/* Half of it on each feed would be 9 kW: idle hosts of one leave theirs to the other. */
static void what_one_feed_leaves_the_other_may_have(void **state)
{
    (void)state;
    struct stand stand;
    fill(&stand);
    stand_order(&stand, both(18000000));
    stand_run(&stand, NS_PER_S);
    assert_in_range(leased_mw(&stand, 0, 2), 8700000, 9000000);
    for (uint32_t h = 0; h < 2; h++) {
        stand.host[h].draw_mw = 1000000;
        stand.host[h].flags = 0;
    }
    for (int i = 0; i < 200; i++) {
        stand_run(&stand, 20 * NS_PER_MS);
        assert_true(stand.core->contracts.drawn_mw[PLACE] <= 18000000);
    }
    assert_in_range(leased_mw(&stand, 2, 2), 13000000, 14000000);
    stand_stop(&stand);
}

/* Arbitration gives out the sum by itself: targets fit, so that nothing waits for the guard to refuse it. */
static void arbitration_shares_one_budget_over_all_roots(void **state)
{
    (void)state;
    struct stand stand;
    fill(&stand);
    stand.host_model[3].weight = 3;
    cluster_note_hosts(&stand.core->cluster);
    stand_order(&stand, both(15000000));
    stand_run(&stand, 3 * NS_PER_S);
    int64_t targets_mw = 0;
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        targets_mw += stand.core->cluster.target_mw[h];
    assert_in_range(targets_mw, 14800000, 15000000);
    assert_in_range(stand.host[3].last.cap_mw, 2 * stand.host[0].last.cap_mw, 7600000);
    assert_int_equal(stand.core->bound[0].term, BOUND_CONTRACT);
    assert_int_equal(stand.core->bound[0].contract, 9);
    assert_int_equal(stand.core->bound[0].node, INDEX_NONE);
    stand_stop(&stand);
}

static void a_breach_is_of_the_sum_and_no_node_s_own(void **state)
{
    (void)state;
    struct stand stand;
    struct core_contract_view view;
    fill(&stand);
    stand_order(&stand, both(20000000));
    stand_run(&stand, NS_PER_S);
    measure(&stand, 15000000, 4000000, 2 * NS_PER_S);
    assert_int_equal(stand_counters(&stand)->breaches, 0);
    measure(&stand, 12000000, 9000000, NS_PER_S);
    assert_int_equal(stand_counters(&stand)->breaches, 1);
    core_contract_view(stand.core, 0, &view);
    assert_true(view.breached);
    measure(&stand, 12000000, 7000000, NS_PER_S);
    core_contract_view(stand.core, 0, &view);
    assert_false(view.breached);
    stand_stop(&stand);
}

/* A silent meter says nothing of the sum, what it showed last neither; the budget by leases holds on. */
static void where_a_meter_is_silent_nothing_is_judged(void **state)
{
    (void)state;
    struct stand stand;
    struct core_contract_view view;
    fill(&stand);
    stand_order(&stand, both(15000000));
    for (int i = 0; i < 100; i++) {
        stand_run(&stand, 20 * NS_PER_MS);
        stand_reading(&stand, BRANCH_A, 7400000 / 3);
        stand_reading(&stand, BRANCH_B, 7400000 / 3);
    }
    core_contract_view(stand.core, 0, &view);
    assert_in_range(view.load_mw, 14799990, 14800000);
    stand_order(&stand, both(14000000));      /* less than what B showed last and A shows */
    for (int i = 0; i < 200; i++) {
        stand_run(&stand, 20 * NS_PER_MS);
        stand_reading(&stand, BRANCH_A, 6900000 / 3);
    }
    core_contract_view(stand.core, 0, &view);
    assert_int_equal(view.load_mw, -1);
    assert_int_equal(stand_counters(&stand)->breaches, 0);
    assert_in_range(leased_mw(&stand, 0, STAND_HOSTS), 13800000, 14000000);
    stand_stop(&stand);
}

/* What no lease governs shows in the sum of the meters, and hosts of both feeds make room. */
static void what_the_meters_show_above_it_is_taken_from_all(void **state)
{
    (void)state;
    struct stand stand;
    fill(&stand);
    stand_order(&stand, both(18000000));
    stand_run(&stand, NS_PER_S);
    for (int i = 0; i < 200; i++) {
        stand_run(&stand, 20 * NS_PER_MS);
        stand_reading(&stand, BRANCH_A, (leased_mw(&stand, 0, 2) + 3000000) / 3);
        stand_reading(&stand, BRANCH_B, leased_mw(&stand, 2, 2) / 3);
    }
    assert_in_range(leased_mw(&stand, 0, STAND_HOSTS) + 3000000, 17500000, 18000000);
    assert_in_range(leased_mw(&stand, 2, 2), 7200000, 7600000);
    stand_stop(&stand);
}

/* A host with a cord on either feed counts once, whole, however its draw is divided. */
static void a_host_of_both_feeds_counts_once(void **state)
{
    (void)state;
    struct stand stand;
    two_feeds(&stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        struct model_host *host = &stand.host_model[h];
        host->cord_count = 2;
        host->cord[1] = host->cord[0];
        host->cord[1].node = host->cord[0].node == BRANCH_A ? BRANCH_B : BRANCH_A;
        host->cord[0].share_ppm[0] = host->cord[1].share_ppm[0] = 550000;
    }
    open_all(&stand);
    assert_true(leased_mw(&stand, 0, STAND_HOSTS) > 22000000);
    stand_order(&stand, both(16000000));
    assert_in_range(leased_mw(&stand, 0, STAND_HOSTS), 15800000, 16000000);
    for (int i = 0; i < 150; i++) {
        stand_run(&stand, 20 * NS_PER_MS);
        assert_in_range(leased_mw(&stand, 0, STAND_HOSTS), 15700000, 16000000);
    }
    stand_stop(&stand);
}

/* Other contracts of the same nodes, in any order of them, share the group: the least binds. */
static void of_two_over_the_same_nodes_the_least_binds(void **state)
{
    (void)state;
    struct stand stand;
    fill(&stand);
    struct slot_order other = both(16000000);
    other.node = BRANCH_B;
    other.also[0] = BRANCH_A;
    other.contract = 10;
    stand_order(&stand, both(20000000));
    assert_int_equal(stand_order(&stand, other), ORDER_TAKEN);
    assert_int_equal(stand.core->contracts.group[0].contracts, 2);
    assert_int_equal(stand.core->contracts.group[1].contracts, 0);
    assert_in_range(leased_mw(&stand, 0, STAND_HOSTS), 15900000, 16000000);
    stand_run(&stand, NS_PER_S);
    assert_int_equal(stand.core->bound[0].contract, 10);
    lift(&stand, 10);
    stand_run(&stand, 2 * NS_PER_S);
    assert_in_range(leased_mw(&stand, 0, STAND_HOSTS), 19700000, 20000000);
    lift(&stand, 9);
    assert_int_equal(stand.core->contracts.group[0].contracts, 0);
    assert_int_equal(stand.core->contracts.within[BRANCH_A], 0);
    stand_run(&stand, 2 * NS_PER_S);
    assert_in_range(leased_mw(&stand, 0, STAND_HOSTS), 27600000, 28000000);
    stand_stop(&stand);
}

/* One of a single node stands beside one of several. */
static void a_node_s_own_contract_holds_within_the_site_s(void **state)
{
    (void)state;
    struct stand stand;
    fill(&stand);
    stand_order(&stand, both(20000000));
    stand_order(&stand, (struct slot_order){.kind = ORDER_CAP, .node = BRANCH_A, .contract = 3,
                                      .value_mw = 6000000});
    stand_run(&stand, 2 * NS_PER_S);
    assert_in_range(leased_mw(&stand, 0, 2), 5900000, 6000000);
    assert_in_range(leased_mw(&stand, 2, 2), 13700000, 14000000);
    assert_int_equal(stand.core->bound[0].contract, 3);
    assert_int_equal(stand.core->bound[0].node, BRANCH_A);
    stand_stop(&stand);
}

static void a_group_that_comes_in_the_middle_of_a_tick_is_shared_by_the_next(void **state)
{
    (void)state;
    struct stand stand;
    struct slot slot;
    fill(&stand);
    memset(&slot, 0, sizeof slot);
    slot.kind = SLOT_TICK;
    stand_step(&stand, &slot);
    cluster_begin(&stand.core->cluster);        /* an arbitration is open */
    assert_true(pipeline_tick_open(stand.core));
    stand_order(&stand, both(18000000));
    lift(&stand, 9);
    struct slot_order one = both(17000000);
    one.contract = 11;
    stand_order(&stand, one);
    stand_run(&stand, NS_PER_S);
    assert_in_range(leased_mw(&stand, 0, STAND_HOSTS), 16800000, 17000000);
    stand_stop(&stand);
}

static void what_cannot_be_bound_together_is_refused(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand_start(&stand);
    struct slot_order bad = both(18000000);
    bad.node = MAIN;            /* lies above the other */
    assert_int_equal(stand_order(&stand, bad), ORDER_REFUSED_NODE);
    bad = both(18000000);
    bad.also[0] = BRANCH_A;     /* twice */
    assert_int_equal(stand_order(&stand, bad), ORDER_REFUSED_NODE);
    bad.also[0] = STAND_NODES;
    assert_int_equal(stand_order(&stand, bad), ORDER_REFUSED_NODE);
    bad.also_count = ORDER_NODES_MAX;
    assert_int_equal(stand_order(&stand, bad), ORDER_REFUSED_NODE);
    bad = both(1000);
    bad.kind = ORDER_RAMP;
    assert_int_equal(stand_order(&stand, bad), ORDER_REFUSED_NODE);
    assert_int_equal(stand.core->contracts.count, 0);
    for (uint32_t g = 0; g < CONTRACT_GROUPS_MAX; g++)
        assert_int_equal(stand.core->contracts.group[g].contracts, 0);
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thirty_percent_less_over_two_roots_within_a_second),
        cmocka_unit_test(what_one_feed_leaves_the_other_may_have),
        cmocka_unit_test(arbitration_shares_one_budget_over_all_roots),
        cmocka_unit_test(a_breach_is_of_the_sum_and_no_node_s_own),
        cmocka_unit_test(where_a_meter_is_silent_nothing_is_judged),
        cmocka_unit_test(what_the_meters_show_above_it_is_taken_from_all),
        cmocka_unit_test(a_host_of_both_feeds_counts_once),
        cmocka_unit_test(of_two_over_the_same_nodes_the_least_binds),
        cmocka_unit_test(a_node_s_own_contract_holds_within_the_site_s),
        cmocka_unit_test(a_group_that_comes_in_the_middle_of_a_tick_is_shared_by_the_next),
        cmocka_unit_test(what_cannot_be_bound_together_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
