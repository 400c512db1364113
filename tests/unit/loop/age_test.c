/* SPDX-License-Identifier: Apache-2.0 */
/* Age without a common clock, and names to numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "loop/age.h"
#include "loop/names.h"

#define PERIOD_NS (16 * NS_PER_MS)
#define BEGIN_NS (INT64_C(7777) * NS_PER_S)
#define STAMP_NS (INT64_C(1795216818) * NS_PER_S)

static int64_t observe(struct age *age, int64_t since_ns, int64_t late_ns)
{
    return age_observe(age, BEGIN_NS + since_ns + late_ns, STAMP_NS + since_ns);
}

static void steady_offset_is_no_age(void **state)
{
    (void)state;
    struct age age = {0};

    for (int64_t since_ns = 0; since_ns < 200 * NS_PER_S; since_ns += PERIOD_NS)
        assert_true(observe(&age, since_ns, 0) == 0);
}

/* The clock of arrivals begins with the machine: what lies 60 s back has a negative time. */
static void a_machine_that_started_just_now_touches_nothing_beside(void **state)
{
    (void)state;
    struct guarded {
        uint8_t before[256];
        struct age age;
        uint8_t behind[256];
    } all, untouched;

    for (int64_t uptime_ns = 0; uptime_ns < 70 * NS_PER_S; uptime_ns += NS_PER_S) {
        memset(&all, 0xA5, sizeof all);
        memset(&untouched, 0xA5, sizeof untouched);
        all.age = (struct age){0};
        assert_true(age_observe(&all.age, uptime_ns, STAMP_NS) == 0);
        assert_true(age_observe(&all.age, uptime_ns + 3 * NS_PER_MS, STAMP_NS) == 3 * NS_PER_MS);
        assert_memory_equal(all.before, untouched.before, sizeof all.before);
        assert_memory_equal(all.behind, untouched.behind, sizeof all.behind);
    }
}

static void lateness_is_age_while_the_floor_stands(void **state)
{
    (void)state;
    struct age age = {0};
    int64_t since_ns = 0;

    observe(&age, since_ns, 0);
    /* the floor holds for at least 55 s: eleven whole buckets and what is left of the twelfth */
    for (since_ns += PERIOD_NS; since_ns < 54 * NS_PER_S; since_ns += PERIOD_NS)
        assert_true(observe(&age, since_ns, 5 * NS_PER_MS) == 5 * NS_PER_MS);
    /* and is forgotten after 60 s */
    since_ns = 66 * NS_PER_S;
    observe(&age, since_ns, 5 * NS_PER_MS);
    assert_true(observe(&age, since_ns + PERIOD_NS, 5 * NS_PER_MS) == 0);
}

/* Readings enough that a line stands; ends at since_ns = 0. */
static void hear_a_line(struct age *age)
{
    for (int64_t i = AGE_YOUNG; i >= 0; i--)
        observe(age, -i * PERIOD_NS, 0);
}

/* One stamp a second ahead must not make the meter look a second late for the next minute. */
static void one_stamp_far_ahead_is_too_old_and_moves_nothing(void **state)
{
    (void)state;
    struct age age = {0};

    hear_a_line(&age);
    assert_true(observe(&age, PERIOD_NS, -NS_PER_S) == INT64_MAX);
    assert_true(observe(&age, 2 * PERIOD_NS, 0) == 0);
    assert_false(age.stepped);
    /* nor do as many as want to be believed, when they do not come in a row */
    for (int i = 0; i < 10; i++) {
        assert_true(observe(&age, (3 + 2 * i) * PERIOD_NS, -NS_PER_S) == INT64_MAX);
        assert_true(observe(&age, (4 + 2 * i) * PERIOD_NS, 0) == 0);
    }
    assert_false(age.stepped);
}

static void a_clock_that_stays_ahead_is_believed_at_the_fourth_reading(void **state)
{
    (void)state;
    struct age age = {0};

    hear_a_line(&age);
    for (int i = 1; i < AGE_CONFIRMATIONS; i++)
        assert_true(observe(&age, i * PERIOD_NS, -NS_PER_S) == INT64_MAX);
    assert_true(observe(&age, AGE_CONFIRMATIONS * PERIOD_NS, -NS_PER_S) == 0);
    assert_true(age.stepped);
    age.stepped = false;
    assert_true(observe(&age, 10 * PERIOD_NS, -NS_PER_S + 7 * NS_PER_MS) == 7 * NS_PER_MS);
    assert_false(age.stepped);
}

static void stamps_ahead_that_do_not_agree_are_no_step(void **state)
{
    (void)state;
    struct age age = {0};

    hear_a_line(&age);
    for (int i = 1; i < 20; i++)
        assert_true(observe(&age, i * PERIOD_NS, -(i + 1) * AGE_STEP_NS) == INT64_MAX);
    assert_false(age.stepped);
}

static void silence_forgets_only_what_is_older_than_the_window(void **state)
{
    (void)state;

    for (int64_t silence_ns = NS_PER_S; silence_ns < 54 * NS_PER_S; silence_ns += 7 * NS_PER_S) {
        struct age age = {0};
        observe(&age, 0, 0);
        assert_true(observe(&age, silence_ns, 5 * NS_PER_MS) == 5 * NS_PER_MS);
    }
    for (int64_t silence_ns = 66 * NS_PER_S; silence_ns < 200 * NS_PER_S; silence_ns += 7 * NS_PER_S) {
        struct age age = {0};
        observe(&age, 0, 0);
        assert_true(observe(&age, silence_ns, 5 * NS_PER_MS) == 0);
    }
}

