/* SPDX-License-Identifier: Apache-2.0 */
/* The two sides of bench/rtt beside the daemon: an echo inside its port, and a client that plays one meter
 * and 16 hosts. */
#ifndef FLYBALL_BENCH_RTT_SIDE_H
#define FLYBALL_BENCH_RTT_SIDE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "auth/watch.h"
#include "msg/lease.h"
#include "port/port.h"
#include "port/ip/udp.h"
#include "site/site.h"
#include "time/timebase.h"

enum { RTT_HOSTS = 16, RTT_DATAGRAM_MAX = 512 };

/* Datagrams to the echo start with one of these letters; flyball's own start with the frame magic. */
enum { RTT_ECHO = 'E', RTT_SKIP = 'S' };

/* A port that wraps the real one: echoes and skips are answered as they are received, everything else goes
 * on to the lane. */
struct rtt_echo {
    struct port port;           /* what the lane sees */
    struct port_driver driver;  /* its: of the real one's kind */
    struct port *real;
    struct timebase *base;      /* a skip moves it: the hot thread itself does that */
    uint32_t frames;            /* prepared answers */
    uint8_t data[RTT_HOSTS][RTT_DATAGRAM_MAX];
    struct port_frame answer[RTT_HOSTS];
};

/* setup */
void rtt_echo_open(struct rtt_echo *echo, struct port *real, struct timebase *base);

/* While nothing is echoed: answers of `payload_bytes` to each host's address, headers and checksums made
 * beforehand. */
void rtt_echo_answers(struct rtt_echo *echo, const struct site *site, const uint8_t peer_mac[6],
                      uint32_t payload_bytes);

/* Of rtt --auth; not open: frames carry no tags. */
struct rtt_keys {
    bool open;
    char path[64];
    struct auth auth;
    struct auth_watch watch;
};

/* setup: a key file, and the site asks for tags. 0 or -errno. */
int rtt_keys_open(struct rtt_keys *keys, struct site *site);
void rtt_keys_close(struct rtt_keys *keys);

/* rt: nothing where keys are not open. */
void rtt_keys_seal(struct rtt_keys *keys, bool meter, uint32_t index, uint8_t *data, uint32_t bytes);
bool rtt_keys_true(struct rtt_keys *keys, const uint8_t *data, const struct frame *frame);

struct rtt_client {
    int socket;
    struct rtt_keys *keys;
    bool cut_off;               /* a datagram could not be sent: somebody took the network away */
    uint32_t server_ipv4;       /* host byte order */
    uint16_t server_port;
    const struct site_address *host_address;
    int64_t skipped_ns;
    uint64_t frame_sequence;
    uint64_t report_number;
    struct lease newest[RTT_HOSTS];     /* by host: the lease it obeys */
    uint32_t lease_bytes;       /* of the last lease datagram */
    uint32_t received;          /* leases, since the start */
};

/* setup: a socket inside the network namespace of that name. 0 or -errno. */
int rtt_client_open(struct rtt_client *client, const char *netns, const struct site *site,
                    struct rtt_keys *keys);
void rtt_client_close(struct rtt_client *client);

/* Sends; each returns the time just before. */
int64_t rtt_send_reading(struct rtt_client *client, double amperes);
int64_t rtt_send_echo(struct rtt_client *client);
/* Time goes on at once by skip_ns, on both sides; waits until what was sent before was dealt with and the
 * skip was answered. */
bool rtt_skip(struct rtt_client *client, int64_t skip_ns);
void rtt_send_report(struct rtt_client *client, uint32_t host);

/* Spins until `count` echoes or `count` leases are in, or 200 ms have passed. Leases are obeyed
 * afterwards, also such as came between echoes. False when some are missing. */
bool rtt_await(struct rtt_client *client, bool echoes, uint32_t count, int64_t *first_ns, int64_t *last_ns);

/* Leases that ticks pushed meanwhile are taken in and obeyed, until nothing comes for quiet_ns. */
void rtt_drain(struct rtt_client *client, int64_t quiet_ns);

#endif
