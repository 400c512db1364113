/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's power supplies, as far as the kernel's hwmon tells: which have input power. A supply is named by
 * the last part of what the device link of its hwmon folder leads to ("3-0058"), and where a driver tells of
 * several, by the number of the input behind it ("3-0058/2").
 *
 * A thread of its own reads once a second, for such a file may wait for a slow bus. What it read is evidence
 * for a few seconds only, and only if every supply that is named could be read.
 */
#ifndef FLYBALL_AGENT_SUPPLY_H
#define FLYBALL_AGENT_SUPPLY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { SUPPLIES_MAX = 8, SUPPLY_NAME_BYTES = 48, SUPPLY_ROOT_BYTES = 256 };

/* It has input power with at least so much at its input, or so many volts there. */
#define SUPPLY_LEAST_UW INT64_C(1000000)
#define SUPPLY_LEAST_MV INT64_C(30000)

struct supply_set {
    uint32_t count;
    char name[SUPPLIES_MAX][SUPPLY_NAME_BYTES];
};

struct supply_watch {
    struct supply_set set;
    char root[SUPPLY_ROOT_BYTES];   /* of sysfs, "" = /sys */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool running, stop;
    _Atomic int64_t read_ns;        /* MONOTONIC of the newest reading, INT64_MIN = none */
    _Atomic uint32_t newest;        /* bit i: supply i has input; bit 31: each of them could be read */
};

/* any: false where it is no name as above. */
bool supply_is_name(const char *name);

/* any: reads every supply now: bit i of `inputs`; false where one could not be read. May wait. */
bool supply_read(const struct supply_set *set, const char *root, uint16_t *inputs);

/* setup: 0 or -errno of the thread; a set of none starts none. stop: also of one that never started; false
 * where it hangs in a driver. */
int supply_watch_start(struct supply_watch *watch, const struct supply_set *set, const char *root);
bool supply_watch_stop(struct supply_watch *watch);

/* rt: what is evidence now: false: nobody can tell. */
bool supply_watch_newest(const struct supply_watch *watch, int64_t now_ns, uint16_t *inputs);

#endif
