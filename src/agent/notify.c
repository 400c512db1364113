/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BEATS_PER_LIMIT = 3, NS_OF_US = 1000 };

static int connect_to(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length < 2 || length >= sizeof to.sun_path || (path[0] != '/' && path[0] != '@'))
        return -EINVAL;
    memcpy(to.sun_path, path, length);
    if (path[0] == '@')         /* abstract */
        to.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    if (!connect(fd, (const struct sockaddr *)&to, bytes))
        return fd;
    int error = -errno;
    close(fd);
    return error;
}

/* Meant for this process only where WATCHDOG_PID says so, or says nothing. */
static int64_t limit_ns(void)
{
    const char *limit_us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    if (!limit_us || (pid && strtoll(pid, NULL, 10) != getpid()))
        return 0;
    int64_t us = strtoll(limit_us, NULL, 10);
    return us > 0 && us < INT64_MAX / NS_OF_US ? us * NS_OF_US : 0;
}

int notify_open(struct notify *notify)
{
    const char *path = getenv("NOTIFY_SOCKET");
    *notify = (struct notify){.fd = -1};
    if (!path || !*path)
        return 0;
    int fd = connect_to(path);
    if (fd < 0)
        return fd;
    *notify = (struct notify){.fd = fd, .every_ns = limit_ns() / BEATS_PER_LIMIT};
    return 0;
}

void notify_close(struct notify *notify)
{
    if (notify->fd >= 0)
        close(notify->fd);
    notify->fd = -1;
}

void notify_say(const struct notify *notify, const char *state)
{
    if (notify->fd >= 0)
        send(notify->fd, state, strlen(state), MSG_NOSIGNAL);
}

void notify_alive(struct notify *notify, int64_t now_ns)
{
    if (!notify->every_ns || now_ns - notify->told_ns < notify->every_ns)
        return;
    notify->told_ns = now_ns;
    notify_say(notify, "WATCHDOG=1");
}
