/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves, in which order, to whom; and what comes back when the port does not take it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"
#include "wire/cap.h"

#define NOW_NS (INT64_C(1000) * NS_PER_S)
enum { PLACES = 128 };

struct bed {
    struct rig_site site;
    struct timebase base;
    struct rig_port port;
    _Atomic uint64_t host_mac[RIG_HOSTS];
    uint8_t data[BURST_MAX][EGRESS_FRAME_BYTES];
    struct egress_stage stage;
};

static int make_bed(void **state)
{
    struct bed *bed = aligned_alloc(64, (sizeof *bed + 63) / 64 * 64);
    assert_non_null(bed);
    memset(bed, 0, sizeof *bed);
    rig_site_init(&bed->site);
    rig_clock_init(&bed->base, NOW_NS);
    rig_port_init(&bed->port);
    struct egress_stage *stage = &bed->stage;
    stage->base = &bed->base;
    stage->host_address = bed->site.address;
    stage->host_mac = bed->host_mac;
    stage->port = &bed->port.port;
    stage->local = (struct endpoint){.mac = {2, 0, 0, 0, 0, 1}, .ipv4 = 0xCB007101, .port = 7002};
    stage->normal = rig_queue(EGRESS_BYTES, PLACES);
    stage->emergency = rig_queue(EGRESS_BYTES, PLACES);
    stage->returns = rig_queue(SLOT_BYTES, PLACES);
    stage->epoch = 42;
    stage->lane = 2;
    stage->enforce = true;
    stage->frame_sequence = 5000;
    stage->data = bed->data;
    for (uint32_t i = 0; i < RIG_HOSTS; i++)
        bed->host_mac[i] = UINT64_C(1) << 48 | (uint64_t)(i + 1) << 40 | 2;
    *state = bed;
    return 0;
}

static int drop_bed(void **state)
{
    struct bed *bed = *state;
    rig_queue_drop(bed->stage.normal);
    rig_queue_drop(bed->stage.emergency);
    rig_queue_drop(bed->stage.returns);
    free(bed);
    return 0;
}

/* Bursts until nothing waits, as the hot thread does. */
static uint32_t send_all(struct egress_stage *stage)
{
    uint32_t left = 0, burst;
    while ((burst = egress_burst(stage)) > 0)
        left += burst;
    return left;
}

static void offer(struct spsc *queue, uint32_t host, uint64_t sequence)
{
    struct egress *record = spsc_claim(queue);
    assert_non_null(record);
    *record = (struct egress){.kind = FRAME_LEASE,
                              .host = host,
                              .sequence = sequence,
                              .incarnation = 9,
                              .echo = 3,
                              .cap_mw = 4300000,
                              .floor_w = 1600,
                              .duration_us = 1000000,
                              .t_receive_ns = NOW_NS - 1500};
    spsc_publish(queue);
}

/* The lease in the nth frame sent. */
static struct lease sent_lease(struct bed *bed, uint32_t n, uint64_t *frame_sequence)
{
    struct lease lease = {0};
    struct frame frame;
    assert_true(n < bed->port.sent);
    const uint8_t *payload = bed->port.data[n] + UDP_HEADERS;
    assert_int_equal(frame_decode(payload, bed->port.length[n] - UDP_HEADERS, &frame), ACCEPTED);
    assert_int_equal(lease_decode(frame.body, frame.body_bytes, &lease), ACCEPTED);
    lease.host = frame.sender;
    *frame_sequence = frame.sequence;
    return lease;
}

