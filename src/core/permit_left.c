/* SPDX-License-Identifier: Apache-2.0 */
/* What other meters leave for the load of a node whose own is lost: core/permit_stand_in.c has the rules. */
#include "core/compare.h"
#include "core/permit_left.h"

#define NEVER_NS INT64_MAX
enum { GAP_PERCENT = 150 };

static int64_t part_up(int64_t value, int64_t ppm)
{
    return value / PPM * ppm + (value % PPM * ppm + PPM - 1) / PPM;
}

/* A reading may be 1 - e of what is true: e / (1 - e) of it is missing then, up. */
static int64_t short_ppm(int64_t error_ppm)
{
    int64_t least_ppm = PPM - error_ppm;
    return (error_ppm * PPM + least_ppm - 1) / least_ppm;
}

int64_t permit_left_error_ppm(int64_t error_ppm)
{
    int64_t square = (PPM - error_ppm) * (PPM - error_ppm);
    return (error_ppm * (2 * PPM - error_ppm) * PPM + square - 1) / square;
}

/* ---- what a meter read in the last moments ---- */

static void begin_span(struct permit_stand_in *s, int64_t t_ns)
{
    s->span_began_ns = t_ns;
    s->whole[0] = true;
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        s->low_mw[0][phase] = INT64_MAX;
        s->high_ma[0][phase] = 0;
    }
}

static void end_span(struct permit_stand_in *s, int64_t t_ns)
{
    s->whole[1] = s->whole[0];
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        s->low_mw[1][phase] = s->low_mw[0][phase];
        s->high_ma[1][phase] = s->high_ma[0][phase];
    }
    begin_span(s, t_ns);
}

void permit_left_forget(struct permit_stand_in *s, int64_t t_ns)
{
    s->known_ns = NEVER_NS;
    begin_span(s, t_ns);
    end_span(s, t_ns);
}

bool permit_left_has_gap(const struct model_meter *meter, int64_t before_ns, int64_t stamp_ns)
{
    return stamp_ns <= before_ns || stamp_ns - before_ns > meter->period_ns * GAP_PERCENT / 100;
}

void permit_left_note(struct permit_stand_in *s, const struct model_meter *meter,
                      const struct reading *reading, int64_t t_ns)
{
    int64_t error_ppm = permit_left_error_ppm(meter->error_ppm), more_ppm = short_ppm(meter->error_ppm);
    bool gap = permit_left_has_gap(meter, s->stamp_ns, reading->t_meter_ns);
    if (s->known_ns == NEVER_NS) {
        s->known_ns = t_ns;
        gap = false;
    }
    if (t_ns - s->span_began_ns >= s->span_ns)
        end_span(s, t_ns);
    s->whole[0] &= !gap;
    s->stamp_ns = reading->t_meter_ns;
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        int64_t current_ma = larger(reading->current_ma[phase], 0);
        int64_t apparent_mw = current_ma * reading->voltage_mv[phase] / 1000 + 1;
        int64_t low_mw = reading->power_mw[phase] - part_up(apparent_mw, error_ppm);
        s->now_mw[phase] = low_mw;
        s->low_mw[0][phase] = smaller(s->low_mw[0][phase], low_mw);
        s->high_ma[0][phase] = larger(s->high_ma[0][phase], current_ma + part_up(current_ma, more_ppm));
    }
}

static bool is_whole(const struct permits *permits, uint32_t meter, int64_t t_ns)
{
    const struct permit_stand_in *s = &permits->stand_in[meter];
    return s->whole[0] && s->whole[1] && s->known_ns <= t_ns - s->span_ns;
}

/* ---- by how much ---- */

/* Of the node's own nothing is known: as far below what is measured as the lowest credible is below
 * nominal. */
int64_t permit_left_volts_mv(const struct model_node *node, const struct reading *reading)
{
    int64_t low_mv = node->volts_ln_mv;
    for (uint32_t phase = 0; phase < node->phases; phase++)
        low_mv = smaller(low_mv, reading->voltage_mv[phase]);
    return low_mv < node->volts_ln_mv / 2 ? 0 : node->volts_low_mv * low_mv / node->volts_ln_mv;
}

/* What no lease governs there, and what events have raised that to; the one phase of a node may be any. */
static int64_t other_ma(const struct permits *permits, uint32_t n, uint32_t phase, int64_t volts_mv)
{
    const struct model_node *node = &permits->model->node[n];
    const struct ledger_sums *sums = &permits->ledger->node[n];
    int64_t most_mva = node->other_mva[phase] + sums->raised_mva[phase];
    for (uint32_t other = 0; node->phases == 1 && other < PHASES; other++)
        most_mva = larger(most_mva, node->other_mva[other] + sums->raised_mva[other]);
    return most_mva * 1000 / volts_mv + 1;
}

static int64_t current_of(const struct permits *permits, uint32_t meter, int64_t mw, int64_t volts_mv)
{
    return larger(mw, 0) * PPM / permits->stand_in[meter].pf_ppm * 1000 / volts_mv + 2;
}

