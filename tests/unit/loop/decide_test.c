/* SPDX-License-Identifier: Apache-2.0 */
/* The one order: how lanes merge, when ticks enter, what the tap drops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

#define TICK_NS (20 * NS_PER_MS)
#define START_NS (INT64_C(1000) * TICK_NS + 1)
enum { TAP_PLACES = 64, RING_PLACES = 64, EGRESS_PLACES = 32 };

struct bed {
    struct timebase base;
    struct core core;
    struct view view;
    struct seqlock counter[VIEW_COUNTER_RECORDS];
    struct egress record[RIG_HOSTS];
    struct decide decide;
    void *ring;
};

static int make_bed(void **state)
{
    struct bed *bed = aligned_alloc(64, (sizeof *bed + 63) / 64 * 64);
    assert_non_null(bed);
    memset(bed, 0, sizeof *bed);
    rig_clock_init(&bed->base, START_NS);
    bed->ring = aligned_alloc(64, ring_bytes(RING_PLACES));
    bed->view = (struct view){.counter = bed->counter};
    struct decide *decide = &bed->decide;
    decide->base = &bed->base;
    decide->core = &bed->core;
    decide->view = &bed->view;
    for (decide->inputs = 0; decide->inputs < 3; decide->inputs++)
        decide->input[decide->inputs] = rig_queue(SLOT_BYTES, RIG_PLACES);
    decide->normal = rig_queue(EGRESS_BYTES, EGRESS_PLACES);
    decide->emergency = rig_queue(EGRESS_BYTES, EGRESS_PLACES);
    decide->tap = rig_queue(SLOT_BYTES, TAP_PLACES);
    decide->outbox = (struct outbox){.record = bed->record, .capacity = RIG_HOSTS};
    assert_int_equal(ring_init(&decide->ring, bed->ring, RING_PLACES), 0);
    decide_start(decide, START_NS, TICK_NS);
    *state = bed;
    return 0;
}

static int drop_bed(void **state)
{
    struct bed *bed = *state;
    for (uint32_t i = 0; i < bed->decide.inputs; i++)
        rig_queue_drop(bed->decide.input[i]);
    rig_queue_drop(bed->decide.normal);
    rig_queue_drop(bed->decide.emergency);
    rig_queue_drop(bed->decide.tap);
    free(bed->ring);
    free(bed);
    return 0;
}

static void offer(struct bed *bed, uint32_t input, uint8_t kind, int64_t t_receive_ns)
{
    struct slot *slot = spsc_claim(bed->decide.input[input]);
    assert_non_null(slot);
    *slot = (struct slot){.kind = kind, .lane = (uint8_t)input, .t_receive_ns = t_receive_ns};
    spsc_publish(bed->decide.input[input]);
}

static uint32_t run(struct bed *bed)
{
    uint32_t slots = 0;
    while (decide_next(&bed->decide)) {
        decide_tap(&bed->decide, 0);
        slots++;
    }
    return slots;
}

static void empty_tap(struct bed *bed)
{
    while (spsc_peek(bed->decide.tap))
        spsc_release(bed->decide.tap);
}

static void lanes_merge_by_stamp_into_one_order(void **state)
{
    struct bed *bed = *state;
    const int64_t late[2][4] = {{1, 4, 5, 9}, {2, 3, 7, 8}};

    rig_clock_set(&bed->base, START_NS + 100);
    for (uint32_t lane = 0; lane < 2; lane++)
        for (int i = 0; i < 4; i++)
            offer(bed, lane, SLOT_READING, START_NS + late[lane][i]);
    assert_int_equal(run(bed), 8);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(bed->core.step[i].sequence, i + 1);
        assert_true(bed->core.step[i].t_ns == bed->core.step[i].t_receive_ns);
        if (i)
            assert_true(bed->core.step[i].t_ns > bed->core.step[i - 1].t_ns);
    }
}

static void slot_time_never_falls(void **state)
{
    struct bed *bed = *state;

    rig_clock_set(&bed->base, START_NS + 100);
    offer(bed, 0, SLOT_READING, START_NS + 50);
    run(bed);
    offer(bed, 1, SLOT_READING, START_NS + 10);
    run(bed);
    assert_true(bed->core.step[1].t_ns == START_NS + 50);
    assert_true(bed->core.step[1].t_receive_ns == START_NS + 10);
}

/* A permit that has run out while it waited is none: it is decided as of now, and what is due by then has
 * entered before. */
