/* SPDX-License-Identifier: Apache-2.0 */
/* Who says what: of settings the study they come from, of a device what nobody says. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "site/build/build.h"

uint32_t build_assumed(const struct draft_node *draft)
{
    const struct draft_device *v = &draft->device;
    const struct {
        uint32_t bit;
        bool said;
    } said[] = {
        {ASSUMED_PROFILE, v->profile.at},
        {ASSUMED_LONG_TIME, v->long_time.pickup.at},
        {ASSUMED_AT, v->long_time.at.at},
        {ASSUMED_MEMORY, v->long_time.memory.at},
        {ASSUMED_OPENING, v->opening.at},
        {ASSUMED_CLEARS, v->instantaneous.clears.at},
        {ASSUMED_AMBIENT, draft->ambient.at},
        {ASSUMED_RESET, v->relay.reset.at},
        {ASSUMED_RATED, v->rated.at},
        {ASSUMED_TOLERANCE, v->relay.curve.at ? v->relay.pickup_tolerance.at && v->relay.time_tolerance.at
                                              : v->fuse.tolerance.at || v->points.tolerance.at},
    };
    uint32_t assumed = 0;

    for (uint32_t i = 0; i < sizeof said / sizeof said[0]; i++)
        assumed |= said[i].said ? 0 : said[i].bit;
    return assumed;
}

static bool same(const struct site_settings *a, const struct draft_settings *b)
{
    return !strcmp(a->study, b->study.text) && !strcmp(a->as_left, b->as_left.text) &&
           !strcmp(a->by, b->by.text);
}

static uint32_t find_or_add(struct site *site, const struct draft_settings *from)
{
    uint32_t i = site->settings_count;

    /* neighbours share a study: the newest first */
    while (i--)
        if (same(&site->settings[i], from))
            return i;
    struct site_settings *own = &site->settings[site->settings_count];

    snprintf(own->study, sizeof own->study, "%s", from->study.text);
    snprintf(own->as_left, sizeof own->as_left, "%s", from->as_left.text);
    snprintf(own->by, sizeof own->by, "%s", from->by.text);
    return site->settings_count++;
}

static uint8_t assumed(const struct value *value, enum site_assumed bit)
{
    return value->at ? 0 : (uint8_t)bit;
}

static void build_said(const struct draft *d, struct site *site)
{
    const struct model *m = &site->model;

    for (uint32_t t = 0; t < m->type_count; t++) {
        const struct draft_type *type = &d->type[d->type_order[t]];

        site->type_efficiency_ppm[t] = (uint32_t)type->efficiency.number;
        site->type_assumed[t] = assumed(&type->overshoot, ASSUMED_OVERSHOOT) |
                                assumed(&type->efficiency, ASSUMED_EFFICIENCY) |
                                assumed(&type->power_factor, ASSUMED_POWER_FACTOR) |
                                assumed(&type->inrush, ASSUMED_INRUSH);
    }
    for (uint32_t i = 0; i < d->meter_count; i++) {
        const struct draft_meter *meter = &d->meter[i];

        site->meter_assumed[m->node[d->node[meter->node_of].rank].meter] =
            assumed(&meter->error, ASSUMED_ERROR) | assumed(&meter->period, ASSUMED_PERIOD) |
            assumed(&meter->fresh, ASSUMED_FRESH);
    }
    site->policy_assumed =
        assumed(&d->policy.lease, ASSUMED_LEASE) | assumed(&d->policy.rho, ASSUMED_CLOCKS);
}

int build_settings(const struct draft *d, struct site *site)
{
    struct model *m = &site->model;
    size_t efficiencies = m->type_count * sizeof *site->type_efficiency_ppm;
    size_t settings = (m->node_count + 1) * sizeof *site->settings;
    settings += -settings % sizeof *site->type_efficiency_ppm;
    char *at = calloc(1, settings + efficiencies + m->type_count + m->meter_count + m->node_count +
                             m->host_count);

    if (!at)
        return -ENOMEM;
    site->settings = (struct site_settings *)at;
    site->type_efficiency_ppm = (uint32_t *)(void *)(at + settings);
    site->type_assumed = (uint8_t *)(at += settings + efficiencies);
    site->meter_assumed = (uint8_t *)(at + m->type_count);
    site->asked = site->meter_assumed + m->meter_count;
    site->computed = site->asked + m->node_count;
    build_said(d, site);
    for (uint32_t n = 0; n < m->node_count; n++) {
        const struct draft_node *draft = &d->node[d->node_order[n]];
        struct site_note *note = &site->note[n];
        uint32_t parent = m->node[n].parent_count ? m->node[n].parent[0] : INDEX_NONE;

        site->asked[n] = draft->oversubscribe.at ? (uint8_t)(draft->oversubscribe.number ? ASKED_HERE : 0)
                                                 : (uint8_t)d->policy.oversubscribe.number;
        note->settings = draft->settings.study.at ? find_or_add(site, &draft->settings) : INDEX_NONE;
        note->volts_low_assumed =
            !draft->volts_low.at && (parent == INDEX_NONE || site->note[parent].volts_low_assumed);
    }
    return 0;
}
