/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bench/rtt_side.h"
#include "rt/clock.h"

#define BEHIND_NS (60 * NS_PER_S)

static struct rtt_echo *echo_of(struct port *port)
{
    return port->state;
}

/* 0: not for the echo. */
static uint8_t letter_of(const struct port_frame *frame)
{
    return frame->length > UDP_HEADERS + RTT_NUMBER_AT + RTT_NUMBER_BYTES ? frame->data[UDP_HEADERS] : 0;
}

/* The answer to one that asks for one carries its number. */
static bool answer(struct rtt_echo *echo, uint32_t queue, const struct port_frame *asked)
{
    uint8_t letter = letter_of(asked);
    if (letter != RTT_ECHO && letter != RTT_ECHO_ONE)
        return false;
    if (letter == RTT_ECHO_ONE)
        memcpy(echo->answer[0].data + UDP_HEADERS + RTT_NUMBER_AT, asked->data + UDP_HEADERS + RTT_NUMBER_AT,
               RTT_NUMBER_BYTES);
    port_send(echo->real, queue, echo->answer, letter == RTT_ECHO ? echo->frames : 1);
    return true;
}

/* acquire, release: what one thread did before it changed the mode is seen by the other behind it. */
static uint32_t wanted(struct rtt_echo *echo)
{
    return atomic_load_explicit(&echo->wanted, memory_order_acquire);
}

static void arrive(struct rtt_echo *echo, uint32_t mode)
{
    atomic_store_explicit(&echo->present, mode, memory_order_release);
}

/* Until what is wanted is no longer `mode`. */
static void sleep_on(struct rtt_echo *echo, uint32_t mode)
{
    syscall(SYS_futex, &echo->wanted, FUTEX_WAIT_PRIVATE, mode, NULL, NULL, 0);
}

static void bare_turn(struct rtt_echo *echo, uint32_t queue)
{
    struct port_frame frame[BURST_MAX];
    uint32_t got = port_receive(echo->real, queue, frame, BURST_MAX);
    for (uint32_t i = 0; i < got; i++)
        answer(echo, queue, &frame[i]);
}

static void tell_watchdog(const struct rtt_echo *echo, int state)
{
    if (echo->hot)
        atomic_store_explicit(&echo->hot->state, state, memory_order_release);
}

/* The hot thread, away from its loop. Cold threads go on meanwhile, and what one of them puts into the total
 * order must not lie ahead of what the hot thread comes back to: that would carry the loop's time with it. So
 * they see it lie behind for as long. */
static void stay(struct rtt_echo *echo, uint32_t queue)
{
    int64_t from_ns = timebase_now_ns(echo->base);
    uint32_t mode;
    tell_watchdog(echo, HOT_STARTING);
    echo->base->shift_ns -= BEHIND_NS;
    while ((mode = wanted(echo)) != RTT_RUN) {
        arrive(echo, mode);
        if (mode == RTT_PARK)
            sleep_on(echo, mode);
        else
            bare_turn(echo, queue);
    }
    int64_t away_ns = timebase_now_ns(echo->base) + BEHIND_NS - from_ns;
    echo->base->shift_ns += BEHIND_NS - away_ns;
    echo->parked_ns += away_ns;
    echo->parked++;
    tell_watchdog(echo, HOT_READY);
    arrive(echo, RTT_RUN);
}

/* Behind everything that came before it: the loop has dealt with that by the next time it asks for frames. */
static void skip(struct rtt_echo *echo, uint32_t queue)
{
    if (!echo->skip_ns)
        return;
    echo->base->shift_ns += echo->skip_ns;
    echo->skip_ns = 0;
    port_send(echo->real, queue, echo->answer, 1);
}

