/* SPDX-License-Identifier: Apache-2.0 */
/* From sums over whole cycles to the quantities of IEEE 1459; names of its clauses in the comments. */
#include "core/measure_inside.h"

#include <math.h>

#include "core/angle.h"

static double root(double square)
{
    return square > 0 ? sqrt(square) : 0;
}

static double share(double part, double of)
{
    return of > 0 ? part / of : 0;
}

struct phasor { double x, y; };

static struct phasor of_voltage(const struct measure_grid *grid)
{
    double over = sqrt(2) / grid->whole_samples;

    return (struct phasor){grid->whole[SUM_VC] * over, -grid->whole[SUM_VS] * over};
}

static struct phasor of_current(const struct measure_grid *grid)
{
    double over = sqrt(2) / grid->whole_samples;

    return (struct phasor){grid->whole[SUM_IC] * over, -grid->whole[SUM_IS] * over};
}

static void nonfundamental(struct measure_phase *phase)
{
    double v2 = phase->voltage_v * phase->voltage_v, i2 = phase->current_a * phase->current_a;
    double v1 = phase->fundamental_v * phase->fundamental_v, i1 = phase->fundamental_a * phase->fundamental_a;
    double s1 = phase->fundamental_va;

    phase->thd_v = root(share(v2 - v1, v1));
    phase->thd_a = root(share(i2 - i1, i1));
    phase->current_distortion_var = s1 * phase->thd_a;
    phase->voltage_distortion_var = s1 * phase->thd_v;
    phase->harmonic_va = s1 * phase->thd_v * phase->thd_a;
    phase->nonfundamental_va = root(phase->apparent_va * phase->apparent_va - s1 * s1);
    phase->harmonic_w = phase->active_w - phase->fundamental_w;
    phase->harmonic_distortion_var = root(phase->harmonic_va * phase->harmonic_va -
                                          phase->harmonic_w * phase->harmonic_w);
}

/* Load convention: active power is drawn, reactive power of an inductance is positive. */
void measure_power_phase(const struct measure_grid *grid, struct measure_phase *phase)
{
    double over = 1 / grid->whole_samples;
    struct phasor v = of_voltage(grid), i = of_current(grid);

    phase->voltage_v = sqrt(grid->whole[SUM_VV] * over);
    phase->current_a = sqrt(grid->whole[SUM_II] * over);
    phase->active_w = grid->whole[SUM_VI] * over;
    phase->apparent_va = phase->voltage_v * phase->current_a;
    phase->nonactive_var = root(phase->apparent_va * phase->apparent_va - phase->active_w * phase->active_w);
    phase->power_factor = share(phase->active_w, phase->apparent_va);
    phase->fundamental_v = sqrt(v.x * v.x + v.y * v.y);
    phase->fundamental_a = sqrt(i.x * i.x + i.y * i.y);
    phase->angle_v = angle_of(v.x, v.y);
    phase->angle_a = angle_of(i.x, i.y);
    phase->fundamental_w = v.x * i.x + v.y * i.y;
    phase->reactive_var = v.y * i.x - v.x * i.y;
    phase->fundamental_va = phase->fundamental_v * phase->fundamental_a;
    phase->displacement = share(phase->fundamental_w, phase->fundamental_va);
    nonfundamental(phase);
    phase->peak_a = grid->peak_a;
    phase->crest = share(grid->peak_a, phase->current_a);
}

/* Zero, positive, negative (Fortescue). */
static void sequences(const struct phasor p[MEASURE_PHASES], double magnitude[3])
{
    static const double way[3] = {0, 1, -1};

    for (uint32_t k = 0; k < 3; k++) {
        double c = k ? -0.5 : 1, s = way[k] * 0.86602540378443864676;
        double x = p[0].x + (c * p[1].x - s * p[1].y) + (c * p[2].x + s * p[2].y);
        double y = p[0].y + (c * p[1].y + s * p[1].x) + (c * p[2].y - s * p[2].x);

        magnitude[k] = sqrt(x * x + y * y) / 3;
    }
}

static void unbalance(const struct measure_meter *meter, struct measure_cycles *reading)
{
    struct phasor v[MEASURE_PHASES], i[MEASURE_PHASES];

    for (uint32_t p = 0; p < MEASURE_PHASES; p++) {
        v[p] = of_voltage(&meter->grid[p]);
        i[p] = of_current(&meter->grid[p]);
    }
    sequences(v, reading->sequence_v);
    sequences(i, reading->sequence_a);
    reading->unbalance_v = share(reading->sequence_v[2], reading->sequence_v[1]);
    reading->unbalance_zero_v = share(reading->sequence_v[0], reading->sequence_v[1]);
    reading->unbalance_a = share(reading->sequence_a[2], reading->sequence_a[1]);
}

/* Effective voltage and current of four wires, rho = 1. Vab^2 + Vbc^2 + Vca^2 is 3 (Va^2 + Vb^2 + Vc^2) less
 * (Va + Vb + Vc)^2, sample by sample. */
static void effective(const struct measure_meter *meter, struct measure_cycles *reading)
{
    double over = 1 / meter->shared_samples, volts2 = 0, amperes2 = meter->shared_whole[SHARED_N] * over;

    for (uint32_t p = 0; p < MEASURE_PHASES; p++) {
        volts2 += reading->phase[p].voltage_v * reading->phase[p].voltage_v;
        amperes2 += reading->phase[p].current_a * reading->phase[p].current_a;
    }
    double lines2 = 3 * volts2 - meter->shared_whole[SHARED_V0] * over;

    reading->effective_v = root((3 * volts2 + lines2) / 18);
    reading->effective_a = root(amperes2 / 3);
    reading->effective_va = 3 * reading->effective_v * reading->effective_a;
}

void measure_power_total(const struct measure_meter *meter, struct measure_cycles *reading)
{
    for (uint32_t p = 0; p < meter->config.phases; p++) {
        struct measure_phase *phase = &reading->phase[p];

        measure_power_phase(&meter->grid[p], phase);
        reading->active_w += phase->active_w;
        reading->reactive_var += phase->reactive_var;
        reading->apparent_va += phase->apparent_va;
    }
    double zero = reading->phase[0].angle_v;

    for (uint32_t p = 0; p < meter->config.phases; p++) {
        reading->phase[p].angle_v = angle_near(reading->phase[p].angle_v - zero);
        reading->phase[p].angle_a = angle_near(reading->phase[p].angle_a - zero);
    }
    reading->neutral_a = root(meter->shared_whole[SHARED_N] / meter->shared_samples);
    reading->neutral_v = root(meter->shared_whole[SHARED_VN] / meter->shared_samples);
    reading->effective_va = reading->apparent_va;
    if (meter->config.phases == MEASURE_PHASES) {
        unbalance(meter, reading);
        effective(meter, reading);
    }
    reading->power_factor = share(reading->active_w, reading->effective_va);
    if (meter->absent_whole >> SAMPLES_VN & 1)
        reading->neutral_v = 0;
    if (meter->absent_whole >> SAMPLES_IN & 1)
        reading->neutral_a = reading->effective_a = reading->effective_va = reading->power_factor = 0;
}
