/* SPDX-License-Identifier: Apache-2.0 */
/* The degradation table of safety.md section 11: what is lost now, since when, how often. Every row is
 * entered and left on its own; entries are counted. */
#ifndef FLYBALL_CORE_DEGRADE_H
#define FLYBALL_CORE_DEGRADE_H

#include <stdbool.h>

#include "msg/limits.h"

struct detect;
struct ledger;
struct model;
struct reading;
struct report;

/* X(symbol, name, what is lost, what flyball does) */
#define DEGRADATIONS(X) \
    X(DEGRADED_CLOCK, "clock", "PTP, or a meter's clock", \
      "ages go by arrival, as ever; a meter that drifts renews no permit; records are marked") \
    X(DEGRADED_METER, "meter", "a meter: silent, frozen, implausible, late", \
      "other meters that bound its load stand in; else permit lost below it: steady limits within X") \
    X(DEGRADED_AGENT, "agent", "a host's agent: silent", "its exposure stays, others make room") \
    X(DEGRADED_CAP, "cap", "a host's cap: reset, driver reload, not applied, foreign", \
      "phys_max at once, recovery, others make room") \
    X(DEGRADED_FEED, "feed", "a feed", "contingencies anew, no raise until it was stable for 60 s") \
    X(DEGRADED_CONTROLLER, "controller", "another controller holds a newer epoch", \
      "nothing is sent above fail-safe to hosts that obey it") \
    X(DEGRADED_RING, "ring", "places in the ring, frames at a port", "shed by class at admission, counted") \
    X(DEGRADED_JOURNAL, "journal", "the journal's disk", "the journal pauses and counts, the loop goes on") \
    X(DEGRADED_ROOM, "room", "room of a node: other load takes what fail-safe caps need", \
      "nothing is lent there, hosts go down to fail-safe") \
    X(DEGRADED_SHED, "shed", "who takes the site's shed actions", \
      "what fail-safe does not end is counted and shown, nobody acts") \
    X(DEGRADED_MARKS, "marks", "the disk where meters' numbers are marked", \
      "what is recorded meanwhile may pass after the machine crashed; readings are taken as before")

#define DEGRADATION_SYMBOL(symbol, name, lost, does) symbol,
enum degradation { DEGRADATIONS(DEGRADATION_SYMBOL) DEGRADATION_COUNT };
#undef DEGRADATION_SYMBOL

struct degrade_row {
    uint32_t now;               /* meters, hosts, feeds, ... in it */
    uint32_t newest;            /* one that is in, the one that entered last where it still is; INDEX_NONE */
    uint64_t entered, left;     /* counts since the start */
    int64_t since_ns;           /* slot time at which `now` became more than 0 */
};

/* Why a meter is in its row: a set. */
enum degrade_meter { METER_IS_SILENT = 1, METER_IS_FROZEN = 2, METER_IS_IMPLAUSIBLE = 4 };

/* A host heard above its newest lease: since when its exposure has been this. */
struct degrade_owed {
    int64_t cap_mw, since_ns;
};

/* The rows that the decision sees: meter, agent, cap, feed, controller. Pure, so replay shows the same. */
struct degrade {
    const struct model *model;
    struct degrade_row row[DEGRADATION_COUNT];
    uint8_t *meter;             /* by meter: set of enum degrade_meter */
    uint8_t *witness;           /* by meter: bit c, it shows whether what contingency c loses is alive */
    uint8_t *host;              /* by host: bit of every row it is in, and two that are none */
    struct degrade_owed *owed;  /* by host: where its bit says so */
    int64_t within_ns;          /* after so long at the same exposure a cut counts as not applied */
    uint8_t feed[CONTINGENCIES_MAX];            /* it is in its row */
    int64_t feed_good_ns[CONTINGENCIES_MAX];    /* its witness has shown it alive since; INT64_MAX = not */
    uint8_t lent_against;       /* bit c: what permits know of that feed counts, not its witness alone */
    uint8_t alive;              /* bit c: permits have known it alive */
    int64_t start_ns;
    uint32_t cursor;            /* of the scan: meters, then hosts */
};

/* any: one member of a row comes or goes. */
void degrade_turn(struct degrade_row *row, uint32_t index, bool was_in, bool is_in, int64_t t_ns);

/* setup: the arrays stand, zeroed. */
void degrade_init(struct degrade *degrade, const struct model *model, int64_t t_ns);

/* rt: takes a reading, and what is known of its meter beside silence. */
void degrade_reading(struct degrade *degrade, const struct reading *reading, uint8_t meter, int64_t t_ns);

/* rt: takes a report that the ledger has taken. */
void degrade_report(struct degrade *degrade, const struct ledger *ledger, const struct report *report,
                    int64_t t_ns);

/* rt: of the contingencies that are lent against, those whose feed counts as alive and stable (permit.h). A
 * start, before anybody has seen it, is no loss for as long as a lease lasts. */
void degrade_feeds(struct degrade *degrade, uint8_t lent_against, uint8_t alive, int64_t t_ns);

/* rt: looks at the next meters and hosts of a round, so that silence is seen: a meter's that is longer than
 * T_fresh, an agent's that is longer than D. */
void degrade_scan(struct degrade *degrade, const struct ledger *ledger, const struct detect *detect,
                  int64_t t_ns, uint32_t items);

#endif
