/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/random.h"

#include <math.h>

/* SplitMix64: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014. */
static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static const uint64_t golden_gamma = UINT64_C(0x9E3779B97F4A7C15);

void random_init(struct random *random, uint64_t seed, enum random_purpose purpose, uint64_t index)
{
    random->state = mix(mix(mix(seed + golden_gamma) + (uint64_t)purpose) + index + golden_gamma);
}

uint64_t random_bits(struct random *random)
{
    random->state += golden_gamma;
    return mix(random->state);
}

void random_skip(struct random *random, uint32_t count)
{
    random->state += count * golden_gamma;
}

double random_unit(struct random *random)
{
    return ((double)(random_bits(random) >> 12) + 0.5) * 0x1p-52;
}

double random_between(struct random *random, double low, double high)
{
    return low + (high - low) * random_unit(random);
}

double random_exponential(struct random *random, double mean)
{
    return -mean * log(random_unit(random));
}
