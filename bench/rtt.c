/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meter datagram sent -> leases of 16 hosts, cut by an emergency, received; against a bare echo of 16 frames
 * of the same size from the same port, packet by packet in turn, in one process, over one veth. Between two
 * emergencies the branch is measured low, time is skipped, and the hosts report until they are raised again.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/alone.h"
#include "bench/report.h"
#include "bench/rtt_stand.h"
#include "rt/thread.h"
#include "rt/throttle.h"

/* A round takes a millisecond; where each exchange of it is lost, seconds. */
enum { CLIENT_CORE = 0, CLIENT_PRIORITY = 70, WARM_ROUNDS = 200, ROUNDS_PER_S_LEAST = 200, SET_UP_S = 60 };

struct bench {
    struct rtt_stand stand;
    struct rtt_side full, bare;
    struct port_statistics port_end;    /* of the real port, after the last round */
    uint64_t not_raised;        /* rounds in which a host had nothing to be cut from */
    bool ordinary;              /* no real time: to see that it works, not how fast */
    uint64_t turns;             /* of reports, before the first round that counts */
    uint64_t lost_not_raised;   /* of them, those without 16 leases: there was no emergency to answer */
};

static volatile sig_atomic_t told_to_stop;     /* the network this run made is taken away all the same */

static void stop(int number)
{
    told_to_stop = number;
}

static void run_rounds(struct bench *bench, uint32_t rounds)
{
    for (uint32_t i = 0; i < rounds && !rtt_stand_cut_off(&bench->stand); i++) {
        bool raised;
        rtt_gap();
        bool answered = rtt_emergency(&bench->stand, &bench->full, &raised);
        bench->not_raised += !raised;
        bench->lost_not_raised += !raised && !answered;
        rtt_calm_down(&bench->stand.client);
        rtt_gap();
        rtt_bare(&bench->stand, &bench->bare);
    }
}

static bool warm_up(struct bench *bench, uint32_t rounds)
{
    if (rtt_warm_up(&bench->stand)) {
        fprintf(stderr, "rtt: the hosts were not leased after the warm-up\n");
        return false;
    }
    run_rounds(bench, rounds < WARM_ROUNDS ? rounds : WARM_ROUNDS);
    memset(&bench->full, 0, sizeof bench->full);
    memset(&bench->bare, 0, sizeof bench->bare);
    bench->not_raised = bench->lost_not_raised = 0;
    bench->turns = bench->stand.client.turns;
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

static void print_cuts(struct bench_report *report, const struct bench *bench)
{
    double emergencies = bench->full.first.count ? (double)bench->full.first.count : 1;
    bench_count(report, "cut", bench->full.cut);
    bench_number(report, "cut_share", (double)bench->full.cut / emergencies);
    bench_count(report, "not_raised", bench->not_raised);
    bench_count(report, "lost_not_raised", bench->lost_not_raised);
    bench_number(report, "turns_to_raise", (double)(bench->stand.client.turns - bench->turns) / emergencies);
}

static void print_all(const struct bench *bench, bool json, int64_t start_ns)
{
    struct bench_report report;
    bench_begin(&report, json, "rtt");
    bench_text(&report, "driver", bench->stand.site.server.port[0].driver);
    bench_text(&report, "tags", bench->stand.auth ? "both ways" : "none");
    bench_count(&report, "seed", 0);   /* nothing here is random */
    bench_count(&report, "n", bench->full.first.count);
    bench_count(&report, "lost_full", bench->full.lost);
    bench_count(&report, "lost_echo", bench->bare.lost);
    print_cuts(&report, bench);
    bench_count(&report, "answer_bytes", bench->stand.client.lease_bytes);
    bench_count(&report, "emergencies", core_counters(bench->stand.loop.core)->emergencies);
    bench_count(&report, "port_lost", bench->port_end.lost);
    bench_count(&report, "port_refused", bench->port_end.refused);
    bench_count(&report, "port_receive_errors", bench->port_end.receive_errors);
    bench_count(&report, "port_send_errors", bench->port_end.send_errors);
    print_part(&report, "first", &bench->full.first, &bench->bare.first);
    print_part(&report, "last", &bench->full.last, &bench->bare.last);
    bench_number(&report, "duration_s", (double)(bench_now_ns() - start_ns) / 1e9);
    bench_end(&report);
}

static int run(struct bench *bench, uint32_t rounds, bool json)
{
    struct rt_throttle throttle = {0};
    int64_t start_ns = bench_now_ns();
    if (!bench->ordinary)
        rt_throttle_lift(&throttle, RT_THROTTLE_FILE);
    int result = rtt_stand_start(&bench->stand);
    if (result)
        return fprintf(stderr, "rtt: %s\n", bench->stand.error), result;
    rt_pin(CLIENT_CORE);
    if (!bench->ordinary)
        rt_fifo(CLIENT_PRIORITY);
    bool warm = warm_up(bench, rounds);
    if (warm)
        run_rounds(bench, rounds);
    warm = warm && !rtt_stand_cut_off(&bench->stand);
    rtt_stand_stop(&bench->stand);
    port_statistics(&bench->stand.real, &bench->port_end);
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
    struct rtt_stand *stand = &bench.stand;
    stand->site_path = BENCH_SOURCE "/bench/rtt.yaml";
    stand->told_to_stop = &told_to_stop;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--json"))
            json = true;
        else if (!strcmp(argv[i], "--auth"))
            stand->auth = true;
        else if (!strcmp(argv[i], "--ordinary"))
            bench.ordinary = true;
        else if (!strcmp(argv[i], "--rounds") && i + 1 < argc)
            rounds = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--site") && i + 1 < argc)
            stand->site_path = argv[++i];
        else if (!strcmp(argv[i], "--driver") && i + 1 < argc)
            stand->driver = argv[++i];
        else
            return fputs("usage: rtt [--json] [--auth] [--ordinary] [--rounds N] [--driver NAME]\n"
                         "           [--site FILE]; as root\n"
                         "--ordinary: not in real time, to see that it works\n", stderr), 2;
    }
    if (geteuid() != 0)
        return fprintf(stderr, "rtt: skipped: needs root for namespaces and AF_PACKET\n"), 77;
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    snprintf(stand->suffix, sizeof stand->suffix, "%04x", (unsigned)getpid() & 0xffff);
    int result = bench_alone("rtt", rounds / ROUNDS_PER_S_LEAST + SET_UP_S);
    if (result)
        return fprintf(stderr, "rtt: %s\n", strerror(-result)), 3;
    result = rtt_stand_open(stand);
    if (bench.ordinary)
        stand->site.server.priority = 0;
    if (result)
        fprintf(stderr, "rtt: %s\n", stand->error);
    else
        result = run(&bench, rounds, json);
    rtt_stand_close(stand);
    return result;
}
