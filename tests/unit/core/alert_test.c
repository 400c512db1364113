/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts at meters: who raises, who clears, what is shown and counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/alert.h"
#include "core/core.h"
#include "stand.h"

#define MS NS_PER_MS
enum { METERS = 3, WATCHES = 4 };

static struct model_node node[METERS] = {{.phases = 3}, {.phases = 3}, {.phases = 3}};
static struct model_meter meter[METERS] = {
    {.node = 0, .fresh_ns = 100 * MS}, {.node = 1, .fresh_ns = 100 * MS}, {.node = 2, .fresh_ns = 100 * MS}};
/* Alert 0: power above 100, until at 90, for 50 ms; alert 1: frequency below 50 Hz, and volts. */
static struct model_alert alert[2] = {
    {.when = {.count = 2,
              .step = {{.op = WHEN_ABOVE, .quantity = WHEN_POWER, .bound = 100, .clear = 90},
                       {.op = WHEN_FOR, .bound = 50 * MS}}}},
    {.when = {.count = 5,
              .step = {{.op = WHEN_BELOW, .quantity = WHEN_FREQUENCY, .bound = 50000, .clear = 50000},
                       {.op = WHEN_ABOVE, .quantity = WHEN_VOLTAGE_A, .place = 1},
                       {.op = WHEN_AND},
                       {.op = WHEN_BELOW, .quantity = WHEN_FREQUENCY, .place = 2, .bound = 50000,
                        .clear = 50000},
                       {.op = WHEN_AND}}}},
};
static struct model_watch watch[WATCHES] = {{0, 0}, {0, 2}, {1, 2}};
static const struct model model = {.meter_count = METERS, .node_count = METERS, .alert_count = 2,
                                   .watch_count = 3, .node = node, .meter = meter, .alert = alert,
                                   .watch = watch};

struct bed {
    struct alerts alerts;
    uint32_t first[METERS + 1];
    struct alert_watch watch[WATCHES];
    struct alert_row row[2];
};

static void open_bed(struct bed *bed)
{
    *bed = (struct bed){0};
    bed->alerts.first = bed->first;
    bed->alerts.watch = bed->watch;
    bed->alerts.row = bed->row;
    alert_init(&bed->alerts, &model);
}

static uint32_t read_power(struct bed *bed, uint32_t at, int64_t t_ms, int64_t power_mw)
{
    struct reading reading = {.meter = at, .power_mw = {power_mw}, .voltage_mv = {7}};

    return alert_reading(&bed->alerts, &reading, t_ms * MS);
}

static struct core_alert_view seen(const struct bed *bed, uint32_t at)
{
    struct core_alert_view view;

    alert_view(&bed->alerts, at, &view);
    return view;
}

static void an_alert_stands_until_its_condition_ends(void **state)
{
    struct bed bed;

    (void)state;
    open_bed(&bed);
    assert_int_equal(seen(&bed, 0).row.newest, INDEX_NONE);
    assert_int_equal(seen(&bed, 0).value[0], ALERT_VALUE_UNKNOWN);
    assert_int_equal(read_power(&bed, 0, 1000, 101), 0);
    assert_int_equal(read_power(&bed, 0, 1049, 101), 0);
    assert_int_equal(seen(&bed, 0).row.now, 0);
    uint64_t before = bed.alerts.digest;
    assert_int_equal(read_power(&bed, 0, 1050, 102), 1);
    assert_int_not_equal(bed.alerts.digest, before);
    before = bed.alerts.digest;
    assert_int_equal(read_power(&bed, 0, 1066, 95), 0);
    struct core_alert_view view = seen(&bed, 0);
    assert_int_equal(view.row.now, 1);
    assert_int_equal(view.row.newest, 0);
    assert_int_equal(view.row.entered, 1);
    assert_int_equal(view.row.since_ns, 1050 * MS);
    assert_int_equal(view.newest_since_ns, 1050 * MS);
    assert_int_equal(view.value[0], 95);
    assert_int_equal(view.value[1], ALERT_VALUE_UNKNOWN);
    assert_int_equal(bed.alerts.digest, before);
    assert_int_equal(read_power(&bed, 0, 1082, 90), 1);
    assert_int_not_equal(bed.alerts.digest, before);
    view = seen(&bed, 0);
    assert_int_equal(view.row.now, 0);
    assert_int_equal(view.row.left, 1);
    assert_int_equal(view.row.newest, INDEX_NONE);
    assert_int_equal(view.value[0], ALERT_VALUE_UNKNOWN);
    assert_int_equal(view.newest_since_ns, 0);
    assert_int_equal(bed.alerts.raised, 1);
    assert_int_equal(bed.alerts.cleared, 1);
}

