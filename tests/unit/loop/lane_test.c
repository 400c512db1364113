/* SPDX-License-Identifier: Apache-2.0 */
/* Admission by class, the names of refusals, and that a refused frame leaves no trace but its count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "frames.h"
#include "rig.h"
#include "wire/cap.h"
#include "wire/upmu.h"

#define NOW_NS (INT64_C(1000) * NS_PER_S)
enum { FRAME_ROOM = 2048 };

struct bed {
    struct rig_site site;
    struct timebase base;
    struct view view;
    struct seqlock meter[RIG_METERS], stale[RIG_METERS];
    struct seqlock detail[RIG_HOSTS * VIEW_DETAIL_RECORDS];
    struct meter_names names;
    uint32_t places[64];
    struct sender meter_sender[RIG_METERS], host_sender[RIG_HOSTS];
    struct replay_window meter_window[RIG_METERS], host_window[RIG_HOSTS];
    struct age age[RIG_METERS];
    _Atomic uint64_t host_mac[RIG_HOSTS];
    struct lane lane;
    struct frames_from from;
    uint8_t room[FRAME_ROOM];
    struct port_frame frame;    /* in `room` */
};

static int make_bed(void **state)
{
    static struct bed bed;
    memset(&bed, 0, sizeof bed);
    rig_site_init(&bed.site);
    rig_clock_init(&bed.base, NOW_NS);
    assert_true(meter_names_bytes(&bed.site.model) <= sizeof bed.places);
    meter_names_init(&bed.names, bed.places, &bed.site.model);
    bed.view.meter = bed.meter;
    bed.view.stale = bed.stale;
    bed.view.detail = bed.detail;
    bed.from = (struct frames_from){.sequence = 1,
        .from = {.mac = {2, 0, 0, 0, 0, 9}, .ipv4 = 0xCB007102, .port = 9000},
        .to = {.mac = {2, 0, 0, 0, 0, 1}, .ipv4 = 0xCB007101, .port = 7001}};
    bed.lane =
        (struct lane){.model = &bed.site.model,
                      .base = &bed.base,
                      .names = &bed.names,
                      .local = bed.from.to,
                      .view = &bed.view,
                      .kinds = 1U << FRAME_MEASUREMENT | 1U << FRAME_REPORT | 1U << FRAME_TOKEN_REQUEST |
                               1U << FRAME_DETAIL,
                      .out = rig_queue(SLOT_BYTES, RIG_PLACES),
                      .meter_window = bed.meter_window,
                      .host_window = bed.host_window,
                      .age = bed.age,
                      .host_mac = bed.host_mac,
                      .host_address = bed.site.address};
    *state = &bed;
    return 0;
}

static int drop_bed(void **state)
{
    struct bed *bed = *state;
    rig_queue_drop(bed->lane.out);
    return 0;
}

static int take(struct bed *bed)
{
    return lane_frame(&bed->lane, &bed->frame, NOW_NS);
}

static int take_measurement(struct bed *bed, const char *name, int64_t stamp_ns)
{
    bed->frame = frames_measurement(bed->room, &bed->from, name, stamp_ns);
    bed->from.sequence++;
    return take(bed);
}

/* From the host's own address. */
static void report_of(struct bed *bed, uint32_t host)
{
    struct frames_from from = bed->from;
    from.from.ipv4 = bed->site.address[host % RIG_HOSTS].ipv4;
    bed->frame = frames_report(bed->room, &from, host, bed->from.sequence);
}

static int take_report(struct bed *bed, uint32_t host)
{
    report_of(bed, host);
    bed->from.sequence++;
    return take(bed);
}

static void readings_stop_at_90_percent_and_reports_at_the_brim(void **state)
{
    struct bed *bed = *state;
    const uint32_t readings_room = (RIG_PLACES * 90 + 99) / 100, offered = RIG_PLACES + 50;

    for (uint32_t i = 0; i < offered; i++)
        assert_int_equal(take_measurement(bed, "m-1", NOW_NS), ACCEPTED);
    assert_int_equal(spsc_depth(bed->lane.out), readings_room);
    assert_int_equal(count_read(&bed->lane.counters.shed[CLASS_READING]), offered - readings_room);
    for (uint32_t i = 0; i < RIG_PLACES; i++)
        assert_int_equal(take_report(bed, i % RIG_HOSTS), ACCEPTED);
    assert_int_equal(spsc_depth(bed->lane.out), RIG_PLACES);
    assert_int_equal(count_read(&bed->lane.counters.shed[CLASS_RESERVED]), readings_room);
    assert_int_equal(count_read(&bed->lane.counters.accepted), offered + RIG_PLACES);
}

static void a_meter_whose_clock_runs_wrong_lends_nothing(void **state)
{
    struct bed *bed = *state;
    static _Atomic bool doubted[RIG_METERS];

    bed->lane.doubted = doubted;
    for (int i = 0; i < 3; i++) {
        doubted[1] = i == 1;
        assert_int_equal(take_measurement(bed, "m-1", NOW_NS), ACCEPTED);
        assert_int_equal(take_measurement(bed, "m-2", NOW_NS), ACCEPTED);
        const struct slot *slot = spsc_peek(bed->lane.out);
        assert_int_equal(slot->reading.flags & READING_UNSURE, i == 1 ? READING_UNSURE : 0);
        spsc_release(bed->lane.out);
        slot = spsc_peek(bed->lane.out);
        assert_int_equal(slot->reading.flags & READING_UNSURE, 0);
        spsc_release(bed->lane.out);
    }
}

