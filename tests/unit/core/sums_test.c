/* SPDX-License-Identifier: Apache-2.0 */
/* D and S on every node, phase and contingency, by hand: two cords, uneven phases, feeds that are lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/sums.h"
#include "hall.h"

/*
 * Host 0 hangs on LEFT with half of itself (all of it in contingency 1), 0.5, 0.3 and 0.2 on the phases, and
 * on RACK with 0.6 of itself (nothing in contingency 1), 0.6 and 0.4 on the last two. Power factor 0.8. With
 * 8 kW that is, in kVA:
 *     LEFT   2.5 1.5 1.0      contingency 1: 5 3 2     2: 3.75 2.25 1.5
 *     RACK   0   3.6 2.4                     0 0 0        0    1.5  1.0     and RIGHT the same
 *     MAIN   2.5 5.1 3.4                     5 3 2        3.75 3.75 2.5
 */
static void build(struct hall *hall)
{
    hall_build(hall);
    hall->model.contingency_count = 3;
    hall->type.pf_min_ppm = 800000;
    hall->host[0].cord_count = 2;
    hall->host[0].cord[0] =
        (struct model_cord){.node = HALL_LEFT,
                            .phase_ppm = {500000, 300000, 200000},
                            .share_ppm = {500000, 1000000, 750000, 1000000}};      /* the last is none */
    hall->host[0].cord[1] = (struct model_cord){
        .node = HALL_RACK, .phase_ppm = {0, 600000, 400000}, .share_ppm = {600000, 0, 250000, 1000000}};
    for (uint32_t n = 0; n < HALL_NODES; n++)
        for (uint32_t p = 0; p < PHASES; p++)
            hall->node[n].limit_mva[3][p] = 0;
    hall->ledger = (struct ledger){.model = &hall->model, .host = hall->account, .node = hall->sums};
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        hall->account[h].phys_max_mw = hall->type.phys_max_mw;
}

static void open_sums(struct hall *hall)
{
    build(hall);
    sums_init(&hall->ledger);
}

static const int64_t with_8_kw[HALL_NODES][3][PHASES] = {
    [HALL_MAIN] = {{2500000, 5100000, 3400000}, {5000000, 3000000, 2000000}, {3750000, 3750000, 2500000}},
    [HALL_LEFT] = {{2500000, 1500000, 1000000}, {5000000, 3000000, 2000000}, {3750000, 2250000, 1500000}},
    [HALL_RIGHT] = {{0, 3600000, 2400000}, {0, 0, 0}, {0, 1500000, 1000000}},
    [HALL_RACK] = {{0, 3600000, 2400000}, {0, 0, 0}, {0, 1500000, 1000000}},
};

static void nothing_stands_beyond(const struct hall *hall)
{
    for (uint32_t n = 0; n < HALL_NODES; n++)
        for (uint32_t p = 0; p < PHASES; p++) {
            assert_int_equal(hall->sums[n].exposed_mva[3][p], 0);
            assert_int_equal(hall->sums[n].newest_mva[3][p], 0);
            assert_int_equal(hall->sums[n].ungoverned_mva[3][p], 0);
        }
}

static void a_draw_stands_on_every_node_above_each_cord_in_every_contingency(void **state)
{
    (void)state;
    struct hall hall;
    open_sums(&hall);
    sums_replace(&hall.ledger, 0, SUM_EXPOSED, 0, 8 * HALL_KW);
    for (uint32_t n = 0; n < HALL_NODES; n++)
        for (uint32_t i = 0; i < 3 * PHASES; i++) {
            assert_int_equal(hall.sums[n].exposed_mva[i / PHASES][i % PHASES],
                             with_8_kw[n][i / PHASES][i % PHASES]);
            assert_int_equal(hall.sums[n].newest_mva[i / PHASES][i % PHASES], 0);
        }
    sums_replace(&hall.ledger, 0, SUM_NEWEST, 0, 4 * HALL_KW);
    for (uint32_t n = 0; n < HALL_NODES; n++)
        for (uint32_t i = 0; i < 3 * PHASES; i++)
            assert_int_equal(hall.sums[n].newest_mva[i / PHASES][i % PHASES],
                             with_8_kw[n][i / PHASES][i % PHASES] / 2);
    nothing_stands_beyond(&hall);
    sums_replace(&hall.ledger, 0, SUM_EXPOSED, 8 * HALL_KW, 0);
    sums_replace(&hall.ledger, 0, SUM_NEWEST, 4 * HALL_KW, 0);
    for (uint32_t n = 0; n < HALL_NODES; n++)
        for (uint32_t i = 0; i < CONTINGENCIES_MAX * PHASES; i++) {
            assert_int_equal(hall.sums[n].exposed_mva[i / PHASES][i % PHASES], 0);
            assert_int_equal(hall.sums[n].newest_mva[i / PHASES][i % PHASES], 0);
        }
}

