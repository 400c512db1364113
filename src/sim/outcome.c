/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/outcome.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const refusal_word[HOLDER_REFUSAL_COUNT] = {
    "accepted", "foreign_incarnation", "old_epoch", "old_sequence", "unknown_echo", "expired_raise",
    "unsaved_epoch", "unasked",
};

int outcome_init(struct outcome *outcome, const struct model *model)
{
    memset(outcome, 0, sizeof(*outcome));
    outcome->node = calloc(model->node_count, sizeof(*outcome->node));
    outcome->meter_frames = calloc(model->meter_count + 1, sizeof(*outcome->meter_frames));
    if (series_init(&outcome->series, model) == 0 && outcome->node && outcome->meter_frames)
        return 0;
    outcome_finish(outcome);
    return -ENOMEM;
}

void outcome_finish(struct outcome *outcome)
{
    series_finish(&outcome->series);
    free(outcome->node);
    free(outcome->meter_frames);
    outcome->node = NULL;
    outcome->meter_frames = NULL;
}

const char *plant_mode_name(enum plant_mode mode)
{
    static const char *const name[PLANT_MODE_COUNT] = {
        "ungoverned", "derated", "static", "oracle", "virtual", "governed",
    };
    return name[mode];
}

static double wh(double joules)
{
    return joules / 3600.0;
}

/* How many times as long as unhindered a class took for the same work; 0: it did none. */
static double slowdown(const struct outcome *outcome, uint32_t class)
{
    double done_j = outcome->class_work_j[class];
    return done_j > 0 ? outcome->class_work_wanted_j[class] / done_j : 0;
}

static void print_work(const struct outcome *outcome, const struct workload *workload, FILE *out)
{
    fputs("  slowdown     ", out);
    for (uint32_t c = 0; c < workload->class_count; c++) {
        double times = slowdown(outcome, c);
        fprintf(out, times > 0 ? "%s%s %.3f" : "%s%s stopped", c ? ", " : "", workload->class[c].name, times);
    }
    fputs(" times as long for the same work\n", out);
}

static void print_trips(const struct outcome *outcome, const struct model *model, FILE *out)
{
    if (!outcome->trip_count)
        fputs("  trips        none\n", out);
    for (uint32_t i = 0; i < outcome->trip_count && i < TRIPS_MAX; i++) {
        const struct grid_trip *trip = &outcome->trip[i];
        const char *kind = trip->device_kind ? trip_kind_name(trip->device_kind) : "";
        fprintf(out, "  trip         %.3f s: %s%s%s%s%s%s, %s element, %.0f A on phase %c\n",
                (double)trip->t_ns / 1e9, model->node[trip->node].name, *kind ? " (" : "", kind,
                *trip->device ? " " : "", trip->device, *kind ? ")" : "", trip_element_name(trip->element),
                trip->amperes, 'A' + (int)trip->phase);
    }
}

static void print_nodes(const struct outcome *outcome, const struct model *model, FILE *out)
{
    for (uint32_t n = 0; n < model->node_count; n++) {
        const struct outcome_node *node = &outcome->node[n];
        if (!model->node[n].limited || model->node[n].kind == NODE_RACK)
            continue;
        fprintf(out, "  %-12s mean %.1f kW, peak %.1f kW, worst phase %.0f A of %.0f A for long, "
                "heat %.0f %% of a trip\n",
                model->node[n].name, node->mean_w / 1e3, node->peak_w / 1e3, node->peak_a,
                (double)model->node[n].steady_ma / 1e3, node->worst_heat * 100);
    }
}

static void print_governor(const struct outcome *outcome, FILE *out)
{
    const char *comma = "  governor     ";
#define PRINT_COUNTER(field, name, meaning) \
    if (outcome->governor.field) { \
        fprintf(out, "%s%s %" PRIu64, comma, name, outcome->governor.field); \
        comma = ", "; \
    }
    CORE_COUNTERS(PRINT_COUNTER)
#undef PRINT_COUNTER
    fputc('\n', out);
    if (outcome->missed)
        fprintf(out, "               missed %" PRIu64 " inputs while it stood still\n", outcome->missed);
}

static const char *const token_word[TOKEN_REASONS] = {
    [TOKEN_WOULD_TRIP] = "would_trip", [TOKEN_PREDICTED_CONFLICT] = "predicted_conflict",
    [TOKEN_POOL_EMPTY] = "pool_empty", [TOKEN_PERMIT_MISSING] = "permit_missing"};

static void print_tokens(const struct outcome_tokens *tokens, FILE *out)
{
    if (!tokens->asked)
        return;
    fprintf(out, "  tokens       %" PRIu64 " asked for ahead, %" PRIu64 " granted", tokens->asked,
            tokens->granted);
    for (int i = 1; i < TOKEN_REASONS; i++) {
        if (tokens->denied[i])
            fprintf(out, ", %" PRIu64 " denied: %s", tokens->denied[i], token_word[i]);
    }
    fputc('\n', out);
}

