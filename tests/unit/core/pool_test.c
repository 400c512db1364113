/* SPDX-License-Identifier: Apache-2.0 */
/* Levels, burst credit and the loop that keeps load at them: domain.md 4.3 and 4.5 on the left branch of the
 * hall, where one watt of a host puts one VA on every phase. Level 640 kVA, with burst 680; T_fresh 50 ms,
 * A 100 ms and a tick of 20 ms make a dead time of 170 ms and a control period of 20 ms: nine steps and
 * their mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/pool.h"
#include "core/quantum.h"
#include "hall.h"

#define KVA HALL_KW
#define DEAD_NS (170 * NS_PER_MS)
#define PERIOD_NS (16 * NS_PER_MS)
#define CREDIT_VA_NS (40 * 1000 * 600 * NS_PER_S)

struct bed {
    struct hall hall;
    struct pools pools;
    struct pool node[HALL_NODES];
    struct pool_host host[HALL_HOSTS];
    int64_t t_ns;
};

static void open_bed(struct bed *bed)
{
    memset(bed, 0, sizeof *bed);
    hall_build(&bed->hall);
    bed->hall.model.policy.tick_ns = 20 * NS_PER_MS;
    bed->hall.node[HALL_LEFT].level_mva = 640 * KVA;
    bed->hall.node[HALL_LEFT].level_burst_mva = 680 * KVA;
    bed->hall.node[HALL_LEFT].burst_credit_va_ns_max = CREDIT_VA_NS;
    bed->hall.meter[HALL_LEFT].error_ppm = 0;
    bed->hall.type.cap_max_mw = 450 * KVA;
    bed->hall.type.phys_max_mw = 500 * KVA;
    hall_open(&bed->hall);
    bed->t_ns = HALL_T_NS;
    bed->pools = (struct pools){.node = bed->node, .host = bed->host};
    pool_init(&bed->pools, &bed->hall.model, &bed->hall.ledger, bed->t_ns);
}

/* Both hosts of the branch draw half of it each, and say so. */
static void draw(struct bed *bed, int64_t mva)
{
    pool_report(&bed->pools, 0, mva / 2, bed->t_ns);
    pool_report(&bed->pools, 1, mva / 2, bed->t_ns);
}

static void read_load(struct bed *bed, int64_t mva)
{
    struct reading reading = {.meter = HALL_LEFT};
    for (int p = 0; p < PHASES; p++)
        reading.current_ma[p] = mva / 100, reading.voltage_mv[p] = 100000;
    pool_reading(&bed->pools, HALL_LEFT, &reading, bed->t_ns);
}

static struct pool_view look(const struct bed *bed)
{
    struct pool_view view;
    pool_view(&bed->pools, HALL_LEFT, &view);
    return view;
}

/* dE/dt = -(P - L) + a tenth of 40 kVA: at 680 kVA 36 kVA x s go every second, 24,000 in 666.7 s. */
static void burst_credit_is_used_as_printed(void **state)
{
    struct bed bed;
    (void)state;
    open_bed(&bed);
    draw(&bed, 600 * KVA);
    read_load(&bed, 600 * KVA);
    assert_int_equal(look(&bed).level_mva, 680 * KVA);
    assert_int_equal(look(&bed).credit_ppm, 1000000);
    for (int i = 0; i < 666; i++) {
        bed.t_ns += NS_PER_S;
        read_load(&bed, 660 * KVA);
    }
    /* 20 - 4 kVA a second */
    assert_int_equal(bed.node[HALL_LEFT].credit_va_ns, CREDIT_VA_NS - INT64_C(666) * 16000 * NS_PER_S);
    assert_true(look(&bed).burst);
    bed.t_ns += 900 * NS_PER_S;
    read_load(&bed, 660 * KVA);
    assert_int_equal(bed.node[HALL_LEFT].credit_va_ns, 0);
    assert_int_equal(look(&bed).level_mva, 640 * KVA);
    assert_false(look(&bed).burst);
}

