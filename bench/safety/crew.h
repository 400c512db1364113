/* SPDX-License-Identifier: Apache-2.0 */
/* Plays many drills at once, a process a core: each is a matter of its own, so how many there are changes no
 * figure but the times. */
#ifndef FLYBALL_BENCH_SAFETY_CREW_H
#define FLYBALL_BENCH_SAFETY_CREW_H

#include "bench/safety/drill.h"

/* setup: cores that this process may use. */
uint32_t crew_cores(void);

/* setup: `result` by drill, in order; NULL where memory is short. */
struct drill_result *crew_results(uint32_t count);
void crew_forget(struct drill_result *result, uint32_t count);

/* setup: plays all of them, the first ones first. Failures are told on standard error as they come. 0, or
 * -errno where a process could not be had or died. */
int crew_play(const struct drill *drill, struct drill_result *result, uint32_t count,
              const struct place *place, uint32_t jobs);

#endif
