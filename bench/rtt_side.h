/* SPDX-License-Identifier: Apache-2.0 */
/* The two sides of bench/rtt beside the daemon: an echo inside its port, and a client that plays one meter
 * and 16 hosts. */
#ifndef FLYBALL_BENCH_RTT_SIDE_H
#define FLYBALL_BENCH_RTT_SIDE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "auth/watch.h"
#include "loop/hot.h"
#include "msg/lease.h"
#include "port/port.h"
#include "port/ip/udp.h"
#include "site/site.h"
#include "time/timebase.h"

enum { RTT_HOSTS = 16, RTT_DATAGRAM_MAX = 512 };

/* Datagrams to the echo start with one of these letters; flyball's own start with the frame magic. An answer
 * starts with RTT_ECHO: 16 of them to RTT_ECHO, one to the others. */
enum { RTT_ECHO = 'E', RTT_ECHO_ONE = 'e', RTT_SKIP = 'S' };

/* A datagram that asks for one echo carries a number there, and behind it its complement, so that it changes
 * no checksum: the answer has both in the same place. */
enum { RTT_NUMBER_AT = 2, RTT_NUMBER_BYTES = 8 };

/* What the wrapper does when the lane asks it for frames: hands them on; lets the thread sleep, and the core
 * is free; or stays and answers echoes without ever going back to the lane. The loop does not notice the
 * last two: the time that they take is taken out of its clock. */
enum rtt_mode { RTT_RUN, RTT_PARK, RTT_BARE };

/* A port that wraps the real one: echoes and skips are answered as they are received, everything else goes
 * on to the lane. */
struct rtt_echo {
    struct port port;           /* what the lane sees */
    struct port_driver driver;  /* its: of the real one's kind */
    struct port *real;
    struct timebase *base;      /* a skip moves it: the hot thread itself does that */
    int64_t skip_ns;            /* asked for, and not done yet */
    bool full;                  /* the newest burst was, before the echo took its own out */
    struct hot *hot;            /* whose watchdog is to look away while it stands still; NULL: nobody's */
    _Atomic uint32_t wanted, present;   /* enum rtt_mode */
    uint64_t parked;            /* times that the loop stood still; the hot thread's */
    int64_t parked_ns;
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

/* From the client's thread: returns when the hot thread is there. The client's time goes on where the loop's
 * does. False when it does not come within a second. */
struct rtt_client;
bool rtt_echo_mode(struct rtt_echo *echo, struct rtt_client *client, enum rtt_mode mode);

/* Of rtt --auth; not open: frames carry no tags. */
struct rtt_keys {
    bool open;
    char path[64];
    struct auth auth;
    struct auth_watch watch;
};

/* setup: a key file with that ending, and the site asks for tags. 0 or -errno. */
int rtt_keys_open(struct rtt_keys *keys, struct site *site, const char *suffix);
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
    uint32_t echo_number;
    struct lease newest[RTT_HOSTS];     /* by host: the lease it obeys */
    uint32_t lease_bytes;       /* of the last lease datagram */
    uint32_t received;          /* leases, since the start */
    uint64_t turns;             /* of reports that it took to raise hosts, since the start */
};

/* setup: a socket inside the network namespace of that name. 0 or -errno. */
int rtt_client_open(struct rtt_client *client, const char *netns, const struct site *site,
                    struct rtt_keys *keys);
void rtt_client_close(struct rtt_client *client);

/* Sends; each returns the time just before. */
int64_t rtt_send_reading(struct rtt_client *client, double amperes);
int64_t rtt_send_echo(struct rtt_client *client);
int64_t rtt_send_echo_one(struct rtt_client *client);
/* The same length, filled with that letter. */
int64_t rtt_send_letter(struct rtt_client *client, uint8_t letter);
/* Time goes on at once by skip_ns, on both sides; waits until what was sent before was dealt with and the
 * skip was answered. */
bool rtt_skip(struct rtt_client *client, int64_t skip_ns);
int64_t rtt_send_report(struct rtt_client *client, uint32_t host);

/* Of the newest report, or of the newest datagram that asked for one echo: numbers of a kind follow each
 * other. */
uint64_t rtt_number(const struct rtt_client *client, bool echoes);

/* Spins until `count` echoes or `count` leases are in, or 200 ms have passed. Leases are obeyed
 * afterwards, also such as came between echoes. False when some are missing. */
bool rtt_await(struct rtt_client *client, bool echoes, uint32_t count, int64_t *first_ns, int64_t *last_ns);

/* One look: true, when, and the number of what it answers, where an echo (or a lease, which is obeyed) was
 * there. */
bool rtt_take(struct rtt_client *client, bool echoes, int64_t *now_ns, uint64_t *number);

/* Takes a datagram in: the number of the report that it answers; 0: it is no lease that can be read. */
uint64_t rtt_obey(struct rtt_client *client, const uint8_t *data, uint32_t bytes);

/* Leases that ticks pushed meanwhile are taken in and obeyed, until nothing comes for quiet_ns. */
void rtt_drain(struct rtt_client *client, int64_t quiet_ns);

#endif
