/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of orders: what was asked of a site, by whom and when, one record after the other, each under its
 * checksum and on the disk before the order can take effect. It outlives the daemon: numbers go on from it,
 * and what is still in force is given again.
 *
 * It is compacted at a start, and when it has ORDERS_RECORDS_MAX records: what is in force and the newest
 * number are written to PATH.new, which takes the place of PATH once it is on the disk; what was there before
 * stays as PATH.old until the next time. So the two hold no more than 2 x (ORDERS_RECORDS_MAX + 1) records
 * and what one order adds, some 4 MB, and a crash at any point leaves one whole log at PATH.
 */
#ifndef FLYBALL_RECORD_ORDERS_H
#define FLYBALL_RECORD_ORDERS_H

#include <stdint.h>

#include "msg/order.h"

/* Names of several nodes, with a comma between two. */
enum { ORDER_SUBJECT_BYTES = 256 };

struct order_entry {
    struct slot_order order;    /* its nodes by number mean nothing to another model: see subject */
    int64_t given_ns;           /* CLOCK_REALTIME */
    uint32_t uid;               /* who gave it */
    uint32_t refused;           /* not 0: the order of this number was refused, enum order_refusal */
    char subject[ORDER_SUBJECT_BYTES];  /* nodes or host by name, "" = none; ORDER_SITE = all roots */
    char contract[NAME_BYTES];  /* what the asker calls it, "" = none */
};

#define ORDER_SITE "site"

enum { ORDERS_PATH_BYTES = 320, ORDERS_RECORDS_MAX = 4096 };

struct orders_log {
    int fd;                     /* -1 = not there yet */
    char path[ORDERS_PATH_BYTES];
    uint64_t newest;            /* the highest number in it */
    uint64_t damaged;           /* records skipped because their checksum was wrong */
    uint32_t records;           /* in the file */
};

/* cold: opens PATH where it is there, locks it, gives every record to `each` (which may be NULL), cuts
 * what a crash left of one at the end. 0 or -errno; -EADDRINUSE: another process holds it, -EPROTONOSUPPORT:
 * it was written by a version that had other records. */
int orders_open(struct orders_log *log, const char *path,
                void (*each)(void *context, const struct order_entry *entry), void *context);

/* cold: makes the file where it is not there. On the disk when it returns 0; else -errno, and nothing of
 * it is in the log. */
int orders_append(struct orders_log *log, const struct order_entry *entry);

/* cold: only `count` entries and the newest number are left in it. 0 or -errno: then it is as it was. */
int orders_compact(struct orders_log *log, const struct order_entry *entry, uint32_t count);

void orders_close(struct orders_log *log);

#endif
