/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/comtrade.h"

#include <errno.h>
#include <string.h>

#include "wire/comtrade_inside.h"
#include "wire/decimal.h"

enum {
    ANALOG_FIELDS_1991 = 10, ANALOG_FIELDS = 13,    /* 1991 knows no transformers */
    STATUS_FIELDS_1991 = 3, STATUS_FIELDS = 5,
};

static_assert(sizeof(struct comtrade_analog) >= sizeof(struct comtrade_status) &&
              sizeof(struct comtrade_analog) >= sizeof(struct comtrade_rate), "comtrade_bytes counts lines");

uint64_t comtrade_bytes(const uint8_t *cfg, uint32_t bytes)
{
    uint64_t lines = 1;

    for (uint32_t i = 0; i < bytes; i++)
        lines += cfg[i] == '\n';
    return lines * sizeof(struct comtrade_analog);
}

static void *place(struct comtrade_parse *parse, uint64_t bytes)
{
    void *at = parse->memory;

    parse->memory += bytes;
    return at;
}

static int parse_station(struct comtrade_parse *parse)
{
    static const struct {
        const char *word;
        uint32_t revision;
    } known[] = {{"", 1991}, {"1991", 1991}, {"1999", 1999}, {"2001", 1999}, {"2013", 2013}};

    if (comtrade_next_row(parse, "the line with the station is missing"))
        return -EINVAL;
    parse->out->station = comtrade_field(parse, 1);
    parse->out->device = comtrade_field(parse, 2);
    if (parse->row.fields < 2 || parse->row.fields > 3)
        return comtrade_at(parse, 0, "should be station, recorder and year of the standard");
    for (uint32_t i = 0; i < sizeof known / sizeof *known; i++)
        if (comtrade_is(comtrade_field(parse, 3), known[i].word)) {
            parse->out->revision = known[i].revision;
            return 0;
        }
    return comtrade_at(parse, 3, "is a year of the standard that this reader does not know");
}

/* "24A": a count and what it counts. */
static int counted(struct comtrade_parse *parse, uint32_t number, const char *what, char kind,
                   uint32_t *count)
{
    struct comtrade_text text = comtrade_field(parse, number);

    if (!text.bytes || (text.at[text.bytes - 1] | 0x20) != kind)
        return comtrade_at(parse, number, what);
    text.bytes--;
    return comtrade_count(parse, number, text, COMTRADE_CHANNELS_MAX, count);
}

static int parse_counts(struct comtrade_parse *parse)
{
    uint32_t total;

    if (comtrade_next_row(parse, "the line with the number of channels is missing"))
        return -EINVAL;
    if (parse->row.fields != 3)
        return comtrade_at(parse, 0, "should be the number of channels, of analog and of status ones");
    if (comtrade_count(parse, 1, comtrade_field(parse, 1), 2 * COMTRADE_CHANNELS_MAX, &total) ||
        counted(parse, 2, "should be the number of analog channels and an A", 'a', &parse->out->analogs) ||
        counted(parse, 3, "should be the number of status channels and a D", 'd', &parse->out->statuses))
        return -EINVAL;
    if (total != parse->out->analogs + parse->out->statuses)
        return comtrade_at(parse, 1, "is not the sum of analog and status channels");
    return 0;
}

static int check_index(struct comtrade_parse *parse)
{
    int64_t index;
    struct comtrade_text text = comtrade_field(parse, 1);

    if (!decimal_integer(text.at, text.bytes, &index))
        return comtrade_at(parse, 1, "should be the number of the channel");
    return 0;
}

static int parse_side(struct comtrade_parse *parse, struct comtrade_analog *analog)
{
    struct comtrade_text side = comtrade_field(parse, 13);

    analog->side = 0;
    if (comtrade_is(side, "p"))
        analog->side = 'P';
    else if (comtrade_is(side, "s"))
        analog->side = 'S';
    else if (side.bytes)
        return comtrade_at(parse, 13, "should be P or S");
    return 0;
}

static int parse_scale(struct comtrade_parse *parse, struct comtrade_analog *analog)
{
    if (!comtrade_field(parse, 6).bytes)
        return comtrade_at(parse, 6, "the factor of the channel is missing");
    if (comtrade_number(parse, 6, 0, &analog->a) || comtrade_number(parse, 7, 0, &analog->b) ||
        comtrade_number(parse, 8, 0, &analog->skew_us) || comtrade_number(parse, 9, -99999, &analog->min) ||
        comtrade_number(parse, 10, 99999, &analog->max) || comtrade_number(parse, 11, 0, &analog->primary) ||
        comtrade_number(parse, 12, 0, &analog->secondary))
        return -EINVAL;
    if (analog->primary < 0 || analog->secondary < 0)
        return comtrade_at(parse, analog->primary < 0 ? 11 : 12, "a rated value is negative");
    return parse_side(parse, analog);
}

