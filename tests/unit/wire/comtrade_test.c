/* SPDX-License-Identifier: Apache-2.0 */
/* COMTRADE: the worked example of the protocol notes in every form, and what is refused, with its place. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hex.h"
#include "wire/comtrade.h"

enum { ANALOGS = 6, STATUSES = 2, SAMPLES = 4, ROOM = 8192 };

#define CHANNELS \
    "1,VA,A,PDU-A01,V,0.02,0,0,-32767,32767,1,1,P\r\n" \
    "2,VB,B,PDU-A01,V,0.02,0,0,-32767,32767,1,1,P\r\n" \
    "3,VC,C,PDU-A01,V,0.02,0,0,-32767,32767,1,1,P\r\n" \
    "4,IA,A,PDU-A01,A,0.125,0,0,-32767,32767,800,1,P\r\n" \
    "5,IB,B,PDU-A01,A,0.125,0,0,-32767,32767,800,1,P\r\n" \
    "6,IC,C,PDU-A01,A,0.125,0,0,-32767,32767,800,1,P\r\n" \
    "1,SAG,,PDU-A01,0\r\n2,EMERG,,PDU-A01,0\r\n"
#define TIMES "03/07/2025,10:30:45.123456\r\n03/07/2025,10:30:45.123706\r\n"
#define CFG_2013(form) "AIDC,PDU-A01,2013\r\n8,6A,2D\r\n" CHANNELS "60\r\n1\r\n8000,4\r\n" TIMES form \
    "\r\n1\r\n0,0\r\n4,0\r\n"
#define CFG_1999 "AIDC,PDU-A01,1999\r\n8,6A,2D\r\n" CHANNELS "60\r\n1\r\n8000,4\r\n" TIMES "BINARY\r\n"
#define DAT_ASCII \
    "1,0,19596,-9798,-9798,6557,-4800,-1757,0,0\r\n" \
    "2,125,19574,-8988,-10587,6632,-4569,-2064,0,0\r\n" \
    "3,250,19509,-8157,-11352,6693,-4327,-2366,0,1\r\n" \
    "4,375,19400,-7309,-12091,6739,-4076,-2663,0,1\r\n\x1a"

static const char dat_binary[] =
    "01000000000000008c4cbad9bad99d1940ed23f90000" "020000007d000000764ce4dca5d6e81927eef0f70000"
    "03000000fa000000354c23e0a8d3251a19efc2f60200" "0400000077010000c84b73e3c5d0531a14f099f50200";

static const int16_t raw[SAMPLES][ANALOGS] = {
    {19596, -9798, -9798, 6557, -4800, -1757}, {19574, -8988, -10587, 6632, -4569, -2064},
    {19509, -8157, -11352, 6693, -4327, -2366}, {19400, -7309, -12091, 6739, -4076, -2663},
};

/* A configuration in a block of its own, so that one byte too far is outside. */
struct loaded {
    uint8_t *cfg;
    void *memory;
    struct comtrade recording;
    struct comtrade_fault fault;
    int rc;
};

static struct loaded load(const char *text)
{
    struct loaded loaded = {0};
    uint32_t bytes = (uint32_t)strlen(text);

    loaded.cfg = malloc(bytes ? bytes : 1);
    assert_non_null(loaded.cfg);
    memcpy(loaded.cfg, text, bytes);
    loaded.memory = malloc(comtrade_bytes(loaded.cfg, bytes));
    assert_non_null(loaded.memory);
    loaded.rc = comtrade_parse(loaded.cfg, bytes, loaded.memory, &loaded.recording, &loaded.fault);
    return loaded;
}

static void unload(struct loaded *loaded)
{
    free(loaded->memory);
    free(loaded->cfg);
}

static bool text_is(struct comtrade_text text, const char *word)
{
    return text.bytes == strlen(word) && !memcmp(text.at, word, text.bytes);
}

