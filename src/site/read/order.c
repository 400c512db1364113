/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives nodes and hosts their places in the model: parents before children, siblings and a subtree's hosts
 * contiguous. Siblings stand by name, so the order of the file does not matter.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "site/read/draft.h"

enum { WHITE, GREY, BLACK };
enum { VOLTS_LOW_PPM = 950000 };        /* lowest credible, of nominal: safety.md section 2 */

/* Walks up from every node; meeting a node again that is still open closes a cycle. Depth is bounded by the
 * nodes. */
struct climb {
    uint32_t node, next;        /* next parent to follow */
};

static void report_cycle(struct draft *d, const struct climb *path, uint32_t depth, uint32_t again)
{
    enum { NAMED = 6 };
    char line[(NAMED + 2) * (NAME_BYTES + 4)];
    size_t used = 0;
    uint32_t start = 0;

    while (path[start].node != again)
        start++;
    for (uint32_t i = start; i <= depth && used < sizeof line; i++) {
        uint32_t node = i < depth ? path[i].node : again;

        if (i >= start + NAMED && i < depth) {      /* a long ring: its start, and back to it */
            used += (size_t)snprintf(line + used, sizeof line - used, " -> ...");
            i = depth - 1;
            continue;
        }
        int more = snprintf(line + used, sizeof line - used, "%s%s", i > start ? " -> " : "",
                            draft_text(&d->node[node].id));

        used += more > 0 ? (size_t)more : 0;
    }
    finding_at(d->errors, d->node[again].at,
               "node '%s' hangs on itself (%s), power needs a source: cut one parent",
               draft_text(&d->node[again].id), line);
}

static uint32_t climb_from(struct draft *d, uint32_t start, struct climb *path, uint8_t *colour)
{
    uint32_t depth = 0, cycles = 0;

    path[depth++] = (struct climb){start, 0};
    colour[start] = GREY;
    while (depth) {
        struct climb *top = &path[depth - 1];

        if (top->next == d->node[top->node].parent_count) {
            colour[top->node] = BLACK;
            depth--;
            continue;
        }
        uint32_t parent = d->node[top->node].parent_of[top->next++];

        if (colour[parent] == GREY) {
            report_cycle(d, path, depth, parent);
            cycles++;
        } else if (colour[parent] == WHITE) {
            colour[parent] = GREY;
            path[depth++] = (struct climb){parent, 0};
        }
    }
    return cycles;
}

static int find_cycles(struct draft *d, uint32_t *cycles)
{
    struct climb *path = scratch_take(&d->scratch, (d->node_count + 1) * sizeof *path);
    uint8_t *colour = scratch_take(&d->scratch, d->node_count + 1);

    if (!path || !colour)
        return -ENOMEM;
    for (uint32_t i = 0; i < d->node_count; i++)
        if (colour[i] == WHITE)
            *cycles += climb_from(d, i, path, colour);
    return 0;
}

/* Siblings: by first parent, then by name with numbers read as numbers (rack-2 before rack-10). */
static int by_parent_and_name(const void *left, const void *right, void *context)
{
    const struct draft *d = context;
    const struct draft_node *a = &d->node[*(const uint32_t *)left], *b = &d->node[*(const uint32_t *)right];
    uint32_t pa = a->parent_count ? a->parent_of[0] + 1 : 0, pb = b->parent_count ? b->parent_of[0] + 1 : 0;

    if (pa != pb)
        return pa < pb ? -1 : 1;
    return strverscmp(draft_text(&a->id), draft_text(&b->id));
}

struct family {                 /* the nodes with one first parent: `sorted[first]` on */
    uint32_t first, count;
    uint32_t placed;
};

static int ready(const struct draft *d, uint32_t node, uint32_t first_parent)
{
    const struct draft_node *n = &d->node[node];

    for (uint32_t i = 0; i < n->parent_count; i++) {
        const struct draft_node *parent = &d->node[n->parent_of[i]];
        uint32_t its = parent->parent_count ? parent->parent_of[0] : INDEX_NONE;

        if (parent->rank == INDEX_NONE && its != first_parent)
            return 0;
    }
    return 1;
}

