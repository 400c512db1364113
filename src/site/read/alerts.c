/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts as written: a condition, and the meters that it is held against. */
#include <string.h>

#include "site/read/draft.h"
#include "site/read/when.h"

#define HYSTERESIS_USUAL_PPM 20000      /* as of sags, IEC 61000-4-30 */

static const char *const severity_words[] = {
#define WORD(symbol, name, meaning) name,
    ALERT_SEVERITIES(WORD)
#undef WORD
    NULL,
};

#define AT(member) .offset = offsetof(struct draft_alert, member)
static const struct field alert_fields[] = {
    {.key = "id", .kind = FIELD_ID, .required = 1, AT(id)},
    {.key = "when", .kind = FIELD_TEXT, .required = 1, .most = TREE_TEXT_MAX, AT(when)},
    {.key = "node", .kind = FIELD_ID, AT(node)},
    {.key = "meter", .kind = FIELD_ID, AT(meter)},
    {.key = "kind", .kind = FIELD_WORD, .words = draft_kind_words, AT(kind)},
    {.key = "hysteresis", .kind = FIELD_QUANTITY, .quantity = QUANTITY_RATIO, .most = PPM / 2,
     .otherwise = HYSTERESIS_USUAL_PPM, AT(hysteresis)},
    {.key = "severity", .kind = FIELD_WORD, .words = severity_words, .otherwise = ALERT_WARNING,
     AT(severity)},
    FIELD_END};

const struct shape_map draft_alert_shapes[] = {{"alert", alert_fields}, {0}};

/* The token that is wrong has a place of its own where the text stands in the file as it is read. */
static void read_condition(struct draft *d, struct draft_alert *a)
{
    const struct tree *at = a->when.at;
    uint32_t quotes = at->quoted ? 2 : 0;
    struct when_fault fault;

    if (at->to - at->from - quotes != strlen(at->text) || strchr(at->text, '\n')) {
        finding_at(d->errors, at, "when of alert '%s' is folded or has escapes in it, write it on one line, "
                   "without \\", draft_text(&a->id));
        return;
    }
    if (when_parse(at->text, a->hysteresis.number, &a->program, &fault))
        findings_add(d->errors, at->line, at->column + fault.at, "%s", fault.words);
}

static void read_place(struct draft *d, struct draft_alert *a)
{
    const struct value *const place[] = {&a->node, &a->meter, &a->kind};
    uint32_t said = 0;

    for (size_t i = 0; i < sizeof place / sizeof place[0]; i++) {
        said += place[i]->at != NULL;
        if (place[i]->at && said == 2)
            finding_at(d->errors, place[i]->at, "alert '%s' has two of node, meter and kind, keep one",
                       draft_text(&a->id));
    }
    if (a->node.at)
        a->node_of = names_resolve(&d->node_names, a->node.at, d->errors);
    if (a->meter.at)
        a->meter_of = names_resolve(&d->meter_names, a->meter.at, d->errors);
}

static void read_alert(struct draft *d, struct draft_alert *a, const struct tree *at, uint32_t index)
{
    a->at = at;
    a->node_of = a->meter_of = INDEX_NONE;
    fields_read(alert_fields, at, "an alert", a, d->errors);
    if (at->kind != TREE_MAP)
        return;
    if (a->id.at)
        names_add(&d->alert_names, a->id.text, a->id.at, index, d->errors);
    if (a->when.at)
        read_condition(d, a);
    read_place(d, a);
}

int draft_read_alerts(struct draft *d)
{
    uint32_t i = 0;
    int rc = draft_take_rows(d, &d->alerts_at, sizeof *d->alert, ALERTS_MAX, "alerts", (void **)&d->alert,
                             &d->alert_count);

    if (!rc)
        rc = names_start(&d->alert_names, "alert", d->alert_count, &d->scratch);
    const struct tree *at = !rc && d->alerts_at.at ? d->alerts_at.at->first : NULL;

    for (; at && i < d->alert_count; at = at->next, i++)
        read_alert(d, &d->alert[i], at, i);
    return rc;
}
