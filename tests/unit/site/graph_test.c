/* SPDX-License-Identifier: Apache-2.0 */
/* Random graphs: the promises of msg/model.h hold, the order of the file changes nothing, and the figures of
 * `check` are those of the ledger. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/draw.h"
#include "core/sums.h"
#include "site/flow/figures.h"
#include "written_site.h"

enum { ROUNDS = 60, NODES = 24, ROWS = 12, LINE = 200 };

struct text {
    char node[NODES][LINE], row[ROWS][LINE], whole[(NODES + ROWS) * LINE + 2048];
};

static_assert(NODES <= 64, "a bit for each node");

static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % below;
}

/* Depth grows with the index divided by six: at most five levels, first parents and second ones from higher
 * levels. A second parent only where everything that may come below still has at most ANCESTORS_MAX above it
 * and itself. */
static void invent(struct text *t, uint64_t *seed)
{
    static const char *const phases[7] = {"A", "B", "C", "AB", "BC", "CA", "ABC"};
    uint64_t line[NODES];       /* bit i: node i is above, or is the node itself */

    for (uint32_t i = 0; i < NODES; i++) {
        uint32_t level = i / 6, above = level ? (level - 1) * 6 : 0, below = (NODES - 1) / 6 - level;
        uint32_t one = above + draw(seed, 3), other = above + 3 + draw(seed, 3), only = above + draw(seed, 6);
        uint64_t both = level ? line[one] | line[other] : 0;

        line[i] = UINT64_C(1) << i;
        if (!level) {
            snprintf(t->node[i], LINE, "  - {id: n%u, kind: source, volts: 480V, rating: 9kA}\n", i);
        } else if (draw(seed, 4) || (uint32_t)__builtin_popcountll(both) + 1 + below > ANCESTORS_MAX) {
            line[i] |= line[only];
            snprintf(t->node[i], LINE, "  - {id: n%u, kind: branch, parent: n%u, rating: 9kA, k: %u}\n", i,
                     only, draw(seed, 5));
        } else {
            line[i] |= both;
            snprintf(t->node[i], LINE, "  - {id: n%u, kind: branch, parents: [n%u, n%u], rating: 9kA}\n", i,
                     one, other);
        }
    }
    for (uint32_t i = 0; i < ROWS; i++)
        snprintf(t->row[i], LINE,
                 "  - {id: h%u, count: %u, type: gpu, cords: [{node: n%u, phases: %s, psus: %u}, n%u], "
                 "address: 10.0.%u.1}\n",
                 i, 1 + draw(seed, 12), draw(seed, NODES), phases[draw(seed, 7)], 1 + draw(seed, 4),
                 draw(seed, NODES), i);
}

static void shuffle(char (*line)[LINE], uint32_t count, uint64_t *seed)
{
    char keep[LINE];

    for (uint32_t i = count; i > 1; i--) {
        uint32_t other = draw(seed, i);

        memcpy(keep, line[i - 1], LINE);
        memcpy(line[i - 1], line[other], LINE);
        memcpy(line[other], keep, LINE);
    }
}

static void compose(struct text *t)
{
    char *at = t->whole;

    at += sprintf(at, "site: t\nnodes:\n");
    for (uint32_t i = 0; i < NODES; i++)
        at += sprintf(at, "%s", t->node[i]);
    at += sprintf(
        at,
        "host_types:\n  - {id: gpu, cap: {min: 1kW, max: 8kW}, base: 1kW, phys_max: 10kW, actuation: 1s}\n"
        "hosts:\n");
    for (uint32_t i = 0; i < ROWS; i++)
        at += sprintf(at, "%s", t->row[i]);
    sprintf(at, "redundancy: {scheme: N+1, may_lose: [n0, n7]}\n");
}

static void assert_same(const struct site *a, const struct site *b)
{
    const struct model *m = &a->model, *n = &b->model;

    assert_int_equal(m->node_count, n->node_count);
    assert_int_equal(m->host_count, n->host_count);
    assert_memory_equal(m->node, n->node, m->node_count * sizeof *m->node);
    assert_memory_equal(m->host, n->host, m->host_count * sizeof *m->host);
    for (uint32_t h = 0; h < m->host_count; h++)
        assert_int_equal(a->host_address[h].ipv4, b->host_address[h].ipv4);
}

