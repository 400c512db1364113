/* SPDX-License-Identifier: Apache-2.0 */
#include "breaker_reference.h"

#include <math.h>
#include <string.h>

static double uniform(struct chance *chance, double low, double high)
{
    return low + (high - low) * ((double)(chance_next(chance) >> 11) * 0x1p-53);
}

static double scaled(struct chance *chance, double low, double high)
{
    return exp(uniform(chance, log(low), log(high)));
}

static long double constant_s(const void *what, long double multiple)
{
    (void)multiple;
    return *(const long double *)what;
}

void reference_curves(struct curve_stock *stock)
{
    static const struct stock_inverse inverse[] = {     /* domain.md 1.1, 1.2 */
        {0.14L, 0, 0.02L, 1}, {13.5L, 0, 1, 1}, {80, 0, 2, 1}, {120, 0, 1, 1}, {0.05L, 0, 0.04L, 1},
        {0.0515L, 0.1140L, 0.02L, 1}, {19.61L, 0.4910L, 2, 1}, {28.2L, 0.1217L, 2, 1},
    };
    struct chance chance = {77};

    for (uint32_t k = 0; k < REFERENCE_CURVES; k++) {
        if (k % 3 == 0) {
            stock->time[k] = stock_inverse_s;
            stock->what[k].inverse = inverse[k / 3 % 8];
            stock->what[k].inverse.dial = uniform(&chance, 0.05, 3);
        } else if (k % 3 == 1) {
            stock->time[k] = stock_square_s;
            stock->what[k].square = (struct stock_square){
                1, uniform(&chance, 0.5, 24), 6, chance_hit(&chance, 0.5) ? uniform(&chance, 2, 9) : 0,
                uniform(&chance, 0.8, 1), chance_hit(&chance, 0.5) ? uniform(&chance, 5, 40) : 0};
        } else {
            stock->time[k] = constant_s;
            stock->what[k].delay_s = scaled(&chance, 0.02, 30);
        }
        stock_curve(&stock->table[k], stock->time[k], &stock->what[k]);
    }
}

long double reference_rate(const struct curve_stock *stock, uint32_t curve, long double multiple)
{
    long double seconds = stock->time[curve](&stock->what[curve], fminl(multiple, 64));

    return multiple < 1 ? 0 : 1 / seconds;
}

/* A thermal image as electronic units have it (domain.md 1.5): trips at p x Ir, p within its band, and its
 * time constant follows from p and the time at 6 Ir. The settings bound them: theta' = (r x^2 - theta) /
 * tau with r = (p1 / p)^2 of the lowest pickup p1 stays below while it heats where tau / r >= heat_ns, and
 * while it cools where tau <= cool_ns. */
struct image_band { double p_low, p_high, time_s, tolerance, fast_tolerance, fast_above_a; };

static double image_tau_s(const struct image_band *band, double p, double factor)
{
    return factor * band->time_s / log(36 / (36 - p * p));
}

static void image_settings(struct breaker_element *element, const struct image_band *band, double rated_a)
{
    double heat_s = INFINITY, cool_s = 0;

    for (int i = 0; i <= 64; i++) {
        double p = band->p_low + (band->p_high - band->p_low) * i / 64;
        double tau_s = image_tau_s(band, p, 1);

        heat_s = fmin(heat_s, tau_s * p * p / (band->p_low * band->p_low));
        cool_s = fmax(cool_s, tau_s);
    }
    element->pickup_ma = (int64_t)floor(band->p_low * rated_a * 1000);
    element->unit_ma = element->pickup_ma;
    element->heat_ns = (int64_t)(heat_s * (1 - band->tolerance) * 1e9);
    element->heat_fast_ns = (int64_t)(heat_s * (1 - band->fast_tolerance) * 1e9);
    element->cool_ns = (int64_t)ceil(cool_s * (1 + band->fast_tolerance) * 1e9);
    element->fast_above_ma = band->fast_tolerance > band->tolerance
                                 ? (int64_t)floor(band->fast_above_a * 1000) : INT64_MAX;
}

static void draw_image(struct chance *chance, bool exact, double rated_a, struct breaker_element *element,
                       struct real_device device[BAND], uint32_t e)
{
    struct image_band band = {.p_low = uniform(chance, 1, 1.2), .time_s = scaled(chance, 0.5, 36)};

