/* SPDX-License-Identifier: Apache-2.0 */
/* Everything the daemon tells of itself, as JSON. Read from the views, counters and copies only. */
#include "loop/document.h"

#include "core/breaker.h"
#include "core/permit.h"
#include "loop/verdict.h"
#include "loop/view_words.h"

static const char phase_letter[PHASES] = {'A', 'B', 'C'};

/* One phase of a node. A load of S mVA carries S / V_low amperes: a share of the limit is the same figure in
 * both units. */
static void write_node_phase(FILE *out, const struct model_node *known, const struct core_node_view *node,
                             const struct view_meter *meter, uint32_t phase)
{
    double low_v = (double)known->volts_low_mv / 1e3;
    fprintf(out, "{\"phase\": \"%c\", ", phase_letter[phase]);
    if (meter)
        fprintf(out, "\"load_a\": %.2f, ", meter->current_ma[known->phases == 1 ? 0 : phase] / 1e3);
    else
        fputs("\"load_a\": null, ", out);
    fprintf(out, "\"exposure_a\": %.2f, \"leased_a\": %.2f, ",
            (double)node->exposure_mva[phase] / 1e3 / low_v, (double)node->newest_mva[phase] / 1e3 / low_v);
    if (known->limited)
        fprintf(out, "\"limit_a\": %.2f, \"steady_a\": %.2f}", (double)node->limit_mva[phase] / 1e3 / low_v,
                (double)node->steady_mva[phase] / 1e3 / low_v);
    else
        fputs("\"limit_a\": null, \"steady_a\": null}", out);
}

static void write_element(FILE *out, const char *name, uint8_t role)
{
    if (role < ELEMENT_ROLE_COUNT)
        fprintf(out, ", \"%s\": \"%s\"", name, view_words_element(role));
    else
        fprintf(out, ", \"%s\": null", name);
}

static void write_heat(FILE *out, const struct heat_view *heat)
{
    if (heat->heat_ppm < 0) {
        fputs(", \"heat_pct\": null, \"travel_pct\": null, \"trip_in_s\": null, \"trips_first\": null, "
              "\"admissible_a\": null, \"admissible_by\": null", out);
        return;
    }
    fprintf(out, ", \"heat_pct\": %.4f, \"travel_pct\": %.4f", (double)heat->heat_ppm / 1e4,
            (double)heat->travel_ppm / 1e4);
    if (heat->trip_in_ns == BREAKER_NEVER_NS)
        fputs(", \"trip_in_s\": null", out);
    else
        fprintf(out, ", \"trip_in_s\": %.3f", (double)heat->trip_in_ns / 1e9);
    write_element(out, "trips_first", heat->trips);
    fprintf(out, ", \"admissible_a\": %.2f", (double)heat->admissible_ma / 1e3);
    write_element(out, "admissible_by", heat->binds);
}

/* The reading that covers a node, NULL while there is none. */
static const struct view_meter *covering(const struct loop *loop, uint32_t node, struct view_meter *meter)
{
    uint32_t index = loop->site->model.node[node].meter;
    if (index == INDEX_NONE || !view_read_meter(&loop->view, index, meter) || !meter->t_receive_ns)
        return NULL;
    return meter;
}

/* Why, for how long, and by whom it is held once its time is over. */
static void write_recovery(FILE *out, const struct core_node_view *node, int64_t now_ns)
{
    const char *cause = node->recovery ? view_words_recovery(node->recovery_by) : NULL;
    fputs(", \"recovery_by\": ", out);
    if (cause)
        document_text(out, cause);
    else
        fputs("null", out);
    fputs(", \"recovery_for_s\": ", out);
    if (node->recovery && node->recovery_since_ns)
        fprintf(out, "%.1f", (double)(now_ns - node->recovery_since_ns) / 1e9);
    else
        fputs("null", out);
    fprintf(out, ", \"recovery_silent\": %u, \"recovery_bad\": %u, \"recovery_overdue\": %s",
            node->recovery_silent, node->recovery_bad, node->recovery_overdue ? "true" : "false");
}

/* Load that no lease governs, on the phase that has most of it: by the site file, and measured beyond. */
static void write_other(FILE *out, const struct model_node *known, const struct core_node_view *node)
{
    uint32_t most = 0;
    for (uint32_t p = 1; p < PHASES; p++)
        if (known->other_mva[p] + node->learnt_mva[p] > known->other_mva[most] + node->learnt_mva[most])
            most = p;
    double low_v = (double)known->volts_low_mv / 1e3;
    fprintf(out, ", \"other_a\": %.2f, \"other_learnt_a\": %.2f, \"outgrown\": %s",
            (double)known->other_mva[most] / 1e3 / low_v, (double)node->learnt_mva[most] / 1e3 / low_v,
            node->outgrown ? "true" : "false");
}

