/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stamps of frames tell the lane: on a card's clock that is made up, and on the kernel's own stamps of
 * real datagrams, found by a poller that is held up for 30 ms between two polls.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "frames.h"
#include "rig.h"

#define NOW_NS (INT64_C(1000) * NS_PER_S)
#define CARD_NS INT64_C(777)            /* of the made-up clock at NOW_NS */
#define HELD_NS (30 * NS_PER_MS)
enum { FRAME_ROOM = 2048, OWN = 0x7f000001, PEER = 0x7f000002, OUR_PORT = 7002, PEER_PORT = 7003,
       METER = 2, EXCHANGES = 10, TRIES = 1000 };

struct bed {
    struct rig_site site;
    struct timebase base;
    struct view view;
    struct seqlock meter[RIG_METERS], stale[RIG_METERS];
    struct meter_names names;
    uint32_t places[64];
    struct replay_window meter_window[RIG_METERS];
    struct age age[RIG_METERS];
    struct lane lane;
    struct frames_from from;
    uint8_t room[FRAME_ROOM];
    struct port_frame frame;
    /* a card: what it gives at the next poll, and how far its clock was set */
    struct port card;
    uint32_t next;
    uint32_t bare;              /* the last so many have no stamp */
    int64_t set_ns;
    bool dead;
    /* the kernel's */
    struct port port;
    int peer;
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
    bed.from = (struct frames_from){.sequence = 1,
        .from = {.mac = {2, 0, 0, 0, 0, 9}, .ipv4 = PEER, .port = PEER_PORT},
        .to = {.mac = {2, 0, 0, 0, 0, 1}, .ipv4 = OWN, .port = OUR_PORT}};
    bed.lane = (struct lane){.model = &bed.site.model, .base = &bed.base, .names = &bed.names,
                             .local = bed.from.to, .view = &bed.view, .kinds = 1U << FRAME_MEASUREMENT,
                             .out = rig_queue(SLOT_BYTES, RIG_PLACES), .meter_window = bed.meter_window,
                             .age = bed.age, .host_address = bed.site.address, .emptied = true};
    budget_set(&bed.lane.budget, 64 * NS_PER_MS);
    *state = &bed;
    return 0;
}

static int drop_bed(void **state)
{
    struct bed *bed = *state;
    rig_queue_drop(bed->lane.out);
    return 0;
}

/* ---- a card ---- */

static uint32_t card_receive(struct port *port, uint32_t queue, struct port_frame *frame, uint32_t count)
{
    struct bed *bed = port->state;
    (void)queue;
    assert_true(bed->next <= count);
    for (uint32_t i = 0; i < bed->next; i++) {
        frame[i] = bed->frame;
        if (i + bed->bare >= bed->next)
            frame[i].flags &= (uint16_t)~FRAME_STAMPED;
    }
    return bed->next;
}

static bool card_clock(const struct port *port, int64_t *clock_ns)
{
    const struct bed *bed = port->state;
    *clock_ns = CARD_NS + bed->base.shift_ns - NOW_NS + bed->set_ns;
    return !bed->dead;
}

static const struct port_driver card_driver = {.receive = card_receive, .clock = card_clock};

/* A poll at that time; what it finds was stamped at the other, by a clock that was set since then or not. */
static int64_t poll_at(struct bed *bed, int64_t at_ns, uint32_t found, int64_t stamped_ns)
{
    bed->next = found;
    bed->frame = frames_measurement(bed->room, &bed->from, "m-2", NOW_NS + at_ns);
    bed->frame.flags |= FRAME_STAMPED;
    bed->frame.stamp_ns = CARD_NS + stamped_ns;
    bed->from.sequence++;
    rig_clock_set(&bed->base, NOW_NS + at_ns);
    assert_int_equal(lane_burst(&bed->lane), found);
    while (spsc_peek(bed->lane.out))
        spsc_release(bed->lane.out);
    return bed->lane.within_ns;
}

/* Until the clock is believed, 2 s after the start. */
static int64_t settle(struct bed *bed)
{
    bed->card = (struct port){.driver = &card_driver, .state = bed, .stamps = STAMPS_CARD};
    bed->lane.port = &bed->card;
    bed->lane.t_poll_ns = bed->lane.t_empty_ns = NOW_NS - 1000;
    int64_t at_ns = 0;
    for (; at_ns < 2 * NS_PER_S; at_ns += NS_PER_MS)
        poll_at(bed, at_ns, 1, at_ns);
    return at_ns;
}

static uint64_t counted(const count_t *count)
{
    return count_read(count);
}

