/* SPDX-License-Identifier: Apache-2.0 */
/* The loop that keeps load at its level, at its edges: constants to the nanosecond, the fullest phase, what a
 * trim forgets, a level of next to nothing. domain.md 4.3 and 4.5; the bed is that of pool_test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/pool.h"
#include "hall.h"

#define KVA HALL_KW
#define MS NS_PER_MS
#define DEAD_NS (170 * MS)

struct bed {
    struct hall hall;
    struct pools pools;
    struct pool node[HALL_NODES];
    struct pool_host host[HALL_HOSTS];
    int64_t t_ns;
};

static void start(struct bed *bed)
{
    bed->t_ns = HALL_T_NS;
    bed->pools = (struct pools){.node = bed->node, .host = bed->host};
    pool_init(&bed->pools, &bed->hall.model, &bed->hall.ledger, bed->t_ns);
}

static void open_bed(struct bed *bed)
{
    memset(bed, 0, sizeof *bed);
    hall_build(&bed->hall);
    bed->hall.node[HALL_LEFT].level_mva = 640 * KVA;
    bed->hall.meter[HALL_LEFT].error_ppm = 0;
    bed->hall.type.cap_max_mw = 450 * KVA;
    bed->hall.type.phys_max_mw = 500 * KVA;
    hall_open(&bed->hall);
    start(bed);
}

static void read_phases(struct bed *bed, int64_t a_mva, int64_t b_mva, int64_t c_mva)
{
    const int64_t mva[PHASES] = {a_mva, b_mva, c_mva};
    struct reading reading = {.meter = HALL_LEFT};
    for (int p = 0; p < PHASES; p++)
        reading.current_ma[p] = mva[p] / 100, reading.voltage_mv[p] = 100000;
    pool_reading(&bed->pools, HALL_LEFT, &reading, bed->t_ns);
}

static void read_load(struct bed *bed, int64_t mva)
{
    read_phases(bed, mva, mva, mva);
}

static struct pool_view look(const struct bed *bed)
{
    struct pool_view view;
    pool_view(&bed->pools, HALL_LEFT, &view);
    return view;
}

/* Trims since DEAD_NS, gives `capacity_mva`; hosts draw 600 kVA, and readings said so; a control period ends
 * with the next one. */
static struct pool *open_loop(struct bed *bed, int64_t capacity_mva)
{
    open_bed(bed);
    pool_report(&bed->pools, 0, 300 * KVA, bed->t_ns);
    pool_report(&bed->pools, 1, 300 * KVA, bed->t_ns);
    struct pool *pool = &bed->node[HALL_LEFT];
    bed->t_ns += 10 * NS_PER_S;
    pool->measured_t_ns = bed->t_ns;
    pool->trims = true;
    pool->capacity_mva = capacity_mva;
    pool->trimmed_ns = bed->t_ns - DEAD_NS;
    pool->period_start_ns = pool->peak_since_ns = bed->t_ns - 20 * MS;
    pool->measured_mva[0] = pool->measured_mva[1] = pool->measured_mva[2] = 600 * KVA;
    pool->before_mva[0] = pool->before_mva[1] = 600 * KVA;
    return pool;
}

/* Readings that were as high before: nothing passes by itself. */
static void lasting(struct pool *pool, int64_t mva)
{
    pool->before_mva[0] = pool->before_mva[1] = mva;
}

