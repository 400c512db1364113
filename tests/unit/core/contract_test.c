/* SPDX-License-Identifier: Apache-2.0 */
/* Contract limits through the whole pipeline: what steers, how fast, what a breach is, and what may not be
 * asked. On the stand a watt puts a volt-ampere on each of three phases, so three times what flows is told
 * here as load of a node where its meter reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "stand.h"

static enum order_refusal cap(struct stand *stand, uint32_t node, int64_t value_mw)
{
    return stand_order(stand, (struct slot_order){.kind = ORDER_CAP, .node = node, .contract = 1 + node,
                                            .value_mw = value_mw});
}

/* All four hosts want everything and hold it: 7 kW each by the limits of the branches. */
static void fill(struct stand *stand)
{
    stand_site(stand);
    stand_start(stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        stand->host[h].draw_mw = CAP_MAX_MW;
        stand->host[h].flags = REPORT_AT_CAP;
    }
    stand_run(stand, 3 * NS_PER_S);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        assert_in_range(stand->host[h].last.cap_mw, 6900000, 7000000);
}

static int64_t leased_mw(const struct stand *stand, uint32_t first, uint32_t hosts)
{
    int64_t sum_mw = 0;
    for (uint32_t h = first; h < first + hosts; h++)
        sum_mw += stand->host[h].last.cap_mw;
    return sum_mw;
}

static void a_cap_cuts_every_host_below_in_the_slot_of_the_order(void **state)
{
    (void)state;
    struct stand stand;
    fill(&stand);
    uint64_t leases = stand.leases;
    assert_int_equal(cap(&stand, MAIN, 19600000), ORDER_TAKEN);
    assert_int_equal(stand.leases - leases, STAND_HOSTS);
    assert_in_range(leased_mw(&stand, 0, STAND_HOSTS), 19500000, 19600000);
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        assert_int_equal(stand.host[h].last.why, WHY_ORDER);
        assert_false(stand.host[h].last.flags & LEASE_EMERGENCY);
        assert_in_range(stand.host[h].last.cap_mw, 4800000, 4910000);
    }
    assert_int_equal(stand_counters(&stand)->trims, 1);
    assert_int_equal(stand_counters(&stand)->emergencies, 0);
    stand_stop(&stand);
}

static void a_cap_leaves_the_other_branch_alone(void **state)
{
    (void)state;
    struct stand stand;
    fill(&stand);
    int64_t other_mw = leased_mw(&stand, 2, 2);
    assert_int_equal(cap(&stand, BRANCH_A, 6000000), ORDER_TAKEN);
    assert_int_equal(stand.outbox.count, 2);
    assert_in_range(leased_mw(&stand, 0, 2), 5950000, 6000000);
    assert_int_equal(leased_mw(&stand, 2, 2), other_mw);
    stand_stop(&stand);
}

/* It stays so: neither reports nor arbitration give it back, and the whole of it is used. */
static void a_cap_holds_until_it_is_lifted(void **state)
{
    (void)state;
    struct stand stand;
    fill(&stand);
    cap(&stand, MAIN, 19600000);
    int64_t end_ns = stand.t_ns + 10 * NS_PER_S;
    while (stand.t_ns < end_ns) {
        stand_run(&stand, 20 * NS_PER_MS);
        assert_in_range(leased_mw(&stand, 0, STAND_HOSTS), 19300000, 19600000);
    }
    assert_int_equal(stand_order(&stand, (struct slot_order){.kind = ORDER_LIFT, .contract = 1 + MAIN}),
                     ORDER_TAKEN);
    stand_run(&stand, 3 * NS_PER_S);
    assert_in_range(leased_mw(&stand, 0, STAND_HOSTS), 27600000, 28000000);
    stand_stop(&stand);
}

/* Watts go to who wants them under a cap too, cut first and confirmed: the sum of what may be drawn, older
 * leases included, never passes it. */
static void under_a_cap_watts_move_and_never_pass_it(void **state)
{
    (void)state;
    struct stand stand;
    fill(&stand);
    cap(&stand, MAIN, 19600000);
    stand_run(&stand, NS_PER_S);
    stand.host[0].draw_mw = 1500000;
    stand.host[0].flags = 0;
    for (int i = 0; i < 200; i++) {
        stand_run(&stand, 20 * NS_PER_MS);
        assert_true(stand.core->contracts.drawn_mw[MAIN] <= 19600000);
    }
    assert_in_range(stand.host[0].last.cap_mw, 1500000, 2000000);
    assert_in_range(stand.host[1].last.cap_mw, 5700000, 5900000);   /* a third of the rest */
    stand_stop(&stand);
}

