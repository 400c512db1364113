/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hall with two feeds: 10,000 hosts, each with a cord on either, and on each feed a main, 25 distributions,
 * 625 branches of 16 hosts and 1,250 power strips of 8. Contingencies: none, the loss of either feed, a sag.
 * Everything above the strips is metered, has a curve, may be oversubscribed and lends its reserve.
 */
#ifndef FLYBALL_BENCH_ESTATE_H
#define FLYBALL_BENCH_ESTATE_H

#include "bench/hall.h"

enum {
    ESTATE_FEEDS = 2,
    ESTATE_DISTRIBUTIONS = 25,          /* of one feed, as all below */
    ESTATE_BRANCHES = 625,
    ESTATE_STRIPS = 1250,
    ESTATE_CONTINGENCIES = 4,
    ESTATE_FIRST_DISTRIBUTION = ESTATE_FEEDS,
    ESTATE_FIRST_BRANCH = ESTATE_FIRST_DISTRIBUTION + ESTATE_FEEDS * ESTATE_DISTRIBUTIONS,
    ESTATE_FIRST_STRIP = ESTATE_FIRST_BRANCH + ESTATE_FEEDS * ESTATE_BRANCHES,
    ESTATE_NODES = ESTATE_FIRST_STRIP + ESTATE_FEEDS * ESTATE_STRIPS,
    ESTATE_METERS = ESTATE_FIRST_STRIP,
};

/* setup: the model and a core on it. */
void estate_open(struct hall *hall);

/* Amperes of every metered node on each phase, from what the hosts last reported. */
void estate_amperes(const struct hall *hall, double amperes[ESTATE_METERS]);

#endif
