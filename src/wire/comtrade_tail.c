/* SPDX-License-Identifier: Apache-2.0 */
/* Behind the rates: when it was, how the samples are written, how good the clock is. */
#include <errno.h>

#include "wire/comtrade_inside.h"
#include "wire/decimal.h"

enum {
    CENTURY_PIVOT = 80,         /* years of two digits: 80 .. 99 are of the last century */
    FRACTION_DIGITS_MAX = 9, FRACTION_DIGITS_US = 6,
    QUALITY_UNKNOWN = 255, LEAP_MAX = 3,
    OFFSET_HOURS_MAX = 24,
};

struct date {
    uint32_t day, month, year;
};

/* Digits up to `end` or one that is none. */
static bool take_number(struct comtrade_text *text, uint32_t *value, uint32_t *digits)
{
    *value = 0;
    *digits = 0;
    while (text->bytes && *text->at >= '0' && *text->at <= '9' && *digits < FRACTION_DIGITS_MAX) {
        *value = *value * 10 + *text->at - '0';
        text->at++;
        text->bytes--;
        ++*digits;
    }
    return *digits > 0;
}

static bool take(struct comtrade_text *text, uint8_t c)
{
    bool there = text->bytes && *text->at == c;

    text->at += there;
    text->bytes -= there;
    return there;
}

/* Days since 1970-01-01 of a day in the Gregorian calendar, year >= 1970: the years are counted from
 * March. */
static int64_t days_of(const struct date *date)
{
    uint32_t year = date->year - (date->month <= 2);
    uint32_t month = (date->month + 9) % 12;
    int64_t days = (int64_t)year * 365 + year / 4 - year / 100 + year / 400;

    return days + (month * 153 + 2) / 5 + date->day - 1 - 719468;
}

static uint32_t days_in(uint32_t month, uint32_t year)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap ? 1u : 0);
}

/* 1991 writes the month first, and two digits of the year. */
static int parse_date(struct comtrade_parse *parse, struct date *date)
{
    struct comtrade_text text = comtrade_field(parse, 1);
    uint32_t first, second, digits;

    if (!take_number(&text, &first, &digits) || !take(&text, '/') || !take_number(&text, &second, &digits) ||
        !take(&text, '/') || !take_number(&text, &date->year, &digits) || text.bytes)
        return comtrade_at(parse, 1, "is not a date");
    if (digits <= 2)
        date->year += date->year >= CENTURY_PIVOT ? 1900 : 2000;
    bool month_first = parse->out->revision == 1991;
    date->month = month_first ? first : second;
    date->day = month_first ? second : first;
    if (date->year < 1970 || date->year > 2200)
        return comtrade_at(parse, 1, "the year is none between 1970 and 2200");
    if (date->month < 1 || date->month > 12)
        return comtrade_at(parse, 1, month_first ? "the month, which stands first in files of 1991, is none"
                                                 : "the month, which stands second since 1999, is none");
    if (date->day < 1 || date->day > days_in(date->month, date->year))
        return comtrade_at(parse, 1, "the day is none of that month");
    return 0;
}

static int parse_clock(struct comtrade_parse *parse, int64_t *ns, uint32_t *fraction_digits)
{
    struct comtrade_text text = comtrade_field(parse, 2);
    uint32_t hour, minute, second, fraction = 0, digits;

    *fraction_digits = 0;
    if (!take_number(&text, &hour, &digits) || !take(&text, ':') || !take_number(&text, &minute, &digits) ||
        !take(&text, ':') || !take_number(&text, &second, &digits) ||
        (take(&text, '.') && !take_number(&text, &fraction, fraction_digits)) || text.bytes)
        return comtrade_at(parse, 2, "is not a time of day");
    if (hour > 23 || minute > 59 || second > 60)
        return comtrade_at(parse, 2, "there is no such time of day");
    for (uint32_t i = *fraction_digits; i < FRACTION_DIGITS_MAX; i++)
        fraction *= 10;
    *ns = ((hour * 60 + minute) * 60 + second) * NS_PER_S + fraction;
    return 0;
}

/* A time that nobody knew is an empty line. */
static int parse_time(struct comtrade_parse *parse, const char *missing, int64_t *ns,
                      uint32_t *fraction_digits)
{
    struct date date = {0};

    if (comtrade_next_row(parse, missing))
        return -EINVAL;
    if (!comtrade_field(parse, 1).bytes && !comtrade_field(parse, 2).bytes) {
        parse->out->dated = false;
        return 0;
    }
    if (parse->row.fields != 2)
        return comtrade_at(parse, 0, "should be a date and a time");
    if (parse_date(parse, &date) || parse_clock(parse, ns, fraction_digits))
        return -EINVAL;
    *ns += days_of(&date) * 86400 * NS_PER_S;
    return 0;
}

