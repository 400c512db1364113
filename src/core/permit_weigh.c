/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a meter may be believed: what its hosts report, and what the meters below and above it read. Hosts
 * tell their draw several times a second and each at its own time, so a sum of reports is held against the
 * highest reading of the last moments, and only what lasts is doubt: pulses of a load pass.
 */
#include <stddef.h>

#include "core/compare.h"
#include "core/permit_inside.h"

enum { HOST_ERROR_PPM = 50000, LEAKS = 4, STRETCHES = PERMIT_STRETCHES };
#define STRETCH_NS (100 * NS_PER_MS)

#define COUNTED_FIRST UINT32_C(0x80000000)

static int64_t part(int64_t value, int64_t ppm)
{
    return value / PPM * ppm + value % PPM * ppm / PPM;
}

/* ---- setup: what of a host's draw certainly flows through a node above it ---- */

/* All of it but the most that cords elsewhere may carry. */
static uint32_t least_share_ppm(const struct model *model, const struct model_host *host, uint32_t node)
{
    int64_t least_ppm = PPM;
    for (uint32_t j = 0; j < host->cord_count; j++)
        if (!model_lies_below(model, host->cord[j].node, node))
            least_ppm -= host->cord[j].share_ppm[0];
    return (uint32_t)larger(least_ppm, 0);
}

static bool before(const struct model *model, const struct model_host *host, uint32_t cord, uint32_t node)
{
    for (uint32_t j = 0; j < cord; j++)
        if (model_lies_below(model, host->cord[j].node, node))
            return true;
    return false;
}

static bool is_lender(const struct permits *permits, uint32_t node)
{
    uint32_t meter = permits->model->node[node].meter;
    return meter != INDEX_NONE && permits->meter[meter].lends && permits->meter[meter].node == node;
}

/* Fills the run of a host, and returns where it ends. */
static uint32_t init_host(struct permits *permits, uint32_t host, uint32_t first)
{
    const struct model *model = permits->model;
    const struct model_host *h = &model->host[host];
    permits->least_first[host] = first;
    permits->draw_mw[host] = -1;
    for (uint32_t j = 0; j < h->cord_count; j++) {
        const struct model_node *node = &model->node[h->cord[j].node];
        for (uint32_t a = 0; a < node->ancestor_count; a++) {
            uint32_t n = node->ancestor[a];
            bool counts = is_lender(permits, n) && !before(model, h, j, n);
            permits->least_ppm[first++] = counts ? least_share_ppm(model, h, n) | COUNTED_FIRST : 0;
            permits->sum[n].hosts += counts;
        }
    }
    return first;
}