static void a_stamp_narrows_what_the_polls_leave_open(void **state)
{
    struct bed *bed = *state;
    struct lane_counters *counters = &bed->lane.counters;
    struct view_meter meter;
    int64_t at_ns = settle(bed), half_ns = HELD_NS / 2;
    uint64_t stamped = counted(&counters->stamped), narrow = counted(&counters->stamps_narrow);
    assert_int_equal(stamped, 2000);
    assert_in_range(counted(&counters->stamps_unsure), 1000, 1003);
    assert_in_range(narrow, 2000 - 1003, 2000 - 1000);
    poll_at(bed, at_ns, 0, 0);
    int64_t within_ns = poll_at(bed, at_ns + HELD_NS, 1, at_ns + half_ns);
    assert_in_range(within_ns, half_ns, half_ns + half_ns / 512 + 2 * (HELD_NS + 2 * NS_PER_MS) / 512);
    assert_int_equal(bed->lane.waited, within_ns / NS_PER_MS);
    assert_true(view_read_meter(&bed->view, METER, &meter));
    assert_int_equal(counted(&counters->stamps_narrow), narrow + 1);
    /* on its way up when the queue was last seen empty: no more than the poll says */
    at_ns += HELD_NS;
    poll_at(bed, at_ns + 1000, 0, 0);
    within_ns = poll_at(bed, at_ns + HELD_NS, 1, at_ns - NS_PER_MS);
    assert_int_equal(within_ns, HELD_NS);
    assert_int_equal(bed->lane.waited, 30);
    assert_int_equal(counted(&counters->stamps_narrow), narrow + 1);
    assert_int_equal(counted(&counters->stamps_late), 0);
}

static void a_stamp_that_cannot_be_is_not_believed_and_counted(void **state)
{
    struct bed *bed = *state;
    struct lane_counters *counters = &bed->lane.counters;
    int64_t at_ns = settle(bed);
    uint64_t unsure = counted(&counters->stamps_unsure);
    poll_at(bed, at_ns, 0, 0);
    assert_int_equal(poll_at(bed, at_ns + HELD_NS, 3, at_ns + HELD_NS + 1), HELD_NS + NS_PER_MS);
    assert_int_equal(counted(&counters->stamps_late), 3);
    assert_int_equal(counted(&counters->stamps_unsure), unsure);
}

/* Ahead or back between the stamp and the poll: told by the clock as it is now the stamp would lie in the
 * interval, and wrong. */
static void a_clock_that_was_set_in_between_tells_nothing(void **state)
{
    static const int64_t set[] = {10 * NS_PER_MS, -10 * NS_PER_MS, NS_PER_S, -37 * NS_PER_S};
    for (uint32_t i = 0; i < sizeof set / sizeof set[0]; i++) {
        drop_bed(state);
        make_bed(state);
        struct bed *bed = *state;
        int64_t at_ns = settle(bed);
        uint64_t unsure = counted(&bed->lane.counters.stamps_unsure);
        poll_at(bed, at_ns, 0, 0);
        bed->set_ns = set[i];
        assert_int_equal(poll_at(bed, at_ns + HELD_NS, 1, at_ns + HELD_NS / 2), HELD_NS + NS_PER_MS);
        assert_int_equal(counted(&bed->lane.counters.stamps_unsure), unsure + 1);
    }
}

static void a_clock_that_cannot_be_read_any_more_tells_nothing(void **state)
{
    struct bed *bed = *state;
    int64_t at_ns = settle(bed);
    poll_at(bed, at_ns, 0, 0);
    bed->dead = true;
    assert_int_equal(poll_at(bed, at_ns + HELD_NS, 1, at_ns + HELD_NS / 2), HELD_NS + NS_PER_MS);
    assert_true(stamps_know_nothing(&bed->lane.stamps));
}

/* A frame beside one with a stamp has what the polls say, not what the other's stamp says. */
static void a_frame_without_a_stamp_goes_by_the_polls(void **state)
{
    struct bed *bed = *state;
    int64_t at_ns = settle(bed);
    poll_at(bed, at_ns, 0, 0);
    uint64_t stamped = counted(&bed->lane.counters.stamped);
    int64_t within_ns = poll_at(bed, at_ns + HELD_NS, 1, at_ns + HELD_NS - NS_PER_MS);
    assert_true(within_ns < 2 * NS_PER_MS);
    bed->bare = 1;
    at_ns += 2 * HELD_NS;
    assert_int_equal(poll_at(bed, at_ns, 2, at_ns - NS_PER_MS), 2 * HELD_NS);
    assert_int_equal(bed->lane.waited, 60);
    assert_int_equal(counted(&bed->lane.counters.stamped), stamped + 2);
}

/* ---- the kernel ---- */

static bool loopback_of_our_own(void)
{
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
        return false;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool up = fd >= 0 && !ioctl(fd, SIOCSIFFLAGS, &lo);
    close(fd);
    return up;
}

