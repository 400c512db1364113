/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bound.h"

#include "core/core.h"
#include "core/sums.h"

static uint8_t term_of(enum egress_why why)
{
    static const uint8_t term[] = {
        [WHY_CLAIM] = BOUND_CLAIM,         [WHY_SHARE] = BOUND_SHARE,      [WHY_CUT] = BOUND_SHARE,
        [WHY_GUARD_S] = BOUND_STEADY,      [WHY_GUARD_D] = BOUND_EXPOSURE, [WHY_EMERGENCY] = BOUND_EMERGENCY,
        [WHY_FAIL_SAFE] = BOUND_FAIL_SAFE, [WHY_HANDED] = BOUND_NOTHING,
        [WHY_ORDER] = BOUND_CONTRACT,
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
    if (bound->term == BOUND_STEADY && bound->limit_mva > core->model->node[cell.node].limit_mva[c][phase])
        bound->term = BOUND_CURVE;
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

void bound_note(struct core *core, uint32_t host, int64_t wanted_mw, enum egress_why why)
{
    struct bound *bound = &core->bound[host];
    *bound = (struct bound){
        .term = term_of(why),
        .why = (uint8_t)why,
        .node = INDEX_NONE,
        .wanted_mw = wanted_mw,
        .t_ns = core->t_ns,
        .echo_t_ns = core->ledger.host[host].report_t_ns,
    };
    note_input(core->slot, bound);
    if (bound->term == BOUND_STEADY || bound->term == BOUND_EXPOSURE)
        note_sum(core, host, bound);
}
