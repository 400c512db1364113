/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A link in memory: two ports opened on the same name are its two ends, joined by a pair of lock-free queues
 * per port queue. What one end sends on queue q the other receives on queue q. A full queue refuses at the
 * sender, so nothing is lost on the way; what was sent while an end was closed is thrown away when that end
 * opens.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "port/driver.h"

enum { LINKS_MAX = 16, ENDS = 2 };

/* Single producer, single consumer, whole bursts at a time: the consumer keeps the frames it was given until
 * it asks again, which a queue that hands out one record at a time could only offer by copying. Cells are in
 * place: length, then bytes. */
struct pipe {
    _Alignas(64) _Atomic uint64_t tail;     /* written by the sender; pairs with the receiver's acquire */
    uint64_t head_seen;
    _Alignas(64) _Atomic uint64_t head;     /* written by the receiver; pairs with the sender's acquire */
    uint64_t lent;                          /* cells that the receiver's caller still looks at */
    _Alignas(64) uint8_t *cell;
    uint32_t cell_bytes, mask;
};

struct link {
    char name[NAME_BYTES];
    uint32_t mtu, queues;
    bool taken[ENDS];
    struct pipe towards[ENDS][LANES_MAX];
};

/* Two ports that never heard of each other must meet by name, so this table is the process's: the only one of
 * its kind here. Touched by open and close alone, under its lock; a link lives from its first open to its
 * last close. */
static struct {
    pthread_mutex_t lock;
    struct link *link[LINKS_MAX];
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct synthetic {
    struct link *link;
    uint32_t end;
    struct port_counters counters[LANES_MAX];
};

static uint32_t cell_length(const uint8_t *cell)
{
    uint32_t length;
    memcpy(&length, cell, sizeof length);
    return length;
}

static uint8_t *pipe_cell(const struct pipe *pipe, uint64_t index)
{
    return pipe->cell + (size_t)(index & pipe->mask) * pipe->cell_bytes;
}

static uint32_t pipe_put(struct pipe *pipe, const struct port_frame *frame, uint32_t count)
{
    uint64_t tail = atomic_load_explicit(&pipe->tail, memory_order_relaxed);
    if (tail + count - pipe->head_seen > (uint64_t)pipe->mask + 1)
        pipe->head_seen = atomic_load_explicit(&pipe->head, memory_order_acquire);
    uint64_t room = pipe->mask + 1 - (tail - pipe->head_seen);
    uint32_t put = count < room ? count : (uint32_t)room;
    for (uint32_t i = 0; i < put; i++) {
        uint8_t *cell = pipe_cell(pipe, tail + i);
        memcpy(cell, &frame[i].length, sizeof frame[i].length);
        memcpy(cell + sizeof frame[i].length, frame[i].data, frame[i].length);
    }
    atomic_store_explicit(&pipe->tail, tail + put, memory_order_release);
    return put;
}

static uint32_t pipe_take(struct pipe *pipe, struct port_frame *frame, uint32_t count)
{
    uint64_t head = atomic_load_explicit(&pipe->head, memory_order_relaxed) + pipe->lent;
    atomic_store_explicit(&pipe->head, head, memory_order_release);
    uint64_t waiting = atomic_load_explicit(&pipe->tail, memory_order_acquire) - head;
    uint32_t take = count < waiting ? count : (uint32_t)waiting;
    for (uint32_t i = 0; i < take; i++) {
        uint8_t *cell = pipe_cell(pipe, head + i);
        frame[i] = (struct port_frame){.data = cell + sizeof(uint32_t), .length = cell_length(cell)};
    }
    pipe->lent = take;
    return take;
}

static void pipe_throw_away(struct pipe *pipe)
{
    pipe->lent = 0;
    atomic_store_explicit(&pipe->head, atomic_load_explicit(&pipe->tail, memory_order_acquire),
                          memory_order_release);
}

static void free_link(struct link *link)
{
    for (uint32_t i = 0; i < ENDS * LANES_MAX; i++)
        free(link->towards[i / LANES_MAX][i % LANES_MAX].cell);
    free(link);
}

static int make_pipe(struct pipe *pipe, uint32_t cells, uint32_t cell_bytes)
{
    uint32_t count = 1;
    while (count < cells)
        count *= 2;
    pipe->mask = count - 1;
    pipe->cell_bytes = cell_bytes;
    pipe->cell = aligned_alloc(64, (size_t)count * cell_bytes);
    if (!pipe->cell)
        return -ENOMEM;
    /* Touched now, so that no send meets a page fault. */
    memset(pipe->cell, 0, (size_t)count * cell_bytes);
    return 0;
}

static struct link *make_link(const struct port_config *config)
{
    struct link *link = aligned_alloc(64, sizeof *link);
    if (!link)
        return NULL;
    memset(link, 0, sizeof *link);
    snprintf(link->name, sizeof link->name, "%s", config->interface);
    link->mtu = config->mtu;
    link->queues = config->queues;
    uint32_t frame_bytes = config->mtu + ETHERNET_HEADER_BYTES + VLAN_TAG_HEADER_BYTES;
    uint32_t cell_bytes = (uint32_t)(sizeof(uint32_t) + frame_bytes + 63) / 64 * 64;
    for (uint32_t i = 0; i < ENDS * config->queues; i++) {
        if (make_pipe(&link->towards[i % ENDS][i / ENDS], config->ring_frames, cell_bytes)) {
            free_link(link);
            return NULL;
        }
    }
    return link;
}

/* The place of the link of that name, or a free one, or NULL. */
static struct link **find_place(const char *name)
{
    struct link **vacant = NULL;
    for (uint32_t i = 0; i < LINKS_MAX; i++) {
        struct link **place = &registry.link[i];
        if (*place && !strncmp((*place)->name, name, NAME_BYTES))
            return place;
        if (!*place && !vacant)
            vacant = place;
    }
    return vacant;
}

static int join(struct port *port, const struct port_config *config)
{
    struct synthetic *synthetic = port->state;
    struct link **place = find_place(config->interface);
    if (!place)
        return port_fail(port, -ENOSPC, "%s: %d links exist already", config->interface, LINKS_MAX);
    if (!*place && !(*place = make_link(config)))
        return port_fail(port, -ENOMEM, "%s: no memory for the link", config->interface);
    struct link *link = *place;
    if (link->mtu != config->mtu || link->queues != config->queues)
        return port_fail(port, -EINVAL, "%s: the far end has MTU %u and %u queues", config->interface,
                         link->mtu, link->queues);
    if (link->taken[0] && link->taken[1])
        return port_fail(port, -EBUSY, "%s: both ends of the link are taken", config->interface);
    synthetic->link = link;
    synthetic->end = link->taken[0];
    link->taken[synthetic->end] = true;
    for (uint32_t q = 0; q < link->queues; q++)
        pipe_throw_away(&link->towards[synthetic->end][q]);
    return 0;
}

/* Locally administered, the same for the same name and end: FNV-1a of the name, 24 bits of it. */
static void make_mac(uint8_t mac[6], const char *name, uint32_t end)
{
    uint32_t hash = UINT32_C(2166136261);
    for (const char *c = name; *c; c++)
        hash = (hash ^ (uint8_t)*c) * UINT32_C(16777619);
    const uint8_t made[6] = {
        0x02, 0xf1, (uint8_t)(hash >> 16), (uint8_t)(hash >> 8), (uint8_t)hash, (uint8_t)(end + 1)};
    memcpy(mac, made, sizeof made);
}

static int synthetic_open(struct port *port, const struct port_config *config)
{
    const struct synthetic *synthetic = port->state;
    if (strlen(config->interface) >= NAME_BYTES)
        return port_fail(port, -EINVAL, "%s: a link's name has %d bytes at most", config->interface,
                         NAME_BYTES - 1);
    pthread_mutex_lock(&registry.lock);
    int rc = join(port, config);
    pthread_mutex_unlock(&registry.lock);
    if (!rc)
        make_mac(port->mac, config->interface, synthetic->end);
    return rc;
}

static int synthetic_attach(struct port *port, uint32_t queue)
{
    const struct synthetic *synthetic = port->state;
    return queue < synthetic->link->queues ? 0 : -EINVAL;
}

static uint32_t synthetic_receive(struct port *port, uint32_t queue, struct port_frame *frame, uint32_t count)
{
    struct synthetic *synthetic = port->state;
    uint32_t got = pipe_take(&synthetic->link->towards[synthetic->end][queue], frame, count);
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < got; i++)
        bytes += frame[i].length;
    counter_add(&synthetic->counters[queue].received, got);
    counter_add(&synthetic->counters[queue].received_bytes, bytes);
    return got;
}

