/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/measure/measure_spectrum.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Samples that follow each other from the beginning of a run. */
static uint64_t together(const struct recording *recording, const struct recording_run *run)
{
    const int64_t *number = &recording->number[run->first];
    uint64_t rows = 1;

    while (rows < run->rows && number[rows] == number[0] + (int64_t)rows)
        rows++;
    return rows;
}

static void look(const double *x, double samples, double rate_hz, struct measure_spectrum *spectrum,
                 uint32_t channel)
{
    double bin[HARMONICS_BINS_MAX], beside = 0;

    measure_harmonics_bins(x, samples, spectrum->orders * spectrum->cycles + 1, bin);
    for (uint32_t h = 0; h <= spectrum->orders && h * spectrum->frequency_hz < rate_hz / 2; h++) {
        spectrum->harmonic[channel][h] = bin[h * spectrum->cycles];
        beside += h > 1 ? bin[h * spectrum->cycles] * bin[h * spectrum->cycles] : 0;
    }
    if (spectrum->harmonic[channel][1] > 0)
        spectrum->thd[channel] = sqrt(beside) / spectrum->harmonic[channel][1];
}

int measure_spectrum(const struct recording *recording, uint32_t run, double frequency_hz, double nominal_hz,
                     struct measure_spectrum *spectrum)
{
    const struct recording_run *part = &recording->run[run];
    uint64_t rows = part->rows ? together(recording, part) : 0;
    double rate_hz = 1e12 / (double)part->period_ps, per_cycle = rate_hz / frequency_hz;
    double most = nominal_hz < 55 ? 10 : 12, cycles = rows > 2 ? floor((double)(rows - 2) / per_cycle) : 0;

    *spectrum = (struct measure_spectrum){.frequency_hz = frequency_hz};
    if (!(cycles >= 1))
        return 0;
    double *x = malloc(rows * sizeof *x);

    if (!x)
        return -ENOMEM;
    spectrum->cycles = (uint32_t)(cycles < most ? cycles : most);
    spectrum->orders = (uint32_t)fmin(HARMONICS_HIGHEST, ceil(rate_hz / 2 / frequency_hz) - 1);
    spectrum->from_s = (double)part->t_ns * 1e-9 +
                       (double)recording->number[part->first] * (double)part->period_ps * 1e-12;
    for (uint32_t c = 0; c < recording->channels; c++) {
        for (uint64_t k = 0; k < rows; k++)
            x[k] = recording->value[part->first + k][c];
        look(x, spectrum->cycles * per_cycle, rate_hz, spectrum, c);
    }
    free(x);
    return 0;
}

static void print_channel(const struct measure_spectrum *spectrum, const char *name, const char *unit,
                          uint32_t channel)
{
    printf(",\"thd_%s\":%.7g,\"harmonics_%s\":[", name, spectrum->thd[channel], unit);
    for (uint32_t h = 0; h <= spectrum->orders; h++)
        printf("%s%.7g", h ? "," : "", spectrum->harmonic[channel][h]);
    putchar(']');
}

void measure_spectrum_print(const struct measure_spectrum *spectrum, uint32_t phases)
{
    printf("{\"reading\":\"harmonics\",\"from_s\":%.9f,\"cycles\":%u,\"frequency_hz\":%.9g,\"phases\":[",
           spectrum->from_s, spectrum->cycles, spectrum->frequency_hz);
    for (uint32_t p = 0; p < phases && spectrum->cycles; p++) {
        printf("%s{\"phase\":\"%c\"", p ? "," : "", (char)('a' + (int)p));
        print_channel(spectrum, "v", "v", SAMPLES_VA + p);
        print_channel(spectrum, "a", "a", SAMPLES_IA + p);
        putchar('}');
    }
    printf("]}\n");
}
