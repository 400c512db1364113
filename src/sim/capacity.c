/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/capacity.h"

#include <errno.h>
#include <stdlib.h>

static int64_t scale_up(int64_t value, int64_t ppm)
{
    return (value * ppm + PPM - 1) / PPM;
}

int capacity_init(struct capacity *capacity, const struct model *model)
{
    capacity->model = model;
    capacity->used_mva = calloc(model->node_count, sizeof(*capacity->used_mva));
    return capacity->used_mva ? 0 : -ENOMEM;
}

void capacity_finish(struct capacity *capacity)
{
    free(capacity->used_mva);
    capacity->used_mva = NULL;
}

int64_t capacity_draw_mw(const struct model *model, uint32_t host, int64_t cap_mw)
{
    const struct model_host_type *type = &model->type[model->host[host].type];
    int64_t draw_mw = scale_up(cap_mw, type->gain_ppm) + type->base_max_mw;
    return draw_mw < type->phys_max_mw ? draw_mw : type->phys_max_mw;
}

int64_t capacity_room_mva(const struct model *model, uint32_t node, uint32_t contingency, uint32_t phase)
{
    const struct model_node *n = &model->node[node];
    return n->limit_mva[contingency][phase] - n->other_mva[phase] - n->bad_mva[contingency][phase];
}

struct move {
    const struct model_cord *cord;
    int64_t from_mva, to_mva;
};

static int64_t on_phase(const struct model_cord *cord, int64_t mva, uint32_t contingency, uint32_t phase)
{
    return scale_up(scale_up(mva, cord->share_ppm[contingency]), cord->phase_ppm[phase]);
}

/* Adds the difference of one cord at one node; says whether all of
 * its contingencies and phases stay within. */
static bool add_at_node(struct capacity *capacity, const struct move *move, uint32_t node)
{
    bool within = true;
    for (uint32_t c = 0; c < capacity->model->contingency_count; c++) {
        for (uint32_t phase = 0; phase < PHASES; phase++) {
            int64_t *used_mva = &capacity->used_mva[node][c][phase];
            *used_mva += on_phase(move->cord, move->to_mva, c, phase);
            *used_mva -= on_phase(move->cord, move->from_mva, c, phase);
            within = within && *used_mva <= capacity_room_mva(capacity->model, node, c, phase);
        }
    }
    return within || !capacity->model->node[node].limited;
}

static bool add(struct capacity *capacity, uint32_t host, int64_t from_mw, int64_t to_mw)
{
    const struct model_host *h = &capacity->model->host[host];
    int64_t pf_ppm = capacity->model->type[h->type].pf_min_ppm;
    bool within = true;
    for (uint32_t i = 0; i < h->cord_count; i++) {
        const struct model_node *node = &capacity->model->node[h->cord[i].node];
        struct move move = {
            .cord = &h->cord[i],
            .from_mva = (from_mw * PPM + pf_ppm - 1) / pf_ppm,
            .to_mva = (to_mw * PPM + pf_ppm - 1) / pf_ppm,
        };
        for (uint32_t a = 0; a < node->ancestor_count; a++)
            within = add_at_node(capacity, &move, node->ancestor[a]) && within;
    }
    return within;
}

bool capacity_move(struct capacity *capacity, uint32_t host, int64_t from_mw, int64_t to_mw)
{
    if (add(capacity, host, from_mw, to_mw))
        return true;
    add(capacity, host, to_mw, from_mw);
    return false;
}

void capacity_force(struct capacity *capacity, uint32_t host, int64_t from_mw, int64_t to_mw)
{
    add(capacity, host, from_mw, to_mw);
}
