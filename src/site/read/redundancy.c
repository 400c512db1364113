/* SPDX-License-Identifier: Apache-2.0 */
/* What may be lost, and how low the voltage may sag, as written. */
#include "site/read/draft.h"

static const char *const reserve_words[] = {"keep", "lend", NULL};

static const struct field redundancy_fields[] = {
    {.key = "scheme", .kind = FIELD_WORD, .words = site_scheme_names, .required = 1,
     .offset = offsetof(struct draft_redundancy, scheme)},
    {.key = "may_lose", .kind = FIELD_LIST, .offset = offsetof(struct draft_redundancy, may_lose)},
    {.key = "reserve", .kind = FIELD_WORD, .words = reserve_words, .otherwise = RESERVE_KEEP,
     .offset = offsetof(struct draft_redundancy, reserve)},
    {.key = "catcher", .kind = FIELD_ID, .offset = offsetof(struct draft_redundancy, catcher)},
    FIELD_END};
static const struct field loss_fields[] = {
    {.key = "node", .kind = FIELD_ID, .required = 1, .offset = offsetof(struct draft_loss, node)},
    {.key = "reserve", .kind = FIELD_WORD, .words = reserve_words, .otherwise = -1,
     .offset = offsetof(struct draft_loss, reserve)},
    {.key = "witness", .kind = FIELD_ID, .offset = offsetof(struct draft_loss, witness)},
    FIELD_END};
static const struct field sag_fields[] = {
    {.key = "volts", .kind = FIELD_QUANTITY, .quantity = QUANTITY_RATIO, .required = 1, .least = 500000,
     .most = PPM, .offset = offsetof(struct draft_sag, volts)},
    FIELD_END};

const struct shape_map draft_redundancy_shapes[] = {
    {"redundancy", redundancy_fields}, {"loss", loss_fields}, {"sag_to", sag_fields}, {0}};

static void check_scheme(struct draft *d, const struct draft_redundancy *r)
{
    if (r->scheme.number == SCHEME_N && r->may_lose.at && r->may_lose.at->count)
        finding_at(d->errors, r->may_lose.at,
                   "scheme N loses nothing without harm, write N+1 or 2N or drop may_lose");
    if (r->scheme.number == SCHEME_DISTRIBUTED && r->may_lose.at && r->may_lose.at->count < 3)
        finding_at(
            d->errors, r->scheme.at,
            "a distributed scheme has three blocks at least that may be lost one at a time, of two write "
            "2N");
    if (r->scheme.number != SCHEME_N && (!r->may_lose.at || !r->may_lose.at->count))
        finding_at(d->errors, r->scheme.at,
                   "scheme %s needs may_lose, list the nodes that may be lost one at a time", r->scheme.text);
    if (r->scheme.number == SCHEME_CATCHER && !r->catcher.at)
        finding_at(d->errors, r->scheme.at,
                   "scheme catcher needs catcher: the node that takes over for any one block");
    if (r->scheme.number != SCHEME_CATCHER && r->catcher.at)
        finding_at(d->errors, r->catcher.at,
                   "a catcher is of scheme catcher alone, drop the key or write that");
    if (r->scheme.number == SCHEME_N && r->reserve.at)
        finding_at(d->errors, r->reserve.at, "scheme N has no reserve, drop the key");
}

static uint32_t read_loss(struct draft *d, const struct tree *at, struct draft_loss *loss)
{
    if (at->kind == TREE_SCALAR)
        loss->node = (struct value){.at = at, .text = at->text};
    else if (fields_read(loss_fields, at, "an item of may_lose", loss, d->errors))
        return INDEX_NONE;
    loss->witness_of = INDEX_NONE;
    loss->node_of = names_resolve(&d->node_names, loss->node.at, d->errors);
    if (loss->witness.at)
        loss->witness_of = names_resolve(&d->meter_names, loss->witness.at, d->errors);
    if (at->kind == TREE_SCALAR || loss->reserve.number < 0)
        loss->reserve = d->redundancy.reserve;
    return loss->node_of;
}

static void read_losses(struct draft *d)
{
    struct draft_redundancy *r = &d->redundancy;
    /* a sag is a contingency too */
    uint32_t most = CONTINGENCIES_MAX - 1 - (d->sag.volts.at != NULL);

    for (const struct tree *at = r->may_lose.at ? r->may_lose.at->first : NULL; at; at = at->next) {
        struct draft_loss loss = {0};
        uint32_t node = read_loss(d, at, &loss), i = 0;

        if (r->lost_count == most) {
            finding_at(d->errors, at, "may_lose names more than %u nodes, that is the most%s", most,
                       d->sag.volts.at ? " beside a sag" : "");
            break;
        }
        while (i < r->lost_count && r->lost[i].node_of != node)
            i++;
        if (i < r->lost_count)
            finding_at(d->errors, loss.node.at, "'%s' is named twice in may_lose, drop one", loss.node.text);
        else if (node != INDEX_NONE)
            r->lost[r->lost_count++] = loss;
    }
}

int draft_read_redundancy(struct draft *d)
{
    struct draft_redundancy *r = &d->redundancy;

    r->catcher_of = INDEX_NONE;
    if (d->sag_at.at)
        draft_read_short(d, sag_fields, d->sag_at.at, "sag", &d->sag);
    if (!d->redundancy_at.at ||
        fields_read(redundancy_fields, d->redundancy_at.at, "redundancy", r, d->errors))
        return 0;
    check_scheme(d, r);
    if (r->catcher.at)
        r->catcher_of = names_resolve(&d->node_names, r->catcher.at, d->errors);
    read_losses(d);
    return 0;
}
