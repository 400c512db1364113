/* SPDX-License-Identifier: Apache-2.0 */
/* What decide keeps in the ledger's file for a controller that takes over. All: rt, the deciding thread,
 * where there is such a file. */
#ifndef FLYBALL_LOOP_DECIDE_ACCOUNT_H
#define FLYBALL_LOOP_DECIDE_ACCOUNT_H

#include "loop/decide.h"

/* Whose account this slot has changed, before any lease of it leaves: the host that reported, those that are
 * sent something, and after an order, which may change the mode, all. Cuts of an emergency raise no exposure
 * and do not wait for this: theirs is written once they have left. */
void decide_persist(struct decide *decide, const struct slot *slot, int64_t now_ns);

/* Of the hosts that were sent something by this slot: cuts of an emergency, or the others. */
void decide_write_sent(struct decide *decide, bool emergency);

void decide_write_accounts(struct decide *decide);

/* What the core knows of a meter's node, and what its offset is held against; INT64_MAX: not known. */
void decide_write_record(struct decide *decide, uint32_t meter, int64_t floor_ns);

void decide_write_feeds(struct decide *decide);

#endif
