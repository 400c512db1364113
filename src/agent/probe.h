/* SPDX-License-Identifier: Apache-2.0 */
/* What an actuator finds on a machine. Nothing is written to any device. */
#ifndef FLYBALL_AGENT_PROBE_H
#define FLYBALL_AGENT_PROBE_H

#include <stdio.h>

/* setup: of one driver, NULL = all but the dry one. 0; -ENOENT: no such driver, or nothing was found. What is
 * amiss goes to `report`. */
int probe_all(const char *driver, FILE *out, FILE *report);

#endif
