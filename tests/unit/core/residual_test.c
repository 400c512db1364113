/* SPDX-License-Identifier: Apache-2.0 */
/* Load that no lease governs, learnt from meters (core/residual.h), and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "truth.h"

/* Of windows that count, nothing at all. */
static void assert_nothing_learnt(const struct truth *truth)
{
    for (uint32_t n = 0; n < STAND_NODES; n++)
        assert_int_equal(learnt(truth, n), 0);
    assert_int_equal(stand_counters(&truth->stand)->other_raised, 0);
}

/* On the phase that its hosts hang on; without hosts nobody knows which, so on all. */
static void a_single_phase_node_counts_where_its_hosts_hang(void **state)
{
    (void)state;
    for (uint32_t empty = 0; empty < 2; empty++) {
        struct truth truth;
        lay_out(&truth);
        truth.stand.node[BRANCH_B].phases = 1;
        for (uint32_t h = 0; h < STAND_HOSTS; h++) {
            struct model_cord *cord = &truth.stand.host_model[h].cord[0];
            if (cord->node == BRANCH_B)
                for (uint32_t p = 0; p < PHASES; p++)
                    cord->phase_ppm[p] = p == 1 && !empty ? PPM : 0;
        }
        stand_start(&truth.stand);
        assert_int_equal(residual(&truth)->meter[BRANCH_B].phases, empty ? 7 : 2);
        assert_int_equal(residual(&truth)->meter[BRANCH_A].phases, 7);
        stand_stop(&truth.stand);
    }
}

/* All of a window's readings or one in five: what they show is learnt, and while they come nothing is
 * forgotten. */
static void readings_of_spoilt_windows_raise_what_is_learnt_and_forget_nothing(void **state)
{
    (void)state;
    for (uint32_t every = 1; every <= 5; every += 4) {
        struct truth truth;
        lay_out(&truth);
        open_truth(&truth);
        pass(&truth, 10 * NS_PER_S);
        assert_nothing_learnt(&truth);
        truth.unsure_every[BRANCH_A] = every;
        truth.other_mw[BRANCH_A] = KW;
        pass(&truth, 10 * NS_PER_S);
        assert_in_range(learnt(&truth, BRANCH_A), KW - KW / 20, KW + KW / 5);
        truth.other_mw[BRANCH_A] = 0;
        pass(&truth, 90 * NS_PER_S);
        assert_true(learnt(&truth, BRANCH_A) >= KW - KW / 20);
        truth.unsure_every[BRANCH_A] = 0;
        pass(&truth, 80 * NS_PER_S);
        assert_int_equal(learnt(&truth, BRANCH_A), 0);
        stand_stop(&truth.stand);
    }
}

/* 8 kW of hosts and 1 kW of something else: what is learnt is within the errors of what is there, at the
 * branch and at the main, within 10 s; it stands in the sums, and is forgotten a minute after it has gone. */
static void a_load_that_appears_is_learnt_and_forgotten_when_gone(void **state)
{
    (void)state;
    struct truth truth;
    lay_out(&truth);
    open_truth(&truth);
    pass(&truth, 10 * NS_PER_S);
    assert_nothing_learnt(&truth);
    assert_true(residual(&truth)->windows >= 6);
    int64_t before_mva = truth.stand.core->ledger.node[BRANCH_A].raised_mva[2];
    truth.other_mw[BRANCH_A] = KW;
    pass(&truth, 10 * NS_PER_S);
    assert_in_range(learnt(&truth, BRANCH_A), KW - KW / 20, KW + KW / 5);
    assert_int_equal(learnt(&truth, MAIN), learnt(&truth, BRANCH_A));
    assert_int_equal(learnt(&truth, BRANCH_B), 0);
    assert_int_equal(truth.stand.core->ledger.node[BRANCH_A].raised_mva[2] - before_mva,
                     learnt(&truth, BRANCH_A));
    assert_int_equal(truth.stand.core->ledger.node[MAIN].raised_mva[2], learnt(&truth, MAIN));
    pass(&truth, 60 * NS_PER_S);
    assert_true(learnt(&truth, BRANCH_A) >= KW - KW / 20);
    truth.other_mw[BRANCH_A] = 0;
    pass(&truth, 45 * NS_PER_S);
    assert_true(learnt(&truth, BRANCH_A) >= KW - KW / 20);
    pass(&truth, 30 * NS_PER_S);
    assert_int_equal(learnt(&truth, BRANCH_A), 0);
    assert_int_equal(learnt(&truth, MAIN), 0);
    assert_int_equal(truth.stand.core->ledger.node[MAIN].raised_mva[0], 0);
    assert_int_equal(stand_counters(&truth.stand)->other_lowered, 1);
    assert_int_equal(stand_counters(&truth.stand)->invariant_failures, 0);
    stand_stop(&truth.stand);
}

