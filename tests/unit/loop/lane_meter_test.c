/* SPDX-License-Identifier: Apache-2.0 */
/* Meters that send samples: packets go in by the lane, and once a cycle a reading comes out as a slot. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../wire/c37_frames.h"
#include "../wire/hex.h"
#include "frames.h"
#include "loop/lane_meter.h"
#include "rig.h"
#include "wire/crc.h"

#define START_NS (INT64_C(1751538645) * NS_PER_S)
#define TURN 6.283185307179586
enum { FRAME_ROOM = 2048, RATE_HZ = 8000, PERIOD_PS = 125000000, BLOCK = 32, NUMBER = 7, METER = 1,
       SV_METER = 2, SV_RATE_HZ = 4800, SV_PERIOD_PS = 208333333, MS = 1000000 };

static const double volts = 277.0, amperes = 600.0, lag = 0.3;

struct bed {
    struct rig_site site;
    struct site whole;
    struct site_meter said[RIG_METERS];
    struct timebase base;
    struct view view;
    struct seqlock meter[RIG_METERS], stale[RIG_METERS];
    struct sender meter_sender[RIG_METERS];
    struct replay_window meter_window[RIG_METERS];
    struct age age[RIG_METERS];
    struct lane lane;
    struct lane_meters meters;
    struct lane_work work;
    void *memory;
    struct frames_from from;
    uint8_t room[FRAME_ROOM];
    uint32_t sequence;
    int64_t sample;             /* number of the next one */
    double amplitude;           /* of the currents */
    bool pure;                  /* nothing beside the mains */
    uint8_t invalid;            /* channels that sampled values say are */
    int64_t late_ns;            /* of packets */
    struct quality quality;     /* the newest that was taken, */
    uint32_t qualities;         /* of so many */
};

static struct measure_config config_of(void)
{
    struct measure_config config = {.phases = 3, .nominal_hz = 60, .voltage_v = volts, .current_a = 800,
        .sag = 0.9, .swell = 1.1, .interruption = 0.05, .hysteresis = 0.02};

    for (uint32_t c = 0; c < MEASURE_CHANNELS; c++)
        config.gain[c] = 1;
    return config;
}

static void start_meters(struct bed *bed)
{
    bed->whole.model = bed->site.model;
    bed->whole.meter = bed->said;
    bed->memory = calloc(1, lane_meters_bytes(&bed->whole));
    assert_non_null(bed->memory);
    lane_meters_init(&bed->meters, bed->memory, &bed->whole);
    bed->lane.meters = &bed->meters;
    bed->lane.work = &bed->work;
}

static int make_bed(void **state)
{
    struct bed *bed = calloc(1, sizeof *bed);

    assert_non_null(bed);
    rig_site_init(&bed->site);
    rig_clock_init(&bed->base, START_NS);
    bed->site.meter[METER].period_ns = bed->site.meter[SV_METER].period_ns = NS_PER_S / 60 + 1;
    bed->view.meter = bed->meter;
    bed->view.stale = bed->stale;
    bed->amplitude = 1;
    bed->said[METER] = (struct site_meter){.protocol = PROTOCOL_RAW, .number = NUMBER};
    bed->said[SV_METER] = (struct site_meter){.protocol = PROTOCOL_SV, .number = 0x4001,
                                              .svid = "flyballMU01", .rate_hz = SV_RATE_HZ};
    bed->said[METER].measure = bed->said[SV_METER].measure = config_of();
    bed->from = (struct frames_from){
        .from = {.mac = {2, 0, 0, 0, 0, 9}, .ipv4 = 0xCB007102, .port = 9000},
        .to = {.mac = {2, 0, 0, 0, 0, 1}, .ipv4 = 0xCB007101, .port = 7001}};
    bed->lane = (struct lane){.model = &bed->site.model, .base = &bed->base, .local = bed->from.to,
        .view = &bed->view, .kinds = 1U << FRAME_MEASUREMENT, .out = rig_queue(SLOT_BYTES, RIG_PLACES),
        .age = bed->age, .meter_sender = bed->meter_sender};
    start_meters(bed);
    *state = bed;
    return 0;
}

static int drop_bed(void **state)
{
    struct bed *bed = *state;

    rig_queue_drop(bed->lane.out);
    free(bed->memory);
    free(bed);
    return 0;
}

/* 60 Hz of mains at a moment, three phases in order, with something that no two cycles have in common. */
static float value_at(const struct bed *bed, uint32_t channel, double t_s)
{
    double angle = TURN * (60 * t_s - (double)(channel % 3) / 3);
    double beside = bed->pure ? 1 : 1 + 4e-4 * sin(TURN * 171.39 * t_s);

    if (channel < 3)
        return (float)(volts * sqrt(2) * beside * cos(angle));
    return (float)(bed->amplitude * amperes * sqrt(2) * beside * cos(angle - lag));
}

static void fill(struct bed *bed, struct samples *samples, uint32_t period_ps, uint16_t count)
{
    *samples = (struct samples){.meter = NUMBER, .flags = SAMPLES_LOCKED, .period_ps = period_ps,
        .count = count, .channels = 6, .sequence = bed->sequence,
        .t0_ns = START_NS + bed->sample * period_ps / 1000};
    for (uint32_t c = 0; c < 6; c++)
        for (uint32_t i = 0; i < count; i++)
            samples->value[c][i] = value_at(bed, c, (double)(bed->sample + i) * period_ps * 1e-12);
}

/* The packet arrives as its last sample was taken, and 0.2 ms later. */
static int arrive(struct bed *bed, const struct port_frame *frame, int64_t t_ns)
{
    t_ns += MS / 5 + bed->late_ns;
    rig_clock_set(&bed->base, t_ns);
    return lane_frame(&bed->lane, frame, t_ns);
}

