/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random conditions, written as text with random parentheses and blanks, go through the compiler and are held
 * against random readings. Beside them stands what they were drawn as, a tree, judged step by step with
 * nothing in common but the definition: no stack, no bits, no flat steps.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "core/when.h"
#include "run.h"
#include "site/read/when.h"

enum { NODES_MOST = 40, READINGS = 200, TEXT_BYTES = 8192 };

enum kind { LEAF, FLAG, AND, OR, NOT, FOR };

struct node {
    enum kind kind;
    enum when_quantity quantity;
    bool above, equal;
    double bound, clear;        /* in units of the text */
    int64_t for_ms;
    struct node *left, *right;
    bool was;                   /* of a comparison: it held */
    int64_t since_ms;           /* of a `for`: -1 = it does not run */
};

struct trial {
    struct chance chance;
    struct node node[NODES_MOST];
    uint32_t nodes, leaves, times;
    char text[TEXT_BYTES];
};

/* What a leaf may compare: whole units of the text, so that bounds are met exactly. */
static const struct {
    enum when_quantity quantity;
    const char *unit;
    int64_t scale;              /* base units in one of it */
} kinds[] = {
    {WHEN_POWER, "kW", 1000000}, {WHEN_CURRENT_A, "A", 1000}, {WHEN_FREQUENCY, "Hz", 1000},
    {WHEN_THD_CURRENT, "%", 10000}, {WHEN_REACTIVE, "kvar", 1000000}, {WHEN_POWER_TREND, "kW/s", 1000},
};
enum { KINDS = sizeof kinds / sizeof kinds[0], VALUES = 6 };

static struct node *draw(struct trial *trial, uint32_t depth)
{
    struct chance *chance = &trial->chance;
    struct node *node = &trial->node[trial->nodes++];
    int64_t kind = depth > 4 || trial->nodes > NODES_MOST - 16 ? 0 : chance_range(chance, 0, 9);

    *node = (struct node){.since_ms = -1};
    if (kind < 3 || trial->leaves > 18) {
        trial->leaves++;
        node->kind = chance_hit(chance, 0.2) ? FLAG : LEAF;
        node->quantity = (enum when_quantity)chance_range(chance, 0, KINDS - 1);
        node->above = chance_hit(chance, 0.5);
        node->equal = chance_hit(chance, 0.5);
        node->bound = (double)chance_range(chance, 0, VALUES);
        node->clear = node->bound + (node->above ? -1.0 : 1.0) * (double)chance_range(chance, 0, 2);
    } else if (kind < 7) {
        node->kind = kind < 5 ? AND : OR;
        node->left = draw(trial, depth + 1);
        node->right = draw(trial, depth + 1);
    } else {
        node->kind = kind < 8 || trial->times == WHEN_TIMES_MAX ? NOT : FOR;
        trial->times += node->kind == FOR;
        node->for_ms = chance_range(chance, 1, 60);
        node->left = draw(trial, depth + 1);
    }
    return node;
}

/* ---- as text ---- */

__attribute__((format(printf, 2, 3))) static void put(struct trial *trial, const char *format, ...)
{
    size_t used = strlen(trial->text);
    va_list list;

    va_start(list, format);
    vsnprintf(trial->text + used, sizeof trial->text - used, format, list);
    va_end(list);
    if (chance_hit(&trial->chance, 0.3))
        strcat(trial->text, " ");
}

static void write_leaf(struct trial *trial, const struct node *node)
{
    const char *unit = kinds[node->quantity].unit;

    if (node->kind == FLAG) {
        put(trial, "%s ", node->above ? "sag" : "swell");
        return;
    }
    put(trial, "%s", when_quantity_name(kinds[node->quantity].quantity));
    put(trial, "%s%s", node->above ? ">" : "<", node->equal ? "=" : "");
    put(trial, "%.0f%s", node->bound, unit);
    if (node->clear < node->bound || node->clear > node->bound)
        put(trial, " clear %.1f %s ", node->clear, unit);
}

/* How tightly what is written holds together: 0 either, 1 all, 2 one, 3 lasting, 4 primary. */
static uint32_t level(const struct node *node)
{
    static const uint32_t levels[] = {[LEAF] = 4, [FLAG] = 4, [AND] = 1, [OR] = 0, [NOT] = 2, [FOR] = 3};
    return levels[node->kind];
}

static void write_node(struct trial *trial, const struct node *node, uint32_t least)
{
    bool parentheses = level(node) < least || chance_hit(&trial->chance, 0.1);

    put(trial, "%s", parentheses ? "(" : "");
    switch (node->kind) {
    case AND:
    case OR:
        write_node(trial, node->left, level(node));
        put(trial, node->kind == AND ? " and " : " or ");
        write_node(trial, node->right, level(node) + 1);
        break;
    case NOT:
        put(trial, "not ");
        write_node(trial, node->left, 2);
        break;
    case FOR:
        write_node(trial, node->left, 4);
        put(trial, " for %dms ", (int)node->for_ms);
        break;
    default:
        write_leaf(trial, node);
        break;
    }
    put(trial, "%s", parentheses ? ")" : "");
}

/* ---- as it is meant ---- */

static enum when_truth judge_leaf(struct node *node, const struct reading *reading)
{
    const double value[KINDS] = {(double)reading->power_mw[0] / 1e6, (double)reading->current_ma[0] / 1e3,
                                 (double)reading->frequency_mhz / 1e3, (double)reading->thd_current_ppm / 1e4,
                                 (double)reading->reactive_mvar / 1e6, (double)reading->trend_w_per_s / 1e3};
    const bool known[KINDS] = {true, true, reading->frequency_mhz != 0,
                               (reading->known & READING_THD_CURRENT) != 0,
                               (reading->known & READING_REACTIVE) != 0,
                               (reading->known & READING_FEATURES) != 0};
    double it = value[node->quantity], against = node->was ? node->clear : node->bound;

