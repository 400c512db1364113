/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the decision believes of a device against the plant's specimens of it: settings at random, compiled
 * for the fast edge (site/curve/curve.h) and stepped by core/breaker, beside a specimen drawn from the band
 * and stepped by the plant's own equations. Both see the same currents. At every step each element of the
 * decision stands at least as near to its trip as the specimen's own; so nothing ever trips before the
 * decision saw it coming. And for a specimen on the fast edge the two are close, or the bound were worth
 * nothing.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "run.h"
#include "core/breaker.h"
#include "sim/tripunit.h"
#include "site/curve/curve.h"

enum { STEPS = 4000, TIGHT_MAX = 1 << 16 };

struct trial {
    uint64_t seed;
    struct chance chance;
    struct site_device device;
    struct site_equipment equipment;
    struct model_node node;
    struct breaker breaker;
    struct breaker_curve *curve;
    struct breaker_state state;
    struct tripunit unit;
    /* of currents, for a while: slow elements have their turn */
    int64_t step, ceiling_ma;
};

struct tally {
    uint64_t devices, steps, trips[TRIP_ELEMENT_COUNT];
    double tight[TIGHT_MAX];
};

static int64_t between(struct trial *t, int64_t low, int64_t high)
{
    return chance_range(&t->chance, low, high);
}

/* Evenly in the logarithm. */
static int64_t log_between(struct trial *t, double low, double high)
{
    double share = (double)between(t, 0, 1000000) / 1e6;
    return llround(low * pow(high / low, share));
}

static struct device_stage stage(struct trial *t, int64_t pickup_ma, int64_t most_ms)
{
    return (struct device_stage){
        .pickup_ma = pickup_ma, .delay_ns = between(t, 50, most_ms) * NS_PER_MS,
        .tolerance_ppm = chance_hit(&t->chance, 0.3) ? between(t, 0, 200000) : -1,
        .i2t = chance_hit(&t->chance, 0.5), .memory = chance_hit(&t->chance, 0.7),
    };
}

static void random_points(struct trial *t, struct device_point *point, uint32_t count, double scale)
{
    double ma = (double)t->device.long_time_ma * scale, ns = 4e12 * scale;
    for (uint32_t i = 0; i < count; i++) {
        point[i] = (struct device_point){llround(ma), llround(ns)};
        ma *= 1.2 + (double)between(t, 0, 1000) / 1e3;
        ns /= 1.5 + (double)between(t, 0, 20000) / 1e3;
    }
}

static void random_law(struct trial *t)
{
    struct site_device *d = &t->device;
    d->relay = (struct device_relay){
        .curve = (uint8_t)between(t, 0, RELAY_CURVE_COUNT - 1), .reset = (uint8_t)between(t, 0, 2),
        .pickup_ma = d->long_time_ma, .time_dial_ppm = between(t, 50000, 2000000),
        .reset_ns = chance_hit(&t->chance, 0.5) ? between(t, 100, 60000) * NS_PER_MS : 0,
        .reset_exponent_ppm = chance_hit(&t->chance, 0.5) ? between(t, 1000000, 3000000) : 0,
        .pickup_tolerance_ppm = between(t, 0, 100000), .time_tolerance_ppm = between(t, 0, 100000),
    };
    d->min_count = (uint32_t)between(t, 2, 8);
    random_points(t, d->min, d->min_count, 1);
    d->points_tolerance_ppm = between(t, 0, 200000);
    if (!chance_hit(&t->chance, 0.5))
        return;
    d->max_count = d->min_count;
    for (uint32_t i = 0; i < d->max_count; i++)
        d->max[i] = (struct device_point){d->min[i].ma * 12 / 10, d->min[i].ns * 15 / 10};
}

