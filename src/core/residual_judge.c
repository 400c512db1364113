/* SPDX-License-Identifier: Apache-2.0 */
/* A window is closed: what hosts drew is summed up at every metered node above them and held against what its
 * meter read, from the leaves to the roots. */
#include <string.h>

#include "core/compare.h"
#include "core/residual_inside.h"
#include "core/sums.h"

enum { HOST_ERROR_PPM = 50000, SWING_SHOWN = 2 };
#define SLOW_METER_NS (100 * NS_PER_MS)     /* its readings are means, which show no pulses */

static int64_t part(int64_t value, int64_t ppm)
{
    return value / PPM * ppm + value % PPM * ppm / PPM;
}

/* ---- what one host adds ---- */

/* Losses that nothing excludes: of a host that tells of its power inputs, what these say. */
static uint8_t not_excluded(const struct residual *residual, uint32_t host)
{
    const struct permits *permits = residual->permits;
    return (uint8_t)((residual->unseen & ~permits->lit[host]) | permits->dark[host]);
}

/* A meter on its way that has read nothing, or nothing alive: the cord may be dead. */
static bool may_be_dead(const struct residual *residual, const struct model_cord *cord)
{
    const struct model_node *node = &residual->model->node[cord->node];
    for (uint32_t a = 0; a < node->ancestor_count; a++) {
        uint32_t meter = residual->model->node[node->ancestor[a]].meter;
        if (meter != INDEX_NONE && residual->meter[meter].node == node->ancestor[a] &&
            !residual_read_through(residual, meter))
            return true;
    }
    return false;
}

static void find_shares(const struct residual *residual, uint32_t host, uint32_t share_ppm[CORDS_MAX])
{
    const struct model_host *h = &residual->model->host[host];
    uint8_t set = not_excluded(residual, host);
    bool dead[CORDS_MAX] = {false};
    for (uint32_t j = 0; h->cord_count > 1 && j < h->cord_count; j++)
        dead[j] = may_be_dead(residual, &h->cord[j]);
    for (uint32_t j = 0; j < h->cord_count; j++) {
        share_ppm[j] = h->cord[j].share_ppm[0];
        for (uint32_t c = 1; set >> c; c++)
            if (set >> c & 1)
                share_ppm[j] = (uint32_t)larger(share_ppm[j], h->cord[j].share_ppm[c]);
        for (uint32_t k = 0; k < h->cord_count; k++)
            if (k != j && dead[k])
                share_ppm[j] = (uint32_t)larger(share_ppm[j], PPM);
    }
}

/* Where cords of a host meet they carry no more than all of it. */
static int64_t scale_ppm(const struct residual *residual, const struct model_host *h, uint32_t n,
                         const uint32_t share_ppm[CORDS_MAX])
{
    int64_t sum_ppm = 0;
    for (uint32_t j = 0; j < h->cord_count; j++)
        if (model_lies_below(residual->model, h->cord[j].node, n))
            sum_ppm += share_ppm[j];
    return sum_ppm > PPM ? PPM * PPM / sum_ppm + 1 : PPM;
}

static void add_cord(struct residual *residual, const struct model_host *h, uint32_t j,
                     const uint32_t share_ppm[CORDS_MAX], struct residual_drawn drawn)
{
    const struct model_cord *cord = &h->cord[j];
    const struct model_node *node = &residual->model->node[cord->node];
    for (uint32_t a = 0; a < node->ancestor_count; a++) {
        uint32_t meter = residual->model->node[node->ancestor[a]].meter;
        if (meter == INDEX_NONE || residual->meter[meter].node != node->ancestor[a])
            continue;
        struct residual_meter *m = &residual->meter[meter];
        int64_t share = share_ppm[j];
        if (h->cord_count > 1)
            share = part(share, scale_ppm(residual, h, node->ancestor[a], share_ppm));
        int64_t through_mw = part(drawn.mean_mw, share), swing_mw = part(drawn.swing_mw, share);
        for (uint32_t p = 0; p < PHASES; p++) {
            m->drawn_mw[p] += part(through_mw, cord->phase_ppm[p]);
            m->reported_swing_mw[p] += part(swing_mw, cord->phase_ppm[p]);
        }
    }
}

static void add_host(struct residual *residual, uint32_t host, int64_t t_ns)
{
    const struct model_host *h = &residual->model->host[host];
    uint32_t share_ppm[CORDS_MAX];
    struct residual_drawn drawn = residual_drawn(residual, host, t_ns);
    find_shares(residual, host, share_ppm);
    for (uint32_t j = 0; j < h->cord_count; j++)
        add_cord(residual, h, j, share_ppm, drawn);
}

