/* SPDX-License-Identifier: Apache-2.0 */
#include "core/alert.h"

#include "core/digest.h"

static const struct alert_row nothing = {
    .row.newest = INDEX_NONE, .value = {ALERT_VALUE_UNKNOWN, ALERT_VALUE_UNKNOWN, ALERT_VALUE_UNKNOWN}};

static_assert(ALERT_VALUES_MAX == 3, "as many as are set above");

void alert_init(struct alerts *alerts, const struct model *model)
{
    uint32_t watch = 0;
    alerts->model = model;
    for (uint32_t meter = 0; model->watch_count && meter <= model->meter_count; meter++) {
        while (watch < model->watch_count && model->watch[watch].meter < meter)
            watch++;
        alerts->first[meter] = watch;
    }
    for (uint32_t i = 0; i < model->alert_count; i++)
        alerts->row[i] = nothing;
}

uint32_t alert_quantities(const struct when_program *when, enum when_quantity quantity[ALERT_VALUES_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < when->count && count < ALERT_VALUES_MAX; i++) {
        bool is_new = when->step[i].op <= WHEN_IS;
        for (uint32_t j = 0; j < count; j++)
            is_new = is_new && quantity[j] != when->step[i].quantity;
        if (is_new)
            quantity[count++] = when->step[i].quantity;
    }
    return count;
}

static void show_values(struct alert_row *row, const struct when_program *when,
                        const struct when_seen *seen)
{
    enum when_quantity quantity[ALERT_VALUES_MAX];
    uint32_t count = alert_quantities(when, quantity);
    for (uint32_t i = 0; i < ALERT_VALUES_MAX; i++)
        if (i >= count || !when_value(seen, quantity[i], &row->value[i]))
            row->value[i] = ALERT_VALUE_UNKNOWN;
}

static bool turn(struct alerts *alerts, uint32_t at, bool stands, int64_t t_ns)
{
    const struct model_watch *known = &alerts->model->watch[at];
    struct alert_watch *watch = &alerts->watch[at];
    degrade_turn(&alerts->row[known->alert].row, known->meter, watch->stands, stands, t_ns);
    if (stands == watch->stands)
        return false;
    watch->stands = stands;
    watch->since_ns = t_ns;
    alerts->raised += stands;
    alerts->cleared += !stands;
    alerts->digest = digest_mix(alerts->digest, (uint64_t)at << 1 | stands);
    alerts->digest = digest_mix(alerts->digest, (uint64_t)t_ns);
    return true;
}

static bool look(struct alerts *alerts, uint32_t at, const struct when_seen *seen, int64_t t_ns)
{
    const struct model *model = alerts->model;
    const struct model_watch *known = &model->watch[at];
    const struct model_meter *meter = &model->meter[known->meter];
    const struct when_program *when = &model->alert[known->alert].when;
    struct alert_watch *watch = &alerts->watch[at];
    struct alert_row *row = &alerts->row[known->alert];
    /* what a meter did not say for longer than a reading may be old, it may have denied */
    bool gap = watch->heard && t_ns - watch->seen_ns > meter->fresh_ns;
    enum when_truth truth = when_reading(when, &watch->when, seen, t_ns, gap);
    bool unknown = truth == WHEN_UNKNOWN;
    watch->heard = true;
    watch->seen_ns = t_ns;
    alerts->unknown += unknown;
    row->unknown += unknown;
    row->unknown -= watch->unknown;
    watch->unknown = unknown;
    bool turned = turn(alerts, at, truth == WHEN_TRUE, t_ns);
    if (watch->stands && row->row.newest == INDEX_NONE)
        row->row.newest = known->meter;     /* the newest went, this one is still there */
    if (watch->stands && row->row.newest == known->meter)
        show_values(row, when, seen);
    return turned;
}

static void see(const struct alerts *alerts, const struct reading *reading, int64_t t_ns,
                struct when_seen *seen)
{
    const struct spectra_known *known = alerts->known;
    const struct model_meter *meter = &alerts->model->meter[reading->meter];
    uint32_t node = meter->node;
    *seen = (struct when_seen){.reading = reading, .node = &alerts->model->node[node], .meter = meter};
    if (!known)
        return;
    seen->quality = spectrum_seen_quality(known, reading->meter, t_ns);
    seen->spectrum = spectrum_seen(known, reading->meter, t_ns);
    seen->swing = spectrum_seen_swing(known, node, t_ns);
    seen->site = spectrum_seen_swing(known, known->nodes, t_ns);
}

uint32_t alert_reading(struct alerts *alerts, const struct reading *reading, int64_t t_ns)
{
    uint32_t turned = 0;
    struct when_seen seen;
    if (!alerts->model->watch_count || alerts->first[reading->meter] == alerts->first[reading->meter + 1])
        return 0;
    see(alerts, reading, t_ns, &seen);
    for (uint32_t i = alerts->first[reading->meter]; i < alerts->first[reading->meter + 1]; i++)
        turned += look(alerts, i, &seen, t_ns);
    return turned;
}

void alert_view(const struct alerts *alerts, uint32_t alert, struct core_alert_view *view)
{
    const struct alert_row *row = &alerts->row[alert];
    *view = (struct core_alert_view){.row = row->row, .unknown = row->unknown};
    for (uint32_t i = 0; i < ALERT_VALUES_MAX; i++)
        view->value[i] = row->row.newest == INDEX_NONE ? ALERT_VALUE_UNKNOWN : row->value[i];
    uint32_t meter = row->row.newest;
    if (meter == INDEX_NONE)
        return;
    for (uint32_t i = alerts->first[meter]; i < alerts->first[meter + 1]; i++)
        if (alerts->model->watch[i].alert == alert)
            view->newest_since_ns = alerts->watch[i].since_ns;
}