static void random_device(struct trial *t)
{
    struct site_device *d = &t->device;
    int64_t in_ma = between(t, 100, 4000) * 1000, ir_ma = in_ma * between(t, 40, 100) / 100;
    *d = (struct site_device){
        .kind = (uint8_t)between(t, DEVICE_ELECTRONIC, DEVICE_POINTS), .profile = (uint8_t)between(t, 0, 1),
        .thermal_memory = chance_hit(&t->chance, 0.7), .rating_ma = in_ma, .long_time_ma = ir_ma,
        .long_time_ns = between(t, 500, 144000) * NS_PER_MS,
        .long_time_at_ppm = between(t, 2000000, 8000000),
        .ambient_ppm = chance_hit(&t->chance, 0.5) ? between(t, 800000, 1000000) : PPM,
    };
    if (chance_hit(&t->chance, 0.7))
        d->short_time = stage(t, ir_ma * between(t, 150, 1000) / 100, 400);
    if (chance_hit(&t->chance, 0.7))
        d->instantaneous = stage(t, in_ma * between(t, 200, 1500) / 100, 50);
    if (chance_hit(&t->chance, 0.3))
        d->ground = stage(t, in_ma * between(t, 20, 100) / 100, 400);
    random_law(t);
}

static void random_equipment(struct trial *t)
{
    int64_t ma = t->device.long_time_ma;
    struct site_equipment *q = &t->equipment;
    memset(q, 0, sizeof(*q));
    if (chance_hit(&t->chance, 0.15)) {
        q->transformer_mva = ma / 1000 * 831 * between(t, 800, 1500);
        q->transformer_ns = between(t, 60, 7200) * NS_PER_S;
    }
    if (chance_hit(&t->chance, 0.15)) {
        q->conductor_ma = ma * between(t, 80, 150) / 100;
        q->conductor_ns = between(t, 10, 1200) * NS_PER_S;
    }
    if (chance_hit(&t->chance, 0.15)) {
        q->ups_mva = ma / 1000 * 831 * between(t, 800, 1500);
        q->ups_mw = chance_hit(&t->chance, 0.5) ? q->ups_mva * 9 / 10 : 0;
        q->overload_count = (uint32_t)between(t, 1, 3);
        for (uint32_t i = 0; i < q->overload_count; i++) {
            q->overload[i].load_ppm = 1100000 + 200000 * i;
            q->overload[i].ns = 600 * NS_PER_S / (1 + 9 * i);
        }
    }
}

/* Long rests, loads near the pickup, overloads and short peaks, in steps of 1 ms to 20 s. */
static int64_t uncapped_current(struct trial *t)
{
    double ir = (double)t->device.long_time_ma;
    switch (between(t, 0, 3)) {
    case 0: return log_between(t, 0.01 * ir, 1.0 * ir);
    case 1: return log_between(t, 0.9 * ir, 1.4 * ir);
    case 2: return log_between(t, 1.2 * ir, 8 * ir);
    default: return chance_hit(&t->chance, 0.3) ? log_between(t, 1.5 * ir, 20 * ir) : 0;
    }
}

static int64_t random_current(struct trial *t)
{
    int64_t ma = uncapped_current(t);
    return ma < t->ceiling_ma ? ma : t->ceiling_ma;
}

static int fail(const struct trial *t, const char *what, double plant, double decision)
{
    fprintf(stderr, "seed %" PRIu64 ", step %" PRId64 ": %s: the specimen at %.9f, the decision at %.9f\n",
            t->seed, t->step, what, plant, decision);
    fprintf(stderr, "%s, Ir %.0f A, In %.0f A; --seed %" PRIu64 " --cases 1 runs it alone\n",
            trip_kind_name((enum device_kind)t->device.kind), (double)t->device.long_time_ma / 1e3,
            (double)t->device.rating_ma / 1e3, t->seed);
    return 1;
}

/* The part that one element of the decision holds, 1 = trips; below 0 where it has no such element. */
static double believed(const struct trial *t, enum breaker_law law, enum breaker_element_role role, int phase)
{
    double most = -1;
    for (uint32_t e = 0; e < t->breaker.element_count; e++) {
        const struct breaker_element *element = &t->breaker.element[e];
        if (element->law == law && element->role == role)
            most = fmax(most, (double)t->state.part[e][element->residual ? 0 : phase] / (double)HEAT_ONE);
    }
    return most;
}

/* The decision stops at its trip; so may the specimen go further. */
static bool below(double plant, double decision)
{
    return fmin(plant, 1) <= decision + 1e-9;
}

