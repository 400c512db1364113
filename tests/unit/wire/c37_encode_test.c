/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of synchrophasors that are written: those of the protocol notes again, byte by byte, and whatever is
 * drawn comes back from the decoder as it was. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "c37_frames.h"
#include "hex.h"
#include "wire/c37.h"

enum { FRAME_MAX = 65535, NAMES_MAX = 4096, DRAWS = 400 };

static const struct c37_place place = {
    .global_id = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, .latitude_deg = INFINITY,
    .longitude_deg = INFINITY, .elevation_m = INFINITY, .window_us = 100000, .delay_us = 50000,
};

static uint32_t names_of(const uint8_t *data, const struct c37_config *config, struct c37_text *name)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < config->pmus; i++) {
        const struct c37_pmu *pmu = &config->pmu[i];
        uint32_t own = 1u + pmu->phasors + pmu->analogs + (uint32_t)pmu->digitals * C37_DIGITAL_NAMES;

        for (uint32_t k = 0; k < own; k++)
            name[count++] = c37_name(data, config, i, k);
    }
    return count;
}

static void is_written_again(const char *hex)
{
    static uint8_t given[FRAME_MAX], made[FRAME_MAX];
    static struct c37_config config;
    static struct c37_text name[NAMES_MAX];
    struct c37_head head;
    uint32_t bytes = hex_read(hex, given);

    assert_int_equal(c37_check(given, bytes, &head), METER_ACCEPTED);
    assert_int_equal(c37_config_decode(given, bytes, &config), METER_ACCEPTED);
    names_of(given, &config, name);
    assert_int_equal(c37_config_encode(&config, &head, name, &place, made, sizeof made), bytes);
    assert_memory_equal(made, given, bytes);
    assert_int_equal(c37_config_encode(&config, &head, name, &place, made, bytes), bytes);
    for (uint32_t room = 0; room < bytes; room++)
        assert_int_equal(c37_config_encode(&config, &head, name, &place, made, room), 0);
}

static void the_configurations_of_the_notes_are_written_byte_by_byte(void **state)
{
    (void)state;
    is_written_again(cfg2_hex);
    is_written_again(cfg3_hex);
}

static void data_are_written_again(const char *hex, const char *config_hex)
{
    static uint8_t given[FRAME_MAX], made[FRAME_MAX];
    static struct c37_config config;
    static struct phasors phasors;
    uint32_t bytes = hex_read(config_hex, given);

    assert_int_equal(c37_config_decode(given, bytes, &config), METER_ACCEPTED);
    bytes = hex_read(hex, given);
    assert_int_equal(c37_data_decode(&config, given, bytes, &phasors), METER_ACCEPTED);
    assert_int_equal(c37_data_encode(&config, given[1] & 15, &phasors, made, sizeof made), bytes);
    assert_memory_equal(made, given, bytes);
    for (uint32_t room = 0; room < bytes; room++)
        assert_int_equal(c37_data_encode(&config, 2, &phasors, made, room), 0);
}

static void the_data_of_the_notes_are_written_byte_by_byte(void **state)
{
    (void)state;
    data_are_written_again(locked_hex, cfg2_hex);
    data_are_written_again(holdover_hex, cfg2_hex);
    data_are_written_again(locked_hex, cfg3_hex);
}

