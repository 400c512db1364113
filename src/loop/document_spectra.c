/* SPDX-License-Identifier: Apache-2.0 */
/* What there is of a meter's spectra, and of how its node's power swings. */
#include "loop/document.h"

static void write_ppm(FILE *out, const char *name, const uint32_t ppm[PHASES], uint32_t phases)
{
    fprintf(out, ", \"%s\": [", name);
    for (uint32_t p = 0; p < phases; p++)
        fprintf(out, "%s%.4f", p ? ", " : "", ppm[p] / 1e4);
    fputs("]", out);
}

static void write_orders(FILE *out, const char *name, const uint8_t order[PHASES], uint32_t phases)
{
    fprintf(out, ", \"%s\": [", name);
    for (uint32_t p = 0; p < phases; p++)
        fprintf(out, "%s%u", p ? ", " : "", order[p]);
    fputs("]", out);
}

static void write_spectrum(FILE *out, const struct spectrum *s, double age_ms)
{
    uint32_t phases = s->phases < PHASES ? s->phases : PHASES;
    fprintf(out, "{\"age_ms\": %.3f, \"frequency_hz\": %.3f, \"clipped\": %s, \"young\": %s", age_ms,
            s->frequency_mhz / 1e3, s->flags & SPECTRUM_CLIPPED ? "true" : "false",
            s->flags & SPECTRUM_YOUNG ? "true" : "false");
    write_ppm(out, "thd_voltage_percent", s->thd_v_ppm, phases);
    write_ppm(out, "thd_current_percent", s->thd_a_ppm, phases);
    write_ppm(out, "thds_voltage_percent", s->subgroup_v_ppm, phases);
    write_ppm(out, "thds_current_percent", s->subgroup_a_ppm, phases);
    fputs(", \"k_factor\": [", out);
    for (uint32_t p = 0; p < phases; p++)
        fprintf(out, "%s%.3f", p ? ", " : "", s->k_milli[p] / 1e3);
    fputs("]", out);
    write_orders(out, "worst_voltage_order", s->worst_v, phases);
    write_ppm(out, "worst_voltage_percent", s->worst_v_ppm, phases);
    write_orders(out, "worst_current_order", s->worst_a, phases);
    write_ppm(out, "worst_current_percent", s->worst_a_ppm, phases);
    fputs("}", out);
}

/* null where it is not known. */
static void write_optional(FILE *out, const char *name, bool known, int places, double value)
{
    fprintf(out, ", \"%s\": ", name);
    if (known)
        fprintf(out, "%.*f", places, value);
    else
        fputs("null", out);
}

/* Where a node has a demand current it is a point of common coupling. What is not known is null, with the
 * reason in words. */
static void write_limits(const struct loop *loop, FILE *out, uint32_t meter, const struct spectra_judged *j,
                         int64_t now_ns)
{
    const struct site_equipment *e = &loop->site->equipment[loop->site->model.meter[meter].node];
    fputs(", \"ieee519\": ", out);
    if (!e->demand_ma) {
        fputs("null", out);
        return;
    }
    fprintf(out, "{\"verdict\": \"%s\", \"why\": \"%s\", \"demand_a\": %.1f, "
            "\"demand_from\": \"site file\"",
            !j->t_ns || !j->known ? "unknown" : j->beyond ? "beyond" : "within",
            !e->fault_ma ? "the site file says no fault current of this node"
            : !j->t_ns   ? "three seconds of samples that nothing spoilt have not come yet" : "",
            (double)e->demand_ma / 1e3);
    write_optional(out, "fault_a", e->fault_ma, 1, (double)e->fault_ma / 1e3);
    fprintf(out, ", \"fault_from\": %s", e->fault_ma ? "\"site file\"" : "null");
    write_optional(out, "short_circuit_ratio", e->fault_ma, 2, (double)e->fault_ma / (double)e->demand_ma);
    write_optional(out, "age_ms", j->t_ns, 3, (double)(now_ns - j->t_ns) / 1e6);
    write_optional(out, "tdd_percent", j->t_ns, 4, j->tdd_ppm / 1e4);
    write_optional(out, "tdd_limit_percent", j->known, 4, j->tdd_limit_ppm / 1e4);
    write_optional(out, "worst_order", j->known, 0, j->order);
    write_optional(out, "worst_order_percent", j->known, 4, j->order_ppm / 1e4);
    write_optional(out, "worst_order_limit_percent", j->known, 4, j->order_limit_ppm / 1e4);
    fputs("}", out);
}