static void a_draw_may_replace_a_larger_or_a_smaller_one(void **state)
{
    (void)state;
    struct hall hall;
    open_sums(&hall);
    sums_replace(&hall.ledger, 0, SUM_NEWEST, 0, 2 * HALL_KW);
    sums_replace(&hall.ledger, 0, SUM_NEWEST, 2 * HALL_KW, 8 * HALL_KW);
    assert_int_equal(hall.sums[HALL_MAIN].newest_mva[0][1], 5100000);
    sums_replace(&hall.ledger, 0, SUM_NEWEST, 8 * HALL_KW, 4 * HALL_KW);
    assert_int_equal(hall.sums[HALL_MAIN].newest_mva[0][1], 2550000);
}

/* 1 kW that no cap governs: an eighth of the table above. */
static void what_no_cap_governs_is_kept_apart_with_what_others_draw(void **state)
{
    (void)state;
    struct hall hall;
    build(&hall);
    hall.type.base_max_mw = HALL_KW;
    for (int64_t p = 0; p < PHASES; p++) {
        hall.node[HALL_LEFT].other_mva[p] = (p + 1) * 100 * HALL_W;
        hall.node[HALL_LEFT].bad_mva[0][p] = (p + 1) * 1000 * HALL_W;
        hall.node[HALL_LEFT].bad_mva[1][p] = (p + 1) * 2000 * HALL_W;
        hall.node[HALL_LEFT].bad_mva[2][p] = (p + 1) * 3000 * HALL_W;
    }
    sums_init(&hall.ledger);
    sums_add_base(&hall.ledger, 0);
    for (uint32_t n = 0; n < HALL_NODES; n++)
        for (uint32_t i = 0; i < 3 * PHASES; i++) {
            uint32_t c = i / PHASES, p = i % PHASES;
            int64_t standing_mva = n == HALL_LEFT ? (p + 1) * (100 + 1000 * (c + 1)) * HALL_W : 0;
            assert_int_equal(hall.sums[n].exposed_mva[c][p], standing_mva);
            assert_int_equal(hall.sums[n].newest_mva[c][p], standing_mva);
            assert_int_equal(hall.sums[n].ungoverned_mva[c][p], standing_mva + with_8_kw[n][c][p] / 8);
        }
    nothing_stands_beyond(&hall);
    assert_int_equal(hall.ledger.over_count, 0);
}

static void sums_begin_anew_with_the_limits_of_the_model(void **state)
{
    (void)state;
    struct hall hall;
    build(&hall);
    memset(hall.sums, 0x55, sizeof hall.sums);
    hall.ledger.over_count = 9;
    hall.node[HALL_RIGHT].limited = 0;
    hall.node[HALL_MAIN].limit_mva[1][2] = 5 * HALL_KW;
    sums_init(&hall.ledger);
    assert_int_equal(hall.ledger.over_count, 0);
    assert_int_equal(hall.sums[HALL_MAIN].limit_mva[0][0], 1000 * HALL_KW);
    assert_int_equal(hall.sums[HALL_MAIN].limit_mva[1][2], 5 * HALL_KW);
    assert_true(hall.sums[HALL_RIGHT].limit_mva[0][0] > 1000000 * HALL_KW);
    assert_int_equal(hall.sums[HALL_RACK].newest_mva[1][2], 0);
}

