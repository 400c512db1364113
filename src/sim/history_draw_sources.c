/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What befalls sources, by dice. A premise that no level breaks: whoever hangs on a transfer switch is never
 * without power, for a battery that the workload describes bridges every outage (all boot at once else, and
 * no k of a site covers that). And one trouble of power at a time.
 */
#include <errno.h>
#include <math.h>

#include "sim/history.h"
#include "sim/random.h"
#include "sim/workload.h"

#define FIRST_NS (20 * NS_PER_S)
#define SETTLE_NS (5 * NS_PER_S)

enum trouble { OUTAGE, HAND, ON_BYPASS, TROUBLES };

/* mean time between troubles; share that is made worse: late starts, old batteries, no start */
static const double apart_s[LEVEL_COUNT] = {INFINITY, 900, 480, 240};
static const double worse_share[LEVEL_COUNT] = {0, 0.1, 0.4, 0.7};

struct drawing {
    struct history *history;
    const struct model *model;
    const struct workload *workload;
    enum fault_level level;
    struct random random;
    int64_t t_ns, end_ns, until_ns;     /* until: of the trouble before this one */
    double spent;                       /* share of a battery that is not filled again */
};

/* The trouble in hand. */
struct blow {
    const struct workload_source *source;       /* the switch, or the UPS on its bypass */
    double for_s, late_s, lost;
    bool no_start;
};

static double between(struct drawing *drawing, double low, double high)
{
    return random_between(&drawing->random, low, high);
}

static bool chance(struct drawing *drawing, double share)
{
    return random_unit(&drawing->random) < share;
}

/* The shorter the more often; whole milliseconds, for people read them. */
static double draw_length_s(struct drawing *drawing, double shortest_s, double longest_s)
{
    return ceil(exp(between(drawing, log(shortest_s), log(longest_s))) * 1e3) / 1e3;
}

static const struct workload_source *pick_source(struct drawing *drawing, enum workload_source_kind kind)
{
    const struct workload *workload = drawing->workload;
    const struct workload_source *of_kind[SOURCES_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < workload->source_count; i++) {
        if (workload->source[i].kinds & kind)
            of_kind[count++] = &workload->source[i];
    }
    double drawn = random_unit(&drawing->random);
    return count ? of_kind[(uint32_t)(drawn * count)] : NULL;
}

static const struct workload_source *described(const struct drawing *drawing, uint32_t node,
                                               enum workload_source_kind kind)
{
    for (uint32_t i = 0; i < drawing->workload->source_count; i++) {
        const struct workload_source *source = &drawing->workload->source[i];
        if (source->node == node && source->kinds & kind)
            return source;
    }
    return NULL;
}

/* ---- do batteries last? ---- */

/* The UPS between a cord and the switch, or NULL. */
static const struct workload_source *ups_above(const struct drawing *drawing, uint32_t cord_node,
                                               uint32_t below)
{
    const struct model_node *node = &drawing->model->node[cord_node];
    for (uint32_t a = 0; a < node->ancestor_count; a++) {
        const struct workload_source *ups = described(drawing, node->ancestor[a], SOURCE_UPS);
        if (ups && model_lies_below(drawing->model, ups->node, below))
            return ups;
    }
    return NULL;
}

/* What of a battery the blow takes and what is left before: the rectifier walks in twice, there and back, and
 * half of the load comes from the battery meanwhile. */
static bool lasts(const struct drawing *drawing, const struct workload_source *ups, const struct blow *blow,
                  double bridged_s)
{
    double battery_s = (double)ups->battery_ns / 1e9, walk_s = (double)ups->walk_in_ns / 1e9;
    double need_s = bridged_s + walk_s + 2 * (double)blow->source->break_ns / 1e9 + 1;
    return need_s <= battery_s * (1 - blow->lost - drawing->spent);
}

/* Every cord below the switch: loads of one that went dark would move to another, and that is a loss of its
 * own, to be declared. */
