/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/station_fault.h"

#include <errno.h>
#include <stdlib.h>

static uint32_t standing(const struct station *station, enum fault_kind kind, uint32_t h)
{
    return fault_set_host(&station->faults, station->plant->model, kind, h);
}

/* ---- clocks ---- */

static void set_clock(struct station *station, uint32_t h, double rate, int64_t missed_ns)
{
    struct station_clock *clock = &station->agent[h].clock;
    int64_t t_ns = station->plant->t_ns;
    clock->local_ns = station_local_ns(station, h, t_ns) - missed_ns;
    clock->at_ns = t_ns;
    clock->slept_ns += missed_ns;
    clock->rate = rate;
}

static void sum_up_rate(struct station *station, uint32_t h)
{
    double fast = 1;
    for (uint32_t i = 0; i < station->faults.count; i++) {
        const struct fault *fault = &station->faults.standing[i].fault;
        if (fault->kind == FAULT_HOST_RATE && fault_strikes_host(fault, station->plant->model, h))
            fast *= 1 + fault->amount;
    }
    set_clock(station, h, fast - 1, 0);
}

/* plant_fault lets it sleep for that long; nobody reads the clock meanwhile. */
static void sleep_on(struct station *station, uint32_t h, double seconds)
{
    if (seconds <= 0)
        return;
    set_clock(station, h, station->agent[h].clock.rate, (int64_t)(seconds * 1e9));
    station->agent[h].jumped = true;
}

/* ---- processes ---- */

/* A new agent starts where the last reason for its death is gone. A host without power starts it at boot. */
static void settle_agent(struct station *station, uint32_t h)
{
    struct station_agent *agent = &station->agent[h];
    bool was_gone = agent->dead || agent->ended;
    agent->watchdog_dead = standing(station, FAULT_WATCHDOG, h) > 0;
    agent->dead = agent->watchdog_dead || standing(station, FAULT_AGENT, h) > 0;
    agent->ended = agent->ended && standing(station, FAULT_LEAVE, h) > 0;
    if (!was_gone || agent->dead || agent->ended)
        return;
    station->plant->reset_ns[h] = INT64_MAX;
    station_start_agent(station, h);
}

static int stop_agent(struct station *station, uint32_t h)
{
    struct station_agent *agent = &station->agent[h];
    agent->stopped = standing(station, FAULT_FREEZE, h) > 0;
    if (agent->stopped && !agent->letters)
        agent->letters = calloc(1, sizeof(*agent->letters));
    return agent->stopped && !agent->letters ? -ENOMEM : 0;
}

/* Twice the notice: so one look at least falls behind the change. */
static void look_soon(struct station *station, uint32_t h)
{
    struct station_agent *agent = &station->agent[h];
    int64_t notice_ns = station->plant->workload->plant.notice_ns, t_ns = station->plant->t_ns;
    if (t_ns + notice_ns < agent->look_ns)
        agent->look_ns = t_ns + notice_ns;
    agent->look_until_ns = t_ns + 2 * notice_ns;
}

static int strike_host(struct station *station, const struct fault *fault, bool begins, uint32_t h)
{
    switch (fault->kind) {
    case FAULT_HOST_STEP:
        if (begins)
            sleep_on(station, h, fault->amount);
        return 0;
    case FAULT_HOST_RATE: sum_up_rate(station, h); return 0;
    case FAULT_LEAVE:
        if (begins)
            station_leave(station, h);
        settle_agent(station, h);
        return 0;
    case FAULT_AGENT:
    case FAULT_WATCHDOG: settle_agent(station, h); return 0;
    case FAULT_FREEZE: return stop_agent(station, h);
    default: look_soon(station, h); return 0;
    }
}

static bool is_mine(enum fault_kind kind)
{
    switch (kind) {
    case FAULT_STICK: case FAULT_LIE: case FAULT_FOREIGN: case FAULT_RAISE: case FAULT_AGENT:
    case FAULT_LEAVE: case FAULT_WATCHDOG: case FAULT_FREEZE: case FAULT_HOST_RATE: case FAULT_HOST_STEP:
        return true;
    default:
        return fault_scope(kind) == FAULT_METER;
    }
}

int station_fault(struct station *station, const struct fault *fault, bool begins)
{
    const struct model *model = station->plant->model;
    bool meters = fault_scope(fault->kind) == FAULT_METER;
    int result = 0;
    if (!is_mine(fault->kind))
        return 0;
    if (fault->kind != FAULT_HOST_STEP)
        result = fault_set_change(&station->faults, fault, begins, station->plant->t_ns);
    for (uint32_t h = 0; !result && !meters && h < model->host_count; h++) {
        station->wake_ns[h] = INT64_MIN;
        if (fault_strikes_host(fault, model, h))
            result = strike_host(station, fault, begins, h);
    }
    station->meters_late |= meters;
    uint32_t meter = meters ? model->node[fault->place].meter : INDEX_NONE;
    if (!result && meter != INDEX_NONE)
        result = station_meter_change(&station->meter[meter], &station->faults, model, meter);
    return result;
}