/* Fail-safe is 2 kW: a cap below four times that reaches for the floors, and no further. */
static void a_cap_below_fail_safe_goes_down_to_floors_and_no_further(void **state)
{
    (void)state;
    struct stand stand;
    fill(&stand);
    cap(&stand, MAIN, 6000000);
    assert_in_range(leased_mw(&stand, 0, STAND_HOSTS), 5900000, 6000000);
    for (int i = 0; i < 100; i++) {
        stand_run(&stand, 20 * NS_PER_MS);
        assert_in_range(leased_mw(&stand, 0, STAND_HOSTS), 4 * FLOOR_MW, 6000000);
    }
    assert_in_range(leased_mw(&stand, 0, STAND_HOSTS), 5800000, 6000000);
    cap(&stand, MAIN, 2000000);
    stand_run(&stand, NS_PER_S);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        assert_int_equal(stand.host[h].last.cap_mw, FLOOR_MW);
    stand_stop(&stand);
}

static void the_least_of_several_contracts_at_a_node_holds(void **state)
{
    (void)state;
    struct stand stand;
    fill(&stand);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(stand_order(&stand, (struct slot_order){.kind = ORDER_CAP,
                                                           .node = MAIN,
                                                           .contract = 10 + i,
                                                           .value_mw = 12000000 + 4000000 * (i ^ 1)}),
                         ORDER_TAKEN);
    stand_run(&stand, NS_PER_S);
    assert_in_range(leased_mw(&stand, 0, STAND_HOSTS), 11800000, 12000000);
    stand_order(&stand, (struct slot_order){.kind = ORDER_LIFT, .contract = 11});
    stand_run(&stand, NS_PER_S);
    assert_in_range(leased_mw(&stand, 0, STAND_HOSTS), 15800000, 16000000);
    stand_stop(&stand);
}

static void a_contract_ends_by_itself(void **state)
{
    (void)state;
    struct stand stand;
    fill(&stand);
    stand_order(&stand, (struct slot_order){.kind = ORDER_CAP, .node = MAIN, .value_mw = 12000000,
                                      .within_ns = NS_PER_S, .for_ns = 2 * NS_PER_S});
    stand_run(&stand, 2900 * NS_PER_MS);
    assert_true(leased_mw(&stand, 0, STAND_HOSTS) <= 12000000);
    assert_int_equal(stand.core->contracts.count, 1);
    stand_run(&stand, 1100 * NS_PER_MS);
    assert_int_equal(stand.core->contracts.count, 0);
    assert_true(leased_mw(&stand, 0, STAND_HOSTS) > 12000000);
    stand_stop(&stand);
}

/* ---- breach ---- */

/* The meter of the main for a window and what goes before it. */
static void measure(struct stand *stand, int64_t phase_mw)
{
    for (int i = 0; i < 50; i++) {
        stand_wait(stand, 16 * NS_PER_MS);
        stand_reading(stand, MAIN, phase_mw);
    }
}

static void a_load_above_it_is_a_breach_once_its_time_has_come(void **state)
{
    (void)state;
    struct stand stand;
    struct core_contract_view view;
    fill(&stand);
    stand_order(&stand, (struct slot_order){.kind = ORDER_CAP, .node = MAIN, .value_mw = 30000000,
                                      .within_ns = NS_PER_S});
    measure(&stand, 11000000);      /* 33 kW over three phases */
    assert_int_equal(stand_counters(&stand)->breaches, 0);
    stand_wait(&stand, NS_PER_S);
    measure(&stand, 10000000);      /* at it is not above it */
    measure(&stand, 10000000);
    assert_int_equal(stand_counters(&stand)->breaches, 0);
    stand_reading(&stand, MAIN, 11000000);      /* one reading is no mean */
    assert_int_equal(stand_counters(&stand)->breaches, 0);
    measure(&stand, 10000001);
    measure(&stand, 11000000);
    assert_int_equal(stand_counters(&stand)->breaches, 1);
    core_contract_view(stand.core, 0, &view);
    assert_true(view.due && view.breached);
    assert_int_equal(view.breaches, 1);
    measure(&stand, 9000000);
    core_contract_view(stand.core, 0, &view);
    assert_false(view.breached);
    stand_stop(&stand);
}

