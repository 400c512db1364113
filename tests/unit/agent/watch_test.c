/* SPDX-License-Identifier: Apache-2.0 */
/* What the watchdog decides, as a function. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/watch.h"

#define S NS_PER_S

static void the_word_arms_it_when_it_passes(void **state)
{
    (void)state;
    assert_false(watch_is_armed(100 * S, 99 * S, 100 * S - 1));
    assert_true(watch_is_armed(100 * S, 99 * S, 100 * S));
    assert_true(watch_is_armed(WORD_PASSED_NS, 100 * S, 100 * S));
    /* also where the agent is gone: its lease stands */
    assert_false(watch_is_armed(200 * S, 0, 100 * S));
}

static void fail_safe_in_force_is_believed_while_the_agent_lives(void **state)
{
    (void)state;
    assert_false(watch_is_armed(0, 100 * S, 100 * S + WATCH_AGENT_GONE_NS));
    assert_true(watch_is_armed(0, 100 * S, 100 * S + WATCH_AGENT_GONE_NS + 1));
    assert_true(watch_is_armed(0, 0, 100 * S));
    assert_false(watch_is_armed(0, 100 * S, 99 * S));           /* a beat from after we looked at the clock */
}

static void it_looks_again_at_the_deadline_or_sooner(void **state)
{
    (void)state;
    assert_int_equal(watch_next_ns(100 * S, 50 * S), 50 * S + WATCH_POLL_NS);
    assert_int_equal(watch_next_ns(50 * S + 7, 50 * S), 50 * S + 7);
    assert_int_equal(watch_next_ns(50 * S, 50 * S), 50 * S + WATCH_POLL_NS);
    assert_int_equal(watch_next_ns(0, 50 * S), 50 * S + WATCH_POLL_NS);
}

static void it_writes_what_is_above_or_unknown(void **state)
{
    (void)state;
    assert_int_equal(watch_cap_mw(true, 500001, 500000), 500000);
    assert_int_equal(watch_cap_mw(true, -1, 500000), 500000);
    assert_int_equal(watch_cap_mw(true, 500000, 500000), -1);
    assert_int_equal(watch_cap_mw(true, 100, 500000), -1);
    assert_int_equal(watch_cap_mw(false, 700000, 500000), -1);
}

static void what_a_lower_limit_hides_is_above_too(void **state)
{
    (void)state;
    struct hand_seen seen = {.enforced_mw = 300000, .kept_mw = 700000};
    assert_int_equal(watch_cap_mw(true, watch_standing_mw(&seen), 500000), 500000);
    seen.kept_mw = 500000;
    assert_int_equal(watch_cap_mw(true, watch_standing_mw(&seen), 500000), -1);
    seen = (struct hand_seen){.enforced_mw = 700000, .kept_mw = -1};    /* it does not tell */
    assert_int_equal(watch_cap_mw(true, watch_standing_mw(&seen), 500000), 500000);
    seen = (struct hand_seen){-1, -1};
    assert_int_equal(watch_standing_mw(&seen), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_word_arms_it_when_it_passes),
        cmocka_unit_test(fail_safe_in_force_is_believed_while_the_agent_lives),
        cmocka_unit_test(it_looks_again_at_the_deadline_or_sooner),
        cmocka_unit_test(it_writes_what_is_above_or_unknown),
        cmocka_unit_test(what_a_lower_limit_hides_is_above_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
