/* SPDX-License-Identifier: Apache-2.0 */
#include "time/stamp.h"

#include <time.h>

#include "msg/limits.h"
#include "time/timebase.h"
#include "time/wide.h"

static int64_t clock_of(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

void stamp_moment_read(struct stamp_moment *moment, const struct timebase *base)
{
    for (int i = 0; i < STAMP_TRIES; i++) {
        moment->first_ns = timebase_now_ns(base);
        moment->clock_ns = clock_of(CLOCK_REALTIME);
        int64_t even_ns = clock_of(CLOCK_MONOTONIC), again_ns = clock_of(CLOCK_REALTIME);
        moment->last_ns = timebase_now_ns(base);
        moment->ahead_ns = moment->clock_ns - even_ns;
        moment->ahead_width_ns = again_ns - moment->clock_ns;
        if (moment->last_ns - moment->first_ns <= STAMP_WIDTH_NS)
            return;
    }
}

struct stamp_moment stamp_moment_of(int64_t first_ns, int64_t last_ns, int64_t clock_ns)
{
    wide ahead_ns = (wide)clock_ns - last_ns;
    bool told = ahead_ns == wide_clamp(ahead_ns);       /* else it is no time */
    return (struct stamp_moment){.first_ns = first_ns, .last_ns = last_ns, .clock_ns = clock_ns,
                                 .ahead_ns = wide_clamp(ahead_ns),
                                 .ahead_width_ns = told ? last_ns - first_ns : -1};
}

void stamps_forget(struct stamps *stamps)
{
    stamps->has_before = stamps->has_between = stamps->sure = false;
}

/* A clock that was set between the readings of one moment makes it wide, or turns it round. */
static bool is_clear(const struct stamp_moment *moment)
{
    return moment->last_ns >= moment->first_ns && moment->last_ns - moment->first_ns <= STAMP_WIDTH_NS &&
           moment->ahead_width_ns >= 0 && moment->ahead_width_ns <= STAMP_WIDTH_NS;
}

/* How far the clock may have been set between the two, unseen; -1: it was set. */
static int64_t unseen_ns(const struct stamps *stamps, const struct stamp_moment *from,
                         const struct stamp_moment *to)
{
    int64_t wander_ns = stamps->wanders ? (to->last_ns - from->first_ns) >> STAMP_WANDER_BITS : 0;
    wide went_ns = (wide)to->ahead_ns - from->ahead_ns;
    bool same = went_ns <= from->ahead_width_ns + wander_ns && -went_ns <= to->ahead_width_ns + wander_ns;
    return same ? from->ahead_width_ns + to->ahead_width_ns + 2 * wander_ns : -1;
}

/* The new one is of after the burst; what is kept as `before` was read before the queue was last seen empty,
 * so that every frame of the burst was stamped between the two. */
void stamps_look(struct stamps *stamps, const struct stamp_moment *now, int64_t empty_ns)
{
    stamps->sure = false;
    if (!is_clear(now))
        return;
    stamps->now = *now;
    if (stamps->has_between && stamps->between.last_ns <= empty_ns) {
        stamps->before = stamps->between;
        stamps->has_before = true;
        stamps->has_between = false;
    }
    const struct stamp_moment *from = stamps->has_before ? &stamps->before : &stamps->between;
    int64_t slack_ns = stamps_know_nothing(stamps) ? -1 : unseen_ns(stamps, from, now);
    if (slack_ns < 0) {
        stamps_forget(stamps);
        stamps->since_ns = now->last_ns;
    }
    stamps->sure = stamps->has_before && now->first_ns - stamps->since_ns >= STAMP_SETTLE_NS;
    stamps->slack_ns = slack_ns;
    if (!stamps->has_between)
        stamps->between = *now;
    stamps->has_between = true;
}

enum stamp_verdict stamps_within(const struct stamps *stamps, int64_t stamp_ns, int64_t empty_ns,
                                 int64_t found_ns, int64_t *within_ns)
{
    *within_ns = found_ns - empty_ns;
    if (!stamps->sure)
        return STAMP_UNSURE;
    const struct stamp_moment *now = &stamps->now;
    wide before_ns = (wide)now->clock_ns - stamp_ns;
    if (before_ns < 0)
        return STAMP_AFTER;
    /* the earliest that it may have been */
    wide early_ns = now->first_ns - before_ns - (before_ns >> STAMP_WANDER_BITS) - stamps->slack_ns;
    if (early_ns > found_ns)
        return STAMP_AFTER;
    if (early_ns <= empty_ns)
        return STAMP_BEFORE;
    *within_ns = found_ns - (int64_t)early_ns;
    return STAMP_NARROWS;
}