/* ---- above a limit ---- */

static void cells_above_their_limit_are_counted_and_the_limit_itself_is_not_above(void **state)
{
    (void)state;
    struct hall hall;
    open_sums(&hall);
    hall.sums[HALL_LEFT].limit_mva[1][0] = hall.sums[HALL_LEFT].ceiling_mva[1][0] = 5000000;
    hall.sums[HALL_LEFT].limit_mva[1][1] = hall.sums[HALL_LEFT].ceiling_mva[1][1] = 3000000;
    hall.sums[HALL_MAIN].limit_mva[0][1] = hall.sums[HALL_MAIN].ceiling_mva[0][1] = 5100000;
    sums_replace(&hall.ledger, 0, SUM_EXPOSED, 0, 8 * HALL_KW);
    assert_int_equal(hall.ledger.over_count, 0);
    assert_false(hall.ledger.unexplained);
    sums_replace(&hall.ledger, 0, SUM_EXPOSED, 8 * HALL_KW, 9 * HALL_KW);
    assert_int_equal(hall.ledger.over_count, 3);
    assert_true(hall.ledger.unexplained);                   /* D rose above it, and no event said why */
    hall.ledger.unexplained = false;
    sums_replace(&hall.ledger, 0, SUM_EXPOSED, 9 * HALL_KW, 10 * HALL_KW);
    assert_int_equal(hall.ledger.over_count, 3);
    assert_true(hall.ledger.unexplained);                   /* nor may it rise further */
    hall.ledger.unexplained = false;
    sums_replace(&hall.ledger, 0, SUM_NEWEST, 0, 12 * HALL_KW);
    assert_int_equal(hall.ledger.over_count, 3);
    sums_replace(&hall.ledger, 0, SUM_EXPOSED, 10 * HALL_KW, 8 * HALL_KW);
    assert_int_equal(hall.ledger.over_count, 0);
    assert_false(hall.ledger.unexplained);
    hall.ledger.cause = RECOVERY_RESET;
    sums_replace(&hall.ledger, 0, SUM_EXPOSED, 8 * HALL_KW, 10 * HALL_KW);
    assert_false(hall.ledger.unexplained);
    assert_int_equal(hall.sums[HALL_LEFT].recovery_by, RECOVERY_RESET);
    assert_int_equal(hall.ledger.recoveries[RECOVERY_RESET], 2);    /* the left branch and the main */
}

static void a_site_may_begin_above_its_limits(void **state)
{
    (void)state;
    struct hall hall;
    build(&hall);
    hall.node[HALL_RACK].limit_mva[0][0] = HALL_KW;
    hall.node[HALL_RACK].limit_mva[1][2] = HALL_KW;
    for (uint32_t p = 0; p < PHASES; p++)
        hall.node[HALL_RACK].other_mva[p] = HALL_KW + (p == 2);
    sums_init(&hall.ledger);
    assert_int_equal(hall.ledger.over_count, 1);
    hall.node[HALL_RACK].other_mva[0]++;
    sums_init(&hall.ledger);
    assert_int_equal(hall.ledger.over_count, 2);
}

/* Whichever node, contingency and phase it is, and of the sum that was asked for. */
static void any_cell_above_a_hosts_cords_is_seen(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < HALL_NODES; n++) {
        for (uint32_t i = 0; i < 3 * PHASES; i++) {
            struct hall hall;
            open_sums(&hall);
            hall.sums[n].newest_mva[i / PHASES][i % PHASES] = 1000 * HALL_KW;
            hall_look_again(&hall);
            assert_false(sums_over(&hall.ledger, 0, SUM_NEWEST));
            hall.sums[n].newest_mva[i / PHASES][i % PHASES]++;
            hall_look_again(&hall);
            assert_true(sums_over(&hall.ledger, 0, SUM_NEWEST));
            assert_false(sums_over(&hall.ledger, 0, SUM_EXPOSED));
            assert_int_equal(sums_over(&hall.ledger, 2, SUM_NEWEST), n == HALL_RIGHT || n == HALL_MAIN);
            hall.sums[n].exposed_mva[i / PHASES][i % PHASES] = 1000 * HALL_KW + 1;
            hall_look_again(&hall);
            assert_true(sums_over(&hall.ledger, 0, SUM_EXPOSED));
        }
    }
}

