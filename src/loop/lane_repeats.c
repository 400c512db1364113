/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "loop/lane_road.h"

/* readings: whose cycles have samples of a stretch in them; prints that do not wait for each other */
enum { READINGS_DOUBTED = 3, PRINTS = 4 };
#define PRIME UINT64_C(1099511628211)

/* FNV-1a of every fourth sample, of a channel after the other, and of those four. */
static uint64_t print_of(uint64_t print, const struct samples *samples)
{
    uint64_t part[PRINTS] = {print, ~print, print + 1, print - 1};
    for (uint32_t c = 0; c < samples->channels; c++)
        for (uint32_t i = 0; i < samples->count; i++) {
            uint32_t bits;
            memcpy(&bits, &samples->value[c][i], sizeof bits);
            part[i % PRINTS] = (part[i % PRINTS] ^ bits) * PRIME;
        }
    for (uint32_t k = 0; k < PRINTS; k++)
        print = (print ^ part[k] ^ part[k] >> 32) * PRIME;
    return print;
}

static bool flows(const struct samples *samples)
{
    for (uint32_t c = SAMPLES_IA; c <= SAMPLES_IC && c < samples->channels; c++)
        for (uint32_t i = 0; i < samples->count; i++)
            if (samples->value[c][i] != 0)
                return true;
    return false;
}

static bool was_there(const struct lane_repeats *repeats)
{
    for (uint32_t i = 0; i < LANE_PRINTS && i < repeats->count; i++)
        if (repeats->before[i] == repeats->print)
            return true;
    return false;
}

bool lane_repeats_take(struct lane_repeats *repeats, const struct samples *samples)
{
    repeats->print = print_of(repeats->print, samples);
    repeats->flows = repeats->flows || flows(samples);
    repeats->samples += samples->count;
    if (repeats->samples < LANE_STRETCH_SAMPLES)
        return false;
    bool again = repeats->flows && was_there(repeats);
    if (again)
        repeats->doubted = READINGS_DOUBTED;
    repeats->before[repeats->count++ % LANE_PRINTS] = repeats->print;
    repeats->print = repeats->samples = 0;
    repeats->flows = false;
    return again;
}
