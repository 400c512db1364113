/* SPDX-License-Identifier: Apache-2.0 */
/* Synchrophasors: the frames of the protocol notes, what is refused, and configurations that change. */
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
#include "wire/crc.h"

enum { FRAME_MAX = 8192 };

static const char pypmu_data_hex[] =
    "aa0100341e3644853600000041b10000392b0000e36ace7ce36a31830444000009c4000042c80000447a0000461c40003c12"
    "d43f";

static const char header_hex[] =
    "aa1100271e36448560300f0bbfd048656c6c6f2049276d20486561646572204672616d652e17cc";

struct bytes {
    uint8_t data[FRAME_MAX];
    uint32_t bytes;
};

static struct bytes from_hex(const char *hex)
{
    struct bytes out = {.bytes = 0};

    out.bytes = hex_read(hex, out.data);
    return out;
}

static void seal(struct bytes *frame)
{
    uint16_t crc = crc_16(frame->data, frame->bytes - 2);

    frame->data[frame->bytes - 2] = (uint8_t)(crc >> 8);
    frame->data[frame->bytes - 1] = (uint8_t)crc;
}

static struct bytes changed(const char *hex, uint32_t at, uint8_t value)
{
    struct bytes frame = from_hex(hex);

    frame.data[at] = value;
    seal(&frame);
    return frame;
}

static int configure(const struct bytes *frame, struct c37_config *config)
{
    return c37_config_decode(frame->data, frame->bytes, config);
}

static void name_is(const struct bytes *frame, const struct c37_config *config, uint32_t index,
                    const char *want)
{
    struct c37_text name = c37_name(frame->data, config, 0, index);

    assert_int_equal(name.bytes, strlen(want));
    assert_memory_equal(name.at, want, name.bytes);
}

static void check_config(const struct bytes *frame, const struct c37_config *config)
{
    assert_int_equal(config->id, 101);
    assert_int_equal(config->pmus, 1);
    assert_int_equal(config->time_base, 1000000);
    assert_int_equal(config->data_rate, 60);
    assert_int_equal(config->data_bytes, 84);
    assert_int_equal(config->pmu[0].id, 101);
    assert_int_equal(config->pmu[0].format, 15);
    assert_int_equal(config->pmu[0].phasors, 6);
    assert_int_equal(config->pmu[0].analogs, 2);
    assert_int_equal(config->pmu[0].digitals, 1);
    assert_false(config->pmu[0].nominal_50);
    assert_int_equal(config->pmu[0].changes, 1);
    assert_int_equal(config->pmu[0].digital_unit[0], 7);
    for (int i = 0; i < 6; i++)
        assert_int_equal(config->pmu[0].phasor[i].current, i >= 3);
    name_is(frame, config, 0, "PDU-A01");
    name_is(frame, config, 1, "VA");
    name_is(frame, config, 6, "IC");
    name_is(frame, config, 7, "P_TOT_MW");
    name_is(frame, config, 9, "SAG");
    name_is(frame, config, 11, "EMERG");
    name_is(frame, config, 24, "D15");
    name_is(frame, config, 25, "");
}

static void configurations_of_both_kinds_read_alike(void **state)
{
    (void)state;
    struct bytes frame = from_hex(cfg2_hex);
    struct c37_config config;

    assert_int_equal(frame.bytes, 474);
    assert_int_equal(configure(&frame, &config), METER_ACCEPTED);
    assert_int_equal(config.type, C37_CFG2);
    check_config(&frame, &config);
    frame = from_hex(cfg3_hex);
    assert_int_equal(frame.bytes, 282);
    assert_int_equal(configure(&frame, &config), METER_ACCEPTED);
    assert_int_equal(config.type, C37_CFG3);
    assert_int_equal(config.pmu[0].class, 'M');
    assert_true(config.pmu[0].phasor[5].factor == 1 && config.pmu[0].analog[1].factor == 1);
    check_config(&frame, &config);
}

