/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/heat/permit.h"

#include <string.h>

#define PERIOD_NS (16 * NS_PER_MS)
#define FRESH_NS (100 * NS_PER_MS)

static int64_t mva_of(const struct heat_permit *p, int64_t ma)
{
    return ma * p->node.volts_low_mv / 1000;
}

static void build(struct heat_permit *p, struct heat_device *device, int64_t respond_ns,
                  uint32_t error_ppm)
{
    p->node = device->node;
    p->node.volts_low_mv = p->node.volts_ln_mv;
    p->node.steady_ma = device->steady_ma;
    p->node.ancestor_count = 1;
    p->node.meter = 0;
    p->node.lend = 1;
    for (uint32_t phase = 0; phase < PHASES; phase++)
        p->node.limit_mva[0][phase] = mva_of(p, device->steady_ma);
    p->meter = (struct model_meter){.error_ppm = error_ppm, .period_ns = PERIOD_NS, .fresh_ns = FRESH_NS};
    p->host = (struct model_host){.weight = 1, .cord_count = 1};
    p->host.cord[0].share_ppm[0] = (uint32_t)PPM;
    p->type = (struct model_host_type){.gain_ppm = PPM, .pf_min_ppm = PPM, .quantum_mw = 1};
    p->model = (struct model){
        .mode = MODE_ENFORCE, .node_count = 1, .host_count = 1, .type_count = 1, .meter_count = 1,
        .contingency_count = 1, .node = &p->node, .host = &p->host, .type = &p->type, .meter = &p->meter};
    p->model.policy.lease_ns = respond_ns - FRESH_NS;
}

void heat_permit_open(struct heat_permit *p, struct heat_device *device, int64_t respond_ns,
                      uint32_t error_ppm)
{
    memset(p, 0, sizeof *p);
    build(p, device, respond_ns, error_ppm);
    p->model.curve = device->curve;
}

void heat_permit_start(struct heat_permit *p, bool cold, int64_t t_ns)
{
    ledger_init(&p->ledger, &p->model, 1, &p->account, &p->sums);
    p->heat.meter = &p->heat_node;
    heat_init(&p->heat, &p->model);
    p->holds.node = &p->hold;
    hold_init(&p->holds, &p->model);
    p->permits = (struct permits){.meter = &p->permit_node,
                                  .expiry = &p->expiry,
                                  .stand_in = &p->stand_in,
                                  .lender = &p->lender,
                                  .sum = &p->sum,
                                  .draw_mw = &p->draw_mw,
                                  .least_first = &p->least_first,
                                  .least_ppm = &p->least_ppm,
                                  .dark = &p->dark,
                                  .lit = &p->lit};
    p->sum = (struct permit_sum){0};
    permit_init(&p->permits, &p->model, &p->heat, &p->ledger, &p->holds);
    if (!cold)
        return;
    breaker_rest(&p->heat_node.state, &p->node.breaker, 0);
    p->heat_node.started = true;
    p->heat_node.stepped_ns = p->heat_node.clear_ns = t_ns;
}

/* One host vouches for the meter; how much it draws is not what is tried here. */
static void vouch(struct heat_permit *p, int64_t t_ns)
{
    struct report report = {.number = ++p->reports};
    p->account.report_t_ns = t_ns;
    permit_report(&p->permits, &report, t_ns);
}

void heat_permit_step(struct heat_permit *p, const int64_t *current_ma, int32_t crest_milli,
                      int64_t exposed_ma, int64_t t_ns)
{
    struct slot slot = {.kind = SLOT_READING, .t_ns = t_ns, .t_receive_ns = t_ns};
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        p->sums.exposed_mva[0][phase] = mva_of(p, exposed_ma);
        if (p->sums.highest_mva[phase] < p->sums.exposed_mva[0][phase])
            p->sums.highest_mva[phase] = p->sums.exposed_mva[0][phase];
    }
    permit_pass_time(&p->permits, t_ns);
    if (!current_ma)
        return;
    slot.reading.crest_milli = crest_milli;
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        slot.reading.current_ma[phase] = current_ma[phase];
        /* a microvolt of noise: what repeats itself is frozen */
        slot.reading.voltage_mv[phase] = p->node.volts_ln_mv + (int64_t)(p->reports % 2);
        slot.reading.power_mw[phase] = current_ma[phase] * p->node.volts_ln_mv / 1000;
    }
    vouch(p, t_ns);
    heat_reading(&p->heat, &p->ledger, &slot.reading, t_ns);
    permit_reading(&p->permits, &slot, t_ns);
}

int64_t heat_permit_limit_ma(const struct heat_permit *p)
{
    return p->sums.limit_mva[0][0] * 1000 / p->node.volts_low_mv;
}

int64_t heat_permit_trigger_ma(const struct heat_permit *p, int64_t t_ns)
{
    return permit_trigger_ma(&p->permits, 0, t_ns);
}
