/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Benches that spin in real time with nothing throttled: one at a time on a machine, since two starve each
 * other's far ends, and none for ever, since nobody else runs meanwhile.
 */
#ifndef FLYBALL_BENCH_ALONE_H
#define FLYBALL_BENCH_ALONE_H

/* setup: waits until no other bench runs, and then gives this process limit_s seconds: after them the kernel
 * ends it, whatever its threads do. The lock goes with the process. 0 or -errno: the lock file cannot be
 * had. */
int bench_alone(const char *name, unsigned limit_s);

#endif
