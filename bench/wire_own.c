/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sender's side of bench/wire: a meter's datagram that calls an emergency, and the first lease that cuts
 * a host for it, tags on both, again and again; by the kernel's stamps of the sender's own socket (frame
 * handed to the interface, frame taken from it), and by its own clock around the calls.
 *
 * Nothing spins in real time: probes are armed meanwhile (docs/latency.md, Before it is armed).
 *
 * usage: wire_own SUFFIX, until SIGTERM; SUFFIX names the network that it makes. Says "ready" on standard
 * error, and prints {"commit": ..., "rows": [[MONOTONIC before, wire ns, own ns], ...]}.
 */
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench_commit.h"
#include "bench/alone.h"
#include "bench/report.h"
#include "bench/rtt_stamp.h"
#include "rt/thread.h"

enum { CLIENT_CORE = 0, OUTPUT_BYTES = 16 << 20, LIMIT_S = 120,
       TX = SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_OPT_TSONLY };

static volatile sig_atomic_t told_to_stop;

static void stop(int number)
{
    told_to_stop = number;
}

static int64_t nanoseconds(const struct timespec *time)
{
    return time->tv_sec * NS_PER_S + time->tv_nsec;
}

/* With SOF_TIMESTAMPING_SOFTWARE stamps of what was received come beside the datagram, which the client does
 * not ask for; without it the socket keeps the newest, but hands out none of what was sent. */
static void show_sent(int socket, bool on)
{
    const int flags = TX | (on ? SOF_TIMESTAMPING_SOFTWARE : 0);
    if (setsockopt(socket, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof flags))
        perror("wire_own: SO_TIMESTAMPING");
}

/* Of the datagram that was taken last; 0 = none. */
static int64_t received_ns(int socket)
{
    struct timespec stamp;
    return ioctl(socket, SIOCGSTAMPNS, &stamp) ? 0 : nanoseconds(&stamp);
}

static void turn(struct rtt_stand *stand, uint64_t *printed)
{
    struct rtt_client *client = &stand->client;
    int64_t first_ns, last_ns;
    rtt_gap();
    rtt_newest_sent_ns(client->socket);
    int64_t before_ns = rtt_send_reading(client, RTT_DANGER_A);
    bool answered = rtt_await(client, false, 1, &first_ns, &last_ns);
    int64_t came_ns = received_ns(client->socket);
    answered = answered && rtt_await(client, false, RTT_HOSTS - 1, &last_ns, &last_ns);
    show_sent(client->socket, true);
    int64_t sent_ns = rtt_newest_sent_ns(client->socket);
    show_sent(client->socket, false);
    if (answered && came_ns && sent_ns)
        printf("%s[%lld, %lld, %lld]", (*printed)++ ? ",\n" : "", (long long)before_ns,
               (long long)(came_ns - sent_ns), (long long)(first_ns - before_ns));
    rtt_calm_down(client);
}

static int run(struct rtt_stand *stand)
{
    uint64_t printed = 0;
    int result = rtt_stand_start(stand);
    if (result)
        return result;
    rt_pin(CLIENT_CORE);
    if (rtt_warm_up(stand))
        return fprintf(stderr, "wire_own: the hosts were not leased after the warm-up\n"), 1;
    show_sent(stand->client.socket, false);
    received_ns(stand->client.socket);      /* the first call asks for stamps */
    fprintf(stderr, "ready\n");
    printf("{\"commit\": \"%s\", \"rows\": [", BENCH_COMMIT);
    while (!rtt_stand_cut_off(stand))
        turn(stand, &printed);
    printf("]}\n");
    return 0;
}

int main(int argc, char **argv)
{
    static struct rtt_stand stand = {.site_path = BENCH_SOURCE "/bench/rtt.yaml", .auth = true,
                                     .told_to_stop = &told_to_stop};
    if (argc != 2 || strlen(argv[1]) >= sizeof stand.suffix)
        return fprintf(stderr, "usage: wire_own SUFFIX; as root\n"), 2;
    strcpy(stand.suffix, argv[1]);
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    setvbuf(stdout, NULL, _IOFBF, OUTPUT_BYTES);    /* who watches reads it at the end */
    int result = bench_alone("wire_own", LIMIT_S);
    if (result)
        return fprintf(stderr, "wire_own: %s\n", strerror(-result)), 3;
    result = rtt_stand_open(&stand);
    stand.site.server.priority = 0;
    if (!result)
        result = run(&stand);
    if (stand.error[0])
        fprintf(stderr, "wire_own: %s\n", stand.error);
    rtt_stand_stop(&stand);
    rtt_stand_close(&stand);
    return result;
}
