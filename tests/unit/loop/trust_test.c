/* SPDX-License-Identifier: Apache-2.0 */
/* The lane where tags are asked for: every refusal by its name, and what recordings of before a start are
 * worth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "frames.h"
#include "rig.h"
#include "wire/cap.h"
#include "wire/detail.h"

#define NOW_NS (INT64_C(1000) * NS_PER_S)
enum { FRAME_ROOM = 2048, KEY = 7, OLD_KEY = 6, METER_KEY = 40, SESSION = 111, BEFORE = 99 };

struct bed {
    struct rig_site site;
    struct timebase base;
    struct view view;
    struct seqlock meter[RIG_METERS], stale[RIG_METERS], detail[RIG_HOSTS * VIEW_DETAIL_RECORDS];
    struct meter_names names;
    uint32_t places[64];
    struct replay_window meter_window[RIG_METERS], host_window[RIG_HOSTS];
    struct age age[RIG_METERS];
    _Atomic uint64_t host_mac[RIG_HOSTS];
    struct untrue untrue[RIG_HOSTS];
    struct lane lane;
    struct auth auth, hosts;
    struct auth_row row[2 * RIG_HOSTS + RIG_METERS];
    struct auth_keys keys;
    uint64_t sequence, before_incarnation[RIG_HOSTS];
    uint8_t room[FRAME_ROOM], payload[DATAGRAM_MAX];
    uint32_t bytes;             /* of the payload */
};

static const char *host_name(const void *model, uint32_t index)
{
    (void)model;
    static const char *const names[RIG_HOSTS] = {"h0", "h1", "h2", "h3", "h4", "h5", "h6", "h7"};
    return names[index];
}

static const char *meter_name(const void *model, uint32_t index)
{
    return ((const struct model *)model)->meter[index].name;
}

static void add(struct bed *bed, enum auth_who who, const char *name, uint32_t id, bool revoked)
{
    struct auth_row *row = &bed->row[bed->keys.count++];
    *row = (struct auth_row){.who = (uint8_t)who, .id = (uint16_t)id, .revoked = revoked,
                             .not_before_s = INT64_MIN, .not_after_s = INT64_MAX};
    snprintf(row->name, sizeof row->name, "%s", name);
    snprintf((char *)row->up, sizeof row->up, "u%u%.4s", id, name);
    snprintf((char *)row->down, sizeof row->down, "d%u%.4s", id, name);
}

static void open_keys(struct bed *bed)
{
    const struct auth_names names = {.hosts = RIG_HOSTS, .meters = RIG_METERS, .host = host_name,
                                     .meter = meter_name, .names = &bed->site.model};
    bed->keys.row = bed->row;
    for (uint32_t h = 0; h < RIG_HOSTS; h++) {
        add(bed, AUTH_HOST, host_name(NULL, h), KEY, false);
        add(bed, AUTH_HOST, host_name(NULL, h), OLD_KEY, true);
    }
    for (uint32_t m = 0; m < RIG_METERS; m++)
        add(bed, AUTH_METER, meter_name(&bed->site.model, m), METER_KEY + m, false);
    assert_int_equal(auth_open(&bed->auth, AUTH_CONTROLLER, &names, 1), 0);
    assert_int_equal(auth_open(&bed->hosts, AUTH_PEER, &names, 1), 0);
    assert_int_equal(auth_publish(&bed->auth, &bed->keys, 0), 0);
    assert_int_equal(auth_publish(&bed->hosts, &bed->keys, 0), 0);
    auth_look(&bed->auth.user[0]);
    auth_look(&bed->hosts.user[0]);
}

static int make_bed(void **state)
{
    static struct bed bed;
    memset(&bed, 0, sizeof bed);
    rig_site_init(&bed.site);
    rig_clock_init(&bed.base, NOW_NS);
    meter_names_init(&bed.names, bed.places, &bed.site.model);
    for (uint32_t h = 0; h < RIG_HOSTS; h++)
        bed.before_incarnation[h] = 5;
    bed.view.meter = bed.meter;
    bed.view.detail = bed.detail;
    bed.view.stale = bed.stale;
    open_keys(&bed);
    bed.lane = (struct lane){
        .model = &bed.site.model, .base = &bed.base, .names = &bed.names, .view = &bed.view,
        .local = {.mac = {2, 0, 0, 0, 0, 1}, .ipv4 = 0xCB007101, .port = 7001},
        .kinds = 1U << FRAME_MEASUREMENT | 1U << FRAME_REPORT | 1U << FRAME_TOKEN_REQUEST |
                 1U << FRAME_DETAIL,
        .trust = {.user = &bed.auth.user[0], .hosts = true, .meters = true, .session = SESSION},
        .out = rig_queue(SLOT_BYTES, RIG_PLACES), .meter_window = bed.meter_window,
        .host_window = bed.host_window, .age = bed.age, .host_mac = bed.host_mac, .host_untrue = bed.untrue,
        .host_address = bed.site.address};
    *state = &bed;
    return 0;
}

