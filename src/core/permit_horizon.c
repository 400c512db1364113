/* SPDX-License-Identifier: Apache-2.0 */
/* How much a node may lend: two horizons, worked out from a little more heat than there is. */
#include "core/breaker_inside.h"
#include "core/compare.h"
#include "core/permit_inside.h"

enum {
    RESPOND_MILLI = 700,        /* T_resp / 0.7 */
    PAD_SHIFT = 9,              /* horizons are worked out for so much more heat: 1 / 512 */
    PAD_CREST_PERCENT = 2,
    LENT_CREST_MILLI = 2000,    /* what is lent may peak higher than what flows: twice the rms at least */
    LEND_TIMES = 20,            /* of the steady limit at most, where no element binds */
    AGAIN_PERIODS = 10,         /* horizons that heat has not passed are kept for so long */
};

int64_t permit_largest_part(const struct breaker_state *state, uint32_t element)
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

/* What may come once has come again: the newest reading, and the highest of a minute or two at a load that is
 * comparable. At a light load crests are high and peaks are not. */
static int32_t crest_of(const struct permit_node *p, const struct heat_node *h)
{
    int64_t high_milli = larger(p->crest_high_milli[0], p->crest_high_milli[1]);
    return (int32_t)larger((int32_t)breaker_crest(h->newest.crest_milli), high_milli);
}

void permit_note_crest(const struct model_node *node, struct permit_node *p, const struct reading *reading,
                       int64_t t_ns)
{
    int64_t current_ma = 0;
    if (t_ns - p->crest_since_ns >= PERMIT_CREST_NS && !(reading->flags & READING_UNSURE)) {
        p->crest_high_milli[1] = p->crest_high_milli[0];
        p->crest_high_milli[0] = 0;
        p->crest_since_ns = t_ns;
    }
    for (uint32_t phase = 0; phase < node->phases; phase++)
        current_ma = larger(current_ma, reading->current_ma[phase]);
    if (current_ma >= node->steady_ma / 2)
        p->crest_high_milli[0] =
            (int32_t)larger(p->crest_high_milli[0], (int32_t)breaker_crest(reading->crest_milli));
}

/* Both horizons, from a little more heat than there is, so that they stand for a while: for what is lent
 * twice as much, since it is held against the other later. What is drawn is seen as up to (1 + error) of
 * it and enlarged by as much again. A reading may be lost and its time still be open: it is part of the
 * horizon. */
void permit_work_out(struct permits *permits, struct permit_node *p, const struct heat_node *h, int64_t t_ns)
{
    const struct model_node *node = &permits->model->node[p->node];
    const struct breaker_curve *curves = permits->model->curve;
    struct breaker_state padded;
    uint32_t element;
    int64_t seen_ppm = PPM + permits->model->meter[node->meter].error_ppm;
    int64_t hold_ns = h->respond_ns * 1000 / RESPOND_MILLI + 1 + h->hold_ns,
            most_ma = node->steady_ma * LEND_TIMES;
    p->crest_milli = (int32_t)larger(
        LENT_CREST_MILLI, (int64_t)crest_of(p, h) * (100 + PAD_CREST_PERCENT) / 100);
    pad(&padded, &h->state, &node->breaker, HEAT_ONE >> PAD_SHIFT);
    for (uint32_t e = 0; e < node->breaker.element_count; e++)
        p->part[e] = permit_largest_part(&padded, e);
    p->admissible_ma = smaller(most_ma, breaker_admissible_ma(&padded, &node->breaker, curves, hold_ns,
                                                              p->crest_milli, &element));
    pad(&padded, &h->state, &node->breaker, HEAT_ONE >> (PAD_SHIFT - 1));
    p->lendable_ma =
        smaller(most_ma, breaker_admissible_ma(&padded, &node->breaker, curves, hold_ns + h->respond_ns,
                                               p->crest_milli, &element));
    p->lendable_ma = p->lendable_ma * PPM / seen_ppm * PPM / seen_ppm;
    p->worked_out_ns = t_ns;
}

bool permit_still_holds(const struct permits *permits, const struct permit_node *p, const struct heat_node *h,
                        int64_t t_ns)
{
    const struct model_node *node = &permits->model->node[p->node];
    uint32_t meter = node->meter;
    if (!p->lendable_ma || crest_of(p, h) > p->crest_milli ||
        t_ns - p->worked_out_ns > AGAIN_PERIODS * permits->model->meter[meter].period_ns)
        return false;
    for (uint32_t e = 0; e < node->breaker.element_count; e++)
        if (permit_largest_part(&h->state, e) > p->part[e])
            return false;
    return true;
}
