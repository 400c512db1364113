/* SPDX-License-Identifier: Apache-2.0 */
/* Frames that the kernel or a card stamped: how long they waited for their poll, told by that
 * (time/stamp.h). */
#include "loop/lane_inside.h"

static bool read_card(const struct lane *lane, struct stamp_moment *moment)
{
    int64_t clock_ns = 0, first_ns = timebase_now_ns(lane->base);
    if (!port_clock(lane->port, &clock_ns))
        return false;
    *moment = stamp_moment_of(first_ns, timebase_now_ns(lane->base), clock_ns);
    return true;
}

static bool has_stamp(const struct port_frame *frame, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (frame[i].flags & FRAME_STAMPED)
            return true;
    return false;
}

/* Without a frame only as long as nothing is known, so that the first stamps are told by something. */
void lane_stamps_look(struct lane *lane, const struct port_frame *frame, uint32_t count, int64_t empty_ns)
{
    struct stamps *stamps = &lane->stamps;
    struct stamp_moment now;
    if (!has_stamp(frame, count) && !stamps_know_nothing(stamps))
        return;
    stamps->wanders = lane->port->stamps == STAMPS_CARD;
    if (!stamps->wanders)
        stamp_moment_read(&now, lane->base);
    else if (!read_card(lane, &now)) {
        stamps_forget(stamps);
        return;
    }
    stamps_look(stamps, &now, empty_ns);
}

void lane_stamps_frame(struct lane *lane, const struct port_frame *frame, int64_t empty_ns, int64_t found_ns)
{
    lane->within_ns = found_ns - empty_ns;
    if (frame->flags & FRAME_STAMPED) {
        enum stamp_verdict verdict =
            stamps_within(&lane->stamps, frame->stamp_ns, empty_ns, found_ns, &lane->within_ns);
        count_add(&lane->counters.stamped, 1);
        count_add(&lane->counters.stamps_narrow, verdict == STAMP_NARROWS);
        count_add(&lane->counters.stamps_unsure, verdict == STAMP_UNSURE);
        count_add(&lane->counters.stamps_late, verdict == STAMP_AFTER);
    }
    lane->waited = lane->waits ? budget_waited(&lane->budget, lane->within_ns) : 0;
}
