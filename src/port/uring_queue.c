/* SPDX-License-Identifier: Apache-2.0 */
#include "port/uring_queue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    /* datagrams taken out of the socket and not yet looked at, a power of two */
    SLOTS = 128,
    SUBMISSIONS = 2 * BURST_MAX,
    COMPLETIONS = 4 * SLOTS,
    PAGE = 4096,
    BUFFER_GROUP = 0,
    IPV4_UDP_BYTES = 28,
    PAYLOAD_AT = 128,               /* in a slot: room for headers before it */
    SEND_MARK = 1,                  /* user_data of send i is i + SEND_MARK, that of the receive is 0 */
};

/* The kernel writes this before every payload, the last member only where stamps are wanted; our headers then
 * take its place. */
struct arrival {
    struct io_uring_recvmsg_out what;
    struct sockaddr_in from;
    uint8_t control[CMSG_SPACE(sizeof(struct scm_timestamping))];
};

static_assert(PAYLOAD_AT >= (int)UDP_HEADROOM && PAYLOAD_AT >= sizeof(struct arrival),
              "headers fit before it");

static uint8_t *slot_of(const struct uring_queue *q, uint32_t index)
{
    return q->slot + (size_t)index * q->slot_bytes;
}

static void offer_slot(const struct uring_queue *q, uint16_t index, int offset)
{
    io_uring_buf_ring_add(q->places, slot_of(q, index) + PAYLOAD_AT - q->head_bytes,
                          q->head_bytes + q->payload_bytes, index, io_uring_buf_ring_mask(SLOTS), offset);
}

/* Disabled: whoever enables it owns it. */
static int make_ring(struct uring_queue *q)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
                 IORING_SETUP_SUBMIT_ALL | IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE,
        .cq_entries = COMPLETIONS};
    int rc = io_uring_queue_init_params(SUBMISSIONS, &q->ring, &params);
    if (rc)
        return rc;
    q->made = true;
    struct io_uring_buf_reg places = {
        .ring_addr = (uintptr_t)q->places, .ring_entries = SLOTS, .bgid = BUFFER_GROUP};
    rc = io_uring_register_buf_ring(&q->ring, &places, 0);
    if (rc)
        return rc;
    io_uring_buf_ring_init(q->places);
    for (uint16_t i = 0; i < SLOTS; i++)
        offer_slot(q, i, i);
    io_uring_buf_ring_advance(q->places, SLOTS);
    return 0;
}

static void drop_ring(struct uring_queue *q)
{
    if (q->made)
        io_uring_queue_exit(&q->ring);
    q->made = q->enabled = q->armed = false;
    q->held_count = 0;
}

int uring_queue_open(struct uring_queue *q, int fd, const struct endpoint *own, uint32_t mtu, bool stamps)
{
    q->fd = fd;
    q->own = *own;
    q->payload_bytes = mtu - IPV4_UDP_BYTES;
    q->slot_bytes = (PAYLOAD_AT + q->payload_bytes + 63) / 64 * 64;
    q->pattern.msg_namelen = sizeof(struct sockaddr_in);
    q->pattern.msg_controllen = stamps ? CMSG_SPACE(sizeof(struct scm_timestamping)) : 0;
    q->head_bytes = (uint32_t)(stamps ? sizeof(struct arrival) : offsetof(struct arrival, control));
    q->places = aligned_alloc(PAGE, PAGE);
    q->slot = aligned_alloc(PAGE, ((size_t)SLOTS * q->slot_bytes + PAGE - 1) / PAGE * PAGE);
    static_assert(SLOTS * sizeof(struct io_uring_buf) <= PAGE, "the places of all slots fit a page");
    if (!q->places || !q->slot)
        return -ENOMEM;
    /* Touched now, so that no receive meets a page fault. */
    memset(q->places, 0, PAGE);
    memset(q->slot, 0, (size_t)SLOTS * q->slot_bytes);
    return make_ring(q);
}

void uring_queue_close(struct uring_queue *q)
{
    drop_ring(q);
    free(q->places);
    free(q->slot);
    q->places = NULL;
    q->slot = NULL;
}

/* A submission that failed leaves its entries in the queue, and the next one would send what was refused
 * before, out of memory that holds something else by then. */
static void forget_unsubmitted(struct uring_queue *q)
{
    struct io_uring_sq *sq = &q->ring.sq;
    sq->sqe_tail -= io_uring_sq_ready(&q->ring);
    sq->sqe_head = sq->sqe_tail;
    io_uring_smp_store_release(sq->ktail, sq->sqe_tail);
}

/* How many entries of those prepared the kernel took, from the front; negative: none, -errno. */
static int submit(struct uring_queue *q)
{
    int submitted = io_uring_submit(&q->ring);
    forget_unsubmitted(q);
    return submitted;
}

/* One request that receives until its slots run out or something goes wrong. */
static int arm(struct uring_queue *q)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&q->ring);
    if (!sqe)
        return -EBUSY;
    io_uring_prep_recvmsg_multishot(sqe, q->fd, &q->pattern, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = BUFFER_GROUP;
    sqe->user_data = 0;
    int rc = submit(q);
    q->armed = rc == 1;
    return rc == 1 ? 0 : rc < 0 ? rc : -EIO;
}

