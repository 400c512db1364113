/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accounts handed over by the controller before (safety.md section 10). They are the first slots of all, one
 * for each host in order, and count only as a whole set: then each host that its controller had bounded is
 * bounded here from the start, by the largest cap of any lease that may still be with it, and may be sent
 * leases under the new epoch. Whatever is wrong with one of them, every host is claimed anew.
 *
 * Why that is safe. The owner feeds accounts only of a controller that is gone for good and has not sent
 * anything that its account does not know (record/account.h). So each such host has no lease above
 * `exposed_mw`; it can only get one from us, whom our own invariants bind, or from a third controller, which
 * shows in its next report: an epoch that is neither ours nor the old one, and the host counts at phys_max.
 * A lease of the old epoch that arrives late is no more than its account says, and refused once the host has
 * ours. Nothing handed over retires but by a report under our epoch.
 */
#ifndef FLYBALL_CORE_ACCOUNT_H
#define FLYBALL_CORE_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "msg/slot.h"

struct core;
struct ledger_host;

struct accounts {
    uint32_t next;              /* host whose account comes next */
    int64_t rest_until_ns;      /* arbitration moves no cap before: hosts not heard yet cannot make room */
    bool closed;                /* the set is complete, was refused, or another slot has come */
    bool whole;                 /* it was taken */
    bool over;                  /* the start is: another slot has come than what is handed over */
    bool settled;               /* what hosts that were not handed over leave no room for was cut */
};

/* rt: one account; with the last one the set counts. */
void account_slot(struct core *core, const struct slot_account *account);

/* rt: another kind of slot comes: a set that is not complete counts for nothing. `over`: and nothing more is
 * handed over. */
void account_end_set(struct core *core, bool over);

/* rt: once what was lent is lent again or lost: a host that was not handed over counts at phys_max, and where
 * that leaves no room for what others hold they make it in this slot, as for every host that resets. */
void account_settle(struct core *core);

/* any: records (core/handed.h) may still be taken. */
bool account_may_hand(const struct accounts *accounts);

/* any: hosts have not had the time to report twice since the take-over: what they use is not known, and until
 * all are heard those that are would bear every cut. Cuts that protect go on. */
bool account_rests(const struct core *core);

/* any: taken over, and nothing has been sent to it yet: its first lease is the cap it had. */
bool account_is_fresh(const struct ledger_host *host);

#endif
