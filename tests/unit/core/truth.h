/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small true world of hosts, meters and other loads beside the stand, in steps of 8 ms. Meters read every
 * 16 ms what flowed, hosts report every 160 ms what they draw at that moment. Laid out as two feeds, all
 * hosts draw from both branches.
 */
#ifndef FLYBALL_TESTS_TRUTH_H
#define FLYBALL_TESTS_TRUTH_H

#include "core/core.h"
#include "stand.h"

#define KW INT64_C(1000000)
#define STEP_NS (8 * NS_PER_MS)

enum { LOSS = 1, STEPS_OF_READING = 2, STEPS_OF_TICK = 3, STEPS_OF_REPORT = 20 };

struct truth {
    struct stand stand;
    uint64_t step;
    int64_t draw_mw[STAND_HOSTS];
    uint32_t low_percent;       /* pulses: of draw_mw, in the low steps */
    uint32_t high_steps, steps; /* of a pulse: so many of so many are high; 0 = no pulses */
    /* hosts draw no more than their cap allows, and say that it holds them down */
    bool no_ticks;
    bool obeys;
    bool in_step;               /* every host reports when the pulse is low, and at the same time */
    int64_t other_mw[STAND_NODES];
    int64_t error_ppm[STAND_NODES];     /* of a meter: what it reads too much */
    int64_t flowed_mw[STAND_NODES];     /* since its newest reading, over steps */
    bool afar;                  /* the main is not above the branches */
    bool dual, lost;            /* BRANCH_A is dead, and nobody sees it */
    uint16_t psu_inputs[STAND_HOSTS];   /* told where flags say so */
    bool host_lost[STAND_HOSTS];        /* its cord on BRANCH_A alone is dark */
    int64_t told_percent;       /* of their draw, in reports */
    bool frozen[STAND_NODES], dead[STAND_NODES], mute[STAND_NODES];
    uint32_t unsure_every[STAND_NODES]; /* of so many readings one is unsure; 0 = none */
    int64_t last_mw[STAND_NODES];
};

/* The site alone: change it, then open it. 4 kW at each host. */
void lay_out(struct truth *truth);

/* As two feeds: what A loses B carries; that meter bears witness. 2 kW at each host. */
void lay_out_dual(struct truth *truth, uint32_t share_ppm, uint32_t witness);

/* A start; every host is heard. */
void open_truth(struct truth *truth);
void pass(struct truth *truth, int64_t ns);

/* Until something more is learnt at the node, by a slot that is a part of no arbitration: right behind it. */
void pass_until_learnt(struct truth *truth, uint32_t node);

/* On phase A. */
int64_t learnt(const struct truth *truth, uint32_t node);
const struct residual *residual(const struct truth *truth);

#endif