static int parse_form(struct comtrade_parse *parse)
{
    static const char *const word[] = {
        [COMTRADE_ASCII] = "ascii", [COMTRADE_BINARY] = "binary", [COMTRADE_BINARY32] = "binary32",
        [COMTRADE_FLOAT32] = "float32",
    };

    if (comtrade_next_row(parse, "the line with the form of the data is missing"))
        return -EINVAL;
    for (int i = COMTRADE_ASCII; i <= COMTRADE_FLOAT32; i++)
        if (comtrade_is(comtrade_field(parse, 1), word[i])) {
            parse->out->form = (enum comtrade_form)i;
            return 0;
        }
    return comtrade_at(parse, 1, "is none of ASCII, BINARY, BINARY32 and FLOAT32");
}

static int parse_multiplier(struct comtrade_parse *parse, double unit_ns)
{
    double multiplier = 1;

    parse->out->stamp_ns = unit_ns;
    if (!comtrade_row(&parse->in, &parse->row))
        return 0;
    if (comtrade_number(parse, 1, 1, &multiplier))
        return -EINVAL;
    if (!(multiplier >= 1e-9 && multiplier <= 1e9))
        return comtrade_at(parse, 1, "the multiplier of stamps should be above 0");
    parse->out->stamp_ns *= multiplier;
    return 0;
}

/* "-5h30", "+2", "0": an offset from UTC. "x" is none. */
static int parse_offset(struct comtrade_parse *parse, uint32_t number, int16_t *minutes)
{
    struct comtrade_text text = comtrade_field(parse, number);
    uint32_t hours, rest = 0, digits;

    if (!text.bytes || comtrade_is(text, "x"))
        return 0;
    bool west = take(&text, '-');
    if (!west)
        take(&text, '+');
    if (!take_number(&text, &hours, &digits) || (take(&text, 'h') && !take_number(&text, &rest, &digits)) ||
        text.bytes || hours > OFFSET_HOURS_MAX || rest > 59)
        return comtrade_at(parse, number, "is not an offset from UTC");
    *minutes = (int16_t)((west ? -1 : 1) * (int32_t)(hours * 60 + rest));
    return 0;
}

static int parse_quality(struct comtrade_parse *parse)
{
    struct comtrade_text code = comtrade_field(parse, 1), leap = comtrade_field(parse, 2);
    uint32_t value = 0;

    if (code.bytes) {
        uint8_t c = *code.at;
        bool digit = c >= '0' && c <= '9', letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'f';

        if (code.bytes != 1 || !(digit || letter))
            return comtrade_at(parse, 1, "should be one hexadecimal digit");
        parse->out->quality = (uint8_t)(digit ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    if (leap.bytes && comtrade_count(parse, 2, leap, LEAP_MAX, &value))
        return -EINVAL;
    parse->out->leap = (uint8_t)value;
    return 0;
}

static int parse_codes(struct comtrade_parse *parse)
{
    struct comtrade *out = parse->out;

    if (!comtrade_row(&parse->in, &parse->row))
        return 0;
    if (parse_offset(parse, 1, &out->offset_minutes) || parse_offset(parse, 2, &out->local_minutes))
        return -EINVAL;
    return comtrade_row(&parse->in, &parse->row) ? parse_quality(parse) : 0;
}

static int parse_end(struct comtrade_parse *parse)
{
    while (comtrade_row(&parse->in, &parse->row))
        if (parse->row.fields > 1 || parse->row.field[0].bytes)
            return comtrade_at(parse, 0, "something stands behind the end of the configuration");
    return 0;
}

int comtrade_tail(struct comtrade_parse *parse)
{
    struct comtrade *out = parse->out;
    uint32_t digits = 0, trigger_digits = 0;

    out->dated = true;
    out->offset_minutes = out->local_minutes = COMTRADE_CODE_UNKNOWN;
    out->quality = QUALITY_UNKNOWN;
    if (parse_time(parse, "the time of the first sample is missing", &out->start_ns, &digits) ||
        parse_time(parse, "the time of the trigger is missing", &out->trigger_ns, &trigger_digits) ||
        parse_form(parse))
        return -EINVAL;
    bool nanoseconds = out->revision == 2013 && digits > FRACTION_DIGITS_US;
    if (parse_multiplier(parse, nanoseconds ? 1 : 1000) || parse_codes(parse))
        return -EINVAL;
    return parse_end(parse);
}
