/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samples of a meter in the ring that its lane overwrites: found by number, and never torn or of another lap
 * without the reader being told. The order of the stores is not what -Db_sanitize=thread finds, for every
 * word is atomic: what was read and not refused is compared. On x86, where each store is a release, an order
 * that is weaker in the source can pass. Bounded by counts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ring/wave.h"

enum { ROWS = 256, PERIOD_PS = 125000000 };
#define START_NS INT64_C(1000000000)

struct place {
    struct wave wave;
    struct samples block;
    uint64_t next;
    struct wave_pair pair[ROWS * WAVE_PAIRS_MAX];
    _Alignas(64) uint8_t memory[ROWS * WAVE_PAIRS_MAX * sizeof(struct wave_pair)];
};

/* Exact in a float below 2^24. */
static float value(uint64_t number, uint32_t channel)
{
    return (float)((number * 8 + channel) % 16777213);
}

static struct place *make(uint32_t channels)
{
    struct place *place = aligned_alloc(64, sizeof *place);

    assert_non_null(place);
    memset(place, 0, sizeof *place);
    assert_int_equal(wave_init(&place->wave, place->memory, channels, ROWS), 0);
    place->block = (struct samples){.channels = (uint8_t)channels, .period_ps = PERIOD_PS};
    return place;
}

static void write_more(struct place *place, uint32_t count, uint32_t flags)
{
    struct samples *block = &place->block;

    block->count = (uint16_t)count;
    block->flags = flags;
    block->t0_ns = START_NS + (int64_t)(place->next * (PERIOD_PS / 1000));
    for (uint32_t c = 0; c < block->channels; c++)
        for (uint32_t k = 0; k < count; k++)
            block->value[c][k] = value(place->next + k, c);
    wave_write(&place->wave, block, 0.25, 0.0075);
    place->next += count;
}

static bool is_right(const struct wave_pair *pair, uint32_t pairs, uint64_t first, uint32_t count)
{
    static const uint32_t volts[] = {SAMPLES_VA, SAMPLES_VB, SAMPLES_VC, SAMPLES_VN};
    static const uint32_t amperes[] = {SAMPLES_IA, SAMPLES_IB, SAMPLES_IC, SAMPLES_IN};
    bool right = true;

    for (uint32_t k = 0; k < count; k++)
        for (uint32_t p = 0; p < pairs; p++) {
            const struct wave_pair *at = &pair[(size_t)k * pairs + p];

            right &= at->voltage_v == value(first + k, volts[p]) &&
                     at->current_a == value(first + k, amperes[p]);
        }
    return right;
}

static void samples_are_found_by_their_number(void **state)
{
    (void)state;
    for (uint32_t channels = 6; channels <= 8; channels += 2) {
        struct place *place = make(channels);
        struct wave_head head;

        assert_false(wave_head(&place->wave, &head));
        assert_int_equal(wave_read(&place->wave, 0, 1, place->pair), -EAGAIN);
        for (uint32_t block = 1; block <= 20; block++)
            write_more(place, block, 0);                        /* 210 samples */
        assert_true(wave_head(&place->wave, &head));
        assert_int_equal(head.samples, 210);
        assert_int_equal(head.t_ns, START_NS + 209 * (PERIOD_PS / 1000));
        assert_true(head.turn == 0.25 && head.cycles == 0.0075 && head.period_ps == PERIOD_PS);
        assert_int_equal(wave_read(&place->wave, 0, 210, place->pair), 0);
        assert_true(is_right(place->pair, channels / 2, 0, 210));
        assert_int_equal(wave_read(&place->wave, 200, 11, place->pair), -EAGAIN);
        write_more(place, 128, 0);
        assert_int_equal(wave_read(&place->wave, 81, 1, place->pair), -EOVERFLOW);
        assert_int_equal(wave_read(&place->wave, 82, 256, place->pair), 0);
        assert_true(is_right(place->pair, channels / 2, 82, 256));
        free(place);
    }
}

/* Up to the end of the ring, where the rest of the block begins at its start. */
static void to_expect_samples_changes_nothing(void **state)
{
    (void)state;
    struct place *place = make(6), *before = malloc(sizeof *before);

    assert_non_null(before);
    for (uint32_t block = 1; block <= 22; block++) {
        memcpy(before, place, sizeof *before);
        wave_expect(&place->wave, 128);
        assert_memory_equal(before, place, sizeof *before);
        write_more(place, block, 0);
    }
    assert_int_equal(wave_read(&place->wave, 0, 253, place->pair), 0);
    assert_true(is_right(place->pair, 3, 0, 253));
    free(before);
    free(place);
}

