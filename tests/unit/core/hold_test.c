/* SPDX-License-Identifier: Apache-2.0 */
/* hold(n): safety.md section 9, "waits hold(n) (1 s, doubling to 60 s) and needs heat below 0.8". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "stand.h"

static void open_stand(struct stand *stand)
{
    stand_site(stand);
    stand->model.policy.hold_least_ns = NS_PER_S;
    stand->model.policy.hold_most_ns = 60 * NS_PER_S;
    stand_start(stand);
}

/* A cause that lasts 100 ms; returns how long raises wait after it. */
static int64_t hold_after_cause(struct stand *stand, enum hold_cause cause)
{
    struct hold_view view;
    struct core *core = stand->core;
    hold_observe(&core->holds, &core->heat, BRANCH_A, cause, true, stand->t_ns);
    hold_view(&core->holds, BRANCH_A, stand->t_ns, &view);
    assert_int_equal(cause == HOLD_PERMIT ? view.lent_left_ns : view.left_ns, INT64_MAX);
    stand_wait(stand, 100 * NS_PER_MS);
    hold_observe(&core->holds, &core->heat, BRANCH_A, cause, false, stand->t_ns);
    hold_view(&core->holds, BRANCH_A, stand->t_ns, &view);
    return cause == HOLD_PERMIT ? view.lent_left_ns : view.left_ns;
}

static void a_hold_doubles_from_one_second_to_sixty(void **state)
{
    static const int64_t seconds[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
    struct stand stand;
    (void)state;
    open_stand(&stand);
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        assert_int_equal(hold_after_cause(&stand, HOLD_PERMIT), seconds[i] * NS_PER_S);
        stand_wait(&stand, seconds[i] * NS_PER_S + NS_PER_S);
    }
    stand_stop(&stand);
}

/* Twice 25 s fits under a minute; twice that does not. */
static void a_hold_doubles_as_long_as_twice_fits(void **state)
{
    struct stand stand;
    (void)state;
    stand_site(&stand);
    stand.model.policy.hold_least_ns = 25 * NS_PER_S;
    stand.model.policy.hold_most_ns = 60 * NS_PER_S;
    stand_start(&stand);
    assert_int_equal(hold_after_cause(&stand, HOLD_PERMIT), 25 * NS_PER_S);
    assert_int_equal(hold_after_cause(&stand, HOLD_PERMIT), 50 * NS_PER_S);
    assert_int_equal(hold_after_cause(&stand, HOLD_PERMIT), 60 * NS_PER_S);
    stand_stop(&stand);
}

static void a_minute_without_a_cause_begins_anew(void **state)
{
    struct stand stand;
    (void)state;
    open_stand(&stand);
    hold_after_cause(&stand, HOLD_EMERGENCY);
    assert_int_equal(hold_after_cause(&stand, HOLD_EMERGENCY), 2 * NS_PER_S);
    stand_wait(&stand, 61 * NS_PER_S);
    assert_int_equal(hold_after_cause(&stand, HOLD_EMERGENCY), 4 * NS_PER_S);
    stand_wait(&stand, 64 * NS_PER_S);
    assert_int_equal(hold_after_cause(&stand, HOLD_EMERGENCY), NS_PER_S);
    stand_stop(&stand);
}

/* Each by a length of its own: a meter that comes and goes makes no emergency's hold longer. */
static void what_is_lent_waits_for_both_causes(void **state)
{
    struct stand stand;
    (void)state;
    open_stand(&stand);
    struct core *core = stand.core;
    hold_after_cause(&stand, HOLD_PERMIT);
    stand_wait(&stand, 2 * NS_PER_S);
    hold_observe(&core->holds, &core->heat, BRANCH_A, HOLD_EMERGENCY, true, stand.t_ns);
    hold_observe(&core->holds, &core->heat, BRANCH_A, HOLD_PERMIT, true, stand.t_ns);
    hold_observe(&core->holds, &core->heat, BRANCH_A, HOLD_EMERGENCY, false, stand.t_ns);
    assert_int_equal(hold_forbids_raise(&core->holds, 0, stand.t_ns + NS_PER_S - 1), BRANCH_A);
    assert_int_equal(hold_forbids_raise(&core->holds, 0, stand.t_ns + NS_PER_S), INDEX_NONE);
    assert_true(hold_runs(&core->holds, BRANCH_A, stand.t_ns + 3600 * NS_PER_S));
    hold_observe(&core->holds, &core->heat, BRANCH_A, HOLD_PERMIT, false, stand.t_ns);
    assert_true(hold_runs(&core->holds, BRANCH_A, stand.t_ns + 2 * NS_PER_S - 1));
    assert_false(hold_runs(&core->holds, BRANCH_A, stand.t_ns + 2 * NS_PER_S));
    stand_stop(&stand);
}