/* An hour at any load neither wraps nor passes its ends; what is refilled is a tenth of what may be used. */
static void credit_neither_wraps_nor_passes_its_ends(void **state)
{
    struct bed bed;
    (void)state;
    open_bed(&bed);
    read_load(&bed, 0);
    bed.t_ns += 3600 * NS_PER_S;
    read_load(&bed, 900000 * KVA);
    assert_int_equal(bed.node[HALL_LEFT].credit_va_ns, 0);
    read_load(&bed, 0);
    bed.t_ns += 599 * NS_PER_S;
    read_load(&bed, 0);
    assert_int_equal(bed.node[HALL_LEFT].credit_va_ns, 599 * 4000 * NS_PER_S);
    assert_false(look(&bed).burst);             /* a tenth is 2,400 kVA x s */
    bed.t_ns += NS_PER_S;
    read_load(&bed, 0);
    assert_true(look(&bed).burst);
    bed.t_ns += 24 * 3600 * NS_PER_S;
    read_load(&bed, 0);
    bed.t_ns += 24 * 3600 * NS_PER_S;
    read_load(&bed, 0);
    assert_int_equal(bed.node[HALL_LEFT].credit_va_ns, CREDIT_VA_NS);
}

static void a_node_without_a_level_binds_nobody(void **state)
{
    struct bed bed;
    struct pool_view view;
    (void)state;
    open_bed(&bed);
    read_load(&bed, 5000 * KVA);
    assert_int_equal(pool_capacity_mva(&bed.pools, HALL_MAIN), INT64_MAX);
    pool_view(&bed.pools, HALL_MAIN, &view);
    assert_int_equal(view.level_mva, 0);
 }

static void what_a_pool_leaves_is_whole_quanta(void **state)
{
    (void)state;
    struct bed bed;
    open_bed(&bed);
    bed.node[HALL_LEFT].trims = true;
    bed.node[HALL_LEFT].quantum_mva = KVA;
    for (int64_t beyond_mva = 0; beyond_mva < KVA; beyond_mva += KVA - 1) {
        bed.node[HALL_LEFT].capacity_mva = 7 * KVA + beyond_mva;
        assert_int_equal(pool_capacity_mva(&bed.pools, HALL_LEFT), 7 * KVA);
    }
}

static void spend(struct bed *bed)
{
    bed->node[HALL_LEFT].credit_va_ns = 0;
    bed->node[HALL_LEFT].spent = true;
}

static void read_thrice(struct bed *bed, int64_t mva)
{
    for (int i = 0; i < 3; i++) {
        bed->t_ns += PERIOD_NS;
        read_load(bed, mva);
    }
}

/* 0.99 of 640 is 633.6: what hosts draw on three phases, less 7.4 kVA on each. */
static void a_load_that_stays_above_its_level_trims_in_the_third_reading_down_to_099(void **state)
{
    struct bed bed;
    (void)state;
    open_bed(&bed);
    spend(&bed);
    draw(&bed, 640 * KVA);
    read_thrice(&bed, 640 * KVA);
    assert_int_equal(pool_capacity_mva(&bed.pools, HALL_LEFT), INT64_MAX);
    draw(&bed, 641 * KVA);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pool_capacity_mva(&bed.pools, HALL_LEFT), INT64_MAX);
        bed.t_ns += PERIOD_NS;
        read_load(&bed, 641 * KVA);
    }
    assert_in_range(bed.node[HALL_LEFT].capacity_mva, 3 * 633 * KVA, 3 * 634 * KVA);
}

/* 0.05 for up to two readings is what devices do after a step. More trims at once. */
static void an_overshoot_passes_by_itself_and_a_surge_does_not(void **state)
{
    struct bed bed;
    (void)state;
    open_bed(&bed);
    spend(&bed);
    draw(&bed, 630 * KVA);
    for (int i = 0; i < 30; i++) {
        bed.t_ns += PERIOD_NS;
        read_load(&bed, i % 3 ? 672 * KVA : 630 * KVA);
        assert_int_equal(pool_capacity_mva(&bed.pools, HALL_LEFT), INT64_MAX);
    }
    read_load(&bed, 680 * KVA);
    assert_in_range(bed.node[HALL_LEFT].capacity_mva, 3 * 560 * KVA, 3 * 600 * KVA);
}

static void before_a_trim_can_show_only_a_further_rise_trims_again(void **state)
{
    struct bed bed;
    (void)state;
    open_bed(&bed);
    spend(&bed);
    draw(&bed, 690 * KVA);
    read_load(&bed, 690 * KVA);
    for (int64_t waited_ns = PERIOD_NS; waited_ns < DEAD_NS; waited_ns += PERIOD_NS) {
        bed.t_ns += PERIOD_NS;
        read_load(&bed, 690 * KVA);
        assert_in_range(bed.node[HALL_LEFT].capacity_mva, 3 * 633 * KVA, 3 * 634 * KVA);
    }
    read_load(&bed, 700 * KVA);
    assert_in_range(bed.node[HALL_LEFT].capacity_mva, 3 * 623 * KVA, 3 * 624 * KVA);
    bed.t_ns += PERIOD_NS;                      /* the dead time is over, and the load has not moved */
    read_load(&bed, 700 * KVA);
    assert_in_range(bed.node[HALL_LEFT].capacity_mva, 3 * 557 * KVA, 3 * 559 * KVA);
}

