/* SPDX-License-Identifier: Apache-2.0 */
/* The other end of a port under test: a raw kernel socket in a namespace behind a veth pair, or the other end
 * of a synthetic link. Made by tools/net, so that is under test too. */
#ifndef FLYBALL_TESTS_PORT_FAR_END_H
#define FLYBALL_TESTS_PORT_FAR_END_H

#include <stdbool.h>

#include "port/port.h"

enum {
    FRAME_ROOM = 9300,
    TEST_ETHERTYPE = 0x88B5,            /* IEEE: local experiments; no kernel answers it */
};

struct far_end {
    bool synthetic;
    char suffix[5];                     /* of the namespaces */
    char interface[2][16];              /* what the port under test opens; [1] is a second, unused link */
    uint8_t mac[6];
    int fd;
    struct port port;
    struct port_frame waiting[BURST_MAX];
    uint32_t waiting_count, waiting_next;
};

/* Whether that driver has a far end here; false: a new driver needs one in port_far_end.c. */
bool far_end_known(const char *driver);
bool far_end_needs_root(const char *driver);

/* Makes the links. 0, or -errno with words on stderr. */
int far_end_make(struct far_end *far, const char *driver, uint32_t mtu);

/* Opens this end; the port under test may be open or not. */
int far_end_open(struct far_end *far, const struct port_config *config);
void far_end_close(struct far_end *far);
void far_end_unmake(struct far_end *far);

/* A socket in the namespace that tools/net made for "meters" or "hosts"; -1 with errno. */
int namespace_socket(const char *role, const char *suffix, int family, int type, int protocol);

/* true: sent. */
bool far_end_send(struct far_end *far, const uint8_t *frame, uint32_t length);

/* The next frame of TEST_ETHERTYPE, its length; 0 when none came within two seconds. */
uint32_t far_end_receive(struct far_end *far, uint8_t *frame, uint32_t room);

#endif
