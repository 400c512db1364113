/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a frame came, where the kernel or its card stamped it. Polls prove an interval: it came into the queue
 * after a moment before the last poll that left nothing there, and before the end of the one that found it. A
 * stamp may raise the earlier end, nothing else: how old a reading is goes by the later end (loop/age.h),
 * which no stamp moves. So the one danger is an earlier end behind the true arrival: the floor that ages are
 * told from would be too high, and ages too low.
 *
 * Why a stamp is no later than the arrival in the queue. The kernel takes it as the frame enters its stack, a
 * card as the frame enters the card: both before anybody can find it. What is between the two counts as way,
 * as it does without stamps. Only frames stamped then have one: not those that the kernel would stamp as they
 * are read (SO_TIMESTAMPNS does, for frames that came before its clock was on; SO_TIMESTAMPING does not).
 *
 * What is left is the clock it is told by. CLOCK_REALTIME may be set at any moment, a card's clock may be,
 * and runs as it likes. So that clock is read beside the monotonic one after each burst that holds stamps,
 * and what was read before the queue was last seen empty is kept: where the clock stands to the monotonic one
 * as it did then, nobody set it in between, and the stamp, which is of in between, is told by it. By how much
 * it might have been set unseen (the widths of the two readings, and for a clock that runs as it likes a
 * 512th of the time between them) the stamp is moved ahead, and by a 512th of what lies between it and the
 * reading. Where the clock was set, no stamp is believed for STAMP_SETTLE_NS: a frame that was stamped before
 * may come into the queue behind it. CLOCK_REALTIME and CLOCK_MONOTONIC run alike, whatever rate anybody
 * gives them, but for being set: for them that is known to a microsecond. Two settings between two such
 * readings that undo each other to within that are not seen.
 *
 * A stamp that comes out behind the poll that found its frame is impossible and not believed; one that comes
 * out ahead of the empty poll is true (the frame was on its way up) and says nothing new.
 */
#ifndef FLYBALL_TIME_STAMP_H
#define FLYBALL_TIME_STAMP_H

#include <stdbool.h>
#include <stdint.h>

struct timebase;

/* A moment told wider than this says too little of whether the clock was set. */
#define STAMP_WIDTH_NS INT64_C(20000)
/* No frame waits so long between its stamp and the queue. */
#define STAMP_SETTLE_NS INT64_C(1000000000)
/* Clocks run so much apart at most, in 2^-n: 1953 ppm. The timebase is steered by 500 ppm. */
enum { STAMP_WANDER_BITS = 9, STAMP_TRIES = 3 };

/* The clock of stamps beside this machine's. */
struct stamp_moment {
    int64_t first_ns, last_ns;  /* monotonic (timebase): it was read between these */
    int64_t clock_ns;
    /* how far it is ahead of a clock that nobody sets, which it is compared with */
    int64_t ahead_ns;
    int64_t ahead_width_ns;     /* or so much more */
};

enum stamp_verdict {
    STAMP_NARROWS,              /* it came after the last empty poll */
    STAMP_BEFORE,               /* it was on its way up then: the poll says more */
    STAMP_UNSURE,               /* the clock was set, or is not yet known */
    STAMP_AFTER,                /* it cannot be: behind the poll that found the frame */
};

/* Of one queue, its thread's own. Zeroed at first. */
struct stamps {
    bool wanders;               /* the clock runs as it likes: a card's */
    bool has_before, has_between;
    bool sure;                  /* stamps of the burst in hand are believed */
    int64_t slack_ns;           /* the clock may have been set unseen by so much */
    struct stamp_moment before; /* read before the queue was last seen empty */
    /* the oldest since then; is `before` once the queue was seen empty again */
    struct stamp_moment between;
    struct stamp_moment now;    /* behind the burst */
    int64_t since_ns;           /* monotonic: the clock is known, and was not set, since then */
};

/* rt: CLOCK_REALTIME. Reads clocks that the C library reads without a system call where the kernel's clock
 * source is one of the processor's. */
void stamp_moment_read(struct stamp_moment *moment, const struct timebase *base);

/* rt: of a card's clock, which was read as clock_ns between the two times. */
struct stamp_moment stamp_moment_of(int64_t first_ns, int64_t last_ns, int64_t clock_ns);

/* rt: a moment was read behind a burst, whose frames came after empty_ns. */
void stamps_look(struct stamps *stamps, const struct stamp_moment *now, int64_t empty_ns);

/* rt: nothing is known of the clock: it could not be read, or is another's. */
void stamps_forget(struct stamps *stamps);

/* rt: is nothing known yet? A moment read now makes the first stamps believed. */
static inline bool stamps_know_nothing(const struct stamps *stamps)
{
    return !stamps->has_before && !stamps->has_between;
}

/* rt: of a frame of the burst that was looked at last, by polls in it at empty_ns and found at found_ns, both
 * monotonic. *within_ns: it came at most so long before found_ns; never more than found_ns - empty_ns. */
enum stamp_verdict stamps_within(const struct stamps *stamps, int64_t stamp_ns, int64_t empty_ns,
                                 int64_t found_ns, int64_t *within_ns);

#endif