/* Somebody sets the machine's clock by hours, back and forth, while frames come: what decides sees the same
 * slots, but for the wall time noted in them. */
static void a_step_of_the_wall_clock_changes_nothing_but_the_note_of_it(void **state)
{
    static const int64_t steps_ns[] = {0, 37 * NS_PER_S, -NS_PER_S, 3600 * NS_PER_S, -86400 * NS_PER_S};
    enum { FRAMES = 40 };
    static struct slot seen[2][FRAMES];

    for (int run = 0; run < 2; run++) {
        drop_bed(state);
        make_bed(state);
        struct bed *bed = *state;
        for (int i = 0; i < FRAMES; i++) {
            int64_t now_ns = NOW_NS + i * 16 * NS_PER_MS;
            uint64_t word[SEQLOCK_WORDS];
            rig_clock_set(&bed->base, now_ns);
            assert_true(seqlock_read(&bed->base.map[0], word));
            word[6] = run ? (uint64_t)steps_ns[i % 5] : 0;      /* CLOCK_REALTIME - monotonic */
            seqlock_write(&bed->base.map[0], word);
            if (i % 4 == 3)
                report_of(bed, 1);
            else
                bed->frame = frames_measurement(bed->room, &bed->from, "m-1", 77 * NS_PER_S + now_ns);
            bed->from.sequence++;
            assert_int_equal(lane_frame(&bed->lane, &bed->frame, now_ns), ACCEPTED);
            seen[run][i] = *(const struct slot *)spsc_peek(bed->lane.out);
            spsc_release(bed->lane.out);
            memset(seen[run][i].stage_ns, 0, sizeof seen[run][i].stage_ns);
            if (i % 4 == 3)
                continue;
            assert_int_equal(seen[run][i].reading.t_arrival_ns, now_ns + (run ? steps_ns[i % 5] : 0));
            seen[run][i].reading.t_arrival_ns = 0;
        }
    }
    assert_memory_equal(seen[0], seen[1], sizeof seen[0]);
}

static void detail_stops_at_75_percent(void **state)
{
    struct bed *bed = *state;
    uint32_t admitted = 0;

    for (uint32_t i = 0; i < RIG_PLACES; i++) {
        if (!lane_admit(&bed->lane, CLASS_DETAIL))
            break;
        spsc_publish(bed->lane.out);
        bed->lane.depth++;
        admitted++;
    }
    assert_int_equal(admitted, RIG_PLACES * 75 / 100);
    assert_non_null(lane_admit(&bed->lane, CLASS_READING));
}

static void next_slot_admitted_carries_what_was_shed(void **state)
{
    struct bed *bed = *state;
    const struct slot *slot = NULL;

    for (uint32_t i = 0; i < RIG_PLACES; i++)
        take_measurement(bed, "m-1", NOW_NS);
    uint64_t shed = count_read(&bed->lane.counters.shed[CLASS_READING]);
    take_report(bed, 3);
    take_report(bed, 3);
    for (uint32_t i = 0; i < (RIG_PLACES * 90 + 99) / 100; i++) {
        slot = spsc_peek(bed->lane.out);
        assert_int_equal(slot->shed[CLASS_READING], 0);
        spsc_release(bed->lane.out);
    }
    slot = spsc_peek(bed->lane.out);
    assert_int_equal(slot->kind, SLOT_REPORT);
    assert_int_equal(slot->shed[CLASS_READING], shed);
    spsc_release(bed->lane.out);
    slot = spsc_peek(bed->lane.out);
    assert_int_equal(slot->shed[CLASS_READING], 0);
}

static void reading_arrives_whole(void **state)
{
    struct bed *bed = *state;
    struct view_meter meter;

    assert_int_equal(take_measurement(bed, "m-2", NOW_NS - 5), ACCEPTED);
    const struct slot *slot = spsc_peek(bed->lane.out);
    assert_int_equal(slot->kind, SLOT_READING);
    assert_int_equal(slot->reading.meter, 2);
    assert_int_equal(slot->reading.sequence, 1);
    assert_int_equal(slot->reading.power_mw[1], 27000000);
    assert_true(slot->reading.t_meter_ns == NOW_NS - 5);
    assert_true(slot->t_receive_ns == NOW_NS);
    assert_true(view_read_meter(&bed->view, 2, &meter));
    assert_int_equal(meter.power_mw, 3 * 27000000);
}

