/* SPDX-License-Identifier: Apache-2.0 */
/* A meter behind a decoder: whatever blocks of samples come out of that, what is measured is numbers, in
 * order, and says what was wrong with them. Ends the process where it is not so. */
#ifndef FLYBALL_FUZZ_MEASURED_H
#define FLYBALL_FUZZ_MEASURED_H

#include "core/measure_meter.h"

struct measured {
    struct measure_meter meter;
    struct measure_out out;
    bool has_meter;
    bool omitted;               /* the block before was invalid and left out */
    int64_t next_t_ns;          /* what a block without a gap begins with */
    uint32_t due_flags;         /* what one of the next `due_ticks` milliseconds has to have */
    uint32_t due_ticks;
};

/* Takes a block. One of another rate or number of channels begins a new meter. */
void measured_block(struct measured *measured, const struct samples *block);

#endif
