/* SPDX-License-Identifier: Apache-2.0 */
/* What can only be checked on the whole: fail-safe everywhere must be carried for ever, and what
 * deserves a warning. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "site/build/build.h"
#include "site/derive.h"
#include "site/flow/sums.h"

struct worst {
    int64_t over;               /* mVA above the limit; <= 0 = fits */
    uint32_t contingency, phase;
    int64_t hosts, bad, other, limit;
};

/* A figure in an error message: kVA with two decimals, loads rounded up and limits down, so that what does
 * not fit never reads as if it did. */
static const char *write_kva(int64_t hundredths, char text[24])
{
    snprintf(text, 24, "%" PRId64 ".%02" PRId64 " kVA", hundredths / 100, hundredths % 100);
    return text;
}

static const char *kva(int64_t mva, char text[24])
{
    return write_kva((mva + 9999) / 10000, text);
}

static const char *kva_down(int64_t mva, char text[24])
{
    return write_kva(mva / 10000, text);
}

static const char *after_loss(const struct model *m, uint32_t contingency, char text[NAME_BYTES + 24])
{
    snprintf(text, NAME_BYTES + 24, "%s%s", contingency ? " after the loss of " : "",
             contingency ? m->contingency[contingency].name : "");
    return text;
}

static void look(struct worst *worst, const struct model_node *n, const int64_t hosts[PHASES], uint32_t c)
{
    for (uint32_t ph = 0; ph < PHASES; ph++) {
        int64_t over = hosts[ph] + n->bad_mva[c][ph] + n->other_mva[ph] - n->limit_mva[c][ph];

        if (over <= worst->over)
            continue;
        *worst =
            (struct worst){over, c, ph, hosts[ph], n->bad_mva[c][ph], n->other_mva[ph], n->limit_mva[c][ph]};
    }
}

static void report(struct draft *d, const struct model *m, uint32_t node, const struct worst *w)
{
    char all[24], hosts[24], bad[24], other[24], limit[24], when[NAME_BYTES + 24];

    finding_at(d->errors, d->node[d->node_order[node]].at,
               "node '%s' phase %c%s: with every host at fail-safe %s may flow (hosts %s, bad %s, other %s), "
               "its steady limit is %s: lower fail_safe or k, or move hosts",
               m->node[node].name, (char)('A' + w->phase), after_loss(m, w->contingency, when),
               kva(w->hosts + w->bad + w->other, all),
               kva(w->hosts, hosts), kva(w->bad, bad), kva(w->other, other), kva_down(w->limit, limit));
}

/* 0.85 of the fastest element on one phase; peak to rms, down: 1 / sqrt 2. */
static int64_t instant_limit_mva(const struct model_node *n)
{
    return derive_limit_mva(derive_round_down(n->instant_peak_ma, 707106, PPM), n->volts_low_mv);
}

/* I2, second half: k hosts that start together must not reach the fastest element, nor on what a loss
 * leaves them: that is when they start together. A node that is dead or has no device starts nothing. */
static void look_at_start(const struct model *m, const struct sums_below *below, uint32_t node, uint32_t c,
                          const int64_t hosts[PHASES], struct worst *worst)
{
    const struct model_node *n = &m->node[node];

    if (!n->instant_peak_ma || n->limit_mva[c][0] == DERIVE_NO_LIMIT)
        return;
    int64_t limit = instant_limit_mva(n);

    for (uint32_t ph = 0; ph < PHASES; ph++) {
        int64_t start =
            hosts[ph] + n->other_mva[ph] + sums_largest_gaps(m, below, node, SUM_BOOT, c, ph) - limit;

        if (start > worst->over || (start == worst->over && start && c < worst->contingency))
            *worst = (struct worst){.over = start, .contingency = c, .phase = ph, .limit = limit};
    }
}

static void report_start(struct draft *d, const struct model *m, uint32_t node, const struct worst *w)
{
    char text[24], edge[24], when[NAME_BYTES + 24];

    finding_at(d->errors, d->node[d->node_order[node]].at,
               "node '%s' phase %c%s: %u hosts that start together may draw %s, 0.85 of the fast edge of its "
               "fastest stage is %s: lower inrush or k",
               m->node[node].name, (char)('A' + w->phase), after_loss(m, w->contingency, when),
               m->node[node].k, kva(w->over + w->limit, text), kva_down(w->limit, edge));
}