/* "a breach is reported, not forbidden by proof" */
static void a_breach_is_no_emergency_and_moves_no_limit(void **state)
{
    (void)state;
    struct stand stand;
    struct core_node_view before, after;
    fill(&stand);
    core_node_view(stand.core, MAIN, &before);
    cap(&stand, MAIN, 9000000);
    measure(&stand, 9000000);
    core_node_view(stand.core, MAIN, &after);
    assert_int_equal(stand_counters(&stand)->breaches, 1);
    assert_int_equal(stand_counters(&stand)->emergencies, 0);
    assert_false(after.emergency);
    assert_memory_equal(before.limit_mva, after.limit_mva, sizeof before.limit_mva);
    stand_stop(&stand);
}

/* What no cap governs and no figure tells: the meter shows it, and hosts make room. */
static void what_the_meter_shows_above_it_is_taken_from_hosts(void **state)
{
    (void)state;
    struct stand stand;
    fill(&stand);
    cap(&stand, MAIN, 18000000);
    stand_run(&stand, NS_PER_S);
    int64_t unknown_mw = 3000000;
    for (int i = 0; i < 200; i++) {
        stand_run(&stand, 20 * NS_PER_MS);
        stand_reading(&stand, MAIN, (leased_mw(&stand, 0, STAND_HOSTS) + unknown_mw) / 3);
    }
    assert_in_range(leased_mw(&stand, 0, STAND_HOSTS) + unknown_mw, 17500000, 18000000);
    unknown_mw = 0;
    for (int i = 0; i < 1500; i++) {
        stand_run(&stand, 20 * NS_PER_MS);
        stand_reading(&stand, MAIN, (leased_mw(&stand, 0, STAND_HOSTS) + unknown_mw) / 3);
    }
    assert_in_range(leased_mw(&stand, 0, STAND_HOSTS), 17400000, 18000000);
    stand_stop(&stand);
}

/* other(n) of the model is load too. */
static void what_the_model_says_of_other_load_comes_off_the_cap(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    for (uint32_t p = 0; p < PHASES; p++)
        stand.node[MAIN].other_mva[p] = 1000000;
    stand_start(&stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        stand_admit(&stand, h);
        stand.host[h].draw_mw = CAP_MAX_MW;
        stand.host[h].flags = REPORT_AT_CAP;
    }
    cap(&stand, MAIN, 19000000);
    stand_run(&stand, 2 * NS_PER_S);
    assert_in_range(leased_mw(&stand, 0, STAND_HOSTS), 15700000, 16000000);
    stand_stop(&stand);
}

/* A host that has fallen silent keeps its lease: the others make room. */
static void others_make_room_for_a_silent_host(void **state)
{
    (void)state;
    struct stand stand;
    fill(&stand);
    stand.host[0].mute = true;
    int64_t silent_mw = stand.host[0].last.cap_mw;
    stand_run(&stand, 1500 * NS_PER_MS);
    cap(&stand, MAIN, 16000000);
    assert_int_equal(stand.host[0].last.cap_mw, silent_mw);
    assert_in_range(leased_mw(&stand, 0, STAND_HOSTS), 15900000, 16000000);
    stand_stop(&stand);
}

/* Each host has a cord on either branch: a cap of one branch counts what flows there, not the whole. */
static void a_cap_of_one_feed_counts_what_flows_through_it(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        struct model_host *host = &stand.host_model[h];
        host->cord_count = 2;
        host->cord[1] = host->cord[0];
        host->cord[1].node = host->cord[0].node == BRANCH_A ? BRANCH_B : BRANCH_A;
        host->cord[0].share_ppm[0] = host->cord[1].share_ppm[0] = 550000;
    }
    stand_start(&stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        stand_admit(&stand, h);
        stand.host[h].draw_mw = CAP_MAX_MW;
        stand.host[h].flags = REPORT_AT_CAP;
    }
    stand_run(&stand, 2 * NS_PER_S);
    assert_true(leased_mw(&stand, 0, STAND_HOSTS) > 22000000);
    cap(&stand, BRANCH_A, 8000000);
    stand_run(&stand, 3 * NS_PER_S);
    assert_in_range(leased_mw(&stand, 0, STAND_HOSTS), 14500000, 16000000);
    stand_stop(&stand);
}