/* Configured and seen is not learnt again; the step stands on top of what is. */
static void what_is_configured_counts_first_and_the_step_on_top(void **state)
{
    (void)state;
    struct truth truth;
    lay_out(&truth);
    for (uint32_t p = 0; p < PHASES; p++) {
        truth.stand.node[BRANCH_A].other_mva[p] = truth.stand.node[MAIN].other_mva[p] = 3 * KW;
        truth.stand.node[BRANCH_A].step_mva[p] = truth.stand.node[MAIN].step_mva[p] = KW;
    }
    truth.other_mw[BRANCH_A] = 2 * KW;
    open_truth(&truth);
    pass(&truth, 15 * NS_PER_S);
    assert_nothing_learnt(&truth);
    truth.other_mw[BRANCH_A] = 3 * KW;      /* as much as both: yet a step may come on top */
    pass(&truth, 10 * NS_PER_S);
    assert_in_range(learnt(&truth, BRANCH_A), KW - KW / 20, KW + KW / 5);
    stand_stop(&truth.stand);
}

/* 0.5 of every host on each branch, 0.55 at most; then A dies and nobody says so: its meter is late within
 * what is fresh, then reads nothing. B reads twice as much, and nothing of it is other load. */
static void a_feed_that_is_lost_unseen_is_no_other_load(void **state)
{
    (void)state;
    static const int64_t unseen_ns[] = {NS_PER_S / 10, NS_PER_S, 3 * NS_PER_S / 2};
    for (uint32_t i = 0; i < 3 * 8; i++) {
        struct truth truth;
        lay_out_dual(&truth, 550000, BRANCH_A);
        truth.stand.meter[BRANCH_A].fresh_ns = 2 * NS_PER_S;    /* evidence may come late */
        open_truth(&truth);
        pass(&truth, 10 * NS_PER_S + (i / 3) * (NS_PER_S / 2));
        truth.lost = truth.mute[BRANCH_A] = true;
        uint64_t leases_cut = stand_counters(&truth.stand)->limit_cuts;
        pass(&truth, unseen_ns[i % 3]);
        truth.mute[BRANCH_A] = false;
        truth.dead[BRANCH_A] = true;
        pass(&truth, 20 * NS_PER_S);
        assert_nothing_learnt(&truth);
        assert_int_equal(stand_counters(&truth.stand)->limit_cuts, leases_cut);
        assert_true(residual(&truth)->thrown > 0);
        stand_stop(&truth.stand);
    }
}

/* Where nothing would show the loss, all of every host may hang on B at any time. */
static void what_no_evidence_excludes_is_no_other_load(void **state)
{
    (void)state;
    struct truth truth;
    lay_out_dual(&truth, 500000, INDEX_NONE);
    open_truth(&truth);
    pass(&truth, 10 * NS_PER_S);
    truth.lost = true;
    pass(&truth, 20 * NS_PER_S);
    assert_nothing_learnt(&truth);
    assert_true(residual(&truth)->windows > 10);
    stand_stop(&truth.stand);
}

static void tell_inputs(struct truth *truth, uint16_t inputs)
{
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        truth->stand.host[h].flags = REPORT_PSU_KNOWN;
        truth->psu_inputs[h] = inputs;
    }
}

/* 1 kW on B beside 4 of hosts that draw half of what they have there. Where nothing shows that A is alive it
 * may be theirs; at the main they draw all they draw, whatever is lost. */
static void a_main_sees_what_a_branch_cannot(void **state)
{
    (void)state;
    struct truth truth;
    lay_out_dual(&truth, 500000, INDEX_NONE);
    open_truth(&truth);
    truth.other_mw[BRANCH_B] = KW;
    pass(&truth, 15 * NS_PER_S);
    assert_int_equal(learnt(&truth, BRANCH_B), 0);
    assert_in_range(learnt(&truth, MAIN), KW - KW / 20, KW + KW / 5);
    stand_stop(&truth.stand);
}

