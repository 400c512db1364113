/* SPDX-License-Identifier: Apache-2.0 */
/* The drivers that table.c lists, and what they share; nobody else includes this. */
#ifndef FLYBALL_ACT_DRIVERS_H
#define FLYBALL_ACT_DRIVERS_H

#include "act/act.h"

extern const struct act_driver nvml_driver, hwmon_driver, powercap_driver, dry_driver;

/* any: may this cap be written to this device: 0, -ENOTSUP or -ERANGE. */
int act_check(const struct act_device *device, int64_t cap_mw);

#endif