static void what_is_no_contingency_or_no_cord_is_not_looked_at(void **state)
{
    (void)state;
    struct hall hall;
    open_sums(&hall);
    hall.sums[HALL_MAIN].newest_mva[3][0] = 2000 * HALL_KW;
    hall_look_again(&hall);
    hall.sums[HALL_RIGHT].newest_mva[0][0] = 2000 * HALL_KW;    /* not above host 1 */
    hall_look_again(&hall);
    assert_false(sums_over(&hall.ledger, 1, SUM_NEWEST));
    hall.sums[HALL_RIGHT].newest_mva[0][0] = 0;
    hall_look_again(&hall);
    assert_false(sums_over(&hall.ledger, 0, SUM_NEWEST));
    hall.sums[HALL_RACK].newest_mva[0][0] = 2000 * HALL_KW;
    hall_look_again(&hall);
    assert_false(sums_over(&hall.ledger, 1, SUM_NEWEST));
    assert_int_equal(sums_room_mw(&hall.ledger, 1, SUM_NEWEST, 0), 12 * HALL_KW);
    sums_replace(&hall.ledger, 1, SUM_NEWEST, 0, 8 * HALL_KW);
    assert_int_equal(hall.sums[HALL_RACK].newest_mva[0][1], 0);
    sums_add_base(&hall.ledger, 1);
    assert_int_equal(hall.sums[HALL_RACK].ungoverned_mva[0][1], 0);
}

/* ---- what is lent ---- */

/* 20 kA at 100 V are 2 MVA. A sag to 0.85 that began above carries no more than 0.85 of it, as of the steady
 * limit: by whole millionths of 1001 MVA, down, 0.849150. A loss carries all of it; what does not lend keeps
 * its steady limit. A limit that an event has lowered lowers what is lent as much. */
static void what_is_lent_in_a_sag_is_less_by_as_much_as_the_steady_limit_is(void **state)
{
    (void)state;
    struct hall hall;
    const struct ledger_lend lend = {.contingencies = 3, .lendable_ma = 20000000, .admissible_ma = 22000000};
    build(&hall);
    for (uint32_t p = 0; p < PHASES; p++)
        hall.node[HALL_LEFT].limit_mva[1][p] = 850 * HALL_KW;
    sums_init(&hall.ledger);
    sums_lend(&hall.ledger, HALL_LEFT, &lend);
    for (uint32_t p = 0; p < PHASES; p++) {
        assert_int_equal(hall.sums[HALL_LEFT].limit_mva[0][p], 2000 * HALL_KW);
        assert_int_equal(hall.sums[HALL_LEFT].ceiling_mva[0][p], 2200 * HALL_KW);
        assert_int_equal(hall.sums[HALL_LEFT].limit_mva[1][p], 1698300 * HALL_W);
        assert_int_equal(hall.sums[HALL_LEFT].ceiling_mva[1][p], 1868130 * HALL_W);
        assert_int_equal(hall.sums[HALL_LEFT].limit_mva[2][p], 1000 * HALL_KW);
    }
    const struct ledger_lend all = {.contingencies = 7, .lendable_ma = 20000000, .admissible_ma = 22000000};
    sums_lend(&hall.ledger, HALL_LEFT, &all);
    assert_int_equal(hall.sums[HALL_LEFT].limit_mva[2][0], 2000 * HALL_KW);
    sums_scale_limit(&hall.ledger, HALL_LEFT, 900000);
    assert_int_equal(hall.sums[HALL_LEFT].limit_mva[0][1], 1800 * HALL_KW);
    assert_int_equal(hall.sums[HALL_LEFT].limit_mva[1][1], 1528470 * HALL_W);
    assert_int_equal(hall.sums[HALL_LEFT].steady_mva[1][1], 765 * HALL_KW);
}

