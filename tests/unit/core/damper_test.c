/* SPDX-License-Identifier: Apache-2.0 */
/* The damper: the vectors of domain.md 4.5, and what safety.md section 9 says of cuts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "core/pace.h"
#include "stand.h"

#define KW INT64_C(1000000)
#define STEP_NS (50 * NS_PER_MS)

static const struct model_policy policy = {.damper_window_ns = NS_PER_S, .damper_changes = 3};

/* A damper of quantum 1 kW, calm. */
static struct damper calm(void)
{
    struct damper damper = {.quantum_mw = KW, .until_ns = INT64_MIN};
    for (int i = 0; i < DAMPER_TURNS; i++)
        damper.turn_ns[i] = INT64_MIN;
    return damper;
}

static int64_t move_all(struct damper *damper, const int64_t *watts, size_t count, int64_t t_ns)
{
    for (size_t i = 0; i < count; i++, t_ns += STEP_NS)
        damper_move(damper, &policy, watts[i] * 1000, t_ns);
    return t_ns - STEP_NS;
}

static void three_changes_do_not_damp_and_the_fourth_does(void **state)
{
    static const int64_t moves[] = {10000, -10000, 10000, -10000};
    struct damper damper = calm();
    (void)state;
    int64_t t_ns = move_all(&damper, moves, 4, NS_PER_S);
    assert_int_equal(damper.hold_ns, 0);
    damper_move(&damper, &policy, 10 * KW, t_ns + STEP_NS);
    assert_int_equal(damper.hold_ns, 100 * NS_PER_MS);
    assert_int_equal(damper.until_ns, t_ns + STEP_NS + 100 * NS_PER_MS);
}

static void a_move_within_one_quantum_is_no_change(void **state)
{
    static const int64_t moves[] = {10000, -500, 10000, -1000, 1000, -1000, 1000, -1000, 1000};
    struct damper damper = calm();
    (void)state;
    move_all(&damper, moves, 9, NS_PER_S);
    for (int i = 0; i < DAMPER_TURNS; i++)
        assert_int_equal(damper.turn_ns[i], INT64_MIN);
}

/* The most that a site file may allow is still counted. */
static void the_largest_number_of_changes_can_be_passed(void **state)
{
    struct model_policy most = policy;
    struct damper damper = calm();
    (void)state;
    most.damper_changes = DAMPER_CHANGES_MAX;
    for (int i = 0; i <= DAMPER_CHANGES_MAX + 1; i++) {
        assert_int_equal(damper.hold_ns, 0);
        damper_move(&damper, &most, i % 2 ? -10 * KW : 10 * KW, NS_PER_S + i * NS_PER_MS);
    }
    assert_int_equal(damper.hold_ns, 100 * NS_PER_MS);
}

/* Small steps the same way add up: 20 times 0.4 kW back are a change, once. */
static void small_steps_the_other_way_become_one_change(void **state)
{
    struct damper damper = calm();
    uint32_t changes = 0;
    (void)state;
    damper_move(&damper, &policy, 10 * KW, NS_PER_S);
    for (int i = 0; i < 20; i++)
        damper_move(&damper, &policy, -400000, NS_PER_S + i);
    for (int i = 0; i < DAMPER_TURNS; i++)
        changes += damper.turn_ns[i] != INT64_MIN;
    assert_int_equal(changes, 1);
}

static void changes_older_than_the_window_do_not_count(void **state)
{
    struct damper damper = calm();
    (void)state;
    for (int i = 0; i < 20; i++)
        damper_move(&damper, &policy, i % 2 ? -10 * KW : 10 * KW, i * 340 * NS_PER_MS);
    assert_int_equal(damper.hold_ns, 0);
    for (int i = 0; i < 6; i++)
        damper_move(&damper, &policy, i % 2 ? -10 * KW : 10 * KW, 7 * NS_PER_S + i * 240 * NS_PER_MS);
    assert_true(damper.hold_ns > 0);
}

static void every_further_change_doubles_the_hold_up_to_1600_ms(void **state)
{
    static const int64_t held_ms[] = {100, 200, 400, 800, 1600, 1600};
    static const int64_t moves[] = {10000, -10000, 10000, -10000};
    struct damper damper = calm();
    (void)state;
    int64_t t_ns = move_all(&damper, moves, 4, NS_PER_S);
    for (int i = 0; i < 6; i++) {
        t_ns += STEP_NS;
        damper_move(&damper, &policy, i % 2 ? -10 * KW : 10 * KW, t_ns);
        assert_int_equal(damper.hold_ns, held_ms[i] * NS_PER_MS);
    }
    damper_move(&damper, &policy, -5 * KW, t_ns + 9 * NS_PER_S);
    damper_move(&damper, &policy, -5 * KW, t_ns + 20 * NS_PER_S);
    assert_int_equal(damper.hold_ns, 0);            /* 10 s with at most one: calm */
}

