/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For jobs and schedulers: power asked for ahead of a ramp, of the flyball-agent on this host. This header is
 * all there is: no library. C99 and C++; POSIX sockets.
 *
 *     int fd = flyball_ask_open(NULL);
 *     struct flyball_answer answer;
 *     if (fd >= 0 && !flyball_ask(fd, 12000, 30000, 2000, 1, NULL, &answer)) {
 *         if (answer.outcome == FLYBALL_GRANTED) ...draw it within the next 32 s...
 *         else if (answer.outcome == FLYBALL_DENIED) ...answer.alternative_w, answer.retry_after_ms...
 *     }
 *     flyball_ask_close(fd);
 *
 * A grant is a forecast that the controller has room for: it keeps it free, and gives leases by it. It is no
 * cap and no permission: the host's cap holds whatever was asked. Where there is no agent, or no controller,
 * a job runs as without all this.
 *
 * One thread at a time for each descriptor. Calls return 0 or -errno: -ETIMEDOUT where nobody answered within
 * FLYBALL_ASK_MS, -EPROTO where the answer is not understood; then close it.
 */
#ifndef FLYBALL_ASK_H
#define FLYBALL_ASK_H

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FLYBALL_ASK_PATH "/run/flyball-agent/ask"
#define FLYBALL_ASK_MS 3000     /* the agent answers within 1 s, with or without its controller */

enum flyball_outcome {
    FLYBALL_GRANTED,            /* amount_w, for_ms */
    FLYBALL_DENIED,             /* reason, alternative_w, retry_after_ms */
    FLYBALL_RELEASED,
    FLYBALL_UNKNOWN,            /* the job has no grant that could be extended or released */
    FLYBALL_AWAY,               /* the controller did not answer; retry_after_ms */
    FLYBALL_BUSY,               /* too many ask at once; retry_after_ms */
    FLYBALL_REFUSED             /* not understood, or not yours to ask: text says why */
};

struct flyball_answer {
    enum flyball_outcome outcome;
    int64_t amount_w;           /* granted, rounded down */
    int64_t for_ms;             /* from now */
    int64_t alternative_w;      /* the most that would have been granted; 0 = nothing */
    int64_t retry_after_ms;
    char job[48];
    char reason[32];            /* would_trip, predicted_conflict, pool_empty, permit_missing, host_limit */
    char text[256];             /* the whole line */
};

/* The descriptor or -errno. path NULL: where agents listen. */
static inline int flyball_ask_open(const char *path)
{
    struct sockaddr_un address;
    int fd;
    if (!path)
        path = FLYBALL_ASK_PATH;
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&address, (socklen_t)sizeof address)) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

static inline void flyball_ask_close(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* The value of " key=" in a line, up to the next blank. Returns its length, 0 where it is not there. */
static inline size_t flyball_ask_value(const char *line, const char *key, char *value, size_t bytes)
{
    char wanted[32];
    const char *at;
    size_t length;
    if (snprintf(wanted, sizeof wanted, " %s=", key) >= (int)sizeof wanted)
        return 0;
    at = strstr(line, wanted);
    if (!at)
        return 0;
    at += strlen(wanted);
    length = strcspn(at, " \n");
    if (length >= bytes)
        return 0;
    memcpy(value, at, length);
    value[length] = 0;
    return length;
}

static inline int64_t flyball_ask_number(const char *line, const char *key)
{
    char value[32];
    return flyball_ask_value(line, key, value, sizeof value) ? (int64_t)strtoll(value, NULL, 10) : 0;
}

/* Understands answer->text. 0 or -EPROTO. */
static inline int flyball_ask_read(struct flyball_answer *answer)
{
    static const char *const words[] = {"granted ", "denied ", "released ", "unknown ", "away ", "busy ",
                                        "refused "};
    size_t i;
    answer->amount_w = flyball_ask_number(answer->text, "amount_mw") / 1000;
    answer->for_ms = flyball_ask_number(answer->text, "for_ms");
    answer->alternative_w = flyball_ask_number(answer->text, "alternative_mw") / 1000;
    answer->retry_after_ms = flyball_ask_number(answer->text, "retry_after_ms");
    answer->job[0] = answer->reason[0] = 0;
    flyball_ask_value(answer->text, "job", answer->job, sizeof answer->job);
    flyball_ask_value(answer->text, "reason", answer->reason, sizeof answer->reason);
    for (i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strncmp(answer->text, words[i], strlen(words[i])))
            continue;
        answer->outcome = (enum flyball_outcome)i;
        return 0;
    }
    return -EPROTO;
}

/* One message there, one back, into `text`. 0 or -errno. */
static inline int flyball_ask_line(int fd, const char *line, char *text, size_t bytes)
{
    struct pollfd from;
    ssize_t got;
    int ready;
    from.fd = fd;
    from.events = POLLIN;
    from.revents = 0;
    if (send(fd, line, strlen(line), MSG_NOSIGNAL) != (ssize_t)strlen(line))
        return -errno;
    ready = poll(&from, 1, FLYBALL_ASK_MS);
    if (ready <= 0)
        return ready ? -errno : -ETIMEDOUT;
    got = recv(fd, text, bytes - 1, 0);
    if (got < 0)
        return -errno;
    text[got] = 0;
    return got ? 0 : -ECONNRESET;
}

static inline int flyball_ask_say(int fd, const char *line, struct flyball_answer *answer)
{
    int error = flyball_ask_line(fd, line, answer->text, sizeof answer->text);
    return error ? error : flyball_ask_read(answer);
}

/* Asks for so many watts, at the wall, all that the job will draw on this host: from ahead_ms on, for for_ms.
 * A job has one grant on a host, its newest. priority: 0 highest, up to 255; 0 is for root and the agent's
 * group. job NULL: the one that this process belongs to. */
static inline int flyball_ask(int fd, int64_t watts, int64_t for_ms, int64_t ahead_ms, unsigned priority,
                              const char *job, struct flyball_answer *answer)
{
    char line[256], ahead[48] = "";
    if (ahead_ms > 0)
        snprintf(ahead, sizeof ahead, " ahead %" PRId64 "ms", ahead_ms);
    snprintf(line, sizeof line, "ask %" PRId64 "W for %" PRId64 "ms%s priority %u%s%s", watts, for_ms, ahead,
             priority, job ? " job " : "", job ? job : "");
    return flyball_ask_say(fd, line, answer);
}

/* The same grant until for_ms from now. */
static inline int flyball_ask_extend(int fd, int64_t for_ms, const char *job, struct flyball_answer *answer)
{
    char line[160];
    snprintf(line, sizeof line, "extend for %" PRId64 "ms%s%s", for_ms, job ? " job " : "", job ? job : "");
    return flyball_ask_say(fd, line, answer);
}

static inline int flyball_ask_release(int fd, const char *job, struct flyball_answer *answer)
{
    char line[128];
    snprintf(line, sizeof line, "release%s%s", job ? " job " : "", job ? job : "");
    return flyball_ask_say(fd, line, answer);
}

#ifdef __cplusplus
}
#endif

#endif
