/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meter datagram sent -> leases of 16 hosts, cut by an emergency, received; against a bare echo of 16 frames
 * of the same size from the same port, packet by packet in turn, in one process, over one veth. Between two
 * emergencies the branch is measured low, time is skipped, and the hosts report until they are raised again.
 */
#include <arpa/inet.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/report.h"
#include "bench/rtt_side.h"
#include "loop/loop.h"
#include "rt/thread.h"
#include "rt/throttle.h"

enum { CLIENT_CORE = 0, CLIENT_PRIORITY = 70, GAP_US = 150, WARM_ROUNDS = 200, WARM_REPORTS = 12 };
#define DANGER_A 260.0
#define CALM_A 60.0

static const uint8_t peer_mac[6] = {0x02, 0xf1, 0xba, 0x11, 0x01, 0x02};   /* tools/net */

struct side {
    struct histogram first, last;
    uint64_t lost;
};

struct bench {
    struct site site;
    struct loop loop;
    struct port real;           /* the loop's own port, behind the echo */
    struct rtt_echo echo;
    struct rtt_client client;
    struct rtt_keys keys;
    bool auth;                  /* frames carry tags, both ways */
    struct side full, bare;
    char suffix[8], netns[32];  /* of the network this run makes for itself */
    struct port_statistics port_end;    /* of the real port, after the last round */
    uint64_t not_raised;        /* rounds in which a host had nothing to be cut from */
    uint64_t lost_not_raised;   /* of them, those without 16 leases: there was no emergency to answer */
};

static volatile sig_atomic_t told_to_stop;     /* the network this run made is taken away all the same */

static void stop(int number)
{
    told_to_stop = number;
}

static bool cut_off(const struct bench *bench)
{
    return told_to_stop || bench->client.cut_off;
}

static void gap(void)
{
    const struct timespec time = {.tv_nsec = GAP_US * 1000};
    nanosleep(&time, NULL);
}

static bool all_report(struct rtt_client *client)
{
    int64_t first_ns, last_ns;
    bool all = true;
    for (uint32_t host = 0; host < RTT_HOSTS; host++) {
        rtt_send_report(client, host);
        all &= rtt_await(client, false, 1, &first_ns, &last_ns);
    }
    return all;
}

static void calm_down(struct rtt_client *client)
{
    rtt_send_reading(client, CALM_A);
    rtt_skip(client, 1050 * NS_PER_MS);
    rtt_send_reading(client, CALM_A);
    rtt_skip(client, 120 * NS_PER_MS);
    all_report(client);
    rtt_skip(client, 25 * NS_PER_MS);       /* a tick: everyone is raised */
    rtt_drain(client, GAP_US * 1000);
}

static bool all_raised(const struct rtt_client *client)
{
    for (uint32_t host = 0; host < RTT_HOSTS; host++)
        if (client->newest[host].cap_mw < 7000000)
            return false;
    return true;
}

static void measure(struct bench *bench, struct side *side, bool full)
{
    int64_t first_ns, last_ns;
    int64_t sent_ns = full ? rtt_send_reading(&bench->client, DANGER_A) : rtt_send_echo(&bench->client);
    if (!rtt_await(&bench->client, !full, RTT_HOSTS, &first_ns, &last_ns)) {
        side->lost++;
        return;
    }
    histogram_record(&side->first, (uint64_t)(first_ns - sent_ns));
    histogram_record(&side->last, (uint64_t)(last_ns - sent_ns));
}

static void run_rounds(struct bench *bench, uint32_t rounds)
{
    for (uint32_t i = 0; i < rounds && !cut_off(bench); i++) {
        gap();
        bool raised = all_raised(&bench->client);
        uint64_t lost = bench->full.lost;
        measure(bench, &bench->full, true);
        bench->not_raised += !raised;
        bench->lost_not_raised += raised ? 0 : bench->full.lost - lost;
        calm_down(&bench->client);
        gap();
        measure(bench, &bench->bare, false);
    }
}

