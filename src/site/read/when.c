/* SPDX-License-Identifier: Apache-2.0 */
/* By recursive descent, straight into the program: what is read first is carried out first. */
#include "site/read/when.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "site/read/quantity.h"
#include "site/read/suggest.h"
#include "site/read/when_inside.h"

static const struct {
    const char *name, *meaning;
    uint8_t unit;               /* enum when_unit */
} quantities[WHEN_QUANTITY_COUNT] = {
#define QUANTITY(symbol, word, counted, known, value, text) \
    [symbol] = {.name = word, .meaning = text, .unit = counted},
    WHEN_QUANTITIES(QUANTITY)
#undef QUANTITY
};

/* The phase that decides: any above is the largest above. */
static const struct {
    const char *name;
    uint8_t above, below;       /* enum when_quantity */
} any_phase[] = {
    {"current", WHEN_CURRENT_MAX, WHEN_CURRENT_MIN},
    {"voltage", WHEN_VOLTAGE_MAX, WHEN_VOLTAGE_MIN},
};
enum { ANY_PHASE = sizeof any_phase / sizeof any_phase[0] };

static const uint8_t unit_of[WHEN_UNIT_COUNT] = {
    [WHEN_WATTS] = QUANTITY_POWER,     [WHEN_VOLT_AMPERES] = QUANTITY_APPARENT,
    [WHEN_VARS] = QUANTITY_REACTIVE,   [WHEN_AMPERES] = QUANTITY_CURRENT,
    [WHEN_VOLTS] = QUANTITY_VOLTAGE,   [WHEN_HERTZ] = QUANTITY_FREQUENCY,
    [WHEN_SHARE] = QUANTITY_RATIO,     [WHEN_FACTOR] = QUANTITY_FACTOR,
    [WHEN_RAMP] = QUANTITY_RAMP,       [WHEN_YES] = QUANTITY_COUNT,
};

struct parser {
    const char *text;
    uint32_t next;              /* byte behind `token` */
    struct when_token token;
    struct when_program *program;
    struct when_fault *fault;
    int64_t hysteresis_ppm;
    uint32_t comparisons, times, depth;
};

static void advance(struct parser *p)
{
    p->next = when_token(p->text, p->next, &p->token);
}

__attribute__((format(printf, 3, 4)))
static int refuse(struct parser *p, uint32_t at, const char *format, ...)
{
    va_list list;

    p->fault->at = at;
    va_start(list, format);
    vsnprintf(p->fault->words, sizeof p->fault->words, format, list);
    va_end(list);
    return -EINVAL;
}

static bool is_word(const struct parser *p, const char *word)
{
    return p->token.kind == TOKEN_WORD && !strcmp(p->token.text, word);
}

static bool is_any_word(const struct parser *p)
{
    return is_word(p, "and") || is_word(p, "or") || is_word(p, "not") || is_word(p, "for") ||
           is_word(p, "clear");
}

static int emit(struct parser *p, uint32_t at, struct when_step step)
{
    if (p->program->count == WHEN_STEPS_MAX)
        return refuse(p, at, "when is longer than %d comparisons and words together, that is the most: write "
                      "two alerts", WHEN_STEPS_MAX);
    p->program->step[p->program->count++] = step;
    return 0;
}

/* ---- what is not understood ---- */

static int refuse_sign(struct parser *p)
{
    char sign = p->token.text[0];

    if (sign == '=' || sign == '!')
        return refuse(p, p->token.at, "'%c' is not known: a measured value is never exactly a figure, "
                      "compare with < or >; for the opposite write not", sign);
    if (sign == '&' || sign == '|')
        return refuse(p, p->token.at, "'%c' has no meaning here: write %s", sign, sign == '&' ? "and" : "or");
    if (sign > ' ' && sign <= '~')
        return refuse(p, p->token.at, "'%c' has no meaning in a condition", sign);
    return refuse(p, p->token.at, "a character that has no meaning in a condition: use letters, digits, "
                  "< > <= >= ( ) and blanks");
}

static int refuse_quantity(struct parser *p)
{
    struct suggest near;

    suggest_start(&near, p->token.text);
    for (uint32_t i = 0; i < WHEN_QUANTITY_COUNT; i++)
        suggest_offer(&near, quantities[i].name);
    for (uint32_t i = 0; i < ANY_PHASE; i++)
        suggest_offer(&near, any_phase[i].name);
    if (near.best)
        return refuse(p, p->token.at, "unknown quantity '%s', did you mean '%s'?", p->token.text, near.best);
    return refuse(p, p->token.at, "unknown quantity '%s', flyball-site(5) lists those that are known",
                  p->token.text);
}

