/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frequency by the slope of the phase of the positive sequence, from cycle to cycle, against an oscillator
 * that is tuned to it; of one phase alone by that phase (the image at twice the frequency is what the
 * oscillator is off by, so it vanishes as that does). The oscillator is turned slowly until the first phase's
 * voltage crosses zero where it does.
 */
#include "core/measure_inside.h"

#include <math.h>

#include "core/angle.h"

#define SLOWEST_HZ 38.0
#define FASTEST_HZ 72.0
#define FOUND 0.0005            /* two cycles agree within this: the frequency is found */
#define STRANGE 0.01            /* from one cycle to the next: a jump of phase, not of frequency */
#define SMOOTH 0.25
#define SMOOTH_YOUNG 0.5        /* in the first six cycles */
#define PULL 0.05               /* of the phase's error a cycle, and at most */
#define PULL_MAX 5e-4
#define PULL_SEEN 2e-4          /* windows are longer or shorter by that, their rms by half of it */
#define CLOSE 0.001             /* cycles: nothing to be turned */
#define ADRIFT (1.0 / 12)       /* so far off for 12 cycles: jump */
#define PRESENT 0.1             /* of the declared voltage, */
#define CLEAR 0.04              /* and of the mean square: below it is no mains, but noise or DC */
#define LOUD 1e30               /* squared: above it are no numbers to reckon with */
#define ROCOF_ABOVE 0.5
enum { STRANGE_MAX = 4, ADRIFT_MAX = 12, YOUNG = 6, AGE_MAX = 1000 };

void measure_track_start(struct measure_meter *meter)
{
    meter->track = (struct measure_track){.cycles = meter->config.nominal_hz / meter->rate_hz,
                                          .frequency = meter->config.nominal_hz / meter->rate_hz};
}

double measure_meter_frequency_hz(const struct measure_meter *meter)
{
    return meter->track.frequency * meter->rate_hz;
}

void measure_meter_turn(const struct measure_meter *meter, double *turn, double *cycles)
{
    const struct measure_track *track = &meter->track;

    *turn = track->found ? track->turn : 0;
    *cycles = track->found ? track->cycles : 0;
}

uint32_t measure_track_flags(const struct measure_meter *meter)
{
    const struct measure_track *track = &meter->track;
    uint32_t flags = !track->locked || fabs(track->pull) > PULL_SEEN ? MEASURE_SETTLING : 0;

    return flags | (track->absent ? MEASURE_FREE : 0);
}

/* (a + b turned by `way` thirds + c turned back) / 3: the way is 1 for the positive sequence. */
static void sequence(const struct measure_meter *meter, double way, double *x, double *y)
{
    const struct measure_grid *g = meter->grid;
    double c = -0.5, s = way * 0.86602540378443864676;

    *x = (g[0].cycle_x + (c * g[1].cycle_x - s * g[1].cycle_y) + (c * g[2].cycle_x + s * g[2].cycle_y)) / 3;
    *y = (g[0].cycle_y + (c * g[1].cycle_y + s * g[1].cycle_x) + (c * g[2].cycle_y - s * g[2].cycle_x)) / 3;
}

/* The sequence that is followed. Which one, is decided until it is found. */
static void followed(struct measure_meter *meter, double *x, double *y)
{
    double other_x, other_y;

    if (meter->config.phases < MEASURE_PHASES) {
        *x = meter->grid[0].cycle_x;
        *y = meter->grid[0].cycle_y;
        return;
    }
    sequence(meter, meter->track.backward ? -1 : 1, x, y);
    if (meter->track.locked)
        return;
    sequence(meter, meter->track.backward ? 1 : -1, &other_x, &other_y);
    if (other_x * other_x + other_y * other_y > *x * *x + *y * *y) {
        meter->track.backward = !meter->track.backward;
        *x = other_x;
        *y = other_y;
    }
}

static double phase_between(double x, double y, double before_x, double before_y)
{
    return angle_of(x * before_x + y * before_y, y * before_x - x * before_y);
}

/* How far the oscillator is behind: voltage as sine of its angle is what is wanted. */
static double phase_error(double x, double y)
{
    return angle_near(angle_of(x, y) + 0.25);
}