/* What this neighbour certainly carries; false: nothing is known to be. */
static bool counts_beside(const struct permits *permits, uint32_t parent, uint32_t node, int64_t t_ns)
{
    uint32_t meter = permits->model->node[node].meter;
    return meter != INDEX_NONE && permit_adds_up(permits, parent, node) &&
           permit_reads_well(permits, meter, t_ns) && is_whole(permits, meter, t_ns);
}

static void add_beside(struct permit_beside *beside, const struct permit_stand_in *s, int64_t sign)
{
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        beside->low_mw[phase] += sign * smaller(s->low_mw[0][phase], s->low_mw[1][phase]);
        beside->now_mw[phase] += sign * s->now_mw[phase];
    }
}

void permit_left_add_up(const struct permits *permits, uint32_t parent, struct permit_beside *all,
                        int64_t t_ns)
{
    const struct model_node *above = &permits->model->node[parent];
    *all = (struct permit_beside){.low_mw = {0}};
    for (uint32_t i = 0; i < above->child_count; i++)
        if (counts_beside(permits, parent, above->child_first + i, t_ns))
            add_beside(all, &permits->stand_in[permits->model->node[above->child_first + i].meter], 1);
}

int64_t permit_left_by_parent(const struct permits *permits, uint32_t meter, const struct reading *reading,
                              const struct permit_beside *all, struct heat_left *left, int64_t t_ns)
{
    const struct model *model = permits->model;
    uint32_t node = permits->meter[meter].node;
    const struct model_node *n = &model->node[node];
    int64_t error_ppm = permit_left_error_ppm(model->meter[reading->meter].error_ppm), all_mw = 0;
    struct permit_beside beside = *all;
    if (counts_beside(permits, n->parent[0], node, t_ns))
        add_beside(&beside, &permits->stand_in[meter], -1);
    left->edge_ma = 0;          /* no more can have moved than the parent carries */
    for (uint32_t phase = 0; phase < n->phases; phase++) {
        int64_t current_ma = larger(reading->current_ma[phase], 0);
        int64_t apparent_mw = current_ma * reading->voltage_mv[phase] / 1000 + 1;
        int64_t most_mw = reading->power_mw[phase] + part_up(apparent_mw, error_ppm);
        int64_t left_mw = most_mw - beside.low_mw[phase], likely_mw = most_mw - beside.now_mw[phase];
        int64_t more_ma = other_ma(permits, node, phase, left->volts_mv);
        all_mw += larger(left_mw, 0);
        left->edge_ma = larger(left->edge_ma, current_of(permits, meter, most_mw, left->volts_mv));
        left->current_ma[phase] = current_of(permits, meter, left_mw, left->volts_mv) + more_ma;
        left->likely_ma[phase] = current_of(permits, meter, likely_mw, left->volts_mv) + more_ma;
    }
    left->mean = true;
    return all_mw;
}

int64_t permit_left_over_ma_ns(int64_t gathered_ma_ns, int64_t over_ma, int64_t dt_ns, int64_t most_ma_ns)
{
    int64_t size_ma = larger(over_ma < 0 ? -over_ma : over_ma, 1);
    if (dt_ns > most_ma_ns / size_ma)
        return over_ma > 0 ? most_ma_ns : over_ma < 0 ? 0 : smaller(gathered_ma_ns, most_ma_ns);
    return smaller(larger(gathered_ma_ns + over_ma * dt_ns, 0), most_ma_ns);
}

/* Until all of them are known for a span it is as much as D allows, and then some: nobody is told to obey. */
int64_t permit_left_by_children(const struct permits *permits, uint32_t meter, struct heat_left *left,
                                int64_t t_ns)
{
    const struct model *model = permits->model;
    const struct model_node *n = &model->node[permits->meter[meter].node];
    const struct permit_sum *sum = &permits->sum[permits->meter[meter].node];
    int64_t worst_ppm = 0;
    bool whole = true;
    for (uint32_t phase = 0; phase < n->phases; phase++)
        left->current_ma[phase] = other_ma(permits, permits->meter[meter].node, phase, left->volts_mv);
    for (uint32_t i = 0; i < n->child_count; i++) {
        uint32_t its = model->node[n->child_first + i].meter;
        const struct permit_stand_in *s = &permits->stand_in[its];
        worst_ppm = larger(worst_ppm, model->meter[its].error_ppm);
        whole &= is_whole(permits, its, t_ns);
        for (uint32_t phase = 0; phase < n->phases; phase++)
            left->current_ma[phase] += larger(s->high_ma[0][phase], s->high_ma[1][phase]);
    }
    left->edge_ma = 0;
    for (uint32_t phase = 0; phase < n->phases && whole; phase++)
        left->edge_ma = larger(left->edge_ma, left->current_ma[phase]);
    for (uint32_t phase = 0; phase < n->phases && !whole; phase++)
        left->current_ma[phase] = LEFT_MOST_MA;
    for (uint32_t phase = 0; phase < n->phases; phase++)
        left->likely_ma[phase] = left->current_ma[phase];
    left->mean = false;
    return sum->children_mw + part_up(larger(sum->children_mw, 0), permit_left_error_ppm(worst_ppm));
}

