/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's frames with tags: what leaves is true at the controller's end, what comes in is counted by the
 * reason for which it changes nothing, and keys change without a gap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"
#include "wire/cap.h"
#include "wire/frame.h"

enum { ROWS_MAX = 4, OLD_ID = 11, NEW_ID = 12 };
#define NOON_S INT64_C(1800000000)

static const char *name_of(const void *names, uint32_t index)
{
    (void)names;
    (void)index;
    return "h";
}

/* A host, the controller's end of its keys, and a lease as it was on the wire. */
struct tagged {
    struct host host;
    struct auth controller, own;
    struct auth_row row[ROWS_MAX];
    struct auth_keys keys;
    uint8_t data[DATAGRAM_MAX];
    uint32_t bytes;
};

/* Newest first, as a file is read. */
static void add_key(struct tagged *tagged, uint16_t id)
{
    memmove(&tagged->row[1], &tagged->row[0], tagged->keys.count++ * sizeof tagged->row[0]);
    tagged->row[0] = (struct auth_row){.name = "h", .who = AUTH_HOST, .id = id, .not_before_s = INT64_MIN,
                                       .not_after_s = INT64_MAX};
    memset(tagged->row[0].up, id, AUTH_KEY_BYTES);
    memset(tagged->row[0].down, id + 100, AUTH_KEY_BYTES);
}

static void publish(struct tagged *tagged, struct auth *auth)
{
    assert_int_equal(auth_publish(auth, &tagged->keys, NOON_S), 0);
    auth_look(&auth->user[0]);
}

static int begin(void **state)
{
    static struct tagged tagged;
    const struct auth_names names = {.hosts = 1, .host = name_of};
    memset(&tagged, 0, sizeof tagged);
    tagged.keys.row = tagged.row;
    add_key(&tagged, OLD_ID);
    assert_int_equal(auth_open(&tagged.controller, AUTH_CONTROLLER, &names, 1), 0);
    assert_int_equal(auth_open(&tagged.own, AUTH_PEER, &names, 1), 0);
    publish(&tagged, &tagged.controller);
    publish(&tagged, &tagged.own);
    host_start(&tagged.host);
    tagged.host.controller = &tagged.controller;
    tagged.host.own = &tagged.own.user[0];
    host_restart(&tagged.host);
    *state = &tagged;
    return 0;
}

static int end(void **state)
{
    struct tagged *tagged = *state;
    auth_close(&tagged->controller);
    auth_close(&tagged->own);
    return 0;
}

/* What the controller would send next, not sent. */
static void next_lease(struct tagged *tagged, int64_t cap_mw)
{
    struct lease lease = host_next_lease(&tagged->host, cap_mw);
    tagged->bytes = host_frame(&tagged->host, &lease, tagged->data);
}

static int deliver(struct tagged *tagged)
{
    return agent_receive(&tagged->host.agent, tagged->data, tagged->bytes, tagged->host.now_ns);
}

static uint64_t counted(const struct tagged *tagged, enum agent_counter counter)
{
    return tagged->host.agent.counter[counter];
}

static void leases_flow_both_ways(void **state)
{
    struct tagged *tagged = *state;
    host_govern(&tagged->host, 4000 * W);
    assert_int_equal(host_cap_mw(&tagged->host), 4000 * W);
    assert_true(tagged->host.frames >= 2);
    assert_int_equal(tagged->host.untrue, 0);
    const struct token_request request = {.request = 42, .amount_mw = 5000 * W, .duration_ns = NS_PER_S};
    assert_int_equal(agent_ask(&tagged->host.agent, &request, tagged->host.now_ns), 0);
    assert_int_equal(tagged->host.untrue, 0);
    assert_int_equal(tagged->host.request.request, 42);
    assert_int_equal(tagged->host.request.session, HOST_SESSION);
    assert_int_equal(tagged->host.key_id, OLD_ID);
}

