/* SPDX-License-Identifier: Apache-2.0 */
/* The line through rough samples, against the truth they were made from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "msg/limits.h"
#include "time/reference.h"

#define WANDER_PPT INT64_C(1000000)     /* 1 ppm */
#define WITHIN_NS INT64_C(200000)
#define START_NS (1000 * NS_PER_S)

struct source {
    struct reference reference;
    int64_t now_ns, offset_ns;  /* the truth: reference - mono at START_NS */
    int64_t rate_ppt;
    int64_t noise_ns;
    uint64_t seed;
};

static int64_t magnitude(int64_t value)
{
    return value < 0 ? -value : value;
}

static int64_t truth(const struct source *source, int64_t mono_ns)
{
    return source->offset_ns + (mono_ns - START_NS) / 1000 * source->rate_ppt / 1000000000;
}

static int64_t noise(struct source *source)
{
    source->seed = source->seed * 6364136223846793005u + 1442695040888963407u;
    int64_t most = source->noise_ns;
    return most ? (int64_t)(source->seed >> 33) % (2 * most + 1) - most : 0;
}

static void begin(struct source *source, int64_t rate_ppt, int64_t noise_ns)
{
    *source = (struct source){.now_ns = START_NS, .offset_ns = INT64_C(1751538645) * NS_PER_S,
                              .rate_ppt = rate_ppt, .noise_ns = noise_ns, .seed = 7};
    reference_init(&source->reference, WANDER_PPT, WITHIN_NS);
}

/* One sample a second; `wrong_ns` is added to it. */
static bool give(struct source *source, int64_t wrong_ns)
{
    source->now_ns += NS_PER_S;
    struct reference_sample sample = {source->now_ns,
                                      truth(source, source->now_ns) + noise(source) + wrong_ns, 100};
    return reference_take(&source->reference, &sample);
}

/* How far the published line is off at a time; it must say so itself. */
static int64_t error_at(const struct source *source, int64_t mono_ns)
{
    struct reference_line line;
    assert_true(reference_read(&source->reference, &line));
    int64_t error = reference_offset_ns(&line, mono_ns) - truth(source, mono_ns);
    if (magnitude(error) > reference_half_ns(&line, mono_ns))
        fail_msg("off by %lld ns, says %lld", (long long)error, (long long)reference_half_ns(&line, mono_ns));
    return magnitude(error);
}

static int64_t half_at(const struct source *source, int64_t mono_ns)
{
    struct reference_line line;
    assert_true(reference_read(&source->reference, &line));
    return reference_half_ns(&line, mono_ns);
}

static void without_samples_there_is_no_time(void **state)
{
    (void)state;
    struct reference reference;
    struct reference_line line;
    struct reference_interval interval;
    reference_init(&reference, WANDER_PPT, WITHIN_NS);
    assert_false(reference_read(&reference, &line));
    assert_false(reference_interval(&reference, 1, 2, &interval));
    assert_true(interval.earliest_ns == 0 && interval.latest_ns == 0);
}

static void a_drifting_clock_is_followed_and_foretold(void **state)
{
    (void)state;
    static const int64_t rates_ppt[] = {0, 20 * 1000000, -50 * 1000000, 100 * 1000000};
    for (size_t r = 0; r < sizeof rates_ppt / sizeof rates_ppt[0]; r++) {
        struct source source;
        begin(&source, rates_ppt[r], 2000);
        for (int i = 0; i < 60; i++) {
            give(&source, 0);
            error_at(&source, source.now_ns);
        }
        assert_true(error_at(&source, source.now_ns) < 2000);
        assert_true(half_at(&source, source.now_ns) < 10000);
        /* ten minutes on nothing but the rate: at most 0.3 ppm beside it */
        assert_true(error_at(&source, source.now_ns + 600 * NS_PER_S) < 180000);
        assert_int_equal(source.reference.steps, 0);
        assert_int_equal(source.reference.outliers, 0);
    }
}

static void uncertainty_grows_where_nothing_comes(void **state)
{
    (void)state;
    struct source source;
    begin(&source, 5000000, 500);
    for (int i = 0; i < 30; i++)
        give(&source, 0);
    int64_t before_ns = half_at(&source, source.now_ns), grown_ns = 0;
    for (int minute = 1; minute <= 10; minute++) {
        int64_t half_ns = half_at(&source, source.now_ns + minute * 60 * NS_PER_S);
        assert_true(half_ns > grown_ns);
        grown_ns = half_ns;
    }
    /* 1 ppm is 0.6 ms in ten minutes */
    assert_true(grown_ns - before_ns >= 600000);
    assert_true(grown_ns - before_ns < 1200000);
}

