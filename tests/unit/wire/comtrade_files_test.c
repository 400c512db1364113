/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings of real devices, against sums that an independent reader took over each of some channels. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/comtrade.h"

enum { SKIP = 77, ANALOGS_MAX = 96, STATUSES_MAX = 128, WANTS = 2 };

struct file {
    uint8_t *data;
    size_t bytes;
};

/* What one channel holds over all samples. */
struct channel {
    uint32_t index;
    double first, sum, squares;
};

struct want {
    const char *path, *cfg, *dat;
    uint32_t revision, analogs, statuses, rates;
    uint64_t samples, ones, steps;
    int64_t end_ns, trigger_ns;         /* after the first sample */
    struct channel channel[WANTS];
};

static const struct want wants[] = {
    {"comtrade_220kv/xtz", ".cfg", ".dat", 1999, 48, 96, 4, 3077, 32834, 0, INT64_C(7337800000), 199936000,
     {{0, -84.690774, 27805.7187, 11837983.5}, {8, -0.6644533, 233.75103, 805.623508}}},
    {"comtrade_220kv/ygz", ".cfg", ".dat", 1999, 96, 128, 4, 2830, 352961, 0, INT64_C(7438231000), 199910000,
     {{0, -78.5192436, -2049.22085, 2817681.61}, {12, -78.57564, 28388.1052, 10785001.7}}},
    {"comtrade_220kv/ymz", ".cfg", ".dat", 1999, 80, 80, 4, 2977, 71448, 1, INT64_C(4406250000), 80000000,
     {{0, 85.0944008, 62894.8533, 12904540.7}, {8, -0.204799984, 180.607986, 178.02229}}},
    {"comtrade_220kv/D51_RCD_2346_20150917_105253_065_F", ".cfg", ".dat", 1991, 24, 37, 8, 2131, 19962, 5,
     INT64_C(17335833000), 77500000, {{4, 0.025, -5.649, 0.412991}, {5, -0.005, -15.795, 0.281725}}},
    {"comtrade_600v/keating_1999", ".CFG", ".DAT", 1999, 8, 0, 1, 2048, 0, 0, INT64_C(66661794), 24956000,
     {{0, -5.67153311, 13860.3179, 32569758.7}, {4, -208.397656, 4244.5515, 249378458}}},
};

static bool read_file(const char *path, const char *ending, struct file *file)
{
    char name[512];

    snprintf(name, sizeof name, "%s/../shared/data/%s%s", getenv("SOURCE_ROOT"), path, ending);
    FILE *in = fopen(name, "rb");
    if (!in)
        return false;
    assert_int_equal(fseek(in, 0, SEEK_END), 0);
    file->bytes = (size_t)ftell(in);
    rewind(in);
    file->data = malloc(file->bytes);
    assert_non_null(file->data);
    assert_int_equal(fread(file->data, 1, file->bytes, in), file->bytes);
    fclose(in);
    return true;
}

static bool near(double is, double wanted)
{
    return fabs(is - wanted) <= 2e-8 * fabs(wanted);
}

/* The end is held to the recorder's own stamp: its clock and its sampling rate agree within 0.1 %. */
static void check_samples(const struct want *want, const struct comtrade *recording, const struct file *dat)
{
    struct comtrade_reader reader;
    struct comtrade_sample sample = {0};
    struct comtrade_fault fault;
    double value[ANALOGS_MAX], sum[WANTS] = {0}, squares[WANTS] = {0};
    uint8_t status[STATUSES_MAX];
    uint64_t samples = 0, ones = 0, steps = 0;
    int rc;

    comtrade_rewind(&reader, recording, dat->data, dat->bytes);
    while ((rc = comtrade_next(&reader, value, status, &sample, &fault)) > 0) {
        for (int i = 0; i < WANTS; i++) {
            double x = value[want->channel[i].index];
            assert_true(samples || near(x, want->channel[i].first));
            sum[i] += x;
            squares[i] += x * x;
        }
        for (uint32_t i = 0; i < recording->statuses; i++)
            ones += status[i];
        samples++;
        assert_int_equal(sample.number, samples);
        assert_int_equal(sample.missing, 0);
        steps += !!(sample.flags & COMTRADE_STEP);
    }
    assert_int_equal(rc, 0);
    assert_int_equal(samples, want->samples);
    assert_int_equal(ones, want->ones);
    assert_int_equal(steps, want->steps);
    assert_true(llabs(sample.t_ns - want->end_ns) <= want->end_ns / 1000);
    for (int i = 0; i < WANTS; i++)
        assert_true(near(sum[i], want->channel[i].sum) && near(squares[i], want->channel[i].squares));
}

static void check_recording(const struct want *want)
{
    struct file cfg, dat;
    struct comtrade recording;
    struct comtrade_fault fault;

    assert_true(read_file(want->path, want->cfg, &cfg) && read_file(want->path, want->dat, &dat));
    void *memory = malloc(comtrade_bytes(cfg.data, (uint32_t)cfg.bytes));
    assert_non_null(memory);
    int rc = comtrade_parse(cfg.data, (uint32_t)cfg.bytes, memory, &recording, &fault);
    if (rc)
        print_message("%s:%u:%u: %s\n", want->path, (uint32_t)fault.line, fault.field, fault.what);
    assert_int_equal(rc, 0);
    assert_int_equal(recording.revision, want->revision);
    assert_int_equal(recording.analogs, want->analogs);
    assert_int_equal(recording.statuses, want->statuses);
    assert_int_equal(recording.rates, want->rates);
    assert_int_equal(comtrade_samples(&recording), want->samples);
    assert_int_equal(recording.trigger_ns - recording.start_ns, want->trigger_ns);
    check_samples(want, &recording, &dat);
    free(memory);
    free(cfg.data);
    free(dat.data);
}

static void every_recording_reads_as_an_independent_reader_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wants / sizeof *wants; i++) {
        print_message("%s\n", wants[i].path);
        check_recording(&wants[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_recording_reads_as_an_independent_reader_says),
    };
    struct file file;

    if (!read_file("comtrade_600v/LICENSE", "", &file)) {
        printf("skipped: no ../shared/data/comtrade_* beside the repository\n");
        return SKIP;
    }
    free(file.data);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
