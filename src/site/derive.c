/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>

#include "site/derive.h"

__extension__ typedef unsigned __int128 wide;

int64_t derive_round_down(int64_t a, int64_t b, int64_t c)
{
    wide result = (wide)(uint64_t)a * (uint64_t)b / (uint64_t)c;

    return result > INT64_MAX ? INT64_MAX : (int64_t)result;
}

int64_t derive_round_up(int64_t a, int64_t b, int64_t c)
{
    wide result = ((wide)(uint64_t)a * (uint64_t)b + (uint64_t)c - 1) / (uint64_t)c;

    return result > INT64_MAX ? INT64_MAX : (int64_t)result;
}

static int64_t root_down(int64_t square)
{
    int64_t root = 0;

    for (int64_t bit = INT64_C(1) << 31; bit; bit >>= 1)
        if ((root + bit) <= square / (root + bit))
            root += bit;
    return root;
}

int64_t derive_volts_ln_mv(int64_t volts_ll_mv)
{
    return root_down(volts_ll_mv * volts_ll_mv / 3);
}

int64_t derive_volts_low_mv(int64_t volts_ln_mv, int64_t low_ppm)
{
    return derive_round_down(volts_ln_mv, low_ppm, PPM);
}

int64_t derive_power_ma(int64_t power_m, int64_t volts_ln_mv, uint32_t phases)
{
    enum { ROOT_3_UP_PPM = 1732051 };
    int64_t volts =
        phases == PHASES ? volts_ln_mv * PHASES : derive_round_up(volts_ln_mv, ROOT_3_UP_PPM, PPM);

    return derive_round_down(power_m, 1000, volts);
}

static int64_t power_ma(const struct device *d, int64_t power_m)
{
    return derive_power_ma(power_m, d->volts_ln_mv, d->phases);
}

/* 0.95 x fast edge; an electronic unit's lies at 1.05 x the setting (domain.md 1.3, L). */
static int64_t below_edge_ma(const struct device *d)
{
    if (d->edge_ma)
        return derive_round_down(d->edge_ma, 95 * d->ambient_ppm, 100 * PPM);
    return derive_round_down(d->long_time_ma, 9975 * d->ambient_ppm, 10000 * PPM);
}

/* What each term allows, in the order of enum steady_term; no limit where it is not given. */
static void allowances(const struct device *d, int64_t ma[STEADY_NONE])
{
    const int64_t given[STEADY_NONE] = {
        [STEADY_LONG_TIME] = d->rated_100pct ? d->long_time_ma : derive_round_down(d->long_time_ma, 8, 10),
        [STEADY_FAST_EDGE] = below_edge_ma(d),
        /* safety.md section 5, admissible: 5 % below every definite stage, whatever heat allows */
        [STEADY_DEFINITE] = derive_round_down(d->definite_ma, 95, 100),
        [STEADY_CONDUCTOR] = d->conductor_ma,
        [STEADY_TRANSFORMER] = power_ma(d, d->transformer_mva),
        [STEADY_UPS_KVA] = power_ma(d, d->ups_mva),
        /* apparent power is never less than active: holding S to the kW figure holds P too */
        [STEADY_UPS_KW] = power_ma(d, d->ups_mw),
        [STEADY_STATE] = d->state_ma,
    };
    const bool there[STEADY_NONE] = {d->long_time_ma != 0,
                                     d->long_time_ma != 0,
                                     d->definite_ma != 0,
                                     d->conductor_ma != 0,
                                     d->transformer_mva != 0,
                                     d->ups_mva != 0,
                                     d->ups_mw != 0,
                                     d->state_ma != 0};

    for (uint32_t t = 0; t < STEADY_NONE; t++)
        ma[t] = there[t] ? given[t] : DERIVE_NO_LIMIT;
}

static int64_t least_of(const int64_t ma[STEADY_NONE], enum steady_term *term)
{
    int64_t least = DERIVE_NO_LIMIT;

    *term = STEADY_NONE;
    for (enum steady_term t = STEADY_LONG_TIME; t < STEADY_NONE; t++)
        if (ma[t] < least) {
            least = ma[t];
            *term = t;
        }
    return least;
}

int64_t derive_steady_ma(const struct device *d, enum steady_term *term)
{
    int64_t ma[STEADY_NONE];

    allowances(d, ma);
    return least_of(ma, term);
}

