/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolment by token: both ends get the same key where they have the same token and name; not one bit of any
 * datagram can be changed, and what was recorded is worth nothing later. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "auth/enrol.h"

static const uint8_t token[ENROL_TOKEN_BYTES] = "a token of test";
static const uint8_t secret[ENROL_SECRET_BYTES] = "what the controller drew";

struct bed {
    struct enrol_stored stored;
    struct enrol_host host;
    struct enrol_key key, own;          /* the controller's, and the host's */
    uint8_t reply[ENROL_REPLY_BYTES], confirm[ENROL_CONFIRM_BYTES], done[ENROL_DONE_BYTES];
};

static void begin(struct bed *bed)
{
    memset(bed, 0, sizeof *bed);
    assert_int_equal(enrol_store(token, &bed->stored), 0);
    assert_int_equal(enrol_begin(&bed->host, token, "a1-01"), 0);
}

static int answer(struct bed *bed, const uint8_t *hello, size_t bytes)
{
    return enrol_answer(&bed->stored, "a1-01", secret, hello, bytes, &bed->key, bed->reply);
}

static int take_reply(struct bed *bed)
{
    return enrol_take_reply(&bed->host, bed->reply, ENROL_REPLY_BYTES, &bed->own, bed->confirm);
}

static int take_confirm(struct bed *bed)
{
    return enrol_take_confirm(&bed->key, "a1-01", bed->confirm, ENROL_CONFIRM_BYTES, bed->done);
}

static int take_done(const struct bed *bed)
{
    return enrol_take_done(&bed->own, "a1-01", bed->stored.id, bed->done, ENROL_DONE_BYTES);
}

static void go_to_the_end(struct bed *bed)
{
    begin(bed);
    assert_int_equal(answer(bed, bed->host.hello, ENROL_HELLO_BYTES), 0);
    assert_int_equal(take_reply(bed), 0);
    assert_int_equal(take_confirm(bed), 0);
    assert_int_equal(take_done(bed), 0);
}

static bool holds(const uint8_t *data, size_t bytes, const uint8_t *what, size_t what_bytes)
{
    for (size_t at = 0; at + what_bytes <= bytes; at++)
        if (!memcmp(data + at, what, what_bytes))
            return true;
    return false;
}

static void both_get_the_same_key_and_nobody_sees_it(void **state)
{
    (void)state;
    struct bed bed, again;
    const uint8_t none[AUTH_KEY_BYTES] = {0};
    go_to_the_end(&bed);
    assert_memory_equal(bed.key.secret, bed.own.secret, AUTH_KEY_BYTES);
    assert_memory_not_equal(bed.key.secret, none, AUTH_KEY_BYTES);
    assert_int_equal(bed.own.id, bed.key.id);
    assert_int_not_equal(bed.own.id, 0);
    const struct { const uint8_t *data; size_t bytes; } said[] = {
        {bed.host.hello, ENROL_HELLO_BYTES}, {bed.reply, ENROL_REPLY_BYTES},
        {bed.confirm, ENROL_CONFIRM_BYTES}, {bed.done, ENROL_DONE_BYTES}};
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        assert_false(holds(said[i].data, said[i].bytes, bed.key.secret, 4));
        assert_false(holds(said[i].data, said[i].bytes, token, 4));
        assert_false(holds(said[i].data, said[i].bytes, bed.stored.point, 4));
        assert_false(holds(said[i].data, said[i].bytes, secret, 4));
    }
    go_to_the_end(&again);      /* the same token once more: another key */
    assert_memory_not_equal(bed.key.secret, again.key.secret, AUTH_KEY_BYTES);
}

