/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/heat/device.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "site/curve/curve.h"

static uint32_t below(struct random *random, uint32_t count)
{
    return (uint32_t)(random_bits(random) % count);
}

static bool chance(struct random *random, double probability)
{
    return random_unit(random) < probability;
}

#define PICK(random, array) ((array)[below(random, sizeof(array) / sizeof *(array))])

static int64_t ma(double amperes)
{
    return llround(amperes * 1e3);
}

static int64_t ns(double seconds)
{
    return llround(seconds * 1e9);
}

static double amperes(int64_t milli)
{
    return (double)milli * 1e-3;
}

const char *heat_kind_name(enum heat_kind kind)
{
    static const char *const name[] = {
#define HEAT_KIND_NAME(symbol, text) text,
        HEAT_KINDS(HEAT_KIND_NAME)
#undef HEAT_KIND_NAME
    };
    return name[kind];
}

static void draw_short_time(struct heat_device *d, struct random *random)
{
    static const double times[] = {1.5, 2, 2.5, 3, 4, 5, 6, 8, 10}, delays[] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.8};
    struct device_stage *s = &d->set.short_time;
    if (chance(random, 0.2))
        return;
    s->pickup_ma = ma(PICK(random, times) * d->scale_a);
    s->delay_ns = ns(PICK(random, delays));
    s->tolerance_ppm = chance(random, 0.8) ? -1 : chance(random, 0.5) ? 100000 : 150000;
    s->i2t = chance(random, 0.4);
    s->memory = chance(random, 0.6);
}

static void draw_instantaneous(struct heat_device *d, struct random *random)
{
    static const double times[] = {2, 3, 4, 5, 6, 8, 10, 12, 15};
    struct device_stage *i = &d->set.instantaneous;
    if (chance(random, 0.1))
        return;
    i->pickup_ma = ma(fmax(PICK(random, times) * amperes(d->set.rating_ma), 2 * d->scale_a));
    i->tolerance_ppm = chance(random, 0.8) ? -1 : 200000;
}

static void draw_electronic(struct heat_device *d, struct random *random)
{
    static const double rating[] = {100, 160, 250, 400, 630, 800, 1250, 1600, 2500, 3200, 4000, 6300};
    static const double dial[] = {0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0};
    static const double at_six[] = {0.5, 1, 2, 4, 8, 12, 16, 20, 24};
    static const double at_three[] = {3, 12, 24, 36, 48, 72, 108, 144};
    bool three = d->set.profile == PROFILE_ABB && chance(random, 0.6);
    double in = PICK(random, rating);
    d->set.kind = DEVICE_ELECTRONIC;
    d->set.rating_ma = ma(in);
    d->scale_a = in * PICK(random, dial);
    d->set.long_time_ma = ma(d->scale_a);
    d->set.long_time_at_ppm = three ? 3 * PPM : 6 * PPM;
    d->set.long_time_ns = ns(three ? PICK(random, at_three) : PICK(random, at_six));
    draw_short_time(d, random);
    draw_instantaneous(d, random);
    if (chance(random, 0.3))
        d->set.ground = (struct device_stage){
            .pickup_ma = ma(fmin(1200, 0.4 * in)), .delay_ns = ns(0.3), .tolerance_ppm = -1};
}

static void draw_thermal_magnetic(struct heat_device *d, struct random *random)
{
    static const double rating[] = {63, 100, 125, 160, 250, 400, 630, 800}, magnetic[] = {5, 7, 8, 10};
    static const double at_six[] = {2, 4, 7, 10, 15, 20, 30};
    double in = PICK(random, rating);
    d->set.kind = DEVICE_THERMAL_MAGNETIC;
    d->set.rating_ma = ma(in);
    d->scale_a = in * (chance(random, 0.5) ? 1 : random_between(random, 0.7, 1));
    d->set.long_time_ma = ma(d->scale_a);
    d->set.long_time_at_ppm = 6 * PPM;
    d->set.long_time_ns = ns(PICK(random, at_six));
    d->set.instantaneous = (struct device_stage){
        .pickup_ma = ma(PICK(random, magnetic) * in), .tolerance_ppm = chance(random, 0.7) ? -1 : 100000};
}

