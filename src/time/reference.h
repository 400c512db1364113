/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From this machine's monotonic time to the time of a reference (a grandmaster, a PHC, the system clock): a
 * line, fitted to samples that come about once a second, and how far it may be off. Samples are rough, some
 * wildly so, and the reference may step: slope and offset are medians (Theil, Sen), a sample far off the
 * line counts for nothing, and a row of samples that agree beside it begins a new line. However that ends,
 * the uncertainty is never less than the newest sample lies off the line.
 *
 * The cold side fits and publishes; anybody reads without a lock. A time is told as an interval.
 */
#ifndef FLYBALL_TIME_REFERENCE_H
#define FLYBALL_TIME_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "ring/seqlock.h"

enum { REFERENCE_SAMPLES = 32, REFERENCE_CONFIRMATIONS = 3 };

/* What lies off the line by more than half of what LOCKED asks for, but never more than this, and by more
 * than 8 times the spread, is an outlier or a step. */
#define REFERENCE_STEP_NS INT64_C(100000)
/* Samples older than this say nothing of the slope any more. */
#define REFERENCE_KEEPS_NS (INT64_C(120) * 1000000000)

struct reference_sample {
    int64_t mono_ns;            /* of the timebase */
    int64_t offset_ns;          /* reference - mono_ns then */
    int64_t half_ns;            /* known to be off by at most this, apart from noise */
};

/* The line, about the newest sample: reference - mono = offset + rate x (mono - at). */
struct reference_line {
    int64_t at_ns;              /* monotonic; 0 = there is none */
    int64_t offset_ns;
    int64_t rate_ppt;           /* ns per 1000 s */
    int64_t half_ns;            /* uncertainty at at_ns */
    int64_t growth_ppt;         /* and how it grows with time from there */
};

/* Earliest and latest. */
struct reference_interval { int64_t earliest_ns, latest_ns; };

struct reference {
    /* Two copies by turns, as in timebase.h: a reader never waits. */
    struct seqlock published[2];
    _Atomic uint32_t current;
    /* cold side */
    struct reference_sample sample[REFERENCE_SAMPLES], doubted[REFERENCE_CONFIRMATIONS];
    uint32_t count, doubts;     /* kept, the newest last; in a row beside the line */
    struct reference_line line;
    int64_t rated_ns;           /* how long the samples lay apart that the rate is of */
    int64_t spread_ns;          /* median distance of samples from the line */
    int64_t wander_ppt;         /* of the rate, once nobody corrects it any more */
    int64_t floor_ns;           /* nearer to the line is no step */
    int64_t step_ns;            /* the newest step; positive: the reference went ahead */
    uint64_t taken, steps, outliers;
};

/* setup: nothing is known. wander_ppt: how fast the machine's own clock may leave its last rate;
 * within_ns: so exact is the time to be. */
void reference_init(struct reference *reference, int64_t wander_ppt, int64_t within_ns);

/* cold, one thread: takes a sample, fits and publishes. Samples not later than the newest are passed over.
 * True when a step was confirmed by it: then `step_ns` holds. */
bool reference_take(struct reference *reference, const struct reference_sample *sample);

/* cold, that thread: the next sample begins a new line, as it is another clock's; nobody sees that until it
 * has come. A step is then told from where the line before would lie. */
void reference_doubt(struct reference *reference);

/* rt: the newest line. False: there is none yet. */
bool reference_read(const struct reference *reference, struct reference_line *line);

/* any: pure: what the line says of a monotonic time, and how far it may be off there; saturates. */
int64_t reference_offset_ns(const struct reference_line *line, int64_t mono_ns);
int64_t reference_half_ns(const struct reference_line *line, int64_t mono_ns);

/* rt: when something that happened between two monotonic times happened, by the reference. False: there is no
 * line yet, and the interval is empty. */
bool reference_interval(const struct reference *reference, int64_t first_ns, int64_t last_ns,
                        struct reference_interval *interval);

#endif
