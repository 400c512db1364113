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

/* What a device or the kernel knows of a frame beside its bytes. */
enum port_frame_flag {
    FRAME_SUMS_GOOD = 1,        /* received: IPv4 and UDP checksums were verified on the way in */
    FRAME_SUMS_BAD = 2,         /* received: one of them was found wrong */
    FRAME_TAGGED = 4,           /* received: an 802.1Q tag was taken out of the frame, `vlan_tci` has it */
    FRAME_SUMS_LEFT = 8,        /* to send: IPv4 and UDP checksums are the device's to fill in; the UDP field
                                 * holds the sum over the pseudo header. Only with PORT_FILLS_SUMS */
    /* received: `stamp_ns` says when it came, by the clock of the port's stamps */
    FRAME_STAMPED = 16,
};

struct port_frame {
    uint8_t *data;
    uint32_t length;
    uint16_t flags;             /* enum port_frame_flag */
    uint16_t vlan_tci;          /* host byte order */
    int64_t stamp_ns;           /* holds with FRAME_STAMPED; 0 or more */
};

/* Who says when a frame came, beside the polls. The kernel as it took it from the card, by CLOCK_REALTIME; or
 * the card itself, by a clock of its own that port_clock reads. time/stamp.h says what that is worth. */
enum port_stamps { STAMPS_OFF, STAMPS_KERNEL, STAMPS_CARD };

/* What a driver carries: anything on its link, or only UDP of its own address through the kernel's sockets.
 * The kernel owns that address with the second, and must not with the first. */
enum port_kind { PORT_FRAMES, PORT_DATAGRAMS };

enum port_offload { PORT_FILLS_SUMS = 1 };

struct port_config {
    const char *driver;         /* name in the port table: "af_packet", "af_xdp", "synthetic", ... */
    /* kernel interface, name of the synthetic link, PCI address, or capture files "IN:OUT" */
    const char *interface;
    uint32_t ipv4;              /* our address, host byte order: PORT_DATAGRAMS binds to it */
    uint16_t udp;               /* and to this port */
    const uint8_t *mac;         /* wanted; NULL = the device's. A device that has another one does not open */
    uint32_t vlan;              /* of our frames, 0 = none: PORT_DATAGRAMS has none, the kernel tags there */
    uint32_t mtu;               /* IP bytes; mbufs are sized by it */
    uint32_t ring_frames;       /* receive depth, e.g. 32768 */
    uint32_t queues;
    bool groups;                /* frames to groups (multicast) come in, too */
    /* enum port_stamps, wanted: a port that has none opens all the same, with a note */
    uint8_t stamps;
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
    uint64_t room_frames;       /* frames of full size that may wait, where the kernel says so; 0 = unknown */
};

struct port;

struct port_driver {
    const char *name;
    const char *summary;
    uint8_t kind;               /* enum port_kind */
    bool shares;                /* another process may have the interface open at the same time */
    size_t state_bytes;
    int (*open)(struct port *port, const struct port_config *config);
    int (*attach)(struct port *port, uint32_t queue);
    uint32_t (*receive)(struct port *port, uint32_t queue, struct port_frame *frame, uint32_t count);
    /* more may wait though the newest receive took fewer than asked for; NULL: never */
    bool (*leaves)(const struct port *port, uint32_t queue);
    uint32_t (*send)(struct port *port, uint32_t queue, const struct port_frame *frame, uint32_t count);
    void (*statistics)(struct port *port, struct port_statistics *statistics);
    int (*link)(struct port *port);
    void (*close)(struct port *port);
    /* the card's clock now, ns, as stamps have it; false: it could not be read. NULL: no such clock */
    bool (*clock)(const struct port *port, int64_t *clock_ns);
    /* kernel memory behind one queue of that depth; NULL: none beside the driver's own buffers */
    uint64_t (*ring_bytes)(uint32_t mtu, uint32_t ring_frames);
};

struct port {
    const struct port_driver *driver;
    void *state;                /* owned by the driver */
    uint8_t mac[6];
    uint32_t mtu;
    uint32_t offloads;          /* bits of enum port_offload */
    uint8_t stamps;             /* enum port_stamps: what frames may have */
    char error[256];            /* why open failed, in words */
    char note[256];             /* what an open that succeeded gives less of than was asked for, or "" */
};

/* The table: every driver this build has; ends with NULL. */
extern const struct port_driver *const port_table[];

/* any: the driver of that name, NULL when this build has none. */
const struct port_driver *port_find_driver(const char *name);

/* setup: opens by config->driver. 0, or -errno with port->error filled. */
int port_open(struct port *port, const struct port_config *config);

/* setup, on the hot thread that will own the queue (EAL registration and the like happen here). */
int port_attach(struct port *port, uint32_t queue);

/* rt: up to `count` frames, at most BURST_MAX; they stay valid until the next receive on this queue. Never
 * blocks. Fewer than asked for: mostly the queue is empty, port_emptied knows. */
uint32_t port_receive(struct port *port, uint32_t queue, struct port_frame *frame, uint32_t count);

/* rt, right after a receive that took fewer than it asked for: the queue was found empty behind them, so that
 * what comes next arrived since that call began. Not where frames were thrown away that would have filled the
 * burst, or the queue could not be asked. */
bool port_emptied(const struct port *port, uint32_t queue);

/* rt, with STAMPS_CARD: the card's clock, without a system call. False: it could not be read just now. */
bool port_clock(const struct port *port, int64_t *clock_ns);

/* rt: copies and transmits; returns how many from the front were taken. Never blocks. */
uint32_t port_send(struct port *port, uint32_t queue, const struct port_frame *frame, uint32_t count);

/* cold, any thread: the kernel's drivers ask the kernel for what it dropped, with system calls. */
void port_statistics(struct port *port, struct port_statistics *statistics);

/* cold, one thread: 1 = the link is up, 0 = down, -errno = it cannot be told. */
int port_link(struct port *port);

/* setup, when no hot thread uses the port any more. */
void port_close(struct port *port);

#endif
