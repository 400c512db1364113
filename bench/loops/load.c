/* SPDX-License-Identifier: Apache-2.0 */
/*
 * More than one exchange at a time. Open loop: datagrams are due at fixed moments, whether answers have come
 * or not; each is measured from when it was sent and from when it was due. Where sender or receiver stood
 * still, all that became due meanwhile counts as late (coordinated omission). Bursts: several at once.
 */
#include <string.h>

#include "bench/loops/flow.h"
#include "bench/loops/harness.h"
#include "rt/clock.h"

static bool echoes(const struct contender *contender)
{
    return !strcmp(contender->kind->path, "echo");
}

/* One that was lost is one sample that is not there. */
static void note(struct contender *contender, const struct flow *flow)
{
    struct tally *tally = &contender->tally;
    tally->sent += flow->sent;
    tally->lost += flow->sent - flow->answered;
    for (uint32_t i = 0; i < flow->sent; i++) {
        if (!flow->answered_ns[i])
            continue;
        int64_t took_ns = flow->answered_ns[i] - flow->sent_ns[i];
        tally_add(tally, &contender->samples, PART_FIRST, took_ns);
        tally_add(tally, &contender->samples, PART_LAST, took_ns);
        tally_add(tally, &contender->samples, PART_SCHEDULED, flow->answered_ns[i] - flow->due_ns[i]);
    }
}

void block_open_loop(struct harness *harness, struct contender *contender, int64_t end_ns)
{
    static struct flow flow;
    flow_begin(&flow, &harness->stand[contender->kind->stand], echoes(contender));
    flow_at_rate(&flow, contender->kind->count, end_ns);
    note(contender, &flow);
    flow_end(&flow);
}

static int64_t earliest(const struct flow *flow, int64_t latest_ns)
{
    for (uint32_t i = 0; i < flow->sent; i++)
        latest_ns = flow->answered_ns[i] < latest_ns ? flow->answered_ns[i] : latest_ns;
    return latest_ns;
}

static int64_t latest(const struct flow *flow)
{
    int64_t latest_ns = 0;
    for (uint32_t i = 0; i < flow->sent; i++)
        latest_ns = flow->answered_ns[i] > latest_ns ? flow->answered_ns[i] : latest_ns;
    return latest_ns;
}

void block_burst(struct harness *harness, struct contender *contender, int64_t end_ns)
{
    static struct flow flow;
    struct tally *tally = &contender->tally;
    flow_begin(&flow, &harness->stand[contender->kind->stand], echoes(contender));
    while (clock_monotonic_ns() < end_ns && !rtt_stand_cut_off(flow.stand)) {
        flow_clear(&flow);
        for (uint32_t i = 0; i < contender->kind->count; i++)
            flow_send(&flow, 0);
        flow_take_rest(&flow);
        tally->sent++;
        tally->lost += flow.answered < flow.sent;
        if (flow.answered < flow.sent)
            continue;
        int64_t last_ns = latest(&flow);
        tally_add(tally, &contender->samples, PART_FIRST, earliest(&flow, last_ns) - flow.sent_ns[0]);
        tally_add(tally, &contender->samples, PART_LAST, last_ns - flow.sent_ns[0]);
    }
    flow_end(&flow);
}
