/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The time that an input from outside may take, stage by stage, and who took it where it was too much.
 *
 * It begins when the frame may have been there: at the last poll that left the queue empty. So what it waited
 * for its poll is an upper bound, carried in the slot (slot.waited) in parts of the budget, rounded down;
 * of WAITED_MOST parts, two budgets, it is only known to be so long or longer. It ends when the input is
 * decided, and for each lease that came of it when the port has taken it. An input that was late when it was
 * decided is one miss, whatever leaves of it; one that was in time then is a miss for each lease that leaves
 * late. So is each late lease of a tick, which is no input: its time begins when it enters.
 *
 * A miss has one stage, the one that passed its share by most, and one cause: a gap, where without gaps of
 * its threads (gap.h) between their pieces of work it would have been in time; where it takes those in work,
 * too, nobody can say whose they were; else what the stage has of its own. In the way of a slot that is in
 * time stand two compares.
 */
#ifndef FLYBALL_LOOP_BUDGET_H
#define FLYBALL_LOOP_BUDGET_H

#include "loop/gap.h"
#include "loop/latency.h"
#include "msg/slot.h"
#include "ring/ring.h"
#include "ring/seqlock.h"

/* X(symbol, name, meaning): the stages of a budget, and their shares below. */
#define BUDGET_STAGE_WORDS(X) \
    X(BUDGET_WAY, "way", "before it came, by the age rule: meter and network; no part of the budget") \
    X(BUDGET_WAIT, "wait", "for the poll that found it, at most") \
    X(BUDGET_ADMIT, "admit", "checked, decoded, admitted, behind others of its burst") \
    X(BUDGET_QUEUE, "queue", "in its lane, until it was its turn") \
    X(BUDGET_DECIDE, "decide", "deciding on it") \
    X(BUDGET_SEND, "send", "until the port took the lease")

#define BUDGET_CAUSE_WORDS(X) \
    X(BUDGET_GAP, "gap", "a thread did not run: without that it would have been in time") \
    X(BUDGET_LONG, "long", "a thread was so long at one piece of work: its own fault, or a gap in it") \
    X(BUDGET_BACKLOG, "backlog", "others were before it") \
    X(BUDGET_WORK, "work", "the stage itself took so long") \
    X(BUDGET_PEER, "peer", "decide waited for room for leases that had yet to leave") \
    X(BUDGET_NETWORK, "network", "the reading was old when it came")

#define BUDGET_SYMBOL(symbol, name, meaning) symbol,
enum budget_stage { BUDGET_STAGE_WORDS(BUDGET_SYMBOL) BUDGET_STAGES };
enum budget_cause { BUDGET_CAUSE_WORDS(BUDGET_SYMBOL) BUDGET_CAUSES };
#undef BUDGET_SYMBOL

/* Of inputs from outside; an order is a person's or a host's request, too. */
enum budget_class { BUDGET_READING, BUDGET_REPORT, BUDGET_ORDER, BUDGET_CLASSES };

enum {
    BUDGET_UNITS = 64,          /* slot.waited counts in as many parts of the budget, at most WAITED_MOST */
    BUDGET_KEPT = 32,           /* misses that are told one by one, the newest */
};

struct budget_miss {
    int64_t t_ns;               /* when it was decided, or sent */
    int64_t total_ns;
    int64_t stage_ns;           /* of the stage that is blamed */
    int64_t gap_ns;             /* gaps of its threads in that time */
    int64_t longest_gap_ns;     /* the longest of them, whole */
    uint64_t slot_sequence;     /* 0: it became none */
    uint8_t stage, cause, class;        /* class BUDGET_CLASSES: none of these */
    bool emergency;
    bool at_least;              /* its wait was more than is counted: so long, or longer */
    uint32_t subject;           /* meter of a reading, host of a report or a lease */
};

/* One writer. budget_ns = 0: nothing is accounted. */
struct budget {
    /* constant after build */
    int64_t budget_ns, unit_ns;
    const struct gap *lane_gap[LANES_MAX], *decide_gap, *send_gap;  /* NULL: none */
    /* the writer's */
    count_t miss[BUDGET_STAGES][BUDGET_CAUSES];
    count_t emergencies;        /* of these, of an emergency */
    count_t misses;             /* of the budget: without the way */
    count_t listed;             /* in kept[] so far, the way too */
    struct seqlock kept[BUDGET_KEPT];
    uint64_t blamed_slot;       /* the writer's own: of the newest late lease, and what it was blamed on */
    uint8_t blamed_stage, blamed_cause;
};

/* setup */
void budget_set(struct budget *budget, int64_t budget_ns);

/* rt: what a wait counts in a slot. */
static inline uint8_t budget_waited(const struct budget *budget, int64_t wait_ns)
{
    if (__builtin_expect(wait_ns < budget->unit_ns || !budget->unit_ns, 1))
        return 0;
    return (uint8_t)(wait_ns / budget->unit_ns < WAITED_MOST ? wait_ns / budget->unit_ns : WAITED_MOST);
}

/* rt: how much of the budget is gone `after_ns` after it was received. */
static inline int64_t budget_spent_ns(const struct budget *budget, uint8_t waited, int64_t after_ns)
{
    return (waited & WAITED_MOST) * budget->unit_ns + after_ns;
}

/* any: BUDGET_CLASSES for what did not come from outside. */
enum budget_class budget_class_of(const struct slot *slot);

/* rt, decide: what was too late once it was decided is one miss, whatever leaves of it. A tick is no input
 * from outside and no miss: its leases are, those that leave late. */
static inline bool budget_slot_is_late(const struct budget *budget, const struct slot *slot)
{
    int64_t spent_ns = budget_spent_ns(budget, slot->waited, slot->stage_ns[STAGE_DECIDED]);
    return budget->budget_ns && spent_ns > budget->budget_ns && budget_class_of(slot) != BUDGET_CLASSES;
}

/* rt, decide: a slot that was late when decided. `held`: decide waited for egress while it waited;
 * `emergency`: it sent such a lease. */
void budget_slot_missed(struct budget *budget, const struct slot *slot, bool held, bool emergency);

/* rt, egress: a lease of a slot that was in time left late. Where the slot is neither in hand nor in the
 * ring, its stages are not known: the way to the port is blamed, and gaps are those of the sending thread.
 * The first of a slot is looked into and listed; those behind it only count as it did, so that the many of an
 * emergency that is late leave no later for it. */
struct budget_lease {
    const struct slot *hand;    /* the slot that decide, on this thread, has not ended; NULL: none */
    int64_t t_receive_ns, sent_ns;
    uint64_t slot_sequence;
    uint32_t host;
    uint8_t waited;
    bool emergency;
    bool behind;                /* more than a burst waited */
};
void budget_lease_missed(struct budget *budget, const struct ring *ring, const struct budget_lease *lease);

/* rt, lane: a reading that was older than the budget before this port could have had it. */
void budget_way_missed(struct budget *budget, uint32_t meter, int64_t t_ns, int64_t way_ns);

/* any: share of a stage in the budget, percent. */
uint32_t budget_share_pct(enum budget_stage stage);

/* any: the newest misses, at most BUDGET_KEPT, the newest first. Returns how many. */
uint32_t budget_read(const struct budget *budget, struct budget_miss miss[BUDGET_KEPT]);

#endif
