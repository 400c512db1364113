/* SPDX-License-Identifier: Apache-2.0 */
/* Who may pass its limit and by how much, whose reserve is lent, and what steers: ramps, jobs, contracts. Of
 * what a site does not speak, nothing is said. */
#include <stdio.h>
#include <string.h>

#include "cli/check/check.h"

enum { NAME_WIDTH = 24, SHOWN = 20 };

static const struct model *model_of(const struct check *check)
{
    return &check->site.model;
}

/* The losses whose reserve it lends. */
static void print_reserves(const struct model *m, const struct model_node *n)
{
    uint32_t count = 0;

    for (uint32_t c = 1; c < m->contingency_count; c++)
        if (n->lend >> c & 1 && m->contingency[c].kind == CONTINGENCY_LOSS)
            printf("%s%s", count++ ? ", " : "", m->contingency[c].name);
    printf("%s\n", count ? "" : "-");
}

static double amperes(const struct model_node *n, int64_t mva)
{
    return (double)mva / (double)n->volts_low_mv;
}

static bool pools_alike(const struct model_node *a, const struct model_node *b)
{
    return a->kind == b->kind && a->lend == b->lend && a->level_mva == b->level_mva &&
           a->level_burst_mva == b->level_burst_mva && a->burst_credit_va_ns_max == b->burst_credit_va_ns_max;
}

/* Further nodes of which the same would be said; INDEX_NONE: one before it said so. */
static uint32_t further(const struct model *m, uint32_t node)
{
    uint32_t count = 0;

    for (uint32_t n = 0; n < m->node_count; n++) {
        if (n == node || !m->node[n].lend || !pools_alike(&m->node[n], &m->node[node]))
            continue;
        if (n < node)
            return INDEX_NONE;
        count++;
    }
    return count;
}

static void print_pools(const struct check *check)
{
    const struct model *m = model_of(check);
    uint32_t rows = 0;

    for (uint32_t i = 0; i < m->node_count; i++) {
        const struct model_node *n = &m->node[i];
        uint32_t alike = n->lend ? further(m, i) : INDEX_NONE;
        char name[NAME_BYTES + 16];

        if (alike == INDEX_NONE || rows == SHOWN)
            continue;
        if (!rows++)
            printf("\n%-*s %8s %8s %9s  %s\n", NAME_WIDTH, "may pass its limit", "level A", "burst A",
                   "credit kJ", "lends the reserve for");
        snprintf(name, sizeof name, alike ? "%s (+%u)" : "%s", n->name, alike);
        printf("%-*s %8.1f %8.1f %9.1f  ", NAME_WIDTH, name, amperes(n, n->level_mva),
               amperes(n, n->level_burst_mva), (double)n->burst_credit_va_ns_max / 1e12);
        print_reserves(m, n);
    }
    if (rows)
        printf(
            "level, burst: measured or forecast load of one phase, for ever and while credit (kVA s) lasts; "
            "leases\nare bounded by what the curve admits.\n");
}

static const char *lend_words(const struct check *check, uint32_t c)
{
    const struct model *m = model_of(check);

    if (m->contingency[c].kind == CONTINGENCY_SAG || !check->site.redundancy.lend[c])
        return "kept";
    for (uint32_t n = 0; n < m->node_count; n++)
        if (m->node[n].lend >> c & 1)
            return "lent";
    return "kept, lent nowhere";
}

static void print_contingencies(const struct check *check)
{
    const struct model *m = model_of(check);
    bool lend = false;

    for (uint32_t c = 1; c < m->contingency_count; c++)
        lend |= check->site.redundancy.lend[c];
    for (uint32_t c = 1; c < m->contingency_count; c++) {
        const struct model_contingency *one = &m->contingency[c];

        if (one->kind == CONTINGENCY_SAG)
            printf("sag to %.1f %% of nominal volts: leases keep the limits there, hosts at fail-safe need "
                   "not\n",
                   (double)check->site.redundancy.sag_ppm / 1e4);
        else if (lend)
            printf("reserve for %s: %s, witness %s\n", one->name, lend_words(check, c),
                   one->witness == INDEX_NONE ? "none" : m->meter[one->witness].name);
    }
}