    if (node->kind == FLAG)
        return (reading->flags & (node->above ? READING_SAG : READING_SWELL)) ? WHEN_TRUE : WHEN_FALSE;
    if (!known[node->quantity]) {
        node->was = false;
        return WHEN_UNKNOWN;
    }
    bool same = it <= against && it >= against;
    node->was = same ? node->equal : node->above ? it > against : it < against;
    return node->was ? WHEN_TRUE : WHEN_FALSE;
}

static enum when_truth judge(struct node *node, const struct reading *reading, int64_t t_ms, bool gap)
{
    if (node->kind == LEAF || node->kind == FLAG)
        return judge_leaf(node, reading);
    enum when_truth left = judge(node->left, reading, t_ms, gap);
    if (node->kind == NOT)
        return left == WHEN_UNKNOWN ? left : left == WHEN_FALSE ? WHEN_TRUE : WHEN_FALSE;
    if (node->kind == FOR) {
        if (left != WHEN_TRUE) {
            node->since_ms = -1;
            return left;
        }
        if (node->since_ms < 0 || gap)
            node->since_ms = t_ms;
        return t_ms - node->since_ms >= node->for_ms ? WHEN_TRUE : WHEN_FALSE;
    }
    enum when_truth right = judge(node->right, reading, t_ms, gap);
    enum when_truth decides = node->kind == AND ? WHEN_FALSE : WHEN_TRUE;
    if (left == decides || right == decides)
        return decides;
    return left == WHEN_UNKNOWN || right == WHEN_UNKNOWN ? WHEN_UNKNOWN : left;
}

/* ---- both ---- */

static struct reading draw_reading(struct chance *chance)
{
    struct reading reading = {.power_mw = {chance_range(chance, -1, VALUES + 1) * 1000000},
                              .current_ma = {chance_range(chance, 0, VALUES + 1) * 1000},
                              .frequency_mhz = (int32_t)chance_range(chance, 0, VALUES) * 1000,
                              .reactive_mvar = chance_range(chance, -1, VALUES) * 1000000,
                              .trend_w_per_s = chance_range(chance, -1, VALUES) * 1000,
                              .thd_current_ppm = (uint32_t)chance_range(chance, 0, VALUES) * 10000,
                              .flags = (uint32_t)chance_range(chance, 0, 3),
                              .known = (uint32_t)chance_range(chance, 0, 15)};
    if (chance_hit(chance, 0.5))
        reading.known = 15;
    return reading;
}

static bool complain(const struct trial *trial, uint64_t seed, const char *what, const char *words)
{
    printf("seed %llu: %s: %s\n%s\n", (unsigned long long)seed, what, words, trial->text);
    return false;
}

static bool held_alike(struct trial *trial, const struct when_program *program, uint64_t seed,
                       uint64_t holds[3])
{
    static const struct model_node phase = {.phases = 1};
    struct when_state state = {0};
    struct reading reading = {0};
    struct when_seen seen = {.reading = &reading, .node = &phase};
    int64_t t_ms = 0;

    for (uint32_t i = 0; i < READINGS; i++) {
        bool gap = chance_hit(&trial->chance, 0.02);
        /* what was read last stands for a while: else nothing would last */
        if (i == 0 || chance_hit(&trial->chance, 0.25))
            reading = draw_reading(&trial->chance);
        t_ms += chance_range(&trial->chance, 0, 20);
        enum when_truth wanted = judge(&trial->node[0], &reading, t_ms, gap);
        enum when_truth got = when_reading(program, &state, &seen, t_ms * NS_PER_MS, gap);
        holds[wanted]++;
        if (got != wanted)
            return complain(trial, seed, "reading", "the program says otherwise");
    }
    return true;
}

static bool try_one(uint64_t seed, uint64_t holds[3])
{
    struct trial trial = {.chance = {seed}};
    struct when_program program, again;
    struct when_fault fault;
    char written[WHEN_TEXT_BYTES];

    draw(&trial, 0);
    write_node(&trial, &trial.node[0], 0);
    if (when_parse(trial.text, 0, &program, &fault))
        return complain(&trial, seed, "refused", fault.words);
    if (when_parse(when_write(&program, written), 0, &again, &fault))
        return complain(&trial, seed, "refused once written", written);
    if (memcmp(&program, &again, sizeof program))
        return complain(&trial, seed, "means something else once written", written);
    return held_alike(&trial, &program, seed, holds);
}

int main(int argc, char **argv)
{
    struct run run = run_begin("when_property", 10000, 500000);
    uint64_t failures = 0, holds[3] = {0};

    for (int i = 1; i < argc; i++)
        if (!run_option(&run, argc, argv, &i))
            return run_usage(&run, "");
    for (uint64_t i = 0; i < run.cases && failures < 5; i++)
        failures += !try_one(run.seed + i, holds);
    printf("readings that hold: %llu, that do not: %llu, unknown: %llu\n",
           (unsigned long long)holds[WHEN_TRUE], (unsigned long long)holds[WHEN_FALSE],
           (unsigned long long)holds[WHEN_UNKNOWN]);
    run_end(&run, failures);
    /* a run in which one answer never comes would prove nothing of it */
    return failures || (run.cases >= 1000 && (!holds[0] || !holds[1] || !holds[2]));
}
