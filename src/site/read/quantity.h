/* SPDX-License-Identifier: Apache-2.0 */
/* Quantities with units, exactly: "10.3kW" is 10,300,000 mW and not a double near it. */
#ifndef FLYBALL_SITE_QUANTITY_H
#define FLYBALL_SITE_QUANTITY_H

#include <stddef.h>
#include <stdint.h>

enum quantity {
    QUANTITY_CURRENT,       /* mA */
    QUANTITY_VOLTAGE,       /* mV */
    QUANTITY_POWER,         /* mW */
    QUANTITY_APPARENT,      /* mVA */
    QUANTITY_LOAD,          /* mW or mVA, told apart by quantity_is_apparent */
    QUANTITY_TIME,          /* ns */
    QUANTITY_RATIO,         /* ppm; only % is taken */
    QUANTITY_FACTOR,        /* ppm; 0.98 or 98% */
    QUANTITY_RAMP,          /* W/s */
    QUANTITY_MEMORY,        /* MiB */
    QUANTITY_REACTIVE,      /* mvar */
    QUANTITY_FREQUENCY,     /* mHz */
    QUANTITY_ANGLE,         /* millionths of a degree */
    QUANTITY_COUNT
};

enum quantity_fault {
    QUANTITY_OK = 0,
    QUANTITY_NOT_NUMBER,    /* does not start with a number */
    QUANTITY_NO_UNIT,
    QUANTITY_WRONG_UNIT,
    QUANTITY_TOO_FINE,      /* finer than the base unit can hold */
    QUANTITY_TOO_LARGE,
};

/* any: text -> base units. Takes a leading minus; ranges are the caller's. */
enum quantity_fault quantity_parse(enum quantity what, const char *text, int64_t *value);

/* any: did the text end in VA? (of a QUANTITY_LOAD that parsed) */
int quantity_is_apparent(const char *text);

/* any: "a current", "A, kA or mA", "A", "mA" for messages. */
const char *quantity_noun(enum quantity what);
const char *quantity_units(enum quantity what);
const char *quantity_usual_unit(enum quantity what);
const char *quantity_base_unit(enum quantity what);

/* any: every unit that is taken, largest first, "" for none needed; NULL past the last. */
const char *quantity_unit(enum quantity what, uint32_t i);

/* any: writes a value for a reader, in the unit a person would choose ("800A", "10.3kW"). Returns `text`. */
const char *quantity_write(enum quantity what, int64_t value, char *text, size_t bytes);

/* any: the same to the last digit: quantity_parse reads the value back. Returns `text`. */
enum { QUANTITY_EXACT_BYTES = 40 };
const char *quantity_write_exact(enum quantity what, int64_t value, char text[QUANTITY_EXACT_BYTES]);

#endif
