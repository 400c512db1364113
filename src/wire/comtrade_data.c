/* SPDX-License-Identifier: Apache-2.0 */
/* The samples themselves, in text or in little-endian binary, and when each was. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "wire/comtrade_inside.h"
#include "wire/decimal.h"

enum { WORD_BITS = 16, HEAD_BYTES = 8, ASCII_MISSING = 99999 };

#define STAMP_MISSING UINT32_MAX
#define STAMP_BACKWARDS UINT32_C(0xC0000000)    /* a step of binary stamps this large is one back */
#define STAMP_LIMIT 9e18

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "binary data are copied, not swapped");

/* One sample as it is being read. */
struct record {
    uint64_t number;
    int64_t stamp;
    bool stamped;
    uint32_t missing;
};

void comtrade_rewind(struct comtrade_reader *reader, const struct comtrade *recording, const uint8_t *dat,
    uint64_t bytes)
{
    *reader = (struct comtrade_reader){.recording = recording, .at = dat, .end = dat + bytes};
}

static void set_value(const struct comtrade_analog *analog, double sample, double *value)
{
    *value = analog->a * sample + analog->b;
}

static void set_missing(struct record *record, double *value)
{
    *value = NAN;
    record->missing++;
}

static uint32_t sample_bytes(enum comtrade_form form)
{
    return form == COMTRADE_BINARY ? 2 : 4;
}

static uint64_t record_bytes(const struct comtrade *recording)
{
    return HEAD_BYTES + (uint64_t)recording->analogs * sample_bytes(recording->form) +
           (recording->statuses + WORD_BITS - 1u) / WORD_BITS * 2;
}

/* False where nothing was recorded: the most negative whole number, or no number. */
static bool binary_sample(enum comtrade_form form, const uint8_t *at, double *sample)
{
    int16_t narrow;
    int32_t wide;
    float real;

    if (form == COMTRADE_BINARY) {
        memcpy(&narrow, at, sizeof narrow);
        *sample = narrow;
        return narrow != INT16_MIN;
    }
    if (form == COMTRADE_BINARY32) {
        memcpy(&wide, at, sizeof wide);
        *sample = wide;
        return wide != INT32_MIN;
    }
    memcpy(&real, at, sizeof real);
    *sample = (double)real;
    return real - real == 0;            /* neither infinite nor NaN */
}

static void binary_values(const struct comtrade *recording, const uint8_t *at, struct record *record,
    double *value, uint8_t *status)
{
    uint32_t width = sample_bytes(recording->form);
    double sample;

    for (uint32_t i = 0; i < recording->analogs; i++, at += width)
        if (binary_sample(recording->form, at, &sample))
            set_value(&recording->analog[i], sample, &value[i]);
        else
            set_missing(record, &value[i]);
    for (uint32_t i = 0; status && i < recording->statuses; i++)
        status[i] = at[i / 8] >> i % 8 & 1;
}

/* Stamps of 32 bits begin again behind the last one: they are unrolled. */
static void binary_stamp(const struct comtrade_reader *reader, uint32_t raw, struct record *record)
{
    record->stamped = raw != STAMP_MISSING;
    record->stamp = raw;
    if (!record->stamped || !reader->stamped)
        return;
    uint32_t step = raw - (uint32_t)reader->stamp;
    record->stamp = reader->stamp + (step >= STAMP_BACKWARDS ? (int64_t)step - (INT64_C(1) << 32) : step);
}

static int read_binary(struct comtrade_reader *reader, struct record *record, double *value, uint8_t *status,
    struct comtrade_fault *fault)
{
    uint64_t bytes = record_bytes(reader->recording), left = (uint64_t)(reader->end - reader->at);
    uint32_t head[2];

    if (!left)
        return 0;
    if (left < bytes)
        return comtrade_refuse(fault, reader->records + 1, 0, "the data end within a sample");
    memcpy(head, reader->at, sizeof head);
    record->number = head[0];
    binary_stamp(reader, head[1], record);
    binary_values(reader->recording, reader->at + HEAD_BYTES, record, value, status);
    reader->at += bytes;
    return 1;
}