static int drop_bed(void **state)
{
    struct bed *bed = *state;
    rig_queue_drop(bed->lane.out);
    auth_close(&bed->auth);
    auth_close(&bed->hosts);
    return 0;
}

static void make_report(struct bed *bed, uint32_t host, uint64_t session)
{
    struct report report = {.incarnation = 5, .epoch = 3, .number = ++bed->sequence, .applied = 9,
                            .held_ns = NS_PER_S, .cap_mw = 1600000, .readback_mw = 1600000,
                            .fail_safe_mw = 1600000, .phys_max_mw = 10300000, .draw_mw = 3000000,
                            .state = HOST_LEASED, .flags = REPORT_PSU_KNOWN, .psu_inputs = 3,
                            .session = session};
    struct frame frame = {.kind = FRAME_REPORT, .sender = host, .sequence = bed->sequence};
    frame.body_bytes = report_encode(&report, bed->payload + FRAME_HEADER_BYTES, 1000);
    bed->bytes = frame_encode(bed->payload, &frame);
}

static void seal(struct bed *bed, uint32_t peer)
{
    assert_int_equal(auth_seal(&bed->hosts.user[0], peer, bed->payload, bed->bytes), 0);
}

static void make_sealed(struct bed *bed, uint32_t host, uint64_t session)
{
    make_report(bed, host, session);
    seal(bed, auth_host(host));
}

static int arrive_at(struct bed *bed, uint32_t ipv4, int64_t t_ns)
{
    const struct endpoint from = {.mac = {2, 0, 0, 0, 0, 9}, .ipv4 = ipv4, .port = 9000};
    struct port_frame whole;
    memcpy(bed->room + UDP_HEADROOM, bed->payload, bed->bytes);
    udp_build(&whole, bed->room, &from, &bed->lane.local, bed->bytes, 0);
    return lane_frame(&bed->lane, &whole, t_ns);
}

static int arrive(struct bed *bed, uint32_t host)
{
    return arrive_at(bed, bed->site.address[host].ipv4, NOW_NS);
}

static struct report take_report(struct bed *bed)
{
    const struct slot *slot = spsc_peek(bed->lane.out);
    assert_non_null(slot);
    assert_int_equal(slot->kind, SLOT_REPORT);
    struct report report = slot->report;
    spsc_release(bed->lane.out);
    return report;
}

static void refused(struct bed *bed, uint32_t host, int refusal)
{
    uint64_t before = count_read(&bed->lane.counters.refused[refusal]);
    struct replay_window window[RIG_HOSTS];
    memcpy(window, bed->host_window, sizeof window);
    int got = arrive(bed, host);
    if (got != refusal)
        fail_msg("refused as %s, not as %s", refusal_name(got), refusal_name(refusal));
    assert_true(count_read(&bed->lane.counters.refused[refusal]) == before + 1);
    assert_memory_equal(window, bed->host_window, sizeof window);
    assert_int_equal(spsc_depth(bed->lane.out), 0);
}