/* ---- room ---- */

static void room_far_from_any_limit_is_the_physical_maximum(void **state)
{
    (void)state;
    struct hall hall;
    open_sums(&hall);
    assert_int_equal(sums_room_mw(&hall.ledger, 0, SUM_NEWEST, 0), 12 * HALL_KW);
    hall.account[0].phys_max_mw = 13 * HALL_KW;
    assert_int_equal(sums_room_mw(&hall.ledger, 0, SUM_NEWEST, 0), 13 * HALL_KW);
}

/* Each limit alone leaves 8 kW: on any node above either cord, in either contingency, on any phase. */
static void room_is_the_draw_that_meets_the_nearest_limit(void **state)
{
    (void)state;
    static const uint32_t of_cord[HALL_NODES] = {HALL_MAIN, HALL_LEFT, HALL_RACK, HALL_RACK};
    for (uint32_t n = 0; n < HALL_NODES; n++) {
        for (uint32_t i = 0; i < 3 * PHASES; i++) {
            struct hall hall;
            uint32_t c = i / PHASES, p = i % PHASES;
            int64_t on_cell_mva = with_8_kw[of_cord[n]][c][p];
            if (n == HALL_MAIN)         /* cords are taken singly: the heavier one there */
                on_cell_mva = with_8_kw[HALL_LEFT][c][p] > with_8_kw[HALL_RACK][c][p]
                                  ? with_8_kw[HALL_LEFT][c][p]
                                  : with_8_kw[HALL_RACK][c][p];
            if (!on_cell_mva)
                continue;
            open_sums(&hall);
            hall.sums[n].limit_mva[c][p] = on_cell_mva;
            assert_int_equal(sums_room_mw(&hall.ledger, 0, SUM_NEWEST, 0), 8 * HALL_KW);
            hall.sums[n].exposed_mva[c][p] = on_cell_mva / 2;
            assert_int_equal(sums_room_mw(&hall.ledger, 0, SUM_NEWEST, 0), 8 * HALL_KW);
            assert_int_equal(sums_room_mw(&hall.ledger, 0, SUM_EXPOSED, 0), 4 * HALL_KW);
        }
    }
}

static void room_counts_what_the_host_has_already_as_its_own(void **state)
{
    (void)state;
    struct hall hall;
    open_sums(&hall);
    hall.sums[HALL_LEFT].limit_mva[1][0] = 5000000;
    sums_replace(&hall.ledger, 0, SUM_NEWEST, 0, 4 * HALL_KW);
    assert_int_equal(sums_room_mw(&hall.ledger, 0, SUM_NEWEST, 4 * HALL_KW), 8 * HALL_KW);
    hall.sums[HALL_LEFT].newest_mva[1][0] += 1250000;   /* somebody else */
    assert_int_equal(sums_room_mw(&hall.ledger, 0, SUM_NEWEST, 4 * HALL_KW), 6 * HALL_KW);
}

static void there_is_no_room_at_a_limit_that_others_have_used_up(void **state)
{
    (void)state;
    struct hall hall;
    open_sums(&hall);
    hall.sums[HALL_MAIN].limit_mva[0][2] = 3 * HALL_KW;
    hall.sums[HALL_MAIN].newest_mva[0][2] = 3 * HALL_KW;
    assert_int_equal(sums_room_mw(&hall.ledger, 0, SUM_NEWEST, 0), 0);
    hall.sums[HALL_MAIN].newest_mva[0][2] = 9 * HALL_KW;
    assert_int_equal(sums_room_mw(&hall.ledger, 0, SUM_NEWEST, 0), 0);
    /* 10 mVA by the second cord: x 0.8 / 0.4 of its phase / 0.6 of the host */
    hall.sums[HALL_MAIN].newest_mva[0][2] = 3 * HALL_KW - 10;
    assert_int_equal(sums_room_mw(&hall.ledger, 0, SUM_NEWEST, 0), 33);
    open_sums(&hall);
    hall.sums[HALL_LEFT].limit_mva[0][0] = 1;   /* 0.8 / 0.5 is 1; of half the host */
    assert_int_equal(sums_room_mw(&hall.ledger, 0, SUM_NEWEST, 0), 2);
}

