/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bare echo behind a kernel socket, in the ways in which such loops are written: one socket of one
 * address, and a loop that takes datagrams from it and answers each with 16 or with one, of a lease's length,
 * in one system call where the way has one.
 */
#ifndef FLYBALL_BENCH_LOOPS_SOCKETS_H
#define FLYBALL_BENCH_LOOPS_SOCKETS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "bench/loops/worker.h"
#include "bench/rtt_stand.h"

/* Ends a job that waits in the kernel. */
enum { SOCKETS_WAKE = 'W' };

struct sockets {
    struct rtt_stand stand;     /* its network and client, no loop */
    int fd;
    uint8_t answer[RTT_DATAGRAM_MAX];
    struct iovec payload;
    struct sockaddr_in to[RTT_HOSTS];
    struct mmsghdr message[RTT_HOSTS];
    uint64_t send_errors;
    int ring_error;             /* of io_uring, the last one; -errno */
};

/* setup: 0, or an exit code with sockets->stand.error. */
int sockets_open(struct sockets *sockets, uint32_t answer_bytes);
void sockets_close(struct sockets *sockets);

/* Takes one datagram's letter; answers it. False when the job is to end. */
bool sockets_answer(struct sockets *sockets, struct worker *worker, uint8_t letter);

/* Jobs of the worker, argument struct sockets. */
void sockets_blocking(struct worker *worker, void *sockets);
void sockets_epoll(struct worker *worker, void *sockets);
void sockets_spin(struct worker *worker, void *sockets);
void sockets_ring_spin(struct worker *worker, void *sockets);
void sockets_ring_wait(struct worker *worker, void *sockets);

/* Ends the job that runs, also one that waits. */
void sockets_end(struct sockets *sockets, struct worker *worker);

#endif