static void check_example(const struct comtrade *recording, const void *dat, uint64_t bytes)
{
    struct comtrade_reader reader;
    struct comtrade_sample sample;
    struct comtrade_fault fault;
    double value[ANALOGS];
    uint8_t status[STATUSES];

    comtrade_rewind(&reader, recording, dat, bytes);
    for (int i = 0; i < SAMPLES; i++) {
        assert_int_equal(comtrade_next(&reader, value, status, &sample, &fault), 1);
        assert_int_equal(sample.number, i + 1);
        assert_int_equal(sample.t_ns, i * 125000);
        assert_int_equal(sample.flags, COMTRADE_STAMPED);
        assert_int_equal(sample.missing, 0);
        for (int k = 0; k < ANALOGS; k++)
            assert_true(value[k] == raw[i][k] * (k < 3 ? 0.02 : 0.125));
        assert_int_equal(status[0], 0);
        assert_int_equal(status[1], i >= 2);
    }
    assert_int_equal(comtrade_next(&reader, value, status, &sample, &fault), 0);
    assert_int_equal(comtrade_next(&reader, value, status, &sample, &fault), 0);
}

static void the_configuration_of_the_example_is_read(void **state)
{
    (void)state;
    struct loaded loaded = load(CFG_2013("ASCII"));
    const struct comtrade *recording = &loaded.recording;

    assert_int_equal(loaded.rc, 0);
    assert_true(text_is(recording->station, "AIDC") && text_is(recording->device, "PDU-A01"));
    assert_int_equal(recording->revision, 2013);
    assert_int_equal(recording->analogs, ANALOGS);
    assert_int_equal(recording->statuses, STATUSES);
    assert_true(text_is(recording->analog[4].name, "IB") && text_is(recording->analog[4].phase, "B"));
    assert_true(text_is(recording->analog[4].component, "PDU-A01"));
    assert_true(recording->analog[4].primary == 800 && recording->analog[4].side == 'P');
    assert_true(text_is(recording->status[1].name, "EMERG"));
    assert_true(recording->line_hz == 60 && recording->rates == 1 && recording->rate[0].rate_hz == 8000);
    assert_int_equal(comtrade_samples(recording), SAMPLES);
    assert_true(recording->dated);
    assert_int_equal(recording->start_ns, INT64_C(1751538645123456000));    /* 3 July, not 7 March */
    assert_int_equal(recording->trigger_ns - recording->start_ns, 250000);
    assert_int_equal(recording->form, COMTRADE_ASCII);
    assert_true(recording->stamp_ns == 1000);
    assert_int_equal(recording->offset_minutes, 0);
    assert_int_equal(recording->quality, 4);
    assert_int_equal(recording->leap, 0);
    unload(&loaded);
}

static void the_example_reads_the_same_in_text_and_binary(void **state)
{
    (void)state;
    struct loaded loaded = load(CFG_2013("ASCII"));
    uint8_t dat[ROOM];

    assert_int_equal(loaded.rc, 0);
    check_example(&loaded.recording, DAT_ASCII, strlen(DAT_ASCII));
    unload(&loaded);
    loaded = load(CFG_1999);
    assert_int_equal(loaded.rc, 0);
    assert_int_equal(loaded.recording.quality, 255);
    assert_int_equal(loaded.recording.offset_minutes, COMTRADE_CODE_UNKNOWN);
    check_example(&loaded.recording, dat, hex_read(dat_binary, dat));
    unload(&loaded);
}

static uint32_t write_wide(bool real, uint8_t *out)
{
    uint8_t *at = out;

    for (uint32_t i = 0; i < SAMPLES; i++) {
        const uint32_t head[2] = {i + 1, i * 125};
        const uint16_t word = i >= 2 ? 2 : 0;

        memcpy(at, head, sizeof head);
        at += sizeof head;
        for (int k = 0; k < ANALOGS; k++, at += 4) {
            float value = raw[i][k];
            int32_t whole = raw[i][k];
            memcpy(at, real ? (const void *)&value : (const void *)&whole, 4);
        }
        memcpy(at, &word, sizeof word);
        at += sizeof word;
    }
    return (uint32_t)(at - out);
}