static void one_that_stands_on_takes_the_place_of_the_newest(void **state)
{
    struct bed bed;

    (void)state;
    open_bed(&bed);
    for (int64_t t_ms = 0; t_ms <= 50; t_ms += 50)
        read_power(&bed, 0, t_ms, 200);
    for (int64_t t_ms = 60; t_ms <= 110; t_ms += 50)
        read_power(&bed, 2, t_ms, 300);
    assert_int_equal(seen(&bed, 0).row.now, 2);
    assert_int_equal(seen(&bed, 0).row.newest, 2);
    assert_int_equal(seen(&bed, 0).row.since_ns, 50 * MS);
    assert_int_equal(seen(&bed, 0).newest_since_ns, 110 * MS);
    assert_int_equal(seen(&bed, 0).value[0], 300);
    read_power(&bed, 0, 120, 210);
    assert_int_equal(seen(&bed, 0).value[0], 300);
    read_power(&bed, 2, 130, 0);
    assert_int_equal(seen(&bed, 0).row.now, 1);
    read_power(&bed, 0, 140, 220);
    assert_int_equal(seen(&bed, 0).row.newest, 0);
    assert_int_equal(seen(&bed, 0).value[0], 220);
    assert_int_equal(seen(&bed, 0).newest_since_ns, 50 * MS);
}

static void a_meter_that_nobody_watches_raises_nothing(void **state)
{
    struct bed bed;

    (void)state;
    open_bed(&bed);
    for (int64_t t_ms = 0; t_ms <= 100; t_ms += 50)
        assert_int_equal(read_power(&bed, 1, t_ms, 1000), 0);
    assert_int_equal(bed.alerts.raised + bed.alerts.unknown, 0);
}

/* fresh is 100 ms: at 101 the time begins anew, at 100 it goes on. */
static void readings_that_are_missing_start_a_time_anew(void **state)
{
    struct bed bed;

    (void)state;
    open_bed(&bed);
    read_power(&bed, 0, 0, 200);
    assert_int_equal(read_power(&bed, 0, 101, 200), 0);
    assert_int_equal(read_power(&bed, 0, 150, 200), 0);
    assert_int_equal(read_power(&bed, 0, 151, 200), 1);
    open_bed(&bed);
    read_power(&bed, 0, 0, 200);
    assert_int_equal(read_power(&bed, 0, 100, 200), 1);
}

static void what_a_meter_does_not_tell_is_counted_and_raises_nothing(void **state)
{
    struct bed bed;
    struct reading reading = {.meter = 2, .voltage_mv = {7}};

    (void)state;
    open_bed(&bed);
    assert_int_equal(alert_reading(&bed.alerts, &reading, 0), 0);
    assert_int_equal(alert_reading(&bed.alerts, &reading, 16 * MS), 0);
    assert_int_equal(seen(&bed, 1).unknown, 1);
    assert_int_equal(bed.alerts.unknown, 2);
    reading.frequency_mhz = 49000;
    assert_int_equal(alert_reading(&bed.alerts, &reading, 32 * MS), 1);
    assert_int_equal(seen(&bed, 1).unknown, 0);
    assert_int_equal(seen(&bed, 1).row.now, 1);
    /* each quantity once, in the order of the condition */
    assert_int_equal(seen(&bed, 1).value[0], 49000);
    assert_int_equal(seen(&bed, 1).value[1], 7);
    assert_int_equal(seen(&bed, 1).value[2], ALERT_VALUE_UNKNOWN);
    reading.frequency_mhz = 0;
    assert_int_equal(alert_reading(&bed.alerts, &reading, 48 * MS), 1);
    assert_int_equal(seen(&bed, 1).row.now, 0);
    assert_int_equal(seen(&bed, 1).unknown, 1);
    assert_int_equal(bed.alerts.unknown, 3);
}

