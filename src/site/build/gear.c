/* SPDX-License-Identifier: Apache-2.0 */
/* What a loss takes away beside feeds: supplies, meters, and the network that leases travel on. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "site/build/build.h"

static struct site_feed feed_of(const struct draft *d, const struct draft_feed *from)
{
    struct site_feed feed = {.count = from->count};

    for (uint32_t j = 0; j < from->count; j++)
        feed.node[j] = d->node[from->node_of[j]].rank;
    return feed;
}

static uint32_t expanded(const struct draft *d, const struct draft_link *link)
{
    const struct value *count = &d->row[link->of_row ? link->index : 0].count;

    return link->of_row && count->at ? (uint32_t)count->number : 1;
}

static int take_memory(const struct draft *d, struct site *site, uint64_t links)
{
    struct site_redundancy *r = &site->redundancy;
    size_t gear = d->gear_count * sizeof *r->gear, link = links * sizeof *r->link;
    size_t feeds = d->meter_count * sizeof *r->meter_feed, types = d->type_count * sizeof *r->psus_needed;
    char *at = calloc(1, gear + link + feeds + types + d->host_count + 1);

    if (!at)
        return -ENOMEM;
    site->gear_memory = at;
    /* words of four bytes, then bytes; an item of gear is a multiple of four */
    r->gear = (struct site_gear *)at;
    r->link = (struct site_link *)(at += gear);
    r->meter_feed = (struct site_feed *)(at += link);
    r->psus_needed = (uint32_t *)(at += feeds);
    r->single_corded = (uint8_t *)(at += types);
    return 0;
}

static void add_link(struct site_redundancy *r, const struct draft_link *link, uint32_t index)
{
    r->link[r->link_count++] = (struct site_link){link->gear, link->end, index};
}

/* Draft indices become places in the model; a row becomes its hosts. */
static int build_links(struct draft *d, struct site *site)
{
    struct site_redundancy *r = &site->redundancy;
    uint32_t *host = scratch_take(&d->scratch, (d->host_count + 1) * sizeof *host);
    uint32_t *first = scratch_take(&d->scratch, (d->row_count + 1) * sizeof *first);

    if (!host || !first)
        return -ENOMEM;
    for (uint32_t h = 0; h < d->host_count; h++)
        host[d->host_order[h]] = h;
    for (uint32_t h = d->host_count; h-- > 0;)      /* hosts of one row stand together in the draft */
        first[d->host[h].row] = h;
    for (uint32_t i = 0; i < d->link_count; i++) {
        const struct draft_link *link = &d->link[i];

        if (link->end == END_METER)
            add_link(r, link, site->model.node[d->node[d->meter[link->index].node_of].rank].meter);
        else if (link->end != END_HOST)
            add_link(r, link, link->index);
        else
            for (uint32_t k = 0; k < expanded(d, link); k++)
                add_link(r, link, host[(link->of_row ? first[link->index] : link->index) + k]);
    }
    return 0;
}

static void build_feeds(const struct draft *d, struct site *site)
{
    struct site_redundancy *r = &site->redundancy;

    for (uint32_t g = 0; g < d->gear_count; g++) {
        snprintf(r->gear[g].name, sizeof r->gear[g].name, "%s", d->gear[g].id.text);
        r->gear[g].kind = (uint8_t)d->gear[g].kind.number;
        r->gear[g].feed = feed_of(d, &d->gear[g].feed);
    }
    r->gear_count = d->gear_count;
    for (uint32_t i = 0; i < d->meter_count; i++)   /* one meter a node: its place follows from the node's */
        r->meter_feed[site->model.node[d->node[d->meter[i].node_of].rank].meter] =
            feed_of(d, &d->meter[i].feed);
}

int build_redundancy(struct draft *d, struct site *site)
{
    struct site_redundancy *r = &site->redundancy;
    uint64_t links = 0;

    for (uint32_t i = 0; i < d->link_count; i++)
        links += expanded(d, &d->link[i]);
    if (links > SITE_LINKS_MAX) {
        finding_at(d->errors, d->gear_at.at, "%llu hosts and meters behind switches, at most %d",
                   (unsigned long long)links, SITE_LINKS_MAX);
        return 0;
    }
    if (take_memory(d, site, links))
        return -ENOMEM;
    r->scheme = (uint8_t)d->redundancy.scheme.number;
    for (uint32_t c = 0; c < d->redundancy.lost_count; c++)
        r->lend[c + 1] = d->redundancy.lost[c].reserve.number == RESERVE_LEND;
    r->sag_ppm = (uint32_t)d->sag.volts.number;
    for (uint32_t t = 0; t < d->type_count; t++)
        r->psus_needed[t] = (uint32_t)d->type[d->type_order[t]].psus_needed.number;
    for (uint32_t h = 0; h < d->host_count; h++)
        r->single_corded[h] = d->row[d->host[d->host_order[h]].row].single_corded.number != 0;
    build_feeds(d, site);
    return build_links(d, site);
}
