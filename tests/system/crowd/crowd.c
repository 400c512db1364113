/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crowd SITE NETNS --seed N --quiet SECONDS --strikes N --over SECONDS [--kills N] [--stops N]
 *     [--blind 1]
 *
 * Starts an agent for every host of the site, waits until all hold a lease, measures for a while, strikes
 * hosts at random, and waits until all hold a lease again. "daemon kill" and "daemon stop MS" on standard
 * output ask whoever started it to do that to flyballd. Its last line is one JSON object; the exit code is 0
 * where nothing that must not be was. Blind watchdogs see no word pass: then there must be.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crowd.h"

#define TURN_NS     NS_PER_MS
#define PATIENCE_NS (90 * NS_PER_S)
#define SETTLE_NS   (3 * NS_PER_S)

struct plan {
    uint64_t seed;
    int64_t quiet_ns, over_ns;
    uint32_t strikes, kills, stops;
    bool blind;
};

struct tally {
    uint32_t struck[CROWD_STRIKES], kills, stops;
    int64_t warm_ns, recovered_ns;          /* what it took; -1: never */
};

static int64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void deliver(void *user, uint32_t h, const uint8_t *data, uint32_t bytes)
{
    struct crowd *crowd = user;
    uint64_t sequence = 0;
    if (bytes >= FRAME_HEADER_BYTES)
        memcpy(&sequence, data + 16, sizeof sequence);
    crowd->in_hand_real_ns = crowd_capture_came(&crowd->host[h], sequence);
    crowd_host_receive(crowd, h, data, bytes);
    crowd->in_hand_real_ns = 0;
}

static void pass_time(struct crowd *crowd)
{
    int64_t now_ns = clock_ns(), took_ns = now_ns - crowd->real_ns;
    int64_t lived_ns = took_ns < STEP_MOST_NS ? took_ns : STEP_MOST_NS;
    crowd->real_ns = now_ns;
    crowd->lived_ns += lived_ns;
    crowd->lost_ns += took_ns - lived_ns;
    if (took_ns > crowd->longest_turn_ns)
        crowd->longest_turn_ns = took_ns;
}

/* A fall is explained where no lease came for anybody a little before: flyballd stood still. */
static void count_falls(struct crowd *crowd, int64_t *before)
{
    int64_t falls = crowd_host_falls(crowd), new = falls - *before;
    *before = falls;
    if (!crowd->measuring || new <= 0)
        return;
    bool gap = crowd->lived_ns - crowd->gap_end_ns < 2 * NS_PER_S ||
               crowd->lease_real_ns + 100 * NS_PER_MS < crowd->turn_real_ns;
    crowd->figures.falls += (uint64_t)new;
    crowd->figures.falls_unexplained += gap ? 0 : (uint64_t)new;
}

static int64_t realtime_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* What comes meanwhile is taken as it comes; all else waits for its millisecond. */
static void take_mail(struct crowd *crowd)
{
    struct pollfd ready = {.fd = crowd->sockets.hosts.fd, .events = POLLIN};
    for (;;) {
        int64_t left_ns = crowd->real_ns + TURN_NS - clock_ns();
        struct timespec rest = {.tv_nsec = left_ns > 0 ? left_ns : 0};
        bool came = ppoll(&ready, 1, &rest, NULL) > 0;
        crowd_capture_drain(crowd);
        sockets_receive(&crowd->sockets, deliver, crowd);
        if (!came || left_ns <= 0)
            return;
    }
}

static void turn(struct crowd *crowd, int64_t *falls)
{
    take_mail(crowd);
    pass_time(crowd);
    crowd->turn_real_ns = realtime_ns();
    for (uint32_t h = 0; h < crowd->hosts; h++) {
        crowd_fault_end(crowd, h);
        crowd_host_turn(crowd, h);
        crowd_judge_look(crowd, h);
    }
    sockets_flush(&crowd->sockets);
    count_falls(crowd, falls);
}