static void check_data(const struct phasors *phasors)
{
    const struct phasors_pmu *pmu = &phasors->pmu[0];

    assert_int_equal(phasors->id, 101);
    assert_int_equal(phasors->t_ns, INT64_C(1751538645123456000));
    assert_int_equal(phasors->pmus, 1);
    assert_true(pmu->polar && pmu->phasors == 6 && pmu->analogs == 2 && pmu->digitals == 1);
    assert_true(pmu->phasor[0].first == 277.125 && pmu->phasor[0].second == 0);
    assert_true(fabs(pmu->phasor[1].second + 2.0943951) < 1e-6 &&
                fabs(pmu->phasor[2].second - 2.0943951) < 1e-6);
    assert_true(fabs(pmu->frequency_hz - 60.0125) < 1e-5);
    assert_true(pmu->rocof_hz_per_s == -0.25);
    assert_true(fabs(pmu->analog[0] - 0.48125) < 1e-7 && pmu->analog[1] == -12.5);
    assert_int_equal(pmu->digital[0], 1);
    assert_int_equal(pmu->missing, 0);
}

static void data_read_as_the_notes_say(void **state)
{
    (void)state;
    struct bytes cfg = from_hex(cfg2_hex), data = from_hex(locked_hex);
    struct c37_config config;
    struct phasors phasors;

    assert_int_equal(configure(&cfg, &config), METER_ACCEPTED);
    assert_int_equal(c37_data_decode(&config, data.data, data.bytes, &phasors), METER_ACCEPTED);
    check_data(&phasors);
    assert_int_equal(phasors.time_quality, 0);
    assert_int_equal(phasors.pmu[0].stat, 0x0040);
    data = from_hex(holdover_hex);
    assert_int_equal(c37_data_decode(&config, data.data, data.bytes, &phasors), METER_ACCEPTED);
    check_data(&phasors);
    assert_int_equal(phasors.time_quality & 15, 6);
    assert_true(phasors.pmu[0].stat & PHASORS_UNSYNCED);
    assert_int_equal(phasors.pmu[0].stat >> PHASORS_QUALITY_SHIFT & 7, 4);
    assert_int_equal(phasors.pmu[0].stat >> PHASORS_UNLOCKED_SHIFT & 3, 1);
}

/* A configuration of one PMU without names worth reading. */
static struct bytes plain_config(uint16_t id, uint8_t format, uint8_t phasors, uint8_t analogs,
                                 uint8_t digitals)
{
    struct bytes frame = {.bytes = 0};
    uint8_t *at = frame.data;
    uint32_t names = phasors + analogs + digitals * 16u;
    const uint8_t head[] = {
        0xaa, 0x31, 0, 0, (uint8_t)(id >> 8), (uint8_t)id, 0x44, 0x85, 0x36, 0, 0, 0, 0, 0, 0, 0x0f,
        0x42, 0x40, 0, 1};
    const uint8_t counts[] = {
        (uint8_t)(id >> 8), (uint8_t)id, 0, format, 0, phasors, 0, analogs, 0, digitals};

    memcpy(at, head, sizeof head);
    at += sizeof head;
    memset(at, ' ', 16);
    memcpy(at + 16, counts, sizeof counts);
    at += 16 + sizeof counts;
    memset(at, ' ', names * 16);
    at += names * 16;
    for (uint32_t i = 0; i < phasors; i++, at += 4) {       /* 9.15527 V and 0.45776 A a count */
        static const uint8_t unit[2][4] = {{0, 0x0d, 0xf8, 0x47}, {1, 0, 0xb2, 0xd0}};
        memcpy(at, unit[i == 3], 4);
    }
    memset(at, 0, (analogs + digitals) * 4u + 4);
    at += (analogs + digitals) * 4u + 4;
    at[0] = 0;
    at[1] = 30;
    frame.bytes = (uint32_t)(at - frame.data) + 4;
    frame.data[2] = (uint8_t)(frame.bytes >> 8);
    frame.data[3] = (uint8_t)frame.bytes;
    seal(&frame);
    return frame;
}