static void the_loop_is_set_to_the_nanosecond(void **state)
{
    static const struct {
        int64_t fresh_ns, actuation_ns, tick_ns, reading_ns, dead_ns, period_ns, gain_ppm;
    } row[] = {
        {50 * MS, 100 * MS, 20 * MS, 5 * MS, 180 * MS, 20 * MS, 35049},             /* nine and the mean */
        {50 * MS, 100 * MS, 20 * MS, 5 * MS + 5, 180 * MS + 10, 20 * MS + 2, 35049},
        {20 * MS, 100 * MS, 60 * MS, 0, 180 * MS, 60 * MS, 81920},                  /* three and the mean */
        {20 * MS + 1, 100 * MS, 60 * MS, 0, 180 * MS + 1, 60 * MS, 66979},
        {20 * MS, 0, 60 * MS, 0, 80 * MS, 60 * MS, 105468},
    };
    (void)state;
    for (uint32_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct bed bed;
        open_bed(&bed);
        struct model_host_type type[2] = {bed.hall.type, bed.hall.type};
        type[0].actuation_ns = row[i].actuation_ns;
        type[1].actuation_ns = NS_PER_S;        /* of no host here: beyond what there is */
        bed.hall.model.type = type;
        bed.hall.model.policy.tick_ns = row[i].tick_ns;
        bed.hall.meter[HALL_LEFT].fresh_ns = row[i].fresh_ns;
        bed.hall.meter[HALL_LEFT].period_ns = row[i].reading_ns;
        start(&bed);
        assert_int_equal(bed.node[HALL_LEFT].dead_ns, row[i].dead_ns);
        assert_int_equal(bed.node[HALL_LEFT].period_ns, row[i].period_ns);
        assert_int_equal(bed.node[HALL_LEFT].gain_ppm, row[i].gain_ppm);
    }
}

static void a_level_of_next_to_nothing_is_one(void **state)
{
    (void)state;
    struct bed bed;
    open_bed(&bed);
    bed.hall.node[HALL_LEFT].level_mva = 1;
    bed.hall.node[HALL_LEFT].level_burst_mva = 5;
    bed.hall.node[HALL_LEFT].burst_credit_va_ns_max = 1;
    start(&bed);
    assert_int_equal(bed.pools.levels, 1);
    assert_int_equal(pool_level_mva(&bed.pools, HALL_LEFT), 5);    /* on its one VA x ns */
    assert_int_equal(look(&bed).level_mva, 5);
    assert_int_equal(look(&bed).credit_ppm, PPM);
    assert_true(look(&bed).burst);
    bed.node[HALL_LEFT].credit_va_ns = 0;
    assert_int_equal(pool_level_mva(&bed.pools, HALL_LEFT), 1);
    assert_int_equal(look(&bed).credit_ppm, 0);
    for (int i = 0; i < 3; i++)
        read_load(&bed, KVA);
    assert_true(look(&bed).trims);
    assert_int_equal(pool_level_mva(&bed.pools, HALL_MAIN), INT64_MAX);
}

static void a_node_without_a_level_is_measured_and_no_more(void **state)
{
    (void)state;
    struct bed bed;
    open_bed(&bed);
    bed.hall.node[HALL_LEFT].level_mva = 0;
    start(&bed);
    read_load(&bed, 700 * KVA);
    assert_int_equal(bed.node[HALL_LEFT].measured_mva[2], 700 * KVA);
    assert_int_equal(bed.node[HALL_LEFT].measured_t_ns, bed.t_ns);
    assert_int_equal(bed.node[HALL_LEFT].before_mva[0], 0);
    assert_int_equal(bed.node[HALL_LEFT].period_start_ns, 0);
    assert_int_equal(bed.node[HALL_LEFT].low_since_ns, INT64_MAX);
}

static void what_is_no_phase_of_a_node_and_what_has_no_volts_is_no_load(void **state)
{
    (void)state;
    struct bed bed;
    open_bed(&bed);
    struct reading reading = {.meter = HALL_LEFT};
    for (int p = 0; p < PHASES; p++)
        reading.current_ma[p] = 3000000, reading.voltage_mv[p] = p ? 100000 : -7;
    pool_reading(&bed.pools, HALL_LEFT, &reading, bed.t_ns);
    assert_int_equal(bed.node[HALL_LEFT].measured_mva[0], 0);
    assert_int_equal(bed.node[HALL_LEFT].measured_mva[1], 300 * KVA);
    bed.hall.node[HALL_LEFT].phases = 1;
    reading.voltage_mv[0] = 100000;
    pool_reading(&bed.pools, HALL_LEFT, &reading, bed.t_ns);
    assert_int_equal(bed.node[HALL_LEFT].measured_mva[0], 300 * KVA);
    assert_int_equal(bed.node[HALL_LEFT].measured_mva[1], 0);
    assert_int_equal(bed.node[HALL_LEFT].measured_mva[2], 0);
}