static void print_network(const struct outcome *outcome, const struct model *model, FILE *out)
{
    const struct outcome_caps *caps = &outcome->caps;
    uint64_t frames = 0;
    if (outcome->mode != PLANT_VIRTUAL && outcome->mode != PLANT_GOVERNED)
        return;
    for (uint32_t m = 0; m < model->meter_count; m++)
        frames += outcome->meter_frames[m];
    fprintf(out, "  sent         %" PRIu64 " meter frames, %" PRIu64 " reports; %" PRIu64
            " not taken by the kernel\n", frames, outcome->reports_sent, outcome->send_failures);
    fprintf(out, "  caps         %" PRIu64 " received, %" PRIu64 " accepted, %" PRIu64 " enforced, %" PRIu64
            " fail-safe falls\n", caps->received, caps->accepted, caps->enforced, caps->fail_safe_falls);
    for (int i = 1; i < HOLDER_REFUSAL_COUNT; i++) {
        if (caps->refused[i])
            fprintf(out, "               refused %" PRIu64 ": %s\n", caps->refused[i], refusal_word[i]);
    }
    print_tokens(&outcome->tokens, out);
    if (outcome->mode == PLANT_VIRTUAL)
        print_governor(outcome, out);
    if (outcome->mode == PLANT_GOVERNED)
        fprintf(out, "  loop         %" PRIu64 " late steps, worst %.3f ms\n", outcome->late_steps,
                (double)outcome->worst_late_ns / 1e6);
}

void outcome_print(const struct outcome *outcome, const struct model *model, const struct workload *workload,
                   FILE *out)
{
    fprintf(out, "%s%s%s: %s, seed %" PRIu64 ", %.1f s (measured from %.1f s), %u hosts on\n",
            plant_mode_name(outcome->mode), outcome->variant[0] ? " " : "", outcome->variant, workload->name,
            outcome->seed, (double)outcome->duration_ns / 1e9, (double)outcome->warmup_ns / 1e9,
            outcome->hosts_on);
    print_trips(outcome, model, out);
    fprintf(out, "  energy       %.1f Wh of %.1f Wh wanted (", wh(outcome->energy_j), wh(outcome->demand_j));
    for (uint32_t c = 0; c < workload->class_count; c++)
        fprintf(out, "%s%s %.1f", c ? ", " : "", workload->class[c].name, wh(outcome->class_energy_j[c]));
    fputs(")\n", out);
    print_work(outcome, workload, out);
    if (outcome->mode == PLANT_STATIC)
        fprintf(out, "  best caps    %.1f Wh knowing the means, %.1f Wh knowing all demand: "
                "the better is the baseline\n",
                wh(outcome->mean_plan_j), wh(outcome->distribution_plan_j));
    print_nodes(outcome, model, out);
    print_network(outcome, model, out);
}

static void json_trips(const struct outcome *outcome, const struct model *model, FILE *out)
{
    fprintf(out, "\"trips\": %u, \"trip\": [", outcome->trip_count);
    for (uint32_t i = 0; i < outcome->trip_count && i < TRIPS_MAX; i++) {
        const struct grid_trip *trip = &outcome->trip[i];
        fprintf(out, "%s{\"t_s\": %.3f, \"node\": \"%s\", \"element\": \"%s\", \"amperes\": %.2f, "
                "\"phase\": \"%c\"",
                i ? ", " : "", (double)trip->t_ns / 1e9, model->node[trip->node].name,
                trip_element_name(trip->element), trip->amperes, 'A' + (int)trip->phase);
        if (trip->device_kind)
            fprintf(out, ", \"trip_unit\": \"%s\", \"device\": \"%s\"",
                    trip_kind_name(trip->device_kind), trip->device);
        fputc('}', out);
    }
    fputs("], ", out);
}

static void json_energy(const struct outcome *outcome, const struct workload *workload, FILE *out)
{
    fprintf(out, "\"energy_wh\": %.6f, \"demand_wh\": %.6f, \"energy_class_wh\": {", wh(outcome->energy_j),
            wh(outcome->demand_j));
    for (uint32_t c = 0; c < workload->class_count; c++)
        fprintf(out, "%s\"%s\": %.6f", c ? ", " : "", workload->class[c].name,
                wh(outcome->class_energy_j[c]));
    fputs("}, ", out);
}

