/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loss of a feed while all that may be lent is lent (safety.md sections 5 and 12: feed loss at D =
 * admissible), many times, each on a site of its own. A trip is a failure, and expected once a part of the
 * rule is taken away.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/loss/attack.h"
#include "bench/report.h"

enum { RUNS_MAX = 1000000, TRIPS_TOLD = 16 };

struct options {
    uint64_t seed;
    uint32_t first, runs;
    enum loss_rule rule;
    bool json, show;
};

static const char *const rule_name[] = {
    [RULE_WHOLE] = "whole", [RULE_HORIZON] = "horizon", [RULE_RESERVE] = "reserve"};

/* ---- options ---- */

static int usage(void)
{
    fputs("usage: loss [--json] [--runs N] [--first I] [--seed S] [--rule whole|horizon|reserve]\n"
          "            [--show]      the site of run I\n",
          stderr);
    return 2;
}

static bool take_number(const char *text, uint64_t most, uint64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return !errno && *text >= '0' && *text <= '9' && !*end && *value <= most;
}

static bool take_rule(struct options *o, const char *text)
{
    for (int rule = 0; rule < LOSS_RULE_COUNT; rule++) {
        if (strcmp(text, rule_name[rule]))
            continue;
        o->rule = (enum loss_rule)rule;
        return true;
    }
    return false;
}

static bool take_option(struct options *o, const char *name, const char *text)
{
    uint64_t value = 0;
    bool good = false;
    if (!strcmp(name, "--runs")) {
        good = take_number(text, RUNS_MAX, &value) && value;
        o->runs = (uint32_t)value;
    } else if (!strcmp(name, "--first")) {
        good = take_number(text, UINT32_MAX - RUNS_MAX, &value);
        o->first = (uint32_t)value;
    } else if (!strcmp(name, "--seed")) {
        good = take_number(text, UINT64_MAX, &value);
        o->seed = value;
    } else if (!strcmp(name, "--rule")) {
        good = take_rule(o, text);
    }
    return good;
}

static bool take_options(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--json")) {
            o->json = true;
        } else if (!strcmp(argv[i], "--show")) {
            o->show = true;
        } else if (i + 1 == argc || !take_option(o, argv[i], argv[i + 1])) {
            fprintf(stderr, "loss: cannot use '%s'\n", argv[i]);
            return false;
        } else {
            i++;
        }
    }
    return true;
}

/* ---- report ---- */

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* `value` is sorted by it. */
static void report_spread(struct bench_report *r, const char *key, double *value, uint32_t count)
{
    qsort(value, count, sizeof *value, by_size);
    bench_open(r, key);
    bench_count(r, "n", count);
    for (int i = 0; count && i < 5; i++) {
        static const char *const name[] = {"p10", "p50", "p90", "p99", "max"};
        static const double part[] = {0.1, 0.5, 0.9, 0.99, 1};
        uint32_t at = (uint32_t)ceil(part[i] * count);
        bench_number(r, name[i], value[at ? at - 1 : 0]);
    }
    bench_close(r);
}

typedef uint32_t group_of(const struct loss_result *result);
typedef const char *group_name(uint32_t group);

static uint32_t of_scheme(const struct loss_result *r) { return r->scheme; }
static uint32_t of_device(const struct loss_result *r) { return r->device; }
static uint32_t of_attack(const struct loss_result *r) { return r->attack; }
static uint32_t of_demand(const struct loss_result *r) { return r->demand; }
static const char *scheme_name(uint32_t group) { return loss_scheme_name((enum loss_scheme)group); }
static const char *device_name(uint32_t group) { return loss_device_name((enum loss_device)group); }
static const char *attack_name(uint32_t group) { return loss_attack_name((enum loss_attack)group); }
static const char *demand_name(uint32_t group) { return loss_demand_name((enum loss_demand)group); }

/* The share of runs in which D stood at what may be lent: within two quanta of every host. */
static bool is_full(const struct loss_result *result)
{
    return result->of_limit >= 0.97 && result->of_steady > 1.02;
}

static void report_group(struct bench_report *r, const struct loss_result *result, uint32_t runs,
                         group_of *of, group_name *name, uint32_t group)
{
    uint32_t count = 0, full = 0, tripped = 0;
    double heat = 0;
    for (uint32_t i = 0; i < runs; i++) {
        if (of(&result[i]) != group)
            continue;
        count++;
        full += is_full(&result[i]);
        tripped += result[i].trips > 0;
        heat = fmax(heat, fmin(result[i].heat, 1));
    }
    bench_open(r, name(group));
    bench_count(r, "runs", count);
    bench_count(r, "full", full);
    bench_count(r, "trips", tripped);
    bench_number(r, "heat_most", heat);
    bench_close(r);
}

