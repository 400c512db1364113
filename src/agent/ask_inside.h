/* SPDX-License-Identifier: Apache-2.0 */
/* What only the files of the desk share. */
#ifndef FLYBALL_AGENT_ASK_INSIDE_H
#define FLYBALL_AGENT_ASK_INSIDE_H

#include "agent/ask.h"

/* Index of a job's grant, ASK_GRANTS_MAX where it has none. */
uint32_t ask_find(const struct ask_desk *desk, const char *job);

/* Takes a grant off the desk. */
void ask_drop(struct ask_desk *desk, uint32_t index);

/* Of all that stand, but for one job; "" = of all. */
int64_t ask_sum_mw(const struct ask_desk *desk, const char *without, int64_t *latest_ns);

/* Enters or replaces the grant of an order. */
void ask_enter(struct ask_desk *desk, const struct ask_order *order, int64_t now_ns);

/* Answers one who waits, and takes it off the list. */
void ask_finish(struct ask_desk *desk, uint32_t at, const struct ask_answer *answer);

/* Nobody waits for the request on its way any more: the controller may grant it all the same. */
void ask_forget_open(struct ask_desk *desk);

/* The answer for an order that is granted. */
struct ask_answer ask_answer_granted(const struct ask_desk *desk, const char *job, int64_t now_ns);

#endif
