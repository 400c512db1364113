/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The desk (ask.h) and its socket in a thread of their own: what local users do to the socket costs the loop
 * of the agent nothing. The loop sends what the desk wants to ask of the controller, brings the answers, and
 * says which epoch the host obeys; it never waits.
 */
#ifndef FLYBALL_AGENT_ASK_SERVICE_H
#define FLYBALL_AGENT_ASK_SERVICE_H

#include <pthread.h>
#include <stdatomic.h>

#include "agent/ask_socket.h"
#include "ring/spsc.h"

enum { ASK_QUEUE = 8 };

struct ask_service {
    struct ask_desk desk;       /* the thread's, like the socket */
    struct ask_socket socket;
    struct spsc requests;       /* to the loop: struct token_request */
    struct spsc answers;        /* from the loop: struct token_response */
    int wake_fd;                /* of the thread; -1 = there is no service */
    int loop_fd;                /* of the loop: an eventfd */
    pthread_t thread;
    bool running;
    _Atomic bool stop;
    _Atomic uint64_t epoch;     /* that the host obeys */
    _Atomic uint64_t falls;     /* times that its lease ran out */
    uint64_t falls_seen;        /* the thread's */
    _Alignas(64) struct token_request request[ASK_QUEUE];
    _Alignas(64) struct token_response answer[ASK_QUEUE];
};

struct ask_config {
    const char *path, *group;   /* group "" = none */
    uint32_t host;
    int64_t most_mw;            /* the host can draw no more at the wall; 0 = not known */
    uint64_t number;            /* of requests: above any used before; UTC in ns will do */
    int loop_fd;                /* written when there is something for the loop; -1 = it looks by itself */
};

/* setup: 0 or -errno, with why in words. */
int ask_service_open(struct ask_service *service, const struct ask_config *config,
                     char why[ASK_SOCKET_WHY_BYTES]);

/* setup: starts the thread. 0 or -errno. */
int ask_service_start(struct ask_service *service);
void ask_service_close(struct ask_service *service);

/* rt, the loop's: a request to be sent to the controller; false: none. */
bool ask_service_request(struct ask_service *service, struct token_request *request);

/* rt, the loop's: an answer of the controller. What finds no room is lost; the desk asks again. */
void ask_service_answered(struct ask_service *service, const struct token_response *response);

/* rt, the loop's, every turn: the epoch that the host obeys (0 = none yet), how often its lease ran out. */
void ask_service_state(struct ask_service *service, uint64_t epoch, uint64_t falls);

#endif
