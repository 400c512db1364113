/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random graphs: a site of 1 to 200 nodes, devices from the stock of domain.md 1.2 to 1.5, loads that follow
 * traces, faults at their times, and whole decisions judged after every slot. A case is a seed and what is
 * left out of what it draws, so that one that fails can be made small and still be said in one line.
 */
#ifndef FLYBALL_TESTS_GRAPH_H
#define FLYBALL_TESTS_GRAPH_H

#include "model_builder.h"
#include "sim/fault.h"
#include "trial.h"

enum { GRAPH_FAULTS_MAX = 32 };

/* Beside enum model_plain. */
enum graph_plain {
    PLAIN_TRACES = 1 << PLAIN_BITS,         /* every host wants everything, always */
    PLAIN_NETWORK = 2 << PLAIN_BITS,        /* nothing is lost or late but by faults */
    PLAIN_REQUESTS = 4 << PLAIN_BITS,       /* nobody asks ahead, no forecasts */
    PLAIN_POOLS = 8 << PLAIN_BITS,          /* no pools, no ramps */
    PLAIN_DEVICES = 16 << PLAIN_BITS,       /* one image each, the plain one */
    PLAIN_CLOCKS = 32 << PLAIN_BITS,        /* exact, and every cap at its device's highest at first */
    PLAIN_ALL_BITS = PLAIN_BITS + 6
};

enum graph_end {
    END_OPEN,           /* nothing follows */
    END_STOP,           /* the controller stops: all that obey are at fail-safe within X */
    END_CALM,           /* faults end: every node in recovery leaves it */
    END_COUNT
};

/* What a seed draws, beside the site. */
struct graph_plan {
    uint64_t seed;
    struct model_form form;
    uint32_t nodes, hosts;      /* of the whole site */
    struct model_policy policy;
    int64_t duration_ns;
    struct weather weather;
    enum graph_end end;
    double asks;                /* requests and forecasts, per host and second: true and false ones */
    bool in_step;               /* traces have one phase */
    uint32_t fault_count;
    struct fault fault[GRAPH_FAULTS_MAX];   /* places are the numbers that nodes and hosts were drawn with */
};

/* Faults that are planted in what the judged side is told or has, to see whether the judge notices; the
 * world and the second ledger know better. X(symbol, words) */
#define GRAPH_PLANTS(X) \
    X(GRAPH_NOTHING, "nothing") \
    X(GRAPH_HELD, "a cut counts as held before A is over") \
    X(GRAPH_OBEYED, "a device is taken to read back what it was leased") \
    X(GRAPH_NOBODY_BAD, "nobody is ever bad: k counts for nothing") \
    X(GRAPH_NEVER_STALE, "a frozen meter is not told from one that reads") \
    X(GRAPH_READS_LOW, "every device looks a third larger than it is")

#define GRAPH_PLANT_SYMBOL(symbol, words) symbol,
enum graph_plant { GRAPH_PLANTS(GRAPH_PLANT_SYMBOL) GRAPH_PLANT_COUNT };
#undef GRAPH_PLANT_SYMBOL

struct graph_case {
    uint64_t seed;
    int64_t until_ns;           /* the history ends here */
    bool cut;                   /* `keep` leaves something out */
    struct model_keep keep;
    bool fault[GRAPH_FAULTS_MAX];
    bool end;                   /* what follows the history is played, too */
    unsigned plain;
    enum graph_plant plant;
};

enum graph_state {
    STATE_RECOVERY,
    STATE_EMERGENCY,
    STATE_LENDING,
    STATE_CONTINGENCY,
    STATE_LOST,
    STATE_STOOD_IN,
    STATE_FAIL_SAFE,
    STATE_REPLACED,
    STATE_HANDED,
    STATE_GRANTED,
    STATE_TAKEN_OUT,
    STATE_CURVE,
    STATE_JUDGED_AGAIN,
    STATE_COUNT
};

/* What came of a run. */
struct graph_told {
    bool good, empty;           /* empty: what is kept is no site */
    char complaint[512];
    int64_t t_ns;               /* where it failed, or ended */
    uint32_t nodes, hosts;
    uint64_t slots, leases;
    unsigned reached;           /* a set of enum graph_state */
};

struct graph_devices;

/* setup: draws the plan; the whole site, or NULL. Freed by model_unbuild. */
struct model *graph_draw(uint64_t seed, struct graph_plan *plan);
/* setup: policy, pools and quickness of the plan, before anybody sees the site. */
void graph_fit(const struct graph_plan *plan, struct model *model, unsigned plain);
/* setup: all of it. */
void graph_whole(const struct graph_plan *plan, enum graph_plant plant, struct graph_case *all);
/* any: plays it and judges. `devices` is memory of the caller's, graph_devices_new. */
void graph_run(const struct graph_plan *plan, const struct graph_case *some, struct graph_devices *devices,
               struct graph_told *told);

/* setup: leaves out what can go while the same rule is broken, at most `runs` tries. Returns their number. */
uint32_t graph_shrink(const struct graph_plan *plan, struct graph_case *some, struct graph_devices *devices,
                      uint32_t runs);

/* any: how many hosts, nodes and faults a case has. */
struct graph_size { uint32_t hosts, nodes, faults; };
struct graph_size graph_size(const struct graph_plan *plan, const struct graph_case *some);
/* any: the command that repeats the case, and the case in words. */
void graph_command(const struct graph_plan *plan, const struct graph_case *some, char *text, size_t bytes);
void graph_print(const struct graph_plan *plan, const struct graph_case *some,
                 const struct graph_told *told);
const char *graph_plant_name(enum graph_plant plant);
/* any: 0, or -EINVAL: a list of numbers as graph_command writes it, "1,4-7". */
int graph_parse_list(const char *text, bool *member, uint32_t count);
int graph_parse_plain(const char *text, unsigned *plain);

/* ---- inside ---- */

struct graph {
    struct trial trial;         /* first: its hook gets this one */
    const struct graph_plan *plan;
    const struct graph_case *some;
    struct graph_devices *devices;
    bool on[GRAPH_FAULTS_MAX];
    int64_t restart_ns;         /* a controller that crashed is followed by another; INT64_MAX = none */
    uint64_t orders, requests, committed;
    unsigned reached;
    bool safe[CONTINGENCIES_MAX];       /* by place: "safe to transfer" was said */
};

/* graph_faults.c: what begins and ends by now. */
bool graph_faults_step(struct graph *graph);
void graph_faults_end(struct graph *graph);
const char *graph_fault_name(enum fault_kind kind);
bool graph_fault_is_once(enum fault_kind kind);
/* setup: one more fault, anything within a time. */
struct fault graph_fault_draw(struct chance *chance, const struct graph_plan *plan, int64_t until_ns);

/* graph_devices.c */
struct graph_devices *graph_devices_new(void);
void graph_devices_free(struct graph_devices *devices);
/* setup: devices of the stock for every node that has one, and specimens of their bands. */
void graph_devices_draw(struct graph_devices *devices, struct model *model, uint64_t seed, bool plain);
/* any: what flowed heats them. False: one has tripped, or would before T_resp / 0.7 is over. */
bool graph_devices_step(struct graph *graph);

#endif
