/* SPDX-License-Identifier: Apache-2.0 */
/* Meters as written. */
#include "site/read/draft.h"

static const char *const fresh_words[] = {"measured", NULL};
static const char *const frequency_words[] = {"50Hz", "60Hz", NULL};

#define AT(member) .offset = offsetof(struct draft_meter, member)
static const struct field meter_fields[] = {
    {.key = "id", .kind = FIELD_ID, .required = 1, AT(id)},
    {.key = "node", .kind = FIELD_ID, .required = 1, AT(node)},
    {.key = "period", .kind = FIELD_QUANTITY, .quantity = QUANTITY_TIME, .least = NS_PER_MS,
     .most = 60 * NS_PER_S, .otherwise = 16 * NS_PER_MS, AT(period)},
    {.key = "fresh", .kind = FIELD_QUANTITY, .quantity = QUANTITY_TIME, .least = NS_PER_MS,
     .most = 60 * NS_PER_S, .otherwise = 100 * NS_PER_MS, .words = fresh_words, AT(fresh)},
    {.key = "error", .kind = FIELD_QUANTITY, .quantity = QUANTITY_RATIO, .least = 0, .most = 200000,
     .otherwise = 10000, AT(error)},
    {.key = "cords", .kind = FIELD_LIST, AT(cords)},
    {.key = "protocol", .kind = FIELD_WORD, .words = site_protocol_names, AT(protocol)},
    {.key = "number", .kind = FIELD_COUNT, .least = 0, .most = UINT32_MAX, AT(number)},
    {.key = "appid", .kind = FIELD_TEXT, .most = 8, AT(appid)},
    {.key = "svid", .kind = FIELD_TEXT, .most = SITE_SVID_BYTES - 1, AT(svid)},
    {.key = "pmu", .kind = FIELD_COUNT, .least = 1, .most = UINT16_MAX - 1, AT(pmu)},
    {.key = "phasors", .kind = FIELD_LIST, AT(phasors)},
    {.key = "address", .kind = FIELD_TEXT, .most = 15, AT(address)},
    {.key = "bare", .kind = FIELD_SWITCH, AT(bare)},
    {.key = "rate", .kind = FIELD_COUNT, .least = MEASURE_RATE_MIN_HZ, .most = MEASURE_RATE_MAX_HZ, AT(rate)},
    {.key = "frequency", .kind = FIELD_WORD, .words = frequency_words, .otherwise = -1, AT(frequency)},
    {.key = "correct", .kind = FIELD_ANY, AT(correct)},
    {.key = "sag", .kind = FIELD_QUANTITY, .quantity = QUANTITY_RATIO, .least = 100000, .most = 990000,
     .otherwise = 900000, AT(sag)},
    {.key = "swell", .kind = FIELD_QUANTITY, .quantity = QUANTITY_RATIO, .least = 1010000, .most = 2000000,
     .otherwise = 1100000, AT(swell)},
    {.key = "interruption", .kind = FIELD_QUANTITY, .quantity = QUANTITY_RATIO, .least = 10000,
     .most = 500000, .otherwise = 50000, AT(interruption)},
    {.key = "hysteresis", .kind = FIELD_QUANTITY, .quantity = QUANTITY_RATIO, .least = 1000, .most = 100000,
     .otherwise = 20000, AT(hysteresis)},
    {.key = "peak", .kind = FIELD_QUANTITY, .quantity = QUANTITY_CURRENT, .least = 1000, .most = 1000000000,
     AT(peak)},
    {.key = "slope", .kind = FIELD_QUANTITY, .quantity = QUANTITY_RAMP, .least = 1000,
     .most = 1000000000000, AT(slope)},
    FIELD_END};

const struct shape_map draft_meter_shapes[] = {{"meter", meter_fields}, {0}};

static void check_meter(struct draft *d, const struct draft_meter *m, uint32_t index)
{
    for (uint32_t i = 0; i < index && m->node_of != INDEX_NONE; i++) {
        if (d->meter[i].node_of != m->node_of)
            continue;
        finding_at(d->errors, m->node.at, "node '%s' has meter '%s' already (line %u), keep one",
                   m->node.text, draft_text(&d->meter[i].id), d->meter[i].at->line);
        break;
    }
    if (m->fresh.number == FIELD_IS_WORD)       /* two periods and age_bound at least */
        return;
    /* a reading is at least one window old when it arrives */
    if (m->fresh.number <= m->period.number) {
        const struct tree *at = m->fresh.at ? m->fresh.at : m->period.at;

        finding_at(d->errors, at ? at : m->at,
                   "fresh%s is not longer than period, every reading would be stale: %s",
                   m->fresh.at ? "" : " (100ms where it is not written)",
                   m->fresh.at ? "lengthen fresh" : "write fresh: longer than period");
    } else if (m->fresh.number <= d->policy.age_bound.number) {
        /* the bound is added to every age before it is held against fresh */
        finding_at(d->errors, m->fresh.at ? m->fresh.at : m->at,
                   "fresh is not longer than age_bound of policy, every reading would be stale: lengthen "
                   "fresh or lower age_bound");
    }
}

int draft_read_meters(struct draft *d)
{
    uint32_t i = 0;
    int rc = draft_take_rows(d, &d->meters_at, sizeof *d->meter, METERS_MAX, "meters", (void **)&d->meter,
                             &d->meter_count);

    if (!rc)
        rc = names_start(&d->meter_names, "meter", d->meter_count, &d->scratch);
    d->meter_names.silent = !d->meters_at.at && tree_get(d->root, "meters");
    const struct tree *at = !rc && d->meters_at.at ? d->meters_at.at->first : NULL;

    for (; at && i < d->meter_count; at = at->next, i++) {
        struct draft_meter *m = &d->meter[i];

        m->at = at;
        m->node_of = INDEX_NONE;
        fields_read(meter_fields, at, "a meter", m, d->errors);
        if (m->id.at)
            names_add(&d->meter_names, m->id.text, m->id.at, i, d->errors);
        if (m->node.at)
            m->node_of = names_resolve(&d->node_names, m->node.at, d->errors);
        draft_read_feed(d, &m->cords, &m->feed);
        draft_read_protocol(d, m, i);
        check_meter(d, m, i);
    }
    return rc;
}
