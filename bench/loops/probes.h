/* SPDX-License-Identifier: Apache-2.0 */
/* `flyball latency` as a child that watches this process: while it does, every probe of the loop is armed. */
#ifndef FLYBALL_BENCH_LOOPS_PROBES_H
#define FLYBALL_BENCH_LOOPS_PROBES_H

#include <stddef.h>
#include <stdio.h>

struct probes {
    FILE *says;                 /* the child's words; NULL: it does not run */
};

/* Starts it and waits until it says that it watches. 0, or -errno with its last words in `why`. */
int probes_arm(struct probes *probes, int seconds, char *why, size_t bytes);

/* Waits until it has ended: nothing is armed any more. */
void probes_end(struct probes *probes);

#endif
