/* SPDX-License-Identifier: Apache-2.0 */
#include "core/compare.h"
#include "core/demand.h"

void demand_init(struct demand *demand, int64_t t_ns)
{
    *demand = (struct demand){.stretch_start_ns = t_ns};
    for (uint32_t i = 0; i < DEMAND_STRETCHES; i++)
        demand->held_cap_mw[i] = -1;
}

static void turn_stretches(struct demand *demand, int64_t stretch_ns, int64_t t_ns)
{
    for (uint32_t i = 0; i < DEMAND_STRETCHES && t_ns - demand->stretch_start_ns >= stretch_ns; i++) {
        demand->newest = (demand->newest + 1) % DEMAND_STRETCHES;
        demand->draw_mw[demand->newest] = 0;
        demand->held_cap_mw[demand->newest] = -1;
        demand->stretch_start_ns += stretch_ns;
    }
    if (t_ns - demand->stretch_start_ns >= stretch_ns)
        demand->stretch_start_ns = t_ns;        /* nothing was heard for longer than is remembered */
}

/* Held again by as much higher as it was probed: it was given that and has taken it up. Given less, it asks
 * for as much again; a lower cap begins anew. */
static void note_probe(struct demand *demand, int64_t cap_mw)
{
    int64_t taken_mw = cap_mw - demand->probed_mw;
    if (taken_mw > 0 && taken_mw >= demand->probe_mw && demand->probed_mw > 0)
        demand->probe_mw = 2 * taken_mw;
    else if (taken_mw < 0)
        demand->probe_mw = 0;
    demand->probed_mw = cap_mw;
}

void demand_report(struct demand *demand, const struct model_policy *policy, const struct report *report,
                   int64_t t_ns)
{
    turn_stretches(demand, policy->demand_hold_ns / DEMAND_STRETCHES, t_ns);
    int64_t *draw_mw = &demand->draw_mw[demand->newest], *held_mw = &demand->held_cap_mw[demand->newest];
    *draw_mw = larger(*draw_mw, report->draw_mw);
    if (report->flags & REPORT_AT_CAP) {
        *held_mw = larger(*held_mw, report->readback_mw);
        note_probe(demand, report->readback_mw);
    }
}

static int64_t highest_mw(const int64_t value_mw[DEMAND_STRETCHES])
{
    int64_t highest = value_mw[0];
    for (uint32_t i = 1; i < DEMAND_STRETCHES; i++)
        highest = larger(highest, value_mw[i]);
    return highest;
}

static int64_t cap_for_draw_mw(const struct model_policy *policy, const struct model_host_type *type,
                               int64_t draw_mw)
{
    int64_t governed_mw = larger(draw_mw - type->base_max_mw, 0);
    int64_t headroom_mw = governed_mw / PPM * policy->demand_headroom_ppm +
                          governed_mw % PPM * policy->demand_headroom_ppm / PPM;
    return governed_mw + headroom_mw + type->quantum_mw;
}

/* The draw for which demand_cap_mw gives this cap. */
void demand_handed(struct demand *demand, const struct model_policy *policy,
                   const struct model_host_type *type, int64_t cap_mw)
{
    int64_t governed_mw = larger(cap_mw - type->quantum_mw, 0);
    int64_t whole_ppm = PPM + policy->demand_headroom_ppm;
    governed_mw = governed_mw / whole_ppm * PPM + governed_mw % whole_ppm * PPM / whole_ppm;
    demand->draw_mw[demand->newest] = type->base_max_mw + governed_mw;
}

static void put_forecast(struct demand *demand, uint32_t i, int64_t cap_mw, int64_t from_ns, int64_t until_ns)
{
    demand->forecast[i] = (struct demand_forecast){cap_mw, from_ns, until_ns};
    demand->forecast_until_ns = 0;
    for (i = 0; i < DEMAND_FORECASTS; i++)
        demand->forecast_until_ns = larger(demand->forecast_until_ns, demand->forecast[i].until_ns);
}

void demand_granted(struct demand *demand, int64_t cap_mw, int64_t t_ns, int64_t until_t_ns)
{
    put_forecast(demand, DEMAND_GRANT, cap_mw, t_ns, until_t_ns);
}

void demand_forecast(struct demand *demand, int64_t cap_mw, int64_t from_t_ns, int64_t until_t_ns,
                     int64_t t_ns)
{
    uint32_t place = DEMAND_FORECASTS, last = DEMAND_ORDERS;
    for (uint32_t i = DEMAND_ORDERS; i < DEMAND_FORECASTS; i++) {
        const struct demand_forecast *old = &demand->forecast[i];
        if (old->until_ns > t_ns && from_t_ns < old->until_ns && old->from_ns < until_t_ns) {
            put_forecast(demand, i, 0, 0, 0);   /* it may overlap the other one, too */
            place = place < i ? place : i;
        }
    }
    for (uint32_t i = DEMAND_ORDERS; i < DEMAND_FORECASTS; i++) {
        if (place == DEMAND_FORECASTS && demand->forecast[i].until_ns <= t_ns)
            place = i;
        last = demand->forecast[i].from_ns > demand->forecast[last].from_ns ? i : last;
    }
    put_forecast(demand, place < DEMAND_FORECASTS ? place : last, cap_mw, from_t_ns, until_t_ns);
}

int64_t demand_changes_ns(const struct demand *demand, int64_t t_ns)
{
    int64_t next_ns = INT64_MAX;
    for (uint32_t i = 0; t_ns < demand->forecast_until_ns && i < DEMAND_FORECASTS; i++) {
        const struct demand_forecast *forecast = &demand->forecast[i];
        if (forecast->from_ns > t_ns)
            next_ns = smaller(next_ns, forecast->from_ns);
        if (forecast->until_ns > t_ns)
            next_ns = smaller(next_ns, forecast->until_ns);
    }
    return next_ns;
}

static int64_t forecast_mw(const struct demand *demand, int64_t t_ns)
{
    int64_t cap_mw = 0;
    for (uint32_t i = 0; t_ns < demand->forecast_until_ns && i < DEMAND_FORECASTS; i++)
        if (t_ns >= demand->forecast[i].from_ns && t_ns < demand->forecast[i].until_ns)
            cap_mw = larger(cap_mw, demand->forecast[i].cap_mw);
    return cap_mw;
}

/* A host held down at cap c wants more than c, nobody knows how much. Once raised it keeps what it was given
 * until reports have had time to show what it makes of it: power follows a raise slowly, and a low draw seen
 * on the way up is no demand. */
int64_t demand_cap_mw(const struct demand *demand, const struct model_policy *policy,
                      const struct model_host_type *type, int64_t newest_cap_mw, bool scarce, int64_t t_ns)
{
    int64_t held_mw = highest_mw(demand->held_cap_mw);
    int64_t cap_mw = cap_for_draw_mw(policy, type, highest_mw(demand->draw_mw));
    cap_mw = larger(cap_mw, forecast_mw(demand, t_ns));
    if (held_mw >= 0 && newest_cap_mw <= held_mw + type->quantum_mw)
        cap_mw = scarce ? larger(cap_mw, newest_cap_mw + larger(demand->probe_mw, type->quantum_mw))
                        : type->cap_max_mw;
    else
        cap_mw = larger(cap_mw, held_mw >= 0 ? newest_cap_mw : type->cap_min_mw);
    return cap_mw < type->cap_max_mw ? cap_mw : type->cap_max_mw;
}