static void every_phase_is_shown_and_what_came_too_old_is_noted_beside_it(void **state)
{
    struct bed *bed = *state;
    struct view_meter meter;
    struct view_stale stale;

    assert_int_equal(take_measurement(bed, "m-2", NOW_NS), ACCEPTED);
    assert_true(view_read_meter(&bed->view, 2, &meter));
    for (int i = 0; i < PHASES; i++) {
        assert_true(meter.current_ma[i] > 0);
        assert_true(meter.voltage_mv[i] > 0);
    }
    assert_true(view_read_stale(&bed->view, 2, &stale));
    assert_true(stale.t_ns == 0 && stale.count == 0);
    for (uint64_t i = 1; i <= 2; i++) {
        assert_int_equal(take_measurement(bed, "m-2", NOW_NS - 2 * NS_PER_S), REFUSED_STALE);
        assert_true(view_read_stale(&bed->view, 2, &stale));
        assert_true(stale.t_ns == NOW_NS && stale.count == i);
    }
    assert_true(view_read_stale(&bed->view, 1, &stale));
    assert_int_equal(stale.count, 0);
}

static void report_names_its_host_and_teaches_the_mac(void **state)
{
    struct bed *bed = *state;

    assert_int_equal(take_report(bed, 5), ACCEPTED);
    const struct slot *slot = spsc_peek(bed->lane.out);
    assert_int_equal(slot->kind, SLOT_REPORT);
    assert_int_equal(slot->report.host, 5);
    assert_true(bed->host_mac[5] == (UINT64_C(1) << 48 | UINT64_C(9) << 40 | 2));
    assert_true(bed->host_mac[4] == 0);
}

static void request_for_power_arrives_whole_and_once(void **state)
{
    struct bed *bed = *state;
    struct frames_from from = bed->from;

    from.from.ipv4 = bed->site.address[5].ipv4;
    bed->frame = frames_token_request(bed->room, &from, 5, 99);
    assert_int_equal(take(bed), ACCEPTED);
    const struct slot *slot = spsc_peek(bed->lane.out);
    assert_int_equal(slot->kind, SLOT_TOKEN);
    assert_int_equal(slot->token.host, 5);
    assert_true(slot->token.request == 99 && slot->token.amount_mw == 2000000);
    assert_int_equal(slot->token.duration_ns, NS_PER_S);
    assert_int_equal(take(bed), REFUSED_DUPLICATE);
    assert_int_equal(count_read(&bed->lane.counters.token_requests), 1);
    assert_int_equal(spsc_depth(bed->lane.out), 1);
}

/* ---- every refusal ---- */

/* A lease to a group's MAC goes to everybody, one to none or to our own to nobody: such a report counts, and
 * the host stays where it was last reached. */
static int take_detail(struct bed *bed, uint32_t host, uint64_t sequence, int64_t t_ns)
{
    struct frames_from from = bed->from;
    from.from.ipv4 = bed->site.address[host % RIG_HOSTS].ipv4;
    from.sequence = sequence;
    bed->frame = frames_detail(bed->room, &from, host);
    return lane_frame(&bed->lane, &bed->frame, t_ns);
}

static void a_detail_is_shown_and_makes_no_slot(void **state)
{
    struct bed *bed = *state;
    struct detail detail;
    int64_t t_ns;

    assert_true(view_read_detail(&bed->view, 3, &detail, &t_ns));
    assert_int_equal(t_ns, 0);
    assert_int_equal(take_detail(bed, 3, 10, NOW_NS), ACCEPTED);
    assert_true(view_read_detail(&bed->view, 3, &detail, &t_ns));
    assert_int_equal(t_ns, NOW_NS);
    assert_int_equal(detail.host, 3);
    assert_string_equal(detail.job[0], "7.0");
    assert_int_equal(detail.device[0].asked_mw, 700000);
    assert_true(view_read_detail(&bed->view, 2, &detail, &t_ns));
    assert_int_equal(t_ns, 0);
    assert_int_equal(spsc_depth(bed->lane.out), 0);
    assert_int_equal(bed->host_mac[3], 0);
    assert_int_equal(count_read(&bed->lane.counters.details), 1);
}

static void a_detail_counts_in_its_hosts_sequence_and_only_from_its_address(void **state)
{
    struct bed *bed = *state;
    struct detail detail;
    int64_t t_ns;

    assert_int_equal(take_detail(bed, 3, 10, NOW_NS), ACCEPTED);
    assert_int_equal(take_detail(bed, 3, 10, NOW_NS + 1), REFUSED_DUPLICATE);
    assert_int_equal(take_detail(bed, 3, 9, NOW_NS + 1), REFUSED_REORDERED);
    bed->from.sequence = 10;
    assert_int_equal(take_report(bed, 3), REFUSED_DUPLICATE);
    assert_int_equal(take_report(bed, 3), ACCEPTED);
    assert_int_equal(take_detail(bed, 3, 11, NOW_NS + 1), REFUSED_DUPLICATE);
    assert_int_equal(take_detail(bed, RIG_HOSTS, 12, NOW_NS + 1), REFUSED_UNKNOWN_HOST);
    struct frames_from from = bed->from;
    from.from.ipv4 = bed->site.address[4].ipv4;
    bed->frame = frames_detail(bed->room, &from, 3);
    assert_int_equal(take(bed), REFUSED_SOURCE);
    assert_true(view_read_detail(&bed->view, 3, &detail, &t_ns));
    assert_int_equal(t_ns, NOW_NS);
}

