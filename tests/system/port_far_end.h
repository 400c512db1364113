/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other end of a port under test: a kernel socket in a namespace behind a veth pair made by tools/net (so
 * that is under test too), raw for ports that carry frames and UDP for ports that carry datagrams; a UDP
 * socket on the loopback interface, for whoever is not root; or the other end of a synthetic link.
 */
#ifndef FLYBALL_TESTS_PORT_FAR_END_H
#define FLYBALL_TESTS_PORT_FAR_END_H

#include <stdbool.h>

#include "port/port.h"
#include "port/ip/udp.h"

enum {
    FRAME_ROOM = 9300,
    TEST_ETHERTYPE = 0x88B5,            /* IEEE: local experiments; no kernel answers it */
    FLOWS_MAX = 64,
};

enum far_kind {
    FAR_UNKNOWN,                        /* nothing tests such a driver */
    FAR_LINK, FAR_RAW, FAR_DATAGRAMS,
    FAR_LOOPBACK,                       /* as FAR_DATAGRAMS, without root */
    FAR_FILES,                          /* captures: port_captures.c */
    FAR_ELSEWHERE,                      /* a device that this machine does not have */
};

struct far_end {
    enum far_kind kind;
    char suffix[5];                     /* of the namespaces */
    char interface[2][16];              /* what the port under test opens; [1] is a second, unused link */
    struct endpoint near[2];            /* whom a port for datagrams is to be, on either */
    struct endpoint own;                /* the far end itself; its MAC stands in `mac` too */
    uint8_t mac[6];
    int fd;
    int flow[FLOWS_MAX];                /* sockets with ports of their own, where datagrams are carried */
    struct port port;
    struct port_frame waiting[BURST_MAX];
    uint32_t waiting_count, waiting_next;
};

/* How that driver is tested here. */
enum far_kind far_end_kind(const char *driver);
bool far_end_needs_root(const char *driver);

/* Where datagrams are carried, frames are such as udp_build makes between `own` and `near`. */
bool far_end_carries_datagrams(const struct far_end *far);

/* Makes the links; `user`: without root, where that driver can be tested so. 0, or -errno with words on
 * stderr. A far end for datagrams moves the process to a network namespace of its own. */
int far_end_make(struct far_end *far, const char *driver, uint32_t mtu, bool user);

/* Opens this end; the port under test may be open or not. */
int far_end_open(struct far_end *far, const struct port_config *config);
void far_end_close(struct far_end *far);
void far_end_unmake(struct far_end *far);

/* What the port on interface[which] is to be opened with. */
void far_end_configure(const struct far_end *far, uint32_t which, struct port_config *config);

/* Pulls the plug at the far end, or puts it back. 0 or -errno; -ENOTSUP where there is none. */
int far_end_plug(const struct far_end *far, bool in);

/* A socket in the namespace that tools/net made for "meters" or "hosts"; -1 with errno. */
int namespace_socket(const char *role, const char *suffix, int family, int type, int protocol);

/* Puts headers before a payload that stands at frame + UDP_HEADERS, as udp_build does. Returns the length. */
uint32_t wrap_datagram(uint8_t *frame, const struct endpoint *from, const struct endpoint *to,
                       uint32_t payload_bytes, uint32_t offloads);

/* true: sent. */
bool far_end_send(struct far_end *far, const uint8_t *frame, uint32_t length);

/* A datagram of flow 0 to FLOWS_MAX - 1: each comes from a UDP port of its own. true: sent. */
bool far_end_send_flow(struct far_end *far, const struct port *near, uint32_t flow, uint32_t number);

/* Which flow and number a frame of far_end_send_flow has; false: it is none. */
bool far_end_read_flow(const struct port_frame *frame, uint32_t *flow, uint32_t *number);

/* The next test frame, its length; 0 when none came within two seconds. */
uint32_t far_end_receive(struct far_end *far, uint8_t *frame, uint32_t room);

#endif
