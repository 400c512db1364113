/* SPDX-License-Identifier: Apache-2.0 */
/* Node by node: what flows with everything leased in full, how many hosts fit, how a dark site starts. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cli/check/check.h"
#include "cli/check/check_rows.h"

enum { NAME_WIDTH = 24 };

static const struct coordination_node *node_of(const struct check_list *list, uint32_t i)
{
    return &list->check->coordination.node[list->row[i].index];
}

/* Whole hosts; a hair below a whole one is rounding. */
static const char *hosts(double count, char text[CHECK_FIGURE_BYTES])
{
    if (!isfinite(count))
        return "-";
    snprintf(text, CHECK_FIGURE_BYTES, "%.0f", floor(count + 1e-6));
    return text;
}

static void print_name(const struct check_list *list, uint32_t i)
{
    const struct check_row *row = &list->row[i];
    char name[NAME_BYTES + 16];

    snprintf(name, sizeof name, row->alike ? "%s (+%u)" : "%s", list->check->site.model.node[row->index].name,
             row->alike);
    printf("%-*s", NAME_WIDTH, name);
}

static const struct coordination_node *row_of(const void *check, uint32_t i)
{
    return &((const struct check *)check)->coordination.node[i];
}

static double overload(const struct coordination_node *n)
{
    return n->steady_a > 0 ? n->full_a / n->steady_a : 0;
}

static int load_worse(const void *check, uint32_t i, uint32_t j)
{
    const struct coordination_node *a = row_of(check, i), *b = row_of(check, j);

    return a->full_trips_s != b->full_trips_s ? check_compare(a->full_trips_s, b->full_trips_s)
                                              : check_compare(overload(b), overload(a));
}

static bool same_kind(const void *check, uint32_t i, uint32_t j)
{
    const struct check *c = check;

    return c->site.model.node[i].kind == c->site.model.node[j].kind &&
           c->figures.node[i].hosts == c->figures.node[j].hosts;
}

static bool load_alike(const void *check, uint32_t i, uint32_t j)
{
    const struct coordination_node *a = row_of(check, i), *b = row_of(check, j);

    return same_kind(check, i, j) && a->full_a == b->full_a && a->hold_s == b->hold_s &&
           a->steady_a == b->steady_a && a->admissible_a == b->admissible_a && a->lent_a == b->lent_a &&
           a->full_trips_s == b->full_trips_s && a->full_settled_s == b->full_settled_s;
}

/* Of a device whose curve nobody wrote down nothing is known, not even that it never trips. */
static const char *trips(const struct coordination_node *n, double s, char text[CHECK_FIGURE_BYTES])
{
    return !isfinite(s) && n->obstacles & OBSTACLE_NO_CURVE ? "?" : check_seconds(s, text);
}

static void print_load(const struct check_list *list, uint32_t i)
{
    const struct coordination_node *n = node_of(list, i);
    char text[8][CHECK_FIGURE_BYTES];

    print_name(list, i);
    printf(" %7s %7s %8s %8s %8s %8s %9s %9s  %s\n", check_seconds(n->respond_s, text[0]),
           check_seconds(n->hold_s, text[1]), check_amperes(n->full_a, text[2]),
           check_amperes(n->steady_a, text[3]), check_amperes(n->admissible_a, text[4]),
           check_amperes(n->lent_a, text[5]), trips(n, n->full_settled_s, text[6]),
           trips(n, n->full_trips_s, text[7]), check_role_names[n->full_role]);
}

static int count_worse(const void *check, uint32_t i, uint32_t j)
{
    const struct check *c = check;
    const struct coordination_node *a = row_of(check, i), *b = row_of(check, j);

    return check_compare(a->hosts_leased / c->figures.node[i].hosts,
                         b->hosts_leased / c->figures.node[j].hosts);
}

static bool count_alike(const void *check, uint32_t i, uint32_t j)
{
    const struct coordination_node *a = row_of(check, i), *b = row_of(check, j);

    return same_kind(check, i, j) && a->term == b->term && a->hosts_leased == b->hosts_leased &&
           a->hosts_static == b->hosts_static && !memcmp(a->relaxed, b->relaxed, sizeof a->relaxed);
}

