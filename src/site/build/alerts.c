/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts in terms of the model: programs, and which of them each meter has. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "site/build/build.h"

static bool looks_at(const struct draft *d, const struct draft_alert *a, const struct model *m,
                     uint32_t meter)
{
    uint32_t node = m->meter[meter].node;

    if (a->node.at)
        return d->node[a->node_of].rank == node;
    if (a->meter.at)
        return d->node[d->meter[a->meter_of].node_of].rank == node;
    return !a->kind.at || m->node[node].kind == a->kind.number;
}

static void refuse_empty(struct draft *d, const struct draft_alert *a)
{
    if (a->node.at)
        finding_at(d->errors, a->node.at, "node '%s' has no meter that alert '%s' could look at",
                   a->node.text, draft_text(&a->id));
    else if (a->kind.at)
        finding_at(d->errors, a->kind.at, "no %s has a meter that alert '%s' could look at", a->kind.text,
                   draft_text(&a->id));
    else
        finding_at(d->errors, a->at, "alert '%s' looks at meters, and the site has none", draft_text(&a->id));
}

static uint32_t count_watches(struct draft *d, const struct model *m, uint32_t *by_alert)
{
    uint32_t all = 0;

    for (uint32_t i = 0; i < d->alert_count; i++) {
        for (uint32_t meter = 0; meter < m->meter_count; meter++)
            by_alert[i] += looks_at(d, &d->alert[i], m, meter);
        if (!by_alert[i])
            refuse_empty(d, &d->alert[i]);
        if (all <= WATCHES_MAX && all + by_alert[i] > WATCHES_MAX)
            finding_at(d->errors, d->alert[i].at, "with alert '%s' there are %" PRIu32
                       " alerts by the meters each looks at, one flyballd keeps at most %d: name a node or a "
                       "kind", draft_text(&d->alert[i].id), all + by_alert[i], WATCHES_MAX);
        all += by_alert[i];
    }
    return all;
}

static void fill_watches(const struct draft *d, struct model *m)
{
    for (uint32_t meter = 0; meter < m->meter_count; meter++)
        for (uint32_t i = 0; i < d->alert_count; i++)
            if (looks_at(d, &d->alert[i], m, meter))
                m->watch[m->watch_count++] = (struct model_watch){i, meter};
}

int build_alerts(struct draft *d, struct site *site)
{
    uint32_t by_alert[ALERTS_MAX] = {0};
    struct model *m = &site->model;
    size_t alerts = d->alert_count * sizeof *m->alert;
    uint32_t watches = count_watches(d, m, by_alert);

    if (d->errors->count)
        return 0;
    char *at = calloc(1, alerts + watches * sizeof *m->watch + 1);

    if (!at)
        return -ENOMEM;
    m->alert = (struct model_alert *)at;
    m->watch = (struct model_watch *)(at + alerts);
    m->alert_count = d->alert_count;
    for (uint32_t i = 0; i < d->alert_count; i++) {
        struct model_alert *out = &m->alert[i];

        snprintf(out->name, sizeof out->name, "%s", d->alert[i].id.text);
        out->severity = (uint32_t)d->alert[i].severity.number;
        out->watches = by_alert[i];
        out->when = d->alert[i].program;
    }
    fill_watches(d, m);
    return 0;
}
