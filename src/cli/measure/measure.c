/* SPDX-License-Identifier: Apache-2.0 */
/* flyball measure: a recording through the chain that meters' samples go through. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/measure/measure_chain.h"
#include "cli/measure/measure_paper.h"
#include "cli/measure/measure_print.h"
#include "cli/measure/measure_spectrum.h"

struct options {
    const char *path;
    double voltage_v, nominal_hz, peak_a, slope_w_per_s;
    uint32_t block;
    uint32_t channel[MEASURE_CHANNELS], channels;       /* of COMTRADE */
    struct measure_print print;
};

enum {
    OPTION_VOLTAGE = 256,
    OPTION_NOMINAL,
    OPTION_PEAK,
    OPTION_SLOPE,
    OPTION_BLOCK,
    OPTION_CHANNELS,
    OPTION_JSON,
    OPTION_HALVES,
    OPTION_FEATURES,
    OPTION_TICKS,
    OPTION_HEAT,
    OPTION_HARMONICS,
    OPTION_SPECTRA,
    OPTION_PAPER
};

static const struct option known[] = {
    {"voltage", required_argument, NULL, OPTION_VOLTAGE},
    {"nominal", required_argument, NULL, OPTION_NOMINAL},
    {"peak", required_argument, NULL, OPTION_PEAK},
    {"slope", required_argument, NULL, OPTION_SLOPE},
    {"block", required_argument, NULL, OPTION_BLOCK},
    {"channels", required_argument, NULL, OPTION_CHANNELS},
    {"json", no_argument, NULL, OPTION_JSON},
    {"halves", no_argument, NULL, OPTION_HALVES},
    {"features", no_argument, NULL, OPTION_FEATURES},
    {"ticks", no_argument, NULL, OPTION_TICKS},
    {"heat", no_argument, NULL, OPTION_HEAT},
    {"harmonics", no_argument, NULL, OPTION_HARMONICS},
    {"spectra", no_argument, NULL, OPTION_SPECTRA},
    {"paper-compat", no_argument, NULL, OPTION_PAPER},
    {NULL, 0, NULL, 0},
};

static bool number(const char *name, const char *text, double low, double high, double *value)
{
    char *end;

    *value = strtod(text, &end);
    if (end != text && !*end && *value >= low && *value <= high)
        return true;
    fprintf(stderr, "flyball measure: --%s: %s is no number from %g to %g\n", name, text, low, high);
    return false;
}

/* va,vb,vc,ia,ib,ic[,vn,in] */
static bool channels(struct options *o, const char *text)
{
    for (o->channels = 0; o->channels < MEASURE_CHANNELS;) {
        char *end;
        unsigned long value = strtoul(text, &end, 10);

        if (end == text || *text == '-' || value < 1 || value > UINT32_MAX || (*end && *end != ','))
            break;
        o->channel[o->channels++] = (uint32_t)value;
        if (!*end) {
            if (o->channels == MEASURE_CHANNELS_MIN || o->channels == MEASURE_CHANNELS)
                return true;
            break;
        }
        text = end + 1;
    }
    fputs("flyball measure: --channels wants 6 or 8 numbers of channels from 1 on, with commas\n", stderr);
    return false;
}

static bool take_option(struct options *o, int option, const char *text)
{
    double value;

    switch (option) {
    case OPTION_VOLTAGE: return number("voltage", text, 1e-3, 1e9, &o->voltage_v);
    case OPTION_NOMINAL: return number("nominal", text, 45, 65, &o->nominal_hz);
    case OPTION_PEAK: return number("peak", text, 1e-6, 1e9, &o->peak_a);
    case OPTION_SLOPE: return number("slope", text, 1e-6, 1e15, &o->slope_w_per_s);
    case OPTION_BLOCK:
        if (!number("block", text, 1, MEASURE_BLOCK_MAX, &value))
            return false;
        o->block = (uint32_t)value;
        return true;
    case OPTION_CHANNELS: return channels(o, text);
    case OPTION_JSON: o->print.json = true; return true;
    case OPTION_HALVES: o->print.what |= PRINT_HALVES; return true;
    case OPTION_FEATURES: o->print.what |= PRINT_FEATURES; return true;
    case OPTION_TICKS: o->print.what |= PRINT_TICKS; return true;
    case OPTION_HEAT: o->print.what |= PRINT_HEAT; return true;
    case OPTION_HARMONICS: o->print.what |= PRINT_HARMONICS; return true;
    case OPTION_SPECTRA: o->print.what |= PRINT_SPECTRA; return true;
    case OPTION_PAPER: o->print.what |= PRINT_PAPER; return true;
    default: return false;
    }
}

static bool read_options(struct options *o, int argc, char **argv)
{
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
        if (!take_option(o, option, optarg))
            return false;
    if (optind + 1 != argc) {
        fprintf(stderr, "flyball measure: one FILE is wanted\n");
        return false;
    }
    o->path = argv[optind];
    if (!o->print.json && o->print.what) {
        fputs("flyball measure: --halves, --features, --ticks, --heat, --harmonics, --spectra and "
              "--paper-compat go with --json\n", stderr);
        return false;
    }
    return true;
}

static struct measure_config config_of(const struct options *o, const struct recording *recording)
{
    struct measure_config config = {.nominal_hz = o->nominal_hz > 0 ? o->nominal_hz : 60, .sag = 0.9,
        .swell = 1.1, .interruption = 0.05, .hysteresis = 0.02, .peak_a = o->peak_a,
        .slope_w_per_s = o->slope_w_per_s, .voltage_v = o->voltage_v, .phases = recording->phases,
        .channels = recording->channels};