static uint64_t drawn(uint64_t *dice)
{
    *dice += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t x = (*dice ^ *dice >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint32_t upto(uint64_t *dice, uint32_t most)
{
    return (uint32_t)(drawn(dice) % (most + 1));
}

/* In whole counts, and now and then missing. */
static double counted(uint64_t *dice, double per_count)
{
    return upto(dice, 15) ? ((int32_t)upto(dice, 65534) - 32767) * per_count : NAN;
}

static void draw_pmu(uint64_t *dice, bool third, struct c37_pmu *pmu)
{
    *pmu = (struct c37_pmu){.id = (uint16_t)drawn(dice), .format = (uint16_t)upto(dice, 15),
        .phasors = (uint8_t)upto(dice, 12), .analogs = (uint8_t)upto(dice, 6),
        .digitals = (uint8_t)upto(dice, 2), .nominal_50 = upto(dice, 1), .changes = (uint16_t)drawn(dice),
        .class = third ? "MP"[upto(dice, 1)] : '\0'};
    for (uint32_t i = 0; i < pmu->phasors; i++) {
        uint32_t unit = 1 + upto(dice, 0xFFFFFE);
        struct c37_phasor_scale *scale = &pmu->phasor[i];

        scale->current = upto(dice, 1);
        scale->unit = third ? (uint32_t)scale->current << 11 : (uint32_t)scale->current << 24 | unit;
        scale->factor = third ? (double)(float)(unit * 1e-5) : unit * 1e-5;
        scale->angle_rad = third ? (double)((float)upto(dice, 3) * 0.5F) : 0;
    }
    for (uint32_t i = 0; i < pmu->analogs; i++) {
        struct c37_analog_scale *scale = &pmu->analog[i];

        scale->unit = third ? 0 : (uint32_t)drawn(dice);
        scale->factor = third ? 0.5 : 1;
        scale->offset = third ? upto(dice, 4) : 0;
    }
    for (uint32_t i = 0; i < pmu->digitals; i++)
        pmu->digital_unit[i] = (uint32_t)drawn(dice);
}

static void draw_values(uint64_t *dice, const struct c37_pmu *config, struct phasors_pmu *pmu)
{
    *pmu = (struct phasors_pmu){.stat = (uint16_t)drawn(dice)};
    for (uint32_t i = 0; i < config->phasors; i++) {
        bool polar = config->format & C37_POLAR;
        double factor = config->format & C37_PHASORS_FLOAT ? 0.25 : config->phasor[i].factor;
        double other = polar && !(config->format & C37_PHASORS_FLOAT) ? 1e-4 : factor;

        double magnitude = upto(dice, 15) ? upto(dice, 65535) * factor : NAN;

        pmu->phasor[i].first = polar ? magnitude : counted(dice, factor);
        pmu->phasor[i].second = counted(dice, other);
    }
    bool whole = !(config->format & C37_FREQUENCY_FLOAT);
    pmu->frequency_hz = counted(dice, whole ? 1e-3 : 0.125) + (config->nominal_50 ? 50 : 60);
    pmu->rocof_hz_per_s = counted(dice, whole ? 1e-2 : 0.125);
    for (uint32_t i = 0; i < config->analogs; i++)
        pmu->analog[i] = counted(dice, 1) * config->analog[i].factor + config->analog[i].offset;
    for (uint32_t i = 0; i < config->digitals; i++)
        pmu->digital[i] = (uint16_t)drawn(dice);
}

/* The same up to the last bits; missing where it was missing. */
static void same(double made, double wanted)
{
    if (isnan(wanted))
        assert_true(isnan(made));
    else
        assert_true(fabs(made - wanted) <= 1e-9 * fabs(wanted) + 1e-9);
}

static void same_values(const struct c37_pmu *config, const struct phasors_pmu *made,
    const struct phasors_pmu *wanted)
{
    assert_int_equal(made->stat, wanted->stat);
    for (uint32_t i = 0; i < config->phasors; i++) {
        bool missing = isnan(wanted->phasor[i].first) || isnan(wanted->phasor[i].second);

        same(made->phasor[i].first, missing ? NAN : wanted->phasor[i].first);
        same(made->phasor[i].second, missing ? NAN : wanted->phasor[i].second);
    }
    same(made->frequency_hz, wanted->frequency_hz);
    same(made->rocof_hz_per_s, wanted->rocof_hz_per_s);
    for (uint32_t i = 0; i < config->analogs; i++)
        same(made->analog[i], wanted->analog[i]);
    for (uint32_t i = 0; i < config->digitals; i++)
        assert_int_equal(made->digital[i], wanted->digital[i]);
}

static void same_pmu(const struct c37_pmu *made, const struct c37_pmu *wanted)
{
    assert_int_equal(made->id, wanted->id);
    assert_int_equal(made->format, wanted->format);
    assert_int_equal(made->changes, wanted->changes);
    assert_int_equal(made->nominal_50, wanted->nominal_50);
    assert_int_equal(made->class, wanted->class);
    for (uint32_t i = 0; i < wanted->phasors; i++) {
        assert_int_equal(made->phasor[i].unit, wanted->phasor[i].unit);
        assert_int_equal(made->phasor[i].current, wanted->phasor[i].current);
        same(made->phasor[i].factor, wanted->phasor[i].factor);
        same(made->phasor[i].angle_rad, wanted->phasor[i].angle_rad);
    }
    for (uint32_t i = 0; i < wanted->analogs; i++) {
        assert_int_equal(made->analog[i].unit, wanted->analog[i].unit);
        same(made->analog[i].factor, wanted->analog[i].factor);
        same(made->analog[i].offset, wanted->analog[i].offset);
    }
    for (uint32_t i = 0; i < wanted->digitals; i++)
        assert_int_equal(made->digital_unit[i], wanted->digital_unit[i]);
}

static void draw_names(uint64_t *dice, struct c37_text *name, uint32_t longest)
{
    static const uint8_t letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    for (uint32_t i = 0; i < NAMES_MAX; i++)
        name[i] = (struct c37_text){letters + upto(dice, 9), upto(dice, longest)};
}

static void what_is_drawn_comes_back(uint64_t seed)
{
    static uint8_t data[FRAME_MAX];
    static struct c37_config config, read;
    static struct phasors phasors, back;
    static struct c37_text name[NAMES_MAX], named[NAMES_MAX];
    uint64_t dice = seed;
    const struct c37_head head = {.version = (uint8_t)(1 + upto(&dice, 1)), .soc = (uint32_t)drawn(&dice)};

    config = (struct c37_config){.type = upto(&dice, 1) ? C37_CFG3 : C37_CFG2, .id = (uint16_t)drawn(&dice),
        .pmus = (uint8_t)(1 + upto(&dice, 3)), .time_base = 1 + upto(&dice, 0xFFFFFE), .data_rate = 50};
    phasors = (struct phasors){.pmus = config.pmus, .time_quality = (uint8_t)upto(&dice, 127)};
    /* on the clock's ticks: between them there is no time to send */
    phasors.t_ns = INT64_C(1751538645000000000) +
                   (int64_t)upto(&dice, config.time_base - 1) * NS_PER_S / config.time_base;
    for (uint32_t i = 0; i < config.pmus; i++) {
        draw_pmu(&dice, config.type == C37_CFG3, &config.pmu[i]);
        draw_values(&dice, &config.pmu[i], &phasors.pmu[i]);
    }
    draw_names(&dice, name, config.type == C37_CFG3 ? 40 : 16);
    uint32_t bytes = c37_config_encode(&config, &head, name, NULL, data, sizeof data);
    assert_int_equal(c37_config_decode(data, bytes, &read), METER_ACCEPTED);
    assert_int_equal(read.time_base, config.time_base);
    for (uint32_t i = 0; i < config.pmus; i++)
        same_pmu(&read.pmu[i], &config.pmu[i]);
    uint32_t names = names_of(data, &read, named);
    for (uint32_t i = 0; i < names; i++) {
        assert_int_equal(named[i].bytes, name[i].bytes);
        assert_memory_equal(named[i].at, name[i].at, name[i].bytes);
    }
    bytes = c37_data_encode(&read, head.version, &phasors, data, sizeof data);
    assert_int_equal(bytes, read.data_bytes);
    assert_int_equal(c37_data_decode(&read, data, bytes, &back), METER_ACCEPTED);
    assert_int_equal(back.t_ns, phasors.t_ns);
    assert_int_equal(back.time_quality, phasors.time_quality);
    for (uint32_t i = 0; i < config.pmus; i++)
        same_values(&config.pmu[i], &back.pmu[i], &phasors.pmu[i]);
}

static void whatever_is_drawn_comes_back_as_it_was(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < DRAWS; seed++) {
        if (seed % 100 == 0)
            print_message("seeds from %llu\n", (unsigned long long)seed);
        what_is_drawn_comes_back(seed);
    }
}

static void what_has_no_frame_is_not_written(void **state)
{
    (void)state;
    static struct c37_config config;
    static struct phasors phasors;
    static struct c37_text name[NAMES_MAX];
    uint8_t data[2048];
    const struct c37_head head = {.version = 2};

    config = (struct c37_config){.type = C37_CFG2, .id = 1, .pmus = 1, .time_base = 1000000};
    phasors = (struct phasors){.pmus = 1};
    assert_int_equal(c37_data_encode(&config, 2, &phasors, data, sizeof data), 22);
    phasors.pmus = 2;
    assert_int_equal(c37_data_encode(&config, 2, &phasors, data, sizeof data), 0);
    phasors.pmus = 1;
    phasors.t_ns = -1;
    assert_int_equal(c37_data_encode(&config, 2, &phasors, data, sizeof data), 0);
    phasors.t_ns = 0;
    config.time_base = 0;
    assert_int_equal(c37_data_encode(&config, 2, &phasors, data, sizeof data), 0);
    assert_int_equal(c37_config_encode(&config, &head, name, NULL, data, sizeof data), 0);
    config.time_base = 1 << 24;
    assert_int_equal(c37_config_encode(&config, &head, name, NULL, data, sizeof data), 0);
    config.time_base = 1000000;
    config.pmu[0].phasors = PHASORS_MAX + 1;
    assert_int_equal(c37_data_encode(&config, 2, &phasors, data, sizeof data), 0);
    config.pmu[0].phasors = PHASORS_MAX;
    config.pmu[0].format = C37_PHASORS_FLOAT;
    config.pmus = phasors.pmus = 6;
    for (uint32_t i = 1; i < 6; i++)
        config.pmu[i] = config.pmu[0];
    assert_int_equal(c37_data_encode(&config, 2, &phasors, data, sizeof data), 0);      /* 1592 bytes */
}

/* The last tick of a second is nearer to the next one than to itself. */
static void a_time_is_rounded_to_its_tick(void **state)
{
    (void)state;
    struct c37_head head;

    c37_time(INT64_C(5999999999), 1000, &head);
    assert_int_equal(head.soc, 6);
    assert_int_equal(head.fraction, 0);
    c37_time(INT64_C(5999499999), 1000, &head);
    assert_int_equal(head.soc, 5);
    assert_int_equal(head.fraction, 999);
}

static void values_beyond_their_counts_are_the_last_ones(void **state)
{
    (void)state;
    static struct c37_config config;
    static struct phasors phasors, back;
    uint8_t data[256];

    config = (struct c37_config){.type = C37_CFG2, .id = 1, .pmus = 1, .time_base = 1000000,
                                 .data_bytes = 36};
    config.pmu[0] = (struct c37_pmu){.phasors = 2, .analogs = 3};
    for (uint32_t i = 0; i < 3; i++) {
        config.pmu[0].phasor[i].factor = 0.5;
        config.pmu[0].analog[i].factor = 1;
    }
    phasors = (struct phasors){.pmus = 1};
    phasors.pmu[0].phasor[0] = (struct phasor){1e9, -1e9};
    phasors.pmu[0].phasor[1] = (struct phasor){0.74, -0.76};
    phasors.pmu[0].frequency_hz = 1000;
    phasors.pmu[0].analog[0] = INFINITY;
    phasors.pmu[0].analog[1] = -40000;
    assert_int_equal(c37_data_encode(&config, 2, &phasors, data, sizeof data), 36);
    assert_int_equal(c37_data_decode(&config, data, 36, &back), METER_ACCEPTED);
    same(back.pmu[0].phasor[0].first, 16383.5);
    same(back.pmu[0].phasor[0].second, -16383.5);
    same(back.pmu[0].phasor[1].first, 0.5);
    same(back.pmu[0].phasor[1].second, -1);
    same(back.pmu[0].frequency_hz, 92.767);
    same(back.pmu[0].analog[0], NAN);
    same(back.pmu[0].analog[1], -32767);
    config.pmu[0].format = C37_POLAR;
    phasors.pmu[0].phasor[0] = (struct phasor){1e9, 1};
    phasors.pmu[0].phasor[1] = (struct phasor){-3, 1};
    assert_int_equal(c37_data_encode(&config, 2, &phasors, data, sizeof data), 36);
    assert_int_equal(c37_data_decode(&config, data, 36, &back), METER_ACCEPTED);
    same(back.pmu[0].phasor[0].first, 32767.5);
    same(back.pmu[0].phasor[1].first, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_configurations_of_the_notes_are_written_byte_by_byte),
        cmocka_unit_test(the_data_of_the_notes_are_written_byte_by_byte),
        cmocka_unit_test(whatever_is_drawn_comes_back_as_it_was),
        cmocka_unit_test(what_has_no_frame_is_not_written),
        cmocka_unit_test(a_time_is_rounded_to_its_tick),
        cmocka_unit_test(values_beyond_their_counts_are_the_last_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
