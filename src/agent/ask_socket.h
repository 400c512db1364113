/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket at which jobs ask (ask_words.h has what is said): SEQPACKET, one request and one answer a
 * message, as many as a client likes. Any local user may connect. root, the user of the agent and members of
 * one group may ask for any job, others for the one that their process belongs to, by its cgroup; a process
 * in no job asks for "uid-1000". Priority 0 is not for them.
 *
 * Bounded: so many clients in all and of one user; who comes when all places are taken takes that of the one
 * that was silent longest, unless all wait for an answer. Who does not read his answer is let go.
 */
#ifndef FLYBALL_AGENT_ASK_SOCKET_H
#define FLYBALL_AGENT_ASK_SOCKET_H

#include <poll.h>
#include <sys/types.h>

#include "agent/ask.h"

enum { ASK_CLIENTS_MAX = 32, ASK_CLIENTS_OF_USER = 8, ASK_PATH_BYTES = 108, ASK_SOCKET_WHY_BYTES = 256,
       ASK_POLLS = ASK_CLIENTS_MAX + 1 };

struct ask_client {
    int fd;                     /* -1 = a free place */
    uint32_t life;              /* of this place: old answers are for nobody */
    uid_t uid;
    bool privileged, waits;
    int64_t heard_ns;
    char job[ASK_JOB_BYTES];    /* that its process belongs to */
};

struct ask_socket {
    char path[ASK_PATH_BYTES];
    int listener;               /* -1 = closed */
    gid_t group;
    bool group_known;
    int64_t listen_ns;          /* no descriptor was left: nobody is let in before */
    struct ask_client client[ASK_CLIENTS_MAX];
    uint64_t requests, refused, turned_away;
};

/* setup: makes the socket, taking the place of one that nobody listens on. `group` "" = none. 0; -ENOENT: no
 * such group; another -errno; why in words. */
int ask_socket_open(struct ask_socket *socket, const char *path, const char *group,
                    char why[ASK_SOCKET_WHY_BYTES]);
void ask_socket_close(struct ask_socket *socket);

/* any: what is to be waited for; how many of `from`. */
uint32_t ask_socket_polls(const struct ask_socket *socket, struct pollfd from[ASK_POLLS], int64_t now_ns);

/* any: takes in who has come and what was said, answers what can be answered. Waits for nobody. */
void ask_socket_turn(struct ask_socket *socket, struct ask_desk *desk, int64_t now_ns);

/* any: hands out answers of the desk. */
void ask_socket_deliver(struct ask_socket *socket, struct ask_desk *desk);

#endif
