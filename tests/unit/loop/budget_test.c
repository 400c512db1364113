/* SPDX-License-Identifier: Apache-2.0 */
/* Whose fault a miss is: every stage, every cause, and times in which a thread did not run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>

#include <cmocka.h>

#include "loop/budget.h"

#define MS NS_PER_MS
#define T_NS (INT64_C(1000) * NS_PER_S)
enum { RING_PLACES = 16 };

struct bed {
    struct budget budget;
    struct gap lane, decide, send;
};

static struct bed *make(void)
{
    struct bed *bed = aligned_alloc(64, (sizeof *bed + 63) / 64 * 64);
    assert_non_null(bed);
    memset(bed, 0, sizeof *bed);
    budget_set(&bed->budget, 50 * MS);
    bed->budget.lane_gap[1] = &bed->lane;
    bed->budget.decide_gap = &bed->decide;
    bed->budget.send_gap = &bed->send;
    return bed;
}

/* A reading of meter 7 in lane 1, each stage as long as told. */
static struct slot slot_of(const struct bed *bed, int64_t wait_ms, int64_t admit_ms, int64_t queue_ms,
                           int64_t decide_ms)
{
    struct slot slot = {.sequence = 1, .t_receive_ns = T_NS, .kind = SLOT_READING, .lane = 1,
                        .waited = budget_waited(&bed->budget, wait_ms * MS), .reading = {.meter = 7}};
    slot.stage_ns[STAGE_DECODED] = (uint32_t)(admit_ms * MS);
    slot.stage_ns[STAGE_SEQUENCED] = (uint32_t)((admit_ms + queue_ms) * MS);
    slot.stage_ns[STAGE_DECIDED] = (uint32_t)((admit_ms + queue_ms + decide_ms) * MS);
    return slot;
}

static struct budget_miss newest(const struct bed *bed)
{
    struct budget_miss miss[BUDGET_KEPT];
    assert_true(budget_read(&bed->budget, miss) > 0);
    return miss[0];
}

static void a_gap_is_what_lies_between_two_readings_of_the_clock(void **state)
{
    (void)state;
    struct gap gap = {.last_ns = T_NS};
    gap_mark(&gap, T_NS + GAP_NS - 1, false);
    assert_int_equal(count_read(&gap.over[0]), 0);
    gap_mark(&gap, gap.last_ns + GAP_NS, false);
    gap_mark(&gap, gap.last_ns + 10 * MS, false);
    gap_mark(&gap, gap.last_ns + 25 * MS, false);
    gap_mark(&gap, gap.last_ns + 20 * MS, true);
    assert_int_equal(count_read(&gap.working[0]), 1);
    assert_int_equal(count_read(&gap.working[2]), 1);
    assert_int_equal(count_read(&gap.over[0]), 4);
    assert_int_equal(count_read(&gap.over[1]), 3);
    assert_int_equal(count_read(&gap.over[2]), 2);
    assert_int_equal(count_read(&gap.lost_ns), 56 * MS);
    assert_int_equal(count_read(&gap.longest_ns), 25 * MS);
    assert_int_equal(count_read(&gap.longest_t_ns), gap.last_ns - 20 * MS);
    /* the last 5 ms of one of 25, and the whole of one of 20 */
    struct gap_sum sum = {0}, none = {0};
    gap_add(&gap, gap.last_ns - 25 * MS, gap.last_ns + MS, &sum);
    assert_int_equal(sum.all_ns, 25 * MS);
    assert_int_equal(sum.working_ns, 20 * MS);
    assert_int_equal(sum.longest_ns, 25 * MS);
    gap_add(&gap, gap.last_ns, gap.last_ns + MS, &none);
    gap_add(NULL, 0, INT64_MAX, &none);
    assert_int_equal(none.all_ns + none.longest_ns, 0);
    gap_mark(NULL, T_NS, false);
}

/* Number n ends at n * 100 ms; one in three is of 90 ms, the others of 1: each place holds both in turn. */
enum { RACES = 1000000 };

static int64_t end_of(int64_t n) { return n * 100 * MS; }

static void *note_gaps(void *argument)
{
    struct gap *gap = argument;
    for (int64_t n = 1; n <= RACES; n++)
        gap_note(gap, end_of(n), n % 3 ? MS : 90 * MS, false);
    return NULL;
}

