/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fail-safe caps that nobody wrote, worked out by hand, then by chance. 400 V: 230.940 V to neutral, 219.393
 * V at 95 %; a device of 100 A carries 80 A for long, 17,551.4 VA on each phase, 52,654 W over three. Hosts
 * draw cap + 1 kW.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "site/derive.h"
#include "site/fail_safe.h"
#include "site/flow/sums.h"
#include "written_site.h"

#define LARGEST "site: t\npolicy: {fail_safe: largest}\n"
#define MAIN "nodes:\n  - {id: main, kind: main, volts: 400V, rating: 100A"
#define TYPE(more) \
    "host_types:\n  - {id: box, cap: {min: 1kW, max: 20kW}, base: 1kW, phys_max: 25kW, overshoot: 0%,\n" \
    "     efficiency: 100%, power_factor: 1, actuation: 100ms" more "}\nhosts:\n"
#define ROW(id, count, node, net, more) \
    "  - {id: " id ", count: " count ", type: box, cord: " node ", address: 10.0." net ".1" more "}\n"

static void open_site(struct written_site *w, const char *text)
{
    written_site_load(w, text, NULL);
    if (w->rc)
        fail_msg("%s\n%s", w->report, text);
}

static int64_t cap_w(const struct written_site *w, const char *host)
{
    return w->site.model.host[written_site_host(&w->site, host)].fail_safe_mw / 1000;
}

/* 52,654 / 4 - 1,000 = 12,163 */
static void alike_hosts_get_alike_caps_in_whole_quanta(void **state)
{
    struct written_site w;

    (void)state;
    open_site(&w, LARGEST MAIN "}\n" TYPE("") ROW("h", "4", "main", "0", ""));
    for (uint32_t h = 0; h < 4; h++)
        assert_int_equal(w.site.model.host[h].fail_safe_mw, 12100000);
    assert_int_equal(w.site.computed[0], 1);
    assert_int_equal(w.site.model.host[0].floor_mw, 1000000);
    site_unload(&w.site);
    open_site(&w, LARGEST MAIN "}\n" TYPE(", quantum: 1W") ROW("h", "4", "main", "0", ""));
    assert_in_range(w.site.model.host[0].fail_safe_mw, 12162000, 12163000);
    site_unload(&w.site);
}

/* 52,654 - 3,000 = 49,654 over weights 1, 1 and 2: 12,413 each */
static void weights_count(void **state)
{
    struct written_site w;

    (void)state;
    open_site(&w, LARGEST MAIN "}\n" TYPE("") ROW("h", "2", "main", "0", "")
                      ROW("w", "1", "main", "1", ", weight: 2"));
    /* w ends at 20 kW, the others share 31,654 less 1,000 each */
    assert_int_equal(cap_w(&w, "h-01"), 14800);
    assert_int_equal(cap_w(&w, "w-01"), 20000);
    site_unload(&w.site);
    open_site(&w, LARGEST MAIN "}\n" TYPE("") ROW("h", "4", "main", "0", "")
                      ROW("w", "1", "main", "1", ", weight: 2"));
    /* 47,654 / 6 = 7,942 */
    assert_int_equal(cap_w(&w, "h-01"), 7900);
    assert_int_equal(cap_w(&w, "w-01"), 15800);
    site_unload(&w.site);
}

/* 4 x 13 kW of 52,654 W fit, with 1 kVA of other load they do not. */
static void other_load_takes_its_room_beside_fail_safe(void **state)
{
#define SITE(other) \
    "site: t\n" MAIN other "}\n" TYPE("") ROW("h", "4", "main", "0", ", fail_safe: 12kW")
    struct written_site w;

    (void)state;
    open_site(&w, SITE(""));
    site_unload(&w.site);
    written_site_load(&w, SITE(", other: 1kVA"), NULL);
    assert_int_equal(w.rc, -22);
    assert_non_null(strstr(w.report, "with every host at fail-safe 17.67 kVA may flow (hosts 17.34 kVA, "
                                     "bad 0.00 kVA, other 0.34 kVA)"));
#undef SITE
}