/* A host that is idle and expected to want 6 kW in a second has the room then, beside neighbours who want
 * everything. */
static void a_forecast_makes_room_in_time(void **state)
{
    (void)state;
    struct stand stand;
    fill(&stand);
    stand.host[0].draw_mw = 500000;
    stand.host[0].flags = 0;
    stand_run(&stand, 2 * NS_PER_S);
    assert_in_range(stand.host[0].last.cap_mw, 3900000, 4100000);   /* what nobody else can use */
    assert_int_equal(stand_order(&stand, (struct slot_order){.kind = ORDER_FORECAST, .value_mw = 6000000,
                                                       .within_ns = NS_PER_S, .for_ns = 3 * NS_PER_S}),
                     ORDER_TAKEN);
    stand_run(&stand, 900 * NS_PER_MS);
    assert_in_range(stand.host[0].last.cap_mw, 3900000, 4100000);   /* what nobody else can use */
    stand_run(&stand, NS_PER_S);
    assert_in_range(stand.host[0].last.cap_mw, 5900000, 7000000);
    stand_run(&stand, 4 * NS_PER_S);
    assert_in_range(stand.host[0].last.cap_mw, 3900000, 4100000);   /* what nobody else can use */
    stand_stop(&stand);
}

/* ---- what may not be asked ---- */

static void every_refusal_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        struct slot_order order;
        enum order_refusal refusal;
    } row[] = {
        {{.kind = ORDER_NOTHING}, ORDER_REFUSED_KIND},
        {{.kind = ORDER_KIND_COUNT}, ORDER_REFUSED_KIND},
        {{.kind = ORDER_CAP, .node = STAND_NODES, .value_mw = 1}, ORDER_REFUSED_NODE},
        {{.kind = ORDER_CAP, .node = INDEX_NONE, .value_mw = 1}, ORDER_REFUSED_NODE},
        {{.kind = ORDER_CAP, .node = MAIN, .value_mw = 0}, ORDER_REFUSED_VALUE},
        {{.kind = ORDER_CAP, .node = MAIN, .value_mw = -1}, ORDER_REFUSED_VALUE},
        {{.kind = ORDER_CAP, .node = MAIN, .value_mw = INT64_MAX}, ORDER_REFUSED_VALUE},
        {{.kind = ORDER_CAP, .node = MAIN, .value_mw = 1, .within_ns = -1}, ORDER_REFUSED_VALUE},
        {{.kind = ORDER_CAP, .node = MAIN, .value_mw = 1, .for_ns = INT64_MAX}, ORDER_REFUSED_VALUE},
        {{.kind = ORDER_RAMP, .node = MAIN}, ORDER_REFUSED_VALUE},
        {{.kind = ORDER_RAMP, .node = MAIN, .value_mw = 1, .down_mw_per_s = -1}, ORDER_REFUSED_VALUE},
        {{.kind = ORDER_RAMP, .node = MAIN, .value_mw = 2000001, .down_mw_per_s = 1}, ORDER_REFUSED_LOOSENS},
        {{.kind = ORDER_RAMP, .node = MAIN, .down_mw_per_s = 1}, ORDER_REFUSED_LOOSENS},
        {{.kind = ORDER_LIFT, .contract = 5}, ORDER_REFUSED_VALUE},
        {{.kind = ORDER_FORECAST, .node = STAND_HOSTS, .value_mw = 5000000, .for_ns = 1}, ORDER_REFUSED_NODE},
        {{.kind = ORDER_FORECAST, .value_mw = PHYS_MAX_MW + 1, .for_ns = 1}, ORDER_REFUSED_VALUE},
        {{.kind = ORDER_FORECAST, .value_mw = -1, .for_ns = 1}, ORDER_REFUSED_VALUE},
        {{.kind = ORDER_FORECAST, .value_mw = 5000000}, ORDER_REFUSED_VALUE},
        {{.kind = ORDER_MODE, .mode = MODE_ENFORCE}, ORDER_REFUSED_LOOSENS},
        {{.kind = ORDER_MODE, .mode = MODE_ENFORCE + 1}, ORDER_REFUSED_VALUE},
    };
    struct stand stand;
    stand_site(&stand);
    stand.model.mode = MODE_ADVISE;
    stand.node[MAIN].ramp_up_mw_per_s = 2000000;
    stand_start(&stand);
    for (uint32_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        assert_int_equal(stand_order(&stand, row[i].order), row[i].refusal);
        assert_int_equal(stand.core->contracts.count, 0);
        assert_int_equal(stand.core->mode, MODE_ADVISE);
        assert_int_equal(stand_counters(&stand)->orders_refused, i + 1);
    }
    assert_int_equal(stand_counters(&stand)->orders, 0);
    stand_stop(&stand);
}

