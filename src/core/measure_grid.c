/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Half cycles. What is integrated is the straight line between samples (domain: cumulative trapezoid, with
 * C(i + f) = C[i] + f y[i] + f^2 (y[i+1] - y[i]) / 2), so a boundary may lie anywhere between two of them.
 * The sum of a half cycle is that of the samples inside, and at either end what `edge` says.
 */
#include "core/measure_inside.h"

#include <math.h>
#include <string.h>

#include "core/angle.h"

enum { CALM_CYCLES = 6 };       /* after the frequency was found, before a reading begins */
#define CHANGE 0.1              /* of a mean square from one cycle to the next */
#define FLOOR 1e-4              /* 1 % of nominal, squared */
/* what is said of a cycle anew each half cycle, not of single samples */
#define STATE (uint32_t)(MEASURE_SETTLING | MEASURE_FREE | MEASURE_DURING | MEASURE_CHANGING)
#define DIPS (1u << MEASURE_SAG | 1u << MEASURE_SWELL | 1u << MEASURE_INTERRUPTION)

/* What lies between sample i and a boundary behind it, less half of the sample, which counts whole in
 * sums. */
static double edge(double here, double next, double part)
{
    return part * here + 0.5 * part * part * (next - here) - 0.5 * here;
}

static void edges_of_phase(const struct measure_work *work, uint32_t phase, uint32_t i, double part,
                           double at[MEASURE_SUMS])
{
    const double *v = &work->x[SAMPLES_VA + phase][i], *a = &work->x[SAMPLES_IA + phase][i];
    const double *c = &work->cosine[i], *s = &work->sine[i];
    uint32_t next = part > 0;           /* at a sample itself there need not be a next one */

    at[SUM_VV] = edge(v[0] * v[0], v[next] * v[next], part);
    at[SUM_II] = edge(a[0] * a[0], a[next] * a[next], part);
    at[SUM_VI] = edge(v[0] * a[0], v[next] * a[next], part);
    at[SUM_VC] = edge(v[0] * c[0], v[next] * c[next], part);
    at[SUM_VS] = edge(v[0] * s[0], v[next] * s[next], part);
    at[SUM_IC] = edge(a[0] * c[0], a[next] * c[next], part);
    at[SUM_IS] = edge(a[0] * s[0], a[next] * s[next], part);
}

static void edges_shared(const struct measure_work *work, uint32_t i, double part, double at[MEASURE_SHARED])
{
    const double *zero = &work->zero_v[i], *n = &work->x[SAMPLES_IN][i], *vn = &work->x[SAMPLES_VN][i];
    uint32_t next = part > 0;

    at[SHARED_V0] = edge(zero[0] * zero[0], zero[next] * zero[next], part);
    at[SHARED_N] = edge(n[0] * n[0], n[next] * n[next], part);
    at[SHARED_VN] = work->channels > SAMPLES_VN ? edge(vn[0] * vn[0], vn[next] * vn[next], part) : 0;
}

/* Where a phase's half cycles begin: the second phase is a third of a cycle later, or earlier where the
 * phases go the other way round. */
static double offset_of(const struct measure_meter *meter, uint32_t phase)
{
    double third = phase == 1 ? 1.0 / 3 : phase == 2 ? -1.0 / 3 : 0;

    return meter->track.backward ? -third : third;
}

static void align(struct measure_meter *meter)
{
    for (uint32_t p = 0; p < meter->config.phases; p++) {
        double ahead = offset_of(meter, p) - meter->track.turn;

        ahead -= 0.5 * (double)(int64_t)(ahead * 2);
        meter->grid[p].ahead = ahead > 0 ? ahead : ahead + 0.5;
    }
}

/* The first sample counts half, as at any boundary; the first phase begins with a boundary there. */
void measure_grid_start(struct measure_meter *meter, const struct measure_work *work)
{
    double at[MEASURE_SUMS], at_shared[MEASURE_SHARED];

    align(meter);
    for (uint32_t p = 0; p < meter->config.phases; p++) {
        struct measure_grid *grid = &meter->grid[p];

        edges_of_phase(work, p, 0, 0, at);
        for (uint32_t s = 0; s < MEASURE_SUMS; s++)
            grid->open[s] = -at[s];
        grid->earlier_vv = grid->earlier_ii = -1;
        grid->broken = p > 0;
    }
    edges_shared(work, 0, 0, at_shared);
    for (uint32_t s = 0; s < MEASURE_SHARED; s++)
        meter->shared[s] = -at_shared[s];
    meter->whole_from_ns = work->t_ns;
}

static void void_whole(struct measure_meter *meter)
{
    for (uint32_t p = 0; p < meter->config.phases; p++) {
        struct measure_grid *grid = &meter->grid[p];

        memset(grid->whole, 0, sizeof grid->whole);
        grid->whole_samples = grid->peak_a = 0;
        grid->whole_flags = 0;
    }
    memset(meter->shared_whole, 0, sizeof meter->shared_whole);
    meter->absent_whole = meter->absent;
    meter->shared_samples = 0;
    meter->halves = 0;
}