/* liburing 2.3 declares a call for this and does not export it. */
static int enable(struct uring_queue *q)
{
    long rc = syscall(__NR_io_uring_register, q->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
    q->enabled = !rc;
    return rc ? -errno : 0;
}

/* The ring's descriptor is not registered with the thread, which would spare a look-up a call: that holds the
 * ring, and with it the socket, for as long as the thread lives, whoever has the queue by then.
 * The thread that enables a ring is the only one that may use it, so a queue that changes hands gets a new
 * ring; what the old one held is lost, and counted as received in error. */
int uring_queue_attach(struct uring_queue *q)
{
    int rc = 0;
    if (q->enabled) {
        counter_add(&q->counters.receive_errors, io_uring_cq_ready(&q->ring));
        drop_ring(q);
        rc = make_ring(q);
    }
    if (!rc)
        rc = enable(q);
    if (rc)
        return rc;
    return arm(q);
}

static void give_back(struct uring_queue *q)
{
    for (uint32_t i = 0; i < q->held_count; i++)
        offer_slot(q, q->held[i], (int)i);
    io_uring_buf_ring_advance(q->places, (int)q->held_count);
    q->held_count = 0;
}

/* Only what the kernel stamped as it came: it has no such message for what came before its clock was on. */
static void stamp(const struct uring_queue *q, const struct arrival *arrival, struct port_frame *frame)
{
    struct cmsghdr head;
    struct scm_timestamping stamps;
    if (!q->pattern.msg_controllen || arrival->what.controllen < CMSG_LEN(sizeof stamps))
        return;
    memcpy(&head, arrival->control, sizeof head);
    memcpy(&stamps, arrival->control + CMSG_LEN(0), sizeof stamps);
    const struct timespec *at = &stamps.ts[0];
    if (head.cmsg_level != SOL_SOCKET || head.cmsg_type != SCM_TIMESTAMPING || at->tv_sec <= 0 ||
        at->tv_sec > INT64_MAX / 4 / NS_PER_S)
        return;
    frame->stamp_ns = at->tv_sec * NS_PER_S + at->tv_nsec;
    frame->flags |= FRAME_STAMPED;
}

/* False where the datagram did not fit its slot: it has more bytes than the port's MTU allows. */
static bool wrap(struct uring_queue *q, uint16_t index, struct port_frame *frame)
{
    uint8_t *payload = slot_of(q, index) + PAYLOAD_AT, *room = payload - UDP_HEADROOM;
    struct arrival arrival;
    memcpy(&arrival, payload - q->head_bytes, q->head_bytes);
    if (arrival.what.flags & MSG_TRUNC || arrival.what.payloadlen > q->payload_bytes)
        return false;
    struct endpoint from = {.ipv4 = ntohl(arrival.from.sin_addr.s_addr),
                            .port = ntohs(arrival.from.sin_port)};
    port_made_mac(from.mac, from.ipv4);
    udp_build(frame, room, &from, &q->own, arrival.what.payloadlen, PORT_FILLS_SUMS);
    frame->flags = FRAME_SUMS_GOOD;
    stamp(q, &arrival, frame);
    return true;
}

/* One completion of the receive; true when it is a frame for the caller. */
static bool take(struct uring_queue *q, const struct io_uring_cqe *cqe,
                 struct port_frame *frame)
{
    q->armed &= (cqe->flags & IORING_CQE_F_MORE) != 0;
    if (!(cqe->flags & IORING_CQE_F_BUFFER)) {
        counter_add(&q->counters.receive_errors, cqe->res != -ENOBUFS && cqe->res != -ECANCELED);
        return false;
    }
    uint16_t index = (uint16_t)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
    if (cqe->res >= (int)q->head_bytes && wrap(q, index, frame)) {
        q->held[q->held_count++] = index;
        return true;
    }
    offer_slot(q, index, 0);
    io_uring_buf_ring_advance(q->places, 1);
    counter_add(&q->counters.receive_errors, 1);
    return false;
}

static uint32_t collect(struct uring_queue *q, struct port_frame *frame, uint32_t count)
{
    uint32_t ready = io_uring_cq_ready(&q->ring);
    if (ready < count &&
        IO_URING_READ_ONCE(*q->ring.sq.kflags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) {
        (void)io_uring_get_events(&q->ring);
        ready = io_uring_cq_ready(&q->ring);
    }
    uint32_t kept = 0, seen = 0, head = *q->ring.cq.khead;
    uint64_t bytes = 0;
    for (; seen < ready && kept < count; seen++) {
        const struct io_uring_cqe *cqe = &q->ring.cq.cqes[(head + seen) & q->ring.cq.ring_mask];
        if (cqe->user_data == 0 && take(q, cqe, &frame[kept]))
            bytes += frame[kept++].length;
    }
    io_uring_cq_advance(&q->ring, seen);
    counter_add(&q->counters.received, kept);
    counter_add(&q->counters.received_bytes, bytes);
    return kept;
}

/* Where the request ended for want of slots, more may wait in the socket. */
uint32_t uring_queue_receive(struct uring_queue *q, struct port_frame *frame, uint32_t count)
{
    give_back(q);
    if (!q->armed)
        (void)arm(q);               /* refused now: the next call tries again */
    uint32_t kept = collect(q, frame, count);
    if (!q->armed && kept < count && !arm(q))
        kept += collect(q, frame + kept, count - kept);
    return kept;
}

/* Completions are also of what was thrown away, and of sends that failed: that all were looked at, and made
 * fewer frames than asked for, says nothing of the socket. Without a request for them nobody looked there. */
bool uring_queue_leaves(const struct uring_queue *q)
{
    uint32_t flags = IO_URING_READ_ONCE(*q->ring.sq.kflags);
    return !q->armed || flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW);
}

static uint32_t load16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

/* A datagram as udp_build makes it, from our own port: only such leave through a socket. */
static bool address(const struct uring_queue *q, struct outgoing *out, const struct port_frame *frame)
{
    const uint8_t *ip = frame->data + ETHERNET_HEADER_BYTES, *udp = ip + 20;
    uint32_t headers = ETHERNET_HEADER_BYTES + IPV4_UDP_BYTES;
    if (frame->length < headers || load16(frame->data + 12) != 0x0800 || ip[0] != 0x45 ||
        ip[9] != IPPROTO_UDP || load16(udp) != q->own.port || load16(udp + 4) < 8 ||
        load16(udp + 4) > frame->length - headers + 8)
        return false;
    out->to.sin_family = AF_INET;
    memcpy(&out->to.sin_addr, ip + 16, sizeof out->to.sin_addr);
    memcpy(&out->to.sin_port, udp + 2, sizeof out->to.sin_port);
    out->payload = (struct iovec){.iov_base = frame->data + headers, .iov_len = load16(udp + 4) - 8};
    out->message = (struct msghdr){
        .msg_name = &out->to, .msg_namelen = sizeof out->to, .msg_iov = &out->payload, .msg_iovlen = 1};
    return true;
}

/* MSG_DONTWAIT: the kernel has copied a datagram, or failed, when the submission returns; only failures leave
 * a completion. */
static uint32_t prepare(struct uring_queue *q, const struct port_frame *frame, uint32_t count)
{
    uint32_t i = 0;
    for (; i < count && address(q, &q->out[i], &frame[i]); i++) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&q->ring);
        if (!sqe)
            break;
        io_uring_prep_sendmsg(sqe, q->fd, &q->out[i].message, MSG_DONTWAIT);
        sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
        sqe->user_data = i + SEND_MARK;
    }
    return i;
}