static void a_number_is_used_once(void **state)
{
    (void)state;
    struct stand stand;
    fill(&stand);
    struct slot_order first = {.kind = ORDER_CAP, .number = 7, .contract = 1, .value_mw = 20000000};
    assert_int_equal(stand_order(&stand, first), ORDER_TAKEN);
    assert_int_equal(stand_order(&stand, first), ORDER_REFUSED_NUMBER);
    assert_int_equal(stand.core->contracts.count, 1);
    first.number = 6;
    first.contract = 2;
    assert_int_equal(stand_order(&stand, first), ORDER_REFUSED_NUMBER);
    assert_int_equal(stand.core->contracts.count, 1);
    first.number = 8;
    first.node = STAND_NODES;
    assert_int_equal(stand_order(&stand, first), ORDER_REFUSED_NODE);
    assert_int_equal(stand_order(&stand, first), ORDER_REFUSED_NUMBER);
    stand_stop(&stand);
}

static void no_more_contracts_than_there_are_places(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand_start(&stand);
    for (uint32_t i = 0; i < CONTRACTS_MAX; i++)
        assert_int_equal(
            stand_order(&stand, (struct slot_order){.kind = ORDER_RAMP, .contract = i, .value_mw = 1}),
            ORDER_TAKEN);
    struct slot_order more = {.kind = ORDER_CAP, .contract = CONTRACTS_MAX, .value_mw = 1000};
    assert_int_equal(stand_order(&stand, more), ORDER_REFUSED_FULL);
    more.contract = 0;      /* its own place */
    assert_int_equal(stand_order(&stand, more), ORDER_TAKEN);
    assert_int_equal(stand.core->contracts.count, CONTRACTS_MAX);
    stand_stop(&stand);
}

static void the_tightest_ramp_holds(void **state)
{
    (void)state;
    struct stand stand;
    int64_t up_mw_per_s, down_mw_per_s;
    stand_site(&stand);
    stand.node[MAIN].ramp_up_mw_per_s = 5000;
    stand_start(&stand);
    stand_order(&stand, (struct slot_order){.kind = ORDER_RAMP, .contract = 1, .value_mw = 4000});
    stand_order(&stand,
          (struct slot_order){.kind = ORDER_RAMP, .contract = 2, .value_mw = 5000, .down_mw_per_s = 70});
    contract_ramp(&stand.core->contracts, MAIN, &up_mw_per_s, &down_mw_per_s);
    assert_int_equal(up_mw_per_s, 4000);
    assert_int_equal(down_mw_per_s, 70);
    contract_ramp(&stand.core->contracts, BRANCH_A, &up_mw_per_s, &down_mw_per_s);
    assert_int_equal(up_mw_per_s + down_mw_per_s, 0);
    stand_stop(&stand);
}

/* The slot of the reading that shows it: nobody waits for a report or a tick. */
static void what_the_meter_shows_above_it_is_cut_in_the_slot_of_the_reading(void **state)
{
    (void)state;
    struct stand stand;
    fill(&stand);
    assert_int_equal(cap(&stand, MAIN, 19600000), ORDER_TAKEN);
    assert_int_equal(stand_counters(&stand)->orders, 1);
    stand_run(&stand, NS_PER_S);
    stand_reading(&stand, MAIN, 7000000);               /* on each phase: 21 kW */
    assert_int_equal(stand.outbox.count, 0);
    stand_wait(&stand, 250 * NS_PER_MS);
    stand_reading(&stand, MAIN, 7000000);
    assert_int_equal(stand.outbox.count, STAND_HOSTS);
    for (uint32_t i = 0; i < STAND_HOSTS; i++)
        assert_int_equal(stand.record[i].why, WHY_ORDER);
    assert_int_equal(stand_counters(&stand)->trims, 2);
    assert_int_equal(stand_counters(&stand)->breaches, 1);
    stand_stop(&stand);
}