static void whole_numbers_are_scaled(void **state)
{
    (void)state;
    struct bytes cfg = plain_config(7734, C37_ANALOGS_FLOAT, 4, 3, 1), data = from_hex(pypmu_data_hex);
    struct c37_config config;
    struct phasors phasors;
    const struct phasors_pmu *pmu = &phasors.pmu[0];

    assert_int_equal(cfg.bytes, 454);           /* that of the standard's annex has this size */
    assert_int_equal(configure(&cfg, &config), METER_ACCEPTED);
    assert_int_equal(c37_data_decode(&config, data.data, data.bytes, &phasors), METER_ACCEPTED);
    assert_false(pmu->polar);
    assert_true(fabs(pmu->phasor[0].first - 133987.4) < 1 && pmu->phasor[0].second == 0);
    assert_true(fabs(pmu->phasor[1].first + 66998) < 1 && fabs(pmu->phasor[1].second + 116052) < 1);
    assert_true(fabs(pmu->phasor[2].second - 116043) < 1);
    assert_true(fabs(pmu->phasor[3].first - 499.87) < 0.01);
    assert_true(fabs(pmu->frequency_hz - 62.5) < 1e-9 && pmu->rocof_hz_per_s == 0);
    assert_true(pmu->analog[0] == 100 && pmu->analog[1] == 1000 && pmu->analog[2] == 10000);
    assert_int_equal(pmu->digital[0], 0x3c12);
}

static void whole_numbers_in_polar_form_and_missing_ones(void **state)
{
    (void)state;
    struct bytes cfg = plain_config(7734, C37_POLAR, 4, 0, 0);
    struct bytes data = from_hex("aa0100261e3644853600000041b10000" "ea60" "7ab7" "8000" "8000" "0001" "8547"
                                 "0002" "0000" "8000" "fff6" "0000");
    struct c37_config config;
    struct phasors phasors;
    const struct phasors_pmu *pmu = &phasors.pmu[0];

    data.data[3] = (uint8_t)data.bytes;
    seal(&data);
    assert_int_equal(configure(&cfg, &config), METER_ACCEPTED);
    assert_int_equal(config.data_bytes, data.bytes);
    assert_int_equal(c37_data_decode(&config, data.data, data.bytes, &phasors), METER_ACCEPTED);
    assert_true(fabs(pmu->phasor[0].first - 60000 * 9.15527) < 1e-6 &&
                fabs(pmu->phasor[0].second - 3.1415) < 1e-9);
    assert_true(isnan(pmu->phasor[1].first) && isnan(pmu->phasor[1].second));
    assert_true(fabs(pmu->phasor[2].second + 3.1417) < 1e-9);
    assert_true(isnan(pmu->frequency_hz));
    assert_true(fabs(pmu->rocof_hz_per_s + 0.1) < 1e-12);
    assert_int_equal(pmu->missing, 2);
}

static void floats_that_are_no_numbers_are_missing(void **state)
{
    (void)state;
    struct bytes cfg = from_hex(cfg2_hex), data = from_hex(locked_hex);
    struct c37_config config;
    struct phasors phasors;

    memset(data.data + 16, 0xff, 4);            /* the first phasor's magnitude */
    memcpy(data.data + 64, "\x7f\x80\0", 4);    /* the frequency: infinite */
    memset(data.data + 72, 0xff, 4);
    seal(&data);
    assert_int_equal(configure(&cfg, &config), METER_ACCEPTED);
    assert_int_equal(c37_data_decode(&config, data.data, data.bytes, &phasors), METER_ACCEPTED);
    assert_true(isnan(phasors.pmu[0].phasor[0].first) && isnan(phasors.pmu[0].phasor[0].second));
    assert_true(isnan(phasors.pmu[0].frequency_hz) && isnan(phasors.pmu[0].analog[0]));
    assert_true(phasors.pmu[0].phasor[1].first == 277.125);
    assert_int_equal(phasors.pmu[0].missing, 3);
}

static void data_refused(struct bytes data, int refusal)
{
    struct bytes cfg = from_hex(cfg2_hex);
    struct c37_config config;
    struct phasors phasors;
    uint8_t *own = malloc(data.bytes ? data.bytes : 1);

    assert_non_null(own);
    memcpy(own, data.data, data.bytes);
    assert_int_equal(configure(&cfg, &config), METER_ACCEPTED);
    assert_int_equal(c37_data_decode(&config, own, data.bytes, &phasors), refusal);
    free(own);
}