static void the_wide_forms_of_2013_read_the_same(void **state)
{
    (void)state;
    uint8_t dat[ROOM];
    struct loaded loaded = load(CFG_2013("BINARY32"));

    assert_int_equal(loaded.rc, 0);
    check_example(&loaded.recording, dat, write_wide(false, dat));
    unload(&loaded);
    loaded = load(CFG_2013("float32"));
    assert_int_equal(loaded.rc, 0);
    check_example(&loaded.recording, dat, write_wide(true, dat));
    unload(&loaded);
}

static void check_parts(const uint8_t *cff, uint32_t bytes, uint64_t dat_bytes)
{
    struct comtrade_parts parts;
    struct comtrade_fault fault;

    assert_int_equal(comtrade_split(cff, bytes, &parts, &fault), 0);
    assert_int_equal(parts.dat_bytes, dat_bytes);
    assert_int_equal(parts.hdr.bytes, 7);
    assert_int_equal(parts.inf.bytes, 0);
    char *text = strndup((const char *)parts.cfg.at, parts.cfg.bytes);
    struct loaded loaded = load(text);
    assert_int_equal(loaded.rc, 0);
    check_example(&loaded.recording, parts.dat, parts.dat_bytes);
    unload(&loaded);
    free(text);
}

static void one_file_with_all_parts_reads_the_same(void **state)
{
    (void)state;
    uint8_t cff[ROOM];
    int bytes = snprintf((char *)cff, sizeof cff,
        "--- file type: CFG ---\r\n%s--- file type: INF ---\r\n--- file type: HDR ---\r\nhello\r\n"
        "--- file type: DAT BINARY: 88 ---\r\n", CFG_2013("BINARY"));
    uint32_t dat = hex_read(dat_binary, cff + bytes);

    check_parts(cff, (uint32_t)bytes + dat, 88);
    bytes = snprintf((char *)cff, sizeof cff,
        "--- file type: HDR ---\r\nhello\r\n--- file type: CFG ---\r\n%s\r\n"
        "--- file type: DAT ASCII ---\r\n%s", CFG_2013("ASCII"), DAT_ASCII);
    check_parts(cff, (uint32_t)bytes, strlen(DAT_ASCII));
}

static void split_refuses(const char *text, uint64_t line, const char *what)
{
    struct comtrade_parts parts;
    struct comtrade_fault fault;

    assert_int_equal(comtrade_split((const uint8_t *)text, strlen(text), &parts, &fault), -EINVAL);
    assert_int_equal(fault.line, line);
    assert_string_equal(fault.what, what);
}

static void one_file_with_parts_amiss_is_refused(void **state)
{
    (void)state;
    split_refuses("AIDC,PDU-A01,2013\r\n", 1, "should be a line like --- file type: CFG ---");
    split_refuses("--- file type: CFG ---\na\n", 2, "the part DAT is missing");
    split_refuses("--- file type: DAT ASCII ---\n1,2\n", 2, "the part CFG is missing");
    split_refuses("--- file type: CFG ---\n--- file type: CFG ---\n", 2, "this part is in the file twice");
    split_refuses("--- file type: DAT BINARY: 9 ---\n12345678", 1,
        "the file ends before the data that it announces");
    split_refuses("--- file type: DAT BINARY ---\n12345678", 1,
        "binary data should say how many bytes they are");
    split_refuses("--- file type: XYZ ---\n", 1, "is none of the parts CFG, INF, HDR and DAT");
}

#define HEAD "S,R,1999\n1,1A,0D\n"
#define ANALOG "1,VA,A,C,kV,0.5,1,0,-9,9,10,2,S\n"
#define TAIL "60\n1\n1000,9\n" TIMES "ASCII\n1\n"