static void a_view_forecasts_the_fullest_phase(void **state)
{
    (void)state;
    for (uint32_t full = 0; full < PHASES; full++) {
        struct bed bed;
        open_bed(&bed);
        int64_t mva[PHASES] = {10 * KVA, 10 * KVA, 10 * KVA};
        mva[full] = 600 * KVA;
        read_phases(&bed, mva[0], mva[1], mva[2]);
        assert_int_equal(look(&bed).load_mva, 600 * KVA);
        assert_int_equal(look(&bed).forecast_mva, 600 * KVA);
        assert_int_equal(look(&bed).free_mva, 40 * KVA);
    }
}

static void credit_changes_with_time_alone(void **state)
{
    (void)state;
    struct bed bed;
    open_bed(&bed);
    bed.hall.node[HALL_LEFT].level_burst_mva = 680 * KVA;
    bed.hall.node[HALL_LEFT].burst_credit_va_ns_max = 1000000000;
    start(&bed);
    read_load(&bed, 670 * KVA);                     /* in the same instant */
    assert_int_equal(bed.node[HALL_LEFT].credit_va_ns, 1000000000);
    bed.t_ns += 1000;                               /* 30 kVA less 4 for 1 us */
    read_load(&bed, 670 * KVA);
    assert_int_equal(bed.node[HALL_LEFT].credit_va_ns, 1000000000 - 26000 * 1000);
    bed.t_ns += 1000;                               /* the larger of before and now */
    read_load(&bed, 600 * KVA);
    assert_int_equal(bed.node[HALL_LEFT].credit_va_ns, 1000000000 - 2 * 26000 * 1000);
    bed.t_ns -= 500;                                /* backwards counts as no time */
    read_load(&bed, 670 * KVA);
    assert_int_equal(bed.node[HALL_LEFT].credit_va_ns, 1000000000 - 2 * 26000 * 1000);
    bed.t_ns += NS_PER_S;
    read_load(&bed, 670 * KVA);
    assert_int_equal(bed.node[HALL_LEFT].credit_va_ns, 0);
    assert_true(bed.node[HALL_LEFT].spent);
}

/* 6.4 kVA above the target: of the load of the fullest phase only as much is others' as no host reports, and
 * as others may draw. */
static void the_fullest_phase_is_corrected_by_what_is_its_own(void **state)
{
    (void)state;
    struct bed bed;
    struct pool *pool = open_loop(&bed, 1000 * KVA);
    bed.hall.node[HALL_LEFT].other_mva[1] = 50 * KVA;   /* of 40 that no host reports all are others' */
    lasting(pool, 640 * KVA);
    read_phases(&bed, 100 * KVA, 640 * KVA, 100 * KVA);
    /* 6.4 x 1800 / 600 x 0.035049 */
    assert_int_equal(pool->capacity_mva, 1000 * KVA - 19200 * KVA / 1000 * 35049 / 1000000);
    pool = open_loop(&bed, 1000 * KVA);
    bed.hall.node[HALL_LEFT].other_mva[0] = 50 * KVA;   /* of equal phases the first is looked at */
    lasting(pool, 640 * KVA);
    read_load(&bed, 640 * KVA);
    assert_int_equal(pool->capacity_mva, 1000 * KVA - 19200 * KVA / 1000 * 35049 / 1000000);
}

static void a_trim_may_be_repeated_when_the_one_before_can_show(void **state)
{
    (void)state;
    struct bed bed;
    struct pool *pool = open_loop(&bed, 2500 * KVA);    /* more than hosts hold */
    int64_t held_mva = pool->held_mva;
    assert_int_equal(held_mva, 1800 * KVA);
    pool->seen_mva = 660 * KVA;
    pool->peak_mva[0] = pool->peak_mva[1] = 620 * KVA;
    lasting(pool, 660 * KVA);
    read_load(&bed, 660 * KVA);                         /* 26.4 too much, x 1800 / 660 */
    assert_int_equal(pool->capacity_mva, held_mva - 72 * KVA);
    assert_int_equal(bed.pools.trims, 1);
    assert_int_equal(pool->trimmed_ns, bed.t_ns);
    assert_int_equal(pool->peak_mva[0], 0);
    assert_int_equal(pool->peak_mva[1], 0);
    assert_int_equal(pool->period_start_ns, bed.t_ns);
    assert_int_equal(pool->period_readings, 0);
}