static void every_frame_without_a_true_tag_is_refused_by_name(void **state)
{
    struct bed *bed = *state;
    make_report(bed, 2, SESSION);
    refused(bed, 2, REFUSED_BARE);
    make_sealed(bed, 2, SESSION);
    bed->payload[bed->bytes - 1] ^= 1;
    refused(bed, 2, REFUSED_TAG);
    make_sealed(bed, 2, SESSION);
    frame_set_key(bed->payload, OLD_KEY);
    refused(bed, 2, REFUSED_KEY_ENDED);
    frame_set_key(bed->payload, 999);
    refused(bed, 2, REFUSED_KEY);
    make_report(bed, 3, SESSION);
    seal(bed, auth_host(2));                    /* under a neighbour's key */
    refused(bed, 3, REFUSED_TAG);
    make_report(bed, RIG_HOSTS, SESSION);
    frame_set_key(bed->payload, KEY);
    refused(bed, 2, REFUSED_UNKNOWN_HOST);
    static const uint64_t untrue[RIG_HOSTS] = {[2] = 4, [3] = 1};
    for (uint32_t i = 0; i < RIG_HOSTS; i++)
        assert_int_equal(atomic_load(&bed->untrue[i].count), untrue[i]);
    assert_int_equal(atomic_load(&bed->untrue[2].refused), REFUSED_KEY);
    assert_int_equal(atomic_load(&bed->untrue[3].refused), REFUSED_TAG);
    assert_true(atomic_load(&bed->untrue[3].t_ns) > 0);
    make_sealed(bed, 2, SESSION);
    assert_int_equal(arrive(bed, 2), ACCEPTED);
    assert_int_equal(take_report(bed).state, HOST_LEASED);
    assert_int_equal(bed->auth.heard[2], KEY);
    refused(bed, 2, REFUSED_DUPLICATE);
    assert_int_equal(atomic_load(&bed->untrue[2].count), 4);    /* its tag was true */
    assert_int_equal(count_read(&bed->lane.counters.unproven), 0);
}

static void a_meter_speaks_for_itself_only(void **state)
{
    struct bed *bed = *state;
    struct frames_from from = {.sequence = 1, .from = {.ipv4 = 1}, .to = bed->lane.local};
    frames_measurement(bed->room, &from, "m-1", NOW_NS);
    const uint8_t *body_bytes = bed->room + UDP_HEADROOM + 8;
    bed->bytes = FRAME_HEADER_BYTES + body_bytes[0] + 256U * body_bytes[1];
    memcpy(bed->payload, bed->room + UDP_HEADROOM, bed->bytes);
    assert_int_equal(arrive_at(bed, 1, NOW_NS), REFUSED_BARE);
    seal(bed, auth_meter(&bed->hosts, 2));      /* a true tag of another meter */
    assert_int_equal(arrive_at(bed, 1, NOW_NS), REFUSED_KEY);
    frame_set_key(bed->payload, KEY);           /* a host's id */
    assert_int_equal(arrive_at(bed, 1, NOW_NS), REFUSED_KEY);
    const uint8_t none[FRAME_TAG_BYTES] = {0};
    frame_set_key(bed->payload, 0);
    frame_set_tag(bed->payload, none);
    seal(bed, auth_meter(&bed->hosts, 1));
    assert_int_equal(arrive_at(bed, 1, NOW_NS), ACCEPTED);
}

static void make_reading(struct bed *bed, uint64_t sequence)
{
    const struct frames_from from = {.sequence = sequence, .from = {.ipv4 = 1}, .to = bed->lane.local};
    frames_measurement(bed->room, &from, "m-1", NOW_NS);
    const uint8_t *body_bytes = bed->room + UDP_HEADROOM + 8;
    bed->bytes = FRAME_HEADER_BYTES + body_bytes[0] + 256U * body_bytes[1];
    memcpy(bed->payload, bed->room + UDP_HEADROOM, bed->bytes);
    seal(bed, auth_meter(&bed->hosts, 1));
}

static void a_recording_of_a_meter_that_fell_silent_is_not_believed(void **state)
{
    struct bed *bed = *state;
    make_reading(bed, 1000);
    assert_int_equal(arrive_at(bed, 1, NOW_NS), ACCEPTED);
    for (uint64_t i = 1; i <= 2 * REPLAY_CONFIRMATIONS; i++) {
        make_reading(bed, 100 + i);
        assert_int_equal(arrive_at(bed, 1, NOW_NS + REPLAY_SILENCE_NS + (int64_t)i), REFUSED_REORDERED);
    }
}

