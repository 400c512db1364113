/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to hosts, and how it ends. No host loses agent and watchdog at one time: nobody would be left
 * to write its caps, which no design of the two can mend. */
#include "crowd.h"

const char *crowd_fault_name(enum crowd_strike fault)
{
    static const char *const name[CROWD_STRIKES] = {
        [STRIKE_KILL] = "killed", [STRIKE_STOP] = "stopped", [STRIKE_CUT] = "cut_off", [STRIKE_DEAF] = "deaf",
        [STRIKE_MUTE] = "mute", [STRIKE_RESTART] = "restarted", [STRIKE_SLEEP] = "slept",
        [STRIKE_UNWATCHED] = "watchdog_killed"};
    return name[fault];
}

static bool possible(const struct crowd_host *host, enum crowd_strike fault)
{
    bool agent_gone = !host->alive || host->stopped;
    if (host->asleep_until_ns)
        return false;
    switch (fault) {
    case STRIKE_KILL:
    case STRIKE_STOP:
    case STRIKE_RESTART:
        return !agent_gone && host->watchdog;
    case STRIKE_UNWATCHED:
        return !agent_gone && host->watchdog;
    case STRIKE_CUT:
        return !host->deaf_until_ns && !host->mute_until_ns;
    case STRIKE_DEAF:
        return !host->deaf_until_ns;
    case STRIKE_MUTE:
        return !host->mute_until_ns;
    default:
        return true;
    }
}

/* From a blink to several leases. */
static int64_t how_long_ns(struct crowd *crowd)
{
    int64_t ns = (int64_t)(random_exponential(&crowd->random, 0.9) * 1e9) + 20 * NS_PER_MS;
    return ns > 5 * NS_PER_S ? 5 * NS_PER_S : ns;
}

static void begin(struct crowd *crowd, uint32_t h, enum crowd_strike fault, int64_t for_ns)
{
    struct crowd_host *host = &crowd->host[h];
    int64_t until_ns = crowd->lived_ns + for_ns;
    switch (fault) {
    case STRIKE_KILL:
        crowd_host_kill(crowd, h);
        host->dead_until_ns = until_ns;
        break;
    case STRIKE_STOP:
        host->stopped = true;
        host->stopped_until_ns = until_ns;
        break;
    case STRIKE_CUT:
        host->deaf_until_ns = host->mute_until_ns = until_ns;
        break;
    case STRIKE_DEAF:
        host->deaf_until_ns = until_ns;
        break;
    case STRIKE_MUTE:
        host->mute_until_ns = until_ns;
        break;
    case STRIKE_RESTART:
        crowd_host_kill(crowd, h);
        crowd_host_start(crowd, h);
        break;
    case STRIKE_SLEEP:
        host->asleep_since_ns = crowd->lived_ns;
        host->asleep_until_ns = until_ns;
        break;
    default:
        host->watchdog = false;
        host->unwatched_until_ns = until_ns;
        break;
    }
}

enum crowd_strike crowd_fault_strike(struct crowd *crowd)
{
    enum crowd_strike fault = (enum crowd_strike)(random_bits(&crowd->random) % CROWD_STRIKES);
    uint32_t h = (uint32_t)(random_bits(&crowd->random) % crowd->hosts);
    while (!possible(&crowd->host[h], fault))
        h = (h + 1) % crowd->hosts;
    int64_t for_ns = fault == STRIKE_RESTART ? 0 : how_long_ns(crowd);
    crowd_judge_note(crowd, &crowd->host[h], crowd_fault_name(fault), for_ns);
    begin(crowd, h, fault, for_ns);
    return fault;
}

static bool over(const struct crowd *crowd, int64_t *until_ns)
{
    bool is_over = *until_ns && crowd->lived_ns >= *until_ns;
    if (is_over)
        *until_ns = 0;
    return is_over;
}

/* MONOTONIC stood still, and what was in flight returns after it. */
static void wake(struct crowd *crowd, struct crowd_host *host)
{
    int64_t slept_ns = crowd->lived_ns - host->asleep_since_ns;
    host->slept_ns += slept_ns;
    for (uint32_t i = 0; i < CROWD_DEVICES; i++)
        if (host->device[i].done_ns != NEVER_NS)
            host->device[i].done_ns += slept_ns;
    if (crowd->lived_ns > host->deadline_ns)
        host->deadline_ns = crowd->lived_ns;
}

void crowd_fault_end(struct crowd *crowd, uint32_t h)
{
    struct crowd_host *host = &crowd->host[h];
    if (over(crowd, &host->asleep_until_ns))
        wake(crowd, host);
    if (host->asleep_until_ns)
        return;
    over(crowd, &host->deaf_until_ns);
    over(crowd, &host->mute_until_ns);
    if (over(crowd, &host->stopped_until_ns))
        host->stopped = false;
    if (over(crowd, &host->dead_until_ns))
        crowd_host_start(crowd, h);
    if (over(crowd, &host->unwatched_until_ns)) {
        host->watchdog = true;
        host->watch_ns = crowd->lived_ns;
    }
    if (host->alive && !host->stopped)
        agent_watchdog(&host->agent, host->watchdog, host->watchdog_writes, crowd_mono_ns(crowd, host));
}