/* Once hosts say that all their supplies have power it is seen on B; that A is dark they see themselves. */
static void power_inputs_are_evidence(void **state)
{
    (void)state;
    struct truth truth;
    lay_out_dual(&truth, 500000, INDEX_NONE);
    tell_inputs(&truth, 3);
    open_truth(&truth);
    pass(&truth, 10 * NS_PER_S);
    assert_nothing_learnt(&truth);
    truth.lost = true;
    tell_inputs(&truth, 2);
    pass(&truth, 20 * NS_PER_S);
    assert_nothing_learnt(&truth);
    truth.other_mw[BRANCH_B] = KW;
    pass(&truth, 10 * NS_PER_S);
    assert_in_range(learnt(&truth, BRANCH_B), KW - KW / 20, KW + KW / 5);
    stand_stop(&truth.stand);
    lay_out_dual(&truth, 500000, INDEX_NONE);
    tell_inputs(&truth, 3);
    open_truth(&truth);
    truth.other_mw[BRANCH_B] = KW;
    pass(&truth, 15 * NS_PER_S);
    assert_in_range(learnt(&truth, BRANCH_B), KW - KW / 20, KW + KW / 5);
    stand_stop(&truth.stand);
}

/* One that tells counts as it tells: lit beside others of whom nothing is known, or dark on a feed that its
 * witness sees alive. */
static void every_host_tells_of_itself(void **state)
{
    (void)state;
    struct truth truth;
    lay_out_dual(&truth, 500000, INDEX_NONE);
    truth.draw_mw[0] = 8 * KW;
    truth.draw_mw[1] = truth.draw_mw[2] = truth.draw_mw[3] = 0;
    truth.stand.host[0].flags = REPORT_PSU_KNOWN;
    truth.psu_inputs[0] = 3;
    truth.other_mw[BRANCH_B] = KW;
    open_truth(&truth);
    pass(&truth, 15 * NS_PER_S);
    assert_in_range(learnt(&truth, BRANCH_B), KW - KW / 20, KW + KW / 5);
    stand_stop(&truth.stand);
    lay_out_dual(&truth, 500000, BRANCH_A);
    tell_inputs(&truth, 3);
    open_truth(&truth);
    pass(&truth, 10 * NS_PER_S);
    truth.host_lost[0] = true;
    truth.psu_inputs[0] = 2;
    pass(&truth, 20 * NS_PER_S);
    assert_true(permit_feeds_seen(&truth.stand.core->permits) >> LOSS & 1);
    assert_nothing_learnt(&truth);
    stand_stop(&truth.stand);
}

/* Both branches at the top, and the main's meter elsewhere on A's feed. */
static void watch_from_afar(struct truth *truth)
{
    lay_out_dual(truth, 500000, MAIN);
    truth->afar = true;
    truth->stand.node[BRANCH_A].ancestor_count = truth->stand.node[BRANCH_B].ancestor_count = 1;
    truth->stand.node[BRANCH_A].parent_count = truth->stand.node[BRANCH_B].parent_count = 0;
}

/* The feed lives, the branch has tripped: what hung on it hangs on B, and its meter shows that. */
static void a_branch_that_is_dead_is_seen_by_its_meter(void **state)
{
    (void)state;
    struct truth truth;
    watch_from_afar(&truth);
    open_truth(&truth);
    pass(&truth, 10 * NS_PER_S);
    truth.lost = truth.dead[BRANCH_A] = true;
    pass(&truth, 20 * NS_PER_S);
    assert_true(permit_feeds_seen(&truth.stand.core->permits) >> LOSS & 1);
    assert_nothing_learnt(&truth);
    stand_stop(&truth.stand);
}

/* The only witness may be silent for 10 s before anybody must take note: A's own meter still has volts. */
static void a_window_waits_for_late_evidence(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 24; i++) {
        struct truth truth;
        watch_from_afar(&truth);
        truth.stand.meter[MAIN].fresh_ns = 10 * NS_PER_S;
        open_truth(&truth);
        pass(&truth, 20 * NS_PER_S + i * (NS_PER_S / 2));
        truth.lost = truth.mute[MAIN] = true;
        pass(&truth, 30 * NS_PER_S);
        assert_nothing_learnt(&truth);
        stand_stop(&truth.stand);
    }
}

static void pass_to_next_window(struct truth *truth)
{
    for (int64_t begin_ns = residual(truth)->begin_ns; residual(truth)->begin_ns == begin_ns;)
        pass(truth, STEP_NS);
}

