/* SPDX-License-Identifier: Apache-2.0 */
/* The last word before a lease leaves: I1a, I1b, floors, claims, quanta. Nothing else writes the outbox. A
 * host has one lease in a slot: who cuts it again in the same slot changes that one, who asks for anything
 * else comes too late. */
#ifndef FLYBALL_CORE_GUARD_H
#define FLYBALL_CORE_GUARD_H

#include "core/core.h"

/* rt: sends the host a lease of at most cap_mw, held to what the ledger permits now. `why` says who asked.
 * The echo is the host's newest report; nothing is sent to a host never heard of. */
void guard_send(struct core *core, uint32_t host, int64_t cap_mw, uint8_t flags, enum egress_why why);

/* rt: a lease of a cut: at most the newest one, whatever the sums say until the whole cut is entered; then
 * guard_verify holds all that leaves with the slot against I1a, once. */
void guard_cut(struct core *core, uint32_t host, int64_t cap_mw, uint8_t flags, enum egress_why why);
void guard_verify(struct core *core);

/* rt: answers a host that asks to leave: it is let go where its own limits are no more than may be drawn
 * there from now on, whatever comes. False: not now, and nothing was sent. */
bool guard_let_go(struct core *core, uint32_t host);

/* any: does a lease or claim to this host leave with this slot? */
bool guard_has_sent(const struct core *core, uint32_t host);

/* rt: an answer to a request for power ahead of time, by the same way out. */
void guard_answer(struct core *core, const struct token_response *response);

#endif
