/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/loops/flow.h"

#include <string.h>

#include "rt/clock.h"

#define QUIET_NS (200 * NS_PER_MS)

void flow_clear(struct flow *flow)
{
    flow->before = rtt_number(&flow->stand->client, flow->echoes);
    flow->sent = flow->answered = 0;
}

void flow_begin(struct flow *flow, struct rtt_stand *stand, bool echoes)
{
    flow->stand = stand;
    flow->echoes = echoes;
    rtt_echo_mode(&stand->echo, &stand->client, echoes ? RTT_BARE : RTT_RUN);
    if (!echoes)
        rtt_all_report(&stand->client);
    flow_clear(flow);
}

void flow_end(struct flow *flow)
{
    rtt_drain(&flow->stand->client, RTT_GAP_US * 1000);
    rtt_echo_mode(&flow->stand->echo, &flow->stand->client, RTT_PARK);
}

void flow_send(struct flow *flow, int64_t due_ns)
{
    struct rtt_client *client = &flow->stand->client;
    flow->due_ns[flow->sent] = due_ns;
    flow->answered_ns[flow->sent] = 0;
    flow->sent_ns[flow->sent] =
        flow->echoes ? rtt_send_echo_one(client) : rtt_send_report(client, flow->sent % RTT_HOSTS);
    flow->sent++;
}

bool flow_take(struct flow *flow)
{
    int64_t now_ns;
    uint64_t number;
    if (flow->answered == flow->sent || !rtt_take(&flow->stand->client, flow->echoes, &now_ns, &number))
        return false;
    uint64_t index = number - flow->before - 1;
    if (number <= flow->before || index >= flow->sent || flow->answered_ns[index])
        return true;                    /* of an exchange before, or a lease that answers nothing new */
    flow->answered_ns[index] = now_ns;
    flow->answered++;
    return true;
}

void flow_take_rest(struct flow *flow)
{
    int64_t quiet_since_ns = clock_monotonic_ns();
    while (flow->answered < flow->sent && clock_monotonic_ns() - quiet_since_ns < QUIET_NS)
        if (flow_take(flow))
            quiet_since_ns = clock_monotonic_ns();
}

void flow_at_rate(struct flow *flow, uint32_t per_s, int64_t end_ns)
{
    int64_t period_ns = NS_PER_S / per_s, due_ns = clock_monotonic_ns() + period_ns;
    while (due_ns < end_ns && flow->sent < FLOW_MAX && !rtt_stand_cut_off(flow->stand)) {
        if (clock_monotonic_ns() >= due_ns) {
            flow_send(flow, due_ns);
            due_ns += period_ns;
        }
        flow_take(flow);
    }
    flow_take_rest(flow);
}
