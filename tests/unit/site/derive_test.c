/* SPDX-License-Identifier: Apache-2.0 */
/* Figures worked out by hand from safety.md section 2 and domain.md 0.5 and 1.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "site/derive.h"

static void volts_and_limits_round_down(void **state)
{
    (void)state;
    /* 480 V / sqrt 3 = 277.128129... V; 0.95 of 277.128 = 263.2716 */
    assert_int_equal(derive_volts_ln_mv(480000), 277128);
    assert_int_equal(derive_volts_low_mv(277128, 950000), 263271);
    assert_int_equal(derive_volts_ln_mv(400000), 230940);
    assert_int_equal(derive_volts_ln_mv(13800000), 7967433);
    /* 249.375 A x 263.271 V = 65653.2056... VA */
    assert_int_equal(derive_limit_mva(249375, 263271), 65653205);
}

static void the_least_term_is_the_steady_limit_and_is_named(void **state)
{
    struct device d = {
        .long_time_ma = 250000, .rated_100pct = 1, .ambient_ppm = PPM, .volts_ln_mv = 277128, .phases = 3};
    enum steady_term term;

    (void)state;
    /* 0.95 x 1.05 x 250 A */
    assert_int_equal(derive_steady_ma(&d, &term), 249375);
    assert_int_equal(term, STEADY_FAST_EDGE);
    d.rated_100pct = 0;
    assert_int_equal(derive_steady_ma(&d, &term), 200000);
    assert_int_equal(term, STEADY_LONG_TIME);
    /* 40 % of the pickup gone with heat: 0.9975 x 0.6 x 250 A = 149.625 A */
    d.ambient_ppm = 600000;
    assert_int_equal(derive_steady_ma(&d, &term), 149625);
    assert_int_equal(term, STEADY_FAST_EDGE);
    d.conductor_ma = 140000;
    assert_int_equal(derive_steady_ma(&d, &term), 140000);
    assert_int_equal(term, STEADY_CONDUCTOR);
    /* 112.5 kVA / (3 x 277.128 V) = 135.3165... A */
    d.transformer_mva = 112500000;
    assert_int_equal(derive_steady_ma(&d, &term), 135316);
    assert_int_equal(term, STEADY_TRANSFORMER);
    d.ups_mva = 100000000;      /* 120.2813... A */
    assert_int_equal(derive_steady_ma(&d, &term), 120281);
    assert_int_equal(term, STEADY_UPS_KVA);
    d.ups_mw = 90000000;        /* 108.2532... A */
    assert_int_equal(derive_steady_ma(&d, &term), 108253);
    assert_int_equal(term, STEADY_UPS_KW);
    d.definite_ma = 100000;     /* 5 % below a definite stage */
    assert_int_equal(derive_steady_ma(&d, &term), 95000);
    assert_int_equal(term, STEADY_DEFINITE);
    d.state_ma = 80000;         /* the weakest source */
    assert_int_equal(derive_steady_ma(&d, &term), 80000);
    assert_int_equal(term, STEADY_STATE);
}

static void what_is_no_electronic_unit_has_a_fast_edge_of_its_own(void **state)
{
    struct device d = {.long_time_ma = 600000, .rated_100pct = 1, .ambient_ppm = PPM, .edge_ma = 570000,
                       .volts_ln_mv = 277128, .phases = 3};
    enum steady_term term, next;

    (void)state;
    /* a relay of 600 A, 5 % early: 0.95 x 570 A */
    assert_int_equal(derive_steady_ma(&d, &term), 541500);
    assert_int_equal(term, STEADY_FAST_EDGE);
    d.ambient_ppm = 900000;
    assert_int_equal(derive_steady_ma(&d, &term), 487350);
    /* a pickup above what the feed may carry leaves the setting */
    d.ambient_ppm = PPM;
    d.edge_ma = 684000;
    assert_int_equal(derive_steady_ma(&d, &term), 600000);
    assert_int_equal(term, STEADY_LONG_TIME);
    /* a busbar: no device, an ampacity; nothing else would bound it */
    d = (struct device){.ambient_ppm = PPM, .conductor_ma = 700000, .volts_ln_mv = 277128, .phases = 3};
    assert_int_equal(derive_steady_ma(&d, &term), 700000);
    assert_int_equal(term, STEADY_CONDUCTOR);
    assert_int_equal(derive_relaxed_ma(&d, term, &next), 0);
    assert_int_equal(next, STEADY_NONE);
    assert_int_equal(derive_volts_low_mv(277128, 800000), 221702);
    assert_int_equal(derive_volts_low_mv(277128, PPM), 277128);
    /* 1.5 MW: over three phases, and over one that may be wired line to line */
    assert_int_equal(derive_power_ma(INT64_C(1500000000), 277128, 3), 1804220);
    assert_int_equal(derive_power_ma(INT64_C(1500000), 277128, 1), 3125);
}