static struct port_frame datagram(struct bed *bed, uint32_t payload_bytes)
{
    struct port_frame frame;

    udp_build(&frame, bed->room, &bed->from.from, &bed->from.to, payload_bytes, 0);
    return frame;
}

static int send_block(struct bed *bed, const struct samples *samples)
{
    uint32_t bytes = raw_encode(samples, 0.02f, 0.125f, bed->room + UDP_HEADROOM, FRAME_ROOM - UDP_HEADROOM);

    assert_true(bytes > 0);
    struct port_frame frame = datagram(bed, bytes);

    return arrive(bed, &frame, samples->t0_ns + (int64_t)samples->count * samples->period_ps / 1000);
}

static void next_block(struct bed *bed, struct samples *samples)
{
    fill(bed, samples, PERIOD_PS, BLOCK);
    bed->sequence++;
    bed->sample += BLOCK;
}

static int send_raw(struct bed *bed)
{
    struct samples samples;

    next_block(bed, &samples);
    return send_block(bed, &samples);
}

static void send_raw_for(struct bed *bed, uint32_t packets)
{
    for (uint32_t i = 0; i < packets; i++)
        assert_int_equal(send_raw(bed), ACCEPTED);
}

static uint32_t take_readings(struct bed *bed, struct reading *last, uint32_t *unsure)
{
    uint32_t count = 0;

    *unsure = 0;
    for (const struct slot *slot; (slot = spsc_peek(bed->lane.out)) != NULL; spsc_release(bed->lane.out)) {
        if (slot->kind == SLOT_QUALITY) {
            bed->quality = slot->quality;
            bed->qualities++;
            continue;
        }
        assert_int_equal(slot->kind, SLOT_READING);
        *last = slot->reading;
        *unsure += (slot->reading.flags & READING_UNSURE) != 0;
        count++;
    }
    bed->lane.depth = 0;
    return count;
}

static void expect_reading(const struct reading *reading, uint32_t meter, double scale)
{
    assert_int_equal(reading->meter, meter);
    for (uint32_t p = 0; p < PHASES; p++) {
        assert_in_range(reading->voltage_mv[p], 276700, 277300);
        assert_in_range(reading->current_ma[p], (int64_t)(599000 * scale), (int64_t)(601000 * scale));
        int64_t power_mw = (int64_t)(volts * amperes * cos(lag) * scale * 1000);
        assert_in_range(reading->power_mw[p], power_mw - power_mw / 300, power_mw + power_mw / 300);
    }
    assert_in_range(reading->frequency_mhz, 59990, 60010);
    assert_in_range(reading->crest_milli, 1400, 1430);
}

static void a_second_of_raw_samples_is_sixty_readings(void **state)
{
    struct bed *bed = *state;
    struct reading last;
    uint32_t unsure;

    send_raw_for(bed, 250);
    take_readings(bed, &last, &unsure);
    send_raw_for(bed, 250);
    uint32_t count = take_readings(bed, &last, &unsure);
    assert_in_range(count, 59, 61);
    assert_int_equal(unsure, 0);
    expect_reading(&last, METER, 1);
    /* of the newest cycle, and as old as it is */
    int64_t now_ns = START_NS + bed->sample * PERIOD_PS / 1000;
    assert_in_range(now_ns - last.t_meter_ns, 0, 30 * MS);
    assert_true(last.age_ns >= 0 && last.age_ns < 30 * MS);
    assert_int_equal(count_read(&bed->lane.counters.blocks), 500);
    struct view_meter shown;
    assert_true(view_read_meter(&bed->view, METER, &shown));
    assert_int_equal(shown.current_ma[0], last.current_ma[0]);
}

static void expect_quality(const struct quality *quality)
{
    double va = volts * amperes;

    assert_int_equal(quality->meter, METER);
    assert_int_equal(quality->phases, 3);
    assert_int_equal(quality->cycles, 12);
    for (uint32_t p = 0; p < PHASES; p++) {
        assert_in_range(quality->apparent_mva[p], (int64_t)(va * 997), (int64_t)(va * 1003));
        assert_in_range(quality->reactive_mvar[p], (int64_t)(va * sin(lag) * 997),
                        (int64_t)(va * sin(lag) * 1003));
        assert_in_range(quality->displacement_ppm[p], 955336 - 300, 955336 + 300);
        assert_in_range(quality->power_factor_ppm[p], 955336 - 600, 955336 + 600);
    }
    assert_in_range(quality->displacement_all_ppm, 955336 - 300, 955336 + 300);
    assert_in_range(quality->effective_mva, (int64_t)(va * 2991), (int64_t)(va * 3009));
    assert_in_range(quality->neutral_ma, 0, 2000);
    assert_in_range(quality->unbalance_v_ppm, 0, 1000);
    assert_in_range(quality->frequency_mhz, 59995, 60005);
}

/* What needs 10 or 12 cycles comes behind their readings, five times a second. */
static void twelve_cycles_tell_what_a_reading_does_not(void **state)
{
    struct bed *bed = *state;
    struct reading last;
    uint32_t unsure;

    send_raw_for(bed, 250);
    take_readings(bed, &last, &unsure);
    bed->qualities = 0;
    send_raw_for(bed, 250);
    take_readings(bed, &last, &unsure);
    assert_in_range(bed->qualities, 4, 6);
    expect_quality(&bed->quality);
    int64_t now_ns = START_NS + bed->sample * PERIOD_PS / 1000;
    assert_in_range(now_ns - bed->quality.t_meter_ns, 0, 250 * MS);
    /* a steady load: of a second, which has passed */
    assert_true(last.known & READING_FEATURES);
    assert_in_range(last.load_factor_ppm, 995000, 1000000);
    assert_in_range(last.trend_w_per_s + 2000, 0, 4000);
}