/* Lost all through every window, shown for a moment behind it, and well again when the window is looked
 * at: it had turned. */
static void a_feed_that_turned_and_is_well_again_spoils_the_window(void **state)
{
    (void)state;
    struct truth truth;
    watch_from_afar(&truth);
    truth.stand.meter[MAIN].fresh_ns = 10 * NS_PER_S;
    open_truth(&truth);
    for (uint32_t i = 0; i < 6; i++) {
        pass_to_next_window(&truth);
        pass(&truth, 4 * NS_PER_S);
        truth.dead[MAIN] = true;
        pass(&truth, NS_PER_S / 10);
        truth.dead[MAIN] = truth.lost = false;
        pass(&truth, 2 * NS_PER_S);
        truth.lost = true;
    }
    assert_nothing_learnt(&truth);
    stand_stop(&truth.stand);
}

/* Synchronous pulses of 65 %, of many lengths, reports spread over their interval or all at once, and also
 * always in the low of a pulse: nothing is other load. */
static void pulses_are_no_other_load(void **state)
{
    (void)state;
    static const struct {
        uint32_t high, steps;
        bool in_step;
    } pulse[] = {{1, 2, 0},  {5, 10, 0},  {10, 20, 1}, {1, 20, 1},   {18, 20, 1}, {62, 125, 0},
                 {62, 125, 1}, {110, 125, 0}, {31, 62, 1}, {4, 20, 1}, {16, 20, 1}, {250, 500, 0}};
    for (uint32_t i = 0; i < sizeof pulse / sizeof *pulse; i++) {
        struct truth truth;
        lay_out(&truth);
        truth.low_percent = 35;
        truth.high_steps = pulse[i].high;
        truth.steps = pulse[i].steps;
        truth.in_step = pulse[i].in_step;
        open_truth(&truth);
        pass(&truth, 60 * NS_PER_S);
        assert_nothing_learnt(&truth);
        assert_int_equal(stand_counters(&truth.stand)->invariant_failures, 0);
        stand_stop(&truth.stand);
    }
}

/* Short lows that reports see by chance hide nothing: 2 kW beside 8 is found. */
static void other_load_is_found_beside_pulses_that_reports_show(void **state)
{
    (void)state;
    struct truth truth;
    lay_out(&truth);
    truth.low_percent = 35;
    truth.high_steps = 117;
    truth.steps = 123;
    open_truth(&truth);
    truth.other_mw[BRANCH_A] = 2 * KW;
    pass(&truth, 40 * NS_PER_S);
    assert_in_range(learnt(&truth, BRANCH_A), KW, 3 * KW);
    stand_stop(&truth.stand);
}

static void a_meter_within_its_error_is_no_other_load(void **state)
{
    (void)state;
    struct truth truth;
    lay_out(&truth);
    for (uint32_t n = 0; n < STAND_NODES; n++) {
        truth.stand.meter[n].error_ppm = 80000;
        truth.error_ppm[n] = 80000;
    }
    open_truth(&truth);
    pass(&truth, 30 * NS_PER_S);
    assert_nothing_learnt(&truth);
    assert_true(residual(&truth)->windows >= 15);
    stand_stop(&truth.stand);
}

static void hosts_within_their_error_are_no_other_load(void **state)
{
    (void)state;
    struct truth truth;
    lay_out(&truth);
    truth.told_percent = 96;
    open_truth(&truth);
    pass(&truth, 30 * NS_PER_S);
    assert_nothing_learnt(&truth);
    stand_stop(&truth.stand);
}

/* What it repeats would be other load when hosts draw less. */
static void a_frozen_meter_teaches_nothing_and_forgets_nothing(void **state)
{
    (void)state;
    struct truth truth;
    lay_out(&truth);
    truth.other_mw[BRANCH_B] = 2 * KW;
    open_truth(&truth);
    pass(&truth, 10 * NS_PER_S);
    int64_t known_mva = learnt(&truth, BRANCH_B);
    assert_true(known_mva >= 2 * KW - KW / 10);
    truth.frozen[BRANCH_A] = truth.frozen[BRANCH_B] = truth.frozen[MAIN] = true;
    truth.other_mw[BRANCH_B] = 0;
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        truth.draw_mw[h] = KW;
    pass(&truth, 150 * NS_PER_S);
    assert_int_equal(learnt(&truth, BRANCH_A), 0);
    assert_int_equal(learnt(&truth, BRANCH_B), known_mva);
    truth.frozen[BRANCH_A] = truth.frozen[BRANCH_B] = truth.frozen[MAIN] = false;
    pass(&truth, 75 * NS_PER_S);
    assert_int_equal(learnt(&truth, BRANCH_B), 0);
    stand_stop(&truth.stand);
}

