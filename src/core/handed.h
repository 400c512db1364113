/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a controller that takes over is told beside accounts (core/account.h): one record for each meter, with
 * the heat of its node, its permit, what holds raises back there and the state of its pool, and one of all
 * feeds. A record is what the one before kept, as it was after a slot that it decided on, with its times:
 * slot time goes on over a restart, for both read the same clock of the same boot.
 *
 * Why heat that is handed over is never less than true: it is an upper bound as of the newest reading, and
 * the time since then is time without a reading, to which core/heat.h applies the rule that it always
 * applies: D stands in, the highest since the last reading that left no time open. That mark is handed over,
 * and D from the take-over on counts beside it; accounts never understate what hosts may have drawn in
 * between. A record that is older than the newest reading only makes that time longer.
 *
 * Nothing is lent on a record alone (I3 wants a fresh reading): what the one before lent, a permit judges
 * anew with the first reading. Until the meters below which something was lent have each been heard, or their
 * T_fresh is over, hosts there are sent nothing that would be a cut for want of a reading alone: no lease is
 * renewed by that, and what they hold runs out as it would have. Doubts go on from where they stood: a
 * meter's frozen values, what it reads too little, the time that nobody corroborates it; a feed that was lost
 * goes on being lost, for as long as it would have.
 *
 * Records count only behind a whole set of accounts. One with a figure that no controller can have is left
 * out, and its meter starts as after any start.
 */
#ifndef FLYBALL_CORE_HANDED_H
#define FLYBALL_CORE_HANDED_H

#include <stdbool.h>

#include "msg/slot.h"

struct core;

struct handed_record {          /* being put together */
    uint32_t record;
    uint32_t have;              /* words so far */
    int64_t word[HANDED_WORDS_MAX];
};

/* rt: one piece of a record; with the last one it is taken. */
void handed_slot(struct core *core, const struct slot_handed *piece);

#endif
