/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One io_uring with one UDP socket: what a queue of the uring driver is. Nothing is woken and nothing waits:
 * completions are made by the owning thread (DEFER_TASKRUN), when a flag in shared memory says that there is
 * something to complete; a poll that finds nothing makes no system call.
 */
#ifndef FLYBALL_PORT_URING_QUEUE_H
#define FLYBALL_PORT_URING_QUEUE_H

#include <liburing.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "port/driver.h"
#include "port/ip/udp.h"

struct outgoing {
    struct sockaddr_in to;
    struct iovec payload;
    struct msghdr message;
};

struct uring_queue {
    struct port_counters counters;
    _Atomic uint64_t send_errors;
    _Alignas(64) struct io_uring ring;
    bool made, enabled, armed;
    int fd;
    struct endpoint own;
    struct io_uring_buf_ring *places;   /* of the slots that the kernel may fill */
    uint8_t *slot;
    uint32_t slot_bytes, payload_bytes;
    struct msghdr pattern;              /* of what is received: how much beside the payload is wanted */
    uint32_t head_bytes;                /* what the kernel writes before a payload: that much */
    uint32_t held_count;
    uint16_t held[BURST_MAX];           /* slots that the caller still looks at */
    struct outgoing out[BURST_MAX];
};

/* setup: memory and a ring that nobody owns yet; with stamps where the socket gives them. 0 or -errno; to
 * be closed either way. */
int uring_queue_open(struct uring_queue *q, int fd, const struct endpoint *own, uint32_t mtu, bool stamps);
void uring_queue_close(struct uring_queue *q);

/* setup: the caller owns the queue from now on. 0 or -errno. */
int uring_queue_attach(struct uring_queue *q);

/* rt, owner: as port_receive and port_send say, at most BURST_MAX frames each; every frame to send is
 * known to fit the MTU. */
uint32_t uring_queue_receive(struct uring_queue *q, struct port_frame *frame, uint32_t count);
bool uring_queue_leaves(const struct uring_queue *q);
uint32_t uring_queue_send(struct uring_queue *q, const struct port_frame *frame, uint32_t count);

#endif
