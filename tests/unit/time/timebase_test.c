/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "msg/limits.h"
#include "time/timebase.h"
#include "time/tsc.h"

static int kernel_state = TIME_ERROR;

/* In the place of the C library's: what the kernel says here is this test's. */
int adjtimex(struct timex *told)
{
    assert_int_equal(told->modes, 0);       /* asked, never set */
    return kernel_state;
}

static int64_t system_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void sleep_ns(int64_t ns)
{
    struct timespec wait = {ns / NS_PER_S, ns % NS_PER_S};

    clock_nanosleep(CLOCK_MONOTONIC, 0, &wait, NULL);
}

/* The base's distance from CLOCK_MONOTONIC; the narrowest of many tries, since the machine is shared. */
static int64_t error_ns(const struct timebase *base)
{
    int64_t best = INT64_MAX, error = 0;

    for (int i = 0; i < 200; i++) {
        int64_t before = system_ns(CLOCK_MONOTONIC);
        int64_t own = timebase_now_ns(base);
        int64_t after = system_ns(CLOCK_MONOTONIC);

        if (after - before >= best)
            continue;
        best = after - before;
        error = own - (before + (after - before) / 2);
    }
    return error;
}

static int64_t magnitude(int64_t value)
{
    return value < 0 ? -value : value;
}

static void a_fresh_base_agrees_with_the_system_clocks(void **state)
{
    (void)state;
    struct timebase base;

    timebase_init(&base);
    assert_true(magnitude(error_ns(&base)) < 20 * NS_PER_US);

    int64_t real = timebase_realtime_ns(&base, timebase_now_ns(&base));
    assert_true(magnitude(real - system_ns(CLOCK_REALTIME)) < 20 * NS_PER_MS);
}

static void it_still_agrees_after_a_second_of_discipline(void **state)
{
    (void)state;
    struct timebase base;

    timebase_init(&base);
    for (int i = 0; i < 6; i++) {
        sleep_ns(200 * NS_PER_MS);
        timebase_discipline(&base);
    }
    assert_true(magnitude(error_ns(&base)) < 20 * NS_PER_US);
}

static void a_base_that_runs_slow_is_slewed_back_without_a_step(void **state)
{
    (void)state;
    struct timebase base;

    if (timebase_init(&base))
        skip();     /* no invariant counter here: nothing is slewed */

    /* Set back by 40 us as a wrong calibration would do: anchors of both lines, in the copy in use. */
    uint64_t word[SEQLOCK_WORDS];

    assert_true(seqlock_read(&base.map[base.current], word));
    word[1] -= 40 * NS_PER_US;
    word[4] -= 40 * NS_PER_US;
    seqlock_write(&base.map[base.current], word);

    int64_t start = error_ns(&base);
    assert_in_range(-start, 30 * NS_PER_US, 50 * NS_PER_US);

    int64_t last = timebase_now_ns(&base);
    for (int i = 0; i < 14; i++) {
        sleep_ns(110 * NS_PER_MS);
        timebase_discipline(&base);
        int64_t now = timebase_now_ns(&base);
        assert_true(now > last);
        last = now;
    }
    /* steered over 1 s for 1.5 s: about e^-1.4 of it is left */
    assert_true(magnitude(error_ns(&base)) < 20 * NS_PER_US);
}

static void no_discipline_steps_even_a_wildly_wrong_base(void **state)
{
    (void)state;
    struct timebase base;

    if (timebase_init(&base))
        skip();

    uint64_t word[SEQLOCK_WORDS];

    assert_true(seqlock_read(&base.map[base.current], word));
    word[1] += NS_PER_S;
    word[4] += NS_PER_S;
    seqlock_write(&base.map[base.current], word);
    sleep_ns(110 * NS_PER_MS);

    int64_t before = error_ns(&base);
    timebase_discipline(&base);
    sleep_ns(200 * NS_PER_MS);
    int64_t gone = before - error_ns(&base);

    /* a second ahead: 500 ppm over the 100 ms after the lead are 50 us, plus what the two readings miss */
    assert_in_range(gone, 20 * NS_PER_US, 500 * NS_PER_US);
}