static void spoilt_cycles_tell_nothing(void **state)
{
    struct bed *bed = *state;
    struct reading last;
    uint32_t unsure;

    send_raw_for(bed, 500);
    take_readings(bed, &last, &unsure);
    bed->qualities = 0;
    bed->amplitude = 6;         /* clipped, as below */
    send_raw_for(bed, 200);
    take_readings(bed, &last, &unsure);
    assert_in_range(bed->qualities, 0, 1);      /* the window that was all but full */
    bed->amplitude = 1;
    send_raw_for(bed, 200);
    take_readings(bed, &last, &unsure);
    assert_in_range(bed->qualities, 2, 5);
    expect_quality(&bed->quality);
}

/* The cycles that are read stand one behind the other: what they carried is all that flowed. */
static void no_cycle_is_left_out_and_none_counts_twice(void **state)
{
    struct bed *bed = *state;
    struct reading reading = {0};
    int64_t before_ns = 0;
    uint32_t unsure;

    send_raw_for(bed, 250);     /* until the frequency is found */
    take_readings(bed, &reading, &unsure);
    send_raw_for(bed, 250);
    for (const struct slot *slot; (slot = spsc_peek(bed->lane.out)) != NULL; spsc_release(bed->lane.out)) {
        if (slot->kind != SLOT_READING)
            continue;
        reading = slot->reading;
        if (before_ns)
            assert_in_range(reading.t_meter_ns - before_ns, 16.6 * MS, 16.74 * MS);
        before_ns = reading.t_meter_ns;
    }
    assert_true(before_ns > 0);
}

static void gain_offset_and_phase_are_corrected(void **state)
{
    struct bed *bed = *state;
    struct reading last;
    uint32_t unsure;

    free(bed->memory);
    for (uint32_t c = SAMPLES_IA; c <= SAMPLES_IC; c++) {
        bed->said[METER].measure.gain[c] = 0.5;
        bed->said[METER].measure.late_ns[c] = -lag / TURN * 1e9 / 60 / 8;
    }
    start_meters(bed);
    send_raw_for(bed, 500);
    assert_true(take_readings(bed, &last, &unsure) > 50);
    double power_mw = volts * amperes * 0.5 * cos(lag * 9 / 8) * 1000;
    for (uint32_t p = 0; p < PHASES; p++) {
        assert_in_range(last.current_ma[p], 299500, 300500);
        assert_in_range(last.power_mw[p], (int64_t)(power_mw * 0.997), (int64_t)(power_mw * 1.003));
    }
}

static void a_lost_packet_spoils_its_cycles_and_no_others(void **state)
{
    struct bed *bed = *state;
    struct samples lost;
    struct reading last;
    uint32_t unsure, before;

    send_raw_for(bed, 500);
    take_readings(bed, &last, &unsure);
    next_block(bed, &lost);
    send_raw_for(bed, 250);
    before = take_readings(bed, &last, &unsure);
    /* 4 ms are missing: a cycle of each phase or two; behind them the grid may settle for a few */
    assert_in_range(before, 50, 60);
    expect_reading(&last, METER, 1);
    assert_true(!(last.flags & READING_UNSURE));
}

static void a_packet_that_comes_twice_or_late_changes_nothing(void **state)
{
    struct bed *bed = *state;
    struct samples now, next;
    struct reading last;
    uint32_t unsure;

    send_raw_for(bed, 250);
    next_block(bed, &now);
    assert_int_equal(send_block(bed, &now), ACCEPTED);
    assert_int_equal(send_block(bed, &now), REFUSED_DUPLICATE);
    next_block(bed, &now);
    next_block(bed, &next);
    assert_int_equal(send_block(bed, &next), ACCEPTED);     /* one place early: it waits */
    assert_int_equal(send_block(bed, &now), ACCEPTED);
    send_raw_for(bed, 250);
    assert_true(take_readings(bed, &last, &unsure) > 100);
    expect_reading(&last, METER, 1);
    send_raw_for(bed, 80);
    assert_int_equal(send_block(bed, &now), REFUSED_REORDERED);
}

static void clipped_samples_make_readings_unsure(void **state)
{
    struct bed *bed = *state;
    struct reading last;
    uint32_t unsure;

    send_raw_for(bed, 500);
    take_readings(bed, &last, &unsure);
    bed->amplitude = 6;         /* 5091 A of peak, and 16 bits end at 4096 */
    send_raw_for(bed, 50);
    bed->amplitude = 1;
    uint32_t count = take_readings(bed, &last, &unsure);
    assert_in_range(count, 11, 13);
    assert_true(unsure >= 11);
    assert_true(last.current_ma[0] > 3000000);
    assert_int_equal(count_read(&bed->lane.counters.unsure) >= unsure, 1);
}

/* A meter whose samples go round in a loop reads what was, however fresh it looks. */
static void samples_that_repeat_themselves_are_doubted(void **state)
{
    struct bed *bed = *state;
    struct reading last;
    uint32_t unsure;

    send_raw_for(bed, 500);
    assert_int_equal(count_read(&bed->lane.counters.repeated), 0);
    bed->pure = true;           /* 400 samples of 8 kHz are three cycles */
    send_raw_for(bed, 100);
    take_readings(bed, &last, &unsure);
    send_raw_for(bed, 100);
    uint32_t count = take_readings(bed, &last, &unsure);
    assert_in_range(count, 23, 25);
    assert_int_equal(unsure, count);
    bed->amplitude = 0;         /* without current nothing is asked of its noise */
    send_raw_for(bed, 100);
    take_readings(bed, &last, &unsure);
    send_raw_for(bed, 100);
    assert_in_range(take_readings(bed, &last, &unsure), 23, 25);
    assert_int_equal(unsure, 0);
}

