/* SPDX-License-Identifier: Apache-2.0 */
/* A stand-in for each driver's devices, and what a test tells it to do. One row per line of act_drivers[]. */
#ifndef FLYBALL_TESTS_ACT_STAGE_H
#define FLYBALL_TESTS_ACT_STAGE_H

#include "act/act.h"

enum { STAGE_DEVICES = 3 };

struct stage {
    const struct stage_row *row;
    struct act_place place;
    char folder[64];            /* of its own, made by the test */
    void *own;
};

struct stage_row {
    const char *driver;
    void (*set_up)(struct stage *stage);
    void (*tear_down)(struct stage *stage);
    /* what is told is of the device with this identity */
    void (*foreign)(struct stage *stage, const char *identity, int64_t limit_mw);    /* 0 = none */
    /* the device keeps this as written, whatever was written since */
    void (*hold_up)(struct stage *stage, const char *identity, int64_t cap_mw);
    void (*gone)(struct stage *stage, const char *identity, bool gone);
    void (*hang)(struct stage *stage, const char *identity, bool hangs);
    void (*pass)(struct stage *stage, int64_t span_ns);     /* NULL: time passes by itself */
    bool hides;                 /* a foreign limit is another one than what is written */
    int64_t quantum_mw;         /* caps are rounded down to a multiple of it */
};

extern const struct stage_row stage_dry, stage_nvml, stage_hwmon, stage_powercap;

#endif
