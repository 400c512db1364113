/* SPDX-License-Identifier: Apache-2.0 */
/* The header: what each damage is called. The window: what is new, seen, or late. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/frame.h"

enum { BODY_BYTES = 5, GOOD_BYTES = FRAME_HEADER_BYTES + BODY_BYTES };

static const struct frame sent = {
    .kind = FRAME_REPORT, .key_id = 7, .sender = 0x01020304, .sequence = UINT64_C(0x1122334455667788),
    .body_bytes = BODY_BYTES,
};

static uint32_t good(uint8_t *data)
{
    memcpy(data + FRAME_HEADER_BYTES, "hello", BODY_BYTES);
    return frame_encode(data, &sent);
}

static void header_stands_as_documented(void **state)
{
    (void)state;
    static const uint8_t header[FRAME_HEADER_BYTES] = {
        'F', 'L', 'Y', '1', 1, 2, 7, 0, 5, 0, 0, 0, 4, 3, 2, 1,
        0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
    };
    uint8_t data[GOOD_BYTES];

    assert_int_equal(good(data), GOOD_BYTES);
    assert_memory_equal(data, header, sizeof header);
}

static void frame_comes_back_as_sent(void **state)
{
    (void)state;
    uint8_t data[GOOD_BYTES];
    struct frame frame;

    good(data);
    assert_int_equal(frame_decode(data, GOOD_BYTES, &frame), ACCEPTED);
    assert_int_equal(frame.kind, sent.kind);
    assert_int_equal(frame.key_id, sent.key_id);
    assert_int_equal(frame.sender, sent.sender);
    assert_true(frame.sequence == sent.sequence);
    assert_int_equal(frame.body_bytes, BODY_BYTES);
    assert_ptr_equal(frame.body, data + FRAME_HEADER_BYTES);
    assert_ptr_equal(frame.tag, data + FRAME_HEADER_BYTES - FRAME_TAG_BYTES);
}

/* One byte of a good frame changed, and the name that damage must get. */
static void each_damage_has_its_name(void **state)
{
    (void)state;
    static const struct { uint8_t at, value; int refusal; } damage[] = {
        { 0, 'f', REFUSED_MAGIC },      { 3, '2', REFUSED_MAGIC },
        { 4, 0, REFUSED_VERSION },      { 4, 2, REFUSED_VERSION },
        { 5, 0, REFUSED_KIND },         { 5, FRAME_KIND_COUNT, REFUSED_KIND },  { 5, 255, REFUSED_KIND },
        { 8, 6, REFUSED_TRUNCATED },    { 8, 4, REFUSED_OVERSIZED },
        { 9, 0x80, REFUSED_OVERSIZED }, { 10, 1, REFUSED_MALFORMED },           { 11, 1, REFUSED_MALFORMED },
    };

    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        uint8_t data[GOOD_BYTES];
        struct frame frame;

        good(data);
        data[damage[i].at] = damage[i].value;
        assert_int_equal(frame_decode(data, GOOD_BYTES, &frame), damage[i].refusal);
    }
}

static void every_length_but_the_right_one_is_refused(void **state)
{
    (void)state;
    uint8_t data[DATAGRAM_MAX + 1] = { 0 };
    struct frame frame;

    good(data);
    for (uint32_t bytes = 0; bytes < GOOD_BYTES; bytes++)
        assert_int_equal(frame_decode(data, bytes, &frame), REFUSED_TRUNCATED);
    for (uint32_t bytes = GOOD_BYTES + 1; bytes <= sizeof data; bytes++)
        assert_int_equal(frame_decode(data, bytes, &frame), REFUSED_OVERSIZED);
}

static void the_largest_body_fits_and_one_more_byte_does_not(void **state)
{
    (void)state;
    uint8_t data[DATAGRAM_MAX] = { 0 };
    struct frame frame = sent;

    frame.body_bytes = DATAGRAM_MAX - FRAME_HEADER_BYTES;
    assert_int_equal(frame_encode(data, &frame), DATAGRAM_MAX);
    assert_int_equal(frame_decode(data, DATAGRAM_MAX, &frame), ACCEPTED);
    frame.body_bytes++;
    assert_int_equal(frame_encode(data, &frame), 0);
    data[8]++;
    assert_int_equal(frame_decode(data, DATAGRAM_MAX, &frame), REFUSED_OVERSIZED);
}

