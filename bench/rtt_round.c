/* SPDX-License-Identifier: Apache-2.0 */
/* What meter and hosts do in turn. */
#include <string.h>
#include <time.h>

#include "bench/rtt_stand.h"

/* Readings are nearer together than they stay fresh, and an emergency ends when they have been low for
 * emergency_clear; a raise then takes a tick, and is sent in answer to a report. */
enum { WARM_REPORTS = 12, CALM_READINGS = 3, CALM_MS = 60, TURNS_MOST = 12, TURN_MS = 25,
       SETTLE_READINGS = 2, SETTLE_MS = 90, RAISED_MW = 7000000 };

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

static bool all_raised(const struct rtt_client *client)
{
    for (uint32_t host = 0; host < RTT_HOSTS; host++)
        if (client->newest[host].cap_mw < RAISED_MW)
            return false;
    return true;
}

void rtt_calm_down(struct rtt_client *client)
{
    for (int i = 0; i < CALM_READINGS; i++) {
        rtt_send_reading(client, RTT_CALM_A);
        rtt_skip(client, CALM_MS * NS_PER_MS);
    }
    for (int i = 0; i < TURNS_MOST && !client->cut_off && !all_raised(client); i++) {
        rtt_send_reading(client, RTT_CALM_A);
        rtt_all_report(client);
        rtt_skip(client, TURN_MS * NS_PER_MS);
        client->turns++;
    }
    /* what was raised a moment ago may still be on its way, and is not cut */
    rtt_all_report(client);
    for (int i = 0; i < SETTLE_READINGS; i++) {
        rtt_send_reading(client, RTT_CALM_A);
        rtt_skip(client, SETTLE_MS * NS_PER_MS);
    }
    rtt_drain(client, RTT_GAP_US * 1000);
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

bool rtt_note_caps(const struct rtt_client *client, struct rtt_caps *caps)
{
    for (uint32_t host = 0; host < RTT_HOSTS; host++)
        caps->cap_mw[host] = client->newest[host].cap_mw;
    return all_raised(client);
}

bool rtt_all_cut(const struct rtt_client *client, const struct rtt_caps *before)
{
    for (uint32_t host = 0; host < RTT_HOSTS; host++)
        if (client->newest[host].cap_mw >= before->cap_mw[host])
            return false;
    return true;
}

bool rtt_emergency(struct rtt_stand *stand, struct rtt_side *side, bool *raised)
{
    struct rtt_client *client = &stand->client;
    struct rtt_caps before;
    *raised = rtt_note_caps(client, &before);
    bool answered = record(stand, side, false, RTT_HOSTS, rtt_send_reading(client, RTT_DANGER_A));
    side->cut_newest = answered && rtt_all_cut(client, &before);
    side->cut += side->cut_newest;
    return answered;
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
