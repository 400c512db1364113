/* SPDX-License-Identifier: Apache-2.0 */
/* The last word before a lease leaves: I1a, I1b, floors, claims, quanta. Nothing else writes the outbox. */
#ifndef FLYBALL_CORE_GUARD_H
#define FLYBALL_CORE_GUARD_H

#include "core/core.h"

/* rt: sends the host a lease of at most cap_mw, held to what the ledger permits now. `why` says who asked.
 * The echo is the host's newest report; nothing is sent to a host never heard of. */
void guard_send(struct core *core, uint32_t host, int64_t cap_mw, uint8_t flags, enum egress_why why);

/* rt: a lease of a cut: at most the newest one, whatever the sums say until the whole cut is entered; then
 * guard_verify holds what left from record `first` on against I1a, once. */
void guard_cut(struct core *core, uint32_t host, int64_t cap_mw, uint8_t flags, enum egress_why why);
void guard_verify(struct core *core, uint32_t first);

/* rt: an answer to a request for power ahead of time, by the same way out. */
void guard_answer(struct core *core, const struct token_response *response);

#endif