/* What a pool gives reaches the meter DEAD_NS later. */
struct plant {
    int64_t given_mva[64];
    uint32_t at;
};

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* One reading: hosts draw what they want, at most what they had been given; returns what flows. */
static int64_t live(struct bed *bed, struct plant *plant, int64_t wanted_mva)
{
    uint32_t steps = (uint32_t)(DEAD_NS / PERIOD_NS);
    int64_t capacity_mva = pool_capacity_mva(&bed->pools, HALL_LEFT);
    plant->given_mva[plant->at++ % 64] = capacity_mva == INT64_MAX ? INT64_MAX : capacity_mva / 3;
    int64_t given_mva = plant->at > steps ? plant->given_mva[(plant->at - 1 - steps) % 64] : INT64_MAX;
    int64_t load_mva = smaller(wanted_mva, given_mva);
    draw(bed, load_mva);
    bed->t_ns += PERIOD_NS;
    read_load(bed, load_mva);
    return load_mva;
}

/* Demand far above the level: within two dead times the load is below it, goes to 0.99 of it without passing,
 * and stays; the hosts' draws then turn out smaller than their caps allow and the loop gives that back. */
static void load_settles_at_099_of_the_level_and_never_passes_it(void **state)
{
    struct bed bed;
    struct plant plant = {.at = 0};
    int64_t load_mva = 0, before_mva = 0;
    (void)state;
    open_bed(&bed);
    spend(&bed);
    for (int i = 0; i < 3000; i++) {
        bed.node[HALL_LEFT].credit_va_ns = 0;
        load_mva = live(&bed, &plant, 900 * KVA);
        if (i > 2 * DEAD_NS / PERIOD_NS) {
            assert_true(load_mva <= 640 * KVA);
            assert_true(load_mva >= before_mva - KVA);      /* it never turns back */
            before_mva = load_mva;
        }
    }
    assert_in_range(load_mva, 630 * KVA, 635 * KVA);
}

/* A job in step: 900 ms far above the level, 300 ms far below. What the pool gives is what its peaks may
 * draw: giving more while the job does not draw would only be taken back at the next peak. */
static void load_in_pulses_is_given_the_level_at_its_peaks_and_no_more_between_them(void **state)
{
    struct bed bed;
    struct plant plant = {.at = 0};
    int64_t most_mva = 0, least_mva = INT64_MAX;
    (void)state;
    open_bed(&bed);
    for (int i = 0; i < 3000; i++) {
        bed.node[HALL_LEFT].credit_va_ns = 0;
        bool computes = i * PERIOD_NS / NS_PER_MS % 1200 < 900;
        int64_t load_mva = live(&bed, &plant, (computes ? 900 : 300) * KVA);
        if (i < 1500 || !computes)
            continue;
        most_mva = load_mva > most_mva ? load_mva : most_mva;
        least_mva = smaller(load_mva, least_mva);
    }
    assert_in_range(most_mva, 625 * KVA, 641 * KVA);
    assert_in_range(least_mva, 620 * KVA, 641 * KVA);
}

static void a_pool_lets_go_only_when_it_binds_nobody_and_load_was_low_for_a_second(void **state)
{
    struct bed bed;
    struct plant plant = {.at = 0};
    int64_t low_ns = 0;
    (void)state;
    open_bed(&bed);
    spend(&bed);
    for (int i = 0; i < 200; i++)
        live(&bed, &plant, 900 * KVA);
    assert_true(look(&bed).trims);
    for (int i = 0; i < 5000 && look(&bed).trims; i++) {
        bed.node[HALL_LEFT].credit_va_ns = 0;
        live(&bed, &plant, 500 * KVA);
        low_ns += PERIOD_NS;
    }
    assert_false(look(&bed).trims);
    assert_in_range(low_ns, NS_PER_S, 20 * NS_PER_S);
}

/* P13: e[k+1] = e[k] - g e[k-d], a step of the reference; with the gain of the table no d from 0 to 10
 * overshoots, with half as much again every one does. */