static void json_work(const struct outcome *outcome, const struct workload *workload, FILE *out)
{
    double work_j = 0;
    fputs("\"slowdown\": {", out);
    for (uint32_t c = 0; c < workload->class_count; c++) {
        double times = slowdown(outcome, c);
        work_j += outcome->class_work_j[c];
        fprintf(out, times > 0 ? "%s\"%s\": %.6f" : "%s\"%s\": null", c ? ", " : "",
                workload->class[c].name, times);
    }
    fprintf(out, "}, \"work_wh\": %.6f, ", wh(work_j));
}

static void json_nodes(const struct outcome *outcome, const struct model *model, FILE *out)
{
    const char *comma = "";
    fputs("\"node\": {", out);
    for (uint32_t n = 0; n < model->node_count; n++) {
        const struct outcome_node *node = &outcome->node[n];
        if (!model->node[n].limited)
            continue;
        fprintf(out, "%s\"%s\": {\"mean_w\": %.1f, \"peak_w\": %.1f, \"peak_a\": %.2f, "
                "\"limit_a\": %.2f, \"heat\": %.4f}",
                comma, model->node[n].name, node->mean_w, node->peak_w, node->peak_a,
                (double)model->node[n].steady_ma / 1e3, node->worst_heat);
        comma = ", ";
    }
    fputs("}, ", out);
}

static void json_network(const struct outcome *outcome, const struct model *model, FILE *out)
{
    const struct outcome_caps *caps = &outcome->caps;
    fprintf(out, "\"caps\": {\"received\": %" PRIu64 ", \"accepted\": %" PRIu64 ", \"enforced\": %" PRIu64
            ", \"undecodable\": %" PRIu64 ", \"fail_safe_falls\": %" PRIu64 ", \"refused\": {",
            caps->received, caps->accepted, caps->enforced, caps->undecodable, caps->fail_safe_falls);
    for (int i = 1; i < HOLDER_REFUSAL_COUNT; i++)
        fprintf(out, "%s\"%s\": %" PRIu64, i > 1 ? ", " : "", refusal_word[i], caps->refused[i]);
    fprintf(out, "}}, \"tokens\": {\"asked\": %" PRIu64 ", \"granted\": %" PRIu64 ", \"denied\": {",
            outcome->tokens.asked, outcome->tokens.granted);
    for (int i = 1; i < TOKEN_REASONS; i++)
        fprintf(out, "%s\"%s\": %" PRIu64, i > 1 ? ", " : "", token_word[i], outcome->tokens.denied[i]);
    fprintf(out, "}}, \"reports_sent\": %" PRIu64 ", \"details_sent\": %" PRIu64
            ", \"send_failures\": %" PRIu64 ", \"meter_frames\": {", outcome->reports_sent,
            outcome->details_sent, outcome->send_failures);
    for (uint32_t m = 0; m < model->meter_count; m++)
        fprintf(out, "%s\"%s\": %" PRIu64, m ? ", " : "", model->meter[m].name, outcome->meter_frames[m]);
    fprintf(out, "}, \"lost\": %" PRIu64, outcome->lost);
    fprintf(out, ", \"late_steps\": %" PRIu64 ", \"worst_late_us\": %.1f", outcome->late_steps,
            (double)outcome->worst_late_ns / 1e3);
}

static void json_governor(const struct outcome *outcome, FILE *out)
{
    const char *comma = "";
    if (outcome->mode != PLANT_VIRTUAL)
        return;
    fprintf(out, ", \"missed\": %" PRIu64 ", \"governor\": {", outcome->missed);
#define JSON_COUNTER(field, name, meaning) \
    fprintf(out, "%s\"%s\": %" PRIu64, comma, name, outcome->governor.field); \
    comma = ", ";
    CORE_COUNTERS(JSON_COUNTER)
#undef JSON_COUNTER
    fputc('}', out);
}

void outcome_json(const struct outcome *outcome, const struct model *model, const struct workload *workload,
                  FILE *out)
{
    fprintf(out, "{\"mode\": \"%s\", \"variant\": \"%s\", \"seed\": %" PRIu64 ", \"duration_s\": %.3f, "
            "\"warmup_s\": %.3f, \"hosts_on\": %u, ", plant_mode_name(outcome->mode), outcome->variant,
            outcome->seed, (double)outcome->duration_ns / 1e9, (double)outcome->warmup_ns / 1e9,
            outcome->hosts_on);
    json_trips(outcome, model, out);
    json_energy(outcome, workload, out);
    json_work(outcome, workload, out);
    json_nodes(outcome, model, out);
    json_network(outcome, model, out);
    if (outcome->mode == PLANT_STATIC)
        fprintf(out, ", \"static_mean_wh\": %.6f, \"static_distribution_wh\": %.6f", wh(outcome->mean_plan_j),
                wh(outcome->distribution_plan_j));
    json_governor(outcome, out);
    fputs(", \"series\": ", out);
    series_json(&outcome->series, model, out);
    fputc('}', out);
}