/* Length and end of two of them never make a third. */
static void a_gap_is_read_whole_while_its_thread_writes_the_next(void **state)
{
    (void)state;
    struct bed *bed = make();
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, note_gaps, &bed->lane), 0);
    uint64_t looks = 0, known = 0, torn = 0, gaps = 0;
    for (; gaps < RACES; looks++) {
        gaps = count_read(&bed->lane.over[0]);
        struct gap_kept kept;
        if (!gap_read(&bed->lane, gaps, &kept))
            continue;
        known++;
        int64_t length_ns = kept.end_ns / (100 * MS) % 3 ? MS : 90 * MS;
        torn += kept.end_ns % (100 * MS) != 0 || kept.length_ns != length_ns;
    }
    pthread_join(thread, NULL);
    print_message("%llu looks, %llu torn\n", (unsigned long long)looks, (unsigned long long)torn);
    assert_int_equal(torn, 0);
    assert_true(known > 0);
    struct gap_sum sum = {0};
    gap_add(&bed->lane, 0, end_of(RACES) - 1, &sum);
    assert_int_equal(sum.all_ns, 1933 * MS - 1);     /* of the newest 64 */
    assert_int_equal(sum.longest_ns, 90 * MS);
    free(bed);
}

static void a_wait_is_counted_in_parts_of_the_budget_and_never_wraps(void **state)
{
    (void)state;
    struct bed *bed = make();
    assert_int_equal(budget_waited(&bed->budget, 0), 0);
    assert_int_equal(budget_waited(&bed->budget, 50 * MS / 64 - 1), 0);
    assert_int_equal(budget_waited(&bed->budget, 50 * MS), 64);
    assert_int_equal(budget_waited(&bed->budget, 3600 * NS_PER_S), WAITED_MOST);
    assert_int_equal(budget_spent_ns(&bed->budget, 64, 3), 50 * MS + 3);
    assert_int_equal(budget_spent_ns(&bed->budget, 64 | WAITED_LATE, 3), 50 * MS + 3);
    struct budget none = {0};
    assert_int_equal(budget_waited(&none, 3600 * NS_PER_S), 0);
    free(bed);
}

static void a_wait_of_two_budgets_or_more_is_told_as_so_much_or_more(void **state)
{
    (void)state;
    static const struct { int64_t wait_ms; bool at_least; } row[] = {{60, false}, {98, false}, {10000, true}};
    struct bed *bed = make();
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct slot slot = slot_of(bed, row[i].wait_ms, 1, 1, 1);
        budget_slot_missed(&bed->budget, &slot, false, true);
        struct budget_miss miss = newest(bed);
        assert_int_equal(miss.at_least, row[i].at_least);
        assert_in_range(miss.stage_ns, (row[i].at_least ? 99 : row[i].wait_ms - 1) * MS, row[i].wait_ms * MS);
        assert_true(miss.emergency);
        assert_int_equal(miss.subject, 7);
    }
    free(bed);
}

static void a_miss_is_blamed_on_the_stage_that_passed_its_share_most(void **state)
{
    (void)state;
    static const struct { int64_t ms[4]; bool held; uint8_t stage, cause; } row[] = {
        {{60, 1, 1, 1}, false, BUDGET_WAIT, BUDGET_BACKLOG},
        {{1, 60, 1, 1}, false, BUDGET_ADMIT, BUDGET_WORK},
        {{1, 1, 60, 1}, false, BUDGET_QUEUE, BUDGET_BACKLOG},
        {{1, 1, 60, 1}, true, BUDGET_QUEUE, BUDGET_PEER},
        {{1, 1, 1, 60}, false, BUDGET_DECIDE, BUDGET_WORK},
        /* 22 of 20, 11 of 5, 19 of 15, 8 of 5 */
        {{22, 11, 19, 8}, false, BUDGET_ADMIT, BUDGET_WORK},
        {{22, 6, 20, 8}, true, BUDGET_QUEUE, BUDGET_PEER}};
    struct bed *bed = make();
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct slot slot = slot_of(bed, row[i].ms[0], row[i].ms[1], row[i].ms[2], row[i].ms[3]);
        uint64_t before = count_read(&bed->budget.miss[row[i].stage][row[i].cause]);
        budget_slot_missed(&bed->budget, &slot, row[i].held, i == 3);
        struct budget_miss miss = newest(bed);
        assert_int_equal(miss.stage, row[i].stage);
        assert_int_equal(miss.cause, row[i].cause);
        assert_int_equal(count_read(&bed->budget.miss[row[i].stage][row[i].cause]), before + 1);
        assert_int_equal(miss.class, BUDGET_READING);
        assert_int_equal(miss.subject, 7);
        assert_int_equal(miss.emergency, i == 3);
    }
    assert_int_equal(count_read(&bed->budget.misses), sizeof row / sizeof row[0]);
    assert_int_equal(count_read(&bed->budget.emergencies), 1);
    free(bed);
}

