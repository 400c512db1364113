/* SPDX-License-Identifier: Apache-2.0 */
/* Where packets go: a UDP socket, an interface as whole Ethernet frames, or a file of captures. */
#ifndef FLYBALL_CLI_METER_LINK_H
#define FLYBALL_CLI_METER_LINK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct meter_link {
    int fd;                     /* -1: a file */
    FILE *file;
    bool framed;                /* packets are whole Ethernet frames already */
    const char *name;           /* of the file */
    struct sockaddr_in to, from;
    uint64_t refused;           /* that the kernel did not take */
    int error;                  /* -errno of the first one, or of the file */
    char why[200];
};

/* setup: "ADDRESS:PORT", IPv4; with `from`, that address of ours. 0 or -errno, and why. */
int meter_link_udp(struct meter_link *link, const char *to, const char *from);

/* setup: an interface by its name. Wants CAP_NET_RAW. */
int meter_link_interface(struct meter_link *link, const char *name);

/* setup: a capture with nanoseconds; "-" is standard output. UDP payload gets the headers that it would have
 * on its way to `to`, NULL for whole frames; `from`: 127.0.0.1 where it is NULL. */
int meter_link_capture(struct meter_link *link, const char *path, const char *to, const char *from);

/* any: one packet of `t_ns` (Unix). False where it was refused. */
bool meter_link_send(struct meter_link *link, int64_t t_ns, const uint8_t *data, uint32_t bytes);

/* any: 0, or -errno of a file that could not be written to its end, and why. */
int meter_link_close(struct meter_link *link);

#endif
