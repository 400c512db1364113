/* SPDX-License-Identifier: Apache-2.0 */
/* The same echo through io_uring: one multishot receive into a ring of buffers, and one submission for all
 * answers; the loop spins, or waits in the kernel for the next completion. */
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>

#include "bench/loops/sockets.h"

enum { PLACES = 128, SUBMISSIONS = 64, COMPLETIONS = 512, GROUP = 0, SEND = 1 };

struct echo_ring {
    struct io_uring io;
    struct io_uring_buf_ring *places;
    uint8_t (*data)[RTT_DATAGRAM_MAX];
    bool armed;
};

static void offer(struct echo_ring *ring, uint16_t index)
{
    io_uring_buf_ring_add(ring->places, ring->data[index], RTT_DATAGRAM_MAX, index,
                          io_uring_buf_ring_mask(PLACES), 0);
    io_uring_buf_ring_advance(ring->places, 1);
}

static int ring_open(struct echo_ring *ring)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
                 IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE,
        .cq_entries = COMPLETIONS};
    ring->places = aligned_alloc(4096, PLACES * sizeof(struct io_uring_buf));
    ring->data = calloc(PLACES, sizeof *ring->data);
    if (!ring->places || !ring->data)
        return -ENOMEM;
    io_uring_buf_ring_init(ring->places);
    int error = io_uring_queue_init_params(SUBMISSIONS, &ring->io, &params);
    if (error)
        return error;
    struct io_uring_buf_reg given = {
        .ring_addr = (uintptr_t)ring->places, .ring_entries = PLACES, .bgid = GROUP};
    error = io_uring_register_buf_ring(&ring->io, &given, 0);
    for (uint16_t i = 0; i < PLACES && !error; i++)
        offer(ring, i);
    if (error)
        io_uring_queue_exit(&ring->io);
    return error;
}

static void ring_close(struct echo_ring *ring, int error)
{
    if (!error)
        io_uring_queue_exit(&ring->io);
    free(ring->places);
    free(ring->data);
}

static void arm(struct echo_ring *ring, int fd)
{
    struct io_uring_sqe *sqe = ring->armed ? NULL : io_uring_get_sqe(&ring->io);
    if (!sqe)
        return;
    io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = GROUP;
    io_uring_sqe_set_data64(sqe, 0);
    ring->armed = io_uring_submit(&ring->io) == 1;
}

static void send_answers(struct echo_ring *ring, struct sockets *sockets, uint8_t letter)
{
    uint32_t count = letter == RTT_ECHO ? RTT_HOSTS : letter == RTT_ECHO_ONE ? 1 : 0;
    for (uint32_t i = 0; i < count; i++) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->io);
        if (!sqe)
            break;
        io_uring_prep_sendmsg(sqe, sockets->fd, &sockets->message[i].msg_hdr, MSG_DONTWAIT);
        sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
        io_uring_sqe_set_data64(sqe, SEND);
    }
    if (count)
        sockets->send_errors += io_uring_submit(&ring->io) != (int)count;
}

/* False when the job was told to end. */
static bool take(struct echo_ring *ring, struct sockets *sockets, const struct io_uring_cqe *cqe)
{
    uint8_t letter = 0;
    if (cqe->user_data == SEND) {
        sockets->send_errors++;
        return true;
    }
    ring->armed &= (cqe->flags & IORING_CQE_F_MORE) != 0;
    if (cqe->flags & IORING_CQE_F_BUFFER) {
        uint16_t index = (uint16_t)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
        letter = cqe->res > 0 ? ring->data[index][0] : 0;
        offer(ring, index);
    }
    send_answers(ring, sockets, letter);
    return letter != SOCKETS_WAKE;
}

/* Spinning looks at shared memory alone and asks the kernel only where a flag there says that completions
 * are to be made. */
static void look(struct echo_ring *ring, bool waits)
{
    struct io_uring_cqe *cqe;
    if (waits)
        (void)io_uring_wait_cqe(&ring->io, &cqe);
    else if (IO_URING_READ_ONCE(*ring->io.sq.kflags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW))
        (void)io_uring_get_events(&ring->io);
}

static void run(struct worker *worker, struct sockets *sockets, bool waits)
{
    struct echo_ring ring = {0};
    struct io_uring_cqe *cqe;
    sockets->ring_error = ring_open(&ring);
    bool more = !sockets->ring_error;
    while (more && worker_on(worker)) {
        arm(&ring, sockets->fd);
        look(&ring, waits);
        while (more && io_uring_peek_cqe(&ring.io, &cqe) == 0) {
            struct io_uring_cqe seen = *cqe;
            io_uring_cqe_seen(&ring.io, cqe);
            more = take(&ring, sockets, &seen);
        }
    }
    ring_close(&ring, sockets->ring_error);
}

void sockets_ring_spin(struct worker *worker, void *sockets)
{
    run(worker, sockets, false);
}

void sockets_ring_wait(struct worker *worker, void *sockets)
{
    run(worker, sockets, true);
}
