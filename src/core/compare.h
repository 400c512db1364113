/* SPDX-License-Identifier: Apache-2.0 */
/* any: the smaller and the larger of two. */
#ifndef FLYBALL_CORE_COMPARE_H
#define FLYBALL_CORE_COMPARE_H

#include <stdint.h>

static inline int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

#endif