static int open_port(struct bed *bed, uint8_t stamps)
{
    const struct port_config config = {.driver = "uring", .interface = "lo", .ipv4 = OWN, .udp = OUR_PORT,
                                       .mtu = 1500, .ring_frames = 64, .queues = 1, .stamps = stamps};
    const struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(PEER_PORT),
                                     .sin_addr.s_addr = htonl(PEER)},
                             there = {.sin_family = AF_INET, .sin_port = htons(OUR_PORT),
                                      .sin_addr.s_addr = htonl(OWN)};
    bed->peer = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind(bed->peer, (const struct sockaddr *)&here, sizeof here) ||
        connect(bed->peer, (const struct sockaddr *)&there, sizeof there))
        return -1;
    int rc = port_open(&bed->port, &config);
    if (rc)
        print_error("%s\n", bed->port.error);
    else
        rc = port_attach(&bed->port, 0);
    (void)timebase_init(&bed->base);
    memcpy(bed->lane.local.mac, bed->port.mac, sizeof bed->port.mac);
    bed->lane.port = &bed->port;
    bed->lane.t_poll_ns = bed->lane.t_empty_ns = timebase_now_ns(&bed->base);
    return rc;
}

static void wait_ns(int64_t ns)
{
    nanosleep(&(struct timespec){.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S}, NULL);
}

struct found { int64_t sent_ns, poll_ns, within_ns; };

/* Sent near the end of a hold; the queue was seen empty before it. */
static struct found exchange(struct bed *bed)
{
    struct found found;
    for (int i = 0; i < 2; i++)
        while (lane_burst(&bed->lane))
            continue;
    wait_ns(HELD_NS - 5 * NS_PER_MS);
    found.sent_ns = timebase_now_ns(&bed->base);
    bed->frame = frames_measurement(bed->room, &bed->from, "m-2", found.sent_ns);
    bed->from.sequence++;
    size_t payload = bed->frame.length - 42;
    assert_int_equal(send(bed->peer, bed->frame.data + 42, payload, 0), payload);
    wait_ns(5 * NS_PER_MS);
    for (int polls = 0; !lane_burst(&bed->lane); polls++)
        assert_true(polls < 100000000);
    while (spsc_peek(bed->lane.out))
        spsc_release(bed->lane.out);
    found.poll_ns = bed->lane.t_poll_ns;
    found.within_ns = bed->lane.within_ns;
    return found;
}

static void real_frames(struct bed *bed, uint8_t stamps)
{
    struct lane_counters *counters = &bed->lane.counters;
    uint32_t narrow = 0, told = 0, tries = 0;
    int64_t widest_ns = 0;
    assert_int_equal(open_port(bed, stamps), 0);
    for (; told < EXCHANGES && tries < TRIES; tries++) {
        uint64_t before = counted(&counters->stamps_narrow);
        struct found found = exchange(bed);
        int64_t since_ns = found.poll_ns - found.sent_ns;
        narrow = counted(&counters->stamps_narrow) > before;
        told += narrow || !stamps;
        if (narrow) {       /* no earlier than it was sent, but for what may be wrong */
            assert_true(found.within_ns <= since_ns + since_ns / 512 + 100000);
            widest_ns = found.within_ns > widest_ns ? found.within_ns : widest_ns;
        } else {
            assert_true(found.within_ns >= HELD_NS - NS_PER_MS);
        }
    }
    print_message("%u of %u told, the widest %lld us\n", told, tries, (long long)(widest_ns / 1000));
    assert_int_equal(told, EXCHANGES);
    assert_int_equal(counted(&counters->frames),
                     counted(&counters->accepted) + counted(&counters->refused[REFUSED_STALE]));
    assert_int_equal(counted(&counters->stamps_late), 0);
    assert_true(stamps ? counted(&counters->stamped) >= EXCHANGES : !counted(&counters->stamped));
    port_close(&bed->port);
    close(bed->peer);
}

static void a_held_up_poller_knows_when_real_datagrams_came(void **state)
{
    if (!loopback_of_our_own()) {
        print_message("skipped: no network namespace of its own\n");
        skip();
    }
    real_frames(*state, STAMPS_KERNEL);
    drop_bed(state);
    make_bed(state);
    real_frames(*state, STAMPS_OFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define BED(name) cmocka_unit_test_setup_teardown(name, make_bed, drop_bed)
        BED(a_stamp_narrows_what_the_polls_leave_open),
        BED(a_stamp_that_cannot_be_is_not_believed_and_counted),
        BED(a_clock_that_was_set_in_between_tells_nothing),
        BED(a_clock_that_cannot_be_read_any_more_tells_nothing),
        BED(a_frame_without_a_stamp_goes_by_the_polls),
        BED(a_held_up_poller_knows_when_real_datagrams_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
