/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes dark with each declared loss. Warnings: no breaker trips by it, and a site that is not governed
 * for a weak power supply is worse off than one that is. The exception is a 2N site whose last controller
 * dies with a feed: what is left of the hosts falls to fail-safe caps, and that is not what 2N says.
 */
#include <errno.h>
#include <string.h>

#include "site/build/build.h"
#include "site/flow/outage.h"

enum { NAMED = 3, LIST_BYTES = NAMED * (SITE_GEAR_BYTES + 2) + 8, PSUS_MOST = 16 * CORDS_MAX };

/* The first few names of many. */
struct list {
    uint32_t count, first;
    size_t used;
    char names[LIST_BYTES];
};

static void list_add(struct list *list, uint32_t index, const char *name)
{
    if (!list->count)
        list->first = index;
    if (list->count < NAMED)
        list->used += (size_t)snprintf(list->names + list->used, sizeof list->names - list->used, "%s%s",
                                       list->count ? ", " : "", name);
    else if (list->count == NAMED)
        snprintf(list->names + list->used, sizeof list->names - list->used, ", ...");
    list->count++;
}

static const char *plural(uint32_t count)
{
    return count == 1 ? "" : "s";
}

/* Hosts that go dark alike. */
struct dark {
    uint32_t count, host[NAMED];
};

static const struct tree *cords_of(const struct draft *d, uint32_t host)
{
    const struct draft_row *row = &d->row[d->host[d->host_order[host]].row];

    return row->cord.at ? row->cord.at : row->cords.at;
}

static void warn_dark(struct draft *d, const struct site *site, uint32_t c, uint32_t left,
                      const struct dark *dark)
{
    const struct model *m = &site->model;
    uint32_t needed = outage_psus_needed(site, dark->host[0]);
    const char *declared = site->redundancy.single_corded[dark->host[0]] ? " (single_corded)" : "";
    const struct tree *at = cords_of(d, dark->host[0]);
    struct list names = {0};

    if (dark->count == 1) {
        finding_at(d->warnings, at, "%s goes dark on loss of %s: %u PSU%s left, %u needed%s",
                   m->host[dark->host[0]].name, m->contingency[c].name, left, plural(left), needed, declared);
        return;
    }
    for (uint32_t i = 0; i < dark->count && i < NAMED; i++)
        list_add(&names, dark->host[i], m->host[dark->host[i]].name);
    finding_at(d->warnings, at, "%u hosts (%s%s) go dark on loss of %s: %u PSU%s left, %u needed%s",
               dark->count, names.names, dark->count > NAMED ? ", ..." : "", m->contingency[c].name, left,
               plural(left), needed, declared);
}

/* Alike: the same loss, supplies left and needed, declared or not. */
static int warn_all_dark(struct draft *d, const struct site *site, const struct outage *outage, uint32_t c)
{
    enum { KINDS = PSUS_MOST * (PSUS_MOST + 1) * 2 };
    struct dark *dark = scratch_take(&d->scratch, KINDS * sizeof *dark);

    if (!dark)
        return -ENOMEM;
    for (uint32_t h = 0; h < site->model.host_count; h++) {
        uint32_t left = outage_psus_left(site, h, c), needed = outage_psus_needed(site, h);

        if (!(outage->host[h] >> c & 1))
            continue;
        struct dark *alike = &dark[(left * (PSUS_MOST + 1) + needed) * 2 + site->redundancy.single_corded[h]];

        if (alike->count < NAMED)
            alike->host[alike->count] = h;
        alike->count++;
    }
    for (uint32_t i = 0; i < KINDS; i++)
        if (dark[i].count)
            warn_dark(d, site, c, i / 2 / (PSUS_MOST + 1), &dark[i]);
    return 0;
}

static void list_gear(const struct site *site, const struct outage *outage, enum site_gear_kind kind,
                      uint32_t c, struct list *list)
{
    const struct site_redundancy *r = &site->redundancy;

    for (uint32_t g = 0; g < r->gear_count; g++)
        if (r->gear[g].kind == kind && outage->gear[g] >> c & 1)
            list_add(list, g, r->gear[g].name);
}

static uint32_t hosts_left(const struct site *site, const struct outage *outage, uint32_t c)
{
    uint32_t left = 0;

    for (uint32_t h = 0; h < site->model.host_count; h++)
        left += !(outage->host[h] >> c & 1);
    return left;
}

static void check_controllers(struct draft *d, const struct site *site, const struct outage *outage,
                              uint32_t c)
{
    uint32_t left = hosts_left(site, outage, c);
    struct list dark = {0};

    if (!(outage->no_controller >> c & 1) || !left)
        return;
    list_gear(site, outage, GEAR_CONTROLLER, c, &dark);
    finding_at(
        site_scheme_pairs(site->redundancy.scheme) ? d->errors : d->warnings, d->gear[dark.first].cords.at,
        "no controller is left on loss of %s (%s) and %u host%s on at fail-safe caps, put a controller on "
        "another feed",
        site->model.contingency[c].name, dark.names, left, left == 1 ? " lives" : "s live");
}

static void warn_network(struct draft *d, const struct site *site, const struct outage *outage, uint32_t c)
{
    struct list hosts = {0}, switches = {0}, clocks = {0};
    const struct model *m = &site->model;

    list_gear(site, outage, GEAR_SWITCH, c, &switches);
    list_gear(site, outage, GEAR_PTP, c, &clocks);
    for (uint32_t h = 0; h < m->host_count; h++)
        if (outage->host_cut[h] >> c & 1)
            list_add(&hosts, h, m->host[h].name);
    if (hosts.count && switches.count)
        finding_at(d->warnings, d->gear[switches.first].cords.at,
                   "%u host%s (%s) lose%s the way to a controller on loss of %s: %u switch%s dark (%s)",
                   hosts.count, plural(hosts.count), hosts.names, hosts.count == 1 ? "s" : "",
                   m->contingency[c].name, switches.count, switches.count == 1 ? " goes" : "es go",
                   switches.names);
    if (outage->no_clock >> c & 1)
        finding_at(
            d->warnings, d->gear[clocks.first].cords.at,
            "no clock is left on loss of %s (%s): readings are then aged without PTP, within age_bound",
            m->contingency[c].name, clocks.names);
}

static void warn_meters(struct draft *d, const struct site *site, const struct outage *outage, uint32_t c)
{
    const struct model *m = &site->model;
    struct list nodes = {0};

    for (uint32_t n = 0; n < m->node_count; n++)
        if (m->node[n].limited && m->node[n].meter != INDEX_NONE && !(outage->node[n] >> c & 1) &&
            outage->meter[m->node[n].meter] >> c & 1)
            list_add(&nodes, n, m->node[n].name);
    if (nodes.count)
        finding_at(
            d->warnings, d->node[d->node_order[nodes.first]].at,
            "%u node%s (%s) live%s on without a reading on loss of %s: emergencies are not seen there and "
            "no reserve can be lent",
            nodes.count, plural(nodes.count), nodes.names, nodes.count == 1 ? "s" : "",
            m->contingency[c].name);
}

int check_outages(struct draft *d, const struct site *site)
{
    struct outage outage;
    int rc = outage_open(&outage, site);

    for (uint32_t c = 1; !rc && c < site->model.contingency_count; c++) {
        rc = warn_all_dark(d, site, &outage, c);
        check_controllers(d, site, &outage, c);
        warn_network(d, site, &outage, c);
        warn_meters(d, site, &outage, c);
    }
    outage_close(&outage);
    return rc;
}
