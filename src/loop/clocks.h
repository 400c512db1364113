/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cold thread that keeps the time (time/keeper.h) and looks at meters' clocks. What it finds is shown,
 * marks records, and stands among the degradations. No cap is raised by it; a meter whose clock drifts loses
 * its permit, by this machine's monotonic clock alone: no grandmaster changes a cap.
 */
#ifndef FLYBALL_LOOP_CLOCKS_H
#define FLYBALL_LOOP_CLOCKS_H

#include <pthread.h>
#include <stdio.h>

#include "site/site.h"
#include "time/keeper.h"
#include "time/meter_clock.h"

struct view;

/* How often it looks. */
#define CLOCKS_LOOK_NS (NS_PER_S / 2)
/* TAI - UTC, by a second: of a card that goes by TAI where nobody tells it. */
enum { CLOCKS_TAI_S = 37 };

/* A meter whose clock drifted is doubted for so long from then on, and until it is seen to keep time. */
#define CLOCKS_DOUBT_NS (600 * NS_PER_S)

/* A meter's clock as it was found, for whoever shows it. */
struct clocks_meter {
    struct meter_clock_found found;
    bool is_off;                /* beyond what the site file allows */
    bool is_doubted;            /* it renews no permit */
};

/* The thread's own, of a meter. */
struct clocks_own {
    struct meter_clock clock;
    uint64_t steps;                     /* of it, when last looked at */
    int64_t doubt_until_ns;             /* monotonic, by arrivals */
};

struct clocks {
    bool open;
    const struct site *site;
    struct timebase *base;
    const struct view *view;
    struct keeper keeper;
    struct clocks_own *meter;           /* by meter */
    struct seqlock *found;              /* by meter: struct clocks_meter */
    _Atomic bool *doubted;              /* by meter: it drifts so much that its readings may not lend */
    void *block;
    int core;
    pthread_t thread;
    _Atomic bool stop;
};

/* setup: ptp4l's answers come to a socket beside the door ("" or NULL: in /tmp). 0, -ENOMEM or
 * -ENAMETOOLONG. From here on the timebase is synchronised where the source is LOCKED and the system clock
 * lies within holdover_budget of it; of source system the kernel's word stands. */
int clocks_open(struct clocks *clocks, const struct site *site, struct timebase *base,
                const struct view *view, const char *door);

/* any, pure: is CLOCK_REALTIME, by which records are stamped, known to be right to so much? The source is
 * LOCKED, and the system clock lies so near to it. */
bool clocks_is_synchronised(const struct keeper_told *told, int64_t within_ns);

/* cold, one thread: one look at the source and at all meters. */
void clocks_look(struct clocks *clocks);

/* cold: the body of the thread. */
void *clocks_run(void *clocks);

/* rt: may what this meter says lend nothing, since its clock runs at another rate than time? NULL: nobody
 * looks. */
static inline bool clocks_doubt(const _Atomic bool *doubted, uint32_t meter)
{
    /* Relaxed: a mark, which orders nothing. */
    return doubted && atomic_load_explicit(&doubted[meter], memory_order_relaxed);
}

/* any: false while it is being written, or before the first look. */
bool clocks_read_meter(const struct clocks *clocks, uint32_t meter, struct clocks_meter *found);

/* cold, once nobody looks any more. Meters' clocks can be read no longer. */
void clocks_close(struct clocks *clocks);

#endif