static void details_are_shed_first_and_reports_are_not(void **state)
{
    struct bed *bed = *state;
    struct detail detail;
    int64_t t_ns;

    for (uint32_t i = 0; i < RIG_PLACES * 75 / 100; i++)
        assert_int_equal(take_measurement(bed, "m-1", NOW_NS), ACCEPTED);
    assert_int_equal(take_detail(bed, 3, 10, NOW_NS), ACCEPTED);
    assert_true(view_read_detail(&bed->view, 3, &detail, &t_ns));
    assert_int_equal(t_ns, 0);
    assert_int_equal(count_read(&bed->lane.counters.shed[CLASS_DETAIL]), 1);
    bed->from.sequence = 11;
    assert_int_equal(take_report(bed, 3), ACCEPTED);
    assert_int_equal(spsc_depth(bed->lane.out), RIG_PLACES * 75 / 100 + 1);
}

static void a_mac_that_no_host_can_have_is_not_learned(void **state)
{
    struct bed *bed = *state;
    const uint8_t wrong[4][6] = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {0x01, 0, 0x5e, 0, 0, 1}, {0},
                                 {2, 0, 0, 0, 0, 1}};
    assert_int_equal(take_report(bed, 5), ACCEPTED);
    uint64_t learned = bed->host_mac[5];
    assert_true(learned != 0);
    for (int i = 0; i < 4; i++) {
        memcpy(bed->from.from.mac, wrong[i], 6);
        assert_int_equal(take_report(bed, 5), ACCEPTED);
        assert_int_equal(bed->host_mac[5], learned);
    }
}

static void good_measurement(struct bed *bed)
{
    bed->frame = frames_measurement(bed->room, &bed->from, "m-0", NOW_NS);
}

/* Written again behind a changed payload, so that the checksums are right and only what is meant is wrong. */
static void rebuild(struct bed *bed, uint32_t payload_bytes)
{
    udp_build(&bed->frame, bed->room, &bed->from.from, &bed->from.to, payload_bytes, 0);
}

static void change_payload(struct bed *bed, uint32_t at, uint8_t value)
{
    good_measurement(bed);
    bed->room[UDP_HEADROOM + at] = value;
    rebuild(bed, bed->frame.length - UDP_HEADERS);
}

static void not_ours(struct bed *bed)
{
    struct frames_from elsewhere = bed->from;
    elsewhere.to.port = 1234;
    bed->frame = frames_measurement(bed->room, &elsewhere, "m-0", NOW_NS);
}

/* A fragment with a right header checksum: "more fragments" is bit 5 of byte 20, and the checksum gives
 * way. */
static void fragment(struct bed *bed)
{
    good_measurement(bed);
    uint8_t *data = bed->frame.data;
    uint32_t sum = (uint32_t)(data[24] << 8 | data[25]);
    uint32_t before = (uint32_t)(data[20] << 8 | data[21]), after = before | 0x2000;
    sum = (~sum & 0xFFFF) + (~before & 0xFFFF) + after;     /* RFC 1624 equation 3 */
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = ~((sum & 0xFFFF) + (sum >> 16)) & 0xFFFF;
    data[20] = (uint8_t)(after >> 8);
    data[24] = (uint8_t)(sum >> 8);
    data[25] = (uint8_t)sum;
}

static void checksum(struct bed *bed)
{
    good_measurement(bed);
    bed->frame.data[bed->frame.length - 1] ^= 1;
}

static void truncated(struct bed *bed)
{
    good_measurement(bed);
    rebuild(bed, bed->frame.length - UDP_HEADERS - 1);
}

static void oversized(struct bed *bed)
{
    good_measurement(bed);
    rebuild(bed, bed->frame.length - UDP_HEADERS + 1);
}

static void magic(struct bed *bed) { change_payload(bed, 0, 'X'); }
static void version(struct bed *bed) { change_payload(bed, 4, 9); }
static void unknown_kind(struct bed *bed) { change_payload(bed, 5, 77); }
static void lease_to_controller(struct bed *bed) { change_payload(bed, 5, FRAME_LEASE); }
static void key(struct bed *bed) { change_payload(bed, 6, 1); }
static void body(struct bed *bed) { change_payload(bed, FRAME_HEADER_BYTES, 0xFF); }
static void unknown_meter(struct bed *bed)
{
    bed->frame = frames_measurement(bed->room, &bed->from, "m-9", NOW_NS);
}
static void unknown_host(struct bed *bed)
{
    report_of(bed, RIG_HOSTS);
}

static void report_from_a_neighbour(struct bed *bed)
{
    struct frames_from from = bed->from;
    from.from.ipv4 = bed->site.address[4].ipv4;
    bed->frame = frames_report(bed->room, &from, 3, 1);
}

static void impossible_value(struct bed *bed)
{
    struct upmu upmu = {
        .timestamp_ns = NOW_NS, .device_id = "m-0", .device_id_bytes = 3, .phase_count = PHASES};
    upmu.phase[0].current_rms_a = 1e9;
    uint8_t *payload = bed->room + UDP_HEADROOM;
    struct frame frame = {.kind = FRAME_MEASUREMENT, .sequence = bed->from.sequence,
                          .body_bytes = upmu_encode(&upmu, payload + FRAME_HEADER_BYTES, 1200)};
    rebuild(bed, frame_encode(payload, &frame));
}

