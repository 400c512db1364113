/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times in which a hot thread did not run. It reads the clock several times a turn, and between two
 * neighbouring readings lies no more than one frame, one decision or one burst of leases: work of
 * microseconds. Readings that are GAP_NS apart had something else between them: an interrupt, another
 * thread, the hypervisor. So the loop is its own gap meter, at no clock reading more.
 *
 * It cannot tell work that is too long from a gap in it, so a gap that ends in work is kept as such: it is no
 * excuse. But a machine interrupts at random moments, and a thread of this kind works for a small part of its
 * time: gaps that mostly begin while it works would be its own.
 */
#ifndef FLYBALL_LOOP_GAP_H
#define FLYBALL_LOOP_GAP_H

#include <stdbool.h>

#include "loop/count.h"
#include "msg/limits.h"
#include "ring/seqlock.h"

#define GAP_NS NS_PER_MS
enum { GAPS_KEPT = 64, GAP_SIZES = 3 };

/* One thread writes, any may read. */
struct gap {
    int64_t last_ns;            /* the thread's own: its newest reading of the clock */
    count_t over[GAP_SIZES];    /* of at least 1, 10 and 20 ms */
    count_t working[GAP_SIZES]; /* of these, while it worked */
    count_t lost_ns;            /* all of them together */
    count_t longest_ns;
    count_t longest_t_ns;       /* when it ended */
    struct seqlock kept[GAPS_KEPT];     /* the newest, by over[0]; gap_read */
};

struct gap_kept {
    int64_t end_ns, length_ns;
    bool working;
};

/* rt, the thread: a gap of at least GAP_NS that ended at now_ns. */
void gap_note(struct gap *gap, int64_t now_ns, int64_t length_ns, bool working);

/* rt, the thread: it has read the clock, `working` at the end of a frame, a decision or a burst of leases.
 * NULL: nobody wants to know. */
static inline void gap_mark(struct gap *gap, int64_t now_ns, bool working)
{
    if (!gap)
        return;
    int64_t length_ns = now_ns - gap->last_ns;
    gap->last_ns = now_ns;
    if (__builtin_expect(length_ns >= GAP_NS, 0))
        gap_note(gap, now_ns, length_ns, working);
}

/* any: one of the newest, by its place among GAPS_KEPT. False: there is none yet, or it is just written. */
bool gap_read(const struct gap *gap, uint64_t at, struct gap_kept *kept);

/* Of a stretch of time, ns. */
struct gap_sum {
    int64_t all_ns;
    int64_t working_ns;         /* of that, of gaps that ended in work */
    int64_t longest_ns;         /* the longest that lies in it, whole */
};

/* any: adds how much of the time between is gap, by the newest GAPS_KEPT: what was before them is not known
 * any more. NULL: none. */
void gap_add(const struct gap *gap, int64_t from_ns, int64_t to_ns, struct gap_sum *sum);

#endif