static void sequence_zero_is_malformed(void **state)
{
    (void)state;
    uint8_t data[GOOD_BYTES];
    struct frame frame;

    good(data);
    memset(data + 16, 0, 8);
    assert_int_equal(frame_decode(data, GOOD_BYTES, &frame), REFUSED_MALFORMED);
}

static void a_tag_without_a_key_is_malformed(void **state)
{
    (void)state;
    uint8_t data[GOOD_BYTES];
    struct frame frame;

    for (uint32_t at = 24; at < FRAME_HEADER_BYTES; at++) {
        good(data);
        data[at] = 1;
        assert_int_equal(frame_decode(data, GOOD_BYTES, &frame), ACCEPTED);
        data[6] = 0;
        assert_int_equal(frame_decode(data, GOOD_BYTES, &frame), REFUSED_MALFORMED);
    }
}

static void new_numbers_are_accepted_once(void **state)
{
    (void)state;
    struct replay_window window = { 0 };

    assert_int_equal(replay_check(&window, 1), ACCEPTED);
    assert_int_equal(replay_check(&window, 1), REFUSED_DUPLICATE);
    assert_int_equal(replay_check(&window, 2), ACCEPTED);
    assert_int_equal(replay_check(&window, 1), REFUSED_DUPLICATE);
    assert_int_equal(replay_check(&window, 2), REFUSED_DUPLICATE);
}

static void an_older_unseen_number_is_reordered_not_duplicate(void **state)
{
    (void)state;
    struct replay_window window = { 0 };

    assert_int_equal(replay_check(&window, 10), ACCEPTED);
    assert_int_equal(replay_check(&window, 12), ACCEPTED);
    assert_int_equal(replay_check(&window, 11), REFUSED_REORDERED);
    assert_int_equal(replay_check(&window, 10), REFUSED_DUPLICATE);
    assert_int_equal(replay_check(&window, 9), REFUSED_REORDERED);
    assert_int_equal(replay_check(&window, 0), REFUSED_REORDERED);
}

static void the_window_remembers_64_numbers_and_no_more(void **state)
{
    (void)state;
    struct replay_window window = { 0 };

    assert_int_equal(replay_check(&window, 100), ACCEPTED);
    assert_int_equal(replay_check(&window, 163), ACCEPTED);
    assert_int_equal(replay_check(&window, 100), REFUSED_DUPLICATE);
    assert_int_equal(replay_check(&window, 164), ACCEPTED);
    assert_int_equal(replay_check(&window, 100), REFUSED_REORDERED);
    assert_int_equal(replay_check(&window, 163), REFUSED_DUPLICATE);
}

static void jumps_of_64_and_far_more_forget_the_past(void **state)
{
    (void)state;
    static const uint64_t jump[] = { 63, 64, 65, 128, UINT64_C(1) << 40, UINT64_MAX - 5 };

    for (size_t i = 0; i < sizeof jump / sizeof *jump; i++) {
        struct replay_window window = { 0 };

        assert_int_equal(replay_check(&window, 5), ACCEPTED);
        assert_int_equal(replay_check(&window, 5 + jump[i]), ACCEPTED);
        assert_int_equal(replay_check(&window, 5 + jump[i]), REFUSED_DUPLICATE);
        assert_int_equal(replay_check(&window, 4 + jump[i]), REFUSED_REORDERED);
        assert_int_equal(replay_check(&window, 5), jump[i] < 64 ? REFUSED_DUPLICATE : REFUSED_REORDERED);
    }
}

#define SILENCE_NS REPLAY_SILENCE_NS

static void numbers_may_begin_anew_after_a_silence_of_good_ones(void **state)
{
    (void)state;
    struct replay_window window = { 0 };
    int64_t t_ns = 5 * NS_PER_S;

    assert_int_equal(replay_admit(&window, 1000000, t_ns), ACCEPTED);
    /* before: refused however many come, and none counts for later */
    for (uint64_t i = 0; i < 20; i++)
        assert_int_equal(replay_admit(&window, 100 + i, t_ns + SILENCE_NS - 1), REFUSED_REORDERED);
    t_ns += SILENCE_NS;
    for (uint64_t i = 0; i < REPLAY_CONFIRMATIONS - 1; i++)
        assert_int_equal(replay_admit(&window, 200 + i, t_ns), REFUSED_REORDERED);
    assert_false(window.began_again);
    assert_int_equal(replay_admit(&window, 300, t_ns), ACCEPTED);
    assert_true(window.began_again);
    /* what went before is seen or old, as ever */
    assert_int_equal(replay_admit(&window, 300, t_ns), REFUSED_DUPLICATE);
    assert_int_equal(replay_admit(&window, 202, t_ns), REFUSED_REORDERED);
    assert_int_equal(replay_admit(&window, 301, t_ns), ACCEPTED);
}

