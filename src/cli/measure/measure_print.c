/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/measure/measure_print.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static const char *const event_name[MEASURE_EVENT_KINDS] = {
    [MEASURE_SAG] = "sag", [MEASURE_SWELL] = "swell", [MEASURE_INTERRUPTION] = "interruption",
    [MEASURE_PEAK] = "peak", [MEASURE_EDGE] = "edge", [MEASURE_RAMP] = "ramp"};
static const char *const event_unit[MEASURE_EVENT_KINDS] = {"v", "v", "v", "a", "w_per_s", "w_per_s"};
static const char *const flag_name[] = {"settling", "free", "gap", "filled", "clipped", "clock", "during",
                                        "changing", "neutral"};

static double seconds(int64_t t_ns)
{
    return (double)t_ns * 1e-9;
}

static void print_flags(uint32_t flags)
{
    bool first = true;

    printf(",\"flags\":[");
    for (uint32_t k = 0; k < sizeof flag_name / sizeof *flag_name; k++)
        if (flags >> k & 1) {
            printf("%s\"%s\"", first ? "" : ",", flag_name[k]);
            first = false;
        }
    printf("]}\n");
}

static void print_values(const char *name, const double *value, uint32_t count)
{
    printf(",\"%s\":[", name);
    for (uint32_t k = 0; k < count; k++)
        printf("%s%.9g", k ? "," : "", value[k]);
    putchar(']');
}

/* IEEE 1159: by how long it lasts and how deep it is. */
static const char *class_of(const struct measure_event *event, double voltage_v)
{
    double took_s = seconds(event->end_ns - event->t_ns), share = event->value / voltage_v;

    if (took_s > 60)
        return share < 0.1 ? "sustained interruption" : share < 1 ? "undervoltage" : "overvoltage";
    if (share < 0.1)
        return took_s > 3 ? "temporary interruption" : "momentary interruption";
    if (share < 1)
        return took_s > 3 ? "temporary sag" : took_s > 0.5 ? "momentary sag" : "instantaneous sag";
    return took_s > 3 ? "temporary swell" : took_s > 0.5 ? "momentary swell" : "instantaneous swell";
}

static const char *unit_of(uint32_t kind)
{
    return kind <= MEASURE_INTERRUPTION ? "V" : kind == MEASURE_PEAK ? "A" : "W/s";
}

void measure_print_open(const struct measure_print *print, const struct measure_event *open, uint32_t opens,
                        int64_t t_ns)
{
    for (uint32_t k = 0; k < opens; k++) {
        const struct measure_event *event = &open[k];
        double lasted_s = seconds(t_ns - event->t_ns);

        if (!print->json) {
            printf("%12.6f s  %s lasts still, phase %c, %.6g %s so far, for %.6f s\n", seconds(t_ns),
                   event_name[event->kind], "abc"[event->phase], event->value, unit_of(event->kind),
                   lasted_s);
            continue;
        }
        printf("{\"event\":\"%s\",\"state\":\"open\",\"t_s\":%.9f,\"phase\":\"%c\",\"until_s\":%.9f,"
               "\"lasted_s\":%.9f,\"worst_%s\":%.9g", event_name[event->kind], seconds(event->t_ns),
               "abc"[event->phase], seconds(t_ns), lasted_s, event_unit[event->kind], event->value);
        if (event->kind <= MEASURE_INTERRUPTION)
            printf(",\"residual\":%.6g", event->value / print->voltage_v);
        print_flags(event->flags);
    }
}

static void print_event(const struct measure_print *print, const struct measure_event *event)
{
    const char *name = event_name[event->kind];
    bool of_voltage = event->kind <= MEASURE_INTERRUPTION;

    if (!print->json) {
        printf("%12.6f s  %s %s, phase %c, %.6g %s", seconds(event->over ? event->end_ns : event->t_ns),
               name, event->over ? "is over" : "begins", "abc"[event->phase], event->value,
               unit_of(event->kind));
        if (event->over)
            printf(", lasted %.6f s", seconds(event->end_ns - event->t_ns));
        if (event->over && of_voltage)
            printf(": %s", class_of(event, print->voltage_v));
        putchar('\n');
        return;
    }
    printf("{\"event\":\"%s\",\"state\":\"%s\",\"t_s\":%.9f,\"phase\":\"%c\"", name,
           event->over ? "end" : "start", seconds(event->t_ns), "abc"[event->phase]);
    if (event->over)
        printf(",\"end_s\":%.9f,\"duration_s\":%.9f", seconds(event->end_ns),
               seconds(event->end_ns - event->t_ns));
    printf(",\"worst_%s\":%.9g", event_unit[event->kind], event->value);
    if (of_voltage)
        printf(",\"residual\":%.6g", event->value / print->voltage_v);
    if (of_voltage && event->end_ns)
        printf(",\"class\":\"%s\"", class_of(event, print->voltage_v));
    print_flags(event->flags);
}

