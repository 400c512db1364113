/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/loops/stage.h"

static const char *const name[STAGES] = {"decoded", "decided", "sent_emergency"};

const char *stage_name(uint32_t stage)
{
    return name[stage];
}

static const struct histogram *of(const struct rtt_stand *stand, uint32_t stage)
{
    const struct path *path = &stand->loop.path;
    const struct histogram *const took[STAGES] = {
        &path->lane[0].decoded.live, &path->decide->decided.live, &path->egress->sent_emergency.live};
    return took[stage];
}

void stage_copy(struct stages *stages, const struct rtt_stand *stand)
{
    for (uint32_t i = 0; i < STAGES; i++)
        stages->took[i] = *of(stand, i);
}

/* The largest of them is known by its bucket alone, and is none above the largest ever. */
static void add(struct histogram *sum, const struct histogram *before, const struct histogram *now)
{
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t more = now->bucket[i] - before->bucket[i];
        sum->bucket[i] += more;
        sum->count += more;
        uint64_t most_ns = i + 1 < HISTOGRAM_BUCKETS ? histogram_bucket_floor(i + 1) - 1 : now->max_ns;
        most_ns = most_ns < now->max_ns ? most_ns : now->max_ns;
        if (more && most_ns > sum->max_ns)
            sum->max_ns = most_ns;
    }
    sum->sum_ns += now->sum_ns - before->sum_ns;
}

void stage_add(struct stages *sum, const struct stages *before, const struct rtt_stand *stand)
{
    for (uint32_t i = 0; i < STAGES; i++)
        add(&sum->took[i], &before->took[i], of(stand, i));
}

void stage_print(struct bench_report *report, const struct stages *stages)
{
    bench_open(report, "stage");
    for (uint32_t i = 0; i < STAGES; i++) {
        const struct histogram *took = &stages->took[i];
        if (!took->count)
            continue;
        bench_open(report, name[i]);
        bench_count(report, "n", took->count);
        bench_number(report, "p50_us", (double)histogram_quantile(took, 0.5) / 1e3);
        bench_number(report, "p99_us", (double)histogram_quantile(took, 0.99) / 1e3);
        bench_number(report, "p999_us", (double)histogram_quantile(took, 0.999) / 1e3);
        bench_histogram(report, "ns", took);
        bench_close(report);
    }
    bench_close(report);
}
