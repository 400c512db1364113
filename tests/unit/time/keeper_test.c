/* SPDX-License-Identifier: Apache-2.0 */
/* Looks made up by hand: what a grandmaster does, and what the keeper says of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "msg/limits.h"
#include "time/keeper.h"

#define EPOCH_NS (INT64_C(1751538645) * NS_PER_S)

struct bed {
    struct keeper keeper;
    struct keeper_told told;
    int64_t mono_ns;
    int64_t apart_ns;           /* system clock - monotonic */
    int64_t ahead_ns;           /* of the grandmaster before the system clock */
    uint8_t gm, class, flags;
    int16_t utc_offset_s;
    bool has_master, syncs;
    int64_t stamp_ns;           /* of Syncs, before the system clock: another clock's */
    uint8_t port_state;
    int error;
};

static void begin(struct bed *bed, enum keeper_source source)
{
    struct keeper_options options = {
        .source = source, .wander_ppt = 5000000,
        .rules = {.within_ns = 20000, .settle_ns = 5 * NS_PER_S, .lost_ns = 4 * NS_PER_S,
                  .budget_ns = NS_PER_MS}};
    strcpy(options.ptp, source == KEEPER_PTP ? "/nowhere" : "");
    memset(bed, 0, sizeof *bed);
    bed->mono_ns = 500 * NS_PER_S;
    bed->apart_ns = EPOCH_NS - bed->mono_ns;
    bed->gm = 1;
    bed->class = 6;
    bed->flags = PTP_UTC_VALID;
    bed->utc_offset_s = 37;
    bed->has_master = bed->syncs = true;
    bed->port_state = PTP_UNCALIBRATED;
    assert_int_equal(keeper_init(&bed->keeper, &options), 0);
}

static void fill(const struct bed *bed, struct keeper_look *look)
{
    struct ptp_report *report = &look->report;
    report->has_status = report->has_parent = report->has_properties = report->has_port = true;
    report->status = (struct ptp_time_status){
        .master_offset_ns = -bed->ahead_ns + (bed->mono_ns / NS_PER_S % 5 - 2) * 300,
        .ingress_ns = bed->syncs ? look->moment.real_ns + bed->stamp_ns - 100 * NS_PER_MS : 77,
        .has_master = bed->has_master, .grandmaster = {bed->gm}};
    report->parent = (struct ptp_parent){.clock_class = bed->class, .grandmaster = {bed->gm}};
    report->properties = (struct ptp_time_properties){bed->utc_offset_s, bed->flags};
    report->port_state = bed->port_state;
}

static void pass(struct bed *bed, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        bed->mono_ns += NS_PER_S;
        struct keeper_look look = {
            .moment = {bed->mono_ns, bed->mono_ns + bed->apart_ns, 50}, .error = bed->error};
        if (!bed->error && bed->keeper.options.ptp[0])
            fill(bed, &look);
        keeper_take(&bed->keeper, &look);
    }
    assert_true(keeper_read(&bed->keeper, &bed->told));
}

/* The grandmaster's time is within what is said of it, and that is small. */
static void assert_knows(const struct bed *bed, int64_t most_ns)
{
    struct reference_interval interval;
    int64_t truth_ns = bed->mono_ns + bed->apart_ns + bed->ahead_ns;
    assert_true(reference_interval(&bed->keeper.reference, bed->mono_ns, bed->mono_ns, &interval));
    assert_true(interval.earliest_ns <= truth_ns && truth_ns <= interval.latest_ns);
    assert_true(interval.latest_ns - interval.earliest_ns <= most_ns);
}

static void it_locks_to_a_grandmaster_that_nobody_follows(void **state)
{
    (void)state;
    struct bed bed;
    begin(&bed, KEEPER_PTP);
    bed.ahead_ns = 123456789;       /* the system clock is not steered: its offset stays */
    pass(&bed, 12);
    assert_int_equal(bed.told.state, SYNC_LOCKED);
    assert_int_equal(bed.told.port_state, PTP_UNCALIBRATED);
    assert_int_equal(bed.told.clock_class, 6);
    assert_int_equal(bed.told.grandmaster[0], 1);
    assert_in_range(bed.told.system_offset_ns + bed.ahead_ns + 2000, 0, 4000);
    assert_true(bed.told.utc_known && bed.told.utc_offset_s == 37);
    assert_knows(&bed, 20000);
    assert_int_equal(bed.told.steps + bed.told.masters + bed.told.leaps + bed.told.sets, 0);
}

