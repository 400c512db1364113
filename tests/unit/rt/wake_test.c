/* SPDX-License-Identifier: Apache-2.0 */
/* Wake-ups: quantiles of known samples, and that a run gives samples of the order that they must have. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/time.h>
#include <time.h>

#include <cmocka.h>

#include "msg/limits.h"
#include "rt/wake.h"

enum { ROOM = 200 };

static void quantiles_are_samples(void **state)
{
    uint32_t late[ROOM];
    struct wake w = {.late_ns = late, .room = ROOM, .count = 100};
    (void)state;
    for (uint32_t i = 0; i < 100; i++)
        late[i] = 100 - i;              /* 100 down to 1 */
    assert_int_equal(wake_quantile_ns(&w, 0.5), 50);
    assert_int_equal(wake_quantile_ns(&w, 0.99), 99);
    assert_int_equal(wake_quantile_ns(&w, 0.999), 100);
    assert_int_equal(wake_quantile_ns(&w, 1.0), 100);
    assert_int_equal(wake_quantile_ns(&w, 0.0), 1);
    w.count = 0;
    assert_int_equal(wake_quantile_ns(&w, 0.5), 0);
}

static void a_sleeper_is_woken_by_the_clock(void **state)
{
    uint32_t late[ROOM];
    struct wake w = {.late_ns = late, .room = 20};
    (void)state;
    assert_int_equal(wake_sleep_run(&w, NS_PER_MS, 30 * NS_PER_S), 0);
    assert_int_equal(w.count, 20);      /* the room ends it long before the time */
    assert_true(wake_quantile_ns(&w, 0.5) > 0);
}

static void a_sleeper_is_woken_by_another_thread(void **state)
{
    uint32_t late[ROOM];
    struct wake w = {.late_ns = late, .room = ROOM};
    (void)state;
    assert_int_equal(wake_event_run(&w, -1, NS_PER_MS, 50 * NS_PER_MS), 0);
    assert_true(w.count > 0 && w.count <= 50);
    assert_true(wake_quantile_ns(&w, 0.5) > 0);
}

static void stand_still(int signal)
{
    const struct timespec held = {.tv_nsec = 30 * NS_PER_MS};
    (void)signal;
    nanosleep(&held, NULL);
}

/* The reader stands still for 30 ms while some thirty events come: each has waited, not the newest alone. */
static void events_that_came_together_have_all_waited(void **state)
{
    uint32_t late[ROOM], long_ago = 0;
    struct wake w = {.late_ns = late, .room = ROOM};
    const struct sigaction action = {.sa_handler = stand_still, .sa_flags = SA_RESTART};
    const struct itimerval once = {.it_value = {.tv_usec = 10000}};
    (void)state;
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &once, NULL), 0);
    assert_int_equal(wake_event_run(&w, -1, NS_PER_MS, 80 * NS_PER_MS), 0);
    for (uint32_t i = 0; i < w.count; i++)
        long_ago += w.late_ns[i] > 5 * NS_PER_MS;
    assert_true(long_ago > 1 && wake_quantile_ns(&w, 1) > 10 * NS_PER_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_samples),
        cmocka_unit_test(a_sleeper_is_woken_by_the_clock),
        cmocka_unit_test(a_sleeper_is_woken_by_another_thread),
        cmocka_unit_test(events_that_came_together_have_all_waited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
