/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two threads on each crossing, small buffers, so that every edge (full, empty, wrap, overrun) is met
 * often. Worth most when built with -Db_sanitize=thread; bounded by counts, so it ends in about a second in
 * any build.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "ring/ring.h"
#include "ring/seqlock.h"
#include "ring/spsc.h"

enum { RECORDS = 100000, QUEUE_COUNT = 4, RING_COUNT = 16 };

/* The writers of ring and record go on until their reader has seen enough, or this long on a busy machine. */
enum { GOOD_WANTED = 50000, OVERRUNS_WANTED = 10, CHANGES_WANTED = 50000 };
#define GIVE_UP_NS (3 * NS_PER_S)

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* A word that belongs to a number: a torn or stale record shows. */
static uint64_t mixed(uint64_t number, uint64_t word)
{
    return (number + 1) * UINT64_C(0x9E3779B97F4A7C15) ^ (word * UINT64_C(0xD1B54A32D192ED03));
}

struct record { uint64_t number, word[7]; };

struct flow {
    struct spsc queue;
    _Alignas(64) uint8_t memory[QUEUE_COUNT * sizeof(struct record)];
    uint64_t found_full;
};

static void *produce(void *argument)
{
    struct flow *flow = argument;

    for (uint64_t number = 0; number < RECORDS; number++) {
        struct record *record = spsc_claim(&flow->queue);

        while (!record) {
            flow->found_full++;
            sched_yield();
            record = spsc_claim(&flow->queue);
        }
        record->number = number;
        for (uint64_t i = 0; i < 7; i++)
            record->word[i] = mixed(number, i);
        spsc_publish(&flow->queue);
    }
    return NULL;
}

static uint64_t wrong_words(const struct record *record, uint64_t number)
{
    uint64_t wrong = record->number != number;

    for (uint64_t i = 0; i < 7; i++)
        wrong += record->word[i] != mixed(number, i);
    return wrong;
}

static void every_record_crosses_the_queue_once_whole_and_in_order(void **state)
{
    (void)state;
    static struct flow flow;
    pthread_t thread;
    uint64_t wrong = 0, found_empty = 0;

    assert_int_equal(spsc_init(&flow.queue, flow.memory, sizeof(struct record), QUEUE_COUNT), 0);
    assert_int_equal(pthread_create(&thread, NULL, produce, &flow), 0);
    for (uint64_t number = 0; number < RECORDS; number++) {
        const struct record *record = spsc_peek(&flow.queue);

        while (!record) {
            found_empty++;
            sched_yield();
            record = spsc_peek(&flow.queue);
        }
        wrong += wrong_words(record, number);
        wrong += spsc_depth(&flow.queue) > QUEUE_COUNT;
        spsc_release(&flow.queue);
    }
    pthread_join(thread, NULL);
    assert_int_equal(wrong, 0);
    assert_null(spsc_peek(&flow.queue));
    assert_true(flow.found_full > 0);
    assert_true(found_empty > 0);
}

struct followed {
    struct ring ring;
    _Atomic bool stop;
    _Alignas(64) uint8_t memory[(RING_COUNT + 1) * SLOT_BYTES];
};

enum { PAYLOAD_WORDS = (SLOT_BYTES - 56) / 8 };

static void *commit_slots(void *argument)
{
    struct followed *followed = argument;

    for (uint64_t i = 0; !atomic_load_explicit(&followed->stop, memory_order_relaxed); i++) {
        struct slot *slot = ring_claim(&followed->ring);

        for (uint64_t word = 0; word < PAYLOAD_WORDS; word++) {
            uint64_t value = mixed(slot->sequence, word);
            memcpy(slot->bytes + 8 * word, &value, 8);
        }
        ring_commit(&followed->ring);
        if (i % 64 == 0)
            sched_yield();
    }
    return NULL;
}

static uint64_t wrong_slot(const struct slot *slot, uint64_t sequence)
{
    uint64_t wrong = slot->sequence != sequence;

    for (uint64_t word = 0; word < PAYLOAD_WORDS; word++) {
        uint64_t value;
        memcpy(&value, slot->bytes + 8 * word, 8);
        wrong += value != mixed(sequence, word);
    }
    return wrong;
}

static void a_follower_gets_whole_slots_or_hears_of_the_overrun(void **state)
{
    (void)state;
    static struct followed followed;
    pthread_t thread;
    uint64_t next = 1, wrong = 0, good = 0, overruns = 0;
    int64_t began_ns = now_ns();

    assert_int_equal(ring_init(&followed.ring, followed.memory, RING_COUNT), 0);
    assert_int_equal(pthread_create(&thread, NULL, commit_slots, &followed), 0);
    while ((good < GOOD_WANTED || overruns < OVERRUNS_WANTED) && now_ns() - began_ns < GIVE_UP_NS) {
        struct slot copy;
        int error = ring_copy(&followed.ring, next, &copy);

        if (error == -EAGAIN) {
            sched_yield();
        } else if (error == -EOVERFLOW) {
            overruns++;
            next = ring_newest(&followed.ring);
        } else {
            wrong += wrong_slot(&copy, next++);
            good++;
        }
    }
    atomic_store_explicit(&followed.stop, true, memory_order_relaxed);
    pthread_join(thread, NULL);
    assert_int_equal(wrong, 0);
    assert_true(good >= OVERRUNS_WANTED);
    assert_true(overruns >= OVERRUNS_WANTED);
}

struct shared_record {
    struct seqlock lock;
    _Atomic bool stop;
};

static void *rewrite(void *argument)
{
    struct shared_record *shared = argument;

    for (uint64_t number = 1; !atomic_load_explicit(&shared->stop, memory_order_relaxed); number++) {
        uint64_t word[SEQLOCK_WORDS] = {number};

        for (uint64_t i = 1; i < SEQLOCK_WORDS; i++)
            word[i] = mixed(number, i);
        seqlock_write(&shared->lock, word);
        if (number % 1024 == 0)
            sched_yield();
    }
    return NULL;
}

static void a_record_is_read_whole_and_never_older_than_before(void **state)
{
    (void)state;
    static struct shared_record shared;
    pthread_t thread;
    uint64_t wrong = 0, changes = 0, idle = 0, last = 0;
    int64_t began_ns = now_ns();

    assert_int_equal(pthread_create(&thread, NULL, rewrite, &shared), 0);
    while (changes < CHANGES_WANTED && now_ns() - began_ns < GIVE_UP_NS) {
        uint64_t word[SEQLOCK_WORDS];

        /* Seldom yielding: a torn read shows only while both threads run, or one was stopped in the
         * middle. */
        if (!seqlock_read(&shared.lock, word) || word[0] == last) {
            if (++idle % 256 == 0)
                sched_yield();
            continue;
        }
        wrong += word[0] < last;
        for (uint64_t i = 1; i < SEQLOCK_WORDS; i++)
            wrong += word[i] != mixed(word[0], i);
        last = word[0];
        changes++;
    }
    atomic_store_explicit(&shared.stop, true, memory_order_relaxed);
    pthread_join(thread, NULL);
    assert_int_equal(wrong, 0);
    assert_true(changes > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_record_crosses_the_queue_once_whole_and_in_order),
        cmocka_unit_test(a_follower_gets_whole_slots_or_hears_of_the_overrun),
        cmocka_unit_test(a_record_is_read_whole_and_never_older_than_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