static void emergencies_leave_first_and_sequences_ascend(void **state)
{
    struct bed *bed = *state;
    uint64_t before = 5000, now;

    for (uint32_t i = 0; i < 5; i++)
        offer(bed->stage.normal, i, 100 + i);
    for (uint32_t i = 0; i < 3; i++)
        offer(bed->stage.emergency, i, 200 + i);
    assert_int_equal(send_all(&bed->stage), 8);
    for (uint32_t i = 0; i < 8; i++) {
        struct lease lease = sent_lease(bed, i, &now);
        assert_int_equal(lease.sequence, i < 3 ? 200 + i : 100 + i - 3);
        assert_true(now > before);
        before = now;
    }
    assert_int_equal(count_read(&bed->stage.counters.emergencies), 3);
    assert_int_equal(count_read(&bed->stage.counters.sent), 8);
    assert_int_equal(bed->stage.sent.live.count, 8);
    assert_int_equal(bed->stage.sent_emergency.live.count, 3);
    assert_int_equal(bed->stage.sent.live.max_ns, 1500);
}

static void emergency_overtakes_what_waits(void **state)
{
    struct bed *bed = *state;
    uint64_t frame_sequence;

    for (uint32_t i = 0; i < BURST_MAX + 10; i++)
        offer(bed->stage.normal, i % RIG_HOSTS, 100 + i);
    assert_int_equal(egress_burst(&bed->stage), BURST_MAX);
    offer(bed->stage.emergency, 7, 999);
    assert_int_equal(send_all(&bed->stage), 11);
    assert_int_equal(sent_lease(bed, BURST_MAX, &frame_sequence).sequence, 999);
}

static void first_leases_of_an_emergency_do_not_wait_for_the_rest(void **state)
{
    struct bed *bed = *state;

    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < RIG_HOSTS; i++)
            offer(bed->stage.emergency, i, 100 + i);
        assert_int_equal(egress_burst(&bed->stage), EMERGENCY_FIRST);
        assert_int_equal(egress_burst(&bed->stage), RIG_HOSTS - EMERGENCY_FIRST);
        assert_int_equal(egress_burst(&bed->stage), 0);
    }
}

static void ramps_of_its_type_are_told_with_every_lease(void **state)
{
    struct bed *bed = *state;
    struct model_host_type type[] = {{.name = "plain"},
                                     {.name = "smooth", .ramp_up_mw_per_s = 8000000,
                                      .ramp_down_mw_per_s = 4000000, .hysteresis_ns = 250 * NS_PER_MS}};
    struct model_host host[] = {{.type = 0}, {.type = 1}};
    const struct model model = {.type_count = 2, .host_count = 2, .type = type, .host = host};
    uint64_t frame_sequence;

    bed->stage.model = &model;
    offer(bed->stage.normal, 0, 8);
    offer(bed->stage.normal, 1, 9);
    egress_burst(&bed->stage);
    struct lease plain = sent_lease(bed, 0, &frame_sequence), smooth = sent_lease(bed, 1, &frame_sequence);
    assert_int_equal(plain.ramp_up_mw_per_s | plain.ramp_down_mw_per_s | plain.hysteresis_ns, 0);
    assert_int_equal(smooth.host, 1);
    assert_int_equal(smooth.ramp_up_mw_per_s, 8000000);
    assert_int_equal(smooth.ramp_down_mw_per_s, 4000000);
    assert_int_equal(smooth.hysteresis_ns, 250 * NS_PER_MS);
    assert_int_equal(smooth.floor_mw, 1600000);
}

static void lease_arrives_whole_at_the_address_of_its_host(void **state)
{
    struct bed *bed = *state;
    struct udp_datagram datagram;
    uint64_t frame_sequence;

    bed->site.address[2].has_mac = true;
    memcpy(bed->site.address[2].mac, "\x02\xAA\xBB\xCC\xDD\xEE", 6);
    offer(bed->stage.normal, 1, 8);
    offer(bed->stage.normal, 2, 9);
    egress_burst(&bed->stage);
    struct lease lease = sent_lease(bed, 0, &frame_sequence);
    assert_int_equal(lease.host, 1);
    assert_true(lease.epoch == 42 && lease.incarnation == 9 && lease.echo == 3 && lease.sequence == 8);
    assert_true(lease.cap_mw == 4300000 && lease.floor_mw == 1600000 && lease.duration_ns == NS_PER_S);
    struct endpoint host = {.mac = {2, 0, 0, 0, 0, 2}, .ipv4 = 0xCB007100 + 12, .port = 7102};
    const struct port_frame first = {.data = bed->port.data[0], .length = bed->port.length[0]};
    assert_int_equal(udp_parse(&first, &host, &datagram), ACCEPTED);
    assert_int_equal(datagram.source.port, 7002);
    assert_memory_equal(bed->port.data[0], host.mac, 6);                        /* learned */
    assert_memory_equal(bed->port.data[1], bed->site.address[2].mac, 6);        /* given */
}