/* The first packet that has the peak in it is the one that tells. */
static void a_peak_is_told_with_the_packet_that_brings_it(void **state)
{
    struct bed *bed = *state;
    struct reading last = {0};
    uint32_t unsure, packets = 0;

    free(bed->memory);
    bed->said[METER].measure.peak_a = 2000;
    start_meters(bed);
    send_raw_for(bed, 500);
    take_readings(bed, &last, &unsure);
    assert_int_equal(count_read(&bed->lane.counters.crossings), 0);
    bed->amplitude = 3;
    for (last.flags = 0; !(last.flags & READING_PEAK) && packets < 4; packets++) {
        assert_int_equal(send_raw(bed), ACCEPTED);
        take_readings(bed, &last, &unsure);
    }
    assert_in_range(packets, 1, 2);     /* 4 ms each; of three phases some has a peak each 2.8 ms */
    assert_true(last.flags & READING_UNSURE);
    int64_t most_ma = 0;
    for (uint32_t p = 0; p < PHASES; p++)
        most_ma = last.current_ma[p] > most_ma ? last.current_ma[p] : most_ma;
    assert_in_range(most_ma * last.crest_milli / 1000, 2000000, 2560000);
    send_raw_for(bed, 25);
    assert_int_equal(count_read(&bed->lane.counters.crossings), 1);
}

static void a_meter_of_another_number_rate_or_address_is_refused(void **state)
{
    struct bed *bed = *state;
    struct samples samples;
    struct reading last;
    uint32_t unsure;

    next_block(bed, &samples);
    samples.meter = NUMBER + 1;
    assert_int_equal(send_block(bed, &samples), REFUSED_UNKNOWN_METER);
    bed->said[METER].rate_hz = 4000;
    assert_int_equal(send_raw(bed), REFUSED_CONFIG_CHANGED);
    bed->said[METER].rate_hz = RATE_HZ;
    assert_int_equal(send_raw(bed), ACCEPTED);
    bed->said[METER].ipv4 = bed->from.from.ipv4 + 1;
    assert_int_equal(send_raw(bed), REFUSED_SOURCE);
    bed->said[METER].ipv4 = bed->from.from.ipv4;
    assert_int_equal(send_raw(bed), ACCEPTED);
    bed->lane.kinds = 1U << FRAME_REPORT;
    assert_int_equal(send_raw(bed), REFUSED_KIND);
    assert_int_equal(take_readings(bed, &last, &unsure), 0);
}

/* Whoever forges one packet of another rate costs a gap, not the whole time until a chain has settled. */
static void a_packet_of_a_foreign_rate_leaves_the_chain_as_it_is(void **state)
{
    struct bed *bed = *state;
    struct samples samples;
    struct reading last;
    uint32_t unsure;

    bed->said[METER].rate_hz = RATE_HZ;
    send_raw_for(bed, 500);
    take_readings(bed, &last, &unsure);
    next_block(bed, &samples);
    samples.period_ps = PERIOD_PS * 2;
    assert_int_equal(send_block(bed, &samples), REFUSED_CONFIG_CHANGED);
    send_raw_for(bed, 250);
    assert_in_range(take_readings(bed, &last, &unsure), 59, 60);
    assert_int_equal(unsure, 0);
    expect_reading(&last, METER, 1);
}

/* A peak that was seen before samples were lost was there: the next reading tells of it. */
static void a_peak_before_a_gap_is_not_forgotten(void **state)
{
    struct bed *bed = *state;
    struct samples block, lost;
    struct reading reading;
    uint32_t unsure;
    int32_t highest = 0;

    send_raw_for(bed, 500);
    take_readings(bed, &reading, &unsure);
    /* behind a reading, so that the cycle that the peak is in ends in what is lost */
    do
        assert_int_equal(send_raw(bed), ACCEPTED);
    while (!take_readings(bed, &reading, &unsure));
    next_block(bed, &block);
    block.value[SAMPLES_IA][BLOCK / 2] = 4000;
    assert_int_equal(send_block(bed, &block), ACCEPTED);
    assert_int_equal(take_readings(bed, &reading, &unsure), 0);
    for (uint32_t i = 0; i < 4; i++)
        next_block(bed, &lost);
    for (uint32_t i = 0; i < 25; i++) {
        assert_int_equal(send_raw(bed), ACCEPTED);
        if (take_readings(bed, &reading, &unsure) && reading.crest_milli > highest)
            highest = reading.crest_milli;
    }
    assert_true(highest > 6000);        /* 4000 A beside some 600 A */
}

/* Decisions count its window as a nominal cycle. */
static void a_cycle_longer_than_the_nominal_one_is_unsure(void **state)
{
    struct bed *bed = *state;
    struct reading last;
    uint32_t unsure, count;

    bed->site.meter[METER].period_ns = 16500000;
    send_raw_for(bed, 500);
    take_readings(bed, &last, &unsure);
    send_raw_for(bed, 250);
    count = take_readings(bed, &last, &unsure);
    assert_in_range(count, 59, 61);
    assert_int_equal(unsure, count);
    bed->site.meter[METER].period_ns = 16550000;
    send_raw_for(bed, 250);
    take_readings(bed, &last, &unsure);
    assert_int_equal(unsure, 0);
}

