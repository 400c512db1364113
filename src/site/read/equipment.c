/* SPDX-License-Identifier: Apache-2.0 */
/* What stands beside a node's device: conductor, transformer, UPS, generator, states of a source. */
#include <stdio.h>
#include <string.h>

#include "site/read/draft.h"

void draft_read_overloads(struct draft *d, const struct value *list, struct site_equipment *into)
{
    struct draft_overload before = {0}, now;

    if (!list->at)
        return;
    if (!list->at->count || list->at->count > OVERLOADS_MAX) {
        finding_at(d->errors, list->at, "overload has %u points, 1 to %d are possible", list->at->count,
                   OVERLOADS_MAX);
        return;
    }
    for (const struct tree *at = list->at->first; at; at = at->next, before = now) {
        if (fields_read(draft_overload_fields, at, "an overload", &now, d->errors)) {
            now = (struct draft_overload){0};
            continue;
        }
        if (before.load.at && now.load.number <= before.load.number)
            finding_at(d->errors, now.load.at,
                       "overload goes from %s to %s, write its points in the order of rising load",
                       before.load.text, now.load.text);
        else if (before.load.at && now.time.number > before.time.number)
            finding_at(d->errors, now.time.at,
                       "%s lasts %s and %s longer, %s: more load is never carried for longer",
                       before.load.text, before.time.text, now.load.text, now.time.text);
        into->overload[into->overload_count].load_ppm = now.load.number;
        into->overload[into->overload_count++].ns = now.time.number;
    }
}

static void keep_state(struct draft *d, const struct draft_state *state, struct site_equipment *into)
{
    for (uint32_t i = 0; i < into->state_count; i++)
        if (!strcmp(into->state[i].name, state->id.text))
            finding_at(d->errors, state->id.at, "state '%s' is there already, choose another id",
                       state->id.text);
    struct site_source_state *out = &into->state[into->state_count++];

    *out = (struct site_source_state){.current_ma = state->current.number,
                                      .active_mw = state->active.number,
                                      .apparent_mva = state->apparent.number};
    snprintf(out->name, sizeof out->name, "%s", state->id.text);
}

void draft_read_states(struct draft *d, const struct value *list, struct site_equipment *into)
{
    struct draft_state now;

    if (!list->at)
        return;
    if (!list->at->count || list->at->count > SOURCE_STATES_MAX) {
        finding_at(d->errors, list->at, "%u states, 1 to %d are possible", list->at->count,
                   SOURCE_STATES_MAX);
        return;
    }
    for (const struct tree *at = list->at->first; at; at = at->next) {
        if (fields_read(draft_state_fields, at, "a state", &now, d->errors))
            continue;
        if (!now.active.at && !now.apparent.at && !now.current.at)
            finding_at(d->errors, at,
                       "state '%s' says nothing, add active: 450kW, apparent: 500kVA or current: 700A",
                       now.id.text);
        keep_state(d, &now, into);
    }
}

static void read_ups(struct draft *d, struct draft_node *n, struct site_equipment *spare)
{
    if (!n->ups_at.at || fields_read(draft_ups_fields, n->ups_at.at, "ups", &n->ups, d->errors))
        return;
    if (!n->ups.active.at && !n->ups.apparent.at)
        finding_at(d->errors, n->ups_at.at,
                   "ups says nothing, add active: 450kW or apparent: 500kVA or both");
    draft_read_overloads(d, &n->ups.overload, spare);
}

static void read_generator(struct draft *d, struct draft_node *n)
{
    if (!n->generator_at.at ||
        fields_read(draft_generator_fields, n->generator_at.at, "generator", &n->generator, d->errors))
        return;
    if (!n->generator.step.at && !n->generator.ramp.at)
        finding_at(d->errors, n->generator_at.at,
                   "generator says nothing, add step: 500kW or ramp: 200kW/s or both");
}

/* What only makes sense where power comes from. */
static void check_kind(struct draft *d, const struct draft_node *n)
{
    bool source = n->kind.number == NODE_SOURCE || n->kind.number == NODE_GENERATOR;
    bool top = !tree_get(n->at, "parent") && !tree_get(n->at, "parents");

    if (!n->kind.at)
        return;
    if (n->generator_at.at && !source)
        finding_at(d->errors, n->generator_at.at,
                   "node '%s' is a %s, step and ramp of a generator belong to a source or generator",
                   draft_text(&n->id), n->kind.text);
    if (n->states.at && !source && !top && n->kind.number != NODE_UPS)
        finding_at(d->errors, n->states.at,
                   "node '%s' is a %s, only a source, a generator, a UPS or the top has states",
                   draft_text(&n->id), n->kind.text);
}

/* Nobody would see that a limit written at a node without one counts for nothing. */
static void check_unlimited(struct draft *d, const struct draft_node *n)
{
    const struct {
        const struct value *value;
        const char *key;
    } idle[] = {{&n->transformer_at, "transformer"},
                {&n->ups_at, "ups"},
                {&n->generator_at, "generator"},
                {&n->states, "states"}};

    for (uint32_t i = 0; n->unlimited.number && i < sizeof idle / sizeof idle[0]; i++)
        if (idle[i].value->at)
            finding_at(d->errors, idle[i].value->at,
                       "node '%s' is unlimited, %s would bound nothing: give it a rating, or drop it",
                       draft_text(&n->id), idle[i].key);
}

void draft_read_equipment(struct draft *d, struct draft_node *n)
{
    struct site_equipment spare = {0};

    draft_read_short(d, draft_conductor_fields, n->conductor_at.at, "conductor", &n->conductor);
    draft_read_short(d, draft_transformer_fields, n->transformer_at.at, "transformer", &n->transformer);
    read_ups(d, n, &spare);
    read_generator(d, n);
    draft_read_states(d, &n->states, &spare);
    check_kind(d, n);
    check_unlimited(d, n);
}
