/* SPDX-License-Identifier: Apache-2.0 */
/* A meter or host that comes by several lanes: nothing of it is taken twice, torn, or decided out of its
 * order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "frames.h"
#include "rig.h"

#define NOW_NS (INT64_C(1000) * NS_PER_S)
enum { LANES = 3, FRAME_ROOM = 2048, FRAMES_EACH = 10000, METER = 1, HOST = 4, TAP_PLACES = 64 };

struct bed {
    struct rig_site site;
    struct timebase base;
    struct view view;
    struct seqlock meter[RIG_METERS], counter[VIEW_COUNTER_RECORDS];
    struct meter_names names;
    uint32_t places[64];
    struct sender meter_sender[RIG_METERS], host_sender[RIG_HOSTS];
    struct replay_window meter_window[RIG_METERS], host_window[RIG_HOSTS];
    struct age age[RIG_METERS];
    _Atomic uint64_t host_mac[RIG_HOSTS];
    struct lane lane[LANES];
    struct frames_from from;
    struct core core;
    struct egress record[RIG_HOSTS];
    struct decide decide;
    void *ring;
    _Atomic uint64_t sequence;          /* of the newest frame sent, whoever carries it */
    _Atomic uint32_t busy;              /* lanes at work */
    uint64_t decided[2];                /* readings, reports */
    uint64_t newest[2];
    bool out_of_order;
};

static void make_lane(struct bed *bed, uint32_t i)
{
    bed->lane[i] = (struct lane){.model = &bed->site.model,
                                 .base = &bed->base,
                                 .names = &bed->names,
                                 .local = bed->from.to,
                                 .view = &bed->view,
                                 .kinds = 1U << FRAME_MEASUREMENT | 1U << FRAME_REPORT,
                                 .index = (uint8_t)i,
                                 .out = rig_queue(SLOT_BYTES, RIG_PLACES),
                                 .meter_sender = bed->meter_sender,
                                 .host_sender = bed->host_sender,
                                 .meter_window = bed->meter_window,
                                 .host_window = bed->host_window,
                                 .age = bed->age,
                                 .host_address = bed->site.address,
                                 .host_mac = bed->host_mac};
    bed->decide.input[i] = bed->lane[i].out;
}

static int make_bed(void **state)
{
    struct bed *bed = aligned_alloc(64, (sizeof *bed + 63) / 64 * 64);
    assert_non_null(bed);
    memset(bed, 0, sizeof *bed);
    rig_site_init(&bed->site);
    rig_clock_init(&bed->base, NOW_NS);
    meter_names_init(&bed->names, bed->places, &bed->site.model);
    bed->view.meter = bed->meter;
    bed->view.counter = bed->counter;
    bed->from = (struct frames_from){.sequence = 1,
        .from = {.mac = {2, 0, 0, 0, 0, 9}, .ipv4 = 0xCB007102, .port = 9000},
        .to = {.mac = {2, 0, 0, 0, 0, 1}, .ipv4 = 0xCB007101, .port = 7001}};
    for (uint32_t i = 0; i < LANES; i++)
        make_lane(bed, i);
    *state = bed;
    return 0;
}

static int drop_bed(void **state)
{
    struct bed *bed = *state;
    for (uint32_t i = 0; i < LANES; i++)
        rig_queue_drop(bed->lane[i].out);
    free(bed);
    return 0;
}

static int take(struct bed *bed, uint32_t lane, uint64_t sequence, int64_t t_receive_ns)
{
    uint8_t frame[FRAME_ROOM];
    bed->from.sequence = sequence;
    struct port_frame whole = frames_measurement(frame, &bed->from, "m-1", NOW_NS + (int64_t)sequence);
    return lane_frame(&bed->lane[lane], &whole, t_receive_ns);
}

static int64_t newest_stamp(struct bed *bed, uint32_t lane)
{
    const struct slot *slot = spsc_peek(bed->lane[lane].out);
    assert_non_null(slot);
    int64_t stamp_ns = slot->t_receive_ns;
    spsc_release(bed->lane[lane].out);
    return stamp_ns;
}

