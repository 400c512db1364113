/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One lease in one slot to every host below what must come down, by hand on the stand: hosts 0 and 1 hang on
 * branch A and hold 6 and 8 kW, 4 and 6 above their fail-safe caps of 2; hosts 2 and 3 on B hold 3 each. A
 * target gives away 32 mVA for the rounding of two hosts; the factor of what is above fail-safe is in
 * millionths, by whole VA, rounded down.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "core/guard.h"
#include "stand.h"

#define KW INT64_C(1000000)
#define W INT64_C(1000)

static void holds(struct stand *stand, uint32_t host, int64_t cap_mw)
{
    ledger_enter(&stand->core->ledger, host, cap_mw);
    stand->core->ledger.host[host].draw_mw = cap_mw;
}

static void open_stand(struct stand *stand)
{
    stand_site(stand);
    stand_start(stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
    holds(stand, 0, 6 * KW);
    holds(stand, 1, 8 * KW);
    holds(stand, 2, 3 * KW);
    holds(stand, 3, 3 * KW);
}

static void set_limits(struct stand *stand, int64_t limit_mva, int64_t steady_mva)
{
    struct ledger_sums *sums = &stand->core->ledger.node[BRANCH_A];
    for (uint32_t p = 0; p < PHASES; p++) {
        sums->limit_mva[0][p] = limit_mva;
        sums->steady_mva[0][p] = steady_mva;
    }
    memset(sums->left_mva, 0, sizeof sums->left_mva);       /* nothing is known to be left */
}

/* What is marked is cut in a slot of its own. */
static void run(struct stand *stand)
{
    static const struct slot slot;
    stand->core->slot = &slot;
    stand->core->steps++;
    stand->outbox.count = 0;
    cut_run(stand->core);
}

static const struct egress *lease_of(const struct stand *stand, uint32_t host)
{
    const struct egress *found = NULL;
    for (uint32_t i = 0; i < stand->outbox.count; i++)
        if (stand->record[i].host == host) {
            assert_null(found);             /* one shot per host */
            found = &stand->record[i];
        }
    return found;
}

static void check(const struct stand *stand, uint32_t host, int64_t cap_mw, enum egress_why why,
                  bool emergency)
{
    const struct egress *lease = lease_of(stand, host);
    assert_non_null(lease);
    assert_int_equal(lease->cap_mw, cap_mw);
    assert_int_equal(lease->why, why);
    assert_int_equal(lease->flags, emergency ? LEASE_EMERGENCY : 0);
}

/* 10 kVA: 5999 of 10001 VA above the 4 kVA of fail-safe may stay, 599840 millionths. */
static void a_lower_limit_scales_what_is_above_fail_safe(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    set_limits(&stand, 10 * KW, 10 * KW);
    cut_mark(stand.core, BRANCH_A, CUT_LIMIT);
    uint64_t cuts = stand_counters(&stand)->limit_cuts;
    run(&stand);
    assert_int_equal(stand.outbox.count, 2);
    check(&stand, 0, 4399 * W, WHY_LIMIT, false);
    check(&stand, 1, 5599 * W, WHY_LIMIT, false);
    assert_int_equal(stand_counters(&stand)->limit_cuts, cuts + 1);
    assert_int_equal(stand.core->bound[0].term, BOUND_STEADY);
    assert_int_equal(stand.core->bound[0].node, BRANCH_A);
    run(&stand);                            /* and what was cut is not marked any more */
    assert_int_equal(stand.outbox.count, 0);
    stand_stop(&stand);
}

/* Its lease has run out at host 1, a report shows it at fail-safe, and that is what it counts for. Less
 * than the lease would be more than that: a cut raises nobody (I1b), so it has its fail-safe cap. */
static void a_cut_allows_no_more_than_a_host_counts_for(void **state)
{
    (void)state;
    struct stand stand;
    uint32_t retired;
    open_stand(&stand);
    struct ledger_host *host = &stand.core->ledger.host[1];
    struct report report = stand_report_of(&stand, 1, HOST_FAIL_SAFE, A_NS);
    report.applied = host->sequence;
    ledger_report(&stand.core->ledger, &report, stand.t_ns, &retired);
    assert_int_equal(retired, 1);
    assert_int_equal(host->newest_mw, 8 * KW);
    assert_int_equal(ledger_exposed_cap_mw(host), FAIL_SAFE_MW);
    set_limits(&stand, 10 * KW, 10 * KW);
    cut_mark(stand.core, BRANCH_A, CUT_LIMIT);
    run(&stand);
    check(&stand, 0, 4399 * W, WHY_LIMIT, false);
    check(&stand, 1, FAIL_SAFE_MW, WHY_LIMIT, false);
    assert_int_equal(ledger_exposed_cap_mw(host), FAIL_SAFE_MW);
    stand_stop(&stand);
}

/* S just at the limit is within it. */
static void a_sum_at_its_limit_is_left_alone(void **state)
{
    (void)state;
    for (int64_t over = 0; over < 2; over++) {
        struct stand stand;
        open_stand(&stand);
        set_limits(&stand, 14 * KW - over, 14 * KW - over);
        cut_mark(stand.core, BRANCH_A, CUT_LIMIT);
        run(&stand);
        assert_int_equal(stand.core->ledger.host[1].newest_mw < 8 * KW, over);
        stand_stop(&stand);
    }
}

/* What is lent falls on while heat rises: S goes to 0.97 of it. 8610 and 8609 VA of 10001 may stay; it was
 * host 1's 6 kW that told them apart. */
static void under_a_permit_the_target_is_097_of_what_may_be_lent(void **state)
{
    (void)state;
    for (int64_t less = 0; less < 2; less++) {
        struct stand stand;
        open_stand(&stand);
        set_limits(&stand, 13000033 - less, 10 * KW);
        cut_mark(stand.core, BRANCH_A, CUT_LIMIT);
        run(&stand);
        check(&stand, 0, 5443 * W, WHY_LIMIT, false);
        check(&stand, 1, (7165 - less) * W, WHY_LIMIT, false);
        stand_stop(&stand);
    }
}

/* But never below the steady limit: 12.9 kVA, which is more than 0.97 of 13. */
static void the_target_of_a_permit_is_not_below_the_steady_limit(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    set_limits(&stand, 13 * KW, 12900 * W);
    cut_mark(stand.core, BRANCH_A, CUT_LIMIT);
    run(&stand);
    check(&stand, 0, 5559 * W, WHY_LIMIT, false);   /* 8899 of 10001: 0.889811 of 4 kW */
    check(&stand, 1, 7338 * W, WHY_LIMIT, false);
    stand_stop(&stand);
}

/* In an emergency 0.95 of the steady limit: host 1 may keep 3603 or 3602 of 10001 VA above fail-safe; host 0
 * is below that by the shot itself, 0.75 of 3 kW that it draws. */
static void an_emergency_takes_the_least_of_its_shot_and_095_of_the_limit(void **state)
{
    (void)state;
    for (int64_t less = 0; less < 2; less++) {
        struct stand stand;
        open_stand(&stand);
        set_limits(&stand, 8003192 - less, 8003192 - less);
        stand.core->ledger.host[0].draw_mw = 3 * KW;
        cut_mark(stand.core, BRANCH_A, CUT_EMERGENCY);
        run(&stand);
        check(&stand, 0, 2250 * W, WHY_EMERGENCY, true);
        check(&stand, 1, (4161 - less) * W, WHY_EMERGENCY, true);
        assert_int_equal(stand.core->bound[1].term, BOUND_EMERGENCY);
        stand_stop(&stand);
    }
}

/* Both draw all they hold. Host 0: 542816 millionths of its whole cap give 0.95 of 8 kVA, less than the
 * 3.4 kW by what is above fail-safe and the shot of 4.5. Host 1: 2 kW and 359864 millionths of 6 are less
 * than 4.3. */
static void an_emergency_scales_the_whole_cap_where_that_is_less(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    set_limits(&stand, 8 * KW, 8 * KW);
    cut_mark(stand.core, BRANCH_A, CUT_EMERGENCY);
    run(&stand);
    check(&stand, 0, 3256 * W, WHY_EMERGENCY, true);
    check(&stand, 1, 4159 * W, WHY_EMERGENCY, true);
    stand_stop(&stand);
}

static void the_second_stage_is_fail_safe_for_everybody_below(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    cut_mark(stand.core, BRANCH_A, CUT_FAIL_SAFE);
    cut_mark(stand.core, BRANCH_A, CUT_LIMIT);      /* the gravest counts */
    run(&stand);
    assert_int_equal(stand.outbox.count, 2);
    check(&stand, 0, FAIL_SAFE_MW, WHY_FAIL_SAFE, true);
    check(&stand, 1, FAIL_SAFE_MW, WHY_FAIL_SAFE, true);
    stand_stop(&stand);
}

/* Main and branch in one slot: each host once, by the gravest and the least of both. */
static void a_host_below_two_marked_nodes_is_cut_once(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    set_limits(&stand, 10 * KW, 10 * KW);
    for (uint32_t p = 0; p < PHASES; p++)           /* 19 kVA: 10 of the 12 above fail-safe may stay */
        stand.core->ledger.node[MAIN].limit_mva[0][p] = 19 * KW;
    cut_mark(stand.core, MAIN, CUT_LIMIT);
    cut_mark(stand.core, BRANCH_A, CUT_LIMIT);
    run(&stand);
    assert_int_equal(stand.outbox.count, 4);
    check(&stand, 0, 4399 * W, WHY_LIMIT, false);
    check(&stand, 1, 5599 * W, WHY_LIMIT, false);
    check(&stand, 2, 2916 * W, WHY_LIMIT, false);   /* 10999 of 12001 */
    stand_stop(&stand);
}

/* What stands behind its cords, and behind the nodes above them, cuts nobody. */
static void a_host_is_cut_for_the_nodes_above_it_alone(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    stand.host_model[0].cord[1] = stand.host_model[0].cord[0];
    stand.host_model[0].cord[1].node = BRANCH_B;
    stand.node[BRANCH_A].ancestor[2] = BRANCH_B;
    set_limits(&stand, 10 * KW, 10 * KW);
    cut_mark(stand.core, BRANCH_B, CUT_FAIL_SAFE);
    cut_mark(stand.core, BRANCH_A, CUT_LIMIT);
    run(&stand);
    check(&stand, 0, 4399 * W, WHY_LIMIT, false);
    check(&stand, 1, 5599 * W, WHY_LIMIT, false);
    check(&stand, 2, FAIL_SAFE_MW, WHY_FAIL_SAFE, true);
    stand_stop(&stand);
}

/* No host has had a shot when a controller starts, however early; nothing behind the hosts is touched. */
static void at_first_every_host_has_its_shot_to_come(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    int64_t shot_ns[STAND_HOSTS + 1];
    for (uint32_t h = 0; h <= STAND_HOSTS; h++)
        shot_ns[h] = 77;
    stand.core->cuts.shot_ns = shot_ns;
    cut_init(stand.core);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        assert_true(shot_ns[h] < -1000000 * NS_PER_S);
    assert_int_equal(shot_ns[STAND_HOSTS], 77);
    stand.core->t_ns = 0;
    cut_mark(stand.core, BRANCH_A, CUT_EMERGENCY);
    run(&stand);
    check(&stand, 0, 4500 * W, WHY_EMERGENCY, true);        /* 0.75 of 6 kW */
    assert_int_equal(shot_ns[0], 0);
    /* the next one when the first stage has had its time, A + T_fresh, and not before */
    static const struct {
        int64_t t_ns, cap_mw;
    } then[] = {{A_NS + T_FRESH_NS - 1, 4500 * W}, {A_NS + T_FRESH_NS, 3375 * W}};
    for (uint32_t i = 0; i < 2; i++) {
        stand.core->t_ns = then[i].t_ns;
        cut_mark(stand.core, BRANCH_A, CUT_EMERGENCY);
        run(&stand);
        assert_int_equal(stand.core->ledger.host[0].newest_mw, then[i].cap_mw);
    }
    stand_stop(&stand);
}

/* A host at fail-safe gives nothing more where fail-safe is allowed anyway. */
static void a_host_at_fail_safe_is_not_asked_for_a_limit(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    holds(&stand, 0, FAIL_SAFE_MW);
    set_limits(&stand, 9 * KW, 9 * KW);
    cut_mark(stand.core, BRANCH_A, CUT_LIMIT);
    run(&stand);
    assert_null(lease_of(&stand, 0));
    assert_non_null(lease_of(&stand, 1));
    stand_stop(&stand);
}

/* Not even fail-safe caps fit: everybody goes there, to the site's figure, though host 1 says that its own is
 * higher. */
static void where_nothing_fits_everybody_goes_to_fail_safe(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    struct report report = stand_report_of(&stand, 1, HOST_LEASED, A_NS);
    report.fail_safe_mw = 2500 * W;
    stand_report(&stand, &report);
    holds(&stand, 1, 8 * KW);
    set_limits(&stand, 3 * KW, 3 * KW);
    cut_mark(stand.core, BRANCH_A, CUT_LIMIT);
    run(&stand);
    check(&stand, 0, FAIL_SAFE_MW, WHY_LIMIT, false);
    check(&stand, 1, FAIL_SAFE_MW, WHY_LIMIT, false);
    stand_stop(&stand);
}

/* Through the pipeline: host 1 starts anew and counts at phys_max; the branch cannot carry that beside
 * host 0, whose cut leaves in that slot, and host 1 is answered once. */
/* A planted defect: 5 kVA stand in S that no host holds, so the cut's own figures leave 13 of 10 kVA. What
 * was about to leave is fail-safe instead, and somebody is told. */
static void a_cut_that_leaves_too_much_gives_way_to_fail_safe(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    for (uint32_t p = 0; p < PHASES; p++)
        stand.core->ledger.node[BRANCH_A].newest_mva[0][p] += 5 * KW;
    set_limits(&stand, 10 * KW, 10 * KW);
    cut_mark(stand.core, BRANCH_A, CUT_LIMIT);
    uint64_t failures = stand_counters(&stand)->invariant_failures;
    run(&stand);
    assert_int_equal(stand.outbox.count, 2);
    check(&stand, 0, 2 * KW, WHY_FAIL_SAFE, false);
    check(&stand, 1, 2 * KW, WHY_FAIL_SAFE, false);
    assert_int_equal(stand_counters(&stand)->invariant_failures, failures + 2);
    stand_stop(&stand);
}

static void who_was_cut_in_a_slot_gets_no_other_answer(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    stand.host[1].incarnation++;
    stand.host[1].number = 0;
    struct report report = stand_report_of(&stand, 1, HOST_BOOT, 0);
    stand_report(&stand, &report);
    assert_non_null(lease_of(&stand, 0));
    assert_int_equal(lease_of(&stand, 0)->why, WHY_LIMIT);
    const struct egress *claim = lease_of(&stand, 1);
    assert_true(!claim || claim->why == WHY_CLAIM);
    assert_true(guard_has_sent(stand.core, 0));
    assert_false(guard_has_sent(stand.core, 2));
    struct report next = stand_report_of(&stand, 0, HOST_LEASED, A_NS);
    stand_report(&stand, &next);
    assert_false(guard_has_sent(stand.core, 1));    /* that was another slot */
    assert_non_null(lease_of(&stand, 0));
    stand_stop(&stand);
}

/* Time alone may end what was lent; whatever slot comes next cuts, also a report that is good for nothing. */
static void a_cut_does_not_wait_behind_a_stale_report(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand);
    struct report late = stand_report_of(&stand, 2, HOST_LEASED, A_NS);
    late.number = 1;
    ledger_scale_limit(&stand.core->ledger, BRANCH_A, 500000);
    uint64_t stale = stand_counters(&stand)->reports_stale;
    assert_null(stand_report(&stand, &late));
    assert_int_equal(stand_counters(&stand)->reports_stale, stale + 1);
    assert_int_equal(stand.outbox.count, 2);
    assert_int_equal(lease_of(&stand, 0)->why, WHY_LIMIT);
    assert_int_equal(lease_of(&stand, 1)->why, WHY_LIMIT);
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lower_limit_scales_what_is_above_fail_safe),
        cmocka_unit_test(a_cut_allows_no_more_than_a_host_counts_for),
        cmocka_unit_test(a_sum_at_its_limit_is_left_alone),
        cmocka_unit_test(under_a_permit_the_target_is_097_of_what_may_be_lent),
        cmocka_unit_test(the_target_of_a_permit_is_not_below_the_steady_limit),
        cmocka_unit_test(an_emergency_takes_the_least_of_its_shot_and_095_of_the_limit),
        cmocka_unit_test(an_emergency_scales_the_whole_cap_where_that_is_less),
        cmocka_unit_test(the_second_stage_is_fail_safe_for_everybody_below),
        cmocka_unit_test(a_host_below_two_marked_nodes_is_cut_once),
        cmocka_unit_test(a_host_is_cut_for_the_nodes_above_it_alone),
        cmocka_unit_test(at_first_every_host_has_its_shot_to_come),
        cmocka_unit_test(a_host_at_fail_safe_is_not_asked_for_a_limit),
        cmocka_unit_test(where_nothing_fits_everybody_goes_to_fail_safe),
        cmocka_unit_test(a_cut_that_leaves_too_much_gives_way_to_fail_safe),
        cmocka_unit_test(who_was_cut_in_a_slot_gets_no_other_answer),
        cmocka_unit_test(a_cut_does_not_wait_behind_a_stale_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