static void damaged_datagrams_are_refused_by_name(void **state)
{
    struct bed *bed = *state;
    struct samples samples;
    struct port_frame frame;
    uint32_t bytes, unsure;
    struct reading last;

    next_block(bed, &samples);
    uint8_t *payload = bed->room + UDP_HEADROOM;
    bytes = raw_encode(&samples, 0.02f, 0.125f, payload, FRAME_ROOM - UDP_HEADROOM);
    payload[50] ^= 1;
    frame = datagram(bed, bytes);
    assert_int_equal(arrive(bed, &frame, samples.t0_ns), REFUSED_CHECKSUM);
    frame = datagram(bed, bytes - 1);
    assert_int_equal(arrive(bed, &frame, samples.t0_ns), REFUSED_TRUNCATED);
    frame = datagram(bed, RAW_HEADER_BYTES - 1);
    assert_int_equal(arrive(bed, &frame, samples.t0_ns), REFUSED_TRUNCATED);
    payload[4] = 2;
    frame = datagram(bed, bytes);
    assert_int_equal(arrive(bed, &frame, samples.t0_ns), REFUSED_VERSION);
    payload[4] = 1;
    payload[6] = 5;
    frame = datagram(bed, bytes);
    assert_int_equal(arrive(bed, &frame, samples.t0_ns), REFUSED_SHAPE);
    payload[6] = 6;
    payload[7] = 128;
    frame = datagram(bed, bytes);
    assert_int_equal(arrive(bed, &frame, samples.t0_ns), REFUSED_MTU);
    assert_int_equal(take_readings(bed, &last, &unsure), 0);
}

static void a_meter_that_another_lane_has_in_hand_is_refused_as_held(void **state)
{
    struct bed *bed = *state;

    bed->meter_sender[METER].newest_ns = SENDER_TAKEN;
    assert_int_equal(send_raw(bed), REFUSED_HELD);
    bed->meter_sender[METER].newest_ns = 0;
    assert_int_equal(send_raw(bed), ACCEPTED);
}

/* A meter that sends samples sends no readings under its name, whoever says so. */
static void a_measurement_in_the_name_of_such_a_meter_is_refused(void **state)
{
    struct bed *bed = *state;
    struct meter_names names;
    uint32_t place[64];

    meter_names_init(&names, place, &bed->site.model);
    bed->lane.names = &names;
    bed->from.sequence = 1;
    struct port_frame frame =
        frames_measurement(bed->room, &bed->from, bed->site.model.meter[METER].name, START_NS);
    assert_int_equal(arrive(bed, &frame, START_NS), REFUSED_PROTOCOL);
}

/* ---- sampled values ---- */

enum { SV_ASDUS = 2 };

static struct sv_publisher publisher_of(void)
{
    return (struct sv_publisher){.to = {1, 0x0C, 0xCD, 4, 0, 1}, .from = {2, 0, 0, 0, 0, 5}, .tagged = true,
        .tag = 0x8000, .appid = 0x4001, .id = "flyballMU01", .conf_rev = 1, .rate_hz = SV_RATE_HZ,
        .synch = SV_SYNCH_GLOBAL};
}

/* smpCnt is 0 where a second begins, as START_NS does. */
static int send_sv_as(struct bed *bed, const struct sv_publisher *publisher)
{
    struct samples samples;
    uint32_t counter = (uint32_t)(bed->sample % SV_RATE_HZ);

    fill(bed, &samples, SV_PERIOD_PS, SV_ASDUS);
    samples.invalid = bed->invalid;
    bed->sample += SV_ASDUS;
    struct port_frame frame = {.data = bed->room,
        .length = sv_encode(publisher, &samples, counter, bed->room, sizeof bed->room)};

    assert_true(frame.length > 0);
    return arrive(bed, &frame, START_NS + bed->sample * NS_PER_S / SV_RATE_HZ);
}

static int send_sv(struct bed *bed)
{
    struct sv_publisher publisher = publisher_of();

    return send_sv_as(bed, &publisher);
}

static void send_sv_for(struct bed *bed, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++)
        assert_int_equal(send_sv(bed), ACCEPTED);
}

/* A second's frames, whatever becomes of them: how many readings are too old. */
static uint32_t send_sv_second(struct bed *bed, uint8_t synch)
{
    struct sv_publisher publisher = publisher_of();
    uint32_t stale = 0;

    publisher.synch = synch;
    for (uint32_t i = 0; i < SV_RATE_HZ / SV_ASDUS; i++)
        stale += send_sv_as(bed, &publisher) == REFUSED_STALE;
    return stale;
}

/* By a whole second and a little, in which the seconds of a global clock look alike. */
static void sampled_values_that_become_late_are_too_old(void **state)
{
    struct bed *bed = *state;
    static const struct { uint8_t synch; int64_t late_ns; } are[] = {
        {SV_SYNCH_GLOBAL, 1001 * NS_PER_MS}, {SV_SYNCH_LOCAL, 2001 * NS_PER_MS},
        {SV_SYNCH_NONE, 300 * NS_PER_MS}};
    struct reading last;
    uint32_t unsure;

    for (size_t i = 0; i < sizeof are / sizeof *are; i++) {
        memset(bed->age, 0, sizeof bed->age);
        memset(&bed->meters.road[SV_METER].stream->sv, 0, sizeof bed->meters.road[SV_METER].stream->sv);
        bed->meters.road[SV_METER].stream->sv.rate_hz = SV_RATE_HZ;
        bed->late_ns = 0;
        send_sv_second(bed, are[i].synch);
        take_readings(bed, &last, &unsure);
        assert_int_equal(send_sv_second(bed, are[i].synch), 0);
        assert_in_range(take_readings(bed, &last, &unsure), 59, 61);
        assert_int_equal(unsure, 0);
        bed->late_ns = are[i].late_ns;
        for (int s = 0; s < 3; s++)
            assert_in_range(send_sv_second(bed, are[i].synch), 59, 61);
        assert_int_equal(take_readings(bed, &last, &unsure), 0);
        bed->late_ns = 0;
    }
}

