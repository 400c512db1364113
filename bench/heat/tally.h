/* SPDX-License-Identifier: Apache-2.0 */
/* What hours amount to. Plain data, so that a process can hand it to its parent as it is. */
#ifndef FLYBALL_BENCH_HEAT_TALLY_H
#define FLYBALL_BENCH_HEAT_TALLY_H

#include <stdbool.h>

#include "bench/heat/device.h"
#include "bench/heat/load.h"
#include "sim/tripunit.h"

enum {
    SPREAD_BINS = 4096,
    TRIPS_KEPT = 16,            /* the first by device, told one by one */
};

/* Values from 0 in steps of 1 / `per_unit`; the last bin takes what is above. */
struct spread {
    uint64_t count, bin[SPREAD_BINS];
    double most;
};

enum { HEAT_PER_UNIT = 2000, GRANT_PER_UNIT = 100 };

struct trip_note {
    uint32_t device, hour;
    enum heat_kind kind;
    enum heat_adversary adversary;
    enum trip_element element;
    double at_s, load_a, steady_a, respond_s, meter_low, heat, travel, heat_hat, travel_hat;
};

struct tally {
    uint64_t hours, devices, steps, plant_steps, decisions, trips, refused;
    uint64_t excursion_steps;                   /* readings with a load above the steady limit */
    uint64_t emergencies;
    uint64_t hours_of[HEAT_ADVERSARY_COUNT], trips_of[HEAT_ADVERSARY_COUNT];
    uint64_t hours_kind[HEAT_KIND_COUNT], trips_kind[HEAT_KIND_COUNT];
    uint64_t trips_element[TRIP_ELEMENT_COUNT];
    struct spread heat_of[HEAT_ADVERSARY_COUNT];    /* of every hour the nearest to a trip; 1 = trips */
    struct spread grant;                        /* of every grant: over the steady limit */
    uint32_t kept;
    struct trip_note note[TRIPS_KEPT];
};

/* any */
void spread_add(struct spread *spread, double value, uint32_t per_unit);
void spread_merge(struct spread *into, const struct spread *from);
/* any: upper edge of the bin that holds quantile q; never above the greatest value; 0 when empty. */
double spread_quantile(const struct spread *spread, double q, uint32_t per_unit);

void tally_trip(struct tally *tally, const struct trip_note *note);
void tally_merge(struct tally *into, const struct tally *from);

#endif
