/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever may not begin before fail-safe caps are read back waits here for the agent's word, and needs
 * nothing else of the machine: no service manager, no bus. */
#ifndef FLYBALL_AGENT_READY_H
#define FLYBALL_AGENT_READY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* between two looks at the word */
#define READY_LOOK_NS INT64_C(100000000)

/* any: does a word say that fail-safe caps were read back? Its deadline, when its agent last showed itself
 * (0: never), and the time, all BOOTTIME: fail-safe is in force, or a lease, which comes behind that only. */
bool ready_is(int64_t deadline_ns, int64_t agent_beat_ns, int64_t boottime_ns);

/* setup: waits for as long as it takes, and says in `out` what it waits for and when it is over. 0; -EBADMSG:
 * what stands in the folder is no word of this version; another -errno. */
int ready_wait(const char *folder, FILE *out);

#endif