static const struct {
    const char *text;
    uint64_t line;
    uint32_t field;
    const char *what;
} faults[] = {
    {"", 1, 0, "the line with the station is missing"},
    {"S\n", 1, 0, "should be station, recorder and year of the standard"},
    {"S,R,1998\n", 1, 3, "is a year of the standard that this reader does not know"},
    {"S,R,1999\n", 2, 0, "the line with the number of channels is missing"},
    {"S,R,1999\n1,1A\n", 2, 0, "should be the number of channels, of analog and of status ones"},
    {"S,R,1999\nx,1A,0D\n", 2, 1, "is not a whole number from 0 up"},
    {"S,R,1999\n2,1A,0D\n", 2, 1, "is not the sum of analog and status channels"},
    {"S,R,1999\n1,1,0D\n", 2, 2, "should be the number of analog channels and an A"},
    {"S,R,1999\n1,1A,0A\n", 2, 3, "should be the number of status channels and a D"},
    {"S,R,1999\n1,99999A,0D\n", 2, 2, "is more than this reader takes"},
    {HEAD, 3, 0, "an analog channel is missing"},
    {HEAD "1,VA,A\n", 3, 0, "an analog channel should have 10 (1991) or 13 fields"},
    {HEAD "x,VA,A,C,V,1,0,0,-9,9,1,1,P\n", 3, 1, "should be the number of the channel"},
    {HEAD "1,VA,A,C,V,,0,0,-9,9,1,1,P\n", 3, 6, "the factor of the channel is missing"},
    {HEAD "1,VA,A,C,V,1,0x,0,-9,9,1,1,P\n", 3, 7, "is not a number"},
    {HEAD "1,VA,A,C,V,1,0,0,-9,9,-1,1,P\n", 3, 11, "a rated value is negative"},
    {HEAD "1,VA,A,C,V,1,0,0,-9,9,1,-1,P\n", 3, 12, "a rated value is negative"},
    {HEAD "1,VA,A,C,V,1,0,0,-9,9,1,1,Q\n", 3, 13, "should be P or S"},
    {"S,R,1999\n1,0A,1D\n", 3, 0, "a status channel is missing"},
    {"S,R,1999\n1,0A,1D\n1,SAG,A,0\n", 3, 0, "a status channel should have 3 (1991) or 5 fields"},
    {"S,R,1999\n1,0A,1D\n1,SAG,A,C,2\n", 3, 5, "is more than this reader takes"},
    {HEAD ANALOG, 4, 0, "the line frequency is missing"},
    {HEAD ANALOG "60\n", 5, 0, "the number of sampling rates is missing"},
    {HEAD ANALOG "60\n1000\n", 5, 1, "is more than this reader takes"},
    {HEAD ANALOG "60\n1\n", 6, 0, "a line with a sampling rate is missing"},
    {HEAD ANALOG "60\n1\n1000\n", 6, 0, "should be a sampling rate and its last sample"},
    {HEAD ANALOG "60\n1\n0,9\n", 6, 1, "the sampling rate should be above 0 and at most 1 GHz"},
    {HEAD ANALOG "60\n0\n50,9\n", 6, 1, "should be 0 where no sampling rate is given"},
    {HEAD ANALOG "60\n2\n50,9\n50,9\n", 7, 2, "the last sample should be a number above the one before"},
    {HEAD ANALOG "60\n1\n1000,9\n", 7, 0, "the time of the first sample is missing"},
    {HEAD ANALOG "60\n1\n1000,9\n1/2\n", 7, 0, "should be a date and a time"},
    {HEAD ANALOG "60\n1\n1000,9\n1/2,00:00:00\n", 7, 1, "is not a date"},
    {HEAD ANALOG "60\n1\n1000,9\n03/07/1969,00:00:00\n", 7, 1, "the year is none between 1970 and 2200"},
    {HEAD ANALOG "60\n1\n1000,9\n07/13/2025,00:00:00\n", 7, 1,
     "the month, which stands second since 1999, is none"},
    {HEAD ANALOG "60\n1\n1000,9\n29/02/2025,00:00:00\n", 7, 1, "the day is none of that month"},
    {HEAD ANALOG "60\n1\n1000,9\n28/02/2025,00:00\n", 7, 2, "is not a time of day"},
    {HEAD ANALOG "60\n1\n1000,9\n28/02/2025,24:00:00\n", 7, 2, "there is no such time of day"},
    {HEAD ANALOG "60\n1\n1000,9\n28/02/2025,23:00:00\n", 8, 0, "the time of the trigger is missing"},
    {HEAD ANALOG "60\n1\n1000,9\n" TIMES, 9, 0, "the line with the form of the data is missing"},
    {HEAD ANALOG "60\n1\n1000,9\n" TIMES "TEXT\n", 9, 1, "is none of ASCII, BINARY, BINARY32 and FLOAT32"},
    {HEAD ANALOG "60\n1\n1000,9\n" TIMES "ASCII\n0\n", 10, 1, "the multiplier of stamps should be above 0"},
    {HEAD ANALOG TAIL "5h,0\n", 11, 1, "is not an offset from UTC"},
    {HEAD ANALOG TAIL "0,25\n", 11, 2, "is not an offset from UTC"},
    {HEAD ANALOG TAIL "0,0\nG,0\n", 12, 1, "should be one hexadecimal digit"},
    {HEAD ANALOG TAIL "0,0\n4,4\n", 12, 2, "is more than this reader takes"},
    {HEAD ANALOG TAIL "0,0\n4,3\n\nmore\n", 14, 0, "something stands behind the end of the configuration"},
};