/* Everybody at fail-safe has to satisfy every floor (I4). */
static void a_floor_above_fail_safe_is_refused(void **state)
{
#define SITE(floor) "site: t\n" MAIN "}\n" TYPE("") \
    ROW("h", "2", "main", "0", ", fail_safe: 3kW, floor: " floor)
    struct written_site w;

    (void)state;
    open_site(&w, SITE("3kW"));
    site_unload(&w.site);
    written_site_load(&w, SITE("3001W"), NULL);
    assert_int_equal(w.rc, -22);
    assert_non_null(strstr(w.report, "floor 3.001kW is above fail_safe 3kW"));
#undef SITE
}

static void a_cap_that_is_written_stays_and_takes_its_room(void **state)
{
    struct written_site w;

    (void)state;
    open_site(&w, LARGEST MAIN "}\n" TYPE("") ROW("h", "3", "main", "0", "")
                      ROW("w", "1", "main", "1", ", fail_safe: 3kW"));
    /* 52,654 - 4,000 - 3,000 = 45,654 over three: 15,218 */
    assert_int_equal(cap_w(&w, "h-02"), 15200);
    assert_int_equal(cap_w(&w, "w-01"), 3000);
    assert_int_equal(w.site.computed[written_site_host(&w.site, "w-01")], 0);
    site_unload(&w.site);
}

/* The rack of 40 A carries 21,061 W: two hosts of 9,530. What they cannot use goes to the others. */
static void a_full_rack_leaves_the_rest_to_others(void **state)
{
    struct written_site w;

    (void)state;
    open_site(&w, LARGEST MAIN "}\n  - {id: rack, kind: rack, parent: main, rating: 40A}\n" TYPE("")
                      ROW("r", "2", "rack", "0", "") ROW("h", "2", "main", "1", ""));
    assert_int_equal(cap_w(&w, "r-01"), 9500);
    /* 52,654 - 21,061 = 31,592 over two less 1,000 each: 14,796 */
    assert_int_equal(cap_w(&w, "h-01"), 14700);
    site_unload(&w.site);
}

/* n - 1 at fail-safe and one at 25 kW: 27,654 / 3 - 1,000 = 8,218. */
static void hosts_that_disobey_keep_their_room(void **state)
{
    struct written_site w;

    (void)state;
    open_site(&w, LARGEST MAIN ", k: 1}\n" TYPE("") ROW("h", "4", "main", "0", ""));
    assert_int_equal(cap_w(&w, "h-01"), 8200);
    site_unload(&w.site);
}

/* Caps of 2, 4, 6 and 8 kW are written, so those may draw 22, 20, 18 and 16 kW more where they disobey: k
 * of them are the largest wherever they stand in the file. 200 A carry 105,308 W: less 24,000 at
 * fail-safe, k gaps and 1,000 for each of two, 37,308 and 19,308 are left for these. */
static void those_that_disobey_most_count_in_any_order(void **state)
{
    static const char *const order[] = {"2468", "8642", "4826", "6284", "8246"};
    static const int64_t left_w[] = {18600, 9600};

    (void)state;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        for (int k = 2; k < 4; k++) {
            struct written_site w;
            const char *o = order[i];
            char text[] =
                LARGEST "nodes:\n  - {id: main, kind: main, volts: 400V, rating: 200A, k: !}\n" TYPE("")
                    ROW("a", "1", "main", "0", ", fail_safe: ?kW")
                        ROW("b", "1", "main", "1", ", fail_safe: ?kW") ROW("h", "2", "main", "2", "")
                            ROW("c", "1", "main", "3", ", fail_safe: ?kW")
                                ROW("d", "1", "main", "4", ", fail_safe: ?kW");

            for (char *at = text; *at; at++)
                *at = *at == '!' ? (char)('0' + k) : *at == '?' ? *o++ : *at;
            open_site(&w, text);
            assert_int_equal(cap_w(&w, "h-01"), left_w[k - 2]);
            assert_int_equal(cap_w(&w, "h-02"), left_w[k - 2]);
            site_unload(&w.site);
        }
    }
}

/* 0.85 x 0.9 x 120 A = 91.8 A x 219.393 V x 3 = 60,421 W for one that starts with 35 kW and three others:
 * 25,421 / 3 - 1,000 = 7,473; the limit alone would leave 8,218. */
