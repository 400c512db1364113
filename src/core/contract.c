/* SPDX-License-Identifier: Apache-2.0 */
/* Contracts in force, what they leave to hosts, and what the meter says of it. */
#include "core/contract.h"

#include <stddef.h>

#include "core/compare.h"
#include "core/draw.h"

enum { GIVEN_BACK = 4, CALM = 32 };

static const struct model_host_type *type_of(const struct contracts *contracts, uint32_t host)
{
    return &contracts->model->type[contracts->model->host[host].type];
}

/* ---- what flows through a node: a host's draw by the shares of its cords, tolerance taken out ---- */

static int64_t share_sum_ppm(const struct model_host *h)
{
    int64_t sum_ppm = 0;
    for (uint32_t j = 0; j < h->cord_count; j++)
        sum_ppm += h->cord[j].share_ppm[0];
    return larger(sum_ppm, 1);
}

static bool is_above(const struct model *model, uint32_t node, const struct model_cord *cord)
{
    const struct model_node *n = &model->node[cord->node];
    for (uint32_t a = 0; a < n->ancestor_count; a++)
        if (n->ancestor[a] == node)
            return true;
    return false;
}

static int64_t cord_part_ppm(const struct model_host *h, uint32_t j)
{
    return draw_ceil_div(h->cord[j].share_ppm[0] * PPM, share_sum_ppm(h));
}

int64_t contract_part_ppm(const struct model *model, uint32_t host, uint32_t node)
{
    const struct model_host *h = &model->host[host];
    int64_t part = 0;
    for (uint32_t j = 0; j < h->cord_count; j++)
        part += is_above(model, node, &h->cord[j]) ? cord_part_ppm(h, j) : 0;
    return part;
}

static int64_t through_mw(int64_t draw_mw, int64_t part)
{
    return draw_ceil_div(draw_mw * part, PPM);
}

/* Differences of rounded parts, so that what was added can be taken away again to the last mW. */
static void move(struct contracts *contracts, int64_t *by_node, uint32_t host, int64_t old_mw, int64_t new_mw,
                 bool beside_only)
{
    const struct model *model = contracts->model;
    const struct model_host *h = &model->host[host];
    for (uint32_t j = beside_only ? 1 : 0; j < h->cord_count; j++) {
        const struct model_node *n = &model->node[h->cord[j].node];
        int64_t part = cord_part_ppm(h, j);
        int64_t delta_mw = through_mw(new_mw, part) - through_mw(old_mw, part);
        for (uint32_t a = 0; a < n->ancestor_count; a++)
            if (!beside_only || !is_above(model, n->ancestor[a], &h->cord[0]))
                by_node[n->ancestor[a]] += delta_mw;
    }
}

/* ---- start ---- */

static void note_ratio(struct contracts *contracts, uint32_t host)
{
    const struct model *model = contracts->model;
    const struct model_cord *cord = &model->host[host].cord[0];
    const struct model_node *n = &model->node[cord->node];
    int64_t share = 0, phases_ppm = 0;
    for (uint32_t c = 0; c < model->contingency_count; c++)
        share = larger(share, cord->share_ppm[c]);
    for (uint32_t phase = 0; phase < PHASES; phase++)
        phases_ppm += cord->phase_ppm[phase];
    for (uint32_t a = 0; a < n->ancestor_count; a++) {
        int64_t part = larger(contract_part_ppm(model, host, n->ancestor[a]), 1);
        int64_t *least_ppm = &contracts->mva_per_mw_ppm[n->ancestor[a]];
        int64_t ppm = share * phases_ppm / type_of(contracts, host)->pf_min_ppm * PPM / part;
        *least_ppm = *least_ppm ? smaller(*least_ppm, ppm) : ppm;
    }
}

void contract_init(struct contracts *contracts, const struct model *model)
{
    int64_t actuation_ns = 0, fresh_ns = 0;
    contracts->model = model;
    for (uint32_t i = 0; i < model->type_count; i++)
        actuation_ns = larger(actuation_ns, model->type[i].actuation_ns);
    for (uint32_t i = 0; i < model->meter_count; i++)
        fresh_ns = larger(fresh_ns, model->meter[i].fresh_ns);
    contracts->settle_ns = actuation_ns + fresh_ns + model->policy.tick_ns;
    for (uint32_t n = 0; n < model->node_count; n++)
        contracts->budget_mw[n] = CONTRACT_FREE;
    for (uint32_t host = 0; host < model->host_count; host++) {
        const struct model_host_type *type = type_of(contracts, host);
        move(contracts, contracts->fail_safe_mw, host, 0,
             draw_of_cap_mw(type, model->host[host].fail_safe_mw), false);
        note_ratio(contracts, host);
    }
}

/* ---- what hosts may draw ---- */

/* By the highest lease that may still be obeyed. Unlike exposure, leases below fail-safe count as they are:
 * a contract is no protection, and a host that runs into fail-safe is seen by the meter. */