/* ---- what one meter finds ---- */

struct measured {
    int64_t power_mw[PHASES], swing_mw[PHASES], all_mw, all_swing_mw;
    int64_t apparent_ppm;       /* of the power */
};

static struct measured measured_of(const struct residual *residual, const struct residual_meter *m)
{
    struct measured measured = {.apparent_ppm = PPM};
    for (uint32_t p = 0; p < residual->model->node[m->node].phases; p++) {
        measured.power_mw[p] = m->power_mw_us[p] / m->covered_us;
        measured.swing_mw[p] = m->swung_mw_us[p] / m->covered_us;
        measured.all_mw += measured.power_mw[p];
        measured.all_swing_mw += measured.swing_mw[p];
    }
    int64_t apparent_mva = m->apparent_mva_us / m->covered_us;
    if (measured.all_mw > 0 && apparent_mva > measured.all_mw)
        apparent_mva = smaller(apparent_mva, 2 * measured.all_mw);
    if (measured.all_mw > PPM && apparent_mva > measured.all_mw)
        measured.apparent_ppm = apparent_mva / (measured.all_mw / PPM);
    return measured;
}

static int64_t over_phases(const int64_t value[PHASES])
{
    return value[0] + value[1] + value[2];
}

/* Swings that reports do not show: they are sent in step with them, and tell nothing of the mean. */
static bool is_represented(const struct residual_meter *m, const struct measured *measured)
{
    return measured->all_swing_mw <=
           SWING_SHOWN * over_phases(m->reported_swing_mw) + part(measured->all_mw, HOST_ERROR_PPM);
}

/* On one phase, beyond what is configured and what is known from below; 0 where that is not certain. */
static int64_t found_mva(const struct residual *residual, uint32_t meter, const struct measured *measured,
                         uint32_t p, int64_t below_mva)
{
    const struct residual_meter *m = &residual->meter[meter];
    const struct model_meter *known_meter = &residual->model->meter[meter];
    const struct model_node *node = &residual->model->node[m->node];
    uint32_t on = node->phases == 1 ? 0 : p;
    int64_t power_mw = measured->power_mw[on], error_mw = part(power_mw, known_meter->error_ppm);
    int64_t drawn_mw = node->phases == 1 ? over_phases(m->drawn_mw) : m->drawn_mw[p];
    int64_t swing_mw = measured->swing_mw[on];
    if (known_meter->period_ns > SLOW_METER_NS)
        swing_mw = larger(swing_mw, node->phases == 1 ? over_phases(m->reported_swing_mw)
                                                      : m->reported_swing_mw[p]);
    int64_t known_mva = node->other_mva[p] - node->step_mva[p] + below_mva;
    if (power_mw - error_mw <= drawn_mw + part(drawn_mw, HOST_ERROR_PPM) + swing_mw + known_mva)
        return 0;
    return larger(part(power_mw + error_mw - drawn_mw, measured->apparent_ppm) - known_mva, 0);
}

/* ---- in force ---- */

static void see_outgrown(struct residual *residual, uint32_t n, int64_t t_ns)
{
    struct residual_node *r = &residual->node[n];
    bool outgrown = false;
    for (uint32_t p = 0; p < PHASES; p++) {
        int64_t learnt_mva = residual_learnt_mva(residual, n, p);
        outgrown |= learnt_mva > 0 && learnt_mva > r->spare_mva[p];
    }
    if (outgrown == r->outgrown)
        return;
    degrade_turn(residual->outgrown, n, r->outgrown, outgrown, t_ns);
    r->outgrown = outgrown;
    permit_outgrown(residual->permits, n, outgrown, t_ns);
}

static int64_t most_mva(const struct residual_found *found, uint32_t p)
{
    int64_t most_mva = 0;
    for (uint32_t i = 0; i < RESIDUAL_BUCKETS; i++)
        most_mva = larger(most_mva, found->bucket_mva[i][p]);
    return most_mva;
}

static struct residual_meter *meter_at(const struct residual *residual, uint32_t n)
{
    uint32_t meter = residual->model->node[n].meter;
    return meter != INDEX_NONE && residual->meter[meter].node == n ? &residual->meter[meter] : NULL;
}

