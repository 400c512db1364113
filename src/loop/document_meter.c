/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/document.h"
#include "loop/verdict.h"
#include "loop/view_words.h"

static void write_age(FILE *out, const char *name, int64_t age_ns)
{
    if (age_ns == INT64_MAX)
        fprintf(out, "\"%s\": null", name);
    else
        fprintf(out, "\"%s\": %.3f", name, (double)age_ns / 1e6);
}

static void write_phases(FILE *out, const char *name, const uint32_t value_m[PHASES], uint32_t phases)
{
    fprintf(out, ", \"%s\": [", name);
    for (uint32_t i = 0; i < phases && i < PHASES; i++)
        fprintf(out, "%s%.2f", i ? ", " : "", (double)value_m[i] / 1e3);
    fputs("]", out);
}

void document_meter(struct loop *loop, FILE *out, uint32_t i, int64_t now_ns)
{
    const struct model *model = &loop->site->model;
    const struct model_meter *known = &model->meter[i];
    uint32_t phases = model->node[known->node].phases;
    struct view_meter meter = {0};
    struct view_stale stale = {0};
    view_read_meter(&loop->view, i, &meter);
    view_read_stale(&loop->view, i, &stale);
    uint32_t most_ma = 0, least_mv = meter.voltage_mv[0];
    for (uint32_t phase = 0; phase < phases && phase < PHASES; phase++) {
        most_ma = meter.current_ma[phase] > most_ma ? meter.current_ma[phase] : most_ma;
        least_mv = meter.voltage_mv[phase] < least_mv ? meter.voltage_mv[phase] : least_mv;
    }
    fputs("{\"id\": ", out);
    document_text(out, known->name);
    fputs(", \"node\": ", out);
    document_text(out, model->node[known->node].name);
    enum meter_state state = verdict_meter_state(known, &meter, &stale, now_ns);
    fprintf(out, ", \"state\": \"%s\", ", view_words_meter(state));
    write_age(out, "age_ms", verdict_meter_age_ns(&meter, now_ns));
    fprintf(out, ", \"fresh_ms\": %.3f, \"period_ms\": %.3f, \"power_w\": %.1f, \"current_a\": %.2f, "
            "\"voltage_v\": %.2f", (double)known->fresh_ns / 1e6, (double)known->period_ns / 1e6,
            (double)meter.power_mw / 1e3, (double)most_ma / 1e3, (double)least_mv / 1e3);
    write_phases(out, "phase_current_a", meter.current_ma, phases);
    write_phases(out, "phase_voltage_v", meter.voltage_mv, phases);
    fprintf(out, ", \"stale\": %llu, ", (unsigned long long)stale.count);
    document_spectra(loop, out, i, now_ns);
    fputs("}", out);
}
