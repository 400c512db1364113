/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A look at what is there, for a record: every device of a driver, what it can do, what it reads, and how
 * long each call took. It calls what reads, and nothing that writes.
 */
#ifndef FLYBALL_ACT_SURVEY_H
#define FLYBALL_ACT_SURVEY_H

#include "act/act.h"

enum { SURVEY_CALLS_MAX = 1000 };

/* Of one kind of call on one device. */
struct survey_time {
    uint32_t calls;
    int64_t least_ns, median_ns, most_ns;
};

struct survey_device {
    struct act_device device;   /* own is NULL */
    int read_back_error, sample_error;  /* of the last call; 0 = the value beside it stands */
    int64_t enforced_mw;
    struct act_sample sample;
    struct survey_time read_back, sampling;
};

struct survey {
    const struct act_driver *driver;
    int error;                  /* of open */
    char why[ACT_WHY_BYTES];
    int64_t open_ns;
    uint32_t count;
    struct survey_device device[HOST_DEVICES_MAX];
};

/* setup: opens the driver, reads back and samples each device `calls` times (1 to SURVEY_CALLS_MAX), one
 * device after the other, `pause_ns` before each, and closes it. Takes as long as the calls do. Returns and
 * notes the error of open; -EINVAL: calls or pause out of range. */
int survey_take(struct survey *survey, const struct act_driver *driver, const struct act_place *place,
                uint32_t calls, int64_t pause_ns);

#endif