/* What goes below may stand here now: as much of it as this node's own meter has found in all is kept, and
 * no more, or the errors of both meters would add up. Where more comes, nothing of its own goes before a
 * window of its own says so. */
static void pass_to(const struct residual *residual, const struct model_node *from, uint32_t a,
                    int64_t more_mva[ANCESTORS_MAX][PHASES])
{
    uint32_t n = from->ancestor[a];
    struct residual_meter *m = meter_at(residual, n);
    int64_t *passed_mva = residual->node[n].passed_mva;
    for (uint32_t p = 0; p < PHASES; p++) {
        passed_mva[p] += more_mva[a][p];
        if (!m || more_mva[a][p] >= 0)
            continue;
        int64_t lacks_mva = most_mva(&m->all, p) - passed_mva[p] - m->learnt_mva[p];
        int64_t kept_mva = larger(smaller(-more_mva[a][p], lacks_mva), 0);
        m->learnt_mva[p] += kept_mva;
        for (uint32_t b = 0; kept_mva && b < from->ancestor_count; b++)
            if (model_lies_below(residual->model, n, from->ancestor[b]))
                more_mva[b][p] += kept_mva;
    }
}

/* A node comes after all that lie below it: the next one above in the order of the model, or the count. */
static uint32_t next_above(const struct model_node *from, uint32_t a)
{
    uint32_t next = from->ancestor_count;
    for (uint32_t b = 0; b < from->ancestor_count; b++)
        if (from->ancestor[b] < from->ancestor[a] &&
            (next == from->ancestor_count || from->ancestor[b] > from->ancestor[next]))
            next = b;
    return next;
}

static bool set_learnt(struct residual *residual, struct residual_meter *m, const int64_t learnt_mva[PHASES],
                       int64_t t_ns)
{
    const struct model_node *node = &residual->model->node[m->node];
    int64_t more_mva[ANCESTORS_MAX][PHASES];
    bool changes = false, raises = false;   /* on some phase */
    for (uint32_t p = 0; p < PHASES; p++) {
        changes |= learnt_mva[p] != m->learnt_mva[p];
        for (uint32_t a = 0; a < node->ancestor_count; a++)
            more_mva[a][p] = learnt_mva[p] - m->learnt_mva[p];
        m->learnt_mva[p] = learnt_mva[p];
    }
    if (!changes)
        return false;
    for (uint32_t a = 0; a < node->ancestor_count; a = next_above(node, a)) {
        if (a)
            pass_to(residual, node, a, more_mva);
        for (uint32_t p = 0; p < PHASES; p++)
            raises |= more_mva[a][p] > 0;
        sums_add_standing(residual->ledger, node->ancestor[a], more_mva[a], RECOVERY_OTHER);
        see_outgrown(residual, node->ancestor[a], t_ns);
    }
    return raises;
}

void residual_hand(struct residual *residual, uint32_t meter, const int64_t learnt_mva[PHASES], int64_t t_ns)
{
    struct residual_meter *m = &residual->meter[meter];
    if (m->node == INDEX_NONE)
        return;
    memcpy(m->more.bucket_mva[m->bucket], learnt_mva, sizeof m->more.bucket_mva[m->bucket]);
    set_learnt(residual, m, learnt_mva, t_ns);
    const struct model_node *node = &residual->model->node[m->node];
    for (uint32_t i = 0; i < node->ancestor_count * PHASES; i++) {
        uint32_t n = node->ancestor[i / PHASES], p = i % PHASES;
        struct residual_meter *above = meter_at(residual, n);
        if (above)
            above->all.bucket_mva[above->bucket][p] =
                larger(above->all.bucket_mva[above->bucket][p], residual_learnt_mva(residual, n, p));
    }
}

static bool throw_away(struct residual *residual, struct residual_meter *m)
{
    residual->thrown++;
    memset(m->all.before_mva, 0, sizeof m->all.before_mva);
    memset(m->more.before_mva, 0, sizeof m->more.before_mva);
    return false;
}

/* A bucket is over with a window that counts: what nobody has looked for since has not gone. */
static void turn_bucket(struct residual_meter *m, int64_t t_ns)
{
    if (t_ns - m->bucket_ns < RESIDUAL_BUCKET_NS)
        return;
    m->bucket_ns = t_ns;
    m->bucket = (uint8_t)((m->bucket + 1) % RESIDUAL_BUCKETS);
    memset(m->all.bucket_mva[m->bucket], 0, sizeof m->all.bucket_mva[m->bucket]);
    memset(m->more.bucket_mva[m->bucket], 0, sizeof m->more.bucket_mva[m->bucket]);
}