static void damaged_and_foreign_frames_are_refused(void **state)
{
    (void)state;
    struct bytes data = from_hex(locked_hex);

    data_refused(data, METER_ACCEPTED);
    data.data[40] ^= 1;
    data_refused(data, METER_CHECKSUM);
    for (data.bytes = 0; data.bytes < 84; data.bytes++)
        data_refused(data, data.bytes < 2 ? METER_MAGIC : METER_TRUNCATED);
    data.bytes = 85;
    data_refused(data, METER_OVERSIZED);
    data_refused(changed(locked_hex, 0, 0xab), METER_MAGIC);
    data_refused(changed(locked_hex, 1, 0x62), METER_MAGIC);
    data_refused(changed(locked_hex, 1, 0x03), METER_VERSION);
    data_refused(changed(locked_hex, 1, 0x00), METER_VERSION);
    data_refused(changed(locked_hex, 3, 15), METER_MALFORMED);
    data_refused(changed(locked_hex, 1, 0x12), METER_MAGIC);
    data_refused(changed(locked_hex, 5, 0x66), METER_OTHER);
    data_refused(changed(locked_hex, 11, 0xff), METER_MALFORMED);   /* a fraction beyond its second */
}

static void config_refused(struct bytes frame, int refusal)
{
    struct c37_config config;

    assert_int_equal(configure(&frame, &config), refusal);
}

static void configurations_that_cannot_be_are_refused(void **state)
{
    (void)state;
    struct bytes frame = from_hex(cfg2_hex);

    config_refused(frame, METER_ACCEPTED);
    config_refused(from_hex(locked_hex), METER_MAGIC);
    config_refused(changed(cfg2_hex, 17, 0x41), METER_ACCEPTED);    /* another time base */
    frame.data[15] = frame.data[16] = frame.data[17] = 0;
    seal(&frame);
    config_refused(frame, METER_MALFORMED);
    config_refused(changed(cfg2_hex, 19, 0), METER_SHAPE);
    config_refused(changed(cfg2_hex, 19, PHASORS_PMUS_MAX + 1), METER_SHAPE);
    config_refused(changed(cfg2_hex, 19, 2), METER_MALFORMED);      /* the second one is not there */
    config_refused(changed(cfg2_hex, 41, PHASORS_MAX + 1), METER_SHAPE);
    config_refused(changed(cfg2_hex, 41, 5), METER_MALFORMED);
    config_refused(changed(cfg2_hex, 41, 7), METER_MALFORMED);
    config_refused(changed(cfg2_hex, 43, PHASORS_ANALOGS_MAX + 1), METER_SHAPE);
    config_refused(changed(cfg2_hex, 45, PHASORS_DIGITALS_MAX + 1), METER_SHAPE);
    for (uint32_t cut = C37_FRAME_MIN; cut < 474; cut++) {
        frame = from_hex(cfg2_hex);
        frame.bytes = cut;
        frame.data[2] = (uint8_t)(cut >> 8);
        frame.data[3] = (uint8_t)cut;
        seal(&frame);
        struct c37_config config;
        assert_int_not_equal(configure(&frame, &config), METER_ACCEPTED);
    }
    config_refused(changed(cfg3_hex, 15, 1), METER_CONFIG_PARTS);
    config_refused(changed(cfg3_hex, 20, 9), METER_SHAPE);
}

/* Six PMUs of 32 phasors as floats: a data frame of 1592 bytes. */
static void data_that_no_datagram_holds_is_a_configuration_error(void **state)
{
    (void)state;
    struct bytes one = plain_config(9, C37_PHASORS_FLOAT, 32, 0, 0), all = one;
    struct c37_config config;
    const uint32_t first = 20, block = one.bytes - first - 4;

    assert_int_equal(configure(&one, &config), METER_ACCEPTED);
    assert_int_equal(config.data_bytes, 278);
    for (uint32_t i = 1; i < 6; i++)
        memcpy(all.data + first + i * block, one.data + first, block);
    memcpy(all.data + first + 6 * block, one.data + first + block, 2);
    all.bytes = first + 6 * block + 4;
    all.data[2] = (uint8_t)(all.bytes >> 8);
    all.data[3] = (uint8_t)all.bytes;
    all.data[19] = 6;
    seal(&all);
    config_refused(all, METER_MTU);
    assert_string_equal(meter_refusal_name(METER_MTU), "mtu");
}

static int receive(struct c37_stream *stream, struct bytes frame, uint32_t *frames)
{
    struct phasors phasors;

    return c37_receive(stream, frame.data, frame.bytes, &phasors, frames);
}

static void takes(struct c37_stream *stream, struct bytes frame, uint32_t wanted)
{
    uint32_t frames;

    assert_int_equal(receive(stream, frame, &frames), METER_ACCEPTED);
    assert_int_equal(frames, wanted);
}