/* The next field of a line of text, with its number; false behind the last one. */
struct fields {
    const uint8_t *at, *end;
    uint32_t number;
    struct comtrade_text text;
    bool more;
};

static bool next_field(struct fields *in)
{
    const uint8_t *first = in->at;

    if (!in->more)
        return false;
    while (in->at < in->end && *in->at != ',')
        in->at++;
    in->text = comtrade_trimmed(first, in->at);
    in->more = in->at < in->end;
    in->at += in->more;
    in->number++;
    return true;
}

/* 99999 stands for a missing sample up to 1999, but in a channel whose range goes beyond it. */
static bool is_missing(const struct comtrade *recording, const struct comtrade_analog *analog, double sample)
{
    return recording->revision < 2013 && sample == ASCII_MISSING && analog->max <= ASCII_MISSING;
}

static const char *ascii_analogs(const struct comtrade *recording, struct fields *in, struct record *record,
    double *value)
{
    double sample;

    for (uint32_t i = 0; i < recording->analogs; i++) {
        const struct comtrade_analog *analog = &recording->analog[i];

        if (!next_field(in))
            return "has fewer fields than there are channels";
        if (in->text.bytes && !decimal_double(in->text.at, in->text.bytes, &sample))
            return "is not a number";
        if (in->text.bytes && !is_missing(recording, analog, sample))
            set_value(analog, sample, &value[i]);
        else
            set_missing(record, &value[i]);
    }
    return NULL;
}

static const char *ascii_statuses(const struct comtrade *recording, struct fields *in, uint8_t *status)
{
    for (uint32_t i = 0; i < recording->statuses; i++) {
        if (!next_field(in))
            return "has fewer fields than there are channels";
        if (in->text.bytes != 1 || (*in->text.at | 1) != '1')
            return "a status should be 0 or 1";
        if (status)
            status[i] = *in->text.at & 1;
    }
    return in->more ? "has more fields than there are channels" : NULL;
}

static const char *ascii_head(struct fields *in, struct record *record)
{
    int64_t number;

    next_field(in);
    if (!decimal_integer(in->text.at, in->text.bytes, &number) || number < 0)
        return "should be the number of the sample";
    record->number = (uint64_t)number;
    if (!next_field(in))
        return "the stamp is missing";
    record->stamped = in->text.bytes > 0;
    if (record->stamped && !decimal_integer(in->text.at, in->text.bytes, &record->stamp))
        return "should be a whole number of time units";
    return NULL;
}

static int read_ascii(struct comtrade_reader *reader, struct record *record, double *value, uint8_t *status,
    struct comtrade_fault *fault)
{
    struct comtrade_lines lines = {.at = reader->at, .end = reader->end, .line = reader->records};
    struct comtrade_text line;

    if (!comtrade_line(&lines, &line))
        return 0;
    reader->at = lines.at;
    if (!line.bytes) {
        uint64_t empty = lines.line;

        while (comtrade_line(&lines, &line))
            if (line.bytes)
                return comtrade_refuse(fault, empty, 0, "an empty line");
        return 0;
    }
    struct fields in = {.at = line.at, .end = line.at + line.bytes, .more = true};
    const char *wrong = ascii_head(&in, record);
    if (!wrong)
        wrong = ascii_analogs(reader->recording, &in, record, value);
    if (!wrong)
        wrong = ascii_statuses(reader->recording, &in, status);
    return wrong ? comtrade_refuse(fault, lines.line, in.number, wrong) : 1;
}

static bool rounded(double value, int64_t *whole)
{
    if (!(value < STAMP_LIMIT && value > -STAMP_LIMIT))
        return false;
    *whole = (int64_t)(value + (value < 0 ? -0.5 : 0.5));
    return true;
}

/* Where the rate puts position `at`. */
static bool by_rate(const struct comtrade_reader *reader, uint64_t at, double rate_hz, int64_t *t_ns)
{
    int64_t since_ns;

    if (!rounded((double)(at - reader->anchor) * 1e9 / rate_hz, &since_ns))
        return false;
    return !__builtin_add_overflow(reader->anchor_ns, since_ns, t_ns);
}

