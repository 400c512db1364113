/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random protective devices in long double, written from the equations of domain.md 1.2 to 1.5 alone, and
 * what core/breaker is told of them: one set of settings stands for a whole band of tolerances, and every
 * device of the band has its own pickup, time constant, delay and reset. Amperes and seconds; heat and travel
 * are relative, 1 trips.
 */
#ifndef FLYBALL_TESTS_BREAKER_REFERENCE_H
#define FLYBALL_TESTS_BREAKER_REFERENCE_H

#include "breaker_stock.h"
#include "chance.h"

enum { BAND = 4, REFERENCE_CURVES = 48 };

/* One element of one device. */
struct real_element {
    enum breaker_law law;
    enum breaker_reset reset;
    bool residual;
    long double pickup_a, unit_a;       /* TRAVEL: runs from pickup_a on; M = I / unit_a */
    long double tau_s, fast_tau_s, fast_above_a;
    long double time_factor, reset_s;
    uint32_t curve;
    long double part[PHASES], below_s[PHASES];
};

struct real_device {
    struct real_element element[BREAKER_ELEMENTS_MAX];
    bool open;                          /* it has tripped */
};

/* The curves that devices draw from, each with its integer table. */
struct curve_stock {
    stock_time *time[REFERENCE_CURVES];
    union { struct stock_inverse inverse; struct stock_square square; long double delay_s; }
        what[REFERENCE_CURVES];
    struct breaker_curve table[REFERENCE_CURVES];
};

void reference_curves(struct curve_stock *stock);
/* Travel a second at M, and 0 below 1. */
long double reference_rate(const struct curve_stock *stock, uint32_t curve, long double multiple);

/* A random device: the settings as compiled, a rated current, and devices of its band. exact: no tolerances,
 * so that all of them are the same device. */
void reference_draw(struct chance *chance, bool exact, struct breaker *breaker, double *rated_a,
                    struct real_device band[BAND]);

/* Every image at `heat`, every travel at 0. */
void reference_rest(struct real_device *device, uint32_t count, long double heat);

/* `load` flows for dt_s; true where the device trips, which opens it. */
bool reference_step(struct real_device *device, uint32_t count, const struct curve_stock *stock,
                    const struct breaker_load *load, long double dt_s);

/* Seconds until it trips while `load` flows; INFINITY = never. */
long double reference_time(const struct real_device *device, uint32_t count, const struct curve_stock *stock,
                           const struct breaker_load *load);

#endif