static void a_relaxed_term_gives_way_to_the_next_one(void **state)
{
    struct device d = {.long_time_ma = 250000, .ambient_ppm = PPM, .volts_ln_mv = 277128, .phases = 3};
    enum steady_term next;

    (void)state;
    /* 0.8 of 250 A relaxed is a device rated 100 %: the fast edge, 0.9975 x 250 A */
    assert_int_equal(derive_relaxed_ma(&d, STEADY_LONG_TIME, &next), 249375);
    assert_int_equal(next, STEADY_FAST_EDGE);
    d.rated_100pct = 1;
    /* a higher setting lifts both terms that follow from it: nothing is left */
    assert_int_equal(derive_relaxed_ma(&d, STEADY_FAST_EDGE, &next), 0);
    assert_int_equal(next, STEADY_NONE);
    d.conductor_ma = 300000;
    assert_int_equal(derive_relaxed_ma(&d, STEADY_FAST_EDGE, &next), 300000);
    assert_int_equal(next, STEADY_CONDUCTOR);
    d.conductor_ma = 140000;
    assert_int_equal(derive_relaxed_ma(&d, STEADY_CONDUCTOR, &next), 249375);
    assert_int_equal(next, STEADY_FAST_EDGE);
    /* a larger UPS is larger in both its figures */
    d.ups_mw = 90000000;        /* 108.2532... A */
    d.ups_mva = 100000000;      /* 120.2813... A */
    assert_int_equal(derive_relaxed_ma(&d, STEADY_UPS_KW, &next), 140000);
    assert_int_equal(next, STEADY_CONDUCTOR);
    assert_int_equal(derive_relaxed_ma(&d, STEADY_UPS_KVA, &next), 140000);
    assert_int_equal(derive_relaxed_ma(&d, STEADY_CONDUCTOR, &next), 108253);
    assert_int_equal(next, STEADY_UPS_KW);
}

static void a_contribution_is_rounded_up_at_the_cord_and_again_at_the_phase(void **state)
{
    struct model_cord cord = {.phase_ppm = {333334, 577351, 1000000}, .share_ppm = {500001}};

    (void)state;
    /* 1001 mW x 0.500001 = 500.501..., up: 501; x 0.333334 = 167.0003..., up: 168 */
    assert_int_equal(derive_contribution_mva(1001, &cord, 0, 0, PPM), 168);
    /* 501 x 0.577351 = 289.25..., up: 290 */
    assert_int_equal(derive_contribution_mva(1001, &cord, 0, 1, PPM), 290);
    /* 501 / 0.95 = 527.36..., up: 528 */
    assert_int_equal(derive_contribution_mva(1001, &cord, 0, 2, 950000), 528);
}

static void the_white_papers_branch_is_held_below_its_instantaneous_element(void **state)
{
    const struct device d = {.long_time_ma = 800000,
                             .rated_100pct = 1,
                             .ambient_ppm = PPM,
                             .volts_ln_mv = 277128,
                             .phases = 3,
                             .definite_ma = derive_definite_ma(0, 100000, 850000, 100000)};
    enum steady_term term;

    (void)state;
    /* domain.md 0.3: 850 A - 10 % = 765 A lies below the 800 A rating; 0.95 x 765 = 726.75 */
    assert_int_equal(derive_steady_ma(&d, &term), 726750);
    assert_int_equal(term, STEADY_DEFINITE);
}

static void the_lowest_fast_edge_gives_the_peak_that_alarms(void **state)
{
    (void)state;
    /* BR800: short-time 4800 A - 10 % = 4320 A, instantaneous 8000 A - 10 % = 7200 A; 0.85 x sqrt 2 x 4320 =
     * 5192.99 */
    assert_int_equal(derive_definite_ma(4800000, 100000, 8000000, 100000), 4320000);
    assert_int_equal(derive_definite_ma(0, 100000, 8000000, 100000), 7200000);
    assert_int_equal(derive_definite_ma(4800000, 200000, 0, 100000), 3840000);
    assert_int_equal(derive_definite_ma(0, 100000, 0, 100000), 0);
    assert_int_equal(derive_instant_peak_ma(4320000), 5192989);
    assert_int_equal(derive_instant_peak_ma(0), 0);
}

