/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How near a protective device is to tripping, and what may still be drawn: safety.md section 5 (admissible,
 * theta-hat), domain.md 1.2 to 1.7. Pure integers. Every state is an upper bound of the heat and travel of
 * any device inside the tolerance band (beyond 1024 times its pickup an image is taken for tripped); every
 * time to trip is a lower bound; every admissible current is a lower bound. Currents are rms of at most 20
 * ms, in mA, already enlarged by the error of meter and transformer; negative ones count as 0.
 */
#ifndef FLYBALL_CORE_BREAKER_H
#define FLYBALL_CORE_BREAKER_H

#include <stdbool.h>

#include "msg/breaker.h"

#define BREAKER_NEVER_NS INT64_MAX

/* Reciprocals of a device's constants, so that a step divides nothing; breaker_pace makes them. No part of
 * the state: the same device gives the same. */
struct breaker_pace {
    struct breaker_pace_element {
        int64_t unit_ma;                /* of M = 1 */
        uint64_t unit;                  /* a little above 2^63 / unit_ma */
        uint64_t heat, heat_fast;       /* a little above 2^81 / tau_ns */
        uint64_t fall;                  /* at most 2^81 / cool_ns, or reset_ns */
    } element[BREAKER_ELEMENTS_MAX];
};

struct breaker_load {
    int64_t current_ma[PHASES];
    int64_t residual_ma;        /* |iA + iB + iC (+ iN)| rms; 0 where nobody measures it */
    int32_t crest_milli;        /* peak / rms; below 1414 (0 = not given) counts as 1414 */
};

/* One step of a forecast. */
struct breaker_step_ahead {
    int64_t dt_ns;
    struct breaker_load load;
};

struct breaker_verdict {
    int64_t t_ns;               /* until the fast edge may trip, from now; BREAKER_NEVER_NS */
    uint32_t element;           /* index into breaker.element, INDEX_NONE (UINT32_MAX) = none */
    uint32_t phase;
};

/* any: the state of a device whose history nobody knows (safety.md section 5, last sentence): images at
 * max(theta_op, (I / pickup)^2), travel of short-time and ground full but for one unit, other travel at
 * theta_op. `load` is what flows now, NULL = nothing known. */
void breaker_start(struct breaker_state *state, const struct breaker *breaker,
                   const struct breaker_load *load);

/* any: every image at heat_ppm of HEAT_ONE, every travel at 0. */
void breaker_rest(struct breaker_state *state, const struct breaker *breaker, int64_t heat_ppm);

/* any: what breaker_step_paced wants beside the device. */
void breaker_pace(struct breaker_pace *pace, const struct breaker *breaker);

/* rt: `load` has flown for dt_ns (of 0 or less only PEAK takes notice). Returns the role (enum
 * breaker_element_role) of the first element that may have tripped, or -1. The state then holds at HEAT_ONE
 * and goes on. At most 50 ns for an electronic device with an image: bench/breaker. */
int breaker_step_paced(struct breaker_state *state, const struct breaker *breaker,
                       const struct breaker_pace *pace, const struct breaker_curve *curves,
                       const struct breaker_load *load, int64_t dt_ns);

/* any: the same where nobody keeps a pace; a few divisions more. */
int breaker_step(struct breaker_state *state, const struct breaker *breaker,
                 const struct breaker_curve *curves, const struct breaker_load *load, int64_t dt_ns);

/* rt: the largest heat of an image, and the largest travel, over phases; ppm of HEAT_ONE, up. */
int64_t breaker_heat_ppm(const struct breaker_state *state, const struct breaker *breaker);
int64_t breaker_travel_ppm(const struct breaker_state *state, const struct breaker *breaker);

/* rt: from this state with `load` held for ever. */
void breaker_time_to_trip(const struct breaker_state *state, const struct breaker *breaker,
                          const struct breaker_curve *curves, const struct breaker_load *load,
                          struct breaker_verdict *verdict);

/* rt: along a trajectory of `count` steps, the last load held for ever after (domain.md 1.6). `end`, where
 * not NULL, is the state after the last step (or at the trip). */
void breaker_forecast(const struct breaker_state *state, const struct breaker *breaker,
                      const struct breaker_curve *curves, const struct breaker_step_ahead *step,
                      uint32_t count, struct breaker_verdict *verdict, struct breaker_state *end);

/* rt: the largest current that may flow on every phase, starting from `state` and held for hold_ns =
 * T_resp / 0.7. `element` says which binds; INT64_MAX and UINT32_MAX where nothing does. Rounded down. The
 * caller holds it against the steady limit, which is always admissible. Residual elements do not count.
 *
 *   IMAGE   no heat passes 0.9 of HEAT_ONE. From above 0.9 nothing leads below it at once: there the current
 *           that settles at 0.9, so that heat falls, however much there is.
 *   TRAVEL  no travel passes 0.9, and 1 / 0.95 times the current would not trip it within hold_ns. What is
 *           definite and quicker than hold_ns thereby ends at 0.95 of its pickup; what is inverse may run.
 *           A current below pickup passes nothing.
 *   PEAK    below 0.95 of its pickup x sqrt 2 / crest. */
int64_t breaker_admissible_ma(const struct breaker_state *state, const struct breaker *breaker,
                              const struct breaker_curve *curves, int64_t hold_ns, int32_t crest_milli,
                              uint32_t *element);

/* The components of breaker_risk, domain.md 1.7: ppm from 0 to PPM, each rounded up, over a forecast and, for
 * time, over its last load held for ever. */
struct breaker_risk {
    int64_t level_ppm;          /* peaks: from 0.5 to 1 of the lowest PEAK pickup */
    int64_t sag_ppm;            /* the same currents at 0.9 of the voltage and constant power */
    int64_t time_ppm;           /* T_resp / time to trip: 0.7 is the 30 % rule */
    int64_t heat_ppm;           /* images from the heat of 80 % current (0.64 / 1.1025) to HEAT_ONE; travel */
};

/* rt: the components; respond_ns is T_resp. */
void breaker_risk_parts(const struct breaker_state *state, const struct breaker *breaker,
                        const struct breaker_curve *curves, const struct breaker_step_ahead *step,
                        uint32_t count, int64_t respond_ns, struct breaker_risk *risk);

/* rt: their largest. Denied above 700,000. */
int64_t breaker_risk_ppm(const struct breaker_state *state, const struct breaker *breaker,
                         const struct breaker_curve *curves, const struct breaker_step_ahead *step,
                         uint32_t count, int64_t respond_ns);

#endif