static void hosts_that_start_keep_their_room_below_the_fastest_stage(void **state)
{
    struct written_site w;

    (void)state;
    open_site(&w, LARGEST MAIN ", k: 1, instantaneous: 120A}\n" TYPE(", inrush: 10kW")
                      ROW("h", "4", "main", "0", ""));
    assert_int_equal(cap_w(&w, "h-01"), 7400);
    site_unload(&w.site);
}

/* Two feeds of 100 A, one of which may be lost: the other carries all: 52,654 / 4 - 1,000. */
#define FEED(id, more) \
    "  - {id: " id ", kind: main, volts: 400V, rating: 100A, long_time: {pickup: 100A, delay: 8s},\n" \
    "     settings_from: {study: s, as_left: 2026-01-02, by: p}" more "}\n"
#define METERS "meters:\n  - {id: m-a, node: a}\n  - {id: m-b, node: b}\n"
#define LOSS(reserve) "redundancy: {scheme: 2N, may_lose: [a, b], reserve: " reserve "}\n"
#define TWO(policy, more, reserve) \
    "site: t\npolicy: {" policy "}\nnodes:\n" FEED("a", "") FEED("b", more) TYPE("") \
        "  - {id: h, count: 4, type: box, cords: [a, b], address: 10.0.0.1}\n" METERS LOSS(reserve)

static void the_survivor_carries_what_is_left_at_fail_safe(void **state)
{
    struct written_site w;

    (void)state;
    open_site(&w, TWO("fail_safe: largest", "", "keep"));
    assert_int_equal(cap_w(&w, "h-04"), 12100);
    site_unload(&w.site);
}

static void left_to_itself_it_raises_caps_only_where_everything_lends(void **state)
{
    struct written_site w;

    (void)state;
    open_site(&w, TWO("oversubscribe: yes", "", "lend"));
    assert_int_equal(cap_w(&w, "h-01"), 12100);
    assert_int_equal(w.site.computed[0], 1);
    site_unload(&w.site);
    open_site(&w, TWO("oversubscribe: yes", "", "keep"));
    assert_int_equal(cap_w(&w, "h-01"), 1000);
    assert_int_equal(w.site.computed[0], 0);
    site_unload(&w.site);
    open_site(&w, TWO("oversubscribe: yes", ", oversubscribe: no", "lend"));
    assert_int_equal(cap_w(&w, "h-01"), 1000);
    site_unload(&w.site);
    open_site(&w, TWO("oversubscribe: yes, fail_safe: lowest", "", "lend"));
    assert_int_equal(cap_w(&w, "h-01"), 1000);
    site_unload(&w.site);
}

static void without_a_word_it_is_no_lower_than_the_floor(void **state)
{
    struct written_site w;

    (void)state;
    open_site(&w, "site: t\n" MAIN "}\n" TYPE("") ROW("h", "4", "main", "0", ", floor: 3kW"));
    assert_int_equal(cap_w(&w, "h-01"), 3000);
    site_unload(&w.site);
}

/* --- by chance
 * ------------------------------------------------------------------------------------------- */

enum { ROUNDS = 60, TEXT_BYTES = 16384, RACKS = 6, KINDS = 3 };

struct text {
    size_t used;
    char whole[TEXT_BYTES];
};

__attribute__((format(printf, 2, 3))) static void say(struct text *t, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    int more = vsnprintf(t->whole + t->used, sizeof t->whole - t->used, format, list);

    va_end(list);
    assert_true(more > 0 && t->used + (size_t)more < sizeof t->whole);
    t->used += (size_t)more;
}

static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33) % below;
}

