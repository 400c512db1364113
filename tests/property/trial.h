/* SPDX-License-Identifier: Apache-2.0 */
/* One random history: a site, a world, a controller and the shadow that judges it. */
#ifndef FLYBALL_TESTS_TRIAL_H
#define FLYBALL_TESTS_TRIAL_H

#include "shadow.h"
#include "world.h"

struct legacy {
    int64_t t_ns;
    uint32_t words[BUILT_NODES_MAX + 1];        /* of records, by meter, and one of feeds behind them */
    int64_t word[BUILT_NODES_MAX + 1][HANDED_WORDS_MAX];
    struct slot_account account[BUILT_HOSTS_MAX];
};

struct trial {
    uint64_t seed;
    struct model *model;
    struct chance chance;
    struct world *world;
    struct shadow *shadow;
    struct core *core, *twin; /* the twin gets the same slots in memory that was dirty */
    struct core *zombie; /* replaced, but it does not know: goes on for a while under its old epoch */
    uint64_t zombie_epoch;
    int64_t zombie_until_ns;
    struct outbox outbox, twin_outbox;
    uint64_t epoch, slots, tick_number, reading_number;
    int64_t t_ns, stalled_until_ns;
    uint64_t leases, above_fail_safe, handed;
    double draw_mw[BUILT_HOSTS_MAX], worst_mw[BUILT_HOSTS_MAX];     /* of hosts, at the wall */
    /* meters as they are, devices as they heat */
    int64_t meter_dead_until_ns[BUILT_NODES_MAX], meter_frozen_until_ns[BUILT_NODES_MAX];
    int64_t dark_until_ns[BUILT_NODES_MAX];
    struct reading last[BUILT_NODES_MAX];
    double heat[BUILT_NODES_MAX][PHASES];   /* of each image, 1 trips the fast edge */
    /* more hosts have reset unseen than its k covers, or D has not come down since */
    bool excused[BUILT_NODES_MAX];
    uint64_t lent_steps;        /* node-steps with more than the steady limit leased */
    uint64_t stood_in_steps;    /* of these, while other meters stand in for the node's own */
    double hottest;
    /* meters read as real ones do: the mean of every window of 16 ms, each from an instant of its own */
    bool windowed;
    double window_mva[BUILT_NODES_MAX][PHASES];
    /* chances by moment and place, and what goes wrong said from outside: whatever is left out, the rest
     * stays as it was */
    bool apart;
    struct chance moment;
    struct legacy *legacy;      /* left, and nobody has come since; NULL = none */
    /* what the core is told instead; false: nothing. NULL: the truth */
    bool (*forge)(struct trial *trial, struct slot *slot);
    const struct model *told;   /* the site as the core has it, where it is not `model` */
    double low[BUILT_NODES_MAX];        /* by meter: reads so much less */
    int64_t sag_until_ns[BUILT_NODES_MAX];
    uint32_t late_windows[BUILT_NODES_MAX];
    struct reading *held;       /* by meter and window: what is late */
    uint64_t sent[BUILT_NODES_MAX];     /* by meter: the newest window that was sent */
    uint32_t in_force;          /* contingency that has come true: loads are those of its shares; 0 = none */
    double other_part[BUILT_NODES_MAX];         /* of other load, by node: what flows */
    uint32_t books_every, whole_every;          /* slots; ticks that begin an arbitration; 0 = never */
    uint64_t begun;             /* arbitrations */
    bool (*also)(struct trial *trial);  /* fed with everything else in every step; NULL: nothing */
    char complaint[512];
};

enum { LATE_WINDOWS_MAX = 16 };

/* Of a site that is there, with chances apart; it is freed with the trial. `told`: trial.told. */
void trial_open_apart(struct trial *trial, uint64_t seed, struct model *model, const struct model *told,
                      const struct weather *weather);

/* Another controller starts now and knows nothing; the one before goes on until then, if later than now. */
void trial_replace(struct trial *trial, int64_t zombie_until_ns);

/* The controller is gone, and this is what it leaves; then another goes on from it. */
void trial_leave(struct trial *trial);
bool trial_succeed(struct trial *trial);

/* What is lost in the contingency that is in force takes it along: nothing feeds it. */
bool trial_is_dead(const struct trial *trial, uint32_t node);

/* D of the node is above what the decision says may flow there, in some contingency. */
bool trial_is_over(const struct trial *trial, uint32_t node);

/* A step's look at whether anything may trip there: trial.excused. */
void trial_excuse(struct trial *trial, uint32_t node);

/* Load of a node's phase now, mVA. */
double trial_load_mva(const struct trial *trial, uint32_t node, uint32_t phase);

/* `prepare`, where not NULL, changes the model before the first controller sees it. */
void trial_open_with(struct trial *trial, uint64_t seed, uint32_t hosts, const struct weather *weather,
                     void (*prepare)(struct model *model, uint64_t seed));
void trial_open(struct trial *trial, uint64_t seed, uint32_t hosts, const struct weather *weather);
void trial_close(struct trial *trial);

/* One more slot, looked at like all others. */
bool trial_feed(struct trial *trial, struct slot *slot);

/* Runs on; stalls and takeovers are per second. False with `complaint` set as soon as a rule is broken. */
bool trial_run(struct trial *trial, int64_t duration_ns, double stalls, double takeovers);

/* The controller is gone, the network is not: every obeying host is at fail-safe within X. */
bool trial_stop(struct trial *trial);

/* Notes the first complaint; always false. */
__attribute__((format(printf, 2, 3))) bool trial_fail(struct trial *trial, const char *format, ...);

#endif