static uint32_t echo_receive(struct port *port, uint32_t queue, struct port_frame *frame, uint32_t count)
{
    struct rtt_echo *echo = echo_of(port);
    skip(echo, queue);
    if (wanted(echo) != RTT_RUN) {
        stay(echo, queue);
        return 0;
    }
    uint32_t got = port_receive(echo->real, queue, frame, count), kept = 0;
    for (uint32_t i = 0; i < got; i++) {
        uint8_t letter = letter_of(&frame[i]);
        if (letter == RTT_SKIP) {
            memcpy(&echo->skip_ns, frame[i].data + UDP_HEADERS + 1, sizeof echo->skip_ns);
        } else if (!answer(echo, queue, &frame[i])) {
            frame[kept++] = frame[i];
        }
    }
    echo->full = got == count;
    return kept;
}

/* What the echo took out of a full burst is missing in it. */
static bool echo_leaves(const struct port *port, uint32_t queue)
{
    const struct rtt_echo *echo = port->state;
    return echo->full || !port_emptied(echo->real, queue);
}

bool rtt_echo_mode(struct rtt_echo *echo, struct rtt_client *client, enum rtt_mode mode)
{
    const struct timespec rest = {.tv_nsec = 20000};
    int64_t give_up_ns = clock_monotonic_ns() + NS_PER_S;
    atomic_store_explicit(&echo->wanted, mode, memory_order_release);
    syscall(SYS_futex, &echo->wanted, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    while (atomic_load_explicit(&echo->present, memory_order_acquire) != (uint32_t)mode) {
        if (clock_monotonic_ns() > give_up_ns)
            return false;
        nanosleep(&rest, NULL);
    }
    client->skipped_ns = echo->base->shift_ns;
    return true;
}

static uint32_t echo_send(struct port *port, uint32_t queue, const struct port_frame *frame, uint32_t count)
{
    return port_send(echo_of(port)->real, queue, frame, count);
}

static int echo_attach(struct port *port, uint32_t queue)
{
    return port_attach(echo_of(port)->real, queue);
}

static void echo_statistics(struct port *port, struct port_statistics *statistics)
{
    port_statistics(echo_of(port)->real, statistics);
}

static void echo_close(struct port *port)
{
    (void)port;                 /* the owner takes the real port back and closes that */
}

static int echo_link(struct port *port)
{
    const struct rtt_echo *echo = port->state;
    return port_link(echo->real);
}

static const struct port_driver echo_driver = {
    .name = "echo",
    .summary = "the bench's wrapper around a real port",
    .attach = echo_attach,
    .receive = echo_receive,
    .leaves = echo_leaves,
    .send = echo_send,
    .statistics = echo_statistics,
    .link = echo_link,
    .close = echo_close,
};

void rtt_echo_open(struct rtt_echo *echo, struct port *real, struct timebase *base)
{
    *echo = (struct rtt_echo){.port = *real, .real = real, .base = base};
    echo->driver = echo_driver;
    echo->driver.kind = real->driver->kind;
    echo->port.driver = &echo->driver;
    echo->port.state = echo;
}

void rtt_echo_answers(struct rtt_echo *echo, const struct site *site, const uint8_t peer_mac[6],
                      uint32_t payload_bytes)
{
    const struct site_address *own = &site->server.port[0].own;
    struct endpoint from = {.ipv4 = own->ipv4, .port = own->port};
    memcpy(from.mac, echo->real->mac, sizeof from.mac);
    for (uint32_t i = 0; i < RTT_HOSTS; i++) {
        struct endpoint to = {.ipv4 = site->host_address[i].ipv4, .port = site->host_address[i].port};
        memcpy(to.mac, peer_mac, sizeof to.mac);
        memset(echo->data[i] + UDP_HEADROOM, RTT_ECHO, payload_bytes);
        uint8_t *number = echo->data[i] + UDP_HEADROOM + RTT_NUMBER_AT;
        memset(number, 0, RTT_NUMBER_BYTES / 2);
        memset(number + RTT_NUMBER_BYTES / 2, 0xff, RTT_NUMBER_BYTES / 2);
        udp_build(&echo->answer[i], echo->data[i], &from, &to, payload_bytes, 0);
    }
    echo->frames = RTT_HOSTS;
}
