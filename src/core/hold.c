/* SPDX-License-Identifier: Apache-2.0 */
#include "core/hold.h"

void hold_init(struct holds *holds, const struct model *model)
{
    holds->model = model;
    holds->held = 0;
    for (uint32_t n = 0; n < model->node_count; n++)
        for (uint32_t cause = 0; cause < HOLD_CAUSES; cause++)
            holds->node[n].of[cause] = (struct hold_wait){.until_ns = INT64_MIN};
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

static bool is_held(const struct hold_wait *wait)
{
    return wait->for_ns || wait->hot;
}

static bool is_calm(const struct model_policy *policy, const struct hold_wait *wait, int64_t t_ns)
{
    return !wait->on && wait->until_ns != INT64_MIN && t_ns - policy->hold_most_ns >= wait->until_ns;
}

static void begin(struct holds *holds, const struct heat *heat, uint32_t node, enum hold_cause cause,
                  int64_t t_ns)
{
    const struct model_policy *policy = &holds->model->policy;
    struct hold_wait *wait = &holds->node[node].of[cause];
    uint32_t meter = holds->model->node[node].meter;
    holds->held += cause == HOLD_EMERGENCY && !is_held(wait);
    wait->for_ns = next_ns(policy, is_calm(policy, wait, t_ns) ? 0 : wait->for_ns);
    wait->until_ns = INT64_MAX;
    wait->on = true;
    /* heat that a start only assumes was not seen to come and need not be seen to go */
    if (cause == HOLD_EMERGENCY)
        wait->hot = wait->hot || (meter != INDEX_NONE && heat_was_cool(heat, meter));
}

void hold_observe(struct holds *holds, const struct heat *heat, uint32_t node, enum hold_cause cause, bool on,
                  int64_t t_ns)
{
    struct hold_wait *wait = &holds->node[node].of[cause];
    if (off(holds) || on == wait->on)
        return;
    if (on) {
        begin(holds, heat, node, cause, t_ns);
        return;
    }
    wait->on = false;
    wait->until_ns = t_ns + wait->for_ns;
}

void hold_reading(struct holds *holds, const struct heat *heat, uint32_t node, int64_t t_ns)
{
    struct hold_wait *wait = &holds->node[node].of[HOLD_EMERGENCY];
    if (!is_held(wait) || wait->on)
        return;
    wait->hot = wait->hot && !heat_cooled(heat, holds->model->node[node].meter);
    if (!wait->hot && is_calm(&holds->model->policy, wait, t_ns)) {
        *wait = (struct hold_wait){.until_ns = INT64_MIN};
        holds->held--;
    }
}

void hold_hand(struct holds *holds, uint32_t node, const struct hold *hold)
{
    if (off(holds))
        return;
    holds->held -= is_held(&holds->node[node].of[HOLD_EMERGENCY]);
    holds->node[node] = *hold;
    holds->held += is_held(&hold->of[HOLD_EMERGENCY]);
}

void hold_blind(struct holds *holds, const struct heat *heat, uint32_t node, int64_t t_ns)
{
    hold_observe(holds, heat, node, HOLD_EMERGENCY, false, t_ns);
    holds->node[node].of[HOLD_EMERGENCY].hot = false;
}

bool hold_runs(const struct holds *holds, uint32_t node, int64_t t_ns)
{
    const struct hold *hold = &holds->node[node];
    return t_ns < hold->of[HOLD_EMERGENCY].until_ns || t_ns < hold->of[HOLD_PERMIT].until_ns;
}

static bool holds_all(const struct holds *holds, uint32_t node, int64_t t_ns)
{
    const struct hold_wait *wait = &holds->node[node].of[HOLD_EMERGENCY];
    return t_ns < wait->until_ns || wait->hot;
}

uint32_t hold_forbids_raise(const struct holds *holds, uint32_t host, int64_t t_ns)
{
    const struct model_host *h = &holds->model->host[host];
    for (uint32_t j = 0; holds->held && j < h->cord_count; j++) {
        const struct model_node *node = &holds->model->node[h->cord[j].node];
        for (uint32_t a = 0; a < node->ancestor_count; a++)
            if (holds_all(holds, node->ancestor[a], t_ns))
                return node->ancestor[a];
    }
    return INDEX_NONE;
}

static int64_t left_ns(const struct hold_wait *wait, int64_t t_ns)
{
    if (wait->on)
        return INT64_MAX;
    return t_ns < wait->until_ns ? wait->until_ns - t_ns : 0;
}

void hold_view(const struct holds *holds, uint32_t node, int64_t t_ns, struct hold_view *view)
{
    const struct hold_wait *all = &holds->node[node].of[HOLD_EMERGENCY];
    const struct hold_wait *lent = &holds->node[node].of[HOLD_PERMIT];
    *view = (struct hold_view){
        .hot = all->hot,
        .for_ns = all->for_ns,
        .left_ns = left_ns(all, t_ns),
        .lent_for_ns = lent->for_ns,
        .lent_left_ns = left_ns(lent, t_ns),
    };
}