static void later_frame_of_a_sender_has_the_later_stamp_whatever_lane_polled_first(void **state)
{
    struct bed *bed = *state;

    assert_int_equal(take(bed, 0, 1, NOW_NS + 700), ACCEPTED);
    assert_int_equal(take(bed, 1, 2, NOW_NS + 300), ACCEPTED);     /* its poll was earlier */
    assert_int_equal(take(bed, 2, 3, NOW_NS + 900), ACCEPTED);
    assert_int_equal(newest_stamp(bed, 0) - NOW_NS, 700);
    assert_int_equal(newest_stamp(bed, 1) - NOW_NS, 701);
    assert_int_equal(newest_stamp(bed, 2) - NOW_NS, 900);
    /* a lane's own stamps do not go back: another sender behind it must not be older */
    const struct port_frame nothing = {.data = (uint8_t[64]){0}, .length = 64};
    assert_int_equal(lane_frame(&bed->lane[1], &nothing, NOW_NS + 310), REFUSED_NOT_OURS);
    uint8_t frame[FRAME_ROOM];
    bed->from.from.ipv4 = bed->site.address[HOST].ipv4;
    struct port_frame whole = frames_report(frame, &bed->from, HOST, 1);
    assert_int_equal(lane_frame(&bed->lane[1], &whole, NOW_NS + 310), ACCEPTED);
    assert_int_equal(newest_stamp(bed, 1) - NOW_NS, 701);
}

static void frame_seen_on_one_lane_is_a_duplicate_on_every_other(void **state)
{
    struct bed *bed = *state;

    assert_int_equal(take(bed, 0, 7, NOW_NS), ACCEPTED);
    assert_int_equal(take(bed, 1, 7, NOW_NS), REFUSED_DUPLICATE);
    assert_int_equal(take(bed, 2, 6, NOW_NS), REFUSED_REORDERED);
    assert_int_equal(take(bed, 2, 8, NOW_NS), ACCEPTED);
}

static void frame_refused_as_held_may_come_again(void **state)
{
    struct bed *bed = *state;
    int64_t newest_ns;

    assert_true(sender_take(&bed->meter_sender[METER], &newest_ns));
    assert_int_equal(newest_ns, 0);
    assert_int_equal(take(bed, 0, 1, NOW_NS), REFUSED_HELD);
    assert_int_equal(count_read(&bed->lane[0].counters.refused[REFUSED_HELD]), 1);
    assert_int_equal(spsc_depth(bed->lane[0].out), 0);
    sender_leave(&bed->meter_sender[METER], newest_ns);
    assert_int_equal(take(bed, 0, 1, NOW_NS), ACCEPTED);
    assert_true(bed->meter_sender[METER].newest_ns == NOW_NS);
}

/* ---- three lanes, three threads, one meter and one host ---- */

struct carrier {
    struct bed *bed;
    struct lane *lane;
    pthread_t thread;
};

static void *carry(void *argument)
{
    struct carrier *carrier = argument;
    struct bed *bed = carrier->bed;
    struct lane *lane = carrier->lane;
    struct frames_from from = bed->from;
    uint8_t frame[FRAME_ROOM];
    for (int i = 0; i < FRAMES_EACH; i++) {
        from.sequence = atomic_fetch_add(&bed->sequence, 1) + 1;
        from.from.ipv4 = bed->site.address[HOST].ipv4;
        struct port_frame whole = i % 2
                                      ? frames_report(frame, &from, HOST, from.sequence)
                                      : frames_measurement(frame, &from, "m-1", timebase_now_ns(&bed->base));
        /* the poll found it before it was worked on, by a time that differs */
        int64_t t_receive_ns = timebase_now_ns(&bed->base) - (int64_t)(from.sequence * 7919 % 20000);
        while (spsc_depth(lane->out) > RIG_PLACES / 2)
            sched_yield();
        lane->depth = spsc_depth(lane->out);
        lane_frame(lane, &whole, t_receive_ns);
    }
    atomic_fetch_sub_explicit(&bed->busy, 1, memory_order_release);
    return NULL;
}

/* What decide has put into the one order: of each sender, the frames' own order. */
static void look(struct bed *bed)
{
    const struct slot *slot = &bed->core.step[0];
    bool report = slot->kind == SLOT_REPORT;
    bed->core.steps = 0;
    while (spsc_peek(bed->decide.tap))
        spsc_release(bed->decide.tap);
    if (!report && slot->kind != SLOT_READING)
        return;
    uint64_t number = report ? slot->report.number : slot->reading.sequence;
    bed->out_of_order |= number <= bed->newest[report];
    bed->newest[report] = number;
    bed->decided[report]++;
}

