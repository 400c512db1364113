/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A protective device as the decision sees it: integers compiled from its settings when the site is loaded
 * (site/curve/curve.h), every rounding toward an earlier trip. Two laws cover everything that a current heats
 * or moves, and a third what looks at the peak:
 *
 *   IMAGE   a thermal image, domain.md 1.5 model B: heat follows (I / pickup)^2 with a time constant; the
 *           fast edge trips at HEAT_ONE. It bounds every device of the band at once: it heats with
 *           the shortest time constant of the band and cools with the longest, so by comparison of the two
 *           differential equations no device of the band is ever nearer to its own trip.
 *   TRAVEL  dF = dt / t(I) while I >= pickup, domain.md 1.2 (the integral form): inverse relays, fuses, point
 *           lists, short-time and ground stages with memory; trips at HEAT_ONE. Resets by one of five laws.
 *   PEAK    trips at once when the peak reaches sqrt 2 x pickup.
 */
#ifndef FLYBALL_MSG_BREAKER_H
#define FLYBALL_MSG_BREAKER_H

#include "msg/limits.h"

enum {
    BREAKER_ELEMENTS_MAX = 8,
    BREAKER_CURVES_MAX = 1024,      /* different TRAVEL curves of one site */
    CURVE_STEPS = 32,               /* points per octave of current */
    CURVE_OCTAVES = 6,              /* M = 1 .. 64; above the last point a curve is flat */
    CURVE_POINTS = CURVE_STEPS * CURVE_OCTAVES + 1,
};

#define HEAT_ONE (INT64_C(1) << 40)         /* heat or travel at which the fast edge trips */
#define BREAKER_OPERATE_PPM INT64_C(900000) /* theta_op of safety.md section 5, of HEAT_ONE */

enum breaker_law { BREAKER_IMAGE, BREAKER_TRAVEL, BREAKER_PEAK };

enum breaker_reset {
    RESET_AT_ONCE,      /* below pickup F = 0 */
    RESET_HOLD,         /* holds for reset_ns below pickup, then F = 0 */
    RESET_TRAVEL,       /* dF = -dt (1 - M^2) / reset_ns: a disk, or a relay that behaves like one */
    RESET_DECAY,        /* F decays with the time constant reset_ns: short-time memory */
    RESET_NEVER,        /* a fuse has melted by so much */
};

/* What an element is called. X(symbol, name) */
#define BREAKER_ELEMENTS(X) \
    X(ELEMENT_LONG_TIME, "long-time") \
    X(ELEMENT_SHORT_TIME, "short-time") \
    X(ELEMENT_INSTANTANEOUS, "instantaneous") \
    X(ELEMENT_GROUND, "ground") \
    X(ELEMENT_THERMAL, "thermal") \
    X(ELEMENT_MAGNETIC, "magnetic") \
    X(ELEMENT_INVERSE, "inverse-time") \
    X(ELEMENT_FUSE, "fuse") \
    X(ELEMENT_POINTS, "curve") \
    X(ELEMENT_TRANSFORMER, "transformer") \
    X(ELEMENT_CONDUCTOR, "conductor") \
    X(ELEMENT_UPS, "UPS overload")

enum breaker_element_role {
#define BREAKER_ELEMENT_SYMBOL(symbol, name) symbol,
    BREAKER_ELEMENTS(BREAKER_ELEMENT_SYMBOL)
#undef BREAKER_ELEMENT_SYMBOL
    ELEMENT_ROLE_COUNT
};

struct breaker_element {
    uint8_t law;                /* enum breaker_law */
    uint8_t role;               /* enum breaker_element_role */
    uint8_t reset;              /* TRAVEL: enum breaker_reset */
    uint8_t residual;           /* looks at the residual current, not at the phases: ground */
    uint32_t curve;             /* TRAVEL: index into model.curve */
    /* Fast edge, rms amperes of one phase. IMAGE: the current whose heat settles at HEAT_ONE. TRAVEL: nothing
     * runs below it. PEAK: as rms of a sine. */
    int64_t pickup_ma;
    int64_t unit_ma;            /* TRAVEL: the current of M = 1 in its curve; <= pickup_ma */
    int64_t heat_ns;            /* IMAGE: time constant while it heats, up to fast_above_ma */
    int64_t heat_fast_ns;       /* IMAGE: the same above it, <= heat_ns (tolerances widen above 6 In) */
    int64_t fast_above_ma;      /* IMAGE: INT64_MAX = nowhere */
    int64_t cool_ns;            /* IMAGE: time constant while it cools, >= heat_ns */
    int64_t reset_ns;           /* TRAVEL: of its reset law */
    /* Definite stages (short-time, ground): least time in which it can trip from cold, at any current;
     * PEAK: 0. INT64_MAX: its level bounds nothing, heat or travel does (images, inverse curves, fuses). */
    int64_t shortest_ns;
};

struct breaker {
    uint32_t element_count;     /* 0: nothing here trips */
    uint32_t reserved;
    struct breaker_element element[BREAKER_ELEMENTS_MAX];
};

/* Travel per 2^30 ns, in units of HEAT_ONE, at M = 2^octave * (1 + step / CURVE_STEPS); straight lines
 * between points are nowhere below the true rate. Never falls with current. */
struct breaker_curve {
    int64_t rate[CURVE_POINTS];
};

struct breaker_state {
    int64_t part[BREAKER_ELEMENTS_MAX][PHASES];     /* heat or travel; HEAT_ONE trips; residual: [0] only */
    int64_t below_ns[BREAKER_ELEMENTS_MAX][PHASES]; /* RESET_HOLD: time below pickup */
};

#endif
