/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of orders: what was asked of a site, by whom and when, one record after the other, each under its
 * checksum and on the disk before the order can take effect. It outlives the daemon: numbers go on from it,
 * and what is still in force is given again. Nothing is ever taken out of it.
 */
#ifndef FLYBALL_RECORD_ORDERS_H
#define FLYBALL_RECORD_ORDERS_H

#include <stdint.h>

#include "msg/order.h"

struct order_entry {
    struct slot_order order;    /* its node and mode by number mean nothing to another model: see subject */
    int64_t given_ns;           /* CLOCK_REALTIME */
    uint32_t uid;               /* who gave it */
    uint32_t refused;           /* not 0: the order of this number was refused, enum order_refusal */
    char subject[NAME_BYTES];   /* the node or host by name, "" = none */
    char contract[NAME_BYTES];  /* what the asker calls it, "" = none */
};

enum { ORDERS_PATH_BYTES = 320 };

struct orders_log {
    int fd;                     /* -1 = not there yet */
    char path[ORDERS_PATH_BYTES];
    uint64_t newest;            /* the highest number in it */
    uint64_t damaged;           /* records skipped because their checksum was wrong */
};

/* cold: opens PATH where it is there, locks it, gives every record to `each` (which may be NULL), cuts
 * what a crash left of one at the end. 0 or -errno; -EADDRINUSE: another process holds it. */
int orders_open(struct orders_log *log, const char *path,
                void (*each)(void *context, const struct order_entry *entry), void *context);

/* cold: makes the file where it is not there. On the disk when it returns 0; else -errno, and nothing of
 * it is in the log. */
int orders_append(struct orders_log *log, const struct order_entry *entry);

void orders_close(struct orders_log *log);

#endif