/* What of a second was lost, or of its way grew longer, is not known: readings that lend nothing. */
static void sampled_values_behind_a_silence_lend_nothing_for_a_minute(void **state)
{
    struct bed *bed = *state;
    struct reading last;
    uint32_t unsure, readings;

    send_sv_second(bed, SV_SYNCH_GLOBAL);
    send_sv_second(bed, SV_SYNCH_GLOBAL);
    take_readings(bed, &last, &unsure);
    bed->sample += 5 * SV_RATE_HZ / 4;
    for (int s = 0; s < 59; s++) {
        send_sv_second(bed, SV_SYNCH_GLOBAL);
        readings = take_readings(bed, &last, &unsure);
        assert_true(readings > 50 && unsure == readings);
    }
    assert_int_equal(count_read(&bed->lane.counters.clock_steps), 1);
    send_sv_second(bed, SV_SYNCH_GLOBAL);
    take_readings(bed, &last, &unsure);
    send_sv_second(bed, SV_SYNCH_GLOBAL);
    assert_in_range(take_readings(bed, &last, &unsure), 59, 61);
    assert_int_equal(unsure, 0);
}

/* A leap second, and a wall clock that somebody sets by an hour. */
static void a_wall_clock_that_is_set_costs_no_sampled_values(void **state)
{
    struct bed *bed = *state;
    static const int64_t ahead_ns[] = {0, -NS_PER_S, -NS_PER_S + 3600 * NS_PER_S, -NS_PER_S / 3};
    static const uint8_t synch[] = {SV_SYNCH_GLOBAL, SV_SYNCH_LOCAL};
    struct reading last;
    uint32_t unsure;

    for (size_t i = 0; i < sizeof synch; i++) {
        bed->meters.road[SV_METER].stream->sv.begun = false;
        memset(bed->age, 0, sizeof bed->age);
        send_sv_second(bed, synch[i]);
        for (size_t a = 0; a < sizeof ahead_ns / sizeof *ahead_ns; a++) {
            uint64_t word[SEQLOCK_WORDS] = {0, 0, 1, 0, 0, 1, (uint64_t)ahead_ns[a]};
            seqlock_write(&bed->base.map[0], word);
            take_readings(bed, &last, &unsure);
            assert_int_equal(send_sv_second(bed, synch[i]), 0);
            assert_in_range(take_readings(bed, &last, &unsure), 59, 61);
            assert_int_equal(unsure, 0);
        }
        uint64_t word[SEQLOCK_WORDS] = {0, 0, 1, 0, 0, 1, 0};
        seqlock_write(&bed->base.map[0], word);
    }
    assert_int_equal(count_read(&bed->lane.counters.clock_steps), 0);
}

static void a_second_of_sampled_values_is_sixty_readings(void **state)
{
    struct bed *bed = *state;
    struct reading last;
    uint32_t unsure;

    send_sv_for(bed, SV_RATE_HZ / SV_ASDUS);
    take_readings(bed, &last, &unsure);
    send_sv_for(bed, SV_RATE_HZ / SV_ASDUS);
    assert_in_range(take_readings(bed, &last, &unsure), 59, 61);
    assert_int_equal(unsure, 0);
    expect_reading(&last, SV_METER, 1);
}

static void a_configuration_of_sampled_values_that_changes_is_refused_for_good(void **state)
{
    struct bed *bed = *state;
    struct sv_publisher publisher = publisher_of();
    struct reading last;
    uint32_t unsure;

    send_sv_for(bed, SV_RATE_HZ / SV_ASDUS);
    take_readings(bed, &last, &unsure);
    publisher.conf_rev = 2;
    for (uint32_t i = 0; i < SV_RATE_HZ / SV_ASDUS; i++)
        assert_int_equal(send_sv_as(bed, &publisher), REFUSED_CONFIG_CHANGED);
    assert_int_equal(take_readings(bed, &last, &unsure), 0);
}

static void sampled_values_of_others_and_of_simulators_are_refused(void **state)
{
    struct bed *bed = *state;
    struct sv_publisher other = publisher_of(), simulated = publisher_of();

    other.id = "flyballMU02";
    assert_int_equal(send_sv_as(bed, &other), REFUSED_UNKNOWN_METER);
    other = publisher_of();
    other.appid = 0x4002;
    assert_int_equal(send_sv_as(bed, &other), REFUSED_UNKNOWN_METER);
    simulated.simulated = true;
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(send_sv_as(bed, &simulated), REFUSED_SIMULATED);
    assert_int_equal(count_read(&bed->lane.counters.blocks), 0);
}

/* Of another configuration and with the very counts of the real ones: they move nothing of its stream. */
static void simulated_values_beside_the_real_ones_change_nothing(void **state)
{
    struct bed *bed = *state;
    struct sv_publisher simulated = publisher_of();
    struct reading last;
    uint32_t unsure;

    simulated.simulated = true;
    simulated.conf_rev = 2;
    for (uint32_t i = 0; i < SV_RATE_HZ; i++) {
        if (i == SV_RATE_HZ / 2) {
            assert_in_range(take_readings(bed, &last, &unsure), 55, 61);
            simulated.conf_rev = 1;
        }
        assert_int_equal(send_sv_as(bed, &simulated), REFUSED_SIMULATED);
        bed->sample -= SV_ASDUS;
        assert_int_equal(send_sv(bed), ACCEPTED);
    }
    assert_in_range(take_readings(bed, &last, &unsure), 59, 61);
    assert_int_equal(unsure, 0);
    expect_reading(&last, SV_METER, 1);
}