/* Places a whole family, siblings that feed each other in turn. */
static void place(struct draft *d, const uint32_t *sorted, const struct family *family, uint32_t *rank)
{
    for (uint32_t left = family->count; left;) {
        for (uint32_t i = 0; i < family->count; i++) {
            struct draft_node *n = &d->node[sorted[family->first + i]];

            if (n->rank != INDEX_NONE || !ready(d, sorted[family->first + i], INDEX_NONE - 1))
                continue;
            d->node_order[*rank] = sorted[family->first + i];
            n->rank = (*rank)++;
            left--;
        }
    }
}

static uint32_t try_family(struct draft *d, const uint32_t *sorted, struct family *family, uint32_t parent,
                           uint32_t *rank)
{
    if (family->placed)
        return 0;
    for (uint32_t i = 0; i < family->count; i++)
        if (!ready(d, sorted[family->first + i], parent))
            return 0;
    place(d, sorted, family, rank);
    family->placed = 1;
    return family->count;
}

/* Families follow the order in which their parents were placed; one whose other feeds are not placed yet
 * waits. */
static void rank_nodes(struct draft *d, uint32_t *sorted, struct family *family)
{
    uint32_t rank = 0;

    for (uint32_t i = 0; i < d->node_count; i++) {
        const struct draft_node *n = &d->node[sorted[i]];
        struct family *own = &family[n->parent_count ? n->parent_of[0] + 1 : 0];

        if (!own->count++)
            own->first = i;
    }
    try_family(d, sorted, &family[0], INDEX_NONE, &rank);
    for (uint32_t before = rank + 1; before != rank;) {
        before = rank;
        for (uint32_t i = 0; i < rank; i++)
            try_family(d, sorted, &family[d->node_order[i] + 1], d->node_order[i], &rank);
    }
    for (uint32_t i = 0; i < d->node_count && rank < d->node_count;
         i++) /* below the first knot all is unplaced */
        if (d->node[i].rank == INDEX_NONE && d->node[i].parent_count > 1 &&
            d->node[d->node[i].parent_of[0]].rank != INDEX_NONE)
            finding_at(d->errors, d->node[i].at,
                       "the feeds of '%s' cross those of its siblings, name its parents in another order",
                       draft_text(&d->node[i].id));
}

/* Of several feeds the worst counts, whichever is on. A sag comes through a transformer as it is. */
static int64_t volts_low_ppm(const struct draft *d, const struct draft_node *n)
{
    int64_t least = n->parent_count ? PPM : VOLTS_LOW_PPM;

    for (uint32_t p = 0; p < n->parent_count; p++)
        if (d->node[n->parent_of[p]].volts_low_ppm < least)
            least = d->node[n->parent_of[p]].volts_low_ppm;
    return n->volts_low.at ? n->volts_low.number : least;
}

/* What is not written is taken over from the first parent. */
static void inherit(struct draft *d, struct draft_node *n)
{
    const struct draft_node *parent = n->parent_count ? &d->node[n->parent_of[0]] : NULL;

    n->phase_count = n->phases.at ? (uint32_t)n->phases.number : parent ? parent->phase_count : PHASES;
    n->volts_ll_mv = n->volts.at                                    ? n->volts.number
                     : parent && n->kind.number != NODE_TRANSFORMER ? parent->volts_ll_mv
                                                                    : 0;
    n->volts_low_ppm = volts_low_ppm(d, n);
    /* where a parent is unknown or lacks it too, that is reported there */
    bool own = n->kind.number == NODE_TRANSFORMER ||
               (!tree_get(n->at, "parent") && !tree_get(n->at, "parents"));

    if (!n->volts_ll_mv && own && !tree_get(n->at, "volts"))
        finding_at(d->errors, n->at,
                   "node '%s' has no 'volts', add volts: ... (line to line, a voltage in V or kV)",
                   draft_text(&n->id));
    /* one figure of other load: balanced over three phases, or all of it on whichever single phase is used */
    int64_t spread = n->phase_count == PHASES ? PHASES : 1;

    for (uint32_t ph = 0; ph < PHASES; ph++) {
        n->other_mva[ph] += (n->other_total_mva + spread - 1) / spread;
        n->step_mva[ph] += (n->step_total_mva + spread - 1) / spread;
    }
}