static void what_is_wrong_with_samples_stands_in_the_head(void **state)
{
    (void)state;
    struct place *place = make(6);
    struct wave_head head;

    write_more(place, 64, 0);
    assert_true(wave_head(&place->wave, &head) && head.since == 0 && head.doubtful == 0);
    write_more(place, 64, SAMPLES_CLIPPED);
    assert_true(wave_head(&place->wave, &head) && head.since == 0 && head.doubtful == 128);
    write_more(place, 8, SAMPLES_GAP);
    assert_true(wave_head(&place->wave, &head) && head.since == 128 && head.doubtful == 128);
    write_more(place, 8, SAMPLES_GAP);
    assert_true(wave_head(&place->wave, &head) && head.since == 136);
    place->block.channels = 4;
    write_more(place, 8, 0);                    /* too few: left out */
    place->block.channels = 8;
    write_more(place, 8, 0);                    /* the neutral is */
    assert_true(wave_head(&place->wave, &head) && head.since == 144 && head.samples == 152);
    place->block.channels = 6;
    place->block.period_ps = PERIOD_PS / 2;
    write_more(place, 8, 0);
    assert_true(wave_head(&place->wave, &head) && head.since == 152 && head.samples == 160);
    free(place);
}

static void what_was_made_up_or_is_invalid_is_not_good(void **state)
{
    (void)state;
    static const uint32_t bad[] = {SAMPLES_FILLED, SAMPLES_INVALID, SAMPLES_GAP | SAMPLES_INVALID};
    struct place *place = make(6);
    struct wave_head head;

    for (uint32_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        write_more(place, 64, 0);
        write_more(place, 8, bad[k]);
        assert_true(wave_head(&place->wave, &head) && head.since == 72 * (k + 1) && !head.doubtful);
    }
    free(place);
}

static void memory_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct place *place = make(6);

    assert_int_equal(wave_bytes(6, 256), 6144);
    assert_int_equal(wave_init(&place->wave, NULL, 6, 256), -EINVAL);
    assert_int_equal(wave_init(&place->wave, place->memory + 8, 6, 256), -EINVAL);
    assert_int_equal(wave_init(&place->wave, place->memory, 7, 256), -EINVAL);
    assert_int_equal(wave_init(&place->wave, place->memory, 6, 128), -EINVAL);
    assert_int_equal(wave_init(&place->wave, place->memory, 6, 384), -EINVAL);
    free(place);
}

struct race {
    struct place *place;
    _Atomic bool stop;
};

static void *write_on(void *argument)
{
    struct race *race = argument;

    while (!atomic_load_explicit(&race->stop, memory_order_relaxed))
        write_more(race->place, 1 + (uint32_t)(race->place->next % 128), 0);
    return NULL;
}

/* A reader that stays near the newest sample, and one that looks where the writer is about to write: whatever
 * is read and not refused is right. It goes on until both have happened, however the machine shares itself
 * out. */
static void an_overtaken_reader_is_told(void **state)
{
    (void)state;
    struct place *place = make(8);
    struct race race = {.place = place};
    uint64_t good = 0, overtaken = 0, wrong = 0;
    pthread_t writer;

    assert_int_equal(pthread_create(&writer, NULL, write_on, &race), 0);
    for (uint64_t turn = 0; (good < 2000 || !overtaken) && turn < 40000000; turn++) {
        struct wave_head head;

        if (!wave_head(&place->wave, &head) || head.samples < ROWS)
            continue;
        uint32_t count = turn % 2 ? ROWS : 16;
        uint64_t first = head.samples - count;
        int error = wave_read(&place->wave, first, count, place->pair);

        good += !error;
        overtaken += error == -EOVERFLOW;
        wrong += !error && !is_right(place->pair, 4, first, count);
    }
    atomic_store_explicit(&race.stop, true, memory_order_relaxed);
    pthread_join(writer, NULL);
    print_message("%llu read, %llu overtaken\n", (unsigned long long)good, (unsigned long long)overtaken);
    assert_int_equal(wrong, 0);
    assert_true(good >= 2000 && overtaken > 0);
    free(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_found_by_their_number),
        cmocka_unit_test(to_expect_samples_changes_nothing),
        cmocka_unit_test(what_is_wrong_with_samples_stands_in_the_head),
        cmocka_unit_test(what_was_made_up_or_is_invalid_is_not_good),
        cmocka_unit_test(memory_that_does_not_fit_is_refused),
        cmocka_unit_test(an_overtaken_reader_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
