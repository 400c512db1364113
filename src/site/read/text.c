/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "site/read/text.h"

/* Length of the UTF-8 sequence at `at`, 0 where there is none. Overlong forms and surrogates do not count. */
static size_t sequence_bytes(const uint8_t *at, size_t left)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t bytes = at[0] < 0x80 ? 1 : at[0] >> 5 == 6 ? 2 : at[0] >> 4 == 14 ? 3 : at[0] >> 3 == 30 ? 4 : 0;

    if (bytes == 1)
        return at[0] >= ' ' || at[0] == '\n' || at[0] == '\r' || at[0] == '\t';
    if (!bytes || bytes > left)
        return 0;
    uint32_t point = at[0] & (0x7Fu >> bytes);

    for (size_t i = 1; i < bytes; i++) {
        if (at[i] >> 6 != 2)
            return 0;
        point = point << 6 | (at[i] & 0x3Fu);
    }
    return point >= least[bytes] && point < 0x110000 && point >> 11 != 27 ? bytes : 0;
}

/* libfyaml looks ahead to the end of every open bracket at once: minutes for a file of brackets. Comments do
 * not count. */
static int check_brackets(const char *text, size_t bytes, struct findings *errors)
{
    uint32_t line = 1, open = 0;

    for (size_t i = 0; i < bytes; i++) {
        line += text[i] == '\n';
        if (text[i] == '#') {
            const char *end = memchr(text + i, '\n', bytes - i);

            i = end ? (size_t)(end - text) - 1 : bytes;
        } else if (text[i] == '[' || text[i] == '{') {
            open++;
        } else if (open && (text[i] == ']' || text[i] == '}')) {
            open--;
        }
        if (open <= TEXT_BRACKETS_MAX)
            continue;
        findings_add(errors, line, 1, "more than %d brackets are open here, close them", TEXT_BRACKETS_MAX);
        return -1;
    }
    return 0;
}

/* libfyaml stops silently at bytes that are no text: a site must not be read in half. */
static int check_text(const char *text, size_t bytes, struct findings *errors)
{
    uint32_t line = 1, column = 1;
    size_t step;

    for (size_t i = 0; i < bytes; i += step, column++) {
        step = sequence_bytes((const uint8_t *)text + i, bytes - i);
        if (!step) {
            findings_add(errors, line, column, "byte 0x%02x is no text here, save the file as UTF-8",
                         (uint8_t)text[i]);
            return -1;
        }
        if (text[i] == '\n') {
            line++;
            column = 0;
        }
    }
    return 0;
}

int text_check(const char *text, size_t bytes, struct findings *errors)
{
    return check_text(text, bytes, errors) || check_brackets(text, bytes, errors) ? -1 : 0;
}
