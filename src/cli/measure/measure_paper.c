/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/measure/measure_paper.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define RMS_S 0.016
#define SPECTRUM_S 0.125
enum { ORDERS = 50, CHANNELS = 6, TERMS = 5 };

/* Windows of one length over a run. */
struct paper {
    const struct recording *recording;
    const struct recording_run *run;
    double rate_hz, nominal_hz;
    uint32_t rows;              /* a window: at least 16, at 1 kHz */
    double *weight;             /* of the flat top, their sum is 2: an amplitude comes out */
};

static bool is_whole(const struct paper *paper, uint64_t first)
{
    const int64_t *number = &paper->recording->number[paper->run->first + first];
    return number[paper->rows - 1] == number[0] + paper->rows - 1;
}

static void print_head(const struct paper *paper, const char *what, uint64_t first)
{
    double at = (double)paper->recording->number[paper->run->first + first];
    printf("{\"reading\":\"%s\",\"compatibility\":\"white paper: %u samples, no whole number of cycles\","
           "\"from_s\":%.9f", what, paper->rows,
           (double)paper->run->t_ns * 1e-9 + at * (double)paper->run->period_ps * 1e-12);
}

static void print_list(const char *name, const double *value, uint32_t count)
{
    printf(",\"%s\":[", name);
    for (uint32_t i = 0; i < count; i++)
        printf("%s%.7g", i ? "," : "", value[i]);
    putchar(']');
}

static void print_rms(const struct paper *paper, uint64_t first)
{
    double squares[CHANNELS] = {0}, watts = 0;
    for (uint32_t k = 0; k < paper->rows; k++) {
        const double *x = paper->recording->value[paper->run->first + first + k];
        for (uint32_t c = 0; c < CHANNELS; c++)
            squares[c] += x[c] * x[c];
        for (uint32_t p = 0; p < PHASES; p++)
            watts += x[SAMPLES_VA + p] * x[SAMPLES_IA + p];
    }
    for (uint32_t c = 0; c < CHANNELS; c++)
        squares[c] = sqrt(squares[c] / paper->rows);
    print_head(paper, "paper_rms", first);
    print_list("v", &squares[SAMPLES_VA], paper->recording->phases);
    print_list("a", &squares[SAMPLES_IA], paper->recording->phases);
    printf(",\"power_w\":%.7g}\n", watts / paper->rows);
}

/* Rms of the bin that is nearest to an order of the nominal frequency. */
static double order_rms(const struct paper *paper, uint64_t first, uint32_t channel, uint32_t order)
{
    double bin = round(order * paper->nominal_hz * SPECTRUM_S), real = 0, imaginary = 0;
    double step = 2 * M_PI * bin / paper->rows;
    for (uint32_t k = 0; k < paper->rows; k++) {
        double x = paper->recording->value[paper->run->first + first + k][channel] * paper->weight[k];
        real += x * cos(step * k);
        imaginary += x * sin(step * k);
    }
    return hypot(real, imaginary) / M_SQRT2;
}

static void print_spectrum(const struct paper *paper, uint64_t first)
{
    static const char *const names[CHANNELS] = {"va", "vb", "vc", "ia", "ib", "ic"};
    uint32_t orders = (uint32_t)fmin(ORDERS, ceil(paper->rate_hz / 2 / paper->nominal_hz) - 1);
    print_head(paper, "paper_harmonics", first);
    for (uint32_t c = 0; c < CHANNELS; c++) {
        double rms[ORDERS], beside = 0;
        if (c % PHASES >= paper->recording->phases)
            continue;
        for (uint32_t h = 1; h <= orders; h++) {
            rms[h - 1] = order_rms(paper, first, c, h);
            beside += h > 1 ? rms[h - 1] * rms[h - 1] : 0;
        }
        print_list(names[c], rms, orders);
        if (orders && rms[0] > 0)
            printf(",\"thd_%s_percent\":%.7g", names[c], sqrt(beside) / rms[0] * 100);
    }
    printf("}\n");
}

/* The five-term flat top. */
static int weigh(struct paper *paper)
{
    static const double term[TERMS] = {0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368};
    double sum = 0;
    paper->weight = malloc(paper->rows * sizeof *paper->weight);
    if (!paper->weight)
        return -ENOMEM;
    for (uint32_t k = 0; k < paper->rows; k++) {
        double value = 0;
        for (int i = 0; i < TERMS; i++)
            value += (i % 2 ? -1 : 1) * term[i] * cos(2 * M_PI * i * k / paper->rows);
        paper->weight[k] = value;
        sum += value;
    }
    for (uint32_t k = 0; k < paper->rows; k++)
        paper->weight[k] *= 2 / sum;
    return 0;
}

static void each_window(const struct paper *paper, void (*print)(const struct paper *paper, uint64_t first))
{
    uint64_t first = 0;
    while (first + paper->rows <= paper->run->rows) {
        bool whole = is_whole(paper, first);
        if (whole)
            print(paper, first);
        first += whole ? paper->rows : 1;
    }
}

int measure_paper_print(const struct recording *recording, uint32_t run, double nominal_hz)
{
    struct paper paper = {.recording = recording, .run = &recording->run[run], .nominal_hz = nominal_hz};
    paper.rate_hz = 1e12 / (double)paper.run->period_ps;
    paper.rows = (uint32_t)lround(RMS_S * paper.rate_hz);
    each_window(&paper, print_rms);
    paper.rows = (uint32_t)lround(SPECTRUM_S * paper.rate_hz);
    int error = weigh(&paper);
    if (!error)
        each_window(&paper, print_spectrum);
    free(paper.weight);
    return error;
}
