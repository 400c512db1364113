/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protective devices and equipment as set, in the units of the site file: what curves are made from. One
 * site_device for every node; what a node does not say itself comes from its row of `devices:`.
 */
#ifndef FLYBALL_SITE_DEVICE_H
#define FLYBALL_SITE_DEVICE_H

#include <stdbool.h>

#include "msg/limits.h"

enum {
    DEVICE_POINTS_MAX = 24,         /* of a fuse or a point list */
    OVERLOADS_MAX = 6,              /* overload points of a UPS */
    SOURCE_STATES_MAX = 4,
    DEVICES_MAX = 256,              /* rows of `devices:` */
};

enum device_kind {
    DEVICE_NONE,                    /* no trip curve is known: steady limit only */
    DEVICE_ELECTRONIC,              /* LSI, LSIG: domain.md 1.3 */
    DEVICE_THERMAL_MAGNETIC,        /* 1.4 */
    DEVICE_RELAY,                   /* 1.1, 1.2 */
    DEVICE_FUSE,                    /* points of melting and clearing */
    DEVICE_POINTS,                  /* any other point list: min and max */
    DEVICE_KIND_COUNT
};

/* What of a device the site file does not say: a set, for people who sign. */
enum device_assumed {
    ASSUMED_PROFILE = 1, ASSUMED_LONG_TIME = 2 /* Ir = In */, ASSUMED_AT = 4, ASSUMED_MEMORY = 8,
    ASSUMED_OPENING = 16, ASSUMED_CLEARS = 32, ASSUMED_AMBIENT = 64, ASSUMED_RESET = 128,
    ASSUMED_RATED = 512,        /* 80 % */
    ASSUMED_TOLERANCE = 256,    /* of a relay or a point list; stages say -1 */
};

enum device_profile { PROFILE_ABB, PROFILE_SCHNEIDER, PROFILE_COUNT };     /* tolerance bands: 1.3 */

/* Rows of the table in domain.md 1.1 and 1.2. */
enum relay_curve {
    RELAY_IEC_SI, RELAY_IEC_VI, RELAY_IEC_EI, RELAY_IEC_LTI, RELAY_IEC_STI,
    RELAY_IEEE_MI, RELAY_IEEE_VI, RELAY_IEEE_EI,
    RELAY_U1, RELAY_U2, RELAY_U3, RELAY_U4, RELAY_U5,
    RELAY_CURVE_COUNT
};

enum relay_reset { RELAY_RESET_AT_ONCE, RELAY_RESET_DEFINITE, RELAY_RESET_DEPENDENT };

struct device_stage {
    int64_t pickup_ma;              /* rms; 0 = not there */
    int64_t delay_ns;               /* as set; instantaneous: 0 */
    int64_t tolerance_ppm;          /* of the pickup; -1 = that of the profile */
    bool i2t;                       /* short-time: inverse up to 10 Ir (ground: up to where it meets delay) */
    bool memory;                    /* travel decays (0.5 s), else it is forgotten below pickup */
};

struct device_relay {
    uint8_t curve;                  /* enum relay_curve */
    uint8_t reset;                  /* enum relay_reset */
    int64_t pickup_ma;              /* Is, primary amperes */
    int64_t time_dial_ppm;          /* TMS or TD */
    /* t_r at time dial 1 (dependent), or the definite time; 0 = the table's */
    int64_t reset_ns;
    int64_t reset_exponent_ppm;     /* of M in t_r / (1 - M^e), default 2 */
    int64_t pickup_tolerance_ppm, time_tolerance_ppm;   /* 0 = 5 %, by convention */
};

struct device_point { int64_t ma, ns; };

struct site_device {
    char name[NAME_BYTES];          /* of its row in `devices:`; "" = written at the node */
    uint8_t kind;                   /* enum device_kind */
    uint8_t profile;                /* enum device_profile */
    /* long-time keeps an image too (default); without: a timer that forgets */
    bool thermal_memory;
    int64_t rating_ma;              /* In */
    int64_t long_time_ma;           /* Ir */
    int64_t long_time_ns;           /* tr: at so many times Ir, from cold; 0 = not given: no curve is known */
    int64_t long_time_at_ppm;       /* those times: 6 (default), ABB prints 3 */
    struct device_stage short_time, instantaneous, ground;
    int64_t opening_ns;             /* of the contacts, added to what must clear; default 50 ms */
    int64_t clears_ns;              /* instantaneous, longest total; 0 = 80 ms */
    int64_t ambient_ppm;            /* of the long-time pickup at the hottest ambient */
    struct device_relay relay;
    uint32_t min_count, max_count;  /* fuse: melting and clearing; max_count 0: min is both, +- tolerance */
    struct device_point min[DEVICE_POINTS_MAX], max[DEVICE_POINTS_MAX];     /* ascending in current */
    int64_t points_tolerance_ppm;   /* of the currents of a list without max; 0 = 10 % */
    uint32_t assumed;               /* enum device_assumed */
};

/* What stands beside the device; 0 = not given. */
struct site_equipment {
    int64_t transformer_mva, transformer_ns;    /* kVA and thermal time constant */
    int64_t conductor_ma, conductor_ns;         /* ampacity of cable or busway, its time constant */
    int64_t ups_mva, ups_mw;
    uint32_t overload_count;
    /* of the UPS: so much of its rating, so long */
    struct { int64_t load_ppm, ns; } overload[OVERLOADS_MAX];
    int64_t generator_step_mw;      /* largest step it accepts */
    int64_t generator_ramp_mw_per_s;
    int64_t fault_ma;               /* prospective short-circuit current at the node's own bus, its volts */
    int64_t demand_ma;              /* maximum demand load current there (I_L of IEEE 519) */
    uint32_t state_count;
    struct site_source_state {      /* of a source or UPS; which one is on is unknown: the least of all */
        char name[NAME_BYTES];      /* "utility", "generator", "battery", "bypass", "ups" */
        int64_t current_ma;         /* least of what was given: a current, kVA or kW, as amperes a phase */
        int64_t active_mw, apparent_mva;
    } state[SOURCE_STATES_MAX];
};

#endif
