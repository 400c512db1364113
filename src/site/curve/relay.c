/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IEC 60255-151 and IEEE C37.112 inverse curves, and the U curves of American relays: domain.md 1.1, 1.2.
 *     t(M) = k / (M^alpha - 1) + c        M = I / Is > 1
 *     reset(M) = t_r / (1 - M^2)          M < 1
 * Constants: pandapower (ocrelay.py), DEIF PPM300 handbook p. 70, ABB REX610; reset of the IEC curves: GE M60
 * manual p. 336, of the IEEE curves: GE L90 manual p. 423; U1 to U5: GridLAB-D relay.cpp.
 */
#include <math.h>

#include "site/curve/parts.h"

static const struct curve_constants table[RELAY_CURVE_COUNT] = {
    [RELAY_IEC_SI] = {0.14, 0, 0.02, 9.7, "iec_si"},
    [RELAY_IEC_VI] = {13.5, 0, 1, 43.2, "iec_vi"},
    [RELAY_IEC_EI] = {80, 0, 2, 58.2, "iec_ei"},
    [RELAY_IEC_LTI] = {120, 0, 1, 0, "iec_lti"},
    [RELAY_IEC_STI] = {0.05, 0, 0.04, 0, "iec_sti"},
    [RELAY_IEEE_MI] = {0.0515, 0.1140, 0.02, 4.85, "ieee_mi"},
    [RELAY_IEEE_VI] = {19.61, 0.4910, 2, 21.6, "ieee_vi"},
    [RELAY_IEEE_EI] = {28.2, 0.1217, 2, 29.1, "ieee_ei"},
    [RELAY_U1] = {0.0104, 0.0226, 0.02, 1.08, "u1"},
    [RELAY_U2] = {5.95, 0.180, 2, 5.95, "u2"},
    [RELAY_U3] = {3.88, 0.0963, 2, 3.88, "u3"},
    [RELAY_U4] = {5.67, 0.0352, 2, 5.67, "u4"},
    [RELAY_U5] = {0.00342, 0.00262, 0.02, 0.323, "u5"},
};

const struct curve_constants *curve_constants(enum relay_curve curve)
{
    return &table[curve];
}

double curve_relay_free_s(enum relay_curve curve, double multiple)
{
    const struct curve_constants *c = &table[curve];

    if (multiple <= 1)
        return INFINITY;
    /* expm1 keeps its digits where M^0.02 is 1.0000x */
    return c->k / expm1(c->alpha * log(multiple)) + c->c;
}

double curve_relay_s(enum relay_curve curve, double multiple)
{
    if (!isfinite(multiple) || multiple < 0)
        return NAN;
    return curve_relay_free_s(curve, fmin(multiple, RELAY_MULTIPLE_MAX));
}

double curve_relay_reset_s(enum relay_curve curve, double multiple)
{
    const struct curve_constants *c = &table[curve];

    if (!isfinite(multiple) || multiple < 0)
        return NAN;
    if (multiple >= 1 || c->reset_s == 0)
        return INFINITY;
    return c->reset_s / (1 - multiple * multiple);
}
