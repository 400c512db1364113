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
    return age_observe(age, BEGIN_NS + since_ns + late_ns, 0, STAMP_NS + since_ns);
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
        assert_true(age_observe(&all.age, uptime_ns, 0, STAMP_NS) == 0);
        assert_true(age_observe(&all.age, uptime_ns + 3 * NS_PER_MS, 0, STAMP_NS) == 3 * NS_PER_MS);
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

/* So late that no permit may rest on them: then their clock goes ahead by as much, and more. */
static void a_step_ahead_leaves_doubt_of_how_late_readings_were(void **state)
{
    (void)state;
    static const int64_t step_ns[] = {560 * NS_PER_MS, 545 * NS_PER_MS, 501 * NS_PER_MS, 450 * NS_PER_MS};
    const int64_t late_ns = 501 * NS_PER_MS;

    for (size_t s = 0; s < sizeof step_ns / sizeof *step_ns; s++) {
        struct age age = {.period_ns = PERIOD_NS};
        int64_t since_ns = PERIOD_NS, doubted_ns = 0;

        hear_a_line(&age);
        for (; since_ns < NS_PER_S; since_ns += PERIOD_NS)
            assert_true(observe(&age, since_ns, late_ns) == late_ns);
        assert_int_equal(age.doubted_until_ns, 0);
        for (int64_t begun_ns = since_ns; since_ns < begun_ns + 70 * NS_PER_S; since_ns += PERIOD_NS) {
            int64_t arrival_ns = BEGIN_NS + since_ns + late_ns;
            int64_t age_ns = age_observe(&age, arrival_ns, 0, STAMP_NS + since_ns + step_ns[s]);
            bool doubted = arrival_ns < age.doubted_until_ns;
            doubted_ns += doubted ? PERIOD_NS : 0;
            if (since_ns < begun_ns + 54 * NS_PER_S)
                assert_true(age_ns >= late_ns || doubted);
        }
        assert_true(age.stepped);
        assert_in_range(doubted_ns, AGE_FORGETS_NS - NS_PER_S, AGE_FORGETS_NS + NS_PER_S);
    }
}

/* A queue that empties, a sender that stood still, a receiver that did and lost readings meanwhile. */
static void readings_that_are_late_no_longer_are_no_step(void **state)
{
    (void)state;
    const int64_t late_ns = 501 * NS_PER_MS;

    for (int64_t period_ns = PERIOD_NS; period_ns <= 200 * NS_PER_MS; period_ns += 92 * NS_PER_MS) {
        struct age age = {.period_ns = period_ns};
        int64_t since_ns = 0, end_ns = NS_PER_S;

        for (; since_ns < end_ns; since_ns += period_ns)
            observe(&age, since_ns, late_ns);
        for (end_ns = since_ns + late_ns; since_ns < end_ns; since_ns += period_ns)
            observe(&age, since_ns, end_ns - since_ns);
        for (end_ns = since_ns + NS_PER_S; since_ns < end_ns; since_ns += period_ns)
            observe(&age, since_ns, 0);
        observe(&age, since_ns, late_ns);
        since_ns += late_ns + period_ns;
        for (end_ns = since_ns + NS_PER_S; since_ns < end_ns; since_ns += period_ns)
            observe(&age, since_ns, 0);
        for (end_ns = since_ns + 2 * late_ns; since_ns < end_ns - late_ns; since_ns += period_ns)
            age_observe(&age, BEGIN_NS + end_ns, 2 * late_ns, STAMP_NS + since_ns);
        observe(&age, end_ns, 0);
        assert_false(age.stepped);
        assert_int_equal(age.doubted_until_ns, 0);
    }
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

    assert_true(age_observe(&age, BEGIN_NS, 0, INT64_MAX) == 0);
    assert_true(age_observe(&age, BEGIN_NS, 0, 0) == INT64_MAX);
    assert_true(age_observe(&age, BEGIN_NS, 0, 1) > 1000000 * NS_PER_S);
}

/* A receiver that polls in step with the meter: whatever it adds, it adds to all. */
static void what_every_reading_waits_for_its_poll_is_age(void **state)
{
    (void)state;
    struct age age = {0};
    const int64_t waits_ns[] = {8 * NS_PER_MS, AGE_SURE_NS, 20 * NS_PER_US};

    for (int i = 0; i < 3; i++) {
        age = (struct age){0};
        for (int64_t since_ns = 0; since_ns < 70 * NS_PER_S; since_ns += PERIOD_NS)
            assert_true(age_observe(&age, BEGIN_NS + since_ns + waits_ns[i], waits_ns[i],
                                    STAMP_NS + since_ns) == waits_ns[i]);
    }
}