    if (!(o->nominal_hz > 0) && recording->line_hz > 0)
        config.nominal_hz = recording->line_hz;
    for (uint32_t c = 0; c < MEASURE_CHANNELS; c++)
        config.gain[c] = 1;
    return config;
}

/* What nobody said is taken from the beginning of the recording. */
static int complete(const struct options *o, const struct recording *recording, uint32_t run,
                    struct measure_config *config)
{
    double frequency_hz, voltage_v;
    int rc = measure_chain_survey(recording, run, config, &frequency_hz, &voltage_v);

    if (rc)
        return rc;
    if (!(o->nominal_hz > 0) && !(recording->line_hz > 0) && frequency_hz > 0)
        config->nominal_hz = frequency_hz < 55 ? 50 : 60;
    if (!(o->voltage_v > 0))
        config->voltage_v = voltage_v;
    return 0;
}

static int measure_run(struct options *o, const struct recording *recording, uint32_t run,
                       const struct measure_config *config, struct measure_chain_end *ended)
{
    struct measure_spectra *spectra = NULL;
    int rc = 0;

    if (o->print.what & PRINT_SPECTRA) {
        spectra = calloc(1, sizeof *spectra);
        rc = spectra ? measure_spectra_open(spectra, config) : -ENOMEM;
    }
    if (!rc)
        rc = measure_chain_run(recording, run, config, o->block, measure_print_out, &o->print, spectra,
                               ended);
    if (spectra)
        measure_spectra_close(spectra);
    free(spectra);
    return rc;
}

static int harmonics(const struct options *o, const struct recording *recording, uint32_t run,
                     const struct measure_config *config, const struct measure_chain_end *ended)
{
    struct measure_spectrum spectrum;

    if (!(o->print.what & PRINT_HARMONICS))
        return 0;
    int rc = measure_spectrum(recording, run, ended->frequency_hz, config->nominal_hz, &spectrum);

    if (!rc)
        measure_spectrum_print(&spectrum, recording->phases);
    return rc;
}

/* What lasts where the run ends is told, too. */
static int finish(const struct options *o, const struct recording *recording, uint32_t run,
                  const struct measure_config *config, const struct measure_chain_end *ended)
{
    const struct recording_run *part = &recording->run[run];
    int64_t last = part->rows ? recording->number[part->first + part->rows - 1] : 0;

    measure_print_open(&o->print, ended->open, ended->opens,
                       part->t_ns + llround((double)last * (double)part->period_ps * 1e-3));
    int rc = harmonics(o, recording, run, config, ended);
    return !rc && o->print.what & PRINT_PAPER ? measure_paper_print(recording, run, config->nominal_hz) : rc;
}

static int measure_runs(struct options *o, const struct recording *recording)
{
    struct measure_config config = config_of(o, recording);
    struct measure_chain_end ended;
    int rc = 0;

    o->print.phases = recording->phases;
    for (uint32_t run = 0; !rc && run < recording->runs; run++) {
        const struct recording_run *part = &recording->run[run];

        config.period_ps = part->period_ps;
        if (!run)
            rc = complete(o, recording, run, &config);
        o->print.voltage_v = config.voltage_v;
        if (!rc) {
            measure_print_settings(&o->print, &config, part->rows, !(o->voltage_v > 0));
            rc = measure_run(o, recording, run, &config, &ended);
        }
        if (!rc)
            rc = finish(o, recording, run, &config, &ended);
    }
    if (!rc)
        measure_print_end(&o->print);
    return rc;
}

static int run_measure(int argc, char **argv)
{
    struct options o = {.block = 64};
    struct recording recording = {0};

    if (!read_options(&o, argc, argv))
        return CLI_USAGE;
    int rc = recording_read(&recording, o.path, o.channel, o.channels);

    if (!rc)
        rc = measure_runs(&o, &recording);
    int result = rc ? recording_tell(&recording, o.path, rc) : CLI_OK;

    recording_free(&recording);
    return result;
}

const struct cli_verb cli_measure = {
    .name = "measure",
    .arguments = "FILE [--json] [OPTIONS]",
    .summary = "readings and events of a recording, as a meter's samples become them",
    .help = "FILE is CSV with a header of t_s,va,vb,vc,ia,ib,ic (seconds, volts, amperes; also vn,in),\n"
            "or COMTRADE (.cfg with its .dat, or .cff).\n\n"
            "  --json         one JSON object a line; else lines for people\n"
            "  --voltage V    declared, to neutral; else what the beginning shows\n"
            "  --nominal HZ   50 or 60; else what the beginning shows\n"
            "  --peak A       a sample from here on is an event\n"
            "  --slope W/S    a rise or fall of power from here on is an event\n"
            "  --block N      samples at a time, 64\n"
            "  --channels N,... of COMTRADE: which are va,vb,vc,ia,ib,ic; else the first of each\n"
            "  --halves       with --json: rms of a cycle, each half cycle\n"
            "  --features     values of 16 ms\n"
            "  --ticks        values of 1 ms\n"
            "  --heat         rms of 20 ms\n"
            "  --harmonics    of the beginning, over 10 or 12 cycles\n"
            "  --spectra      harmonics, groups and what lies between; after a minute, how power swings\n"
            "  --paper-compat rms of 16 ms and harmonics of 125 ms, as the white paper has them: inexact\n",
    .run = run_measure,
};
