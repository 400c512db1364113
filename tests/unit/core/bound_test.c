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
    for (uint32_t p = 0; p < PHASES; p++)
        input.reading.voltage_mv[p] = 100000;
    input.reading.crest_milli = 1414;
    input.reading.frequency_mhz = 60000;
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

/* Nothing that was told of a sum, a contract or a frame stays when something else has given the cap. */
static void what_bound_before_leaves_nothing_behind(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    struct bound *bound = &stand.core->bound[0];
    static const enum egress_why why[] = {WHY_EMERGENCY, WHY_SHARE, WHY_CLAIM, WHY_FAIL_SAFE};
    for (size_t i = 0; i < sizeof why / sizeof *why; i++) {
        *bound = (struct bound){.term = BOUND_STEADY, .why = WHY_GUARD_S, .contingency = 3, .phase = 2,
                                .node = BRANCH_A, .sum_mva = 44, .limit_mva = 55, .contract = 66,
                                .seen_number = 77, .seen_mw = 88, .seen_ma = {9, 9, 9}};
        input = (struct slot){.sequence = 504, .kind = SLOT_REFUSED};       /* names no frame of a host */
        note(&stand, why[i]);
        assert_true(bound->contingency == 0 && bound->phase == 0 && bound->contract == 0);
        assert_true(bound->sum_mva == 0 && bound->limit_mva == 0);
        assert_true(bound->seen_number == 0 && bound->seen_mw == 0 && bound->seen_of == INDEX_NONE);
        for (uint32_t p = 0; p < PHASES; p++)
            assert_int_equal(bound->seen_ma[p], 0);
        assert_int_equal(bound->slot_sequence, 504);
    }
    stand_stop(&stand);
}

/* What arbitration found is told of what arbitration gave, by any of its three names, and of nothing else. */
static void a_cap_that_equals_its_share_is_one_only_where_arbitration_gave_it(void **state)
{
    (void)state;
    static const struct {
        enum egress_why why;
        enum bound_term term;
    } of[] = {{WHY_SHARE, BOUND_TIER},          {WHY_CUT, BOUND_TIER},     {WHY_RENEWAL, BOUND_TIER},
              {WHY_EMERGENCY, BOUND_EMERGENCY}, {WHY_CLAIM, BOUND_CLAIM},  {WHY_FAIL_SAFE, BOUND_FAIL_SAFE},
              {WHY_HANDED, BOUND_NOTHING}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct stand stand;
        begin(&stand);
        struct cluster *cluster = &stand.core->cluster;
        cluster->target_mw[0] = stand.core->ledger.host[0].newest_mw;
        cluster->bound_term[0] = BOUND_TIER;
        cluster->bound_node[0] = MAIN;
        cluster->phase = CLUSTER_IDLE;
        assert_int_equal(note(&stand, of[i].why)->term, of[i].term);
        stand_stop(&stand);
    }
}

/* D with what the host may draw now given back, S with what it may under its newest lease: 5 kVA are left,
 * and with 11 kW of its own the host's whole 12 fit, so that no place bounds it; with 2 they do not. */
static void a_sum_that_leaves_all_a_host_may_draw_names_no_place(void **state)
{
    (void)state;
    for (int of_d = 0; of_d < 2; of_d++) {
        for (int whole = 0; whole < 2; whole++) {
            struct stand stand;
            begin(&stand);
            struct ledger_sums *sums = &stand.core->ledger.node[BRANCH_A];
            struct ledger_host *h = &stand.core->ledger.host[0];
            for (uint32_t p = 0; p < PHASES; p++)
                sums->exposed_mva[0][p] = sums->newest_mva[0][p] = sums->limit_mva[0][p] - 5000000;
            sums->left_mva[0] = sums->left_mva[1] = 0;
            h->exposed_draw_mw = of_d == whole ? 11000000 : 2000000;
            h->newest_draw_mw = of_d == whole ? 2000000 : 11000000;
            const struct bound *bound = note(&stand, of_d ? WHY_GUARD_D : WHY_GUARD_S);
            assert_int_equal(bound->node, whole ? INDEX_NONE : BRANCH_A);
            stand_stop(&stand);
        }
    }
}

/* Loans under 1 and 2 are withdrawn, the branch lends under 2 alone. A sum that bound says so itself, and a
 * term that is none of maintenance has no contingency. */
static void a_share_below_a_withdrawn_loan_says_under_which_loss(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    struct core *core = stand.core;
    core->maintenance.withdrawn = 1u << 1 | 1u << 2;
    stand.node[BRANCH_A].lend = 1u << 2 | 1u << 3;
    bound_by(core, BOUND_MAINTENANCE, BRANCH_A);
    const struct bound *bound = note(&stand, WHY_SHARE);
    assert_true(bound->term == BOUND_MAINTENANCE && bound->node == BRANCH_A && bound->contingency == 2);
    bound_by(core, BOUND_MAINTENANCE, BRANCH_B);        /* lends nothing */
    assert_int_equal(note(&stand, WHY_SHARE)->contingency, 0);
    bound_by(core, BOUND_LEVEL, BRANCH_A);
    assert_int_equal(note(&stand, WHY_SHARE)->contingency, 0);
    bound_by(core, BOUND_MAINTENANCE, INDEX_NONE);
    assert_int_equal(note(&stand, WHY_SHARE)->contingency, 0);
    stand.core->bound[0] = (struct bound){.term = BOUND_MAINTENANCE, .why = WHY_LIMIT, .contingency = 3,
                                          .node = BRANCH_A, .limit_mva = 5};
    assert_int_equal(note(&stand, WHY_RENEWAL)->contingency, 3);
    stand_stop(&stand);
}

/* The id is a contract's: of a ramp at the same node, and of a contract that has no place, it is none. */
static void a_contract_is_named_where_one_binds(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    struct core *core = stand.core;
    struct slot_order order = {
        .kind = ORDER_CAP, .number = 5, .contract = 31, .node = BRANCH_A, .value_mw = 8000000};
    assert_int_equal(contract_give(&core->contracts, &order, stand.t_ns), ORDER_TAKEN);
    bound_by(core, BOUND_CONTRACT, BRANCH_A);
    const struct bound *bound = note(&stand, WHY_ORDER);
    assert_true(bound->term == BOUND_CONTRACT && bound->node == BRANCH_A && bound->contract == 31);
    bound_by(core, BOUND_RAMP, BRANCH_A);
    assert_int_equal(note(&stand, WHY_SHARE)->contract, 0);
    bound_by(core, BOUND_CONTRACT, INDEX_NONE);
    assert_int_equal(note(&stand, WHY_ORDER)->contract, 0);
    stand_stop(&stand);
}

static void a_lease_names_the_time_of_the_report_it_answers(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    stand.core->ledger.host[0].report_t_ns = 4711;
    assert_int_equal(note(&stand, WHY_SHARE)->echo_t_ns, 4711);
    stand.core->ledger.host[0].report_t_ns = 4712;
    assert_int_equal(note(&stand, WHY_RENEWAL)->echo_t_ns, 4712);
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
        cmocka_unit_test(what_bound_before_leaves_nothing_behind),
        cmocka_unit_test(a_cap_that_equals_its_share_is_one_only_where_arbitration_gave_it),
        cmocka_unit_test(a_sum_that_leaves_all_a_host_may_draw_names_no_place),
        cmocka_unit_test(a_share_below_a_withdrawn_loan_says_under_which_loss),
        cmocka_unit_test(a_contract_is_named_where_one_binds),
        cmocka_unit_test(a_lease_names_the_time_of_the_report_it_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