/* How far it has come, and for how long it has been there. */
static void write_stage(FILE *out, const struct core_node_view *node, int64_t now_ns)
{
    fprintf(out, ", \"emergency_stage\": \"%s\", \"emergency_stage_for_s\": ", view_words_stage(node->stage));
    if (node->stage_since_ns)
        fprintf(out, "%.3f", (double)(now_ns - node->stage_since_ns) / 1e9);
    else
        fputs("null", out);
}

/* What stands above the limits: a permit, time, orders. */
static void write_steering(FILE *out, const struct core_node_view *node, int64_t now_ns)
{
    fprintf(out,
            ", \"permit\": \"%s\", \"held\": %s, \"damped\": %s, \"maintenance\": \"%s\", \"breach\": %s",
            view_words_permit(node->permit), node->hold_until_ns > now_ns ? "true" : "false",
            node->damped ? "true" : "false", view_words_maintenance(node->maintenance),
            node->breach ? "true" : "false");
    write_recovery(out, node, now_ns);
    if (node->contract_mw)
        fprintf(out, ", \"contract_w\": %.1f", (double)node->contract_mw / 1e3);
    else
        fputs(", \"contract_w\": null", out);
}

/* Where exposure leaves least room, whatever may be lost: of a site that declares no loss the phases say
 * it. */
static void write_tightest(FILE *out, const struct model *model, const struct model_node *known,
                           const struct core_sum *sum)
{
    double low_v = (double)known->volts_low_mv / 1e3;
    if (!known->limited || model->contingency_count < 2) {
        fputs(", \"tightest\": null", out);
        return;
    }
    fputs(", \"tightest\": {\"contingency\": ", out);
    document_text(out, model->contingency[sum->contingency % CONTINGENCIES_MAX].name);
    fprintf(out, ", \"phase\": \"%c\", \"exposure_a\": %.2f, \"limit_a\": %.2f}",
            phase_letter[sum->phase % PHASES], (double)sum->sum_mva / 1e3 / low_v,
            (double)sum->limit_mva / 1e3 / low_v);
}

static void write_node(struct loop *loop, FILE *out, uint32_t i, int64_t now_ns)
{
    const struct model_node *known = &loop->site->model.node[i];
    struct core_node_view node = {.measured_mw = -1, .heat.heat_ppm = -1, .permit = PERMIT_NONE};
    struct view_meter reading;
    const struct view_meter *meter = covering(loop, i, &reading);
    view_read_node(&loop->view, i, &node);
    uint32_t worst = view_worst_phase(&node, known->phases == 1 ? NULL : meter);
    fputs("{\"id\": ", out);
    document_text(out, known->name);
    fprintf(out, ", \"kind\": \"%s\"", view_words_kind(known->kind));
    if (node.measured_mw < 0)
        fputs(", \"load_w\": null", out);
    else
        fprintf(out, ", \"load_w\": %.1f", (double)node.measured_mw / 1e3);
    fprintf(out, ", \"exposure_va\": %.1f, \"leased_va\": %.1f, \"limit_va\": %.1f, \"limited\": %s, "
            "\"emergency\": %s, \"recovery\": %s, \"worst_phase\": \"%c\"",
            (double)node.exposure_mva[worst] / 1e3, (double)node.newest_mva[worst] / 1e3,
            (double)node.limit_mva[worst] / 1e3, known->limited ? "true" : "false",
            node.emergency ? "true" : "false", node.recovery ? "true" : "false", phase_letter[worst]);
    write_stage(out, &node, now_ns);
    write_heat(out, &node.heat);
    write_steering(out, &node, now_ns);
    write_other(out, known, &node);
    document_shed(loop, out, i);
    write_tightest(out, &loop->site->model, known, &node.exposed);
    fputs(", \"phases\": [", out);
    if (known->phases == 1)
        write_node_phase(out, known, &node, meter, worst);
    for (uint32_t phase = 0; phase < PHASES && known->phases > 1; phase++) {
        fputs(phase ? ", " : "", out);
        write_node_phase(out, known, &node, meter, phase);
    }
    fputs("]}", out);
}

void document_untrue(FILE *out, const struct untrue *untrue, int64_t now_ns)
{
    uint64_t count = untrue ? atomic_load_explicit(&untrue->count, memory_order_relaxed) : 0;
    if (!count) {
        fputs(", \"untrue\": null", out);
        return;
    }
    int64_t age_ns = now_ns - atomic_load_explicit(&untrue->t_ns, memory_order_relaxed);
    fprintf(out, ", \"untrue\": {\"count\": %llu, \"refused\": \"%s\", \"ms_ago\": %.1f}",
            (unsigned long long)count,
            refusal_name(atomic_load_explicit(&untrue->refused, memory_order_relaxed)),
            age_ns > 0 ? (double)age_ns / 1e6 : 0);
}

