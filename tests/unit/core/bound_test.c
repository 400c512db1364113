/* SPDX-License-Identifier: Apache-2.0 */
/* What is noted of a lease: which term, where, since when, by which input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "stand.h"

static struct slot input;

static void begin(struct stand *stand)
{
    stand_site(stand);
    stand_start(stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
    memset(&input, 0, sizeof input);
    input = (struct slot){.sequence = 500, .kind = SLOT_TICK, .tick.number = 9};
    stand->core->slot = &input;
}

static const struct bound *note(struct stand *stand, enum egress_why why)
{
    bound_note(stand->core, 0, 7000000, why);
    return &stand->core->bound[0];
}

static void whoever_holds_a_cap_down_first_is_named_once(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    bound_by(stand.core, BOUND_HOLD, BRANCH_A);
    bound_by(stand.core, BOUND_RAMP, MAIN);
    const struct bound *bound = note(&stand, WHY_SHARE);
    assert_int_equal(bound->term, BOUND_HOLD);
    assert_int_equal(bound->node, BRANCH_A);
    assert_int_equal(bound->wanted_mw, 7000000);
    assert_int_equal(bound->seen_number, 9);
    assert_int_equal(bound->seen_of, INDEX_NONE);
    bound = note(&stand, WHY_CLAIM);    /* the next lease is not held by it */
    assert_int_equal(bound->term, BOUND_CLAIM);
    assert_int_equal(bound->node, INDEX_NONE);
    stand_stop(&stand);
}

/* The sums have the last word, with the place that leaves the host least. */
static void a_sum_goes_before_whoever_held_and_names_its_place(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    struct ledger_sums *sums = &stand.core->ledger.node[BRANCH_A];
    sums->exposed_mva[0][2] = sums->limit_mva[0][2] - 5;
    sums->newest_mva[0][1] = sums->limit_mva[0][1] - 3;
    bound_by(stand.core, BOUND_LEVEL, MAIN);
    const struct bound *bound = note(&stand, WHY_GUARD_D);
    assert_int_equal(bound->term, BOUND_EXPOSURE);
    assert_true(bound->node == BRANCH_A && bound->phase == 2 && bound->contingency == 0);
    assert_true(bound->limit_mva - bound->sum_mva == 5 && bound->limit_mva == BRANCH_MVA);
    bound = note(&stand, WHY_GUARD_S);
    assert_int_equal(bound->term, BOUND_STEADY);
    assert_true(bound->node == BRANCH_A && bound->phase == 1);
    assert_int_equal(bound->limit_mva - bound->sum_mva, 3);
    /* lent: what the curve admits bounds it */
    sums->limit_mva[0][1] = sums->steady_mva[0][1] + 1000;
    sums->newest_mva[0][1] = sums->limit_mva[0][1] - 3;
    assert_int_equal(note(&stand, WHY_GUARD_S)->term, BOUND_CURVE);
    stand_stop(&stand);
}

static void a_renewal_keeps_term_input_and_time_until_something_changes(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    stand.core->t_ns = 100;
    note(&stand, WHY_EMERGENCY);
    input = (struct slot){
        .sequence = 501, .kind = SLOT_REPORT, .report = {.host = 0, .number = 77, .draw_mw = 5}};
    stand.core->t_ns = 200;
    const struct bound *bound = note(&stand, WHY_RENEWAL);
    assert_int_equal(bound->term, BOUND_EMERGENCY);
    assert_int_equal(bound->why, WHY_RENEWAL);
    assert_int_equal(bound->rule, WHY_EMERGENCY);
    assert_true(bound->since_ns == 100 && bound->t_ns == 200);
    assert_true(bound->slot_sequence == 500 && bound->seen_number == 9);
    stand.core->ledger.host[0].newest_mw += 1000;       /* another cap: this input gave it */
    bound = note(&stand, WHY_RENEWAL);
    assert_true(bound->since_ns == 200 && bound->slot_sequence == 501 && bound->seen_number == 77);
    assert_true(bound->seen_of == 0 && bound->seen_mw == 5 && bound->slot_kind == SLOT_REPORT);
    stand_stop(&stand);
}

