/* SPDX-License-Identifier: Apache-2.0 */
/* Two UDP sockets, each opened inside its network namespace: one that all meters speak from, and one for
 * all hosts, which gives every datagram its own host's source address and says for which host one came. */
#ifndef FLYBALL_SIM_SOCKETS_H
#define FLYBALL_SIM_SOCKETS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "sim/station.h"
#include "site/site.h"

enum { SOCKETS_BATCH = 64 };

struct sockets_host {
    uint32_t ipv4, host;        /* host byte order; sorted by ipv4 */
};

struct sockets_out {
    uint8_t data[DATAGRAM_MAX];
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct in_pktinfo))];
    struct iovec vector;
};

/* What waits to leave through one socket. */
struct sockets_queue {
    int fd;
    struct sockaddr_in to;
    uint32_t count;
    struct mmsghdr message[SOCKETS_BATCH];
    struct sockets_out out[SOCKETS_BATCH];
};

struct sockets {
    struct sockets_queue meters, hosts;
    const struct site *site;
    struct sockets_host *by_address;
    uint64_t failures;          /* datagrams that the kernel did not take */
};

typedef void sockets_deliver(void *user, uint32_t host, const uint8_t *data, uint32_t bytes);

/* setup: 0, or -errno and the reason in `why`. The calling thread is back in its own namespace afterwards. */
int sockets_open(struct sockets *sockets, const struct site *site, const char *meters_netns,
                 const char *hosts_netns, char *why, size_t why_bytes);
void sockets_close(struct sockets *sockets);

/* rt: queues; a full queue is flushed first. */
void sockets_send(struct sockets *sockets, bool meter, uint32_t index, const uint8_t *data,
                  uint32_t bytes);
void sockets_flush(struct sockets *sockets);

/* rt: everything that has arrived for hosts, without waiting. */
void sockets_receive(struct sockets *sockets, sockets_deliver *deliver, void *user);

#endif