static void ask_as(struct bed *bed, uint32_t host)
{
    struct token_request request = {.request = 1, .amount_mw = 100000, .duration_ns = NS_PER_S};
    uint8_t *payload = bed->room + UDP_HEADROOM;
    struct frame frame = {.kind = FRAME_TOKEN_REQUEST, .sender = host, .sequence = bed->from.sequence,
                          .body_bytes = token_request_encode(&request, payload + FRAME_HEADER_BYTES, 1200)};
    rebuild(bed, frame_encode(payload, &frame));
}

static void unknown_host_asks(struct bed *bed) { ask_as(bed, RIG_HOSTS); }
static void host_asks_from_elsewhere(struct bed *bed) { ask_as(bed, 2); }

/* Before these the bed has taken sequences 10 and 12 of meter 0, the latter stamped NOW_NS. */
static void duplicate(struct bed *bed)
{
    bed->from.sequence = 12;
    good_measurement(bed);
}

static void reordered(struct bed *bed)
{
    bed->from.sequence = 11;
    good_measurement(bed);
}

/* Another lane is at work on a frame of meter 0: nothing is known of it here, and it is given back after. */
static void held(struct bed *bed)
{
    bed->lane.meter_sender = bed->meter_sender;
    bed->lane.host_sender = bed->host_sender;
    bed->meter_sender[0].newest_ns = SENDER_TAKEN;
    good_measurement(bed);
}

static void held_report(struct bed *bed)
{
    bed->host_sender[3].newest_ns = SENDER_TAKEN;
    bed->from.from.ipv4 = bed->site.address[3].ipv4;
    bed->frame = frames_report(bed->room, &bed->from, 3, 1);
}

static void stale(struct bed *bed)
{
    bed->frame = frames_measurement(bed->room, &bed->from, "m-0", NOW_NS - 101 * NS_PER_MS);
}

static const struct { const char *name; void (*make)(struct bed *bed); int refusal;
} refusals[] = {
    {"not_ours", not_ours, REFUSED_NOT_OURS},
    {"fragment", fragment, REFUSED_FRAGMENT},
    {"checksum", checksum, REFUSED_CHECKSUM},
    {"truncated", truncated, REFUSED_TRUNCATED},
    {"oversized", oversized, REFUSED_OVERSIZED},
    {"magic", magic, REFUSED_MAGIC},
    {"version", version, REFUSED_VERSION},
    {"unknown kind", unknown_kind, REFUSED_KIND},
    {"a lease sent to the controller", lease_to_controller, REFUSED_KIND},
    {"key", key, REFUSED_KEY},
    {"body", body, REFUSED_MALFORMED},
    {"impossible value", impossible_value, REFUSED_MALFORMED},
    {"unknown_meter", unknown_meter, REFUSED_UNKNOWN_METER},
    {"unknown_host", unknown_host, REFUSED_UNKNOWN_HOST},
    {"unknown host asks", unknown_host_asks, REFUSED_UNKNOWN_HOST},
    {"report from a neighbour's address", report_from_a_neighbour, REFUSED_SOURCE},
    {"host asks from elsewhere", host_asks_from_elsewhere, REFUSED_SOURCE},
    {"duplicate", duplicate, REFUSED_DUPLICATE},
    {"reordered", reordered, REFUSED_REORDERED},
    {"stale", stale, REFUSED_STALE},
    {"held", held, REFUSED_HELD},
    {"a held host's report", held_report, REFUSED_HELD},
};

static void every_refusal_is_counted_by_name_and_changes_nothing(void **state)
{
    struct bed *bed = *state;
    uint64_t seen[REFUSAL_COUNT] = {0};

    bed->from.sequence = 10;
    assert_int_equal(take_measurement(bed, "m-0", NOW_NS), ACCEPTED);
    bed->from.sequence = 12;
    assert_int_equal(take_measurement(bed, "m-0", NOW_NS), ACCEPTED);
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        bed->from.sequence = 20 + i;
        refusals[i].make(bed);
        struct view_meter before, after;
        uint32_t depth = spsc_depth(bed->lane.out);
        struct replay_window window[RIG_HOSTS];
        memcpy(window, bed->host_window, sizeof window);
        assert_true(view_read_meter(&bed->view, 0, &before));
        int got = take(bed);
        if (got != refusals[i].refusal)
            fail_msg("%s: refused as %s", refusals[i].name, got ? refusal_name(got) : "nothing at all");
        seen[got]++;
        assert_true(view_read_meter(&bed->view, 0, &after));
        assert_memory_equal(&before, &after, sizeof before);
        assert_memory_equal(window, bed->host_window, sizeof window);
        assert_int_equal(spsc_depth(bed->lane.out), depth);
    }
    for (int i = 1; i < REFUSAL_COUNT; i++) {
        /* trust_test has these, lane_meter_test those */
        bool by_tag = i == REFUSED_KEY_ENDED || i == REFUSED_BARE || i == REFUSED_TAG ||
            i == REFUSED_SESSION || i == REFUSED_UNMARKED;
        bool by_protocol = i == REFUSED_PROTOCOL || i == REFUSED_SHAPE || i == REFUSED_MTU ||
            i == REFUSED_CONFIG_UNKNOWN || i == REFUSED_CONFIG_CHANGED || i == REFUSED_CONFIG_PARTS ||
            i == REFUSED_SIMULATED;
        if (!seen[i] && !by_tag && !by_protocol)
            fail_msg("no test makes a frame that is refused as %s", refusal_name(i));
        assert_int_equal(count_read(&bed->lane.counters.refused[i]), seen[i]);
    }
    assert_int_equal(count_read(&bed->lane.counters.accepted), 2);
}