static void skipped_time_moves_both_clocks(void **state)
{
    (void)state;
    struct timebase base;

    timebase_init(&base);
    base.shift_ns = 3600 * NS_PER_S;
    assert_true(magnitude(error_ns(&base) - 3600 * NS_PER_S) < NS_PER_MS);

    int64_t real = timebase_realtime_ns(&base, timebase_now_ns(&base));
    assert_true(magnitude(real - system_ns(CLOCK_REALTIME) - 3600 * NS_PER_S) < 20 * NS_PER_MS);
}

static void without_a_counter_the_system_clock_is_used(void **state)
{
    (void)state;
    struct timebase base;

    memset(&base, 0, sizeof(base));
    timebase_discipline(&base);
    assert_true(magnitude(error_ns(&base)) < 20 * NS_PER_US);
    int64_t real = timebase_realtime_ns(&base, timebase_now_ns(&base));
    assert_true(magnitude(real - system_ns(CLOCK_REALTIME)) < 20 * NS_PER_MS);
}

/* The anchors of both lines of the copy in use, which is as if the counter had been set back by so much. */
static void set_counter_back(struct timebase *base, uint64_t ticks)
{
    uint64_t word[SEQLOCK_WORDS];

    assert_true(seqlock_read(&base->map[base->current], word));
    word[0] += ticks;
    word[3] += ticks;
    seqlock_write(&base->map[base->current], word);
}

/* By an hour, to before the newest look at it; and by 0.2 s or more, to after that. */
static void a_counter_that_is_set_back_hangs_nobody_and_is_given_up(void **state)
{
    (void)state;
    static const uint64_t backs[] = {UINT64_C(10000000000000), UINT64_C(1000000000)};
    for (size_t i = 0; i < sizeof backs / sizeof backs[0]; i++) {
        struct timebase base;

        if (timebase_init(&base))
            skip();
        assert_true(timebase_has_counter(&base));
        int64_t before = timebase_now_ns(&base);
        set_counter_back(&base, backs[i]);
        base.seen_tsc += i ? 0 : backs[i];
        base.seen_raw_ns -= i ? NS_PER_S / 5 : 0;
        assert_true(timebase_now_ns(&base) >= before - 20 * NS_PER_US);
        timebase_discipline(&base);
        assert_false(timebase_has_counter(&base));
        assert_true(magnitude(error_ns(&base)) < 20 * NS_PER_US);
        timebase_discipline(&base);
        assert_true(magnitude(error_ns(&base)) < 20 * NS_PER_US);
        int64_t real = timebase_realtime_ns(&base, timebase_now_ns(&base));
        assert_true(magnitude(real - system_ns(CLOCK_REALTIME)) < 20 * NS_PER_MS);
    }
}

/* Somebody slews CLOCK_MONOTONIC faster than the base follows: it is 0.2 s behind, its counter is well. */
static void a_clock_that_is_slewed_costs_no_counter(void **state)
{
    (void)state;
    struct timebase base;

    if (timebase_init(&base))
        skip();
    set_counter_back(&base, 1000000000);
    int64_t before = timebase_now_ns(&base), behind = error_ns(&base);
    for (int i = 0; i < 3; i++) {
        clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = 120 * NS_PER_MS}, NULL);
        timebase_discipline(&base);
    }
    assert_true(timebase_has_counter(&base));
    assert_true(timebase_now_ns(&base) - before < 20 * NS_PER_S);
    assert_true(magnitude(error_ns(&base) - behind) < NS_PER_MS);      /* it was not set, either */
}

static void write_source(const char *path, const char *name)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(name, file);
    fclose(file);
}

static void a_counter_that_the_kernel_gave_up_is_not_used(void **state)
{
    (void)state;
    static const struct { const char *name; bool given_up; } rows[] = {
        {"tsc\n", false}, {"kvm-clock\n", false}, {"hyperv_clocksource_tsc_page\n", false},
        {"hpet\n", true}, {"acpi_pm\n", true}, {"refined-jiffies\n", true}, {"jiffies", true}, {"", false}};
    char path[] = "/tmp/clocksource-XXXXXX";
    struct timebase base;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_source(path, rows[i].name);
        assert_int_equal(tsc_is_given_up(path), rows[i].given_up);
    }
    if (timebase_init(&base)) {
        unlink(path);
        skip();
    }
    base.clocksource = path;
    timebase_discipline(&base);
    assert_true(timebase_has_counter(&base));
    write_source(path, "hpet\n");
    timebase_discipline(&base);
    assert_false(timebase_has_counter(&base));
    unlink(path);
    assert_false(tsc_is_given_up(path));
}

