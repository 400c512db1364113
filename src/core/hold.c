/* SPDX-License-Identifier: Apache-2.0 */
#include "core/hold.h"

void hold_init(struct holds *holds, const struct model *model)
{
    holds->model = model;
    holds->held = 0;
    for (uint32_t n = 0; n < model->node_count; n++)
        holds->node[n] = (struct hold){.until_ns = INT64_MIN};
}

static bool off(const struct holds *holds)
{
    return holds->model->policy.hold_least_ns <= 0;
}

/* The next one after a hold of this length: twice as long while it keeps happening. */
static int64_t next_ns(const struct model_policy *policy, int64_t for_ns)
{
    if (!for_ns)
        return policy->hold_least_ns;
    return for_ns < policy->hold_most_ns / 2 ? 2 * for_ns : policy->hold_most_ns;
}

static bool is_held(const struct hold *hold)
{
    return hold->for_ns || hold->hot;
}

static void begin(struct holds *holds, const struct heat *heat, uint32_t node, int64_t t_ns)
{
    const struct model_policy *policy = &holds->model->policy;
    struct hold *hold = &holds->node[node];
    uint32_t meter = holds->model->node[node].meter;
    bool calm = !hold->causes && hold->until_ns != INT64_MIN && t_ns - policy->hold_most_ns >= hold->until_ns;
    holds->held += !is_held(hold);
    hold->for_ns = next_ns(policy, calm ? 0 : hold->for_ns);
    hold->until_ns = INT64_MAX;
    /* heat that a start only assumes was not seen to come and need not be seen to go */
    hold->hot = hold->hot || (meter != INDEX_NONE && heat_was_cool(heat, meter));
}

void hold_observe(struct holds *holds, const struct heat *heat, uint32_t node, enum hold_cause cause, bool on,
                  int64_t t_ns)
{
    struct hold *hold = &holds->node[node];
    if (off(holds) || on == ((hold->causes & cause) != 0))
        return;
    if (on) {
        begin(holds, heat, node, t_ns);
        hold->causes |= (uint8_t)cause;
        return;
    }
    hold->causes &= (uint8_t)~cause;
    if (!hold->causes)
        hold->until_ns = t_ns + hold->for_ns;
}

void hold_reading(struct holds *holds, const struct heat *heat, uint32_t node, int64_t t_ns)
{
    struct hold *hold = &holds->node[node];
    if (!is_held(hold) || hold->causes)
        return;
    hold->hot = hold->hot && !heat_cooled(heat, holds->model->node[node].meter);
    if (!hold->hot && t_ns - holds->model->policy.hold_most_ns >= hold->until_ns) {
        *hold = (struct hold){.until_ns = INT64_MIN};
        holds->held--;
    }
}

void hold_hand(struct holds *holds, uint32_t node, const struct hold *hold)
{
    if (off(holds))
        return;
    holds->held -= is_held(&holds->node[node]);
    holds->node[node] = *hold;
    holds->held += is_held(hold);
}

void hold_blind(struct holds *holds, const struct heat *heat, uint32_t node, int64_t t_ns)
{
    hold_observe(holds, heat, node, HOLD_EMERGENCY, false, t_ns);
    holds->node[node].hot = false;
}

bool hold_runs(const struct holds *holds, uint32_t node, int64_t t_ns)
{
    return t_ns < holds->node[node].until_ns;
}

uint32_t hold_forbids_raise(const struct holds *holds, uint32_t host, int64_t t_ns)
{
    const struct model_host *h = &holds->model->host[host];
    for (uint32_t j = 0; holds->held && j < h->cord_count; j++) {
        const struct model_node *node = &holds->model->node[h->cord[j].node];
        for (uint32_t a = 0; a < node->ancestor_count; a++)
            if (hold_runs(holds, node->ancestor[a], t_ns) || holds->node[node->ancestor[a]].hot)
                return node->ancestor[a];
    }
    return INDEX_NONE;
}

void hold_view(const struct holds *holds, uint32_t node, int64_t t_ns, struct hold_view *view)
{
    const struct hold *hold = &holds->node[node];
    *view = (struct hold_view){.causes = hold->causes, .hot = hold->hot, .for_ns = hold->for_ns};
    if (hold->causes)
        view->left_ns = INT64_MAX;
    else if (t_ns < hold->until_ns)
        view->left_ns = hold->until_ns - t_ns;
}
