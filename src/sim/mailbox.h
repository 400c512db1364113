/* SPDX-License-Identifier: Apache-2.0 */
/* A network in virtual time: messages that arrive later, in the order of their arrival, or not at all. */
#ifndef FLYBALL_SIM_MAILBOX_H
#define FLYBALL_SIM_MAILBOX_H

#include "sim/message.h"
#include "sim/random.h"

struct mail {
    int64_t t_ns;               /* of arrival */
    uint32_t index;             /* meter or host */
    uint32_t to;                /* whatever the owner tells apart */
    struct message message;
};

/* What is compared lies together; what is carried stays where it was put. */
struct mail_key {
    int64_t t_ns;
    uint64_t order;             /* among equals: first sent, first delivered */
    uint32_t place;             /* in `mail` */
};

struct mailbox {
    struct mail *mail;
    struct mail_key *heap;
    uint32_t *free;             /* places given back */
    uint32_t count, capacity, free_count, untouched;
    uint32_t taken;             /* place of the newest that was taken, plus 1 */
    uint64_t next_order;
    uint64_t sent, lost;
    int64_t delay_ns, jitter_ns;
    double loss;                /* share of messages that vanish */
    struct random random;
};

/* setup: 0 or -ENOMEM. */
int mailbox_init(struct mailbox *mailbox, uint32_t capacity, uint64_t seed);
void mailbox_finish(struct mailbox *mailbox);

/* any: posts at t_ns; drawn delay and loss apply. A full box loses, too. */
void mailbox_post(struct mailbox *mailbox, uint32_t to, uint32_t index, const struct message *message,
                  int64_t t_ns);

/* any: the earliest that arrives at or before t_ns, until the next is taken; NULL when there is none. */
const struct mail *mailbox_take(struct mailbox *mailbox, int64_t t_ns);

#endif
