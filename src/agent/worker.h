/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread per device: a driver that hangs holds up its own device and nothing else. The loop leaves an
 * order and goes on; the thread carries it out, looks and samples in between, and leaves what it found.
 *
 * The thread has a handle of its own on the actuator, so that it can open a device anew that was gone. What
 * it writes is never above what the loop wants by then, and at most fail-safe once the word has passed: an
 * order may have waited behind a call that hung, or the process have stood still.
 */
#ifndef FLYBALL_AGENT_WORKER_H
#define FLYBALL_AGENT_WORKER_H

#include <pthread.h>

#include "agent/hand.h"
#include "agent/word.h"
#include "record/histogram.h"

/* What a thread leaves for the loop; each part is news where its flag is set. */
struct worker_news {
    bool written, seen, sampled, smoothed;
    int written_rc, seen_rc, smooth_rc;
    int64_t applied_mw;             /* what was written */
    struct hand_seen readback, look;    /* what read back then; what a look saw */
    struct act_sample sample;
};

struct worker_place {
    struct hands *hands;            /* of the process */
    const struct act_driver *driver;
    struct act_place place;
    char identity[ACT_IDENTITY_BYTES];
    int64_t fail_safe_mw;           /* of this device */
    int64_t look_every_ns;
    bool smoothing;                 /* floors and ramps are set where the device can */
    const struct word *word;
    int wake_fd;                    /* eventfd: the loop is to look at the news */
};

struct worker {
    struct worker_place config;
    struct hand hand;
    pthread_t thread;
    pthread_mutex_t lock;           /* held for copying alone */
    pthread_cond_t changed;
    bool ordered, stop;
    int64_t cap_mw;                 /* the order */
    int64_t came_ns;                /* when what led to it came */
    struct act_smooth smooth;       /* what it is to keep besides its cap */
    struct worker_news news;
    _Atomic int64_t ceiling_mw;     /* what the loop wants now */
    struct hand_seen told;          /* the newest read-back that the loop was woken for */
    struct act_smooth smoothed;     /* what it has taken; refused: what it did not */
    struct act_smooth refused;
    int64_t smooth_ns;              /* a refusal is tried again then */
    /* of this thread; to read when it has ended */
    struct histogram to_call;       /* from the arrival of a lease to the driver's call */
    struct histogram call;          /* how long a write and its read-back take */
};

/* any: what may be written of an order by now. */
int64_t worker_allowed_mw(int64_t cap_mw, int64_t ceiling_mw, int64_t fail_safe_mw, bool word_has_passed);

/* setup: opens the actuator and looks for the device, which may be gone; the thread begins with
 * worker_start. 0, or -errno of the actuator and why in words. */
int worker_open(struct worker *worker, const struct worker_place *place, char why[ACT_WHY_BYTES]);

/* setup: 0 or -errno. */
int worker_start(struct worker *worker);

/* any, the loop: an order; the one before must have returned. */
void worker_order(struct worker *worker, int64_t cap_mw, int64_t came_ns);

/* any, the loop: nothing above this is to be written from now on. */
static inline void worker_bound(struct worker *worker, int64_t ceiling_mw)
{
    atomic_store_explicit(&worker->ceiling_mw, ceiling_mw, memory_order_release);
}

/* any, the loop: what the device is to keep besides its cap. It waits behind every write, and
 * makes way for a cut between two calls of the driver. */
void worker_smooth(struct worker *worker, const struct act_smooth *smooth);

/* any, the loop: takes what is new; false: nothing. */
bool worker_take(struct worker *worker, struct worker_news *news);

/* setup: asks the thread to end and waits for it until then (MONOTONIC). False: it hangs in the driver. */
bool worker_stop(struct worker *worker, int64_t until_ns);

#endif