/* Where a quantity, `not` or a parenthesis must stand. */
static int refuse_operand(struct parser *p)
{
    if (p->token.kind == TOKEN_WRONG)
        return refuse_sign(p);
    if (p->token.kind == TOKEN_END)
        return refuse(p, p->token.at, "%s",
                      p->token.at ? "the condition ends here, a quantity like power is missing"
                                  : "when is empty, write a condition like power > 600kW");
    if (p->token.kind == TOKEN_WORD && !is_any_word(p))
        return refuse_quantity(p);
    return refuse(p, p->token.at, "a quantity like power must stand here, not '%s'", p->token.text);
}

/* ---- comparisons ---- */

static bool rises(uint8_t op)
{
    return op == WHEN_ABOVE || op == WHEN_AT_LEAST;
}

/* INDEX of the row, or WHEN_QUANTITY_COUNT. Of any phase: the row that decides for `op`. */
static uint32_t find_quantity(const char *name, uint8_t op)
{
    for (uint32_t i = 0; i < ANY_PHASE; i++)
        if (!strcmp(any_phase[i].name, name))
            return rises(op) ? any_phase[i].above : any_phase[i].below;
    for (uint32_t i = 0; i < WHEN_QUANTITY_COUNT; i++)
        if (!strcmp(quantities[i].name, name))
            return i;
    return WHEN_QUANTITY_COUNT;
}

static int64_t share_of(int64_t value, int64_t share_ppm)
{
    value = value < 0 ? -value : value;
    return value / PPM * share_ppm + value % PPM * share_ppm / PPM;
}

static int take_value(struct parser *p, const char *name, uint32_t unit, int64_t *value)
{
    if (p->token.kind == TOKEN_WRONG)
        return refuse_sign(p);
    if (p->token.kind != TOKEN_NUMBER)
        return refuse(p, p->token.at, "%s is compared with a number in %s, and none stands here", name,
                      quantity_units((enum quantity)unit));
    if (when_number(&p->token, name, unit, value, p->fault))
        return -EINVAL;
    advance(p);
    return 0;
}

/* What clears it: as written, or by the alert's hysteresis. */
static int take_clear(struct parser *p, const char *name, uint32_t unit, struct when_step *step)
{
    /* a share of 50 Hz would be 1 Hz wide */
    int64_t whole = unit == QUANTITY_FREQUENCY ? 1000 : step->bound;
    int64_t band = share_of(whole, p->hysteresis_ppm);

    step->clear = rises(step->op) ? step->bound - band : step->bound + band;
    if (!is_word(p, "clear"))
        return 0;
    advance(p);
    uint32_t at = p->token.at;

    if (take_value(p, name, unit, &step->clear))
        return -EINVAL;
    if (rises(step->op) ? step->clear > step->bound : step->clear < step->bound)
        return refuse(p, at, "%s clears at a value that raises it: clear must lie %s", name,
                      rises(step->op) ? "below" : "above");
    return 0;
}

static int take_bounds(struct parser *p, const char *name, struct when_step *step)
{
    uint32_t unit = when_quantity_unit(step->quantity);

    if (p->token.kind == TOKEN_WRONG)
        return refuse_sign(p);
    if (p->token.kind != TOKEN_COMPARE)
        return refuse(p, p->token.at, "%s is compared with nothing, write < or > and a value behind it",
                      name);
    step->op = p->token.op;
    step->quantity = (uint8_t)find_quantity(name, step->op);
    advance(p);
    if (take_value(p, name, unit, &step->bound))
        return -EINVAL;
    return take_clear(p, name, unit, step);
}

static int parse_comparison(struct parser *p)
{
    struct when_token name = p->token;
    uint32_t quantity = find_quantity(name.text, WHEN_ABOVE);
    struct when_step step = {.op = WHEN_IS, .quantity = (uint8_t)quantity, .place = (uint8_t)p->comparisons};

    if (name.kind != TOKEN_WORD || quantity == WHEN_QUANTITY_COUNT)
        return refuse_operand(p);
    if (p->comparisons++ == WHEN_COMPARISONS_MAX)
        return refuse(p, name.at, "more than %d comparisons, that is the most: write two alerts",
                      WHEN_COMPARISONS_MAX);
    advance(p);
    if (quantities[quantity].unit != WHEN_YES) {
        if (take_bounds(p, name.text, &step))
            return -EINVAL;
    } else if (p->token.kind == TOKEN_COMPARE || is_word(p, "clear")) {
        return refuse(p, p->token.at, "%s holds or does not, it is compared with nothing: for the opposite "
                      "write not %s", name.text, name.text);
    }
    return emit(p, name.at, step);
}

