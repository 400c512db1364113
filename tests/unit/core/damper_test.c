/* SPDX-License-Identifier: Apache-2.0 */
/* The damper: the vectors of domain.md 4.5, and what safety.md section 9 says of cuts. */
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

static uint32_t turns(const struct damper *damper)
{
    uint32_t count = 0;
    for (int i = 0; i < DAMPER_TURNS; i++)
        count += damper->turn_ns[i] != INT64_MIN;
    return count;
}

/* The farthest point goes with the sum: 20 kW up in two steps and more than a quantum down is a change. */
static void a_change_is_told_from_the_farthest_point(void **state)
{
    static const int64_t moves[] = {10000, 10000, -1000};
    struct damper damper = calm();
    (void)state;
    int64_t t_ns = move_all(&damper, moves, 3, NS_PER_S);
    assert_int_equal(turns(&damper), 0);            /* one quantum is none */
    damper_move(&damper, &policy, -1, t_ns);
    assert_int_equal(turns(&damper), 1);
}

/* Changes at 0, 300 and 600 ms, and one more: the window is what lies after a second ago. */
static void a_window_forgets_what_is_as_old_as_itself(void **state)
{
    (void)state;
    for (int64_t early_ns = 0; early_ns < 2; early_ns++) {
        struct damper damper = calm();
        damper_move(&damper, &policy, 10 * KW, 0);
        damper_move(&damper, &policy, -10 * KW, NS_PER_S);
        damper_move(&damper, &policy, 10 * KW, NS_PER_S + 300 * NS_PER_MS);
        damper_move(&damper, &policy, -10 * KW, NS_PER_S + 600 * NS_PER_MS);
        damper_move(&damper, &policy, 10 * KW, 2 * NS_PER_S - early_ns);
        assert_int_equal(damper.hold_ns, early_ns ? 100 * NS_PER_MS : 0);
    }
}