static void refuses(struct c37_stream *stream, struct bytes frame, int refusal)
{
    uint32_t frames;

    assert_int_equal(receive(stream, frame, &frames), refusal);
    assert_int_equal(frames, 0);
}

static void data_wait_for_their_configuration(void **state)
{
    (void)state;
    static struct c37_stream stream;

    memset(&stream, 0, sizeof stream);
    refuses(&stream, from_hex(locked_hex), METER_CONFIG_UNKNOWN);
    takes(&stream, from_hex("aa420012006568665bd50f07a1200002f7e2"), 0);
    takes(&stream, changed(cfg2_hex, 1, 0x22), 0);      /* CFG-1 says what it could send */
    refuses(&stream, from_hex(locked_hex), METER_CONFIG_UNKNOWN);
    takes(&stream, from_hex(cfg3_hex), 0);
    takes(&stream, from_hex(locked_hex), 1);
    refuses(&stream, from_hex(header_hex), METER_OTHER);
    takes(&stream, from_hex(locked_hex), 1);
}

static struct bytes shorter_data(void)
{
    struct bytes data = from_hex(locked_hex);

    data.bytes -= 2;
    data.data[3] = (uint8_t)data.bytes;
    seal(&data);
    return data;
}

/* CFGCNT of the only PMU stands before the rate and the checksum. */
static struct bytes renewed(const char *hex)
{
    struct bytes frame = from_hex(hex);

    frame.data[frame.bytes - 5]++;
    seal(&frame);
    return frame;
}

static uint16_t cfg2_changes(void)
{
    struct bytes frame = from_hex(cfg2_hex);

    return (uint16_t)(frame.data[frame.bytes - 6] << 8 | frame.data[frame.bytes - 5]);
}

/* A data frame of so many bytes between its head and its checksum, all zero. */
static struct bytes plain_data(uint16_t id, uint16_t bytes)
{
    struct bytes frame = from_hex("aa01");

    memset(frame.data + 2, 0, 14u + bytes);
    frame.bytes = 16u + bytes;
    frame.data[3] = (uint8_t)frame.bytes;
    frame.data[5] = (uint8_t)id;
    seal(&frame);
    return frame;
}

static void a_configuration_that_changes_is_followed_or_refused(void **state)
{
    (void)state;
    static struct c37_stream stream;
    const struct bytes pending = changed(locked_hex, 14, 0x04);     /* STAT bit 10 */

    memset(&stream, 0, sizeof stream);
    takes(&stream, from_hex(cfg2_hex), 0);
    refuses(&stream, shorter_data(), METER_CONFIG_CHANGED);
    refuses(&stream, from_hex(locked_hex), METER_CONFIG_UNKNOWN);
    takes(&stream, from_hex(cfg2_hex), 0);
    takes(&stream, pending, 1);
    takes(&stream, pending, 1);
    refuses(&stream, from_hex(locked_hex), METER_CONFIG_CHANGED);   /* changed, and nobody said to what */
    refuses(&stream, from_hex(locked_hex), METER_CONFIG_UNKNOWN);
    takes(&stream, from_hex(cfg2_hex), 0);
    takes(&stream, pending, 1);
    takes(&stream, renewed(cfg2_hex), 0);
    takes(&stream, pending, 1);
    assert_int_equal(stream.config.pmu[0].changes, cfg2_changes());     /* not yet */
    takes(&stream, from_hex(locked_hex), 1);
    assert_int_equal(stream.config.pmu[0].changes, cfg2_changes() + 1);
    takes(&stream, from_hex(locked_hex), 1);
    refuses(&stream, changed(cfg3_hex, 15, 2), METER_CONFIG_PARTS);     /* the first part is missing */
    refuses(&stream, from_hex(locked_hex), METER_CONFIG_UNKNOWN);
}

/* What a sender says again while it announces a change is what it was, in whichever kind of frame. */
static void a_configuration_said_again_is_no_new_one(void **state)
{
    (void)state;
    static struct c37_stream stream;
    static const char *const again[] = {cfg2_hex, cfg3_hex};
    const struct bytes pending = changed(locked_hex, 14, 0x04);

    for (int i = 0; i < 2; i++) {
        memset(&stream, 0, sizeof stream);
        takes(&stream, from_hex(cfg2_hex), 0);
        takes(&stream, pending, 1);
        takes(&stream, from_hex(again[i]), 0);
        takes(&stream, pending, 1);
        refuses(&stream, from_hex(locked_hex), METER_CONFIG_CHANGED);
        refuses(&stream, from_hex(locked_hex), METER_CONFIG_UNKNOWN);
        takes(&stream, from_hex(cfg2_hex), 0);
        takes(&stream, from_hex(locked_hex), 1);
    }
}

