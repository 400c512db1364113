/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arbitration: weighted max-min with floors, ceilings and strict tiers (domain.md 4.6) under every limit at
 * once, in parts of at most CLUSTER_ITEMS visits.
 *
 * Every host starts with all it may have. Then nodes are visited from the leaves to the roots, those of all
 * feeds alike, and each whose limit is passed on some phase in some contingency cuts the hosts that load that
 * phase, over whichever cord, to the level at which they fit. Draws only fall on the way, so at its end every
 * limit of every node holds. In a single tree the result is max-min over the whole site: of two limits above
 * one another the lower level rules. Where cords or phases cross, room that a later cut has freed elsewhere
 * is looked for and given out in at most CLUSTER_ROUNDS further rounds. The guard stays the judge.
 *
 * What a host may have is cut in bands: first the floors (fail-safe) tier by tier, then what it can use tier
 * by tier, then room to grow for all. A level lies in one band: bands below it are given in full, those above
 * not at all.
 *
 * A gang is the hosts of one synchronous job. They have equal performance, which stands for an equal share of
 * the range of caps above cap_min, types apart: what a limit leaves its slowest member is what all have. A
 * member that cannot use as much holds nobody down. What that frees at a node is given to others there, as
 * above. The least weight and the last tier of its members are a gang's.
 *
 * A node with nothing changed below it is not shared anew; a host whose wish moves by less than CLUSTER_CALM
 * has not changed. A host with no report and no lease since the last arbitration is not looked at, unless its
 * time has come; nor are limits that stand.
 */
#ifndef FLYBALL_CORE_CLUSTER_H
#define FLYBALL_CORE_CLUSTER_H

#include "core/contract.h"
#include "core/demand.h"
#include "core/ledger.h"
#include "core/pool.h"
#include "core/waterfill.h"

/* Wall draw that one host must have, can use, may have at most. */
enum extent_edge { EDGE_NONE, EDGE_LEAST, EDGE_USEFUL, EDGE_MOST, EXTENT_EDGES };

struct extent {
    union {
        int64_t edge_mw[EXTENT_EDGES];
        struct { int64_t none_mw, least_mw, useful_mw, most_mw; };     /* none_mw is 0 */
    };
};

enum {
    CLUSTER_BANDS = 2 * TIERS_MAX + 1,
    CLUSTER_ROUNDS = 3,
    CLUSTER_STEERED = 2,        /* cells that steer only: a pool's mVA over all phases, a contract's watts */
    CLUSTER_CALM = 32,          /* a wish that falls by a 32nd part, or rises by half that, stays */
    CLUSTER_FIXED = UINT8_MAX,  /* a tier: cannot be told anything now */
    CLUSTER_ITEMS = 384,        /* of a part: a visit takes a few nanoseconds */
    CLUSTER_APART = 6,          /* hosts a part hands a share to that is not what they have: a lease each */
};

enum cluster_phase {
    CLUSTER_IDLE,
    CLUSTER_LIMITS,
    CLUSTER_GATHER,
    CLUSTER_JOBS,
    CLUSTER_SPREAD,
    CLUSTER_TRIM,
    CLUSTER_GANG,
    CLUSTER_PACE,
    CLUSTER_SLACK,
    CLUSTER_COMMIT
};

/* Hosts one behind the other whose cords below a node are of one shape: they load their phases alike in every
 * contingency. */
struct cluster_run { uint32_t host, count, shape; };

struct cluster_node {
    uint32_t first, count;      /* runs of cords anywhere below, in `below`, its own first */
    uint32_t own_count;
    uint32_t cords, own_cords;
    /* children by another parent than their first: a run of `other` */
    uint32_t other_first, other_count;
    int64_t level;              /* of the newest cut: where the next search begins */
    /* all cords below are of one shape: so much may they draw before a cell is passed */
    int64_t fits_mw;
    uint32_t shape;
    bool alike;
    bool summed;                /* a node above sums its children's loads */
    uint32_t cut;               /* bit i: cell i was cut to its level */
    bool even;                  /* all cords below load all phases alike */
    bool dirty, due;            /* something below has changed; is to be visited in this round */
    bool marked;                /* and all nodes above it are due too */
    bool spread, held;
    bool infeasible, was_infeasible;
};

struct cluster_gang {
    /* share of the range, 2^-32, that its slowest has; CLUSTER_WHOLE = none held */
    uint64_t lowest;
    uint32_t weight, members, changed;      /* changed: members to be shared anew */
    uint8_t tier;
    /* the member that has lowest; what lowest is for a type: known without a division */
    uint32_t lowest_type, paced_type;
    int64_t lowest_mw, paced_mw;
};

#define CLUSTER_NONE UINT16_MAX
static_assert(NODES_MAX < CLUSTER_NONE, "a node is told in 16 bits");

#define CLUSTER_WHOLE (UINT64_C(1) << 32)

