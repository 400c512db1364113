/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plant's protective devices, written from the equations of the standards (domain.md 1.1 to 1.5) in
 * floating point. They share no code with what the controller believes of them: settings come as plain data
 * (site/device.h), everything else is made here. Each device is one specimen: pickups and times are drawn
 * from its whole tolerance band and then stay.
 *
 * Not played: earth faults (a load's residual current is 0 where the neutral is in the sum), the energy that
 * a fuse lets through, and zone interlocking.
 */
#ifndef FLYBALL_SIM_TRIPUNIT_H
#define FLYBALL_SIM_TRIPUNIT_H

#include <stdbool.h>

#include "msg/limits.h"
#include "sim/random.h"
#include "site/device.h"

/* From slow to fast: where several trip in one step, the last one is named. */
enum trip_element {
    TRIP_NONE, TRIP_CONDUCTOR, TRIP_TRANSFORMER, TRIP_UPS, TRIP_LONG_TIME, TRIP_THERMAL, TRIP_INVERSE,
    TRIP_FUSE, TRIP_POINTS, TRIP_GROUND, TRIP_SHORT_TIME, TRIP_MAGNETIC, TRIP_INSTANTANEOUS,
    TRIP_ENGINE,            /* of a generator, no unit of this file: it stalls (sim/grid_source.h) */
    TRIP_ELEMENT_COUNT
};

enum trip_truth {
    TRUTH_NOMINAL,
    TRUTH_FAST,             /* lowest pickups, shortest times, longest memories of the band */
    TRUTH_SLOW,
    TRUTH_DRAWN,            /* each figure evenly from its band */
};

/* What the long-time element of an electronic unit is: domain.md 1.5 models B and A. */
enum trip_long_time {
    LONG_TIME_AS_SET,       /* no thermal memory: a timer; with: an image or both is drawn, else both */
    LONG_TIME_IMAGE,        /* heat of a thermal image */
    LONG_TIME_TIMER,        /* I2t time, forgotten below the pickup */
    LONG_TIME_BOTH,
};

struct tripunit_setup {
    const struct site_device *device;
    const struct site_equipment *equipment; /* NULL = nothing beside it */
    double volts_ln;                        /* nominal, of the node: for what is given as power */
    uint32_t phases;
    enum trip_truth truth;
    enum trip_long_time long_time;
    double fast_share;                      /* DRAWN: so likely it is exactly the fast edge instead */
    double initial_heat;                    /* (I / rated)^2 that every image has seen for long */
    struct random *random;                  /* DRAWN only */
};

/* Heat toward the square of current over rated, domain.md 1.5 B; [1] of a pair holds above 6 In. */
struct trip_image {
    double rated_a;                         /* 0 = there is none */
    double trip;                            /* heat at which it trips */
    double tau_s[2], seam_a;
    double decay[2];                        /* exp(-dt / tau), kept for the step in use */
    double theta[PHASES];
};

/* Long-time as a timer, domain.md 1.5 A: part grows by (I / A)^2 / s per second. */
struct trip_timer {
    double pickup_a;                        /* 0 = there is none */
    double rate_per_a2[2], seam_a, rate_at_seam;
    double most_rate, flat_rate, flat_above_a;  /* ABB: not below 1 s; or 1 s above 12 In */
};

struct trip_relay {
    double pickup_a, k, c, alpha, dial;
    double hold_s;                          /* definite reset; 0 = at once */
    double reset_s, reset_exponent;         /* dependent */
    uint8_t reset;                          /* enum relay_reset */
};

/* Logarithms of A and s. */
struct trip_line {
    uint32_t count;
    double a[DEVICE_POINTS_MAX], s[DEVICE_POINTS_MAX];
};

struct trip_points {
    double pickup_a, slow_share;            /* 0 = on `min`, 1 = on `max` */
    bool forgets;                           /* below its pickup */
    struct trip_line min, max;
};

/* Short-time and ground. */
struct trip_stage {
    double pickup_a;                        /* 0 = there is none */
    double time_s[2], seam_a, rate_at_seam;
    double inverse_a2s[2];                  /* time is this / I^2 where longer; 0 = definite */
    double inhibit_a;                       /* ground: a phase above it silences it; 0 = nothing does */
    bool memory;                            /* decays below the pickup, else it is forgotten */
    double part[PHASES];                    /* 1 = trips; ground: [0] only */
};

struct trip_peak {
    double peak_a, delay_s;                 /* 0 A = there is none */
    double for_s[PHASES];
};

struct trip_ups {
    double rated_a;                         /* 0 = there is none */
    uint32_t count;
    double above[OVERLOADS_MAX], time_s[OVERLOADS_MAX], recovery_s;
    double part[PHASES];
};

struct trip_kind;

struct tripunit {
    const struct trip_kind *kind;
    enum trip_element tripped;              /* the first that did */
    double dt_s, stage_decay;
    struct trip_image image;
    union {
        struct trip_timer timer;
        struct trip_relay relay;
        struct trip_points points;
    };
    double part[PHASES];                    /* of timer, relay, fuse or point list; 1 = trips */
    double below_s[PHASES];                 /* relay: time below its pickup */
    struct trip_stage short_time, ground;
    struct trip_peak peak;
    struct trip_image transformer, conductor;
    struct trip_ups ups;
};

struct tripunit_load {
    double current_a[PHASES];               /* rms */
    double residual_a;                      /* rms of the sum over phases and neutral */
    double crest;                           /* peak / rms */
};

/* setup */
void tripunit_init(struct tripunit *unit, const struct tripunit_setup *setup);

/* any: dt seconds of this load. Returns what trips now, TRIP_NONE otherwise. Goes on after a trip. */
enum trip_element tripunit_step(struct tripunit *unit, const struct tripunit_load *load, double dt_s);

/* any: as long as every phase carries less (rms, at this crest), nothing of the unit can trip, and only
 * the mean of the current's square over a slice that is short against every time constant counts. */
double tripunit_calm_a(const struct tripunit *unit, double crest);

/* any: worst phase of every image, or of the time element where it has none; 1 = trips. */
double tripunit_heat(const struct tripunit *unit);
/* any: worst phase of everything that counts time: timer, relay, fuse, stages, UPS; 1 = trips. */
double tripunit_travel(const struct tripunit *unit);

const char *trip_element_name(enum trip_element element);
const char *trip_kind_name(enum device_kind kind);

#endif
