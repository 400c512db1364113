/* SPDX-License-Identifier: Apache-2.0 */
/* Harmonics of current against the table of IEEE 519, where the site file says that a node is the point of
 * common coupling: of 3 s, which are 15 windows, as the root of their mean squares ("very short time"). */
#include <math.h>
#include <string.h>

#include "loop/spectra_inside.h"

enum { WINDOWS = 15 };

static double distortion_a(const struct measure_harmonics *h)
{
    return h->thd * h->harmonic[1];
}

static uint32_t share_ppm(double part, double of)
{
    double ppm = part / of * PPM;
    return ppm < UINT32_MAX ? (uint32_t)(ppm + 0.5) : UINT32_MAX;
}

/* The order that is nearest to its limit, or furthest beyond it. */
static void judge_orders(const struct spectra_demand *demand, double ratio, uint32_t phase, double *worst,
                         struct spectra_judged *judged)
{
    for (uint32_t h = 2; h <= HARMONICS_HIGHEST; h++) {
        double share = sqrt(demand->square[phase][h] / WINDOWS) / demand->current_a;
        double limit = measure_harmonics_limit(ratio, h);
        if (share <= *worst * limit)
            continue;
        *worst = share / limit;
        judged->order = (uint8_t)h;
        judged->order_phase = (uint8_t)phase;
        judged->order_ppm = share_ppm(share, 1);
        judged->order_limit_ppm = share_ppm(limit, 1);
    }
}

static void judge(struct spectra_demand *demand, uint32_t phases, int64_t now_ns)
{
    struct spectra_judged *judged = &demand->judged;
    double ratio = demand->fault_a / demand->current_a, worst = 0;
    *judged = (struct spectra_judged){.t_ns = now_ns, .known = demand->fault_a > 0};
    for (uint32_t p = 0; p < phases; p++) {
        /* order 0: of all of them together */
        uint32_t ppm = share_ppm(sqrt(demand->square[p][0] / WINDOWS), demand->current_a);
        judged->tdd_ppm = ppm > judged->tdd_ppm ? ppm : judged->tdd_ppm;
        if (judged->known)
            judge_orders(demand, ratio, p, &worst, judged);
    }
    if (!judged->known)
        return;
    judged->tdd_limit_ppm = share_ppm(measure_harmonics_limit(ratio, 0), 1);
    judged->beyond = worst > 1 || judged->tdd_ppm > judged->tdd_limit_ppm;
}

void spectra_limits_restart(struct spectra_demand *demand)
{
    demand->windows = 0;
    memset(demand->square, 0, sizeof demand->square);
}

bool spectra_limits_take(struct spectra_demand *demand, const struct spectra_window *window,
                         struct spectrum *told, int64_t now_ns)
{
    told->flags = (uint16_t)(told->flags & ~SPECTRUM_DEMAND);
    if (!(demand->current_a > 0) || !(told->flags & SPECTRUM_WINDOW)) {
        spectra_limits_restart(demand);
        return false;
    }
    told->flags |= SPECTRUM_DEMAND;
    for (uint32_t p = 0; p < told->phases; p++) {
        const struct measure_harmonics *h = &window->phase[p].a;
        told->tdd_ppm[p] = share_ppm(distortion_a(h), demand->current_a);
        demand->square[p][0] += distortion_a(h) * distortion_a(h);
        for (uint32_t k = 2; k <= h->orders; k++)
            demand->square[p][k] += h->harmonic[k] * h->harmonic[k];
    }
    if (++demand->windows < WINDOWS)
        return false;
    judge(demand, told->phases, now_ns);
    spectra_limits_restart(demand);
    return true;
}