/* What was seen of it must not come again: it stays ahead. */
static void a_base_that_gives_up_its_counter_never_falls(void **state)
{
    (void)state;
    struct timebase base;
    uint64_t word[SEQLOCK_WORDS];

    if (timebase_init(&base))
        skip();
    assert_true(seqlock_read(&base.map[base.current], word));
    word[1] += NS_PER_S;
    word[4] += NS_PER_S;
    seqlock_write(&base.map[base.current], word);
    int64_t before = timebase_now_ns(&base);
    base.seen_tsc = UINT64_MAX;
    for (int i = 0; i < 3; i++) {
        timebase_discipline(&base);
        assert_false(timebase_has_counter(&base));
        assert_true(timebase_now_ns(&base) >= before);
        assert_true(magnitude(error_ns(&base) - NS_PER_S) < 20 * NS_PER_US);
        int64_t real = timebase_realtime_ns(&base, timebase_now_ns(&base));
        assert_true(magnitude(real - system_ns(CLOCK_REALTIME)) < 20 * NS_PER_MS);
    }
}

struct watch {
    struct timebase base;
    _Atomic bool stop;
    _Atomic uint64_t falls, reads;
};

static void *watch_time(void *argument)
{
    struct watch *watch = argument;
    int64_t last = INT64_MIN;
    uint64_t falls = 0, reads = 0;

    while (!atomic_load_explicit(&watch->stop, memory_order_relaxed)) {
        int64_t now = timebase_now_ns(&watch->base);

        falls += now < last;
        last = now;
        reads++;
    }
    atomic_fetch_add(&watch->falls, falls);
    atomic_fetch_add(&watch->reads, reads);
    return NULL;
}

static void readers_never_see_time_fall_while_the_rate_is_changed(void **state)
{
    (void)state;
    struct watch watch = {.stop = false};
    pthread_t thread[2];

    timebase_init(&watch.base);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, watch_time, &watch), 0);
    for (int i = 0; i < 12; i++) {
        sleep_ns(105 * NS_PER_MS);
        timebase_discipline(&watch.base);
    }
    atomic_store(&watch.stop, true);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(watch.falls, 0);
    assert_true(watch.reads > 10000);
}

static void it_says_whether_anybody_keeps_the_clock(void **state)
{
    (void)state;
    struct timebase base;
    const struct { int told; bool kept; } rows[] = {
        {TIME_ERROR, false}, {TIME_OK, true}, {TIME_INS, true}, {-1, false}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kernel_state = rows[i].told;
        timebase_init(&base);
        assert_int_equal(timebase_is_synchronised(&base), rows[i].kept);
        kernel_state = rows[i].kept ? TIME_ERROR : TIME_OK;
        assert_int_equal(timebase_is_synchronised(&base), rows[i].kept);
        timebase_discipline(&base);
        assert_int_equal(timebase_is_synchronised(&base), !rows[i].kept);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fresh_base_agrees_with_the_system_clocks),
        cmocka_unit_test(it_still_agrees_after_a_second_of_discipline),
        cmocka_unit_test(a_base_that_runs_slow_is_slewed_back_without_a_step),
        cmocka_unit_test(no_discipline_steps_even_a_wildly_wrong_base),
        cmocka_unit_test(skipped_time_moves_both_clocks),
        cmocka_unit_test(without_a_counter_the_system_clock_is_used),
        cmocka_unit_test(it_says_whether_anybody_keeps_the_clock),
        cmocka_unit_test(a_counter_that_is_set_back_hangs_nobody_and_is_given_up),
        cmocka_unit_test(a_clock_that_is_slewed_costs_no_counter),
        cmocka_unit_test(a_counter_that_the_kernel_gave_up_is_not_used),
        cmocka_unit_test(a_base_that_gives_up_its_counter_never_falls),
        cmocka_unit_test(readers_never_see_time_fall_while_the_rate_is_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