static bool warm_up(struct bench *bench)
{
    for (int i = 0; i < WARM_REPORTS; i++) {
        all_report(&bench->client);
        rtt_send_reading(&bench->client, CALM_A);
        rtt_drain(&bench->client, GAP_US * 1000);
        rtt_skip(&bench->client, 50 * NS_PER_MS);
    }
    if (!cut_off(bench) && !all_raised(&bench->client)) {
        fprintf(stderr, "rtt: the hosts were not leased after the warm-up\n");
        return false;
    }
    run_rounds(bench, WARM_ROUNDS);
    memset(&bench->full, 0, sizeof bench->full);
    memset(&bench->bare, 0, sizeof bench->bare);
    bench->not_raised = bench->lost_not_raised = 0;
    return true;
}

static void print_part(struct bench_report *report, const char *key, const struct histogram *full,
                       const struct histogram *bare)
{
    static const struct { const char *ratio, *full, *bare; double q; } row[] = {
        {"ratio_p50", "full_us_p50", "echo_us_p50", 0.5},
        {"ratio_p99", "full_us_p99", "echo_us_p99", 0.99},
        {"ratio_p999", "full_us_p999", "echo_us_p999", 0.999},
    };
    bench_open(report, key);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        double full_us = (double)histogram_quantile(full, row[i].q) / 1e3,
               bare_us = (double)histogram_quantile(bare, row[i].q) / 1e3;
        bench_number(report, row[i].ratio, full_us / bare_us);
        bench_number(report, row[i].full, full_us);
        bench_number(report, row[i].bare, bare_us);
    }
    bench_number(report, "full_us_max", (double)full->max_ns / 1e3);
    bench_number(report, "echo_us_max", (double)bare->max_ns / 1e3);
    bench_histogram(report, "full_ns", full);
    bench_histogram(report, "echo_ns", bare);
    bench_close(report);
}

static void print_all(const struct bench *bench, bool json, int64_t start_ns)
{
    struct bench_report report;
    bench_begin(&report, json, "rtt");
    bench_text(&report, "driver", bench->site.server.port[0].driver);
    bench_text(&report, "tags", bench->auth ? "both ways" : "none");
    bench_count(&report, "seed", 0);   /* nothing here is random */
    bench_count(&report, "n", bench->full.first.count);
    bench_count(&report, "lost_full", bench->full.lost);
    bench_count(&report, "lost_echo", bench->bare.lost);
    bench_count(&report, "not_raised", bench->not_raised);
    bench_count(&report, "lost_not_raised", bench->lost_not_raised);
    bench_count(&report, "answer_bytes", bench->client.lease_bytes);
    bench_count(&report, "emergencies", core_counters(bench->loop.core)->emergencies);
    bench_count(&report, "port_lost", bench->port_end.lost);
    bench_count(&report, "port_refused", bench->port_end.refused);
    bench_count(&report, "port_receive_errors", bench->port_end.receive_errors);
    bench_count(&report, "port_send_errors", bench->port_end.send_errors);
    print_part(&report, "first", &bench->full.first, &bench->bare.first);
    print_part(&report, "last", &bench->full.last, &bench->bare.last);
    bench_number(&report, "duration_s", (double)(bench_now_ns() - start_ns) / 1e9);
    bench_end(&report);
}

/* A veth pair and a namespace of this run's own, made and taken away by tools/net. */
static int network(struct bench *bench, const char *verb)
{
    char command[512];
    snprintf(command, sizeof command, "'%s/tools/net' %s %s >/dev/null", BENCH_SOURCE, verb, bench->suffix);
    return system(command);
}

/* A driver for datagrams needs the kernel to own its address: in a network namespace of this run's own, since
 * the kernel would answer for it at every other. */
static int own_namespace(const struct bench *bench)
{
    const struct port_driver *driver = port_find_driver(bench->site.server.port[0].driver);
    return driver && driver->kind == PORT_DATAGRAMS ? unshare(CLONE_NEWNET) : 0;
}

static int own_address(const struct bench *bench)
{
    const struct site_port *port = &bench->site.server.port[0];
    const struct port_driver *driver = port_find_driver(port->driver);
    const struct in_addr address = {.s_addr = htonl(port->own.ipv4)};
    char command[512], text[INET_ADDRSTRLEN] = "";
    if (!driver || driver->kind != PORT_DATAGRAMS)
        return 0;
    inet_ntop(AF_INET, &address, text, sizeof text);
    snprintf(command, sizeof command, "ip address add %s/24 dev %s", text, port->interface);
    return system(command);
}