static void what_is_wrong_is_named_with_line_and_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct loaded loaded = load(faults[i].text);

        assert_int_equal(loaded.rc, -EINVAL);
        assert_string_equal(loaded.fault.what, faults[i].what);
        assert_int_equal(loaded.fault.line, faults[i].line);
        assert_int_equal(loaded.fault.field, faults[i].field);
        unload(&loaded);
    }
}

static void codes_of_2013_are_read(void **state)
{
    (void)state;
    struct loaded loaded = load("S,R,2013\n1,1A,0D\n" ANALOG "50\n1\n1000,9\n"
        "29/02/2024,23:59:60.123456789\n\nBINARY32\n2\n-5h30,+2\nB,3\n\n\x1a");

    assert_int_equal(loaded.rc, 0);
    assert_int_equal(loaded.recording.offset_minutes, -330);
    assert_int_equal(loaded.recording.local_minutes, 120);
    assert_int_equal(loaded.recording.quality, 11);
    assert_int_equal(loaded.recording.leap, 3);
    assert_true(loaded.recording.stamp_ns == 2);
    assert_int_equal(loaded.recording.start_ns, INT64_C(1709251200123456789));
    assert_false(loaded.recording.dated);
    unload(&loaded);
}

static void files_of_1991_have_fewer_fields_and_the_month_first(void **state)
{
    (void)state;
    struct loaded loaded = load("S,R\n2,1A,1D\n1,Ua,A,,V,0.1,0,0,-2048,2047\n2,trip,1\n50\n1\n1000,9\n"
        "09/17/15,10:52:52.987545\n12/31/99,10:52:53.065045\nASCII\n");

    assert_int_equal(loaded.rc, 0);
    assert_int_equal(loaded.recording.revision, 1991);
    assert_int_equal(loaded.recording.start_ns, INT64_C(1442487172987545000));
    assert_int_equal(loaded.recording.trigger_ns, INT64_C(946637573065045000));
    assert_int_equal(loaded.recording.analog[0].side, 0);
    assert_true(comtrade_factor(&loaded.recording.analog[0], 'P') == 1);
    assert_int_equal(loaded.recording.status[0].normal, 1);
    assert_int_equal(loaded.recording.status[0].phase.bytes, 0);
    unload(&loaded);
}

/* One channel, a = 1, b = 0; `rates` is what stands between line frequency and times. */
static struct loaded one_channel(const char *revision, const char *rates, const char *form)
{
    char text[512];

