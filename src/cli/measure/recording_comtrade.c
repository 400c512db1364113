/* SPDX-License-Identifier: Apache-2.0 */
/* COMTRADE: the channels of one meter out of a recording, in volts and amperes of the primary side. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/measure/recording.h"
#include "core/measure_meter.h"
#include "core/resample.h"
#include "wire/comtrade.h"

enum { PATH_BYTES = 4096, NONE = -1 };

struct comtrade_files {
    char *text, *samples;
    size_t text_bytes, samples_bytes;
    const uint8_t *cfg, *dat;
    uint32_t cfg_bytes;
    uint64_t dat_bytes;
};

struct comtrade_pick { int64_t channel[SAMPLES_CHANNELS_MAX]; double factor[SAMPLES_CHANNELS_MAX]; };

static int wrong(struct recording *recording, const struct comtrade_fault *fault, const char *part)
{
    recording->line = fault->line;
    if (fault->field)
        snprintf(recording->what, sizeof recording->what, "%s field %u: %s", part, fault->field, fault->what);
    else
        snprintf(recording->what, sizeof recording->what, "%s %s", part, fault->what);
    return -EINVAL;
}

static int refuse(struct recording *recording, const char *what)
{
    recording->line = 0;
    snprintf(recording->what, sizeof recording->what, "%s", what);
    return -EINVAL;
}

bool recording_is_comtrade(const char *path)
{
    size_t bytes = strlen(path);

    return bytes > 4 && (!strcasecmp(path + bytes - 4, ".cfg") || !strcasecmp(path + bytes - 4, ".cff"));
}

/* X.cfg has its samples in X.dat, in the same case or another. */
static int slurp_samples(const char *path, struct comtrade_files *files)
{
    static const char *const ending[] = {"dat", "DAT", "Dat"};
    char name[PATH_BYTES];
    size_t bytes = strlen(path);
    int rc = -ENOENT;

    if (bytes >= sizeof name)
        return -ENAMETOOLONG;
    memcpy(name, path, bytes + 1);
    for (uint32_t k = 0; rc == -ENOENT && k < sizeof ending / sizeof *ending; k++) {
        memcpy(name + bytes - 3, ending[k], 3);
        rc = recording_slurp(name, &files->samples, &files->samples_bytes);
    }
    files->dat = (const uint8_t *)files->samples;
    files->dat_bytes = files->samples_bytes;
    return rc;
}

static int read_files(struct recording *recording, const char *path, struct comtrade_files *files)
{
    struct comtrade_parts parts;
    struct comtrade_fault fault = {0};
    int rc = recording_slurp(path, &files->text, &files->text_bytes);

    if (rc)
        return rc;
    if (tolower((unsigned char)path[strlen(path) - 1]) != 'f') {
        files->cfg = (const uint8_t *)files->text;
        files->cfg_bytes = (uint32_t)files->text_bytes;
        return slurp_samples(path, files);
    }
    if (comtrade_split((const uint8_t *)files->text, files->text_bytes, &parts, &fault))
        return wrong(recording, &fault, "");
    files->cfg = parts.cfg.at;
    files->cfg_bytes = parts.cfg.bytes;
    files->dat = parts.dat;
    files->dat_bytes = parts.dat_bytes;
    return 0;
}

/* The first channel of a phase in volts or amperes. */
static int64_t find(const struct comtrade *source, char quantity, char phase)
{
    for (uint32_t k = 0; k < source->analogs; k++) {
        const struct comtrade_analog *analog = &source->analog[k];
        double factor;

        if (comtrade_quantity(analog, &factor) == quantity && analog->phase.bytes == 1 &&
            toupper(analog->phase.at[0]) == phase)
            return k;
    }
    return NONE;
}

/* Where phases are not named: the first, second, third of them. */
static int64_t find_in_turn(const struct comtrade *source, char quantity, uint32_t which)
{
    for (uint32_t k = 0; k < source->analogs; k++) {
        double factor;

        if (comtrade_quantity(&source->analog[k], &factor) == quantity && !which--)
            return k;
    }
    return NONE;
}

static void pick_quantity(const struct comtrade *source, char quantity, int64_t channel[MEASURE_PHASES])
{
    for (uint32_t p = 0; p < MEASURE_PHASES; p++)
        channel[p] = find(source, quantity, "ABC"[p]);
    if (channel[0] == NONE || channel[1] == NONE || channel[2] == NONE)
        for (uint32_t p = 0; p < MEASURE_PHASES; p++)
            channel[p] = find_in_turn(source, quantity, p);
}

static int pick(struct recording *recording, const struct comtrade *source, const uint32_t *wanted,
                uint32_t wanted_count, struct comtrade_pick *picked)
{
    if (!wanted_count) {
        pick_quantity(source, 'V', &picked->channel[SAMPLES_VA]);
        pick_quantity(source, 'A', &picked->channel[SAMPLES_IA]);
    }
    for (uint32_t c = 0; c < wanted_count; c++) {
        picked->channel[c] = (int64_t)wanted[c] - 1;
        if (wanted[c] > source->analogs)
            return refuse(recording, "--channels names one that the recording has not");
    }
    for (uint32_t c = wanted_count ? wanted_count : SAMPLES_IC + 1; c < SAMPLES_CHANNELS_MAX; c++)
        picked->channel[c] = NONE;
    if (picked->channel[SAMPLES_VA] == NONE)
        return refuse(recording, "no channel is in volts: --channels says which are va,vb,vc,ia,ib,ic");
    recording->phases = picked->channel[SAMPLES_VB] == NONE || picked->channel[SAMPLES_VC] == NONE ? 1 : 3;
    recording->channels = picked->channel[SAMPLES_IN] == NONE ? 6 : 8;
    for (uint32_t c = 0; c < SAMPLES_CHANNELS_MAX; c++) {
        const struct comtrade_analog *analog =
            &source->analog[picked->channel[c] == NONE ? 0 : picked->channel[c]];

        if (!comtrade_quantity(analog, &picked->factor[c]))
            picked->factor[c] = 1;
        picked->factor[c] *= comtrade_factor(analog, 'P');
    }
    return 0;
}

