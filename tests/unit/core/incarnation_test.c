/* SPDX-License-Identifier: Apache-2.0 */
/* Which of two incarnations of a host is the present one (safety.md section 3): a late report of one that
 * nobody had heard of looks like a reset, and may not lock out the one that lives. D is 1 s. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "stand.h"

enum { LIVE = 0x1000, LATE = 0xDEAD };

/* Host 0 is known, bounded, and has been heard just now; then something of another incarnation arrives. */
static struct report after_a_late_one(struct stand *stand)
{
    stand_site(stand);
    stand_start(stand);
    stand_admit(stand, 0);
    stand_obey(stand, 0);
    assert_int_equal(stand_exposure_mw(stand, 0), FAIL_SAFE_MW);
    struct report late = stand_report_of(stand, 0, HOST_FAIL_SAFE, A_NS);
    late.incarnation = LATE;
    late.number = 5000;
    assert_non_null(stand_report(stand, &late));
    assert_int_equal(stand_exposure_mw(stand, 0), PHYS_MAX_MW);
    return late;
}

static struct report live_report(struct stand *stand)
{
    struct report report = stand_report_of(stand, 0, HOST_FAIL_SAFE, A_NS);
    report.incarnation = LIVE;
    return report;
}

static bool taken(struct stand *stand, const struct report *report)
{
    uint64_t stale = stand_counters(stand)->reports_stale;
    stand_report(stand, report);
    return stand_counters(stand)->reports_stale == stale;
}

static void the_one_that_lives_comes_back_after_d(void **state)
{
    (void)state;
    struct stand stand;
    after_a_late_one(&stand);
    for (int64_t waited_ns = 0; waited_ns < NS_PER_S; waited_ns += 100 * NS_PER_MS) {
        stand_wait(&stand, 100 * NS_PER_MS);
        struct report report = live_report(&stand);
        assert_false(taken(&stand, &report));
    }
    assert_int_equal(stand_counters(&stand)->resets, 1);
    stand_wait(&stand, 1);
    struct report report = live_report(&stand);
    assert_true(taken(&stand, &report));
    assert_int_equal(stand_counters(&stand)->resets, 2);
    /* as after any reset: phys_max, until it shows a lease of now */
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    assert_int_equal(stand.host[0].last.kind, FRAME_CLAIM);
    assert_int_equal(stand.host[0].last.incarnation, LIVE);
    stand_obey(&stand, 0);
    assert_int_equal(stand_exposure_mw(&stand, 0), FAIL_SAFE_MW);
    stand_stop(&stand);
}

/* What the late one was sent is with nobody, but counts until a report says otherwise; nothing that the live
 * one applied before is evidence. */
static void what_it_held_before_is_no_evidence(void **state)
{
    (void)state;
    struct stand stand;
    after_a_late_one(&stand);
    uint64_t applied = stand.host[0].last.sequence - 1;
    stand_wait(&stand, NS_PER_S + 1);
    for (int i = 0; i < 3; i++) {
        struct report report = live_report(&stand);
        report.epoch = stand.epoch;
        report.applied = applied;
        stand_report(&stand, &report);
    }
    assert_int_equal(stand.core->ledger.host[0].incarnation, LIVE);
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    stand_stop(&stand);
}

static void while_the_newer_one_reports_the_other_stays_out(void **state)
{
    (void)state;
    struct stand stand;
    struct report newer = after_a_late_one(&stand);
    for (int i = 0; i < 50; i++) {
        stand_wait(&stand, 100 * NS_PER_MS);
        struct report old = live_report(&stand);
        assert_false(taken(&stand, &old));
        newer.number++;
        assert_true(taken(&stand, &newer));
    }
    assert_int_equal(stand_counters(&stand)->resets, 1);
    stand_stop(&stand);
}

/* The newer one is silent, and somebody repeats what the other said long ago. */
static void what_was_said_before_brings_nobody_back(void **state)
{
    (void)state;
    struct stand stand;
    struct report said[3];
    stand_site(&stand);
    stand_start(&stand);
    stand_admit(&stand, 0);
    for (int i = 0; i < 3; i++) {
        said[i] = live_report(&stand);
        said[i].epoch = stand.epoch;
        assert_true(taken(&stand, &said[i]));
    }
    struct report newer = live_report(&stand);
    newer.incarnation = LATE;
    assert_true(taken(&stand, &newer));
    stand_wait(&stand, 10 * NS_PER_S);
    for (int i = 0; i < 12; i++)
        assert_false(taken(&stand, &said[i % 3]));
    /* nor one newer report, however often */
    struct report report = live_report(&stand);
    for (int i = 0; i < 12; i++)
        assert_false(taken(&stand, &report));
    assert_int_equal(stand.core->ledger.host[0].incarnation, LATE);
    stand_stop(&stand);
}

static void each_report_of_the_present_one_begins_the_count_anew(void **state)
{
    (void)state;
    struct stand stand;
    struct report newer = after_a_late_one(&stand);
    for (int i = 0; i < 2; i++) {
        struct report old = live_report(&stand);
        assert_false(taken(&stand, &old));
    }
    newer.number++;
    assert_true(taken(&stand, &newer));
    stand_wait(&stand, 2 * NS_PER_S);
    for (int i = 0; i < 2; i++) {
        struct report old = live_report(&stand);
        assert_false(taken(&stand, &old));
    }
    struct report old = live_report(&stand);
    assert_true(taken(&stand, &old));
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_one_that_lives_comes_back_after_d),
        cmocka_unit_test(what_it_held_before_is_no_evidence),
        cmocka_unit_test(while_the_newer_one_reports_the_other_stays_out),
        cmocka_unit_test(what_was_said_before_brings_nobody_back),
        cmocka_unit_test(each_report_of_the_present_one_begins_the_count_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
