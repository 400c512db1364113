/* SPDX-License-Identifier: Apache-2.0 */
/* Devices drawn by seed: what is compiled trips no later than the fast edge of the curve, and however absurd
 * the settings, what comes out is in the ranges of msg/breaker.h or refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "curve_devices.h"

static const struct model_node branch = {
    .phases = 3, .volts_ln_mv = 277128, .limited = 1, .rating_ma = MA(800)};

struct chance { uint64_t state; };

static uint64_t draw(struct chance *c)
{
    c->state ^= c->state << 13;
    c->state ^= c->state >> 7;
    c->state ^= c->state << 17;
    return c->state;
}

static int64_t from(struct chance *c, int64_t low, int64_t high)
{
    return low + (int64_t)(draw(c) % (uint64_t)(high - low + 1));
}

static bool coin(struct chance *c)
{
    return draw(c) >> 20 & 1;
}

static struct device_stage draw_stage(struct chance *c, int64_t low_ma, int64_t high_ma)
{
    return (struct device_stage){.pickup_ma = from(c, low_ma, high_ma),
                                 .delay_ns = from(c, 20, 500) * NS_PER_MS,
                                 .tolerance_ppm = coin(c) ? PROFILE_TOLERANCE : from(c, 0, 250000),
                                 .i2t = coin(c),
                                 .memory = coin(c)};
}

static void draw_points(struct chance *c, struct site_device *d)
{
    int64_t ma = d->rating_ma * 12 / 10, ns = from(c, 100, 5000) * NS_PER_S;

    d->min_count = (uint32_t)from(c, 1, DEVICE_POINTS_MAX);
    for (uint32_t i = 0; i < d->min_count; i++) {
        d->min[i] = (struct device_point){ma, ns};
        ma += 1 + ma / 1000 * from(c, 1, 1000);
        ns = 1 + ns / 1000 * from(c, 100, 1000);
    }
    d->points_tolerance_ppm = from(c, 0, 200000);
    if (coin(c)) {
        d->max_count = d->min_count;
        for (uint32_t i = 0; i < d->min_count; i++)
            d->max[i] = (struct device_point){d->min[i].ma / 10 * 13, d->min[i].ns / 10 * 15};
    }
}

static struct site_device draw_device(struct chance *c)
{
    struct site_device d = {.kind = (uint8_t)from(c, DEVICE_ELECTRONIC, DEVICE_POINTS)};

    d.profile = (uint8_t)from(c, 0, PROFILE_COUNT - 1);
    d.thermal_memory = coin(c);
    d.rating_ma = from(c, MA(16), MA(4000));
    d.long_time_ma = d.rating_ma / 100 * from(c, 40, 100);
    d.long_time_ns = from(c, 500, 60000) * NS_PER_MS;
    d.long_time_at_ppm = coin(c) ? 6 * PPM : from(c, 2, 8) * PPM;
    d.ambient_ppm = coin(c) ? PPM : from(c, 700000, PPM);
    if (d.kind <= DEVICE_THERMAL_MAGNETIC && coin(c))
        d.short_time = draw_stage(c, d.long_time_ma * 3 / 2, d.long_time_ma * 10);
    if (d.kind <= DEVICE_RELAY && coin(c))
        d.instantaneous = draw_stage(c, d.rating_ma * 2, d.rating_ma * 15);
    if (d.kind <= DEVICE_RELAY && coin(c))
        d.ground = draw_stage(c, d.rating_ma / 5, d.rating_ma);
    d.relay = (struct device_relay){.curve = (uint8_t)from(c, 0, RELAY_CURVE_COUNT - 1),
                                    .reset = (uint8_t)from(c, 0, RELAY_RESET_DEPENDENT),
                                    .pickup_ma = d.long_time_ma,
                                    .time_dial_ppm = from(c, 50000, 15 * PPM),
                                    .pickup_tolerance_ppm = from(c, 0, 100000),
                                    .time_tolerance_ppm = from(c, 0, 100000)};
    if (d.kind >= DEVICE_FUSE)
        draw_points(c, &d);
    return d;
}

static double rate_of(const struct breaker_curve *curve, const struct breaker_element *e, double amperes)
{
    double multiple = fmax(amperes * 1e3 / (double)e->unit_ma, 1), place;
    int octave = 0;

    while (octave < CURVE_OCTAVES && multiple >= 2) {
        multiple /= 2;
        octave++;
    }
    if (octave == CURVE_OCTAVES)
        return (double)curve->rate[CURVE_POINTS - 1];
    place = (multiple - 1) * CURVE_STEPS;
    const int64_t *rate = &curve->rate[octave * CURVE_STEPS + (int)place];
    return (double)rate[0] + (place - floor(place)) * (double)(rate[1] - rate[0]);
}

/* From cold, by the closed forms of msg/breaker.h. */
static double trips_s(const struct breaker_element *e, const struct breaker_curve *curve, double amperes)
{
    double x = amperes * 1e3 / (double)e->pickup_ma;

    if (x < 1)
        return INFINITY;
    if (e->law == BREAKER_PEAK)
        return 0;
    if (e->law == BREAKER_TRAVEL)
        return (double)HEAT_ONE / rate_of(&curve[e->curve], e, amperes) * (0x1p30 * 1e-9);
    return x > 1 ? (double)(amperes * 1e3 > (double)e->fast_above_ma ? e->heat_fast_ns : e->heat_ns) / 1e9 *
                       log(x * x / (x * x - 1))
                 : INFINITY;
}

