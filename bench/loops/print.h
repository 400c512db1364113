/* SPDX-License-Identifier: Apache-2.0 */
/* What was measured, as one JSON object or as text. */
#ifndef FLYBALL_BENCH_LOOPS_PRINT_H
#define FLYBALL_BENCH_LOOPS_PRINT_H

#include "bench/loops/harness.h"

void print_all(struct harness *harness, bool json, int64_t start_ns);

/* Names of the table, one a line. */
void print_list(void);

#endif
