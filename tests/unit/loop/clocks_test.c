/* SPDX-License-Identifier: Apache-2.0 */
/* From what lanes show of meters to whose readings may lend: a clock that drifts is doubted, for long, by
 * this machine's monotonic clock and nobody else's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop/clocks.h"
#include "loop/view_share.h"

enum { METERS = 2, DRIFTER = 1, DOOR_BYTES = 107 };
#define START_NS (1000 * NS_PER_S)
#define WAY_NS (80 * NS_PER_US)

struct bed {
    struct view_share share;
    struct view view;
    struct site site;
    struct timebase base;
    struct clocks clocks;
    int64_t now_ns, offset_ns;      /* of the drifter's stamps before the monotonic clock */
    int64_t least_ns, bucket;
};

static void open_clocks(struct bed *bed, uint8_t source)
{
    bed->site.clock.source = source;
    if (source == SITE_CLOCK_PTP)
        strcpy(bed->site.clock.ptp, "/no-such-folder/ptp4l");
    assert_int_equal(clocks_open(&bed->clocks, &bed->site, &bed->base, &bed->view, ""), 0);
}

static int open_bed(void **state)
{
    static struct bed bed;
    memset(&bed, 0, sizeof bed);
    assert_int_equal(view_share_open(&bed.share, &bed.view, 1, 1, METERS), 0);
    timebase_init(&bed.base);
    bed.site.model.meter_count = METERS;
    bed.site.server.housekeeping_core = -1;
    bed.site.clock = (struct site_clock){
        .said = true, .lock_within_ns = NS_PER_MS, .lost_after_ns = NS_PER_S,
        .holdover_budget_ns = INT64_MAX / 8, .drift_ppm = 5, .meter_within_ns = 100 * NS_PER_MS,
        .meter_drift_ppm = 200};
    bed.now_ns = START_NS;
    *state = &bed;
    return 0;
}

static int close_bed(void **state)
{
    struct bed *bed = *state;
    clocks_close(&bed->clocks);
    view_share_close(&bed->share);
    return 0;
}

/* Looks as the thread does, while the drifter's clock gains so much; the other's keeps time. */
static void pass(struct bed *bed, int64_t seconds, int64_t drift_ppm)
{
    for (int64_t end_ns = bed->now_ns + seconds * NS_PER_S; bed->now_ns < end_ns;) {
        bed->now_ns += CLOCKS_LOOK_NS;
        bed->offset_ns += CLOCKS_LOOK_NS / 1000000 * drift_ppm;
        int64_t lag_ns = WAY_NS - bed->offset_ns, bucket = bed->now_ns / METER_CLOCK_BUCKET_NS;
        bed->least_ns = bucket != bed->bucket || lag_ns < bed->least_ns ? lag_ns : bed->least_ns;
        bed->bucket = bucket;
        view_write_meter(&bed->view, 0, &(struct view_meter){.t_receive_ns = bed->now_ns, .lag_ns = WAY_NS});
        view_write_meter(&bed->view, DRIFTER,
                         &(struct view_meter){.t_receive_ns = bed->now_ns, .lag_ns = bed->least_ns});
        clocks_look(&bed->clocks);
    }
}

static bool doubts(const struct bed *bed, uint32_t meter)
{
    struct clocks_meter shown;
    assert_true(clocks_read_meter(&bed->clocks, meter, &shown));
    assert_int_equal(shown.is_doubted, clocks_doubt(bed->clocks.doubted, meter));
    return shown.is_doubted;
}

static void a_meter_that_drifts_is_doubted_for_long_and_then_believed_again(void **state)
{
    struct bed *bed = *state;
    open_clocks(bed, SITE_CLOCK_SYSTEM);
    pass(bed, 70, 300);
    assert_false(doubts(bed, DRIFTER));         /* nobody knows yet */
    pass(bed, 15, 300);
    assert_true(doubts(bed, DRIFTER));
    pass(bed, 500, 0);
    assert_true(doubts(bed, DRIFTER));          /* it keeps time, but did not a few minutes ago */
    pass(bed, 200, 0);
    assert_false(doubts(bed, DRIFTER));
    assert_false(doubts(bed, 0));
}

/* Its clock is set, and who asks how it drifts has to begin anew. */
static void a_step_does_not_end_a_doubt(void **state)
{
    struct bed *bed = *state;
    open_clocks(bed, SITE_CLOCK_SYSTEM);
    pass(bed, 90, -1000);
    assert_true(doubts(bed, DRIFTER));
    for (int i = 0; i < 20; i++) {              /* again and again: nothing is known for ten minutes */
        view_add_step(&bed->view, DRIFTER, bed->now_ns);
        pass(bed, 40, -1000);
        assert_true(doubts(bed, DRIFTER));
    }
    pass(bed, 700, 0);
    assert_false(doubts(bed, DRIFTER));
}

static void without_the_section_nobody_is_doubted(void **state)
{
    struct bed *bed = *state;
    bed->site.clock.said = false;
    open_clocks(bed, SITE_CLOCK_SYSTEM);
    pass(bed, 90, 10000);
    assert_false(doubts(bed, DRIFTER));
}

