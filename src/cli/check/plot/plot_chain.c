/* SPDX-License-Identifier: Apache-2.0 */
/* Which sheets there are: every way from a leaf to a source, alike ones once. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check/plot/plot.h"

static bool close_to(double a, double b)
{
    double most = fabs(a) > fabs(b) ? fabs(a) : fabs(b);

    return a == b || (isnan(a) && isnan(b)) || fabs(a - b) * 100 < most * PLOT_ALIKE_PERCENT;
}

/* Settings that differ in nothing but the name of their row. */
static bool same_device(const struct site_device *a, const struct site_device *b)
{
    const size_t from = offsetof(struct site_device, name) + sizeof a->name;

    return !memcmp((const char *)a + from, (const char *)b + from, sizeof *a - from);
}

static bool same_loads(const struct study *s, uint32_t a, uint32_t b)
{
    const struct coordination_node *m = &s->coordination->node[a], *n = &s->coordination->node[b];
    uint32_t count = s->site->model.contingency_count;

    for (uint32_t c = 0; c < count; c++)
        if (!close_to(study_fail_safe_a(s, a, c), study_fail_safe_a(s, b, c)) ||
            !close_to(study_full_a(s, a, c), study_full_a(s, b, c)))
            return false;
    return m->fault_a == n->fault_a && close_to(m->respond_s, n->respond_s) &&
           close_to(m->hold_s, n->hold_s) && close_to(m->admissible_a, n->admissible_a) &&
           close_to(m->boot_a, n->boot_a);
}

static bool same_node(const struct study *s, uint32_t a, uint32_t b, bool ground)
{
    const struct model_node *m = &s->site->model.node[a], *n = &s->site->model.node[b];

    if (a == b)
        return true;
    return m->kind == n->kind && m->phases == n->phases && m->limited == n->limited &&
           m->volts_ln_mv == n->volts_ln_mv && m->steady_ma == n->steady_ma &&
           m->rating_ma == n->rating_ma && s->site->note[a].settings == s->site->note[b].settings &&
           same_device(&s->site->device[a], &s->site->device[b]) &&
           !memcmp(&s->site->equipment[a], &s->site->equipment[b], sizeof s->site->equipment[a]) &&
           (ground || same_loads(s, a, b));
}

static bool same_sheet(const struct study *s, const struct plot_sheet *a, const struct plot_sheet *b)
{
    if (a->ground != b->ground || a->count != b->count || a->base != b->base)
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!same_node(s, a->node[i], b->node[i], a->ground))
            return false;
    return true;
}

static int add_alike(struct plot_sheet *sheet, uint32_t leaf)
{
    if (leaf == sheet->node[0])
        return 0;
    for (uint32_t i = 0; i < sheet->alike_count; i++)
        if (sheet->alike[i] == leaf)
            return 0;
    if (sheet->alike_count == sheet->alike_room) {
        uint32_t room = sheet->alike_room ? 2 * sheet->alike_room : 16;
        uint32_t *more = realloc(sheet->alike, room * sizeof *more);

        if (!more)
            return -ENOMEM;
        sheet->alike = more;
        sheet->alike_room = room;
    }
    sheet->alike[sheet->alike_count++] = leaf;
    return 0;
}

/* The lowest node, then every parent that was not the first of its node's: that tells the ways apart. */
static void name_sheet(const struct study *s, struct plot_sheet *sheet)
{
    const struct model_node *node = s->site->model.node;
    size_t used = (size_t)snprintf(sheet->name, sizeof sheet->name, "%s", node[sheet->node[0]].name);

    for (uint32_t i = 1; i < sheet->count && !sheet->ground; i++)
        if (node[sheet->node[i - 1]].parent[0] != sheet->node[i] &&
            used + NAME_BYTES + 16 < sizeof sheet->name)
            used += (size_t)snprintf(sheet->name + used, sizeof sheet->name - used, "+%s",
                                     node[sheet->node[i]].name);
    if (sheet->ground)
        snprintf(sheet->name + used, sizeof sheet->name - used, "+ground");
}

