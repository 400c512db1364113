/* SPDX-License-Identifier: Apache-2.0 */
/* Contracts as written: what a site promised its utility, and when. */
#include <string.h>

#include "site/contract.h"
#include "site/read/draft.h"

#define AT(member) .offset = offsetof(struct draft_contract, member)
static const struct field contract_fields[] = {
    {.key = "id", .kind = FIELD_ID, .required = 1, AT(id)},
    {.key = "node", .kind = FIELD_ID, AT(node)},
    {.key = "nodes", .kind = FIELD_LIST, AT(nodes)},
    {.key = "cap", .kind = FIELD_QUANTITY, .quantity = QUANTITY_POWER, .least = 1000,
     .most = DRAFT_WATTS_MAX_MW, AT(cap)},
    {.key = "ramp", .kind = FIELD_ANY, AT(ramp_at)},
    {.key = "from", .kind = FIELD_TEXT, .most = 5, AT(from)},
    {.key = "to", .kind = FIELD_TEXT, .most = 5, AT(to)},
    {.key = "days", .kind = FIELD_LIST, AT(days)},
    FIELD_END};

static const char *const day_words[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};
static const struct field day_fields[] = {
    {.key = "days", .kind = FIELD_WORD, .words = day_words, .otherwise = -1}, FIELD_END};

const struct shape_map draft_contract_shapes[] = {{"contract", contract_fields}, {"days", day_fields}, {0}};

/* "16:00", up to 24:00; -1: none. */
static int64_t day_time_s(const char *text)
{
    if (strlen(text) != 5 || text[2] != ':')
        return -1;
    for (uint32_t i = 0; i < 5; i++)
        if (i != 2 && (text[i] < '0' || text[i] > '9'))
            return -1;
    int64_t hours = (text[0] - '0') * 10 + text[1] - '0', minutes = (text[3] - '0') * 10 + text[4] - '0';

    return minutes > 59 || hours * 60 + minutes > 24 * 60 ? -1 : (hours * 60 + minutes) * 60;
}

static int64_t read_time(struct draft *d, const char *key, const struct value *time)
{
    int64_t seconds = day_time_s(time->text);

    if (seconds >= 0)
        return seconds % SITE_DAY_S;
    finding_at(d->errors, time->at, "%s '%s' is no time of the day, write one like \"16:00\"", key,
               time->text);
    return 0;
}

static void read_hours(struct draft *d, struct draft_contract *c)
{
    if (!c->from.at != !c->to.at) {
        finding_at(d->errors, c->at, "contract '%s' says only one of from and to, write both or neither",
                   draft_text(&c->id));
        return;
    }
    if (!c->from.at)
        return;
    uint32_t before = d->errors->count;

    c->from_s = read_time(d, "from", &c->from);
    c->to_s = read_time(d, "to", &c->to);
    if (d->errors->count == before && c->from_s == c->to_s && c->from_s)
        finding_at(d->errors, c->to.at, "contract '%s' ends when it begins, leave from and to out for the "
                   "whole day", draft_text(&c->id));
}

static void read_days(struct draft *d, struct draft_contract *c)
{
    c->days_of = c->days.at ? 0 : SITE_EVERY_DAY;
    if (c->days.at && !c->days.at->count)
        finding_at(d->errors, c->days.at, "days is empty, name one or leave it out for every day");
    for (const struct tree *at = c->days.at ? c->days.at->first : NULL; at; at = at->next) {
        struct value one;

        if (field_read(day_fields, at, &one, d->errors))
            continue;
        if (c->days_of >> one.number & 1)
            finding_at(d->errors, at, "'%s' is named twice in days, drop one", at->text);
        c->days_of |= (uint8_t)(1u << one.number);
    }
}

/* "site" is all of it, where no node is called so. */
static bool is_whole(const struct draft *d, const struct draft_contract *c)
{
    return c->node.at && !strcmp(c->node.at->text, "site") &&
           names_find(&d->node_names, "site") == INDEX_NONE;
}

static void read_nodes(struct draft *d, struct draft_contract *c)
{
    const struct tree *at = c->nodes.at ? c->nodes.at->first : c->node.at;

    if (!c->node.at == !c->nodes.at)
        finding_at(d->errors, c->node.at ? c->node.at : c->at,
                   c->node.at ? "contract '%s' has both node and nodes, keep one"
                              : "contract '%s' names no node, add node: or nodes:",
                   draft_text(&c->id));
    c->whole = !c->nodes.at && is_whole(d, c);
    for (; at && !c->whole; at = c->nodes.at ? at->next : NULL) {
        uint32_t node = names_resolve(&d->node_names, at, d->errors);

        if (c->node_count == ORDER_NODES_MAX) {
            finding_at(d->errors, at, "more than %d nodes, that is the most", ORDER_NODES_MAX);
            return;
        }
        for (uint32_t i = 0; i < c->node_count && node != INDEX_NONE; i++)
            if (c->node_of[i] == node)
                finding_at(d->errors, at, "node '%s' is named twice, drop one", at->text);
        if (node != INDEX_NONE)
            c->node_of[c->node_count++] = node;
    }
}

static void read_contract(struct draft *d, struct draft_contract *c, const struct tree *at, uint32_t index)
{
    c->at = at;
    fields_read(contract_fields, at, "a contract", c, d->errors);
    if (at->kind != TREE_MAP)
        return;
    if (c->id.at)
        names_add(&d->contract_names, c->id.text, c->id.at, index, d->errors);
    read_nodes(d, c);
    if (!tree_get(at, "cap") && !tree_get(at, "ramp"))
        finding_at(d->errors, at, "contract '%s' bounds nothing, add cap: ... or ramp: ...",
                   draft_text(&c->id));
    draft_read_ramp(d, &c->ramp_at, &c->ramp);
    read_hours(d, c);
    read_days(d, c);
}

int draft_read_contracts(struct draft *d)
{
    uint32_t i = 0;
    int rc = draft_take_rows(d, &d->contracts_at, sizeof *d->contract, SITE_CONTRACTS_MAX, "contracts",
                             (void **)&d->contract, &d->contract_count);

    if (!rc)
        rc = names_start(&d->contract_names, "contract", d->contract_count, &d->scratch);
    const struct tree *at = !rc && d->contracts_at.at ? d->contracts_at.at->first : NULL;

    for (; at && i < d->contract_count; at = at->next, i++)
        read_contract(d, &d->contract[i], at, i);
    return rc;
}