static void a_reading_waits_for_its_number_to_be_on_the_disk(void **state)
{
    struct bed *bed = *state;
    struct marks marks;
    char folder[] = "/tmp/flyball-trust-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/marks", folder);
    assert_int_equal(marks_open(&marks, &bed->site.model, path, "", 1, bed->meter_window, stderr), 0);
    bed->lane.marks = &marks;
    make_reading(bed, 1000);
    struct replay_window before = bed->meter_window[1];
    assert_int_equal(arrive_at(bed, 1, NOW_NS), REFUSED_UNMARKED);
    assert_memory_equal(&before, &bed->meter_window[1], sizeof before);
    marks_look(&marks, NOW_NS);
    make_reading(bed, 1001);
    assert_int_equal(arrive_at(bed, 1, NOW_NS), ACCEPTED);
    assert_int_equal(arrive_at(bed, 1, NOW_NS), REFUSED_DUPLICATE);
    assert_int_equal(count_read(&bed->lane.counters.unheld), 0);
    atomic_store(&marks.lapsed, true);
    make_reading(bed, 5000);
    assert_int_equal(arrive_at(bed, 1, NOW_NS), ACCEPTED);
    assert_int_equal(count_read(&bed->lane.counters.unheld), 1);
    marks_close(&marks);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

/* What it said itself, under this very controller: tag, incarnation and session are right, and it has gone
 * dark since, or began anew with its clock set back. */
static void a_recording_of_a_host_that_fell_silent_is_not_believed(void **state)
{
    struct bed *bed = *state;
    bed->sequence = 1000;
    make_sealed(bed, 4, SESSION);
    assert_int_equal(arrive(bed, 4), ACCEPTED);
    take_report(bed);
    for (uint64_t i = 1; i <= 2 * REPLAY_CONFIRMATIONS; i++) {
        bed->sequence = 100 + i;
        make_sealed(bed, 4, i % 2 ? SESSION : 0);
        assert_int_equal(arrive_at(bed, bed->site.address[4].ipv4, NOW_NS + REPLAY_SILENCE_NS + (int64_t)i),
                         REFUSED_REORDERED);
    }
    assert_int_equal(spsc_depth(bed->lane.out), 0);
    assert_int_equal(count_read(&bed->lane.counters.sequence_restarts), 0);
    bed->lane.trust = (struct trust){.session = SESSION};    /* where nobody has keys it may begin anew */
    for (uint64_t i = 1; i <= REPLAY_CONFIRMATIONS; i++) {
        bed->sequence = 100 + i;
        make_report(bed, 4, 0);
        assert_int_equal(arrive_at(bed, bed->site.address[4].ipv4, NOW_NS + REPLAY_SILENCE_NS + (int64_t)i),
                         i < REPLAY_CONFIRMATIONS ? REFUSED_REORDERED : ACCEPTED);
    }
    take_report(bed);
    assert_int_equal(count_read(&bed->lane.counters.sequence_restarts), 1);
}

static int send_detail(struct bed *bed, uint32_t host)
{
    struct frame frame = {.kind = FRAME_DETAIL, .sender = host, .sequence = ++bed->sequence};
    frame.body_bytes = detail_encode(&(struct detail){.host = host}, bed->payload + FRAME_HEADER_BYTES, 1000);
    bed->bytes = frame_encode(bed->payload, &frame);
    if (bed->lane.trust.hosts)
        seal(bed, auth_host(host));
    return arrive(bed, host);
}

/* A detail says no session itself; no recording has a number above what the host said under this one. */
static void details_of_before_the_start_are_refused(void **state)
{
    struct bed *bed = *state;
    bed->lane.trust.before = BEFORE;
    bed->lane.trust.before_incarnation = bed->before_incarnation;
    bed->lane.trust.before_until_ns = NOW_NS + 1;
    assert_int_equal(send_detail(bed, 4), REFUSED_SESSION);
    make_sealed(bed, 4, BEFORE);                /* a recording of its report, too */
    assert_int_equal(arrive(bed, 4), ACCEPTED);
    take_report(bed);
    assert_int_equal(send_detail(bed, 4), REFUSED_SESSION);
    uint64_t recorded = bed->sequence;
    bed->sequence += 100;
    make_sealed(bed, 4, SESSION);
    assert_int_equal(arrive(bed, 4), ACCEPTED);
    take_report(bed);
    assert_int_equal(send_detail(bed, 4), ACCEPTED);
    assert_int_equal(send_detail(bed, 5), REFUSED_SESSION);     /* a neighbour's word is not its own */
    bed->sequence = recorded;
    assert_int_equal(send_detail(bed, 4), REFUSED_REORDERED);
    assert_int_equal(count_read(&bed->lane.counters.details), 1);
    bed->lane.trust = (struct trust){.session = SESSION};
    assert_int_equal(send_detail(bed, 6), ACCEPTED);
}