static int64_t step_response(uint32_t d, int64_t gain_ppm, int64_t *last)
{
    int64_t output[2048] = {0}, most = 0;
    const int64_t reference = INT64_C(1000000000000);
    for (uint32_t k = 0; k + 1 < 2048; k++) {
        int64_t error = k >= d ? reference - output[k - d] : reference;
        output[k + 1] = output[k] + error / 1000000 * gain_ppm;
        most = output[k + 1] > most ? output[k + 1] : most;
    }
    *last = output[2047];
    return most - reference;
}

static void no_dead_time_from_0_to_10_steps_overshoots(void **state)
{
    (void)state;
    for (uint32_t d = 0; d <= POOL_DEAD_STEPS_MAX; d++) {
        int64_t last;
        assert_true(step_response(d, pool_gain_ppm(d), &last) <= 0);
        assert_in_range(last, INT64_C(999990000000), INT64_C(1000000000000));
        assert_true(step_response(d, pool_gain_ppm(d) * 3 / 2, &last) > INT64_C(1000000));
    }
    __extension__ typedef unsigned __int128 wide;
    for (uint32_t d = 0; d <= POOL_DEAD_STEPS_MAX; d++) {   /* d^d / (d + 1)^(d + 1), down */
        wide over = 1000000, under = d + 1;
        for (uint32_t i = 0; i < d; i++)
            over *= d, under *= d + 1;
        assert_int_equal(pool_gain_ppm(d), (int64_t)(over / under));
    }
    assert_int_equal(pool_gain_ppm(0), 1000000);
    assert_int_equal(pool_gain_ppm(4), 81920);
    assert_int_equal(pool_gain_ppm(10), 35049);
}

static void the_loop_is_set_for_its_dead_time(void **state)
{
    struct bed bed;
    (void)state;
    open_bed(&bed);
    assert_int_equal(bed.node[HALL_LEFT].dead_ns, DEAD_NS);
    assert_int_equal(bed.node[HALL_LEFT].period_ns, 20 * NS_PER_MS);
    assert_int_equal(bed.node[HALL_LEFT].gain_ppm, pool_gain_ppm(10));
}

static void cut(struct bed *bed, int64_t cap_mw)
{
    bed->hall.account[0].bounded = true;
    bed->hall.account[0].exposed_draw_mw = 300 * KVA;
    bed->hall.account[0].newest_draw_mw = cap_mw;
    pool_note(&bed->pools, 0, bed->t_ns);
}

/* Cut first, confirmed by report or by the time a meter takes, then raise: below a pool that binds. */
static void below_a_pool_that_binds_a_raise_waits_for_cuts_to_be_confirmed(void **state)
{
    struct bed bed;
    (void)state;
    open_bed(&bed);
    cut(&bed, 250 * KVA);
    assert_int_equal(pool_forbids_raise(&bed.pools, 1, bed.t_ns), INDEX_NONE);      /* it does not bind */
    draw(&bed, 730 * KVA);
    read_load(&bed, 730 * KVA);
    assert_int_equal(pool_binds_above(&bed.pools, 1), HALL_LEFT);
    assert_int_equal(pool_forbids_raise(&bed.pools, 1, bed.t_ns), HALL_LEFT);
    assert_int_equal(pool_forbids_raise(&bed.pools, 3, bed.t_ns), INDEX_NONE);
    assert_int_equal(pool_forbids_raise(&bed.pools, 1, bed.t_ns + DEAD_NS), INDEX_NONE);
    bed.hall.account[0].exposed_draw_mw = 250 * KVA;
    pool_note(&bed.pools, 0, bed.t_ns);
    assert_int_equal(pool_forbids_raise(&bed.pools, 1, bed.t_ns), INDEX_NONE);
    assert_int_equal(bed.node[HALL_LEFT].unconfirmed_mw, 0);
}

/* What is given has grown above what anybody draws: no cut below is the pool's any more, though it still
 * looks. */
static void a_pool_that_gives_more_than_is_drawn_binds_nobody(void **state)
{
    struct bed bed;
    struct plant plant = {.at = 0};
    (void)state;
    open_bed(&bed);
    for (int i = 0; i < 200; i++)
        live(&bed, &plant, 900 * KVA);
    assert_true(look(&bed).binds);
    for (int i = 0; i < 40; i++)
        live(&bed, &plant, 500 * KVA);
    assert_true(look(&bed).trims);
    assert_false(look(&bed).binds);
    assert_int_equal(pool_binds_above(&bed.pools, 0), INDEX_NONE);
}