static void a_hold_binds_the_hosts_below_its_node_alone(void **state)
{
    struct stand stand;
    (void)state;
    open_stand(&stand);
    hold_after_cause(&stand, HOLD_EMERGENCY);
    assert_int_equal(hold_forbids_raise(&stand.core->holds, 0, stand.t_ns), BRANCH_A);
    assert_int_equal(hold_forbids_raise(&stand.core->holds, 2, stand.t_ns), INDEX_NONE);
    stand_wait(&stand, NS_PER_S);
    assert_int_equal(hold_forbids_raise(&stand.core->holds, 0, stand.t_ns), INDEX_NONE);
    stand_stop(&stand);
}

/* Above the steady limit nobody goes without a permit: the hold of one need not forbid anything else. */
static void a_lost_permit_holds_no_raise_by_itself(void **state)
{
    struct stand stand;
    (void)state;
    open_stand(&stand);
    hold_after_cause(&stand, HOLD_PERMIT);
    assert_true(hold_runs(&stand.core->holds, BRANCH_A, stand.t_ns));
    assert_int_equal(hold_forbids_raise(&stand.core->holds, 0, stand.t_ns), INDEX_NONE);
    stand_stop(&stand);
}

/* A hold ends for good hold_most after its time, with the reading that sees it, not before; and twice as long
 * a hold is still one. */
static void a_hold_is_forgotten_a_minute_after_its_end(void **state)
{
    struct stand stand;
    struct hold_view view;
    (void)state;
    open_stand(&stand);
    struct core *core = stand.core;
    hold_after_cause(&stand, HOLD_EMERGENCY);
    hold_after_cause(&stand, HOLD_EMERGENCY);
    assert_int_equal(core->holds.held, 1);
    stand_wait(&stand, 62 * NS_PER_S - 1);
    hold_reading(&core->holds, &core->heat, BRANCH_A, stand.t_ns);
    hold_view(&core->holds, BRANCH_A, stand.t_ns, &view);
    assert_int_equal(view.for_ns, 2 * NS_PER_S);
    stand_wait(&stand, 1);
    hold_reading(&core->holds, &core->heat, BRANCH_A, stand.t_ns);
    hold_view(&core->holds, BRANCH_A, stand.t_ns, &view);
    assert_int_equal(view.for_ns, 0);
    assert_int_equal(core->holds.held, 0);
    hold_reading(&core->holds, &core->heat, BRANCH_A, stand.t_ns);
    assert_int_equal(core->holds.held, 0);
    assert_int_equal(hold_after_cause(&stand, HOLD_EMERGENCY), NS_PER_S);
    stand_stop(&stand);
}

/* Memory that was not cleared: nothing is held, at the first node neither. */
static void a_start_holds_nothing(void **state)
{
    struct hold hold[2];
    struct holds holds;
    struct model model = {.node_count = 2, .policy = {.hold_least_ns = NS_PER_S}};
    (void)state;
    memset(hold, 0x5A, sizeof hold);
    memset(&holds, 0x5A, sizeof holds);
    holds.node = hold;
    hold_init(&holds, &model);
    assert_int_equal(holds.held, 0);
    for (uint32_t n = 0; n < 2; n++) {
        struct hold_view view;
        assert_false(hold_runs(&holds, n, INT64_MIN + 1));
        hold_view(&holds, n, 0, &view);
        assert_int_equal(view.for_ns, 0);
        assert_int_equal(view.left_ns, 0);
        assert_int_equal(view.lent_left_ns, 0);
        assert_false(view.hot);
    }
}

/* Silent for a minute within the limit: the emergency is over as far as anybody can tell, and time runs. */
static void a_blind_node_is_held_for_its_time_alone(void **state)
{
    struct stand stand;
    (void)state;
    open_stand(&stand);
    struct core *core = stand.core;
    hold_observe(&core->holds, &core->heat, BRANCH_A, HOLD_EMERGENCY, true, stand.t_ns);
    core->holds.node[BRANCH_A].of[HOLD_EMERGENCY].hot = true;
    hold_blind(&core->holds, &core->heat, BRANCH_A, stand.t_ns);
    assert_int_equal(hold_forbids_raise(&core->holds, 0, stand.t_ns + NS_PER_S - 1), BRANCH_A);
    assert_int_equal(hold_forbids_raise(&core->holds, 0, stand.t_ns + NS_PER_S), INDEX_NONE);
    stand_stop(&stand);
}

static void set_heat(struct stand *stand, double heat)
{
    for (uint32_t p = 0; p < PHASES; p++)
        stand->core->heat.meter[BRANCH_A].state.part[0][p] = (int64_t)(heat * (double)HEAT_ONE);
    stand_wait(stand, 16 * NS_PER_MS);
    stand_reading(stand, BRANCH_A, 4000000);
}