static void what_waited_long_is_decided_as_of_now(void **state)
{
    struct bed *bed = *state;
    const int64_t now_ns = START_NS + 5 * TICK_NS + 7, came_ns = START_NS + 3;

    rig_clock_set(&bed->base, now_ns);
    offer(bed, 0, SLOT_REPORT, came_ns);
    offer(bed, 1, SLOT_READING, now_ns - NS_PER_MS);
    assert_int_equal(run(bed), 3);
    assert_int_equal(bed->core.step[0].kind, SLOT_TICK);
    assert_int_equal(bed->core.step[0].tick.missed, 4);
    assert_int_equal(bed->core.step[1].kind, SLOT_REPORT);
    assert_true(bed->core.step[1].t_ns == now_ns);
    assert_true(bed->core.step[1].t_receive_ns == came_ns);
    assert_true(bed->core.step[2].t_ns == now_ns);
    assert_true(bed->core.step[2].t_receive_ns == now_ns - NS_PER_MS);
}

static void random_stamps_keep_the_order(void **state)
{
    struct bed *bed = *state;
    unsigned seed = 20261120;

    print_message("seed %u\n", seed);
    for (int round = 0; round < 40; round++) {
        int64_t now_ns = START_NS + round * TICK_NS / 3;
        rig_clock_set(&bed->base, now_ns);
        for (uint32_t i = 0; i < 12; i++)
            offer(bed, (uint32_t)rand_r(&seed) % 3, SLOT_READING, now_ns - rand_r(&seed) % (int)TICK_NS);
        run(bed);
        empty_tap(bed);
    }
    int64_t t_ns = 0;
    uint64_t tick = (uint64_t)(START_NS / TICK_NS);
    for (uint32_t i = 0; i < bed->core.steps; i++) {
        const struct slot *slot = &bed->core.step[i];
        assert_int_equal(slot->sequence, i + 1);
        assert_true(slot->t_ns >= t_ns);
        t_ns = slot->t_ns;
        if (slot->kind == SLOT_TICK)
            tick = slot->tick.number;
        /* no slot at or after k T stands before tick k */
        assert_true((uint64_t)(t_ns / TICK_NS) == tick);
    }
}

static void tick_enters_before_the_first_slot_at_or_after_its_time(void **state)
{
    struct bed *bed = *state;
    const int64_t tick_ns = 1001 * TICK_NS;

    rig_clock_set(&bed->base, tick_ns + 10);
    offer(bed, 0, SLOT_READING, tick_ns - 1);
    offer(bed, 0, SLOT_READING, tick_ns);
    assert_int_equal(run(bed), 3);
    assert_int_equal(bed->core.step[0].kind, SLOT_READING);
    assert_int_equal(bed->core.step[1].kind, SLOT_TICK);
    assert_int_equal(bed->core.step[2].kind, SLOT_READING);
    assert_true(bed->core.step[1].t_ns == tick_ns);
    assert_int_equal(bed->core.step[1].tick.number, 1001);
    assert_int_equal(bed->core.step[1].tick.missed, 0);
}

static void tick_enters_without_any_traffic_and_only_once(void **state)
{
    struct bed *bed = *state;

    rig_clock_set(&bed->base, 1001 * TICK_NS - 1);
    assert_int_equal(run(bed), 0);
    rig_clock_set(&bed->base, 1001 * TICK_NS);
    assert_int_equal(run(bed), 1);
    assert_int_equal(run(bed), 0);
}

static void stall_enters_one_tick_that_says_how_many_it_swallowed(void **state)
{
    struct bed *bed = *state;

    rig_clock_set(&bed->base, 1051 * TICK_NS + 5);
    offer(bed, 0, SLOT_READING, 1051 * TICK_NS + 1);
    assert_int_equal(run(bed), 2);
    assert_int_equal(bed->core.step[0].kind, SLOT_TICK);
    assert_int_equal(bed->core.step[0].tick.number, 1051);
    assert_int_equal(bed->core.step[0].tick.missed, 50);
}

