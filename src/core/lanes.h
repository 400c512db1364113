/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums in eight lanes: element k of a run goes to lane k % 8, and the lanes are added in one fixed order. The
 * shape stands in the source, so the compiler may use any width of vector and the bits stay the same; a plain
 * sum in double is six times slower (one addition waits for the other).
 */
#ifndef FLYBALL_CORE_LANES_H
#define FLYBALL_CORE_LANES_H

#include <stdint.h>
#include <string.h>

enum { LANES = 8, LANES_PAIRS = LANES / 2 };

typedef double lanes_pair __attribute__((vector_size(16)));

struct lanes { lanes_pair of[LANES_PAIRS]; };

/* rt */
static inline lanes_pair lanes_load(const double *from)
{
    lanes_pair pair;

    memcpy(&pair, from, sizeof pair);
    return pair;
}

/* rt: the lanes into one */
static inline double lanes_fold(const struct lanes *lanes)
{
    lanes_pair sum = (lanes->of[0] + lanes->of[2]) + (lanes->of[1] + lanes->of[3]);

    return sum[0] + sum[1];
}

/* rt: a product of what is left of a run after its last whole eight */
static inline void lanes_rest(struct lanes *lanes, const double *a, const double *b, uint32_t from,
                              uint32_t n)
{
    for (uint32_t k = from; k < n; k++)
        lanes->of[(k - from) / 2][(k - from) % 2] += a[k] * b[k];
}

#endif