static bool alike(const uint32_t *a, const uint32_t *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

/* Hosts hang alike, mostly: one run for all of them stays near. Returns where the next one may begin. */
static uint32_t share_run(struct permits *permits, uint32_t host, uint32_t first, uint32_t end)
{
    const uint32_t *least_ppm = permits->least_ppm;
    uint32_t before = host ? permits->least_first[host - 1] : first, count = end - first;
    if (before + count > first || !alike(&least_ppm[before], &least_ppm[first], count))
        return end;
    permits->least_first[host] = before;
    return first;
}

void permit_weigh_init(struct permits *permits)
{
    const struct model *model = permits->model;
    uint32_t first = 0;
    for (uint32_t h = 0; h < model->host_count; h++)
        first = share_run(permits, h, first, init_host(permits, h, first));
    for (uint32_t m = 0; m < model->meter_count; m++) {
        struct permit_node *p = &permits->meter[m];
        const struct model_node *node = &model->node[p->node];
        if (node->meter != m || node->parent_count != 1)
            continue;
        uint32_t above = node->parent[0];
        p->counts_above = is_lender(permits, above) || (p->lends && model->node[above].meter != INDEX_NONE);
    }
    for (uint32_t m = 0; m < model->meter_count; m++) {
        struct permit_node *p = &permits->meter[m];
        p->watched = p->watched || p->counts_above;
        if (p->counts_above && model->node[model->node[p->node].parent[0]].meter != INDEX_NONE)
            permits->meter[model->node[model->node[p->node].parent[0]].meter].watched = true;
    }
}

/* ---- sums by difference ---- */

void permit_weigh_draw(struct permits *permits, uint32_t host, int64_t draw_mw)
{
    const struct model *model = permits->model;
    const struct model_host *h = &model->host[host];
    uint32_t at = permits->least_first[host];
    int64_t was_mw = permits->draw_mw[host];
    permits->draw_mw[host] = draw_mw;
    if (was_mw == draw_mw || !permits->lender_count)
        return;
    uint32_t fresh = (draw_mw >= 0) - (uint32_t)(was_mw >= 0), share_before = 0;
    int64_t change_mw = 0;      /* the same wherever the share is */
    for (uint32_t j = 0; j < h->cord_count; j++) {
        const struct model_node *node = &model->node[h->cord[j].node];
        for (uint32_t a = 0; a < node->ancestor_count; a++) {
            uint32_t share = permits->least_ppm[at++];
            if (!share)
                continue;
            struct permit_sum *sum = &permits->sum[node->ancestor[a]];
            int64_t ppm = share & ~COUNTED_FIRST;
            if (share != share_before)
                change_mw = part(larger(draw_mw, 0), ppm) - part(larger(was_mw, 0), ppm);
            share_before = share;
            sum->reported_mw += change_mw;
            sum->fresh_hosts += fresh;
        }
    }
}

static void count_above(struct permits *permits, struct permit_node *p, int64_t measured_mw, bool fresh)
{
    struct permit_sum *above = &permits->sum[permits->model->node[p->node].parent[0]];
    above->children_mw += (fresh ? measured_mw : 0) - (p->counted ? p->counted_mw : 0);
    above->fresh_children += fresh;
    above->fresh_children -= p->counted;
    p->counted = fresh;
    p->counted_mw = measured_mw;
}

void permit_weigh_silent(struct permits *permits, uint32_t meter)
{
    struct permit_node *p = &permits->meter[meter];
    if (p->counts_above)
        count_above(permits, p, 0, false);
    for (uint32_t i = 0; i < STRETCHES; i++)
        p->highest_mw[i] = 0;
}

/* ---- the judgement ---- */

int64_t permit_highest_mw(struct permit_node *p, int64_t measured_mw, int64_t t_ns)
{
    if (t_ns - p->stretch_ns >= STRETCH_NS) {
        p->stretch_ns = t_ns;
        p->stretch = (uint8_t)((p->stretch + 1) % STRETCHES);
        p->highest_mw[p->stretch] = 0;
    }
    p->highest_mw[p->stretch] = larger(p->highest_mw[p->stretch], measured_mw);
    int64_t most_mw = 0;
    for (uint32_t i = 0; i < STRETCHES; i++)
        most_mw = larger(most_mw, p->highest_mw[i]);
    return most_mw;
}

/* Does the parent read no more than the meters below it add up to? Then none of these reads low. */
static bool agree_below(const struct permits *permits, uint32_t node, int64_t measured_mw)
{
    const struct model_node *n = &permits->model->node[node];
    const struct permit_sum *sum = &permits->sum[node];
    if (n->host_count || !n->child_count || sum->fresh_children != n->child_count)
        return false;
    int64_t error_ppm = permits->model->meter[n->meter].error_ppm;
    return measured_mw - part(measured_mw, 2 * error_ppm) <= sum->children_mw;
}

bool permit_hosts_vouch(const struct permits *permits, uint32_t node)
{
    const struct permit_sum *sum = &permits->sum[node];
    return sum->fresh_hosts && 4 * (uint64_t)sum->fresh_hosts >= 3 * (uint64_t)sum->hosts;
}

static bool corroborated(const struct permits *permits, const struct permit_node *p, int64_t measured_mw)
{
    const struct model_node *node = &permits->model->node[p->node];
    if (permit_hosts_vouch(permits, p->node) || agree_below(permits, p->node, measured_mw))
        return true;
    if (!p->counts_above || permits->model->node[node->parent[0]].meter == INDEX_NONE)
        return false;
    const struct permit_node *above = &permits->meter[permits->model->node[node->parent[0]].meter];
    return above->node == node->parent[0] && above->armed &&
           agree_below(permits, above->node, above->newest_mw);
}

bool permit_hosts_tell_more(const struct permits *permits, uint32_t node, int64_t most_mw)
{
    int64_t reported_mw = permits->sum[node].reported_mw;
    return reported_mw - part(reported_mw, HOST_ERROR_PPM) > most_mw;
}

static bool reads_low(const struct permits *permits, const struct permit_node *p, int64_t most_mw)
{
    const struct permit_sum *sum = &permits->sum[p->node];
    int64_t error_ppm = permits->model->meter[permits->model->node[p->node].meter].error_ppm;
    int64_t true_mw = most_mw + part(most_mw, error_ppm);
    return permit_hosts_tell_more(permits, p->node, true_mw) ||
           sum->children_mw - part(sum->children_mw, 2 * error_ppm) > true_mw;
}

int64_t permit_doubt_ns(int64_t gathered_ns, bool so, int64_t dt_ns)
{
    return so ? gathered_ns + dt_ns : larger(gathered_ns - dt_ns / LEAKS, 0);
}

void permit_weigh_reading(struct permits *permits, uint32_t meter, const struct reading *reading,
                          int64_t t_ns)
{
    struct permit_node *p = &permits->meter[meter];
    const struct model_meter *known = &permits->model->meter[meter];
    int64_t measured_mw = 0, dt_ns = t_ns - p->weighed_ns;
    bool frozen = p->repeats && t_ns > p->until_ns;
    for (uint32_t phase = 0; phase < PHASES; phase++)
        measured_mw += reading->power_mw[phase];
    p->newest_mw = measured_mw;
    p->weighed_ns = t_ns;
    if (p->counts_above)
        count_above(permits, p, measured_mw, !frozen);
    if (!p->lends || frozen)    /* tells nothing any more, nor what it lacks */
        return;
    int64_t most_mw = permit_highest_mw(p, measured_mw, t_ns);
    if (dt_ns > known->fresh_ns)        /* silent in between: what is doubted by now is counted once */
        dt_ns = known->period_ns;
    p->low_ns = permit_doubt_ns(p->low_ns, reads_low(permits, p, most_mw), dt_ns);
    if (p->low_ns >= 2 * PERMIT_DOUBT_NS)
        p->low_ns = 2 * PERMIT_DOUBT_NS;
    p->alone_ns = corroborated(permits, p, measured_mw) ? 0 : p->alone_ns + dt_ns;
}