static void one_standstill_makes_readings_no_older_for_the_minute_behind_it(void **state)
{
    (void)state;
    struct age age = {0};
    const int64_t turn_ns = 20 * NS_PER_US, stall_ns = 400 * NS_PER_MS;
    int64_t since_ns = 0;

    for (; since_ns < 10 * NS_PER_S; since_ns += PERIOD_NS)
        age_observe(&age, BEGIN_NS + since_ns + turn_ns, turn_ns, STAMP_NS + since_ns);
    for (int64_t end_ns = since_ns + stall_ns; since_ns < end_ns; since_ns += PERIOD_NS) {
        int64_t old_ns = age_observe(&age, BEGIN_NS + end_ns, stall_ns, STAMP_NS + since_ns);
        assert_true(old_ns == end_ns - since_ns);
    }
    for (; since_ns < 60 * NS_PER_S; since_ns += PERIOD_NS)
        assert_true(age_observe(&age, BEGIN_NS + since_ns + turn_ns, turn_ns, STAMP_NS + since_ns) ==
                    turn_ns);
}

/* Of a reading that is the first since the receiver stood still nobody knows how much of its way was waiting:
 * until one comes that was surely met it is as old as it may be. */
static void while_all_arrivals_are_unsure_a_reading_is_as_old_as_it_may_be(void **state)
{
    (void)state;
    struct age age = {0};

    assert_true(age_observe(&age, BEGIN_NS + NS_PER_S, NS_PER_S, STAMP_NS) == NS_PER_S);
    assert_true(age_observe(&age, BEGIN_NS + NS_PER_S, NS_PER_S, STAMP_NS + NS_PER_S / 2) == NS_PER_S);
    /* surely met, and as late: the way was long, no poll */
    assert_true(age_observe(&age, BEGIN_NS + NS_PER_S, 0, STAMP_NS + NS_PER_S / 2) == 0);
    assert_true(age_observe(&age, BEGIN_NS + 2 * NS_PER_S, 0, STAMP_NS + NS_PER_S) == NS_PER_S / 2);
}

/* The rule with its bounds, as it was before arrivals were intervals. */
struct by_polls {
    int64_t least[AGE_BUCKETS], number[AGE_BUCKETS];
};

static int64_t age_by_polls(struct by_polls *polls, int64_t arrival_ns, int64_t stamp_ns)
{
    int64_t number = arrival_ns / AGE_BUCKET_NS + 1, floor = INT64_MAX, *least;
    least = &polls->least[number % AGE_BUCKETS];
    if (polls->number[number % AGE_BUCKETS] != number || arrival_ns - stamp_ns < *least)
        *least = arrival_ns - stamp_ns;
    polls->number[number % AGE_BUCKETS] = number;
    for (int i = 0; i < AGE_BUCKETS; i++)
        if (polls->number[i] > number - AGE_BUCKETS && polls->least[i] < floor)
            floor = polls->least[i];
    return arrival_ns - stamp_ns - floor;
}

/* Readings through a network and a receiver that polls at random, and stands still now and then: 300
 * histories of two minutes. The true age of one that was met surely is what its way took longer than that of
 * the quickest of these, and what it waited. */
static void an_age_is_never_less_than_by_polls_nor_than_the_truth(void **state)
{
    (void)state;
    uint64_t seed = 11;
    for (int history = 0; history < 300; history++) {
        struct age age = {0};
        struct by_polls polls = {0};
        int64_t quickest_ns = INT64_MAX, floor_count = 0;
        for (int64_t i = 0; i < 7500; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            bool stalls = (seed >> 20) % 200 == 0;
            int64_t way_ns = (int64_t)(seed >> 33) % (3 * NS_PER_MS);
            int64_t within_ns = stalls ? 40 * NS_PER_MS : (int64_t)(seed >> 40) % (history * 10000 + 1);
            int64_t waited_ns = within_ns * ((int64_t)(seed >> 50) % 101) / 100;
            int64_t stamp_ns = STAMP_NS + i * PERIOD_NS;
            int64_t poll_ns = BEGIN_NS + i * PERIOD_NS + way_ns + waited_ns;
            int64_t age_ns = age_observe(&age, poll_ns, within_ns, stamp_ns);
            assert_true(age_ns >= age_by_polls(&polls, poll_ns, stamp_ns));
            if (within_ns <= AGE_SURE_NS && i < 3000) {
                quickest_ns = way_ns < quickest_ns ? way_ns : quickest_ns;
                floor_count++;
            }
            if (floor_count && i < 3000)
                assert_true(age_ns >= way_ns + waited_ns - quickest_ns);
        }
    }
}