static void a_full_phase_that_a_cord_does_not_hang_on_takes_no_room(void **state)
{
    (void)state;
    struct hall hall;
    open_sums(&hall);
    hall.sums[HALL_RACK].newest_mva[0][0] = 2000 * HALL_KW;     /* no phase of cord 1 */
    hall.sums[HALL_RACK].newest_mva[1][1] = 2000 * HALL_KW;     /* no share of cord 1 */
    assert_int_equal(sums_room_mw(&hall.ledger, 0, SUM_NEWEST, 0), 12 * HALL_KW);
}

/* 12 kW are 7.5 kVA on the first phase of LEFT when the feed is lost: exactly that is no bound. */
static void a_limit_that_is_met_by_the_physical_maximum_bounds_nothing(void **state)
{
    (void)state;
    struct hall hall;
    open_sums(&hall);
    hall.sums[HALL_LEFT].limit_mva[1][0] = 7500000;
    assert_int_equal(sums_room_mw(&hall.ledger, 0, SUM_NEWEST, 0), 12 * HALL_KW);
    hall.sums[HALL_LEFT].limit_mva[1][0] = 7499999;
    assert_int_equal(sums_room_mw(&hall.ledger, 0, SUM_NEWEST, 0), 11999998);
}

/* ---- limits that move ---- */

static void a_scaled_limit_is_that_part_of_the_models_and_comes_back_whole(void **state)
{
    (void)state;
    struct hall hall;
    open_sums(&hall);
    hall.node[HALL_LEFT].limit_mva[1][2] = 30 * HALL_KW;
    hall.sums[HALL_LEFT].exposed_mva[3][0] = HALL_KW;
    sums_scale_limit(&hall.ledger, HALL_LEFT, 700000);
    assert_int_equal(hall.sums[HALL_LEFT].limit_mva[0][0], 700 * HALL_KW);
    assert_int_equal(hall.sums[HALL_LEFT].limit_mva[1][2], 21 * HALL_KW);
    assert_int_equal(hall.sums[HALL_MAIN].limit_mva[0][0], 1000 * HALL_KW);
    sums_scale_limit(&hall.ledger, HALL_LEFT, 500000);
    assert_int_equal(hall.sums[HALL_LEFT].limit_mva[0][0], 500 * HALL_KW);
    sums_scale_limit(&hall.ledger, HALL_LEFT, PPM);
    assert_int_equal(hall.sums[HALL_LEFT].limit_mva[0][0], 1000 * HALL_KW);
    assert_int_equal(hall.sums[HALL_LEFT].limit_mva[1][2], 30 * HALL_KW);
    assert_int_equal(hall.ledger.over_count, 0);
    assert_int_equal(hall.sums[HALL_LEFT].limit_mva[3][0], 0);
}

static void a_limit_that_moves_below_exposure_and_back_is_counted_and_uncounted(void **state)
{
    (void)state;
    struct hall hall;
    open_sums(&hall);
    for (uint32_t i = 0; i < 3 * PHASES; i++)
        hall.node[HALL_LEFT].limit_mva[i / PHASES][i % PHASES] = 10 * HALL_KW;
    sums_scale_limit(&hall.ledger, HALL_LEFT, PPM);
    sums_replace(&hall.ledger, 0, SUM_EXPOSED, 0, 8 * HALL_KW);
    sums_scale_limit(&hall.ledger, HALL_LEFT, 250000);      /* 2.5: below 5, 3 and 3.75 */
    assert_int_equal(hall.ledger.over_count, 3);
    sums_scale_limit(&hall.ledger, HALL_LEFT, 240000);
    assert_int_equal(hall.ledger.over_count, 4);
    sums_scale_limit(&hall.ledger, HALL_LEFT, 500000);
    assert_int_equal(hall.ledger.over_count, 0);
}

