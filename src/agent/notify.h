/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd is told: a datagram to $NOTIFY_SOCKET (sd_notify(3)), and how often it wants to hear. */
#ifndef FLYBALL_AGENT_NOTIFY_H
#define FLYBALL_AGENT_NOTIFY_H

#include <stdint.h>

struct notify {
    int fd;                     /* connected; -1: nobody asked */
    int64_t every_ns;           /* for "WATCHDOG=1"; 0 = not asked for */
    int64_t told_ns;
};

/* setup: by the environment. 0, also where nobody asked, or -errno. */
int notify_open(struct notify *notify);
void notify_close(struct notify *notify);

/* any: "READY=1" and the like; what systemd does not take is lost. */
void notify_say(const struct notify *notify, const char *state);

/* any: "WATCHDOG=1" where it is due. */
void notify_alive(struct notify *notify, int64_t now_ns);

#endif