static void open_stand(struct stand *stand)
{
    stand_site(stand);
    stand->model.policy.damper_window_ns = NS_PER_S;
    stand->model.policy.damper_changes = 3;
    stand_start(stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
}

/* Five moves of host 0's cap as leases would make them, each left alone until it is one; the sixth judges the
 * fifth. */
static void shake(struct stand *stand)
{
    for (int i = 0; i < 6; i++) {
        damper_sent(&stand->core->dampers, 0, i % 2 ? -3 * KW : 3 * KW, stand->t_ns);
        if (i < 5)
            stand_wait(stand, stand->core->dampers.move_ns);
    }
    stand->core->t_ns = stand->t_ns;
}

static void a_damped_node_holds_raises_below_it_and_no_others(void **state)
{
    struct stand stand;
    (void)state;
    open_stand(&stand);
    shake(&stand);
    assert_int_equal(damper_forbids_raise(&stand.core->dampers, 1, stand.t_ns), BRANCH_A);
    assert_int_equal(pace_cap_mw(stand.core, 1, 5 * KW, WHY_SHARE), stand.core->ledger.host[1].newest_mw);
    assert_int_equal(stand.core->paced.term, BOUND_DAMPER);
    /* the main carries 300 kVA: its quantum is 1 kW too, so it is damped with the branch */
    assert_int_equal(damper_forbids_raise(&stand.core->dampers, 2, stand.t_ns), MAIN);
    stand_wait(&stand, 200 * NS_PER_MS);
    assert_int_equal(damper_forbids_raise(&stand.core->dampers, 1, stand.t_ns), INDEX_NONE);
    stand_stop(&stand);
}

/* Watts that go from one host to the other turn nothing, though the raise waits for the cut's receipt. */
static void watts_moved_from_host_to_host_are_no_change(void **state)
{
    struct stand stand;
    struct damper_view view;
    (void)state;
    open_stand(&stand);
    for (int i = 0; i < 12; i++) {
        damper_sent(&stand.core->dampers, 0, -3 * KW, stand.t_ns);
        stand_wait(&stand, stand.core->dampers.move_ns - NS_PER_MS);
        damper_sent(&stand.core->dampers, 1, 3 * KW, stand.t_ns);
        stand_wait(&stand, NS_PER_MS);
    }
    damper_view(&stand.core->dampers, BRANCH_A, stand.t_ns, &view);
    assert_int_equal(view.changes, 0);
    stand_stop(&stand);
}

/* Two arbitrations that want `cut` from host 0 and give `raise` to host 1. */
static void arbitrate_twice(struct stand *stand, int64_t cut_mw, int64_t raise_mw)
{
    for (int i = 0; i < 3; i++) {
        damper_arbitrate(&stand->core->dampers, false, stand->t_ns);
        damper_target(&stand->core->dampers, 0, -cut_mw);
        damper_target(&stand->core->dampers, 1, raise_mw);
    }
}

static void a_cut_that_only_pays_for_a_held_raise_is_not_issued(void **state)
{
    struct stand stand;
    (void)state;
    open_stand(&stand);
    stand.core->ledger.host[0].newest_mw = 5 * KW;
    shake(&stand);
    arbitrate_twice(&stand, 2 * KW, 2 * KW);
    assert_int_equal(pace_cap_mw(stand.core, 0, 3 * KW, WHY_CUT), 5 * KW);
    assert_int_equal(stand.core->paced.term, BOUND_DAMPER);
    /* not a cut of any other rule */
    assert_int_equal(pace_cap_mw(stand.core, 0, 3 * KW, WHY_LIMIT), 3 * KW);
    assert_int_equal(pace_cap_mw(stand.core, 0, 3 * KW, WHY_ORDER), 3 * KW);
    stand_stop(&stand);
}

static void a_cut_that_the_whole_node_needs_is_issued_though_it_is_damped(void **state)
{
    struct stand stand;
    (void)state;
    open_stand(&stand);
    stand.core->ledger.host[0].newest_mw = 5 * KW;
    shake(&stand);
    arbitrate_twice(&stand, 4 * KW, 0);
    assert_int_equal(pace_cap_mw(stand.core, 0, 1 * KW, WHY_CUT), 1 * KW);
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_changes_do_not_damp_and_the_fourth_does),
        cmocka_unit_test(a_move_within_one_quantum_is_no_change),
        cmocka_unit_test(the_largest_number_of_changes_can_be_passed),
        cmocka_unit_test(small_steps_the_other_way_become_one_change),
        cmocka_unit_test(changes_older_than_the_window_do_not_count),
        cmocka_unit_test(every_further_change_doubles_the_hold_up_to_1600_ms),
        cmocka_unit_test(a_damped_node_holds_raises_below_it_and_no_others),
        cmocka_unit_test(watts_moved_from_host_to_host_are_no_change),
        cmocka_unit_test(a_cut_that_only_pays_for_a_held_raise_is_not_issued),
        cmocka_unit_test(a_cut_that_the_whole_node_needs_is_issued_though_it_is_damped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