/* However far it has grown meanwhile, a pool goes down from what hosts draw. */
static void demand_that_jumps_back_is_trimmed_from_what_is_drawn(void **state)
{
    struct bed bed;
    struct plant plant = {.at = 0};
    (void)state;
    open_bed(&bed);
    spend(&bed);
    for (int i = 0; i < 200; i++)
        live(&bed, &plant, 900 * KVA);
    for (int i = 0; i < 400; i++)
        live(&bed, &plant, 500 * KVA);
    assert_true(bed.node[HALL_LEFT].capacity_mva > 3 * 660 * KVA);
    spend(&bed);
    draw(&bed, 650 * KVA);
    for (int i = 0; i < 3; i++) {
        bed.t_ns += PERIOD_NS;
        read_load(&bed, 650 * KVA);
    }
    assert_in_range(bed.node[HALL_LEFT].capacity_mva, 3 * 633 * KVA, 3 * 634 * KVA);
}

static void a_sag_trims_nothing(void **state)
{
    struct bed bed;
    struct reading reading = {.meter = HALL_LEFT};
    (void)state;
    open_bed(&bed);
    for (int p = 0; p < PHASES; p++) {
        reading.current_ma[p] = 600 * KVA / 70;     /* 600 kVA at 70 V: 8.6 kA, 857 kVA at 100 V */
        reading.voltage_mv[p] = 70000;
    }
    pool_reading(&bed.pools, HALL_LEFT, &reading, bed.t_ns);
    assert_false(look(&bed).trims);
    assert_in_range(look(&bed).load_mva, 599 * KVA, 600 * KVA);
}

static void a_silent_meter_gives_way_to_what_hosts_report(void **state)
{
    struct bed bed;
    (void)state;
    open_bed(&bed);
    bed.hall.node[HALL_LEFT].other_mva[0] = 30 * KVA;
    read_load(&bed, 20 * KVA);
    draw(&bed, 100 * KVA);
    assert_int_equal(look(&bed).load_mva, 20 * KVA);
    bed.t_ns += 100 * NS_PER_MS;                /* twice T_fresh */
    pool_tick(&bed.pools, bed.t_ns);
    assert_int_equal(look(&bed).load_mva, 20 * KVA);
    bed.t_ns += NS_PER_MS;
    pool_tick(&bed.pools, bed.t_ns);
    assert_int_equal(look(&bed).load_mva, 130 * KVA);
}

static void a_reservation_is_forecast_until_it_is_drawn_or_over(void **state)
{
    struct bed bed;
    (void)state;
    open_bed(&bed);
    draw(&bed, 100 * KVA);
    read_load(&bed, 110 * KVA);
    pool_reserve(&bed.pools, 0, 80 * KVA, bed.t_ns + NS_PER_S);
    assert_int_equal(look(&bed).forecast_mva, 140 * KVA);
    assert_int_equal(look(&bed).free_mva, 540 * KVA);
    pool_report(&bed.pools, 0, 70 * KVA, bed.t_ns);
    read_load(&bed, 130 * KVA);
    assert_int_equal(look(&bed).forecast_mva, 140 * KVA);
    assert_int_equal(pool_reserved_mw(&bed.pools, 0, bed.t_ns), 80 * KVA);
    bed.t_ns += NS_PER_S;
    read_load(&bed, 130 * KVA);
    assert_int_equal(pool_reserved_mw(&bed.pools, 0, bed.t_ns), 0);
    pool_tick(&bed.pools, bed.t_ns);
    assert_int_equal(look(&bed).forecast_mva, 130 * KVA);
    assert_int_equal(pool_committed_mva(&bed.node[HALL_LEFT], 0, 0), 120 * KVA);
}

/* Nobody reports: ticks alone come round to every host, the last one too, and to nobody else. */
static void every_reservation_ends_by_ticks_alone(void **state)
{
    (void)state;
    struct bed bed;
    open_bed(&bed);
    uint32_t hosts = bed.pools.model->host_count;
    for (uint32_t h = 0; h < hosts; h++)
        pool_reserve(&bed.pools, h, 80 * KVA, bed.t_ns + NS_PER_S);
    pool_tick(&bed.pools, bed.t_ns + NS_PER_S - 1);
    assert_int_equal(bed.pools.host[hosts - 1].reserved_mw, 80 * KVA);
    bed.pools.swept = hosts - 2;
    pool_tick(&bed.pools, bed.t_ns + NS_PER_S);
    assert_true(bed.pools.swept < hosts);
    for (uint32_t h = 0; h < hosts; h++)
        assert_int_equal(bed.pools.host[h].reserved_mw, 0);
}

