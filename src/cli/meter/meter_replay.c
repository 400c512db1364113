/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/meter/meter_replay.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The samples of the first part that follow each other. */
static uint64_t together(const struct recording *recording)
{
    const struct recording_run *run = &recording->run[0];
    const int64_t *number = &recording->number[run->first];
    uint64_t rows = 1;

    while (rows < run->rows && number[rows] == number[0] + (int64_t)rows)
        rows++;
    return rows;
}

int meter_replay_open(struct meter_replay *replay, const char *path, const uint32_t *wanted,
                      uint32_t wanted_count)
{
    struct recording *recording = &replay->recording;
    int rc = recording_read(recording, path, wanted, wanted_count);

    if (rc)
        return rc;
    replay->rows = together(recording);
    replay->from_hz = 1e12 / (double)recording->run[0].period_ps;
    replay->seconds = (double)replay->rows / replay->from_hz;
    for (uint64_t k = 0; k < replay->rows; k++)
        for (uint32_t c = 0; c <= SAMPLES_IC; c++) {
            double *most = c < SAMPLES_IA ? &replay->volts_most : &replay->amperes_most;

            *most = fmax(*most, fabs(recording->value[recording->run[0].first + k][c]));
        }
    return 0;
}

/* Beyond either end stands the other end where it begins again, else the last value for ever. */
static uint64_t folded(const struct meter_replay *replay, int64_t k)
{
    int64_t rows = (int64_t)replay->rows;

    if (replay->again)
        return (uint64_t)((k % rows + rows) % rows);
    return k < 0 ? 0 : k < rows ? (uint64_t)k : (uint64_t)rows - 1;
}

static int row_of(void *of, uint32_t meter, uint64_t n, double t_s, double row[SAMPLES_CHANNELS_MAX])
{
    const struct meter_replay *replay = of;
    double place = fmod(t_s * replay->from_hz, (double)replay->rows) + replay->resample.reach;

    (void)meter;
    (void)n;
    for (uint32_t c = 0; c < SAMPLES_CHANNELS_MAX; c++)
        row[c] = resample_at(&replay->resample, &replay->row[0][c], SAMPLES_CHANNELS_MAX, place);
    if (replay->recording.channels <= SAMPLES_IN)
        row[SAMPLES_IN] = row[SAMPLES_IA] + row[SAMPLES_IB] + row[SAMPLES_IC];
    return 0;
}

int meter_replay_begin(struct meter_replay *replay, double to_hz, struct meter_source *source)
{
    const struct recording *recording = &replay->recording;

    if (resample_init(&replay->resample, replay->from_hz, to_hz))
        return -EINVAL;
    uint64_t reach = replay->resample.reach;

    replay->row = malloc((replay->rows + 2 * reach + 1) * sizeof *replay->row);
    if (!replay->row)
        return -ENOMEM;
    for (uint64_t k = 0; k < replay->rows + 2 * reach + 1; k++) {
        uint64_t from = recording->run[0].first + folded(replay, (int64_t)k - (int64_t)reach);

        memcpy(replay->row[k], recording->value[from], sizeof *replay->row);
    }
    *source = (struct meter_source){.of = replay, .row = row_of};
    source->ends_s = replay->again ? 0 : replay->seconds;
    return 0;
}

void meter_replay_finish(struct meter_replay *replay)
{
    recording_free(&replay->recording);
    free(replay->row);
    replay->row = NULL;
}
