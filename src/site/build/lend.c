/* SPDX-License-Identifier: Apache-2.0 */
/* Which nodes may lend, in which contingency, and what may be drawn from their pools. */
#include <string.h>

#include "site/build/build.h"
#include "site/derive.h"
#include "site/lend.h"

enum { NAMED = 3, LINE_BYTES = NAMED * (NAME_BYTES + 2) + 8, WHY_BYTES = 160 };

static const struct { uint32_t bit; const char *words; } obstacle[] = {
#define LEND_SYMBOL(symbol, bit, words) {bit, words},
    LEND_OBSTACLES(LEND_SYMBOL)
#undef LEND_SYMBOL
};

static void say_why(uint32_t set, char why[WHY_BYTES])
{
    size_t used = 0;

    *why = '\0';
    for (uint32_t i = 0; i < sizeof obstacle / sizeof *obstacle; i++)
        if (set & obstacle[i].bit)
            used += (size_t)snprintf(why + used, WHY_BYTES - used, "%s%s", used ? ", " : "",
                                     obstacle[i].words);
}

static void refuse(struct draft *d, const struct site *site, uint32_t node, uint32_t set)
{
    const struct draft_node *draft = &d->node[d->node_order[node]];
    char why[WHY_BYTES];

    say_why(set, why);
    if (!site->model.node[node].limited)
        finding_at(d->errors, draft->oversubscribe.at,
                   "node '%s' has no limit that could be passed, drop oversubscribe", draft->id.text);
    else
        finding_at(d->errors, draft->oversubscribe.at,
                   "node '%s' cannot be oversubscribed, for there is %s: mend that or drop oversubscribe",
                   draft->id.text, why);
}

/* Asked for once for all: a line for each reason. */
static void warn_inherited(struct draft *d, const struct site *site)
{
    for (uint32_t i = 0; i < sizeof obstacle / sizeof *obstacle; i++) {
        char line[LINE_BYTES] = "";
        uint32_t count = 0;
        size_t used = 0;

        for (uint32_t n = 0; n < site->model.node_count; n++) {
            if (site->asked[n] != ASKED_BY_POLICY || !site->model.node[n].limited ||
                !(lend_obstacles(site, n) & obstacle[i].bit))
                continue;
            if (count++ < NAMED)
                used += (size_t)snprintf(line + used, sizeof line - used, "%s%s", count > 1 ? ", " : "",
                                         site->model.node[n].name);
        }
        if (count)
            finding_at(d->warnings, d->policy.oversubscribe.at,
                       "oversubscribe does not hold at %u node%s (%s%s), for there is %s", count,
                       count > 1 ? "s" : "", line, count > NAMED ? ", ..." : "", obstacle[i].words);
    }
}

/* Bit by bit: nothing lost; a loss that the node outlives, whose reserve was to be lent, that leaves it a
 * meter and a controller, and that somebody sees; a sag, at what is left of the curve. */
static uint8_t lend_bits(const struct site *site, const struct outage *outage, uint32_t node)
{
    const struct model *m = &site->model;
    uint8_t bits = 1;

    for (uint32_t c = 1; c < m->contingency_count; c++) {
        bool fine = m->contingency[c].kind == CONTINGENCY_SAG;

        if (!fine)
            fine = site->redundancy.lend[c] && m->contingency[c].witness != INDEX_NONE &&
                   !(outage->node[node] >> c & 1) && outage_lend(site, outage, node, c) == LEND_FINE;
        bits |= (uint8_t)(fine << c);
    }
    return bits;
}

/* domain.md 4.3: 0.80 and 0.85 of the rating, of which the steady limit is 0.80. Five percent of current
 * below the lowest pickup whatever the key says, and never less than may flow for ever. */
static void set_pool(const struct draft_burst *burst, struct model_node *n)
{
    int64_t edge_ma = INT64_MAX;

    n->level_mva = n->limit_mva[0][0];
    n->level_burst_mva = derive_round_down(n->level_mva, burst->level.number, PPM);
    for (uint32_t i = 0; i < n->breaker.element_count; i++)
        if (!n->breaker.element[i].residual && n->breaker.element[i].pickup_ma < edge_ma)
            edge_ma = n->breaker.element[i].pickup_ma;
    if (edge_ma < INT64_MAX) {
        int64_t most = derive_limit_mva(derive_round_down(edge_ma, 95, 100), n->volts_low_mv);

        n->level_burst_mva = most < n->level_burst_mva ? most : n->level_burst_mva;
    }
    if (n->level_burst_mva < n->level_mva)
        n->level_burst_mva = n->level_mva;
    /* mVA x us are VA x ns; a sixteenth of 0.80 are 0.05 */
    n->burst_credit_va_ns_max = derive_round_down(n->level_mva, burst->credit.number / NS_PER_US, 16);
}

static void find_witnesses(struct draft *d, struct site *site, const struct outage *outage)
{
    struct model *m = &site->model;

    for (uint32_t c = 1; c < m->contingency_count; c++) {
        const struct draft_loss *loss = &d->redundancy.lost[c - 1];

        if (m->contingency[c].kind != CONTINGENCY_LOSS)
            continue;
        m->contingency[c].witness = lend_witness(site, outage, c);
        if (loss->witness_of == INDEX_NONE)
            continue;
        uint32_t node = d->node[d->meter[loss->witness_of].node_of].rank;

        m->contingency[c].witness = m->node[node].meter;
        if (!(outage->node[node] >> c & 1))
            finding_at(d->errors, loss->witness.at,
                       "meter '%s' does not see the loss of %s: its node '%s' keeps a way to a source, name "
                       "one that goes dark",
                       loss->witness.text, m->contingency[c].name, m->node[node].name);
    }
}

int build_lending(struct draft *d, struct site *site)
{
    struct model *m = &site->model;
    struct outage outage;
    int rc = outage_open(&outage, site);

    if (rc)
        return rc;
    find_witnesses(d, site, &outage);
    for (uint32_t n = 0; n < m->node_count; n++) {
        uint32_t set = lend_obstacles(site, n);

        if (!site->asked[n])
            continue;
        if (m->node[n].limited && !set) {
            m->node[n].lend = lend_bits(site, &outage, n);
            set_pool(&d->node[d->node_order[n]].burst, &m->node[n]);
        } else if (site->asked[n] == ASKED_HERE) {
            refuse(d, site, n, set);
        }
    }
    warn_inherited(d, site);
    outage_close(&outage);
    return 0;
}