static void invent(struct text *t, uint64_t *seed)
{
    static const char *const phases[] = {"A", "B", "C", "AB", "ABC"};

    t->used = 0;
    say(t, "site: t\npolicy: {fail_safe: largest}\nnodes:\n");
    for (char side = 'a'; side <= 'b'; side++) {
        say(t, "  - {id: %c, kind: main, volts: 400V, rating: %uA, k: %u, other: %uVA, instantaneous: %uA}\n",
            side, 500 + draw(seed, 500), draw(seed, 3), draw(seed, 9000) + 1, 1000 + draw(seed, 2000));
        for (uint32_t i = 0; i < RACKS; i++)
            say(t, "  - {id: %c%u, kind: rack, parent: %c, rating: %uA, k: %u}\n", side, i, side,
                150 + draw(seed, 200), draw(seed, 2));
    }
    say(t, "host_types:\n");
    for (uint32_t i = 0; i < KINDS; i++)
        say(t, "  - {id: t%u, cap: {min: 500W, max: %uW}, base: %uW, phys_max: 12kW, inrush: %uW,\n"
               "     quantum: 1W, actuation: 100ms%s}\n", i, 4000 + draw(seed, 4000), draw(seed, 900),
            draw(seed, 2000), draw(seed, 3) ? "" : ", fail_safe: 600W");
    say(t, "hosts:\n");
    for (uint32_t i = 0; i < RACKS; i++)
        say(t, "  - {id: h%u, count: %u, type: t%u, weight: %u, cords: [a%u, b%u], phases: %s, "
               "address: 10.0.%u.1}\n", i, 1 + draw(seed, 6), draw(seed, KINDS), 1 + draw(seed, 4), i,
            draw(seed, RACKS), phases[draw(seed, 5)], i);
    say(t, "redundancy: {scheme: 2N, may_lose: [a, b]}\n");
}

/* Is I2 kept, by the sums that the site is checked with? */
static bool keeps(struct model *m, const struct sums_below *below, int64_t (*sum)[PHASES])
{
    for (uint32_t c = 0; c < m->contingency_count; c++) {
        sums_hosts(m, SUM_FAIL_SAFE, c, sum);
        for (uint32_t i = 0; i < m->node_count * PHASES; i++) {
            const struct model_node *n = &m->node[i / PHASES];
            uint32_t ph = i % PHASES;
            int64_t used = sum[i / PHASES][ph] + n->other_mva[ph];

            if (n->limit_mva[c][ph] == DERIVE_NO_LIMIT)
                continue;
            if (used + sums_largest_gaps(m, below, i / PHASES, SUM_PHYS_MAX, c, ph) > n->limit_mva[c][ph])
                return false;
            if (n->instant_peak_ma &&
                used + sums_largest_gaps(m, below, i / PHASES, SUM_BOOT, c, ph) >
                    n->instant_peak_ma * 707106 / PPM * n->volts_low_mv / 1000)
                return false;
        }
    }
    return true;
}

static double level(const struct model_host *h)
{
    return (double)h->fail_safe_mw / h->weight;
}

/* The caps before they are rounded down to whole quanta: what up to a watt each of some thirty hosts leaves
 * below one phase is more than one of them needs for a rise of 50 W over three phases. */
static void fill_exactly(const struct site *site, struct model *m, struct scratch *scratch)
{
    *m = site->model;
    m->type = scratch_take(scratch, m->type_count * sizeof *m->type);
    m->host = scratch_take(scratch, m->host_count * sizeof *m->host);
    assert_true(m->type && m->host);
    memcpy(m->type, site->model.type, m->type_count * sizeof *m->type);
    memcpy(m->host, site->model.host, m->host_count * sizeof *m->host);
    for (uint32_t i = 0; i < m->type_count; i++)
        m->type[i].quantum_mw = 1;
    for (uint32_t h = 0; h < m->host_count; h++)
        if (site->computed[h])
            m->host[h].fail_safe_mw = m->type[m->host[h].type].cap_min_mw;
    assert_int_equal(fail_safe_raise(m, site->computed, scratch), 0);
}

/* Whole quanta below it, but the ends of a range need not be one. */
static void assert_rounded_down(const struct site *site, const struct model *exact)
{
    for (uint32_t h = 0; h < exact->host_count; h++) {
        const struct model_host_type *type = &site->model.type[exact->host[h].type];
        int64_t cap_mw = exact->host[h].fail_safe_mw, whole_mw = cap_mw - cap_mw % type->quantum_mw;

        if (!site->computed[h] || cap_mw == type->cap_max_mw)
            whole_mw = cap_mw;
        else if (whole_mw < type->cap_min_mw)
            whole_mw = type->cap_min_mw;
        assert_int_equal(site->model.host[h].fail_safe_mw, whole_mw);
    }
}

/* Max-min: no open host below its type's largest cap can have 1 W more, even if all open ones with a higher
 * level give back what they have above it (so that only those as low as itself hold their room). */