static void claim_leaves_as_a_claim(void **state)
{
    struct bed *bed = *state;
    struct frame frame;

    offer(bed->stage.normal, 1, 8);
    ((struct egress *)(uintptr_t)spsc_peek(bed->stage.normal))->kind = FRAME_CLAIM;
    egress_burst(&bed->stage);
    const uint8_t *payload = bed->port.data[0] + UDP_HEADERS;
    assert_int_equal(frame_decode(payload, bed->port.length[0] - UDP_HEADERS, &frame), ACCEPTED);
    assert_int_equal(frame.kind, FRAME_CLAIM);
}

static void an_answer_to_a_request_for_power_leaves_as_such(void **state)
{
    struct bed *bed = *state;
    struct token_response response;
    struct frame frame;

    offer(bed->stage.normal, 1, 0);
    struct egress *record = (struct egress *)(uintptr_t)spsc_peek(bed->stage.normal);
    record->kind = FRAME_TOKEN_RESPONSE;
    record->why = TOKEN_POOL_EMPTY;
    record->echo = 77;
    record->cap_mw = 0;
    record->duration_us = 250000;
    egress_burst(&bed->stage);
    const uint8_t *payload = bed->port.data[0] + UDP_HEADERS;
    assert_int_equal(frame_decode(payload, bed->port.length[0] - UDP_HEADERS, &frame), ACCEPTED);
    assert_int_equal(frame.kind, FRAME_TOKEN_RESPONSE);
    assert_int_equal(frame.sender, 1);
    assert_int_equal(token_response_decode(frame.body, frame.body_bytes, &response), ACCEPTED);
    assert_true(response.request == 77 && response.reason == TOKEN_POOL_EMPTY && response.granted_mw == 0);
    assert_true(response.alternative_mw == 1600000 && response.retry_after_ns == 250 * NS_PER_MS);
}

static void refused_transmits_come_back_as_input(void **state)
{
    struct bed *bed = *state;

    bed->port.takes = 2;
    for (uint32_t i = 0; i < 5; i++)
        offer(bed->stage.normal, i, 100 + i);
    assert_int_equal(egress_burst(&bed->stage), 5);
    assert_int_equal(count_read(&bed->stage.counters.sent), 2);
    assert_int_equal(count_read(&bed->stage.counters.refused), 3);
    for (uint32_t i = 2; i < 5; i++) {
        const struct slot *slot = spsc_peek(bed->stage.returns);
        assert_non_null(slot);
        assert_int_equal(slot->kind, SLOT_REFUSED);
        assert_int_equal(slot->lane, 2);
        assert_int_equal(slot->refused.host, i);
        assert_int_equal(slot->refused.sequence, 100 + i);
        assert_true(slot->t_receive_ns == NOW_NS);
        spsc_release(bed->stage.returns);
    }
    assert_null(spsc_peek(bed->stage.returns));
}

static void host_without_a_known_mac_comes_back_too(void **state)
{
    struct bed *bed = *state;

    bed->host_mac[3] = 0;
    offer(bed->stage.normal, 3, 55);
    offer(bed->stage.normal, 4, 56);
    assert_int_equal(egress_burst(&bed->stage), 2);
    assert_int_equal(bed->port.sent, 1);
    assert_int_equal(count_read(&bed->stage.counters.unreachable), 1);
    const struct slot *slot = spsc_peek(bed->stage.returns);
    assert_int_equal(slot->refused.host, 3);
    assert_int_equal(slot->refused.sequence, 55);
}