static void where_no_tags_are_asked_for_none_are_taken(void **state)
{
    struct bed *bed = *state;
    bed->lane.trust = (struct trust){.session = SESSION};
    make_sealed(bed, 2, 0);
    refused(bed, 2, REFUSED_KEY);
    make_report(bed, 2, 0);
    assert_int_equal(arrive(bed, 2), ACCEPTED);
    assert_int_equal(take_report(bed).state, HOST_LEASED);
}

static void a_report_of_before_the_start_is_that_of_a_host_that_just_began(void **state)
{
    struct bed *bed = *state;
    static const uint64_t session[] = {0, BEFORE, SESSION + 1};
    for (size_t i = 0; i < sizeof session / sizeof session[0]; i++) {
        make_sealed(bed, 4, session[i]);
        assert_int_equal(arrive(bed, 4), ACCEPTED);
        struct report report = take_report(bed);
        assert_int_equal(report.state, HOST_BOOT);
        assert_true(report.epoch == 0 && report.applied == 0 && report.held_ns == 0);
        assert_true(report.flags == 0 && report.psu_inputs == 0);
        assert_true(report.incarnation == 5 && report.number == bed->sequence);
        assert_int_equal(count_read(&bed->lane.counters.unproven), i + 1);
    }
}

static void what_the_one_before_left_is_proven_for_a_lease_and_not_shaken_by_what_is_older(void **state)
{
    struct bed *bed = *state;
    bed->lane.trust.before = BEFORE;
    bed->lane.trust.before_incarnation = bed->before_incarnation;
    bed->lane.trust.before_until_ns = NOW_NS + 1;
    make_sealed(bed, 4, BEFORE);
    assert_int_equal(arrive(bed, 4), ACCEPTED);
    assert_int_equal(take_report(bed).state, HOST_LEASED);
    bed->before_incarnation[4] = 6;             /* its agent began anew after that was recorded */
    make_sealed(bed, 4, BEFORE);
    refused(bed, 4, REFUSED_SESSION);
    bed->before_incarnation[4] = 5;
    make_sealed(bed, 4, BEFORE - 1);
    refused(bed, 4, REFUSED_SESSION);
    make_sealed(bed, 4, 0);
    refused(bed, 4, REFUSED_SESSION);
    make_sealed(bed, 4, SESSION);
    assert_int_equal(arrive(bed, 4), ACCEPTED);
    assert_int_equal(take_report(bed).state, HOST_LEASED);
    make_sealed(bed, 4, BEFORE);
    assert_int_equal(arrive_at(bed, bed->site.address[4].ipv4, NOW_NS + 1), ACCEPTED);
    assert_int_equal(take_report(bed).state, HOST_BOOT);
}

static void a_request_from_before_the_start_is_refused(void **state)
{
    struct bed *bed = *state;
    struct token_request request = {.request = 1, .amount_mw = 2000000, .duration_ns = NS_PER_S,
                                    .session = SESSION};
    for (uint64_t session = SESSION + 1; session >= SESSION; session--) {
        request.session = session;
        struct frame frame = {.kind = FRAME_TOKEN_REQUEST, .sender = 1, .sequence = ++bed->sequence};
        frame.body_bytes = token_request_encode(&request, bed->payload + FRAME_HEADER_BYTES, 1000);
        bed->bytes = frame_encode(bed->payload, &frame);
        seal(bed, auth_host(1));
        assert_int_equal(arrive(bed, 1), session == SESSION ? ACCEPTED : REFUSED_SESSION);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, make_bed, drop_bed)
    const struct CMUnitTest tests[] = {
        CASE(every_frame_without_a_true_tag_is_refused_by_name),
        CASE(a_meter_speaks_for_itself_only),
        CASE(a_recording_of_a_meter_that_fell_silent_is_not_believed),
        CASE(a_reading_waits_for_its_number_to_be_on_the_disk),
        CASE(a_recording_of_a_host_that_fell_silent_is_not_believed),
        CASE(details_of_before_the_start_are_refused),
        CASE(where_no_tags_are_asked_for_none_are_taken),
        CASE(a_report_of_before_the_start_is_that_of_a_host_that_just_began),
        CASE(what_the_one_before_left_is_proven_for_a_lease_and_not_shaken_by_what_is_older),
        CASE(a_request_from_before_the_start_is_refused),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
