/* SPDX-License-Identifier: Apache-2.0 */
/* What meter and hosts do in turn. */
#include <string.h>
#include <time.h>

#include "bench/rtt_stand.h"

enum { WARM_REPORTS = 12 };

bool rtt_stand_cut_off(const struct rtt_stand *stand)
{
    return *stand->told_to_stop || stand->client.cut_off;
}

void rtt_gap(void)
{
    const struct timespec time = {.tv_nsec = RTT_GAP_US * 1000};
    nanosleep(&time, NULL);
}

bool rtt_all_report(struct rtt_client *client)
{
    int64_t first_ns, last_ns;
    bool all = true;
    for (uint32_t host = 0; host < RTT_HOSTS; host++) {
        rtt_send_report(client, host);
        all &= rtt_await(client, false, 1, &first_ns, &last_ns);
    }
    return all;
}

void rtt_calm_down(struct rtt_client *client)
{
    rtt_send_reading(client, RTT_CALM_A);
    rtt_skip(client, 1050 * NS_PER_MS);
    rtt_send_reading(client, RTT_CALM_A);
    rtt_skip(client, 120 * NS_PER_MS);
    rtt_all_report(client);
    rtt_skip(client, 25 * NS_PER_MS);       /* a tick: everyone is raised */
    rtt_drain(client, RTT_GAP_US * 1000);
}

static bool all_raised(const struct rtt_client *client)
{
    for (uint32_t host = 0; host < RTT_HOSTS; host++)
        if (client->newest[host].cap_mw < 7000000)
            return false;
    return true;
}

int rtt_warm_up(struct rtt_stand *stand)
{
    for (int i = 0; i < WARM_REPORTS; i++) {
        rtt_all_report(&stand->client);
        rtt_send_reading(&stand->client, RTT_CALM_A);
        rtt_drain(&stand->client, RTT_GAP_US * 1000);
        rtt_skip(&stand->client, 50 * NS_PER_MS);
    }
    return rtt_stand_cut_off(stand) || all_raised(&stand->client) ? 0 : -1;
}

static bool record(struct rtt_stand *stand, struct rtt_side *side, bool echoes, uint32_t count,
                   int64_t sent_ns)
{
    int64_t first_ns, last_ns;
    if (!rtt_await(&stand->client, echoes, count, &first_ns, &last_ns)) {
        side->lost++;
        return false;
    }
    side->first_ns = first_ns - sent_ns;
    side->last_ns = last_ns - sent_ns;
    histogram_record(&side->first, (uint64_t)side->first_ns);
    histogram_record(&side->last, (uint64_t)side->last_ns);
    return true;
}

bool rtt_emergency(struct rtt_stand *stand, struct rtt_side *side, bool *raised)
{
    *raised = all_raised(&stand->client);
    return record(stand, side, false, RTT_HOSTS, rtt_send_reading(&stand->client, RTT_DANGER_A));
}

bool rtt_bare(struct rtt_stand *stand, struct rtt_side *side)
{
    return record(stand, side, true, RTT_HOSTS, rtt_send_echo(&stand->client));
}

bool rtt_bare_one(struct rtt_stand *stand, struct rtt_side *side)
{
    return record(stand, side, true, 1, rtt_send_echo_one(&stand->client));
}

bool rtt_one_report(struct rtt_stand *stand, struct rtt_side *side, uint32_t host)
{
    return record(stand, side, false, 1, rtt_send_report(&stand->client, host));
}
