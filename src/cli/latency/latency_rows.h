/* SPDX-License-Identifier: Apache-2.0 */
/* Histograms that programs in the kernel filled, as text and as JSON; and waiting for the end of a watch. */
#ifndef FLYBALL_CLI_LATENCY_ROWS_H
#define FLYBALL_CLI_LATENCY_ROWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "bpf/latency.h"

struct row_words {
    const char *name, *what;
};

extern const struct row_words rows_of_stages[LATENCY_STAGE_COUNT];
extern const struct row_words rows_of_wire[WIRE_ROW_COUNT];
extern const struct row_words rows_of_agent[AGENT_STEP_COUNT];

/* any: upper edge of the bucket that holds quantile q; 0 when empty. */
uint64_t row_quantile_ns(const struct latency_row *row, double q);

/* any */
static inline double row_us(uint64_t ns)
{
    return (double)ns / 1e3;
}

/* A heading over `title`, and a line for each. */
void rows_print(const struct latency_row *row, const struct row_words *words, uint32_t count,
                const char *title, FILE *out);

/* An object by names: counts, quantiles, and buckets as [lower edge in ns, count]. */
json_t *rows_json(const struct latency_row *row, const struct row_words *words, uint32_t count);

/* any: JSON has no larger ones. */
json_int_t rows_integer(uint64_t value);

/* Signals that end a watch come here from then on: a descriptor, or -errno and they end this program. */
int rows_hold_signals(void);

/* Waits for at most 50 ms, and until end_ns (MONOTONIC, 0 = none). False: that is over, or the process has
 * ended, or a signal came. */
bool rows_wait(int signals, pid_t pid, int64_t end_ns);

#endif