static void one_good_number_ends_a_claim_to_begin_anew(void **state)
{
    (void)state;
    struct replay_window window = { 0 };

    assert_int_equal(replay_admit(&window, 1000, 0), ACCEPTED);
    for (uint64_t i = 1; i < REPLAY_CONFIRMATIONS; i++)
        assert_int_equal(replay_admit(&window, i, SILENCE_NS), REFUSED_REORDERED);
    assert_int_equal(replay_admit(&window, 1001, SILENCE_NS), ACCEPTED);
    for (uint64_t i = 10; i < 30; i++)
        assert_int_equal(replay_admit(&window, i, 2 * SILENCE_NS - 1), REFUSED_REORDERED);
    for (uint64_t i = 30; i < 29 + REPLAY_CONFIRMATIONS; i++)
        assert_int_equal(replay_admit(&window, i, 2 * SILENCE_NS), REFUSED_REORDERED);
    assert_int_equal(window.newest, 1001);
}

/* The same frame again, or one before it, is no further evidence; one that was seen in the window never
 * is. */
static void only_rising_numbers_that_were_not_seen_begin_anew(void **state)
{
    (void)state;
    struct replay_window window = { 0 };

    for (uint64_t i = 990; i <= 1000; i++)
        assert_int_equal(replay_admit(&window, i, 0), ACCEPTED);
    for (uint64_t i = 990; i <= 1000; i++)
        assert_int_equal(replay_admit(&window, i, 3 * SILENCE_NS), REFUSED_DUPLICATE);
    for (int i = 0; i < 20; i++)
        assert_int_equal(replay_admit(&window, 500, 3 * SILENCE_NS), REFUSED_REORDERED);
    for (uint64_t i = 0; i < 20; i++)
        assert_int_equal(replay_admit(&window, 499 - i, 3 * SILENCE_NS), REFUSED_REORDERED);
    assert_int_equal(window.newest, 1000);
}

static void every_refusal_has_a_name_and_a_meaning_of_its_own(void **state)
{
    (void)state;
    for (int a = ACCEPTED; a < REFUSAL_COUNT; a++) {
        assert_non_null(refusal_name(a));
        assert_true(strlen(refusal_meaning(a)) > 10);
        for (int b = 0; b < a; b++)
            assert_string_not_equal(refusal_name(a), refusal_name(b));
    }
    assert_string_equal(refusal_name(REFUSED_DUPLICATE), "duplicate");
    assert_string_equal(refusal_name(REFUSAL_COUNT), "unknown");
    assert_string_equal(refusal_name(-1), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_stands_as_documented),
        cmocka_unit_test(frame_comes_back_as_sent),
        cmocka_unit_test(each_damage_has_its_name),
        cmocka_unit_test(every_length_but_the_right_one_is_refused),
        cmocka_unit_test(the_largest_body_fits_and_one_more_byte_does_not),
        cmocka_unit_test(sequence_zero_is_malformed),
        cmocka_unit_test(a_tag_without_a_key_is_malformed),
        cmocka_unit_test(new_numbers_are_accepted_once),
        cmocka_unit_test(an_older_unseen_number_is_reordered_not_duplicate),
        cmocka_unit_test(the_window_remembers_64_numbers_and_no_more),
        cmocka_unit_test(jumps_of_64_and_far_more_forget_the_past),
        cmocka_unit_test(numbers_may_begin_anew_after_a_silence_of_good_ones),
        cmocka_unit_test(one_good_number_ends_a_claim_to_begin_anew),
        cmocka_unit_test(only_rising_numbers_that_were_not_seen_begin_anew),
        cmocka_unit_test(every_refusal_has_a_name_and_a_meaning_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
