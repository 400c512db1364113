/* SPDX-License-Identifier: Apache-2.0 */
/* Settings into the integers of msg/breaker.h: pickups down, rates and cooling up, heating constants down. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "site/curve/parts.h"

/* What the integers hold and the decision expects. */
static const double most_a = 1e7, most_s = 366 * 86400.0, least_image_s = 1e-3;
/* safety.md section 5: short-time counts from 0.90 Isd, whatever the table's narrow band says. */
static const double short_time_level = 0.90;
/* The decision works up to 0.9 of heat, so an image forgives a meter that is low by 5 % more than was
 * configured. Travel forgives nothing by that: below its pickup it is not counted and may be forgotten,
 * however long the device itself runs on. So the fast edge takes a current for 1 / 0.97 of it; short-time has
 * its level. A UPS carries its rating for ever: it counts from there on, as if it were 1 / 0.97 of that. */
static const double travel_level = 0.97;
/* A relay lets go of its travel at 97 to 98 % of its pickup (GE F60 manual, inverse time overcurrent).
 * Between that and the pickup it adds nothing; forgetting starts below. */
static const double relay_dropout = 0.97;
/* Travel of a stage with memory decays with this; no maker states it (domain.md 1.5). */
#define STAGE_DECAY_NS (500 * NS_PER_MS)
/* How fast a UPS gets its overload time back no maker states: ten times as long as the longest point, from
 * full at no load, is convention. */
enum { UPS_RECOVERY = 10 };

struct compiling {
    const struct site_device *device;
    const struct site_equipment *equipment;
    const struct model_node *node;
    enum curve_edge edge;
    struct breaker *breaker;
    struct breaker_curve *curves;
    uint32_t *curve_count;
    int rc;
};

static int64_t down(double value)
{
    return (int64_t)floor(value + 1e-6);
}

static int64_t up(double value)
{
    return (int64_t)ceil(value - 1e-6);
}

static int64_t ma_down(double amperes)
{
    return down(fmin(fmax(amperes, 0), 2 * most_a) * 1e3);
}

static int64_t ns_down(double seconds)
{
    return down(fmin(fmax(seconds, 0), most_s) * 1e9);
}

static int64_t ns_up(double seconds)
{
    return up(fmin(fmax(seconds, 0), most_s) * 1e9);
}

static void add(struct compiling *c, const struct breaker_element *element)
{
    if (element->pickup_ma < 1 || element->pickup_ma > down(most_a * 1e3))
        c->rc = c->rc ? c->rc : -EINVAL;
    else if (c->breaker->element_count == BREAKER_ELEMENTS_MAX)
        c->rc = c->rc ? c->rc : -ENOSPC;
    else
        c->breaker->element[c->breaker->element_count++] = *element;
}

/* Each different curve once. */
static uint32_t keep(struct compiling *c, const struct breaker_curve *curve)
{
    for (uint32_t i = 0; i < *c->curve_count; i++)
        if (!memcmp(&c->curves[i], curve, sizeof *curve))
            return i;
    if (*c->curve_count == BREAKER_CURVES_MAX) {
        c->rc = c->rc ? c->rc : -ENOSPC;
        return 0;
    }
    c->curves[*c->curve_count] = *curve;
    return (*c->curve_count)++;
}

static void add_travel(struct compiling *c, struct breaker_element *element, curve_of_multiple *time_s,
                       const void *context)
{
    struct breaker_curve curve;

    element->law = BREAKER_TRAVEL;
    if (c->edge == EDGE_FAST && element->role != ELEMENT_SHORT_TIME && element->role != ELEMENT_GROUND) {
        element->unit_ma = down(travel_level * (double)element->unit_ma);
        if (element->role != ELEMENT_UPS)
            element->pickup_ma = down(travel_level * (double)element->pickup_ma);
    }
    if (element->unit_ma < 1) {
        c->rc = c->rc ? c->rc : -EINVAL;
        return;
    }
    curve_line(&curve, time_s, context);
    element->curve = keep(c, &curve);
    add(c, element);
}

/* A law of the device as a curve over multiples of the element's unit. */
struct law {
    const struct site_device *device;
    enum breaker_element_role role;
    enum curve_edge edge;
    double unit_a;
};

