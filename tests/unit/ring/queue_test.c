/* SPDX-License-Identifier: Apache-2.0 */
/* Single-threaded behaviour of the queue, the ring, the record and the arena. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ring/arena.h"
#include "ring/ring.h"
#include "ring/seqlock.h"
#include "ring/spsc.h"

enum { COUNT = 8 };

static _Alignas(64) uint8_t memory[16 * SLOT_BYTES];

static void a_queue_refuses_sizes_it_cannot_index(void **state)
{
    (void)state;
    struct spsc queue;

    assert_int_equal(spsc_init(&queue, memory, 64, 0), -EINVAL);
    assert_int_equal(spsc_init(&queue, memory, 64, 6), -EINVAL);
    assert_int_equal(spsc_init(&queue, memory, 0, 8), -EINVAL);
    assert_int_equal(spsc_init(&queue, memory + 8, 64, 8), -EINVAL);
    assert_int_equal(spsc_init(&queue, NULL, 64, 8), -EINVAL);
    assert_int_equal(spsc_init(&queue, memory, 64, 8), 0);
    assert_int_equal(spsc_bytes(64, 8), 512);
}

static void a_queue_holds_exactly_count_records_in_order(void **state)
{
    (void)state;
    struct spsc queue;

    assert_int_equal(spsc_init(&queue, memory, sizeof(uint64_t), COUNT), 0);
    assert_null(spsc_peek(&queue));
    for (uint64_t lap = 0; lap < 5; lap++) {
        for (uint64_t i = 0; i < COUNT; i++) {
            *(uint64_t *)spsc_claim(&queue) = lap * 100 + i;
            spsc_publish(&queue);
        }
        assert_null(spsc_claim(&queue));
        assert_int_equal(spsc_depth(&queue), COUNT);
        for (uint64_t i = 0; i < COUNT; i++) {
            assert_int_equal(*(const uint64_t *)spsc_peek(&queue), lap * 100 + i);
            spsc_release(&queue);
        }
        assert_null(spsc_peek(&queue));
        assert_int_equal(spsc_depth(&queue), 0);
    }
}

static void claiming_twice_gives_the_same_record(void **state)
{
    (void)state;
    struct spsc queue;

    assert_int_equal(spsc_init(&queue, memory, 64, COUNT), 0);
    assert_ptr_equal(spsc_claim(&queue), spsc_claim(&queue));
    assert_null(spsc_peek(&queue));
    spsc_publish(&queue);
    assert_ptr_equal(spsc_peek(&queue), spsc_peek(&queue));
}

static void a_released_place_can_be_claimed_at_once(void **state)
{
    (void)state;
    struct spsc queue;

    assert_int_equal(spsc_init(&queue, memory, 64, COUNT), 0);
    while (spsc_claim(&queue))
        spsc_publish(&queue);
    const void *oldest = spsc_peek(&queue);
    spsc_release(&queue);
    assert_ptr_equal(spsc_claim(&queue), oldest);
}

static void the_ring_keeps_the_newest_slots(void **state)
{
    (void)state;
    struct ring ring;

    assert_int_equal(ring_init(&ring, memory, 3), -EINVAL);
    assert_int_equal(ring_init(&ring, memory, COUNT), 0);
    assert_true(ring_bytes(COUNT) <= sizeof(memory));
    assert_null(ring_at(&ring, 0));
    assert_null(ring_at(&ring, 1));
    for (uint64_t sequence = 1; sequence <= 20; sequence++) {
        struct slot *slot = ring_claim(&ring);
        assert_int_equal(slot->sequence, sequence);
        slot->t_ns = (int64_t)sequence * 7;
        assert_null(ring_at(&ring, sequence));
        ring_commit(&ring);
        assert_int_equal(ring_newest(&ring), sequence);
    }
    for (uint64_t sequence = 0; sequence <= 25; sequence++) {
        const struct slot *slot = ring_at(&ring, sequence);
        if (sequence < 13 || sequence > 20)
            assert_null(slot);
        else
            assert_int_equal(slot->t_ns, sequence * 7);
    }
}

static void a_follower_is_told_when_it_was_overrun(void **state)
{
    (void)state;
    struct ring ring;
    struct slot copy;

    assert_int_equal(ring_init(&ring, memory, COUNT), 0);
    assert_int_equal(ring_copy(&ring, 1, &copy), -EAGAIN);
    for (uint64_t sequence = 1; sequence <= 20; sequence++) {
        ring_claim(&ring)->t_ns = (int64_t)sequence * 3;
        ring_commit(&ring);
    }
    assert_int_equal(ring_copy(&ring, 21, &copy), -EAGAIN);
    assert_int_equal(ring_copy(&ring, 0, &copy), -EAGAIN);
    for (uint64_t sequence = 14; sequence <= 20; sequence++) {
        assert_int_equal(ring_copy(&ring, sequence, &copy), 0);
        assert_int_equal(copy.sequence, sequence);
        assert_int_equal(copy.t_ns, sequence * 3);
    }
    assert_int_equal(ring_copy(&ring, 13, &copy), -EOVERFLOW);
    assert_int_equal(ring_copy(&ring, 1, &copy), -EOVERFLOW);
}

static void a_record_reads_back_what_was_written(void **state)
{
    (void)state;
    struct seqlock record = {0};
    uint64_t in[SEQLOCK_WORDS] = {1, 2, 3, 4, 5, 6, UINT64_MAX}, out[SEQLOCK_WORDS];

    seqlock_write(&record, in);
    assert_true(seqlock_read(&record, out));
    assert_memory_equal(in, out, sizeof(in));
}

static void a_record_caught_in_the_middle_of_a_write_is_not_read(void **state)
{
    (void)state;
    struct seqlock record = {0};
    uint64_t out[SEQLOCK_WORDS];

    atomic_store(&record.version, 7);
    assert_false(seqlock_read(&record, out));
}

static void an_arena_gives_zeroed_aligned_memory_until_it_is_full(void **state)
{
    (void)state;
    struct arena arena;

    assert_int_equal(arena_open(&arena, 0), -EINVAL);
    assert_int_equal(arena_open(&arena, 10000), 0);
    uint8_t *first = arena_take(&arena, 10, 1);
    uint8_t *second = arena_take(&arena, 100, 4096);
    assert_non_null(first);
    assert_non_null(second);
    assert_int_equal((uintptr_t)first % 64, 0);
    assert_int_equal((uintptr_t)second % 4096, 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(second[i], 0);
    memset(second, 0xff, 100);
    assert_null(arena_take(&arena, 100, 48));
    assert_null(arena_take(&arena, SIZE_MAX, 64));
    assert_null(arena_take(&arena, 20000, 64));
    assert_true(arena_take(&arena, 64, 64) >= (void *)(second + 100));
    arena_close(&arena);
}

static void a_sealed_arena_gives_nothing(void **state)
{
    (void)state;
    struct arena arena;

    assert_int_equal(arena_open(&arena, 3 << 20), 0);
    assert_int_equal(arena.bytes, 4 << 20);
    assert_non_null(arena_take(&arena, 1 << 20, 2 << 20));
    arena_seal(&arena);
    assert_null(arena_take(&arena, 1, 1));
    arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queue_refuses_sizes_it_cannot_index),
        cmocka_unit_test(a_queue_holds_exactly_count_records_in_order),
        cmocka_unit_test(claiming_twice_gives_the_same_record),
        cmocka_unit_test(a_released_place_can_be_claimed_at_once),
        cmocka_unit_test(the_ring_keeps_the_newest_slots),
        cmocka_unit_test(a_follower_is_told_when_it_was_overrun),
        cmocka_unit_test(a_record_reads_back_what_was_written),
        cmocka_unit_test(a_record_caught_in_the_middle_of_a_write_is_not_read),
        cmocka_unit_test(an_arena_gives_zeroed_aligned_memory_until_it_is_full),
        cmocka_unit_test(a_sealed_arena_gives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