/* ---- quanta ---- */

/* 1 MW at the site, 10 kW at a cluster, 1 kW at a rack, where that is at most a hundredth of what is carried
 * on all phases; less by as many steps as it takes, at last 100 W. */
static void quanta_go_by_place_and_never_pass_a_hundredth(void **state)
{
    static const struct {
        uint32_t parents, hosts;
        int64_t on_phase_kva, quantum_w;
    } node[] = {
        {0, 0, 40000, 1000000}, {0, 0, 33333, 10000}, {1, 0, 40000, 10000}, {1, 4, 40000, 1000},
        {0, 4, 40000, 1000000}, {1, 0, 334, 10000},   {1, 0, 333, 1000},    {1, 4, 34, 1000},
        {1, 4, 33, 100},        {0, 0, 3, 100},
    };
    (void)state;
    for (uint32_t i = 0; i < sizeof node / sizeof *node; i++) {
        struct model_node at = {.phases = 3, .limited = 1, .parent_count = node[i].parents,
                                .host_count = node[i].hosts};
        for (uint32_t p = 0; p < PHASES; p++)
            at.limit_mva[0][p] = node[i].on_phase_kva * KVA;
        assert_int_equal(quantum_of_mw(&at), node[i].quantum_w * 1000);
        at.phases = 1;                              /* a third of it: the other two are none of its */
        at.limit_mva[0][0] *= 3;
        assert_int_equal(quantum_of_mw(&at), node[i].quantum_w * 1000);
    }
    struct model_node free = {.phases = 3};         /* nothing bounds it: by place alone */
    assert_int_equal(quantum_of_mw(&free), QUANTUM_SITE_MW);
    free.parent_count = 1;
    assert_int_equal(quantum_of_mw(&free), QUANTUM_CLUSTER_MW);
    free.host_count = 1;
    assert_int_equal(quantum_of_mw(&free), QUANTUM_RACK_MW);
}

/* ---- one step of the loop, to the mVA ---- */

/* It trims since long ago and gives `capacity_mva`; hosts draw 600 kVA; a control period ends with the next
 * reading. The burst credit is spent. */
static void open_loop(struct bed *bed, int64_t capacity_mva)
{
    open_bed(bed);
    spend(bed);
    draw(bed, 600 * KVA);
    struct pool *pool = &bed->node[HALL_LEFT];
    bed->t_ns += 10 * NS_PER_S;
    pool->measured_t_ns = bed->t_ns;
    pool->trims = true;
    pool->capacity_mva = capacity_mva;
    pool->trimmed_ns = bed->t_ns - DEAD_NS;
    pool->period_start_ns = pool->peak_since_ns = bed->t_ns - 20 * NS_PER_MS;
    pool->measured_mva[0] = pool->measured_mva[1] = pool->measured_mva[2] = 600 * KVA;
    pool->before_mva[0] = pool->before_mva[1] = 600 * KVA;
}

/* 33.6 kVA below 633.6 are 100.8 on three phases, of which the gain of ten steps gives 0.035049. */
static void a_correction_is_the_gain_of_what_lacks(void **state)
{
    struct bed bed;
    (void)state;
    open_loop(&bed, 1000 * KVA);
    read_load(&bed, 600 * KVA);
    assert_int_equal(bed.node[HALL_LEFT].capacity_mva, 1000 * KVA + 3532939);
    read_load(&bed, 600 * KVA);                     /* a period later, not now */
    assert_int_equal(bed.node[HALL_LEFT].capacity_mva, 1000 * KVA + 3532939);
    bed.t_ns += 20 * NS_PER_MS - 1;
    read_load(&bed, 600 * KVA);
    assert_int_equal(bed.node[HALL_LEFT].capacity_mva, 1000 * KVA + 3532939);
    bed.t_ns += 1;                                  /* the mean of three: 606 */
    bed.node[HALL_LEFT].before_mva[0] = bed.node[HALL_LEFT].before_mva[1] = 618 * KVA;
    read_load(&bed, 618 * KVA);
    assert_int_equal(bed.node[HALL_LEFT].capacity_mva, 1000 * KVA + 3532939 + 2817531);
    open_loop(&bed, 1000 * KVA);
    bed.node[HALL_LEFT].trimmed_ns++;               /* what was trimmed cannot be seen yet */
    read_load(&bed, 600 * KVA);
    assert_int_equal(bed.node[HALL_LEFT].capacity_mva, 1000 * KVA);
    open_loop(&bed, bed.node[HALL_LEFT].most_mva - 1);
    read_load(&bed, 600 * KVA);                     /* never more than all could use */
    assert_int_equal(bed.node[HALL_LEFT].capacity_mva, bed.node[HALL_LEFT].most_mva);
}