static void a_busbar_has_no_limit_to_scale(void **state)
{
    (void)state;
    struct hall hall;
    build(&hall);
    hall.node[HALL_LEFT].limited = 0;
    sums_init(&hall.ledger);
    int64_t before_mva = hall.sums[HALL_LEFT].limit_mva[0][0];
    sums_scale_limit(&hall.ledger, HALL_LEFT, 100000);
    assert_int_equal(hall.sums[HALL_LEFT].limit_mva[0][0], before_mva);
}

/* From 0 to 8 kW puts 2.5 kVA on LEFT's first phase, and of both cords 5.1 on MAIN's second: exactly that
 * fits. */
static void cords_add_up_where_they_meet_and_nowhere_else(void **state)
{
    (void)state;
    static const struct { uint32_t node, phase; int64_t least_mva; } meets[] = {
        {HALL_LEFT, 0, 2500 * HALL_W}, {HALL_LEFT, 1, 1500 * HALL_W}, {HALL_RIGHT, 1, 3600 * HALL_W},
        {HALL_RACK, 2, 2400 * HALL_W}, {HALL_MAIN, 1, 5100 * HALL_W}, {HALL_MAIN, 2, 3400 * HALL_W},
    };
    for (uint32_t i = 0; i < sizeof meets / sizeof *meets; i++) {
        for (int64_t less = 0; less < 2; less++) {
            struct hall hall;
            open_sums(&hall);
            struct ledger_sums *sums = &hall.sums[meets[i].node];
            sums->limit_mva[0][meets[i].phase] =
                sums->newest_mva[0][meets[i].phase] + meets[i].least_mva - less;
            assert_int_equal(sums_fit(&hall.ledger, 0, SUM_NEWEST, 0, 8 * HALL_KW), !less);
        }
    }
}

/* RACK alone is tight, in the cell that comes first of its cord. */
static void the_tightest_cell_may_be_the_first_of_a_later_cord(void **state)
{
    (void)state;
    struct hall hall;
    build(&hall);
    hall.host[0].cord[1].phase_ppm[0] = 600000;
    hall.host[0].cord[1].phase_ppm[1] = 0;
    sums_init(&hall.ledger);
    hall.sums[HALL_RACK].limit_mva[0][0] = hall.sums[HALL_RACK].newest_mva[0][0] + 100 * HALL_W;
    struct sums_cell cell = sums_tightest(&hall.ledger, 0, SUM_NEWEST, 0);
    assert_int_equal(cell.node, HALL_RACK);
    assert_int_equal(cell.contingency, 0);
    assert_int_equal(cell.phase, 0);
}

/* Every cell of both nodes above host 1 leaves it the same: the node nearest to it, the first phase, nothing
 * lost. */
static void of_cells_as_tight_the_first_is_named(void **state)
{
    (void)state;
    struct hall hall;
    build(&hall);
    for (uint32_t i = 0; i < 3 * PHASES; i++)
        hall.node[HALL_LEFT].limit_mva[i / PHASES][i % PHASES] =
            hall.node[HALL_MAIN].limit_mva[i / PHASES][i % PHASES] = 5 * HALL_KW;
    sums_init(&hall.ledger);
    assert_int_equal(sums_room_mw(&hall.ledger, 1, SUM_NEWEST, 0), 4 * HALL_KW);
    struct sums_cell cell = sums_tightest(&hall.ledger, 1, SUM_NEWEST, 0);
    assert_int_equal(cell.node, HALL_LEFT);
    assert_int_equal(cell.contingency, 0);
    assert_int_equal(cell.phase, 0);
}

