/* SPDX-License-Identifier: Apache-2.0 */
/* What records of a host's history amount to: over all of a span, and row by row. */
#ifndef FLYBALL_CLI_HOST_HOST_SUM_H
#define FLYBALL_CLI_HOST_HOST_SUM_H

#include "agent/history.h"

enum { HOST_ROWS_MAX = 200, HOST_BARS_MAX = 64, HOST_BREAKS_MAX = 8, HOST_STATES = 3, HOST_BITS = 4 };

/* Least, most and mean of what was known. */
struct host_figure {
    uint64_t count;
    int64_t least, most;
    double sum;
};

struct host_row {
    int64_t from_ns;
    uint64_t samples;
    struct host_figure draw_mw, asked_mw, enforced_mw, temperature_mc;
    uint8_t states, flags, throttle;    /* sets of bits: 1 << state, and those met at all */
};

enum host_break { HOST_GAP, HOST_CLOCK_SET, HOST_RESTART };

/* Two samples that do not follow on each other. */
struct host_breach {
    enum host_break what;
    int64_t from_ns, to_ns;     /* the two, by the clock of the host */
    int64_t amount_ns;          /* time lost; of HOST_CLOCK_SET: by how much */
};

struct host_sum {
    int64_t from_ns, to_ns;     /* the span asked for; to_ns is the newest sample's */
    struct host_row all;
    struct history_sample newest;
    uint64_t expected, lost;    /* samples in the span; of those missing, what the disk was too slow for */
    uint64_t in_state[HOST_STATES + 1];         /* the last: a state that is unknown here */
    uint64_t with_throttle[HOST_BITS], with_flag[HOST_BITS];    /* by bit */
    bool used_known;
    uint64_t used_mj;           /* energy */
    uint32_t breaches;          /* all; the newest HOST_BREAKS_MAX are kept, oldest first */
    struct host_breach breach[HOST_BREAKS_MAX];
    uint32_t rows, bars;
    struct host_row row[HOST_ROWS_MAX], bar[HOST_BARS_MAX];
};

/* any: `count` records of at least 1, oldest first; rows and bars of equal length over the span. */
void host_sum(struct host_sum *sum, const struct history_record *record, uint64_t count, int64_t last_ns,
              uint32_t rows, uint32_t bars);

/* any: mean of a figure; 0 where nothing was known. */
double host_mean(const struct host_figure *figure);

/* The words for states, and for bits of throttle and flags; NULL past the last. */
const char *host_state_word(uint32_t state);
const char *host_throttle_word(uint32_t bit);
const char *host_flag_word(uint32_t bit);

#endif