static void void_open(struct measure_meter *meter)
{
    for (uint32_t p = 0; p < meter->config.phases; p++) {
        struct measure_grid *grid = &meter->grid[p];

        memset(grid->open, 0, sizeof grid->open);
        grid->open_flags = 0;
        grid->last_samples = grid->since = 0;
        grid->earlier_vv = grid->earlier_ii = -1;
        grid->broken = 1;
    }
    memset(meter->shared, 0, sizeof meter->shared);
    void_whole(meter);
}

void measure_grid_jump(struct measure_meter *meter)
{
    align(meter);
    void_open(meter);
}

void measure_grid_gap(struct measure_meter *meter, double cycles, int64_t t_ns, struct measure_out *out)
{
    meter->track.turn += cycles;
    meter->track.turn -= (double)(int64_t)meter->track.turn;
    if (out->cycles_count < MEASURE_CYCLES_MAX)
        out->cycles[out->cycles_count++] =
            (struct measure_cycles){.from_ns = meter->whole_from_ns, .t_ns = t_ns, .flags = MEASURE_GAP};
    meter->whole_from_ns = t_ns;
    align(meter);
    void_open(meter);
}

/* Against the same half of the cycle before: even harmonics make the two halves of a cycle differ for
 * good. */
static bool changed(double now, double before, double nominal)
{
    double high = measure_larger(now, before);

    return before >= 0 && high > FLOOR * nominal * nominal && fabs(now - before) > CHANGE * high;
}

/* `part` samples behind index i, whose half cycle took `samples`: the mean over the cycle that ends here. */
static void close_cycle(struct measure_meter *meter, uint32_t p, double samples, int64_t t_ns,
                        struct measure_out *out)
{
    struct measure_grid *grid = &meter->grid[p];
    const struct measure_config *config = &meter->config;
    const double *now = grid->open, *before = grid->last;
    double over = 1 / (samples + grid->last_samples);
    struct measure_half half = {.t_ns = t_ns, .phase = p, .flags = grid->open_flags | grid->last_flags};

    half.voltage_v = sqrt((now[SUM_VV] + before[SUM_VV]) * over);
    half.current_a = sqrt((now[SUM_II] + before[SUM_II]) * over);
    half.active_w = (now[SUM_VI] + before[SUM_VI]) * over;
    half.flags |= measure_track_flags(meter);
    grid->cycle_x = (now[SUM_VC] + before[SUM_VC]) * over * sqrt(2);
    grid->cycle_y = -(now[SUM_VS] + before[SUM_VS]) * over * sqrt(2);
    grid->cycle_vv = half.voltage_v * half.voltage_v;
    grid->cycle_a = half.current_a;
    if (changed(now[SUM_VV] / samples, grid->earlier_vv, config->voltage_v) ||
        changed(now[SUM_II] / samples, grid->earlier_ii, config->current_a))
        half.flags |= MEASURE_CHANGING;
    measure_event_half(meter, &half, out);
    if (meter->watch.on & DIPS)
        half.flags |= MEASURE_DURING;
    grid->open_flags |= half.flags & STATE;
    if (out->halves < MEASURE_HALVES_MAX)
        out->half[out->halves++] = half;
    else
        out->lost++;
}

static void make_reading(struct measure_meter *meter, int64_t t_ns, struct measure_out *out)
{
    struct measure_cycles *reading = &out->cycles[out->cycles_count];

    if (out->cycles_count == MEASURE_CYCLES_MAX) {
        out->lost++;
        return;
    }
    out->cycles_count++;
    memset(reading, 0, sizeof *reading);
    reading->from_ns = meter->whole_from_ns;
    reading->t_ns = t_ns;
    reading->cycles = meter->halves / 2;
    measure_track_window(meter, reading->cycles, meter->grid[0].whole_samples, reading);
    for (uint32_t p = 0; p < meter->config.phases; p++)
        reading->flags |= meter->grid[p].whole_flags;
    reading->flags |= measure_track_flags(meter);
    if (meter->track.age < reading->cycles + CALM_CYCLES)
        reading->flags |= MEASURE_SETTLING;
    if (meter->absent_whole)
        reading->flags |= MEASURE_NEUTRAL;
    measure_power_total(meter, reading);
}

/* A boundary of the first phase: the window of 10 or 12 cycles is counted by it. */
static void count(struct measure_meter *meter, double samples, int64_t t_ns, struct measure_out *out)
{
    uint32_t wanted = meter->config.nominal_hz > 55 ? 12 : 10;
    const struct measure_grid *grid = &meter->grid[0];

    meter->halves++;
    if (meter->halves % 2 == 0)
        measure_track_cycle(meter, samples + grid->last_samples);
    if (meter->halves == wanted)
        measure_track_middle(meter, grid->whole_samples);
    if (meter->halves < 2 * wanted)
        return;
    make_reading(meter, t_ns, out);
    void_whole(meter);
    meter->whole_from_ns = t_ns;
}

