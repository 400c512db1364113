/* SPDX-License-Identifier: Apache-2.0 */
/*
 * breaker_property [--seed N] [--cases N] [--long]: random devices and histories. core/breaker must stay
 * above every device of the band (breaker_reference.h) in heat and travel, never answer a later trip than one
 * of them has, and admit no current that trips one; and it must not buy that by answering little: without
 * tolerances its state is the device's own, and a few per cent above what it admits a limit of safety.md
 * section 5 is passed. Every failure prints its seed.
 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "breaker_reference.h"
#include "run.h"

enum { AHEAD = 6, REPORTED = 20 };

struct history {
    uint64_t seed;
    struct chance chance;
    struct curve_stock *stock;
    struct breaker breaker;
    struct breaker_pace pace;
    struct breaker_state state;
    struct real_device band[BAND];
    double rated_a, calm;       /* loads are so much lower than they might be */
    bool exact;
    struct breaker_load load;
};

static uint64_t failures, steps, open_steps, admitted, bound;

static __attribute__((format(printf, 2, 3))) void broken(const struct history *history, const char *format,
                                                         ...)
{
    va_list arguments;

    if (++failures > REPORTED)
        return;
    printf("seed %" PRIu64 ": ", history->seed);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

static double uniform(struct chance *chance, double low, double high)
{
    return low + (high - low) * ((double)(chance_next(chance) >> 11) * 0x1p-53);
}

static int64_t draw_dt(struct chance *chance)
{
    if (chance_hit(chance, 0.5))
        return 16 * NS_PER_MS + chance_range(chance, -1000, 1000);
    return (int64_t)exp(uniform(chance, 0, log(100e9)));
}

static int64_t draw_ma(struct history *history, int64_t before)
{
    struct chance *chance = &history->chance;

    if (chance_hit(chance, 0.6))
        return (int64_t)((double)before * uniform(chance, 0.97, 1.03)) + chance_range(chance, 0, 1);
    if (chance_hit(chance, 0.05))
        return chance_range(chance, -1, 0) * chance_range(chance, 0, 100000);
    if (chance_hit(chance, 0.2 * history->calm * history->calm))
        return (int64_t)(history->rated_a * exp(uniform(chance, -7, history->exact ? 6.5 : 9)) * 1000);
    return (int64_t)(history->rated_a * history->calm * uniform(chance, 0.3, 2.5) * 1000);
}

static void draw_load(struct history *history)
{
    struct breaker_load *load = &history->load;
    bool same = chance_hit(&history->chance, 0.5);

    for (int phase = 0; phase < PHASES; phase++)
        load->current_ma[phase] =
            same && phase ? load->current_ma[0] : draw_ma(history, load->current_ma[phase]);
    load->residual_ma = (int64_t)((double)load->current_ma[0] * uniform(&history->chance, 0, 0.5));
    load->crest_milli = (int32_t)chance_range(&history->chance, 0, 2500);
}

static long double relative(int64_t part)
{
    return (long double)part / HEAT_ONE;
}

/* Above every device that is still closed; without tolerances equal to it (below 1024 times its pickup, from
 * where on core/breaker takes an image for tripped). */
static void judge_parts(struct history *history)
{
    for (int d = 0; d < BAND; d++)
        for (uint32_t e = 0; e < history->breaker.element_count && !history->band[d].open; e++)
            for (int phase = 0; phase < PHASES; phase++) {
                long double real = history->band[d].element[e].part[phase];
                long double held = relative(history->state.part[e][phase]);

                if (history->breaker.element[e].law == BREAKER_PEAK)
                    continue;
                if (held < real - 1e-14L)
                    broken(history, "device %d element %u phase %d is at %.15Lf, held at %.15Lf", d, e, phase,
                           real, held);
                if (history->exact && history->breaker.element[e].law == BREAKER_IMAGE &&
                    held > real + 1e-8L + 1e-8L * fabsl(real))
                    broken(history, "element %u phase %d is at %.15Lf, but held at %.15Lf", e, phase, real,
                           held);
            }
}

static void step(struct history *history)
{
    int64_t dt_ns = draw_dt(&history->chance);
    int pieces = (int)chance_range(&history->chance, 1, 3), role;
    struct breaker_state unpaced = history->state;

    draw_load(history);
    role = breaker_step_paced(&history->state, &history->breaker, &history->pace, history->stock->table,
                              &history->load, dt_ns);
    if (breaker_step(&unpaced, &history->breaker, history->stock->table, &history->load, dt_ns) != role ||
        memcmp(&unpaced, &history->state, sizeof unpaced))
        broken(history, "a step without a pace differs");
    for (int d = 0; d < BAND; d++) {
        bool was_open = history->band[d].open;

        steps++;
        open_steps += was_open;
        for (int piece = 0; piece < pieces && !history->band[d].open; piece++)
            reference_step(&history->band[d], history->breaker.element_count, history->stock, &history->load,
                           (long double)dt_ns * 1e-9L / pieces);
        if (history->band[d].open && !was_open && role < 0)
            broken(history, "device %d trips unseen within %" PRId64 " ns", d, dt_ns);
    }
    judge_parts(history);
}

/* More current and more heat before is never less heat after. */
static void judge_order(struct history *history)
{
    struct breaker_state more = history->state, less = history->state;
    struct breaker_load lower = history->load;
    int64_t dt_ns = draw_dt(&history->chance);

    for (int phase = 0; phase < PHASES; phase++) {
        lower.current_ma[phase] -= chance_range(&history->chance, 0, 1 + llabs(lower.current_ma[phase]) / 2);
        for (uint32_t e = 0; e < history->breaker.element_count; e++)
            less.part[e][phase] -= chance_range(&history->chance, 0, less.part[e][phase]);
    }
    breaker_step(&more, &history->breaker, history->stock->table, &history->load, dt_ns);
    breaker_step(&less, &history->breaker, history->stock->table, &lower, dt_ns);
    for (uint32_t e = 0; e < history->breaker.element_count; e++)
        for (int phase = 0; phase < PHASES; phase++)
            if (less.part[e][phase] > more.part[e][phase] || less.part[e][phase] < 0 ||
                more.part[e][phase] > HEAT_ONE)
                broken(history, "element %u phase %d: less current gives %" PRId64 ", more %" PRId64, e,
                       phase, less.part[e][phase], more.part[e][phase]);
}

static void judge_time(struct history *history)
{
    struct breaker_verdict verdict;

    breaker_time_to_trip(&history->state, &history->breaker, history->stock->table, &history->load, &verdict);
    if ((verdict.element == UINT32_MAX) != (verdict.t_ns == BREAKER_NEVER_NS) || verdict.t_ns < 0)
        broken(history, "element %u trips after %" PRId64 " ns", verdict.element, verdict.t_ns);
    for (int d = 0; d < BAND; d++) {
        if (history->band[d].open)
            continue;

        long double real_s = reference_time(&history->band[d], history->breaker.element_count, history->stock,
                                            &history->load);

        if ((long double)verdict.t_ns * 1e-9L > real_s * (1 + 1e-12L) + 1e-12L)
            broken(history, "device %d trips after %.12Lg s, not %.12Lg s", d, real_s,
                   (long double)verdict.t_ns * 1e-9L);
    }
}

/* Along a trajectory no device trips before the verdict; a trip within it is found within it. */
static void judge_forecast(struct history *history)
{
    struct breaker_step_ahead ahead[AHEAD];
    struct breaker_verdict verdict;
    struct breaker_state end, stepped = history->state;
    uint32_t count = (uint32_t)chance_range(&history->chance, 1, AHEAD);
    int64_t passed_ns = 0, began_ns = 0, trip_ns = -1;

    for (uint32_t k = 0; k < count; k++) {
        draw_load(history);
        ahead[k] = (struct breaker_step_ahead){draw_dt(&history->chance), history->load};
    }
    breaker_forecast(&history->state, &history->breaker, history->stock->table, ahead, count, &verdict, &end);
    for (uint32_t k = 0; k < count && trip_ns < 0; k++) {
        if (breaker_step(&stepped, &history->breaker, history->stock->table, &ahead[k].load,
                         ahead[k].dt_ns) >= 0)
            trip_ns = passed_ns + ahead[k].dt_ns;
        began_ns = passed_ns;
        passed_ns += ahead[k].dt_ns;
    }
    if (trip_ns >= 0 ? verdict.t_ns > trip_ns || verdict.t_ns < began_ns
                     : verdict.t_ns < passed_ns || memcmp(&end, &stepped, sizeof end))
        broken(history, "forecast %" PRId64 " ns, steps %" PRId64 " of %" PRId64 " ns", verdict.t_ns, trip_ns,
               passed_ns);
    for (int d = 0; d < BAND; d++) {
        struct real_device device = history->band[d];
        long double left_s = (long double)verdict.t_ns * 1e-9L * (1 - 1e-9L);

        for (uint32_t k = 0; k < count && left_s > 0 && !device.open; k++) {
            long double dt_s = fminl(left_s - 1e-9L, (long double)ahead[k].dt_ns * 1e-9L);

            if (dt_s > 0)
                reference_step(&device, history->breaker.element_count, history->stock, &ahead[k].load, dt_s);
            left_s -= (long double)ahead[k].dt_ns * 1e-9L;
        }
        if (device.open && !history->band[d].open)
            broken(history, "device %d trips before the forecast's %" PRId64 " ns", d, verdict.t_ns);
    }
}

static int64_t largest(const struct breaker_state *state, uint32_t e)
{
    return (int64_t)fmaxl(state->part[e][0], fmaxl(state->part[e][1], state->part[e][2]));
}

/* Does `current_a` on every phase pass a limit of safety.md section 5 at this element? */
static bool passes_limit(const struct history *history, uint32_t e, long double current_a, long double hold_s,
                         int32_t crest_milli)
{
    const struct breaker_element *element = &history->breaker.element[e];
    long double part = relative(largest(&history->state, e));
    long double multiple = current_a * 1000 / element->unit_ma, pickup_a = element->pickup_ma / 1000.0L;

    if (element->law == BREAKER_PEAK)
        return current_a * fmaxl(crest_milli, 1414) >= 0.95L * pickup_a * 1414;
    if (element->law == BREAKER_IMAGE) {
        long double settled = powl(current_a / pickup_a, 2);
        int64_t tau_ns = current_a * 1000 > element->fast_above_ma ? element->heat_fast_ns : element->heat_ns;
        long double gain = -expm1l(-hold_s / ((long double)tau_ns * 1e-9L));

        return part < 0.9L ? part + (settled - part) * gain > 0.9L : settled > 0.9L;
    }

    long double rate = reference_rate(history->stock, element->curve, multiple);
    long double rate_beyond = reference_rate(history->stock, element->curve, multiple / 0.95L);

    return (current_a >= pickup_a && part + rate * hold_s > 0.9L) ||
           (current_a / 0.95L >= pickup_a && part + rate_beyond * hold_s >= 1);
}

/* Held for as long as was asked, it trips nothing and heats nothing above 0.9. */
static void judge_held(struct history *history, int64_t current_ma, int64_t hold_ns, int32_t crest_milli)
{
    struct breaker_load held = {{current_ma, current_ma, current_ma}, 0, crest_milli};
    struct breaker_state after = history->state;

    if (breaker_step(&after, &history->breaker, history->stock->table, &held, hold_ns) >= 0)
        broken(history, "%" PRId64 " mA are admitted for %" PRId64 " ns and trip", current_ma, hold_ns);
    for (uint32_t e = 0; e < history->breaker.element_count; e++) {
        int64_t before = largest(&history->state, e), most = (int64_t)(0.9L * HEAT_ONE);

        if (!history->breaker.element[e].residual && largest(&after, e) > (before > most ? before : most))
            broken(history, "%" PRId64 " mA are admitted and take element %u from %" PRId64 " to %" PRId64,
                   current_ma, e, before, largest(&after, e));
    }
    for (int d = 0; d < BAND; d++) {
        struct real_device device = history->band[d];

        if (!device.open && reference_step(&device, history->breaker.element_count, history->stock, &held,
                                           (long double)hold_ns * 1e-9L))
            broken(history, "device %d trips on the %" PRId64 " mA admitted", d, current_ma);
    }
}

/* A little above what is admitted, an image passes its limit. Travel does by two steps of the curve's
 * table more, since a jump of the curve lifts the step that holds it and those beside it, and by 2 % of
 * time where the curve goes flat. */
static void judge_admissible(struct history *history)
{
    int64_t hold_ns = (int64_t)exp(uniform(&history->chance, log(0.05e9), log(100e9)));
    int32_t crest_milli = (int32_t)chance_range(&history->chance, 0, 2500);
    uint32_t element;
    int64_t current_ma = breaker_admissible_ma(&history->state, &history->breaker, history->stock->table,
                                               hold_ns, crest_milli, &element);
    bool image = element != UINT32_MAX && history->breaker.element[element].law == BREAKER_IMAGE;
    long double more_a = (long double)current_ma * (image ? 1.000001L : 1.08L) / 1000 + 0.003L;

    admitted++;
    if ((element == UINT32_MAX) != (current_ma == INT64_MAX) || current_ma < 0)
        broken(history, "element %u admits %" PRId64 " mA", element, current_ma);
    if (element == UINT32_MAX)
        return;
    bound++;
    judge_held(history, current_ma, hold_ns, crest_milli);
    if (!passes_limit(history, element, more_a, (long double)hold_ns * (image ? 1e-9L : 1.02e-9L),
                      crest_milli))
        broken(history, "%" PRId64 " mA are admitted for %" PRId64 " ns, element %u bears %.3Lf A",
               current_ma, hold_ns, element, more_a);
}

/* P2: 0 to PPM, and 1 where the forecast trips; more current is no less risk. P1: nor is it a later trip. */
static void judge_risk(struct history *history)
{
    struct breaker_step_ahead ahead[2] = {{draw_dt(&history->chance), history->load},
                                          {draw_dt(&history->chance), history->load}};
    struct breaker_verdict verdict;
    int64_t respond_ns = chance_range(&history->chance, 1, 5 * NS_PER_S);
    int64_t risk_ppm = breaker_risk_ppm(&history->state, &history->breaker, history->stock->table, ahead, 2,
                                        respond_ns);

    breaker_forecast(&history->state, &history->breaker, history->stock->table, ahead, 2, &verdict, NULL);
    if (risk_ppm < 0 || risk_ppm > PPM ||
        (verdict.t_ns <= ahead[0].dt_ns + ahead[1].dt_ns && risk_ppm != PPM) ||
        (verdict.t_ns <= respond_ns && risk_ppm != PPM))
        broken(history, "risk %" PRId64 " ppm of a trip after %" PRId64 " ns", risk_ppm, verdict.t_ns);
    for (int phase = 0; phase < PHASES; phase++)
        ahead[1].load.current_ma[phase] += chance_range(&history->chance, 0, 1000000);
    if (breaker_risk_ppm(&history->state, &history->breaker, history->stock->table, ahead, 2, respond_ns) <
        risk_ppm)
        broken(history, "more current is less risk than %" PRId64 " ppm", risk_ppm);

    struct breaker_verdict sooner;
    breaker_forecast(&history->state, &history->breaker, history->stock->table, ahead, 2, &sooner, NULL);
    if (sooner.t_ns > verdict.t_ns)
        broken(history, "more current trips after %" PRId64 " ns, less after %" PRId64, sooner.t_ns,
               verdict.t_ns);
}

static void play(struct curve_stock *stock, uint64_t seed)
{
    static struct history history;
    struct history *h = &history;

    *h = (struct history){.seed = seed, .chance = {seed}, .stock = stock};
    h->exact = chance_hit(&h->chance, 0.2);
    reference_draw(&h->chance, h->exact, &h->breaker, &h->rated_a, h->band);
    breaker_pace(&h->pace, &h->breaker);
    h->calm = chance_hit(&h->chance, 0.7) ? uniform(&h->chance, 0.2, 1) : 1;

    int64_t heat_ppm = chance_range(&h->chance, 0, PPM - 1);

    breaker_rest(&h->state, &h->breaker, heat_ppm);
    for (int d = 0; d < BAND; d++)
        reference_rest(&h->band[d], h->breaker.element_count,
                       (long double)heat_ppm / PPM * (h->exact ? 1 : uniform(&h->chance, 0, 1)));
    for (int k = (int)chance_range(&h->chance, 5, 40); k > 0; k--) {
        step(h);
        judge_order(h);
        judge_time(h);
        judge_admissible(h);
        judge_risk(h);
    }
    judge_forecast(h);
}

int main(int argc, char **argv)
{
    static struct curve_stock stock;
    struct run run = run_begin("breaker_property", 20000, 1000000);

    for (int i = 1; i < argc; i++)
        if (!run_option(&run, argc, argv, &i))
            return run_usage(&run, "");
    reference_curves(&stock);
    for (uint64_t i = 0; i < run.cases; i++)
        play(&stock, run.seed + i);
    printf("%" PRIu64 " of %" PRIu64 " steps on an open device, %" PRIu64 " of %" PRIu64
           " admissible currents bound\n",
           open_steps, steps, bound, admitted);
    run_end(&run, failures);
    return failures ? 1 : 0;
}
