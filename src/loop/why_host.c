/* SPDX-License-Identifier: Apache-2.0 */
/* One host: its newest lease, what gave that its value, and every node above it. */
#include "loop/document.h"
#include "loop/view_words.h"
#include "loop/why_parts.h"
#include "msg/slot.h"

static double ago_ms(const struct why *why, int64_t t_ns)
{
    return (double)(why->now_ns - t_ns) / 1e6;
}

static void write_lease(const struct why *why, const struct core_host_view *view)
{
    const struct bound *bound = &view->bound;
    if (view->lease_mw < 0 || !bound->why) {
        fputs(",\n\"lease\": null", why->out);
        return;
    }
    double echo_ms = ago_ms(why, bound->echo_t_ns);
    fprintf(why->out, ",\n\"lease\": {\"cap_w\": %.3f", (double)view->lease_mw / 1e3);
    why_number(why, "wanted_w", (double)bound->wanted_mw / 1e3);
    why_number(why, "sent_ms_ago", ago_ms(why, bound->t_ns));
    why_number(why, "echo_ms_old", echo_ms);
    why_number(why, "runs_out_ms", (double)why->site->model.policy.lease_ns / 1e6 - echo_ms);
    why_text(why, "why", view_words_why(bound->why));
    why_number(why, "stands_s", ago_ms(why, bound->since_ns) / 1e3);
    why_text(why, "rule", view_words_why(bound->rule));
    fputs("}", why->out);
}

static const char *input_kind(uint8_t kind)
{
    switch (kind) {
    case SLOT_READING:
        return "reading";
    case SLOT_REPORT:
        return "report";
    case SLOT_TICK:
    case SLOT_TICK_PART:
        return "tick";
    case SLOT_ORDER:
        return "order";
    case SLOT_TOKEN:
        return "token";
    case SLOT_ACCOUNT:
    case SLOT_HANDED:
        return "account";
    default:
        return "other";
    }
}

static const char *input_of(const struct model *model, const struct bound *bound)
{
    if (bound->slot_kind == SLOT_READING && bound->seen_of < model->meter_count)
        return model->meter[bound->seen_of].name;
    if (bound->slot_kind == SLOT_REPORT && bound->seen_of < model->host_count)
        return model->host[bound->seen_of].name;
    if (bound->slot_kind == SLOT_ORDER && bound->seen_of < model->node_count)
        return model->node[bound->seen_of].name;
    return NULL;
}

/* The input that gave the cap its value. */
static void write_input(const struct why *why, const struct bound *bound)
{
    if (!bound->why) {
        fputs(",\n\"input\": null", why->out);
        return;
    }
    fprintf(why->out, ",\n\"input\": {\"kind\": \"%s\", \"slot\": %llu, \"number\": %llu",
            input_kind(bound->slot_kind), (unsigned long long)bound->slot_sequence,
            (unsigned long long)bound->seen_number);
    why_text(why, "of", input_of(&why->site->model, bound));
    why_number(why, "ms_ago", ago_ms(why, bound->since_ns));
    if (bound->slot_kind == SLOT_READING || bound->slot_kind == SLOT_REPORT || bound->slot_kind == SLOT_ORDER)
        why_number(why, "power_w", (double)bound->seen_mw / 1e3);
    else
        why_null(why, "power_w");
    if (bound->slot_kind == SLOT_READING)
        fprintf(why->out, ", \"phase_current_a\": [%.2f, %.2f, %.2f]}", bound->seen_ma[0] / 1e3,
                bound->seen_ma[1] / 1e3, bound->seen_ma[2] / 1e3);
    else
        fputs(", \"phase_current_a\": null}", why->out);
}

/* The contract that binds, as it is in force now; null where it is over, and where none does. */
static void write_binding(const struct why *why, const struct bound *bound)
{
    struct orders_contract contract;
    if (!why->orders || !bound->contract || !orders_contract(why->orders, bound->contract, &contract)) {
        fputs(", \"contract\": null", why->out);
        return;
    }
    fputs(", \"contract\": {\"name\": ", why->out);
    document_text(why->out, contract.name);
    fputs(", \"nodes\": [", why->out);
    for (uint32_t i = 0; i < contract.count; i++) {
        fputs(i ? ", " : "", why->out);
        document_text(why->out, why->site->model.node[contract.node[i]].name);
    }
    fprintf(why->out, "], \"cap_w\": %.3f, \"number\": %llu}", (double)contract.view.value_mw / 1e3,
            (unsigned long long)contract.view.number);
}

static void write_bound(const struct why *why, const struct bound *bound)
{
    if (!bound->why) {
        fputs(",\n\"bound\": null", why->out);
        return;
    }
    fprintf(why->out, ",\n\"bound\": {\"term\": \"%s\"", view_words_bound(bound->term));
    why_text(why, "meaning", view_words_bound_meaning(bound->term));
    write_binding(why, bound);
    if (bound->node >= why->site->model.node_count) {
        fputs(", \"node\": null}", why->out);
        return;
    }
    why_text(why, "node", why->site->model.node[bound->node].name);
    if (bound->limit_mva) {
        fputs(", ", why->out);
        why_sum(why, bound->node, bound->contingency, bound->phase, bound->sum_mva, bound->limit_mva);
    }
    fputs("}", why->out);
}