static void adjust_phase(struct measure_track *track, double behind)
{
    double pull = PULL * behind;

    track->adrift = fabs(behind) > ADRIFT ? track->adrift + 1 : 0;
    if (track->adrift >= ADRIFT_MAX) {
        track->jump = behind;
        track->adrift = 0;
    }
    track->pull = pull > PULL_MAX ? PULL_MAX : pull < -PULL_MAX ? -PULL_MAX : pull;
}

static void distrust(struct measure_track *track)
{
    if (++track->strange >= STRANGE_MAX)
        track->locked = track->strange = 0;
}

static void search(struct measure_track *track, double frequency, double behind)
{
    double error = frequency / track->frequency - 1;

    track->frequency = frequency;
    track->pull = 0;
    if (fabs(error) > FOUND)
        return;
    track->locked = track->found = 1;
    track->strange = track->adrift = track->age = 0;
    if (fabs(behind) > CLOSE)
        track->jump = behind;
}

static void follow(struct measure_track *track, double frequency, double behind)
{
    double error = frequency / track->frequency - 1;

    if (fabs(error) > STRANGE) {
        distrust(track);
        return;
    }
    track->strange = 0;
    track->frequency += (track->age < YOUNG ? SMOOTH_YOUNG : SMOOTH) * (frequency - track->frequency);
    track->age += track->age < AGE_MAX;
    if (track->age == YOUNG && fabs(behind) > CLOSE)
        track->jump = behind;           /* what was off while the frequency came to rest */
    adjust_phase(track, behind);
}

void measure_track_lost(struct measure_meter *meter)
{
    meter->track.known = meter->track.window_known = meter->track.middle_known = 0;
}

void measure_track_cycle(struct measure_meter *meter, double samples)
{
    struct measure_track *track = &meter->track;
    double x, y, all = 0, present = PRESENT * meter->config.voltage_v;

    followed(meter, &x, &y);
    for (uint32_t p = 0; p < meter->config.phases; p++)
        all += meter->grid[p].cycle_vv / meter->config.phases;
    double here = x * x + y * y;
    track->absent = !(here > present * present && here >= CLEAR * all && here <= LOUD);
    if (track->absent) {
        measure_track_lost(meter);
        return;
    }
    if (track->known) {
        double turned = 1 + phase_between(x, y, track->x, track->y);
        double frequency = turned / (0.5 * (samples + track->samples));
        double behind = phase_error(x, y);

        if (!(frequency * meter->rate_hz >= SLOWEST_HZ && frequency * meter->rate_hz <= FASTEST_HZ))
            distrust(track);
        else if (track->locked)
            follow(track, frequency, behind);
        else
            search(track, frequency, behind);
    }
    track->known = 1;
    track->x = x;
    track->y = y;
    track->samples = samples;
}

void measure_track_middle(struct measure_meter *meter, double samples)
{
    struct measure_track *track = &meter->track;

    track->middle_known = track->known && track->window_known;
    track->middle_x = track->x;
    track->middle_y = track->y;
    track->middle_samples = samples;
}

/* From the phase a window ago to now, and of either half of it. */
void measure_track_window(struct measure_meter *meter, uint32_t cycles, double samples,
                          struct measure_cycles *reading)
{
    struct measure_track *track = &meter->track;
    double half = cycles / 2, after = samples - track->middle_samples;
    double enough = ROCOF_ABOVE * meter->config.voltage_v;

    reading->frequency_hz = measure_meter_frequency_hz(meter);
    if (track->middle_known && track->known) {
        double first = phase_between(track->middle_x, track->middle_y, track->window_x, track->window_y);
        double second = phase_between(track->x, track->y, track->middle_x, track->middle_y);
        double frequency_first = (half + first) / track->middle_samples;
        double frequency_second = (half + second) / after;

        reading->frequency_hz = (cycles + first + second) / samples * meter->rate_hz;
        if (track->x * track->x + track->y * track->y > enough * enough)
            reading->rocof_hz_per_s = (frequency_second - frequency_first) * meter->rate_hz *
                                      meter->rate_hz / (0.5 * samples);
    }
    track->window_known = track->known;
    track->window_x = track->x;
    track->window_y = track->y;
}
