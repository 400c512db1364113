/* SPDX-License-Identifier: Apache-2.0 */
/* Holds the plant's truth against what the controller counts, step by step, and makes the figures of it. */
#ifndef FLYBALL_SIM_JUDGE_H
#define FLYBALL_SIM_JUDGE_H

#include "sim/figures.h"
#include "sim/station.h"
#include "sim/succession.h"

enum {
    JUDGE_TURNS = 10,           /* steps in which every host and node is looked at once */
    JUDGE_BINS = 1001,          /* of tightness, a thousandth each; the last: 1 and above */
};
#define JUDGE_SAMPLE_NS (100 * NS_PER_MS)

/* A host that breaks a premise is excused while it does, and until a controller can have heard of it. */
struct judge_host {
    uint32_t excuses;           /* faults in force that break one */
    uint32_t raises;            /* in force: excused until a report that shows it has been heard */
    uint64_t shown_by;          /* number of that report; 0: its agent has not seen it yet */
    int64_t excused_until_ns;
    uint32_t draw_excuses;      /* faults in force that break one about its draw, not about its caps */
    int64_t draw_until_ns;      /* and until then for those that were */
    int64_t settles_until_ns;   /* driver defaults were in force: its draw is on its way down until then */
};

struct judge_node {
    int64_t limit_mva[PHASES];  /* in force, as the newest controller has it */
    double limit_a[PHASES];     /* the same */
    int64_t over_since_ns;      /* load above it without a break; INT64_MIN: it is not */
    int64_t trouble_since_ns;   /* emergency or recovery; INT64_MIN: neither */
    int64_t (*most_mva)[PHASES];    /* D at most, by contingency */
};

struct judge {
    const struct model *model;
    const struct plant *plant;
    const struct station *station;
    struct judge_host *host;
    struct judge_node *node;
    int64_t (*most_mva)[PHASES];
    uint64_t steps;
    int64_t next_sample_ns;     /* of tightness */
    bool moved;                 /* a limit did, since loads were weighed */
    bool over;                  /* some load stood above one then */
    uint64_t host_samples, throttled_samples;
    uint64_t bin[JUDGE_BINS];
    int64_t cpu_ns;             /* of the thread, at the start */
    struct figures figures;
};

/* setup: 0 or -ENOMEM; to be finished either way. */
int judge_init(struct judge *judge, const struct plant *plant, const struct station *station);
void judge_finish(struct judge *judge);

/* any: a fault begins or ends. */
void judge_fault(struct judge *judge, const struct fault *fault, bool begins);

/* any: after everything of a step; NULL while no controller lives. */
void judge_step(struct judge *judge, const struct core *core);

/* any: the end; the outcome has everything but the figures. */
void judge_close(struct judge *judge, const struct outcome *outcome, struct figures *figures);

#endif