/* A second in which ptp4l has not measured the path to its master yet. */
static void pass_unmeasured(struct bed *bed)
{
    bed->mono_ns += NS_PER_S;
    struct keeper_look look = {.moment = {bed->mono_ns, bed->mono_ns + bed->apart_ns, 50}};
    fill(bed, &look);
    look.report.status.master_offset_ns = 0;
    keeper_take(&bed->keeper, &look);
}

/* As ptp4l does while it has not measured the path yet. */
static void an_offset_of_nothing_at_first_is_no_sample(void **state)
{
    (void)state;
    struct bed bed;
    begin(&bed, KEEPER_PTP);
    bed.ahead_ns = 20 * NS_PER_MS;
    for (int restart = 0; restart < 2; restart++) {
        uint64_t before = bed.told.samples;
        for (int i = 0; i < 3; i++)
            pass_unmeasured(&bed);
        assert_true(keeper_read(&bed.keeper, &bed.told));
        assert_int_equal(bed.told.samples, before);
        pass(&bed, 12);
        assert_int_equal(bed.told.state, SYNC_LOCKED);
        assert_int_equal(bed.told.steps, 0);
        assert_knows(&bed, 40000);
        /* in between it may well be 0 */
        struct keeper_look look = {.moment = {bed.mono_ns + 1, bed.mono_ns + 1 + bed.apart_ns, 50}};
        fill(&bed, &look);
        look.report.status.master_offset_ns = 0;
        keeper_take(&bed.keeper, &look);
        assert_true(keeper_read(&bed.keeper, &bed.told));
        assert_int_equal(bed.told.samples, before + 13);
        bed.error = -ECONNREFUSED;
        pass(&bed, 2);
        bed.error = 0;
    }
}

static void a_grandmaster_that_goes_leaves_holdover_then_unsync(void **state)
{
    (void)state;
    struct bed bed;
    begin(&bed, KEEPER_PTP);
    pass(&bed, 20);
    bed.has_master = false;
    pass(&bed, 1);
    assert_int_equal(bed.told.state, SYNC_HOLDOVER);
    assert_int_equal(bed.told.fault, SYNC_ORPHAN);
    assert_knows(&bed, 30000);
    pass(&bed, 60);
    assert_int_equal(bed.told.state, SYNC_HOLDOVER);
    assert_knows(&bed, 800000);
    /* 5 ppm use up 1 ms in 200 s */
    pass(&bed, 150);
    assert_int_equal(bed.told.state, SYNC_UNSYNC);
    bed.has_master = true;
    pass(&bed, 10);
    assert_int_equal(bed.told.state, SYNC_LOCKED);
    assert_int_equal(bed.told.masters, 0);
    assert_int_equal(bed.told.losses, 1);
}

/* Seen of ptp4l 3.1.1 with slaveOnly: a master that died stays its grandmaster for ever. */
static void a_port_that_listens_has_no_master_whatever_is_said(void **state)
{
    (void)state;
    struct bed bed;
    begin(&bed, KEEPER_PTP);
    bed.port_state = PTP_SLAVE;
    pass(&bed, 20);
    assert_int_equal(bed.told.state, SYNC_LOCKED);
    bed.port_state = PTP_LISTENING;
    pass(&bed, 1);
    assert_int_equal(bed.told.state, SYNC_HOLDOVER);
    assert_int_equal(bed.told.fault, SYNC_ORPHAN);
    assert_false(bed.told.has_master);
}

