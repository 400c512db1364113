/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom we asked for by ARP, and what we were told. An address enters only because we want to send there (a
 * host, the gateway): what peers say of other addresses is not kept.
 */
#ifndef FLYBALL_PORT_IP_NEIGHBOUR_H
#define FLYBALL_PORT_IP_NEIGHBOUR_H

#include <stdbool.h>
#include <stddef.h>

#include "msg/limits.h"

struct neighbour {
    uint32_t ipv4;
    uint8_t mac[6];
    bool known;                 /* mac is valid */
    bool asked;                 /* a request of ours has not been answered yet */
    bool kept;                  /* asked for whether somebody sends there or not: the gateway */
    uint8_t unanswered;         /* refreshes in a row */
    uint16_t restart;           /* of the table, when it was last looked at */
    int64_t t_next_ns;          /* of the next request */
    int64_t wait_ns;            /* between the last request and the next */
    int64_t t_used_ns;          /* somebody last wanted to send there */
};

/* Entries are dense and never leave; `place` finds them by address. */
struct neighbours {
    struct neighbour *entry;
    uint32_t *place;            /* entry + 1, 0 = empty */
    uint32_t mask, capacity, count;
    uint32_t next;              /* of the round in which requests fall due */
    uint16_t restart;           /* counts neighbours_restart */
};

enum neighbour_news { NEIGHBOUR_UNHEARD, NEIGHBOUR_LEARNED, NEIGHBOUR_MOVED };

/* setup: memory for that many addresses. */
size_t neighbours_bytes(uint32_t capacity);
void neighbours_init(struct neighbours *neighbours, void *memory, uint32_t capacity);

/* rt: NULL when that address was never wanted. */
struct neighbour *neighbours_find(const struct neighbours *neighbours, uint32_t ipv4);

/* rt: wants an address, from now on asked for until it has gone unused for IP_NEIGHBOUR_IDLE_NS. NULL when
 * the table is full. */
struct neighbour *neighbours_want(struct neighbours *neighbours, uint32_t ipv4, int64_t now_ns);

/* rt: somebody says that `ipv4` is at `mac`. A request is believed of an address in the table, a reply only
 * where we asked and have not been answered. */
enum neighbour_news neighbours_hear(struct neighbours *neighbours, uint32_t ipv4, const uint8_t mac[6],
                                    bool reply, int64_t now_ns);

/* rt: looks at the next entries of the round. The first for which a request is due, or NULL; it stays due
 * until neighbour_asked. */
struct neighbour *neighbours_due(struct neighbours *neighbours, int64_t now_ns);

/* rt: a request has left. The wait before the next doubles from IP_ASK_FIRST_NS to IP_ASK_LAST_NS; a MAC that
 * IP_REFRESHES requests in a row did not confirm is forgotten. */
void neighbour_asked(struct neighbour *neighbour, int64_t now_ns);

/* rt: after the link came back: everything that is not known, and the gateway, is asked for anew. */
void neighbours_restart(struct neighbours *neighbours);

#endif
