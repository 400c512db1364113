/* SPDX-License-Identifier: Apache-2.0 */
/* What draws: adversaries that use leases as badly as they may, one an hour. */
#ifndef FLYBALL_BENCH_HEAT_LOAD_H
#define FLYBALL_BENCH_HEAT_LOAD_H

#include <stdbool.h>

#include "msg/limits.h"
#include "sim/random.h"

/* X(symbol, name) */
#define HEAT_ADVERSARIES(X) \
    X(HEAT_ALWAYS, "always draws all it may") \
    X(HEAT_PULSES, "130/80 % pulses of 300 ms") \
    X(HEAT_BURSTS, "pauses, then everything at once") \
    X(HEAT_CREEP, "just what is admissible, then all in flight") \
    X(HEAT_RESTART, "controller restarts mid-excursion") \
    X(HEAT_LOSS, "every message lost") \
    X(HEAT_GAPS, "readings lost") \
    X(HEAT_WAVEFORM, "crest and imbalance vary")

enum heat_adversary {
#define HEAT_ADVERSARY_SYMBOL(symbol, name) symbol,
    HEAT_ADVERSARIES(HEAT_ADVERSARY_SYMBOL)
#undef HEAT_ADVERSARY_SYMBOL
    HEAT_ADVERSARY_COUNT
};

enum heat_want {
    WANT_LEVEL,     /* so many amperes, as far as leases go */
    WANT_NEWEST,    /* what the newest grant says, so little above it that a low meter does not see it */
    WANT_ALL,       /* everything that any lease in flight permits */
};

struct heat_load {
    enum heat_adversary adversary;
    struct random random;
    double scale_a, steady_a;
    double crest_most;
    double respond_s;
    double unseen;                      /* WANT_NEWEST: 1 / (1 - meter error), all but */
    /* now */
    enum heat_want want;
    double level_a;
    int64_t left_ns;                    /* of this piece */
    double phase[PHASES];               /* of the worst phase, which is 1 */
    double crest;
    /* drawn for the hour */
    double high, low, high_s, low_s, depth;
    uint32_t turn;
};

const char *heat_adversary_name(enum heat_adversary adversary);

/* setup: an hour begins. `scale_a` is what 130 % is of. */
void heat_load_begin(struct heat_load *load, enum heat_adversary adversary);

/* any: the piece is over: the next one. */
void heat_load_next(struct heat_load *load);

/* any: amperes of the worst phase now, where `newest_a` was granted last and `most_a` is the most that a
 * lease in flight permits. */
double heat_load_a(const struct heat_load *load, double newest_a, double most_a);

#endif
