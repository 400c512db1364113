/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bound.h"

#include "core/core.h"
#include "core/sums.h"

static uint8_t term_of(enum egress_why why)
{
    static const uint8_t term[] = {
        [WHY_CLAIM] = BOUND_CLAIM,         [WHY_SHARE] = BOUND_SHARE,      [WHY_CUT] = BOUND_SHARE,
        [WHY_GUARD_S] = BOUND_STEADY,      [WHY_GUARD_D] = BOUND_EXPOSURE, [WHY_EMERGENCY] = BOUND_EMERGENCY,
        [WHY_FAIL_SAFE] = BOUND_FAIL_SAFE, [WHY_HANDED] = BOUND_NOTHING,     [WHY_LET_GO] = BOUND_CLAIM,
        [WHY_ORDER] = BOUND_CONTRACT,      [WHY_LIMIT] = BOUND_STEADY,
    };
    return why < sizeof term ? term[why] : (uint8_t)BOUND_NOTHING;
}

/* ---- where a sum bound ---- */

static void note_sum(const struct core *core, uint32_t host, struct bound *bound)
{
    const struct ledger_host *h = &core->ledger.host[host];
    enum sum sum = bound->term == BOUND_EXPOSURE ? SUM_EXPOSED : SUM_NEWEST;
    struct sums_cell cell =
        sums_tightest(&core->ledger, host, sum, sum == SUM_EXPOSED ? h->exposed_draw_mw : h->newest_draw_mw);
    if (cell.node == INDEX_NONE)
        return;
    const struct ledger_sums *sums = &core->ledger.node[cell.node];
    uint32_t c = cell.contingency, phase = cell.phase;
    bound->node = cell.node;
    bound->contingency = cell.contingency;
    bound->phase = cell.phase;
    bound->sum_mva = sum == SUM_EXPOSED ? sums->exposed_mva[c][phase] : sums->newest_mva[c][phase];
    bound->limit_mva = sums->limit_mva[c][phase];
    if (bound->term == BOUND_STEADY && bound->limit_mva > sums->steady_mva[c][phase])
        bound->term = BOUND_CURVE;
    else if (bound->term == BOUND_STEADY && core->maintenance.withdrawn >> c & 1 &&
             core->model->node[cell.node].lend >> c & 1)
        bound->term = BOUND_MAINTENANCE;    /* more would be lent there but for the order */
}

static bool is_of_a_sum(uint8_t term)
{
    return term == BOUND_STEADY || term == BOUND_CURVE || term == BOUND_EXPOSURE;
}

/* ---- which input it was ---- */

static uint32_t shown(int64_t value)
{
    if (value < 0)
        return 0;
    return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

static void note_reading(const struct reading *reading, struct bound *bound)
{
    bound->seen_of = reading->meter;
    bound->seen_number = reading->sequence;
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        bound->seen_mw += reading->power_mw[phase];
        bound->seen_ma[phase] = shown(reading->current_ma[phase]);
    }
}

static void note_input(const struct slot *slot, struct bound *bound)
{
    bound->slot_sequence = slot->sequence;
    bound->slot_kind = slot->kind;
    bound->seen_of = INDEX_NONE;
    switch (slot->kind) {
    case SLOT_READING:
        note_reading(&slot->reading, bound);
        break;
    case SLOT_REPORT:
        bound->seen_of = slot->report.host;
        bound->seen_number = slot->report.number;
        bound->seen_mw = slot->report.draw_mw;
        break;
    case SLOT_TICK:
    case SLOT_TICK_PART:
        bound->seen_number = slot->tick.number;
        break;
    case SLOT_ORDER:
        bound->seen_of = slot->order.node;
        bound->seen_number = slot->order.number;
        bound->seen_mw = slot->order.value_mw;
        break;
    default:
        break;
    }
}

void bound_by(struct core *core, enum bound_term term, uint32_t node)
{
    if (core->held.term == BOUND_NOTHING)
        core->held = (struct bound_hold){(uint8_t)term, node};
}

/* The cap is what arbitration gave; its terms stand while no arbitration is open, and of hosts that the open
 * one has committed. */