static void part_of_an_open_tick_enters_between_bursts(void **state)
{
    struct bed *bed = *state;

    assert_false(decide_part(&bed->decide));
    bed->core.open = true;
    assert_true(decide_part(&bed->decide));
    decide_tap(&bed->decide, 0);
    assert_int_equal(bed->core.step[0].kind, SLOT_TICK_PART);
    assert_true(bed->core.step[0].t_ns == START_NS);
    rig_clock_set(&bed->base, 1001 * TICK_NS);
    assert_false(decide_part(&bed->decide));    /* the new tick goes first */
    assert_true(decide_next(&bed->decide));
    assert_int_equal(bed->core.step[1].kind, SLOT_TICK);
}

static void leases_go_to_their_queue_by_flag(void **state)
{
    struct bed *bed = *state;

    bed->core.leases = 3;
    bed->core.emergencies = 2;
    offer(bed, 0, SLOT_READING, START_NS);
    run(bed);
    assert_int_equal(spsc_depth(bed->decide.normal), 3);
    assert_int_equal(spsc_depth(bed->decide.emergency), 2);
    const struct egress *record = spsc_peek(bed->decide.emergency);
    assert_int_equal(record->flags, LEASE_EMERGENCY);
}

static void nothing_is_decided_while_its_leases_would_not_fit(void **state)
{
    struct bed *bed = *state;
    uint32_t steps = EGRESS_PLACES / RIG_HOSTS;

    bed->core.leases = RIG_HOSTS;
    for (uint32_t i = 0; i < steps + 3; i++)
        offer(bed, 0, SLOT_REPORT, START_NS);
    assert_int_equal(run(bed), steps);
    assert_int_equal(spsc_depth(bed->decide.input[0]), 3);
    assert_int_equal(count_read(&bed->decide.counters.waits), 1);
    for (uint32_t i = 0; i < RIG_HOSTS; i++)
        spsc_release(bed->decide.normal);
    assert_int_equal(run(bed), 1);
}

static void refused_leases_are_taken_back_while_there_is_no_room(void **state)
{
    struct bed *bed = *state;

    bed->core.leases = RIG_HOSTS;
    for (uint32_t i = 0; i < EGRESS_PLACES / RIG_HOSTS; i++)
        offer(bed, 0, SLOT_REPORT, START_NS);
    run(bed);
    bed->core.leases = 0;
    offer(bed, 0, SLOT_REPORT, START_NS);
    for (uint32_t i = 0; i < 3; i++)
        offer(bed, bed->decide.inputs - 1, SLOT_REFUSED, START_NS + 1);
    assert_int_equal(run(bed), 3);
    assert_int_equal(spsc_depth(bed->decide.input[0]), 1);
}

static void emergencies_that_would_not_fit_wait_as_well(void **state)
{
    struct bed *bed = *state;
    uint32_t steps = EGRESS_PLACES / RIG_HOSTS;

    bed->core.emergencies = RIG_HOSTS;
    for (uint32_t i = 0; i < steps + 3; i++)
        offer(bed, 0, SLOT_READING, START_NS);
    assert_int_equal(run(bed), steps);
    assert_int_equal(spsc_depth(bed->decide.emergency), EGRESS_PLACES);
}

static void tap_drops_readings_at_90_percent_and_reports_at_the_brim(void **state)
{
    struct bed *bed = *state;
    const uint32_t readings_room = (TAP_PLACES * 90 + 99) / 100;

    for (uint32_t i = 0; i < TAP_PLACES; i++)
        offer(bed, 0, SLOT_READING, START_NS);
    run(bed);
    assert_int_equal(spsc_depth(bed->decide.tap), readings_room);
    assert_int_equal(count_read(&bed->decide.counters.tap_dropped[CLASS_READING]),
                     TAP_PLACES - readings_room);
    for (uint32_t i = 0; i < TAP_PLACES; i++)
        offer(bed, 0, SLOT_REPORT, START_NS);
    run(bed);
    assert_int_equal(spsc_depth(bed->decide.tap), TAP_PLACES);
    assert_int_equal(count_read(&bed->decide.counters.tap_dropped[CLASS_RESERVED]), readings_room);
    /* whoever reads the tap sees the gap in the sequence */
    uint64_t sequence = 0, missing = 0;
    for (const struct slot *slot; (slot = spsc_peek(bed->decide.tap)) != NULL;
         spsc_release(bed->decide.tap)) {
        missing += slot->sequence - sequence - 1;
        sequence = slot->sequence;
    }
    missing += 2 * TAP_PLACES - sequence;
    assert_int_equal(missing, TAP_PLACES);
}

