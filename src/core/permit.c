/* SPDX-License-Identifier: Apache-2.0 */
#include "core/permit.h"

#include <stddef.h>

#include "core/breaker_inside.h"

enum {
    RESPOND_MILLI = 700,        /* T_resp / 0.7 */
    PAD_SHIFT = 9,              /* horizons are worked out for so much more heat: 1 / 512 */
    PAD_CREST_PERCENT = 2,
    LEND_TIMES = 20,            /* of the steady limit at most, where no element binds */
    AGAIN_PERIODS = 10,         /* horizons that heat has not passed are kept for so long */
};

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- setup ---- */

void permit_init(struct permits *permits, const struct model *model, const struct heat *heat,
                 struct ledger *ledger, struct holds *holds)
{
    permits->model = model;
    permits->heat = heat;
    permits->ledger = ledger;
    permits->holds = holds;
    for (uint32_t m = 0; m < model->meter_count; m++) {
        uint32_t node = model->meter[m].node;
        bool lends = model->node[node].lend && model->node[node].meter == m && heat->meter[m].known &&
                     heat->meter[m].window_ns;
        permits->meter[m] = (struct permit_node){
            .node = node,
            .watched = lends,
            .permit = lends ? PERMIT_STALE : PERMIT_NONE,
            .until_ns = INT64_MIN,
            .wound_up_ns = INT64_MIN,
        };
    }
}

/* ---- the order of expiry: a heap whose keys may be too early, never too late ---- */

static void sift_down(struct permits *permits, uint32_t at)
{
    struct permit_expiry *heap = permits->expiry, moved = heap[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= permits->expiry_count)
            break;
        child += child + 1 < permits->expiry_count && heap[child + 1].due_ns < heap[child].due_ns;
        if (heap[child].due_ns >= moved.due_ns)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
}

