/* SPDX-License-Identifier: Apache-2.0 */
/* What deserves a look, a line for each kind of finding: a hall has thousands of alike ones. */
#include <math.h>
#include <string.h>

#include "site/coordination/parts.h"

enum { NAMED = 3 };

struct names {                  /* of the nodes that one line is about: the first few, and how many */
    uint32_t count, first;
    char text[NAMED * (2 * NAME_BYTES + 12)];
    size_t used;
};

static void add_name(struct names *names, uint32_t node, const char *text)
{
    if (names->count < NAMED)
        names->used += (size_t)snprintf(names->text + names->used, sizeof names->text - names->used, "%s%s",
                                        names->count ? ", " : "", text);
    if (!names->count++)
        names->first = node;
}

static uint32_t print(const struct names *names, const struct site *site, const char *path, const char *what,
                      const char *said, FILE *out)
{
    const struct site_note *note;

    if (!names->count)
        return 0;
    note = &site->note[names->first];
    fprintf(out, "%s:%u:%u: warning: %u %s%s (%s%s): %s\n", path, note->line, note->column, names->count,
            what, names->count > 1 ? "s" : "", names->text, names->count > NAMED ? ", ..." : "", said);
    return 1;
}

static void add_pair(struct names *names, const struct site *site, const struct coordination_pair *pair)
{
    char text[2 * NAME_BYTES + 8];

    snprintf(text, sizeof text, "%s over %s", site->model.node[pair->parent].name,
             site->model.node[pair->child].name);
    add_name(names, pair->child, text);
}

static uint32_t warn_clashes(const struct coordination *c, const struct site *site, const char *path,
                             FILE *out)
{
    static const struct { uint32_t bit; const char *words; } clash[] = {
#define COORDINATION_SYMBOL(symbol, bit, words) {bit, words},
        COORDINATION_CLASHES(COORDINATION_SYMBOL)
#undef COORDINATION_SYMBOL
    };
    uint32_t said = 0;

    for (uint32_t k = 0; k < sizeof clash / sizeof clash[0]; k++) {
        struct names names = {0};

        for (uint32_t i = 0; i < c->pair_count; i++)
            if (c->pair[i].clashes & clash[k].bit)
                add_pair(&names, site, &c->pair[i]);
        said += print(&names, site, path, "pair", clash[k].words, out);
    }
    return said;
}

/* Only up to a current that somebody stated: an assumed one is above every instantaneous stage. */
static uint32_t warn_partial(const struct coordination *c, const struct site *site, const char *path,
                             FILE *out)
{
    struct names names = {0};
    char said[160];
    double least = INFINITY;

    for (uint32_t i = 0; i < c->pair_count; i++) {
        if (c->pair[i].total || !c->pair[i].fault_stated)
            continue;
        add_pair(&names, site, &c->pair[i]);
        least = fmin(least, c->pair[i].limit_a);
    }
    snprintf(said, sizeof said,
             "selective only below a current that a fault there can reach, the least %.0f A", least);
    return print(&names, site, path, "pair", said, out);
}

static uint32_t warn_time(const struct coordination *c, const struct site *site, const char *path, FILE *out)
{
    struct names names = {0};

    for (uint32_t n = 0; n < site->model.node_count; n++)
        if (c->node[n].full_trips_s < c->node[n].hold_s)
            add_name(&names, n, site->model.node[n].name);
    return print(
        &names, site, path, "node",
        "everything leased in full may trip it within T_resp / 0.7: only caps set beforehand protect", out);
}

uint32_t coordination_warn(const struct coordination *coordination, const struct site *site,
                           const char *path, FILE *out)
{
    return warn_clashes(coordination, site, path, out) + warn_partial(coordination, site, path, out) +
           warn_time(coordination, site, path, out);
}