static void before_that_only_a_further_rise_is_trimmed(void **state)
{
    (void)state;
    struct bed bed;
    struct pool *pool = open_loop(&bed, 1800 * KVA);
    pool->trimmed_ns++;
    pool->seen_mva = 660 * KVA;
    pool->peak_mva[0] = 620 * KVA;
    lasting(pool, 660 * KVA);
    read_load(&bed, 660 * KVA);                         /* as it was */
    assert_int_equal(pool->capacity_mva, 1800 * KVA);
    assert_int_equal(pool->peak_mva[0], 620 * KVA);
    lasting(pool, 666 * KVA);
    read_load(&bed, 666 * KVA);                         /* 6 more, x 1800 / 666 */
    assert_int_equal(pool->capacity_mva, 1800 * KVA - 6 * KVA * 1800 / 666);
    assert_int_equal(pool->seen_mva, 666 * KVA);
    assert_int_equal(bed.pools.trims, 0);
    assert_int_equal(pool->peak_mva[0], 0);
}

static void a_trim_leaves_no_less_than_nothing(void **state)
{
    (void)state;
    struct bed bed;
    struct pool *pool = open_loop(&bed, 100000);
    lasting(pool, 660 * KVA);
    read_load(&bed, 660 * KVA);
    assert_int_equal(pool->capacity_mva, 0);
}

static void stretches_of_peaks_follow_one_another(void **state)
{
    static const struct {
        int64_t since_ns, last_mva, present_mva;
    } row[] = {
        {NS_PER_S - 1, 7 * KVA, 620 * KVA},
        {NS_PER_S, 620 * KVA, 600 * KVA},
        {2 * NS_PER_S - 1, 620 * KVA, 600 * KVA},
        {2 * NS_PER_S, 0, 600 * KVA},
    };
    (void)state;
    for (uint32_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct bed bed;
        struct pool *pool = open_loop(&bed, 1000 * KVA);
        pool->peak_mva[0] = 620 * KVA;
        pool->peak_mva[1] = 7 * KVA;
        pool->peak_since_ns = bed.t_ns - row[i].since_ns;
        read_load(&bed, 600 * KVA);
        assert_int_equal(pool->peak_mva[1], row[i].last_mva);
        assert_int_equal(pool->peak_mva[0], row[i].present_mva);
    }
    struct bed bed;
    struct pool *pool = open_loop(&bed, 1000 * KVA);
    pool->peak_mva[0] = 620 * KVA;
    pool->peak_since_ns = bed.t_ns - NS_PER_S;
    lasting(pool, 0);
    read_load(&bed, 0);
    assert_int_equal(pool->peak_mva[0], 0);
}

/* While a trim cannot be seen yet there is no control period, either. */
static void a_period_begins_where_the_dead_time_ends(void **state)
{
    (void)state;
    struct bed bed;
    struct pool *pool = open_loop(&bed, 1000 * KVA);
    pool->trimmed_ns++;
    pool->period_sum_mva = pool->period_readings = 5;
    read_load(&bed, 600 * KVA);
    assert_int_equal(pool->period_start_ns, bed.t_ns);
    assert_int_equal(pool->period_sum_mva, 0);
    assert_int_equal(pool->period_readings, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loop_is_set_to_the_nanosecond),
        cmocka_unit_test(a_level_of_next_to_nothing_is_one),
        cmocka_unit_test(a_node_without_a_level_is_measured_and_no_more),
        cmocka_unit_test(what_is_no_phase_of_a_node_and_what_has_no_volts_is_no_load),
        cmocka_unit_test(a_view_forecasts_the_fullest_phase),
        cmocka_unit_test(credit_changes_with_time_alone),
        cmocka_unit_test(the_fullest_phase_is_corrected_by_what_is_its_own),
        cmocka_unit_test(a_trim_may_be_repeated_when_the_one_before_can_show),
        cmocka_unit_test(before_that_only_a_further_rise_is_trimmed),
        cmocka_unit_test(a_trim_leaves_no_less_than_nothing),
        cmocka_unit_test(stretches_of_peaks_follow_one_another),
        cmocka_unit_test(a_period_begins_where_the_dead_time_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