static void write_exposure(const struct why *why, const struct core_host_view *view)
{
    fprintf(why->out, ",\n\"exposure\": {\"draw_w\": %.3f", (double)view->exposure_mw / 1e3);
    if (view->basis >= BASIS_FAIL_SAFE)
        why_number(why, "cap_w", (double)view->exposed_cap_mw / 1e3);
    else
        why_null(why, "cap_w");
    why_text(why, "basis", view_words_basis(view->basis));
    why_text(why, "meaning", view_words_basis_meaning(view->basis));
    fprintf(why->out, ", \"unretired\": %u}", view->unretired);
}

static void write_above(const struct why *why, uint32_t node, bool first)
{
    const struct model_node *known = &why->site->model.node[node];
    struct core_node_view view = {.measured_mw = -1};
    view_read_node(why->view, node, &view);
    fputs(first ? "\n  {\"id\": " : ",\n  {\"id\": ", why->out);
    document_text(why->out, known->name);
    fputs(", \"leased\": {", why->out);
    why_sum(why, node, view.newest.contingency, view.newest.phase, view.newest.sum_mva,
            view.newest.limit_mva);
    fputs("}, \"exposed\": {", why->out);
    why_sum(why, node, view.exposed.contingency, view.exposed.phase, view.exposed.sum_mva,
            view.exposed.limit_mva);
    fputs("}", why->out);
    why_text(why, "permit", view_words_permit(view.permit));
    why_whether(why, "emergency", view.emergency);
    why_whether(why, "recovery", view.recovery);
    fputs("}", why->out);
}

static bool stands_before(const struct model *model, const struct model_host *known, uint32_t cord,
                          uint32_t node)
{
    for (uint32_t j = 0; j < cord; j++)
        if (model_lies_below(model, known->cord[j].node, node))
            return true;
    return false;
}

/* Every node above any cord, once. */
static void write_nodes(const struct why *why, const struct model_host *known)
{
    const struct model *model = &why->site->model;
    bool first = true;
    fputs(",\n\"above\": [", why->out);
    for (uint32_t j = 0; j < known->cord_count; j++) {
        const struct model_node *node = &model->node[known->cord[j].node];
        for (uint32_t a = 0; a < node->ancestor_count; a++) {
            if (stands_before(model, known, j, node->ancestor[a]))
                continue;
            write_above(why, node->ancestor[a], first);
            first = false;
        }
    }
    fputs("]", why->out);
}

static void write_head(const struct why *why, uint32_t host, const struct core_host_view *view)
{
    const struct model *model = &why->site->model;
    const struct model_host *known = &model->host[host];
    const struct model_host_type *type = &model->type[known->type];
    bool heard = view->incarnation != 0;
    fputs("{\"kind\": \"host\"", why->out);
    why_text(why, "id", known->name);
    why_text(why, "type", type->name);
    why_text(why, "state", view_words_host(view));
    why_whether(why, "quiet", !heard || why->now_ns - view->report_t_ns > model->policy.lease_ns);
    fprintf(why->out, ", \"tier\": %u, \"weight\": %u", view->tier, known->weight);
    why_text(why, "job", why_job(why, view->gang));
    if (heard) {
        why_number(why, "draw_w", (double)view->draw_mw / 1e3);
        why_number(why, "report_ms_old", ago_ms(why, view->report_t_ns));
    } else {
        why_null(why, "draw_w");
        why_null(why, "report_ms_old");
    }
    document_untrue(why->out, why->untrue ? &why->untrue[host] : NULL, why->now_ns);
    why_number(why, "fail_safe_w", (double)(heard ? view->fail_safe_mw : known->fail_safe_mw) / 1e3);
    why_number(why, "reserved_w", (double)view->reserved_mw / 1e3);
    why_number(why, "floor_w", (double)known->floor_mw / 1e3);
    why_number(why, "cap_max_w", (double)type->cap_max_mw / 1e3);
    why_number(why, "phys_max_w", (double)type->phys_max_mw / 1e3);
}

void why_host(const struct why *why, uint32_t host)
{
    struct core_host_view view = {.lease_mw = -1};
    struct why_sentences more;
    view_read_host(why->view, host, &view);
    write_head(why, host, &view);
    write_lease(why, &view);
    write_input(why, &view.bound);
    write_bound(why, &view.bound);
    write_exposure(why, &view);
    write_nodes(why, &why->site->model.host[host]);
    why_detail(why, host);
    why_open(&more, why, "more");
    why_more(&more, host, &view);
    why_close(&more);
    fputs("}\n", why->out);
}
