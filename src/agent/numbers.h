/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the numbers of an agent's frames begin. They ascend over restarts, or a controller that asks for tags
 * takes the new ones for recordings of old ones. The clock gives a number that is above all former ones, but
 * where it was set back, or is not set yet; so a line on the disk says how far earlier runs may have come.
 */
#ifndef FLYBALL_AGENT_NUMBERS_H
#define FLYBALL_AGENT_NUMBERS_H

#include <stdint.h>

/* A run's share, reserved before its first frame: 4 s of a clock, or years of frames. */
#define NUMBERS_OF_A_RUN (UINT64_C(1) << 32)

/* any, may take as long as the disk does: *first is above all that earlier runs used, as far as the file
 * FOLDER/numbers tells. 0, or -errno where that could not be read or written; *first is good then, too, while
 * the clock is not set back. */
int numbers_begin(const char *folder, uint64_t utc_ns, uint64_t *first);

#endif
