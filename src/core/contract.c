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

/* ---- what flows through a place: a host's draw by the shares of its cords, tolerance taken out ---- */

static int64_t share_sum_ppm(const struct model_host *h)
{
    int64_t sum_ppm = 0;
    for (uint32_t j = 0; j < h->cord_count; j++)
        sum_ppm += h->cord[j].share_ppm[0];
    return larger(sum_ppm, 1);
}

int64_t contract_cord_ppm(const struct model_host *h, uint32_t j)
{
    return draw_ceil_div(h->cord[j].share_ppm[0] * PPM, share_sum_ppm(h));
}

static bool is_above(const struct contracts *contracts, uint32_t place, const struct model_cord *cord)
{
    const struct model *model = contracts->model;
    if (place >= model->node_count)
        return contracts->within[cord->node] >> (place - model->node_count) & 1;
    return model_lies_below(model, cord->node, place);
}

int64_t contract_part_ppm(const struct contracts *contracts, uint32_t host, uint32_t place)
{
    const struct model_host *h = &contracts->model->host[host];
    int64_t part = 0;
    for (uint32_t j = 0; j < h->cord_count; j++)
        part += is_above(contracts, place, &h->cord[j]) ? contract_cord_ppm(h, j) : 0;
    return part;
}

static int64_t through_mw(int64_t draw_mw, int64_t part)
{
    return draw_ceil_div(draw_mw * part, PPM);
}

/* Places above a cord: the nodes, then the groups. INDEX_NONE behind the last. */
static uint32_t place_above(const struct contracts *contracts, const struct model_cord *cord, uint32_t i)
{
    const struct model_node *n = &contracts->model->node[cord->node];
    if (i < n->ancestor_count)
        return n->ancestor[i];
    uint32_t groups = contracts->within[cord->node];
    for (i -= n->ancestor_count; i > 0; i--)
        groups &= groups - 1;
    return groups ? contracts->model->node_count + (uint32_t)__builtin_ctz(groups) : INDEX_NONE;
}

/* Differences of rounded parts, so that what was added can be taken away again to the last mW. */
static void move(struct contracts *contracts, int64_t *by_place, uint32_t host, int64_t old_mw,
                 int64_t new_mw)
{
    const struct model_host *h = &contracts->model->host[host];
    for (uint32_t j = 0; j < h->cord_count; j++) {
        int64_t part = contract_cord_ppm(h, j);
        int64_t delta_mw = through_mw(new_mw, part) - through_mw(old_mw, part);
        uint32_t place;
        for (uint32_t i = 0; (place = place_above(contracts, &h->cord[j], i)) != INDEX_NONE; i++)
            by_place[place] += delta_mw;
    }
}

/* ---- start ---- */