static void a_gap_explains_a_miss_only_if_it_would_have_been_in_time_without(void **state)
{
    (void)state;
    struct bed *bed = make();
    struct slot slot = slot_of(bed, 0, 1, 58, 1);
    /* 9 ms of the lane's thread, but behind its stage: nothing of it counts */
    bed->lane.last_ns = T_NS + 2 * MS;
    gap_mark(&bed->lane, T_NS + 30 * MS, false);
    bed->decide.last_ns = T_NS + 20 * MS;
    gap_mark(&bed->decide, T_NS + 29 * MS, false);
    budget_slot_missed(&bed->budget, &slot, false, false);
    struct budget_miss miss = newest(bed);
    assert_int_equal(miss.gap_ns, 9 * MS);
    assert_int_equal(miss.cause, BUDGET_BACKLOG);
    /* one more millisecond of decide's: 60 - 10 are in time */
    gap_mark(&bed->decide, T_NS + 30 * MS, false);
    budget_slot_missed(&bed->budget, &slot, false, false);
    miss = newest(bed);
    assert_int_equal(miss.gap_ns, 10 * MS);
    assert_int_equal(miss.longest_gap_ns, 9 * MS);
    assert_int_equal(miss.cause, BUDGET_GAP);
    assert_int_equal(miss.stage, BUDGET_QUEUE);
    /* the wait is before it was received, and its gap is the lane's */
    slot = slot_of(bed, 60, 1, 1, 1);
    bed->lane.last_ns = T_NS - 61 * MS;
    gap_mark(&bed->lane, T_NS - MS, false);
    budget_slot_missed(&bed->budget, &slot, false, false);
    miss = newest(bed);
    assert_int_equal(miss.stage, BUDGET_WAIT);
    assert_int_equal(miss.cause, BUDGET_GAP);
    assert_int_equal(miss.longest_gap_ns, 60 * MS);
    free(bed);
}

/* Nobody can say whether the thread was long at it or was taken from it. */
static void a_gap_in_work_is_no_excuse(void **state)
{
    (void)state;
    struct bed *bed = make();
    struct slot slot = slot_of(bed, 0, 1, 1, 60);
    bed->decide.last_ns = T_NS + 2 * MS;
    gap_mark(&bed->decide, T_NS + 62 * MS, true);
    budget_slot_missed(&bed->budget, &slot, false, false);
    struct budget_miss miss = newest(bed);
    assert_int_equal(miss.stage, BUDGET_DECIDE);
    assert_int_equal(miss.cause, BUDGET_LONG);
    assert_int_equal(miss.gap_ns, 60 * MS);
    assert_int_equal(miss.longest_gap_ns, 60 * MS);
    /* 12 of 62 between two pieces of work: in time but for them */
    memset(&bed->decide, 0, sizeof bed->decide);
    bed->decide.last_ns = T_NS + 2 * MS;
    gap_mark(&bed->decide, T_NS + 14 * MS, false);
    gap_mark(&bed->decide, T_NS + 62 * MS, true);
    budget_slot_missed(&bed->budget, &slot, false, false);
    assert_int_equal(newest(bed).cause, BUDGET_GAP);
    free(bed);
}