static void digest_follows_the_slot_that_closed_the_second(void **state)
{
    struct bed *bed = *state;

    bed->core.digest = true;
    offer(bed, 0, SLOT_READING, START_NS);
    run(bed);
    bed->core.digest = false;
    offer(bed, 0, SLOT_READING, START_NS);
    run(bed);
    const uint8_t kinds[] = {SLOT_READING, SLOT_DIGEST, SLOT_READING};
    const uint64_t sequences[] = {1, 1, 2};
    for (int i = 0; i < 3; i++) {
        const struct slot *slot = spsc_peek(bed->decide.tap);
        assert_non_null(slot);
        assert_int_equal(slot->kind, kinds[i]);
        assert_int_equal(slot->sequence, sequences[i]);
        if (slot->kind == SLOT_DIGEST)
            assert_int_equal(slot->digest.digest, 99);
        spsc_release(bed->decide.tap);
    }
    assert_null(spsc_peek(bed->decide.tap));
    assert_int_equal(bed->core.steps, 2);   /* the digest is the tap's alone: nothing decided on it */
}

static void slot_carries_the_stamp_of_its_transmission(void **state)
{
    struct bed *bed = *state;

    offer(bed, 0, SLOT_READING, START_NS - 700);
    assert_true(decide_next(&bed->decide));
    decide_tap(&bed->decide, START_NS + 300);
    const struct slot *slot = spsc_peek(bed->decide.tap);
    assert_int_equal(slot->stage_ns[STAGE_SENT], 1000);
    assert_int_equal(slot->stage_ns[STAGE_SEQUENCED], 700);
    assert_int_equal(bed->decide.decided.live.count, 1);
}

static void slots_are_marked_while_the_clock_is_not_synchronised(void **state)
{
    struct bed *bed = *state;

    bed->core.digest = true;
    for (int i = 0; i < 2; i++) {
        atomic_store(&bed->base.synchronised, i == 1);
        rig_clock_set(&bed->base, START_NS + (i + 1) * TICK_NS);
        offer(bed, 0, SLOT_READING, START_NS + (i + 1) * TICK_NS);
        assert_int_equal(run(bed), 2);
        /* the tick, the reading, and what closes the second behind each */
        for (int k = 0; k < 4; k++) {
            const struct slot *slot = spsc_peek(bed->decide.tap);
            assert_non_null(slot);
            assert_int_equal(slot->kind, k % 2 ? SLOT_DIGEST : k ? SLOT_READING : SLOT_TICK);
            assert_int_equal(slot->marks, i ? 0 : SLOT_CLOCK_FREE);
            spsc_release(bed->decide.tap);
        }
    }
    /* what a lane knew of a reading stands beside it */
    atomic_store(&bed->base.synchronised, false);
    struct slot *slot = spsc_claim(bed->decide.input[0]);
    *slot = (struct slot){
        .kind = SLOT_READING, .marks = SLOT_CLOCK_STEPPED, .t_receive_ns = START_NS + 2 * TICK_NS};
    spsc_publish(bed->decide.input[0]);
    assert_int_equal(run(bed), 1);
    assert_int_equal(((const struct slot *)spsc_peek(bed->decide.tap))->marks,
                     SLOT_CLOCK_STEPPED | SLOT_CLOCK_FREE);
    spsc_release(bed->decide.tap);
    assert_int_equal(((const struct slot *)spsc_peek(bed->decide.tap))->marks, SLOT_CLOCK_FREE);
}

static void what_stands_behind_in_the_queue_is_told_ahead(void **state)
{
    struct bed *bed = *state;

    offer(bed, 0, SLOT_REPORT, START_NS - 700);
    offer(bed, 0, SLOT_REPORT, START_NS - 600);
    assert_true(decide_next(&bed->decide));
    assert_int_equal(bed->core.told, 1);
    assert_true(bed->core.next.t_receive_ns == START_NS - 600);
    assert_true(decide_next(&bed->decide));
    assert_int_equal(bed->core.told, 1);    /* nothing stands there any more */
}