uint32_t contract_places(const struct model *model)
{
    return model->node_count + (model->host_count ? CONTRACT_GROUPS_MAX : 0);
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
    for (uint32_t place = 0; place < contract_places(model); place++)
        contracts->budget_mw[place] = CONTRACT_FREE;
    for (uint32_t host = 0; host < model->host_count; host++) {
        const struct model_host_type *type = type_of(contracts, host);
        move(contracts, contracts->fail_safe_mw, host, 0,
             draw_of_cap_mw(type, model->host[host].fail_safe_mw));
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
    move(contracts, contracts->drawn_mw, host, old_mw, new_mw);
    contracts->counted_mw[host] = new_mw;
}

/* ---- given, lifted, over ---- */

static void find_budget(struct contracts *contracts, uint32_t place)
{
    int64_t other_mw = 0, budget_mw = CONTRACT_FREE;
    for (uint32_t i = 0; i < contract_nodes(contracts, place) * PHASES; i++)
        other_mw +=
            contracts->model->node[contract_node(contracts, place, i / PHASES)].other_mva[i % PHASES];
    for (uint32_t i = 0; i < CONTRACTS_MAX; i++) {
        const struct contract *item = &contracts->item[i];
        if (item->number && item->kind == ORDER_CAP && item->place == place)
            budget_mw = smaller(budget_mw, larger(item->value_mw - other_mw - item->excess_mw, 0));
    }
    contracts->budget_mw[place] = budget_mw;
}

uint32_t contract_binding(const struct contracts *contracts, uint32_t place)
{
    const struct contract *least = NULL;
    for (uint32_t i = 0; contracts->count && i < CONTRACTS_MAX; i++) {
        const struct contract *item = &contracts->item[i];
        if (item->number && item->kind == ORDER_CAP && item->place == place &&
            (!least || item->value_mw - item->excess_mw < least->value_mw - least->excess_mw))
            least = item;
    }
    return least ? least->id : 0;
}

static void end(struct contracts *contracts, struct contract *item)
{
    uint32_t place = item->place;
    *item = (struct contract){0};
    contracts->count--;
    find_budget(contracts, place);
    contract_place_leave(contracts, place);
}

static struct contract *find(struct contracts *contracts, uint32_t id)
{
    for (uint32_t i = 0; i < CONTRACTS_MAX; i++)
        if (contracts->item[i].number && contracts->item[i].id == id)
            return &contracts->item[i];
    return NULL;
}

uint32_t contract_place_of(const struct contracts *contracts, uint32_t id)
{
    uint32_t i = 0;
    while (i < CONTRACTS_MAX && !(contracts->item[i].number && contracts->item[i].id == id))
        i++;
    return i < CONTRACTS_MAX ? contracts->item[i].place : INDEX_NONE;
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

/* Room for a new contract, or the old one of this id makes it. */
static bool has_room(struct contracts *contracts, uint32_t id)
{
    return find(contracts, id) || find_free(contracts);
}

enum order_refusal contract_give(struct contracts *contracts, const struct slot_order *order, int64_t t_ns)
{
    bool ramp = order->kind == ORDER_RAMP;
    enum order_refusal refusal = ORDER_TAKEN;
    if (ramp && loosens_ramp(&contracts->model->node[order->node], order))
        return ORDER_REFUSED_LOOSENS;
    if (!has_room(contracts, order->contract))
        return ORDER_REFUSED_FULL;
    uint32_t place = contract_place(contracts, order, &refusal);
    if (place == INDEX_NONE)
        return refusal;
    struct contract *item = find(contracts, order->contract);
    if (item)
        end(contracts, item);
    item = find_free(contracts);
    *item = (struct contract){
        .number = order->number,
        .id = order->contract,
        .place = place,
        .kind = (uint8_t)order->kind,
        .value_mw = order->value_mw,
        .down_mw_per_s = ramp ? order->down_mw_per_s : 0,
        .due_ns = t_ns + order->within_ns,
        .until_ns = order->for_ns ? t_ns + order->within_ns + order->for_ns : INT64_MAX,
        .judged_ns = t_ns,
        .mean_mw = -1,
    };
    contracts->count++;
    find_budget(contracts, place);
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

bool contract_below_fail_safe(const struct contracts *contracts, uint32_t host)
{
    const struct model_host *h = &contracts->model->host[host];
    uint32_t place;
    for (uint32_t j = 0; contracts->count && j < h->cord_count; j++)
        for (uint32_t i = 0; (place = place_above(contracts, &h->cord[j], i)) != INDEX_NONE; i++)
            if (contracts->budget_mw[place] < contracts->fail_safe_mw[place])
                return true;
    return false;
}

static int64_t room_at_mw(const struct contracts *contracts, uint32_t host, uint32_t place)
{
    int64_t part = contract_part_ppm(contracts, host, place);
    int64_t others_mw = contracts->drawn_mw[place] - through_mw(contracts->counted_mw[host], part);
    int64_t left_mw = larger(contracts->budget_mw[place] - others_mw, 0);
    /* two cords below one place are rounded one by one: a few mW beside what is counted as one */
    left_mw = larger(left_mw - CORDS_MAX, 0);
    return draw_cap_within_mw(type_of(contracts, host), left_mw * PPM / larger(part, 1));
}

int64_t contract_room_mw(const struct contracts *contracts, uint32_t host, int64_t cap_mw, int64_t least_mw,
                         uint32_t *place)
{
    const struct model_host *h = &contracts->model->host[host];
    uint32_t at;
    *place = INDEX_NONE;
    for (uint32_t j = 0; contracts->count && j < h->cord_count; j++) {
        for (uint32_t i = 0; (at = place_above(contracts, &h->cord[j], i)) != INDEX_NONE; i++) {
            if (contracts->budget_mw[at] == CONTRACT_FREE)
                continue;
            int64_t room_mw = larger(room_at_mw(contracts, host, at), least_mw);
            if (room_mw >= cap_mw)
                continue;
            cap_mw = room_mw;
            *place = at;
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
        if (!item->number || item->kind != ORDER_RAMP || item->place != node)
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
    item->mean_mw = mean_mw;
    finding->trim |= correct(item, mean_mw, t_ns);
    item->sum_mw = 0;
    item->readings = 0;
}

struct contract_finding contract_reading(struct contracts *contracts, uint32_t place, int64_t measured_mw,
                                         int64_t t_ns)
{
    struct contract_finding finding = {0};
    int64_t mean_mw;
    if (contracts->budget_mw[place] == CONTRACT_FREE)
        return finding;
    for (uint32_t i = 0; i < CONTRACTS_MAX; i++) {
        struct contract *item = &contracts->item[i];
        if (item->number && item->kind == ORDER_CAP && item->place == place &&
            window_is_over(contracts, item, measured_mw, t_ns, &mean_mw))
            judge(item, mean_mw, t_ns, &finding);
    }
    find_budget(contracts, place);
    return finding;
}
