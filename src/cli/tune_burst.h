/* SPDX-License-Identifier: Apache-2.0 */
/* How many frames a port keeps while nobody polls it. */
#ifndef FLYBALL_CLI_TUNE_BURST_H
#define FLYBALL_CLI_TUNE_BURST_H

#include "cli/tune.h"
#include "port/ip/ip.h"

struct burst {
    struct port *port;          /* attached by the calling thread */
    struct ip_port *ip;         /* answers ARP for it; NULL where the kernel does */
    const struct site_port *row;
    const char *netns;          /* from where frames can reach it */
    int sender_core;            /* -1 = anywhere */
};

/* setup: more frames than the ring has places are sent while the calling thread rests, then counted. 0 or
 * -errno; -ETIMEDOUT: nothing that is sent there arrives. */
int burst_measure(const struct burst *burst, struct measured_ring *ring);

/* setup: the same on a link in memory, whose far end this opens. */
int burst_in_memory(const struct burst *burst, struct measured_ring *ring);

#endif