static void report_groups(struct bench_report *r, const struct loss_result *result, uint32_t runs)
{
    static const struct {
        const char *key;
        group_of *of;
        group_name *name;
        uint32_t count;
    } by[] = {{"by_scheme", of_scheme, scheme_name, LOSS_SCHEME_COUNT},
              {"by_device", of_device, device_name, LOSS_DEVICE_COUNT},
              {"by_attack", of_attack, attack_name, LOSS_ATTACK_COUNT},
              {"by_demand", of_demand, demand_name, LOSS_DEMAND_COUNT}};
    for (size_t i = 0; i < sizeof by / sizeof by[0]; i++) {
        bench_open(r, by[i].key);
        for (uint32_t group = 0; group < by[i].count; group++)
            report_group(r, result, runs, by[i].of, by[i].name, group);
        bench_close(r);
    }
}

static void report_trips(struct bench_report *r, const struct options *o, const struct loss_result *result)
{
    uint32_t told = 0;
    char key[32];
    bench_open(r, "first_trips");
    for (uint32_t i = 0; i < o->runs && told < TRIPS_TOLD; i++) {
        const struct loss_result *one = &result[i];
        if (!one->trips)
            continue;
        snprintf(key, sizeof key, "%u", ++told);
        bench_open(r, key);
        bench_count(r, "run", o->first + i);
        bench_text(r, "scheme", loss_scheme_name(one->scheme));
        bench_text(r, "device", loss_device_name(one->device));
        bench_text(r, "attack", loss_attack_name(one->attack));
        bench_text(r, "demand", loss_demand_name(one->demand));
        bench_text(r, "element", trip_element_name(one->element));
        bench_number(r, "after_loss_s", one->trip_s);
        bench_number(r, "exposure_over_limit", one->of_limit);
        bench_number(r, "exposure_over_steady", one->of_steady);
        bench_number(r, "heat_at_loss", one->heat_before);
        bench_number(r, "meter_error", one->meter_error);
        bench_close(r);
    }
    bench_close(r);
}

static void report(const struct options *o, const struct loss_result *result, double *value, int64_t wall_ns)
{
    struct bench_report r;
    uint32_t full = 0;
    uint64_t tripped = 0, failures = 0;
    for (uint32_t i = 0; i < o->runs; i++) {
        full += is_full(&result[i]);
        tripped += result[i].trips > 0;
        failures += result[i].invariant_failures;
    }
    bench_begin(&r, o->json, "loss");
    bench_text(&r, "driver", "simulated");
    bench_text(&r, "rule", rule_name[o->rule]);
    bench_count(&r, "seed", o->seed);
    bench_count(&r, "n", o->runs);
    bench_count(&r, "trips", tripped);
    bench_count(&r, "full", full);
    bench_count(&r, "invariant_failures", failures);
    for (uint32_t i = 0; i < o->runs; i++)
        value[i] = result[i].of_limit;
    report_spread(&r, "exposure_over_limit", value, o->runs);
    uint32_t count = 0;
    for (uint32_t i = 0; i < o->runs; i++)
        if (is_full(&result[i]))
            value[count++] = result[i].of_steady;
    report_spread(&r, "full_exposure_over_steady", value, count);
    count = 0;
    for (uint32_t i = 0; i < o->runs; i++)
        if (is_full(&result[i]))
            value[count++] = fmin(result[i].heat, 1);
    report_spread(&r, "full_heat_over_trip", value, count);
    for (uint32_t i = 0; i < o->runs; i++)
        value[i] = fmin(result[i].heat, 1);
    report_spread(&r, "heat_over_trip", value, o->runs);
    report_groups(&r, result, o->runs);
    report_trips(&r, o, result);
    bench_number(&r, "duration_s", (double)wall_ns / 1e9);
    bench_end(&r);
}

static int play(const struct options *o, struct loss_result *result, double *value)
{
    int64_t start_ns = bench_now_ns();
    for (uint32_t i = 0; i < o->runs; i++) {
        int error = loss_play(o->seed, o->first + i, o->rule, &result[i]);
        if (error)
            return fprintf(stderr, "loss: run %u: %s\n", o->first + i, strerror(-error)), 1;
    }
    report(o, result, value, bench_now_ns() - start_ns);
    return 0;
}

int main(int argc, char **argv)
{
    struct options options = {.seed = 20261121, .runs = 100};
    if (!take_options(&options, argc, argv))
        return usage();
    if (options.show)
        return loss_show(options.seed, options.first), 0;
    struct loss_result *result = calloc(options.runs, sizeof *result);
    double *value = calloc(options.runs, sizeof *value);
    int error = result && value ? play(&options, result, value) : 1;
    free(result);
    free(value);
    return error;
}
