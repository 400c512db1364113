/* SPDX-License-Identifier: Apache-2.0 */
/* A network in virtual time: datagrams that arrive later, in the order of their arrival, or not at all. */
#ifndef FLYBALL_SIM_MAILBOX_H
#define FLYBALL_SIM_MAILBOX_H

#include <stdbool.h>

#include "sim/random.h"

enum { MAIL_BYTES = 512 };      /* the longest frame of the plant or of a lease */

struct mail {
    int64_t t_ns;               /* of arrival */
    uint64_t order;             /* among equals: first sent, first delivered */
    uint32_t index;             /* meter or host */
    uint8_t to;                 /* whatever the owner tells apart */
    uint16_t bytes;
    uint8_t data[MAIL_BYTES];
};

struct mailbox {
    struct mail *heap;
    uint32_t count, capacity;
    uint64_t next_order;
    uint64_t sent, lost;
    int64_t delay_ns, jitter_ns;
    double loss;                /* share of datagrams that vanish */
    struct random random;
};

/* setup: 0 or -ENOMEM. */
int mailbox_init(struct mailbox *mailbox, uint32_t capacity, uint64_t seed);
void mailbox_finish(struct mailbox *mailbox);

/* any: posts at t_ns; drawn delay and loss apply. A full box loses, too. */
void mailbox_post(struct mailbox *mailbox, uint8_t to, uint32_t index, const uint8_t *data, uint32_t bytes,
                  int64_t t_ns);

/* any: the earliest that arrives at or before t_ns; false when there is none. */
bool mailbox_take(struct mailbox *mailbox, int64_t t_ns, struct mail *mail);

#endif
