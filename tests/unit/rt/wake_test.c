/* SPDX-License-Identifier: Apache-2.0 */
/* Wake-ups: quantiles of known samples, and that a run gives samples of the order that they must have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_samples),
        cmocka_unit_test(a_sleeper_is_woken_by_the_clock),
        cmocka_unit_test(a_sleeper_is_woken_by_another_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