static void print_phase(const struct measure_phase *phase)
{
    printf("{\"voltage_v\":%.9g,\"current_a\":%.9g,\"power_active_w\":%.9g,\"power_reactive_var\":%.9g,"
           "\"power_apparent_va\":%.9g,\"power_nonactive_var\":%.9g,\"power_factor\":%.7g,",
           phase->voltage_v, phase->current_a, phase->active_w, phase->reactive_var, phase->apparent_va,
           phase->nonactive_var, phase->power_factor);
    printf("\"displacement_power_factor\":%.7g,\"fundamental_v\":%.9g,\"fundamental_a\":%.9g,"
           "\"angle_v_deg\":%.7g,\"angle_a_deg\":%.7g,\"fundamental_w\":%.9g,\"fundamental_va\":%.9g,",
           phase->displacement, phase->fundamental_v, phase->fundamental_a, phase->angle_v * 360,
           phase->angle_a * 360, phase->fundamental_w, phase->fundamental_va);
    printf("\"thd_voltage_percent\":%.6g,\"thd_current_percent\":%.6g,\"distortion_current_var\":%.9g,"
           "\"distortion_voltage_var\":%.9g,\"harmonic_va\":%.9g,\"harmonic_w\":%.9g,",
           phase->thd_v * 100, phase->thd_a * 100, phase->current_distortion_var,
           phase->voltage_distortion_var, phase->harmonic_va, phase->harmonic_w);
    printf("\"distortion_harmonic_var\":%.9g,\"nonfundamental_va\":%.9g,\"peak_a\":%.9g,"
           "\"peak_factor\":%.6g}", phase->harmonic_distortion_var, phase->nonfundamental_va, phase->peak_a,
           phase->crest);
}

static void print_cycles_text(const struct measure_print *print, const struct measure_cycles *reading)
{
    printf("%12.6f s  ", seconds(reading->t_ns));
    if (reading->flags & MEASURE_GAP) {
        puts("gap");
        return;
    }
    printf("%9.4f Hz ", reading->frequency_hz);
    for (uint32_t p = 0; p < print->phases; p++)
        printf(" %10.3f V %10.3f A", reading->phase[p].voltage_v, reading->phase[p].current_a);
    printf("  %12.1f W  pf %.4f%s\n", reading->active_w, reading->power_factor,
           reading->flags ? "  (flags)" : "");
}

static void print_cycles(const struct measure_print *print, const struct measure_cycles *reading)
{
    if (!print->json) {
        print_cycles_text(print, reading);
        return;
    }
    printf("{\"reading\":\"cycles\",\"from_s\":%.9f,\"t_s\":%.9f", seconds(reading->from_ns),
           seconds(reading->t_ns));
    if (!(reading->flags & MEASURE_GAP)) {
        printf(",\"cycles\":%u,\"frequency_hz\":%.7f,\"rocof_hz_per_s\":%.5g,\"phases\":[", reading->cycles,
               reading->frequency_hz, reading->rocof_hz_per_s);
        for (uint32_t p = 0; p < print->phases; p++) {
            if (p)
                putchar(',');
            print_phase(&reading->phase[p]);
        }
        printf("],\"power_active_w\":%.9g,\"power_reactive_var\":%.9g,\"power_apparent_va\":%.9g,"
               "\"effective_v\":%.9g,\"effective_a\":%.9g,\"effective_va\":%.9g,\"power_factor\":%.7g,",
               reading->active_w, reading->reactive_var, reading->apparent_va, reading->effective_v,
               reading->effective_a, reading->effective_va, reading->power_factor);
        printf("\"neutral_a\":%.9g,\"neutral_v\":%.9g,\"unbalance_v_percent\":%.6g,"
               "\"unbalance_zero_v_percent\":%.6g,\"unbalance_a_percent\":%.6g", reading->neutral_a,
               reading->neutral_v, reading->unbalance_v * 100, reading->unbalance_zero_v * 100,
               reading->unbalance_a * 100);
        print_values("sequence_v", reading->sequence_v, 3);
        print_values("sequence_a", reading->sequence_a, 3);
    }
    print_flags(reading->flags);
}

