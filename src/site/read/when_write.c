/* SPDX-License-Identifier: Apache-2.0 */
/* A program as the text it was made of: from its end, where the last word between two conditions stands. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "site/read/quantity.h"
#include "site/read/when.h"

struct writer {
    const struct when_program *program;
    char *text;
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void put(struct writer *w, const char *format, ...)
{
    va_list list;
    size_t room = WHEN_TEXT_BYTES - w->used;

    va_start(list, format);
    int bytes = vsnprintf(w->text + w->used, room, format, list);
    va_end(list);
    w->used += bytes < 0 ? 0 : (size_t)bytes < room ? (size_t)bytes : room - 1;
}

/* The first step of the condition that ends with step `last`. */
static uint32_t first_of(const struct when_program *program, uint32_t last)
{
    uint32_t wanted = 1;        /* results that are still to come from further ahead */

    for (uint32_t i = last + 1; i-- > 0;) {
        uint8_t op = program->step[i].op;

        wanted += op == WHEN_AND || op == WHEN_OR;
        wanted -= op <= WHEN_IS;
        if (!wanted)
            return i;
    }
    return 0;
}

static void put_comparison(struct writer *w, const struct when_step *step)
{
    static const char *const sign[] = {
        [WHEN_ABOVE] = ">", [WHEN_AT_LEAST] = ">=", [WHEN_BELOW] = "<", [WHEN_AT_MOST] = "<="};
    enum quantity unit = (enum quantity)when_quantity_unit(step->quantity);
    char value[QUANTITY_EXACT_BYTES];

    put(w, "%s", when_quantity_name(step->quantity));
    if (step->op == WHEN_IS)
        return;
    put(w, " %s %s", sign[step->op], quantity_write_exact(unit, step->bound, value));
    if (step->clear != step->bound)
        put(w, " clear %s", quantity_write_exact(unit, step->clear, value));
}

static void put_condition(struct writer *w, uint32_t last);

/* As an operand: what is more than a comparison, in parentheses. */
static void put_operand(struct writer *w, uint32_t last)
{
    bool plain = w->program->step[last].op <= WHEN_IS;

    put(w, "%s", plain ? "" : "(");
    put_condition(w, last);
    put(w, "%s", plain ? "" : ")");
}

static void put_pair(struct writer *w, uint32_t last)
{
    const struct when_step *step = w->program->step;
    uint32_t before = first_of(w->program, last - 1) - 1;

    /* a and b and c: the left one needs none */
    if (step[before].op == step[last].op)
        put_condition(w, before);
    else
        put_operand(w, before);
    put(w, "%s", step[last].op == WHEN_AND ? " and " : " or ");
    put_operand(w, last - 1);
}

static void put_condition(struct writer *w, uint32_t last)
{
    const struct when_step *step = &w->program->step[last];
    char time[QUANTITY_EXACT_BYTES];

    switch (step->op) {
    case WHEN_AND:
    case WHEN_OR:
        put_pair(w, last);
        break;
    case WHEN_NOT:
        put(w, "not ");
        put_operand(w, last - 1);
        break;
    case WHEN_FOR:
        put_operand(w, last - 1);
        put(w, " for %s", quantity_write_exact(QUANTITY_TIME, step->bound, time));
        break;
    default:
        put_comparison(w, step);
        break;
    }
}

const char *when_write(const struct when_program *program, char text[WHEN_TEXT_BYTES])
{
    struct writer w = {.program = program, .text = text};

    *text = '\0';
    put_condition(&w, program->count - 1);
    return text;
}