static double law_s(const void *context, double multiple)
{
    const struct law *l = context;
    double amperes = multiple * l->unit_a;
    enum curve_band band = amperes <= curve_seam_a(l->device, l->role) ? BAND_NARROW : BAND_WIDE;

    return curve_law_s(l->device, l->role, l->edge, band, amperes);
}

static double pickup_of(const struct compiling *c, enum breaker_element_role role)
{
    const struct device_stage *s = &c->device->short_time;
    double narrow = curve_band_pickup_a(c->device, role, c->edge, BAND_NARROW), level;

    if (c->edge != EDGE_FAST)
        return narrow;
    if (role == ELEMENT_INVERSE)
        return narrow * relay_dropout;
    if (role != ELEMENT_SHORT_TIME)
        return narrow;
    level = s->tolerance_ppm < 0 ? short_time_level : 1 - curve_ratio(s->tolerance_ppm);
    return curve_a(s->pickup_ma) * fmin(level, short_time_level);
}

/* A law counts in multiples of what settings have in common, and of that before it is rounded (down: then the
 * decision sees a higher multiple), so that equal laws give equal curves. */
static void add_law(struct compiling *c, enum breaker_element_role role, uint8_t reset, int64_t reset_ns,
                    bool definite)
{
    struct law law = {c->device, role, c->edge, 0};
    struct breaker_element e = {.role = (uint8_t)role, .reset = reset, .reset_ns = reset_ns};
    double rated = curve_a(c->device->long_time_ma), pickup;

    if (!curve_has(c->device, role))
        return;
    pickup = pickup_of(c, role);
    law.unit_a = pickup;
    if ((role == ELEMENT_LONG_TIME || role == ELEMENT_SHORT_TIME) && rated > 0)
        law.unit_a = fmin(rated, pickup);
    e.residual = role == ELEMENT_GROUND;
    e.pickup_ma = ma_down(pickup);
    e.unit_ma = ma_down(law.unit_a);
    e.shortest_ns = definite ? ns_down(law_s(&law, 1e12)) : INT64_MAX;
    add_travel(c, &e, law_s, &law);
}

static void add_peak(struct compiling *c, enum breaker_element_role role)
{
    struct breaker_element e = {.law = BREAKER_PEAK, .role = (uint8_t)role};

    if (!curve_has(c->device, role))
        return;
    e.pickup_ma = ma_down(pickup_of(c, role));
    add(c, &e);
}

static void add_image(struct compiling *c, struct breaker_element *e, double heat_s, double heat_fast_s,
                      double cool_s)
{
    e->law = BREAKER_IMAGE;
    e->shortest_ns = INT64_MAX;
    if (!(fmin(heat_s, heat_fast_s) >= least_image_s && cool_s <= most_s)) {
        c->rc = c->rc ? c->rc : -EINVAL;
        return;
    }
    e->heat_ns = ns_down(heat_s);
    e->heat_fast_ns = ns_down(heat_fast_s);
    e->cool_ns = ns_up(cool_s);
    add(c, e);
}

/*
 * One image that bounds every device of the band. A device with asymptote p (of Ir) and time constant tau_p
 * has the relative heat h, which trips it at 1:
 *     h' = (r X - h) / tau_p,     X = (I / p1 Ir)^2,  r = (p1 / p)^2 <= 1,  p1 = lowest asymptote
 * The image is H' = (X - H) / T, with T = heat where X > H and cool elsewhere, from H >= h. Where they meet
 * (H = h) it must not fall below:
 *     X >= h: r X - h <= r (X - h), as h (1 - r) >= 0. So h' <= (X - h) r / tau_p <= H' if heat <= tau_p / r.
 *     X < h:  r X - h <= X - h < 0. So h' <= (X - h) / tau_p <= H' if cool >= tau_p.
 * tau_p lies within (1 -+ tolerance) tau(p) of image.c. The least tau(p) / r is (1 - tolerance)
 * tau(p1) / kappa, kappa = max p1^2 tau(p1) / (p^2 tau(p)): with u = (p / at)^2, p^2 tau(p) goes as
 * u / -ln(1 - u), which falls with u, so the highest asymptote gives kappa. tau(p) falls with p: the
 * greatest is at p1. Hot surroundings scale p1 and its band alike, and lower r for the rest.
 * The nominal constant with the lowest asymptote (domain.md 1.7) is taken in too.
 */
