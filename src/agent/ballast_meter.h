/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the filler really draws: a thread reads, twice a second, the energy that the processor's packages
 * count (act's powercap driver, read only) and the processor time that the filler has burnt. From one look to
 * the next the draw changes by so much for each part of full turn that it turns more or less: the slope over
 * many such changes is what full turn adds, whatever else the packages draw meanwhile. Work that comes and
 * goes just when the filler does is taken for the filler's.
 */
#ifndef FLYBALL_AGENT_BALLAST_METER_H
#define FLYBALL_AGENT_BALLAST_METER_H

#include "act/act.h"
#include "agent/ballast.h"

#define BALLAST_METER_EVERY_NS (500 * NS_PER_MS)

/* Sums over changes; older ones fade. All 0 at first. */
struct ballast_fit {
    bool begun;
    double part, draw_mw;           /* of the newest look */
    double square, product;
    uint32_t steps;                 /* changes by more than a tenth of full turn */
};

/* any: one look: the part of full turn (0 to 1) and the draw since the look before. */
void ballast_fit_add(struct ballast_fit *fit, double part, double draw_mw);

/* any: what full turn adds; 0: not known yet. */
int64_t ballast_fit_full_mw(const struct ballast_fit *fit);

struct ballast_meter {
    struct ballast *ballast;
    struct act_place place;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool running, stop;
    _Atomic int error;              /* why it does not measure; 0 = it does */
};

/* setup, after ballast_start: measures what `ballast` draws, into its full_mw; no filler, no thread. 0 or
 * -errno of the thread. stop: before ballast_stop; also of one that never started; false where it hangs in
 * a file. */
int ballast_meter_start(struct ballast_meter *meter, struct ballast *ballast, const struct act_place *place);
bool ballast_meter_stop(struct ballast_meter *meter);

#endif
