/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices stand one below the other, and each different couple of them judged once: a hall has
 * thousands of alike ones. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "site/coordination/parts.h"

enum { ABOVE_MAX = ANCESTORS_MAX };

struct pairs {
    const struct site *site;
    struct coordination *out;
    uint32_t room, known_count, known_room;
    uint32_t *alike;            /* by node: the first node with the same settings; INDEX_NONE: no curve */
    double *fault_a;            /* by node */
    struct known { uint32_t parent, child; double ratio, fault_a; bool apart; uint32_t pair; } *known;
};

static void *grow(void *old, uint32_t *room, size_t each)
{
    uint32_t more = *room ? 2 * *room : 64;
    void *new = realloc(old, more * each);

    if (new)
        *room = more;
    return new;
}

/* All settings but the name of the row they came from. */
static bool same_settings(const struct site_device *a, const struct site_device *b)
{
    const size_t from = offsetof(struct site_device, kind);

    return !memcmp((const char *)a + from, (const char *)b + from, sizeof *a - from);
}

static void sort_out(struct pairs *p)
{
    const struct site *site = p->site;
    uint32_t count = site->model.node_count, first_count = 0, *first = p->alike + count;

    for (uint32_t n = 0; n < count; n++) {
        uint32_t i = 0;

        p->alike[n] = INDEX_NONE;
        if (!coordination_has_curve(&site->device[n]))
            continue;
        while (i < first_count && !same_settings(&site->device[first[i]], &site->device[n]))
            i++;
        if (i == first_count)
            first[first_count++] = n;
        p->alike[n] = first[i];
    }
}

/* The node's own, else the largest of those above at the same volts: it only falls on the way down. */
static void find_faults(struct pairs *p)
{
    const struct model *m = &p->site->model;

    for (uint32_t n = 0; n < m->node_count; n++) {
        p->fault_a[n] = (double)p->site->equipment[n].fault_ma / 1e3;
        for (uint32_t i = 0; !p->site->equipment[n].fault_ma && i < m->node[n].parent_count; i++) {
            uint32_t up = m->node[n].parent[i];

            if (m->node[up].volts_ln_mv == m->node[n].volts_ln_mv && p->fault_a[up] > p->fault_a[n])
                p->fault_a[n] = p->fault_a[up];
        }
        p->out->node[n].fault_a = p->fault_a[n];
    }
}

/* Of two couples of the same settings, volts and fault one verdict holds for both. */
static struct known *find_known(struct pairs *p, const struct known *one)
{
    for (uint32_t i = 0; i < p->known_count; i++) {
        struct known *k = &p->known[i];

        if (k->parent == one->parent && k->child == one->child && k->ratio == one->ratio &&
            k->fault_a == one->fault_a && k->apart == one->apart)
            return k;
    }
    return NULL;
}

/* What a fault at the child may draw through this parent, at the child's volts: no more than the parent's bus
 * has, where another parent has more. */
static double fault_through(const struct pairs *p, uint32_t up, uint32_t down, double ratio)
{
    double above = p->fault_a[up] / ratio, own = p->fault_a[down];

    return above > 0 && above < own ? above : own;
}

/* A transformer's device is on its own volts, its lower side. */
static bool transformer_between(const struct model *m, uint32_t up, uint32_t down)
{
    return m->node[down].kind == NODE_TRANSFORMER || m->node[up].volts_ln_mv != m->node[down].volts_ln_mv;
}

static int add_pair(struct pairs *p, uint32_t up, uint32_t down)
{
    const struct model *m = &p->site->model;
    double ratio = (double)m->node[down].volts_ln_mv / (double)m->node[up].volts_ln_mv;
    struct known one = {.parent = p->alike[up],
                        .child = p->alike[down],
                        .ratio = ratio,
                        .fault_a = fault_through(p, up, down, ratio),
                        .apart = transformer_between(m, up, down)};
    const struct known *known = find_known(p, &one);
    struct coordination_pair pair = {0};
    void *new;

    if (p->out->pair_count == p->room) {
        if (!(new = grow(p->out->pair, &p->room, sizeof pair)))
            return -ENOMEM;
        p->out->pair = new;
    }
    if (known) {
        pair = p->out->pair[known->pair];
    } else {
        const struct coordination_two two = {&p->site->device[up], &p->site->device[down], one.ratio,
                                             one.fault_a, one.apart};

        coordination_judge(&two, &pair);
        one.pair = p->out->pair_count;
        if (p->known_count == p->known_room) {
            if (!(new = grow(p->known, &p->known_room, sizeof one)))
                return -ENOMEM;
            p->known = new;
        }
        p->known[p->known_count++] = one;
    }
    pair.parent = up;
    pair.child = down;
    p->out->pair[p->out->pair_count++] = pair;
    return 0;
}

static void keep_in_order(uint32_t *above, uint32_t count, uint32_t node)
{
    for (; count && above[count - 1] > node; count--)
        above[count] = above[count - 1];
    above[count] = node;
}

/* The next devices above a node, each once: along every parent, over nodes without a curve. */
static uint32_t next_above(const struct pairs *p, uint32_t node, uint32_t above[ABOVE_MAX])
{
    const struct model *m = &p->site->model;
    uint32_t todo[ABOVE_MAX * PARENTS_MAX], left = 0, count = 0;
    uint32_t seen[ABOVE_MAX], seen_count = 0;

    for (uint32_t i = 0; i < m->node[node].parent_count; i++)
        todo[left++] = m->node[node].parent[i];
    while (left) {
        uint32_t up = todo[--left], i = 0;

        while (i < seen_count && seen[i] != up)
            i++;
        if (i < seen_count || seen_count == ABOVE_MAX)
            continue;
        seen[seen_count++] = up;
        if (p->alike[up] != INDEX_NONE)
            keep_in_order(above, count++, up);
        for (i = 0; p->alike[up] == INDEX_NONE && i < m->node[up].parent_count; i++)
            todo[left++] = m->node[up].parent[i];
    }
    return count;
}

int coordination_find_pairs(struct coordination *coordination, const struct site *site)
{
    uint32_t count = site->model.node_count, above[ABOVE_MAX];
    struct pairs p = {.site = site, .out = coordination,
                      .alike = calloc(2 * (size_t)count + 1, sizeof *p.alike),
                      .fault_a = calloc((size_t)count + 1, sizeof *p.fault_a)};
    int rc = p.alike && p.fault_a ? 0 : -ENOMEM;

    if (!rc) {
        sort_out(&p);
        find_faults(&p);
    }
    for (uint32_t n = 0; n < count && !rc; n++) {
        uint32_t found = p.alike[n] == INDEX_NONE ? 0 : next_above(&p, n, above);

        for (uint32_t i = 0; i < found && !rc; i++)
            rc = add_pair(&p, above[i], n);
    }
    free(p.alike);
    free(p.fault_a);
    free(p.known);
    return rc;
}