/* ---- synchrophasors ---- */

/* A stream of one PMU, ID 101: six phasors in floats, polar; its CFG-2, and a data frame of START_NS and
 * 0.123456 s. */
enum { C37_METER = 0, C37_ID = 101, AT_SOC = 6, AT_FRACTION = 11, AT_STAT = 14, C37_DATA_BYTES = 84,
       AT_FIRST_NAME = 46 };

static void seal(uint8_t *frame, uint32_t bytes)
{
    uint16_t crc = crc_16(frame, bytes - 2);

    frame[bytes - 2] = (uint8_t)(crc >> 8);
    frame[bytes - 1] = (uint8_t)crc;
}

static int send_config(struct bed *bed, char first_name)
{
    uint8_t *payload = bed->room + UDP_HEADROOM;
    uint32_t bytes = hex_read(cfg2_hex, payload);

    payload[AT_FIRST_NAME] = (uint8_t)first_name;
    seal(payload, bytes);
    struct port_frame frame = datagram(bed, bytes);

    return arrive(bed, &frame, START_NS);
}

/* Of the moment `after_us` behind START_NS, within its second. */
static int send_phasors(struct bed *bed, uint32_t after_us, uint8_t stat)
{
    uint8_t *payload = bed->room + UDP_HEADROOM;

    assert_int_equal(hex_read(locked_hex, payload), C37_DATA_BYTES);
    for (uint32_t i = 0; i < 3; i++)
        payload[AT_FRACTION + i] = (uint8_t)(after_us >> (8 * (2 - i)));
    payload[AT_STAT] = stat;
    seal(payload, C37_DATA_BYTES);
    struct port_frame frame = datagram(bed, C37_DATA_BYTES);

    return arrive(bed, &frame, START_NS + (int64_t)after_us * NS_PER_US);
}

static void start_c37(struct bed *bed)
{
    static const char *const usual[SITE_PHASORS] = {"VA", "VB", "VC", "IA", "IB", "IC"};

    free(bed->memory);
    bed->said[C37_METER] =
        (struct site_meter){.protocol = PROTOCOL_C37118, .number = C37_ID, .pmu = C37_ID};
    for (uint32_t i = 0; i < SITE_PHASORS; i++)
        strcpy(bed->said[C37_METER].phasor[i], usual[i]);
    bed->lane.meter_window = bed->meter_window;
    start_meters(bed);
}

static void phasors_become_readings_once_their_configuration_is_known(void **state)
{
    struct bed *bed = *state;
    struct reading last;
    uint32_t unsure;

    start_c37(bed);
    assert_int_equal(send_phasors(bed, 100000, 0), REFUSED_CONFIG_UNKNOWN);
    assert_int_equal(send_config(bed, 'V'), ACCEPTED);
    assert_int_equal(send_phasors(bed, 116667, 0), ACCEPTED);
    assert_int_equal(send_phasors(bed, 116667, 0), REFUSED_DUPLICATE);
    assert_int_equal(send_phasors(bed, 100000, 0), REFUSED_REORDERED);
    assert_int_equal(send_phasors(bed, 120000, 0), ACCEPTED);       /* sooner than readings may come */
    assert_int_equal(take_readings(bed, &last, &unsure), 1);
    assert_int_equal(last.meter, C37_METER);
    assert_int_equal(last.t_meter_ns, START_NS + 116667 * NS_PER_US);
    for (uint32_t p = 0; p < PHASES; p++) {
        assert_int_equal(last.voltage_mv[p], 277125);
        assert_int_equal(last.current_ma[p], 600500);
        assert_in_range(last.power_mw[p], 160743000, 160745000);    /* 277.125 x 600.5 x cos 15 degrees */
    }
    assert_int_equal(send_phasors(bed, 150000, 0x80), REFUSED_SIMULATED);
    assert_int_equal(send_phasors(bed, 150001, 0xC0), REFUSED_MALFORMED);
    assert_int_equal(send_phasors(bed, 150002, 0x40), ACCEPTED);
    assert_int_equal(take_readings(bed, &last, &unsure), 1);
    assert_int_equal(unsure, 1);
}

/* A stream whose channels are called otherwise from now on is not read as if they were not. */
static void phasors_are_found_by_their_names_and_by_no_others(void **state)
{
    struct bed *bed = *state;
    struct reading last;
    uint32_t unsure;

    start_c37(bed);
    assert_int_equal(send_config(bed, 'W'), ACCEPTED);
    assert_int_equal(send_phasors(bed, 100000, 0), REFUSED_SHAPE);
    assert_int_equal(send_config(bed, 'V'), ACCEPTED);
    assert_int_equal(send_phasors(bed, 120000, 0), ACCEPTED);
    strcpy(bed->said[C37_METER].phasor[0], "IA");       /* amperes are no volts */
    free(bed->memory);
    start_meters(bed);
    assert_int_equal(send_config(bed, 'V'), ACCEPTED);
    assert_int_equal(send_phasors(bed, 140000, 0), REFUSED_SHAPE);
    assert_int_equal(take_readings(bed, &last, &unsure), 1);
}