static bool rate_fits(double rate_hz)
{
    return rate_hz >= MEASURE_RATE_MIN_HZ && rate_hz <= MEASURE_RATE_MAX_HZ * RESAMPLE_FALL_MAX;
}

/* By its line; in binary data by which sample of the file it is. */
static int wrong_sample(struct recording *recording, uint64_t record, const char *what)
{
    recording->line = record;
    snprintf(recording->what, sizeof recording->what, "samples: %s", what);
    return -EINVAL;
}

static int too_large(struct recording *recording, uint64_t record, int64_t channel)
{
    char what[64];

    snprintf(what, sizeof what, "channel %" PRId64 ": beyond 1e12", channel);
    return wrong_sample(recording, record, what);
}

/* A sample of a rate that the chain takes; the first one of a rate that is recorded begins a run. */
static int take(struct recording *recording, const struct comtrade *source,
                const struct comtrade_pick *picked, const double *value, const struct comtrade_sample *sample,
                const struct comtrade_reader *reader, bool begins)
{
    double rate_hz = source->rate[reader->segment].rate_hz;
    struct recording_run *run = &recording->run[recording->runs - !begins];

    for (uint32_t c = 0; c < SAMPLES_CHANNELS_MAX; c++) {
        double now = picked->channel[c] == NONE ? 0 : value[picked->channel[c]] * picked->factor[c];

        if (!isfinite(now))
            return 0;           /* not recorded: a gap */
        if (fabs(now) > RECORDING_VALUE_MAX)
            return too_large(recording, reader->records, picked->channel[c] + 1);
        recording->value[recording->rows][c] = now;
    }
    if (begins) {
        if (recording->runs == RECORDING_RUNS_MAX)
            return refuse(recording, "more than 64 changes of its rate");
        recording->runs++;
        *run = (struct recording_run){.period_ps = llround(1e12 / rate_hz),
                                      .t_ns = sample->t_ns, .first = recording->rows};
    }
    int64_t number = llround((double)(sample->t_ns - run->t_ns) * 1e3 / (double)run->period_ps);

    if (!begins && number <= recording->number[recording->rows - 1])
        return wrong_sample(recording, reader->records, "not later than the one before");
    recording->number[recording->rows++] = number;
    run->rows++;
    return 0;
}

static int read_samples(struct recording *recording, const struct comtrade *source,
                        const struct comtrade_files *files, const struct comtrade_pick *picked)
{
    struct comtrade_reader reader;
    struct comtrade_sample sample;
    struct comtrade_fault fault = {0};
    double *value = calloc(source->analogs, sizeof *value);
    uint64_t room = 0;
    uint32_t segment = UINT32_MAX;
    int rc = value ? 1 : -ENOMEM, room_rc = 0;

    comtrade_rewind(&reader, source, files->dat, files->dat_bytes);
    while (rc > 0 && (rc = comtrade_next(&reader, value, NULL, &sample, &fault)) > 0) {
        bool fits = reader.segment < source->rates && rate_fits(source->rate[reader.segment].rate_hz);
        bool begins = fits && (segment == UINT32_MAX || source->rate[reader.segment].rate_hz !=
                                                            source->rate[segment].rate_hz);

        uint64_t before = recording->rows;

        room_rc = recording_room(recording, &room);
        if (!room_rc && fits)
            room_rc = take(recording, source, picked, value, &sample, &reader, begins);
        if (!fits || !begins || recording->rows > before)
            segment = fits ? reader.segment : UINT32_MAX;
        rc = room_rc ? room_rc : rc;
    }
    free(value);
    if (rc == -EINVAL && !room_rc)
        return wrong(recording, &fault, "samples:");
    if (!rc)
        rc = recording_decimate(recording);
    if (!rc && !recording->rows)
        return refuse(recording, "no samples at 1 to 256 kHz");
    return rc;
}

int recording_comtrade(struct recording *recording, const char *path, const uint32_t *wanted,
                       uint32_t wanted_count)
{
    struct comtrade_files files = {0};
    struct comtrade_pick picked;
    struct comtrade_fault fault = {0};
    struct comtrade source;
    void *memory = NULL;

    *recording = (struct recording){0};
    int rc = read_files(recording, path, &files);

    if (!rc) {
        memory = malloc(comtrade_bytes(files.cfg, files.cfg_bytes));
        rc = memory ? 0 : -ENOMEM;
    }
    if (!rc && comtrade_parse(files.cfg, files.cfg_bytes, memory, &source, &fault))
        rc = wrong(recording, &fault, "configuration:");
    if (!rc)
        rc = pick(recording, &source, wanted, wanted_count, &picked);
    if (!rc) {
        recording->line_hz = source.line_hz > 45 && source.line_hz < 65 ? source.line_hz : 0;
        rc = read_samples(recording, &source, &files, &picked);
    }
    free(memory);
    free(files.text);
    free(files.samples);
    if (rc)
        recording_free(recording);
    return rc;
}