static void no_bit_of_hello_can_be_changed(void **state)
{
    (void)state;
    struct bed bed;
    begin(&bed);
    for (size_t bit = 0; bit < 8 * ENROL_HELLO_BYTES; bit++) {
        bed.host.hello[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(answer(&bed, bed.host.hello, ENROL_HELLO_BYTES), -EBADMSG);
        bed.host.hello[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (size_t bytes = 0; bytes < ENROL_HELLO_BYTES; bytes++)
        assert_int_equal(answer(&bed, bed.host.hello, bytes), -EBADMSG);
    assert_int_equal(answer(&bed, bed.host.hello, ENROL_HELLO_BYTES), 0);
}

static void no_bit_of_the_rest_can_be_changed(void **state)
{
    (void)state;
    struct bed bed;
    go_to_the_end(&bed);
    uint8_t out[ENROL_CONFIRM_BYTES], bad[ENROL_CONFIRM_BYTES];
    struct enrol_key key;
    for (size_t bit = 0; bit < 8 * ENROL_REPLY_BYTES; bit++) {
        memcpy(bad, bed.reply, ENROL_REPLY_BYTES);
        bad[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(enrol_take_reply(&bed.host, bad, ENROL_REPLY_BYTES, &key, out), -EBADMSG);
    }
    for (size_t bit = 0; bit < 8 * ENROL_CONFIRM_BYTES; bit++) {
        memcpy(bad, bed.confirm, sizeof bad);
        bad[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(enrol_take_confirm(&bed.key, "a1-01", bad, sizeof bad, out), -EBADMSG);
    }
    for (size_t bit = 0; bit < 8 * ENROL_DONE_BYTES; bit++) {
        memcpy(bad, bed.done, ENROL_DONE_BYTES);
        bad[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(enrol_take_done(&bed.own, "a1-01", bed.stored.id, bad, ENROL_DONE_BYTES), -EBADMSG);
    }
    for (size_t bytes = 0; bytes < ENROL_CONFIRM_BYTES; bytes++)
        assert_int_equal(enrol_take_confirm(&bed.key, "a1-01", bed.confirm, bytes, out), -EBADMSG);
}

static void another_token_or_name_gets_no_answer(void **state)
{
    (void)state;
    struct bed bed;
    uint8_t other[ENROL_TOKEN_BYTES];
    begin(&bed);
    for (size_t bit = 0; bit < 8 * ENROL_TOKEN_BYTES; bit++) {
        memcpy(other, token, sizeof other);
        other[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(enrol_begin(&bed.host, other, "a1-01"), 0);
        memcpy(bed.host.hello + 8, bed.stored.id, ENROL_ID_BYTES);      /* as if it were the right one */
        assert_int_equal(answer(&bed, bed.host.hello, ENROL_HELLO_BYTES), -EBADMSG);
    }
    assert_int_equal(enrol_begin(&bed.host, token, "a1-02"), 0);
    assert_int_equal(answer(&bed, bed.host.hello, ENROL_HELLO_BYTES), -EBADMSG);
}

static void a_recorded_exchange_opens_nothing(void **state)
{
    (void)state;
    struct bed bed, then;
    go_to_the_end(&then);
    begin(&bed);
    uint8_t other[ENROL_SECRET_BYTES] = "drawn at another start";
    assert_int_equal(enrol_answer(&bed.stored, "a1-01", other, then.host.hello, ENROL_HELLO_BYTES, &bed.key,
                                  bed.reply), 0);       /* true, and of then */
    memcpy(bed.confirm, then.confirm, sizeof bed.confirm);
    assert_int_equal(take_confirm(&bed), -EBADMSG);
    assert_memory_not_equal(bed.key.secret, then.key.secret, AUTH_KEY_BYTES);
    memcpy(bed.reply, then.reply, sizeof bed.reply);
    assert_int_equal(take_reply(&bed), -EBADMSG);
    assert_int_equal(enrol_take_done(&bed.own, "a1-01", bed.stored.id, then.done, ENROL_DONE_BYTES),
                     -EBADMSG);
}

/* The controller keeps nothing of a hello: what others say between, recorded or not, changes no answer. */
static void another_hello_between_shuts_nobody_out(void **state)
{
    (void)state;
    struct bed bed, other;
    uint8_t hello[ENROL_HELLO_BYTES];
    struct enrol_key key;
    begin(&other);
    begin(&bed);
    assert_int_equal(answer(&bed, bed.host.hello, ENROL_HELLO_BYTES), 0);
    assert_int_equal(take_reply(&bed), 0);
    assert_int_equal(answer(&bed, other.host.hello, ENROL_HELLO_BYTES), 0);
    assert_memory_not_equal(bed.key.secret, bed.own.secret, AUTH_KEY_BYTES);
    assert_int_equal(enrol_hello_of(bed.confirm, ENROL_CONFIRM_BYTES, hello), 0);
    assert_memory_equal(hello, bed.host.hello, ENROL_HELLO_BYTES);
    assert_int_equal(enrol_hello_of(bed.host.hello, ENROL_HELLO_BYTES, hello), -EBADMSG);
    assert_int_equal(enrol_answer(&bed.stored, "a1-01", secret, hello, sizeof hello, &key, other.reply), 0);
    bed.key = key;
    assert_memory_equal(bed.key.secret, bed.own.secret, AUTH_KEY_BYTES);
    assert_int_equal(take_confirm(&bed), 0);
    assert_int_equal(take_done(&bed), 0);
}

/* Who read the controller's file has the stored half: he can make a hello, and no confirm. */
static void what_is_stored_enrols_nobody(void **state)
{
    (void)state;
    struct bed bed;
    begin(&bed);
    memset(bed.host.token_private, 7, sizeof bed.host.token_private);
    assert_int_equal(answer(&bed, bed.host.hello, ENROL_HELLO_BYTES), 0);
    assert_int_equal(take_reply(&bed), -EBADMSG);
    assert_memory_not_equal(bed.own.secret, bed.key.secret, AUTH_KEY_BYTES);
}

static void a_point_of_small_order_is_refused(void **state)
{
    (void)state;
    struct bed bed;
    begin(&bed);
    assert_int_equal(answer(&bed, bed.host.hello, ENROL_HELLO_BYTES), 0);
    memset(bed.reply + 16, 0, ENROL_POINT_BYTES);
    assert_int_equal(take_reply(&bed), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_get_the_same_key_and_nobody_sees_it),
        cmocka_unit_test(no_bit_of_hello_can_be_changed),
        cmocka_unit_test(no_bit_of_the_rest_can_be_changed),
        cmocka_unit_test(another_token_or_name_gets_no_answer),
        cmocka_unit_test(a_recorded_exchange_opens_nothing),
        cmocka_unit_test(another_hello_between_shuts_nobody_out),
        cmocka_unit_test(what_is_stored_enrols_nobody),
        cmocka_unit_test(a_point_of_small_order_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