static int network_up(struct bench *bench)
{
    snprintf(bench->suffix, sizeof bench->suffix, "%04x", (unsigned)getpid() & 0xffff);
    snprintf(bench->netns, sizeof bench->netns, "flyball-hosts-%s", bench->suffix);
    snprintf(bench->site.server.port[0].interface, sizeof bench->site.server.port[0].interface,
             "fb-hosts-%s", bench->suffix);
    return network(bench, "up") || own_address(bench);
}

static int open_all(struct bench *bench, const char *path, const char *driver)
{
    struct site_port *port = &bench->site.server.port[0];
    if (site_load(&bench->site, path, NULL, stderr))
        return 4;
    if (driver)
        snprintf(port->driver, sizeof port->driver, "%s", driver);
    if (bench->auth && rtt_keys_open(&bench->keys, &bench->site)) {
        fprintf(stderr, "rtt: no keys in %s\n", bench->keys.path);
        return 3;
    }
    if (own_namespace(bench) || network_up(bench)) {
        fprintf(stderr, "rtt: no network: tools/net up %s failed\n", bench->suffix);
        return 3;
    }
    struct loop_options options = {.journal = "", .door = ""};
    if (loop_build(&bench->loop, &bench->site, &options)) {
        fprintf(stderr, "rtt: %s\n", bench->loop.error);
        return 3;
    }
    bench->real = bench->loop.port[0];
    rtt_echo_open(&bench->echo, &bench->real, &bench->loop.base);
    bench->loop.port[0] = bench->echo.port;
    if (rtt_client_open(&bench->client, bench->netns, &bench->site, &bench->keys)) {
        fprintf(stderr, "rtt: no socket in network namespace %s\n", bench->netns);
        return 3;
    }
    return 0;
}

static int run(struct bench *bench, uint32_t rounds, bool json)
{
    struct rt_throttle throttle = {.lifeline = -1};
    int64_t start_ns = bench_now_ns();
    rt_throttle_lift(&throttle, RT_THROTTLE_FILE);
    if (loop_start(&bench->loop, stderr)) {
        fprintf(stderr, "rtt: %s\n", bench->loop.error);
        return 3;
    }
    rt_pin(CLIENT_CORE);
    rt_fifo(CLIENT_PRIORITY);
    all_report(&bench->client);
    /* the answers of both sides carry the same bytes, now that a lease has been seen */
    rtt_echo_answers(&bench->echo, &bench->site, peer_mac, bench->client.lease_bytes);
    bool warm = warm_up(bench);
    if (warm)
        run_rounds(bench, rounds);
    warm = warm && !cut_off(bench);
    loop_stop(&bench->loop);
    port_statistics(&bench->real, &bench->port_end);
    rt_throttle_restore(&throttle);
    if (warm)
        print_all(bench, json, start_ns);
    if (bench->full.lost)
        fprintf(stderr, "rtt: %llu readings were not answered\n", (unsigned long long)bench->full.lost);
    return warm && bench->full.lost == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    static struct bench bench;
    uint32_t rounds = 20000;
    bool json = false;
    const char *site = BENCH_SOURCE "/bench/rtt.yaml", *driver = NULL;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--json"))
            json = true;
        else if (!strcmp(argv[i], "--auth"))
            bench.auth = true;
        else if (!strcmp(argv[i], "--rounds") && i + 1 < argc)
            rounds = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--site") && i + 1 < argc)
            site = argv[++i];
        else if (!strcmp(argv[i], "--driver") && i + 1 < argc)
            driver = argv[++i];
        else
            return fprintf(
                       stderr,
                       "usage: rtt [--json] [--auth] [--rounds N] [--driver NAME] [--site FILE]; as root\n"),
                   2;
    }
    if (geteuid() != 0)
        return fprintf(stderr, "rtt: skipped: needs root for namespaces and AF_PACKET\n"), 77;
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    int result = open_all(&bench, site, driver);
    if (!result)
        result = run(&bench, rounds, json);
    if (bench.real.driver)
        bench.loop.port[0] = bench.real;
    loop_close(&bench.loop);
    rtt_keys_close(&bench.keys);
    if (bench.suffix[0])
        network(&bench, "down");
    return result;
}