static int64_t allowed_mw(const struct ledger *ledger, uint32_t host)
{
    const struct ledger_host *h = &ledger->host[host];
    if (!h->bounded)
        return h->exposed_draw_mw;
    int64_t cap_mw = h->unretired_count ? h->unretired[0].cap_mw : h->fail_safe_mw;
    return draw_of_cap_mw(&ledger->model->type[ledger->model->host[host].type], cap_mw);
}

void contract_note(struct contracts *contracts, const struct ledger *ledger, uint32_t host)
{
    int64_t old_mw = contracts->counted_mw[host], new_mw = allowed_mw(ledger, host);
    if (new_mw == old_mw)
        return;
    move(contracts, contracts->drawn_mw, host, old_mw, new_mw, false);
    move(contracts, contracts->beside_mw, host, old_mw, new_mw, true);
    contracts->counted_mw[host] = new_mw;
}

/* ---- given, lifted, over ---- */

static void find_budget(struct contracts *contracts, uint32_t node)
{
    int64_t other_mw = 0, budget_mw = CONTRACT_FREE;
    for (uint32_t phase = 0; phase < PHASES; phase++)
        other_mw += contracts->model->node[node].other_mva[phase];
    for (uint32_t i = 0; i < CONTRACTS_MAX; i++) {
        const struct contract *item = &contracts->item[i];
        if (item->number && item->kind == ORDER_CAP && item->node == node)
            budget_mw = smaller(budget_mw, larger(item->value_mw - other_mw - item->excess_mw, 0));
    }
    contracts->budget_mw[node] = budget_mw;
}

static void end(struct contracts *contracts, struct contract *item)
{
    uint32_t node = item->node;
    *item = (struct contract){0};
    contracts->count--;
    find_budget(contracts, node);
}

static struct contract *find(struct contracts *contracts, uint32_t id)
{
    for (uint32_t i = 0; i < CONTRACTS_MAX; i++)
        if (contracts->item[i].number && contracts->item[i].id == id)
            return &contracts->item[i];
    return NULL;
}

static struct contract *find_free(struct contracts *contracts)
{
    for (uint32_t i = 0; i < CONTRACTS_MAX; i++)
        if (!contracts->item[i].number)
            return &contracts->item[i];
    return NULL;
}

/* An order may tighten the ramp of the site file; 0 would lift it. */
static bool loosens_ramp(const struct model_node *node, const struct slot_order *order)
{
    return (node->ramp_up_mw_per_s && (!order->value_mw || order->value_mw > node->ramp_up_mw_per_s)) ||
           (node->ramp_down_mw_per_s &&
            (!order->down_mw_per_s || order->down_mw_per_s > node->ramp_down_mw_per_s));
}

enum order_refusal contract_give(struct contracts *contracts, const struct slot_order *order, int64_t t_ns)
{
    bool ramp = order->kind == ORDER_RAMP;
    if (ramp && loosens_ramp(&contracts->model->node[order->node], order))
        return ORDER_REFUSED_LOOSENS;
    struct contract *item = find(contracts, order->contract);
    if (item)
        end(contracts, item);
    item = find_free(contracts);
    if (!item)
        return ORDER_REFUSED_FULL;
    *item = (struct contract){
        .number = order->number,
        .id = order->contract,
        .node = order->node,
        .kind = (uint8_t)order->kind,
        .value_mw = order->value_mw,
        .down_mw_per_s = ramp ? order->down_mw_per_s : 0,
        .due_ns = t_ns + order->within_ns,
        .until_ns = order->for_ns ? t_ns + order->within_ns + order->for_ns : INT64_MAX,
        .judged_ns = t_ns,
    };
    contracts->count++;
    find_budget(contracts, order->node);
    return ORDER_TAKEN;
}

enum order_refusal contract_lift(struct contracts *contracts, uint32_t id)
{
    struct contract *item = find(contracts, id);
    if (!item)
        return ORDER_REFUSED_VALUE;
    end(contracts, item);
    return ORDER_TAKEN;
}

uint32_t contract_expire(struct contracts *contracts, int64_t t_ns)
{
    uint32_t ended = 0;
    for (uint32_t i = 0; contracts->count && i < CONTRACTS_MAX; i++) {
        struct contract *item = &contracts->item[i];
        if (!item->number || t_ns < item->until_ns)
            continue;
        end(contracts, item);
        ended++;
    }
    return ended;
}

/* ---- what they bound ---- */

int64_t contract_capacity_mva(const struct contracts *contracts, uint32_t node)
{
    int64_t budget_mw = contracts->budget_mw[node];
    if (budget_mw == CONTRACT_FREE)
        return CONTRACT_FREE;
    int64_t left_mw = larger(budget_mw - contracts->beside_mw[node], 0),
            ppm = contracts->mva_per_mw_ppm[node];
    return left_mw / PPM * ppm + left_mw % PPM * ppm / PPM;
}

bool contract_below_fail_safe(const struct contracts *contracts, uint32_t host)
{
    const struct model_host *h = &contracts->model->host[host];
    for (uint32_t j = 0; contracts->count && j < h->cord_count; j++) {
        const struct model_node *n = &contracts->model->node[h->cord[j].node];
        for (uint32_t a = 0; a < n->ancestor_count; a++)
            if (contracts->budget_mw[n->ancestor[a]] < contracts->fail_safe_mw[n->ancestor[a]])
                return true;
    }
    return false;
}