/* The first sample of a segment still comes one period of the segment before it behind its last one. */
static const char *enter_segment(struct comtrade_reader *reader, double *before_hz)
{
    const struct comtrade *recording = reader->recording;
    int64_t t_ns;

    *before_hz = recording->rate[reader->segment].rate_hz;
    while (reader->position > recording->rate[reader->segment].last) {
        uint64_t first = recording->rate[reader->segment].last + 1;

        if (reader->segment + 1 == recording->rates)
            return "more samples than the configuration promises";
        if (recording->rate[reader->segment].rate_hz > 0) {
            if (!by_rate(reader, first, recording->rate[reader->segment].rate_hz, &t_ns))
                return "time runs away";
            reader->anchor = first;
            reader->anchor_ns = t_ns;
        }
        reader->segment++;
    }
    return NULL;
}

/* From the newest stamp before this one to this one. */
static bool stamp_step(const struct comtrade_reader *reader, const struct record *record, int64_t *step_ns)
{
    int64_t step;

    return !__builtin_sub_overflow(record->stamp, reader->stamp, &step) &&
           rounded((double)step * reader->recording->stamp_ns, step_ns);
}

/* Rates are exact, stamps are rounded and may be another clock's, so they drift apart: a stamp counts
 * where it comes half a period or more beside what the rate says since the stamp before. */
static const char *choose_time(struct comtrade_reader *reader, const struct record *record, double before_hz,
    struct comtrade_sample *sample)
{
    double rate_hz = reader->recording->rate[reader->segment].rate_hz;
    bool timed = rate_hz > 0, compared = record->stamped && reader->stamped;
    int64_t step_ns = 0, stamp_ns;

    if (!timed && !record->stamped)
        return "neither a sampling rate nor a stamp says when this was";
    if (timed && !by_rate(reader, reader->position, rate_hz, &sample->t_ns))
        return "time runs away";
    if (!compared)
        return NULL;
    if (!stamp_step(reader, record, &step_ns) ||
        __builtin_add_overflow(reader->stamp_ns, step_ns, &stamp_ns))
        return "the stamp is beyond any recording";
    double faster_hz = before_hz > rate_hz ? before_hz : rate_hz;
    if (timed && fabs((double)stamp_ns - (double)sample->t_ns) < 0.5e9 / faster_hz)
        return NULL;
    sample->t_ns = reader->anchor_ns = stamp_ns;
    reader->anchor = reader->position;
    sample->flags |= timed ? COMTRADE_STEP : 0;
    return NULL;
}

static const char *follow(struct comtrade_reader *reader, const struct record *record,
    struct comtrade_sample *sample)
{
    uint64_t step = record->number > reader->number ? record->number - reader->number : 1;
    double before_hz;

    *sample = (struct comtrade_sample){.number = record->number, .missing = record->missing,
                                       .flags = record->stamped ? COMTRADE_STAMPED : 0};
    if (reader->records && record->number != reader->number + 1)
        sample->flags |= COMTRADE_LEFT_OUT;
    if (!reader->records)
        reader->anchor = 1;
    reader->position += reader->records ? step : 1;
    const char *wrong = enter_segment(reader, &before_hz);
    if (!wrong)
        wrong = choose_time(reader, record, before_hz, sample);
    if (wrong || !record->stamped)
        return wrong;
    reader->stamped = true;
    reader->stamp = record->stamp;
    reader->stamp_ns = sample->t_ns;
    return NULL;
}

int comtrade_next(struct comtrade_reader *reader, double *value, uint8_t *status,
    struct comtrade_sample *sample, struct comtrade_fault *fault)
{
    struct record record = {0};
    bool text = reader->recording->form == COMTRADE_ASCII;
    int rc = text ? read_ascii(reader, &record, value, status, fault)
                  : read_binary(reader, &record, value, status, fault);

    if (rc <= 0)
        return rc;
    const char *wrong = follow(reader, &record, sample);
    if (wrong)
        return comtrade_refuse(fault, reader->records + 1, 0, wrong);
    reader->number = record.number;
    reader->records++;
    return 1;
}