static void each_flipped_bit_is_refused(void **state)
{
    struct tagged *tagged = *state;
    host_govern(&tagged->host, 4000 * W);
    host_pass(&tagged->host, 100 * MS);
    next_lease(tagged, 6000 * W);
    for (uint32_t bit = 0; bit < 8 * tagged->bytes; bit++) {
        tagged->data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        int result = deliver(tagged);
        if (result == ACCEPTED || result == -1)
            fail_msg("bit %u: %d", bit, result);
        tagged->data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_int_equal(tagged->host.agent.holder.wanted_mw, 4000 * W);
    /* the body, the tag, the sequence: whatever the header's own rules let pass */
    assert_true(counted(tagged, AGENT_TAG) >= 8 * (tagged->bytes - FRAME_HEADER_BYTES + FRAME_TAG_BYTES + 8));
    assert_int_equal(counted(tagged, AGENT_KEY), 16);
    assert_int_equal(deliver(tagged), ACCEPTED);
    assert_int_equal(tagged->host.agent.holder.wanted_mw, 6000 * W);
}

static void each_reason_is_counted_apart(void **state)
{
    struct tagged *tagged = *state;
    uint8_t zeros[FRAME_TAG_BYTES] = {0};
    host_govern(&tagged->host, 4000 * W);
    host_pass(&tagged->host, 100 * MS);
    next_lease(tagged, 6000 * W);
    frame_set_key(tagged->data, 0);
    assert_int_equal(deliver(tagged), REFUSED_MALFORMED);       /* no key, and a tag */
    frame_set_tag(tagged->data, zeros);
    assert_int_equal(deliver(tagged), REFUSED_BARE);
    frame_set_key(tagged->data, NEW_ID);
    assert_int_equal(deliver(tagged), REFUSED_KEY);
    frame_set_key(tagged->data, OLD_ID);
    assert_int_equal(deliver(tagged), REFUSED_TAG);
    tagged->row[0].revoked = true;
    next_lease(tagged, 6000 * W);       /* the controller has not looked */
    publish(tagged, &tagged->own);
    assert_int_equal(deliver(tagged), REFUSED_KEY_ENDED);
    const enum agent_counter of[] = {AGENT_BARE, AGENT_KEY, AGENT_TAG, AGENT_KEY_ENDED, AGENT_UNREADABLE};
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++)
        assert_int_equal(counted(tagged, of[i]), 1);
    assert_int_equal(tagged->host.agent.holder.wanted_mw, 4000 * W);
}

static void what_was_recorded_is_refused_by_what_is_in_it(void **state)
{
    struct tagged *tagged = *state;
    struct host *host = &tagged->host;
    host_govern(host, 4000 * W);
    host_pass(host, 100 * MS);
    next_lease(tagged, 6000 * W);
    assert_int_equal(deliver(tagged), ACCEPTED);
    host_settle(host);
    assert_int_equal(deliver(tagged), -1);
    assert_int_equal(counted(tagged, AGENT_OLD_SEQUENCE), 1);
    host->epoch++;
    host_govern(host, 3000 * W);
    assert_int_equal(deliver(tagged), -1);
    assert_int_equal(counted(tagged, AGENT_OLD_EPOCH), 1);
    next_lease(tagged, 6000 * W);       /* newer than all, and held back until the agent began anew */
    host_restart(host);
    assert_int_equal(deliver(tagged), -1);
    assert_int_equal(counted(tagged, AGENT_OLD_INCARNATION), 1);
    host_settle(host);
    assert_int_equal(host_cap_mw(host), 2000 * W);
}

static void a_lease_that_came_too_late_raises_nothing(void **state)
{
    struct tagged *tagged = *state;
    host_govern(&tagged->host, 4000 * W);
    host_pass(&tagged->host, 100 * MS);
    next_lease(tagged, 6000 * W);
    host_pass(&tagged->host, 2 * NS_PER_S);
    assert_int_equal(deliver(tagged), -1);
    assert_int_equal(counted(tagged, AGENT_EXPIRED), 1);
    assert_int_equal(tagged->host.agent.holder.wanted_mw, 2000 * W);
}