static void receiver_that_stood_still_makes_one_old_burst_and_no_more(void **state)
{
    (void)state;
    struct age age = {0};
    const int64_t stall_ns = NS_PER_S;

    for (int64_t since_ns = 0; since_ns < NS_PER_S; since_ns += PERIOD_NS)
        observe(&age, since_ns, 0);
    for (int64_t waited_ns = stall_ns; waited_ns > 0; waited_ns -= PERIOD_NS)
        assert_true(observe(&age, 2 * NS_PER_S - waited_ns, waited_ns) == waited_ns);
    assert_true(observe(&age, 2 * NS_PER_S + PERIOD_NS, 0) == 0);
}

static void receiver_that_starts_late_recovers_with_the_first_prompt_reading(void **state)
{
    (void)state;
    struct age age = {0};

    assert_true(observe(&age, 0, NS_PER_S) == 0);
    assert_true(observe(&age, NS_PER_S, 0) == 0);
    assert_true(observe(&age, NS_PER_S + PERIOD_NS, 3) == 3);
}

static void stamps_at_the_edges_do_not_wrap(void **state)
{
    (void)state;
    struct age age = {0};

    assert_true(age_observe(&age, BEGIN_NS, INT64_MAX) == 0);
    assert_true(age_observe(&age, BEGIN_NS, 0) == INT64_MAX);
    assert_true(age_observe(&age, BEGIN_NS, 1) > 1000000 * NS_PER_S);
}

static void every_meter_is_found_and_nobody_else(void **state)
{
    (void)state;
    enum { METERS = 2000 };
    static struct model_meter meter[METERS];
    static uint32_t memory[16384];
    struct model model = {.meter_count = METERS, .meter = meter};
    struct meter_names names;
    char name[NAME_BYTES * 2];

    for (uint32_t i = 0; i < METERS; i++)
        snprintf(meter[i].name, NAME_BYTES, "hall-%u-meter-%u", i % 7, i);
    assert_true(meter_names_bytes(&model) <= sizeof memory);
    meter_names_init(&names, memory, &model);
    for (uint32_t i = 0; i < METERS; i++) {
        uint32_t bytes = (uint32_t)strlen(meter[i].name);
        assert_int_equal(meter_names_find(&names, meter[i].name, bytes), i);
        snprintf(name, sizeof name, "%sx", meter[i].name);
        assert_int_equal(meter_names_find(&names, name, bytes + 1), INDEX_NONE);
    }
    memset(name, 'a', sizeof name);
    assert_int_equal(meter_names_find(&names, name, sizeof name), INDEX_NONE);
    assert_int_equal(meter_names_find(&names, name, 0), INDEX_NONE);
    assert_int_equal(meter_names_find(&names, "hall-1", 6), INDEX_NONE);
}

/* In a table of one meter every sixteenth name meets it; a prefix that does is still another name. */
static void prefix_of_a_name_is_nobody(void **state)
{
    (void)state;
    struct model_meter meter = {0};
    uint32_t memory[64];
    struct model model = {.meter_count = 1, .meter = &meter};
    struct meter_names names;

    assert_true(meter_names_bytes(&model) <= sizeof memory);
    for (int i = 0; i < 50; i++) {
        uint32_t bytes = (uint32_t)snprintf(meter.name, NAME_BYTES, "%d-hall-of-the-long-names-%d", i, i);
        meter_names_init(&names, memory, &model);
        for (uint32_t prefix = 1; prefix < bytes; prefix++)
            assert_int_equal(meter_names_find(&names, meter.name, prefix), INDEX_NONE);
        assert_int_equal(meter_names_find(&names, meter.name, bytes), 0);
    }
}

/* What was late to the one before is late to us, though it is the first that we hear. */
static void a_floor_that_was_handed_over_goes_on_for_a_minute(void **state)
{
    (void)state;
    struct age age = {0};
    int64_t now_ns = 100 * NS_PER_S;
    age_resume(&age, -5 * NS_PER_S, now_ns);
    assert_int_equal(age_observe(&age, now_ns, now_ns + 5 * NS_PER_S - 70 * NS_PER_MS), 70 * NS_PER_MS);
    assert_int_equal(age_observe(&age, now_ns, now_ns + 5 * NS_PER_S), 0);
    /* a stamp far ahead is not believed at once */
    assert_int_equal(age_observe(&age, now_ns, now_ns + 6 * NS_PER_S), INT64_MAX);
    now_ns += 61 * NS_PER_S;
    assert_int_equal(age_observe(&age, now_ns, now_ns + 5 * NS_PER_S - 70 * NS_PER_MS), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steady_offset_is_no_age),
        cmocka_unit_test(a_machine_that_started_just_now_touches_nothing_beside),
        cmocka_unit_test(lateness_is_age_while_the_floor_stands),
        cmocka_unit_test(one_stamp_far_ahead_is_too_old_and_moves_nothing),
        cmocka_unit_test(a_clock_that_stays_ahead_is_believed_at_the_fourth_reading),
        cmocka_unit_test(stamps_ahead_that_do_not_agree_are_no_step),
        cmocka_unit_test(silence_forgets_only_what_is_older_than_the_window),
        cmocka_unit_test(receiver_that_stood_still_makes_one_old_burst_and_no_more),
        cmocka_unit_test(receiver_that_starts_late_recovers_with_the_first_prompt_reading),
        cmocka_unit_test(stamps_at_the_edges_do_not_wrap),
        cmocka_unit_test(a_floor_that_was_handed_over_goes_on_for_a_minute),
        cmocka_unit_test(every_meter_is_found_and_nobody_else),
        cmocka_unit_test(prefix_of_a_name_is_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
