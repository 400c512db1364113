/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/meter/meter_options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 4, METERS_AT_ONCE = 4096, ORDER_MAX = 128, TEXT_BYTES = 64 };
#define SWING_MIN_HZ 0.001
#define SWING_MAX_HZ 30.0

enum option_name {
    OPTION_PROTOCOL = 256, OPTION_TO, OPTION_FROM, OPTION_INTERFACE, OPTION_CAPTURE, OPTION_METERS,
    OPTION_FIRST, OPTION_NAME, OPTION_RATE, OPTION_BLOCK,
    OPTION_SECONDS, OPTION_COUNT, OPTION_SEED, OPTION_START, OPTION_JSON, OPTION_VOLTAGE, OPTION_CURRENT,
    OPTION_FREQUENCY, OPTION_LAG, OPTION_HARMONIC, OPTION_NOISE, OPTION_UNBALANCE, OPTION_SAG, OPTION_STEP,
    OPTION_SWING, OPTION_VOLTS_FULL, OPTION_AMPERES_FULL, OPTION_VLAN, OPTION_CLOCK, OPTION_NEUTRAL,
    OPTION_CFG3, OPTION_CFG_EVERY, OPTION_RECORDING, OPTION_AGAIN, OPTION_CHANNELS, OPTION_PLANT,
    OPTION_WORKLOAD,
};

static const struct option known[] = {
    {"protocol", required_argument, NULL, OPTION_PROTOCOL}, {"to", required_argument, NULL, OPTION_TO},
    {"from", required_argument, NULL, OPTION_FROM}, {"interface", required_argument, NULL, OPTION_INTERFACE},
    {"capture", required_argument, NULL, OPTION_CAPTURE},
    {"recording", required_argument, NULL, OPTION_RECORDING}, {"again", no_argument, NULL, OPTION_AGAIN},
    {"channels", required_argument, NULL, OPTION_CHANNELS}, {"plant", required_argument, NULL, OPTION_PLANT},
    {"workload", required_argument, NULL, OPTION_WORKLOAD},
    {"meters", required_argument, NULL, OPTION_METERS},
    {"first", required_argument, NULL, OPTION_FIRST}, {"name", required_argument, NULL, OPTION_NAME},
    {"rate", required_argument, NULL, OPTION_RATE}, {"block", required_argument, NULL, OPTION_BLOCK},
    {"seconds", required_argument, NULL, OPTION_SECONDS}, {"count", required_argument, NULL, OPTION_COUNT},
    {"seed", required_argument, NULL, OPTION_SEED}, {"start", required_argument, NULL, OPTION_START},
    {"json", no_argument, NULL, OPTION_JSON}, {"voltage", required_argument, NULL, OPTION_VOLTAGE},
    {"current", required_argument, NULL, OPTION_CURRENT},
    {"frequency", required_argument, NULL, OPTION_FREQUENCY}, {"lag", required_argument, NULL, OPTION_LAG},
    {"harmonic", required_argument, NULL, OPTION_HARMONIC}, {"noise", required_argument, NULL, OPTION_NOISE},
    {"unbalance", required_argument, NULL, OPTION_UNBALANCE}, {"sag", required_argument, NULL, OPTION_SAG},
    {"step", required_argument, NULL, OPTION_STEP}, {"swing", required_argument, NULL, OPTION_SWING},
    {"volts-full", required_argument, NULL, OPTION_VOLTS_FULL},
    {"amperes-full", required_argument, NULL, OPTION_AMPERES_FULL},
    {"vlan", required_argument, NULL, OPTION_VLAN}, {"clock", required_argument, NULL, OPTION_CLOCK},
    {"neutral", no_argument, NULL, OPTION_NEUTRAL}, {"cfg3", no_argument, NULL, OPTION_CFG3},
    {"cfg-every", required_argument, NULL, OPTION_CFG_EVERY}, {NULL, 0, NULL, 0},
};

