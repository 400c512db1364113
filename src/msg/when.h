/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The condition of an alert (`when:` of the site file), compiled: a flat program of fixed-size steps, in the
 * order in which a machine with a stack takes them. Made by site/read/when.c, carried out by core/when.c.
 */
#ifndef FLYBALL_MSG_WHEN_H
#define FLYBALL_MSG_WHEN_H

#include "msg/limits.h"

enum {
    WHEN_STEPS_MAX = 48,        /* of one program */
    WHEN_COMPARISONS_MAX = 24,
    WHEN_TIMES_MAX = 8,         /* `for` of one program */
    WHEN_DEPTH_MAX = 2 * WHEN_STEPS_MAX,    /* parentheses and `not` inside one another */
};

/* Longest `for`. */
#define WHEN_TIME_MOST_NS (3600 * NS_PER_S)

/* What a value is counted in. */
enum when_unit {
    WHEN_WATTS,                 /* mW */
    WHEN_VOLT_AMPERES,          /* mVA */
    WHEN_VARS,                  /* mvar */
    WHEN_AMPERES,               /* mA */
    WHEN_VOLTS,                 /* mV */
    WHEN_HERTZ,                 /* mHz */
    WHEN_SHARE,                 /* ppm, written in % */
    WHEN_FACTOR,                /* ppm, written without a unit */
    WHEN_RAMP,                  /* W/s */
    WHEN_YES,                   /* 0 or 1: compared with nothing */
    WHEN_UNIT_COUNT
};

/*
 * Every quantity, a row each: X(symbol, name, unit, known, value, meaning). `known` and `value` are
 * expressions of core/when_value.c: there `r` is the reading, `m` its meter, `n` the node that it covers, and
 * q, s, w, g are what else is known, or NULL: 10 or 12 cycles and spectra of that meter's samples, the swing
 * of the node and that of the site. A value that is not known is not looked at.
 */