static void its_own_report_sent_back_is_no_word_of_the_controller(void **state)
{
    struct tagged *tagged = *state;
    host_govern(&tagged->host, 4000 * W);
    memcpy(tagged->data, tagged->host.sent, tagged->host.sent_bytes);
    tagged->bytes = tagged->host.sent_bytes;
    assert_int_equal(deliver(tagged), REFUSED_TAG);
    tagged->data[5] = FRAME_LEASE;      /* its kind */
    assert_int_equal(deliver(tagged), REFUSED_TAG);
}

static void where_there_are_no_keys_a_tag_is_refused(void **state)
{
    struct tagged *tagged = *state;
    tagged->host.own = NULL;
    tagged->host.controller = NULL;
    host_restart(&tagged->host);
    host_govern(&tagged->host, 4000 * W);
    host_pass(&tagged->host, 100 * MS);
    tagged->host.controller = &tagged->controller;
    next_lease(tagged, 6000 * W);
    assert_int_equal(deliver(tagged), REFUSED_KEY);
    assert_int_equal(counted(tagged, AGENT_KEY), 1);
    assert_int_equal(tagged->host.agent.holder.wanted_mw, 4000 * W);
}

/* The host's file is the first to be new, or the controller's. */
static void rotate(struct tagged *tagged, bool host_first)
{
    struct host *host = &tagged->host;
    host_govern(host, 4000 * W);
    add_key(tagged, NEW_ID);
    publish(tagged, host_first ? &tagged->own : &tagged->controller);
    for (int i = 0; i < 40; i++) {
        if (i == 20)
            publish(tagged, host_first ? &tagged->controller : &tagged->own);
        host_pass(host, 100 * MS);
        assert_int_equal(host_lease(host, 4000 * W), ACCEPTED);
    }
    assert_true(host->untrue <= 3);     /* one frame in eight is a try */
    assert_int_equal(host->key_id, NEW_ID);
    tagged->row[1].revoked = true;
    publish(tagged, &tagged->controller);
    publish(tagged, &tagged->own);
    host_pass(host, 100 * MS);
    assert_int_equal(host_lease(host, 4000 * W), ACCEPTED);
    assert_int_equal(counted(tagged, AGENT_FALLS), 0);
    assert_int_equal(host_cap_mw(host), 4000 * W);
}

static void a_new_key_that_the_host_has_first_leaves_no_gap(void **state)
{
    rotate(*state, true);
}

static void a_new_key_that_the_controller_has_first_leaves_no_gap(void **state)
{
    rotate(*state, false);
}

static void without_a_key_in_force_nothing_is_said(void **state)
{
    struct tagged *tagged = *state;
    host_govern(&tagged->host, 4000 * W);
    uint32_t frames = tagged->host.frames;
    tagged->row[0].revoked = true;
    publish(tagged, &tagged->own);
    host_pass(&tagged->host, 1500 * MS);
    host_settle(&tagged->host);
    assert_int_equal(tagged->host.frames, frames);
    assert_in_range(counted(tagged, AGENT_UNSEALED), 14, 16);
    assert_int_equal(host_cap_mw(&tagged->host), 2000 * W);
    tagged->row[0].revoked = false;
    publish(tagged, &tagged->own);
    host_pass(&tagged->host, 100 * MS);
    assert_int_equal(host_lease(&tagged->host, 4000 * W), ACCEPTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(leases_flow_both_ways, begin, end),
        cmocka_unit_test_setup_teardown(each_flipped_bit_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(each_reason_is_counted_apart, begin, end),
        cmocka_unit_test_setup_teardown(what_was_recorded_is_refused_by_what_is_in_it, begin, end),
        cmocka_unit_test_setup_teardown(a_lease_that_came_too_late_raises_nothing, begin, end),
        cmocka_unit_test_setup_teardown(its_own_report_sent_back_is_no_word_of_the_controller, begin, end),
        cmocka_unit_test_setup_teardown(where_there_are_no_keys_a_tag_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_new_key_that_the_host_has_first_leaves_no_gap, begin, end),
        cmocka_unit_test_setup_teardown(a_new_key_that_the_controller_has_first_leaves_no_gap, begin, end),
        cmocka_unit_test_setup_teardown(without_a_key_in_force_nothing_is_said, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