static void write_host(const struct loop *loop, FILE *out, uint32_t i, int64_t now_ns)
{
    struct core_host_view host = {.lease_mw = -1};
    view_read_host(&loop->view, i, &host);
    bool heard = host.incarnation != 0;
    bool quiet = !heard || now_ns - host.report_t_ns > loop->site->model.policy.lease_ns;
    fputs("{\"id\": ", out);
    document_text(out, loop->site->model.host[i].name);
    fprintf(out, ", \"state\": \"%s\"", view_words_host(&host));
    if (host.lease_mw < 0)
        fputs(", \"lease_w\": null", out);
    else
        fprintf(out, ", \"lease_w\": %.1f", (double)host.lease_mw / 1e3);
    fprintf(out, ", \"exposure_w\": %.1f, \"exposed_by\": \"%s\"", (double)host.exposure_mw / 1e3,
            view_words_basis(host.basis));
    fprintf(out, ", \"reserved_w\": %.1f", (double)host.reserved_mw / 1e3);
    if (heard)
        fprintf(out, ", \"draw_w\": %.1f, \"report_age_ms\": %.1f, \"incarnation\": \"%016llx\"",
                (double)host.draw_mw / 1e3, (double)(now_ns - host.report_t_ns) / 1e6,
                (unsigned long long)host.incarnation);
    else
        fputs(", \"draw_w\": null, \"report_age_ms\": null, \"incarnation\": null", out);
    document_untrue(out, &loop->path.lane[0].host_untrue[i], now_ns);
    fprintf(out,
            ", \"quiet\": %s, \"accepted\": %s, \"why\": \"%s\", \"held_by\": ", quiet ? "true" : "false",
            host.accepted ? "true" : "false", view_words_why(host.why));
    if (host.bound.why)
        fprintf(out, "\"%s\"}", view_words_bound(host.bound.term));
    else
        fputs("null}", out);
}

static void write_lists(struct loop *loop, FILE *out, int64_t now_ns)
{
    const struct model *model = &loop->site->model;
    fputs("\"meters\": [", out);
    for (uint32_t i = 0; i < model->meter_count; i++) {
        fputs(i ? ",\n  " : "\n  ", out);
        document_meter(loop, out, i, now_ns);
    }
    fputs("],\n", out);
    document_spectra(loop, out, model->meter_count, now_ns);
    fputs(",\n\"nodes\": [", out);
    for (uint32_t i = 0; i < model->node_count; i++) {
        fputs(i ? ",\n  " : "\n  ", out);
        write_node(loop, out, i, now_ns);
    }
    fputs("],\n\"hosts\": [", out);
    for (uint32_t i = 0; i < model->host_count; i++) {
        fputs(i ? ",\n  " : "\n  ", out);
        write_host(loop, out, i, now_ns);
    }
    fputs("],\n", out);
}

static uint32_t look_at_ports(const struct loop *loop, struct verdict_port port[PORTS_MAX], int64_t now_ns)
{
    for (uint32_t i = 0; i < loop->ports; i++) {
        const struct site_port *row = &loop->site->server.port[i];
        port[i] = (struct verdict_port){.driver = row->driver, .interface = row->interface,
                                        .down = !link_up(&loop->links, i)};
        port[i].conflict = loop->ip[i] && ip_conflict(loop->ip[i], now_ns, port[i].mac);
    }
    return loop->ports;
}

/* Every row of the degradation table, those that are not in as well. */
static void write_degraded(FILE *out, const struct model *model, const struct verdict *verdict,
                           int64_t now_ns)
{
#define DEGRADATION_WORDS(symbol, name, lost, does) [symbol] = {name, lost, does},
    static const struct { const char *name, *lost, *does; } words[] = {DEGRADATIONS(DEGRADATION_WORDS)};
#undef DEGRADATION_WORDS
    fputs("\"degraded\": [", out);
    for (uint32_t i = 0; i < DEGRADATION_COUNT; i++) {
        const struct degrade_row *row = &verdict->row[i];
        char newest[VERDICT_MEMBER_BYTES];
        verdict_member(newest, model, i, row->newest);
        fprintf(out, "%s\n  {\"row\": \"%s\", \"lost\": \"%s\", \"does\": \"%s\", \"now\": %u, ",
                i ? "," : "", words[i].name, words[i].lost, words[i].does, row->now);
        if (row->now)
            fprintf(out, "\"since_s\": %.3f, ", (double)(now_ns - row->since_ns) / 1e9);
        else
            fputs("\"since_s\": null, ", out);
        fputs("\"newest\": ", out);
        if (newest[0])
            document_text(out, newest);
        else
            fputs("null", out);
        fprintf(out, ", \"entered\": %llu, \"left\": %llu}", (unsigned long long)row->entered,
                (unsigned long long)row->left);
    }
    fputs("],\n", out);
}

