/* SPDX-License-Identifier: Apache-2.0 */
/* Histories by dice: faults come at exponential intervals, and what premises.h does not allow at that moment
 * is left out. */
#include <errno.h>
#include <math.h>

#include "sim/history.h"
#include "sim/premises.h"
#include "sim/random.h"

#define FIRST_NS (5 * NS_PER_S)         /* hosts and controller have found each other */

struct recipe {
    uint8_t weight[LEVEL_COUNT];
    double least, most;                 /* of `amount` */
    double shortest_s, longest_s;       /* 0: what happens once */
};

/* Without a weight are those that draw_direction, draw_shape and draw_manner make of others. */
static const struct recipe recipes[FAULT_KIND_COUNT] = {
    [FAULT_RESET] = {{0, 3, 4, 6}, 0, 0, 0, 0},
    [FAULT_STICK] = {{0, 1, 2, 4}, 0, 0, 1, 60},
    [FAULT_LIE] = {{0, 0, 1, 3}, 0, 0, 1, 60},
    [FAULT_STALL] = {{0, 2, 3, 4}, 0.05, 5, 1, 60},
    [FAULT_OVERDRAW] = {{0, 0, 1, 3}, 0.01, 0.3, 1, 60},
    [FAULT_FOREIGN] = {{0, 1, 2, 2}, 0.3, 1, 1, 60},
    [FAULT_REBOOT] = {{0, 2, 2, 3}, 0, 0, 2, 120},
    [FAULT_AGENT] = {{0, 4, 4, 4}, 0, 0, 0.2, 60},
    [FAULT_WATCHDOG] = {{0, 1, 1, 3}, 0, 0, 0.5, 30},
    [FAULT_FREEZE] = {{0, 2, 3, 4}, 0, 0, 0.05, 20},
    [FAULT_HOST_RATE] = {{0, 1, 1, 2}, -0.009, 0.009, 10, 600},
    [FAULT_HOST_STEP] = {{0, 0, 1, 2}, 0.05, 20, 0, 0},
    [FAULT_SURGE] = {{0, 3, 4, 6}, 0, 0, 0.5, 60},
    [FAULT_PULSE] = {{0, 1, 3, 6}, 0.02, 10, 1, 60},
    [FAULT_IDLE] = {{0, 3, 3, 3}, 0, 0, 1, 60},
    [FAULT_METER_ERROR] = {{0, 1, 2, 4}, -0.1, 0.1, 5, 300},
    [FAULT_METER_DRIFT] = {{0, 1, 1, 3}, -0.1, 0.1, 30, 600},
    [FAULT_METER_FREEZE] = {{0, 1, 2, 4}, 0, 0, 0.1, 60},
    [FAULT_METER_DELAY] = {{0, 1, 2, 4}, 0.01, 3, 0.5, 50},
    [FAULT_METER_SILENT] = {{0, 2, 3, 4}, 0, 0, 0.05, 60},
    [FAULT_METER_STEP] = {{0, 1, 1, 3}, -5, 5, 1, 120},
    [FAULT_METER_RATE] = {{0, 1, 1, 2}, -0.001, 0.001, 10, 600},
    [FAULT_LOSS] = {{0, 3, 4, 5}, 0.01, 1, 0.5, 60},
    [FAULT_DELAY] = {{0, 2, 3, 5}, 0.001, 2, 0.5, 60},
    [FAULT_DUPLICATE] = {{0, 1, 2, 4}, 0.01, 1, 1, 60},
    [FAULT_CUT_UP] = {{0, 1, 2, 5}, 0, 0, 0.1, 20},
    [FAULT_CUT_DOWN] = {{0, 1, 2, 5}, 0, 0, 0.1, 20},
    [FAULT_DARK] = {{0, 1, 2, 4}, 0, 0, 0.5, 120},
    [FAULT_SAG] = {{0, 2, 2, 3}, 0.01, 1, 0.02, 10},
    [FAULT_OTHER] = {{0, 1, 2, 3}, 0.1, 1, 1, 120},
    [FAULT_PAUSE] = {{0, 2, 3, 5}, 0, 0, 0.01, 3},
    [FAULT_CRASH] = {{0, 1, 2, 3}, 0, 0, 0.1, 10},
    [FAULT_TAKEOVER] = {{0, 2, 2, 4}, 0, 0, 0.02, 2},
    [FAULT_ZOMBIE] = {{0, 1, 1, 3}, 0, 1, 0.5, 20},
    [FAULT_LIMIT] = {{0, 1, 2, 3}, 0.4, 0.95, 1, 60},
};