static bool is_bridged(const struct drawing *drawing, const struct blow *blow, double bridged_s, double *most)
{
    const struct model *model = drawing->model;
    uint32_t below = blow->source->node;
    for (uint32_t h = 0; h < model->host_count; h++) {
        for (uint32_t c = 0; c < model->host[h].cord_count; c++) {
            uint32_t node = model->host[h].cord[c].node;
            if (!model_lies_below(model, node, below))
                continue;
            const struct workload_source *ups = ups_above(drawing, node, below);
            if (!ups || !lasts(drawing, ups, blow, bridged_s))
                return false;
            double walk_s = (double)ups->walk_in_ns / 1e9;
            *most = fmax(*most, (bridged_s + walk_s + 2) / ((double)ups->battery_ns / 1e9));
        }
    }
    return true;
}

/* Until a generator carries, or the utility is back; what may fail to start by dice is not counted on. */
static double bridged_s(const struct drawing *drawing, const struct blow *blow)
{
    const struct model_node *node = &drawing->model->node[blow->source->node];
    double start_s = blow->for_s;
    for (uint32_t i = 1; i < node->parent_count && !blow->no_start; i++) {
        const struct workload_source *generator = described(drawing, node->parent[i], SOURCE_GENERATOR);
        if (!generator || generator->fails > 0)
            continue;
        start_s = fmin(start_s, (double)(generator->start_ns + generator->spread_ns) / 1e9 + blow->late_s);
    }
    return start_s;
}

/* ---- one trouble of power at a time ---- */

static bool is_of_power(const struct fault *fault)
{
    return fault_scope(fault->kind) == FAULT_POWER && fault->kind != FAULT_OTHER;
}

/* What was drawn before gives way: sags come so often at the higher levels that nothing else would find
 * room. */
static void make_room(struct drawing *drawing, int64_t from_ns, int64_t to_ns)
{
    struct history *history = drawing->history;
    int64_t rest_ns = SETTLE_NS + drawing->model->policy.feed_stable_ns;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < history->count; i++) {
        const struct fault *fault = &history->fault[i];
        bool touches = fault->at_ns < to_ns + rest_ns && from_ns < fault->at_ns + fault->for_ns + rest_ns;
        if (!is_of_power(fault) || !touches)
            history->fault[kept++] = *fault;
    }
    history->count = kept;
}

/* ---- one trouble ---- */

static int put(struct drawing *drawing, enum fault_kind kind, uint32_t place, double amount, int64_t for_ns)
{
    struct fault fault = {.kind = kind, .place = place, .amount = amount, .at_ns = drawing->t_ns,
                          .for_ns = for_ns};
    return drawing->history->count < HISTORY_FAULTS_MAX ? history_add(drawing->history, &fault) : 0;
}

/* Back at the first input, walked in, and everybody has noticed. */
static int64_t calm_ns(const struct blow *blow)
{
    return llround(blow->for_s * 1e9) + blow->source->retransfer_ns + 2 * blow->source->break_ns + SETTLE_NS +
           30 * NS_PER_S;
}

static uint32_t generator_of(const struct drawing *drawing, const struct workload_source *at)
{
    const struct model_node *node = &drawing->model->node[at->node];
    for (uint32_t i = 1; i < node->parent_count; i++) {
        if (described(drawing, node->parent[i], SOURCE_GENERATOR))
            return node->parent[i];
    }
    return INDEX_NONE;
}

/* What makes it worse stands before the outage begins, and until all is over. */
static int put_outage(struct drawing *drawing, const struct blow *blow, int64_t calm)
{
    const struct model_node *node = &drawing->model->node[blow->source->node];
    uint32_t generator = generator_of(drawing, blow->source);
    int result = 0;
    if (blow->no_start && generator != INDEX_NONE)
        result = put(drawing, FAULT_NO_START, generator, 0, calm);
    if (!result && blow->late_s > 0 && generator != INDEX_NONE)
        result = put(drawing, FAULT_LATE_START, generator, blow->late_s, calm);
    for (uint32_t i = 0; !result && blow->lost > 0 && i < drawing->workload->source_count; i++) {
        const struct workload_source *source = &drawing->workload->source[i];
        if (source->kinds & SOURCE_UPS && model_lies_below(drawing->model, source->node, blow->source->node))
            result = put(drawing, FAULT_BATTERY, source->node, blow->lost, calm);
    }
    return result ? result
                  : put(drawing, FAULT_DARK, node->parent[0], 0, llround(blow->for_s * 1e9));
}