/* A dead meter, and one that is not heard. */
static void a_meter_that_reads_nothing_teaches_nothing(void **state)
{
    (void)state;
    struct truth truth;
    lay_out(&truth);
    truth.dead[MAIN] = truth.mute[BRANCH_A] = true;
    truth.other_mw[BRANCH_A] = 3 * KW;
    open_truth(&truth);
    pass(&truth, 20 * NS_PER_S);
    assert_int_equal(learnt(&truth, BRANCH_A), 0);
    assert_int_equal(learnt(&truth, MAIN), 0);
    stand_stop(&truth.stand);
}

/* It draws 4 kW of the lease that it holds when it is heard no more: that is no other load, and what is
 * beyond what it may draw is. */
static void a_silent_host_counts_at_what_it_may_draw(void **state)
{
    (void)state;
    struct truth truth;
    lay_out(&truth);
    open_truth(&truth);
    pass(&truth, 10 * NS_PER_S);
    truth.stand.host[0].draw_mw = 0;
    truth.draw_mw[0] = KW;              /* says so, and takes its lease up once it is silent */
    pass(&truth, 300 * NS_PER_MS);
    int64_t may_mw = stand_exposure_mw(&truth.stand, 0);
    assert_true(may_mw >= 4 * KW);
    truth.stand.host[0].mute = true;
    truth.draw_mw[0] = may_mw;
    pass(&truth, 20 * NS_PER_S);
    assert_nothing_learnt(&truth);
    truth.stand.host[0].mute = false;
    truth.draw_mw[0] = KW;
    pass(&truth, 20 * NS_PER_S);
    assert_nothing_learnt(&truth);
    stand_stop(&truth.stand);
}

/* Heard every 2 s alone, drawing little whenever it is: a report does not tell what was drawn before it. */
static void what_a_host_tells_says_nothing_of_the_time_that_it_was_silent(void **state)
{
    (void)state;
    struct truth truth;
    lay_out(&truth);
    open_truth(&truth);
    pass(&truth, 10 * NS_PER_S);
    for (uint32_t i = 0; i < 10; i++) {
        truth.stand.host[0].mute = true;
        truth.draw_mw[0] = stand_exposure_mw(&truth.stand, 0);
        assert_true(truth.draw_mw[0] >= 2 * KW);
        pass(&truth, 1856 * NS_PER_MS);
        truth.stand.host[0].mute = false;
        truth.draw_mw[0] = KW / 10;
        pass(&truth, STEPS_OF_REPORT * STEP_NS);
        assert_nothing_learnt(&truth);
    }
    stand_stop(&truth.stand);
}

/* 1 kW at A, 1 kW at B, 2 kW at the main itself: there what is more than comes from below. */
static void a_parent_learns_what_its_children_do_not(void **state)
{
    (void)state;
    struct truth truth;
    lay_out(&truth);
    truth.other_mw[BRANCH_A] = truth.other_mw[BRANCH_B] = KW;
    open_truth(&truth);
    pass(&truth, 10 * NS_PER_S);
    int64_t children_mva = learnt(&truth, BRANCH_A) + learnt(&truth, BRANCH_B);
    assert_in_range(children_mva, 2 * KW - KW / 10, 2 * KW + KW / 2);
    assert_int_equal(learnt(&truth, MAIN), children_mva);
    truth.other_mw[MAIN] = 3 * KW;
    pass(&truth, 10 * NS_PER_S);
    assert_int_equal(learnt(&truth, BRANCH_A) + learnt(&truth, BRANCH_B), children_mva);
    assert_in_range(learnt(&truth, MAIN), 5 * KW - KW / 10, 5 * KW + KW);
    stand_stop(&truth.stand);
}

