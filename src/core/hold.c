/* SPDX-License-Identifier: Apache-2.0 */
#include "core/hold.h"

#include "core/compare.h"

/* ---- which nodes a feed moves ---- */

/* What of a host flows through a node, cords added up: more of it under c? */
static bool loads_more(const struct model *model, const struct model_host *host, uint32_t node, uint32_t c)
{
    int64_t more_ppm = 0;
    for (uint32_t j = 0; j < host->cord_count; j++)
        if (model_lies_below(model, host->cord[j].node, node))
            more_ppm += (int64_t)host->cord[j].share_ppm[c] - host->cord[j].share_ppm[0];
    return more_ppm > 0;
}

static void move_cord(struct holds *holds, const struct model_host *host, uint32_t j, uint32_t c)
{
    const struct model *model = holds->model;
    const struct model_cord *cord = &host->cord[j];
    const struct model_node *node = &model->node[cord->node];
    uint32_t lost = model->contingency[c].lost_node;
    bool dark = cord->share_ppm[0] && !cord->share_ppm[c];
    for (uint32_t a = 0; a < node->ancestor_count; a++) {
        uint32_t n = node->ancestor[a];
        bool goes = dark && (a == 0 || n == lost || model_lies_below(model, n, lost));
        if (goes || loads_more(model, host, n, c))
            holds->node[n].moved |= (uint8_t)(1u << c);
    }
}

static void init_moved(struct holds *holds)
{
    const struct model *model = holds->model;
    for (uint32_t c = 1; c < model->contingency_count; c++)
        for (uint32_t h = 0; model->contingency[c].kind == CONTINGENCY_LOSS && h < model->host_count; h++)
            for (uint32_t j = 0; j < model->host[h].cord_count; j++)
                move_cord(holds, &model->host[h], j, c);
}

/* ---- holds ---- */

void hold_init(struct holds *holds, const struct model *model)
{
    holds->model = model;
    holds->held = 0;
    holds->turned = 0;
    for (uint32_t n = 0; n < model->node_count; n++) {
        holds->node[n].moved = 0;
        for (uint32_t cause = 0; cause < HOLD_CAUSES; cause++)
            holds->node[n].of[cause] = (struct hold_wait){.until_ns = INT64_MIN};
    }
    init_moved(holds);
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
    for (uint32_t cause = 0; cause < HOLD_CAUSES; cause++)
        holds->node[node].of[cause] = hold->of[cause];
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

/* ---- feeds ---- */

void hold_feed(struct holds *holds, uint32_t c, int64_t t_ns)
{
    if (holds->model->policy.feed_stable_ns <= 0)
        return;
    holds->turned |= (uint8_t)(1u << c);
    holds->turned_until_ns[c] = t_ns + holds->model->policy.feed_stable_ns;
}

/* Of these contingencies the one whose wait is the longest; 0 = none runs. */
static uint32_t longest(const struct holds *holds, uint8_t set, int64_t t_ns)
{
    uint32_t last = 0;
    set &= holds->turned;
    for (uint32_t c = 1; set >> c; c++)
        if (set >> c & 1 && t_ns < holds->turned_until_ns[c] &&
            (!last || holds->turned_until_ns[c] > holds->turned_until_ns[last]))
            last = c;
    return last;
}

uint32_t hold_feed_of(const struct holds *holds, uint32_t host, int64_t t_ns)
{
    const struct model_host *h = &holds->model->host[host];
    uint8_t moved = 0;
    if (!longest(holds, holds->turned, t_ns))
        return 0;
    for (uint32_t j = 0; j < h->cord_count; j++) {
        const struct model_node *node = &holds->model->node[h->cord[j].node];
        for (uint32_t a = 0; a < node->ancestor_count; a++)
            moved |= holds->node[node->ancestor[a]].moved;
    }
    return longest(holds, moved, t_ns);
}

bool hold_is_any(const struct holds *holds, int64_t t_ns)
{
    return holds->held > 0 || longest(holds, holds->turned, t_ns);
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
    uint32_t feed = longest(holds, holds->node[node].moved, t_ns);
    *view = (struct hold_view){
        .hot = all->hot,
        .for_ns = all->for_ns,
        .left_ns = left_ns(all, t_ns),
        .lent_for_ns = lent->for_ns,
        .lent_left_ns = left_ns(lent, t_ns),
        .feed_left_ns = feed ? holds->turned_until_ns[feed] - t_ns : 0,
    };
}