static int64_t room_at_mw(const struct contracts *contracts, uint32_t host, uint32_t node)
{
    int64_t part = contract_part_ppm(contracts->model, host, node);
    int64_t others_mw = contracts->drawn_mw[node] - through_mw(contracts->counted_mw[host], part);
    int64_t left_mw = larger(contracts->budget_mw[node] - others_mw, 0);
    /* two cords below one node are rounded one by one: a few mW beside what is counted as one */
    left_mw = larger(left_mw - CORDS_MAX, 0);
    return draw_cap_within_mw(type_of(contracts, host), left_mw * PPM / larger(part, 1));
}

int64_t contract_room_mw(const struct contracts *contracts, uint32_t host, int64_t cap_mw, int64_t least_mw,
                         uint32_t *node)
{
    const struct model_host *h = &contracts->model->host[host];
    *node = INDEX_NONE;
    for (uint32_t j = 0; contracts->count && j < h->cord_count; j++) {
        const struct model_node *n = &contracts->model->node[h->cord[j].node];
        for (uint32_t a = 0; a < n->ancestor_count; a++) {
            if (contracts->budget_mw[n->ancestor[a]] == CONTRACT_FREE)
                continue;
            int64_t room_mw = larger(room_at_mw(contracts, host, n->ancestor[a]), least_mw);
            if (room_mw >= cap_mw)
                continue;
            cap_mw = room_mw;
            *node = n->ancestor[a];
        }
    }
    return cap_mw;
}

static int64_t tighter(int64_t a, int64_t b)
{
    if (!a || !b)
        return a ? a : b;
    return smaller(a, b);
}

void contract_ramp(const struct contracts *contracts, uint32_t node, int64_t *up_mw_per_s,
                   int64_t *down_mw_per_s)
{
    const struct model_node *n = &contracts->model->node[node];
    *up_mw_per_s = n->ramp_up_mw_per_s;
    *down_mw_per_s = n->ramp_down_mw_per_s;
    for (uint32_t i = 0; contracts->count && i < CONTRACTS_MAX; i++) {
        const struct contract *item = &contracts->item[i];
        if (!item->number || item->kind != ORDER_RAMP || item->node != node)
            continue;
        *up_mw_per_s = tighter(*up_mw_per_s, item->value_mw);
        *down_mw_per_s = tighter(*down_mw_per_s, item->down_mw_per_s);
    }
}

/* ---- what the meter says ---- */

/* Adds a reading to the window; true when it is over, with its mean. One opens once the newest correction has
 * had its effect. */
static bool window_is_over(const struct contracts *contracts, struct contract *item, int64_t measured_mw,
                           int64_t t_ns, int64_t *mean_mw)
{
    if (t_ns - item->judged_ns < contracts->settle_ns)
        return false;
    item->window_ns = item->readings ? item->window_ns : t_ns;
    item->sum_mw += measured_mw;
    item->readings++;
    *mean_mw = item->sum_mw / item->readings;
    return t_ns - item->window_ns >= CONTRACT_WINDOW_NS;
}

/* The effect of the correction before is in the mean: so a whole step each time does not swing (domain.md
 * 4.5, no delay left). Giving back is slow, and waits for load well below. */
static bool correct(struct contract *item, int64_t mean_mw, int64_t t_ns)
{
    int64_t excess_mw = item->excess_mw;
    if (mean_mw > item->value_mw)
        item->excess_mw = smaller(excess_mw + mean_mw - item->value_mw, item->value_mw);
    else if (excess_mw && mean_mw < item->value_mw - item->value_mw / CALM)
        item->excess_mw -= draw_ceil_div(excess_mw, GIVEN_BACK);
    item->judged_ns = item->excess_mw == excess_mw ? item->judged_ns : t_ns;
    return item->excess_mw > excess_mw;
}

static void judge(struct contract *item, int64_t mean_mw, int64_t t_ns, struct contract_finding *finding)
{
    bool above = mean_mw > item->value_mw && item->window_ns >= item->due_ns;
    finding->breaches += above && !item->breached;
    item->breaches += above && !item->breached;
    item->breached = above;
    finding->trim |= correct(item, mean_mw, t_ns);
    item->sum_mw = 0;
    item->readings = 0;
}

struct contract_finding contract_reading(struct contracts *contracts, uint32_t node, int64_t measured_mw,
                                         int64_t t_ns)
{
    struct contract_finding finding = {0};
    int64_t mean_mw;
    if (contracts->budget_mw[node] == CONTRACT_FREE)
        return finding;
    for (uint32_t i = 0; i < CONTRACTS_MAX; i++) {
        struct contract *item = &contracts->item[i];
        if (item->number && item->kind == ORDER_CAP && item->node == node &&
            window_is_over(contracts, item, measured_mw, t_ns, &mean_mw))
            judge(item, mean_mw, t_ns, &finding);
    }
    find_budget(contracts, node);
    return finding;
}
