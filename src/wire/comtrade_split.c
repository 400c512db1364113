/* SPDX-License-Identifier: Apache-2.0 */
/* One file with all parts: each begins behind a line "--- file type: CFG ---". Of binary data that line says
 * how many bytes follow; they may look like lines. */
#include <errno.h>
#include <string.h>

#include "wire/comtrade_inside.h"
#include "wire/decimal.h"

/* What a line between parts says. */
struct header {
    struct comtrade_text type;
    bool binary, sized;
    uint64_t bytes;
};

static bool skip_word(struct comtrade_text *text, const char *word)
{
    struct comtrade_text start = *text;
    uint32_t length = 0;

    while (word[length])
        length++;
    if (text->bytes < length)
        return false;
    start.bytes = length;
    if (!comtrade_is(start, word))
        return false;
    *text = comtrade_trimmed(text->at + length, text->at + text->bytes);
    return true;
}

static struct comtrade_text take_word(struct comtrade_text *text)
{
    struct comtrade_text word = {text->at, 0};

    while (word.bytes < text->bytes && text->at[word.bytes] != ' ' && text->at[word.bytes] != ':')
        word.bytes++;
    *text = comtrade_trimmed(text->at + word.bytes, text->at + text->bytes);
    return word;
}

/* "--- file type: DAT BINARY: 88 ---" */
static bool read_header(struct comtrade_text line, struct header *header)
{
    int64_t bytes;

    if (!skip_word(&line, "---") || !skip_word(&line, "file type:") || line.bytes < 3)
        return false;
    line = comtrade_trimmed(line.at, line.at + line.bytes - 3);
    *header = (struct header){.type = take_word(&line)};
    struct comtrade_text form = take_word(&line);
    header->binary = form.bytes && !comtrade_is(form, "ascii");
    if (skip_word(&line, ":") && decimal_integer(line.at, line.bytes, &bytes) && bytes >= 0) {
        header->sized = true;
        header->bytes = (uint64_t)bytes;
    }
    return true;
}

/* Up to the next header, where `in` then stands, or the end. */
static uint64_t text_bytes(struct comtrade_lines *in)
{
    const uint8_t *first = in->at;
    struct comtrade_text line;
    struct header header;

    for (;;) {
        struct comtrade_lines before = *in;

        while (in->at < in->end && *in->at == COMTRADE_END_OF_TEXT)
            in->at++;
        if (!comtrade_line(in, &line))
            return (uint64_t)(in->at - first);
        if (read_header(line, &header)) {
            *in = before;
            return (uint64_t)(in->at - first);
        }
    }
}

static int take_text(struct comtrade_lines *in, struct comtrade_text *part, struct comtrade_fault *fault)
{
    if (part->at)
        return comtrade_refuse(fault, in->line, 0, "this part is in the file twice");
    part->at = in->at;
    uint64_t bytes = text_bytes(in);
    if (bytes > UINT32_MAX)
        return comtrade_refuse(fault, in->line, 0, "this part is longer than a text may be");
    part->bytes = (uint32_t)bytes;
    return 0;
}

static int take_data(struct comtrade_lines *in, const struct header *header, struct comtrade_parts *parts,
    struct comtrade_fault *fault)
{
    if (parts->dat)
        return comtrade_refuse(fault, in->line, 0, "this part is in the file twice");
    parts->dat = in->at;
    if (!header->binary) {
        parts->dat_bytes = text_bytes(in);
        return 0;
    }
    if (!header->sized)
        return comtrade_refuse(fault, in->line, 0, "binary data should say how many bytes they are");
    if (header->bytes > (uint64_t)(in->end - in->at))
        return comtrade_refuse(fault, in->line, 0, "the file ends before the data that it announces");
    parts->dat_bytes = header->bytes;
    in->at += header->bytes;
    return 0;
}

static int take_part(struct comtrade_lines *in, const struct header *header, struct comtrade_parts *parts,
    struct comtrade_fault *fault)
{
    if (comtrade_is(header->type, "cfg"))
        return take_text(in, &parts->cfg, fault);
    if (comtrade_is(header->type, "inf"))
        return take_text(in, &parts->inf, fault);
    if (comtrade_is(header->type, "hdr"))
        return take_text(in, &parts->hdr, fault);
    if (comtrade_is(header->type, "dat"))
        return take_data(in, header, parts, fault);
    return comtrade_refuse(fault, in->line, 0, "is none of the parts CFG, INF, HDR and DAT");
}

static int split_part(struct comtrade_lines *in, struct comtrade_text line, struct comtrade_parts *parts,
    struct comtrade_fault *fault)
{
    struct header header;

    if (!line.bytes)
        return 0;
    if (!read_header(line, &header))
        return comtrade_refuse(fault, in->line, 0, "should be a line like --- file type: CFG ---");
    return take_part(in, &header, parts, fault);
}

int comtrade_split(const uint8_t *cff, uint64_t bytes, struct comtrade_parts *parts,
    struct comtrade_fault *fault)
{
    struct comtrade_lines in = {.at = cff, .end = cff + bytes};
    struct comtrade_text line;

    memset(parts, 0, sizeof *parts);
    while (comtrade_line(&in, &line))
        if (split_part(&in, line, parts, fault))
            return -EINVAL;
    if (!parts->cfg.at || !parts->dat)
        return comtrade_refuse(fault, in.line, 0, parts->dat ? "the part CFG is missing"
                                                             : "the part DAT is missing");
    return 0;
}