static void one_sample_in_four_may_be_anything(void **state)
{
    (void)state;
    struct source source;
    begin(&source, 10000000, 1000);
    for (int i = 0; i < 100; i++) {
        int64_t wild_ns = i > 8 && i % 4 == 0 ? (i % 8 ? 40 : -70) * NS_PER_MS + i * 999999 : 0;
        assert_false(give(&source, wild_ns));
        error_at(&source, source.now_ns);
    }
    assert_true(error_at(&source, source.now_ns) < 2000);
    assert_int_equal(source.reference.steps, 0);
    assert_true(source.reference.outliers >= 20);
}

static void queueing_that_comes_and_goes_is_no_step(void **state)
{
    (void)state;
    struct source source;
    begin(&source, 0, 1000);
    for (int i = 0; i < 60; i++) {
        give(&source, i % 3 == 2 ? 60000 : 0);      /* below what is doubted at all */
        error_at(&source, source.now_ns);
    }
    assert_int_equal(source.reference.steps, 0);
    assert_true(error_at(&source, source.now_ns) < 5000);
}

static void a_step_is_told_at_once_and_believed_at_the_third(void **state)
{
    (void)state;
    static const int64_t steps_ns[] = {NS_PER_MS, -NS_PER_MS, 90 * NS_PER_S, -37 * NS_PER_S};
    for (size_t s = 0; s < sizeof steps_ns / sizeof steps_ns[0]; s++) {
        struct source source;
        begin(&source, 3000000, 800);
        for (int i = 0; i < 30; i++)
            give(&source, 0);
        source.offset_ns += steps_ns[s];
        for (int i = 1; i <= REFERENCE_CONFIRMATIONS; i++) {
            assert_int_equal(give(&source, 0), i == REFERENCE_CONFIRMATIONS);
            error_at(&source, source.now_ns);       /* the interval holds the truth all the time */
        }
        assert_int_equal(source.reference.steps, 1);
        assert_true(magnitude(source.reference.step_ns - steps_ns[s]) < 20000);
        for (int i = 0; i < 20; i++) {
            give(&source, 0);
            error_at(&source, source.now_ns);
        }
        assert_int_equal(source.reference.steps, 1);
        assert_true(half_at(&source, source.now_ns) < 10000);
    }
}

/* Just after every sample and just before the next one; at the end the line is where the truth is. */
static void assert_holds_through_step(int64_t step_ns, int64_t noise_ns, int64_t within_ns, uint64_t seed)
{
    struct source source;
    begin(&source, 3000000, noise_ns);
    source.seed = seed;
    reference_init(&source.reference, WANDER_PPT, within_ns);
    for (int i = 0; i < 40; i++)
        give(&source, 0);
    source.offset_ns += step_ns;
    for (int i = 0; i < 80; i++) {
        give(&source, 0);
        error_at(&source, source.now_ns);
        error_at(&source, source.now_ns + NS_PER_S - 1);
    }
    assert_true(error_at(&source, source.now_ns) <= 2 * noise_ns + 100);
}

/* Whatever the size of a step, from the first sample after it on the interval holds the truth. */
static void no_step_is_so_small_that_the_interval_misses_it(void **state)
{
    (void)state;
    static const int64_t noises_ns[] = {0, 100, 2000}, withins_ns[] = {10000, 200000, NS_PER_S};
    for (int64_t step_ns = 5000; step_ns <= 100 * NS_PER_MS; step_ns += step_ns / 3)
        for (int i = 0; i < 3 * 3 * 8; i++)
            assert_holds_through_step(i % 2 ? -step_ns : step_ns, noises_ns[i % 3], withins_ns[i / 3 % 3],
                                      (uint64_t)i + 1);
}

/* LOCKED asks for 10 us: 90 us is a step, found at the third sample. */
static void a_step_that_the_asked_exactness_shows_is_a_step(void **state)
{
    (void)state;
    struct source source;
    begin(&source, 3000000, 100);
    reference_init(&source.reference, WANDER_PPT, 10000);
    for (int i = 0; i < 40; i++)
        give(&source, 0);
    source.offset_ns += 90000;
    for (int i = 1; i <= REFERENCE_CONFIRMATIONS; i++) {
        assert_int_equal(give(&source, 0), i == REFERENCE_CONFIRMATIONS);
        assert_true(half_at(&source, source.now_ns) >= 90000);
    }
    assert_int_equal(source.reference.steps, 1);
    assert_true(error_at(&source, source.now_ns) < 500);
    /* what it does not ask for is none: half of it, and 0.1 ms at most */
    source.offset_ns += 4000;
    for (int i = 0; i < 40; i++)
        give(&source, 0);
    assert_int_equal(source.reference.steps, 1);
}

static void another_clock_begins_another_line(void **state)
{
    (void)state;
    struct source source;
    begin(&source, 0, 500);
    for (int i = 0; i < 30; i++)
        give(&source, 0);
    reference_doubt(&source.reference);
    assert_false(give(&source, 0));         /* it says the same */
    assert_int_equal(source.reference.steps, 0);
    source.offset_ns += 5 * NS_PER_MS;
    reference_doubt(&source.reference);
    assert_true(give(&source, 0));          /* it does not: nobody waits for a row */
    assert_int_equal(source.reference.steps, 1);
    assert_true(magnitude(source.reference.step_ns - 5 * NS_PER_MS) < 20000);
    error_at(&source, source.now_ns);
}

