/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of nodes. A small site is shown as the tree it is; of a hall, its kinds and its fullest
 * nodes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check/check.h"
#include "site/derive.h"

enum { SMALL = 40, FULLEST = 20, NAME_WIDTH = 24, LOSS_WIDTH = 15 };

struct row {
    uint32_t node, depth, alike;    /* alike: further nodes of which the same would be said */
    struct figures_peak normal, worst;
};

struct table {
    const struct check *check;
    uint32_t count;
    struct row *row;
};

static const struct model *model_of(const struct check *check)
{
    return &check->site.model;
}

static void add_row(struct table *t, uint32_t node, uint32_t depth)
{
    const struct check *check = t->check;
    uint32_t last = model_of(check)->contingency_count - 1;

    t->row[t->count++] = (struct row){node, depth, 0, figures_peak(&check->site, &check->figures, node, 0, 0),
                                      figures_peak(&check->site, &check->figures, node, 1, last)};
}

/* A walk down by first parents, so that the table looks like the tree it is. */
static void add_below(struct table *t, uint32_t node, uint32_t depth)
{
    const struct model_node *n = &model_of(t->check)->node[node];

    add_row(t, node, depth);
    for (uint32_t i = 0; i < n->child_count; i++)
        add_below(t, n->child_first + i, depth + 1);
}

static int64_t fullness(const struct row *row)
{
    return row->worst.any && row->worst.ppm > row->normal.ppm ? row->worst.ppm : row->normal.ppm;
}

static int by_fullness(const void *left, const void *right)
{
    const struct row *a = left, *b = right;

    if (fullness(a) != fullness(b))
        return fullness(a) > fullness(b) ? -1 : 1;
    return a->node < b->node ? -1 : a->node > b->node;
}

static void print_name(const struct check *check, const struct row *row)
{
    int indent = 2 * (int)row->depth, width = NAME_WIDTH - indent;

    char name[NAME_BYTES + 16];

    if (row->alike)
        snprintf(name, sizeof name, "%s (+%u)", model_of(check)->node[row->node].name, row->alike);
    else
        snprintf(name, sizeof name, "%s", model_of(check)->node[row->node].name);
    printf("%*s%-*s ", indent, "", width > 0 ? width : 0, name);
}

static void print_percent(const struct figures_peak *peak, bool limited)
{
    if (!peak->any || !limited)
        printf(" %7s", "-");
    else
        printf(" %7.1f", check_percent(peak->ppm));
}

/* Of the losses that take the node: the first, and how many more. */
static void dies_with(const struct check *check, uint32_t node, char *text, size_t bytes)
{
    const struct model *m = model_of(check);
    uint32_t count = 0, first = 0;

    for (uint32_t c = 1; c < m->contingency_count; c++)
        if (check->figures.outage.node[node] >> c & 1 && !count++)
            first = c;
    if (count > 1)
        snprintf(text, bytes, "%s +%u", m->contingency[first].name, count - 1);
    else
        snprintf(text, bytes, "%s", count ? m->contingency[first].name : "-");
}

static void print_load(const struct check *check, const struct row *row)
{
    const struct model *m = model_of(check);
    const struct model_node *n = &m->node[row->node];
    const struct figures_peak *shown = row->worst.any ? &row->worst : &row->normal;
    char dies[NAME_BYTES + 8];

    print_name(check, row);
    printf("%6u", check->figures.node[row->node].hosts);
    if (n->limited)
        printf(" %8.1f %8.1f", (double)n->steady_ma / 1e3, (double)n->limit_mva[0][0] / 1e6);
    else
        printf(" %8s %8s", "-", "-");
    print_percent(&row->normal, n->limited);
    print_percent(&row->worst, n->limited);
    dies_with(check, row->node, dies, sizeof dies);
    printf("  %c  %-*s %s\n", shown->any ? (char)('A' + shown->phase) : '-', LOSS_WIDTH,
           row->worst.any ? m->contingency[row->worst.contingency].name : "-", dies);
}

/* Is the lowest credible voltage the usual one everywhere? */
static bool one_sag(const struct model *m)
{
    for (uint32_t n = 0; n < m->node_count; n++)
        if (m->node[n].volts_low_mv != m->node[n].volts_ln_mv * 95 / 100)
            return false;
    return true;
}

static void print_loads(const struct table *t)
{
    printf("\n%-*s %6s %8s %8s %7s %7s %2s  %-*s %s\n", NAME_WIDTH, "node", "hosts", "limit A", "kVA",
           "norm %", "worst %", "ph", LOSS_WIDTH, "on loss of", "dies with");
    for (uint32_t i = 0; i < t->count; i++)
        print_load(t->check, &t->row[i]);
    printf("limit: amperes and kVA of one phase for long, at %s. norm %%, worst %%: of it with\n"
           "every host at fail-safe, bad and other included, with nothing lost and after the worst declared "
           "loss\n"
           "that the node outlives. ph: the worst phase then.\n",
           one_sag(model_of(t->check)) ? "0.95 of nominal volts" : "its volts_low");
}