/* `thd_current > 8% and power > 600kW for 200ms`, of a meter whose readings tell nothing of distortion. */
static void spectra_and_readings_meet_in_a_condition(void **state)
{
    static const struct model_alert distorted = {
        .when = {.count = 4,
                 .step = {{.op = WHEN_ABOVE, .quantity = WHEN_THD_CURRENT, .bound = 80000, .clear = 78400},
                          {.op = WHEN_ABOVE, .quantity = WHEN_POWER, .place = 1, .bound = 600000000,
                           .clear = 588000000},
                          {.op = WHEN_FOR, .bound = 200 * MS},
                          {.op = WHEN_AND}}}};
    struct model one = model;
    struct spectrum_known meters[METERS] = {0};
    struct spectrum_swing_known nodes[METERS + 1] = {0};
    struct spectra_known known = {.meter = meters, .node = nodes, .meters = METERS, .nodes = METERS};
    struct bed bed = {.alerts = {.first = bed.first, .watch = bed.watch, .row = bed.row}};

    (void)state;
    one.alert = (struct model_alert *)(uintptr_t)&distorted;
    one.alert_count = one.watch_count = 1;
    alert_init(&bed.alerts, &one);
    bed.alerts.known = &known;
    read_power(&bed, 0, 1000, 700000000);
    read_power(&bed, 0, 1100, 700000000);
    read_power(&bed, 0, 1190, 700000000);
    assert_int_equal(read_power(&bed, 0, 1250, 700000000), 0);
    assert_int_equal(seen(&bed, 0).unknown, 1);
    spectrum_take(&known, &(struct spectrum){.meter = 0, .thd_a_ppm = {1, 80001, 2}}, 1260 * MS);
    assert_int_equal(read_power(&bed, 0, 1266, 700000000), 1);
    assert_int_equal(seen(&bed, 0).value[0], 80001);
    spectrum_take(&known, &(struct spectrum){.meter = 0, .thd_a_ppm = {1, 78401, 2}}, 1270 * MS);
    assert_int_equal(read_power(&bed, 0, 1280, 700000000), 0);
    spectrum_take(&known, &(struct spectrum){.meter = 1, .thd_a_ppm = {1, 1, 1}}, 1290 * MS);
    assert_int_equal(read_power(&bed, 0, 1300, 700000000), 0);      /* that was another meter */
    spectrum_take(&known, &(struct spectrum){.meter = 0, .thd_a_ppm = {1, 78400, 2}}, 1310 * MS);
    assert_int_equal(read_power(&bed, 0, 1316, 700000000), 1);
    assert_int_equal(seen(&bed, 0).row.now, 0);
    /* the newest spectrum is too old */
    spectrum_take(&known, &(struct spectrum){.meter = 0, .thd_a_ppm = {90000}}, 1320 * MS);
    for (int64_t t_ms = 1332; t_ms <= 2320; t_ms += 19)
        read_power(&bed, 0, t_ms, 700000000);
    assert_int_equal(seen(&bed, 0).row.now, 1);
    assert_int_equal(read_power(&bed, 0, 2321, 700000000), 1);
    assert_int_equal(seen(&bed, 0).row.now, 0);
    assert_int_equal(seen(&bed, 0).unknown, 1);
}

/* The digest of decisions and the counters after two readings, of 10 and 30 kW. */
static uint64_t decided(const struct model_alert *watched, struct core_counters *count)
{
    const struct model_watch at = {.meter = 0};
    struct stand stand;

    stand_site(&stand);
    if (watched) {
        stand.model.alert = (struct model_alert *)(uintptr_t)watched;
        stand.model.watch = (struct model_watch *)(uintptr_t)&at;
        stand.model.alert_count = stand.model.watch_count = 1;
    }
    stand_start(&stand);
    uint32_t watched_node = stand.model.meter[0].node;
    stand_reading(&stand, watched_node, 10000000 / 3);
    stand_wait(&stand, 16 * MS);
    stand_reading(&stand, watched_node, 30000000 / 3);
    uint64_t digest = stand.core->digest;
    *count = *core_counters(stand.core);
    stand_stop(&stand);
    return digest;
}

static void what_is_raised_is_part_of_what_was_decided(void **state)
{
    const struct model_alert raised = {
        .when = {.count = 1, .step = {{.op = WHEN_ABOVE, .quantity = WHEN_POWER, .bound = 20000000}}}};
    const struct model_alert never = {
        .when = {.count = 1, .step = {{.op = WHEN_ABOVE, .quantity = WHEN_POWER, .bound = 40000000}}}};
    struct core_counters count;

    (void)state;
    uint64_t without = decided(NULL, &count);
    assert_int_equal(decided(&never, &count), without);
    assert_int_equal(count.alerts_raised, 0);
    uint64_t with = decided(&raised, &count);
    assert_int_not_equal(with, without);
    assert_int_equal(count.alerts_raised, 1);
    assert_int_equal(count.alerts_cleared + count.alerts_unknown, 0);
    assert_int_equal(decided(&raised, &count), with);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alert_stands_until_its_condition_ends),
        cmocka_unit_test(one_that_stands_on_takes_the_place_of_the_newest),
        cmocka_unit_test(a_meter_that_nobody_watches_raises_nothing),
        cmocka_unit_test(readings_that_are_missing_start_a_time_anew),
        cmocka_unit_test(what_a_meter_does_not_tell_is_counted_and_raises_nothing),
        cmocka_unit_test(spectra_and_readings_meet_in_a_condition),
        cmocka_unit_test(what_is_raised_is_part_of_what_was_decided),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
