/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Permits: whether a node may lend more than its steady limit now (safety.md section 5, I3 and I5), and how
 * much. A node has two limits: `steady` (the model's, lowered by events) and, where model_node.lend has a bit
 * and the permit stands, what its curve admits from theta-hat. ledger_sums.limit_mva is the one in force.
 *
 * Two horizons. A lease that lends is sent, renewals too, only while S with it is at most what may be held
 * for T_resp / 0.7 + T_resp (`lendable`), and a raise only while D with it is, too. Between raises D only
 * falls, and a lease that no renewal follows runs out within T_resp. So what was lent has run out T_resp
 * after the last such lease, and what may flow until then may be held for T_resp / 0.7 (`admissible`, section
 * 5): heat that rises under a lent load ends the lending in time. A host that is not heard keeps its lease in
 * D for longer than it can draw it: D above `admissible` for that alone is recovery, cause heat.
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
    X(PERMIT_HOLD, "hold", "lost not long ago: hold(n) is running, for what is above the steady limit") \
    X(PERMIT_DEAD, "dead", "the meter reads no volts and no current: nothing feeds the node") \
    X(PERMIT_OUTGROWN, "outgrown", \
      "load that no lease governs takes more than fail-safe caps leave of the limit") \
    X(PERMIT_BY_PARENT, "by_parent", \
      "held while its own meter is lost: by its parent's, less what those beside it read") \
    X(PERMIT_BY_CHILDREN, "by_children", "held while its own meter is lost: by all meters right below it")

#define PERMIT_SYMBOL(symbol, name, meaning) symbol,
enum permit { PERMITS(PERMIT_SYMBOL) PERMIT_COUNT };
#undef PERMIT_SYMBOL

#include "core/heat.h"
#include "core/hold.h"
#include "core/ledger.h"
#include "msg/slot.h"

enum { PERMIT_STRETCHES = 4 };
/* what lasts so long is doubt: three reports of every host */
#define PERMIT_DOUBT_NS (500 * NS_PER_MS)
/* a crest that was measured at a comparable load counts for so long at least, and for twice that at most,
 * while it is read */
#define PERMIT_CREST_NS (60 * NS_PER_S)

/* A node with model_node.lend, by its meter; and meters that bear witness of a feed, or of a meter that
 * lends. */
struct permit_node {
    uint32_t node;
    uint8_t permit;             /* enum permit */
    uint8_t witness;            /* bit c: shows whether the feed that c loses is alive */
    bool lends;
    bool watched;               /* its readings count here */
    bool counts_above;          /* its reading is part of its parent's sum of children */
    bool counted;               /* and is in it now: */
    int64_t counted_mw;
    bool armed;                 /* stands in the order of expiry */
    bool lost;                  /* was held and is not: it comes back by hold(n) and when cool */
    bool outgrown;              /* I2 does not hold there (core/residual.h) */
    bool repeats;               /* the newest reading was the one before again */
    uint8_t awaited;            /* bit c: the controller before lent under c, and it is not yet judged anew */
    bool heard;                 /* of one awaited: it is, but for others that are not */
    int64_t until_ns;           /* fresh up to and with this slot time */
    int64_t since_ns;           /* of `permit` */
    int64_t last[2 * PHASES];   /* volts and amperes of the newest reading that was news */
    /* the two horizons hold for every state at or below these parts, and every crest up to this one */
    int64_t part[BREAKER_ELEMENTS_MAX];
    int32_t crest_milli;
    /* highest crests read at half the steady limit or more: of this minute and the one before */
    int32_t crest_high_milli[2];
    int64_t crest_since_ns;
    int64_t lendable_ma, admissible_ma;
    int64_t worked_out_ns;
    int64_t wound_up_ns;        /* what was lent has run out by then */
    int64_t survives_ns;        /* last read more than no loss explains */
    int64_t newest_mw;          /* of the newest reading, all phases */
    int64_t highest_mw[PERMIT_STRETCHES], stretch_ns;   /* of the last moments */
    int64_t weighed_ns, low_ns, alone_ns;       /* doubts gathered */
    uint8_t stretch;
    struct ledger_lend lent;    /* as the ledger has it */
};

struct permit_expiry {
    int64_t due_ns;             /* at or before its meter's until_ns */
    uint32_t meter;
};

/* What a meter tells of the last moments for one that is lost, and what is known of one that is lost:
 * core/permit_stand_in.c. Beside the rest, for mostly nobody looks at it. */
struct permit_stand_in {
    bool parent_may, children_may;  /* stand in, as the site is built; children_may: all of them at once */
    int64_t span_ns;            /* no two windows that belong together are further apart */
    int64_t pf_ppm;             /* lowest power factor of hosts below */
    bool filtered;              /* its readings are of no known window: it stands in for nobody */
    uint32_t below_needed;      /* so many need the meters right below this one's node */
    /* while somebody needs it: what it read at least and at most in this span and the one before. Both are
     * whole where no reading is missing. */
    bool whole[2];
    int64_t known_ns;           /* since; INT64_MAX = nothing was read yet */
    int64_t span_began_ns;
    int64_t stamp_ns;           /* the meter's own, of its newest reading */
    int64_t low_mw[2][PHASES], high_ma[2][PHASES];
    int64_t now_mw[PHASES];     /* as low_mw, of the newest reading */
    /* while it is lost itself */
    bool lost;
    uint8_t by;                 /* enum permit: who stood in for it last; PERMIT_NONE = nobody yet */
    int64_t edge_ma;            /* the most that may have moved between windows, since then */
    int64_t over_ma_ns;         /* what the bound was above D, in all; it leaks away */
    int64_t since_ns, stepped_ns, low_ns, alone_ns;
    int64_t by_stamp_ns;        /* the stamp of the reading that it was stepped by last */
};

/* What hosts and meters below a node tell. */
struct permit_sum {
    int64_t reported_mw;        /* of hosts with fresh reports: what certainly flows through it */
    int64_t children_mw;
    uint32_t hosts, fresh_hosts, fresh_children;
};

/* A feed, by the contingency that loses it. */
struct permit_feed {
    uint8_t bad;                /* evidence against it, a set; 0: good */
    bool lost;                  /* was bad, and is not yet back */
    uint32_t hosts;             /* with cords that it loses; of these, with what their newest report says: */
    uint32_t dark, lit;         /* all such cords are dark; they are not. A silent host is in neither */
    int64_t good_ns;            /* since */
    bool gone;                  /* the newest evidence shows it lost */
    int64_t turned_ns;          /* since; 0 = ever since the start */
};

struct permits {
    const struct model *model;
    struct heat *heat;
    struct ledger *ledger;
    struct holds *holds;
    struct permit_node *meter;      /* by meter */
    struct permit_stand_in *stand_in;   /* by meter */
    uint32_t lost_meters;           /* of these, with `lost` */
    struct permit_expiry *expiry;   /* a heap, the first due at [0] */
    uint32_t expiry_count;
    uint32_t *lender;               /* meters */
    uint32_t lender_count;
    struct permit_sum *sum;         /* by node */
    int64_t *draw_mw;               /* by host: counted in sums; -1 = silent */
    uint32_t *least_first, *least_ppm;  /* by host: its run of shares, along cords and ancestors;
                                         * of hosts that hang alike it is one */
    uint8_t *dark, *lit;            /* by host: bit c, every cord that c loses is dark; or is not */
    struct permit_feed feed[CONTINGENCIES_MAX];
    uint8_t lent_against;           /* bit c: some node lends under c */
    uint8_t losses;                 /* bit c: c is the loss of a feed, which evidence may show */
    uint8_t feeds;                  /* bit c: as far as feeds go, it may */
    uint32_t looked_at;             /* host of the scan for silence */
    uint64_t feed_losses;
    uint64_t feed_turns;            /* changes of any feed */
    uint32_t awaiting;              /* nodes with `awaited` and not `heard` */
    int64_t await_ns, await_until_ns;   /* how long at most, from the first slot on */
    uint32_t held;                  /* nodes */
    uint32_t withdrawn;             /* bit c: nothing is lent under contingency c, whatever a permit says */
    uint64_t granted, lost[PERMIT_COUNT];   /* the latter by reason */
    uint64_t stood_in, stood_in_lost;       /* held by others; of these, that were lost then */
};

/* setup: entries that least_ppm needs. */
uint32_t permit_least_room(const struct model *model);

/* setup: the arrays stand; the ledger lends nothing yet. */
void permit_init(struct permits *permits, const struct model *model, struct heat *heat,
                 struct ledger *ledger, struct holds *holds);

/* rt: first thing in every slot: permits lapse by time. */
void permit_pass_time(struct permits *permits, int64_t t_ns);

/* any: the meter says the same again, other than that it is dead: it is frozen as far as anybody can tell,
 * and heat takes no notice of it. Asked before permit_reading. */
bool permit_repeats(const struct permits *permits, const struct reading *reading);

/* rt: takes a reading; heat has taken it before. */
void permit_reading(struct permits *permits, const struct slot *slot, int64_t t_ns);

/* rt: takes a report that the ledger has taken. */
void permit_report(struct permits *permits, const struct report *report, int64_t t_ns);

/* rt: looks at the next hosts of a round: what one said that is silent for D is no evidence of anything, of
 * its draw and of its power inputs. */
void permit_look(struct permits *permits, int64_t t_ns, uint32_t items);

/* rt: at a take-over, a node as the controller before had it, but that nothing is lent before it is read; and
 * all feeds. */
void permit_hand(struct permits *permits, uint32_t meter, const struct permit_node *handed, int64_t t_ns);
void permit_hand_feeds(struct permits *permits, const struct permit_feed feed[CONTINGENCIES_MAX],
                       int64_t t_ns);

/* rt: all is handed over, and readings may come. */
void permit_begin_waiting(struct permits *permits, int64_t t_ns);

/* rt: a cut is due: whatever is awaited is judged as it stands. */
void permit_end_waiting(struct permits *permits, int64_t t_ns);

/* any: is anything awaited above this host? */
bool permit_is_awaited(const struct permits *permits, uint32_t host);

/* any: what is wrong with a meter beside silence: a set of enum degrade_meter. Of one that lends, bears
 * witness or counts in a sum; on others nothing depends that freezing could spoil. */
uint8_t permit_meter(const struct permits *permits, uint32_t meter, int64_t t_ns);

/* rt: nothing is lent under these contingencies from now on, and again under the others once a reading says
 * so. The caller runs the cuts (core/cut.h). */
void permit_withdraw(struct permits *permits, uint32_t contingencies, int64_t t_ns);

/* rt: fail-safe everywhere is within the limit of a node no more, or again: nothing is lent meanwhile. */
void permit_outgrown(struct permits *permits, uint32_t node, bool outgrown, int64_t t_ns);

/* any: bit c: what contingency c loses is shown to be alive, by its witness or by hosts' power inputs. */
uint8_t permit_feeds_seen(const struct permits *permits);

/* any: the current on a phase above which its load is an emergency: admissible while anything lent is out,
 * else the steady limit. */
int64_t permit_trigger_ma(const struct permits *permits, uint32_t node, int64_t t_ns);

/* any: of a node; PERMIT_NONE where nothing may ever be lent. */
enum permit permit_of(const struct permits *permits, uint32_t node);

/* any: held, by whatever meters. */
static inline bool permit_is_held(uint8_t permit)
{
    return permit == PERMIT_HELD || permit == PERMIT_BY_PARENT || permit == PERMIT_BY_CHILDREN;
}

/* any: slot time of its last change. */
int64_t permit_since_ns(const struct permits *permits, uint32_t node);

#endif