/* mVA on one phase as amperes at the lowest credible voltage, up. */
static double amperes(const struct model_node *n, int64_t mva)
{
    return (double)derive_round_up(mva, 1000, n->volts_low_mv) / 1e3;
}

static void print_phase(const struct check *check, const struct row *row)
{
    const struct model_node *n = &model_of(check)->node[row->node];
    const struct figures_node *f = &check->figures.node[row->node];
    int64_t apart = figures_unbalance_ppm(&check->figures, row->node);

    print_name(check, row);
    for (uint32_t ph = 0; ph < PHASES; ph++)
        printf(" %7.1f", amperes(n, f->fail_safe_mva[0][ph]));
    for (uint32_t ph = 0; ph < PHASES; ph++)
        printf(" %7.1f", amperes(n, f->phys_max_mva[0][ph]));
    printf(n->limited ? " %6.2f" : "      -",
           (double)figures_times(&check->site, &check->figures, row->node) / 1e3);
    if (n->phases != PHASES)
        printf("  one phase");
    else if (apart >= 10000)
        printf("  %.1f %%", check_percent(apart));
    putchar('\n');
}

static void print_phases(const struct table *t)
{
    printf("\n%-*s %23s %23s\n", NAME_WIDTH, "hosts alone, A by phase", "at fail-safe", "at phys_max");
    printf("%-*s %7s %7s %7s %7s %7s %7s %6s  %s\n", NAME_WIDTH, "node", "A", "B", "C", "A", "B", "C",
           "times", "unbalanced");
    for (uint32_t i = 0; i < t->count; i++)
        print_phase(t->check, &t->row[i]);
    printf("times: phys_max / limit, of the worst phase and loss; unbalanced: lowest phase below the "
           "highest.\n");
}

static double share(int64_t part, int64_t limit)
{
    return limit > 0 ? (double)part / (double)limit * 100 : 0;
}

/* What the fullest phase after the worst loss is made of, and what binds the limit. */
static void print_binding(const struct check *check, const struct row *row)
{
    const struct model_node *n = &model_of(check)->node[row->node];
    const struct site_note *note = &check->site.note[row->node];
    const struct figures_node *f = &check->figures.node[row->node];
    const struct figures_peak *p = fullness(row) == row->normal.ppm ? &row->normal : &row->worst;
    uint32_t c = p->contingency, ph = p->phase;
    int64_t limit = n->limit_mva[c][ph], base = f->base_mva[c][ph], caps = f->fail_safe_mva[c][ph] - base;

    print_name(check, row);
    if (!n->limited || !p->any) {
        printf("%35s  %s\n", "", n->limited ? "dead" : check_term_names[STEADY_NONE]);
        return;
    }
    printf(" %6.1f %6.1f %6.1f %6.1f %6.1f", share(base, limit), share(caps, limit),
           share(n->bad_mva[c][ph], limit), share(n->other_mva[ph], limit), share(limit - p->mva, limit));
    printf("  %-20s", check_term_names[note->steady_term]);
    if (note->next_ma)
        printf("%9.1f\n", (double)note->next_ma / 1e3);
    else
        printf("%9s\n", "free");
}

static void print_relaxing(const struct table *t)
{
    static const char *const how[STEADY_NONE] = {
        [STEADY_LONG_TIME] = "a device that is rated: 100%",
        [STEADY_FAST_EDGE] = "a cooler ambient; the setting is for the study",
        [STEADY_DEFINITE] = "nothing here: the settings are for the study",
        [STEADY_CONDUCTOR] = "a larger conductor",
        [STEADY_TRANSFORMER] = "a larger transformer",
        [STEADY_UPS_KVA] = "a larger UPS (apparent)",
        [STEADY_UPS_KW] = "a larger UPS (active)",
        [STEADY_STATE] = "a weakest source state that gives more",
    };

    for (uint32_t term = 0; term < STEADY_NONE; term++) {
        uint32_t count = 0;

        for (uint32_t n = 0; n < model_of(t->check)->node_count; n++)
            count += t->check->site.note[n].steady_term == term;
        if (count)
            printf("  %-20s %4u node%s  relaxed by %s\n", check_term_names[term], count,
                   count == 1 ? " " : "s", how[term]);
    }
}