/* 1 kW below A is learnt there; main's meter sees it in every window. */
static void learn_below_a(struct truth *truth)
{
    lay_out(truth);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        truth->draw_mw[h] = KW;
    open_truth(truth);
    truth->other_mw[BRANCH_A] = KW;
    pass(truth, 30 * NS_PER_S);
    assert_in_range(learnt(truth, BRANCH_A), KW - KW / 20, KW + KW / 5);
    assert_int_equal(learnt(truth, MAIN), learnt(truth, BRANCH_A));
    truth->other_mw[BRANCH_A] = 0;
    truth->other_mw[MAIN] = KW;
}

/* It moves to main itself: A forgets it, and main never has less than its meter shows. */
static void what_a_child_forgets_a_parent_that_measures_it_keeps(void **state)
{
    (void)state;
    struct truth truth;
    learn_below_a(&truth);
    for (uint32_t i = 0; i < 1000; i++) {
        pass(&truth, NS_PER_S / 10);
        assert_true(learnt(&truth, MAIN) >= KW - KW / 20);
        assert_int_equal(truth.stand.core->ledger.node[MAIN].raised_mva[1], learnt(&truth, MAIN));
    }
    assert_int_equal(learnt(&truth, BRANCH_A), 0);
    assert_true(learnt(&truth, MAIN) <= KW + KW / 5);
    truth.other_mw[MAIN] = 0;
    pass(&truth, 75 * NS_PER_S);
    assert_int_equal(learnt(&truth, MAIN), 0);
    assert_int_equal(stand_counters(&truth.stand)->invariant_failures, 0);
    stand_stop(&truth.stand);
}

/* The same, and main's meter is lost 10 s after: it forgets nothing until it is back. */
static void a_lost_meter_keeps_what_a_child_forgets(void **state)
{
    (void)state;
    struct truth truth;
    learn_below_a(&truth);
    pass(&truth, 10 * NS_PER_S);
    truth.mute[MAIN] = true;
    pass(&truth, 120 * NS_PER_S);
    assert_int_equal(learnt(&truth, BRANCH_A), 0);
    assert_in_range(learnt(&truth, MAIN), KW - KW / 20, KW + KW / 5);
    assert_int_equal(truth.stand.core->ledger.node[MAIN].raised_mva[0], learnt(&truth, MAIN));
    truth.mute[MAIN] = false;
    pass(&truth, 10 * NS_PER_S);
    assert_in_range(learnt(&truth, MAIN), KW - KW / 20, KW + KW / 5);
    truth.other_mw[MAIN] = 0;
    pass(&truth, 75 * NS_PER_S);
    assert_int_equal(learnt(&truth, MAIN), 0);
    assert_int_equal(stand_counters(&truth.stand)->invariant_failures, 0);
    stand_stop(&truth.stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_single_phase_node_counts_where_its_hosts_hang),
        cmocka_unit_test(a_load_that_appears_is_learnt_and_forgotten_when_gone),
        cmocka_unit_test(readings_of_spoilt_windows_raise_what_is_learnt_and_forget_nothing),
        cmocka_unit_test(what_is_configured_counts_first_and_the_step_on_top),
        cmocka_unit_test(a_feed_that_is_lost_unseen_is_no_other_load),
        cmocka_unit_test(what_no_evidence_excludes_is_no_other_load),
        cmocka_unit_test(a_main_sees_what_a_branch_cannot),
        cmocka_unit_test(power_inputs_are_evidence),
        cmocka_unit_test(every_host_tells_of_itself),
        cmocka_unit_test(a_branch_that_is_dead_is_seen_by_its_meter),
        cmocka_unit_test(a_window_waits_for_late_evidence),
        cmocka_unit_test(a_feed_that_turned_and_is_well_again_spoils_the_window),
        cmocka_unit_test(pulses_are_no_other_load),
        cmocka_unit_test(other_load_is_found_beside_pulses_that_reports_show),
        cmocka_unit_test(a_meter_within_its_error_is_no_other_load),
        cmocka_unit_test(hosts_within_their_error_are_no_other_load),
        cmocka_unit_test(a_frozen_meter_teaches_nothing_and_forgets_nothing),
        cmocka_unit_test(a_meter_that_reads_nothing_teaches_nothing),
        cmocka_unit_test(a_silent_host_counts_at_what_it_may_draw),
        cmocka_unit_test(what_a_host_tells_says_nothing_of_the_time_that_it_was_silent),
        cmocka_unit_test(a_parent_learns_what_its_children_do_not),
        cmocka_unit_test(what_a_child_forgets_a_parent_that_measures_it_keeps),
        cmocka_unit_test(a_lost_meter_keeps_what_a_child_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