static void add_band(struct compiling *c, enum breaker_element_role role)
{
    struct breaker_element e = {.role = (uint8_t)role, .fast_above_ma = INT64_MAX};
    struct curve_image image;
    double nominal, low, high, tau1, kappa, seam;

    if (!curve_has(c->device, role))
        return;
    if (!curve_image_of(c->device, &image)) {
        if (role == ELEMENT_THERMAL)
            c->rc = -EINVAL;
        return;
    }
    e.pickup_ma = ma_down(curve_band_pickup_a(c->device, role, c->edge, BAND_NARROW));
    nominal = curve_image_constant_s(&image, image.pickup[EDGE_NOMINAL]);
    if (c->edge == EDGE_NOMINAL) {
        add_image(c, &e, nominal, nominal, nominal);
        return;
    }
    low = image.pickup[EDGE_FAST];
    high = image.pickup[EDGE_SLOW];
    tau1 = curve_image_constant_s(&image, low);
    kappa = low * low * tau1 / (high * high * curve_image_constant_s(&image, high));
    seam = curve_seam_a(c->device, role);
    if (isfinite(seam))
        e.fast_above_ma = ma_down(seam);
    add_image(c, &e, fmin(nominal, (1 - image.tolerance) * tau1 / kappa),
              fmin(nominal, (1 - image.tolerance_wide) * tau1 / kappa),
              fmax(nominal, (1 + image.tolerance) * tau1));
}

/* Back from full travel takes t_r / (1 - M^e). The decision knows e = 2 only: 1 - M^e is at least that for
 * e > 2, and at least e / 2 of it below, so a longer t_r covers those. No t_r known: travel stays. */
static void add_relay(struct compiling *c)
{
    const struct device_relay *r = &c->device->relay;
    double seconds = r->reset_ns ? curve_s(r->reset_ns) : curve_constants(r->curve)->reset_s;
    double exponent = r->reset_exponent_ppm ? curve_ratio(r->reset_exponent_ppm) : 2;
    double tolerance = curve_ratio(r->time_tolerance_ppm ? r->time_tolerance_ppm : 50000);

    if (!curve_has(c->device, ELEMENT_INVERSE))
        return;
    if (c->edge == EDGE_FAST)
        seconds *= 1 + tolerance;
    if (r->reset == RELAY_RESET_AT_ONCE) {
        add_law(c, ELEMENT_INVERSE, RESET_AT_ONCE, 0, false);
        return;
    }
    if (r->reset == RELAY_RESET_DEFINITE) {
        add_law(c, ELEMENT_INVERSE, RESET_HOLD, ns_up(seconds), false);
        return;
    }
    seconds *= curve_ratio(r->time_dial_ppm) * (exponent < 2 ? 2 / exponent : 1);
    add_law(c, ELEMENT_INVERSE, seconds > 0 ? RESET_TRAVEL : RESET_NEVER, ns_up(seconds), false);
}

/* Power as amperes of one phase at nominal volts; a single phase may be wired line to line (derive.c). */
static double power_a(const struct model_node *node, int64_t power_m)
{
    double volts = curve_a(node->volts_ln_mv);

    return volts > 0 ? curve_a(power_m) / (volts * (node->phases == PHASES ? 3 : sqrt(3))) : 0;
}

static double ups_rating_a(const struct compiling *c)
{
    const struct site_equipment *q = c->equipment;
    int64_t least = q->ups_mva;

    /* apparent power is never below active: who holds S to the kW figure holds P too */
    if (!least || (q->ups_mw && q->ups_mw < least))
        least = q->ups_mw;
    return power_a(c->node, least);
}

/* "125 % for 10 min" says that more than rated, up to 125 %, is carried for 10 min: steps, not lines. Above
 * the last point it may let go at once. */