/* The new one has another size: data under it are not read under the old one, nor the other way round. */
static void a_configuration_of_another_size_waits_for_its_data(void **state)
{
    (void)state;
    static struct c37_stream stream;
    struct bytes old = plain_config(7, 0, 1, 0, 0), new = plain_config(7, 0, 2, 0, 0);
    struct bytes small = plain_data(7, 10), large = plain_data(7, 14);

    memset(&stream, 0, sizeof stream);
    takes(&stream, old, 0);
    takes(&stream, small, 1);
    small.data[14] = 0x04;
    seal(&small);
    takes(&stream, small, 1);
    takes(&stream, new, 0);
    takes(&stream, small, 1);
    takes(&stream, large, 1);
    takes(&stream, large, 1);
    refuses(&stream, small, METER_CONFIG_CHANGED);
}

enum { PART_AT = 16 };

/* Bytes `from` to `to` of the body of the CFG-3 above as frame `index` of several. */
static struct bytes part(const struct bytes *whole, uint32_t index, uint32_t from, uint32_t to)
{
    struct bytes frame = *whole;

    frame.data[PART_AT - 2] = (uint8_t)(index >> 8);
    frame.data[PART_AT - 1] = (uint8_t)index;
    memcpy(frame.data + PART_AT, whole->data + PART_AT + from, to - from);
    frame.bytes = PART_AT + (to - from) + 2;
    frame.data[2] = (uint8_t)(frame.bytes >> 8);
    frame.data[3] = (uint8_t)frame.bytes;
    seal(&frame);
    return frame;
}

static uint32_t body_bytes(const struct bytes *whole)
{
    return whole->bytes - PART_AT - 2;
}

/* Wherever it is cut, also in the middle of a field. */
static void a_configuration_in_several_frames_is_put_together(void **state)
{
    (void)state;
    static struct c37_stream stream, once;
    const struct bytes whole = from_hex(cfg3_hex);
    const uint32_t body = body_bytes(&whole);

    memset(&once, 0, sizeof once);
    takes(&once, whole, 0);
    for (uint32_t cut = 0; cut <= body; cut++) {
        memset(&stream, 0, sizeof stream);
        takes(&stream, part(&whole, 1, 0, cut), 0);
        refuses(&stream, from_hex(locked_hex), METER_CONFIG_UNKNOWN);
        takes(&stream, part(&whole, 2, cut, (cut + body) / 2), 0);
        takes(&stream, part(&whole, 0xFFFF, (cut + body) / 2, body), 0);
        takes(&stream, from_hex(locked_hex), 1);
        assert_int_equal(stream.print, once.print);
        assert_int_equal(stream.config.data_bytes, once.config.data_bytes);
        struct c37_text name = c37_name(stream.parts.joined, &stream.config, 0, 7);
        assert_int_equal(name.bytes, 8);
        assert_memory_equal(name.at, "P_TOT_MW", 8);
    }
}

