/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One interface over every way a frame comes in or goes out. Frames are whole Ethernet frames; addresses are
 * udp.h's business. A queue belongs to one thread: the thread that called attach for it.
 */
#ifndef FLYBALL_PORT_PORT_H
#define FLYBALL_PORT_PORT_H

#include <stdbool.h>
#include <stddef.h>

#include "msg/limits.h"

struct port_frame {
    uint8_t *data;
    uint32_t length;
};

struct port_config {
    const char *driver;         /* name in the port table: "af_packet", "af_xdp", "synthetic", ... */
    const char *interface;      /* kernel interface, or name of the synthetic link */
    uint32_t mtu;               /* IP bytes; mbufs are sized by it */
    uint32_t ring_frames;       /* receive depth, e.g. 32768 */
    uint32_t queues;
    bool hugepages;             /* false: EAL runs with --no-huge */
    uint32_t memory_mib;        /* for EAL */
    int housekeeping_core;      /* where EAL's own threads live, -1 = anywhere */
    const char *eal_extra;      /* more EAL arguments, space separated, or NULL */
};

struct port_statistics {
    uint64_t received, received_bytes;
    uint64_t lost;              /* arrived and not delivered: ring full, no buffer */
    uint64_t receive_errors;
    uint64_t sent, sent_bytes;
    uint64_t refused;           /* send calls' frames that the driver did not take */
    uint64_t send_errors;
};

struct port;

struct port_driver {
    const char *name;
    const char *summary;
    size_t state_bytes;
    int (*open)(struct port *port, const struct port_config *config);
    int (*attach)(struct port *port, uint32_t queue);
    uint32_t (*receive)(struct port *port, uint32_t queue, struct port_frame *frame, uint32_t count);
    uint32_t (*send)(struct port *port, uint32_t queue, const struct port_frame *frame, uint32_t count);
    void (*statistics)(struct port *port, struct port_statistics *statistics);
    void (*close)(struct port *port);
};

struct port {
    const struct port_driver *driver;
    void *state;                /* owned by the driver */
    uint8_t mac[6];
    uint32_t mtu;
    char error[160];            /* why open failed, in words */
};

/* The table: every driver this build has; ends with NULL. */
extern const struct port_driver *const port_table[];

/* setup: opens by config->driver. 0, or -errno with port->error filled. */
int port_open(struct port *port, const struct port_config *config);

/* setup, on the hot thread that will own the queue (EAL registration and the like happen here). */
int port_attach(struct port *port, uint32_t queue);

/* rt: up to `count` frames; they stay valid until the next receive on this queue. Never blocks. */
uint32_t port_receive(struct port *port, uint32_t queue, struct port_frame *frame, uint32_t count);

/* rt: copies and transmits; returns how many from the front were taken. Never blocks. */
uint32_t port_send(struct port *port, uint32_t queue, const struct port_frame *frame, uint32_t count);

/* cold, any thread: the kernel's drivers ask the kernel for what it dropped, with system calls. */
void port_statistics(struct port *port, struct port_statistics *statistics);

/* setup, when no hot thread uses the port any more. */
void port_close(struct port *port);

#endif