static void print_computed(const struct check *check)
{
    const struct model *m = model_of(check);

    for (uint32_t t = 0; t < m->type_count; t++) {
        int64_t least = INT64_MAX, most = 0;
        uint32_t count = 0;

        for (uint32_t h = 0; h < m->host_count; h++) {
            int64_t cap = m->host[h].fail_safe_mw;

            if (m->host[h].type != t || !check->site.computed[h])
                continue;
            count++;
            least = cap < least ? cap : least;
            most = cap > most ? cap : most;
        }
        if (count)
            printf("fail-safe caps of %u host%s of %s are computed: %.1f to %.1f W\n", count,
                   count == 1 ? "" : "s", m->type[t].name, (double)least / 1e3, (double)most / 1e3);
    }
}

static void print_order(const struct check *check)
{
    const struct model *m = model_of(check);
    uint32_t tier[TIERS_MAX] = {0}, most = 0;

    for (uint32_t h = 0; h < m->host_count; h++) {
        tier[m->host[h].tier]++;
        most = m->host[h].tier > most ? m->host[h].tier : most;
    }
    for (uint32_t t = 0; most && t < TIERS_MAX; t++)
        if (tier[t])
            printf("tier %u: %u host%s\n", t, tier[t], tier[t] == 1 ? "" : "s");
    for (uint32_t gang = 0; gang < m->gang_count && gang < SHOWN; gang++) {
        uint32_t count = 0;

        for (uint32_t h = 0; h < m->host_count; h++)
            count += m->host[h].gang == gang;
        printf("job %s: %u host%s\n", check->site.job[gang].name, count, count == 1 ? "" : "s");
    }
    if (m->gang_count > SHOWN)
        printf("and %u more jobs\n", m->gang_count - SHOWN);
}

static void print_ramp(int64_t up_mw_per_s, int64_t down_mw_per_s)
{
    if (up_mw_per_s)
        printf(" up %.1f kW/s", (double)up_mw_per_s / 1e6);
    if (down_mw_per_s)
        printf("%s down %.1f kW/s", up_mw_per_s ? "," : "", (double)down_mw_per_s / 1e6);
}

static void print_ramps(const struct check *check)
{
    const struct model *m = model_of(check);

    for (uint32_t n = 0; n < m->node_count; n++) {
        if (!m->node[n].ramp_up_mw_per_s && !m->node[n].ramp_down_mw_per_s)
            continue;
        printf("ramp of caps below %s:", m->node[n].name);
        print_ramp(m->node[n].ramp_up_mw_per_s, m->node[n].ramp_down_mw_per_s);
        putchar('\n');
    }
}

static void print_contracts(const struct check *check)
{
    static const char *const day[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

    for (uint32_t i = 0; i < check->site.contract_count; i++) {
        const struct site_contract *c = &check->site.contract[i];

        printf("contract %s at %s", c->name, model_of(check)->node[c->node].name);
        for (uint32_t n = 0; n < c->also_count; n++)
            printf(", %s", model_of(check)->node[c->also[n]].name);
        fputs(c->also_count ? " together:" : ":", stdout);
        if (c->cap_mw)
            printf(" at most %.1f kW%s", (double)c->cap_mw / 1e6,
                   c->ramp_up_mw_per_s || c->ramp_down_mw_per_s ? "," : "");
        print_ramp(c->ramp_up_mw_per_s, c->ramp_down_mw_per_s);
        if (c->from_s != c->to_s)
            printf(", %02u:%02u to %02u:%02u", c->from_s / 3600, c->from_s / 60 % 60, c->to_s / 3600,
                   c->to_s / 60 % 60);
        for (uint32_t d = 0; d < 7 && c->days != SITE_EVERY_DAY; d++)
            if (c->days >> d & 1)
                printf(" %s", day[d]);
        putchar('\n');
    }
}

void check_lending_text(const struct check *check)
{
    print_pools(check);
    print_contingencies(check);
    print_computed(check);
    print_ramps(check);
    print_order(check);
    print_contracts(check);
}