/* One window may lie across a change that hosts tell late; two in a row do not. */
static void keep(struct residual_found *found, uint32_t bucket, uint32_t p, int64_t now_mva)
{
    int64_t again_mva = smaller(now_mva, found->before_mva[p]);
    found->before_mva[p] = now_mva;
    found->bucket_mva[bucket][p] = larger(found->bucket_mva[bucket][p], again_mva);
}

bool residual_judge(struct residual *residual, uint32_t meter, int64_t t_ns)
{
    struct residual_meter *m = &residual->meter[meter];
    const int64_t *passed_mva = residual->node[m->node].passed_mva;
    int64_t known_mva[PHASES], learnt_mva[PHASES];
    bool lowers = false;
    if (!residual_read_through(residual, meter))
        return throw_away(residual, m);
    struct measured measured = measured_of(residual, m);
    if (!is_represented(m, &measured))
        return throw_away(residual, m);
    residual->windows++;
    for (uint32_t p = 0; p < PHASES; p++)
        known_mva[p] = most_mva(&m->more, p);
    if (!m->spoilt)
        turn_bucket(m, t_ns);
    for (uint32_t p = 0; p < PHASES; p++) {
        bool counts = m->phases >> p & 1;
        keep(&m->all, m->bucket, p, counts ? found_mva(residual, meter, &measured, p, 0) : 0);
        keep(&m->more, m->bucket, p, counts ? found_mva(residual, meter, &measured, p, passed_mva[p]) : 0);
        int64_t kept_mva = smaller(m->learnt_mva[p], most_mva(&m->all, p) - passed_mva[p]);
        learnt_mva[p] = larger(most_mva(&m->more, p), kept_mva);
        if (m->spoilt)
            learnt_mva[p] = larger(learnt_mva[p], m->learnt_mva[p]);
        lowers |= learnt_mva[p] < known_mva[p];     /* what is kept alone was forgotten below */
    }
    bool raises = set_learnt(residual, m, learnt_mva, t_ns);
    residual->raised += raises;
    residual->lowered += lowers && !raises;
    return raises;
}

/* ---- the round ---- */

static void start_judging(struct residual *residual)
{
    residual->phase = RESIDUAL_JUDGES;
    residual->cursor = residual->model->node_count;
}

static void start_sums(struct residual *residual)
{
    residual->unseen = (uint8_t)(residual->permits->losses & ~permit_feeds_seen(residual->permits));
    residual->phase = RESIDUAL_SUMS;
    residual->cursor = 0;
}

static bool judge_next(struct residual *residual, int64_t t_ns)
{
    uint32_t node = --residual->cursor, meter = residual->model->node[node].meter;
    if (residual->node[node].outgrown && residual->outgrown->newest == INDEX_NONE)
        residual->outgrown->newest = node;
    if (meter == INDEX_NONE || residual->meter[meter].node != node)
        return false;
    struct residual_meter *m = &residual->meter[meter];
    bool turned = residual->turns != residual->permits->feed_turns;
    bool raises = turned ? throw_away(residual, m) : residual_judge(residual, meter, t_ns);
    memset(m->drawn_mw, 0, sizeof m->drawn_mw);
    memset(m->reported_swing_mw, 0, sizeof m->reported_swing_mw);
    return raises;
}

/* A feed that turns leaves nothing of the window; what begins then shows it as it is. */
static void gather(struct residual *residual, int64_t t_ns)
{
    if (residual->turns != residual->permits->feed_turns)
        start_judging(residual);
    else if (t_ns > residual->end_ns + residual->confirm_ns)
        start_sums(residual);
}

bool residual_part(struct residual *residual, int64_t t_ns, uint32_t items)
{
    bool raises = false;
    if (!residual->meters)
        return false;
    if (residual->phase == RESIDUAL_GATHERS)
        gather(residual, t_ns);
    for (; items && residual->phase == RESIDUAL_SUMS; items--) {
        if (residual->cursor < residual->model->host_count) {
            add_host(residual, residual->cursor++, t_ns);
            continue;
        }
        start_judging(residual);
    }
    for (; items && residual->phase == RESIDUAL_JUDGES; items--) {
        raises |= judge_next(residual, t_ns);
        if (!residual->cursor)
            residual_begin(residual, t_ns);
    }
    return raises;
}
