/* SPDX-License-Identifier: Apache-2.0 */
/* What devices do to each other and to flyball, for people: of a small site every row, of a hall the
 * worst. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check/check.h"
#include "cli/check/check_rows.h"

enum { SMALL = 40, NAME_WIDTH = 24 };

const char *const check_role_names[ELEMENT_ROLE_COUNT + 1] = {
#define CHECK_ROLE(symbol, words) words,
    BREAKER_ELEMENTS(CHECK_ROLE)
#undef CHECK_ROLE
    "-",
};

static const struct coordination_pair *pair_of(const void *check, uint32_t i)
{
    return &((const struct check *)check)->coordination.pair[i];
}

/* Time to spare where they come nearest; a parent that never trips leaves all there is. */
static double spare_s(const struct coordination_pair *pair)
{
    return isfinite(pair->parent_trips_s) ? pair->parent_trips_s - pair->child_clears_s : INFINITY;
}

static int pair_worse(const void *check, uint32_t i, uint32_t j)
{
    const struct coordination_pair *a = pair_of(check, i), *b = pair_of(check, j);

    if (a->total != b->total)
        return a->total ? 1 : -1;
    if (!a->clashes != !b->clashes)
        return a->clashes ? -1 : 1;
    return a->total ? check_compare(spare_s(a), spare_s(b))
                    : check_compare(a->limit_a / a->fault_a, b->limit_a / b->fault_a);
}

static bool pair_alike(const void *check, uint32_t i, uint32_t j)
{
    struct coordination_pair a = *pair_of(check, i), b = *pair_of(check, j);
    const struct model_node *node = ((const struct check *)check)->site.model.node;

    return node[a.parent].kind == node[b.parent].kind && node[a.child].kind == node[b.child].kind &&
           a.limit_a == b.limit_a && a.fault_a == b.fault_a && a.fault_stated == b.fault_stated &&
           a.clashes == b.clashes && a.parent_role == b.parent_role && a.child_clears_s == b.child_clears_s;
}

static void print_clashes(uint32_t set)
{
    static const struct { uint32_t bit; const char *word; } clash[] = {
        {CLASH_LONG_TIME, "Ir"}, {CLASH_SHORT_TIME, "Isd"}, {CLASH_SHORT_DELAY, "tsd"},
        {CLASH_INSTANTANEOUS, "Ii"}, {CLASH_GROUND, "Ig"}};

    for (uint32_t k = 0; k < sizeof clash / sizeof clash[0]; k++)
        if (set & clash[k].bit)
            printf(" %s", clash[k].word);
    printf(set ? "\n" : " -\n");
}

static void print_pair(const struct check_list *list, uint32_t i)
{
    const struct coordination_pair *p = pair_of(list->check, list->row[i].index);
    const struct model_node *node = list->check->site.model.node;
    char name[2 * NAME_BYTES + 24], a[CHECK_FIGURE_BYTES], b[CHECK_FIGURE_BYTES], c[CHECK_FIGURE_BYTES],
        d[CHECK_FIGURE_BYTES];

    snprintf(name, sizeof name, list->row[i].alike ? "%s over %s (+%u)" : "%s over %s", node[p->parent].name,
             node[p->child].name, list->row[i].alike);
    printf("%-36s %9s %9s%c %9s %9s  %-13s", name, p->total ? "all" : check_amperes(p->limit_a, a),
           check_amperes(p->fault_a, b), p->fault_stated ? ' ' : '?', check_seconds(p->child_clears_s, c),
           check_seconds(p->parent_trips_s, d), check_role_names[p->parent_role]);
    print_clashes(p->clashes);
}