static void write_swing(FILE *out, const struct spectrum_swing *s, double age_ms)
{
    fprintf(out, "{\"age_ms\": %.3f, \"held_percent\": %.4f, \"mean_w\": %.1f, \"least_w\": %.1f, "
            "\"most_w\": %.1f, \"peak_hz\": %.3f, \"peak_w\": %.1f, \"ramp_up_w_per_s\": %.1f, "
            "\"ramp_down_w_per_s\": %.1f, \"bands\": [", age_ms, s->held_ppm / 1e4, (double)s->mean_mw / 1e3,
            (double)s->least_mw / 1e3, (double)s->most_mw / 1e3, s->peak_mhz / 1e3, (double)s->peak_mw / 1e3,
            (double)s->ramp_up_mw_per_s / 1e3, (double)s->ramp_down_mw_per_s / 1e3);
    for (uint32_t b = 0; b < SPECTRUM_BANDS; b++)
        fprintf(out, "%s{\"from_hz\": %g, \"to_hz\": %g, \"rms_w\": %.1f, \"share_percent\": %.4f}",
                b ? ", " : "", swing_band_hz[b][0], swing_band_hz[b][1], (double)s->rms_mw[b] / 1e3,
                s->share_ppm[b] / 1e4);
    fputs("]}", out);
}

static void write_signed(FILE *out, const char *name, const int32_t ppm[PHASES], uint32_t phases)
{
    fprintf(out, ", \"%s\": [", name);
    for (uint32_t p = 0; p < phases; p++)
        fprintf(out, "%s%.5f", p ? ", " : "", ppm[p] / 1e6);
    fputs("]", out);
}

static void write_watts(FILE *out, const char *name, const int64_t milli[PHASES], uint32_t phases)
{
    fprintf(out, ", \"%s\": [", name);
    for (uint32_t p = 0; p < phases; p++)
        fprintf(out, "%s%.1f", p ? ", " : "", (double)milli[p] / 1e3);
    fputs("]", out);
}

static void write_quality(FILE *out, const struct quality *q, double age_ms)
{
    uint32_t phases = q->phases < PHASES ? q->phases : PHASES;
    bool neutral = !(q->flags & QUALITY_NO_NEUTRAL), three = phases == PHASES;
    int64_t reactive_mvar = 0;
    for (uint32_t p = 0; p < phases; p++)
        reactive_mvar += q->reactive_mvar[p];
    fprintf(out, "{\"age_ms\": %.3f, \"cycles\": %u, \"changing\": %s, \"frequency_hz\": %.3f, "
            "\"rocof_hz_per_s\": %.3f", age_ms, q->cycles, q->flags & QUALITY_CHANGING ? "true" : "false",
            q->frequency_mhz / 1e3, q->rocof_mhz_per_s / 1e3);
    write_watts(out, "reactive_var", q->reactive_mvar, phases);
    write_watts(out, "apparent_va", q->apparent_mva, phases);
    write_signed(out, "power_factor", q->power_factor_ppm, phases);
    write_signed(out, "displacement_factor", q->displacement_ppm, phases);
    fprintf(out, ", \"total_reactive_var\": %.1f", (double)reactive_mvar / 1e3);
    write_optional(out, "total_effective_va", neutral, 1, (double)q->effective_mva / 1e3);
    write_optional(out, "total_power_factor", neutral, 5, q->power_factor_all_ppm / 1e6);
    fprintf(out, ", \"total_displacement_factor\": %.5f", q->displacement_all_ppm / 1e6);
    write_optional(out, "neutral_a", neutral, 2, (double)q->neutral_ma / 1e3);
    write_optional(out, "negative_voltage_percent", three, 4, q->unbalance_v_ppm / 1e4);
    write_optional(out, "zero_voltage_percent", three, 4, q->unbalance_zero_v_ppm / 1e4);
    write_optional(out, "negative_current_percent", three, 4, q->unbalance_a_ppm / 1e4);
    fputs("}", out);
}

void document_spectra(struct loop *loop, FILE *out, uint32_t meter, int64_t now_ns)
{
    struct spectra_shown shown;
    spectra_desk_show(&loop->spectra, meter, &shown);
    if (meter < loop->site->model.meter_count) {
        fputs("\"cycles\": ", out);
        if (shown.quality_t_ns)
            write_quality(out, &shown.quality, (double)(now_ns - shown.quality_t_ns) / 1e6);
        else
            fputs("null", out);
        fputs(", \"spectrum\": ", out);
        if (shown.spectrum_t_ns)
            write_spectrum(out, &shown.spectrum, (double)(now_ns - shown.spectrum_t_ns) / 1e6);
        else
            fputs("null", out);
        write_limits(loop, out, meter, &shown.judged, now_ns);
        fputs(", ", out);
    }
    fputs("\"swing\": ", out);
    if (shown.swing_t_ns)
        write_swing(out, &shown.swing, (double)(now_ns - shown.swing_t_ns) / 1e6);
    else
        fputs("null", out);
}