/* Half of the budget it waited, the other half it took, and then one nanosecond more. */
static void an_input_that_was_late_is_one_miss_whatever_leaves_of_it(void **state)
{
    struct bed *bed = *state;
    struct decide *decide = &bed->decide;
    budget_set(&decide->budget, 64 * NS_PER_MS);
    bed->core.leases = 2;
    bed->core.emergencies = 1;
    decide->tick = UINT64_MAX;
    for (int64_t over_ns = 0; over_ns < 2; over_ns++) {
        struct slot *slot = spsc_claim(decide->input[0]);
        *slot = (struct slot){.kind = SLOT_REPORT, .t_receive_ns = START_NS, .waited = 32};
        spsc_publish(decide->input[0]);
        rig_clock_set(&bed->base, START_NS + 32 * NS_PER_MS + over_ns);
        assert_int_equal(run(bed), 1);
        assert_int_equal(count_read(&decide->budget.misses), over_ns);
        assert_int_equal(count_read(&decide->budget.emergencies), over_ns);
        for (int i = 0; i < 2; i++, spsc_release(decide->normal))
            assert_int_equal(((const struct egress *)spsc_peek(decide->normal))->waited & WAITED_LATE,
                             over_ns ? WAITED_LATE : 0);
        spsc_release(decide->emergency);
    }
    assert_int_equal(decide->spent[BUDGET_REPORT].live.count, 2);
    assert_int_equal(decide->spent[BUDGET_REPORT].live.max_ns, 64 * NS_PER_MS + 1);
    assert_int_equal(decide->spent[BUDGET_READING].live.count, 0);
}

static void what_waited_for_room_in_egress_is_told_from_a_backlog(void **state)
{
    struct bed *bed = *state;
    struct decide *decide = &bed->decide;
    budget_set(&decide->budget, 10 * NS_PER_MS);
    decide->tick = UINT64_MAX;
    rig_clock_set(&bed->base, START_NS + NS_PER_MS);
    while (spsc_claim(decide->normal))
        spsc_publish(decide->normal);
    offer(bed, 0, SLOT_READING, START_NS);
    assert_int_equal(run(bed), 0);
    while (spsc_peek(decide->normal))
        spsc_release(decide->normal);
    rig_clock_set(&bed->base, START_NS + 20 * NS_PER_MS);
    assert_int_equal(run(bed), 1);
    assert_int_equal(count_read(&decide->budget.miss[BUDGET_QUEUE][BUDGET_PEER]), 1);
    offer(bed, 0, SLOT_READING, START_NS + 21 * NS_PER_MS);
    rig_clock_set(&bed->base, START_NS + 40 * NS_PER_MS);
    assert_int_equal(run(bed), 1);
    assert_int_equal(count_read(&decide->budget.miss[BUDGET_QUEUE][BUDGET_BACKLOG]), 1);
    assert_int_equal(count_read(&decide->budget.misses), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define BED(name) cmocka_unit_test_setup_teardown(name, make_bed, drop_bed)
        BED(lanes_merge_by_stamp_into_one_order),
        BED(slot_time_never_falls),
        BED(what_waited_long_is_decided_as_of_now),
        BED(random_stamps_keep_the_order),
        BED(tick_enters_before_the_first_slot_at_or_after_its_time),
        BED(tick_enters_without_any_traffic_and_only_once),
        BED(stall_enters_one_tick_that_says_how_many_it_swallowed),
        BED(part_of_an_open_tick_enters_between_bursts),
        BED(leases_go_to_their_queue_by_flag),
        BED(nothing_is_decided_while_its_leases_would_not_fit),
        BED(refused_leases_are_taken_back_while_there_is_no_room),
        BED(emergencies_that_would_not_fit_wait_as_well),
        BED(tap_drops_readings_at_90_percent_and_reports_at_the_brim),
        BED(digest_follows_the_slot_that_closed_the_second),
        BED(slot_carries_the_stamp_of_its_transmission),
        BED(slots_are_marked_while_the_clock_is_not_synchronised),
        BED(what_stands_behind_in_the_queue_is_told_ahead),
        BED(an_input_that_was_late_is_one_miss_whatever_leaves_of_it),
        BED(what_waited_for_room_in_egress_is_told_from_a_backlog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
