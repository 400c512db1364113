/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Permits: whether a node may lend more than its steady limit now (safety.md section 5, I3 and I5), and how
 * much. A node has two limits: `steady` (the model's, lowered by events) and, where model_node.lend has a bit
 * and the permit stands, what its curve admits from theta-hat. ledger_sums.limit_mva is the one in force.
 *
 * Two horizons. A lease that lends is sent, renewals too, only while S and D with it are at most what may be
 * held for T_resp / 0.7 + T_resp (`lendable`): what was lent runs out within T_resp after the last such
 * lease, and until then D stays at or below what may be held for T_resp / 0.7 (`admissible`, section 5). So
 * heat that rises under a lent load ends the lending without D passing `admissible`, and I1c holds.
 */
#ifndef FLYBALL_CORE_PERMIT_H
#define FLYBALL_CORE_PERMIT_H

#include <stdbool.h>
#include <stdint.h>

/* X(symbol, name, meaning) */
#define PERMITS(X) \
    X(PERMIT_HELD, "held", "what the curve admits may be lent") \
    X(PERMIT_NONE, "none", "never: not asked for, or without curve, settings_from or meter") \
    X(PERMIT_STALE, "stale", "no reading whose window began less than T_fresh ago") \
    X(PERMIT_FROZEN, "frozen", "the meter repeats itself") \
    X(PERMIT_IMPLAUSIBLE, "implausible", "it reads less than hosts report, or than the meters below it") \
    X(PERMIT_ALONE, "alone", "neither authenticated nor corroborated by other meters or by hosts") \
    X(PERMIT_HOT, "hot", "heat above theta_op") \
    X(PERMIT_FEED, "feed", "a feed whose loss it covers is lost, unseen, or back for less than feed_stable") \
    X(PERMIT_HOLD, "hold", "lost not long ago: hold(n) is running")

#define PERMIT_SYMBOL(symbol, name, meaning) symbol,
enum permit { PERMITS(PERMIT_SYMBOL) PERMIT_COUNT };
#undef PERMIT_SYMBOL

#endif
