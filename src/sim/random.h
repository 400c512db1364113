/* SPDX-License-Identifier: Apache-2.0 */
/* The plant's dice: small, seeded, the same on every build. One stream per thing
 * that draws, so that nobody's draws depend on what others do. */
#ifndef FLYBALL_SIM_RANDOM_H
#define FLYBALL_SIM_RANDOM_H

#include <stdint.h>

enum random_purpose { RANDOM_DEMAND = 1, RANDOM_HOST, RANDOM_TRIPUNIT, RANDOM_METER, RANDOM_NETWORK,
                      RANDOM_SOURCE };

struct random {
    uint64_t state;
};

/* any: the stream of (seed, purpose, index). */
void random_init(struct random *random, uint64_t seed, enum random_purpose purpose, uint64_t index);

uint64_t random_bits(struct random *random);

/* any: as so many calls of random_bits, whose numbers nobody wants. */
void random_skip(struct random *random, uint32_t count);

/* any: uniform in (0, 1), never 0 or 1. */
double random_unit(struct random *random);
double random_between(struct random *random, double low, double high);

/* any: mean 0, sigma 1. */
double random_normal(struct random *random);

/* any: exponential with this mean. */
double random_exponential(struct random *random, double mean);

#endif
