/* SPDX-License-Identifier: Apache-2.0 */
/* Sums and products of times and rates, which do not fit 64 bits on their way to what does. */
#ifndef FLYBALL_TIME_WIDE_H
#define FLYBALL_TIME_WIDE_H

#include <stdint.h>

__extension__ typedef __int128 wide;

/* any: the value, or what is nearest to it within a quarter of 64 bits: two such may be added and taken
 * apart. */
static inline int64_t wide_clamp(wide value)
{
    if (value > INT64_MAX / 4)
        return INT64_MAX / 4;
    return value < -(INT64_MAX / 4) ? -(INT64_MAX / 4) : (int64_t)value;
}

/* any: of what is clamped. */
static inline int64_t wide_magnitude(int64_t value)
{
    return value < 0 ? -value : value;
}

/* any: of at least one value; even many: the mean of the two in the middle. Sorts them. */
int64_t wide_median(int64_t *value, uint32_t count);

#endif
