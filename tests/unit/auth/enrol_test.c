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

enum { KEY_ID = 513 };
static const uint8_t token[ENROL_TOKEN_BYTES] = "a token of test";

struct bed {
    struct enrol_stored stored;
    struct enrol_host host;
    struct enrol_desk desk;
    uint8_t confirm[ENROL_CONFIRM_BYTES], done[ENROL_DONE_BYTES];
};

static void begin(struct bed *bed)
{
    memset(bed, 0, sizeof *bed);
    assert_int_equal(enrol_store(token, &bed->stored), 0);
    assert_int_equal(enrol_begin(&bed->host, token, "a1-01"), 0);
}

static int answer(struct bed *bed, const uint8_t *hello, size_t bytes)
{
    return enrol_answer(&bed->desk, &bed->stored, "a1-01", KEY_ID, hello, bytes);
}

static void go_to_the_end(struct bed *bed)
{
    begin(bed);
    assert_int_equal(answer(bed, bed->host.hello, ENROL_HELLO_BYTES), 0);
    assert_int_equal(enrol_take_reply(&bed->host, bed->desk.reply, ENROL_REPLY_BYTES, bed->confirm), 0);
    assert_int_equal(enrol_take_confirm(&bed->desk, bed->confirm, ENROL_CONFIRM_BYTES, bed->done), 0);
    assert_int_equal(enrol_take_done(&bed->host, bed->done, ENROL_DONE_BYTES), 0);
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
    assert_memory_equal(bed.host.secrets.key, bed.desk.secrets.key, AUTH_KEY_BYTES);
    assert_memory_not_equal(bed.host.secrets.key, none, AUTH_KEY_BYTES);
    assert_int_equal(bed.host.key_id, KEY_ID);
    const struct { const uint8_t *data; size_t bytes; } said[] = {
        {bed.host.hello, ENROL_HELLO_BYTES}, {bed.desk.reply, ENROL_REPLY_BYTES},
        {bed.confirm, ENROL_CONFIRM_BYTES}, {bed.done, ENROL_DONE_BYTES}};
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        assert_false(holds(said[i].data, said[i].bytes, bed.host.secrets.key, 4));
        assert_false(holds(said[i].data, said[i].bytes, token, 4));
        assert_false(holds(said[i].data, said[i].bytes, bed.stored.point, 4));
    }
    go_to_the_end(&again);      /* the same token once more: another key */
    assert_memory_not_equal(bed.host.secrets.key, again.host.secrets.key, AUTH_KEY_BYTES);
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
    uint8_t out[ENROL_CONFIRM_BYTES];
    for (size_t bit = 0; bit < 8 * ENROL_REPLY_BYTES; bit++) {
        uint8_t bad[ENROL_REPLY_BYTES];
        memcpy(bad, bed.desk.reply, sizeof bad);
        bad[bit / 8] ^= (uint8_t)(1U << bit % 8);
        struct enrol_host host = bed.host;
        assert_int_equal(enrol_take_reply(&host, bad, sizeof bad, out), -EBADMSG);
    }
    for (size_t bit = 0; bit < 8 * ENROL_CONFIRM_BYTES; bit++) {
        uint8_t bad[ENROL_CONFIRM_BYTES];
        memcpy(bad, bed.confirm, sizeof bad);
        bad[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(enrol_take_confirm(&bed.desk, bad, sizeof bad, out), -EBADMSG);
        memcpy(bad, bed.done, sizeof bad);
        bad[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(enrol_take_done(&bed.host, bad, sizeof bad), -EBADMSG);
    }
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
    assert_int_equal(answer(&bed, then.host.hello, ENROL_HELLO_BYTES), 0);      /* true, and of then */
    assert_int_equal(enrol_take_confirm(&bed.desk, then.confirm, ENROL_CONFIRM_BYTES, bed.done), -EBADMSG);
    assert_memory_not_equal(bed.desk.secrets.key, then.desk.secrets.key, AUTH_KEY_BYTES);
    assert_int_equal(enrol_take_reply(&bed.host, then.desk.reply, ENROL_REPLY_BYTES, bed.confirm), -EBADMSG);
    assert_int_equal(enrol_take_done(&bed.host, then.done, ENROL_DONE_BYTES), -EBADMSG);
}

/* Who read the controller's file has the stored half: he can make a hello, and no confirm. */
static void what_is_stored_enrols_nobody(void **state)
{
    (void)state;
    struct bed bed;
    begin(&bed);
    struct enrol_host thief = bed.host;
    memset(thief.token_private, 7, sizeof thief.token_private);
    assert_int_equal(answer(&bed, thief.hello, ENROL_HELLO_BYTES), 0);
    assert_int_equal(enrol_take_reply(&thief, bed.desk.reply, ENROL_REPLY_BYTES, bed.confirm), -EBADMSG);
    assert_memory_not_equal(thief.secrets.key, bed.desk.secrets.key, AUTH_KEY_BYTES);
}

static void a_point_of_small_order_is_refused(void **state)
{
    (void)state;
    struct bed bed;
    begin(&bed);
    struct enrol_desk desk;
    assert_int_equal(answer(&bed, bed.host.hello, ENROL_HELLO_BYTES), 0);
    desk = bed.desk;
    memset(desk.reply + 16, 0, ENROL_POINT_BYTES);
    assert_int_equal(enrol_take_reply(&bed.host, desk.reply, ENROL_REPLY_BYTES, bed.confirm), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_get_the_same_key_and_nobody_sees_it),
        cmocka_unit_test(no_bit_of_hello_can_be_changed),
        cmocka_unit_test(no_bit_of_the_rest_can_be_changed),
        cmocka_unit_test(another_token_or_name_gets_no_answer),
        cmocka_unit_test(a_recorded_exchange_opens_nothing),
        cmocka_unit_test(what_is_stored_enrols_nobody),
        cmocka_unit_test(a_point_of_small_order_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
