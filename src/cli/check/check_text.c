/* SPDX-License-Identifier: Apache-2.0 */
/* flyball check for people: what was read, what each loss does, then the tables, then what to look at. */
#include <stdio.h>
#include <string.h>

#include "cli/check/check.h"

static void print_head(const struct check *check)
{
    const struct model *m = &check->site.model;

    uint32_t warnings = 0;

    for (const char *at = check->warnings; (at = strchr(at, '\n')); at++)
        warnings++;
    printf("%s: ok", check->options.site);
    if (warnings)
        printf(", %u warning%s (at the end)", warnings, warnings > 1 ? "s" : "");
    printf("\n\n");
    printf("site %s, mode %s, scheme %s, %u nodes, %u host%s of %u type%s, %u meter%s, server %s\n", m->name,
           site_mode_names[m->mode], site_scheme_names[check->site.redundancy.scheme], m->node_count,
           m->host_count, m->host_count == 1 ? "" : "s", m->type_count, m->type_count == 1 ? "" : "s",
           m->meter_count, m->meter_count == 1 ? "" : "s",
           *check->site.server.name ? check->site.server.name : "none");
}

static uint32_t count_bit(const uint8_t *mask, uint32_t count, uint32_t c)
{
    uint32_t set = 0;

    for (uint32_t i = 0; i < count; i++)
        set += mask[i] >> c & 1;
    return set;
}

/* The node nearest to its limit in one contingency. */
static uint32_t fullest(const struct check *check, uint32_t c, struct figures_peak *peak)
{
    const struct model *m = &check->site.model;
    uint32_t found = INDEX_NONE;

    for (uint32_t n = 0; n < m->node_count; n++) {
        struct figures_peak one = figures_peak(&check->site, &check->figures, n, c, c);

        if (!m->node[n].limited || !one.any || (found != INDEX_NONE && one.ppm <= peak->ppm))
            continue;
        *peak = one;
        found = n;
    }
    return found;
}

/* Names of the gear of one kind that goes with a loss, the first few; returns how many. */
static uint32_t print_kind(const struct check *check, uint32_t c, enum site_gear_kind kind, bool any)
{
    enum { SHOWN = 3 };
    static const char *const many[GEAR_KIND_COUNT] = {"controllers", "switches", "clocks"};
    const struct site_redundancy *r = &check->site.redundancy;
    uint32_t count = 0;

    for (uint32_t g = 0; g < r->gear_count; g++) {
        if (r->gear[g].kind != kind || !(check->figures.outage.gear[g] >> c & 1))
            continue;
        if (!count)
            printf("%s%s ", any ? "; " : "    takes along ", many[kind]);
        if (count < SHOWN)
            printf("%s%s", count ? ", " : "", r->gear[g].name);
        count++;
    }
    if (count > SHOWN)
        printf(" and %u more", count - SHOWN);
    return count;
}

static void print_gear(const struct check *check, uint32_t c)
{
    const struct site_redundancy *r = &check->site.redundancy;
    uint32_t dark = 0, controllers = 0, gone = 0;

    for (enum site_gear_kind kind = GEAR_CONTROLLER; kind < GEAR_KIND_COUNT; kind++) {
        dark += print_kind(check, c, kind, dark != 0);
        gone = kind == GEAR_CONTROLLER ? dark : gone;
    }
    for (uint32_t g = 0; g < r->gear_count; g++)
        controllers += r->gear[g].kind == GEAR_CONTROLLER;
    if (dark && controllers)
        printf(" (%u of %u controllers left)", controllers - gone, controllers);
    printf("%s", dark ? "\n" : "");
}

static void print_loss(const struct check *check, uint32_t c)
{
    const struct model *m = &check->site.model;
    const struct outage *o = &check->figures.outage;
    struct figures_peak peak;
    uint32_t node = fullest(check, c, &peak);

    printf("%-24s %6u %6u %6u %6u  ", c ? m->contingency[c].name : "none",
           count_bit(o->node, m->node_count, c), count_bit(o->host, m->host_count, c),
           count_bit(o->host_cut, m->host_count, c), count_bit(o->meter, m->meter_count, c));
    if (node == INDEX_NONE)
        printf("-\n");
    else
        printf("%s phase %c at %.1f %%\n", m->node[node].name, (char)('A' + peak.phase),
               check_percent(peak.ppm));
    print_gear(check, c);
}

static void print_losses(const struct check *check)
{
    const struct model *m = &check->site.model;

    printf("\n%-24s %6s %6s %6s %6s  %s\n", "loss of", "nodes", "dark", "cut", "meters",
           "fullest node, hosts at fail-safe");
    for (uint32_t c = 0; c < m->contingency_count; c++)
        print_loss(check, c);
    if (m->contingency_count == 1)
        printf("no loss is declared: redundancy has no may_lose\n");
    else
        printf("dark: hosts short of power supplies; cut: hosts with no way to a controller; "
               "meters: silent ones\n");
    if (m->contingency_count > 1 && !check->site.redundancy.gear_count)
        printf("no infrastructure is written down: what leases travel on is not looked at\n");
}

/* Where the reserve for a loss could not be lent (safety.md section 5, I5). */
static void print_lend(const struct check *check)
{
    enum { SHOWN = 3 };
    const struct model *m = &check->site.model;

    for (uint32_t c = 1; c < m->contingency_count; c++) {
        uint32_t count = 0;
        bool all = check->figures.outage.no_controller >> c & 1;

        for (uint32_t n = 0; n < m->node_count; n++) {
            if (outage_lend(&check->site, &check->figures.outage, n, c) == LEND_FINE)
                continue;
            if (!count)
                printf("the reserve for %s cannot be lent at ", m->contingency[c].name);
            if (count < SHOWN)
                printf("%s%s", count ? ", " : "", m->node[n].name);
            count++;
        }
        if (count)
            printf("%s (%u node%s): %s\n", count > SHOWN ? ", ..." : "", count, count == 1 ? "" : "s",
                   all ? "no controller is left" : "their meter goes too");
    }
}

int check_text(const struct check *check)
{
    print_head(check);
    print_losses(check);
    print_lend(check);
    int rc = check_tables(check);

    if (!rc)
        rc = check_coordination_text(check);
    check_lending_text(check);
    check_alerts_text(check);
    check_shed_text(check);
    check_machine_text(check);
    if (*check->warnings)
        printf("\n%s", check->warnings);
    return rc;
}
