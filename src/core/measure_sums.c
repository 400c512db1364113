/* SPDX-License-Identifier: Apache-2.0 */
/* Loops over samples; the shape of every sum is that of lanes.h. */
#include "core/measure_inside.h"

#include <math.h>
#include <stddef.h>

#include "core/angle.h"
#include "core/lanes.h"

struct three { struct lanes aa, ab, bb; };

static inline struct three more(struct three sum, struct lanes a, struct lanes b)
{
    return (struct three){lanes_plus(sum.aa, lanes_times(a, a)), lanes_plus(sum.ab, lanes_times(a, b)),
                          lanes_plus(sum.bb, lanes_times(b, b))};
}

/* of a * a, a * b, b * b */
static void squares(const double *a, const double *b, size_t n, double *aa, double *ab, double *bb)
{
    struct three sum = {0};
    size_t k = 0;

    for (; k + LANES <= n; k += LANES)
        sum = more(sum, lanes_at(&a[k]), lanes_at(&b[k]));
    if (k < n)
        sum = more(sum, lanes_first(lanes_at(&a[k]), (uint32_t)(n - k)),
                   lanes_first(lanes_at(&b[k]), (uint32_t)(n - k)));
    *aa += lanes_fold(sum.aa);
    *ab += lanes_fold(sum.ab);
    *bb += lanes_fold(sum.bb);
}

/* of a * b, a * c */
static void products(const double *a, const double *b, const double *c, size_t n, double *ab, double *ac)
{
    struct lanes sum_b = {0}, sum_c = {0};
    size_t k = 0;

    for (; k + LANES <= n; k += LANES) {
        sum_b = lanes_plus(sum_b, lanes_times(lanes_at(&a[k]), lanes_at(&b[k])));
        sum_c = lanes_plus(sum_c, lanes_times(lanes_at(&a[k]), lanes_at(&c[k])));
    }
    if (k < n) {
        struct lanes rest = lanes_first(lanes_at(&a[k]), (uint32_t)(n - k));

        sum_b = lanes_plus(sum_b, lanes_times(rest, lanes_at(&b[k])));
        sum_c = lanes_plus(sum_c, lanes_times(rest, lanes_at(&c[k])));
    }
    *ab += lanes_fold(sum_b);
    *ac += lanes_fold(sum_c);
}

void measure_sums_phase(const struct measure_work *work, uint32_t phase, uint32_t after, uint32_t to,
                        double sum[MEASURE_SUMS])
{
    const double *v = &work->x[SAMPLES_VA + phase][after + 1], *i = &work->x[SAMPLES_IA + phase][after + 1];
    const double *cosine = &work->cosine[after + 1], *sine = &work->sine[after + 1];

    if (to == after)
        return;
    squares(v, i, to - after, &sum[SUM_VV], &sum[SUM_VI], &sum[SUM_II]);
    products(v, cosine, sine, to - after, &sum[SUM_VC], &sum[SUM_VS]);
    products(i, cosine, sine, to - after, &sum[SUM_IC], &sum[SUM_IS]);
}

void measure_sums_shared(const struct measure_work *work, uint32_t after, uint32_t to,
                         double sum[MEASURE_SHARED])
{
    if (to == after)
        return;
    sum[SHARED_V0] += measure_sums_square(&work->zero_v[after + 1], to - after);
    sum[SHARED_N] += measure_sums_square(&work->x[SAMPLES_IN][after + 1], to - after);
    if (work->channels > SAMPLES_VN)
        sum[SHARED_VN] += measure_sums_square(&work->x[SAMPLES_VN][after + 1], to - after);
}

double measure_sums_square(const double *x, uint32_t n)
{
    struct lanes sum = {0};
    size_t k = 0;

    for (; k + LANES <= n; k += LANES)
        sum = lanes_plus(sum, lanes_times(lanes_at(&x[k]), lanes_at(&x[k])));
    if (k < n) {
        struct lanes rest = lanes_first(lanes_at(&x[k]), (uint32_t)(n - k));

        sum = lanes_plus(sum, lanes_times(rest, rest));
    }
    return lanes_fold(sum);
}

double measure_sums_plain(const double *x, uint32_t n)
{
    struct lanes sum = {0};
    size_t k = 0;

    for (; k + LANES <= n; k += LANES)
        sum = lanes_plus(sum, lanes_at(&x[k]));
    if (k < n)
        sum = lanes_plus(sum, lanes_first(lanes_at(&x[k]), (uint32_t)(n - k)));
    return lanes_fold(sum);
}

/* The highest magnitude: no order changes it. */
double measure_sums_peak(const double *x, uint32_t n)
{
    double high[4] = {0, 0, 0, 0};
    uint32_t k = 0;

    for (; k + 4 <= n; k += 4)
        for (uint32_t l = 0; l < 4; l++)
            high[l] = measure_larger(fabs(x[k + l]), high[l]);
    for (; k < n; k++)
        high[0] = measure_larger(fabs(x[k]), high[0]);
    return measure_larger(measure_larger(high[0], high[1]), measure_larger(high[2], high[3]));
}

void measure_sums_power(struct measure_work *work)
{
    const double *va = work->x[SAMPLES_VA], *vb = work->x[SAMPLES_VB], *vc = work->x[SAMPLES_VC];
    const double *ia = work->x[SAMPLES_IA], *ib = work->x[SAMPLES_IB], *ic = work->x[SAMPLES_IC];
    double *neutral = work->x[SAMPLES_IN];

    for (uint32_t c = 0; c < MEASURE_CHANNELS; c++)
        memset(&work->x[c][work->n + 1], 0, (LANES - 1) * sizeof(double));
    memset(&work->zero_v[work->n + 1], 0, (LANES - 1) * sizeof(double));
    for (uint32_t k = 0; k <= work->n; k++) {
        work->power_w[k] = (va[k] * ia[k] + vb[k] * ib[k]) + vc[k] * ic[k];
        work->zero_v[k] = (va[k] + vb[k]) + vc[k];
    }
    for (uint32_t k = 0; work->channels <= SAMPLES_IN && k <= work->n; k++)
        neutral[k] = (ia[k] + ib[k]) + ic[k];
}

/* Cosine and sine of the oscillator at every sample: one angle worked out, seven turned on from it by a step
 * each, then eight at once by eight steps. A rounding is 1e-16, and a value has gone through 25 at most. */
void measure_sums_turn(struct measure_work *work, double turn, double cycles)
{
    double *cosine = work->cosine, *sine = work->sine, c, s;

    angle_turn(turn, &cosine[0], &sine[0]);
    angle_turn(cycles, &c, &s);
    for (uint32_t k = 1; k < LANES; k++) {
        cosine[k] = cosine[k - 1] * c - sine[k - 1] * s;
        sine[k] = sine[k - 1] * c + cosine[k - 1] * s;
    }
    for (uint32_t doubled = 1; doubled < LANES; doubled *= 2) {
        double both = c * s;

        c = c * c - s * s;
        s = both + both;
    }
    struct lanes steps_c = lanes_all(c), steps_s = lanes_all(s);

    for (uint32_t k = LANES; k < work->n + LANES; k += LANES) {
        struct lanes x = lanes_at(&cosine[k - LANES]), y = lanes_at(&sine[k - LANES]);

        lanes_put(lanes_less(lanes_times(x, steps_c), lanes_times(y, steps_s)), &cosine[k]);
        lanes_put(lanes_plus(lanes_times(y, steps_c), lanes_times(x, steps_s)), &sine[k]);
    }
}