/* mean time between faults */
static const double apart_s[LEVEL_COUNT] = {INFINITY, 60, 8, 2.5};
/* share of faults that strike a node and not one host */
static const double wide_share[LEVEL_COUNT] = {0, 0.15, 0.25, 0.4};
/* share that is followed at once by another; that stands at an end of its range */
static const double burst_share[LEVEL_COUNT] = {0, 0.05, 0.15, 0.5};
static const double edge_share[LEVEL_COUNT] = {0, 0, 0.1, 0.5};

struct drawing {
    struct history *history;
    const struct model *model;
    enum fault_level level;
    struct random random;
    struct random later, latest, last;  /* dice that came when histories had been drawn without them */
    struct premises premises;
    int64_t t_ns, end_ns;
};

static bool chance(struct drawing *drawing, double share)
{
    return random_unit(&drawing->random) < share;
}

static uint32_t pick(struct drawing *drawing, uint32_t count)
{
    return (uint32_t)(random_unit(&drawing->random) * count);
}

static uint32_t declared_loss(struct drawing *drawing)
{
    const struct model *model = drawing->model;
    uint32_t loss[CONTINGENCIES_MAX], count = 0;
    for (uint32_t c = 1; c < model->contingency_count; c++) {
        if (model->contingency[c].kind == CONTINGENCY_LOSS && model->contingency[c].lost_node != INDEX_NONE)
            loss[count++] = model->contingency[c].lost_node;
    }
    return count ? loss[pick(drawing, count)] : INDEX_NONE;
}

/* ---- one fault ---- */

static enum fault_kind draw_kind(struct drawing *drawing)
{
    uint32_t sum = 0, at = 0;
    for (int kind = 0; kind < FAULT_KIND_COUNT; kind++)
        sum += recipes[kind].weight[drawing->level];
    uint32_t drawn = pick(drawing, sum);
    for (int kind = 0; kind < FAULT_KIND_COUNT; kind++) {
        at += recipes[kind].weight[drawing->level];
        if (drawn < at)
            return (enum fault_kind)kind;
    }
    return FAULT_SURGE;
}

/* Amounts have three digits, times are of milliseconds: a history is read by people. */
static double draw_amount(struct drawing *drawing, const struct recipe *recipe)
{
    double amount = random_between(&drawing->random, recipe->least, recipe->most);
    bool edge = chance(drawing, edge_share[drawing->level]), high = chance(drawing, 0.5);
    return edge ? high ? recipe->most : recipe->least : round(amount * 1e3) / 1e3;
}

static int64_t draw_time(struct drawing *drawing, const struct recipe *recipe)
{
    if (recipe->longest_s <= 0)
        return 0;
    double low = log(recipe->shortest_s), high = log(recipe->longest_s);
    double seconds = exp(random_between(&drawing->random, low, high));
    return (int64_t)(ceil(seconds * 1e3)) * NS_PER_MS;
}

static void draw_place(struct drawing *drawing, struct fault *fault, bool wide)
{
    const struct model *model = drawing->model;
    enum fault_scope scope = fault_scope(fault->kind);
    fault->at_host = !wide && (scope == FAULT_HOSTS || scope == FAULT_NETWORK);
    if (scope == FAULT_METER && model->meter_count)
        fault->place = model->meter[pick(drawing, model->meter_count)].node;
    else if (fault->kind == FAULT_DARK)
        fault->place = declared_loss(drawing);
    else if (scope != FAULT_CONTROLLER || fault->kind == FAULT_LIMIT)
        fault->place = pick(drawing, fault->at_host ? model->host_count : model->node_count);
}

