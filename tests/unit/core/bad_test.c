/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bad(n) where a host says that it may draw more than its type's physical maximum of 12 kW (safety.md section
 * 4): k hosts of the largest are covered, whatever the file says. On all phases 1 W is 1 VA. k is 1 at MAIN
 * and 2 at RIGHT; RACK and LEFT have none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "core/sums.h"
#include "hall.h"
#include "stand.h"

#define TYPE_MW (12 * HALL_KW)

struct bench {
    struct hall hall;
    struct ledger_sums before[HALL_NODES];
};

static void start(struct bench *b)
{
    memset(b, 0, sizeof *b);
    hall_build(&b->hall);
    b->hall.model.contingency_count = 2;
    b->hall.node[HALL_MAIN].k = 1;
    b->hall.node[HALL_RIGHT].k = 2;
    hall_open(&b->hall);
    memcpy(b->before, b->hall.sums, sizeof b->before);
}

static uint32_t tell(struct bench *b, uint32_t host, int64_t phys_max_mw, bool anew)
{
    struct ledger_host *account = &b->hall.account[host];
    uint32_t retired;
    struct report report = {
        .host = host, .incarnation = account->incarnation + anew, .epoch = 7, .number = account->report + 1,
        .applied = account->sequence, .held_ns = b->hall.type.actuation_ns, .cap_mw = 2 * HALL_KW,
        .readback_mw = 2 * HALL_KW, .fail_safe_mw = 2 * HALL_KW, .phys_max_mw = phys_max_mw,
        .state = HOST_LEASED,
    };
    return ledger_report(&b->hall.ledger, &report, HALL_T_NS, &retired);
}

/* Every sum of a node is that much above what it was, in every cell. */
static void stands_above(const struct bench *b, uint32_t node, int64_t mva)
{
    const struct ledger_sums *now = &b->hall.sums[node], *then = &b->before[node];
    for (uint32_t i = 0; i < 2 * PHASES; i++) {
        uint32_t c = i / PHASES, p = i % PHASES;
        assert_int_equal(now->exposed_mva[c][p] - then->exposed_mva[c][p], mva);
        assert_int_equal(now->newest_mva[c][p] - then->newest_mva[c][p], mva);
        assert_int_equal(now->safe_mva[c][p] - then->safe_mva[c][p], mva);
        assert_int_equal(now->ungoverned_mva[c][p] - then->ungoverned_mva[c][p], mva);
        assert_int_equal(sums_standing_mva(&b->hall.ledger, node, c, p), mva);
    }
}

static void k_hosts_of_the_largest_excess_are_covered_above_it(void **state)
{
    (void)state;
    struct bench b;
    start(&b);
    assert_int_equal(tell(&b, 3, TYPE_MW, false) & LEDGER_PHYS_MAX, 0);
    stands_above(&b, HALL_MAIN, 0);
    assert_true(tell(&b, 3, TYPE_MW + 3 * HALL_KW, false) & LEDGER_PHYS_MAX);
    stands_above(&b, HALL_MAIN, 3 * HALL_KW);
    stands_above(&b, HALL_RIGHT, 6 * HALL_KW);
    stands_above(&b, HALL_RACK, 0);             /* k = 0 */
    stands_above(&b, HALL_LEFT, 0);
    assert_true(b.hall.sums[HALL_MAIN].highest_mva[0] >= b.hall.sums[HALL_MAIN].exposed_mva[0][0]);
    tell(&b, 4, TYPE_MW + 1 * HALL_KW, false);  /* less than the largest */
    stands_above(&b, HALL_RIGHT, 6 * HALL_KW);
    tell(&b, 2, TYPE_MW + 4 * HALL_KW, false);
    stands_above(&b, HALL_RIGHT, 8 * HALL_KW);
    stands_above(&b, HALL_MAIN, 4 * HALL_KW);
}

/* A report of a terawatt costs what the supplies can draw, no more; one below that is taken as it is. */
static void what_power_supplies_cannot_draw_is_not_believed(void **state)
{
    (void)state;
    struct bench b;
    start(&b);
    b.hall.type.input_max_mw = TYPE_MW + 2 * HALL_KW;
    assert_true(tell(&b, 3, TYPE_MW + HALL_KW, false) & LEDGER_PHYS_MAX);
    stands_above(&b, HALL_MAIN, HALL_KW);
    assert_true(tell(&b, 3, INT64_C(1000000000000), false) & LEDGER_PHYS_MAX);
    stands_above(&b, HALL_MAIN, 2 * HALL_KW);
    stands_above(&b, HALL_RIGHT, 4 * HALL_KW);
    assert_int_equal(b.hall.account[3].phys_max_mw, b.hall.type.input_max_mw);
    struct slot_account from = {
        .host = 4, .incarnation = 9, .epoch = 6, .phys_max_mw = TYPE_MW + 9 * HALL_KW};
    ledger_take_over(&b.hall.ledger, &from, HALL_T_NS);
    assert_int_equal(b.hall.account[4].phys_max_mw, b.hall.type.input_max_mw);
}

