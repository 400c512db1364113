/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread's own handle on one device: known by its identity, opened anew once it was gone.
 *
 * Some drivers are one for all that have them open in a process (act_driver.shared): what was lost, and a
 * driver that was loaded anew, is found only once every handle was closed. So a hand closes as soon as its
 * device is gone; and where that does not bring it back while others have the driver open, those close, too:
 * each when it next looks, and each opens again as soon as the last one has closed. A write waits for nobody:
 * whoever has one opens at once, and with that the others, too. All are asked again later.
 */
#ifndef FLYBALL_AGENT_HAND_H
#define FLYBALL_AGENT_HAND_H

#include <pthread.h>
#include <stdatomic.h>

#include "act/act.h"

/* A device that is gone is looked for this often. */
#define HAND_REOPEN_NS NS_PER_S
/* All are asked to close when one was gone for so long, and then this often. */
#define HAND_RENEW_AFTER_NS (3 * NS_PER_S)
#define HAND_RENEW_EVERY_NS (30 * NS_PER_S)
/* Whoever was asked to close waits no longer for the others: one of them may hang. Less than what makes a
 * device count as blind. */
#define HAND_RENEW_WAIT_NS (800 * NS_PER_MS)

/* What the hands of a process share. */
struct hands {
    pthread_mutex_t lock;       /* of the identities; held for copying alone */
    uint32_t taken_count;
    char taken[HOST_DEVICES_MAX][ACT_IDENTITY_BYTES];   /* by a hand each */
    _Atomic uint32_t open;      /* hands that have the driver open */
    _Atomic uint32_t renewals;  /* how often all were asked to close */
    _Atomic uint32_t reopened;  /* the newest of those that is over: one of them has opened again */
    _Atomic int64_t renewed_ns; /* when they were last, MONOTONIC */
};

struct hand {
    struct hands *hands;
    const struct act_driver *driver;
    struct act_place place;
    char identity[ACT_IDENTITY_BYTES];  /* "" = the first that no other hand has */
    struct act act;
    uint32_t device;            /* its place in act; INDEX_NONE: gone */
    bool renewing;              /* it was there, and is closed because all are to be */
    uint32_t renewal;           /* the newest that this one took part in */
    int64_t gone_ns;            /* since when it is */
    int64_t reopen_ns;          /* MONOTONIC: not before */
};

/* setup: before the first hand. */
void hands_init(struct hands *hands);

/* setup: 0, also where the device is not there (yet); -errno of the actuator, and why in words. Hands with an
 * identity are opened before those without. */
int hand_open(struct hand *hand, struct hands *hands, const struct act_driver *driver,
              const struct act_place *place, const char *identity, char why[ACT_WHY_BYTES]);
void hand_close(struct hand *hand);

/* any, at least twice in HAND_RENEW_WAIT_NS: looks for a device that is gone, once a second at most, and
 * closes where all are to. This may allocate; nothing else here does but a write to one that is closed. */
void hand_find(struct hand *hand, int64_t now_ns);

/* What a device stands at: what is in force, and what it keeps as written; -1: it does not tell that. */
struct hand_seen {
    int64_t enforced_mw, kept_mw;
};

/* any: as the driver's calls (act/act.h); -ENODEV, and gone from then on. -EAGAIN: closed for a moment,
 * since all are; not of a write, which opens the driver then, as hand_find does. */
int hand_apply(struct hand *hand, int64_t cap_mw, int64_t now_ns);
int hand_read_back(struct hand *hand, struct hand_seen *seen, int64_t now_ns);
int hand_sample(struct hand *hand, struct act_sample *sample, int64_t now_ns);
/* any: -ENOTSUP also where the driver has no such call. */
int hand_smooth(struct hand *hand, const struct act_smooth *smooth, int64_t now_ns);

#endif
