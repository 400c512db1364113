/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "bench/rtt_side.h"

static struct rtt_echo *echo_of(struct port *port)
{
    return port->state;
}

static uint32_t echo_receive(struct port *port, uint32_t queue, struct port_frame *frame, uint32_t count)
{
    struct rtt_echo *echo = echo_of(port);
    uint32_t got = port_receive(echo->real, queue, frame, count), kept = 0;
    for (uint32_t i = 0; i < got; i++) {
        uint8_t letter = frame[i].length > UDP_HEADERS + 8 ? frame[i].data[UDP_HEADERS] : 0;
        if (letter == RTT_ECHO) {
            port_send(echo->real, queue, echo->answer, echo->frames);
        } else if (letter == RTT_SKIP) {
            int64_t skip_ns;
            memcpy(&skip_ns, frame[i].data + UDP_HEADERS + 1, sizeof skip_ns);
            echo->base->shift_ns += skip_ns;
            port_send(echo->real, queue, echo->answer, 1);
        } else {
            frame[kept++] = frame[i];
        }
    }
    return kept;
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
        udp_build(&echo->answer[i], echo->data[i], &from, &to, payload_bytes, 0);
    }
    echo->frames = RTT_HOSTS;
}