/* What is known exactly is what was known before. */
static void where_arrivals_are_exact_an_age_is_by_polls(void **state)
{
    (void)state;
    uint64_t seed = 12;
    struct age age = {0};
    struct by_polls polls = {0};
    for (int64_t i = 0; i < 20000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        int64_t poll_ns = BEGIN_NS + i * PERIOD_NS + (int64_t)(seed >> 33) % (30 * NS_PER_MS);
        int64_t stamp_ns = STAMP_NS + i * PERIOD_NS;
        int64_t age_ns = age_observe(&age, poll_ns, 0, stamp_ns);
        assert_true(age_ns == age_by_polls(&polls, poll_ns, stamp_ns));
        assert_true(age_floor(&age) == poll_ns - stamp_ns - age_ns && age.found_within_ns == 0);
    }
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
    assert_int_equal(age_observe(&age, now_ns, 0, now_ns + 5 * NS_PER_S - 70 * NS_PER_MS), 70 * NS_PER_MS);
    assert_int_equal(age_observe(&age, now_ns, 0, now_ns + 5 * NS_PER_S), 0);
    /* a stamp far ahead is not believed at once */
    assert_int_equal(age_observe(&age, now_ns, 0, now_ns + 6 * NS_PER_S), INT64_MAX);
    now_ns += 61 * NS_PER_S;
    assert_int_equal(age_observe(&age, now_ns, 0, now_ns + 5 * NS_PER_S - 70 * NS_PER_MS), 0);
}

/* Before and after a take-over arrivals are known to within 1 to 40 ms, never surely: 300 of them. */
static void a_floor_that_was_handed_over_unsure_makes_no_reading_younger_than_it_is(void **state)
{
    (void)state;
    uint64_t seed = 14;
    for (int history = 0; history < 300; history++) {
        struct age before = {0}, after = {0}, *age = &before;
        int64_t quickest_ns = INT64_MAX;
        for (int64_t i = 0; i < 600; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            int64_t way_ns = (int64_t)(seed >> 33) % (3 * NS_PER_MS);
            int64_t within_ns = AGE_SURE_NS + 1 + (int64_t)(seed >> 40) % (39 * NS_PER_MS);
            int64_t waited_ns = within_ns * ((int64_t)(seed >> 50) % 101) / 100;
            int64_t poll_ns = BEGIN_NS + i * PERIOD_NS + way_ns + waited_ns;
            if (i == 300) {
                age_resume(&after, age_floor(&before), poll_ns);
                age = &after;
            }
            quickest_ns = way_ns < quickest_ns ? way_ns : quickest_ns;
            int64_t age_ns = age_observe(age, poll_ns, within_ns, STAMP_NS + i * PERIOD_NS);
            assert_true(age_ns >= way_ns + waited_ns - quickest_ns);
        }
    }
}

/* Readings that waited while the one who takes over started. */
static void what_waited_for_a_take_over_is_no_older_than_it_is(void **state)
{
    (void)state;
    const int64_t start_ns = 300 * NS_PER_MS;
    struct age before = {0}, after = {0};
    hear_a_line(&before);
    age_resume(&after, age_floor(&before), BEGIN_NS + PERIOD_NS);
    for (int64_t since_ns = PERIOD_NS; since_ns < start_ns; since_ns += PERIOD_NS) {
        int64_t age_ns = age_observe(&after, BEGIN_NS + start_ns, start_ns, STAMP_NS + since_ns);
        assert_int_equal(age_ns, start_ns - since_ns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steady_offset_is_no_age),
        cmocka_unit_test(what_every_reading_waits_for_its_poll_is_age),
        cmocka_unit_test(one_standstill_makes_readings_no_older_for_the_minute_behind_it),
        cmocka_unit_test(while_all_arrivals_are_unsure_a_reading_is_as_old_as_it_may_be),
        cmocka_unit_test(an_age_is_never_less_than_by_polls_nor_than_the_truth),
        cmocka_unit_test(where_arrivals_are_exact_an_age_is_by_polls),
        cmocka_unit_test(a_machine_that_started_just_now_touches_nothing_beside),
        cmocka_unit_test(lateness_is_age_while_the_floor_stands),
        cmocka_unit_test(one_stamp_far_ahead_is_too_old_and_moves_nothing),
        cmocka_unit_test(a_clock_that_stays_ahead_is_believed_at_the_fourth_reading),
        cmocka_unit_test(a_step_ahead_leaves_doubt_of_how_late_readings_were),
        cmocka_unit_test(readings_that_are_late_no_longer_are_no_step),
        cmocka_unit_test(stamps_ahead_that_do_not_agree_are_no_step),
        cmocka_unit_test(silence_forgets_only_what_is_older_than_the_window),
        cmocka_unit_test(receiver_that_stood_still_makes_one_old_burst_and_no_more),
        cmocka_unit_test(receiver_that_starts_late_recovers_with_the_first_prompt_reading),
        cmocka_unit_test(stamps_at_the_edges_do_not_wrap),
        cmocka_unit_test(a_floor_that_was_handed_over_goes_on_for_a_minute),
        cmocka_unit_test(a_floor_that_was_handed_over_unsure_makes_no_reading_younger_than_it_is),
        cmocka_unit_test(what_waited_for_a_take_over_is_no_older_than_it_is),
        cmocka_unit_test(every_meter_is_found_and_nobody_else),
        cmocka_unit_test(prefix_of_a_name_is_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