/* Of the same 100.8 kVA half of 35049 millionths, down; a trim takes all of what is too much at once. */
static void a_damped_node_is_corrected_by_half_and_trimmed_in_full(void **state)
{
    struct bed bed;
    (void)state;
    open_loop(&bed, 1000 * KVA);
    bed.node[HALL_LEFT].damped = true;
    read_load(&bed, 600 * KVA);
    assert_int_equal(bed.node[HALL_LEFT].capacity_mva, 1000 * KVA + 1766419);
    int64_t capacity_mva[2];
    for (int damped = 0; damped < 2; damped++) {
        open_loop(&bed, 1800 * KVA);
        bed.node[HALL_LEFT].damped = damped;
        bed.node[HALL_LEFT].before_mva[0] = bed.node[HALL_LEFT].before_mva[1] = 660 * KVA;
        read_load(&bed, 660 * KVA);
        capacity_mva[damped] = bed.node[HALL_LEFT].capacity_mva;
    }
    assert_true(capacity_mva[0] < 1800 * KVA);
    assert_int_equal(capacity_mva[1], capacity_mva[0]);
}

/* 6.4 kVA above are 18 of the 1800 that hosts claim; where 30 of the load are others', 640 less 30 are
 * theirs: 18.885. */
static void a_correction_down_spares_what_others_draw(void **state)
{
    struct bed bed;
    (void)state;
    open_loop(&bed, 1000 * KVA);
    bed.node[HALL_LEFT].before_mva[0] = bed.node[HALL_LEFT].before_mva[1] = 640 * KVA;
    read_load(&bed, 640 * KVA);
    assert_int_equal(bed.node[HALL_LEFT].capacity_mva, 1000 * KVA - 630882);
    open_loop(&bed, 1000 * KVA);
    for (int p = 0; p < PHASES; p++)
        bed.hall.node[HALL_LEFT].other_mva[p] = 30 * KVA;
    bed.node[HALL_LEFT].before_mva[0] = bed.node[HALL_LEFT].before_mva[1] = 640 * KVA;
    read_load(&bed, 640 * KVA);
    assert_int_equal(bed.node[HALL_LEFT].capacity_mva, 1000 * KVA - 661908);
    open_loop(&bed, 100000);
    bed.node[HALL_LEFT].before_mva[0] = bed.node[HALL_LEFT].before_mva[1] = 640 * KVA;
    read_load(&bed, 640 * KVA);
    assert_int_equal(bed.node[HALL_LEFT].capacity_mva, 0);
}

/* A peak of 620 leaves 13.6 to give, in its second and in the next; then it is forgotten. */
static void a_peak_counts_for_its_second_and_the_next(void **state)
{
    static const struct {
        int64_t since_ms, step_mva;
    } row[] = {{500, 1429999}, {999, 1429999}, {1000, 1429999}, {1999, 1429999}, {2000, 3532939}};
    (void)state;
    for (uint32_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct bed bed;
        open_loop(&bed, 1000 * KVA);
        bed.node[HALL_LEFT].peak_mva[0] = 620 * KVA;
        bed.node[HALL_LEFT].peak_since_ns = bed.t_ns - row[i].since_ms * NS_PER_MS;
        read_load(&bed, 600 * KVA);
        assert_int_equal(bed.node[HALL_LEFT].capacity_mva, 1000 * KVA + row[i].step_mva);
    }
}

/* 7.4 kVA too much on three phases off the 1923 that hosts claim. 6 % above is what devices do; a bit more is
 * not, and is trimmed at once. */
static void a_trim_takes_just_what_is_too_much(void **state)
{
    (void)state;
    struct bed bed;
    open_bed(&bed);
    spend(&bed);
    draw(&bed, 641 * KVA);
    read_thrice(&bed, 641 * KVA);
    assert_int_equal(bed.node[HALL_LEFT].capacity_mva, 3 * 633600000LL);
    assert_int_equal(bed.pools.trims, 1);
    for (int64_t more = 0; more < 2; more++) {
        open_bed(&bed);
        spend(&bed);
        draw(&bed, 630 * KVA);
        read_load(&bed, 678400000 + more * 100);
        assert_int_equal(look(&bed).trims, more);
    }
}

