/* SPDX-License-Identifier: Apache-2.0 */
/*
 * More than one exchange at a time. Open loop: datagrams are due at fixed moments, whether answers have come
 * or not; each is measured from when it was sent and from when it was due. Where sender or receiver stood
 * still, all that became due meanwhile counts as late (coordinated omission). Bursts: several at once.
 */
#include <string.h>

#include "bench/loops/harness.h"
#include "rt/clock.h"

enum { DATAGRAMS_MAX = 16384 };
#define QUIET_NS (200 * NS_PER_MS)

struct flow {
    struct rtt_stand *stand;
    bool echoes;
    uint32_t sent, answered;
    int64_t due_ns[DATAGRAMS_MAX], sent_ns[DATAGRAMS_MAX], answered_ns[DATAGRAMS_MAX];
};

static int64_t send_next(struct flow *flow)
{
    struct rtt_client *client = &flow->stand->client;
    return flow->echoes ? rtt_send_echo_one(client) : rtt_send_report(client, flow->sent % RTT_HOSTS);
}

static void send_one(struct flow *flow, int64_t due_ns)
{
    flow->due_ns[flow->sent] = due_ns;
    flow->sent_ns[flow->sent] = send_next(flow);
    flow->sent++;
}

/* On one path nothing overtakes: answers come in the order of what they answer. */
static bool take_one(struct flow *flow)
{
    int64_t now_ns;
    if (flow->answered == flow->sent || !rtt_take(&flow->stand->client, flow->echoes, &now_ns))
        return false;
    flow->answered_ns[flow->answered++] = now_ns;
    return true;
}

static void take_rest(struct flow *flow)
{
    int64_t quiet_since_ns = clock_monotonic_ns();
    while (flow->answered < flow->sent && clock_monotonic_ns() - quiet_since_ns < QUIET_NS)
        if (take_one(flow))
            quiet_since_ns = clock_monotonic_ns();
}

/* Where one was lost, nobody knows which answer belongs to what: that block counts its loss alone. */
static void note(struct contender *contender, const struct flow *flow)
{
    struct tally *tally = &contender->tally;
    tally->sent += flow->sent;
    tally->lost += flow->sent - flow->answered;
    if (flow->answered < flow->sent) {
        tally->warm += flow->answered;
        return;
    }
    for (uint32_t i = 0; i < flow->sent; i++) {
        int64_t took_ns = flow->answered_ns[i] - flow->sent_ns[i];
        tally_add(tally, &contender->samples, PART_FIRST, took_ns);
        tally_add(tally, &contender->samples, PART_LAST, took_ns);
        tally_add(tally, &contender->samples, PART_SCHEDULED, flow->answered_ns[i] - flow->due_ns[i]);
    }
}

static void begin(struct flow *flow, struct harness *harness, const struct contender *contender)
{
    flow->stand = &harness->stand[contender->kind->stand];
    flow->echoes = !strcmp(contender->kind->path, "echo");
    flow->sent = flow->answered = 0;
    rtt_echo_mode(&flow->stand->echo, &flow->stand->client, flow->echoes ? RTT_BARE : RTT_RUN);
    if (!flow->echoes)
        rtt_all_report(&flow->stand->client);
}

static void end(struct flow *flow)
{
    rtt_drain(&flow->stand->client, RTT_GAP_US * 1000);
    rtt_echo_mode(&flow->stand->echo, &flow->stand->client, RTT_PARK);
}

void block_open_loop(struct harness *harness, struct contender *contender, int64_t end_ns)
{
    static struct flow flow;
    int64_t period_ns = NS_PER_S / contender->kind->count, due_ns, now_ns;
    begin(&flow, harness, contender);
    due_ns = clock_monotonic_ns() + period_ns;
    while (due_ns < end_ns && flow.sent < DATAGRAMS_MAX && !rtt_stand_cut_off(flow.stand)) {
        now_ns = clock_monotonic_ns();
        if (now_ns >= due_ns) {
            send_one(&flow, due_ns);
            due_ns += period_ns;
        }
        take_one(&flow);
    }
    take_rest(&flow);
    note(contender, &flow);
    end(&flow);
}

void block_burst(struct harness *harness, struct contender *contender, int64_t end_ns)
{
    static struct flow flow;
    struct tally *tally = &contender->tally;
    begin(&flow, harness, contender);
    while (clock_monotonic_ns() < end_ns && !rtt_stand_cut_off(flow.stand)) {
        flow.sent = flow.answered = 0;
        for (uint32_t i = 0; i < contender->kind->count; i++)
            send_one(&flow, 0);
        take_rest(&flow);
        tally->sent++;
        tally->lost += flow.answered < flow.sent;
        if (flow.answered < flow.sent)
            continue;
        tally_add(tally, &contender->samples, PART_FIRST, flow.answered_ns[0] - flow.sent_ns[0]);
        tally_add(tally, &contender->samples, PART_LAST, flow.answered_ns[flow.sent - 1] - flow.sent_ns[0]);
    }
    end(&flow);
}