static void arm(struct permits *permits, uint32_t meter)
{
    struct permit_expiry *heap = permits->expiry;
    uint32_t at = permits->expiry_count++;
    int64_t due_ns = permits->meter[meter].until_ns;
    permits->meter[meter].armed = true;
    for (; at && heap[(at - 1) / 2].due_ns > due_ns; at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = (struct permit_expiry){due_ns, meter};
}

static void disarm_first(struct permits *permits)
{
    permits->meter[permits->expiry[0].meter].armed = false;
    permits->expiry[0] = permits->expiry[--permits->expiry_count];
    if (permits->expiry_count)
        sift_down(permits, 0);
}

/* ---- what may be lent ---- */

static void lend(struct permits *permits, struct permit_node *p, uint8_t contingencies, int64_t t_ns)
{
    struct ledger_lend now = {.contingencies = (uint8_t)(contingencies & ~permits->withdrawn)};
    if (now.contingencies) {
        now.lendable_ma = p->lendable_ma;
        now.admissible_ma = p->admissible_ma;
    }
    bool same = now.contingencies == p->lent.contingencies && now.lendable_ma == p->lent.lendable_ma &&
                now.admissible_ma == p->lent.admissible_ma;
    if (p->lent.contingencies)
        p->wound_up_ns = t_ns + permits->heat->meter[permits->model->node[p->node].meter].respond_ns;
    if (same)
        return;
    p->lent = now;
    ledger_lend(permits->ledger, p->node, &now);
}

void permit_withdraw(struct permits *permits, uint32_t contingencies, int64_t t_ns)
{
    permits->withdrawn = contingencies;
    for (uint32_t m = 0; m < permits->model->meter_count; m++)
        if (permits->meter[m].lent.contingencies & contingencies)
            lend(permits, &permits->meter[m], permits->meter[m].lent.contingencies, t_ns);
}

static int64_t largest_part(const struct breaker_state *state, uint32_t element)
{
    return larger(state->part[element][0], larger(state->part[element][1], state->part[element][2]));
}

static void pad(struct breaker_state *padded, const struct breaker_state *state,
                const struct breaker *breaker, int64_t by)
{
    for (uint32_t e = 0; e < breaker->element_count; e++)
        for (uint32_t phase = 0; phase < PHASES; phase++)
            padded->part[e][phase] = state->part[e][phase] ? state->part[e][phase] + by : 0;
}

/* Both horizons, from a little more heat than there is, so that they stand for a while: for what is lent
 * twice as much, since it is held against the other later. What is drawn is seen as up to (1 + error) of
 * it and enlarged by as much again. A reading may be lost and its time still be open: it is part of the
 * horizon. */
static void work_out(struct permits *permits, struct permit_node *p, const struct heat_node *h, int64_t t_ns)
{
    const struct model_node *node = &permits->model->node[p->node];
    const struct breaker_curve *curves = permits->model->curve;
    struct breaker_state padded;
    uint32_t element;
    int64_t seen_ppm = PPM + permits->model->meter[node->meter].error_ppm;
    int64_t hold_ns = h->respond_ns * 1000 / RESPOND_MILLI + 1 + h->hold_ns,
            most_ma = node->steady_ma * LEND_TIMES;
    p->crest_milli = (int32_t)(breaker_crest(h->newest.crest_milli) * (100 + PAD_CREST_PERCENT) / 100);
    pad(&padded, &h->state, &node->breaker, HEAT_ONE >> PAD_SHIFT);
    for (uint32_t e = 0; e < node->breaker.element_count; e++)
        p->part[e] = largest_part(&padded, e);
    p->admissible_ma = smaller(most_ma, breaker_admissible_ma(&padded, &node->breaker, curves, hold_ns,
                                                              p->crest_milli, &element));
    pad(&padded, &h->state, &node->breaker, HEAT_ONE >> (PAD_SHIFT - 1));
    p->lendable_ma =
        smaller(most_ma, breaker_admissible_ma(&padded, &node->breaker, curves, hold_ns + h->respond_ns,
                                               p->crest_milli, &element));
    p->lendable_ma = p->lendable_ma * PPM / seen_ppm * PPM / seen_ppm;
    p->worked_out_ns = t_ns;
}

static bool still_holds(const struct permits *permits, const struct permit_node *p, const struct heat_node *h,
                        int64_t t_ns)
{
    const struct model_node *node = &permits->model->node[p->node];
    uint32_t meter = node->meter;
    if (!p->lendable_ma || (int32_t)breaker_crest(h->newest.crest_milli) > p->crest_milli ||
        t_ns - p->worked_out_ns > AGAIN_PERIODS * permits->model->meter[meter].period_ns)
        return false;
    for (uint32_t e = 0; e < node->breaker.element_count; e++)
        if (largest_part(&h->state, e) > p->part[e])
            return false;
    return true;
}

static bool is_hot(const struct heat_node *h, const struct breaker *breaker)
{
    for (uint32_t e = 0; e < breaker->element_count; e++)
        if (breaker->element[e].law == BREAKER_IMAGE && largest_part(&h->state, e) > OPERATE_HEAT)
            return true;
    return false;
}

/* ---- permits ---- */

static void enter(struct permits *permits, struct permit_node *p, enum permit permit, int64_t t_ns)
{
    if (permit == p->permit)
        return;
    if (p->permit == PERMIT_HELD) {
        p->lost = true;
        permits->lost[permit]++;
        permits->held--;
    }
    if (permit == PERMIT_HELD) {
        p->lost = false;
        permits->granted++;
        permits->held++;
    }
    p->permit = (uint8_t)permit;
    p->since_ns = t_ns;
    hold_observe(permits->holds, permits->heat, p->node, HOLD_PERMIT, p->lost && permit != PERMIT_HOLD, t_ns);
}

static enum permit judge(const struct permits *permits, const struct permit_node *p, int64_t t_ns)
{
    const struct model_node *node = &permits->model->node[p->node];
    const struct heat_node *h = &permits->heat->meter[node->meter];
    if (t_ns > p->until_ns)
        return p->repeats ? PERMIT_FROZEN : PERMIT_STALE;
    if (!h->started || is_hot(h, &node->breaker))
        return PERMIT_HOT;
    if (p->lost && (hold_runs(permits->holds, p->node, t_ns) || !heat_cooled(permits->heat, node->meter)))
        return PERMIT_HOLD;
    return PERMIT_HELD;
}

static void follow(struct permits *permits, uint32_t meter, int64_t t_ns)
{
    struct permit_node *p = &permits->meter[meter];
    const struct heat_node *h = &permits->heat->meter[meter];
    enter(permits, p, judge(permits, p, t_ns), t_ns);
    bool held = p->permit == PERMIT_HELD;
    if ((held || t_ns <= p->wound_up_ns) && !still_holds(permits, p, h, t_ns))
        work_out(permits, p, h, t_ns);
    lend(permits, p, held ? permits->model->node[p->node].lend : 0, t_ns);
}

void permit_pass_time(struct permits *permits, int64_t t_ns)
{
    while (permits->expiry_count && permits->expiry[0].due_ns < t_ns) {
        uint32_t meter = permits->expiry[0].meter;
        if (permits->meter[meter].until_ns >= t_ns) {
            permits->expiry[0].due_ns = permits->meter[meter].until_ns;
            sift_down(permits, 0);
            continue;
        }
        disarm_first(permits);
        follow(permits, meter, t_ns);
    }
}

/* A meter that works never reads the same volts and amperes of all phases twice, to the millivolt and
 * milliampere: its own noise and the load's are some thousand times that. So the same again is no news, and a
 * frozen meter's permit lapses as a silent one's does. */
static bool is_news(struct permit_node *p, const struct reading *reading)
{
    bool news = false;
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        news |= p->last[phase] != reading->voltage_mv[phase];
        news |= p->last[PHASES + phase] != reading->current_ma[phase];
        p->last[phase] = reading->voltage_mv[phase];
        p->last[PHASES + phase] = reading->current_ma[phase];
    }
    return news || p->until_ns == INT64_MIN;
}