/* What stands in rows behind the last contingency is neither above a limit nor the highest. */
static void what_stands_behind_the_last_contingency_counts_nowhere(void **state)
{
    (void)state;
    struct hall hall;
    open_sums(&hall);
    for (uint32_t n = 0; n < HALL_NODES; n++)
        for (uint32_t p = 0; p < PHASES; p++) {
            hall.sums[n].exposed_mva[3][p] = hall.sums[n].newest_mva[3][p] = 900 * HALL_KW;
            hall.sums[n].limit_mva[3][p] = hall.sums[n].ceiling_mva[3][p] = 0;
        }
    hall_look_again(&hall);
    sums_replace(&hall.ledger, 0, SUM_EXPOSED, 0, 8 * HALL_KW);
    sums_replace(&hall.ledger, 0, SUM_NEWEST, 0, 8 * HALL_KW);
    assert_int_equal(hall.ledger.over_count, 0);
    assert_false(hall.ledger.unexplained);
    for (uint32_t n = 0; n < HALL_NODES; n++) {
        assert_int_equal(hall.sums[n].recovery_events, 0);
        for (uint32_t p = 0; p < PHASES; p++)
            assert_true(hall.sums[n].highest_mva[p] < 900 * HALL_KW);
    }
}

/* With as many contingencies as there may be the last one binds as the first does, and is the last. */
static void the_last_contingency_of_all_may_bind(void **state)
{
    (void)state;
    struct hall hall;
    build(&hall);
    hall.model.contingency_count = CONTINGENCIES_MAX;
    hall.type.pf_min_ppm = 1000000;
    for (uint32_t n = 0; n < HALL_NODES; n++)
        hall_limit(&hall, n, 1000);
    hall.node[HALL_LEFT].limit_mva[CONTINGENCIES_MAX - 1][2] = 5 * HALL_KW;
    sums_init(&hall.ledger);
    assert_int_equal(sums_room_mw(&hall.ledger, 1, SUM_NEWEST, 0), 5 * HALL_KW);
    struct sums_cell cell = sums_tightest(&hall.ledger, 1, SUM_NEWEST, 0);
    assert_int_equal(cell.node, HALL_LEFT);
    assert_int_equal(cell.contingency, CONTINGENCIES_MAX - 1);
    assert_int_equal(cell.phase, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_cells_as_tight_the_first_is_named),
        cmocka_unit_test(what_stands_behind_the_last_contingency_counts_nowhere),
        cmocka_unit_test(the_last_contingency_of_all_may_bind),
        cmocka_unit_test(cords_add_up_where_they_meet_and_nowhere_else),
        cmocka_unit_test(the_tightest_cell_may_be_the_first_of_a_later_cord),
        cmocka_unit_test(a_draw_stands_on_every_node_above_each_cord_in_every_contingency),
        cmocka_unit_test(a_draw_may_replace_a_larger_or_a_smaller_one),
        cmocka_unit_test(what_no_cap_governs_is_kept_apart_with_what_others_draw),
        cmocka_unit_test(sums_begin_anew_with_the_limits_of_the_model),
        cmocka_unit_test(cells_above_their_limit_are_counted_and_the_limit_itself_is_not_above),
        cmocka_unit_test(a_site_may_begin_above_its_limits),
        cmocka_unit_test(any_cell_above_a_hosts_cords_is_seen),
        cmocka_unit_test(what_is_no_contingency_or_no_cord_is_not_looked_at),
        cmocka_unit_test(what_is_lent_in_a_sag_is_less_by_as_much_as_the_steady_limit_is),
        cmocka_unit_test(room_far_from_any_limit_is_the_physical_maximum),
        cmocka_unit_test(room_is_the_draw_that_meets_the_nearest_limit),
        cmocka_unit_test(room_counts_what_the_host_has_already_as_its_own),
        cmocka_unit_test(there_is_no_room_at_a_limit_that_others_have_used_up),
        cmocka_unit_test(a_full_phase_that_a_cord_does_not_hang_on_takes_no_room),
        cmocka_unit_test(a_limit_that_is_met_by_the_physical_maximum_bounds_nothing),
        cmocka_unit_test(a_scaled_limit_is_that_part_of_the_models_and_comes_back_whole),
        cmocka_unit_test(a_limit_that_moves_below_exposure_and_back_is_counted_and_uncounted),
        cmocka_unit_test(a_busbar_has_no_limit_to_scale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