/* -1: PATIENCE_NS were not enough. */
static int64_t until_all_leased(struct crowd *crowd, int64_t *falls)
{
    int64_t began_ns = crowd->lived_ns;
    for (;;) {
        uint32_t leased = 0;
        turn(crowd, falls);
        for (uint32_t h = 0; h < crowd->hosts; h++)
            leased += crowd_host_leased(&crowd->host[h]);
        if (leased == crowd->hosts)
            return crowd->lived_ns - began_ns;
        if (crowd->lived_ns - began_ns > PATIENCE_NS) {
            fprintf(stderr, "crowd: %u of %u hosts hold a lease\n", leased, crowd->hosts);
            return -1;
        }
    }
}

static void measure(struct crowd *crowd, int64_t for_ns, int64_t *falls)
{
    int64_t until_ns = crowd->lived_ns + for_ns;
    crowd->measuring = true;
    crowd->longest_gap_ns = 0;
    while (crowd->lived_ns < until_ns)
        turn(crowd, falls);
    crowd->measuring = false;
    crowd->quiet_gap_ns = crowd->longest_gap_ns;
}

/* Whether the next of so many, evenly over the time, is due: the first half a share after the beginning. */
static bool is_due(uint32_t done, uint32_t all, int64_t passed_ns, int64_t over_ns)
{
    return done < all && passed_ns * 2 * (int64_t)all >= over_ns * (2 * (int64_t)done + 1);
}

static void strike(struct crowd *crowd, const struct plan *plan, struct tally *tally, int64_t *falls)
{
    int64_t began_ns = crowd->lived_ns;
    uint32_t done = 0;
    while (crowd->lived_ns - began_ns < plan->over_ns || done < plan->strikes) {
        int64_t passed_ns = crowd->lived_ns - began_ns;
        for (; is_due(done, plan->strikes, passed_ns, plan->over_ns); done++)
            tally->struck[crowd_fault_strike(crowd)]++;
        if (is_due(tally->kills, plan->kills, passed_ns, plan->over_ns)) {
            tally->kills++;
            puts("daemon kill");
        }
        if (is_due(tally->stops, plan->stops, passed_ns + plan->over_ns / 8, plan->over_ns)) {
            tally->stops++;
            printf("daemon stop %u\n", 200 + (uint32_t)(random_bits(&crowd->random) % 2000));
        }
        fflush(stdout);
        turn(crowd, falls);
    }
    for (int64_t end_ns = crowd->lived_ns + 6 * NS_PER_S; crowd->lived_ns < end_ns;)
        turn(crowd, falls);     /* the longest of them is over */
}

static void print_times(const char *name, const struct histogram *histogram)
{
    printf("\"%s\": {\"count\": %" PRIu64 ", \"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.1f}, ",
           name, histogram->count, (double)histogram_quantile(histogram, 0.5) / 1e3,
           (double)histogram_quantile(histogram, 0.99) / 1e3,
           (double)histogram_quantile(histogram, 0.999) / 1e3, (double)histogram->max_ns / 1e3);
}

static void print_result(const struct crowd *crowd, const struct plan *plan, const struct tally *tally)
{
    const struct crowd_figures *figures = &crowd->figures;
    printf("{\"seed\": %" PRIu64 ", \"hosts\": %u, \"reports\": %" PRIu64 ", \"answered\": %" PRIu64
           ", \"leases_obeyed\": %" PRIu64 ", ", plan->seed, crowd->hosts, figures->reports,
           figures->answered, figures->leases_obeyed);
    print_times("report_to_lease_us", &figures->answer_ns);
    print_times("lease_to_actuator_us", &figures->actuator_ns);
    printf("\"falls\": %" PRIu64 ", \"falls_unexplained\": %" PRIu64 ", \"longest_gap_ms\": %.1f, "
           "\"longest_turn_ms\": %.1f, \"lost_ms\": %.1f, \"captured\": %" PRIu64 ", \"capture_drops\": %"
           PRIu64 ", \"send_failures\": %" PRIu64 ", \"warm_s\": %.3f, ", figures->falls,
           figures->falls_unexplained, (double)crowd->quiet_gap_ns / 1e6,
           (double)crowd->longest_turn_ns / 1e6, (double)crowd->lost_ns / 1e6, crowd->captured,
           crowd->capture_drops, crowd->sockets.failures, (double)tally->warm_ns / 1e9);
    printf("\"struck\": {");
    for (uint32_t i = 0; i < CROWD_STRIKES; i++)
        printf("\"%s\": %u, ", crowd_fault_name((enum crowd_strike)i), tally->struck[i]);
    printf("\"daemon_killed\": %u, \"daemon_stopped\": %u}, \"recovered_s\": %.3f, \"checks\": %" PRIu64
           ", \"violations\": %" PRIu64 "}\n", tally->kills, tally->stops,
           (double)tally->recovered_ns / 1e9, figures->checks, figures->violations);
}