static void a_lease_that_leaves_late_is_blamed_by_the_stages_of_its_slot(void **state)
{
    (void)state;
    struct bed *bed = make();
    struct ring ring;
    void *memory = aligned_alloc(64, ring_bytes(RING_PLACES));
    assert_non_null(memory);
    assert_int_equal(ring_init(&ring, memory, RING_PLACES), 0);
    struct slot *slot = ring_claim(&ring);
    uint64_t sequence = slot->sequence;
    *slot = slot_of(bed, 0, 1, 40, 1);
    slot->sequence = sequence;
    slot->kind = SLOT_REPORT;
    ring_commit(&ring);
    struct budget_lease lease = {.t_receive_ns = T_NS, .sent_ns = T_NS + 55 * MS, .slot_sequence = sequence,
                                 .host = 4, .emergency = true};
    budget_lease_missed(&bed->budget, &ring, &lease);
    struct budget_miss miss = newest(bed);
    assert_int_equal(miss.stage, BUDGET_QUEUE);     /* 40 of 15, and 13 of 5 */
    assert_int_equal(miss.total_ns, 55 * MS);
    assert_int_equal(miss.class, BUDGET_REPORT);
    assert_int_equal(miss.subject, 4);
    assert_true(miss.emergency);
    /* it has left the ring: nobody knows better than the port */
    lease.slot_sequence = 9;
    lease.behind = true;
    budget_lease_missed(&bed->budget, &ring, &lease);
    miss = newest(bed);
    assert_int_equal(miss.stage, BUDGET_SEND);
    assert_int_equal(miss.cause, BUDGET_BACKLOG);
    assert_int_equal(miss.class, BUDGET_CLASSES);
    lease.behind = false;
    lease.slot_sequence++;
    budget_lease_missed(&bed->budget, NULL, &lease);
    assert_int_equal(newest(bed).cause, BUDGET_WORK);
    /* the sending thread did not run */
    bed->send.last_ns = T_NS + 2 * MS;
    gap_mark(&bed->send, T_NS + 54 * MS, false);
    lease.slot_sequence++;
    budget_lease_missed(&bed->budget, NULL, &lease);
    assert_int_equal(newest(bed).cause, BUDGET_GAP);
    free(memory);
    free(bed);
}

/* Run to completion: leases leave before their slot is committed. The lane's thread did not run before it
 * came, and what was left of the budget the port took. */
static void a_slot_in_hand_is_known_before_it_is_in_the_ring(void **state)
{
    (void)state;
    struct bed *bed = make();
    struct ring ring;
    void *memory = aligned_alloc(64, ring_bytes(RING_PLACES));
    assert_non_null(memory);
    assert_int_equal(ring_init(&ring, memory, RING_PLACES), 0);
    struct slot *slot = ring_claim(&ring);
    uint64_t sequence = slot->sequence;
    *slot = slot_of(bed, 49, 0, 0, 0);
    slot->sequence = sequence;
    bed->lane.last_ns = T_NS - 48 * MS;
    gap_mark(&bed->lane, T_NS, false);
    struct budget_lease lease = {.hand = slot, .t_receive_ns = T_NS, .sent_ns = T_NS + 4 * MS, .host = 4,
                                 .slot_sequence = sequence, .waited = slot->waited};
    budget_lease_missed(&bed->budget, &ring, &lease);
    struct budget_miss miss = newest(bed);
    assert_int_equal(miss.stage, BUDGET_WAIT);
    assert_int_equal(miss.cause, BUDGET_GAP);
    assert_int_equal(miss.longest_gap_ns, 48 * MS);
    assert_int_equal(miss.class, BUDGET_READING);
    /* another slot is in hand: this one's is not known, and its gaps are the sender's */
    lease.slot_sequence = 77;
    budget_lease_missed(&bed->budget, &ring, &lease);
    miss = newest(bed);
    assert_int_equal(miss.cause, BUDGET_BACKLOG);
    assert_int_equal(miss.class, BUDGET_CLASSES);
    bed->send.last_ns = T_NS - 47 * MS;
    gap_mark(&bed->send, T_NS, false);
    lease.slot_sequence++;
    budget_lease_missed(&bed->budget, &ring, &lease);
    assert_int_equal(newest(bed).cause, BUDGET_GAP);
    assert_int_equal(newest(bed).longest_gap_ns, 47 * MS);
    free(memory);
    free(bed);
}