static void any_order_of_the_file_gives_the_same_well_ordered_model(void **state)
{
    const char *given = getenv("SEED");
    uint64_t start = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL), seed = start;
    struct text *t = calloc(1, sizeof *t);
    struct written_site *w = calloc(2, sizeof *w);

    (void)state;
    assert_true(t && w);
    print_message("SEED=%llu\n", (unsigned long long)start);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        invent(t, &seed);
        for (uint32_t i = 0; i < 2; i++) {
            compose(t);
            written_site_load(&w[i], t->whole, NULL);
            if (w[i].rc)
                fail_msg("round %u: %s\n%s", round, w[i].report, t->whole);
            written_site_check_model(&w[i].site.model);
            shuffle(t->node, NODES, &seed);
            shuffle(t->row, ROWS, &seed);
        }
        assert_same(&w[0].site, &w[1].site);
        site_unload(&w[0].site);
        site_unload(&w[1].site);
    }
    free(t);
    free(w);
}

/* Every host at its fail-safe cap: D of the ledger, kept by difference, against the sums of the check. */
static void assert_ledger_agrees(const struct site *site, uint32_t round)
{
    const struct model *m = &site->model;
    struct ledger_host *host = calloc(m->host_count, sizeof *host);
    struct ledger_sums *node = calloc(m->node_count, sizeof *node);
    struct ledger ledger;
    struct figures figures;

    assert_true(host && node && !figures_open(&figures, site));
    ledger_init(&ledger, m, 1, host, node);
    for (uint32_t h = 0; h < m->host_count; h++)
        sums_replace(&ledger, h, SUM_EXPOSED, host[h].exposed_draw_mw,
                     draw_of_cap_mw(&m->type[m->host[h].type], m->host[h].fail_safe_mw));
    for (uint32_t n = 0; n < m->node_count; n++) {
        int64_t worst = 0;

        for (uint32_t i = 0; i < m->contingency_count * PHASES; i++) {
            uint32_t c = i / PHASES, ph = i % PHASES;

            assert_int_equal(figures.outage.node[n] >> c & 1,
                             !outage_alive(m, n, m->contingency[c].lost_node));
            if (node[n].exposed_mva[c][ph] != figures_steady_mva(site, &figures, n, c, ph))
                fail_msg("round %u: %s, %s, phase %u: ledger %lld, check %lld mVA", round, m->node[n].name,
                         m->contingency[c].name, ph, (long long)node[n].exposed_mva[c][ph],
                         (long long)figures_steady_mva(site, &figures, n, c, ph));
            if (c && m->node[n].limit_mva[c][ph] == m->node[n].limit_mva[0][ph] &&
                node[n].exposed_mva[c][ph] > worst)
                worst = node[n].exposed_mva[c][ph];
        }
        struct figures_peak peak = figures_peak(site, &figures, n, 1, m->contingency_count - 1);

        assert_int_equal(peak.any ? peak.mva : 0, worst);
        assert_true(peak.ppm <= PPM);       /* or the site would have been refused */
    }
    figures_close(&figures);
    free(host);
    free(node);
}

static void worst_loss_figures_are_those_of_the_ledger(void **state)
{
    const char *given = getenv("SEED");
    uint64_t start = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL), seed = start;
    struct text *t = calloc(1, sizeof *t);
    struct written_site *w = calloc(1, sizeof *w);

    (void)state;
    assert_true(t && w);
    print_message("SEED=%llu\n", (unsigned long long)start);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        invent(t, &seed);
        compose(t);
        written_site_load(w, t->whole, NULL);
        if (w->rc)
            fail_msg("round %u: %s\n%s", round, w->report, t->whole);
        assert_ledger_agrees(&w->site, round);
        site_unload(&w->site);
    }
    free(t);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_of_the_file_gives_the_same_well_ordered_model),
        cmocka_unit_test(worst_loss_figures_are_those_of_the_ledger),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
