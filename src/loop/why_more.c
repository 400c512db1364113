/* SPDX-License-Identifier: Apache-2.0 */
/* What would raise the cap of a host: one sentence for what binds it now, and for what would let it be. */
#include "core/bound.h"
#include "core/permit.h"
#include "loop/view_words.h"
#include "loop/why_parts.h"

struct asked {
    struct why_sentences *list;
    const struct why *why;
    uint32_t host;
    const struct core_host_view *view;
    const struct bound *bound;
    const char *node;           /* of the bound, "its nodes" where there is none */
    struct core_node_view at;   /* it */
};

static double kw(int64_t mw)
{
    return (double)mw / 1e6;
}

/* The host that holds most there, beside the one that was asked for. */
static void say_most(struct asked *a)
{
    const struct why *why = a->why;
    uint32_t most = INDEX_NONE;
    int64_t most_mva = 0;
    for (uint32_t host = 0; host < why->site->model.host_count; host++) {
        struct core_host_view view;
        if (host == a->host || !view_read_host(why->view, host, &view) || view.lease_mw < 0)
            continue;
        int64_t mva = why_on_node_mva(why, host, a->bound->node, a->bound->contingency, a->bound->phase,
                                      why_draw_mw(why, host, view.lease_mw));
        most = mva > most_mva ? host : most;
        most_mva = mva > most_mva ? mva : most_mva;
    }
    if (most != INDEX_NONE)
        why_say(a->list, "less wanted by others at %s: %s holds most, %.1f A of it", a->node,
                why->site->model.host[most].name, why_amperes(why, a->bound->node, most_mva));
}

static void say_nothing(struct asked *a)
{
    why_say(a->list, "nothing: it has what it can use");
}

static void say_ceiling(struct asked *a)
{
    const struct model *model = &a->why->site->model;
    why_say(a->list, "nothing: %.1f kW is the most its type may be set to",
            kw(model->type[model->host[a->host].type].cap_max_mw));
}

static void say_demand(struct asked *a)
{
    why_say(a->list,
            "a higher draw: it draws %.1f kW, and its cap stays %.0f %% above what it was seen to use",
            kw(a->view->draw_mw), (double)a->why->site->model.policy.demand_headroom_ppm / 1e4);
    if (a->bound->node == INDEX_NONE)
        return;
    struct orders_contract contract;
    if (a->why->orders && orders_cap_over(a->why->orders, a->bound->node, &contract))
        why_say_contract(a->list, &contract);
    else
        why_say(a->list, "room at %s, where nothing is left to give beyond what hosts use", a->node);
}

static void say_share(struct asked *a)
{
    why_say(a->list, "a larger weight than its %u, or less that others want at %s",
            a->why->site->model.host[a->host].weight, a->node);
    if (a->bound->node != INDEX_NONE)
        say_most(a);
}

static void say_tier(struct asked *a)
{
    why_say(a->list, "less that hosts of a higher tier than its %u want at %s", a->view->tier, a->node);
}

static void say_gang(struct asked *a)
{
    const struct why *why = a->why;
    const char *job = why_job(why, a->view->gang);
    uint32_t slowest = INDEX_NONE;
    int64_t least_mw = INT64_MAX;
    for (uint32_t host = 0; host < why->site->model.host_count; host++) {
        struct core_host_view view;
        if (!view_read_host(why->view, host, &view) || view.gang != a->view->gang || view.lease_mw < 0)
            continue;
        slowest = view.lease_mw < least_mw ? host : slowest;
        least_mw = view.lease_mw < least_mw ? view.lease_mw : least_mw;
    }
    if (slowest != INDEX_NONE)
        why_say(a->list, "more for the slowest host of its job%s%s: %s has a cap of %.1f kW", job ? " " : "",
                job ? job : "", why->site->model.host[slowest].name, kw(least_mw));
}

static void say_leased(struct asked *a)
{
    if (a->bound->node == INDEX_NONE)
        return;
    say_most(a);
    if (a->at.permit == PERMIT_NONE)
        why_say(a->list, "%s lends nothing: its steady limit is all there is", a->node);
}

static void say_exposure(struct asked *a)
{
    if (a->bound->node != INDEX_NONE)
        why_say_excess(a->list, a->host, a->bound->node, a->bound->contingency, a->bound->phase);
}

