/* SPDX-License-Identifier: Apache-2.0 */
/* The white paper's budget beside what flyball takes: its own stages, and what the client saw of all of
 * them. */
#ifndef FLYBALL_BENCH_LOOPS_BUDGET_H
#define FLYBALL_BENCH_LOOPS_BUDGET_H

#include "bench/loops/harness.h"

/* Every loop stands still. */
void budget_print(struct bench_report *report, const struct harness *harness);

#endif
