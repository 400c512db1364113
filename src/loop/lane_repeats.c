/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "loop/lane_road.h"

enum { READINGS_DOUBTED = 3 };      /* whose cycles have samples of a stretch in them */

static void print_sample(struct lane_repeats *repeats, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    repeats->print = (repeats->print ^ bits) * UINT64_C(1099511628211);
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
    for (uint32_t c = 0; c < samples->channels; c++)
        for (uint32_t i = 0; i < samples->count; i++) {
            print_sample(repeats, samples->value[c][i]);
            repeats->flows |= c >= SAMPLES_IA && c <= SAMPLES_IC && samples->value[c][i] != 0;
        }
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
