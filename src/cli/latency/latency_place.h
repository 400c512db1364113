/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of a probe's two places to take on this kernel (probe/site.h): the 5-byte one where it is faster and
 * spares the bytes below the stack pointer, else the 1-byte one. Tried at each start, on two functions of
 * this program that use those bytes.
 */
#ifndef FLYBALL_CLI_LATENCY_PLACE_H
#define FLYBALL_CLI_LATENCY_PLACE_H

#include <stdbool.h>
#include <stdint.h>

struct place_trial {
    bool there;             /* it could be armed, and every call was counted */
    uint32_t calls, spoilt; /* calls, and those after which a word was not as it was */
    double call_ns;         /* of the fastest block */
};

struct place {
    const char *provider;   /* whose places to take */
    const char *why;
    struct place_trial one, five;
};

/* setup: 0, or -errno where no probe can be armed at all; `why` says more. */
int place_try(struct place *place);

/* any: takes a provider for what was found. */
void place_choose(struct place *place);

#endif
