/* SPDX-License-Identifier: Apache-2.0 */
/*
 * other(n) learnt from meters (safety.md section 2): what a node carries on a phase beyond what hosts below
 * it draw. Reports tell the draw of an instant, some six times a second, and a load swings by two thirds in 8
 * ms: a difference of instants is noise. So means are compared, over windows of WINDOW_NS, and only what is
 * certain counts:
 *
 *   drawn    what hosts below drew, each cord at the most that it may carry in any contingency that no
 *            evidence excludes, or with every other cord that may be dead; a host that is not heard for D at
 *            what it may draw at most
 *   swing    the mean distance of readings from their running mean: reports see pulses by chance. Swings that
 *            the reports do not show at all (they fall in step with them) say that these tell nothing
 *   found    where measured x (1 - error) > drawn x (1 + HOST_ERROR) + swing + what is known there already:
 *            measured x (1 + error) - drawn
 *
 * A window counts only once it is confirmed: when the loss of a feed in it must have shown itself, T_resp of
 * the slowest meter after its end, and no feed has turned since it began; at a node whose meter was read all
 * that time, and neither repeats itself nor is doubted. All others are thrown away, and counted.
 *
 * In force is the most that was found in two windows in a row in the last BUCKETS of BUCKET_NS, raised at
 * once. Buckets pass with windows that count alone: a meter that is lost forgets nothing. Load at a node
 * flows through everything above it and stands there too; a node above learns only what is more. What it
 * measures in all is remembered beside that: when a node below forgets, a node above keeps in force, of what
 * was, as much as its own meter has found for certain. What the site file configures counts first, and the
 * largest step declared stands on top of both.
 *
 * Cost: O(1) at a report and at a reading; the window is closed by a round over hosts in parts of ticks.
 */
#ifndef FLYBALL_CORE_RESIDUAL_H
#define FLYBALL_CORE_RESIDUAL_H

#include <stdbool.h>

#include "core/degrade.h"
#include "core/ledger.h"
#include "core/permit.h"
#include "msg/slot.h"

enum { RESIDUAL_BUCKETS = 6 };
#define RESIDUAL_WINDOW_NS (2 * NS_PER_S)
#define RESIDUAL_BUCKET_NS (10 * NS_PER_S)

/* What a host drew in this window, up to its newest report. */
struct residual_host {
    int64_t drawn_mw_ns, swung_mw_ns;
    int64_t since_ns;           /* its newest report; before the window: the sums are of another one */
    uint32_t draw_mw, mean_mw;  /* as reported, and its running mean */
};

static_assert(sizeof(struct residual_host) == 32, "two hosts stand in a line of the cache");

struct residual_found {
    int64_t before_mva[PHASES]; /* in the window before; 0: it did not count */
    int64_t bucket_mva[RESIDUAL_BUCKETS][PHASES];   /* in two windows in a row */
};

struct residual_meter {
    uint32_t node;              /* INDEX_NONE: not its node's own meter, its readings do not count here */
    uint8_t phases;             /* bit p: load on this phase, as hosts and limits of the node count them */
    uint8_t bucket;             /* being filled */
    bool read_through;          /* over the window that is being closed */
    bool spoilt;                /* readings of it were unsure: it may only raise */
    int64_t begin_ns;           /* window that the sums are of */
    int64_t covered_us;         /* of it, by readings that were news */
    int64_t power_mw_us[PHASES], swung_mw_us[PHASES], apparent_mva_us;
    int64_t mean_mw[PHASES];    /* running */
    int64_t last[2 * PHASES];   /* volts and amperes of the newest reading */
    int64_t drawn_mw[PHASES], reported_swing_mw[PHASES];    /* of hosts below, being summed up */
    struct residual_found all;  /* beyond what is configured */
    struct residual_found more; /* and beyond what is learnt below, too */
    int64_t bucket_ns;          /* when it was begun */
    int64_t learnt_mva[PHASES]; /* in force, on top of what is learnt below */
};

struct residual_node {
    int64_t passed_mva[PHASES]; /* learnt below it, and standing here too */
    /* what fail-safe caps, bad(n) and the configured other(n) leave to the limit, the least over lasting
     * contingencies (I2) */
    int64_t spare_mva[PHASES];
    bool outgrown;              /* what is learnt is more than that */
};

enum residual_phase { RESIDUAL_GATHERS, RESIDUAL_SUMS, RESIDUAL_JUDGES };

struct residual {
    const struct model *model;
    struct ledger *ledger;
    struct permits *permits;
    const uint8_t *doubted;     /* by meter: set of enum degrade_meter */
    struct degrade_row *outgrown;       /* nodes where fail-safe everywhere is above the limit */
    struct residual_host *host;
    struct residual_meter *meter;
    struct residual_node *node;
    uint32_t meters;            /* that count; 0: nothing is ever learnt */
    int64_t begin_ns, end_ns;   /* the window */
    int64_t confirm_ns;         /* how long after it the loss of a feed may show itself */
    uint64_t turns;             /* permits.feed_turns when it began */
    enum residual_phase phase;
    uint32_t cursor;            /* of the round: hosts, then nodes from the last to the first */
    uint8_t unseen;             /* bit c, of the round: nothing shows that what c loses is alive */
    uint64_t windows, thrown, raised, lowered;
};

/* setup: the arrays stand, zeroed; sums and permits stand. */
void residual_init(struct residual *residual, const struct model *model, struct ledger *ledger,
                   struct permits *permits, const struct heat *heat, int64_t t_ns);

/* rt: takes a report that the ledger has taken. */
void residual_report(struct residual *residual, uint32_t host, int64_t draw_mw, int64_t t_ns);

/* rt: takes a reading. */
void residual_reading(struct residual *residual, const struct slot *slot, int64_t t_ns);

/* rt, in parts of a tick: carries the window on. True: limits may stand below what is leased now. */
bool residual_part(struct residual *residual, int64_t t_ns, uint32_t items);

/* rt: at a take-over, what the controller before had learnt by a meter: as if found now. */
void residual_hand(struct residual *residual, uint32_t meter, const int64_t learnt_mva[PHASES], int64_t t_ns);

/* any: load that no lease governs, learnt at a node and below it, above what is configured. */
int64_t residual_learnt_mva(const struct residual *residual, uint32_t node, uint32_t phase);

#endif