/* Two cords of 0.6 on one phase each, power factor 0.8: 4 kW are 3 kVA on a phase through either. */
static void an_excess_counts_with_all_cords_on_the_worst_phase(void **state)
{
    (void)state;
    struct bench b;
    start(&b);
    b.hall.type.pf_min_ppm = 800000;
    b.hall.host[2].cord_count = 2;
    b.hall.host[2].cord[0] = (struct model_cord){
        .node = HALL_RIGHT, .phase_ppm = {1000000, 0, 0}, .share_ppm = {600000, 600000}};
    b.hall.host[2].cord[1] = (struct model_cord){
        .node = HALL_LEFT, .phase_ppm = {1000000, 0, 0}, .share_ppm = {600000, 0}};
    b.hall.account[2].phys_max_mw = TYPE_MW + 4 * HALL_KW;
    sums_raise_bad(&b.hall.ledger, 2);
    stands_above(&b, HALL_MAIN, 6 * HALL_KW);
    stands_above(&b, HALL_RIGHT, 12 * HALL_KW);
}

/* As many cords as a host may have and as many nodes above each as a node may have, and no more of either. */
static void an_excess_reaches_all_above_every_cord_and_nothing_else(void **state)
{
    (void)state;
    struct bench b;
    start(&b);
    struct model_node *rack = &b.hall.node[HALL_RACK];
    while (rack->ancestor_count < ANCESTORS_MAX)
        rack->ancestor[rack->ancestor_count++] = HALL_RIGHT;
    b.hall.host[2].cord_count = CORDS_MAX;
    for (uint32_t j = 0; j < CORDS_MAX; j++)
        b.hall.host[2].cord[j] = (struct model_cord){
            .node = HALL_RACK, .phase_ppm = {1000000, 0, 0}, .share_ppm = {250000, 250000}};
    b.hall.account[2].phys_max_mw = TYPE_MW + 4 * HALL_KW;
    sums_raise_bad(&b.hall.ledger, 2);
    stands_above(&b, HALL_MAIN, 4 * HALL_KW);
    stands_above(&b, HALL_RIGHT, 8 * HALL_KW);
    stands_above(&b, HALL_LEFT, 0);
}

static void round_of(struct bench *b)
{
    for (uint32_t i = 0; i < (HALL_HOSTS + HALL_NODES); i++)
        sums_lower_bad(&b->hall.ledger, 1);
}

/* Its own figure falls at once with its new incarnation; bad(n) once all others have been looked at. */
static void a_restart_with_a_lower_figure_lowers_it_within_two_rounds(void **state)
{
    (void)state;
    struct bench b;
    start(&b);
    tell(&b, 3, TYPE_MW + 5 * HALL_KW, false);
    tell(&b, 4, TYPE_MW + 2 * HALL_KW, false);
    round_of(&b);
    round_of(&b);
    stands_above(&b, HALL_MAIN, 5 * HALL_KW);   /* both still say so */
    memcpy(b.before, b.hall.sums, sizeof b.before);
    tell(&b, 3, TYPE_MW, true);
    assert_int_equal(b.hall.sums[HALL_MAIN].raised_mva[0], 5 * HALL_KW);
    round_of(&b);
    round_of(&b);
    assert_int_equal(b.hall.sums[HALL_MAIN].raised_mva[0], 2 * HALL_KW);
    assert_int_equal(b.hall.sums[HALL_RIGHT].raised_mva[2], 4 * HALL_KW);
    assert_int_equal(b.hall.sums[HALL_RIGHT].ungoverned_mva[1][2],
                     b.before[HALL_RIGHT].ungoverned_mva[1][2] - 6 * HALL_KW);
    tell(&b, 4, TYPE_MW, true);
    round_of(&b);
    round_of(&b);
    assert_int_equal(b.hall.sums[HALL_MAIN].raised_mva[0], 0);
    assert_int_equal(b.hall.ledger.bad.raised, 0);
}

/* Wherever the round stands when a host raises its figure, what it says counts on. */
static void a_figure_raised_in_a_round_outlives_it(void **state)
{
    (void)state;
    for (uint32_t at = 0; at < HALL_HOSTS + HALL_NODES; at++) {
        struct bench b;
        start(&b);
        tell(&b, 0, TYPE_MW + 1 * HALL_KW, false);
        for (uint32_t i = 0; i < at; i++)
            sums_lower_bad(&b.hall.ledger, 1);
        tell(&b, 2, TYPE_MW + 2 * HALL_KW, false);
        for (uint32_t i = 0; i < 3 * (HALL_HOSTS + HALL_NODES); i++) {
            sums_lower_bad(&b.hall.ledger, 1);
            assert_int_equal(b.hall.sums[HALL_MAIN].raised_mva[1], 2 * HALL_KW);
            assert_int_equal(b.hall.sums[HALL_RIGHT].raised_mva[1], 4 * HALL_KW);
        }
    }
}

