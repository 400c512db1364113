/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of a recording that are faster than the chain takes, brought to the next whole part of their rate. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/measure/recording.h"
#include "core/measure_meter.h"
#include "core/resample.h"

/* Where a part is written to: never before where it is read. */
struct thinned {
    struct recording *recording;
    const struct resample *resample;
    uint32_t by;
    uint64_t rows;              /* that stand in the recording already */
};

/* Samples that follow each other, `rows` of them from `first` on: those whose filter lies within. Volts and
 * amperes come out where they stood, for a sample is worked out of those before and behind it only. */
static void thin_stretch(struct thinned *to, uint64_t first, uint64_t rows, double *line)
{
    struct recording *recording = to->recording;
    uint64_t reach = to->resample->reach, at = to->rows;
    int64_t number = recording->number[first];

    for (uint32_t c = 0; c < SAMPLES_CHANNELS_MAX; c++) {
        at = to->rows;
        for (uint64_t k = 0; k < rows; k++)
            line[k] = recording->value[first + k][c];
        for (uint64_t k = 0; k < rows; k++)
            if ((number + (int64_t)k) % to->by == 0 && k >= reach && k + reach < rows)
                recording->value[at++][c] = resample_at(to->resample, line, 1, (double)k);
    }
    at = to->rows;
    for (uint64_t k = reach; k + reach < rows; k++)
        if ((number + (int64_t)k) % to->by == 0)
            recording->number[at++] = (number + (int64_t)k) / to->by;
    to->rows = at;
}

static void thin_run(struct thinned *to, struct recording_run *run, double *line)
{
    const int64_t *number = to->recording->number;
    uint64_t end = run->first + run->rows, begin = to->rows;

    for (uint64_t at = run->first; at < end;) {
        uint64_t rows = 1;

        while (at + rows < end && number[at + rows] == number[at] + (int64_t)rows)
            rows++;
        thin_stretch(to, at, rows, line);
        at += rows;
    }
    run->period_ps *= to->by;
    run->first = begin;
    run->rows = to->rows - begin;
}

static void keep_run(struct thinned *to, struct recording_run *run)
{
    struct recording *recording = to->recording;

    memmove(recording->value[to->rows], recording->value[run->first], run->rows * sizeof *recording->value);
    memmove(&recording->number[to->rows], &recording->number[run->first],
            run->rows * sizeof *recording->number);
    run->first = to->rows;
    to->rows += run->rows;
}

int recording_decimate(struct recording *recording)
{
    struct resample *resample = malloc(sizeof *resample);
    double *line = malloc((recording->rows + 1) * sizeof *line);
    struct thinned to = {.recording = recording, .resample = resample};
    uint32_t runs = 0;

    for (uint32_t k = 0; resample && line && k < recording->runs; k++) {
        struct recording_run run = recording->run[k];
        double rate_hz = 1e12 / (double)run.period_ps;

        to.by = (uint32_t)ceil(rate_hz / MEASURE_RATE_MAX_HZ - 1e-9);
        if (to.by <= 1)
            keep_run(&to, &run);
        else if (!resample_init(resample, rate_hz, rate_hz / to.by))
            thin_run(&to, &run, line);
        if (run.rows)
            recording->run[runs++] = run;
    }
    int rc = resample && line ? 0 : -ENOMEM;

    free(resample);
    free(line);
    recording->runs = rc ? recording->runs : runs;
    recording->rows = rc ? recording->rows : to.rows;
    return rc;
}