static void print_count(const struct check_list *list, uint32_t i)
{
    const struct coordination_node *n = node_of(list, i);
    char text[CHECK_FIGURE_BYTES];

    print_name(list, i);
    printf(" %6u", list->check->figures.node[list->row[i].index].hosts);
    printf(" %7s", hosts(n->hosts_static, text));
    printf(" %7s  %-24s", hosts(n->hosts_leased, text), coordination_term_words[n->term]);
    for (enum coordination_relax how = 0; how < RELAX_COUNT; how++) {
        bool more = n->relaxed[how] > n->hosts_leased * (1 + 1e-9);

        printf(" %7s", more ? hosts(n->relaxed[how], text) : "-");
    }
    putchar('\n');
}

static int boot_worse(const void *check, uint32_t i, uint32_t j)
{
    const struct coordination_node *a = row_of(check, i), *b = row_of(check, j);
    uint32_t most = UINT32_MAX, left = a->boot_groups ? a->boot_groups : most,
             right = b->boot_groups ? b->boot_groups : most;

    return left != right ? (left > right ? -1 : 1) : check_compare(a->boot_trips_s, b->boot_trips_s);
}

static bool boot_alike(const void *check, uint32_t i, uint32_t j)
{
    const struct coordination_node *a = row_of(check, i), *b = row_of(check, j);

    return same_kind(check, i, j) && a->boot_a == b->boot_a && a->boot_limit_a == b->boot_limit_a &&
           a->boot_at_once == b->boot_at_once && a->boot_groups == b->boot_groups &&
           a->boot_trips_s == b->boot_trips_s && a->boot_role == b->boot_role;
}

static void print_boot(const struct check_list *list, uint32_t i)
{
    const struct coordination_node *n = node_of(list, i);
    char text[3][CHECK_FIGURE_BYTES], groups[CHECK_FIGURE_BYTES];

    snprintf(groups, sizeof groups, "%u", n->boot_groups);
    print_name(list, i);
    printf(" %6u %9s %9s %8u %7s %9s  %s\n", list->check->figures.node[list->row[i].index].hosts,
           check_amperes(n->boot_a, text[0]),
           n->boot_limit_a > 0 ? check_amperes(n->boot_limit_a, text[1]) : "-", n->boot_at_once,
           n->boot_groups ? groups : "stuck", trips(n, n->boot_trips_s, text[2]),
           check_role_names[n->boot_role]);
}

static void print_nodes(struct check_list *list, const struct check_rows *rows,
                        void (*print)(const struct check_list *, uint32_t))
{
    const struct model *m = &list->check->site.model;

    list->count = 0;
    for (uint32_t n = 0; n < m->node_count; n++)
        if (list->check->coordination.node[n].limited && list->check->figures.node[n].hosts)
            list->row[list->count++] = (struct check_row){n, 0};
    if (list->few)
        list->count = check_rows_pick(rows, list->row, list->count, CHECK_WORST);
    for (uint32_t i = 0; i < list->count; i++)
        print(list, i);
}

/* Where one bit of a set applies: the first few nodes by name, under a heading that stands once. */
static bool print_set(const struct check *check, size_t offset, uint32_t bit, const char *words,
                      const char *heading)
{
    enum { NAMED = 2 };
    const struct model *m = &check->site.model;
    char line[NAMED * (NAME_BYTES + 2) + 8] = "";
    uint32_t count = 0;
    size_t used = 0;

    for (uint32_t n = 0; n < m->node_count; n++) {
        const struct coordination_node *row = &check->coordination.node[n];
        uint32_t set;

        memcpy(&set, (const char *)row + offset, sizeof set);
        if (!row->limited || !check->figures.node[n].hosts || !(set & bit))
            continue;
        if (count++ < NAMED)
            used += (size_t)snprintf(line + used, sizeof line - used, "%s%s", count > 1 ? ", " : "",
                                     m->node[n].name);
    }
    if (count)
        printf("%s  %-24s at %u node%s (%s%s)\n", heading, words, count, count > 1 ? "s" : "", line,
               count > NAMED ? ", ..." : "");
    return count != 0;
}

