/* SPDX-License-Identifier: Apache-2.0 */
/* A protective device as a list of setpoints, in the words and symbols of the field, and for each whether the
 * site file says it or flyball assumed it. */
#ifndef FLYBALL_CLI_CHECK_SETPOINTS_H
#define FLYBALL_CLI_CHECK_SETPOINTS_H

#include <stdbool.h>
#include <stdio.h>

#include "site/site.h"

enum { SETPOINTS_MAX = 32 };

struct setpoint {
    const char *symbol;         /* "Ir" */
    const char *meaning;        /* "long-time pickup" */
    char value[112];            /* "800 A" */
    bool assumed;               /* not of the site file */
};

/* any: returns how many; at most SETPOINTS_MAX. */
uint32_t setpoints_of(const struct site_device *device, struct setpoint *setpoint);

/* any: "electronic trip unit, profile ABB". */
const char *setpoints_kind(const struct site_device *device);

/* any: what a drawing says of the device: what the file states, in one line. */
void setpoints_line(FILE *out, const struct site_device *device);

#endif