static void draw_relay(struct heat_device *d, struct random *random)
{
    static const double pickup[] = {80, 120, 200, 300, 400, 600, 1200, 2000};
    static const double tolerance[] = {0, 0.03, 0.05, 0.075, 0.1}, exponent[] = {0, 2, 2.4, 3.03};
    struct device_relay *r = &d->set.relay;
    d->set.kind = DEVICE_RELAY;
    d->scale_a = PICK(random, pickup);
    d->set.rating_ma = ma(d->scale_a);
    r->curve = (uint8_t)below(random, RELAY_CURVE_COUNT);
    r->reset = d->kind == HEAT_RELAY_AT_ONCE    ? RELAY_RESET_AT_ONCE
               : d->kind == HEAT_RELAY_DEFINITE ? RELAY_RESET_DEFINITE
                                                : RELAY_RESET_DEPENDENT;
    r->pickup_ma = ma(d->scale_a);
    r->time_dial_ppm = r->curve <= RELAY_IEC_STI ? ns(random_between(random, 0.05, 1)) / 1000
                                                 : ns(random_between(random, 0.5, 10)) / 1000;
    if (r->reset == RELAY_RESET_DEFINITE)
        r->reset_ns = ns(random_between(random, 0.1, 20));
    else if (r->reset == RELAY_RESET_DEPENDENT && (chance(random, 0.3) || r->curve == RELAY_IEC_LTI ||
                                                   r->curve == RELAY_IEC_STI))
        r->reset_ns = ns(random_between(random, 1, 60));
    r->reset_exponent_ppm = ns(PICK(random, exponent)) / 1000;
    r->pickup_tolerance_ppm = ns(PICK(random, tolerance)) / 1000;
    r->time_tolerance_ppm = ns(PICK(random, tolerance)) / 1000;
    if (chance(random, 0.4))
        draw_short_time(d, random);
    if (chance(random, 0.5))
        draw_instantaneous(d, random);
}

/* Multiples of the rating and seconds, the shape of a general-purpose fuse; each list is moved a little. */
static void draw_points(struct heat_device *d, struct random *random)
{
    static const double times[] = {1.4, 1.6, 2, 2.6, 3.5, 5, 7, 10, 14, 20};
    static const double seconds[] = {7200, 1800, 240, 60, 14, 3.2, 0.9, 0.22, 0.06, 0.012};
    static const double rating[] = {63, 100, 160, 250, 400, 630, 800, 1250};
    enum { COUNT = sizeof times / sizeof *times };
    double in = PICK(random, rating), slower = exp(random_between(random, -1.2, 1.2));
    double width = random_between(random, 1.05, 1.3);
    bool both = chance(random, 0.6);
    d->set.kind = d->kind == HEAT_FUSE ? DEVICE_FUSE : DEVICE_POINTS;
    d->set.rating_ma = ma(in);
    d->set.min_count = COUNT - below(random, 3);
    d->set.max_count = both ? d->set.min_count : 0;
    d->set.points_tolerance_ppm = both ? 0 : ns(random_between(random, 0.05, 0.2)) / 1000;
    for (uint32_t i = 0; i < d->set.min_count; i++) {
        double at = times[i] * random_between(random, 0.98, 1.02) * in, time = seconds[i] * slower;
        d->set.min[i] = (struct device_point){ma(at), ns(time)};
        d->set.max[i] = (struct device_point){ma(at * width), ns(time)};
    }
    d->scale_a = amperes(d->set.min[0].ma);
}

