/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices that are not there: they take caps and read them back, draw what they are asked to, and can be told
 * to fail. Where act_place.dry_file is set, this record lies in that file, shared by every process that opens
 * it, and outlives them all, as caps of real devices do; a missing or empty file is made, one of another size
 * or mark is refused.
 *
 * Whoever tests may write the members below "told" at any time.
 */
#ifndef FLYBALL_ACT_DRY_H
#define FLYBALL_ACT_DRY_H

#include <stdatomic.h>

#include "act/act.h"

#define DRY_MARK UINT64_C(0x3179726463616266)   /* "fbacdry1" */

struct dry_device {
    _Atomic int64_t cap_mw;     /* written by apply */
    _Atomic uint64_t writes;    /* applied */
    /* told */
    _Atomic int64_t foreign_mw; /* somebody else's limit; 0 = none */
    _Atomic int64_t demand_mw;  /* what it would draw without a cap */
    _Atomic uint32_t lost;      /* 1: -ENODEV */
    _Atomic uint32_t hang;      /* 1: every call waits until it is 0 again */
    _Atomic uint32_t sticky;    /* 1: takes caps and does not enforce them */
    _Atomic int32_t fail;       /* errno that every call returns; 0 = none */
};

/* One cap that was applied, and when by CLOCK_BOOTTIME: 0 while it is being noted. */
struct dry_write {
    _Atomic int64_t boottime_ns, cap_mw;
};

enum { DRY_TRACE = 64 };

struct dry_state {
    _Atomic uint64_t mark;      /* DRY_MARK once the rest is filled in */
    struct dry_device device[HOST_DEVICES_MAX];
    /* of each device: applied write n, counted from 0, is at n % DRY_TRACE */
    struct dry_write trace[HOST_DEVICES_MAX][DRY_TRACE];
};

/* setup: maps the record of a file, made where it is not there, for tests; NULL and errno. munmap frees
 * it. */
struct dry_state *dry_map(const char *path, int64_t cap_mw);

#endif