/* What was lost before is counted for ever; it is an alarm while it goes on. */
static uint64_t journal_failures(const struct loop *loop)
{
    struct degrade_row row = {0};
    if (!view_read_degraded(&loop->view, DEGRADED_JOURNAL, &row) || !row.now)
        return 0;
    return count_read(&loop->drain.journal_errors) + count_read(&loop->drain.journal_dropped);
}

static void write_head(struct loop *loop, FILE *out, int64_t now_ns)
{
    static const char *const modes[] = {"off", "shadow", "advise", "enforce"};
    const struct model *model = &loop->site->model;
    struct verdict verdict;
    struct verdict_port port[PORTS_MAX];
    char breached[NAME_BYTES];
    struct verdict_surroundings around = {
        .journal_failures = journal_failures(loop),
        .port = port,
        .ports = look_at_ports(loop, port, now_ns),
        .breached = orders_breached(&loop->orders, breached),
        .breached_name = breached};
    document_look_at_sheds(loop, &around);
    document_look_at_clocks(loop, &around);
    verdict_make(&verdict, model, &loop->view, &around, loop->t_start_ns, now_ns);
    fputs("{\"site\": ", out);
    document_text(out, model->name);
    fprintf(out, ", \"mode\": \"%s\", \"epoch\": %llu, \"uptime_s\": %.3f,\n", modes[model->mode & 3],
            (unsigned long long)loop->epoch, (double)(now_ns - loop->t_start_ns) / 1e9);
    fprintf(out, "\"verdict\": \"%s\", \"words\": ", verdict_level_name(verdict.level));
    document_text(out, verdict.words);
    fputs(",\n", out);
    document_clock(loop, out);
    write_degraded(out, model, &verdict, now_ns);
    document_alerts(loop, out, now_ns);
    pthread_mutex_lock(&loop->orders.lock);
    orders_write_contracts(&loop->orders, out);
    pthread_mutex_unlock(&loop->orders.lock);
    fputs(",\n", out);
}

static void write_tail(struct loop *loop, FILE *out)
{
    document_stages(loop, out);
    document_queues(loop, out);
    document_budget(loop, out);
    document_counters(loop, out);
    fputs("}\n", out);
}

void loop_document(struct loop *loop, FILE *out)
{
    int64_t now_ns = timebase_now_ns(&loop->base);
    write_head(loop, out, now_ns);
    write_lists(loop, out, now_ns);
    write_tail(loop, out);
}

void loop_document_counters(struct loop *loop, FILE *out)
{
    write_head(loop, out, timebase_now_ns(&loop->base));
    write_tail(loop, out);
}

static void write_named_nodes(const struct model *model, FILE *out)
{
    for (uint32_t i = 0; i < model->node_count; i++) {
        const struct model_node *node = &model->node[i];
        fputs(i ? ",\n  {\"id\": " : "\n  {\"id\": ", out);
        document_text(out, node->name);
        fprintf(out, ", \"kind\": %u, \"phases\": %u, \"limited\": %s, \"volts_low\": %.3f, \"meter\": %lld}",
                node->kind, node->phases, node->limited ? "true" : "false", (double)node->volts_low_mv / 1e3,
                node->meter == INDEX_NONE ? -1LL : (long long)node->meter);
    }
}

void loop_document_names(const struct loop *loop, FILE *out)
{
    const struct model *model = &loop->site->model;
    fputs("{\"site\": ", out);
    document_text(out, model->name);
    fprintf(out, ", \"epoch\": %llu, \"lease_ms\": %.3f,\n\"nodes\": [", (unsigned long long)loop->epoch,
            (double)model->policy.lease_ns / 1e6);
    write_named_nodes(model, out);
    fputs("],\n\"meters\": [", out);
    for (uint32_t i = 0; i < model->meter_count; i++) {
        const struct model_meter *meter = &model->meter[i];
        fputs(i ? ",\n  {\"id\": " : "\n  {\"id\": ", out);
        document_text(out, meter->name);
        fprintf(out, ", \"node\": %u, \"fresh_ms\": %.3f, \"period_ms\": %.3f}", meter->node,
                (double)meter->fresh_ns / 1e6, (double)meter->period_ns / 1e6);
    }
    fputs("],\n\"contingencies\": [", out);
    for (uint32_t i = 0; i < model->contingency_count; i++) {
        fputs(i ? ", " : "", out);
        document_text(out, model->contingency[i].name);
    }
    fputs("],\n\"hosts\": [", out);
    for (uint32_t i = 0; i < model->host_count; i++) {
        fputs(i ? ", " : "\n  ", out);
        document_text(out, model->host[i].name);
    }
    fputs("]}\n", out);
}
