/* SPDX-License-Identifier: Apache-2.0 */
#include "core/permit.h"

#include <stddef.h>

#include "core/breaker_inside.h"
#include "core/compare.h"
#include "core/degrade.h"
#include "core/permit_inside.h"

/* ---- setup ---- */

void permit_init(struct permits *permits, const struct model *model, struct heat *heat,
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
            .lends = lends,
            .watched = lends,
            .permit = lends ? PERMIT_STALE : PERMIT_NONE,
            .until_ns = INT64_MIN,
            .wound_up_ns = INT64_MIN,
            .survives_ns = INT64_MIN / 2,
            .alone_ns = PERMIT_DOUBT_NS,
        };
        if (!lends)
            continue;
        permits->lender[permits->lender_count++] = m;
        permits->lent_against |= model->node[node].lend;
    }
    permit_feed_init(permits);
    permit_weigh_init(permits);
    for (uint32_t m = 0; m < model->meter_count; m++)
        permits->meter[m].watched = permits->meter[m].watched || permits->meter[m].witness;
    permit_stand_in_init(permits);
}

uint32_t permit_least_room(const struct model *model)
{
    uint32_t room = 0;
    for (uint32_t h = 0; h < model->host_count; h++)
        for (uint32_t j = 0; j < model->host[h].cord_count; j++)
            room += model->node[model->host[h].cord[j].node].ancestor_count;
    return room;
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

void permit_arm(struct permits *permits, uint32_t meter)
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

static bool is_hot(const struct heat_node *h, const struct breaker *breaker)
{
    for (uint32_t e = 0; e < breaker->element_count; e++)
        if (breaker->element[e].law == BREAKER_IMAGE && permit_largest_part(&h->state, e) > OPERATE_HEAT)
            return true;
    return false;
}

/* ---- permits ---- */

static void enter(struct permits *permits, struct permit_node *p, enum permit permit, int64_t t_ns)
{
    if (permit == p->permit)
        return;
    bool was_held = permit_is_held(p->permit), is_held = permit_is_held((uint8_t)permit);
    permits->stood_in += is_held && permit != PERMIT_HELD && (!was_held || p->permit == PERMIT_HELD);
    permits->stood_in_lost += was_held && !is_held && p->permit != PERMIT_HELD;
    if (was_held && !is_held) {
        p->lost = true;
        permits->lost[permit]++;
        permits->held--;
        /* the hold runs from the loss: while a meter stays lost, raises go on within the steady limit */
        hold_observe(permits->holds, permits->heat, p->node, HOLD_PERMIT, true, t_ns);
        hold_observe(permits->holds, permits->heat, p->node, HOLD_PERMIT, false, t_ns);
    }
    if (is_held && !was_held) {
        p->lost = false;
        permits->granted++;
        permits->held++;
    }
    p->permit = (uint8_t)permit;
    p->since_ns = t_ns;
}

/* A dead feed's meter has nothing to read, and says so again and again. */
bool permit_reads_nothing(const struct permit_node *p)
{
    for (uint32_t i = 0; i < 2 * PHASES; i++)
        if (p->last[i])
            return false;
    return true;
}

static enum permit without_news(const struct permit_node *p)
{
    if (!p->repeats)
        return PERMIT_STALE;
    return permit_reads_nothing(p) ? PERMIT_DEAD : PERMIT_FROZEN;
}

static enum permit judge(const struct permits *permits, const struct permit_node *p, int64_t t_ns)
{
    const struct model_node *node = &permits->model->node[p->node];
    const struct heat_node *h = &permits->heat->meter[node->meter];
    bool is_lost = t_ns > p->until_ns;
    enum permit held = is_lost ? permit_stands_in(permits, node->meter, t_ns) : PERMIT_HELD;
    if (held == PERMIT_NONE)
        return without_news(p);
    if (!h->started || is_hot(h, &node->breaker))
        return PERMIT_HOT;
    if (p->outgrown)
        return PERMIT_OUTGROWN;
    if (!is_lost && (p->low_ns >= PERMIT_DOUBT_NS || (p->low_ns && p->permit == PERMIT_IMPLAUSIBLE)))
        return PERMIT_IMPLAUSIBLE;
    if (!is_lost && p->alone_ns >= PERMIT_DOUBT_NS)
        return PERMIT_ALONE;
    if (p->lost && (hold_runs(permits->holds, p->node, t_ns) || !heat_cooled(permits->heat, node->meter)))
        return PERMIT_HOLD;
    return held;
}

/* Contingencies that this node lends under now: reserves only as long as no loss is there to see. */
static uint8_t lent_under(const struct permits *permits, const struct permit_node *p, int64_t t_ns)
{
    uint8_t lend = permits->model->node[p->node].lend;
    bool survives = t_ns - p->survives_ns < permits->model->policy.feed_stable_ns || t_ns == p->survives_ns;
    return (uint8_t)(lend & permits->feeds & (survives ? 1 : 0xFF));
}

void permit_follow(struct permits *permits, uint32_t meter, int64_t t_ns)
{
    struct permit_node *p = &permits->meter[meter];
    const struct heat_node *h = &permits->heat->meter[meter];
    enum permit permit = judge(permits, p, t_ns);
    uint8_t under = permit_is_held((uint8_t)permit) ? lent_under(permits, p, t_ns) : 0;
    enter(permits, p, permit, t_ns);
    if ((under || t_ns <= p->wound_up_ns) && !permit_still_holds(permits, p, h, t_ns))
        permit_work_out(permits, p, h, t_ns);
    if (p->awaited && permits->awaiting)
        permit_await(permits, p, under, t_ns);
    else
        lend(permits, p, under, t_ns);
}

void permit_pass_time(struct permits *permits, int64_t t_ns)
{
    if (permits->awaiting && t_ns > permits->await_until_ns)
        permit_end_waiting(permits, t_ns);
    while (permits->expiry_count && permits->expiry[0].due_ns < t_ns) {
        uint32_t meter = permits->expiry[0].meter;
        if (permits->meter[meter].until_ns >= t_ns) {
            permits->expiry[0].due_ns = permits->meter[meter].until_ns;
            sift_down(permits, 0);
            continue;
        }
        disarm_first(permits);
        permit_weigh_silent(permits, meter);
        if (permits->meter[meter].witness)
            permit_feed_unseen(permits, &permits->meter[meter], t_ns);
        if (permits->meter[meter].lends && !permits->meter[meter].awaited)
            permit_stand_in_begin(permits, meter, t_ns);
        permit_stand_in_lapse(permits, meter, t_ns);
        if (permits->meter[meter].lends)
            permit_follow(permits, meter, t_ns);
    }
    if (permits->lent_against & (uint8_t)~permits->feeds)
        permit_feed_pass_time(permits, t_ns);
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

bool permit_repeats(const struct permits *permits, const struct reading *reading)
{
    const struct permit_node *p = &permits->meter[reading->meter];
    int64_t other = 0;
    if (!p->watched || p->until_ns == INT64_MIN)
        return false;
    for (uint32_t phase = 0; phase < PHASES; phase++)
        other |= (p->last[phase] ^ reading->voltage_mv[phase]) |
                 (p->last[PHASES + phase] ^ reading->current_ma[phase]);
    return !other && !permit_reads_nothing(p);
}

/* As if the meter were silent, but for what speaks against lending: a dead feed, a crest, more than no loss
 * explains. It renews no permit and gives none, is no news, vouches for nobody and clears no doubt. */
static void take_unsure(struct permits *permits, struct permit_node *p, const struct reading *reading,
                        int64_t t_ns)
{
    const struct model_node *node = &permits->model->node[p->node];
    if (p->witness)
        permit_feed_reading(permits, p, reading, t_ns);
    if (!p->lends)
        return;
    permit_note_crest(node, p, reading, t_ns);
    if (node->lend & ~1 && permit_reads_a_loss(permits, p, reading))
        p->survives_ns = t_ns;
    if (permit_is_held(p->permit) && !p->awaited)
        permit_follow(permits, reading->meter, t_ns);
}

void permit_reading(struct permits *permits, const struct slot *slot, int64_t t_ns)
{
    const struct reading *reading = &slot->reading;
    const struct model_meter *meter = &permits->model->meter[reading->meter];
    struct permit_node *p = &permits->meter[reading->meter];
    if (!p->watched)
        return;
    if (reading->flags & READING_UNSURE) {
        take_unsure(permits, p, reading, t_ns);
        return;
    }
    if (reading->flags & READING_FILTERED)
        permits->stand_in[reading->meter].filtered = true;
    p->repeats = !is_news(p, reading);
    if (!p->repeats) {
        int64_t began_ns = smaller(slot->t_receive_ns, t_ns) - reading->age_ns - meter->period_ns;
        p->until_ns = larger(p->until_ns, began_ns + meter->fresh_ns);
    }
    if (!p->armed && p->until_ns >= t_ns) {
        permit_arm(permits, reading->meter);
        if (permits->lost_meters)
            permit_stand_in_end(permits, reading->meter);
    }
    permit_weigh_reading(permits, reading->meter, reading, t_ns);
    if (p->witness)
        permit_feed_reading(permits, p, reading, t_ns);
    if (p->lends) {
        permit_note_crest(&permits->model->node[p->node], p, reading, t_ns);
        if (permits->model->node[p->node].lend & ~1 && permit_reads_a_loss(permits, p, reading))
            p->survives_ns = t_ns;
        permit_follow(permits, reading->meter, t_ns);
    }
    if (permits->lost_meters)
        permit_stand_in_reading(permits, reading, t_ns);
}

void permit_report(struct permits *permits, const struct report *report, int64_t t_ns)
{
    if (!permits->lender_count && !permits->losses)
        return;
    permit_weigh_draw(permits, report->host, larger(report->draw_mw, 0));
    if (permits->losses)
        permit_feed_report(permits, report, t_ns);
}

void permit_look(struct permits *permits, int64_t t_ns, uint32_t items)
{
    uint32_t count = permits->lender_count || permits->losses ? permits->model->host_count : 0;
    for (uint32_t i = 0; i < items && i < count; i++) {
        uint32_t host = permits->looked_at = permits->looked_at + 1 < count ? permits->looked_at + 1 : 0;
        if (permits->draw_mw[host] < 0 ||
            t_ns - permits->ledger->host[host].report_t_ns <= permits->model->policy.lease_ns)
            continue;
        permit_weigh_draw(permits, host, -1);
        permit_feed_silent(permits, host, t_ns);
    }
}

void permit_outgrown(struct permits *permits, uint32_t node, bool outgrown, int64_t t_ns)
{
    uint32_t meter = permits->model->node[node].meter;
    if (meter == INDEX_NONE || permits->meter[meter].node != node)
        return;
    permits->meter[meter].outgrown = outgrown;
    if (permits->meter[meter].lends)
        permit_follow(permits, meter, t_ns);
}

uint8_t permit_meter(const struct permits *permits, uint32_t meter, int64_t t_ns)
{
    const struct permit_node *p = &permits->meter[meter];
    bool repeats = p->watched && p->repeats && t_ns > p->until_ns && !permit_reads_nothing(p);
    return (uint8_t)((repeats ? METER_IS_FROZEN : 0) |
                     (p->permit == PERMIT_IMPLAUSIBLE ? METER_IS_IMPLAUSIBLE : 0));
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
    if (!p)
        return PERMIT_NONE;
    if (p->permit == PERMIT_HELD && p->lent.contingencies != permits->model->node[node].lend)
        return PERMIT_FEED;
    return (enum permit)p->permit;
}

int64_t permit_trigger_ma(const struct permits *permits, uint32_t node, int64_t t_ns)
{
    const struct permit_node *p = own_meter(permits, node);
    int64_t steady_ma = permits->model->node[node].steady_ma;
    return p && t_ns <= p->wound_up_ns ? larger(steady_ma, p->admissible_ma) : steady_ma;
}