static void arp_for_the_port_is_set_aside_and_not_refused(void **state)
{
    struct bed *bed = *state;
    static struct ip_port ip;
    static _Alignas(64) uint8_t memory[1 << 20];
    const struct ip_config config = {.own = bed->lane.local, .port = NULL, .asides = 1, .mtu = 1500};
    assert_true(ip_bytes(1500, 0, 1) <= sizeof memory);
    ip_init(&ip, &config, memory);
    static const uint8_t request[42] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1,
        2, 0, 0, 0, 0, 9, 0xCB, 0, 0x71, 2, 0, 0, 0, 0, 0, 0, 0xCB, 0, 0x71, 1};
    memcpy(bed->room, request, sizeof request);
    bed->frame = (struct port_frame){.data = bed->room, .length = sizeof request};
    assert_int_equal(take(bed), REFUSED_NOT_OURS);
    /* the kernel's port */
    assert_int_equal(count_read(&bed->lane.counters.refused[REFUSED_NOT_OURS]), 1);
    bed->lane.aside = &ip.aside[0];
    assert_int_equal(take(bed), REFUSED_NOT_OURS);
    assert_int_equal(count_read(&bed->lane.counters.refused[REFUSED_NOT_OURS]), 1);
    assert_int_equal(count_read(&bed->lane.counters.aside), 1);
    assert_int_equal(atomic_load(&ip.aside[0].tail), 1);
    bed->room[41] = 3;                              /* for somebody else */
    assert_int_equal(take(bed), REFUSED_NOT_OURS);
    assert_int_equal(count_read(&bed->lane.counters.refused[REFUSED_NOT_OURS]), 2);
    assert_int_equal(count_read(&bed->lane.counters.frames), 3);
}

static void malformed_frame_does_not_use_up_its_sequence_number(void **state)
{
    struct bed *bed = *state;

    bed->from.sequence = 5;
    impossible_value(bed);
    assert_int_equal(take(bed), REFUSED_MALFORMED);
    good_measurement(bed);
    assert_int_equal(take(bed), ACCEPTED);
}

static void late_reading_is_stale_by_growth_not_by_offset(void **state)
{
    struct bed *bed = *state;
    const int64_t offset_ns = 37 * NS_PER_S;    /* the meter's clock is that far behind */

    assert_int_equal(take_measurement(bed, "m-1", NOW_NS - offset_ns), ACCEPTED);
    assert_int_equal(take_measurement(bed, "m-1", NOW_NS - offset_ns - 100 * NS_PER_MS), ACCEPTED);
    assert_int_equal(take_measurement(bed, "m-1", NOW_NS - offset_ns - 100 * NS_PER_MS - 1), REFUSED_STALE);
    bed->site.model.policy.age_bound_ns = 30 * NS_PER_MS;
    assert_int_equal(take_measurement(bed, "m-1", NOW_NS - offset_ns - 71 * NS_PER_MS), REFUSED_STALE);
    while (spsc_peek(bed->lane.out))
        spsc_release(bed->lane.out);
    assert_int_equal(take_measurement(bed, "m-1", NOW_NS - offset_ns - 70 * NS_PER_MS), ACCEPTED);
    const struct slot *slot = spsc_peek(bed->lane.out);
    assert_true(slot->reading.age_ns == 100 * NS_PER_MS);       /* the bound added */
}

static int take_at(struct bed *bed, int64_t stamp_ns, int64_t t_receive_ns)
{
    bed->frame = frames_measurement(bed->room, &bed->from, "m-1", stamp_ns);
    bed->from.sequence++;
    return lane_frame(&bed->lane, &bed->frame, t_receive_ns);
}

/* Of the newest slot; what of its clock is not known lends nothing. */
static uint8_t newest_marks(struct bed *bed)
{
    uint8_t marks = 0xFF;
    for (const struct slot *slot; (slot = spsc_peek(bed->lane.out)) != NULL; spsc_release(bed->lane.out)) {
        marks = slot->marks;
        assert_int_equal(!!(slot->reading.flags & READING_UNSURE), !!(marks & SLOT_CLOCK_STEPPED));
    }
    return marks;
}

static void readings_are_marked_until_the_step_of_their_clock_is_forgotten(void **state)
{
    struct bed *bed = *state;
    const int64_t step_ns = 100 * NS_PER_MS, minute_ns = 60 * NS_PER_S;

    for (int i = 0; i < AGE_YOUNG; i++)
        assert_int_equal(take_at(bed, NOW_NS, NOW_NS), ACCEPTED);
    assert_int_equal(newest_marks(bed), 0);
    for (int i = 1; i < AGE_CONFIRMATIONS; i++)
        assert_int_equal(take_at(bed, NOW_NS + step_ns, NOW_NS), REFUSED_STALE);
    assert_int_equal(take_at(bed, NOW_NS + step_ns, NOW_NS), ACCEPTED);
    assert_int_equal(newest_marks(bed), SLOT_CLOCK_STEPPED);
    assert_int_equal(take_at(bed, NOW_NS + step_ns + minute_ns - 1, NOW_NS + minute_ns - 1), ACCEPTED);
    assert_int_equal(newest_marks(bed), SLOT_CLOCK_STEPPED);
    assert_int_equal(take_at(bed, NOW_NS + step_ns + minute_ns, NOW_NS + minute_ns), ACCEPTED);
    assert_int_equal(newest_marks(bed), 0);
}