static void parts_that_are_missing_or_twice(void **state)
{
    (void)state;
    static struct c37_stream stream;
    const struct bytes whole = from_hex(cfg3_hex), data = from_hex(locked_hex);
    const uint32_t body = body_bytes(&whole);
    const struct bytes first = part(&whole, 1, 0, 90), second = part(&whole, 2, 90, 200),
                       last = part(&whole, 0xFFFF, 200, body);

    memset(&stream, 0, sizeof stream);
    refuses(&stream, last, METER_CONFIG_PARTS);
    takes(&stream, first, 0);
    refuses(&stream, part(&whole, 3, 90, 200), METER_CONFIG_PARTS);
    refuses(&stream, second, METER_CONFIG_PARTS);       /* what was gathered is gone */
    takes(&stream, first, 0);
    takes(&stream, first, 0);                           /* the first one begins anew */
    takes(&stream, second, 0);
    refuses(&stream, second, METER_DUPLICATE);
    takes(&stream, last, 0);
    takes(&stream, data, 1);
    refuses(&stream, last, METER_DUPLICATE);            /* and what was known stands */
    takes(&stream, data, 1);
    takes(&stream, first, 0);                           /* said again: data in between are as before */
    takes(&stream, data, 1);
    refuses(&stream, last, METER_MALFORMED);            /* the second one is missing: too short */
    refuses(&stream, data, METER_CONFIG_UNKNOWN);
    takes(&stream, first, 0);
    takes(&stream, whole, 0);
    takes(&stream, data, 1);
    takes(&stream, second, 0);                          /* a whole one in between ends nothing */
    takes(&stream, last, 0);
    takes(&stream, data, 1);
    refuses(&stream, part(&whole, 7, 90, 200), METER_CONFIG_PARTS);
    refuses(&stream, data, METER_CONFIG_UNKNOWN);       /* a configuration that nobody can read: no guess */
}

static void parts_beyond_their_bound_are_refused(void **state)
{
    (void)state;
    static struct c37_stream stream;
    struct bytes whole = from_hex(cfg3_hex);
    const uint32_t piece = 8000, room = C37_JOINED_BYTES - PART_AT;

    memset(&stream, 0, sizeof stream);
    takes(&stream, part(&whole, 1, 0, piece), 0);
    takes(&stream, part(&whole, 2, 0, piece), 0);
    takes(&stream, part(&whole, 3, 0, room - 2 * piece), 0);
    takes(&stream, part(&whole, 4, 0, 0), 0);
    assert_int_equal(stream.parts.bytes, C37_JOINED_BYTES);
    refuses(&stream, part(&whole, 5, 0, 1), METER_CONFIG_PARTS);
    takes(&stream, part(&whole, 1, 0, piece), 0);
    takes(&stream, part(&whole, 2, 0, piece), 0);
    refuses(&stream, part(&whole, 3, 0, room - 2 * piece + 1), METER_CONFIG_PARTS);
}

static void commands_and_headers_are_known(void **state)
{
    (void)state;
    struct bytes on = from_hex("aa4100121e36448560300f0bbfd00002ce00"), header = from_hex(header_hex);
    struct bytes third = from_hex("aa420012006568665bd50f07a1200006b766"), short_one = on;
    struct c37_head head;
    uint16_t command;

    assert_int_equal(c37_command_decode(on.data, on.bytes, &command), METER_ACCEPTED);
    assert_int_equal(command, C37_DATA_ON);
    assert_int_equal(c37_command_decode(third.data, third.bytes, &command), METER_ACCEPTED);
    assert_int_equal(command, C37_SEND_CFG3);
    assert_int_equal(c37_command_decode(header.data, header.bytes, &command), METER_MAGIC);
    assert_int_equal(c37_check(header.data, header.bytes, &head), METER_ACCEPTED);
    assert_int_equal(head.type, C37_HEADER);
    assert_int_equal(head.id, 7734);
    short_one.bytes = short_one.data[3] = 16;
    seal(&short_one);
    assert_int_equal(c37_command_decode(short_one.data, short_one.bytes, &command), METER_TRUNCATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configurations_of_both_kinds_read_alike),
        cmocka_unit_test(data_read_as_the_notes_say),
        cmocka_unit_test(whole_numbers_are_scaled),
        cmocka_unit_test(whole_numbers_in_polar_form_and_missing_ones),
        cmocka_unit_test(floats_that_are_no_numbers_are_missing),
        cmocka_unit_test(damaged_and_foreign_frames_are_refused),
        cmocka_unit_test(configurations_that_cannot_be_are_refused),
        cmocka_unit_test(data_that_no_datagram_holds_is_a_configuration_error),
        cmocka_unit_test(data_wait_for_their_configuration),
        cmocka_unit_test(a_configuration_that_changes_is_followed_or_refused),
        cmocka_unit_test(a_configuration_said_again_is_no_new_one),
        cmocka_unit_test(a_configuration_of_another_size_waits_for_its_data),
        cmocka_unit_test(a_configuration_in_several_frames_is_put_together),
        cmocka_unit_test(parts_that_are_missing_or_twice),
        cmocka_unit_test(parts_beyond_their_bound_are_refused),
        cmocka_unit_test(commands_and_headers_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