static void a_figure_taken_over_counts_too(void **state)
{
    (void)state;
    struct bench b;
    start(&b);
    struct slot_account from = {.host = 4, .incarnation = 9, .epoch = 6, .sequence = 1, .report = 1,
                                .newest_mw = 2 * HALL_KW, .exposed_mw = 2 * HALL_KW,
                                .fail_safe_mw = 2 * HALL_KW, .phys_max_mw = TYPE_MW + HALL_KW};
    ledger_take_over(&b.hall.ledger, &from, HALL_T_NS);
    stands_above(&b, HALL_RIGHT, 2 * HALL_KW);
}

static void arbitration_leaves_room_for_it(void **state)
{
    (void)state;
    struct bench b;
    start(&b);
    hall_arbitrate(&b.hall, 100);
    int64_t before_mva = hall_capacity(&b.hall, HALL_RIGHT, 1, 2);
    tell(&b, 3, TYPE_MW + 3 * HALL_KW, false);
    hall_arbitrate(&b.hall, 100);
    assert_int_equal(hall_capacity(&b.hall, HALL_RIGHT, 1, 2), before_mva - 6 * HALL_KW);
}

/* ---- through the pipeline: branch A carries 14 kVA, k = 1 ---- */

static void open_stand(struct stand *stand)
{
    stand_site(stand);
    stand->node[BRANCH_A].k = 1;
    stand_start(stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
}

/* 6 + 7 kW stand; 2 kVA more of bad leave 12 of them. The one that says so keeps its own lease's draw. */
static void others_make_room_in_the_slot_of_the_report(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    ledger_enter(&stand.core->ledger, 0, 6 * HALL_KW);
    ledger_enter(&stand.core->ledger, 1, 7 * HALL_KW);
    struct report report = stand_report_of(&stand, 0, HOST_LEASED, A_NS);
    report.applied = stand.core->ledger.host[0].sequence;
    report.cap_mw = report.readback_mw = 6 * HALL_KW;
    report.phys_max_mw = PHYS_MAX_MW + 2 * HALL_KW;
    uint64_t recoveries = stand_counters(&stand)->recoveries_told;
    stand_report(&stand, &report);
    assert_int_equal(stand_counters(&stand)->phys_max_above, 1);
    assert_int_equal(stand_counters(&stand)->recoveries_told, recoveries + 1);
    assert_int_equal(stand_counters(&stand)->invariant_failures, 0);
    assert_true(stand.core->ledger.host[1].newest_mw < 7 * HALL_KW);
    assert_true(stand.core->ledger.node[BRANCH_A].newest_mva[0][0] <= BRANCH_MVA);
    stand_stop(&stand);
}

/* Nothing is drawn: 9 of 14 kVA may be granted, but not where 6 more are kept. */
static void grants_leave_room_for_it(void **state)
{
    (void)state;
    for (int64_t excess = 0; excess < 2; excess++) {
        struct stand stand;
        struct slot slot;
        open_stand(&stand);
        struct report report = stand_report_of(&stand, 1, HOST_LEASED, A_NS);
        report.phys_max_mw = PHYS_MAX_MW + excess * 6 * HALL_KW;
        stand_report(&stand, &report);
        memset(&slot, 0, sizeof slot);
        slot.kind = SLOT_TOKEN;
        slot.token = (struct token_request){
            .host = 0, .request = 1, .amount_mw = 9 * HALL_KW, .duration_ns = NS_PER_S};
        stand_step(&stand, &slot);
        assert_int_equal(stand.outbox.count, 1);
        assert_int_equal(stand.record[0].why, excess ? TOKEN_POOL_EMPTY : TOKEN_GRANTED);
        stand_stop(&stand);
    }
}

/* Ticks look for what is not said any more. */
static void ticks_forget_it(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    struct report report = stand_report_of(&stand, 1, HOST_LEASED, A_NS);
    report.phys_max_mw = PHYS_MAX_MW + HALL_KW;
    stand_report(&stand, &report);
    stand_tick(&stand);
    stand_tick(&stand);
    stand_tick(&stand);
    assert_int_equal(stand.core->ledger.node[BRANCH_A].raised_mva[0], HALL_KW);
    stand.host[1].incarnation++;
    stand.host[1].number = 0;
    report = stand_report_of(&stand, 1, HOST_BOOT, 0);
    stand_report(&stand, &report);
    for (int i = 0; i < 8; i++)
        stand_tick(&stand);
    assert_int_equal(stand.core->ledger.node[BRANCH_A].raised_mva[0], 0);
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k_hosts_of_the_largest_excess_are_covered_above_it),
        cmocka_unit_test(what_power_supplies_cannot_draw_is_not_believed),
        cmocka_unit_test(an_excess_counts_with_all_cords_on_the_worst_phase),
        cmocka_unit_test(an_excess_reaches_all_above_every_cord_and_nothing_else),
        cmocka_unit_test(a_restart_with_a_lower_figure_lowers_it_within_two_rounds),
        cmocka_unit_test(a_figure_raised_in_a_round_outlives_it),
        cmocka_unit_test(a_figure_taken_over_counts_too),
        cmocka_unit_test(arbitration_leaves_room_for_it),
        cmocka_unit_test(others_make_room_in_the_slot_of_the_report),
        cmocka_unit_test(grants_leave_room_for_it),
        cmocka_unit_test(ticks_forget_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