static void draw_outage(struct drawing *drawing, struct blow *blow)
{
    double share = worse_share[drawing->level];
    blow->for_s = draw_length_s(drawing, 0.02, 240);
    bool late = chance(drawing, share), old = chance(drawing, share), never = chance(drawing, share / 3);
    double late_s = round(between(drawing, 0, 60)), lost = round(between(drawing, 0, 0.6) * 100) / 100;
    blow->late_s = late && !never ? late_s : 0;
    blow->lost = old ? lost : 0;
    blow->no_start = never;
}

static int strike_switch(struct drawing *drawing, struct blow *blow, enum trouble trouble)
{
    double most = 0;
    if (trouble == OUTAGE)
        draw_outage(drawing, blow);
    else
        blow->for_s = draw_length_s(drawing, 1, 120);
    int64_t calm = calm_ns(blow);
    if (!is_bridged(drawing, blow, trouble == OUTAGE ? bridged_s(drawing, blow) : 0, &most))
        return 0;
    make_room(drawing, drawing->t_ns, drawing->t_ns + calm);
    drawing->spent += most;
    drawing->until_ns = drawing->t_ns + calm + SETTLE_NS + drawing->model->policy.feed_stable_ns;
    if (trouble == HAND)
        return put(drawing, FAULT_TRANSFER, blow->source->node, 0, llround(blow->for_s * 1e9));
    return put_outage(drawing, blow, calm);
}

static int bypass(struct drawing *drawing, struct blow *blow)
{
    blow->for_s = draw_length_s(drawing, 1, 120);
    int64_t calm = calm_ns(blow);
    make_room(drawing, drawing->t_ns, drawing->t_ns + calm);
    drawing->until_ns = drawing->t_ns + calm + SETTLE_NS + drawing->model->policy.feed_stable_ns;
    return put(drawing, FAULT_BYPASS, blow->source->node, 0, llround(blow->for_s * 1e9));
}

static int strike(struct drawing *drawing)
{
    double drawn = random_unit(&drawing->random);
    enum trouble trouble = drawn < 0.6 ? OUTAGE : drawn < 0.85 ? HAND : ON_BYPASS;
    struct blow blow = {
        .source = pick_source(drawing, trouble == ON_BYPASS ? SOURCE_UPS : SOURCE_SWITCH)};
    if (!blow.source || drawing->t_ns < drawing->until_ns)
        return 0;
    return trouble == ON_BYPASS ? bypass(drawing, &blow) : strike_switch(drawing, &blow, trouble);
}

/* As fast as the slowest battery is filled. */
static void recover(struct drawing *drawing, double seconds)
{
    double longest_s = 1;
    for (uint32_t i = 0; i < drawing->workload->source_count; i++) {
        if (drawing->workload->source[i].kinds & SOURCE_UPS)
            longest_s = fmax(longest_s, (double)drawing->workload->source[i].recharge_ns / 1e9);
    }
    drawing->spent = fmax(drawing->spent - seconds / longest_s, 0);
}

int history_draw_sources(struct history *history, const struct model *model, const struct workload *workload,
                         enum fault_level level, int64_t duration_ns)
{
    struct drawing drawing = {.history = history, .model = model, .workload = workload, .level = level,
                              .t_ns = FIRST_NS, .end_ns = duration_ns};
    int result = 0;
    random_init(&drawing.random, workload->seed, RANDOM_SOURCE, UINT64_C(1) << 32);
    while (workload->source_count && level != LEVEL_NONE && !result) {
        double seconds = random_exponential(&drawing.random, apart_s[level]);
        /* no battery is filled while it bridges: what follows a trouble counts from its end */
        int64_t next_ns = drawing.t_ns + (int64_t)(seconds * 1e3) * NS_PER_MS;
        int64_t from_ns = drawing.t_ns > drawing.until_ns ? drawing.t_ns : drawing.until_ns;
        if (next_ns > from_ns)
            recover(&drawing, (double)(next_ns - from_ns) / 1e9);
        drawing.t_ns = next_ns;
        if (drawing.t_ns >= duration_ns)
            break;
        result = strike(&drawing);
    }
    return result;
}