static void queue_holds_in_reserve_what_a_standstill_brings(void **state)
{
    struct bed *bed = *state;

    for (uint32_t hosts = 1; hosts <= HOSTS_MAX; hosts *= 2) {
        bed->site.model.host_count = hosts;
        uint32_t places = lane_places(&bed->site.model);
        assert_true(places - places * 90 / 100 >= hosts);
        assert_int_equal(places & (places - 1), 0);
    }
}

/* The first is the least that its way has ever taken. */
static void a_reading_that_was_old_when_it_came_is_the_networks_miss(void **state)
{
    struct bed *bed = *state;
    struct lane *lane = &bed->lane;
    budget_set(&lane->budget, 50 * NS_PER_MS);
    assert_int_equal(take_measurement(bed, "m-1", NOW_NS - 30 * NS_PER_MS), ACCEPTED);
    assert_int_equal(take_measurement(bed, "m-1", NOW_NS - 80 * NS_PER_MS), ACCEPTED);
    assert_int_equal(count_read(&lane->budget.miss[BUDGET_WAY][BUDGET_NETWORK]), 0);
    assert_int_equal(take_measurement(bed, "m-1", NOW_NS - 80 * NS_PER_MS - 1), ACCEPTED);
    assert_int_equal(count_read(&lane->budget.miss[BUDGET_WAY][BUDGET_NETWORK]), 1);
    /* what it waited here is not the way's */
    lane->within_ns = 10 * NS_PER_MS;
    lane->waited = budget_waited(&lane->budget, lane->within_ns);
    assert_int_equal(take_measurement(bed, "m-1", NOW_NS - 90 * NS_PER_MS), ACCEPTED);
    assert_int_equal(count_read(&lane->budget.miss[BUDGET_WAY][BUDGET_NETWORK]), 1);
    assert_int_equal(count_read(&lane->budget.misses), 0);
    for (uint32_t i = 0; i < 3; i++, spsc_release(lane->out))
        assert_int_equal(((const struct slot *)spsc_peek(lane->out))->waited, 0);
    assert_int_equal(((const struct slot *)spsc_peek(lane->out))->waited, 12);
}

/* A port that gives what it is told to, all of it the frame of the bed. */
struct scripted {
    const struct port_frame *frame;
    uint32_t next;
    bool leaves;
};

static uint32_t scripted_receive(struct port *port, uint32_t queue, struct port_frame *frame, uint32_t count)
{
    (void)queue;
    struct scripted *scripted = port->state;
    assert_true(scripted->next <= count);
    for (uint32_t i = 0; i < scripted->next; i++)
        frame[i] = *scripted->frame;
    return scripted->next;
}

static bool scripted_leaves(const struct port *port, uint32_t queue)
{
    (void)queue;
    return ((const struct scripted *)port->state)->leaves;
}

/* A poll at that time, which finds so many. */
static int64_t poll_at(struct bed *bed, struct scripted *scripted, int64_t since_ns, uint32_t found)
{
    scripted->next = found;
    rig_clock_set(&bed->base, NOW_NS + since_ns);
    assert_int_equal(lane_burst(&bed->lane), found);
    return bed->lane.within_ns;
}

/* The time that was read before a poll that left nothing, not behind it: a thread may lose its core in
 * between. */
static void what_a_poll_finds_came_since_before_the_last_that_left_nothing(void **state)
{
    struct bed *bed = *state;
    static const struct port_driver driver = {.receive = scripted_receive, .leaves = scripted_leaves};
    struct scripted scripted = {.frame = &bed->frame};
    struct port port = {.driver = &driver, .state = &scripted};
    struct view_meter meter;

    bed->lane.port = &port;
    bed->lane.t_poll_ns = bed->lane.t_empty_ns = NOW_NS - 100;
    bed->frame = frames_measurement(bed->room, &bed->from, "m-2", NOW_NS);
    assert_int_equal(poll_at(bed, &scripted, 0, 1), 100);
    assert_true(view_read_meter(&bed->view, 2, &meter));
    assert_int_equal(meter.lag_within_ns, VIEW_WITHIN_NS);      /* rounded up */
    assert_int_equal(meter.age_ns, 100 + bed->site.model.policy.age_bound_ns);
    assert_int_equal(poll_at(bed, &scripted, 10, 0), 110);
    assert_int_equal(poll_at(bed, &scripted, 30, 0), 30);
    assert_int_equal(poll_at(bed, &scripted, 60, BURST_MAX), 50);
    /* it took all that it may: more may have waited */
    assert_int_equal(poll_at(bed, &scripted, 100, BURST_MAX), 90);
    assert_int_equal(poll_at(bed, &scripted, 150, BURST_MAX - 1), 140);
    assert_int_equal(poll_at(bed, &scripted, 210, 1), 110);
    assert_int_equal(poll_at(bed, &scripted, 280, 1), 130);
    /* fewer than it may, and yet the driver knows of more */
    scripted.leaves = true;
    assert_int_equal(poll_at(bed, &scripted, 300, 1), 90);
    assert_int_equal(poll_at(bed, &scripted, 400, 0), 190);
    scripted.leaves = false;
    assert_int_equal(poll_at(bed, &scripted, 500, 0), 290);
    assert_int_equal(poll_at(bed, &scripted, 510, 0), 110);
}

