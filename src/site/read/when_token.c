/* SPDX-License-Identifier: Apache-2.0 */
/* The words, numbers and signs of a condition. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "site/read/quantity.h"
#include "site/read/when_inside.h"

/* More than any meter measures, and a share of it still fits. */
#define VALUE_MOST INT64_C(1000000000000000)

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return (c >= '0' && c <= '9') || c == '.';
}

static bool is_unit(char c)
{
    return is_letter(c) || c == '%' || c == '/';
}

static void copy(struct when_token *token, const char *text, uint32_t bytes)
{
    size_t used = strlen(token->text);
    size_t room = sizeof token->text - 1 - used;

    memcpy(token->text + used, text, bytes < room ? bytes : room);
}

static uint32_t run(const char *text, uint32_t from, bool (*belongs)(char))
{
    uint32_t to = from;

    while (belongs(text[to]))
        to++;
    return to;
}

static bool is_letter_or_digit(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9');
}

static bool is_keyword(const char *text, uint32_t bytes)
{
    static const char *const words[] = {"and", "or", "not", "for", "clear"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i]) == bytes && !memcmp(words[i], text, bytes))
            return true;
    return false;
}

/* "600kW" and "600 kW" are the same; in "0.9 and" no unit follows. */
static uint32_t take_number(const char *text, uint32_t from, struct when_token *token)
{
    uint32_t to = run(text, from + (text[from] == '-'), is_digit), unit = to, end;

    token->kind = TOKEN_NUMBER;
    copy(token, text + from, to - from);
    while (text[unit] == ' ')
        unit++;
    end = run(text, unit, is_unit);
    if (end == unit || is_keyword(text + unit, end - unit))
        return to;
    copy(token, text + unit, end - unit);
    return end;
}

static uint32_t take_sign(const char *text, uint32_t from, struct when_token *token)
{
    bool equal = text[from + 1] == '=';

    switch (text[from]) {
    case '(':
    case ')':
        token->kind = text[from] == '(' ? TOKEN_OPEN : TOKEN_CLOSE;
        equal = false;
        break;
    case '>':
        token->kind = TOKEN_COMPARE;
        token->op = equal ? WHEN_AT_LEAST : WHEN_ABOVE;
        break;
    case '<':
        token->kind = TOKEN_COMPARE;
        token->op = equal ? WHEN_AT_MOST : WHEN_BELOW;
        break;
    default:
        token->kind = TOKEN_WRONG;
        equal = false;
        break;
    }
    copy(token, text + from, 1u + equal);
    return from + 1u + equal;
}

uint32_t when_token(const char *text, uint32_t from, struct when_token *token)
{
    while (text[from] == ' ')
        from++;
    *token = (struct when_token){.kind = TOKEN_END, .at = from};
    if (!text[from])
        return from;
    if (is_letter(text[from])) {
        uint32_t to = run(text, from, is_letter_or_digit);

        token->kind = TOKEN_WORD;
        copy(token, text + from, to - from);
        return to;
    }
    if (is_digit(text[from]) || (text[from] == '-' && is_digit(text[from + 1])))
        return take_number(text, from, token);
    return take_sign(text, from, token);
}

static void say(char words[WHEN_FAULT_BYTES], const char *text, const char *name, uint32_t unit,
                enum quantity_fault fault)
{
    enum quantity what = (enum quantity)unit;
    const char *noun = quantity_noun(what), *units = quantity_units(what);

    switch (fault) {
    case QUANTITY_NO_UNIT:
        snprintf(words, WHEN_FAULT_BYTES, "'%s' has no unit: %s is %s, write %s%s", text, name, noun, text,
                 quantity_usual_unit(what));
        break;
    case QUANTITY_WRONG_UNIT:
        snprintf(words, WHEN_FAULT_BYTES, "'%s' has a unit that %s has not: it is %s, in %s", text, name,
                 noun, units);
        break;
    case QUANTITY_TOO_FINE:
        snprintf(words, WHEN_FAULT_BYTES, "'%s' is finer than %s", text, quantity_base_unit(what));
        break;
    case QUANTITY_TOO_LARGE:
        snprintf(words, WHEN_FAULT_BYTES, "'%s' is more than any meter measures", text);
        break;
    default:
        snprintf(words, WHEN_FAULT_BYTES, "'%s' is no number", text);
        break;
    }
}

int when_number(const struct when_token *token, const char *name, uint32_t unit, int64_t *value,
                struct when_fault *fault)
{
    enum quantity_fault wrong = quantity_parse((enum quantity)unit, token->text, value);

    if (wrong == QUANTITY_OK && (*value > VALUE_MOST || *value < -VALUE_MOST))
        wrong = QUANTITY_TOO_LARGE;
    if (wrong == QUANTITY_OK)
        return 0;
    fault->at = token->at;
    say(fault->words, token->text, name, unit, wrong);
    return -EINVAL;
}