/* "and needs heat below 0.8": heat that came with the cause outlasts any time. */
static void a_hold_lasts_until_the_heat_that_came_with_it_is_gone(void **state)
{
    struct stand stand;
    (void)state;
    stand_site(&stand);
    stand.model.policy.hold_least_ns = NS_PER_S;
    stand.model.policy.hold_most_ns = 60 * NS_PER_S;
    stand.node[BRANCH_A].breaker.element_count = 1;
    stand.node[BRANCH_A].breaker.element[0] = (struct breaker_element){
        .law = BREAKER_IMAGE, .role = ELEMENT_LONG_TIME, .pickup_ma = 200000, .heat_ns = 20 * NS_PER_S,
        .heat_fast_ns = 20 * NS_PER_S, .fast_above_ma = INT64_MAX, .cool_ns = 25 * NS_PER_S};
    stand_start(&stand);
    stand_reading(&stand, BRANCH_A, 4000000);       /* the first one starts the image anew */
    set_heat(&stand, 0.5);
    hold_after_cause(&stand, HOLD_EMERGENCY);
    stand_wait(&stand, 2 * NS_PER_S);
    set_heat(&stand, 0.95);
    assert_int_equal(hold_forbids_raise(&stand.core->holds, 0, stand.t_ns), BRANCH_A);
    set_heat(&stand, 0.79);
    assert_int_equal(hold_forbids_raise(&stand.core->holds, 0, stand.t_ns), INDEX_NONE);
    set_heat(&stand, 0.85);                         /* and does not begin again by itself */
    assert_int_equal(hold_forbids_raise(&stand.core->holds, 0, stand.t_ns), INDEX_NONE);
    stand_stop(&stand);
}

static void without_a_first_length_nothing_is_held(void **state)
{
    struct stand stand;
    (void)state;
    stand_site(&stand);
    stand_start(&stand);
    hold_observe(&stand.core->holds, &stand.core->heat, BRANCH_A, HOLD_EMERGENCY, true, stand.t_ns);
    assert_int_equal(hold_forbids_raise(&stand.core->holds, 0, stand.t_ns), INDEX_NONE);
    stand_stop(&stand);
}

/* Through the pipeline: both hosts of branch A want all; an emergency cuts them, ends, and for one second
 * from its end none of them is raised, though cuts and the other branch go on. */
static void after_an_emergency_nothing_below_is_raised_for_a_second(void **state)
{
    struct stand stand;
    (void)state;
    open_stand(&stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        stand_admit(&stand, h);
        stand.host[h].draw_mw = 6000000;
        stand.host[h].flags = REPORT_AT_CAP;
    }
    stand_run(&stand, 3 * NS_PER_S);
    stand_reading(&stand, BRANCH_A, BRANCH_MVA + 1000000);
    int64_t cut_mw = stand.host[0].last.cap_mw;
    assert_true(cut_mw < 6000000);
    stand_run(&stand, 200 * NS_PER_MS);
    stand_reading(&stand, BRANCH_A, 4000000);
    stand_run(&stand, NS_PER_S);
    stand_reading(&stand, BRANCH_A, 4000000);       /* 1 s below 0.9: over */
    stand_run(&stand, 995 * NS_PER_MS);
    assert_int_equal(stand.host[0].last.cap_mw, cut_mw);
    assert_int_equal(stand.core->bound[0].term, BOUND_HOLD);
    assert_int_equal(stand.core->bound[0].node, BRANCH_A);
    assert_true(stand.host[2].last.cap_mw > 6000000);
    stand_run(&stand, 300 * NS_PER_MS);
    assert_true(stand.host[0].last.cap_mw > cut_mw);
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hold_doubles_from_one_second_to_sixty),
        cmocka_unit_test(a_hold_doubles_as_long_as_twice_fits),
        cmocka_unit_test(a_minute_without_a_cause_begins_anew),
        cmocka_unit_test(what_is_lent_waits_for_both_causes),
        cmocka_unit_test(a_hold_binds_the_hosts_below_its_node_alone),
        cmocka_unit_test(a_lost_permit_holds_no_raise_by_itself),
        cmocka_unit_test(a_hold_lasts_until_the_heat_that_came_with_it_is_gone),
        cmocka_unit_test(without_a_first_length_nothing_is_held),
        cmocka_unit_test(after_an_emergency_nothing_below_is_raised_for_a_second),
        cmocka_unit_test(a_hold_is_forgotten_a_minute_after_its_end),
        cmocka_unit_test(a_start_holds_nothing),
        cmocka_unit_test(a_blind_node_is_held_for_its_time_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