static double overload_s(const void *context, double multiple)
{
    const struct compiling *c = context;
    const struct site_equipment *q = c->equipment;

    for (uint32_t i = 0; i < q->overload_count; i++)
        if (multiple <= curve_ratio(q->overload[i].load_ppm) * (1 + 1e-12))
            return curve_s(q->overload[i].ns);
    return 0;
}

static void add_ups(struct compiling *c)
{
    const struct site_equipment *q = c->equipment;
    struct breaker_element e = {.role = ELEMENT_UPS, .reset = RESET_TRAVEL, .shortest_ns = INT64_MAX};
    int64_t longest = 0;

    if (!q->overload_count || !(q->ups_mva || q->ups_mw))
        return;
    for (uint32_t i = 0; i < q->overload_count; i++)
        longest = q->overload[i].ns > longest ? q->overload[i].ns : longest;
    e.reset_ns = ns_up(curve_s(longest) * UPS_RECOVERY);
    e.unit_ma = ma_down(ups_rating_a(c));
    e.pickup_ma = e.unit_ma + 1;
    add_travel(c, &e, overload_s, c);
}

/* Rated current settles at the share of HEAT_ONE that the decision works up to. */
static void add_equipment_image(struct compiling *c, enum breaker_element_role role, double rated_a,
                                int64_t constant_ns)
{
    struct breaker_element e = {.role = (uint8_t)role, .fast_above_ma = INT64_MAX};
    double tau = curve_s(constant_ns);

    if (!(rated_a > 0) || !constant_ns)
        return;
    e.pickup_ma = ma_down(rated_a / sqrt(curve_ratio(BREAKER_OPERATE_PPM)));
    add_image(c, &e, tau, tau, tau);
}

static void add_device(struct compiling *c)
{
    const struct site_device *d = c->device;

    add_band(c, ELEMENT_LONG_TIME);
    add_law(c, ELEMENT_LONG_TIME, RESET_AT_ONCE, 0, false);
    add_band(c, ELEMENT_THERMAL);
    add_relay(c);
    add_law(c, ELEMENT_FUSE, RESET_NEVER, 0, false);
    add_law(c, ELEMENT_POINTS, RESET_NEVER, 0, false);
    add_law(c, ELEMENT_SHORT_TIME, d->short_time.memory ? RESET_DECAY : RESET_AT_ONCE,
            d->short_time.memory ? STAGE_DECAY_NS : 0, true);
    add_peak(c, ELEMENT_INSTANTANEOUS);
    add_peak(c, ELEMENT_MAGNETIC);
    add_law(c, ELEMENT_GROUND, d->ground.memory ? RESET_DECAY : RESET_AT_ONCE,
            d->ground.memory ? STAGE_DECAY_NS : 0, true);
}

/* A stage alone makes no curve: what long overloads do is not known. */
static bool curve_known(const struct site_device *device)
{
    return curve_has(device, ELEMENT_LONG_TIME) || curve_has(device, ELEMENT_THERMAL) ||
           curve_has(device, ELEMENT_INVERSE) || curve_has(device, ELEMENT_FUSE) ||
           curve_has(device, ELEMENT_POINTS);
}

int curve_compile(const struct site_device *device, const struct site_equipment *equipment,
                  const struct model_node *node, enum curve_edge edge, struct breaker *breaker,
                  struct breaker_curve *curves, uint32_t *curve_count)
{
    struct compiling c = {device, equipment, node, edge, breaker, curves, curve_count, 0};

    memset(breaker, 0, sizeof *breaker);
    if (edge == EDGE_SLOW)
        return -EINVAL;
    /* a breaker of unknown curve: what stands beside it does not say what may flow */
    if (!curve_known(device) && node->limited && node->rating_ma)
        return 0;
    if (curve_known(device))
        add_device(&c);
    add_equipment_image(&c, ELEMENT_TRANSFORMER, power_a(node, equipment->transformer_mva),
                        equipment->transformer_ns);
    add_equipment_image(&c, ELEMENT_CONDUCTOR, curve_a(equipment->conductor_ma), equipment->conductor_ns);
    add_ups(&c);
    if (c.rc)
        memset(breaker, 0, sizeof *breaker);
    return c.rc;
}