/* All ten thousand leases of one emergency may be late: the first says why, and leaves room in the list. */
static void late_leases_of_one_slot_are_looked_into_once_and_counted_all(void **state)
{
    (void)state;
    struct bed *bed = make();
    struct budget_miss miss[BUDGET_KEPT];
    struct budget_lease lease = {.t_receive_ns = T_NS, .sent_ns = T_NS + 55 * MS, .slot_sequence = 3,
                                 .emergency = true};
    for (lease.host = 0; lease.host < 100; lease.host++) {
        budget_lease_missed(&bed->budget, NULL, &lease);
        lease.behind = true;
    }
    assert_int_equal(budget_read(&bed->budget, miss), 1);
    assert_int_equal(miss[0].subject, 0);
    assert_int_equal(count_read(&bed->budget.miss[BUDGET_SEND][BUDGET_WORK]), 100);
    assert_int_equal(count_read(&bed->budget.emergencies), 100);
    assert_int_equal(count_read(&bed->budget.misses), 100);
    lease.slot_sequence = 4;
    lease.emergency = false;
    budget_lease_missed(&bed->budget, NULL, &lease);
    assert_int_equal(budget_read(&bed->budget, miss), 2);
    assert_int_equal(miss[0].cause, BUDGET_BACKLOG);
    assert_int_equal(count_read(&bed->budget.emergencies), 100);
    free(bed);
}

static void the_way_is_the_networks(void **state)
{
    (void)state;
    struct bed *bed = make();
    budget_way_missed(&bed->budget, 3, T_NS, 70 * MS);
    struct budget_miss miss = newest(bed);
    assert_int_equal(miss.stage, BUDGET_WAY);
    assert_int_equal(miss.cause, BUDGET_NETWORK);
    assert_int_equal(miss.total_ns, 70 * MS);
    assert_int_equal(miss.subject, 3);
    assert_int_equal(count_read(&bed->budget.miss[BUDGET_WAY][BUDGET_NETWORK]), 1);
    assert_int_equal(count_read(&bed->budget.misses), 0);
    free(bed);
}

static void the_newest_misses_are_kept_the_newest_first(void **state)
{
    (void)state;
    struct bed *bed = make();
    struct budget_miss miss[BUDGET_KEPT];
    assert_int_equal(budget_read(&bed->budget, miss), 0);
    for (uint32_t i = 0; i < BUDGET_KEPT + 5; i++)
        budget_way_missed(&bed->budget, i, T_NS + i, 60 * MS);
    assert_int_equal(budget_read(&bed->budget, miss), BUDGET_KEPT);
    for (uint32_t i = 0; i < BUDGET_KEPT; i++)
        assert_int_equal(miss[i].subject, BUDGET_KEPT + 4 - i);
    free(bed);
}

static void classes_are_those_of_inputs_from_outside(void **state)
{
    (void)state;
    static const uint8_t class_of[SLOT_KIND_COUNT] = {
        [SLOT_READING] = BUDGET_READING, [SLOT_REPORT] = BUDGET_REPORT, [SLOT_ORDER] = BUDGET_ORDER,
        [SLOT_TOKEN] = BUDGET_ORDER};
    uint32_t share_pct = 0;
    for (uint8_t kind = SLOT_READING; kind < SLOT_KIND_COUNT; kind++) {
        struct slot slot = {.kind = kind};
        bool outside = class_of[kind] || kind == SLOT_READING;
        assert_int_equal(budget_class_of(&slot), outside ? class_of[kind] : BUDGET_CLASSES);
    }
    for (int stage = 0; stage < BUDGET_STAGES; stage++)
        share_pct += budget_share_pct(stage);
    assert_int_equal(share_pct, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gap_is_what_lies_between_two_readings_of_the_clock),
        cmocka_unit_test(a_gap_is_read_whole_while_its_thread_writes_the_next),
        cmocka_unit_test(a_wait_is_counted_in_parts_of_the_budget_and_never_wraps),
        cmocka_unit_test(a_wait_of_two_budgets_or_more_is_told_as_so_much_or_more),
        cmocka_unit_test(a_miss_is_blamed_on_the_stage_that_passed_its_share_most),
        cmocka_unit_test(a_gap_explains_a_miss_only_if_it_would_have_been_in_time_without),
        cmocka_unit_test(a_gap_in_work_is_no_excuse),
        cmocka_unit_test(a_lease_that_leaves_late_is_blamed_by_the_stages_of_its_slot),
        cmocka_unit_test(a_slot_in_hand_is_known_before_it_is_in_the_ring),
        cmocka_unit_test(late_leases_of_one_slot_are_looked_into_once_and_counted_all),
        cmocka_unit_test(the_way_is_the_networks),
        cmocka_unit_test(the_newest_misses_are_kept_the_newest_first),
        cmocka_unit_test(classes_are_those_of_inputs_from_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