static void decide_until_done(struct bed *bed)
{
    bool last = false;
    while (!last) {
        last = !atomic_load_explicit(&bed->busy, memory_order_acquire);
        while (decide_next(&bed->decide)) {
            decide_tap(&bed->decide, 0);
            look(bed);
        }
    }
}

static void open_decide(struct bed *bed)
{
    struct decide *decide = &bed->decide;
    assert_int_equal(timebase_init(&bed->base), 0);
    decide->base = &bed->base;
    decide->core = &bed->core;
    decide->view = &bed->view;
    decide->input[LANES] = rig_queue(SLOT_BYTES, RIG_PLACES);
    decide->inputs = LANES + 1;
    decide->look_again = true;
    decide->normal = rig_queue(EGRESS_BYTES, 2 * RIG_HOSTS);
    decide->emergency = rig_queue(EGRESS_BYTES, 2 * RIG_HOSTS);
    decide->tap = rig_queue(SLOT_BYTES, TAP_PLACES);
    decide->outbox = (struct outbox){.record = bed->record, .capacity = RIG_HOSTS};
    bed->ring = aligned_alloc(64, ring_bytes(RIG_PLACES));
    assert_int_equal(ring_init(&decide->ring, bed->ring, RIG_PLACES), 0);
    decide_start(decide, timebase_now_ns(&bed->base), 20 * NS_PER_MS);
}

static void close_decide(struct bed *bed)
{
    rig_queue_drop(bed->decide.input[LANES]);
    rig_queue_drop(bed->decide.normal);
    rig_queue_drop(bed->decide.emergency);
    rig_queue_drop(bed->decide.tap);
    free(bed->ring);
}

static void check_counts(struct bed *bed)
{
    uint64_t frames = 0, accepted = 0, shed = 0, refused = 0, held = 0;
    for (uint32_t i = 0; i < LANES; i++) {
        const struct lane_counters *counters = &bed->lane[i].counters;
        frames += count_read(&counters->frames);
        accepted += count_read(&counters->accepted);
        shed += count_read(&counters->shed[CLASS_READING]) + count_read(&counters->shed[CLASS_RESERVED]);
        held += count_read(&counters->refused[REFUSED_HELD]);
        refused += count_read(&counters->refused[REFUSED_REORDERED]) +
                   count_read(&counters->refused[REFUSED_STALE]);
        assert_true(count_read(&counters->accepted) > 0);
    }
    print_message("%llu frames: %llu accepted (%llu shed), %llu held, %llu reordered\n",
                  (unsigned long long)frames, (unsigned long long)accepted, (unsigned long long)shed,
                  (unsigned long long)held, (unsigned long long)refused);
    assert_int_equal(frames, LANES * FRAMES_EACH);
    assert_int_equal(accepted + refused + held, frames);
    assert_int_equal(bed->decided[0] + bed->decided[1], accepted - shed);
    assert_true(shed == 0 && bed->decided[0] > 1000 && bed->decided[1] > 1000);
}

static void sender_on_three_threads_is_decided_in_its_own_order(void **state)
{
    struct bed *bed = *state;
    struct carrier carrier[LANES];

    open_decide(bed);
    bed->busy = LANES;
    for (uint32_t i = 0; i < LANES; i++) {
        carrier[i] = (struct carrier){.bed = bed, .lane = &bed->lane[i]};
        assert_int_equal(pthread_create(&carrier[i].thread, NULL, carry, &carrier[i]), 0);
    }
    decide_until_done(bed);
    for (uint32_t i = 0; i < LANES; i++)
        pthread_join(carrier[i].thread, NULL);
    check_counts(bed);
    assert_false(bed->out_of_order);
    close_decide(bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define BED(name) cmocka_unit_test_setup_teardown(name, make_bed, drop_bed)
        BED(later_frame_of_a_sender_has_the_later_stamp_whatever_lane_polled_first),
        BED(frame_seen_on_one_lane_is_a_duplicate_on_every_other),
        BED(frame_refused_as_held_may_come_again),
        BED(sender_on_three_threads_is_decided_in_its_own_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