    snprintf(text, sizeof text,
             "S,R,%s\n1,1A,0D\n1,VA,A,C,V,1,0,0,-32767,32767,1,1,P\n60\n%s" TIMES "%s\n1\n", revision, rates,
             form);
    return load(text);
}

struct want {
    int64_t t_ns;
    uint32_t flags;
    bool missing;
};

static void check_times(const struct loaded *loaded, const char *dat, const struct want *want, int count)
{
    struct comtrade_reader reader;
    struct comtrade_sample sample;
    struct comtrade_fault fault;
    double value;

    assert_int_equal(loaded->rc, 0);
    comtrade_rewind(&reader, &loaded->recording, (const uint8_t *)dat, strlen(dat));
    for (int i = 0; i < count; i++) {
        assert_int_equal(comtrade_next(&reader, &value, NULL, &sample, &fault), 1);
        assert_int_equal(sample.t_ns, want[i].t_ns);
        assert_int_equal(sample.flags, want[i].flags);
        assert_int_equal(sample.missing, want[i].missing);
        assert_true(isnan(value) == want[i].missing);
    }
    assert_int_equal(comtrade_next(&reader, &value, NULL, &sample, &fault), 0);
}

static void rates_say_when_and_stamps_where_recording_paused(void **state)
{
    (void)state;
    enum { ON = COMTRADE_STAMPED, STEP = COMTRADE_STEP, OUT = COMTRADE_LEFT_OUT };
    struct loaded loaded = one_channel("1999", "2\n3000,3\n100,6\n", "ASCII");
    static const struct want mixed[] = {{0, ON, 0}, {333333, ON, 0}, {666667, ON, 0}, {1000000, ON, 0},
                                        {11000000, 0, 0}, {500000000, ON | STEP, 0}};
    check_times(&loaded, "1,-10,1\n2,323,1\n3,657,1\n4,990,1\n5,,1\n6,499990,1\n", mixed, 6);
    static const struct want left_out[] = {{0, 0, 0}, {333333, 0, 0}, {11000000, OUT, 0}};
    check_times(&loaded, "1,,1\n2,,1\n5,,1\n", left_out, 3);
    static const struct want late_stamp[] = {{0, 0, 0}, {333333, ON, 0}, {666667, ON, 0}};
    check_times(&loaded, "1,,1\n2,700,1\n3,1033,1\n", late_stamp, 3);
    unload(&loaded);
    loaded = one_channel("1999", "0\n0,3\n", "ASCII");
    static const struct want stamps[] = {{0, ON, 0}, {1000, ON, 0}, {5000, ON, 0}};
    check_times(&loaded, "1,7,1\n2,8,1\n3,12,1\n", stamps, 3);
    unload(&loaded);
}

static void samples_that_were_not_recorded_are_missing(void **state)
{
    (void)state;
    struct loaded loaded = one_channel("1999", "1\n1000,3\n", "ASCII");
    static const struct want want[] = {{0, 0, 1}, {1000000, 0, 1}, {2000000, 0, 0}};
    static const struct want later[] = {{0, 0, 1}, {1000000, 0, 0}, {2000000, 0, 0}};
    check_times(&loaded, "1,,\n2,,99999\n3,,99998\n", want, 3);
    unload(&loaded);
    loaded = one_channel("2013", "1\n1000,3\n", "ASCII");
    check_times(&loaded, "1,,\n2,,99999\n3,,99998\n", later, 3);
    unload(&loaded);
}

static void binary_reads(const char *form, const char *hex, int expected, double first, int64_t second_ns)
{
    struct loaded loaded = one_channel("2013", "0\n0,9\n", form);
    struct comtrade_reader reader;
    struct comtrade_sample sample;
    struct comtrade_fault fault = {0};
    uint8_t dat[64];
    double value;

    assert_int_equal(loaded.rc, 0);
    comtrade_rewind(&reader, &loaded.recording, dat, hex_read(hex, dat));
    assert_int_equal(comtrade_next(&reader, &value, NULL, &sample, &fault), 1);
    assert_true(isnan(first) ? isnan(value) && sample.missing == 1 : value == first);
    assert_int_equal(comtrade_next(&reader, &value, NULL, &sample, &fault), expected);
    if (expected > 0)
        assert_int_equal(sample.t_ns, second_ns);
    else
        assert_int_equal(fault.line, 2);
    unload(&loaded);
}