/* Failures of earlier sends are taken away where no arrival waits before them; the others stay, and receive
 * passes over them. Returns how many more may fail before the completions overflow, which would hide
 * failures; arrivals, each of which has a slot, keep half of the room. */
static uint32_t room_for_failures(struct uring_queue *q)
{
    uint32_t ready = io_uring_cq_ready(&q->ring), head = *q->ring.cq.khead, past = 0;
    while (past < ready && q->ring.cq.cqes[(head + past) & q->ring.cq.ring_mask].user_data >= SEND_MARK)
        past++;
    io_uring_cq_advance(&q->ring, past);
    uint32_t waiting = ready - past, most = COMPLETIONS - 2 * SLOTS;
    return waiting < most ? most - waiting : 0;
}

/* Which sends of the burst failed, by bit. */
static uint32_t failures(const struct uring_queue *q, uint32_t from)
{
    uint32_t failed = 0, to = io_uring_smp_load_acquire(q->ring.cq.ktail);
    for (; from != to; from++) {
        const struct io_uring_cqe *cqe = &q->ring.cq.cqes[from & q->ring.cq.ring_mask];
        if (cqe->user_data >= SEND_MARK && cqe->res < 0)
            failed |= UINT32_C(1) << (cqe->user_data - SEND_MARK);
    }
    return failed;
}

static_assert(BURST_MAX <= 32, "a bit for each");

/* Those at the end that the kernel refused are the caller's again; one that failed before
 * others that left is a send error. */
uint32_t uring_queue_send(struct uring_queue *q, const struct port_frame *frame, uint32_t count)
{
    uint32_t room = room_for_failures(q);
    uint32_t prepared = prepare(q, frame, count < room ? count : room);
    if (!prepared)
        return 0;
    uint32_t tail = *q->ring.cq.ktail;
    int submitted = submit(q);
    uint32_t failed = failures(q, tail), taken = submitted > 0 ? (uint32_t)submitted : 0;
    while (taken && failed >> (taken - 1) & 1)
        taken--;
    uint64_t bytes = 0, errors = 0;
    for (uint32_t i = 0; i < taken; i++) {
        errors += failed >> i & 1;
        bytes += frame[i].length;
    }
    counter_add(&q->send_errors, errors);
    counter_add(&q->counters.sent, taken);
    counter_add(&q->counters.sent_bytes, bytes);
    return taken;
}