static void assert_nobody_is_left_behind(const struct site *site, uint32_t round, const char *text)
{
    enum { MORE_MW = 1000 };    /* a third of it at 0.85: 392 mVA; rounding leaves 9 of each of up to 36 */
    struct scratch scratch = {0};
    struct sums_below below;
    struct model exact, m;
    int64_t(*sum)[PHASES] = calloc(site->model.node_count, sizeof *sum);

    fill_exactly(site, &exact, &scratch);
    assert_rounded_down(site, &exact);
    m = exact;
    m.host = scratch_take(&scratch, m.host_count * sizeof *m.host);
    assert_true(sum && m.host);
    memcpy(m.host, exact.host, m.host_count * sizeof *m.host);
    assert_true(!sums_below_start(&below, &m, &scratch));
    assert_true(keeps(&m, &below, sum));
    for (uint32_t h = 0; h < m.host_count; h++) {
        memcpy(m.host, exact.host, m.host_count * sizeof *m.host);
        struct model_host *host = &m.host[h];
        double mine = level(host);

        if (!site->computed[h] || host->fail_safe_mw + MORE_MW > m.type[host->type].cap_max_mw)
            continue;
        for (uint32_t o = 0; o < m.host_count; o++) {
            int64_t least = m.type[m.host[o].type].cap_min_mw, back = (int64_t)(mine * m.host[o].weight);

            if (o != h && site->computed[o] && level(&m.host[o]) > mine + 2 * MORE_MW)
                m.host[o].fail_safe_mw = back > least ? back : least;
        }
        host->fail_safe_mw += MORE_MW;
        if (!keeps(&m, &below, sum))
            continue;
        fputs(text, stderr);
        fail_msg("round %u: %s could have more than %lld mW", round, host->name,
                 (long long)host->fail_safe_mw - MORE_MW);
    }
    free(sum);
    scratch_free(&scratch);
}

static void try_sites(uint64_t seed)
{
    struct text *t = calloc(1, sizeof *t);
    struct written_site *w = calloc(1, sizeof *w);
    uint32_t loaded = 0;

    assert_true(t && w);
    print_message("SEED=%llu\n", (unsigned long long)seed);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        invent(t, &seed);
        written_site_load(w, t->whole, NULL);
        if (w->rc && !strstr(w->report, "may flow") && !strstr(w->report, "start together"))
            fail_msg("round %u: %s\n%s", round, w->report, t->whole);
        if (w->rc)
            continue;           /* too full with every cap as low as may be */
        loaded++;
        assert_nobody_is_left_behind(&w->site, round, t->whole);
        site_unload(&w->site);
    }
    assert_true(loaded > ROUNDS / 4);
    free(t);
    free(w);
}

/* The same sites every time, or those of SEED. Of the numbers below, the long ones are of sites where the
 * quanta of many hosts together leave the most. */
static void of_any_site_the_caps_keep_its_limits_and_leave_nobody_behind(void **state)
{
    static const uint64_t fixed[] = {1, 2, 3, 4, 5, 6, 7, 8, 1795293576, 1795294085, 1795294235, 1795294769,
                                     1795294799, 1795295175};
    const char *given = getenv("SEED");

    (void)state;
    if (given)
        try_sites(strtoull(given, NULL, 0));
    for (size_t i = 0; !given && i < sizeof fixed / sizeof *fixed; i++)
        try_sites(fixed[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alike_hosts_get_alike_caps_in_whole_quanta),
        cmocka_unit_test(weights_count),
        cmocka_unit_test(a_cap_that_is_written_stays_and_takes_its_room),
        cmocka_unit_test(other_load_takes_its_room_beside_fail_safe),
        cmocka_unit_test(a_floor_above_fail_safe_is_refused),
        cmocka_unit_test(a_full_rack_leaves_the_rest_to_others),
        cmocka_unit_test(hosts_that_disobey_keep_their_room),
        cmocka_unit_test(those_that_disobey_most_count_in_any_order),
        cmocka_unit_test(hosts_that_start_keep_their_room_below_the_fastest_stage),
        cmocka_unit_test(the_survivor_carries_what_is_left_at_fail_safe),
        cmocka_unit_test(left_to_itself_it_raises_caps_only_where_everything_lends),
        cmocka_unit_test(without_a_word_it_is_no_lower_than_the_floor),
        cmocka_unit_test(of_any_site_the_caps_keep_its_limits_and_leave_nobody_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
