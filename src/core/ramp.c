/* SPDX-License-Identifier: Apache-2.0 */
#include "core/ramp.h"

#include "core/compare.h"
#include "core/draw.h"

enum { BUCKET_MS = 16 };
#define HOUR_NS (3600 * NS_PER_S)

__extension__ typedef unsigned __int128 wide;

/* ---- one bucket ---- */

void ramp_bucket_set(struct ramp_bucket *bucket, int64_t rate_mw_per_s, int64_t least_mw, int64_t t_ns)
{
    int64_t full_mw = larger(rate_mw_per_s / 1000 * BUCKET_MS, least_mw);
    ramp_bucket_fill(bucket, t_ns);
    /* a change of rate gives nothing away: what was there stays, as far as it fits */
    bool begins = !bucket->rate_mw_per_s;
    bucket->credit_mw = begins ? full_mw : smaller(bucket->credit_mw, full_mw);
    bucket->rate_mw_per_s = rate_mw_per_s;
    bucket->most_mw = full_mw;
    bucket->rest = 0;
    bucket->t_ns = t_ns;
}

/* Exact to the mW * ns, over any time: after an hour, or once full, nothing more flows in. */
void ramp_bucket_fill(struct ramp_bucket *bucket, int64_t t_ns)
{
    int64_t passed_ns = smaller(t_ns - bucket->t_ns, HOUR_NS);
    if (passed_ns <= 0)
        return;
    bucket->t_ns = t_ns;
    int64_t lacks_mw = bucket->most_mw - bucket->credit_mw;
    if (!bucket->rate_mw_per_s || lacks_mw <= 0)
        return;
    int64_t whole_mw = bucket->rate_mw_per_s * (passed_ns / NS_PER_S);
    wide part = (wide)(uint64_t)bucket->rate_mw_per_s *
                                 (uint64_t)(passed_ns % NS_PER_S) +
                             (uint64_t)bucket->rest;
    whole_mw += (int64_t)(part / NS_PER_S);
    bucket->rest = (int64_t)(part % NS_PER_S);
    bucket->credit_mw += smaller(whole_mw, lacks_mw);
    if (whole_mw >= lacks_mw)
        bucket->rest = 0;
}

int64_t ramp_bucket_wait_ns(const struct ramp_bucket *bucket, int64_t mw)
{
    int64_t lacks_mw = smaller(mw, bucket->most_mw) - bucket->credit_mw;
    if (lacks_mw <= 0 || !bucket->rate_mw_per_s)
        return 0;
    int64_t seconds = lacks_mw / bucket->rate_mw_per_s, left_mw = lacks_mw % bucket->rate_mw_per_s;
    if (seconds > HOUR_NS / NS_PER_S)
        return HOUR_NS;
    wide part = (wide)(uint64_t)left_mw * NS_PER_S;
    return seconds * NS_PER_S + (int64_t)(part / (uint64_t)bucket->rate_mw_per_s) + 1;
}

/* ---- nodes ---- */

static bool is_limited(const struct ramp_node *node)
{
    return node->bucket[RAMP_UP].rate_mw_per_s || node->bucket[RAMP_DOWN].rate_mw_per_s;
}

/* A bucket holds what flows in between two arbitrations, or part of it would be lost. */
static int64_t least_mw(const struct ramps *ramps, const struct ramp_node *node, int64_t rate_mw_per_s)
{
    return larger(node->grain_mw, rate_mw_per_s / 1000 * (ramps->model->policy.tick_ns / NS_PER_MS));
}

void ramp_set(struct ramps *ramps, uint32_t n, int64_t up_mw_per_s, int64_t down_mw_per_s, int64_t t_ns)
{
    struct ramp_node *node = &ramps->node[n];
    const struct model_node *model = &ramps->model->node[n];
    int64_t up = up_mw_per_s < 0 ? model->ramp_up_mw_per_s : up_mw_per_s;
    int64_t down = down_mw_per_s < 0 ? model->ramp_down_mw_per_s : down_mw_per_s;
    ramps->limited -= is_limited(node);
    ramp_bucket_set(&node->bucket[RAMP_UP], up, least_mw(ramps, node, up), t_ns);
    ramp_bucket_set(&node->bucket[RAMP_DOWN], down, least_mw(ramps, node, down), t_ns);
    ramp_bucket_set(&node->ahead, up, least_mw(ramps, node, up), t_ns);
    ramps->limited += is_limited(node);
}

static void remember(struct ramps *ramps, uint32_t n, bool ordered)
{
    uint32_t i = 0;
    while (i < ramps->ordered_count && ramps->ordered[i] != n)
        i++;
    bool known = i < ramps->ordered_count;
    if (ordered && !known && ramps->ordered_count < CONTRACTS_MAX)
        ramps->ordered[ramps->ordered_count++] = n;
    else if (!ordered && known)
        ramps->ordered[i] = ramps->ordered[--ramps->ordered_count];
}

void ramp_order(struct ramps *ramps, uint32_t n, int64_t up_mw_per_s, int64_t down_mw_per_s, int64_t t_ns)
{
    const struct model_node *model = &ramps->model->node[n];
    const struct ramp_bucket *bucket = ramps->node[n].bucket;
    if (up_mw_per_s != bucket[RAMP_UP].rate_mw_per_s || down_mw_per_s != bucket[RAMP_DOWN].rate_mw_per_s)
        ramp_set(ramps, n, up_mw_per_s, down_mw_per_s, t_ns);
    remember(ramps, n, up_mw_per_s != model->ramp_up_mw_per_s || down_mw_per_s != model->ramp_down_mw_per_s);
}

