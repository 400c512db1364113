/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of the degradation table (core/degrade.h) that the loop alone sees: meters' clocks that went
 * ahead, places in the ring and frames at a port, the journal's disk, who listens for shed actions. They
 * steer nothing. Looked at by the cold thread that looks at the links, shown in the view.
 */
#ifndef FLYBALL_LOOP_LOSSES_H
#define FLYBALL_LOOP_LOSSES_H

#include "core/degrade.h"
#include "loop/age.h"
#include "msg/limits.h"

struct loop;

/* A loss is over when nothing more was lost for this long. */
#define LOSSES_CALM_NS NS_PER_S
/* A clock that stepped counts until the age rule has forgotten the time before (age.h). */
#define LOSSES_CLOCK_NS AGE_FORGETS_NS
/* A look at the time takes PTP_ROUND_MS and comes twice a second: whoever has not looked for so long
 * hangs. */
#define LOSSES_HANGS_NS (5 * NS_PER_S)

/* Members of the row `clock`: meters, and behind them this machine, where the site has PTP to lose. */
enum { LOSSES_OWN_CLOCK = METERS_MAX };

/* Members of the row `ring`: lanes, then ports. Of the journal: its disk. */
enum { LOSSES_PORT = LANES_MAX, LOSSES_RING = 2 * LANES_MAX };

/* Something that loses, counted. */
struct loss {
    uint64_t count;
    int64_t t_ns;               /* it last grew; INT64_MIN = never */
    bool is_in;
};

struct losses {
    struct loop *loop;
    int64_t t_first_ns, t_next_ns;  /* of looks; 0 = none yet */
    struct degrade_row row[DEGRADATION_COUNT];
    struct loss ring[LOSSES_RING], journal, marks;
    bool clock[METERS_MAX + 1];
    bool has_ptp;               /* the site declares a clock */
    bool deaf;                  /* nobody listens for shed actions */
};

/* setup */
void losses_start(struct losses *losses, struct loop *loop);

/* cold, one thread: looks every LINK_LOOK_NS and writes the view. */
void losses_look(struct losses *losses, int64_t now_ns);

#endif
