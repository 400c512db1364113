/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/comtrade_inside.h"

#include <errno.h>

#include "wire/decimal.h"

int comtrade_refuse(struct comtrade_fault *fault, uint64_t line, uint32_t field, const char *what)
{
    *fault = (struct comtrade_fault){.line = line, .field = field, .what = what};
    return -EINVAL;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

struct comtrade_text comtrade_trimmed(const uint8_t *at, const uint8_t *end)
{
    while (at < end && is_blank(*at))
        at++;
    while (at < end && is_blank(end[-1]))
        end--;
    return (struct comtrade_text){at, (uint32_t)(end - at)};
}

bool comtrade_line(struct comtrade_lines *in, struct comtrade_text *line)
{
    if (in->at == in->end || *in->at == COMTRADE_END_OF_TEXT)
        return false;
    const uint8_t *first = in->at;
    while (in->at < in->end && *in->at != '\n' && *in->at != COMTRADE_END_OF_TEXT)
        in->at++;
    *line = comtrade_trimmed(first, in->at);
    in->at += in->at < in->end && *in->at == '\n';
    in->line++;
    return true;
}

bool comtrade_row(struct comtrade_lines *in, struct comtrade_row *row)
{
    struct comtrade_text line;

    row->fields = 0;
    if (!comtrade_line(in, &line))
        return false;
    const uint8_t *at = line.at, *end = line.at + line.bytes;
    for (const uint8_t *first = at; at <= end; at++) {
        if (at < end && *at != ',')
            continue;
        if (row->fields < COMTRADE_FIELDS_MAX)
            row->field[row->fields] = comtrade_trimmed(first, at);
        row->fields++;
        first = at + 1;
    }
    return true;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

bool comtrade_is(struct comtrade_text text, const char *word)
{
    uint32_t i = 0;

    for (; i < text.bytes && word[i]; i++)
        if (lower(text.at[i]) != lower((uint8_t)word[i]))
            return false;
    return i == text.bytes && !word[i];
}

int comtrade_at(struct comtrade_parse *parse, uint32_t field, const char *what)
{
    return comtrade_refuse(parse->fault, parse->in.line, field, what);
}

int comtrade_next_row(struct comtrade_parse *parse, const char *missing)
{
    if (comtrade_row(&parse->in, &parse->row))
        return 0;
    return comtrade_refuse(parse->fault, parse->in.line + 1, 0, missing);
}

struct comtrade_text comtrade_field(const struct comtrade_parse *parse, uint32_t number)
{
    bool there = number && number <= parse->row.fields && number <= COMTRADE_FIELDS_MAX;

    return there ? parse->row.field[number - 1] : (struct comtrade_text){parse->in.at, 0};
}

int comtrade_number(struct comtrade_parse *parse, uint32_t number, double empty, double *value)
{
    struct comtrade_text text = comtrade_field(parse, number);

    *value = empty;
    if (text.bytes && !decimal_double(text.at, text.bytes, value))
        return comtrade_at(parse, number, "is not a number");
    return 0;
}

int comtrade_count(struct comtrade_parse *parse, uint32_t number, struct comtrade_text text, int64_t max,
    uint32_t *count)
{
    int64_t value;

    if (!decimal_integer(text.at, text.bytes, &value) || value < 0)
        return comtrade_at(parse, number, "is not a whole number from 0 up");
    if (value > max)
        return comtrade_at(parse, number, "is more than this reader takes");
    *count = (uint32_t)value;
    return 0;
}

/* Bytes of the UTF-8 character that begins here: 0 if none does. Overlong forms, surrogates and what lies
 * beyond Unicode are none (RFC 3629). */
static uint32_t utf8_bytes(const uint8_t *at, uint32_t left)
{
    uint32_t bytes = at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;

    if (at[0] < 0xC2 || at[0] > 0xF4 || left < bytes)
        return 0;
    for (uint32_t i = 1; i < bytes; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    bool overlong = (at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xF0 && at[1] < 0x90);
    bool outside = (at[0] == 0xED && at[1] >= 0xA0) || (at[0] == 0xF4 && at[1] >= 0x90);
    return overlong || outside || (at[0] == 0xC2 && at[1] < 0xA0) ? 0 : bytes;
}

static bool is_utf8(struct comtrade_text text)
{
    for (uint32_t i = 0, bytes; i < text.bytes; i += bytes) {
        bytes = text.at[i] < 0x80 ? 1 : utf8_bytes(text.at + i, text.bytes - i);
        if (!bytes)
            return false;
    }
    return true;
}

/* Pairs of bytes of another encoding may look like UTF-8: the whole text is, or none of it. */
uint32_t comtrade_show(struct comtrade_text text, char *out, uint32_t room)
{
    static const char digit[] = "0123456789abcdef";
    bool utf8 = is_utf8(text);
    uint32_t written = 0;

    for (uint32_t i = 0; i < text.bytes; i++) {
        uint8_t c = text.at[i];
        bool plain = c >= 0x80 ? utf8 : c >= ' ' && c != 0x7F && c != '\\';

        if (written + (plain ? 1 : COMTRADE_SHOWN_BYTES) >= room)
            break;
        if (!plain) {
            out[written++] = '\\';
            out[written++] = 'x';
            out[written++] = digit[c >> 4];
        }
        out[written++] = (char)(plain ? c : (uint8_t)digit[c & 15]);
    }
    if (room)
        out[written] = 0;
    return written;
}

double comtrade_factor(const struct comtrade_analog *analog, char side)
{
    if (!analog->side || analog->side == side || !(analog->primary > 0) || !(analog->secondary > 0))
        return 1;
    return side == 'P' ? analog->primary / analog->secondary : analog->secondary / analog->primary;
}

char comtrade_quantity(const struct comtrade_analog *analog, double *factor)
{
    static const struct {
        const char *unit;
        double factor;
    } known[] = {
        {"v", 1}, {"volt", 1}, {"volts", 1}, {"a", 1}, {"amp", 1}, {"amps", 1}, {"ampere", 1}, {"amperes", 1},
        {"kv", 1e3}, {"ka", 1e3}, {"mv", 1e-3}, {"ma", 1e-3}, {"uv", 1e-6}, {"ua", 1e-6},
    };
    struct comtrade_text unit = analog->unit;

    for (uint32_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!comtrade_is(unit, known[i].unit))
            continue;
        bool mega = unit.bytes == 2 && unit.at[0] == 'M';
        *factor = mega ? 1e6 : known[i].factor;
        return lower(unit.at[unit.bytes == 2]) == 'v' ? 'V' : 'A';
    }
    return 0;
}