int64_t derive_relaxed_ma(const struct device *d, enum steady_term term, enum steady_term *next)
{
    struct device relaxed = *d;
    int64_t ma[STEADY_NONE];

    relaxed.rated_100pct |= term == STEADY_LONG_TIME;
    allowances(&relaxed, ma);
    if (term == STEADY_FAST_EDGE)       /* of the same setting as the long-time term */
        ma[STEADY_LONG_TIME] = DERIVE_NO_LIMIT;
    if (term == STEADY_UPS_KVA || term == STEADY_UPS_KW)    /* one UPS */
        ma[STEADY_UPS_KVA] = ma[STEADY_UPS_KW] = DERIVE_NO_LIMIT;
    if (term != STEADY_LONG_TIME)
        ma[term] = DERIVE_NO_LIMIT;
    int64_t least = least_of(ma, next);

    return *next == STEADY_NONE ? 0 : least;
}

int64_t derive_limit_mva(int64_t steady_ma, int64_t volts_low_mv)
{
    return derive_round_down(steady_ma, volts_low_mv, 1000);
}

int64_t derive_definite_ma(int64_t short_time_ma, int64_t short_tolerance_ppm, int64_t instantaneous_ma,
                           int64_t tolerance_ppm)
{
    int64_t slow = derive_round_down(short_time_ma, PPM - short_tolerance_ppm, PPM);
    int64_t fast = derive_round_down(instantaneous_ma, PPM - tolerance_ppm, PPM);

    if (!slow || !fast)
        return slow ? slow : fast;
    return slow < fast ? slow : fast;
}

int64_t derive_instant_peak_ma(int64_t definite_ma)
{
    /* 0.85 x sqrt 2 = 1.2020815...: pickups are rms and the element looks at the peak */
    return derive_round_down(definite_ma, 1202081, PPM);
}

int64_t derive_gain_ppm(int64_t overshoot_ppm, int64_t efficiency_ppm)
{
    return derive_round_up(PPM + overshoot_ppm, PPM, efficiency_ppm);
}

int64_t derive_draw_max_mw(const struct model_host_type *type, int64_t cap_mw)
{
    int64_t draw = derive_round_up(cap_mw, type->gain_ppm, PPM) + type->base_max_mw;

    return draw < type->phys_max_mw ? draw : type->phys_max_mw;
}

void derive_phase_ppm(enum wiring wiring, uint32_t phase_ppm[PHASES])
{
    /* line to line S puts S / sqrt 3 on each of two phases: I = S / V_ll, times V_ln */
    enum { WHOLE = 1000000, LINE_TO_LINE = 577351, THIRD = 333334 };
    static const uint32_t table[WIRING_COUNT][PHASES] = {
        [WIRING_A] = {WHOLE, 0, 0},
        [WIRING_B] = {0, WHOLE, 0},
        [WIRING_C] = {0, 0, WHOLE},
        [WIRING_AB] = {LINE_TO_LINE, LINE_TO_LINE, 0},
        [WIRING_BC] = {0, LINE_TO_LINE, LINE_TO_LINE},
        [WIRING_CA] = {LINE_TO_LINE, 0, LINE_TO_LINE},
        [WIRING_ABC] = {THIRD, THIRD, THIRD},
    };

    for (uint32_t ph = 0; ph < PHASES; ph++)
        phase_ppm[ph] = table[wiring][ph];
}

uint32_t derive_share_ppm(uint32_t psus, uint32_t alive_psus, uint32_t alive)
{
    enum { TOLERANCE_PPM = 50000 };

    if (alive <= 1)
        return alive ? (uint32_t)PPM : 0;
    int64_t share = derive_round_up(psus, PPM, alive_psus) + TOLERANCE_PPM;

    return (uint32_t)(share < PPM ? share : PPM);
}

int64_t derive_contribution_mva(int64_t draw_mw, const struct model_cord *cord, uint32_t contingency,
                                uint32_t phase, int64_t pf_min_ppm)
{
    /* rounded up twice, as the ledger does: the check and the ledger agree to the mVA */
    int64_t through_mw = derive_round_up(draw_mw, cord->share_ppm[contingency], PPM);

    return derive_round_up(through_mw, cord->phase_ppm[phase], pf_min_ppm);
}