static void print_bindings(const struct table *t)
{
    printf("\n%-*s %6s %6s %6s %6s %6s  %-20s%9s\n", NAME_WIDTH, "% of limit, worst phase", "base", "caps",
           "bad", "other", "left", "limited by", "relaxed A");
    for (uint32_t i = 0; i < t->count; i++)
        print_binding(t->check, &t->row[i]);
    printf("base: draw no cap governs; caps: fail-safe caps; bad: k hosts that disobey; left: to be leased.\n"
           "More is left with lower fail_safe caps, fewer hosts or a smaller k. relaxed: the limit once the "
           "rule\n"
           "that binds it is lifted, up to the next one; free: there is none.\n");
    print_relaxing(t);
}

struct kind_row {
    uint32_t count;
    int64_t normal, worst;      /* worst below 0: none outlives a loss */
    uint32_t fullest;
};

static void print_kinds(const struct table *t)
{
    struct kind_row kind[NODE_KIND_COUNT] = {0};
    const struct model *m = model_of(t->check);

    for (uint32_t i = 0; i < t->count; i++) {
        const struct row *row = &t->row[i];
        struct kind_row *k = &kind[m->node[row->node].kind];

        if (!k->count)
            k->worst = -1;
        if (!k->count++ || fullness(row) > (k->normal > k->worst ? k->normal : k->worst))
            k->fullest = row->node;
        k->normal = row->normal.ppm > k->normal ? row->normal.ppm : k->normal;
        k->worst = row->worst.any && row->worst.ppm > k->worst ? row->worst.ppm : k->worst;
    }
    printf("\n%-*s %6s %12s %12s  %s\n", NAME_WIDTH, "kind", "nodes", "most norm %", "most worst %",
           "fullest");
    for (uint32_t k = 0; k < NODE_KIND_COUNT; k++) {
        char worst[16] = "-";

        if (kind[k].worst >= 0)
            snprintf(worst, sizeof worst, "%.1f", check_percent(kind[k].worst));
        if (kind[k].count)
            printf("%-*s %6u %12.1f %12s  %s\n", NAME_WIDTH, check_kind_names[k], kind[k].count,
                   check_percent(kind[k].normal), worst, m->node[kind[k].fullest].name);
    }
}

static bool same_peak(const struct figures_peak *a, const struct figures_peak *b)
{
    return a->any == b->any && a->contingency == b->contingency && a->phase == b->phase && a->mva == b->mva &&
           a->ppm == b->ppm;
}

/* Would the tables say the same of both? */
static bool alike(const struct check *check, const struct row *a, const struct row *b)
{
    const struct model_node *m = &model_of(check)->node[a->node], *n = &model_of(check)->node[b->node];
    const struct figures *f = &check->figures;

    return m->kind == n->kind && m->steady_ma == n->steady_ma && m->limit_mva[0][0] == n->limit_mva[0][0] &&
           same_peak(&a->normal, &b->normal) && same_peak(&a->worst, &b->worst) &&
           f->outage.node[a->node] == f->outage.node[b->node] &&
           check->site.note[a->node].next_ma == check->site.note[b->node].next_ma &&
           !memcmp(m->bad_mva, n->bad_mva, sizeof m->bad_mva) &&
           !memcmp(m->other_mva, n->other_mva, sizeof m->other_mva) &&
           !memcmp(&f->node[a->node], &f->node[b->node], sizeof f->node[0]);
}

/* Of rows by fullness: the first that differ, each with the count of those like it. */
static void keep_fullest(struct table *t)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < t->count; i++) {
        uint32_t k = 0;

        while (k < kept && !alike(t->check, &t->row[k], &t->row[i]))
            k++;
        if (k < kept)
            t->row[k].alike++;
        else if (kept < FULLEST)
            t->row[kept++] = t->row[i];
    }
    t->count = kept;
    for (uint32_t k = 0; k < kept; k++)
        t->row[k].depth = 0;
}

int check_tables(const struct check *check)
{
    const struct model *m = model_of(check);
    struct table t = {.check = check, .row = calloc(m->node_count + 1, sizeof *t.row)};

    if (!t.row)
        return -ENOMEM;
    for (uint32_t n = 0; n < m->node_count; n++)
        if (!m->node[n].parent_count)
            add_below(&t, n, 0);
    if (m->node_count > SMALL && !check->options.all) {
        print_kinds(&t);
        qsort(t.row, t.count, sizeof *t.row, by_fullness);
        keep_fullest(&t);
        printf("\nthe fullest of %u nodes; (+n): as many more alike (--all: every node, as a tree)\n",
               m->node_count);
    }
    print_loads(&t);
    print_phases(&t);
    print_bindings(&t);
    free(t.row);
    return 0;
}