#define WHEN_HARMONIC_ROW(X, order, place) \
    X(WHEN_HARMONIC_##order, "harmonic_" #order, WHEN_SHARE, \
      r->harmonic_pct100[place] > 0 || (s && s->flags & SPECTRUM_WINDOW), \
      (r->harmonic_pct100[place] > 0 ? r->harmonic_pct100 : s->harmonic_pct100)[place] * INT64_C(100), \
      "harmonic " #order " of current, of its fundamental")

#define WHEN_QUANTITIES(X) \
    X(WHEN_POWER, "power", WHEN_WATTS, true, sum(r->power_mw), "active power, all phases") \
    X(WHEN_POWER_A, "power_a", WHEN_WATTS, true, r->power_mw[0], "active power of phase A") \
    X(WHEN_POWER_B, "power_b", WHEN_WATTS, n->phases > 1, r->power_mw[1], "active power of phase B") \
    X(WHEN_POWER_C, "power_c", WHEN_WATTS, n->phases > 2, r->power_mw[2], "active power of phase C") \
    X(WHEN_APPARENT, "apparent", WHEN_VOLT_AMPERES, true, apparent_mva(r), \
      "volts by amperes, the sum of the phases") \
    X(WHEN_APPARENT_A, "apparent_a", WHEN_VOLT_AMPERES, true, phase_mva(r, 0), \
      "volts by amperes of phase A") \
    X(WHEN_APPARENT_B, "apparent_b", WHEN_VOLT_AMPERES, n->phases > 1, phase_mva(r, 1), \
      "volts by amperes of phase B") \
    X(WHEN_APPARENT_C, "apparent_c", WHEN_VOLT_AMPERES, n->phases > 2, phase_mva(r, 2), \
      "volts by amperes of phase C") \
    X(WHEN_APPARENT_EFFECTIVE, "apparent_effective", WHEN_VOLT_AMPERES, \
      q && !(q->flags & QUALITY_NO_NEUTRAL), q->effective_mva, "Se of IEEE 1459: of all wires together") \
    X(WHEN_REACTIVE, "reactive", WHEN_VARS, r->known & READING_REACTIVE || q, \
      r->known & READING_REACTIVE ? r->reactive_mvar : sum(q->reactive_mvar), \
      "reactive power, all phases; inductive is positive") \
    X(WHEN_REACTIVE_A, "reactive_a", WHEN_VARS, q, q->reactive_mvar[0], "reactive power of phase A") \
    X(WHEN_REACTIVE_B, "reactive_b", WHEN_VARS, q && q->phases > 1, q->reactive_mvar[1], \
      "reactive power of phase B") \
    X(WHEN_REACTIVE_C, "reactive_c", WHEN_VARS, q && q->phases > 2, q->reactive_mvar[2], \
      "reactive power of phase C") \
    X(WHEN_POWER_FACTOR, "power_factor", WHEN_FACTOR, apparent_mva(r) > 0, \
      ppm_of(sum(r->power_mw), apparent_mva(r)), "power by apparent") \
    X(WHEN_POWER_FACTOR_A, "power_factor_a", WHEN_FACTOR, phase_mva(r, 0) > 0, factor_ppm(r, 0), \
      "power by apparent of phase A") \
    X(WHEN_POWER_FACTOR_B, "power_factor_b", WHEN_FACTOR, n->phases > 1 && phase_mva(r, 1) > 0, \
      factor_ppm(r, 1), "power by apparent of phase B") \
    X(WHEN_POWER_FACTOR_C, "power_factor_c", WHEN_FACTOR, n->phases > 2 && phase_mva(r, 2) > 0, \
      factor_ppm(r, 2), "power by apparent of phase C") \
    X(WHEN_DISPLACEMENT, "displacement_factor", WHEN_FACTOR, q && sum(q->apparent_mva) > 0, \
      q->displacement_all_ppm, "power factor of the fundamentals, all phases") \
    X(WHEN_DISPLACEMENT_A, "displacement_factor_a", WHEN_FACTOR, q && q->apparent_mva[0] > 0, \
      q->displacement_ppm[0], "power factor of the fundamental of phase A") \
    X(WHEN_DISPLACEMENT_B, "displacement_factor_b", WHEN_FACTOR, q && q->apparent_mva[1] > 0, \
      q->displacement_ppm[1], "power factor of the fundamental of phase B") \
    X(WHEN_DISPLACEMENT_C, "displacement_factor_c", WHEN_FACTOR, q && q->apparent_mva[2] > 0, \
      q->displacement_ppm[2], "power factor of the fundamental of phase C") \
    X(WHEN_LOAD, "load", WHEN_SHARE, n->steady_ma > 0, ppm_of(most(r->current_ma, n), n->steady_ma), \
      "the largest current, of the node's long-time limit") \
    X(WHEN_CURRENT_MAX, "current_max", WHEN_AMPERES, true, most(r->current_ma, n), \
      "the largest current of a phase, rms") \
    X(WHEN_CURRENT_MIN, "current_min", WHEN_AMPERES, true, least(r->current_ma, n), \
      "the smallest current of a phase, rms") \
    X(WHEN_CURRENT_A, "current_a", WHEN_AMPERES, true, r->current_ma[0], "current of phase A, rms") \
    X(WHEN_CURRENT_B, "current_b", WHEN_AMPERES, n->phases > 1, r->current_ma[1], "current of phase B, rms") \
    X(WHEN_CURRENT_C, "current_c", WHEN_AMPERES, n->phases > 2, r->current_ma[2], "current of phase C, rms") \
    X(WHEN_CURRENT_PEAK, "current_peak", WHEN_AMPERES, r->crest_milli > 0, \
      most(r->current_ma, n) * r->crest_milli / 1000, "the largest current by peak_factor") \
    X(WHEN_CURRENT_NEUTRAL, "current_neutral", WHEN_AMPERES, q && !(q->flags & QUALITY_NO_NEUTRAL), \
      q->neutral_ma, "current of the neutral, rms; the sum of the phases' where it is not sent") \
    X(WHEN_CURRENT_UNBALANCE, "current_unbalance", WHEN_SHARE, unbalance_ppm(r->current_ma, n) >= 0, \
      unbalance_ppm(r->current_ma, n), "the largest difference of a phase from their mean, of that mean") \
    X(WHEN_CURRENT_NEGATIVE, "current_negative_sequence", WHEN_SHARE, q && q->phases == PHASES, \
      q->unbalance_a_ppm, "negative sequence of current, of the positive one") \
    X(WHEN_VOLTAGE_MAX, "voltage_max", WHEN_VOLTS, true, most(r->voltage_mv, n), \
      "the highest voltage of a phase to neutral, rms") \
    X(WHEN_VOLTAGE_MIN, "voltage_min", WHEN_VOLTS, true, least(r->voltage_mv, n), \
      "the lowest voltage of a phase to neutral, rms") \
    X(WHEN_VOLTAGE_A, "voltage_a", WHEN_VOLTS, true, r->voltage_mv[0], "phase A to neutral, rms") \
    X(WHEN_VOLTAGE_B, "voltage_b", WHEN_VOLTS, n->phases > 1, r->voltage_mv[1], "phase B to neutral, rms") \
    X(WHEN_VOLTAGE_C, "voltage_c", WHEN_VOLTS, n->phases > 2, r->voltage_mv[2], "phase C to neutral, rms") \
    X(WHEN_VOLTAGE_MAX_SHARE, "voltage_max_share", WHEN_SHARE, n->volts_ln_mv > 0, \
      ppm_of(most(r->voltage_mv, n), n->volts_ln_mv), "the highest voltage of a phase, of the nominal one") \
    X(WHEN_VOLTAGE_MIN_SHARE, "voltage_min_share", WHEN_SHARE, n->volts_ln_mv > 0, \
      ppm_of(least(r->voltage_mv, n), n->volts_ln_mv), "the lowest voltage of a phase, of the nominal one") \
    X(WHEN_VOLTAGE_UNBALANCE, "voltage_unbalance", WHEN_SHARE, unbalance_ppm(r->voltage_mv, n) >= 0, \
      unbalance_ppm(r->voltage_mv, n), "the largest difference of a phase from their mean, of that mean") \
    X(WHEN_VOLTAGE_NEGATIVE, "voltage_negative_sequence", WHEN_SHARE, q && q->phases == PHASES, \
      q->unbalance_v_ppm, "negative sequence of voltage, of the positive one") \
    X(WHEN_VOLTAGE_ZERO, "voltage_zero_sequence", WHEN_SHARE, q && q->phases == PHASES, \
      q->unbalance_zero_v_ppm, "zero sequence of voltage, of the positive one") \
    X(WHEN_FREQUENCY, "frequency", WHEN_HERTZ, r->frequency_mhz > 0, r->frequency_mhz, "mains frequency") \
    X(WHEN_DP_DT, "dp_dt", WHEN_RAMP, true, r->dp_dt_w_per_s, "slope of power, as the meter tells it") \
    X(WHEN_POWER_TREND, "power_trend", WHEN_RAMP, r->known & READING_FEATURES, r->trend_w_per_s, \
      "slope of power over the meter's longer window") \
    X(WHEN_LOAD_FACTOR, "load_factor", WHEN_FACTOR, r->known & READING_FEATURES, r->load_factor_ppm, \
      "mean power by the largest, over that window") \
    X(WHEN_PEAK_FACTOR, "peak_factor", WHEN_FACTOR, r->crest_milli > 0, r->crest_milli * INT64_C(1000), \
      "peak by rms of current, 1.414 for a sine") \
    X(WHEN_THD_VOLTAGE, "thd_voltage", WHEN_SHARE, r->known & READING_THD_VOLTAGE || s, \
      r->known & READING_THD_VOLTAGE ? r->thd_voltage_ppm : largest_of(s->thd_v_ppm), \
      "harmonic distortion of voltage, of its fundamental") \
    X(WHEN_THD_CURRENT, "thd_current", WHEN_SHARE, r->known & READING_THD_CURRENT || s, \
      r->known & READING_THD_CURRENT ? r->thd_current_ppm : largest_of(s->thd_a_ppm), \
      "harmonic distortion of current, of its fundamental") \
    X(WHEN_TDD, "tdd", WHEN_SHARE, s && s->flags & SPECTRUM_DEMAND, largest_of(s->tdd_ppm), \
      "harmonics of current, of the node's demand current") \
    X(WHEN_K_FACTOR, "k_factor", WHEN_FACTOR, s && s->flags & SPECTRUM_WINDOW, \
      largest_of(s->k_milli) * 1000, "K-factor of current by UL 1561") \
    WHEN_HARMONIC_ROW(X, 2, 0) \
    WHEN_HARMONIC_ROW(X, 3, 1) \
    WHEN_HARMONIC_ROW(X, 5, 2) \
    WHEN_HARMONIC_ROW(X, 7, 3) \
    WHEN_HARMONIC_ROW(X, 9, 4) \
    WHEN_HARMONIC_ROW(X, 11, 5) \
    WHEN_HARMONIC_ROW(X, 13, 6) \
    WHEN_HARMONIC_ROW(X, 15, 7) \
    X(WHEN_SWING, "swing", WHEN_SHARE, w && w->mean_mw, of_mean_ppm(w), \
      "swing of the node's power, 0.1 to 20 Hz over a minute: rms, of its mean") \
    X(WHEN_SWING_POWER, "swing_power", WHEN_WATTS, w, w->rms_mw[0], "the same in watts, rms") \
    X(WHEN_SWING_SHARE, "swing_share", WHEN_SHARE, w, w->share_ppm[0], \
      "of all that swings there, what lies from 0.1 to 20 Hz") \
    X(WHEN_SITE_SWING, "site_swing", WHEN_SHARE, g && g->mean_mw, of_mean_ppm(g), \
      "swing of the whole site's power, 0.1 to 20 Hz over a minute: rms, of its mean") \
    X(WHEN_SITE_SWING_POWER, "site_swing_power", WHEN_WATTS, g, g->rms_mw[0], "the same in watts, rms") \
    X(WHEN_SITE_SWING_SHARE, "site_swing_share", WHEN_SHARE, g, g->share_ppm[0], \
      "of all that swings there, what lies from 0.1 to 20 Hz") \
    X(WHEN_SAG, "sag", WHEN_YES, true, (r->flags & READING_SAG) != 0, "the meter tells of a sag") \
    X(WHEN_SWELL, "swell", WHEN_YES, true, (r->flags & READING_SWELL) != 0, "the meter tells of a swell") \
    X(WHEN_INTERRUPTION, "interruption", WHEN_YES, n->volts_ln_mv > 0, \
      most(r->voltage_mv, n) * 10 < n->volts_ln_mv, "every phase is below 10 % of the nominal voltage") \
    X(WHEN_AGE, "age", WHEN_SHARE, m && r->age_ns >= 0, \
      r->age_ns < m->fresh_ns ? ppm_of(r->age_ns, m->fresh_ns) : PPM, \
      "how old the reading was when it came, of the meter's fresh: beyond it readings are refused")

enum when_quantity {
#define WHEN_SYMBOL(symbol, name, unit, known, value, meaning) symbol,
    WHEN_QUANTITIES(WHEN_SYMBOL)
#undef WHEN_SYMBOL
    WHEN_QUANTITY_COUNT
};

/* A comparison, or what is done with those before it. */
enum when_op {
    WHEN_ABOVE,                 /* quantity > bound; once true, > clear */
    WHEN_AT_LEAST,
    WHEN_BELOW,
    WHEN_AT_MOST,
    WHEN_IS,                    /* of WHEN_YES */
    WHEN_AND,                   /* of the two newest results */
    WHEN_OR,
    WHEN_NOT,                   /* of the newest */
    WHEN_FOR,                   /* the newest was true in every reading of the last `bound` ns */
    WHEN_OP_COUNT
};

struct when_step {
    uint8_t op;                 /* enum when_op */
    uint8_t quantity;           /* enum when_quantity, of a comparison */
    uint8_t place;              /* of a comparison, of a `for`: its bit or time in the state */
    uint8_t reserved[5];
    int64_t bound, clear;       /* in the quantity's unit; of a `for` a time in ns, and 0 */
};

struct when_program {
    uint32_t count;             /* steps; leaves one result */
    uint32_t reserved;
    struct when_step step[WHEN_STEPS_MAX];
};

/* What is known of a condition. */
enum when_truth { WHEN_FALSE, WHEN_TRUE, WHEN_UNKNOWN };

#endif
