/* SPDX-License-Identifier: Apache-2.0 */
/* The desk that works out spectra beside the loop: what lanes and the ring bring comes back as slots. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "loop/spectra.h"

enum { METERS = 3, NODES = 4, RING_PLACES = 1024, BLOCK = 64, RATE_HZ = 8000 };
#define TWO_PI 6.28318530717958647693
#define NOW_NS (100 * NS_PER_S)
#define METER_NS INT64_C(1700000000000000000)

/* A root without a meter, two metered nodes on it, and one metered node below the first of these. */
struct stand {
    struct model model;
    struct model_node node[NODES];
    struct model_meter meter[METERS];
    struct spectra_source source[METERS];
    struct ring ring;
    void *places;
    struct spectra_desk desk;
    struct measure_meter measure;
    struct measure_out out;
    struct samples block;
    uint64_t next;
    int64_t now_ns;
    double fifth;                   /* of the current */
};

static struct stand *make(void)
{
    struct stand *s = aligned_alloc(64, (sizeof *s + 63) & ~(size_t)63);
    struct measure_config config = {.period_ps = 1000000000000 / RATE_HZ, .phases = 3, .channels = 6,
                                    .nominal_hz = 60, .voltage_v = 277, .swell = 1.1};

    assert_non_null(s);
    memset(s, 0, sizeof *s);
    s->model = (struct model){.node = s->node, .meter = s->meter, .node_count = NODES, .meter_count = METERS};
    for (uint32_t n = 0; n < NODES; n++) {
        s->node[n].meter = n ? n - 1 : INDEX_NONE;
        s->node[n].parent_count = n > 0;
        s->node[n].parent[0] = n == 3 ? 1 : 0;
        if (n)
            s->meter[n - 1].node = n;
    }
    s->source[1] = (struct spectra_source){.nominal_hz = 60, .channels = 6,
        .config = {.phases = 3, .gain_v = {1, 1, 1}, .gain_a = {2, 2, 2}, .voltage_v = 277,
                   .current_a = 600}};
    for (uint32_t c = 0; c < 6; c++)
        config.gain[c] = 1;
    assert_int_equal(measure_meter_init(&s->measure, &config), 0);
    s->places = aligned_alloc(64, ring_bytes(RING_PLACES));
    assert_int_equal(ring_init(&s->ring, s->places, RING_PLACES), 0);
    assert_int_equal(spectra_desk_open(&s->desk, &s->model, NULL, s->source), 0);
    s->desk.ring = &s->ring;
    s->block = (struct samples){.channels = 6, .count = BLOCK, .period_ps = 1000000000000 / RATE_HZ};
    s->now_ns = NOW_NS;
    s->fifth = 0.06;
    return s;
}

static void drop(struct stand *s)
{
    spectra_desk_close(&s->desk);
    free(s->places);
    free(s);
}

/* 64 samples of the second meter, as its lane would: through the chain, then into its wave. */
static void hear_block(struct stand *s)
{
    for (uint32_t k = 0; k < BLOCK; k++)
        for (uint32_t p = 0; p < 3; p++) {
            double turn = TWO_PI * (60.0 * (double)(s->next + k) / RATE_HZ - p / 3.0);

            s->block.value[p][k] = (float)(sqrt(2) * 277 * (sin(turn) + 0.02 * sin(7 * turn)));
            s->block.value[3 + p][k] = (float)(sqrt(2) * 300 * (sin(turn) + s->fifth * sin(5 * turn)));
        }
    s->block.t0_ns = METER_NS + (int64_t)(s->next * (NS_PER_S / RATE_HZ));
    assert_int_equal(measure_meter_samples(&s->measure, &s->block, &s->out), 0);
    spectra_desk_hear(&s->desk.wave[1], &s->block, &s->measure);
    s->next += BLOCK;
    s->now_ns += BLOCK * (NS_PER_S / RATE_HZ);
}

/* Slots of a kind that wait for decide; the newest of them is left in `slot`. */
static uint32_t taken(struct stand *s, int kind, struct slot *slot)
{
    const struct slot *next;
    uint32_t count = 0;

    while ((next = spsc_peek(&s->desk.out)) != NULL) {
        if (next->kind == kind) {
            *slot = *next;
            count++;
        }
        spsc_release(&s->desk.out);
    }
    return count;
}

static bool near(double value, double wanted, double within)
{
    if (fabs(value - wanted) <= within)
        return true;
    print_error("%.10g where %.10g is wanted\n", value, wanted);
    return false;
}

