/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of comtrade share: lines and fields, and a fault that keeps its place. */
#ifndef FLYBALL_WIRE_COMTRADE_INSIDE_H
#define FLYBALL_WIRE_COMTRADE_INSIDE_H

#include "wire/comtrade.h"

enum { COMTRADE_FIELDS_MAX = 16, COMTRADE_END_OF_TEXT = 0x1A };

/* Lines that end in LF or CR LF; a SUB ends the text. */
struct comtrade_lines {
    const uint8_t *at, *end;
    uint64_t line;              /* of the newest, from 1 */
};

/* One line, cut at its commas; fields behind COMTRADE_FIELDS_MAX are counted only. */
struct comtrade_row {
    struct comtrade_text field[COMTRADE_FIELDS_MAX];
    uint32_t fields;
};

/* any: the next line without its end; false behind the last one. */
bool comtrade_line(struct comtrade_lines *in, struct comtrade_text *line);

/* any */
bool comtrade_row(struct comtrade_lines *in, struct comtrade_row *row);
struct comtrade_text comtrade_trimmed(const uint8_t *at, const uint8_t *end);

/* any: ASCII letters alike in both cases. */
bool comtrade_is(struct comtrade_text text, const char *word);

/* any: notes the fault, returns -EINVAL. */
int comtrade_refuse(struct comtrade_fault *fault, uint64_t line, uint32_t field, const char *what);

/* The configuration, read on from line to line; `memory` moves up with what was placed there. */
struct comtrade_parse {
    struct comtrade_lines in;
    struct comtrade_row row;
    struct comtrade *out;
    struct comtrade_fault *fault;
    uint8_t *memory;
};

/* setup: -EINVAL and a fault at the newest line. */
int comtrade_at(struct comtrade_parse *parse, uint32_t field, const char *what);

/* setup: 0, or -EINVAL and `missing` as the fault behind the last line. */
int comtrade_next_row(struct comtrade_parse *parse, const char *missing);

/* setup: the text of a field, from 1; without bytes where the row has not so many. */
struct comtrade_text comtrade_field(const struct comtrade_parse *parse, uint32_t number);

/* setup: a number, or what an empty field stands for. */
int comtrade_number(struct comtrade_parse *parse, uint32_t number, double empty, double *value);

/* setup: a whole number from 0 to max. */
int comtrade_count(struct comtrade_parse *parse, uint32_t number, struct comtrade_text text, int64_t max,
    uint32_t *count);

/* setup: what stands behind the rates: both times, the form of the data, the time multiplier, codes. */
int comtrade_tail(struct comtrade_parse *parse);

#endif
