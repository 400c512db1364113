/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heat of a node whose own meter is lost, from what other meters leave for it. They bound its load over time,
 * not at every moment: it may move from a neighbour to this node and back within one of their windows. But
 * at every moment obeying hosts draw D at most, so with a mean of m the mean square is at most m x D, however
 * the load moves: the integral of x^2 is at most that of D x. An image that stands for a device of one time
 * constant is heated by that. Whatever looks at moments (travel, peaks, an image whose time constant changes
 * with current) has D, as where nothing is read at all.
 *
 * Bounds of a mean hold over many windows; where an interval begins and ends, windows of different meters do
 * not, and as much as flows within them may be more. That is added once, as energy at D, and kept up against
 * cooling: an end of the interval is always now. A reading that is lost breaks the interval; what that may
 * hide is as long as itself.
 */
#include "core/breaker_inside.h"
#include "core/compare.h"
#include "core/heat_inside.h"

/* beyond it a product of two currents no longer fits: D alone counts */
#define PRODUCT_MA INT64_C(2000000000)

/* Up. */
static int64_t square_root(int64_t square)
{
    int64_t high = INT64_C(1) << 31, low = 0;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (middle * middle >= square)
            high = middle;
        else
            low = middle;
    }
    return high;
}

static struct breaker_load load_of(const struct heat_left *left, const struct breaker_load *most)
{
    struct breaker_load load = {.crest_milli = most->crest_milli};
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        int64_t most_ma = most->current_ma[phase], left_ma = larger(left->current_ma[phase], 0);
        load.current_ma[phase] = smaller(left_ma, most_ma);
        if (left->mean && left_ma < most_ma)
            load.current_ma[phase] = most_ma > PRODUCT_MA ? most_ma : square_root(left_ma * most_ma);
    }
    return load;
}

static bool follows_mean(const struct breaker_element *element, const struct breaker_load *most)
{
    bool follows = element->law == BREAKER_IMAGE && !element->residual;
    for (uint32_t phase = 0; phase < PHASES; phase++)
        follows &= most->current_ma[phase] <= element->fast_above_ma;
    return follows;
}

/* Images by the one, everything else by the other. */
static void step_both(struct heat_node *h, const struct model *model, const struct breaker *breaker,
                      const struct breaker_load *load, const struct breaker_load *most, int64_t dt_ns)
{
    struct breaker_state held = h->state;
    breaker_step_paced(&h->state, breaker, &h->pace, model->curve, load, dt_ns);
    breaker_step_paced(&held, breaker, &h->pace, model->curve, most, dt_ns);
    for (uint32_t e = 0; e < breaker->element_count; e++)
        for (uint32_t phase = 0; phase < PHASES && !follows_mean(&breaker->element[e], most); phase++) {
            h->state.part[e][phase] = held.part[e][phase];
            h->state.below_ns[e][phase] = held.below_ns[e][phase];
        }
}

/* What `edge_ma` x D heats in `for_ns`. */
static void add_energy(struct heat_node *h, const struct breaker *breaker, const struct breaker_load *most,
                       uint32_t e, int64_t edge_ma, breaker_wide for_ns)
{
    const struct breaker_element *element = &breaker->element[e];
    int64_t edge = breaker_multiple_of(element, edge_ma);
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        int64_t at_most = breaker_multiple_of(element, most->current_ma[phase]);
        breaker_wide rate = (breaker_wide)(uint64_t)edge * (uint64_t)at_most >> 40;
        breaker_wide heat =
            rate * for_ns / (uint64_t)larger(smaller(element->heat_ns, element->heat_fast_ns), 1);
        heat = heat < (uint64_t)HEAT_ONE ? heat + 1 : (uint64_t)HEAT_ONE;
        h->state.part[e][phase] = smaller(h->state.part[e][phase] + (int64_t)heat, HEAT_ONE);
    }
}

/* The edge: what of it is new; what has cooled of it in dt_ns; and for a reading that was lost, behind which
 * the windows begin anew, as long as it would have stood for. */
static void add_edge(struct heat_node *h, const struct breaker *breaker, const struct heat_left *left,
                     const struct breaker_load *most, int64_t dt_ns)
{
    int64_t lost_ns = larger(dt_ns - left->window_ns, 0);
    for (uint32_t e = 0; e < breaker->element_count; e++) {
        const struct breaker_element *element = &breaker->element[e];
        int64_t tau_ns = larger(smaller(element->heat_ns, element->heat_fast_ns), 1);
        if (!follows_mean(element, most))
            continue;
        breaker_wide for_ns =
            (breaker_wide)(uint64_t)left->edge_ns * (uint64_t)smaller(dt_ns, tau_ns) / (uint64_t)tau_ns + 1;
        if (left->behind_gap)
            for_ns += (uint64_t)smaller(lost_ns, left->edge_ns);
        add_energy(h, breaker, most, e, left->edge_ma, for_ns);
        add_energy(h, breaker, most, e, left->edge_more_ma, (uint64_t)left->edge_ns);
    }
}

void heat_stand_in(struct heat *heat, struct ledger *ledger, uint32_t meter, struct heat_left *left,
                   int64_t t_ns)
{
    uint32_t n = heat->model->meter[meter].node;
    const struct model_node *node = &heat->model->node[n];
    struct heat_node *h = &heat->meter[meter];
    struct breaker_load most = {.crest_milli = h->most.crest_milli};
    if (left->first)
        most = h->most;         /* the largest that was read since all time was accounted for */
    heat_keep_exposed(&most, node, &ledger->node[n], smaller(h->volts_mv, left->volts_mv));
    struct breaker_load load = load_of(left, &most);
    int64_t open_ns = larger(t_ns - h->stepped_ns, 0), own_ns = smaller(left->window_ns, open_ns);
    breaker_step_paced(&h->state, &node->breaker, &h->pace, heat->model->curve, &most, open_ns - own_ns);
    step_both(h, heat->model, &node->breaker, &load, &most, own_ns);
    add_edge(h, &node->breaker, left, &most, open_ns);
    h->stepped_ns = h->clear_ns = t_ns;
    h->most = (struct breaker_load){.crest_milli = most.crest_milli};
    h->volts_mv = left->volts_mv;
    for (uint32_t phase = 0; phase < PHASES; phase++)   /* for who asks what flows: nobody reads it */
        h->newest.current_ma[phase] = most.current_ma[phase];
    for (uint32_t phase = 0; phase < PHASES; phase++)
        left->most_ma[phase] = most.current_ma[phase];
    ledger_mark_exposed(ledger, n);
}
