/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inverse-time relays, domain.md 1.1 and 1.2, in the integral form of IEEE C37.112: the travel F grows by
 * dt / t(M) while M > 1 and trips at 1,
 *     t(M) = dial * (k / (M^alpha - 1) + c)       M = I / Is, held at 20
 * Below, it goes at once, after a fixed time, or back like a disk: by dt / t_reset(M),
 *     t_reset(M) = dial * t_r / (1 - M^e)
 */
#include <math.h>

#include "sim/tripunit_parts.h"

/* IEC 60255-151 (pandapower, DEIF, ABB), IEEE C37.112 (GE), US curves (GridLAB-D); the last column is t_r. */
static const struct { double k, c, alpha, reset_s; } law[RELAY_CURVE_COUNT] = {
    [RELAY_IEC_SI] = {0.14, 0, 0.02, 9.7},
    [RELAY_IEC_VI] = {13.5, 0, 1, 43.2},
    [RELAY_IEC_EI] = {80, 0, 2, 58.2},
    [RELAY_IEC_LTI] = {120, 0, 1, 0},
    [RELAY_IEC_STI] = {0.05, 0, 0.04, 0},
    [RELAY_IEEE_MI] = {0.0515, 0.1140, 0.02, 4.85},
    [RELAY_IEEE_VI] = {19.61, 0.4910, 2, 21.6},
    [RELAY_IEEE_EI] = {28.2, 0.1217, 2, 29.1},
    [RELAY_U1] = {0.0104, 0.0226, 0.02, 1.08},
    [RELAY_U2] = {5.95, 0.180, 2, 5.95},
    [RELAY_U3] = {3.88, 0.0963, 2, 3.88},
    [RELAY_U4] = {5.67, 0.0352, 2, 5.67},
    [RELAY_U5] = {0.00342, 0.00262, 0.02, 0.323},
};
static const double most_multiple = 20;
/* Where nothing is given: +-5 % of pickup and time, as makers state it. */
static const double usual_tolerance = 0.05;

static double tolerance(int64_t ppm)
{
    return ppm > 0 ? (double)ppm / 1e6 : usual_tolerance;
}

void trip_relay_init(struct tripunit *unit, const struct tripunit_setup *setup, struct trip_dice *dice)
{
    const struct device_relay *set = &setup->device->relay;
    struct trip_relay *own = &unit->relay;
    double pickup = 1 + tolerance(set->pickup_tolerance_ppm) * trip_place(dice);
    double time = 1 + tolerance(set->time_tolerance_ppm) * trip_place(dice);
    /* slow to forget is the fast edge */
    double reset = 1 - tolerance(set->time_tolerance_ppm) * trip_place(dice);
    double dial = (double)set->time_dial_ppm / 1e6;
    double reset_s = set->reset_ns ? (double)set->reset_ns / 1e9 : law[set->curve].reset_s;
    own->pickup_a = (double)set->pickup_ma / 1e3 * pickup;
    own->k = law[set->curve].k;
    own->c = law[set->curve].c;
    own->alpha = law[set->curve].alpha;
    own->dial = dial * time;
    own->reset = set->reset;
    own->hold_s = reset_s * reset;
    own->reset_s = reset_s * reset * dial;
    own->reset_exponent = set->reset_exponent_ppm ? (double)set->reset_exponent_ppm / 1e6 : 2;
}

/* Travel after dt below the pickup. A disk of which no reset time is known stays where it is. */
static double fall_back(const struct trip_relay *own, double part, double multiple, double below_s,
                        double dt_s)
{
    switch (own->reset) {
    case RELAY_RESET_DEFINITE: return below_s >= own->hold_s - 1e-9 ? 0 : part;
    case RELAY_RESET_DEPENDENT:
        if (own->reset_s <= 0)
            return part;
        return fmax(part - dt_s * (1 - pow(multiple, own->reset_exponent)) / own->reset_s, 0);
    default: return 0;
    }
}

enum trip_element trip_relay_step(struct tripunit *unit, const double current_a[PHASES], double dt_s)
{
    const struct trip_relay *own = &unit->relay;
    bool trips = false;
    if (own->pickup_a <= 0)
        return TRIP_NONE;
    for (int phase = 0; phase < PHASES; phase++) {
        double multiple = fmin(current_a[phase] / own->pickup_a, most_multiple);
        if (multiple > 1) {
            double seconds = own->dial * (own->k / (pow(multiple, own->alpha) - 1) + own->c);
            unit->part[phase] += dt_s / seconds;
            unit->below_s[phase] = 0;
        } else if (unit->part[phase] > 0) {
            unit->below_s[phase] += dt_s;
            unit->part[phase] = fall_back(own, unit->part[phase], multiple, unit->below_s[phase], dt_s);
        }
        trips |= unit->part[phase] >= TRIP_FULL;
    }
    return trips ? TRIP_INVERSE : TRIP_NONE;
}