static void a_caps_draw_rounds_up_and_never_passes_what_is_physically_possible(void **state)
{
    struct model_host_type type = {.base_max_mw = 1500000, .phys_max_mw = 10300000};

    (void)state;
    assert_int_equal(derive_gain_ppm(50000, 960000), 1093750);      /* 1.05 / 0.96, exact */
    assert_int_equal(derive_gain_ppm(50000, 940000), 1117022);      /* 1.1170212... */
    type.gain_ppm = 1093750;
    assert_int_equal(derive_draw_max_mw(&type, 1600000), 3250000);
    assert_int_equal(derive_draw_max_mw(&type, 8000000), 10250000);
    assert_int_equal(derive_draw_max_mw(&type, 9000000), 10300000);
    assert_int_equal(derive_draw_max_mw(&type, 1), 1500002);
}

static void a_cord_loads_its_phases_and_never_less_than_its_draw(void **state)
{
    struct model_cord cord = {.share_ppm = {1000000, 550000}};

    (void)state;
    derive_phase_ppm(WIRING_ABC, cord.phase_ppm);
    /* 3250 W / 0.98 x 0.333334 = 1105.444387 VA */
    assert_int_equal(derive_contribution_mva(3250000, &cord, 0, 1, 980000), 1105445);
    assert_int_equal(derive_contribution_mva(3250000, &cord, 1, 1, 980000), 607995); /* x 0.55 = 607.99441 */
    derive_phase_ppm(WIRING_CA, cord.phase_ppm);
    assert_int_equal(derive_contribution_mva(1000000, &cord, 0, 0, PPM), 577351);
    assert_int_equal(derive_contribution_mva(1000000, &cord, 0, 1, PPM), 0);
    assert_int_equal(derive_contribution_mva(1000000, &cord, 0, 2, PPM), 577351);
    derive_phase_ppm(WIRING_B, cord.phase_ppm);
    assert_int_equal(derive_contribution_mva(1000000, &cord, 0, 1, PPM), 1000000);
    for (enum wiring w = 0; w < WIRING_COUNT; w++) {
        derive_phase_ppm(w, cord.phase_ppm);
        assert_true(cord.phase_ppm[0] + cord.phase_ppm[1] + cord.phase_ppm[2] >= PPM);
    }
}

static void shares_follow_power_supplies_with_five_percent_and_the_last_cord_has_all(void **state)
{
    (void)state;
    assert_int_equal(derive_share_ppm(1, 2, 2), 550000);
    assert_int_equal(derive_share_ppm(1, 3, 3), 383334);
    assert_int_equal(derive_share_ppm(3, 4, 2), 800000);
    assert_int_equal(derive_share_ppm(1, 1, 1), 1000000);
    assert_int_equal(derive_share_ppm(3, 3, 1), 1000000);
    assert_int_equal(derive_share_ppm(99, 100, 2), 1000000);
    assert_int_equal(derive_share_ppm(1, 0, 0), 0);
}

static void products_that_pass_64_bits_are_held_at_the_largest(void **state)
{
    (void)state;
    assert_int_equal(derive_round_down(INT64_MAX, INT64_MAX, 1), INT64_MAX);
    assert_int_equal(derive_round_up(INT64_MAX, 3, 3), INT64_MAX);
    assert_int_equal(derive_round_up(10, 1, 3), 4);
    assert_int_equal(derive_round_down(10, 1, 3), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(volts_and_limits_round_down),
        cmocka_unit_test(the_least_term_is_the_steady_limit_and_is_named),
        cmocka_unit_test(what_is_no_electronic_unit_has_a_fast_edge_of_its_own),
        cmocka_unit_test(a_relaxed_term_gives_way_to_the_next_one),
        cmocka_unit_test(a_contribution_is_rounded_up_at_the_cord_and_again_at_the_phase),
        cmocka_unit_test(the_white_papers_branch_is_held_below_its_instantaneous_element),
        cmocka_unit_test(the_lowest_fast_edge_gives_the_peak_that_alarms),
        cmocka_unit_test(a_caps_draw_rounds_up_and_never_passes_what_is_physically_possible),
        cmocka_unit_test(a_cord_loads_its_phases_and_never_less_than_its_draw),
        cmocka_unit_test(shares_follow_power_supplies_with_five_percent_and_the_last_cord_has_all),
        cmocka_unit_test(products_that_pass_64_bits_are_held_at_the_largest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