static double device_trips_s(const struct breaker *b, const struct breaker_curve *curve, double amperes)
{
    double least = INFINITY;

    for (uint32_t i = 0; i < b->element_count; i++)
        if (!b->element[i].residual)
            least = fmin(least, trips_s(&b->element[i], curve, amperes));
    return least;
}

/* 2,000 devices at 300 currents each. Figures of 10 us and less count as none. */
static void what_is_compiled_trips_no_later_than_the_fast_edge(void **state)
{
    static const struct site_equipment nothing;
    static struct breaker_curve curve[BREAKER_CURVES_MAX];

    (void)state;
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        struct chance c = {seed * UINT64_C(0x9E3779B97F4A7C15)};
        struct site_device d = draw_device(&c);
        struct breaker b;
        uint32_t curves = 0;
        int rc = curve_compile(&d, &nothing, &branch, EDGE_FAST, &b, curve, &curves);

        if (rc)
            fail_msg("seed %lu: %d", (unsigned long)seed, rc);
        for (int i = 0; i <= 300; i++) {
            double amperes = (double)d.rating_ma / 1e3 * 0.2 * pow(500, i / 300.0);
            double edge = curve_time_s(&d, EDGE_FAST, amperes);
            double compiled = device_trips_s(&b, curve, amperes);

            if (!(compiled <= fmax(edge * (1 + 1e-9), 1e-5)))
                fail_msg("seed %lu kind %d at %g A: compiled %.9g s, edge %.9g s", (unsigned long)seed,
                         d.kind, amperes, compiled, edge);
        }
    }
}

/* A figure of any size, often at the ends. */
static int64_t any(struct chance *c)
{
    switch (draw(c) >> 8 & 7) {
    case 0: return 0;
    case 1: return 1;
    case 2: return INT64_MAX;
    default: return (int64_t)(draw(c) >> (1 + (draw(c) >> 5) % 62));
    }
}

static struct site_device absurd_device(struct chance *c)
{
    struct site_device d = draw_device(c);
    int64_t *const figure[] = {&d.rating_ma, &d.long_time_ma, &d.long_time_ns, &d.long_time_at_ppm,
                               &d.short_time.pickup_ma, &d.short_time.delay_ns, &d.short_time.tolerance_ppm,
                               &d.instantaneous.pickup_ma, &d.instantaneous.tolerance_ppm,
                               &d.ground.pickup_ma, &d.ground.delay_ns, &d.clears_ns, &d.ambient_ppm,
                               &d.relay.pickup_ma, &d.relay.time_dial_ppm, &d.relay.reset_ns,
                               &d.relay.reset_exponent_ppm, &d.relay.pickup_tolerance_ppm,
                               &d.relay.time_tolerance_ppm, &d.points_tolerance_ppm,
                               &d.min[0].ma, &d.min[0].ns, &d.min[1].ma, &d.max[0].ns, &d.max[2].ma};