static void print_loads(struct check_list *list)
{
    const struct check_rows rows = {list->check, load_worse, load_alike};

    printf("\n%-*s %7s %7s %8s %8s %8s %8s %9s %9s  %s\n", NAME_WIDTH, "everything leased in full", "T_resp",
           "/0.7 s", "full A", "steady A", "adm. A", "lent A", "settled s", "hot s", "by");
    print_nodes(list, &rows, print_load);
    printf(
        "full: all hosts at phys_max and other load. adm.: may flow for T_resp / 0.7 after a load of 80 %% "
        "of "
        "the\nlong-time setting. lent: above the steady limit. settled, hot: until the fast edge may trip at "
        "full, from\nthat heat and from theta_op (?: no curve is known); by: what trips first.\n");
    const char *heading = "may trip sooner than T_resp / 0.7, so that only caps set beforehand protect:\n";

    for (uint32_t role = 0; role < ELEMENT_ROLE_COUNT; role++)
        if (print_set(list->check, offsetof(struct coordination_node, prearmed), 1u << role,
                      check_role_names[role], heading))
            heading = "";
}

/* Where nothing but the word is missing. */
static void print_unasked(const struct check *check)
{
    uint32_t count = 0;

    for (uint32_t n = 0; n < check->site.model.node_count; n++) {
        const struct coordination_node *row = &check->coordination.node[n];

        count += row->limited && check->figures.node[n].hosts && !row->obstacles && !check->site.asked[n];
    }
    if (count)
        printf("no lease passes the steady limit at %u node%s more, for oversubscribe is not said there: "
               "what is "
               "leased\nand lent is told as if it were.\n",
               count, count == 1 ? "" : "s");
}

static void print_counts(struct check_list *list)
{
    const struct check_rows rows = {list->check, count_worse, count_alike};

    printf("\n%-*s %6s %7s %7s  %-24s %7s %7s %7s %7s\n", NAME_WIDTH, "hosts that a node carries", "there",
           "static", "leased", "bound by", "caps", "base", "k", "time");
    print_nodes(list, &rows, print_count);
    printf("static: at phys_max within the steady limit; leased: within I1 (all in full at once) and I2 (at "
           "fail-safe).\nWhat would carry more, each alone: caps: %s; base: %s;\nk: %s; time: %s.\n",
           coordination_relax_words[RELAX_FAIL_SAFE], coordination_relax_words[RELAX_BASE],
           coordination_relax_words[RELAX_K], coordination_relax_words[RELAX_TIME]);
    const char *heading = "no lease passes the steady limit, for there is:\n";
#define COORDINATION_SYMBOL(symbol, bit, words) \
    if (print_set(list->check, offsetof(struct coordination_node, obstacles), bit, words, heading)) \
        heading = "";
    LEND_OBSTACLES(COORDINATION_SYMBOL)
#undef COORDINATION_SYMBOL
    print_unasked(list->check);
}

/* What a generator is asked for beside what it accepts. */
static void print_generators(const struct check *check)
{
    const struct site *site = &check->site;

    for (uint32_t n = 0; n < site->model.node_count; n++) {
        const struct site_equipment *q = &site->equipment[n];
        const struct coordination_node *row = &check->coordination.node[n];

        if (!q->generator_step_mw && !q->generator_ramp_mw_per_s)
            continue;
        printf("generator %s: all load below from base to phys_max is a step of %.1f kVA",
               site->model.node[n].name, row->step_va / 1e3);
        if (q->generator_step_mw)
            printf(", it accepts %.1f kW", (double)q->generator_step_mw / 1e6);
        if (row->boot_ramp_s > 0)
            printf("; at its ramp a dark start takes %.1f s", row->boot_ramp_s);
        putchar('\n');
    }
}

static void print_boots(struct check_list *list)
{
    const struct check_rows rows = {list->check, boot_worse, boot_alike};

    printf("\n%-*s %6s %9s %9s %8s %7s %9s  %s\n", NAME_WIDTH, "dark start", "hosts", "boot A", "0.85 edge",
           "at once", "groups", "trips s", "by");
    print_nodes(list, &rows, print_boot);
    printf("boot: every host at once, inrush and other load; trips: from cold if that lasted. at once: hosts "
           "that stay\nbelow 0.85 of what trips at once, and within a generator's step; groups: until all "
           "run, earlier "
           "ones\nat fail-safe.\n");
    print_generators(list->check);
}

void check_coordination_nodes(struct check_list *list)
{
    print_loads(list);
    print_counts(list);
    print_boots(list);
}