/* The largest and the smallest that may be asked, and one beyond. */
static void the_edges_of_what_may_be_asked(void **state)
{
    (void)state;
    static const int64_t most_mw = INT64_C(4000000000000), longest_ns = INT64_C(316224000) * NS_PER_S;
    struct stand stand;
    stand_site(&stand);
    stand_start(&stand);
    struct slot_order order_of = {.kind = ORDER_CAP, .node = MAIN, .contract = 1, .value_mw = 1};
    assert_int_equal(stand_order(&stand, order_of), ORDER_TAKEN);
    order_of.value_mw = most_mw;
    order_of.within_ns = order_of.for_ns = longest_ns;
    assert_int_equal(stand_order(&stand, order_of), ORDER_TAKEN);
    order_of.value_mw = most_mw + 1;
    assert_int_equal(stand_order(&stand, order_of), ORDER_REFUSED_VALUE);
    order_of.value_mw = most_mw;
    order_of.within_ns++;
    assert_int_equal(stand_order(&stand, order_of), ORDER_REFUSED_VALUE);
    order_of.within_ns--;
    order_of.for_ns++;
    assert_int_equal(stand_order(&stand, order_of), ORDER_REFUSED_VALUE);
    struct slot_order ramp_of = {.kind = ORDER_RAMP, .node = MAIN, .contract = 2};
    ramp_of.value_mw = ramp_of.down_mw_per_s = most_mw;
    assert_int_equal(stand_order(&stand, ramp_of), ORDER_TAKEN);
    ramp_of.down_mw_per_s++;
    assert_int_equal(stand_order(&stand, ramp_of), ORDER_REFUSED_VALUE);
    ramp_of.down_mw_per_s = 0;                          /* one of both may be free, not both */
    assert_int_equal(stand_order(&stand, ramp_of), ORDER_TAKEN);
    ramp_of.value_mw = 0;
    assert_int_equal(stand_order(&stand, ramp_of), ORDER_REFUSED_VALUE);
    struct slot_order forecast = {.kind = ORDER_FORECAST, .node = STAND_HOSTS - 1, .for_ns = 1};
    forecast.value_mw = PHYS_MAX_MW;
    assert_int_equal(stand_order(&stand, forecast), ORDER_TAKEN);
    forecast.value_mw = stand.type.base_max_mw;
    assert_int_equal(stand_order(&stand, forecast), ORDER_TAKEN);
    assert_int_equal(stand_order(&stand, (struct slot_order){.kind = ORDER_MODE, .mode = MODE_ADVISE}),
                     ORDER_TAKEN);
    assert_int_equal(stand_order(&stand, (struct slot_order){.kind = ORDER_MODE, .mode = MODE_ENFORCE}),
                     ORDER_TAKEN);
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cap_cuts_every_host_below_in_the_slot_of_the_order),
        cmocka_unit_test(a_cap_leaves_the_other_branch_alone),
        cmocka_unit_test(a_cap_holds_until_it_is_lifted),
        cmocka_unit_test(under_a_cap_watts_move_and_never_pass_it),
        cmocka_unit_test(a_cap_below_fail_safe_goes_down_to_floors_and_no_further),
        cmocka_unit_test(the_least_of_several_contracts_at_a_node_holds),
        cmocka_unit_test(a_contract_ends_by_itself),
        cmocka_unit_test(a_load_above_it_is_a_breach_once_its_time_has_come),
        cmocka_unit_test(a_breach_is_no_emergency_and_moves_no_limit),
        cmocka_unit_test(what_the_meter_shows_above_it_is_taken_from_hosts),
        cmocka_unit_test(what_the_model_says_of_other_load_comes_off_the_cap),
        cmocka_unit_test(others_make_room_for_a_silent_host),
        cmocka_unit_test(a_cap_of_one_feed_counts_what_flows_through_it),
        cmocka_unit_test(a_forecast_makes_room_in_time),
        cmocka_unit_test(every_refusal_changes_nothing),
        cmocka_unit_test(a_number_is_used_once),
        cmocka_unit_test(no_more_contracts_than_there_are_places),
        cmocka_unit_test(the_tightest_ramp_holds),
        cmocka_unit_test(what_the_meter_shows_above_it_is_cut_in_the_slot_of_the_reading),
        cmocka_unit_test(the_edges_of_what_may_be_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