static void syncs_that_stop_are_noticed_though_ptp4l_answers(void **state)
{
    (void)state;
    struct bed bed;
    begin(&bed, KEEPER_PTP);
    pass(&bed, 20);
    bed.syncs = false;
    pass(&bed, 6);
    assert_int_equal(bed.told.state, SYNC_HOLDOVER);
    assert_int_equal(bed.told.fault, SYNC_SILENT);
}

static void a_ptp4l_that_is_killed_is_noticed_and_counted(void **state)
{
    (void)state;
    struct bed bed;
    begin(&bed, KEEPER_PTP);
    pass(&bed, 20);
    bed.error = -ECONNREFUSED;
    pass(&bed, 3);
    assert_int_equal(bed.told.state, SYNC_HOLDOVER);
    assert_int_equal(bed.told.fault, SYNC_DEAF);
    assert_int_equal(bed.told.error, ECONNREFUSED);
    assert_int_equal(bed.told.unanswered, 3);
    bed.error = 0;
    pass(&bed, 7);
    assert_int_equal(bed.told.state, SYNC_LOCKED);
    assert_int_equal(bed.told.error, 0);
}

static void a_step_of_the_grandmaster_is_counted_and_survived(void **state)
{
    (void)state;
    struct bed bed;
    begin(&bed, KEEPER_PTP);
    pass(&bed, 20);
    bed.ahead_ns += 250 * NS_PER_MS;
    pass(&bed, 1);
    assert_int_equal(bed.told.state, SYNC_UNSYNC);         /* it may be a quarter of a second off */
    assert_int_equal(bed.told.fault, SYNC_ROUGH);
    pass(&bed, 11);
    assert_int_equal(bed.told.state, SYNC_LOCKED);
    assert_int_equal(bed.told.steps, 1);
    assert_in_range(bed.told.step_ns - 250 * NS_PER_MS + 10000, 0, 20000);
    assert_knows(&bed, 40000);
}

static void another_grandmaster_is_followed_and_counted(void **state)
{
    (void)state;
    struct bed bed;
    begin(&bed, KEEPER_PTP);
    pass(&bed, 20);
    bed.gm = 2;
    bed.ahead_ns -= 3 * NS_PER_MS;
    pass(&bed, 1);
    assert_int_equal(bed.told.state, SYNC_HOLDOVER);
    assert_int_equal(bed.told.masters, 1);
    assert_int_equal(bed.told.grandmaster[0], 2);
    pass(&bed, 12);
    assert_int_equal(bed.told.state, SYNC_LOCKED);
    assert_int_equal(bed.told.steps, 1);
    assert_knows(&bed, 40000);
    /* one more, to which ptp4l has not measured the path yet */
    bed.gm = 3;
    uint64_t samples = bed.told.samples;
    for (int i = 0; i < 3; i++) {
        pass_unmeasured(&bed);
        assert_true(keeper_read(&bed.keeper, &bed.told));
        assert_int_equal(bed.told.samples, samples);
        assert_int_equal(bed.told.sample_ns, 0);
        assert_int_equal(bed.told.fault, SYNC_SILENT);
    }
    bed.gm = 2;
    pass(&bed, 12);
    assert_int_equal(bed.told.state, SYNC_LOCKED);
    assert_int_equal(bed.told.masters, 3);
    assert_int_equal(bed.told.steps, 1);
    bed.gm = 1;                     /* back, and it says the same as the second: no step */
    pass(&bed, 12);
    assert_int_equal(bed.told.masters, 4);
    assert_int_equal(bed.told.steps, 1);
}

/* With stamps of hardware ptp4l steers the card's clock, and what that is off by says nothing of the
 * system's. */
static void stamps_of_a_card_say_nothing_of_the_system_clock(void **state)
{
    (void)state;
    static const int64_t others_ns[] = {37 * NS_PER_S, -EPOCH_NS + NS_PER_S, NS_PER_S, -30 * NS_PER_S};
    for (size_t i = 0; i < sizeof others_ns / sizeof others_ns[0]; i++) {
        struct bed bed;
        begin(&bed, KEEPER_PTP);
        bed.port_state = PTP_SLAVE;
        bed.stamp_ns = others_ns[i];
        pass(&bed, 10);
        assert_int_equal(bed.told.samples, 0);
        assert_int_equal(bed.told.state, SYNC_UNSYNC);
        assert_int_equal(bed.told.fault, SYNC_STAMPS);
        bed.stamp_ns = 0;           /* started anew, with stamps of software */
        pass(&bed, 12);
        assert_int_equal(bed.told.state, SYNC_LOCKED);
        assert_knows(&bed, 40000);
    }
}