    for (int i = 0; i < 4; i++)
        *figure[draw(c) % (sizeof figure / sizeof *figure)] = any(c);
    return d;
}

static struct site_equipment absurd_equipment(struct chance *c)
{
    if (draw(c) >> 9 & 3)
        return (struct site_equipment){0};
    return (struct site_equipment){
        .transformer_mva = any(c), .transformer_ns = any(c), .conductor_ma = any(c), .conductor_ns = any(c),
        .ups_mva = any(c), .ups_mw = any(c), .overload_count = (uint32_t)from(c, 0, OVERLOADS_MAX),
        .overload = {{any(c), any(c)}, {any(c), any(c)}, {any(c), any(c)}}};
}

static void expect_ranges(const struct breaker *b, const struct breaker_curve *curve, uint32_t curves,
                          uint64_t seed)
{
    for (uint32_t i = 0; i < b->element_count; i++) {
        const struct breaker_element *e = &b->element[i];
        bool fits = e->pickup_ma >= 1 && e->pickup_ma <= INT64_C(10000000000) && e->shortest_ns >= 0 &&
                    e->reset_ns >= 0 && e->role < ELEMENT_ROLE_COUNT;

        if (e->law == BREAKER_IMAGE)
            fits = fits && e->heat_fast_ns >= NS_PER_MS && e->heat_fast_ns <= e->heat_ns &&
                   e->heat_ns <= e->cool_ns && e->cool_ns <= 366 * 86400 * NS_PER_S && e->fast_above_ma > 0;
        if (e->law == BREAKER_TRAVEL)
            fits = fits && e->unit_ma >= 1 && e->unit_ma <= e->pickup_ma && e->curve < curves &&
                   e->reset <= RESET_NEVER;
        if (!fits)
            fail_msg("seed %lu: element %u of law %d and role %d is out of range", (unsigned long)seed, i,
                     e->law, e->role);
    }
    for (uint32_t n = 0; n < curves; n++)
        for (uint32_t i = 0; i < CURVE_POINTS; i++)
            if (curve[n].rate[i] < 0 || (i && curve[n].rate[i] < curve[n].rate[i - 1]))
                fail_msg("seed %lu: rate %u of curve %u", (unsigned long)seed, i, n);
}

static void absurd_settings_are_refused_or_come_out_in_range(void **state)
{
    static struct breaker_curve curve[BREAKER_CURVES_MAX];
    uint32_t refused = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 5000; seed++) {
        struct chance c = {seed * UINT64_C(0x9E3779B97F4A7C15)};
        struct site_device d = absurd_device(&c);
        struct site_equipment q = absurd_equipment(&c);
        struct breaker b;
        uint32_t curves = 0;
        int rc = curve_compile(&d, &q, &branch, EDGE_FAST, &b, curve, &curves);

        assert_true(rc == 0 || rc == -EINVAL || rc == -ENOSPC);
        if (rc)
            assert_int_equal(b.element_count, 0);
        refused += rc != 0;
        expect_ranges(&b, curve, curves, seed);
        /* figures for people neither crash nor are negative */
        for (int e = EDGE_FAST; e <= EDGE_SLOW; e++) {
            double seconds = curve_time_s(&d, (enum curve_edge)e, 1e3);

            assert_false(seconds < 0);
        }
    }
    assert_in_range(refused, 500, 4500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_compiled_trips_no_later_than_the_fast_edge),
        cmocka_unit_test(absurd_settings_are_refused_or_come_out_in_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