static int wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int wrong(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("flyball meter: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return -EINVAL;
}

static int number(const char *name, const char *text, double low, double high, double *value)
{
    char *end;

    *value = strtod(text, &end);
    if (end != text && !*end && *value >= low && *value <= high)
        return 0;
    return wrong("--%s: %s is no number from %.10g to %.10g", name, text, low, high);
}

static int whole(const char *name, const char *text, double low, double high, uint32_t *value)
{
    double read = 0;
    int rc = number(name, text, low, high, &read);

    if (!rc && fabs(read - floor(read)) > 0)
        return wrong("--%s: %s is no whole number", name, text);
    *value = rc ? 0 : (uint32_t)read;
    return rc;
}

static int whole64(const char *name, const char *text, uint64_t *value)
{
    char *end;

    errno = 0;
    *value = strtoull(text, &end, 10);
    if (*text >= '0' && *text <= '9' && !*end && !errno)
        return 0;
    return wrong("--%s: %s is no whole number", name, text);
}

/* Numbers with commas between them; how many there were, 0 where that is not what it is. */
static uint32_t fields(const char *text, double field[FIELDS_MAX])
{
    for (uint32_t k = 0; k < FIELDS_MAX; k++) {
        char *end;

        field[k] = strtod(text, &end);
        if (end == text || !isfinite(field[k]))
            return 0;
        if (!*end)
            return k + 1;
        if (*end != ',')
            return 0;
        text = end + 1;
    }
    return 0;
}

/* v5,2,30: of volts the 5th, 2 % of the fundamental, 30 degrees */
static int harmonic(struct meter_options *o, const char *text)
{
    double field[FIELDS_MAX];
    uint32_t count = *text == 'v' || *text == 'i' ? fields(text + 1, field) : 0;
    struct meter_wave *wave = &o->wave;

    if (count < 2 || count > 3 || field[0] < 2 || field[0] > ORDER_MAX ||
        fabs(field[0] - floor(field[0])) > 0 || field[1] < 0 || field[1] > 100)
        return wrong("--harmonic wants v or i, the order (2 to %d), percent and perhaps degrees: i5,6,200",
                     ORDER_MAX);
    if (wave->parts == METER_WAVE_PARTS_MAX)
        return wrong("more than %d harmonics", METER_WAVE_PARTS_MAX);
    wave->part[wave->parts++] = (struct meter_wave_part){
        .current = *text == 'i', .order = (uint32_t)field[0], .share = field[1] / 100,
        .angle_deg = count > 2 ? field[2] : 0};
    return 0;
}

/* 1.0,0.1,70: at 1.0 s for 0.1 s down to 70 %; and phases, 1, 2, 4 added up */
static int sag(struct meter_options *o, const char *text)
{
    double field[FIELDS_MAX] = {0};
    uint32_t count = fields(text, field);

    if (count < 3 || field[0] < 0 || field[1] <= 0 || field[2] < 0 || field[2] > 300 ||
        (count == FIELDS_MAX && !(field[3] >= 1 && field[3] <= 7)))
        return wrong("--sag wants seconds when, seconds how long, percent that are left (0 to 300) "
                     "and perhaps phases (1, 2 and 4 added up): 1.0,0.1,70");
    if (o->wave.sags == METER_WAVE_EVENTS_MAX)
        return wrong("more than %d sags", METER_WAVE_EVENTS_MAX);
    o->wave.sag[o->wave.sags++] = (struct meter_wave_sag){
        .at_s = field[0], .for_s = field[1], .share = field[2] / 100,
        .phases = count == FIELDS_MAX ? (uint32_t)field[3] : 7};
    return 0;
}

/* 1.0,1.65,0.008: at 1.0 s to 1.65 of the current, over 8 ms */
static int step(struct meter_options *o, const char *text)
{
    double field[FIELDS_MAX] = {0};
    uint32_t count = fields(text, field);

    if (count < 2 || count > 3 || field[0] < 0 || field[1] < 0 || field[1] > 1000 || field[2] < 0)
        return wrong("--step wants seconds when, a factor of the current (0 to 1000) "
                     "and perhaps seconds over which: 1.0,1.65,0.008");
    if (o->wave.steps == METER_WAVE_EVENTS_MAX)
        return wrong("more than %d steps", METER_WAVE_EVENTS_MAX);
    o->wave.step[o->wave.steps++] =
        (struct meter_wave_step){.at_s = field[0], .factor = field[1], .over_s = field[2]};
    return 0;
}

/* 2,20: twice a second, by 20 % of the current either way */
static int swing(struct meter_options *o, const char *text)
{
    double field[FIELDS_MAX] = {0};

    if (fields(text, field) != 2 || field[0] < SWING_MIN_HZ || field[0] > SWING_MAX_HZ || field[1] < 0 ||
        field[1] > 100)
        return wrong("--swing wants how often a second (0.001 to 30) and percent of the current: 2,20");
    o->wave.swing_hz = field[0];
    o->wave.swing_share = field[1] / 100;
    return 0;
}

static int clock_named(struct meter_options *o, const char *text)
{
    static const char *const name[] = {"none", "local", "global"};

    for (uint8_t k = 0; k < sizeof name / sizeof *name; k++)
        if (!strcmp(text, name[k])) {
            o->ask.synch = k;
            return 0;
        }
    return wrong("--clock: %s is not none, local or global", text);
}

static int channels(struct meter_options *o, const char *text)
{
    for (o->channels = 0; o->channels < SAMPLES_CHANNELS_MAX;) {
        char *end;
        unsigned long value = strtoul(text, &end, 10);

        if (end == text || *text == '-' || value < 1 || value > UINT32_MAX || (*end && *end != ','))
            break;
        o->channel[o->channels++] = (uint32_t)value;
        if (!*end && (o->channels == MEASURE_CHANNELS_MIN || o->channels == MEASURE_CHANNELS))
            return 0;
        if (!*end)
            break;
        text = end + 1;
    }
    return wrong("--channels wants 6 or 8 numbers of channels from 1 on, with commas");
}

/* A share in percent. */
static int share(const char *name, const char *text, double *value)
{
    int rc = number(name, text, 0, 100, value);

    *value /= 100;
    return rc;
}

static int take_wave(struct meter_options *o, int option, const char *text)
{
    struct meter_wave *wave = &o->wave;

    switch (option) {
    case OPTION_VOLTAGE: return number("voltage", text, 1, 1e6, &wave->voltage_v);
    case OPTION_CURRENT: return number("current", text, 0, 1e6, &wave->current_a);
    case OPTION_FREQUENCY: return number("frequency", text, 40, 70, &wave->frequency_hz);
    case OPTION_LAG: return number("lag", text, -180, 180, &wave->lag_deg);
    case OPTION_HARMONIC: return harmonic(o, text);
    case OPTION_NOISE: return share("noise", text, &wave->noise);
    case OPTION_UNBALANCE: return share("unbalance", text, &wave->unbalance);
    case OPTION_SAG: return sag(o, text);
    case OPTION_STEP: return step(o, text);
    case OPTION_SWING: return swing(o, text);
    default: return -EINVAL;
    }
}

static int take_number(struct meter_options *o, int option, const char *text)
{
    struct meter_ask *ask = &o->ask;
    uint32_t vlan = 0;
    uint64_t start = 0;
    int rc;

    switch (option) {
    case OPTION_METERS: return whole("meters", text, 1, METERS_AT_ONCE, &ask->meters);
    case OPTION_FIRST: return whole("first", text, 0, UINT32_MAX - METERS_AT_ONCE, &ask->first);
    case OPTION_RATE: return number("rate", text, 0.1, MEASURE_RATE_MAX_HZ, &ask->rate_hz);
    case OPTION_BLOCK: return whole("block", text, 1, SAMPLES_MAX, &ask->block);
    case OPTION_SECONDS: return number("seconds", text, 1e-3, 1e9, &o->seconds);
    case OPTION_COUNT: return whole64("count", text, &o->count);
    case OPTION_SEED: return whole64("seed", text, &o->seed);
    case OPTION_CFG_EVERY: return number("cfg-every", text, 0.01, 3600, &ask->config_every_s);
    case OPTION_VOLTS_FULL: return number("volts-full", text, 1, 1e9, &ask->volts_full);
    case OPTION_AMPERES_FULL: return number("amperes-full", text, 1, 1e9, &ask->amperes_full);
    case OPTION_VLAN:
        rc = whole("vlan", text, 0, 4094, &vlan);
        ask->vlan = (int32_t)vlan;
        return rc;
    case OPTION_START:
        rc = whole64("start", text, &start);
        if (!rc && (start < 1 || start > INT64_MAX / 4))
            return wrong("--start: %s are no nanoseconds since 1970", text);
        o->start_ns = (int64_t)start;
        return rc;
    default: return take_wave(o, option, text);
    }
}

static const char *name_of(enum option_name option)
{
    const struct option *row = known;

    while (row->val != (int)option)
        row++;
    return row->name;
}

/* Options that would do nothing, by protocol. */
static int check_use(const struct meter_options *o)
{
    static const struct {
        enum option_name option;
        const char *protocols;
    } only[] = {{OPTION_VLAN, "sv"}, {OPTION_CFG3, "c37118"}, {OPTION_CFG_EVERY, "c37118"},
                {OPTION_NEUTRAL, "raw, sv"}, {OPTION_CLOCK, "raw, sv, c37118"}, {OPTION_VOLTS_FULL, "raw"},
                {OPTION_AMPERES_FULL, "raw"}};

    for (uint32_t k = 0; k < sizeof only / sizeof *only; k++)
        if (o->given >> (only[k].option - OPTION_PROTOCOL) & 1 && !strstr(only[k].protocols, o->protocol))
            return wrong("--%s is nothing that %s has, but %s", name_of(only[k].option), o->protocol,
                         only[k].protocols);
    if ((o->again || o->channels) && !o->recording)
        return wrong("--again and --channels are of a --recording");
    return 0;
}

static int take(struct meter_options *o, int option, const char *text)
{
    switch (option) {
    case OPTION_PROTOCOL: o->protocol = text; return 0;
    case OPTION_TO: o->to = text; return 0;
    case OPTION_FROM: o->from = text; return 0;
    case OPTION_INTERFACE: o->interface = text; return 0;
    case OPTION_CAPTURE: o->capture = text; return 0;
    case OPTION_RECORDING: o->recording = text; return 0;
    case OPTION_PLANT: o->site = text; return 0;
    case OPTION_WORKLOAD: o->workload = text; return 0;
    case OPTION_AGAIN: o->again = true; return 0;
    case OPTION_CHANNELS: return channels(o, text);
    case OPTION_JSON: o->json = true; return 0;
    case OPTION_CFG3: o->ask.config_3 = true; return 0;
    case OPTION_NEUTRAL: o->ask.neutral = true; return 0;
    case OPTION_CLOCK: return clock_named(o, text);
    case OPTION_NAME:
        o->ask.name = text;
        return strlen(text) && strlen(text) < TEXT_BYTES - 10 ? 0 : wrong("--name: 1 to 53 bytes");
    default: return take_number(o, option, text);
    }
}

int meter_options_read(struct meter_options *o, int argc, char **argv)
{
    int option, rc;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        rc = option == '?' ? -EINVAL : take(o, option, optarg);
        if (rc)
            return rc;
        o->given |= UINT64_C(1) << (option - OPTION_PROTOCOL);
    }
    if (optind != argc)
        return wrong("'%s' is nothing that it takes", argv[optind]);
    if ((o->recording && o->site) || !o->site != !o->workload)
        return wrong("--recording FILE, or --plant SITE and --workload FILE");
    if (!o->protocol)
        return wrong("--protocol says what to send: raw, sv, c37118 or upmu");
    return check_use(o);
}