/* Older than the newest that is known: the line learns nothing, and nothing is counted. */
static void what_the_line_does_not_take_is_no_sample(void **state)
{
    (void)state;
    struct bed bed;
    begin(&bed, KEEPER_PTP);
    pass(&bed, 20);
    uint64_t before = bed.told.samples;
    int64_t sample_ns = bed.told.sample_ns;
    bed.stamp_ns = -15 * NS_PER_S;
    pass(&bed, 3);
    assert_int_equal(bed.told.samples, before);
    assert_int_equal(bed.told.sample_ns, sample_ns);
}

static void a_grandmaster_without_reference_is_not_believed(void **state)
{
    (void)state;
    struct bed bed;
    begin(&bed, KEEPER_PTP);
    bed.class = 248;
    pass(&bed, 20);
    assert_int_equal(bed.told.state, SYNC_UNSYNC);
    assert_int_equal(bed.told.fault, SYNC_CLASS);
    bed.class = 7;
    pass(&bed, 6);
    assert_int_equal(bed.told.state, SYNC_LOCKED);
}

/* The kernel puts one in, so that the system clock and the grandmaster's UTC go back together. */
static void a_leap_second_is_no_step(void **state)
{
    (void)state;
    struct bed bed;
    begin(&bed, KEEPER_PTP);
    pass(&bed, 20);
    bed.flags |= PTP_LEAP_61;
    pass(&bed, 5);
    assert_int_equal(bed.told.flags & PTP_LEAP_61, PTP_LEAP_61);
    bed.apart_ns -= NS_PER_S;
    pass(&bed, 2);
    bed.flags = PTP_UTC_VALID;
    bed.utc_offset_s = 38;
    pass(&bed, 12);
    assert_int_equal(bed.told.leaps, 1);
    assert_int_equal(bed.told.steps, 0);
    assert_int_equal(bed.told.sets, 0);
    assert_int_equal(bed.told.utc_offset_s, 38);
    assert_int_equal(bed.told.state, SYNC_LOCKED);
    assert_knows(&bed, 40000);
    /* a second later on, that nobody announced, is one */
    bed.mono_ns += KEEPER_LEAP_LASTS_NS + NS_PER_S;
    bed.apart_ns = EPOCH_NS - 500 * NS_PER_S - NS_PER_S;
    pass(&bed, 20);
    uint64_t before = bed.told.steps;
    bed.ahead_ns += NS_PER_S;
    pass(&bed, 12);
    assert_int_equal(bed.told.steps, before + 1);
}

static void a_system_clock_that_is_set_moves_nothing_under_ptp(void **state)
{
    (void)state;
    struct bed bed;
    begin(&bed, KEEPER_PTP);
    pass(&bed, 20);
    bed.apart_ns += 3600 * NS_PER_S;
    bed.ahead_ns -= 3600 * NS_PER_S;
    pass(&bed, 8);
    assert_int_equal(bed.told.sets, 1);
    assert_int_equal(bed.told.steps, 0);
    assert_int_equal(bed.told.state, SYNC_LOCKED);
    assert_in_range(bed.told.system_offset_ns - 3600 * NS_PER_S + 2000, 0, 4000);
    assert_knows(&bed, 40000);
}