int draft_order_nodes(struct draft *d)
{
    uint32_t *sorted = scratch_take(&d->scratch, (d->node_count + 1) * sizeof *sorted);
    struct family *family = scratch_take(&d->scratch, (d->node_count + 1) * sizeof *family);
    uint32_t cycles = 0;
    int rc = find_cycles(d, &cycles);

    d->node_order = scratch_take(&d->scratch, (d->node_count + 1) * sizeof *d->node_order);
    if (rc || !sorted || !family || !d->node_order)
        return -ENOMEM;
    for (uint32_t i = 0; i < d->node_count; i++) {
        sorted[i] = i;
        d->node[i].rank = INDEX_NONE;
    }
    if (cycles)
        return 0;
    qsort_r(sorted, d->node_count, sizeof *sorted, by_parent_and_name, d);
    rank_nodes(d, sorted, family);
    for (uint32_t i = 0; i < d->node_count && d->node[d->node_order[i]].rank == i; i++)
        inherit(d, &d->node[d->node_order[i]]);
    return 0;
}

/* Hosts follow a walk down the tree: a node's own before those of its children. */
static int by_place(const void *left, const void *right, void *context)
{
    const struct draft *d = context;
    const struct draft_host *a = &d->host[*(const uint32_t *)left], *b = &d->host[*(const uint32_t *)right];
    uint32_t na = d->node[d->row[a->row].cords_of[0].node_of].visit,
             nb = d->node[d->row[b->row].cords_of[0].node_of].visit;

    if (na != nb)
        return na < nb ? -1 : 1;
    return strverscmp(a->name, b->name);
}

static int by_type_name(const void *left, const void *right, void *context)
{
    const struct draft *d = context;

    return strverscmp(draft_text(&d->type[*(const uint32_t *)left].id),
                      draft_text(&d->type[*(const uint32_t *)right].id));
}

/* Numbers nodes in preorder: sizes of subtrees from the leaves up, then places from the roots down. */
static int number_visits(struct draft *d)
{
    uint32_t *next = scratch_take(&d->scratch, (d->node_count + 1) * sizeof *next);
    uint32_t *size = scratch_take(&d->scratch, (d->node_count + 1) * sizeof *size);
    uint32_t top = 0;

    if (!next || !size)
        return -ENOMEM;
    for (uint32_t i = d->node_count; i-- > 0;) {
        const struct draft_node *n = &d->node[d->node_order[i]];

        size[i]++;
        if (n->parent_count)
            size[d->node[n->parent_of[0]].rank] += size[i];
    }
    for (uint32_t i = 0; i < d->node_count; i++) {
        struct draft_node *n = &d->node[d->node_order[i]];
        uint32_t *from = n->parent_count ? &next[d->node[n->parent_of[0]].rank] : &top;

        n->visit = *from;
        *from += size[i];
        next[i] = n->visit + 1;
    }
    return 0;
}

int draft_order_hosts(struct draft *d)
{
    d->host_order = scratch_take(&d->scratch, (d->host_count + 1) * sizeof *d->host_order);
    d->type_order = scratch_take(&d->scratch, (d->type_count + 1) * sizeof *d->type_order);
    if (!d->host_order || !d->type_order || number_visits(d))
        return -ENOMEM;
    for (uint32_t i = 0; i < d->host_count; i++)
        d->host_order[i] = i;
    for (uint32_t i = 0; i < d->type_count; i++)
        d->type_order[i] = i;
    qsort_r(d->host_order, d->host_count, sizeof *d->host_order, by_place, d);
    qsort_r(d->type_order, d->type_count, sizeof *d->type_order, by_type_name, d);
    return 0;
}