/* Of a device on the other side of a transformer: volts are 30 degrees ahead, as CFG-3 says. */
static void angles_of_a_configuration_are_taken_off(void **state)
{
    static const uint8_t one[8] = {0x3f, 0x80}, turned[4] = {0x3f, 0x06, 0x0a, 0x92};   /* pi / 6 */
    struct bed *bed = *state;
    uint8_t *payload = bed->room + UDP_HEADROOM;
    struct reading last;
    uint32_t unsure, found = 0;

    start_c37(bed);
    uint32_t bytes = hex_read(cfg3_hex, payload);
    for (uint32_t at = 0; at + sizeof one <= bytes && found < PHASES; at++)
        if (!memcmp(payload + at, one, sizeof one)) {
            memcpy(payload + at + 4, turned, sizeof turned);
            found++;
        }
    assert_int_equal(found, PHASES);
    seal(payload, bytes);
    struct port_frame frame = datagram(bed, bytes);

    assert_int_equal(arrive(bed, &frame, START_NS), ACCEPTED);
    assert_int_equal(send_phasors(bed, 116667, 0), ACCEPTED);
    assert_int_equal(take_readings(bed, &last, &unsure), 1);
    for (uint32_t p = 0; p < PHASES; p++)       /* cos (15 - 30) degrees is that of 15: turned further */
        assert_in_range(last.power_mw[p], 160743000, 160745000);
    found = 0;
    bytes = hex_read(cfg3_hex, payload);
    for (uint32_t at = 0; at + sizeof one <= bytes && found < PHASES; at++)
        if (!memcmp(payload + at, one, sizeof one)) {
            memcpy(payload + at + 4, turned, sizeof turned);
            payload[at + 4] = 0xbf;             /* the other way: 45 degrees */
            found++;
        }
    payload[AT_SOC + 3]++;
    seal(payload, bytes);
    frame = datagram(bed, bytes);
    assert_int_equal(arrive(bed, &frame, START_NS), ACCEPTED);
    assert_int_equal(send_phasors(bed, 150000, 0), ACCEPTED);
    assert_int_equal(take_readings(bed, &last, &unsure), 1);
    for (uint32_t p = 0; p < PHASES; p++)       /* 277.125 x 600.5 x cos 45 degrees */
        assert_in_range(last.power_mw[p], 117670000, 117674000);
}

static void a_device_that_does_not_know_the_time_is_unsure(void **state)
{
    struct bed *bed = *state;
    struct reading last;
    uint32_t unsure;

    start_c37(bed);
    assert_int_equal(send_config(bed, 'V'), ACCEPTED);
    /* not in sync, within 100 ns as the frame goes on to say */
    assert_int_equal(send_phasors(bed, 100000, PHASORS_UNSYNCED >> 8), ACCEPTED);
    assert_int_equal(take_readings(bed, &last, &unsure), 1);
    assert_int_equal(unsure, 0);
    /* modified by somebody */
    assert_int_equal(send_phasors(bed, 120000, PHASORS_MODIFIED >> 8), ACCEPTED);
    assert_int_equal(take_readings(bed, &last, &unsure), 1);
    assert_int_equal(unsure, 1);
    assert_int_equal(count_read(&bed->lane.counters.unsure), 1);
}

/* A frame whose samples follow on those before is one block; behind one that was left out is a gap. */
static void invalid_blocks_are_counted_apart(void **state)
{
    struct bed *bed = *state;
    const struct lane_counters *counters = &bed->lane.counters;

    send_sv_for(bed, SV_RATE_HZ / SV_ASDUS);
    uint64_t before = count_read(&counters->blocks);

    assert_true(before > 0);
    assert_int_equal(count_read(&counters->invalid_blocks), 0);
    bed->invalid = 1 << SAMPLES_IB;
    send_sv_for(bed, 3);
    assert_int_equal(count_read(&counters->invalid_blocks), 3);
    assert_int_equal(count_read(&counters->blocks), before);
    bed->invalid = 0;
    send_sv_for(bed, 2);
    assert_int_equal(count_read(&counters->invalid_blocks), 3);
    assert_int_equal(count_read(&counters->blocks), before + 2);
    assert_int_equal(count_read(&counters->no_room), 0);
}

#define BED(name) cmocka_unit_test_setup_teardown(name, make_bed, drop_bed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BED(a_second_of_raw_samples_is_sixty_readings),
        BED(twelve_cycles_tell_what_a_reading_does_not),
        BED(spoilt_cycles_tell_nothing),
        BED(no_cycle_is_left_out_and_none_counts_twice),
        BED(gain_offset_and_phase_are_corrected),
        BED(a_lost_packet_spoils_its_cycles_and_no_others),
        BED(a_packet_that_comes_twice_or_late_changes_nothing),
        BED(clipped_samples_make_readings_unsure),
        BED(samples_that_repeat_themselves_are_doubted),
        BED(a_peak_is_told_with_the_packet_that_brings_it),
        BED(a_meter_of_another_number_rate_or_address_is_refused),
        BED(a_packet_of_a_foreign_rate_leaves_the_chain_as_it_is),
        BED(a_peak_before_a_gap_is_not_forgotten),
        BED(a_cycle_longer_than_the_nominal_one_is_unsure),
        BED(damaged_datagrams_are_refused_by_name),
        BED(a_meter_that_another_lane_has_in_hand_is_refused_as_held),
        BED(a_measurement_in_the_name_of_such_a_meter_is_refused),
        BED(a_second_of_sampled_values_is_sixty_readings),
        BED(a_configuration_of_sampled_values_that_changes_is_refused_for_good),
        BED(sampled_values_of_others_and_of_simulators_are_refused),
        BED(simulated_values_beside_the_real_ones_change_nothing),
        BED(phasors_become_readings_once_their_configuration_is_known),
        BED(phasors_are_found_by_their_names_and_by_no_others),
        BED(angles_of_a_configuration_are_taken_off),
        BED(a_device_that_does_not_know_the_time_is_unsure),
        BED(invalid_blocks_are_counted_apart),
        BED(sampled_values_that_become_late_are_too_old),
        BED(sampled_values_behind_a_silence_lend_nothing_for_a_minute),
        BED(a_wall_clock_that_is_set_costs_no_sampled_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
