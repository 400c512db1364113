/* SPDX-License-Identifier: Apache-2.0 */
/* Windows of the local day, and the orders that a schedule gives, whatever is done to the clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "loop/schedule.h"

#define HOUR_S INT64_C(3600)
/* Monday 2026-03-02, 00:00 in New York, five hours behind UTC until 2026-03-08 02:00. */
#define MONDAY_S (INT64_C(1772427600))
#define DAY_S (24 * HOUR_S)

static struct order_entry given[64];
static uint32_t count;
static bool refusing;

/* Stands in for orders.c: notes what is given. */
struct orders_answer orders_give(struct orders *orders, struct order_entry *entry)
{
    (void)orders;
    assert_in_range(count, 0, 63);
    given[count++] = *entry;
    return (struct orders_answer){.number = count, .decided = true,
                                  .verdict = refusing ? ORDER_REFUSED_FULL : ORDER_TAKEN};
}

static int start(void **state)
{
    (void)state;
    count = 0;
    refusing = false;
    setenv("TZ", "EST5EDT,M3.2.0,M11.1.0", 1);
    tzset();
    return 0;
}

static struct site_contract window(uint32_t days, int64_t from_s, int64_t to_s)
{
    return (struct site_contract){.name = "peak", .days = days, .from_s = (uint32_t)from_s,
                                  .to_s = (uint32_t)to_s, .cap_mw = 300000000};
}

static void a_window_begins_and_ends_to_the_second(void **state)
{
    (void)state;
    struct site_contract peak = window(0x1F, 16 * HOUR_S, 21 * HOUR_S);
    for (int day = 0; day < 7; day++) {
        /* Sunday is summer time's first */
        int64_t at_s = MONDAY_S + day * DAY_S - (day == 6 ? HOUR_S : 0);
        assert_false(schedule_is_open(&peak, at_s + 16 * HOUR_S - 1));
        assert_int_equal(schedule_is_open(&peak, at_s + 16 * HOUR_S), day < 5);
        assert_int_equal(schedule_is_open(&peak, at_s + 21 * HOUR_S - 1), day < 5);
        assert_false(schedule_is_open(&peak, at_s + 21 * HOUR_S));
    }
}

static void a_window_past_midnight_belongs_to_the_day_it_begins_on(void **state)
{
    (void)state;
    struct site_contract night = window(1u << 1, 22 * HOUR_S, 6 * HOUR_S);      /* Tuesday */
    int64_t tuesday_s = MONDAY_S + DAY_S;
    assert_false(schedule_is_open(&night, tuesday_s + HOUR_S));
    assert_false(schedule_is_open(&night, tuesday_s + 22 * HOUR_S - 1));
    assert_true(schedule_is_open(&night, tuesday_s + 22 * HOUR_S));
    assert_true(schedule_is_open(&night, tuesday_s + DAY_S));
    assert_true(schedule_is_open(&night, tuesday_s + DAY_S + 6 * HOUR_S - 1));
    assert_false(schedule_is_open(&night, tuesday_s + DAY_S + 6 * HOUR_S));
    assert_false(schedule_is_open(&night, tuesday_s + DAY_S + 22 * HOUR_S));
}

static void the_whole_day_has_no_gap(void **state)
{
    (void)state;
    struct site_contract always = window(SITE_EVERY_DAY, 0, 0);
    for (int64_t s = 0; s < 8 * DAY_S; s += 600)
        assert_true(schedule_is_open(&always, MONDAY_S + s));
}

/* Clocks go from 02:00 to 03:00 on Sunday: the window of the wall lasts an hour less. */
static void a_window_follows_the_wall_clock_into_summer_time(void **state)
{
    (void)state;
    struct site_contract night = window(SITE_EVERY_DAY, HOUR_S, 4 * HOUR_S);
    int64_t sunday_s = MONDAY_S + 6 * DAY_S, open_s = 0;
    for (int64_t s = 0; s < 12 * HOUR_S; s++)
        open_s += schedule_is_open(&night, sunday_s + s);
    assert_int_equal(open_s, 2 * HOUR_S);
}

struct bed {
    struct site site;
    struct model_node node;
    struct schedule schedule;
};

static void open_bed(struct bed *bed)
{
    memset(bed, 0, sizeof *bed);
    strcpy(bed->node.name, "main");
    bed->site.model.node = &bed->node;
    bed->site.contract_count = 1;
    bed->site.contract[0] = window(SITE_EVERY_DAY, 16 * HOUR_S, 21 * HOUR_S);
    bed->schedule.site = &bed->site;
    schedule_begin(&bed->schedule);
}

