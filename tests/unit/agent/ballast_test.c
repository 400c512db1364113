/* SPDX-License-Identifier: Apache-2.0 */
/* The filler: it turns while it is told to, no more than it is told to, and lets go by itself. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "agent/ballast_meter.h"

#define W INT64_C(1000)
#define PATIENCE_NS (60 * NS_PER_S)

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void rest(int64_t ns)
{
    nanosleep(&(struct timespec){.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S}, NULL);
}

/* Processor time of the filler's first thread. */
static int64_t burnt_ns(const struct ballast *ballast)
{
    clockid_t clock;
    assert_int_equal(pthread_getcpuclockid(ballast->thread[0].thread, &clock), 0);
    return clock_ns(clock);
}

static void the_level_is_what_was_told_last_and_no_longer_than_that(void **state)
{
    (void)state;
    struct ballast ballast = {.most_mw = 400 * W};
    assert_int_equal(ballast_level_ppm(&ballast, 1), 0);
    ballast_set(&ballast, 100 * W, NS_PER_S, INT64_MAX);
    assert_int_equal(ballast_level_ppm(&ballast, NS_PER_S), 250000);
    assert_int_equal(ballast_level_ppm(&ballast, NS_PER_S + BALLAST_HOLD_NS - 1), 250000);
    assert_int_equal(ballast_level_ppm(&ballast, NS_PER_S + BALLAST_HOLD_NS), 0);
    ballast_set(&ballast, 100 * W, NS_PER_S, NS_PER_S + 10);       /* the lease ends sooner */
    assert_int_equal(ballast_level_ppm(&ballast, NS_PER_S + 9), 250000);
    assert_int_equal(ballast_level_ppm(&ballast, NS_PER_S + 10), 0);
    ballast_set(&ballast, 900 * W, NS_PER_S, INT64_MAX);
    assert_int_equal(ballast_level_ppm(&ballast, NS_PER_S), PPM);
    ballast_set(&ballast, -5, NS_PER_S, INT64_MAX);
    assert_int_equal(ballast_level_ppm(&ballast, NS_PER_S), 0);
}

static void it_turns_while_it_is_told_to_and_rests_by_itself(void **state)
{
    (void)state;
    struct ballast ballast = {0};
    assert_int_equal(ballast_start(&ballast, 400 * W, 2), 0);
    int64_t end_ns = clock_ns(CLOCK_MONOTONIC) + PATIENCE_NS;
    while (burnt_ns(&ballast) < 30 * NS_PER_MS) {
        assert_true(clock_ns(CLOCK_MONOTONIC) < end_ns);
        ballast_set(&ballast, 400 * W, clock_ns(CLOCK_MONOTONIC), INT64_MAX);
        rest(20 * NS_PER_MS);
    }
    rest(2 * BALLAST_HOLD_NS);      /* nobody tells it anything any more */
    int64_t before_ns = burnt_ns(&ballast);
    rest(NS_PER_S);
    assert_true(burnt_ns(&ballast) - before_ns < 300 * NS_PER_MS);  /* turning all the time would be more */
    ballast_stop(&ballast);
    assert_int_equal(ballast.threads, 0);
}

static void half_is_no_more_than_half(void **state)
{
    (void)state;
    struct ballast ballast = {0};
    assert_int_equal(ballast_start(&ballast, 400 * W, 1), 0);
    int64_t began_ns = clock_ns(CLOCK_MONOTONIC), now_ns = began_ns;
    while ((now_ns = clock_ns(CLOCK_MONOTONIC)) - began_ns < NS_PER_S) {
        ballast_set(&ballast, 200 * W, now_ns, INT64_MAX);
        rest(20 * NS_PER_MS);
    }
    int64_t burnt = burnt_ns(&ballast), took_ns = clock_ns(CLOCK_MONOTONIC) - began_ns;
    assert_true(burnt <= took_ns * 6 / 10);
    ballast_stop(&ballast);
}

static void none_is_started_where_none_is_wanted(void **state)
{
    (void)state;
    struct ballast ballast = {0};
    assert_int_equal(ballast_start(&ballast, 0, 4), 0);
    assert_int_equal(ballast.threads, 0);
    ballast_set(&ballast, 100 * W, 1, INT64_MAX);
    assert_int_equal(ballast_level_ppm(&ballast, 1), 0);
    ballast_stop(&ballast);
    assert_int_equal(ballast_start(&ballast, 1, BALLAST_THREADS_MAX + 1), -EINVAL);
}

/* 500 W at full turn beside packages that draw 100 W to 400 W of their own, which come and go by no rule
 * of the filler's. */
static void what_it_adds_is_told_from_what_comes_and_goes_beside_it(void **state)
{
    (void)state;
    struct ballast_fit fit = {0};
    uint32_t random = 20260101;
    double own_mw = 100.0 * W;
    print_message("seed %u\n", random);
    for (int look = 0; look < 2000; look++) {
        double part = look / 4 % 2 ? 0.9 : 0.1;
        random = random * 1664525 + 1013904223;
        if (random >> 28 == 0)
            own_mw = (double)(100 + (random >> 12) % 300) * 1000.0;
        ballast_fit_add(&fit, part, own_mw + 500000.0 * part);
        if (look > 200)
            assert_in_range(ballast_fit_full_mw(&fit), 250 * W, 750 * W);
    }
}

static void nothing_is_told_of_a_filler_that_does_not_move(void **state)
{
    (void)state;
    struct ballast_fit fit = {0};
    for (int look = 0; look < 1000; look++) {
        ballast_fit_add(&fit, look % 2 ? 0.51 : 0.5, look % 3 ? 100000 : 400000);
        assert_int_equal(ballast_fit_full_mw(&fit), 0);
    }
    struct ballast_fit still = {0};
    for (int look = 0; look < 1000; look++)     /* it turns, and nobody's draw follows */
        ballast_fit_add(&still, look % 2 ? 1 : 0, 100000);
    assert_int_equal(ballast_fit_full_mw(&still), 0);
}

static void one_that_draws_more_than_it_may_turns_less(void **state)
{
    (void)state;
    struct ballast ballast = {.most_mw = 400 * W};
    atomic_store(&ballast.full_mw, 800 * W);
    ballast_set(&ballast, 400 * W, NS_PER_S, INT64_MAX);
    assert_int_equal(ballast_level_ppm(&ballast, NS_PER_S), PPM / 2);
    atomic_store(&ballast.full_mw, 200 * W);    /* less than was thought: no more than was asked for either */
    ballast_set(&ballast, 400 * W, NS_PER_S, INT64_MAX);
    assert_int_equal(ballast_level_ppm(&ballast, NS_PER_S), PPM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_level_is_what_was_told_last_and_no_longer_than_that),
        cmocka_unit_test(it_turns_while_it_is_told_to_and_rests_by_itself),
        cmocka_unit_test(half_is_no_more_than_half),
        cmocka_unit_test(none_is_started_where_none_is_wanted),
        cmocka_unit_test(what_it_adds_is_told_from_what_comes_and_goes_beside_it),
        cmocka_unit_test(nothing_is_told_of_a_filler_that_does_not_move),
        cmocka_unit_test(one_that_draws_more_than_it_may_turns_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
