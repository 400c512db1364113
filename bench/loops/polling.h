/* SPDX-License-Identifier: Apache-2.0 */
/* What a user would write in an afternoon: once a second the newest reading is looked at, and where it is
 * over the limit, a process is started for each cap, one after the other, with ordinary scheduling. */
#ifndef FLYBALL_BENCH_LOOPS_POLLING_H
#define FLYBALL_BENCH_LOOPS_POLLING_H

#include "bench/loops/harness.h"

/* One block is one reading, sent at another moment of the second each time. A cap counts when its process has
 * written it. */
void block_polling(struct harness *harness, struct contender *contender, int64_t end_ns);

#endif
