/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/measure/measure_chain.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { HALVES_ENOUGH = 3 };      /* one of each phase: a recording may have a few cycles before its event */

struct survey {
    double first_v, first_hz;           /* of what is settled at least */
    double clean_v, frequency_hz;
    uint32_t clean, frequencies;
};

int measure_chain_run(const struct recording *recording, uint32_t run, const struct measure_config *config,
                      uint32_t block, measure_chain_told *told, void *told_by,
                      struct measure_chain_end *ended)
{
    const struct recording_run *part = &recording->run[run];
    struct measure_meter *meter = calloc(1, sizeof *meter);
    struct measure_out *out = calloc(1, sizeof *out);
    struct measure_config mine = *config;
    double row[MEASURE_BLOCK_MAX * MEASURE_CHANNELS];
    uint32_t channels = recording->channels;

    mine.period_ps = part->period_ps;
    mine.phases = recording->phases;
    mine.channels = channels;
    int rc = meter && out ? measure_meter_init(meter, &mine) : -ENOMEM;

    for (uint64_t at = part->first, end = part->first + part->rows; !rc && at < end;) {
        const int64_t *number = &recording->number[at];
        uint32_t n = 1;

        while (n < block && at + n < end && number[n] == number[0] + n)
            n++;
        for (uint32_t k = 0; k < n; k++)
            memcpy(&row[k * channels], recording->value[at + k], channels * sizeof *row);
        struct measure_block now = {.row = row, .samples = n, .first = number[0],
            .t_ns = part->t_ns + (int64_t)((double)number[0] * (double)part->period_ps * 1e-3 + 0.5)};

        rc = measure_meter_block(meter, &now, out);
        if (!rc)
            told(told_by, out);
        at += n;
    }
    if (!rc) {
        ended->frequency_hz = measure_meter_frequency_hz(meter);
        ended->opens = measure_meter_open(meter, ended->open);
    }
    free(meter);
    free(out);
    return rc;
}

static void look(void *told_by, const struct measure_out *out)
{
    struct survey *survey = told_by;

    for (uint32_t k = 0; k < out->halves && survey->clean < HALVES_ENOUGH; k++)
        if (!out->half[k].flags) {
            survey->clean_v += out->half[k].voltage_v;
            survey->clean++;
        } else if (!survey->clean) {
            survey->first_v = out->half[k].voltage_v;
        }
    for (uint32_t k = 0; k < out->cycles_count; k++) {
        if (!survey->frequencies && !(out->cycles[k].flags & MEASURE_GAP))
            survey->first_hz = out->cycles[k].frequency_hz;
        if (!out->cycles[k].flags && !survey->frequencies++)
            survey->frequency_hz = out->cycles[k].frequency_hz;
    }
}

int measure_chain_survey(const struct recording *recording, uint32_t run, const struct measure_config *config,
                         double *frequency_hz, double *voltage_v)
{
    struct measure_config mine = *config;
    struct measure_chain_end ended;
    struct survey survey = {0};

    mine.voltage_v = mine.peak_a = mine.slope_w_per_s = 0;
    int rc = measure_chain_run(recording, run, &mine, MEASURE_BLOCK_MAX / 2, look, &survey, &ended);

    *frequency_hz = survey.frequencies ? survey.frequency_hz : survey.first_hz;
    *voltage_v = survey.clean ? survey.clean_v / survey.clean : survey.first_v;
    return rc;
}
