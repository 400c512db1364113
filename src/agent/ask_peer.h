/* SPDX-License-Identifier: Apache-2.0 */
/* Who stands at the other end of the socket, as the kernel says. */
#ifndef FLYBALL_AGENT_ASK_PEER_H
#define FLYBALL_AGENT_ASK_PEER_H

#include <stdbool.h>
#include <sys/types.h>

#include "agent/ask.h"

struct ask_peer {
    uid_t uid;
    bool privileged;            /* root, the agent's own user, or of the group */
    char job[ASK_JOB_BYTES];    /* "123", a pod's UID, or "uid-1000" of a process in no job */
};

/* setup: 0 or -ENOENT. */
int ask_peer_group(const char *name, gid_t *group);

/* any: false where the kernel does not tell who it is. `group` NULL: none. Reads what /proc says of the
 * process: not for a thread with a deadline to keep. */
bool ask_peer_of(int fd, const gid_t *group, struct ask_peer *peer);

#endif
