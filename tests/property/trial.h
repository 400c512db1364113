/* SPDX-License-Identifier: Apache-2.0 */
/* One random history: a site, a world, a controller and the shadow that judges it. */
#ifndef FLYBALL_TESTS_TRIAL_H
#define FLYBALL_TESTS_TRIAL_H

#include "shadow.h"
#include "world.h"

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
    uint64_t leases, above_fail_safe;
    /* meters as they are, devices as they heat */
    int64_t meter_dead_until_ns[BUILT_NODES_MAX], meter_frozen_until_ns[BUILT_NODES_MAX];
    int64_t dark_until_ns[BUILT_NODES_MAX];
    struct reading last[BUILT_NODES_MAX];
    double heat[BUILT_NODES_MAX][PHASES];   /* of each image, 1 trips the fast edge */
    bool excused[BUILT_NODES_MAX];          /* more hosts reset than its k covers */
    uint64_t lent_steps;        /* node-steps with more than the steady limit leased */
    uint64_t stood_in_steps;    /* of these, while other meters stand in for the node's own */
    double hottest;
    /* meters read as real ones do: the mean of every window of 16 ms, each from an instant of its own */
    bool windowed;
    double window_mva[BUILT_NODES_MAX][PHASES];
    bool (*also)(struct trial *trial);  /* fed with everything else in every step; NULL: nothing */
    char complaint[512];
};

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