void permit_reading(struct permits *permits, const struct slot *slot, int64_t t_ns)
{
    const struct reading *reading = &slot->reading;
    const struct model_meter *meter = &permits->model->meter[reading->meter];
    struct permit_node *p = &permits->meter[reading->meter];
    if (!p->watched)
        return;
    p->repeats = !is_news(p, reading);
    if (!p->repeats) {
        int64_t began_ns = smaller(slot->t_receive_ns, t_ns) - reading->age_ns - meter->period_ns;
        p->until_ns = larger(p->until_ns, began_ns + meter->fresh_ns);
    }
    if (!p->armed && p->until_ns >= t_ns)
        arm(permits, reading->meter);
    follow(permits, reading->meter, t_ns);
}

/* ---- asked by others ---- */

static const struct permit_node *own_meter(const struct permits *permits, uint32_t node)
{
    uint32_t meter = permits->model->node[node].meter;
    return meter == INDEX_NONE || permits->meter[meter].node != node ? NULL : &permits->meter[meter];
}

int64_t permit_since_ns(const struct permits *permits, uint32_t node)
{
    const struct permit_node *p = own_meter(permits, node);
    return p ? p->since_ns : 0;
}

enum permit permit_of(const struct permits *permits, uint32_t node)
{
    const struct permit_node *p = own_meter(permits, node);
    return p ? (enum permit)p->permit : PERMIT_NONE;
}

int64_t permit_trigger_ma(const struct permits *permits, uint32_t node, int64_t t_ns)
{
    const struct permit_node *p = own_meter(permits, node);
    int64_t steady_ma = permits->model->node[node].steady_ma;
    return p && t_ns <= p->wound_up_ns ? larger(steady_ma, p->admissible_ma) : steady_ma;
}