static int compare_phase(const struct trial *t, int phase)
{
    static const struct { enum breaker_element_role role, timer; } of_kind[DEVICE_KIND_COUNT] = {
        [DEVICE_ELECTRONIC] = {ELEMENT_LONG_TIME, ELEMENT_LONG_TIME},
        [DEVICE_THERMAL_MAGNETIC] = {ELEMENT_THERMAL, ELEMENT_THERMAL},
        [DEVICE_RELAY] = {ELEMENT_INVERSE, ELEMENT_INVERSE}, [DEVICE_FUSE] = {ELEMENT_FUSE, ELEMENT_FUSE},
        [DEVICE_POINTS] = {ELEMENT_POINTS, ELEMENT_POINTS},
    };
    const struct tripunit *u = &t->unit;
    enum breaker_element_role main = of_kind[t->device.kind].role;
    const struct { const char *what; double plant, decision; } pair[] = {
        {"thermal image", u->image.rated_a > 0 ? u->image.theta[phase] / u->image.trip : -2,
         believed(t, BREAKER_IMAGE, main, phase)},
        {"timer, travel or melting", u->part[phase], believed(t, BREAKER_TRAVEL, main, phase)},
        {"short-time", u->short_time.part[phase], believed(t, BREAKER_TRAVEL, ELEMENT_SHORT_TIME, phase)},
        {"ground", phase ? 0 : u->ground.part[0], believed(t, BREAKER_TRAVEL, ELEMENT_GROUND, 0)},
        {"transformer", u->transformer.rated_a > 0 ? u->transformer.theta[phase] / u->transformer.trip : -2,
         believed(t, BREAKER_IMAGE, ELEMENT_TRANSFORMER, phase)},
        {"conductor", u->conductor.rated_a > 0 ? u->conductor.theta[phase] / u->conductor.trip : -2,
         believed(t, BREAKER_IMAGE, ELEMENT_CONDUCTOR, phase)},
        {"UPS", u->ups.part[phase], believed(t, BREAKER_TRAVEL, ELEMENT_UPS, phase)},
    };
    for (size_t i = 0; i < sizeof(pair) / sizeof(pair[0]); i++) {
        if (pair[i].plant > 0 && !below(pair[i].plant, pair[i].decision))
            return fail(t, pair[i].what, pair[i].plant, pair[i].decision);
    }
    return 0;
}

static int one_step(struct trial *t, struct tally *tally)
{
    struct breaker_load load = {0};
    struct tripunit_load flow;
    int64_t common_ma = random_current(t),
            dt_ns = log_between(t, 1e6, chance_hit(&t->chance, 0.1) ? 2e10 : 2e8);
    for (int phase = 0; phase < PHASES; phase++) {
        load.current_ma[phase] = chance_hit(&t->chance, 0.7) ? common_ma : random_current(t);
        flow.current_a[phase] = (double)load.current_ma[phase] / 1e3;
    }
    load.residual_ma = chance_hit(&t->chance, 0.5) ? random_current(t) / 4 : 0;
    load.crest_milli = (int32_t)between(t, 1200, 2200);
    flow.residual_a = (double)load.residual_ma / 1e3;
    flow.crest = (double)load.crest_milli / 1e3;
    int role = breaker_step(&t->state, &t->breaker, t->curve, &load, dt_ns);
    enum trip_element trips = tripunit_step(&t->unit, &flow, (double)dt_ns / 1e9);
    tally->steps++;
    tally->trips[trips]++;
    if (trips != TRIP_NONE && role < 0)
        return fail(t, trip_element_name(trips), 1, (double)breaker_heat_ppm(&t->state, &t->breaker) / 1e6);
    for (int phase = 0; phase < PHASES; phase++) {
        if (compare_phase(t, phase))
            return 1;
    }
    return 0;
}

/* The decision's images are relative to the lowest asymptote, so nothing is nearer to its trip there. */
static void start(struct trial *t, enum trip_truth truth, double heat)
{
    struct random random;
    struct tripunit_setup setup = {
        .device = &t->device, .equipment = &t->equipment, .volts_ln = 277.128, .phases = 3, .truth = truth,
        .fast_share = 0.2, .initial_heat = heat, .random = &random,
    };
    t->ceiling_ma =
        log_between(t, 1.1 * (double)t->device.long_time_ma, 25.0 * (double)t->device.long_time_ma);
    random_init(&random, t->seed, RANDOM_TRIPUNIT, (uint64_t)t->step);
    tripunit_init(&t->unit, &setup);
    breaker_rest(&t->state, &t->breaker, (int64_t)ceil(heat / (1.05 * 1.05) * 1e6));
}