    band.p_high = exact ? band.p_low : band.p_low + uniform(chance, 0, 0.3);
    band.tolerance = exact ? 0 : uniform(chance, 0, 0.15);
    band.fast_tolerance = exact || chance_hit(chance, 0.5) ? band.tolerance : band.tolerance + 0.1;
    band.fast_above_a = rated_a * uniform(chance, 1.5, 7);
    image_settings(element, &band, rated_a);
    for (int d = 0; d < BAND; d++) {
        bool corner = chance_hit(chance, 0.3);
        double p = d == 0 ? band.p_low : corner ? band.p_high : uniform(chance, band.p_low, band.p_high);
        double share = d == 0 ? -1 : corner ? 1 : uniform(chance, -1, 1);

        device[d].element[e] = (struct real_element){
            .law = BREAKER_IMAGE,
            .pickup_a = exact ? (long double)element->pickup_ma / 1000 : (long double)(p * rated_a),
            .tau_s = image_tau_s(&band, p, 1 + share * band.tolerance),
            .fast_tau_s = image_tau_s(&band, p, 1 + share * band.fast_tolerance),
            .fast_above_a = exact ? INFINITY : (long double)element->fast_above_ma / 1000,
        };
    }
}

static void draw_travel(struct chance *chance, bool exact, double rated_a, struct breaker_element *element,
                        struct real_device device[BAND], uint32_t e)
{
    bool residual = chance_hit(chance, 0.15);
    double unit_a = rated_a * (residual ? uniform(chance, 0.2, 0.6) : scaled(chance, 1, 8));
    double pickup_a = unit_a * (chance_hit(chance, 0.5) ? 1 : uniform(chance, 1, 1.3));
    double reset_s = scaled(chance, 0.02, 60), band = exact ? 0 : uniform(chance, 0, 0.3);

    element->role = residual ? ELEMENT_GROUND : e % 2 ? ELEMENT_SHORT_TIME : ELEMENT_INVERSE;
    element->residual = residual;
    element->reset = (uint8_t)chance_range(chance, RESET_AT_ONCE, RESET_NEVER);
    element->curve = (uint32_t)chance_range(chance, 0, REFERENCE_CURVES - 1);
    element->unit_ma = (int64_t)floor(unit_a * 1000);
    element->pickup_ma = (int64_t)floor(pickup_a * 1000);
    element->pickup_ma = element->pickup_ma > element->unit_ma ? element->pickup_ma : element->unit_ma;
    element->reset_ns = (int64_t)(reset_s * 1e9);
    for (int d = 0; d < BAND; d++) {
        double higher = d ? 1 + uniform(chance, 0, band) : 1;

        device[d].element[e] = (struct real_element){
            .law = BREAKER_TRAVEL, .reset = element->reset, .residual = residual, .curve = element->curve,
            .pickup_a = element->pickup_ma * (long double)higher / 1000,
            .unit_a = element->unit_ma * (long double)higher / 1000,
            .time_factor = d ? 1 + uniform(chance, 0, band) : 1,
            .reset_s = (long double)element->reset_ns * 1e-9L * (d ? 1 - uniform(chance, 0, band) : 1),
        };
    }
}

static void draw_peak(struct chance *chance, bool exact, double rated_a, struct breaker_element *element,
                      struct real_device device[BAND], uint32_t e)
{
    double band = exact ? 0 : uniform(chance, 0, 0.4);

    element->role = ELEMENT_INSTANTANEOUS;
    element->pickup_ma = (int64_t)floor(rated_a * uniform(chance, 2, 15) * 1000);
    for (int d = 0; d < BAND; d++)
        device[d].element[e] = (struct real_element){
            .law = BREAKER_PEAK,
            .pickup_a = (long double)element->pickup_ma / 1000 * (d ? 1 + uniform(chance, 0, band) : 1),
        };
}

void reference_draw(struct chance *chance, bool exact, struct breaker *breaker, double *rated_a,
                    struct real_device band[BAND])
{
    typedef void draw(struct chance *, bool, double, struct breaker_element *, struct real_device *,
                      uint32_t);
    static draw *const draws[] = {draw_image, draw_travel, draw_peak};

    memset(breaker, 0, sizeof *breaker);
    memset(band, 0, BAND * sizeof *band);
    *rated_a = scaled(chance, 5, 6000);
    breaker->element_count = (uint32_t)chance_range(chance, 1, 5);
    for (uint32_t e = 0; e < breaker->element_count; e++) {
        int law = chance_hit(chance, 0.1) ? BREAKER_PEAK : chance_hit(chance, 0.5) ? BREAKER_TRAVEL
                                                                                     : BREAKER_IMAGE;

        breaker->element[e].law = (uint8_t)law;
        draws[law](chance, exact, *rated_a, &breaker->element[e], band, e);
    }
}