static void print_pairs(struct check_list *list)
{
    const struct check_rows rows = {list->check, pair_worse, pair_alike};
    uint32_t all = list->check->coordination.pair_count;
    bool unstated = false;

    if (!all) {
        printf("\nselectivity: no device with a known curve stands above another\n");
        return;
    }
    list->count = all;
    for (uint32_t i = 0; i < all; i++) {
        list->row[i] = (struct check_row){i, 0};
        unstated |= !pair_of(list->check, i)->fault_stated;
    }
    if (list->few)
        list->count = check_rows_pick(&rows, list->row, all, CHECK_WORST);
    printf("\n%-36s %9s %10s %9s %9s  %-13s %s\n", "selectivity, A at the child", "up to", "of fault",
           "clears s", "trips s", "by", "clash");
    for (uint32_t i = 0; i < list->count; i++)
        print_pair(list, i);
    printf(
        "up to: the parent's fast edge may trip before the child has cleared from there on. clears, trips: "
        "there,\nor where they come nearest. clash: settings of the parent that do not leave room for the "
        "child's.\n");
    if (unstated)
        printf("?: no fault current is stated there or above at these volts (fault:), looked at up to 1.25 "
               "times the\nlargest instantaneous pickup of both\n");
}

/* Of nodes with the same states the first is shown, with the count of the others. */
static uint32_t others_alike(const struct check *check, uint32_t node, bool *earlier)
{
    const struct site_equipment *all = check->site.equipment, *e = &all[node];
    uint32_t count = 0;

    *earlier = false;
    for (uint32_t n = 0; n < check->site.model.node_count; n++) {
        if (n == node || all[n].state_count != e->state_count ||
            memcmp(all[n].state, e->state, e->state_count * sizeof e->state[0]))
            continue;
        *earlier |= n < node;
        count++;
    }
    return count;
}

static void print_power(int64_t milli)
{
    if (milli)
        printf(" %9.1f", (double)milli / 1e6);
    else
        printf(" %9s", "-");
}

static void print_node_states(const struct check_list *list, uint32_t node, uint32_t alike)
{
    const struct site_equipment *e = &list->check->site.equipment[node];
    uint32_t least = 0;

    for (uint32_t s = 1; s < e->state_count; s++)
        if (e->state[s].current_ma < e->state[least].current_ma)
            least = s;
    for (uint32_t s = 0; s < e->state_count; s++) {
        char name[NAME_BYTES + 16] = "";

        if (!s)
            snprintf(name, sizeof name, alike ? "%s (+%u)" : "%s", list->check->site.model.node[node].name,
                     alike);
        printf("%-*s %-20s %9.1f", NAME_WIDTH, name, e->state[s].name, (double)e->state[s].current_ma / 1e3);
        print_power(e->state[s].active_mw);
        print_power(e->state[s].apparent_mva);
        printf("%s\n", s == least ? "  the least: counts while unknown" : "");
    }
}

static void print_states(const struct check_list *list)
{
    const struct check *check = list->check;
    bool any = false;

    for (uint32_t n = 0; n < check->site.model.node_count; n++) {
        bool earlier;
        uint32_t alike;

        if (!check->site.equipment[n].state_count)
            continue;
        if (!any)
            printf("\n%-*s %-20s %9s %9s %9s\n", NAME_WIDTH, "source states", "state", "A", "kW", "kVA");
        any = true;
        alike = others_alike(check, n, &earlier);
        if (list->few && earlier)
            continue;
        print_node_states(list, n, list->few ? alike : 0);
    }
}

int check_coordination_text(const struct check *check)
{
    const struct coordination *c = &check->coordination;
    uint32_t nodes = check->site.model.node_count, most = nodes > c->pair_count ? nodes : c->pair_count;
    struct check_list list = {.check = check, .row = calloc((size_t)most + 1, sizeof *list.row),
                        .few = nodes > SMALL && !check->options.all};

    if (!list.row)
        return -ENOMEM;
    print_pairs(&list);
    check_coordination_nodes(&list);
    print_states(&list);
    printf("\nflyball recommends no protective settings: this says what follows from those in the file.\n");
    free(list.row);
    return 0;
}