static uint32_t synthetic_send(struct port *port, uint32_t queue, const struct port_frame *frame,
                               uint32_t count)
{
    struct synthetic *synthetic = port->state;
    struct pipe *out = &synthetic->link->towards[!synthetic->end][queue];
    uint32_t sent = pipe_put(out, frame, port_fitting(port, frame, count));
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < sent; i++)
        bytes += frame[i].length;
    counter_add(&synthetic->counters[queue].sent, sent);
    counter_add(&synthetic->counters[queue].sent_bytes, bytes);
    counter_add(&synthetic->counters[queue].refused, count - sent);
    return sent;
}

static void synthetic_statistics(struct port *port, struct port_statistics *statistics)
{
    struct synthetic *synthetic = port->state;
    for (uint32_t q = 0; q < synthetic->link->queues; q++)
        port_counters_sum(&synthetic->counters[q], statistics);
}

static void synthetic_close(struct port *port)
{
    struct synthetic *synthetic = port->state;
    struct link *link = synthetic->link;
    pthread_mutex_lock(&registry.lock);
    link->taken[synthetic->end] = false;
    if (!link->taken[!synthetic->end]) {
        *find_place(link->name) = NULL;
        free_link(link);
    }
    pthread_mutex_unlock(&registry.lock);
}

static int synthetic_link(struct port *port)
{
    (void)port;
    return 1;
}

const struct port_driver port_synthetic = {
    .name = "synthetic",
    .summary = "a link in memory between two ports of this process",
    .kind = PORT_FRAMES,
    .state_bytes = sizeof(struct synthetic),
    .open = synthetic_open,
    .attach = synthetic_attach,
    .receive = synthetic_receive,
    .send = synthetic_send,
    .statistics = synthetic_statistics,
    .link = synthetic_link,
    .close = synthetic_close,
};