static void the_kernels_word_is_a_source_too(void **state)
{
    (void)state;
    struct bed bed;
    begin(&bed, KEEPER_SYSTEM);
    for (int i = 0; i < 12; i++) {
        bed.mono_ns += NS_PER_S;
        struct keeper_look look = {.moment = {bed.mono_ns, bed.mono_ns + bed.apart_ns, 50}, .kept = i < 10,
                                   .bound_ns = 5000, .utc_offset_s = 37};
        keeper_take(&bed.keeper, &look);
        assert_true(keeper_read(&bed.keeper, &bed.told));
        assert_int_equal(bed.told.state,
                         i < 8 ? SYNC_UNSYNC : i < 10 ? SYNC_LOCKED : SYNC_HOLDOVER);
    }
    assert_int_equal(bed.told.fault, SYNC_ORPHAN);
    assert_knows(&bed, 40000);
    assert_true(bed.told.utc_known);
}

static void look_at_system(struct bed *bed, int64_t bound_ns)
{
    bed->mono_ns += NS_PER_S;
    struct keeper_look look = {.moment = {bed->mono_ns, bed->mono_ns + bed->apart_ns, 50}, .kept = true,
                               .bound_ns = bound_ns};
    keeper_take(&bed->keeper, &look);
    assert_true(keeper_read(&bed->keeper, &bed->told));
}

/* systemd-timesyncd tells the kernel that its error is 0, phc2sys nothing, and the kernel begins with 16
 * s. */