static void binary_samples_may_be_missing_and_stamps_begin_again(void **state)
{
    (void)state;
    binary_reads("BINARY", "01000000f0ffffff0080" "02000000100000000080", 1, (double)NAN, 32000);
    binary_reads("BINARY32", "010000001000000000000080" "020000000f00000000000000", 1, (double)NAN, -1000);
    binary_reads("FLOAT32", "01000000100000000000807f" "02000000200000000000c03f", 1, (double)NAN, 16000);
    binary_reads("FLOAT32", "01000000100000000000c03f" "02000000200000000000c03f", 1, 1.5, 16000);
    binary_reads("BINARY", "01000000100000000100" "0200000010000000ff", -EINVAL, 1, 0);
    binary_reads("BINARY", "01000000100000000100" "02000000ffffffff0000", -EINVAL, 1, 0);
}

static void data_refused(const char *dat, uint64_t line, uint32_t field, const char *what)
{
    struct loaded loaded = load("S,R,1999\n2,1A,1D\n" ANALOG "1,SAG,,C,0\n" TAIL);
    struct comtrade_reader reader;
    struct comtrade_sample sample;
    struct comtrade_fault fault = {0};
    double value;
    int rc;

    assert_int_equal(loaded.rc, 0);
    comtrade_rewind(&reader, &loaded.recording, (const uint8_t *)dat, strlen(dat));
    while ((rc = comtrade_next(&reader, &value, NULL, &sample, &fault)) > 0)
        assert_true(value == 2);
    assert_int_equal(rc, -EINVAL);
    assert_int_equal(fault.line, line);
    assert_int_equal(fault.field, field);
    assert_string_equal(fault.what, what);
    unload(&loaded);
}

/* How many samples there are to the end; of anything that is refused, none. */
static uint32_t data_read(const char *dat)
{
    struct loaded loaded = load("S,R,1999\n2,1A,1D\n" ANALOG "1,SAG,,C,0\n" TAIL);
    struct comtrade_reader reader;
    struct comtrade_sample sample;
    struct comtrade_fault fault = {0};
    uint32_t count = 0;
    double value;
    int rc;

    assert_int_equal(loaded.rc, 0);
    comtrade_rewind(&reader, &loaded.recording, (const uint8_t *)dat, strlen(dat));
    while ((rc = comtrade_next(&reader, &value, NULL, &sample, &fault)) > 0)
        count++;
    unload(&loaded);
    return rc ? 0 : count;
}

static void data_amiss_are_refused_with_line_and_field(void **state)
{
    (void)state;
    data_refused("x,0,2,0\n", 1, 1, "should be the number of the sample");
    data_refused("1,0,2,0\n2\n", 2, 1, "the stamp is missing");
    data_refused("1,0,2,0\n2,1.5,2,0\n", 2, 2, "should be a whole number of time units");
    data_refused("1,0\n", 1, 2, "has fewer fields than there are channels");
    data_refused("1,0,two,0\n", 1, 3, "is not a number");
    data_refused("1,0,2\n", 1, 3, "has fewer fields than there are channels");
    data_refused("1,0,2,2\n", 1, 4, "a status should be 0 or 1");
    data_refused("1,0,2,0,0\n", 1, 4, "has more fields than there are channels");
    data_refused("1,0,2,0\n\n2,0,2,0\n", 2, 0, "an empty line");
    data_refused("1,0,2,0\n\n\n\r\n2,0,2,0\n", 2, 0, "an empty line");
    assert_int_equal(data_read("1,0,2,0\n2,,2,0\n\n\n\r\n\n"), 2);
    assert_int_equal(data_read("1,0,2,0\n"), 1);
    data_refused("1,0,2,0\n10,,2,0\n", 2, 0, "more samples than the configuration promises");
    data_refused("1,-999999999999999999,2,0\n2,999999999999999999,2,0\n", 2, 0,
        "the stamp is beyond any recording");
}