/* The site file's MAC, then that of the last valid report, then ARP's. */
static void what_arp_tells_is_the_last_resort(void **state)
{
    struct bed *bed = *state;
    static struct ip_port ip;
    static _Alignas(64) uint8_t memory[1 << 20];
    struct rig_port *port = &bed->port;
    const struct ip_config config = {.own = bed->stage.local, .port = &port->port, .asides = 1, .mtu = 1500,
                                     .neighbours = RIG_HOSTS};
    static const uint8_t told[6] = {2, 9, 9, 9, 9, 9};

    assert_true(ip_bytes(1500, RIG_HOSTS, 1) <= sizeof memory);
    ip_init(&ip, &config, memory);
    bed->stage.ip = &ip;
    bed->host_mac[3] = 0;
    offer(bed->stage.normal, 3, 55);
    assert_int_equal(egress_burst(&bed->stage), 1);
    assert_int_equal(count_read(&bed->stage.counters.unreachable), 1);
    for (uint32_t i = 3; i < 5; i++) {              /* nobody asked for host 4 */
        neighbours_hear(&ip.neighbours, bed->site.address[i].ipv4, told, false, NOW_NS);
        offer(bed->stage.normal, i, 56);
    }
    assert_int_equal(egress_burst(&bed->stage), 2);
    assert_memory_equal(port->data[0], told, 6);
    assert_memory_equal(port->data[1], "\x02\0\0\0\0\x05", 6);
    bed->host_mac[3] = UINT64_C(1) << 48 | 2;
    offer(bed->stage.normal, 3, 57);
    egress_burst(&bed->stage);
    assert_memory_equal(port->data[2], "\x02\0\0\0\0\0", 6);
}

static void where_the_kernel_finds_the_way_no_mac_is_needed(void **state)
{
    struct bed *bed = *state;
    struct port_driver driver = *bed->port.port.driver;

    driver.kind = PORT_DATAGRAMS;
    bed->port.port.driver = &driver;
    bed->host_mac[3] = 0;
    offer(bed->stage.normal, 3, 55);
    assert_int_equal(egress_burst(&bed->stage), 1);
    assert_int_equal(bed->port.sent, 1);
    assert_int_equal(count_read(&bed->stage.counters.unreachable), 0);
}

static void nothing_is_taken_that_could_not_come_back(void **state)
{
    struct bed *bed = *state;

    bed->port.takes = 0;
    for (uint32_t i = 0; i < PLACES; i++)
        offer(bed->stage.normal, i % RIG_HOSTS, i);
    assert_int_equal(send_all(&bed->stage), PLACES);
    assert_int_equal(spsc_depth(bed->stage.returns), PLACES);
    offer(bed->stage.normal, 0, PLACES);
    assert_int_equal(egress_burst(&bed->stage), 0);
    for (int i = 1; i < BURST_MAX; i++)
        spsc_release(bed->stage.returns);
    assert_int_equal(egress_burst(&bed->stage), 0);     /* a whole burst must be able to come back */
    assert_int_equal(spsc_depth(bed->stage.normal), 1);
    spsc_release(bed->stage.returns);
    assert_int_equal(egress_burst(&bed->stage), 1);
}

static void outside_enforce_nothing_is_sent(void **state)
{
    struct bed *bed = *state;

    bed->stage.enforce = false;
    offer(bed->stage.normal, 0, 1);
    offer(bed->stage.emergency, 0, 2);
    assert_int_equal(egress_burst(&bed->stage), 2);
    assert_int_equal(bed->port.sent, 0);
    assert_int_equal(count_read(&bed->stage.counters.withheld), 2);
    assert_null(spsc_peek(bed->stage.returns));
}