static bool read_plan(int argc, char **argv, struct plan *plan)
{
    *plan = (struct plan){.seed = (uint64_t)realtime_ns(), .quiet_ns = 5 * NS_PER_S,
                          .over_ns = 20 * NS_PER_S, .strikes = 1000};
    if (argc < 3 || argc % 2 == 0)
        return false;
    for (int i = 3; i < argc; i += 2) {
        int64_t value = strtoll(argv[i + 1], NULL, 10);
        if (!strcmp(argv[i], "--seed"))
            plan->seed = (uint64_t)value;
        else if (!strcmp(argv[i], "--quiet"))
            plan->quiet_ns = value * NS_PER_S;
        else if (!strcmp(argv[i], "--over"))
            plan->over_ns = value * NS_PER_S;
        else if (!strcmp(argv[i], "--strikes"))
            plan->strikes = (uint32_t)value;
        else if (!strcmp(argv[i], "--kills"))
            plan->kills = (uint32_t)value;
        else if (!strcmp(argv[i], "--stops"))
            plan->stops = (uint32_t)value;
        else if (!strcmp(argv[i], "--blind"))
            plan->blind = value != 0;
        else
            return false;
    }
    return true;
}

static int open_crowd(struct crowd *crowd, char **argv)
{
    char why[256] = "hosts";
    if (site_load(&crowd->site, argv[1], "default", stderr))
        return -EINVAL;
    crowd->hosts = crowd->site.model.host_count;
    crowd->host = calloc(crowd->hosts, sizeof *crowd->host);
    if (!crowd->host)
        return -ENOMEM;
    int result = sockets_open(&crowd->sockets, &crowd->site, NULL, argv[2], why, sizeof why);
    if (!result)
        result = crowd_capture_open(crowd, argv[2], "eth0");
    if (result)
        fprintf(stderr, "crowd: %s: %s\n", why, strerror(-result));
    return result;
}

static void start_all(struct crowd *crowd)
{
    crowd->lived_ns = 1000 * NS_PER_S;
    crowd->real_ns = clock_ns();
    for (uint32_t h = 0; h < crowd->hosts; h++) {
        crowd_host_init(crowd, h);
        crowd_host_start(crowd, h);
        if (h % 100 == 99)
            pass_time(crowd);
    }
}

int main(int argc, char **argv)
{
    static struct crowd crowd;
    struct plan plan;
    struct tally tally = {.recovered_ns = -1};
    int64_t falls = 0;
    if (!read_plan(argc, argv, &plan) || open_crowd(&crowd, argv)) {
        fprintf(stderr, "usage: crowd SITE NETNS [--seed N] [--quiet S] [--strikes N] [--over S] "
                        "[--kills N] [--stops N] [--blind 1]\n");
        return 2;
    }
    crowd.seed = plan.seed;
    crowd.blind = plan.blind;
    random_init(&crowd.random, plan.seed, RANDOM_HOST, 0);
    fprintf(stderr, "crowd: seed %" PRIu64 "\n", plan.seed);
    start_all(&crowd);
    tally.warm_ns = until_all_leased(&crowd, &falls);
    for (int64_t until_ns = crowd.lived_ns + SETTLE_NS; crowd.lived_ns < until_ns;)
        turn(&crowd, &falls);       /* claims first, then leases and arbitration */
    if (tally.warm_ns >= 0) {
        measure(&crowd, plan.quiet_ns, &falls);
        strike(&crowd, &plan, &tally, &falls);
        tally.recovered_ns = until_all_leased(&crowd, &falls);
    }
    print_result(&crowd, &plan, &tally);
    bool good = tally.recovered_ns >= 0 && !crowd.figures.violations && !crowd.figures.falls_unexplained &&
                crowd.figures.answered > 0 && crowd.figures.leases_obeyed > 0;
    return good ? 0 : 1;
}