/* A grandmaster that goes too slow by 1000 ppm, as no clock does: against it everybody is too fast. Ages
 * run on the monotonic clock, and no cap may change by what a grandmaster says. */
static void a_grandmaster_changes_no_doubt(void **state)
{
    struct bed *bed = *state;
    open_clocks(bed, SITE_CLOCK_PTP);
    for (int i = 0; i < 30; i++) {
        int64_t mono_ns = bed->now_ns - (30 - i) * NS_PER_S;
        reference_take(&bed->clocks.keeper.reference,
                       &(struct reference_sample){mono_ns, -(mono_ns - START_NS) / 1000, 100});
    }
    bed->clocks.keeper.sync.state = SYNC_HOLDOVER;
    pass(bed, 90, 0);
    struct clocks_meter shown;
    assert_true(clocks_read_meter(&bed->clocks, 0, &shown));
    assert_true(shown.found.has_drift && shown.found.has_offset);
    assert_in_range(shown.found.drift_ppb, 900000, 1100000);
    assert_true(shown.is_off);
    assert_false(doubts(bed, 0));
    /* one that goes with it goes wrong */
    pass(bed, 90, -1000);
    assert_true(clocks_read_meter(&bed->clocks, DRIFTER, &shown));
    assert_in_range(shown.found.drift_ppb + 50000, 0, 100000);
    assert_true(doubts(bed, DRIFTER));
    assert_false(doubts(bed, 0));
}

/* Answers come to the door's name with more behind it: only where somebody is asked must that have room. */
static void a_long_door_is_refused_only_where_ptp4l_is_asked(void **state)
{
    struct bed *bed = *state;
    char door[DOOR_BYTES + 1];
    memset(door, 'd', DOOR_BYTES);
    door[DOOR_BYTES] = 0;
    assert_int_equal(clocks_open(&bed->clocks, &bed->site, &bed->base, &bed->view, door), 0);
    clocks_close(&bed->clocks);
    bed->site.clock.source = SITE_CLOCK_PTP;
    strcpy(bed->site.clock.ptp, "/no-such-folder/ptp4l");
    assert_int_equal(clocks_open(&bed->clocks, &bed->site, &bed->base, &bed->view, door), -ENAMETOOLONG);
    assert_false(bed->clocks.open);
    int before = fcntl(STDIN_FILENO, F_GETFD);
    keeper_close(&bed->clocks.keeper);
    clocks_close(&bed->clocks);
    assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), before);
    assert_int_not_equal(before, -1);
    door[DOOR_BYTES - 4] = 0;
    assert_int_equal(clocks_open(&bed->clocks, &bed->site, &bed->base, &bed->view, door), 0);
}

/* LOCKED speaks of the reference; records are stamped by the system clock, which may be seconds off it. */
static void records_are_synchronised_only_by_a_clock_that_is_near_the_reference(void **state)
{
    (void)state;
    static const struct {
        uint8_t state;
        bool is_tai, utc_known;
        int16_t utc_offset_s;
        int64_t offset_ns;
        bool is;
    } rows[] = {{SYNC_LOCKED, false, false, 0, 0, true},
                {SYNC_HOLDOVER, false, false, 0, 0, false},
                {SYNC_LOCKED, false, false, 0, NS_PER_MS, true},
                {SYNC_LOCKED, false, false, 0, -NS_PER_MS, true},
                {SYNC_LOCKED, false, false, 0, NS_PER_MS + 1, false},
                {SYNC_LOCKED, false, false, 0, -NS_PER_MS - 1, false},
                {SYNC_LOCKED, true, true, 37, -37 * NS_PER_S + NS_PER_MS, true},
                {SYNC_LOCKED, true, true, 37, -38 * NS_PER_S, false},
                {SYNC_LOCKED, true, true, 37, 37 * NS_PER_S, false},
                {SYNC_LOCKED, true, true, 37, 0, false},
                {SYNC_LOCKED, true, false, 0, -37 * NS_PER_S, true},
                {SYNC_LOCKED, true, false, 0, -38 * NS_PER_S, true},
                {SYNC_LOCKED, true, false, 0, -37 * NS_PER_S - 2 * NS_PER_MS, false},
                {SYNC_LOCKED, true, false, 0, -20 * NS_PER_S, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct keeper_told told = {
            .state = rows[i].state, .is_tai = rows[i].is_tai, .utc_known = rows[i].utc_known,
            .utc_offset_s = rows[i].utc_offset_s, .system_offset_ns = rows[i].offset_ns};
        if (clocks_is_synchronised(&told, NS_PER_MS) != rows[i].is)
            fail_msg("row %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_synchronised_only_by_a_clock_that_is_near_the_reference),
        cmocka_unit_test_setup_teardown(a_meter_that_drifts_is_doubted_for_long_and_then_believed_again,
                                        open_bed, close_bed),
        cmocka_unit_test_setup_teardown(a_step_does_not_end_a_doubt, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(without_the_section_nobody_is_doubted, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(a_grandmaster_changes_no_doubt, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(a_long_door_is_refused_only_where_ptp4l_is_asked, open_bed,
                                        close_bed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