static void samples_that_do_not_come_later_are_passed_over(void **state)
{
    (void)state;
    struct source source;
    begin(&source, 0, 0);
    give(&source, 0);
    source.now_ns -= NS_PER_S;
    assert_false(give(&source, NS_PER_S));
    assert_int_equal(source.reference.count, 1);
    source.now_ns -= 5 * NS_PER_S;
    assert_false(give(&source, NS_PER_S));
    assert_int_equal(source.reference.count, 1);
}

static void an_interval_holds_both_ends_and_what_is_not_known(void **state)
{
    (void)state;
    struct source source;
    struct reference_interval interval;
    begin(&source, 0, 100);
    for (int i = 0; i < 30; i++)
        give(&source, 0);
    int64_t last_ns = source.now_ns, first_ns = last_ns - 40 * NS_PER_US;
    assert_true(reference_interval(&source.reference, first_ns, last_ns, &interval));
    int64_t half_ns = half_at(&source, last_ns);
    assert_true(interval.earliest_ns <= first_ns + truth(&source, first_ns) - 100);
    assert_true(interval.latest_ns >= last_ns + truth(&source, last_ns) + 100);
    assert_in_range(interval.latest_ns - interval.earliest_ns, 40 * NS_PER_US, 40 * NS_PER_US + 3 * half_ns);
}

static void figures_at_the_ends_of_their_range_do_not_overflow(void **state)
{
    (void)state;
    static const int64_t ends[] = {INT64_MIN, INT64_MIN / 2, -1, 1, INT64_MAX / 2, INT64_MAX};
    struct reference reference;
    struct reference_line line;
    reference_init(&reference, WANDER_PPT, WITHIN_NS);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        for (size_t j = 0; j < sizeof ends / sizeof ends[0]; j++) {
            struct reference_sample sample = {ends[i] / 4, ends[j], 100};
            reference_take(&reference, &sample);
            if (!reference_read(&reference, &line))
                continue;
            assert_true(magnitude(reference_offset_ns(&line, ends[j] / 4)) <= INT64_MAX / 4);
            assert_true(reference_half_ns(&line, ends[j]) >= 0);
        }
    }
}

struct watch {
    struct reference reference;
    _Atomic bool stop, seen;    /* seen: the other thread has run at all */
    _Atomic uint64_t reads, torn;
};

/* offset is at_ns x 2 in every line that is published here: what is torn shows. */
static void *watch_lines(void *argument)
{
    struct watch *watch = argument;
    uint64_t reads = 0, torn = 0;
    while (!atomic_load_explicit(&watch->stop, memory_order_relaxed)) {
        struct reference_line line;
        if (!reference_read(&watch->reference, &line))
            continue;
        torn += line.offset_ns != 2 * line.at_ns;
        atomic_store_explicit(&watch->seen, ++reads > 1000, memory_order_relaxed);
    }
    atomic_fetch_add(&watch->reads, reads);
    atomic_fetch_add(&watch->torn, torn);
    return NULL;
}

static void readers_see_whole_lines_while_they_are_written(void **state)
{
    (void)state;
    struct watch watch = {.stop = false};
    pthread_t thread;
    reference_init(&watch.reference, 0, WITHIN_NS);
    assert_int_equal(pthread_create(&thread, NULL, watch_lines, &watch), 0);
    for (int64_t i = 1; i < 20000 || (i < 20000000 && !atomic_load(&watch.seen)); i++) {
        struct reference_sample sample = {i * 1000, i * 2000, 0};
        reference_doubt(&watch.reference);
        watch.reference.line = (struct reference_line){0};
        reference_take(&watch.reference, &sample);
    }
    atomic_store(&watch.stop, true);
    pthread_join(thread, NULL);
    assert_int_equal(watch.torn, 0);
    assert_true(watch.reads > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_samples_there_is_no_time),
        cmocka_unit_test(a_drifting_clock_is_followed_and_foretold),
        cmocka_unit_test(uncertainty_grows_where_nothing_comes),
        cmocka_unit_test(one_sample_in_four_may_be_anything),
        cmocka_unit_test(queueing_that_comes_and_goes_is_no_step),
        cmocka_unit_test(a_step_is_told_at_once_and_believed_at_the_third),
        cmocka_unit_test(no_step_is_so_small_that_the_interval_misses_it),
        cmocka_unit_test(a_step_that_the_asked_exactness_shows_is_a_step),
        cmocka_unit_test(another_clock_begins_another_line),
        cmocka_unit_test(samples_that_do_not_come_later_are_passed_over),
        cmocka_unit_test(an_interval_holds_both_ends_and_what_is_not_known),
        cmocka_unit_test(figures_at_the_ends_of_their_range_do_not_overflow),
        cmocka_unit_test(readers_see_whole_lines_while_they_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