static int parse_analog(struct comtrade_parse *parse, struct comtrade_analog *analog)
{
    if (comtrade_next_row(parse, "an analog channel is missing"))
        return -EINVAL;
    if (parse->row.fields < ANALOG_FIELDS_1991 || parse->row.fields > ANALOG_FIELDS)
        return comtrade_at(parse, 0, "an analog channel should have 10 (1991) or 13 fields");
    analog->name = comtrade_field(parse, 2);
    analog->phase = comtrade_field(parse, 3);
    analog->component = comtrade_field(parse, 4);
    analog->unit = comtrade_field(parse, 5);
    return check_index(parse) ? -EINVAL : parse_scale(parse, analog);
}

static int parse_status(struct comtrade_parse *parse, struct comtrade_status *status)
{
    uint32_t normal = 0;

    if (comtrade_next_row(parse, "a status channel is missing"))
        return -EINVAL;
    uint32_t fields = parse->row.fields;
    if (fields != STATUS_FIELDS_1991 && fields != STATUS_FIELDS)
        return comtrade_at(parse, 0, "a status channel should have 3 (1991) or 5 fields");
    status->name = comtrade_field(parse, 2);
    status->phase = fields == STATUS_FIELDS ? comtrade_field(parse, 3) : comtrade_field(parse, 0);
    status->component = fields == STATUS_FIELDS ? comtrade_field(parse, 4) : comtrade_field(parse, 0);
    struct comtrade_text text = comtrade_field(parse, fields);
    if (check_index(parse) || (text.bytes && comtrade_count(parse, fields, text, 1, &normal)))
        return -EINVAL;
    status->normal = (uint8_t)normal;
    return 0;
}

/* Each channel takes its place when its line is there: a promise alone takes none. */
static int parse_channels(struct comtrade_parse *parse)
{
    struct comtrade *out = parse->out;

    out->analog = place(parse, 0);
    for (uint32_t i = 0; i < out->analogs; i++)
        if (parse_analog(parse, place(parse, sizeof *out->analog)))
            return -EINVAL;
    out->status = place(parse, 0);
    for (uint32_t i = 0; i < out->statuses; i++)
        if (parse_status(parse, place(parse, sizeof *out->status)))
            return -EINVAL;
    return 0;
}

static int parse_rate(struct comtrade_parse *parse, uint64_t before, bool timed, struct comtrade_rate *rate)
{
    struct comtrade_text last;
    int64_t value;

    if (comtrade_next_row(parse, "a line with a sampling rate is missing"))
        return -EINVAL;
    if (parse->row.fields != 2)
        return comtrade_at(parse, 0, "should be a sampling rate and its last sample");
    last = comtrade_field(parse, 2);
    if (comtrade_number(parse, 1, 0, &rate->rate_hz))
        return -EINVAL;
    if (timed ? !(rate->rate_hz >= 1e-6 && rate->rate_hz <= 1e9) : rate->rate_hz != 0)
        return comtrade_at(parse, 1, timed ? "the sampling rate should be above 0 and at most 1 GHz"
                                      : "should be 0 where no sampling rate is given");
    if (!decimal_integer(last.at, last.bytes, &value) || value <= (int64_t)before)
        return comtrade_at(parse, 2, "the last sample should be a number above the one before");
    rate->last = (uint64_t)value;
    return 0;
}

/* No rate at all is one line as well: how many samples there are. */
static int parse_rates(struct comtrade_parse *parse)
{
    struct comtrade *out = parse->out;
    uint64_t before = 0;

    if (comtrade_next_row(parse, "the line frequency is missing") ||
        comtrade_number(parse, 1, 0, &out->line_hz) ||
        comtrade_next_row(parse, "the number of sampling rates is missing") ||
        comtrade_count(parse, 1, comtrade_field(parse, 1), COMTRADE_RATES_MAX, &out->rates))
        return -EINVAL;
    bool timed = out->rates > 0;
    out->rates += !timed;
    out->rate = place(parse, 0);
    for (uint32_t i = 0; i < out->rates; i++) {
        if (parse_rate(parse, before, timed, place(parse, sizeof *out->rate)))
            return -EINVAL;
        before = out->rate[i].last;
    }
    return 0;
}

uint64_t comtrade_samples(const struct comtrade *recording)
{
    return recording->rate[recording->rates - 1].last;
}

int comtrade_parse(const uint8_t *cfg, uint32_t bytes, void *memory, struct comtrade *out,
    struct comtrade_fault *fault)
{
    struct comtrade_parse parse = {.in = {.at = cfg, .end = cfg + bytes}, .out = out, .fault = fault,
                                   .memory = memory};

    memset(out, 0, sizeof *out);
    if (parse_station(&parse) || parse_counts(&parse) || parse_channels(&parse) || parse_rates(&parse))
        return -EINVAL;
    return comtrade_tail(&parse);
}