/* Below 0.9 of the level for a second, and giving all that anybody could use. */
static void a_pool_lets_go_at_its_edges(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct bed bed;
        open_loop(&bed, 0);
        struct pool *pool = &bed.node[HALL_LEFT];
        pool->period_start_ns = bed.t_ns;           /* no correction with this reading */
        pool->capacity_mva = pool->most_mva - (i == 1);
        pool->low_since_ns = bed.t_ns - NS_PER_S + (i == 2);
        read_load(&bed, i == 3 ? 576 * KVA : 576 * KVA - 100);
        assert_int_equal(look(&bed).trims, i > 0);
    }
}

/* Within an eighth of what hosts hold it binds; cuts of no more than a quantum are not waited for. */
static void a_pool_binds_within_an_eighth_of_what_hosts_hold(void **state)
{
    struct bed bed;
    (void)state;
    open_loop(&bed, 2025 * KVA);
    struct pool *pool = &bed.node[HALL_LEFT];
    assert_true(look(&bed).binds);
    pool->capacity_mva++;
    assert_false(look(&bed).binds);
    pool->capacity_mva--;
    pool->cut_ns = bed.t_ns;
    pool->unconfirmed_mw = pool->quantum_mva;
    assert_int_equal(pool_forbids_raise(&bed.pools, 0, bed.t_ns), INDEX_NONE);
    pool->unconfirmed_mw++;
    assert_int_equal(pool_forbids_raise(&bed.pools, 0, bed.t_ns), HALL_LEFT);
    assert_int_equal(pool_forbids_raise(&bed.pools, 0, bed.t_ns + DEAD_NS - 1), HALL_LEFT);
    assert_int_equal(pool_forbids_raise(&bed.pools, 0, bed.t_ns + DEAD_NS), INDEX_NONE);
    bed.pools.levels = 0;                           /* nobody has a level: nobody looks */
    assert_int_equal(pool_binds_above(&bed.pools, 0), INDEX_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reservation_ends_by_ticks_alone),
        cmocka_unit_test(burst_credit_is_used_as_printed),
        cmocka_unit_test(credit_neither_wraps_nor_passes_its_ends),
        cmocka_unit_test(a_node_without_a_level_binds_nobody),
        cmocka_unit_test(what_a_pool_leaves_is_whole_quanta),
        cmocka_unit_test(a_load_that_stays_above_its_level_trims_in_the_third_reading_down_to_099),
        cmocka_unit_test(an_overshoot_passes_by_itself_and_a_surge_does_not),
        cmocka_unit_test(before_a_trim_can_show_only_a_further_rise_trims_again),
        cmocka_unit_test(load_settles_at_099_of_the_level_and_never_passes_it),
        cmocka_unit_test(load_in_pulses_is_given_the_level_at_its_peaks_and_no_more_between_them),
        cmocka_unit_test(a_pool_lets_go_only_when_it_binds_nobody_and_load_was_low_for_a_second),
        cmocka_unit_test(no_dead_time_from_0_to_10_steps_overshoots),
        cmocka_unit_test(the_loop_is_set_for_its_dead_time),
        cmocka_unit_test(below_a_pool_that_binds_a_raise_waits_for_cuts_to_be_confirmed),
        cmocka_unit_test(a_pool_that_gives_more_than_is_drawn_binds_nobody),
        cmocka_unit_test(demand_that_jumps_back_is_trimmed_from_what_is_drawn),
        cmocka_unit_test(a_sag_trims_nothing),
        cmocka_unit_test(a_silent_meter_gives_way_to_what_hosts_report),
        cmocka_unit_test(a_reservation_is_forecast_until_it_is_drawn_or_over),
        cmocka_unit_test(quanta_go_by_place_and_never_pass_a_hundredth),
        cmocka_unit_test(a_correction_is_the_gain_of_what_lacks),
        cmocka_unit_test(a_damped_node_is_corrected_by_half_and_trimmed_in_full),
        cmocka_unit_test(a_correction_down_spares_what_others_draw),
        cmocka_unit_test(a_peak_counts_for_its_second_and_the_next),
        cmocka_unit_test(a_trim_takes_just_what_is_too_much),
        cmocka_unit_test(a_pool_lets_go_at_its_edges),
        cmocka_unit_test(a_pool_binds_within_an_eighth_of_what_hosts_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
