/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "site/read/quantity.h"

struct unit {
    const char *name;
    int64_t scale;              /* base units in one of it */
};

/* Largest first: writing picks the first that divides well. */
static const struct unit current_units[] = {{"kA", 1000000}, {"A", 1000}, {"mA", 1}, {0}};
static const struct unit voltage_units[] = {{"kV", 1000000}, {"V", 1000}, {"mV", 1}, {0}};
static const struct unit power_units[] = {{"MW", 1000000000}, {"kW", 1000000}, {"W", 1000}, {"mW", 1}, {0}};
static const struct unit apparent_units[] = {
    {"MVA", 1000000000}, {"kVA", 1000000}, {"VA", 1000}, {"mVA", 1}, {0}};
static const struct unit load_units[] = {{"MW", 1000000000}, {"kW", 1000000},     {"W", 1000},
                                         {"mW", 1},          {"MVA", 1000000000}, {"kVA", 1000000},
                                         {"VA", 1000},       {"mVA", 1},          {0}};
static const struct unit reactive_units[] = {
    {"Mvar", 1000000000}, {"kvar", 1000000}, {"var", 1000}, {"mvar", 1}, {0}};
static const struct unit frequency_units[] = {{"Hz", 1000}, {"mHz", 1}, {0}};
static const struct unit time_units[] = {{"h", 3600000000000},
                                         {"min", 60000000000},
                                         {"s", 1000000000},
                                         {"ms", 1000000},
                                         {"us", 1000},
                                         {"ns", 1},
                                         {0}};
static const struct unit ratio_units[] = {{"%", 10000}, {"ppm", 1}, {0}};
static const struct unit factor_units[] = {{"", 1000000}, {"%", 10000}, {0}};
static const struct unit ramp_units[] = {
    {"MW/s", 1000000}, {"kW/ms", 1000000}, {"kW/s", 1000}, {"W/s", 1}, {0}};
static const struct unit memory_units[] = {{"GiB", 1024}, {"MiB", 1}, {0}};
static const struct unit angle_units[] = {{"deg", 1000000}, {0}};

static const struct {
    const struct unit *unit;
    const char *noun, *units, *usual, *base;
} kind[QUANTITY_COUNT] = {
    [QUANTITY_CURRENT] = {current_units, "a current", "mA, A or kA", "A", "1 mA"},
    [QUANTITY_VOLTAGE] = {voltage_units, "a voltage", "mV, V or kV", "V", "1 mV"},
    [QUANTITY_POWER] = {power_units, "a power", "W, kW or MW", "W", "1 mW"},
    [QUANTITY_APPARENT] = {apparent_units, "an apparent power", "VA, kVA or MVA", "kVA", "1 mVA"},
    [QUANTITY_LOAD] = {load_units, "a power", "W, kW, MW, VA, kVA or MVA", "kW", "1 mW"},
    [QUANTITY_TIME] = {time_units, "a time", "us, ms, s, min or h", "ms", "1 ns"},
    [QUANTITY_RATIO] = {ratio_units, "a percentage", "%", "%", "0.0001 %"},
    [QUANTITY_FACTOR] = {factor_units, "a factor", "% or without a unit", "%", "0.000001"},
    [QUANTITY_RAMP] = {ramp_units, "a ramp", "kW/s, MW/s or kW/ms", "MW/s", "1 W/s"},
    [QUANTITY_REACTIVE] = {reactive_units, "a reactive power", "var, kvar or Mvar", "kvar", "1 mvar"},
    [QUANTITY_FREQUENCY] = {frequency_units, "a frequency", "mHz or Hz", "Hz", "1 mHz"},
    [QUANTITY_MEMORY] = {memory_units, "an amount of memory", "MiB or GiB", "MiB", "1 MiB"},
    [QUANTITY_ANGLE] = {angle_units, "an angle", "deg", "deg", "0.000001 deg"},
};

struct decimal {
    int64_t digits;             /* all digits as one number */
    int decimals;               /* of them after the point */
    int minus;
};

/* Reads [-]123[.456]; at most 18 digits. Returns what follows, or NULL. */
static const char *read_decimal(const char *text, struct decimal *number, enum quantity_fault *fault)
{
    int digits = 0, point = 0;

    *number = (struct decimal){.minus = *text == '-'};
    text += number->minus;
    *fault = QUANTITY_NOT_NUMBER;
    for (; (*text >= '0' && *text <= '9') || (*text == '.' && !point && digits); text++) {
        if (*text == '.') {
            point = 1;
            continue;
        }
        if (++digits > 18) {
            *fault = QUANTITY_TOO_LARGE;
            return NULL;
        }
        number->digits = number->digits * 10 + (*text - '0');
        number->decimals += point;
    }
    if (!digits || text[-1] == '.')
        return NULL;
    *fault = QUANTITY_OK;
    return text + (*text == ' ');
}