static void look(struct bed *bed, int64_t second_of_day)
{
    schedule_look(&bed->schedule, MONDAY_S + second_of_day, second_of_day * NS_PER_S);
}

static void a_cap_is_given_ahead_once_and_lifted_once(void **state)
{
    (void)state;
    struct bed bed;
    open_bed(&bed);
    for (int64_t s = 15 * HOUR_S; s < 22 * HOUR_S; s += 1) {
        look(&bed, s);
        assert_int_equal(count, (s >= 16 * HOUR_S - SCHEDULE_LEAD_S) + (s >= 21 * HOUR_S));
    }
    assert_int_equal(given[0].order.kind, ORDER_CAP);
    assert_int_equal(given[0].order.value_mw, 300000000);
    assert_int_equal(given[0].order.within_ns, SCHEDULE_LEAD_S * NS_PER_S);
    assert_int_equal(given[0].order.for_ns, 0);
    assert_int_equal(given[0].order.contract, ORDERS_SITE_CONTRACT);
    assert_string_equal(given[0].subject, "main");
    assert_string_equal(given[0].contract, "peak");
    assert_int_equal(given[1].order.kind, ORDER_LIFT);
    assert_int_equal(given[1].order.contract, ORDERS_SITE_CONTRACT);
}

static void a_start_in_the_middle_gives_it_at_once(void **state)
{
    (void)state;
    struct bed bed;
    open_bed(&bed);
    look(&bed, 18 * HOUR_S);
    assert_int_equal(count, 1);
    assert_int_equal(given[0].order.kind, ORDER_CAP);
}

static void a_start_outside_gives_and_lifts_nothing(void **state)
{
    (void)state;
    struct bed bed;
    open_bed(&bed);
    look(&bed, 22 * HOUR_S);
    assert_int_equal(count, 0);
}

/* The clock is set forward into the window, back out of it, and forward over the whole of it. */
static void a_clock_that_is_set_changes_what_is_in_force_at_once(void **state)
{
    (void)state;
    struct bed bed;
    open_bed(&bed);
    static const struct { int64_t hour; uint32_t count; uint32_t kind; } row[] = {
        {10, 0, 0}, {18, 1, ORDER_CAP}, {10, 2, ORDER_LIFT}, {23, 2, ORDER_LIFT}, {17, 3, ORDER_CAP}};
    for (uint32_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        look(&bed, row[i].hour * HOUR_S);
        assert_int_equal(count, row[i].count);
        if (count)
            assert_int_equal(given[count - 1].order.kind, row[i].kind);
    }
}

static void what_was_not_taken_is_given_again_but_not_at_every_look(void **state)
{
    (void)state;
    struct bed bed;
    open_bed(&bed);
    refusing = true;
    for (int64_t s = 0; s < 20; s++)
        look(&bed, 17 * HOUR_S + s);
    assert_int_equal(count, 4);
    assert_int_equal(count_read(&bed.schedule.failed), 4);
    refusing = false;
    for (int64_t s = 20; s < 40; s++)
        look(&bed, 17 * HOUR_S + s);
    assert_int_equal(count, 5);
}

static void a_cap_and_a_ramp_are_two_orders(void **state)
{
    (void)state;
    struct bed bed;
    open_bed(&bed);
    bed.site.contract[0].ramp_up_mw_per_s = 7;
    bed.site.contract[0].ramp_down_mw_per_s = 9;
    look(&bed, 17 * HOUR_S);
    assert_int_equal(count, 2);
    assert_int_equal(given[1].order.kind, ORDER_RAMP);
    assert_int_equal(given[1].order.value_mw, 7);
    assert_int_equal(given[1].order.down_mw_per_s, 9);
    assert_int_equal(given[1].order.contract, ORDERS_SITE_CONTRACT + 1);
    look(&bed, 22 * HOUR_S);
    assert_int_equal(count, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_window_begins_and_ends_to_the_second, start),
        cmocka_unit_test_setup(a_window_past_midnight_belongs_to_the_day_it_begins_on, start),
        cmocka_unit_test_setup(the_whole_day_has_no_gap, start),
        cmocka_unit_test_setup(a_window_follows_the_wall_clock_into_summer_time, start),
        cmocka_unit_test_setup(a_cap_is_given_ahead_once_and_lifted_once, start),
        cmocka_unit_test_setup(a_start_in_the_middle_gives_it_at_once, start),
        cmocka_unit_test_setup(a_start_outside_gives_and_lifts_nothing, start),
        cmocka_unit_test_setup(a_clock_that_is_set_changes_what_is_in_force_at_once, start),
        cmocka_unit_test_setup(what_was_not_taken_is_given_again_but_not_at_every_look, start),
        cmocka_unit_test_setup(a_cap_and_a_ramp_are_two_orders, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