static bool is_share(const struct core *core, uint32_t host, enum egress_why why)
{
    const struct cluster *cluster = &core->cluster;
    if (why != WHY_SHARE && why != WHY_CUT && why != WHY_RENEWAL)
        return false;
    if (cluster->target_mw[host] < 0 || cluster->target_mw[host] != core->ledger.host[host].newest_mw)
        return false;
    return cluster->phase == CLUSTER_IDLE || (cluster->phase == CLUSTER_COMMIT && host < cluster->cursor);
}

static void set_term(struct bound *bound, uint8_t term, uint32_t node)
{
    bound->term = term;
    bound->node = node;
    bound->contingency = bound->phase = 0;
    bound->sum_mva = bound->limit_mva = 0;
    bound->contract = 0;
}

/* The sums have the last word; before them whoever held the cap down; where nobody did, whatever gave the
 * host the cap that is renewed: that stands as it is. */
static void note_term(const struct core *core, uint32_t host, enum egress_why why, struct bound *bound)
{
    uint8_t term = term_of(why);
    if (is_of_a_sum(term)) {
        set_term(bound, term, INDEX_NONE);
        note_sum(core, host, bound);
    } else if (core->held.term != BOUND_NOTHING) {
        set_term(bound, core->held.term, core->held.node);
    } else if (is_share(core, host, why)) {
        set_term(bound, core->cluster.bound_term[host], core->cluster.bound_node[host]);
    } else if (why != WHY_RENEWAL) {
        set_term(bound, term, INDEX_NONE);
    }
}

/* A share does not say under which contingency: under one that is withdrawn, and under which its node would
 * lend. */
static void note_withdrawn(const struct core *core, struct bound *bound)
{
    if (bound->term != BOUND_MAINTENANCE || bound->node == INDEX_NONE || bound->limit_mva)
        return;
    uint32_t both = core->maintenance.withdrawn & core->model->node[bound->node].lend;
    bound->contingency = both ? (uint8_t)__builtin_ctz(both) : bound->contingency;
}

/* Several nodes that a contract bounds together are told by its id alone. */
static void note_contract(const struct core *core, struct bound *bound)
{
    if (bound->term != BOUND_CONTRACT || bound->node == INDEX_NONE)
        return;
    bound->contract = contract_binding(&core->contracts, bound->node);
    if (bound->node >= core->model->node_count)
        bound->node = INDEX_NONE;
}

static void note_cause(const struct core *core, enum egress_why why, struct bound *bound)
{
    bound->since_ns = core->t_ns;
    bound->rule = (uint8_t)why;
    bound->seen_number = 0;
    bound->seen_mw = 0;
    for (uint32_t phase = 0; phase < PHASES; phase++)
        bound->seen_ma[phase] = 0;
    note_input(core->slot, bound);
}

/* In place: hardly any renewal changes more than the time of it. */
void bound_note(struct core *core, uint32_t host, int64_t wanted_mw, enum egress_why why)
{
    const struct ledger_host *h = &core->ledger.host[host];
    struct bound *bound = &core->bound[host];
    const uint8_t was = bound->why, term = bound->term;
    const uint32_t node = bound->node;
    const uint32_t contract = bound->contract;
    if (core->paced.term != BOUND_NOTHING)
        bound_by(core, core->paced.term, core->paced.node);
    note_term(core, host, why, bound);
    note_contract(core, bound);
    note_withdrawn(core, bound);
    core->held = (struct bound_hold){.term = BOUND_NOTHING};
    if (bound->term == BOUND_SHARE &&
        h->newest_mw >= core->model->type[core->model->host[host].type].cap_max_mw)
        bound->term = BOUND_CEILING;
    if (!was || bound->cap_mw != h->newest_mw || bound->term != term || bound->node != node ||
        bound->contract != contract)
        note_cause(core, why, bound);
    bound->why = (uint8_t)why;
    bound->wanted_mw = wanted_mw;
    bound->cap_mw = h->newest_mw;
    bound->t_ns = core->t_ns;
    bound->echo_t_ns = h->report_t_ns;
}
