/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/heat/tally.h"

#include <math.h>

void spread_add(struct spread *spread, double value, uint32_t per_unit)
{
    double bin = fmin(fmax(value, 0) * per_unit, SPREAD_BINS - 1);
    spread->bin[(uint32_t)bin]++;
    spread->count++;
    spread->most = fmax(spread->most, value);
}

void spread_merge(struct spread *into, const struct spread *from)
{
    for (uint32_t i = 0; i < SPREAD_BINS; i++)
        into->bin[i] += from->bin[i];
    into->count += from->count;
    into->most = fmax(into->most, from->most);
}

double spread_quantile(const struct spread *spread, double q, uint32_t per_unit)
{
    uint64_t rank = (uint64_t)ceil(q * (double)spread->count), seen = 0;
    if (!spread->count)
        return 0;
    for (uint32_t i = 0; i < SPREAD_BINS - 1; i++) {
        seen += spread->bin[i];
        if (seen >= rank)
            return fmin((double)(i + 1) / per_unit, spread->most);
    }
    return spread->most;
}

static bool earlier(const struct trip_note *a, const struct trip_note *b)
{
    return a->device != b->device ? a->device < b->device
           : a->hour != b->hour   ? a->hour < b->hour
                                  : a->at_s < b->at_s;
}

static void keep(struct tally *tally, const struct trip_note *note)
{
    uint32_t place = tally->kept < TRIPS_KEPT ? tally->kept++ : TRIPS_KEPT;
    if (place == TRIPS_KEPT) {
        if (!earlier(note, &tally->note[TRIPS_KEPT - 1]))
            return;
        place--;
    }
    for (; place && earlier(note, &tally->note[place - 1]); place--)
        tally->note[place] = tally->note[place - 1];
    tally->note[place] = *note;
}

void tally_trip(struct tally *tally, const struct trip_note *note)
{
    tally->trips++;
    tally->trips_of[note->adversary]++;
    tally->trips_kind[note->kind]++;
    tally->trips_element[note->element]++;
    keep(tally, note);
}

static void add_counts(uint64_t *into, const uint64_t *from, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        into[i] += from[i];
}

void tally_merge(struct tally *into, const struct tally *from)
{
    into->hours += from->hours;
    into->devices += from->devices;
    into->steps += from->steps;
    into->plant_steps += from->plant_steps;
    into->decisions += from->decisions;
    into->trips += from->trips;
    into->refused += from->refused;
    into->excursion_steps += from->excursion_steps;
    into->emergencies += from->emergencies;
    add_counts(into->hours_of, from->hours_of, HEAT_ADVERSARY_COUNT);
    add_counts(into->trips_of, from->trips_of, HEAT_ADVERSARY_COUNT);
    add_counts(into->hours_kind, from->hours_kind, HEAT_KIND_COUNT);
    add_counts(into->trips_kind, from->trips_kind, HEAT_KIND_COUNT);
    add_counts(into->trips_element, from->trips_element, TRIP_ELEMENT_COUNT);
    for (uint32_t i = 0; i < HEAT_ADVERSARY_COUNT; i++)
        spread_merge(&into->heat_of[i], &from->heat_of[i]);
    spread_merge(&into->grant, &from->grant);
    for (uint32_t i = 0; i < from->kept; i++)
        keep(into, &from->note[i]);
}