/* The terms of an arbitration count when it is over, or has committed the host, and the cap is its share. */
static void what_arbitration_found_bounds_a_share(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    struct cluster *cluster = &stand.core->cluster;
    int64_t cap_mw = stand.core->ledger.host[0].newest_mw;
    cluster->target_mw[0] = cap_mw;
    cluster->bound_term[0] = BOUND_TIER;
    cluster->bound_node[0] = MAIN;
    cluster->phase = CLUSTER_IDLE;
    const struct bound *bound = note(&stand, WHY_RENEWAL);
    assert_true(bound->term == BOUND_TIER && bound->node == MAIN);
    cluster->bound_term[0] = BOUND_GANG;
    cluster->phase = CLUSTER_GATHER;
    assert_int_equal(note(&stand, WHY_RENEWAL)->term, BOUND_TIER);
    cluster->phase = CLUSTER_COMMIT;
    cluster->cursor = 0;
    assert_int_equal(note(&stand, WHY_RENEWAL)->term, BOUND_TIER);
    cluster->cursor = 1;
    assert_int_equal(note(&stand, WHY_RENEWAL)->term, BOUND_GANG);
    cluster->bound_term[0] = BOUND_DEMAND;
    cluster->target_mw[0] = cap_mw + 1000;              /* it has not got that yet */
    assert_int_equal(note(&stand, WHY_RENEWAL)->term, BOUND_GANG);
    stand_stop(&stand);
}

/* A renewal keeps where the sum was that bound, too. */
static void a_renewal_keeps_the_place_of_the_sum(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    struct bound *bound = &stand.core->bound[0];
    note(&stand, WHY_GUARD_S);
    bound->contingency = 3;
    bound->phase = 2;
    bound->sum_mva = 44;
    bound->limit_mva = 55;
    input.sequence = 501;
    note(&stand, WHY_RENEWAL);
    assert_true(bound->term == BOUND_STEADY && bound->contingency == 3 && bound->phase == 2);
    assert_true(bound->sum_mva == 44 && bound->limit_mva == 55);
    assert_int_equal(bound->slot_sequence, 500);
    stand_stop(&stand);
}

/* A reading is told with its meter, number, watts of all phases and amperes of each, as far as they fit. */
static void a_reading_that_gave_the_cap_is_told(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    input = (struct slot){.sequence = 502, .kind = SLOT_READING};
    input.reading = (struct reading){.meter = BRANCH_B, .sequence = 88, .power_mw = {100, 20, 3},
                                     .current_ma = {-5, UINT32_MAX, (int64_t)UINT32_MAX + 7}};
    const struct bound *bound = note(&stand, WHY_EMERGENCY);
    assert_int_equal(bound->slot_kind, SLOT_READING);
    assert_true(bound->seen_of == BRANCH_B && bound->seen_number == 88 && bound->seen_mw == 123);
    assert_int_equal(bound->seen_ma[0], 0);
    assert_int_equal(bound->seen_ma[1], UINT32_MAX);
    assert_int_equal(bound->seen_ma[2], UINT32_MAX);
    input.reading.sequence = 89;
    input.reading.current_ma[0] = 70001;
    input.reading.current_ma[1] = UINT32_MAX - 1;
    stand.core->ledger.host[0].newest_mw += 1000;
    note(&stand, WHY_EMERGENCY);
    assert_true(bound->seen_ma[0] == 70001 && bound->seen_ma[1] == UINT32_MAX - 1);
    input.kind = SLOT_TICK;                             /* renewed: as it was */
    note(&stand, WHY_RENEWAL);
    assert_true(bound->seen_ma[0] == 70001 && bound->seen_ma[2] == UINT32_MAX && bound->seen_mw == 123);
    assert_true(bound->seen_of == BRANCH_B && bound->seen_number == 89);
    stand_stop(&stand);
}

static void an_order_that_gave_the_cap_is_told(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    input = (struct slot){.sequence = 503, .kind = SLOT_ORDER,
                          .order = {.number = 12, .node = BRANCH_A, .value_mw = 9000}};
    const struct bound *bound = note(&stand, WHY_ORDER);
    assert_int_equal(bound->term, BOUND_CONTRACT);
    assert_int_equal(bound->slot_kind, SLOT_ORDER);
    assert_true(bound->seen_of == BRANCH_A && bound->seen_number == 12 && bound->seen_mw == 9000);
    stand_stop(&stand);
}

/* All that its type may be set to is a ceiling, not a share. */
static void a_share_of_all_there_is_is_the_ceiling(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    stand.core->ledger.host[0].newest_mw = CAP_MAX_MW - 1;
    assert_int_equal(note(&stand, WHY_SHARE)->term, BOUND_SHARE);
    stand.core->ledger.host[0].newest_mw = CAP_MAX_MW;
    assert_int_equal(note(&stand, WHY_SHARE)->term, BOUND_CEILING);
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_holds_a_cap_down_first_is_named_once),
        cmocka_unit_test(a_sum_goes_before_whoever_held_and_names_its_place),
        cmocka_unit_test(a_renewal_keeps_term_input_and_time_until_something_changes),
        cmocka_unit_test(what_arbitration_found_bounds_a_share),
        cmocka_unit_test(a_renewal_keeps_the_place_of_the_sum),
        cmocka_unit_test(a_reading_that_gave_the_cap_is_told),
        cmocka_unit_test(an_order_that_gave_the_cap_is_told),
        cmocka_unit_test(a_share_of_all_there_is_is_the_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