static void a_lease_that_leaves_late_is_a_miss_unless_its_slot_was_one(void **state)
{
    struct bed *bed = *state;
    struct egress_stage *stage = &bed->stage;
    static const uint8_t waited[] = {0, 64, 64 | WAITED_LATE};
    budget_set(&stage->budget, 64 * NS_PER_MS);
    for (uint32_t i = 0; i < 3; i++) {
        struct egress *record = spsc_claim(stage->emergency);
        *record = (struct egress){.kind = FRAME_LEASE, .host = 1, .waited = waited[i],
                                  .t_receive_ns = NOW_NS - 1500};
        spsc_publish(stage->emergency);
    }
    assert_int_equal(send_all(stage), 3);
    assert_int_equal(bed->port.sent, 3);
    assert_int_equal(count_read(&stage->budget.misses), 1);
    assert_int_equal(count_read(&stage->budget.emergencies), 1);
    /* its slot is not known any more */
    assert_int_equal(count_read(&stage->budget.miss[BUDGET_WAIT][BUDGET_BACKLOG]), 1);
}

/* On a thread that does not decide; on one that does, decide has read the clock just before. */
static void what_a_thread_lost_before_it_sent_is_no_work(void **state)
{
    struct bed *bed = *state;
    struct egress_stage *stage = &bed->stage;
    struct slot *none = NULL;
    for (uint32_t decides = 0; decides < 2; decides++) {
        struct gap gap = {.last_ns = NOW_NS - 30 * NS_PER_MS};
        stage->gap = &gap;
        stage->hand = decides ? &none : NULL;
        assert_int_equal(send_all(stage), 0);
        assert_int_equal(count_read(&gap.over[0]), 0);
        offer(stage->normal, 1, 7);
        assert_int_equal(send_all(stage), 1);
        assert_int_equal(count_read(&gap.over[2]), 1);
        assert_int_equal(count_read(&gap.working[2]), decides);
    }
    stage->gap = NULL;
}

static void a_late_lease_of_the_slot_in_hand_is_blamed_by_it(void **state)
{
    struct bed *bed = *state;
    struct egress_stage *stage = &bed->stage;
    struct slot slot = {.sequence = 5, .kind = SLOT_REPORT, .t_receive_ns = NOW_NS - 65 * NS_PER_MS,
                        .stage_ns = {[STAGE_DECODED] = 64 * NS_PER_MS, [STAGE_SEQUENCED] = 64 * NS_PER_MS,
                                     [STAGE_DECIDED] = 64 * NS_PER_MS}};
    struct slot *hand = &slot;
    stage->hand = &hand;
    budget_set(&stage->budget, 64 * NS_PER_MS);
    struct egress *record = spsc_claim(stage->normal);
    *record = (struct egress){.kind = FRAME_LEASE, .slot_sequence = 5, .t_receive_ns = slot.t_receive_ns};
    spsc_publish(stage->normal);
    assert_int_equal(send_all(stage), 1);
    assert_int_equal(count_read(&stage->budget.miss[BUDGET_ADMIT][BUDGET_WORK]), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define BED(name) cmocka_unit_test_setup_teardown(name, make_bed, drop_bed)
        BED(emergencies_leave_first_and_sequences_ascend),
        BED(emergency_overtakes_what_waits),
        BED(first_leases_of_an_emergency_do_not_wait_for_the_rest),
        BED(ramps_of_its_type_are_told_with_every_lease),
        BED(lease_arrives_whole_at_the_address_of_its_host),
        BED(claim_leaves_as_a_claim),
        BED(an_answer_to_a_request_for_power_leaves_as_such),
        BED(refused_transmits_come_back_as_input),
        BED(host_without_a_known_mac_comes_back_too),
        BED(what_arp_tells_is_the_last_resort),
        BED(where_the_kernel_finds_the_way_no_mac_is_needed),
        BED(nothing_is_taken_that_could_not_come_back),
        BED(outside_enforce_nothing_is_sent),
        BED(a_lease_that_leaves_late_is_a_miss_unless_its_slot_was_one),
        BED(what_a_thread_lost_before_it_sent_is_no_work),
        BED(a_late_lease_of_the_slot_in_hand_is_blamed_by_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
