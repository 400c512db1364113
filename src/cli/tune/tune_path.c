/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/tune/tune_path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "record/histogram.h"
#include "rt/clock.h"
#include "site/read/quantity.h"

#define PACE_NS (100 * NS_PER_US)       /* between two requests: a ping is no load test */
#define GRACE_NS (1 * NS_PER_S)         /* for the last answers */

struct asked {
    uint32_t ipv4, host;        /* sorted by ipv4 */
    uint32_t answers;
    int64_t longest_ns;
    int64_t sent_ns[PATH_ROUNDS_MAX];   /* 0: not sent, or answered already */
};

struct run {
    const struct site *site;
    const struct path_way *way;
    struct asked *asked;
    uint32_t hosts, rounds;
    uint64_t sent, answers;
    int64_t shortest_ns;
    struct histogram times;
};

static int by_ipv4(const void *left, const void *right)
{
    const struct asked *a = left, *b = right;
    return a->ipv4 < b->ipv4 ? -1 : a->ipv4 > b->ipv4;
}

static int slowest_first(const void *left, const void *right)
{
    const struct asked *a = left, *b = right;
    if (a->longest_ns != b->longest_ns)
        return a->longest_ns < b->longest_ns ? 1 : -1;
    return a->host < b->host ? -1 : a->host > b->host;
}

static void take(struct run *run, uint32_t ipv4, uint16_t round, int64_t t_ns)
{
    const struct asked key = {.ipv4 = ipv4};
    struct asked *asked = bsearch(&key, run->asked, run->hosts, sizeof key, by_ipv4);
    if (!asked || round >= run->rounds || !asked->sent_ns[round])
        return;
    int64_t took_ns = t_ns - asked->sent_ns[round];
    asked->sent_ns[round] = 0;
    asked->answers++;
    run->answers++;
    if (took_ns > asked->longest_ns)
        asked->longest_ns = took_ns;
    if (run->answers == 1 || took_ns < run->shortest_ns)
        run->shortest_ns = took_ns;
    histogram_record(&run->times, took_ns > 0 ? (uint64_t)took_ns : 0);
}

static void poll_until(struct run *run, int64_t end_ns)
{
    const struct path_way *way = run->way;
    do {
        uint32_t ipv4;
        uint16_t round;
        int64_t t_ns;
        while (way->receive(way->way, &ipv4, &round, &t_ns))
            take(run, ipv4, round, t_ns);
        if (way->turn)
            way->turn(way->way);
    } while (clock_monotonic_ns() < end_ns);
}

static void ask(struct run *run, struct asked *asked, uint16_t round)
{
    int64_t now_ns = clock_monotonic_ns();
    asked->sent_ns[round] = now_ns;
    if (run->way->send(run->way->way, asked->host, round))
        asked->sent_ns[round] = 0;
    else
        run->sent++;
}

static void name(char *into, const struct run *run, const struct asked *asked)
{
    char words[32];
    const char *host = run->site->model.host[asked->host].name;
    if (asked->answers)
        snprintf(into, MEASURED_TEXT_BYTES, "%s at %s", host,
                 quantity_write(QUANTITY_TIME, measured_rounded_ns(asked->longest_ns), words, sizeof words));
    else
        snprintf(into, MEASURED_TEXT_BYTES, "%s", host);
}

/* The slowest stand first, those that never answered have a longest time of 0 and stand last. */
static void keep(struct run *run, struct measured_path *out)
{
    qsort(run->asked, run->hosts, sizeof *run->asked, slowest_first);
    *out = (struct measured_path){
        .hosts = run->hosts,
        .sent = (int64_t)run->sent,
        .lost = (int64_t)(run->sent - run->answers),
        .min_ns = run->shortest_ns,
        .p50_ns = (int64_t)histogram_quantile(&run->times, 0.5),
        .p99_ns = (int64_t)histogram_quantile(&run->times, 0.99),
        .max_ns = (int64_t)run->times.max_ns,
    };
    for (uint32_t i = 0; i < run->hosts; i++) {
        const struct asked *asked = &run->asked[i];
        out->answered += asked->answers > 0;
        if (asked->answers && out->worst_count < MEASURED_NAMED_MAX)
            name(out->worst[out->worst_count++], run, asked);
        else if (!asked->answers && out->silent_count < MEASURED_NAMED_MAX)
            name(out->silent[out->silent_count++], run, asked);
    }
}

static uint32_t rounds_in(int64_t span_ns, uint32_t hosts)
{
    int64_t rounds = span_ns / (PACE_NS * hosts);
    return rounds < 1 ? 1 : rounds > PATH_ROUNDS_MAX ? PATH_ROUNDS_MAX : (uint32_t)rounds;
}

int path_measure(const struct site *site, const struct path_way *way, int64_t span_ns,
                 struct measured_path *out)
{
    uint32_t hosts = site->model.host_count;
    struct run *run = calloc(1, sizeof *run);
    struct asked *asked = calloc(hosts + 1, sizeof *asked);
    int rc = run && asked ? 0 : -ENOMEM;
    *out = (struct measured_path){0};
    if (rc || !hosts)
        goto cleanup;
    *run = (struct run){.site = site, .way = way, .asked = asked, .hosts = hosts,
                        .rounds = rounds_in(span_ns, hosts)};
    for (uint32_t h = 0; h < hosts; h++)
        asked[h] = (struct asked){.ipv4 = site->host_address[h].ipv4, .host = h};
    qsort(asked, hosts, sizeof *asked, by_ipv4);
    int64_t due_ns = clock_monotonic_ns();
    for (uint32_t round = 0; round < run->rounds; round++) {
        for (uint32_t i = 0; i < hosts; i++) {
            ask(run, &asked[i], (uint16_t)round);
            due_ns += PACE_NS;
            poll_until(run, due_ns);
        }
    }
    for (int64_t end_ns = clock_monotonic_ns() + GRACE_NS;
         run->answers < run->sent && clock_monotonic_ns() < end_ns;)
        poll_until(run, 0);
    keep(run, out);
cleanup:
    free(asked);
    free(run);
    return rc;
}