/* From the opening of the ports to the first turn of the thread: as old as that, and no miss. */
static void what_came_before_the_thread_ran_has_not_waited(void **state)
{
    struct bed *bed = *state;
    static const struct port_driver driver = {.receive = scripted_receive};
    struct scripted scripted = {.frame = &bed->frame};
    struct port port = {.driver = &driver, .state = &scripted};
    struct gap gap = {.last_ns = NOW_NS - 1000};

    bed->lane.port = &port;
    bed->lane.gap = &gap;
    budget_set(&bed->lane.budget, 64 * NS_PER_MS);
    bed->lane.t_poll_ns = bed->lane.t_empty_ns = NOW_NS - NS_PER_S;
    bed->frame = frames_measurement(bed->room, &bed->from, "m-2", NOW_NS);
    assert_int_equal(poll_at(bed, &scripted, 0, BURST_MAX), NS_PER_S);
    assert_int_equal(bed->lane.waited, 0);
    assert_int_equal(poll_at(bed, &scripted, 100, 1), NS_PER_S + 100);
    assert_int_equal(bed->lane.waited, 0);
    /* that one left nothing, and came after the poll before */
    assert_int_equal(poll_at(bed, &scripted, 200, 1), 200);
    assert_int_equal(bed->lane.waited, 0);
    assert_int_equal(poll_at(bed, &scripted, 10 * NS_PER_MS, 1), 10 * NS_PER_MS - 100);
    assert_int_equal(bed->lane.waited, 9);
    bed->lane.gap = NULL;
}

/* 60 ms go by before decide, on the same thread, reads the clock, and the poll behind it finds what waited.
 * What the next one finds came since then. */
static void what_comes_after_a_gap_has_not_waited_for_its_end(void **state)
{
    struct bed *bed = *state;
    static const struct port_driver driver = {.receive = scripted_receive};
    struct scripted scripted = {.frame = &bed->frame};
    struct port port = {.driver = &driver, .state = &scripted};
    struct gap gap = {.last_ns = NOW_NS - 1000};

    bed->lane.port = &port;
    bed->lane.gap = &gap;
    budget_set(&bed->lane.budget, 64 * NS_PER_MS);
    bed->lane.t_poll_ns = bed->lane.t_empty_ns = NOW_NS - 1000;
    bed->frame = frames_measurement(bed->room, &bed->from, "m-2", NOW_NS);
    poll_at(bed, &scripted, 0, 0);
    gap_mark(&gap, NOW_NS + 60 * NS_PER_MS, false);
    assert_int_equal(poll_at(bed, &scripted, 60 * NS_PER_MS + 1000, 20), 60 * NS_PER_MS + 2000);
    assert_int_equal(bed->lane.waited, 60);
    gap_mark(&gap, NOW_NS + 60 * NS_PER_MS + 2000, false);
    assert_int_equal(poll_at(bed, &scripted, 60 * NS_PER_MS + 3000, 3), 3000);
    assert_int_equal(bed->lane.waited, 0);
    bed->lane.gap = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define BED(name) cmocka_unit_test_setup_teardown(name, make_bed, drop_bed)
        BED(readings_stop_at_90_percent_and_reports_at_the_brim),
        BED(a_meter_whose_clock_runs_wrong_lends_nothing),
        BED(a_step_of_the_wall_clock_changes_nothing_but_the_note_of_it),
        BED(detail_stops_at_75_percent),
        BED(next_slot_admitted_carries_what_was_shed),
        BED(reading_arrives_whole),
        BED(every_phase_is_shown_and_what_came_too_old_is_noted_beside_it),
        BED(report_names_its_host_and_teaches_the_mac),
        BED(request_for_power_arrives_whole_and_once),
        BED(a_detail_is_shown_and_makes_no_slot),
        BED(a_detail_counts_in_its_hosts_sequence_and_only_from_its_address),
        BED(details_are_shed_first_and_reports_are_not),
        BED(a_mac_that_no_host_can_have_is_not_learned),
        BED(every_refusal_is_counted_by_name_and_changes_nothing),
        BED(arp_for_the_port_is_set_aside_and_not_refused),
        BED(malformed_frame_does_not_use_up_its_sequence_number),
        BED(late_reading_is_stale_by_growth_not_by_offset),
        BED(readings_are_marked_until_the_step_of_their_clock_is_forgotten),
        BED(what_came_before_the_thread_ran_has_not_waited),
        BED(what_comes_after_a_gap_has_not_waited_for_its_end),
        BED(what_a_poll_finds_came_since_before_the_last_that_left_nothing),
        BED(queue_holds_in_reserve_what_a_standstill_brings),
        BED(a_reading_that_was_old_when_it_came_is_the_networks_miss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