/* Half of those who set a limit that is not theirs set it higher. */
static void draw_direction(struct drawing *drawing, struct fault *fault)
{
    if (fault->kind == FAULT_FOREIGN && drawing->level >= LEVEL_MANY && random_unit(&drawing->later) < 0.5)
        fault->kind = FAULT_RAISE;
}

/* Half of the agents that die are told to stop instead, where they may ask to be let go. */
static void draw_manner(struct drawing *drawing, struct fault *fault)
{
    if (fault->kind == FAULT_AGENT && drawing->model->policy.let_go && random_unit(&drawing->last) < 0.5)
        fault->kind = FAULT_LEAVE;
}

/* Half of the devices that draw more than their cap allows do so after a step alone, beyond what is declared.
 * Of others none: the judge excuses a draw, and would look at no stall that became one. */
static void draw_shape(struct drawing *drawing, struct fault *fault)
{
    if (fault->kind != FAULT_OVERDRAW)
        return;
    double drawn = random_unit(&drawing->latest), amount = random_between(&drawing->latest, 0.01, 0.3);
    if (drawn >= 0.5)
        return;
    fault->kind = FAULT_OVERSHOOT;
    fault->amount = round(amount * 1e3) / 1e3;
}

static int draw_one(struct drawing *drawing)
{
    struct fault fault = {.kind = draw_kind(drawing), .at_ns = drawing->t_ns};
    const struct recipe *recipe = &recipes[fault.kind];
    fault.for_ns = draw_time(drawing, recipe);
    fault.amount = draw_amount(drawing, recipe);
    if (fault.kind == FAULT_HOST_RATE)
        fault.amount *= (double)drawing->model->policy.rho_ppm / 1e4;
    draw_place(drawing, &fault, chance(drawing, wide_share[drawing->level]));
    draw_direction(drawing, &fault);
    draw_shape(drawing, &fault);
    draw_manner(drawing, &fault);
    if (!premises_allow(&drawing->premises, &fault))
        return 0;
    return history_add(drawing->history, &fault);
}

static int draw_all(struct drawing *drawing)
{
    /* a long run has its faults all over, not in its first hours */
    double gaps = 0.8 * HISTORY_FAULTS_MAX * (1 - burst_share[drawing->level]);
    double spread_s = (double)drawing->end_ns / 1e9 / gaps;
    double mean_s = fmax(apart_s[drawing->level], spread_s);
    int result = 0;
    drawing->t_ns = FIRST_NS;
    while (!result) {
        if (!chance(drawing, burst_share[drawing->level])) {
            double seconds = random_exponential(&drawing->random, mean_s);
            drawing->t_ns += (int64_t)(seconds * 1e3) * NS_PER_MS;
        }
        if (drawing->t_ns >= drawing->end_ns || drawing->history->count == HISTORY_FAULTS_MAX)
            break;
        result = draw_one(drawing);
    }
    return result;
}

const char *history_level_name(enum fault_level level)
{
    static const char *const name[LEVEL_COUNT] = {"none", "some", "many", "hostile"};
    return name[level];
}

int history_draw(struct history *history, const struct model *model, enum fault_level level, uint64_t seed,
                 int64_t duration_ns)
{
    struct drawing drawing = {.history = history, .model = model, .level = level, .end_ns = duration_ns};
    *history = (struct history){0};
    if (level == LEVEL_NONE)
        return 0;
    random_init(&drawing.random, seed, RANDOM_NETWORK, 3);
    random_init(&drawing.later, seed, RANDOM_NETWORK, 4);
    random_init(&drawing.latest, seed, RANDOM_NETWORK, 5);
    random_init(&drawing.last, seed, RANDOM_NETWORK, 6);
    int result = premises_init(&drawing.premises, model);
    if (!result)
        result = draw_all(&drawing);
    premises_finish(&drawing.premises);
    if (result)
        history_finish(history);
    return result;
}
