/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/loops/saturation.h"

#include <stdio.h>
#include <string.h>

#include "bench/loops/flow.h"
#include "bench/loops/harness.h"
#include "rt/clock.h"

/* On a shared machine a core is gone for milliseconds now and then, whatever is sent: one try in three has to
 * be without. */
enum { TRIES = 3, COARSE = 2 };
#define BOUND_NS (2 * NS_PER_MS)

/* A step is a fifth more than the one before; searched are every other one first. */
static const uint32_t rate[STEPS_MAX] = {15000, 21000, 30000, 36000, 43000, 51000, 61000, 73000,
                                         88000, 105000, 126000, 150000, 180000, 215000, 260000, 310000};

uint32_t saturation_rate(uint32_t step)
{
    return rate[step];
}

/* What one try has shown: the step's histograms take it in, too. */
static bool held(struct saturation_step *step, const struct flow *flow)
{
    static struct histogram scheduled, sender;
    memset(&scheduled, 0, sizeof scheduled);
    memset(&sender, 0, sizeof sender);
    for (uint32_t i = 0; i < flow->sent; i++) {
        int64_t late_ns = flow->sent_ns[i] - flow->due_ns[i];
        histogram_record(&sender, late_ns > 0 ? (uint64_t)late_ns : 1);
        if (flow->answered_ns[i])
            histogram_record(&scheduled, (uint64_t)(flow->answered_ns[i] - flow->due_ns[i]));
    }
    histogram_merge(&step->scheduled, &scheduled);
    histogram_merge(&step->sender, &sender);
    step->tries++;
    step->sent += flow->sent;
    step->lost += flow->sent - flow->answered;
    step->late_senders += histogram_quantile(&sender, 0.99) > (uint64_t)BOUND_NS;
    bool good = flow->sent && flow->answered == flow->sent &&
                histogram_quantile(&scheduled, 0.99) <= (uint64_t)BOUND_NS;
    step->held += good;
    return good;
}

static void keep(struct tally *tally, const struct flow *flow)
{
    memset(tally->part, 0, sizeof tally->part);
    tally->sent = flow->sent;
    for (uint32_t i = 0; i < flow->sent; i++) {
        int64_t took_ns = flow->answered_ns[i] - flow->sent_ns[i];
        histogram_record(&tally->part[PART_FIRST], (uint64_t)took_ns);
        histogram_record(&tally->part[PART_LAST], (uint64_t)took_ns);
        histogram_record(&tally->part[PART_SCHEDULED], (uint64_t)(flow->answered_ns[i] - flow->due_ns[i]));
    }
}

static bool try_step(struct harness *harness, struct contender *contender, uint32_t at)
{
    static struct flow flow;
    struct rtt_stand *stand = &harness->stand[contender->kind->stand];
    bool good = false;
    for (int i = 0; i < TRIES && !good && !rtt_stand_cut_off(stand); i++) {
        flow_begin(&flow, stand, !strcmp(contender->kind->path, "echo"));
        flow_at_rate(&flow, rate[at], clock_monotonic_ns() + harness->block_ns);
        flow_end(&flow);
        good = held(&contender->saturation->step[at], &flow);
    }
    if (good)
        keep(&contender->tally, &flow);
    return good;
}

void block_saturation(struct harness *harness, struct contender *contender, int64_t end_ns)
{
    struct saturation *saturation = contender->saturation;
    int32_t highest = -1;
    uint32_t at = COARSE - 1;
    (void)end_ns;
    while (at < STEPS_MAX && try_step(harness, contender, at)) {
        highest = (int32_t)at;
        at += COARSE;
    }
    if (try_step(harness, contender, at - 1))
        highest = (int32_t)at - 1;
    saturation->searches++;
    if (highest >= 0)
        saturation->highest[highest]++;
}

static void print_step(struct bench_report *report, const struct saturation_step *step, uint32_t per_s)
{
    char key[16];
    snprintf(key, sizeof key, "%u", per_s);
    bench_open(report, key);
    bench_count(report, "tries", step->tries);
    bench_count(report, "held", step->held);
    bench_count(report, "late_senders", step->late_senders);
    bench_count(report, "sent", step->sent);
    bench_count(report, "lost", step->lost);
    bench_number(report, "p50_us", (double)histogram_quantile(&step->scheduled, 0.5) / 1e3);
    bench_number(report, "p99_us", (double)histogram_quantile(&step->scheduled, 0.99) / 1e3);
    bench_number(report, "sender_p99_us", (double)histogram_quantile(&step->sender, 0.99) / 1e3);
    bench_histogram(report, "ns", &step->scheduled);
    bench_close(report);
}

/* The rate at which the middle one of all searches ended; 0: not even the lowest was held. */
static uint32_t median_rate(const struct saturation *saturation)
{
    uint32_t none = saturation->searches, seen;
    for (uint32_t i = 0; i < STEPS_MAX; i++)
        none -= saturation->highest[i];
    seen = none;
    for (uint32_t i = 0; i < STEPS_MAX && 2 * seen <= saturation->searches; i++) {
        seen += saturation->highest[i];
        if (2 * seen > saturation->searches)
            return rate[i];
    }
    return 0;
}

static void print_one(struct bench_report *report, const struct contender *contender)
{
    const struct saturation *saturation = contender->saturation;
    uint32_t least = 0, most = 0;
    for (uint32_t i = 0; i < STEPS_MAX; i++) {
        least = saturation->highest[i] && !least ? rate[i] : least;
        most = saturation->highest[i] ? rate[i] : most;
    }
    bench_open(report, contender->kind->name);
    bench_text(report, "what", "an open loop: the highest rate held without a loss and with p99 from when "
                               "it was due within the bound");
    bench_number(report, "bound_us", (double)BOUND_NS / 1e3);
    bench_count(report, "searches", saturation->searches);
    bench_count(report, "highest_per_s", median_rate(saturation));
    bench_count(report, "highest_least_per_s", least);
    bench_count(report, "highest_most_per_s", most);
    bench_open(report, "steps");
    for (uint32_t i = 0; i < STEPS_MAX; i++)
        if (saturation->step[i].tries)
            print_step(report, &saturation->step[i], rate[i]);
    bench_close(report);
    bench_close(report);
}

void saturation_print(struct bench_report *report, const struct harness *harness)
{
    bench_open(report, "saturation");
    for (uint32_t i = 0; i < harness->contenders; i++)
        if (harness->contender[i].saturation && harness->contender[i].saturation->searches)
            print_one(report, &harness->contender[i]);
    bench_close(report);
}
