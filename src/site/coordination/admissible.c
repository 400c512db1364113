/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the compiled device lets flow, in floating point: safety.md section 5, admissible. The decision works
 * the same out in integers (core/breaker.h) and from the heat of the moment; here the heat is that of a
 * settled load.
 */
#include <math.h>

#include "site/coordination/parts.h"

static const double one = (double)HEAT_ONE;
static const double operate = (double)BREAKER_OPERATE_PPM / 1e6;
static const double below_trip = 0.95;          /* of the current that trips in time */

static double amperes_of(int64_t ma)
{
    return (double)ma / 1e3;
}

static double seconds_of(int64_t ns)
{
    return (double)ns / 1e9;
}

/* M of a point, and seconds to travel the whole way there. */
static double multiple_at(uint32_t point)
{
    return ldexp(1 + (double)(point % CURVE_STEPS) / CURVE_STEPS, (int)(point / CURVE_STEPS));
}

static double whole_way_s(double rate)
{
    return rate > 0 ? one / rate * ldexp(1, 30) / 1e9 : INFINITY;
}

static double travel_s(const struct model *m, const struct breaker_element *e, double amperes)
{
    const int64_t *rate = m->curve[e->curve].rate;
    double multiple = amperes / amperes_of(e->unit_ma);
    uint32_t p = 0;

    if (amperes < amperes_of(e->pickup_ma))
        return INFINITY;
    while (p < CURVE_POINTS - 1 && multiple_at(p + 1) <= multiple)
        p++;
    if (p == CURVE_POINTS - 1 || multiple <= 1)
        return whole_way_s((double)rate[p]);
    double share = (multiple - multiple_at(p)) / (multiple_at(p + 1) - multiple_at(p));

    return whole_way_s((double)rate[p] + share * (double)(rate[p + 1] - rate[p]));
}

/* The largest current with which a travel from 0 gets at most `part` of the way within hold_s. */
static double moving_a(const struct model *m, const struct breaker_element *e, double part, double hold_s)
{
    double low = amperes_of(e->pickup_ma), high = amperes_of(e->unit_ma) * multiple_at(CURVE_POINTS - 1);

    if (travel_s(m, e, fmax(high, low)) * part >= hold_s)
        return INFINITY;
    for (int i = 0; i < 60 && high > low; i++) {
        double middle = (low + high) / 2;

        if (travel_s(m, e, middle) * part >= hold_s)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Not past theta_op, and 5 % of current below a trip: a curve may be as steep as a step. */
static double travel_admissible_a(const struct model *m, const struct breaker_element *e, double hold_s)
{
    return fmin(moving_a(m, e, operate, hold_s), below_trip * moving_a(m, e, 1, hold_s));
}

static double image_heat(const struct breaker_element *e, double settled_a)
{
    double x = settled_a / amperes_of(e->pickup_ma);

    return x * x;
}

static double image_holds_a(const struct breaker_element *e, double heat, double hold_s, int64_t tau_ns)
{
    double left = exp(-hold_s / seconds_of(tau_ns));

    if (heat >= operate)
        return amperes_of(e->pickup_ma) * sqrt(operate);
    return amperes_of(e->pickup_ma) * sqrt((operate - heat * left) / (1 - left));
}

static double image_admissible_a(const struct breaker_element *e, double settled_a, double hold_s)
{
    double heat = image_heat(e, settled_a), above = amperes_of(e->fast_above_ma);
    double slow = image_holds_a(e, heat, hold_s, e->heat_ns);

    if (e->fast_above_ma == INT64_MAX || slow <= above)
        return slow;
    return fmax(above, image_holds_a(e, heat, hold_s, e->heat_fast_ns));
}

/* A stage that is through within hold_s as soon as it starts is definite, whatever its law. */
static enum lease_term term_of(const struct model *m, const struct breaker_element *e, double hold_s)
{
    if (e->law == BREAKER_IMAGE)
        return LEASE_TERM_HEAT;
    return e->law == BREAKER_PEAK || travel_s(m, e, amperes_of(e->pickup_ma)) <= hold_s ? LEASE_TERM_DEFINITE
                                                                                        : LEASE_TERM_TRAVEL;
}

double coordination_admissible_a(const struct model *model, const struct breaker *breaker, double settled_a,
                                 double hold_s, uint8_t *role, uint8_t *term)
{
    double least = INFINITY;

    *role = ELEMENT_ROLE_COUNT;
    *term = LEASE_TERM_NONE;
    for (uint32_t i = 0; i < breaker->element_count; i++) {
        const struct breaker_element *e = &breaker->element[i];
        enum lease_term own = term_of(model, e, hold_s);
        double a = own == LEASE_TERM_HEAT       ? image_admissible_a(e, settled_a, hold_s)
                   : own == LEASE_TERM_DEFINITE ? below_trip * amperes_of(e->pickup_ma)
                                                : travel_admissible_a(model, e, hold_s);

        if (e->residual || !(a < least))
            continue;
        least = a;
        *role = e->role;
        *term = (uint8_t)own;
    }
    return least;
}

double coordination_element_s(const struct model *model, const struct breaker_element *element, double heat,
                              double amperes)
{
    double x = amperes / amperes_of(element->pickup_ma);

    if (element->law == BREAKER_PEAK)
        return x >= 1 ? 0 : INFINITY;
    if (element->law == BREAKER_TRAVEL)
        return travel_s(model, element, amperes);
    if (heat >= 1)
        return 0;

    bool fast = amperes * 1e3 > (double)element->fast_above_ma;
    double tau = seconds_of(fast ? element->heat_fast_ns : element->heat_ns);

    return x > 1 ? tau * log((x * x - heat) / (x * x - 1)) : INFINITY;
}