/* The part of a host's change that goes through a node: all cords below it, down or up never short. */
static int64_t through_mw(const struct model_cord *cord, int64_t change_mw)
{
    return draw_ceil_div(change_mw * cord->share_ppm[0], PPM);
}

/* A bucket must hold one quantum of every host below, or that host could never be raised. */
static void measure_grains(struct ramps *ramps)
{
    const struct model *model = ramps->model;
    for (uint32_t host = 0; host < model->host_count; host++) {
        const struct model_host_type *type = &model->type[model->host[host].type];
        int64_t grain_mw = draw_ceil_div(type->quantum_mw * type->gain_ppm, PPM) + 1;
        for (uint32_t j = 0; j < model->host[host].cord_count; j++) {
            const struct model_node *node = &model->node[model->host[host].cord[j].node];
            for (uint32_t a = 0; a < node->ancestor_count; a++) {
                struct ramp_node *above = &ramps->node[node->ancestor[a]];
                above->grain_mw = larger(above->grain_mw, grain_mw);
            }
        }
    }
}

void ramp_init(struct ramps *ramps, const struct model *model, int64_t t_ns)
{
    ramps->model = model;
    ramps->limited = ramps->ordered_count = 0;
    for (uint32_t n = 0; n < model->node_count; n++)
        ramps->node[n] = (struct ramp_node){0};
    measure_grains(ramps);
    for (uint32_t n = 0; n < model->node_count; n++)
        ramp_set(ramps, n, -1, -1, t_ns);
}

/* What a node's bucket leaves of the host's change, its cords there taken together. */
static int64_t left_at(struct ramps *ramps, const struct model_host *h, uint32_t n, int64_t size_mw,
                       enum ramp_direction direction, int64_t t_ns)
{
    struct ramp_bucket *bucket = &ramps->node[n].bucket[direction];
    int64_t share_ppm = 0;
    if (!bucket->rate_mw_per_s)
        return size_mw;
    ramp_bucket_fill(bucket, t_ns);
    for (uint32_t j = 0; j < h->cord_count; j++) {
        const struct model_node *node = &ramps->model->node[h->cord[j].node];
        for (uint32_t a = 0; a < node->ancestor_count; a++)
            share_ppm += node->ancestor[a] == n ? h->cord[j].share_ppm[0] : 0;
    }
    /* every cord may round up by one */
    int64_t credit_mw = bucket->credit_mw - (int64_t)h->cord_count;
    if (credit_mw <= 0 || !share_ppm)
        return share_ppm ? 0 : size_mw;
    return smaller(size_mw, credit_mw / share_ppm * PPM + credit_mw % share_ppm * PPM / share_ppm);
}

int64_t ramp_allows_mw(struct ramps *ramps, uint32_t host, int64_t change_mw, int64_t t_ns, uint32_t *node)
{
    const struct model_host *h = &ramps->model->host[host];
    enum ramp_direction direction = change_mw > 0 ? RAMP_UP : RAMP_DOWN;
    int64_t size_mw = change_mw > 0 ? change_mw : -change_mw;
    *node = INDEX_NONE;
    for (uint32_t j = 0; ramps->limited && j < h->cord_count; j++) {
        const struct model_node *below = &ramps->model->node[h->cord[j].node];
        for (uint32_t a = 0; a < below->ancestor_count; a++) {
            int64_t left_mw = left_at(ramps, h, below->ancestor[a], size_mw, direction, t_ns);
            if (left_mw < size_mw) {
                size_mw = left_mw;
                *node = below->ancestor[a];
            }
        }
    }
    return change_mw > 0 ? size_mw : -size_mw;
}

void ramp_take(struct ramps *ramps, uint32_t host, int64_t change_mw, int64_t t_ns)
{
    const struct model_host *h = &ramps->model->host[host];
    enum ramp_direction direction = change_mw > 0 ? RAMP_UP : RAMP_DOWN;
    int64_t size_mw = change_mw > 0 ? change_mw : -change_mw;
    for (uint32_t j = 0; size_mw && ramps->limited && j < h->cord_count; j++) {
        const struct model_node *below = &ramps->model->node[h->cord[j].node];
        int64_t taken_mw = through_mw(&h->cord[j], size_mw);
        for (uint32_t a = 0; a < below->ancestor_count; a++) {
            struct ramp_bucket *bucket = &ramps->node[below->ancestor[a]].bucket[direction];
            if (!bucket->rate_mw_per_s)
                continue;
            ramp_bucket_fill(bucket, t_ns);
            bucket->credit_mw -= taken_mw;
        }
    }
}

void ramp_view(const struct ramps *ramps, uint32_t node, int64_t t_ns, struct ramp_view *view)
{
    for (int i = 0; i < RAMP_DIRECTIONS; i++) {
        struct ramp_bucket bucket = ramps->node[node].bucket[i];
        ramp_bucket_fill(&bucket, t_ns);
        view->rate_mw_per_s[i] = bucket.rate_mw_per_s;
        view->credit_mw[i] = bucket.credit_mw;
    }
}