/* The newest two changes 50 ms apart: calm when only one of them is less than 10 s ago. */
static void calm_is_ten_seconds_with_one_change_at_most(void **state)
{
    static const int64_t moves[] = {10000, -10000, 10000, -10000, 10000};
    struct damper damper = calm();
    (void)state;
    int64_t newest_ns = move_all(&damper, moves, 5, NS_PER_S);
    damper_move(&damper, &policy, 0, newest_ns - STEP_NS + 10 * NS_PER_S - 1);
    assert_int_equal(damper.hold_ns, 100 * NS_PER_MS);
    damper_move(&damper, &policy, 0, newest_ns - STEP_NS + 10 * NS_PER_S);
    assert_int_equal(damper.hold_ns, 0);
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

/* The pool's loop is told with every reading, and let go when it is calm, whether caps move again or not. */
static void damped_mode_reaches_the_loop_of_the_pool_and_ends_by_time(void **state)
{
    (void)state;
    struct stand stand;
    struct damper_view view;
    open_stand(&stand);
    stand_reading(&stand, BRANCH_A, 3 * KW);
    assert_false(stand.core->pools.node[BRANCH_A].damped);
    shake(&stand);
    stand_reading(&stand, BRANCH_A, 3 * KW);
    stand_reading(&stand, BRANCH_B, 3 * KW);
    assert_true(stand.core->pools.node[BRANCH_A].damped);
    assert_false(stand.core->pools.node[BRANCH_B].damped);
    damper_view(&stand.core->dampers, BRANCH_A, stand.t_ns, &view);
    assert_true(view.hold_ns > 0);
    stand_wait(&stand, 10 * NS_PER_S);
    stand_reading(&stand, BRANCH_A, 3 * KW);
    assert_false(stand.core->pools.node[BRANCH_A].damped);
    damper_view(&stand.core->dampers, BRANCH_A, stand.t_ns, &view);
    assert_int_equal(view.hold_ns, 0);
    stand_stop(&stand);
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

/* ---- over the tree of the hall: host 0 on LEFT and on RACK, half of it each ---- */

struct tree {
    struct hall hall;
    struct dampers dampers;
    struct damper damper[HALL_NODES];
};

static void build_tree(struct tree *tree)
{
    hall_build(&tree->hall);
    tree->hall.model.policy.damper_window_ns = NS_PER_S;
    tree->hall.model.policy.damper_changes = 3;
    tree->hall.host[0].cord_count = 2;
    tree->hall.host[0].cord[1].node = HALL_RACK;
    tree->hall.host[0].cord[0].share_ppm[0] = tree->hall.host[0].cord[1].share_ppm[0] = 500000;
}

static void start_tree(struct tree *tree)
{
    memset(&tree->dampers, 0x5A, sizeof tree->dampers);
    memset(tree->damper, 0x5A, sizeof tree->damper);
    tree->dampers.node = tree->damper;
    damper_init(&tree->dampers, &tree->hall.model);
    for (uint32_t n = 0; n < HALL_NODES; n++)
        tree->damper[n].quantum_mw = KW;
}

static void a_start_has_seen_no_change_and_holds_nothing(void **state)
{
    struct tree tree;
    struct damper_view view;
    (void)state;
    build_tree(&tree);
    start_tree(&tree);
    for (uint32_t n = 0; n < HALL_NODES; n++) {
        damper_view(&tree.dampers, n, NS_PER_MS, &view);
        assert_int_equal(view.changes, 0);
        assert_int_equal(view.hold_ns, 0);
        assert_int_equal(view.left_ns, 0);
    }
    for (uint32_t h = 0; h < HALL_HOSTS; h++) {
        assert_int_equal(damper_forbids_raise(&tree.dampers, h, INT64_MIN + 1), INDEX_NONE);
        assert_true(damper_wants_less(&tree.dampers, h));   /* as far as anybody knows */
    }
}

/* A cut is confirmed when the slowest type has enforced it, a report has said so and a tick has come. */
static void one_move_lasts_as_long_as_the_slowest_cut_takes_to_be_confirmed(void **state)
{
    struct tree tree;
    struct model_host_type types[3];
    (void)state;
    build_tree(&tree);
    for (int i = 0; i < 3; i++) {
        types[i] = tree.hall.type;
        types[i].actuation_ns = (i == 1 ? 300 : 200) * NS_PER_MS;
    }
    tree.hall.model.type = types;
    tree.hall.model.type_count = 3;
    start_tree(&tree);
    assert_int_equal(tree.dampers.move_ns, (300 + 100 + 20) * NS_PER_MS);
}

static void a_lease_moves_every_node_above_each_cord_by_its_share(void **state)
{
    struct tree tree;
    (void)state;
    build_tree(&tree);
    start_tree(&tree);
    damper_sent(&tree.dampers, 0, 8 * KW, NS_PER_S);
    damper_sent(&tree.dampers, 3, -3 * KW, NS_PER_S + 1);
    assert_int_equal(tree.damper[HALL_LEFT].sum_mw, 4 * KW);
    assert_int_equal(tree.damper[HALL_RACK].sum_mw, 1 * KW);
    assert_int_equal(tree.damper[HALL_RIGHT].sum_mw, 1 * KW);
    assert_int_equal(tree.damper[HALL_MAIN].sum_mw, 5 * KW);
}

/* Five moves of host 2 in turn: RIGHT and MAIN are damped by the fourth change, told when the next begins. */
static void moves_in_turn_hold_everything_below_and_nothing_beside(void **state)
{
    struct tree tree;
    struct damper_view view;
    int64_t t_ns = NS_PER_S;
    (void)state;
    build_tree(&tree);
    tree.hall.type.actuation_ns = 0;                        /* a move is 120 ms: five within the window */
    start_tree(&tree);
    tree.damper[HALL_MAIN].quantum_mw = 9 * KW;             /* for which 3 kW are nothing */
    for (int i = 0; i < 6; i++, t_ns += tree.dampers.move_ns) {
        assert_int_equal(damper_forbids_raise(&tree.dampers, 2, t_ns), INDEX_NONE);
        damper_sent(&tree.dampers, 2, i % 2 ? -3 * KW : 3 * KW, t_ns);
    }
    t_ns -= tree.dampers.move_ns;
    assert_int_equal(damper_forbids_raise(&tree.dampers, 2, t_ns), HALL_RIGHT);
    assert_int_equal(damper_forbids_raise(&tree.dampers, 0, t_ns), HALL_RIGHT);    /* by its second cord */
    assert_int_equal(damper_forbids_raise(&tree.dampers, 1, t_ns), INDEX_NONE);
    damper_view(&tree.dampers, HALL_RIGHT, t_ns + 30 * NS_PER_MS, &view);
    assert_int_equal(view.changes, 4);
    assert_int_equal(view.hold_ns, 100 * NS_PER_MS);
    assert_int_equal(view.left_ns, 70 * NS_PER_MS);
    assert_int_equal(damper_forbids_raise(&tree.dampers, 2, t_ns + 100 * NS_PER_MS - 1), HALL_RIGHT);
    assert_int_equal(damper_forbids_raise(&tree.dampers, 2, t_ns + 100 * NS_PER_MS), INDEX_NONE);
}

static void without_a_window_or_ticks_there_is_no_damper(void **state)
{
    (void)state;
    for (int without = 0; without < 2; without++) {
        struct tree tree;
        build_tree(&tree);
        if (without)
            tree.hall.model.policy.tick_ns = 0;
        else
            tree.hall.model.policy.damper_window_ns = 0;
        start_tree(&tree);
        damper_sent(&tree.dampers, 2, 3 * KW, NS_PER_S);
        assert_int_equal(tree.damper[HALL_RIGHT].sum_mw, 0);
        for (int i = 0; i < 3; i++)
            damper_arbitrate(&tree.dampers, true, NS_PER_S);
        assert_true(damper_wants_less(&tree.dampers, 2));
    }
}

/* ---- what arbitration wants of a node as a whole ---- */

/* What hosts 1 and 2 get, while something is held elsewhere. */
static void arbitrate(struct tree *tree, int64_t left_mw, int64_t right_mw)
{
    damper_arbitrate(&tree->dampers, true, NS_PER_S);
    damper_target(&tree->dampers, 1, left_mw);
    damper_target(&tree->dampers, 2, right_mw);
}

static void a_node_wants_less_by_its_last_whole_arbitration_and_more_than_a_quantum(void **state)
{
    struct tree tree;
    (void)state;
    build_tree(&tree);
    start_tree(&tree);
    arbitrate(&tree, 0, 0);                                 /* the first one under a hold */
    assert_true(damper_wants_less(&tree.dampers, 2));       /* nobody knows yet */
    arbitrate(&tree, -KW, KW);
    arbitrate(&tree, -KW, KW);                              /* known: a quantum less is none */
    assert_false(damper_wants_less(&tree.dampers, 1));
    assert_false(damper_wants_less(&tree.dampers, 2));
    arbitrate(&tree, -KW - 1, KW);                          /* and the open one is not whole */
    assert_false(damper_wants_less(&tree.dampers, 1));
    arbitrate(&tree, 0, 0);                                 /* says nothing of LEFT */
    assert_true(damper_wants_less(&tree.dampers, 1));
    assert_false(damper_wants_less(&tree.dampers, 2));
    arbitrate(&tree, KW, 0);
    assert_false(damper_wants_less(&tree.dampers, 1));      /* that was one earlier */
}

/* What the main is to carry less of is cut though a node between gets as much as it had. */
static void what_any_node_above_wants_less_of_is_wanted(void **state)
{
    struct tree tree;
    (void)state;
    build_tree(&tree);
    start_tree(&tree);
    for (int i = 0; i < 3; i++)
        arbitrate(&tree, -5 * KW, 0);
    assert_true(damper_wants_less(&tree.dampers, 2));
}

/* Two arbitrations of half a quantum each are not one of a whole. */
static void what_was_wanted_before_is_not_added(void **state)
{
    struct tree tree;
    (void)state;
    build_tree(&tree);
    start_tree(&tree);
    for (int i = 0; i < 5; i++)
        arbitrate(&tree, -600 * INT64_C(1000), 0);
    assert_false(damper_wants_less(&tree.dampers, 1));
}

static void only_below_a_damped_node_a_cut_is_kept_back(void **state)
{
    struct tree tree;
    (void)state;
    build_tree(&tree);
    start_tree(&tree);
    for (int i = 0; i < 3; i++)
        arbitrate(&tree, -3 * KW, 3 * KW);
    assert_int_equal(damper_forbids_cut(&tree.dampers, 2, NS_PER_S), INDEX_NONE);
    tree.damper[HALL_RIGHT].until_ns = tree.dampers.held_until_ns = 2 * NS_PER_S;
    assert_int_equal(damper_forbids_cut(&tree.dampers, 2, NS_PER_S), HALL_RIGHT);
    assert_int_equal(damper_forbids_cut(&tree.dampers, 1, NS_PER_S), INDEX_NONE);
    tree.damper[HALL_LEFT].until_ns = 2 * NS_PER_S;         /* LEFT is to have less as a whole */
    assert_int_equal(damper_forbids_raise(&tree.dampers, 1, NS_PER_S), HALL_LEFT);
    assert_int_equal(damper_forbids_cut(&tree.dampers, 1, NS_PER_S), INDEX_NONE);
}

/* Held when it began, and when the one before began: else what is noted is not whole. */
static void what_is_wanted_is_known_only_under_a_hold_that_lasted(void **state)
{
    struct tree tree;
    (void)state;
    build_tree(&tree);
    start_tree(&tree);
    for (int i = 0; i < 4; i++) {
        damper_arbitrate(&tree.dampers, false, NS_PER_S);
        damper_target(&tree.dampers, 2, 3 * KW);
    }
    assert_true(damper_wants_less(&tree.dampers, 2));
    tree.dampers.held_until_ns = 2 * NS_PER_S;              /* a damper holds somewhere */
    for (int i = 0; i < 2; i++) {
        assert_true(damper_wants_less(&tree.dampers, 2));
        damper_arbitrate(&tree.dampers, false, 2 * NS_PER_S - 1);
        damper_target(&tree.dampers, 2, 3 * KW);
    }
    assert_false(damper_wants_less(&tree.dampers, 2));
    damper_arbitrate(&tree.dampers, false, 2 * NS_PER_S);
    assert_true(damper_wants_less(&tree.dampers, 2));
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
        cmocka_unit_test(damped_mode_reaches_the_loop_of_the_pool_and_ends_by_time),
        cmocka_unit_test(a_damped_node_holds_raises_below_it_and_no_others),
        cmocka_unit_test(watts_moved_from_host_to_host_are_no_change),
        cmocka_unit_test(a_cut_that_only_pays_for_a_held_raise_is_not_issued),
        cmocka_unit_test(a_cut_that_the_whole_node_needs_is_issued_though_it_is_damped),
        cmocka_unit_test(a_change_is_told_from_the_farthest_point),
        cmocka_unit_test(a_window_forgets_what_is_as_old_as_itself),
        cmocka_unit_test(calm_is_ten_seconds_with_one_change_at_most),
        cmocka_unit_test(a_start_has_seen_no_change_and_holds_nothing),
        cmocka_unit_test(one_move_lasts_as_long_as_the_slowest_cut_takes_to_be_confirmed),
        cmocka_unit_test(a_lease_moves_every_node_above_each_cord_by_its_share),
        cmocka_unit_test(moves_in_turn_hold_everything_below_and_nothing_beside),
        cmocka_unit_test(without_a_window_or_ticks_there_is_no_damper),
        cmocka_unit_test(a_node_wants_less_by_its_last_whole_arbitration_and_more_than_a_quantum),
        cmocka_unit_test(what_any_node_above_wants_less_of_is_wanted),
        cmocka_unit_test(what_was_wanted_before_is_not_added),
        cmocka_unit_test(only_below_a_damped_node_a_cut_is_kept_back),
        cmocka_unit_test(what_is_wanted_is_known_only_under_a_hold_that_lasted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