/* ---- words between comparisons ---- */

static int parse_either(struct parser *p);

static int parse_time(struct parser *p)
{
    struct when_step step = {.op = WHEN_FOR, .place = (uint8_t)p->times};
    uint32_t at = p->token.at;

    advance(p);
    uint32_t where = p->token.at;

    if (p->token.kind != TOKEN_NUMBER)
        return p->token.kind == TOKEN_WRONG
                   ? refuse_sign(p)
                   : refuse(p, where, "a time like 200ms must stand behind for");
    if (when_number(&p->token, "for", QUANTITY_TIME, &step.bound, p->fault))
        return -EINVAL;
    if (step.bound < NS_PER_MS || step.bound > WHEN_TIME_MOST_NS)
        return refuse(p, where, "for %s is out of range, possible is 1ms to 1h", p->token.text);
    if (p->times++ == WHEN_TIMES_MAX)
        return refuse(p, at, "more than %d times for, that is the most", WHEN_TIMES_MAX);
    advance(p);
    if (is_word(p, "for"))
        return refuse(p, p->token.at, "for stands here twice, drop one");
    return emit(p, at, step);
}

static int parse_lasting(struct parser *p)
{
    uint32_t at = p->token.at;
    int rc;

    if (p->token.kind == TOKEN_OPEN) {
        advance(p);
        rc = parse_either(p);
        if (!rc && p->token.kind == TOKEN_WRONG)
            rc = refuse_sign(p);
        else if (!rc && p->token.kind == TOKEN_END)
            rc = refuse(p, at, "this parenthesis is not closed");
        else if (!rc && p->token.kind != TOKEN_CLOSE)
            rc = refuse(p, p->token.at, "and, or or ) must stand here, not '%s'", p->token.text);
        if (!rc)
            advance(p);
    } else {
        rc = parse_comparison(p);
    }
    return !rc && is_word(p, "for") ? parse_time(p) : rc;
}

static int parse_one(struct parser *p)
{
    uint32_t at = p->token.at;
    int rc;

    if (!is_word(p, "not") && p->token.kind != TOKEN_OPEN)
        return parse_lasting(p);
    if (p->depth == WHEN_DEPTH_MAX)
        return refuse(p, at, "more than %d parentheses and not within each other, that is the most",
                      WHEN_DEPTH_MAX);
    p->depth++;
    if (p->token.kind == TOKEN_OPEN) {
        rc = parse_lasting(p);
    } else {
        advance(p);
        rc = parse_one(p);
        rc = rc ? rc : emit(p, at, (struct when_step){.op = WHEN_NOT});
    }
    p->depth--;
    return rc;
}

static int parse_all(struct parser *p)
{
    int rc = parse_one(p);

    while (!rc && is_word(p, "and")) {
        uint32_t at = p->token.at;

        advance(p);
        rc = parse_one(p);
        rc = rc ? rc : emit(p, at, (struct when_step){.op = WHEN_AND});
    }
    return rc;
}

static int parse_either(struct parser *p)
{
    int rc = parse_all(p);

    while (!rc && is_word(p, "or")) {
        uint32_t at = p->token.at;

        advance(p);
        rc = parse_all(p);
        rc = rc ? rc : emit(p, at, (struct when_step){.op = WHEN_OR});
    }
    return rc;
}

static int refuse_rest(struct parser *p)
{
    if (p->token.kind == TOKEN_WRONG)
        return refuse_sign(p);
    if (p->token.kind == TOKEN_CLOSE)
        return refuse(p, p->token.at, "this parenthesis was never opened");
    return refuse(p, p->token.at, "and or or must stand here, not '%s'", p->token.text);
}

int when_parse(const char *text, int64_t hysteresis_ppm, struct when_program *program,
               struct when_fault *fault)
{
    struct parser p = {.text = text, .program = program, .fault = fault, .hysteresis_ppm = hysteresis_ppm};

    *program = (struct when_program){0};
    *fault = (struct when_fault){0};
    advance(&p);
    int rc = parse_either(&p);

    return rc || p.token.kind == TOKEN_END ? rc : refuse_rest(&p);
}

const char *when_quantity_name(enum when_quantity quantity)
{
    return quantities[quantity].name;
}

const char *when_quantity_meaning(enum when_quantity quantity)
{
    return quantities[quantity].meaning;
}

uint32_t when_quantity_unit(enum when_quantity quantity)
{
    return unit_of[quantities[quantity].unit];
}