static void spectra_of_raw_samples_come_back_as_slots(void **state)
{
    (void)state;
    struct stand *s = make();
    struct slot slot = {0};
    struct spectra_shown shown;

    for (uint32_t block = 0; block < 250; block++) {            /* 2 s */
        hear_block(s);
        spectra_desk_look(&s->desk, s->now_ns);
    }
    uint32_t count = taken(s, SLOT_SPECTRUM, &slot);

    assert_true(count >= 8 && count <= 12);
    assert_int_equal(slot.t_receive_ns <= s->now_ns, 1);
    assert_int_equal(slot.spectrum.meter, 1);
    assert_int_equal(slot.spectrum.phases, 3);
    assert_int_equal(slot.spectrum.flags, SPECTRUM_WINDOW);
    assert_in_range(slot.spectrum.harmonic_pct100[2], 598, 602);    /* 5, 6 % */
    assert_in_range(slot.spectrum.harmonic_pct100[3], 0, 2);        /* 7 is in the volts alone */
    for (uint32_t p = 0; p < 3; p++)
        assert_in_range(slot.spectrum.fundamental_ma[p], 599500, 600500);
    for (uint32_t p = 0; p < 3; p++) {
        assert_true(near(slot.spectrum.thd_v_ppm[p], 20000, 20));
        assert_true(near(slot.spectrum.thd_a_ppm[p], 60000, 20));
        assert_true(near(slot.spectrum.subgroup_a_ppm[p], 60000, 20));
        assert_int_equal(slot.spectrum.worst_v[p], 7);
        assert_int_equal(slot.spectrum.worst_a[p], 5);
        assert_true(near(slot.spectrum.k_milli[p], 1000 * (1 + 25 * 0.0036) / 1.0036, 1));
    }
    assert_true(near(slot.spectrum.frequency_mhz, 60000, 1));
    spectra_desk_show(&s->desk, 1, &shown);
    assert_memory_equal(&shown.spectrum, &slot.spectrum, sizeof shown.spectrum);
    spectra_desk_show(&s->desk, 0, &shown);
    assert_int_equal(shown.spectrum_t_ns, 0);
    assert_int_equal(count_read(&s->desk.counters.overtaken), 0);
    drop(s);
}

/* A tenth more in a cycle or two is told before the window ends. */
static void distortion_that_grows_is_told_at_once(void **state)
{
    (void)state;
    struct stand *s = make();
    struct slot slot = {0};
    uint32_t told = 0;

    for (uint32_t block = 0; block < 150; block++) {
        hear_block(s);
        spectra_desk_look(&s->desk, s->now_ns);
    }
    taken(s, SLOT_SPECTRUM, &slot);
    s->fifth = 0.3;
    for (uint32_t block = 0; block < 26; block++) {             /* 208 ms */
        hear_block(s);
        spectra_desk_look(&s->desk, s->now_ns);
        told += taken(s, SLOT_SPECTRUM, &slot);
    }
    assert_true(told >= 10);
    assert_true(slot.spectrum.thd_a_ppm[0] > 250000);
    drop(s);
}

static void a_full_queue_loses_results_and_counts_them(void **state)
{
    (void)state;
    struct stand *s = make();

    for (uint32_t block = 0; block < 100; block++) {
        hear_block(s);
        spectra_desk_look(&s->desk, s->now_ns);
    }
    while (spsc_claim(&s->desk.out))
        spsc_publish(&s->desk.out);
    for (uint32_t block = 0; block < 60; block++) {
        hear_block(s);
        spectra_desk_look(&s->desk, s->now_ns);
    }
    assert_true(count_read(&s->desk.counters.lost) >= 2);
    drop(s);
}

/* A second of readings every 16 ms of all meters, through the ring, as decide would commit them. */
static void commit_readings(struct stand *s, uint32_t second)
{
    for (uint32_t k = 0; k < 62 + (second % 2); k++)
        for (uint32_t m = 0; m < METERS; m++) {
            int64_t t_ns = ((int64_t)second * 125 / 2 + k) * 16 * NS_PER_MS;
            double t_s = (double)t_ns * 1e-9, power_w = 500e3;
            struct slot *slot = ring_claim(&s->ring);

            power_w += m == 0 ? 10e3 * sin(TWO_PI * 2 * t_s) : m == 1 ? 20e3 * sin(TWO_PI * 2 * t_s) : 0;
            *slot = (struct slot){.sequence = slot->sequence, .kind = SLOT_READING,
                .reading = {.meter = m, .t_meter_ns = METER_NS + t_ns,
                            .power_mw = {(int64_t)(power_w * 1000)}}};
            ring_commit(&s->ring);
        }
}

