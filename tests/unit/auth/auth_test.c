/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of the wire: what is accepted, each reason for a refusal, keys that change without a gap, and
 * tables that nobody reads while they are written. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "auth/auth.h"
#include "wire/frame.h"

enum { HOSTS = 3, METERS = 2, ROWS_MAX = 16, BODY_BYTES = 60, FRAME_BYTES = FRAME_HEADER_BYTES + BODY_BYTES };
#define NOON_S INT64_C(1800000000)

static const char *const host_names[HOSTS] = {"h0", "h1", "h2"};
static const char *const meter_names[METERS] = {"m0", "m1"};

static const char *host_name(const void *names, uint32_t index)
{
    (void)names;
    return host_names[index];
}

static const char *meter_name(const void *names, uint32_t index)
{
    (void)names;
    return meter_names[index];
}

/* The same key file on both ends, or two. */
struct wire {
    struct auth controller, peer;
    struct auth_row row[ROWS_MAX];
    struct auth_keys keys;
    uint64_t sequence;
    uint8_t data[FRAME_BYTES];
};

static int make_wire(void **state)
{
    static struct wire wire;
    const struct auth_names names = {
        .hosts = HOSTS, .meters = METERS, .host = host_name, .meter = meter_name};
    memset(&wire, 0, sizeof wire);
    wire.keys.row = wire.row;
    assert_int_equal(auth_open(&wire.controller, AUTH_CONTROLLER, &names, 2), 0);
    assert_int_equal(auth_open(&wire.peer, AUTH_PEER, &names, 1), 0);
    *state = &wire;
    return 0;
}

static int drop_wire(void **state)
{
    struct wire *wire = *state;
    auth_close(&wire->controller);
    auth_close(&wire->peer);
    return 0;
}

/* Newest first, as a file is read. */
static struct auth_row *add(struct wire *wire, enum auth_who who, const char *name, uint16_t id)
{
    memmove(&wire->row[1], &wire->row[0], wire->keys.count++ * sizeof wire->row[0]);
    struct auth_row *row = &wire->row[0];
    *row = (struct auth_row){.who = (uint8_t)who, .id = id, .not_before_s = INT64_MIN,
                             .not_after_s = INT64_MAX};
    snprintf(row->name, sizeof row->name, "%s", name);
    memset(row->up, id, sizeof row->up);
    memset(row->down, id, sizeof row->down);
    row->up[0] = 'u';
    row->down[0] = 'd';
    row->up[1] = row->down[1] = (uint8_t)name[1];
    return row;
}

static void look(struct auth *auth)
{
    for (uint32_t i = 0; i < auth->users; i++)
        auth_look(&auth->user[i]);
}

static void publish(struct wire *wire, struct auth *auth, int64_t now_s)
{
    assert_int_equal(auth_publish(auth, &wire->keys, now_s), 0);
    look(auth);
}

static void publish_both(struct wire *wire, int64_t now_s)
{
    publish(wire, &wire->controller, now_s);
    publish(wire, &wire->peer, now_s);
}

static void make(struct wire *wire, uint8_t kind, uint32_t sender)
{
    struct frame frame = {.kind = kind, .sender = sender, .sequence = ++wire->sequence,
                          .body_bytes = BODY_BYTES};
    for (uint32_t i = 0; i < BODY_BYTES; i++)
        wire->data[FRAME_HEADER_BYTES + i] = (uint8_t)(i + wire->sequence);
    assert_int_equal(frame_encode(wire->data, &frame), FRAME_BYTES);
}

static uint16_t key_of(const struct wire *wire)
{
    struct frame frame;
    assert_int_equal(frame_decode(wire->data, FRAME_BYTES, &frame), ACCEPTED);
    return frame.key_id;
}

static int check(struct wire *wire, struct auth *at, uint32_t peer)
{
    struct frame frame;
    int refused = frame_decode(wire->data, FRAME_BYTES, &frame);
    return refused ? refused : auth_check(&at->user[0], peer, wire->data, &frame);
}

static void report_from(struct wire *wire, uint32_t host)
{
    make(wire, FRAME_REPORT, host);
    assert_int_equal(auth_seal(&wire->peer.user[0], auth_host(host), wire->data, FRAME_BYTES), 0);
}

static void lease_for(struct wire *wire, uint32_t host)
{
    make(wire, FRAME_LEASE, host);
    assert_int_equal(auth_seal(&wire->controller.user[0], auth_host(host), wire->data, FRAME_BYTES), 0);
}

/* A report and its answer; whether the report was accepted. */
static bool exchange(struct wire *wire, uint32_t host)
{
    report_from(wire, host);
    if (check(wire, &wire->controller, host) != ACCEPTED)
        return false;
    auth_heard(&wire->controller.user[0], host, key_of(wire));
    lease_for(wire, host);
    if (check(wire, &wire->peer, host) == ACCEPTED)
        auth_heard(&wire->peer.user[0], host, key_of(wire));
    return true;
}