static void print_halves(const struct measure_out *out)
{
    for (uint32_t k = 0; k < out->halves; k++) {
        const struct measure_half *half = &out->half[k];

        printf("{\"reading\":\"half\",\"t_s\":%.9f,\"phase\":\"%c\",\"voltage_v\":%.9g,\"current_a\":%.9g,"
               "\"power_active_w\":%.9g", seconds(half->t_ns), "abc"[half->phase], half->voltage_v,
               half->current_a, half->active_w);
        print_flags(half->flags);
    }
}

static void print_ticks(const struct measure_print *print, const struct measure_out *out)
{
    for (uint32_t k = 0; k < out->ticks; k++) {
        const struct measure_tick *tick = &out->tick[k];

        printf("{\"reading\":\"1ms\",\"t_s\":%.9f,\"power_active_w\":%.9g,\"dp_dt_fast_w_per_s\":%.9g,"
               "\"dp_dt_w_per_s\":%.9g", seconds(tick->t_ns), tick->power_w, tick->slope_fast_w_per_s,
               tick->slope_w_per_s);
        print_values("peak_a", tick->peak_a, print->phases);
        print_flags(tick->flags);
    }
}

static void print_features(const struct measure_print *print, const struct measure_out *out)
{
    for (uint32_t k = 0; k < out->features; k++) {
        const struct measure_feature *feature = &out->feature[k];

        printf("{\"reading\":\"16ms\",\"t_s\":%.9f,\"power_active_w\":%.9g,\"dp_dt_w_per_s\":%.9g,"
               "\"power_trend_w_per_s\":%.9g,\"load_factor\":%.7g,\"peak_factor\":%.6g",
               seconds(feature->t_ns), feature->power_w, feature->slope_w_per_s, feature->trend_w_per_s,
               feature->load_factor, feature->peak_factor);
        print_values("peak_a", feature->peak_a, print->phases);
        print_flags(feature->flags);
    }
}

static void print_heat(const struct measure_print *print, const struct measure_out *out)
{
    for (uint32_t k = 0; k < out->heats; k++) {
        const struct measure_heat *heat = &out->heat[k];

        printf("{\"reading\":\"20ms\",\"t_s\":%.9f,\"worst_a\":%.9g", seconds(heat->t_ns), heat->worst_a);
        print_values("current_a", heat->current_a, print->phases);
        print_flags(heat->flags);
    }
}

void measure_print_out(void *told_by, const struct measure_out *out)
{
    struct measure_print *print = told_by;

    print->lost += out->lost;
    print->readings += out->cycles_count;
    if (print->what & PRINT_TICKS)
        print_ticks(print, out);
    if (print->what & PRINT_FEATURES)
        print_features(print, out);
    if (print->what & PRINT_HEAT)
        print_heat(print, out);
    if (print->what & PRINT_HALVES)
        print_halves(out);
    for (uint32_t k = 0; k < out->events; k++) {
        print->events[out->event[k].kind] += out->event[k].end_ns == 0;
        print_event(print, &out->event[k]);
    }
    for (uint32_t k = 0; k < out->cycles_count; k++)
        print_cycles(print, &out->cycles[k]);
}

void measure_print_settings(const struct measure_print *print, const struct measure_config *config,
                            uint64_t samples, bool voltage_measured)
{
    double rate_hz = 1e12 / (double)config->period_ps;

    if (print->json)
        printf("{\"settings\":{\"samples\":%" PRIu64 ",\"rate_hz\":%.9g,\"phases\":%u,\"nominal_hz\":%g,"
               "\"voltage_v\":%.9g,\"voltage_measured\":%s}}\n", samples, rate_hz, config->phases,
               config->nominal_hz, config->voltage_v, voltage_measured ? "true" : "false");
    else
        printf("%" PRIu64 " samples at %.9g Hz, %u phase%s, %g Hz nominal, %.6g V %s\n", samples, rate_hz,
               config->phases, config->phases > 1 ? "s" : "", config->nominal_hz, config->voltage_v,
               voltage_measured ? "as measured" : "declared");
}

void measure_print_end(const struct measure_print *print)
{
    bool first = true;

    if (!print->json) {
        printf("%" PRIu64 " readings", print->readings);
        for (uint32_t k = 0; k < MEASURE_EVENT_KINDS; k++)
            if (print->events[k])
                printf(", %s: %" PRIu64, event_name[k], print->events[k]);
        putchar('\n');
        return;
    }
    printf("{\"end\":{\"readings\":%" PRIu64 ",\"events\":{", print->readings);
    for (uint32_t k = 0; k < MEASURE_EVENT_KINDS; k++)
        if (print->events[k]) {
            printf("%s\"%s\":%" PRIu64, first ? "" : ",", event_name[k], print->events[k]);
            first = false;
        }
    printf("},\"lost\":%" PRIu64 "}}\n", print->lost);
}