static enum quantity_fault scale_decimal(struct decimal number, int64_t scale, int64_t *value)
{
    /* trailing zeros after the point and factors of ten in the scale cancel first: 0.500kA must
     * not overflow */
    while (number.decimals && number.digits % 10 == 0) {
        number.digits /= 10;
        number.decimals--;
    }
    while (number.decimals && scale % 10 == 0) {
        scale /= 10;
        number.decimals--;
    }
    if (__builtin_mul_overflow(number.digits, scale, &number.digits))
        return QUANTITY_TOO_LARGE;
    for (; number.decimals; number.decimals--, number.digits /= 10)
        if (number.digits % 10)
            return QUANTITY_TOO_FINE;
    *value = number.minus ? -number.digits : number.digits;
    return QUANTITY_OK;
}

enum quantity_fault quantity_parse(enum quantity what, const char *text, int64_t *value)
{
    struct decimal number;
    enum quantity_fault fault;
    const char *unit = read_decimal(text, &number, &fault);

    if (!unit)
        return fault;
    for (const struct unit *known = kind[what].unit; known->name; known++)
        if (!strcmp(known->name, unit))
            return scale_decimal(number, known->scale, value);
    return *unit ? QUANTITY_WRONG_UNIT : QUANTITY_NO_UNIT;
}

int quantity_is_apparent(const char *text)
{
    size_t length = strlen(text);

    return length > 2 && !strcmp(text + length - 2, "VA");
}

const char *quantity_noun(enum quantity what)
{
    return kind[what].noun;
}

const char *quantity_units(enum quantity what)
{
    return kind[what].units;
}

const char *quantity_usual_unit(enum quantity what)
{
    return kind[what].usual;
}

const char *quantity_base_unit(enum quantity what)
{
    return kind[what].base;
}

const char *quantity_unit(enum quantity what, uint32_t i)
{
    return kind[what].unit[i].name;
}

static const struct unit *smallest(enum quantity what)
{
    const struct unit *unit = kind[what].unit;

    while (unit[1].name)
        unit++;
    return unit;
}

const char *quantity_write_exact(enum quantity what, int64_t value, char text[QUANTITY_EXACT_BYTES])
{
    const struct unit *unit = kind[what].unit;
    uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;

    /* 0.9 is not 90 %, and 0.5 % not 5000 ppm */
    bool stays = what == QUANTITY_FACTOR || what == QUANTITY_RATIO;
    while (unit[1].name && !stays && (uint64_t)unit->scale > size)
        unit++;
    uint64_t scale = (uint64_t)unit->scale, rest = size % scale;
    int width = snprintf(text, QUANTITY_EXACT_BYTES, "%s%" PRIu64 "%s", value < 0 ? "-" : "", size / scale,
                         rest ? "." : "");

    /* a time in hours has no end in tens: 20 minutes are 0.333... of one */
    for (; rest && scale % 10 == 0; rest %= scale) {
        scale /= 10;
        width += snprintf(text + width, QUANTITY_EXACT_BYTES - (size_t)width, "%" PRIu64, rest / scale);
    }
    if (rest) {
        width = snprintf(text, QUANTITY_EXACT_BYTES, "%" PRId64, value);
        unit = smallest(what);
    }
    snprintf(text + width, QUANTITY_EXACT_BYTES - (size_t)width, "%s", unit->name);
    return text;
}

const char *quantity_write(enum quantity what, int64_t value, char *text, size_t bytes)
{
    const struct unit *unit = kind[what].unit;
    uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;

    /* 0.6 of a unit reads worse than 600 of the next */
    while (unit[1].name && (uint64_t)unit->scale > size)
        unit++;
    uint64_t scale = (uint64_t)unit->scale, thousandths = size % scale * 1000 / scale;
    int width = snprintf(text, bytes, "%s%" PRIu64, value < 0 ? "-" : "", size / scale);

    if (thousandths && width > 0 && (size_t)width + 5 < bytes) {
        width += snprintf(text + width, bytes - (size_t)width, ".%03" PRIu64, thousandths);
        while (text[width - 1] == '0')
            text[--width] = '\0';
    }
    if (width > 0 && (size_t)width < bytes)
        snprintf(text + width, bytes - (size_t)width, "%s", unit->name);
    return text;
}