static void add_whole(struct measure_meter *meter, uint32_t p, double samples)
{
    struct measure_grid *grid = &meter->grid[p];

    for (uint32_t s = 0; s < MEASURE_SUMS; s++)
        grid->whole[s] += grid->open[s];
    grid->whole_samples += samples;
    grid->whole_flags |= grid->open_flags;
    if (p)
        return;
    for (uint32_t s = 0; s < MEASURE_SHARED; s++)
        meter->shared_whole[s] += meter->shared[s];
    meter->shared_samples += samples;
}

/* Samples behind `after` up to `to` belong to the half cycle that runs. */
static void take(struct measure_meter *meter, const struct measure_work *work, uint32_t p, uint32_t after,
                 uint32_t to)
{
    struct measure_grid *grid = &meter->grid[p];

    measure_sums_phase(work, p, after, to, grid->open);
    if (!p)
        measure_sums_shared(work, after, to, meter->shared);
    if (work->peak_a[p] > grid->peak_a)         /* else it is no higher in any part of the block */
        grid->peak_a = measure_larger(measure_sums_peak(&work->x[SAMPLES_IA + p][after + 1], to - after),
                                      grid->peak_a);
    grid->open_flags |= measure_work_flags(work, after, to);
}

static void open_next(struct measure_meter *meter, const struct measure_work *work, uint32_t p, double t,
                      const double at[MEASURE_SUMS], const double at_shared[MEASURE_SHARED])
{
    struct measure_grid *grid = &meter->grid[p];
    uint32_t i = (uint32_t)t;

    for (uint32_t s = 0; s < MEASURE_SUMS; s++)
        grid->open[s] = -at[s];
    for (uint32_t s = 0; !p && s < MEASURE_SHARED; s++)
        meter->shared[s] = -at_shared[s];
    grid->since = -t;
    grid->ahead += 0.5;
    grid->broken = 0;
    /* the line to the next sample reaches over the boundary */
    grid->open_flags = measure_work_flags(work, i, i + 1);
}

/* The boundary of a phase at `t` samples behind index 0. */
static void close_half(struct measure_meter *meter, const struct measure_work *work, uint32_t p, double t,
                       struct measure_out *out)
{
    struct measure_grid *grid = &meter->grid[p];
    double samples = grid->since + t, at[MEASURE_SUMS], at_shared[MEASURE_SHARED];
    int64_t t_ns = measure_work_time_ns(work, t);

    edges_of_phase(work, p, (uint32_t)t, t - (uint32_t)t, at);
    edges_shared(work, (uint32_t)t, t - (uint32_t)t, at_shared);
    if (grid->broken) {
        if (!p) {
            void_whole(meter);
            meter->whole_from_ns = t_ns;
        }
        open_next(meter, work, p, t, at, at_shared);
        return;
    }
    for (uint32_t s = 0; s < MEASURE_SUMS; s++)
        grid->open[s] += at[s];
    for (uint32_t s = 0; !p && s < MEASURE_SHARED; s++)
        meter->shared[s] += at_shared[s];
    grid->open_flags |= measure_work_flags(work, (uint32_t)t, (uint32_t)t + 1);
    if (grid->last_samples > 0)
        close_cycle(meter, p, samples, t_ns, out);
    add_whole(meter, p, samples);
    if (!p)
        count(meter, samples, t_ns, out);
    grid->earlier_vv = grid->last_samples > 0 ? grid->last[SUM_VV] / grid->last_samples : -1;
    grid->earlier_ii = grid->last_samples > 0 ? grid->last[SUM_II] / grid->last_samples : -1;
    memcpy(grid->last, grid->open, sizeof grid->last);
    grid->last_samples = samples;
    grid->last_flags = grid->open_flags & ~STATE;
    open_next(meter, work, p, t, at, at_shared);
}

/* Boundaries of all phases in the order of time. */
void measure_grid_run(struct measure_meter *meter, const struct measure_work *work, struct measure_out *out)
{
    double cycles = meter->track.cycles;
    uint32_t taken[MEASURE_PHASES] = {0};

    for (;;) {
        uint32_t next = 0;

        for (uint32_t p = 1; p < meter->config.phases; p++)
            if (meter->grid[p].ahead < meter->grid[next].ahead)
                next = p;
        double t = meter->grid[next].ahead / cycles;

        if (!(t < work->n))
            break;
        t = t > 0 ? t : 0;
        take(meter, work, next, taken[next], (uint32_t)t);
        taken[next] = (uint32_t)t;
        close_half(meter, work, next, t, out);
    }
    for (uint32_t p = 0; p < meter->config.phases; p++) {
        take(meter, work, p, taken[p], work->n);
        meter->grid[p].since += work->n;
        meter->grid[p].ahead -= cycles * work->n;
    }
}
