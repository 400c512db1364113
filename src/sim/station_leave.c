/* SPDX-License-Identifier: Apache-2.0 */
/* An agent that is told to stop, as agent/run.c has it: it asks to be let go, for so long; then, or where the
 * site does not allow that, it ends at fail-safe. The watchdog stays. */
#include "sim/station.h"

void station_leave(struct station *station, uint32_t h)
{
    struct station_agent *agent = &station->agent[h];
    bool may_ask = station->plant->model->policy.let_go;
    int64_t now_ns = station_local_ns(station, h, station->plant->t_ns);
    if (agent->dead || agent->ended || agent->leaving)
        return;
    agent->leaving = true;
    agent->leave_by_ns = now_ns + (may_ask ? FAULT_LEAVE_NS : 0);
    if (may_ask)
        holder_leave(&station->holder[h], now_ns);
}

void station_step_leaving(struct station *station, uint32_t h, int64_t now_ns)
{
    struct station_agent *agent = &station->agent[h];
    struct holder *holder = &station->holder[h];
    if (!holder->let_go && holder->incarnation && now_ns >= agent->leave_by_ns)
        holder_restart(holder, 0, now_ns);      /* nobody hears of it: it obeys and reports nothing */
    bool done = holder->let_go ? holder_holds(holder) : !holder->incarnation && !holder_deadline_ns(holder);
    if (!done)
        return;
    agent->leaving = false;
    agent->ended = true;
    if (!fault_set_host(&station->faults, station->plant->model, FAULT_LEAVE, h))
        station_start_agent(station, h);        /* it was to come back before */
}
