/* SPDX-License-Identifier: Apache-2.0 */
/* What threads ask of the kernel, asked back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>

#include <cmocka.h>

#include "rt/thread.h"

static void *ask_slack(void *slack_ns)
{
    *(int *)slack_ns = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
    return NULL;
}

static void sleeps_of_threads_started_from_then_on_end_when_they_are_due(void **state)
{
    (void)state;
    int slack_ns = 0;
    pthread_t thread;

    assert_int_equal(prctl(PR_SET_TIMERSLACK, 50000UL, 0UL, 0UL, 0UL), 0);
    assert_int_equal(rt_spawn(&thread, "before", ask_slack, &slack_ns), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(slack_ns, 50000);
    assert_int_equal(rt_sharp_timers(), 0);
    assert_int_equal(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 1);
    assert_int_equal(rt_spawn(&thread, "behind", ask_slack, &slack_ns), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(slack_ns, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sleeps_of_threads_started_from_then_on_end_when_they_are_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