static void sides_and_units_have_their_factors(void **state)
{
    (void)state;
    struct loaded loaded = load(HEAD ANALOG TAIL);
    struct comtrade_analog *analog = &loaded.recording.analog[0];
    static const struct {
        const char *unit;
        char quantity;
        double factor;
    } units[] = {{"kV", 'V', 1e3}, {"V", 'V', 1}, {"volt", 'V', 1}, {"ampere", 'A', 1}, {"mA", 'A', 1e-3},
                 {"MV", 'V', 1e6}, {"KA", 'A', 1e3}, {"Hz", 0, 0}, {"", 0, 0}};
    double factor = 0;

    assert_int_equal(loaded.rc, 0);
    assert_true(comtrade_factor(analog, 'P') == 5 && comtrade_factor(analog, 'S') == 1);
    analog->side = 'P';
    assert_true(comtrade_factor(analog, 'S') == 0.2 && comtrade_factor(analog, 'P') == 1);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        analog->unit =
            (struct comtrade_text){(const uint8_t *)units[i].unit, (uint32_t)strlen(units[i].unit)};
        assert_int_equal(comtrade_quantity(analog, &factor), units[i].quantity);
        assert_true(!units[i].quantity || factor == units[i].factor);
    }
    unload(&loaded);
}

static void shown(const char *text, uint32_t room, const char *want)
{
    char out[64];
    struct comtrade_text name = {(const uint8_t *)text, (uint32_t)strlen(text)};

    assert_int_equal(comtrade_show(name, out, room), strlen(want));
    assert_string_equal(out, want);
}

static void names_in_any_encoding_are_shown(void **state)
{
    (void)state;
    shown("Ua1", 64, "Ua1");
    shown("220kV\xc4\xb8\xcf\xdf", 64, "220kV\\xc4\\xb8\\xcf\\xdf");
    shown("\xb6\xd4\xb2\xe0", 64, "\\xb6\\xd4\\xb2\\xe0");
    shown("\xe2\x84\xa6 a\\b\x1b", 64, "\xe2\x84\xa6 a\\x5cb\\x1b");
    shown("\xed\xa0\x80\xc0\x80\xe2\x84", 64, "\\xed\\xa0\\x80\\xc0\\x80\\xe2\\x84");
    shown("\xf0\x9f\x94\x8c", 64, "\xf0\x9f\x94\x8c");
    shown("abcdef", 4, "abc");
    shown("ab\x01", 6, "ab");
    assert_int_equal(comtrade_show((struct comtrade_text){NULL, 0}, NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_configuration_of_the_example_is_read),
        cmocka_unit_test(the_example_reads_the_same_in_text_and_binary),
        cmocka_unit_test(the_wide_forms_of_2013_read_the_same),
        cmocka_unit_test(one_file_with_all_parts_reads_the_same),
        cmocka_unit_test(one_file_with_parts_amiss_is_refused),
        cmocka_unit_test(what_is_wrong_is_named_with_line_and_field),
        cmocka_unit_test(codes_of_2013_are_read),
        cmocka_unit_test(files_of_1991_have_fewer_fields_and_the_month_first),
        cmocka_unit_test(rates_say_when_and_stamps_where_recording_paused),
        cmocka_unit_test(samples_that_were_not_recorded_are_missing),
        cmocka_unit_test(binary_samples_may_be_missing_and_stamps_begin_again),
        cmocka_unit_test(data_amiss_are_refused_with_line_and_field),
        cmocka_unit_test(sides_and_units_have_their_factors),
        cmocka_unit_test(names_in_any_encoding_are_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
