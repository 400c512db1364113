/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums in eight lanes: element k of a run goes to lane k % 8, and the lanes are added in one fixed order. The
 * shape stands in the source, so the compiler may use any width of vector and the bits stay the same; a plain
 * sum in double is six times slower (one addition waits for the other). What is left of a run after its last
 * whole eight is taken as eight, too, of which some count as 0: to put single values into lanes takes longer
 * than all of a short run. Lanes have names, so that they stay in registers.
 */
#ifndef FLYBALL_CORE_LANES_H
#define FLYBALL_CORE_LANES_H

#include <stdint.h>
#include <string.h>

enum { LANES = 8 };

typedef double lanes_pair __attribute__((vector_size(16)));
typedef int64_t lanes_bits __attribute__((vector_size(16)));

struct lanes { lanes_pair a, b, c, d; };

/* rt */
static inline lanes_pair lanes_pair_at(const double *from)
{
    lanes_pair pair;

    memcpy(&pair, from, sizeof pair);
    return pair;
}

/* rt: eight values that follow each other */
static inline struct lanes lanes_at(const double *from)
{
    return (struct lanes){lanes_pair_at(from), lanes_pair_at(from + 2), lanes_pair_at(from + 4),
                          lanes_pair_at(from + 6)};
}

/* rt */
static inline struct lanes lanes_all(double value)
{
    lanes_pair pair = {value, value};

    return (struct lanes){pair, pair, pair, pair};
}

/* rt */
static inline void lanes_put(struct lanes x, double *to)
{
    memcpy(to, &x, sizeof x);
}

/* rt */
static inline struct lanes lanes_less(struct lanes x, struct lanes y)
{
    return (struct lanes){x.a - y.a, x.b - y.b, x.c - y.c, x.d - y.d};
}

/* rt */
static inline struct lanes lanes_plus(struct lanes x, struct lanes y)
{
    return (struct lanes){x.a + y.a, x.b + y.b, x.c + y.c, x.d + y.d};
}

/* rt */
static inline struct lanes lanes_times(struct lanes x, struct lanes y)
{
    return (struct lanes){x.a * y.a, x.b * y.b, x.c * y.c, x.d * y.d};
}

/* rt: all bits of `pair` that are in `mask`, too */
static inline lanes_pair lanes_pair_only(lanes_pair pair, const int64_t *mask)
{
    lanes_bits bits;

    memcpy(&bits, mask, sizeof bits);
    return (lanes_pair)((lanes_bits)pair & bits);
}

/* rt: the first `count` of eight, 0 in the others, whatever is there */
static inline struct lanes lanes_first(struct lanes x, uint32_t count)
{
    static const int64_t all[2 * LANES] = {-1, -1, -1, -1, -1, -1, -1, -1};
    const int64_t *mask = &all[LANES - count];

    return (struct lanes){lanes_pair_only(x.a, mask), lanes_pair_only(x.b, mask + 2),
                          lanes_pair_only(x.c, mask + 4), lanes_pair_only(x.d, mask + 6)};
}

/* rt: the lanes into one */
static inline double lanes_fold(struct lanes x)
{
    lanes_pair sum = (x.a + x.c) + (x.b + x.d);

    return sum[0] + sum[1];
}

#endif