/* Time to trip of the decision over that of the fast edge itself, from cold, at one current; 1 where neither
 * trips within a day, below 0 where the decision is late. */
static double tightness(struct trial *t)
{
    int64_t ma = log_between(t, 1.1 * (double)t->device.long_time_ma, 8.0 * (double)t->device.long_time_ma);
    struct breaker_load load = {.current_ma = {ma, ma, ma}};
    struct tripunit_load flow = {.current_a = {(double)ma / 1e3, 0, 0}, .crest = sqrt(2)};
    struct breaker_verdict verdict;
    start(t, TRUTH_FAST, 0);
    breaker_time_to_trip(&t->state, &t->breaker, t->curve, &load, &verdict);
    if (verdict.t_ns > 86400 * NS_PER_S)
        return 1;
    double decision_s = (double)verdict.t_ns / 1e9, dt_s = fmax(decision_s / 1000, 1e-5);
    for (int64_t step = 0; step < 100000; step++) {
        if (tripunit_step(&t->unit, &flow, dt_s) != TRIP_NONE)
            return (double)step * dt_s < decision_s * (1 - 1e-6) - 2 * dt_s
                       ? -1 : fmin(decision_s / ((double)(step + 1) * dt_s), 1);
    }
    return 0;
}

static int play(uint64_t seed, struct tally *tally, struct breaker_curve *curves)
{
    struct trial t = {.seed = seed, .chance = {seed}, .curve = curves};
    uint32_t curve_count = 0;
    random_device(&t);
    random_equipment(&t);
    t.node = (struct model_node){.volts_ln_mv = 277128, .phases = 3, .limited = 1};
    if (curve_compile(&t.device, &t.equipment, &t.node, EDGE_FAST, &t.breaker, curves, &curve_count))
        return fail(&t, "does not compile", 0, 0);
    start(&t, TRUTH_DRAWN, 0.5);
    for (t.step = 0; t.step < STEPS; t.step++) {
        if (t.step % 200 == 0)
            t.ceiling_ma = log_between(&t, 1.1 * (double)t.device.long_time_ma,
                                       25.0 * (double)t.device.long_time_ma);
        if (one_step(&t, tally))
            return 1;
        /* after a trip another specimen */
        if (t.unit.tripped != TRIP_NONE)
            start(&t, TRUTH_DRAWN, (double)between(&t, 0, 700000) / 1e6);
    }
    double ratio = tightness(&t);
    if (ratio < 0)
        return fail(&t, "time to trip is too long", 1, 1);
    tally->tight[tally->devices++ % TIGHT_MAX] = ratio;
    return 0;
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Half of the decisions come at 0.85 of the fast edge's time or later: it is a bound, not a guess. */
static int judge_tightness(struct tally *tally)
{
    size_t count = tally->devices < TIGHT_MAX ? tally->devices : TIGHT_MAX;
    qsort(tally->tight, count, sizeof(tally->tight[0]), ascending);
    double tenth = tally->tight[count / 10], median = tally->tight[count / 2];
    printf("time to trip over that of the fast edge: median %.3f, a tenth below %.3f\n", median, tenth);
    return count >= 100 && median < 0.85;
}

int main(int argc, char **argv)
{
    struct run run = run_begin("specimen_property", 400, 20000);
    uint64_t failed = 0;
    static struct tally tally;
    struct breaker_curve *curves = calloc(BREAKER_CURVES_MAX, sizeof(*curves));
    for (int i = 1; i < argc; i++)
        if (!run_option(&run, argc, argv, &i))
            return run_usage(&run, "");
    if (!curves)
        return 1;
    for (uint64_t i = 0; i < run.cases && failed < 20; i++)
        failed += (uint64_t)play(run.seed + i, &tally, curves);
    free(curves);
    printf("%" PRIu64 " steps; trips:", tally.steps);
    for (int e = 1; e < TRIP_ELEMENT_COUNT; e++)
        printf(" %s %" PRIu64, trip_element_name((enum trip_element)e), tally.trips[e]);
    putchar('\n');
    if (judge_tightness(&tally)) {
        puts("the decision is no tight bound");
        failed++;
    }
    run_end(&run, failed);
    return failed ? 1 : 0;
}
