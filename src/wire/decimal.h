/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers written in decimal digits, read without the C library, its locale or its errno. */
#ifndef FLYBALL_WIRE_DECIMAL_H
#define FLYBALL_WIRE_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

/* any: all of `text` is a number: sign, digits, one point, an exponent; blanks around it are passed over. The
 * nearest double, ties to even, where at most 15 digits count and the last stands between 10^-22 and
 * 10^22, or at most 19 and it stands between 10^-19 and 1; beyond that within ten units in the last place.
 * False for anything else, and beyond 10^300. */
bool decimal_double(const uint8_t *text, uint32_t bytes, double *value);

/* any: a whole number without point and exponent; false beyond 18 digits. */
bool decimal_integer(const uint8_t *text, uint32_t bytes, int64_t *value);

#endif
