/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cords against the scheme. A cord that is missing in the file, or written on the wrong feed, makes the sums
 * of the other feed too small after a loss: one that nobody vouches for is an error, and `single_corded: yes`
 * is how a person vouches for it.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "site/build/build.h"
#include "site/flow/outage.h"

static const char *scheme_name(const struct site *site)
{
    return site_scheme_names[site->redundancy.scheme];
}

static const struct tree *cords_at(const struct draft_row *row)
{
    return row->cord.at ? row->cord.at : row->cords.at;
}

/* A declared loss that takes every cord of the host; 0 = none. */
static uint32_t fatal_loss(const struct model *m, const struct model_host *h)
{
    for (uint32_t c = 1; c < m->contingency_count; c++) {
        uint32_t share = 0;

        for (uint32_t j = 0; j < h->cord_count; j++)
            share |= h->cord[j].share_ppm[c];
        if (!share)
            return c;
    }
    return 0;
}

/* Of a catcher's scheme: a switch to the catcher is as good as a second cord. */
static void check_caught(struct draft *d, const struct site *site, const struct draft_row *row, uint32_t host,
                         uint32_t fatal)
{
    const struct model *m = &site->model;
    bool caught = build_switch_above(site, m->host[host].cord[0].node) != INDEX_NONE;

    if (row->cord_count == 1 && !caught)
        finding_at(
            d->errors, cords_at(row),
            "host '%s' has one cord and no transfer switch to '%s' above it, name the other one, or write "
            "single_corded: yes where there is none",
            draft_text(&row->id), m->node[site->redundancy.catcher].name);
    else if (fatal)
        finding_at(
            d->errors, cords_at(row),
            "'%s' dies with the loss of %s, put a transfer switch above it, or write single_corded: yes "
            "where that is meant",
            draft_text(&row->id), m->contingency[fatal].name);
}

static void check_row(struct draft *d, const struct site *site, const struct draft_row *row, uint32_t host)
{
    const struct model *m = &site->model;
    uint32_t common = outage_common_node(site, host), fatal = fatal_loss(m, &m->host[host]);
    struct findings *findings = site_scheme_pairs(site->redundancy.scheme) ? d->errors : d->warnings;
    const char *id = draft_text(&row->id);

    if (row->single_corded.number) {
        if (row->cord_count > 1 && common == INDEX_NONE && !fatal)
            finding_at(d->warnings, row->single_corded.at,
                       "host '%s' says single_corded and its cords hang on different systems, drop the word",
                       id);
        return;
    }
    if (site->redundancy.scheme == SCHEME_CATCHER) {
        check_caught(d, site, row, host, fatal);
        return;
    }
    if (row->cord_count == 1)
        finding_at(d->errors, cords_at(row),
                   "host '%s' has one cord in a site of scheme %s, name the other one, or write "
                   "single_corded: yes where there is none",
                   id, scheme_name(site));
    else if (common != INDEX_NONE)
        finding_at(
            findings, cords_at(row),
            "the cords of '%s' all hang on '%s', move one to another system, or write single_corded: yes "
            "where that is meant",
            id, m->node[common].name);
    else if (fatal && findings == d->errors)    /* in N+1 it is told with what goes dark */
        finding_at(findings, cords_at(row),
                   "every cord of '%s' dies with the loss of %s, move one to another system, or write "
                   "single_corded: yes where that is meant",
                   id, m->contingency[fatal].name);
}

static bool loses_a_cord(const struct model_host *h, uint32_t c)
{
    for (uint32_t j = 0; j < h->cord_count; j++)
        if (h->cord[j].share_ppm[0] && !h->cord[j].share_ppm[c])
            return true;
    return false;
}

/* Other declared losses, as a set, that would take what is left of a host after one. */
static uint32_t leans_on(const struct model *m, const struct model_host *h, uint32_t c)
{
    uint32_t set = 0;

    for (uint32_t j = 0; j < h->cord_count; j++)
        for (uint32_t other = 1; h->cord[j].share_ppm[c] && other < m->contingency_count; other++)
            if (other != c && m->contingency[other].kind == CONTINGENCY_LOSS &&
                !outage_alive(m, h->cord[j].node, m->contingency[other].lost_node))
                set |= 1u << other;
    return set;
}

/* Of a distributed scheme: with a block lost, do several others share its load? */
static void check_spread(struct draft *d, const struct site *site, uint32_t c)
{
    const struct model *m = &site->model;
    uint32_t set = 0, bearer = 1;

    for (uint32_t h = 0; h < m->host_count; h++)
        if (loses_a_cord(&m->host[h], c))
            set |= leans_on(m, &m->host[h], c);
    if (!set || set & (set - 1))
        return;
    while (!(set >> bearer & 1))
        bearer++;
    finding_at(d->warnings, d->redundancy.may_lose.at,
               "all that hangs on %s leans on %s once it is lost: distributed means on several, let pairs of "
               "cords differ",
               m->contingency[c].name, m->contingency[bearer].name);
}

int check_cords(struct draft *d, const struct site *site)
{
    uint8_t *seen = scratch_take(&d->scratch, d->row_count + 1);

    if (!seen)
        return -ENOMEM;
    for (uint32_t c = 1; c < site->model.contingency_count; c++)
        if (site->redundancy.scheme == SCHEME_DISTRIBUTED)
            check_spread(d, site, c);
    for (uint32_t h = 0; site->redundancy.scheme != SCHEME_N && h < site->model.host_count; h++) {
        uint32_t row = d->host[d->host_order[h]].row;

        if (!seen[row])     /* hosts of one row hang alike */
            check_row(d, site, &d->row[row], h);
        seen[row] = 1;
    }
    return 0;
}
