/* SPDX-License-Identifier: Apache-2.0 */
/* Devices and equipment of the draft as settings, in the units of site/device.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "site/build/build.h"
#include "site/curve/curve.h"
#include "site/derive.h"

static struct device_stage stage_of(const struct draft_stage *from)
{
    return (struct device_stage){.pickup_ma = from->pickup.number,
                                 .delay_ns = from->delay.number,
                                 .tolerance_ppm = from->tolerance.at ? from->tolerance.number : -1,
                                 .i2t = from->i2t.number != 0,
                                 .memory = from->memory.number != 0};
}

static struct device_relay relay_of(const struct draft_relay *from)
{
    return (struct device_relay){.curve = (uint8_t)from->curve.number,
                                 .reset = (uint8_t)from->reset.number,
                                 .pickup_ma = from->pickup.number,
                                 .time_dial_ppm = from->time_dial.number,
                                 .reset_ns = from->reset_time.number,
                                 .reset_exponent_ppm = from->reset_exponent.number,
                                 .pickup_tolerance_ppm = from->pickup_tolerance.number,
                                 .time_tolerance_ppm = from->time_tolerance.number};
}

/* The lists are known good: they were read once with the node or its row. */
static void keep_points(struct draft *d, const struct draft_list *list, struct site_device *out)
{
    out->min_count = draft_read_points(d, "points", &list->min, out->min);
    out->max_count = draft_read_points(d, "points", &list->max, out->max);
    out->points_tolerance_ppm = list->tolerance.number;
}

int64_t build_long_time_ma(const struct draft_device *v)
{
    int64_t rating = v->rating.number, relay = v->relay.pickup.number;

    if (v->long_time.pickup.at)
        return v->long_time.pickup.number;
    return draft_device_kind(v) == DEVICE_RELAY && relay < rating ? relay : rating;
}

void build_device(struct draft *d, const struct draft_node *draft, struct site_device *out)
{
    const struct draft_device *v = &draft->device;
    uint8_t kind = draft_device_kind(v);

    *out = (struct site_device){.kind = kind,
                                .profile = (uint8_t)v->profile.number,
                                .thermal_memory = v->long_time.memory.number != 0,
                                .rating_ma = v->rating.number,
                                .long_time_ma = build_long_time_ma(v),
                                .long_time_ns = v->long_time.delay.number,
                                .long_time_at_ppm = v->long_time.at.number,
                                .short_time = stage_of(&v->short_time),
                                .instantaneous = stage_of(&v->instantaneous),
                                .ground = stage_of(&v->ground),
                                .opening_ns = v->opening.number,
                                .clears_ns = v->instantaneous.clears.number,
                                .ambient_ppm = draft->ambient.number,
                                .assumed = build_assumed(draft)};
    out->ground.memory = true;      /* no key: what forgets is bounded by what remembers */
    if (draft->device_of != INDEX_NONE)
        snprintf(out->name, sizeof out->name, "%s", d->device[draft->device_of].id.text);
    if (kind == DEVICE_RELAY)
        out->relay = relay_of(&v->relay);
    else if (kind == DEVICE_FUSE)
        keep_points(d, &v->fuse, out);
    else if (kind == DEVICE_POINTS)
        keep_points(d, &v->points, out);
}

/* Least of what a state says, as amperes of one phase at nominal volts. */
static void bound_state(const struct model_node *n, struct site_source_state *state)
{
    const int64_t power[] = {state->active_mw, state->apparent_mva};

    for (uint32_t i = 0; i < 2; i++) {
        int64_t ma = derive_power_ma(power[i], n->volts_ln_mv, n->phases);

        if (power[i] && (!state->current_ma || ma < state->current_ma))
            state->current_ma = ma;
    }
}

void build_equipment(struct draft *d, const struct draft_node *draft, const struct model_node *n,
                     struct site_equipment *out)
{
    *out = (struct site_equipment){.transformer_mva = draft->transformer.rated.number,
                                   .transformer_ns = draft->transformer.time_constant.number,
                                   .conductor_ma = draft->conductor.rated.number,
                                   .conductor_ns = draft->conductor.time_constant.number,
                                   .ups_mva = draft->ups.apparent.number,
                                   .ups_mw = draft->ups.active.number,
                                   .generator_step_mw = draft->generator.step.number,
                                   .generator_ramp_mw_per_s = draft->generator.ramp.number * 1000,
                                   .fault_ma = draft->fault.number,
                                   .demand_ma = draft->demand.number};
    draft_read_overloads(d, &draft->ups.overload, out);
    draft_read_states(d, &draft->states, out);
    for (uint32_t i = 0; i < out->state_count; i++)
        bound_state(n, &out->state[i]);
}

void build_breakers(struct draft *d, struct site *site)
{
    struct model *m = &site->model;

    for (uint32_t i = 0; i < m->node_count; i++) {
        const struct draft_node *draft = &d->node[d->node_order[i]];
        int rc = curve_compile(&site->device[i], &site->equipment[i], &m->node[i], EDGE_FAST,
                               &m->node[i].breaker, m->curve, &m->curve_count);

        if (rc == -ENOSPC && m->curve_count == BREAKER_CURVES_MAX) {
            finding_at(d->errors, draft->at,
                       "node '%s' needs one more time-current curve than the %d that fit, let nodes share "
                       "devices",
                       m->node[i].name, BREAKER_CURVES_MAX);
            return;             /* all further ones would say the same */
        }
        if (rc == -ENOSPC)
            finding_at(d->errors, draft->at, "node '%s' trips in more than %d ways, leave out stages",
                       m->node[i].name, BREAKER_ELEMENTS_MAX);
        else if (rc)
            finding_at(d->errors, draft->at,
                       "the curve of node '%s' cannot be followed: a pickup below 1 mA or above 10 MA, or a "
                       "time constant out of reach, check its settings",
                       m->node[i].name);
    }
}