static void say_level(struct asked *a)
{
    if (a->bound->node == INDEX_NONE || !a->at.pool_level_mva)
        return;
    why_say(a->list, "less load at %s: %.1f A against a level of %.1f A, burst credit %.0f %%", a->node,
            why_amperes(a->why, a->bound->node, a->at.pool_load_mva),
            why_amperes(a->why, a->bound->node, a->at.pool_level_mva), (double)a->at.pool_credit_ppm / 1e4);
}

static void say_ramp(struct asked *a)
{
    why_say(a->list, "time: caps below %s may rise by %.1f kW a second", a->node,
            kw(a->at.ramp_up_mw_per_s));
}

static void say_contract(struct asked *a)
{
    struct orders_contract contract;
    struct orders *orders = a->why->orders;
    if (!orders || !a->bound->contract || !orders_contract(orders, a->bound->contract, &contract)) {
        why_say(a->list, "time: the contract at %s is over, and caps rise again", a->node);
        return;
    }
    why_say_contract(a->list, &contract);
    why_say(a->list, "less wanted by others that %s counts", contract.name);
}

static void say_damper(struct asked *a)
{
    why_say(a->list, "calm: caps below %s changed direction too often", a->node);
}

static void say_maintenance(struct asked *a)
{
    const struct model *model = &a->why->site->model;
    why_say(a->list,
            "flyball maintenance put-back: what %s may lend on the loss of %s is withdrawn for a take-out",
            a->node, model->contingency[a->bound->contingency].name);
}

static void say_claim(struct asked *a)
{
    const struct model *model = &a->why->site->model;
    const struct model_host_type *type = &model->type[model->host[a->host].type];
    why_say(a->list, "a report that shows every cap at or below %.1f kW, held for %.0f ms, under this epoch",
            kw(a->view->fail_safe_mw), (double)type->actuation_ns / 1e6);
}

static void say_fail_safe(struct asked *a)
{
    why_say(a->list, "the end of the emergency at %s: a first cut did not do", a->node);
}

static void (*const say_term[BOUND_COUNT])(struct asked *) = {
    [BOUND_NOTHING] = say_nothing,     [BOUND_CEILING] = say_ceiling,
    [BOUND_DEMAND] = say_demand,       [BOUND_SHARE] = say_share,
    [BOUND_TIER] = say_tier,           [BOUND_GANG] = say_gang,
    [BOUND_STEADY] = say_leased,       [BOUND_CURVE] = say_leased,
    [BOUND_EXPOSURE] = say_exposure,   [BOUND_LEVEL] = say_level,
    [BOUND_RAMP] = say_ramp,           [BOUND_CONTRACT] = say_contract,
    [BOUND_DAMPER] = say_damper,       [BOUND_MAINTENANCE] = say_maintenance,
    [BOUND_CLAIM] = say_claim,
    [BOUND_FAIL_SAFE] = say_fail_safe,
};

/* Whatever bound the lease, these stand above it: permits that are missing, waits that run. */
static void say_above(struct asked *a)
{
    const struct model *model = &a->why->site->model;
    const struct model_host *known = &model->host[a->host];
    for (uint32_t n = 0; n < model->node_count; n++) {
        struct core_node_view view;
        bool above = false;
        for (uint32_t j = 0; j < known->cord_count; j++)
            above |= model_lies_below(model, known->cord[j].node, n);
        if (!above || !view_read_node(a->why->view, n, &view))
            continue;
        why_say_permit(a->list, n, &view);
        why_say_waits(a->list, n, &view);
    }
}

void why_more(struct why_sentences *list, uint32_t host, const struct core_host_view *view)
{
    struct asked a = {.list = list, .why = list->why, .host = host, .view = view, .bound = &view->bound,
                      .node = "its nodes", .at = {.permit = PERMIT_NONE}};
    const struct model *model = &a.why->site->model;
    if (!view->incarnation || !view->bound.why) {
        why_say(list, "a report: it has not been heard since the start of the daemon");
        return;
    }
    if (a.bound->node < model->node_count) {
        a.node = model->node[a.bound->node].name;
        view_read_node(a.why->view, a.bound->node, &a.at);
    }
    if (a.bound->term < BOUND_COUNT && say_term[a.bound->term])
        say_term[a.bound->term](&a);
    bool content = a.bound->term == BOUND_NOTHING || a.bound->term == BOUND_CEILING;
    if (!content)
        say_above(&a);
    if (!list->count)
        why_say(list, "time: what held it down is over, or waits for what protects to have cooled");
}