static void what_a_peer_says_is_accepted_as_it_stands_and_no_bit_otherwise(void **state)
{
    struct wire *wire = *state;
    add(wire, AUTH_HOST, "h0", 7);
    add(wire, AUTH_HOST, "h1", 7);
    publish_both(wire, NOON_S);
    report_from(wire, 0);
    assert_int_equal(check(wire, &wire->controller, 0), ACCEPTED);
    for (uint32_t bit = 0; bit < 8 * FRAME_BYTES; bit++) {
        wire->data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_not_equal(check(wire, &wire->controller, 0), ACCEPTED);
        wire->data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_int_equal(check(wire, &wire->controller, 0), ACCEPTED);
    assert_int_equal(check(wire, &wire->controller, 1), REFUSED_TAG);   /* the same id, another host's key */
}

static void a_lease_is_not_a_report_and_goes_nowhere_else(void **state)
{
    struct wire *wire = *state;
    add(wire, AUTH_HOST, "h0", 7);
    add(wire, AUTH_HOST, "h1", 7);
    publish_both(wire, NOON_S);
    lease_for(wire, 0);
    assert_int_equal(check(wire, &wire->peer, 0), ACCEPTED);
    assert_int_equal(check(wire, &wire->controller, 0), REFUSED_TAG);   /* sent back to where it came from */
    assert_int_equal(check(wire, &wire->peer, 1), REFUSED_TAG);
    report_from(wire, 0);
    assert_int_equal(check(wire, &wire->peer, 0), REFUSED_TAG);
}

static void every_refusal_has_its_reason(void **state)
{
    struct wire *wire = *state;
    add(wire, AUTH_HOST, "h0", 7);
    publish_both(wire, NOON_S);
    make(wire, FRAME_REPORT, 0);
    assert_int_equal(check(wire, &wire->controller, 0), REFUSED_BARE);
    report_from(wire, 0);
    frame_set_key(wire->data, 8);
    assert_int_equal(check(wire, &wire->controller, 0), REFUSED_KEY);
    frame_set_key(wire->data, 7);
    wire->row[0].revoked = true;
    publish(wire, &wire->controller, NOON_S);
    assert_int_equal(check(wire, &wire->controller, 0), REFUSED_KEY_ENDED);
    wire->row[0].revoked = false;
    wire->row[0].not_after_s = NOON_S;
    publish(wire, &wire->controller, NOON_S);
    assert_int_equal(check(wire, &wire->controller, 0), REFUSED_KEY_ENDED);
    publish(wire, &wire->controller, NOON_S - 1);
    assert_int_equal(check(wire, &wire->controller, 0), ACCEPTED);
    wire->row[0].not_before_s = NOON_S - 10;
    publish(wire, &wire->controller, NOON_S - 11);
    assert_int_equal(check(wire, &wire->controller, 0), REFUSED_KEY_ENDED);
    make(wire, FRAME_LEASE, 0);
    assert_int_equal(auth_seal(&wire->controller.user[0], 0, wire->data, FRAME_BYTES), -ENOKEY);
    assert_int_equal(key_of(wire), 0);
}

static void a_meter_is_known_by_its_key(void **state)
{
    struct wire *wire = *state;
    add(wire, AUTH_METER, "m1", 300);
    add(wire, AUTH_HOST, "h0", 301);
    publish_both(wire, NOON_S);
    const struct auth_user *user = &wire->controller.user[0];
    assert_int_equal(auth_meter_of(user, 300), 1);
    assert_true(auth_meter_of(user, 301) == UINT32_MAX);
    make(wire, FRAME_MEASUREMENT, 0);
    uint32_t peer = auth_meter(&wire->peer, 1);
    assert_int_equal(auth_seal(&wire->peer.user[0], peer, wire->data, FRAME_BYTES), 0);
    assert_int_equal(check(wire, &wire->controller, auth_meter(&wire->controller, 1)), ACCEPTED);
    assert_int_equal(check(wire, &wire->controller, auth_meter(&wire->controller, 0)), REFUSED_KEY);
}

/* A new key on the controller first, or on the host first; then the old one goes. In no exchange are two
 * reports in a row lost, and both ends end up with the new one. */
static void rotate(struct wire *wire, struct auth *first, struct auth *second)
{
    uint32_t lost = 0, in_a_row = 0;
    for (int i = 0; i < 20; i++)
        assert_true(exchange(wire, 0));
    add(wire, AUTH_HOST, "h0", 8);
    publish(wire, first, NOON_S);
    for (int i = 0; i < 100; i++) {
        in_a_row = exchange(wire, 0) ? 0 : in_a_row + 1;
        lost += in_a_row > 0;
        assert_true(in_a_row < 2);
    }
    assert_true(lost <= 100 / AUTH_PROBE_EVERY + 1);
    publish(wire, second, NOON_S);
    for (int i = 0; i < 3 * AUTH_PROBE_EVERY; i++)
        assert_true(exchange(wire, 0));
    assert_int_equal(key_of(wire), 8);
    wire->row[1].revoked = true;
    publish_both(wire, NOON_S);
    for (int i = 0; i < 100; i++)
        assert_true(exchange(wire, 0));
    assert_int_equal(key_of(wire), 8);
}

static void a_key_changes_without_a_gap_controller_first(void **state)
{
    struct wire *wire = *state;
    add(wire, AUTH_HOST, "h0", 7);
    publish_both(wire, NOON_S);
    rotate(wire, &wire->controller, &wire->peer);
}

static void a_key_changes_without_a_gap_host_first(void **state)
{
    struct wire *wire = *state;
    add(wire, AUTH_HOST, "h0", 7);
    publish_both(wire, NOON_S);
    rotate(wire, &wire->peer, &wire->controller);
}

static void a_host_that_knows_one_of_many_keys_is_heard_and_answered(void **state)
{
    struct wire *wire = *state;
    add(wire, AUTH_HOST, "h0", 1);
    publish(wire, &wire->peer, NOON_S);
    for (uint16_t id = 2; id <= AUTH_KEYS_MAX; id++)
        add(wire, AUTH_HOST, "h0", id);
    publish(wire, &wire->controller, NOON_S);
    lease_for(wire, 0);                         /* before it spoke: the oldest */
    assert_int_equal(key_of(wire), 1);
    assert_true(exchange(wire, 0));
    assert_int_equal(key_of(wire), 1);
    /* and a host that has them all finds the one that the controller knows */
    publish(wire, &wire->peer, NOON_S);
    wire->keys.count = 0;
    add(wire, AUTH_HOST, "h0", 3);
    publish(wire, &wire->controller, NOON_S);
    int heard = 0;
    for (int i = 0; i < 2 * AUTH_PROBE_EVERY * AUTH_KEYS_MAX; i++)
        heard += exchange(wire, 0);
    assert_true(heard > 0);
    wire->peer.heard[0] = 0;                    /* anew: in turn */
    heard = 0;
    for (int i = 0; i < AUTH_KEYS_MAX; i++)
        heard += exchange(wire, 0);
    assert_true(heard >= 1);
    for (int i = 0; i < AUTH_PROBE_EVERY - 1; i++)
        exchange(wire, 0);
    assert_int_equal(wire->peer.heard[0], 3);
}

static void of_too_many_keys_those_in_force_stay(void **state)
{
    struct wire *wire = *state;
    add(wire, AUTH_HOST, "h0", 1);
    for (uint16_t id = 2; id <= AUTH_KEYS_MAX + 3; id++)
        add(wire, AUTH_HOST, "h0", id)->revoked = true;
    publish_both(wire, NOON_S);
    assert_true(exchange(wire, 0));
    assert_int_equal(wire->controller.user[0].table->peer[0].count, AUTH_KEYS_MAX);
    assert_int_equal(wire->controller.user[0].table->peer[0].key[0].id, 1);
}

static void a_table_is_written_over_only_when_nobody_reads_it(void **state)
{
    struct wire *wire = *state;
    add(wire, AUTH_HOST, "h0", 1);
    publish(wire, &wire->controller, NOON_S);
    assert_true(auth_is_seen(&wire->controller));
    assert_int_equal(auth_publish(&wire->controller, &wire->keys, NOON_S), 0);
    assert_int_equal(auth_publish(&wire->controller, &wire->keys, NOON_S), -EAGAIN);
    auth_look(&wire->controller.user[0]);
    assert_int_equal(auth_publish(&wire->controller, &wire->keys, NOON_S), -EAGAIN);
    assert_false(auth_is_seen(&wire->controller));
    auth_look(&wire->controller.user[1]);
    assert_true(auth_is_seen(&wire->controller));
    assert_int_equal(auth_publish(&wire->controller, &wire->keys, NOON_S), 0);
}

static void equal_is_equal_in_every_byte(void **state)
{
    uint8_t left[FRAME_TAG_BYTES] = {1, 2, 3}, right[FRAME_TAG_BYTES] = {1, 2, 3};
    (void)state;
    assert_true(auth_equal(left, right, sizeof left));
    for (uint32_t i = 0; i < sizeof left; i++) {
        right[i] ^= 0x80;
        assert_false(auth_equal(left, right, sizeof left));
        right[i] ^= 0x80;
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, make_wire, drop_wire)
    const struct CMUnitTest tests[] = {
        CASE(what_a_peer_says_is_accepted_as_it_stands_and_no_bit_otherwise),
        CASE(a_lease_is_not_a_report_and_goes_nowhere_else),
        CASE(every_refusal_has_its_reason),
        CASE(a_meter_is_known_by_its_key),
        CASE(a_key_changes_without_a_gap_controller_first),
        CASE(a_key_changes_without_a_gap_host_first),
        CASE(a_host_that_knows_one_of_many_keys_is_heard_and_answered),
        CASE(of_too_many_keys_those_in_force_stay),
        CASE(a_table_is_written_over_only_when_nobody_reads_it),
        cmocka_unit_test(equal_is_equal_in_every_byte),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