/* Two names may still meet: a parent's name in two places, or a very long way. */
static void tell_apart(struct plot_book *book, struct plot_sheet *sheet)
{
    size_t used = strlen(sheet->name);

    for (uint32_t i = 0, turn = 2; i < book->count; i++) {
        if (strcmp(book->sheet[i].name, sheet->name))
            continue;
        snprintf(sheet->name + used, sizeof sheet->name - used, "+%u", turn++);
        i = (uint32_t)-1;
    }
}

static int add_sheet(struct plot_book *book, const struct study *s, const struct plot_sheet *sheet)
{
    for (uint32_t i = 0; i < book->count; i++)
        if (same_sheet(s, &book->sheet[i], sheet))
            return add_alike(&book->sheet[i], sheet->node[0]);
    if (book->count == book->room) {
        uint32_t room = book->room ? 2 * book->room : 16;
        struct plot_sheet *more = realloc(book->sheet, room * sizeof *more);

        if (!more)
            return -ENOMEM;
        book->sheet = more;
        book->room = room;
    }
    struct plot_sheet *own = &book->sheet[book->count];

    *own = *sheet;
    name_sheet(s, own);
    tell_apart(book, own);
    book->count++;
    return 0;
}

/* A whole chain: its currents are those of the lowest device that has a curve. */
static int add_chain(struct plot_book *book, const struct study *s, struct plot_sheet *chain)
{
    for (chain->base = 0; chain->base < chain->count; chain->base++)
        if (study_has_curve(s, chain->node[chain->base]))
            return add_sheet(book, s, chain);
    book->bare++;
    return 0;
}

/* Residual current does not pass the delta of a transformer: one sheet per voltage. */
static int add_ground(struct plot_book *book, const struct study *s, struct plot_sheet *chain)
{
    struct plot_sheet one = {.ground = true};
    int64_t volts = 0;
    int rc = 0;

    for (uint32_t i = 0; i < chain->count && !rc; i++) {
        const struct model_node *n = &s->site->model.node[chain->node[i]];

        if (n->volts_ln_mv != volts && one.count) {
            rc = add_sheet(book, s, &one);
            one.count = 0;
        }
        volts = n->volts_ln_mv;
        if (s->site->device[chain->node[i]].ground.pickup_ma)
            one.node[one.count++] = chain->node[i];
    }
    return !rc && one.count ? add_sheet(book, s, &one) : rc;
}

/* Every way up from the last node of the chain. */
static int climb(struct plot_book *book, const struct study *s, struct plot_sheet *chain)
{
    const struct model_node *n = &s->site->model.node[chain->node[chain->count - 1]];
    int rc = 0;

    if (!n->parent_count || chain->count == ANCESTORS_MAX)
        return chain->ground ? add_ground(book, s, chain) : add_chain(book, s, chain);
    for (uint32_t p = 0; p < n->parent_count && !rc; p++) {
        chain->node[chain->count++] = n->parent[p];
        rc = climb(book, s, chain);
        chain->count--;
    }
    return rc;
}

static int climb_from_leaves(struct plot_book *book, const struct study *s, bool ground)
{
    const struct model *m = &s->site->model;
    bool *above = calloc(m->node_count + 1, sizeof *above);
    int rc = above ? 0 : -ENOMEM;

    for (uint32_t n = 0; n < m->node_count && !rc; n++)
        for (uint32_t p = 0; p < m->node[n].parent_count; p++)
            above[m->node[n].parent[p]] = true;
    for (uint32_t n = 0; n < m->node_count && !rc; n++) {
        struct plot_sheet chain = {.ground = ground, .count = 1, .node = {n}};

        rc = above[n] ? 0 : climb(book, s, &chain);
    }
    free(above);
    return rc;
}

int plot_open(struct plot_book *book, const struct study *study)
{
    *book = (struct plot_book){0};
    int rc = climb_from_leaves(book, study, false);

    if (!rc)
        rc = climb_from_leaves(book, study, true);
    if (rc)
        plot_close(book);
    return rc;
}

void plot_close(struct plot_book *book)
{
    for (uint32_t i = 0; i < book->count; i++)
        free(book->sheet[i].alike);
    free(book->sheet);
    *book = (struct plot_book){0};
}