/* Where a visit of a node stands. */
struct cluster_visit {
    bool open, exact;           /* exact: load_mva has been summed cord by cord */
    uint8_t step;               /* enum inside cluster_trim.c */
    uint8_t band;
    uint32_t at, run, place;    /* host of this run; run; claim */
    uint32_t cell;
    bool in_mw;                 /* the cut shares watts, not mVA */
    int64_t capacity;           /* of the cell, in what is shared */
    uint32_t solved;            /* bit i: cell i has been cut in this visit */
    uint32_t shape;             /* of the runs being summed */
    int64_t run_mw, fixed_mw, fixed_least_mw, band_mw[CLUSTER_BANDS];
    int64_t fixed_mva, fixed_least_mva, band_mva[CLUSTER_BANDS];
    int64_t *load_mva;          /* being summed */
};

struct cluster {
    const struct model *model;
    const struct contracts *contracts;  /* NULL: none */
    const struct pools *pools;          /* NULL: none */
    /* nodes, and behind them groups of nodes that a contract bounds together: roots above the roots */
    uint32_t places;
    uint32_t generation;        /* of the groups that stand in `node` */
    uint32_t withdrawn;         /* bit c: nothing is lent under contingency c: a node is being taken out */
    uint32_t group_below, group_other;      /* where their runs begin */
    uint32_t cells;             /* by contingency and phase, then CLUSTER_STEERED more */
    /* by host */
    struct extent *host_extent;
    int64_t *draw_mw;           /* the share, at the wall */
    int64_t *target_mw;         /* the cap of the last committed arbitration, -1 = none */
    uint32_t *bound_node;       /* the node that holds it down, INDEX_NONE = none */
    uint8_t *bound_term;        /* enum bound_term */
    uint8_t *tier;
    uint8_t *changed;
    int64_t *wake_ns;           /* its wish may be another from then on, with no report or lease between */
    uint8_t *refused;           /* its share did not fit the sums yet: until it is looked at again */
    uint8_t *was_scarce;        /* it was held down when its wish was looked at */
    uint32_t *type;
    uint8_t *own_tier;          /* its own or its gang's */
    uint32_t *weight;           /* its own or its gang's */
    uint32_t *job;              /* its gang, INDEX_NONE = none */
    uint32_t (*cord_node)[CORDS_MAX];   /* INDEX_NONE behind the last */
    /* by node, and by node and cell */
    struct cluster_node *node;
    uint16_t (*above)[ANCESTORS_MAX];   /* it and all above, CLUSTER_NONE behind the last */
    int64_t *capacity_mva, *load_mva;
    struct cluster_gang *gang;
    struct cluster_run *below;
    uint32_t *other;
    int64_t *coefficient;       /* by shape and cell, 2^-20 mVA per mW, rounded up */
    uint32_t shape_count;
    int64_t grain_mw;           /* the finest quantum of any type */
    uint32_t split_gangs;       /* of which some members are to be shared anew and some not */
    struct claim *claim;        /* by place below the node being cut */
    bool crossing;              /* cords or phases cross: later cuts may free room */
    uint8_t phase;              /* enum cluster_phase */
    uint8_t round;
    bool again, any_dirty, given_up;
    bool steered;               /* pools or contracts may hold somebody down; in the last arbitration, too */
    bool look_at_all;           /* hosts: in this arbitration */
    uint32_t cursor;            /* host, node or gang of this phase */
    struct cluster_visit visit;
    struct waterfill fill;
    uint32_t apart_count, apart[CLUSTER_APART];     /* in this part: whom a lease may tell a new share */
    uint32_t carry_node;        /* error diffusion of cap quanta inside one rack */
    int64_t carry_mw;
    /* times a node was found that cannot carry the floors below it, were all heard */
    uint64_t floor_infeasible;
    uint32_t floor_infeasible_node;         /* the newest of them */
};

/* setup: sizes of the runs, then, with the arrays zeroed and in place, what stands in them. */
uint32_t cluster_below_room(const struct model *model);
uint32_t cluster_cord_count(const struct model *model);
uint32_t cluster_other_room(const struct model *model);
uint32_t cluster_cells(const struct model *model);
void cluster_init(struct cluster *cluster, const struct model *model);
void cluster_note_hosts(struct cluster *cluster);   /* type, tier and weight as the model has them */

/* rt: begins an arbitration; an open one is given up. A site without hosts has nothing to share and stays
 * idle. */
void cluster_begin(struct cluster *cluster);

/* rt: visits at most *items things; returns true when targets of hosts from *first up to cluster->cursor
 * are ready to be acted on (phase CLUSTER_COMMIT); those that are apart by more than a quantum from what the
 * host was told stand in cluster->apart. Idle again when the last host was committed. */
bool cluster_part(struct cluster *cluster, const struct ledger *ledger, const struct demand *demand,
                  int64_t t_ns, uint32_t items, uint32_t *first);

#endif
