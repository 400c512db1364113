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

#include "core/heat.h"
#include "core/hold.h"
#include "core/ledger.h"
#include "msg/slot.h"

/* A node with model_node.lend, by its meter; and meters that only bear witness of a feed. */
struct permit_node {
    uint32_t node;
    uint8_t permit;             /* enum permit */
    bool watched;               /* its readings count here */
    bool armed;                 /* stands in the order of expiry */
    bool lost;                  /* was held and is not: it comes back by hold(n) and when cool */
    bool repeats;               /* the newest reading was the one before again */
    int64_t until_ns;           /* fresh up to and with this slot time */
    int64_t since_ns;           /* of `permit` */
    int64_t last[2 * PHASES];   /* volts and amperes of the newest reading that was news */
    /* the two horizons hold for every state at or below these parts, and every crest up to this one */
    int64_t part[BREAKER_ELEMENTS_MAX];
    int32_t crest_milli;
    int64_t lendable_ma, admissible_ma;
    int64_t worked_out_ns;
    int64_t wound_up_ns;        /* what was lent has run out by then */
    struct ledger_lend lent;    /* as the ledger has it */
};

struct permit_expiry {
    int64_t due_ns;             /* at or before its meter's until_ns */
    uint32_t meter;
};

struct permits {
    const struct model *model;
    const struct heat *heat;
    struct ledger *ledger;
    struct holds *holds;
    struct permit_node *meter;      /* by meter */
    struct permit_expiry *expiry;   /* a heap, the first due at [0] */
    uint32_t expiry_count;
    uint32_t held;                  /* nodes */
    uint32_t withdrawn;             /* bit c: nothing is lent under contingency c, whatever a permit says */
    uint64_t granted, lost[PERMIT_COUNT];   /* the latter by reason */
};

/* setup: the arrays stand, one entry per meter; the ledger lends nothing yet. */
void permit_init(struct permits *permits, const struct model *model, const struct heat *heat,
                 struct ledger *ledger, struct holds *holds);

/* rt: first thing in every slot: permits lapse by time. */
void permit_pass_time(struct permits *permits, int64_t t_ns);

/* rt: takes a reading; heat has taken it before. */
void permit_reading(struct permits *permits, const struct slot *slot, int64_t t_ns);

/* rt: nothing is lent under these contingencies from now on, and again under the others once a reading says
 * so. The caller runs the cuts (core/cut.h). */
void permit_withdraw(struct permits *permits, uint32_t contingencies, int64_t t_ns);

/* any: the current on a phase above which its load is an emergency: admissible while anything lent is out,
 * else the steady limit. */
int64_t permit_trigger_ma(const struct permits *permits, uint32_t node, int64_t t_ns);

/* any: of a node; PERMIT_NONE where nothing may ever be lent. */
enum permit permit_of(const struct permits *permits, uint32_t node);

/* any: slot time of its last change. */
int64_t permit_since_ns(const struct permits *permits, uint32_t node);

#endif