void reference_rest(struct real_device *device, uint32_t count, long double heat)
{
    device->open = false;
    for (uint32_t e = 0; e < count; e++)
        for (int phase = 0; phase < PHASES; phase++) {
            device->element[e].part[phase] = device->element[e].law == BREAKER_IMAGE ? heat : 0;
            device->element[e].below_s[phase] = 0;
        }
}

static long double amperes(int64_t ma)
{
    return ma > 0 ? (long double)ma / 1000 : 0;
}

static void reset_part(struct real_element *element, int phase, long double current_a, long double dt_s)
{
    long double *part = &element->part[phase], multiple = current_a / element->unit_a;

    element->below_s[phase] += dt_s;
    switch (element->reset) {
    case RESET_HOLD:
        *part = element->below_s[phase] >= element->reset_s ? 0 : *part;
        return;
    case RESET_TRAVEL:
        *part = fmaxl(0, *part - dt_s * fmaxl(0, 1 - multiple * multiple) / element->reset_s);
        return;
    case RESET_DECAY:
        *part *= expl(-dt_s / element->reset_s);
        return;
    case RESET_NEVER:
        return;
    default:
        *part = 0;
    }
}

static bool step_part(struct real_element *element, int phase, const struct curve_stock *stock,
                      long double current_a, long double dt_s)
{
    long double *part = &element->part[phase];

    if (element->law == BREAKER_IMAGE) {
        long double settled = powl(current_a / element->pickup_a, 2);
        long double tau_s = current_a > element->fast_above_a ? element->fast_tau_s : element->tau_s;

        *part = settled + (*part - settled) * expl(-dt_s / tau_s);
        return *part >= 1 && settled > 1;
    }
    if (current_a < element->pickup_a) {
        reset_part(element, phase, current_a, dt_s);
        return false;
    }
    element->below_s[phase] = 0;
    *part += dt_s / element->time_factor * reference_rate(stock, element->curve, current_a / element->unit_a);
    return *part >= 1;
}

static long double current_on(const struct real_element *element, const struct breaker_load *load, int phase)
{
    return amperes(element->residual ? load->residual_ma : load->current_ma[phase]);
}

static bool peak_reaches(const struct real_element *element, const struct breaker_load *load, int phase)
{
    long double crest = fmaxl(load->crest_milli / 1000.0L, sqrtl(2));

    return current_on(element, load, phase) * crest >= element->pickup_a * sqrtl(2);
}

bool reference_step(struct real_device *device, uint32_t count, const struct curve_stock *stock,
                    const struct breaker_load *load, long double dt_s)
{
    for (uint32_t e = 0; e < count; e++) {
        struct real_element *element = &device->element[e];

        for (int phase = 0; phase < (element->residual ? 1 : PHASES); phase++)
            device->open |= element->law == BREAKER_PEAK
                                ? peak_reaches(element, load, phase)
                                : step_part(element, phase, stock, current_on(element, load, phase), dt_s);
    }
    return device->open;
}

static long double part_time(const struct real_element *element, int phase, const struct curve_stock *stock,
                             const struct breaker_load *load)
{
    long double current_a = current_on(element, load, phase), part = element->part[phase];

    if (element->law == BREAKER_PEAK)
        return peak_reaches(element, load, phase) ? 0 : INFINITY;
    if (element->law == BREAKER_IMAGE) {
        long double settled = powl(current_a / element->pickup_a, 2);
        long double tau_s = current_a > element->fast_above_a ? element->fast_tau_s : element->tau_s;

        return settled > 1 ? tau_s * log1pl((1 - part) / (settled - 1)) : INFINITY;
    }
    if (current_a < element->pickup_a)
        return INFINITY;

    long double rate = reference_rate(stock, element->curve, current_a / element->unit_a);

    return rate > 0 ? (1 - part) * element->time_factor / rate : INFINITY;
}

long double reference_time(const struct real_device *device, uint32_t count, const struct curve_stock *stock,
                           const struct breaker_load *load)
{
    long double least_s = INFINITY;

    for (uint32_t e = 0; e < count; e++)
        for (int phase = 0; phase < (device->element[e].residual ? 1 : PHASES); phase++)
            least_s = fminl(least_s, part_time(&device->element[e], phase, stock, load));
    return least_s;
}