static void swings_of_nodes_and_of_the_site_come_back_as_slots(void **state)
{
    (void)state;
    struct stand *s = make();
    struct slot slot = {0};
    struct spectra_shown shown;
    uint32_t told = 0;

    assert_int_equal(s->desk.roots, 2);         /* meters 0 and 1: the root has none, meter 2 is below 0 */
    for (uint32_t second = 0; second < 64; second++) {
        commit_readings(s, second);
        for (uint32_t part = 0; part < 10; part++) {
            s->now_ns += NS_PER_S / 10;
            spectra_desk_look(&s->desk, s->now_ns);
        }
        told += taken(s, SLOT_SWING, &slot);
    }
    assert_true(told >= 4 * 2);
    assert_int_equal(count_read(&s->desk.counters.overrun), 0);
    for (uint32_t m = 0; m <= METERS; m++) {
        static const double peak_w[] = {10e3, 20e3, 0, 30e3};

        spectra_desk_show(&s->desk, m, &shown);
        assert_true(shown.swing_t_ns > 0);
        assert_true(near((double)shown.swing.peak_mw / 1000, peak_w[m] / sqrt(2), 0.01 * peak_w[m] + 1));
        assert_true(near((double)shown.swing.mean_mw / 1000, m == METERS ? 1e6 : 500e3, 100));
        assert_int_equal(shown.swing.node, m == METERS ? INDEX_NONE : m + 1);
        if (peak_w[m] > 0)
            assert_true(near(shown.swing.peak_mhz, 2000, 2));
    }
    drop(s);
}

static void a_ring_that_ran_away_is_counted(void **state)
{
    (void)state;
    struct stand *s = make();

    for (uint32_t second = 0; second < 10; second++)
        commit_readings(s, second);
    spectra_desk_look(&s->desk, s->now_ns);
    assert_true(count_read(&s->desk.counters.overrun) > RING_PLACES);
    assert_int_equal(s->desk.sequence, ring_newest(&s->ring));
    drop(s);
}

/* 600 A with 36 A of the 5th, by a demand of 1000 A: 3.6 % of TDD. At a ratio of 15 a 5th may have 4 %, all
 * together 5 %; at 30 it is 7 % and 8 %. */
static void harmonics_are_held_against_ieee_519(void **state)
{
    (void)state;
    struct stand *s = make();
    struct spectra_demand *demand = &s->desk.road[0].demand;
    struct slot slot = {0};
    struct spectra_shown shown;

    demand->current_a = 1000;
    demand->fault_a = 15000;
    for (uint32_t block = 0; block < 350; block++) {            /* 2.8 s: not three yet */
        hear_block(s);
        spectra_desk_look(&s->desk, s->now_ns);
    }
    assert_true(taken(s, SLOT_SPECTRUM, &slot) > 0);
    assert_int_equal(slot.spectrum.flags, SPECTRUM_WINDOW | SPECTRUM_DEMAND);
    for (uint32_t p = 0; p < 3; p++)
        assert_true(near(slot.spectrum.tdd_ppm[p], 36000, 40));
    spectra_desk_show(&s->desk, 1, &shown);
    assert_int_equal(shown.judged.t_ns, 0);
    for (uint32_t block = 0; block < 100; block++) {
        hear_block(s);
        spectra_desk_look(&s->desk, s->now_ns);
    }
    spectra_desk_show(&s->desk, 1, &shown);
    assert_true(shown.judged.t_ns > 0 && shown.judged.known && !shown.judged.beyond);
    assert_int_equal(shown.judged.order, 5);
    assert_true(near(shown.judged.tdd_ppm, 36000, 40) && near(shown.judged.order_ppm, 36000, 40));
    assert_int_equal(shown.judged.tdd_limit_ppm, 50000);
    assert_int_equal(shown.judged.order_limit_ppm, 40000);
    s->fifth = 0.08;            /* 4.8 %: more than one order may have, less than all together */
    for (uint32_t block = 0; block < 850; block++) {
        hear_block(s);
        spectra_desk_look(&s->desk, s->now_ns);
    }
    spectra_desk_show(&s->desk, 1, &shown);
    assert_true(shown.judged.beyond && near(shown.judged.tdd_ppm, 48000, 60));
    demand->fault_a = 0;
    for (uint32_t block = 0; block < 450; block++) {
        hear_block(s);
        spectra_desk_look(&s->desk, s->now_ns);
    }
    spectra_desk_show(&s->desk, 1, &shown);
    assert_true(!shown.judged.known && !shown.judged.beyond && near(shown.judged.tdd_ppm, 48000, 60));
    drop(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spectra_of_raw_samples_come_back_as_slots),
        cmocka_unit_test(distortion_that_grows_is_told_at_once),
        cmocka_unit_test(a_full_queue_loses_results_and_counts_them),
        cmocka_unit_test(swings_of_nodes_and_of_the_site_come_back_as_slots),
        cmocka_unit_test(a_ring_that_ran_away_is_counted),
        cmocka_unit_test(harmonics_are_held_against_ieee_519),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