static void draw_equipment(struct heat_device *d, struct random *random)
{
    static const double load[] = {1.1, 1.25, 1.5}, seconds[] = {3600, 600, 60};
    struct site_equipment *q = &d->equipment;
    double near_a = d->scale_a * random_between(random, 0.75, 1.05), va = 3 * amperes(d->node.volts_ln_mv);
    if (d->kind == HEAT_TRANSFORMER) {
        q->transformer_mva = ma(near_a * va);
        q->transformer_ns = ns(random_between(random, 300, 7200));
    } else if (d->kind == HEAT_CONDUCTOR) {
        q->conductor_ma = ma(near_a);
        q->conductor_ns = ns(random_between(random, 60, 3600));
    } else if (d->kind == HEAT_UPS) {
        double quicker = exp(random_between(random, -2, 0));
        q->ups_mva = ma(near_a * va);
        q->overload_count = 1 + below(random, 3);
        for (uint32_t i = 0; i < q->overload_count; i++) {
            q->overload[i].load_ppm = llround(load[i] * 1e6);
            q->overload[i].ns = ns(seconds[i] * quicker);
        }
    }
}

/* Lowest current of the device's band at which heat or travel runs towards a trip. */
static double fast_edge_a(const struct heat_device *d)
{
    const struct site_device *s = &d->set;
    switch (s->kind) {
    case DEVICE_RELAY:
        return d->scale_a *
               (1 - (double)(s->relay.pickup_tolerance_ppm ? s->relay.pickup_tolerance_ppm : 50000) * 1e-6);
    case DEVICE_FUSE:
    case DEVICE_POINTS:
        return d->scale_a *
               (1 - (s->max_count ? 0
                                  : (double)(s->points_tolerance_ppm ? s->points_tolerance_ppm : 100000) *
                                        1e-6));
    default: return 1.05 * d->scale_a;
    }
}

/* safety.md section 2. */
static int64_t steady_of(const struct heat_device *d, bool rated_100pct)
{
    double va = 3 * amperes(d->node.volts_ln_mv), steady = 0.95 * fast_edge_a(d);
    if (d->set.kind == DEVICE_ELECTRONIC || d->set.kind == DEVICE_THERMAL_MAGNETIC)
        steady = fmin(steady, (rated_100pct ? 1.0 : 0.8) * d->scale_a);
    if (d->equipment.transformer_mva)
        steady = fmin(steady, amperes(d->equipment.transformer_mva) / va);
    if (d->equipment.conductor_ma)
        steady = fmin(steady, amperes(d->equipment.conductor_ma));
    if (d->equipment.ups_mva)
        steady = fmin(steady, amperes(d->equipment.ups_mva) / va);
    return (int64_t)floor(steady * 1e3 - 1e-6);
}

void heat_device_draw(struct heat_device *device, struct random *random)
{
    static const double volts[] = {230, 240, 277, 400};
    bool schneider;
    memset(device, 0, sizeof *device);
    device->kind = (enum heat_kind)below(random, HEAT_KIND_COUNT);
    schneider = device->kind == HEAT_SCHNEIDER || device->kind == HEAT_SCHNEIDER_MEMORY ||
                (device->kind >= HEAT_TRANSFORMER && chance(random, 0.5));
    device->set.profile = schneider ? PROFILE_SCHNEIDER : PROFILE_ABB;
    device->set.thermal_memory = device->kind != HEAT_ABB && device->kind != HEAT_SCHNEIDER;
    device->node = (struct model_node){
        .phases = PHASES, .limited = 1, .volts_ln_mv = ma(PICK(random, volts)), .meter = INDEX_NONE};
    switch (device->kind) {
    case HEAT_THERMAL_MAGNETIC: draw_thermal_magnetic(device, random); break;
    case HEAT_RELAY_AT_ONCE:
    case HEAT_RELAY_DEFINITE:
    case HEAT_RELAY_DEPENDENT: draw_relay(device, random); break;
    case HEAT_FUSE:
    case HEAT_POINTS: draw_points(device, random); break;
    default: draw_electronic(device, random); break;
    }
    draw_equipment(device, random);
    device->node.rated_100pct = chance(random, 0.5);
    device->steady_ma = steady_of(device, device->node.rated_100pct);
    device->node.rating_ma = device->set.rating_ma;
    device->node.long_time_ma = device->set.long_time_ma;
    device->node.steady_ma = device->steady_ma;
}

int heat_device_compile(struct heat_device *device)
{
    uint32_t curves = 0;
    struct breaker_curve *room = device->curve;
    return curve_compile(&device->set, &device->equipment, &device->node, EDGE_FAST, &device->node.breaker,
                         room, &curves);
}