int check_fail_safe(struct draft *d, const struct site *site)
{
    const struct model *m = &site->model;
    int64_t(*sum)[PHASES] = scratch_take(&d->scratch, (m->node_count + 1) * sizeof *sum);
    struct worst *worst = scratch_take(&d->scratch, (m->node_count + 1) * sizeof *worst);
    struct worst *start = scratch_take(&d->scratch, (m->node_count + 1) * sizeof *start);
    struct sums_below below = {0};

    if (!sum || !worst || !start || sums_below_start(&below, m, &d->scratch))
        return -ENOMEM;
    for (uint32_t c = m->contingency_count; c-- > 0;) {
        if (!m->contingency[c].lasting)
            continue;
        sums_hosts(m, SUM_FAIL_SAFE, c, sum);
        for (uint32_t i = 0; i < m->node_count; i++) {
            look(&worst[i], &m->node[i], sum[i], c);
            look_at_start(m, &below, i, c, sum[i], &start[i]);
        }
    }
    for (uint32_t i = 0; i < m->node_count; i++) {
        if (worst[i].over > 0)
            report(d, m, i, &worst[i]);
        if (start[i].over > 0)
            report_start(d, m, i, &start[i]);
    }
    return 0;
}

enum warning { WARN_SETTINGS, WARN_K, WARN_METER, WARNING_COUNT };

static int applies(const struct site *site, const uint32_t *hosts, uint32_t node, enum warning what)
{
    const struct model_node *n = &site->model.node[node];

    switch (what) {
    case WARN_SETTINGS:
        return n->limited && !site->note[node].settings_known;
    case WARN_K:
        return n->limited && !n->k && hosts[node] > 1;
    default:
        return n->limited && n->meter == INDEX_NONE;
    }
}

/* One line for all nodes a warning is about: a hall has thousands. */
static void warn_nodes(struct draft *d, const struct site *site, const uint32_t *hosts, enum warning what)
{
    static const char *const text[WARNING_COUNT] = {
        [WARN_SETTINGS] = "no settings_from: no oversubscription there, name study, as_left and by",
        [WARN_K] = "k is 0 with more than one host: a host that disobeys is not covered there",
        [WARN_METER] = "a limit and no meter: emergencies are not seen there",
    };
    enum { NAMED = 3 };
    const struct model *m = &site->model;
    char line[NAMED * (NAME_BYTES + 2) + 8] = "";
    uint32_t count = 0, first = INDEX_NONE;
    size_t used = 0;

    for (uint32_t i = 0; i < m->node_count; i++) {
        if (!applies(site, hosts, i, what))
            continue;
        if (count < NAMED)
            used += (size_t)snprintf(line + used, sizeof line - used, "%s%s", count ? ", " : "",
                                     m->node[i].name);
        if (!count++)
            first = i;
    }
    if (!count)
        return;
    const struct tree *at = d->node[d->node_order[first]].at;

    finding_at(d->warnings, at, "%u node%s (%s%s): %s", count, count > 1 ? "s" : "", line,
               count > NAMED ? ", ..." : "", text[what]);
}

/* A transformer stands at its secondary: its limit and its children's volts are of that side. */
static void warn_pair(struct draft *d, const struct draft_node *draft, const struct model_node *n,
                      const struct model_node *parent)
{
    const struct tree *at = draft->volts.at ? draft->volts.at : draft->at;

    if (parent->kind == NODE_TRANSFORMER)
        finding_at(d->warnings, at,
                   "node '%s' differs in volts from its parent '%s', a transformer, whose volts are those of "
                   "its secondary: correct one of the two, a device at its primary is a node above it",
                   n->name, parent->name);
    else
        finding_at(d->warnings, at,
                   "node '%s' and its parent '%s' differ in volts and no transformer stands between them",
                   n->name, parent->name);
}

/* The sums are in power and do not mind, but limits follow from the volts written: a slip would go unseen. */
static void warn_volts(struct draft *d, const struct site *site)
{
    const struct model *m = &site->model;

    for (uint32_t i = 0; i < m->node_count; i++) {
        const struct model_node *n = &m->node[i];

        if (n->kind == NODE_TRANSFORMER || n->kind == NODE_UPS || n->kind == NODE_DISTRIBUTION)
            continue;
        for (uint32_t p = 0; p < n->parent_count; p++)
            if (m->node[n->parent[p]].volts_ln_mv != n->volts_ln_mv)
                warn_pair(d, &d->node[d->node_order[i]], n, &m->node[n->parent[p]]);
    }
}

int check_warnings(struct draft *d, const struct site *site)
{
    const struct model *m = &site->model;
    uint32_t *hosts = scratch_take(&d->scratch, (m->node_count + 1) * sizeof *hosts);

    if (!hosts)
        return -ENOMEM;
    sums_count_hosts(m, hosts);
    warn_volts(d, site);
    for (enum warning what = 0; what < WARNING_COUNT; what++)
        warn_nodes(d, site, hosts, what);
    return 0;
}