static void a_clock_whose_error_nobody_estimates_is_not_known(void **state)
{
    (void)state;
    static const struct { int64_t bound_ns; bool knows; } rows[] = {
        {0, false}, {-1000, false}, {1000, true}, {KEEPER_NO_ESTIMATE_NS - 1, true},
        {KEEPER_NO_ESTIMATE_NS, false}, {INT64_C(17000000000), false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bed bed;
        begin(&bed, KEEPER_SYSTEM);
        for (int k = 0; k < 20; k++)
            look_at_system(&bed, rows[i].bound_ns);
        assert_int_equal(bed.told.state, i == 2 ? SYNC_LOCKED : SYNC_UNSYNC);
        assert_int_equal(bed.told.fault, !rows[i].knows ? SYNC_NO_ESTIMATE : i == 2 ? SYNC_GOOD : SYNC_ROUGH);
        assert_int_equal(bed.told.samples, rows[i].knows ? 20 : 0);
    }
    struct bed bed;
    begin(&bed, KEEPER_SYSTEM);
    for (int k = 0; k < 20; k++)
        look_at_system(&bed, 1000);
    look_at_system(&bed, 0);        /* another one keeps it now */
    assert_int_equal(bed.told.state, SYNC_HOLDOVER);
    assert_int_equal(bed.told.fault, SYNC_NO_ESTIMATE);
}

static void a_card_is_read_beside_the_system_clock(void **state)
{
    (void)state;
    struct bed bed;
    begin(&bed, KEEPER_PHC);
    bed.ahead_ns = 37 * NS_PER_S + 4242;
    for (int i = 0; i < 12; i++) {
        bed.mono_ns += NS_PER_S;
        int64_t real_ns = bed.mono_ns + bed.apart_ns, at_ns = real_ns - 3 * NS_PER_MS;
        struct keeper_look look = {.moment = {bed.mono_ns, real_ns, 50},
                                   .pair = {at_ns, at_ns + bed.ahead_ns, 300}};
        keeper_take(&bed.keeper, &look);
    }
    assert_true(keeper_read(&bed.keeper, &bed.told));
    assert_int_equal(bed.told.state, SYNC_LOCKED);
    assert_true(bed.told.is_tai);
    assert_knows(&bed, 20000);
    assert_int_equal(bed.told.system_offset_ns, -bed.ahead_ns);
}

static void read_card(struct bed *bed, int64_t set_ns)
{
    bed->mono_ns += NS_PER_S;
    int64_t real_ns = bed->mono_ns + bed->apart_ns, at_ns = real_ns - 3 * NS_PER_MS;
    struct keeper_look look = {.moment = {bed->mono_ns, real_ns, 50},
                               .pair = {at_ns + set_ns, at_ns + bed->ahead_ns, 300}};
    keeper_take(&bed->keeper, &look);
    assert_true(keeper_read(&bed->keeper, &bed->told));
}

/* The card was read by the clock as it was before, the moment by the one after. */
static void a_system_clock_set_while_the_card_is_read_costs_one_sample(void **state)
{
    (void)state;
    static const int64_t sets_ns[] = {3600 * NS_PER_S, -3600 * NS_PER_S, 2 * NS_PER_S};
    for (size_t i = 0; i < sizeof sets_ns / sizeof sets_ns[0]; i++) {
        struct bed bed;
        begin(&bed, KEEPER_PHC);
        bed.ahead_ns = 37 * NS_PER_S;
        for (int k = 0; k < 12; k++)
            read_card(&bed, 0);
        read_card(&bed, sets_ns[i]);
        assert_int_equal(bed.told.samples, 12);
        for (int k = 0; k < 12; k++)
            read_card(&bed, 0);
        assert_int_equal(bed.told.samples, 24);
        assert_int_equal(bed.told.state, SYNC_LOCKED);
        assert_int_equal(bed.told.losses, 0);
        assert_knows(&bed, 20000);
    }
}

/* A hypervisor's has its host's time of day. */
static void a_card_that_goes_by_utc_is_not_called_tai(void **state)
{
    (void)state;
    struct bed bed;
    begin(&bed, KEEPER_PHC);
    bed.ahead_ns = 300 * NS_PER_MS;
    for (int i = 0; i < 12; i++)
        read_card(&bed, 0);
    assert_int_equal(bed.told.state, SYNC_LOCKED);
    assert_false(bed.told.is_tai);
    assert_knows(&bed, 20000);
}

static void a_look_at_nothing_is_told_by_the_error(void **state)
{
    (void)state;
    struct bed bed;
    struct timebase base;
    begin(&bed, KEEPER_PTP);
    timebase_init(&base);
    strcpy(bed.keeper.client.own, "/tmp/no-such-folder/own");
    keeper_look(&bed.keeper, &base);
    assert_true(keeper_read(&bed.keeper, &bed.told));
    assert_int_equal(bed.told.error, ENOENT);
    assert_int_equal(bed.told.state, SYNC_UNSYNC);
    assert_int_equal(bed.told.fault, SYNC_DEAF);
    begin(&bed, KEEPER_PHC);
    strcpy(bed.keeper.options.phc, "/dev/null");
    keeper_look(&bed.keeper, &base);
    assert_true(keeper_read(&bed.keeper, &bed.told));
    assert_int_equal(bed.told.error, ENOTTY);
    keeper_close(&bed.keeper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_locks_to_a_grandmaster_that_nobody_follows),
        cmocka_unit_test(an_offset_of_nothing_at_first_is_no_sample),
        cmocka_unit_test(a_grandmaster_that_goes_leaves_holdover_then_unsync),
        cmocka_unit_test(a_port_that_listens_has_no_master_whatever_is_said),
        cmocka_unit_test(syncs_that_stop_are_noticed_though_ptp4l_answers),
        cmocka_unit_test(a_ptp4l_that_is_killed_is_noticed_and_counted),
        cmocka_unit_test(a_step_of_the_grandmaster_is_counted_and_survived),
        cmocka_unit_test(another_grandmaster_is_followed_and_counted),
        cmocka_unit_test(a_grandmaster_without_reference_is_not_believed),
        cmocka_unit_test(a_leap_second_is_no_step),
        cmocka_unit_test(a_system_clock_that_is_set_moves_nothing_under_ptp),
        cmocka_unit_test(the_kernels_word_is_a_source_too),
        cmocka_unit_test(a_clock_whose_error_nobody_estimates_is_not_known),
        cmocka_unit_test(a_card_is_read_beside_the_system_clock),
        cmocka_unit_test(stamps_of_a_card_say_nothing_of_the_system_clock),
        cmocka_unit_test(what_the_line_does_not_take_is_no_sample),
        cmocka_unit_test(a_system_clock_set_while_the_card_is_read_costs_one_sample),
        cmocka_unit_test(a_card_that_goes_by_utc_is_not_called_tai),
        cmocka_unit_test(a_look_at_nothing_is_told_by_the_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
