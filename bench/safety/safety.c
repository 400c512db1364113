/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hours of virtual time on the sites beside this file, with nothing wrong, with what a site sees in a bad
 * month, with something wrong all the time, and with what is chosen to hurt: nothing may trip, no check of
 * the controller's own may fail, and the watts must be given out all the same.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/report.h"
#include "bench/safety/crew.h"
#include "bench/safety/tally.h"

enum { RUNS_MAX = 100000, SPEED_RUNS = 3, SPEED_MIN = 10, FAILURES_TOLD = 32 };

struct options {
    uint64_t seed;
    uint32_t jobs;
    uint32_t hours_large, hours_small;  /* on the 1 MW site, and on each of the others */
    uint32_t minutes;                   /* of one run */
    uint32_t place;                     /* PLACES: all */
    enum fault_level level;             /* LEVEL_COUNT: all, by turns */
    bool json, is_long, speed;
};

struct bench {
    const struct options *options;
    struct place place[PLACES];
    uint32_t count;
    struct drill *drill;
    struct drill_result *result;
    double *scratch;
    double speed_x[SPEED_RUNS];
};

/* ---- options ---- */

static int usage(void)
{
    fputs("usage: safety [--json] [--long] [--seed S] [--jobs N] [--minutes M] [--hours H] [--place NAME]\n"
          "              [--level none|some|many|hostile] [--speed]\n"
          "\n"
          "  --long       1,300 h: 100 on the 1 MW site, 300 on each of the others; without: 20 h, 200 on\n"
          "               three of them and 20 on the one with sources\n"
          "  --hours H    so many hours on each site instead\n"
          "  --minutes M  the length of one run (60)\n"
          "  --speed      the speed of the 1 MW site alone\n"
          "  --jobs N     so many runs at once (as many as there are cores)\n"
          "\n"
          "Leaves with 1 where something tripped or a check failed; the command that repeats such a run "
          "stands\n"
          "on standard error.\n",
          stderr);
    return 2;
}

static bool take_number(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return !errno && *text >= '0' && *text <= '9' && !*end && *value >= least && *value <= most;
}

static bool take_name(struct options *o, const char *name, const char *text)
{
    if (!strcmp(name, "--place")) {
        for (o->place = 0; o->place < PLACES && strcmp(text, place_name(o->place)); o->place++)
            continue;
        return o->place < PLACES;
    }
    int level = 0;
    while (level < LEVEL_COUNT && strcmp(text, history_level_name((enum fault_level)level)))
        level++;
    o->level = (enum fault_level)level;
    return level < LEVEL_COUNT;
}

static bool take_option(struct options *o, const char *name, const char *text)
{
    uint64_t value = 0;
    bool good = false;
    if (!strcmp(name, "--place") || !strcmp(name, "--level"))
        return take_name(o, name, text);
    if (!strcmp(name, "--seed")) {
        good = take_number(text, 0, UINT64_MAX, &o->seed);
    } else if (!strcmp(name, "--jobs")) {
        good = take_number(text, 1, 256, &value);
        o->jobs = (uint32_t)value;
    } else if (!strcmp(name, "--minutes")) {
        good = take_number(text, 1, 1440, &value);
        o->minutes = (uint32_t)value;
    } else if (!strcmp(name, "--hours")) {
        good = take_number(text, 1, 1000, &value);
        o->hours_large = o->hours_small = (uint32_t)value;
    }
    return good;
}

static bool take_options(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--json")) {
            o->json = true;
        } else if (!strcmp(argv[i], "--speed")) {
            o->speed = true;
        } else if (!strcmp(argv[i], "--long")) {
            o->is_long = true;
            o->hours_large = 100;
            o->hours_small = 300;
        } else if (i + 1 == argc || !take_option(o, argv[i], argv[i + 1])) {
            fprintf(stderr, "safety: cannot use '%s'\n", argv[i]);
            return false;
        } else {
            i++;
        }
    }
    return true;
}

/* ---- the runs ---- */

/* 200 h over three sites: the last ones get an hour less. */
static uint32_t short_hours(uint32_t place)
{
    enum { SHARING = PLACE_LATE - 1 };
    if (place == PLACE_LARGE || place == PLACE_LATE)
        return 20;
    return 200 / SHARING + (place <= 200 % SHARING);
}

static uint32_t runs_of(const struct options *o, uint32_t place)
{
    if (o->place < PLACES && o->place != place)
        return 0;
    if (o->speed)
        return 0;
    uint32_t hours = place == PLACE_LARGE ? o->hours_large : o->hours_small;
    if (!hours)
        hours = short_hours(place);
    return hours * 60 / o->minutes ? hours * 60 / o->minutes : 1;
}

/* Baselines meet no faults, so they are held against hours in which little or nothing is wrong. */
static bool is_compared(uint32_t place, enum fault_level level, uint32_t run)
{
    uint32_t of = place == PLACE_LARGE ? 8 : 16;
    return level <= LEVEL_SOME && (run % of == 0 || run % of == 5);
}

/* Levels by turns. Long runs come first. */
static int list_drills(struct bench *bench)
{
    const struct options *o = bench->options;
    for (uint32_t place = 0; place < PLACES; place++)
        bench->count += runs_of(o, place);
    bench->drill = calloc(bench->count + 1, sizeof *bench->drill);
    bench->scratch = calloc(bench->count + 1, sizeof *bench->scratch);
    bench->result = crew_results(bench->count);
    if (!bench->drill || !bench->scratch || !bench->result)
        return -ENOMEM;
    uint32_t next = 0;
    for (uint32_t place = 0; place < PLACES; place++) {
        for (uint32_t i = 0; i < runs_of(o, place); i++) {
            enum fault_level level =
                o->level == LEVEL_COUNT ? (enum fault_level)(i % LEVEL_COUNT) : o->level;
            bench->drill[next++] = (struct drill){
                .place = place, .level = level, .seed = o->seed + (uint64_t)place * RUNS_MAX + i,
                .duration_ns = (int64_t)o->minutes * 60 * NS_PER_S, .compared = is_compared(place, level, i)};
        }
    }
    return 0;
}

/* Alone, before anything else runs: the 1 MW site as it is in a bad month. */
static int find_speed(struct bench *bench)
{
    for (uint32_t i = 0; i < SPEED_RUNS; i++) {
        struct drill drill = {.place = PLACE_LARGE, .level = LEVEL_SOME, .seed = bench->options->seed + i,
                              .duration_ns = SPEED_MIN * 60 * NS_PER_S};
        struct drill_result result;
        drill_play(&drill, &bench->place[PLACE_LARGE], &result);
        if (result.error)
            return result.error;
        double speed_x = SPEED_MIN * 60 / result.busy_s;
        uint32_t at = i;
        for (; at > 0 && bench->speed_x[at - 1] > speed_x; at--)
            bench->speed_x[at] = bench->speed_x[at - 1];
        bench->speed_x[at] = speed_x;
    }
    return 0;
}

static int open_bench(struct bench *bench)
{
    for (uint32_t i = 0; i < PLACES; i++) {
        int error = place_open(&bench->place[i], i);
        if (error)
            return error;
    }
    return list_drills(bench);
}

static void close_bench(struct bench *bench)
{
    for (uint32_t i = 0; i < PLACES; i++)
        place_close(&bench->place[i]);
    crew_forget(bench->result, bench->count);
    free(bench->drill);
    free(bench->scratch);
}

/* ---- report ---- */

static void take(const struct bench *bench, struct tally *tally, uint32_t place, enum fault_level level)
{
    tally_take(tally, bench->drill, bench->result, bench->count, place, level, bench->scratch);
}

static double least(double a, double b)
{
    return a < 0 || b < a ? b : a;
}

/* A bar on the worst site, not on a sum in which a good one hides a bad one. */
static void report_worst(const struct bench *bench, struct bench_report *r)
{
    double vs_static = -1, vs_oracle = -1, tightness = -1;
    struct tally tally;
    for (uint32_t place = 0; place < PLACES; place++) {
        take(bench, &tally, place, LEVEL_COUNT);
        if (!tally.runs)
            continue;
        tightness = least(tightness, tally.tightness_least);
        if (!tally.compared)
            continue;
        vs_static = least(vs_static, tally.governed_j / tally.static_j);
        vs_oracle = least(vs_oracle, tally.governed_j / tally.oracle_j);
    }
    if (vs_static >= 0) {
        bench_number(r, "energy_vs_static", vs_static);
        bench_number(r, "energy_vs_oracle", vs_oracle);
    }
    bench_number(r, "tightness_p99", tightness);
}

static void report_over(struct bench_report *r)
{
    bench_open(r, "over");
    bench_text(r, "trips", "all runs; likewise guard_hits and exposure_short");
    bench_text(r, "energy_vs_static",
               "the worst site; of the hours with faults none and some, half at 1 MW, a quarter else; the "
               "fixed caps know the demand of the same hours and meet no faults");
    bench_text(r, "energy_vs_oracle", "the same hours; the oracle meets no faults");
    bench_text(r, "tightness_p99",
               "the least run of all: hours without faults, in which no limit falls to what flows");
    bench_text(r, "sim_speed_x",
               "hall-1mw alone on a core, steps of 2 ms, faults some, median of three runs of ten minutes, "
               "processor time");
    bench_close(r);
}

static void report_places(const struct bench *bench, struct bench_report *r)
{
    struct tally tally;
    bench_open(r, "by_place");
    for (uint32_t place = 0; place < PLACES; place++) {
        take(bench, &tally, place, LEVEL_COUNT);
        if (!tally.runs)
            continue;
        bench_open(r, place_name(place));
        bench_count(r, "hosts", bench->place[place].site.model.host_count);
        bench_count(r, "meters", bench->place[place].site.model.meter_count);
        tally_report(&tally, r);
        for (int level = 0; level < LEVEL_COUNT; level++) {
            take(bench, &tally, place, (enum fault_level)level);
            if (!tally.runs)
                continue;
            bench_open(r, history_level_name((enum fault_level)level));
            tally_report(&tally, r);
            bench_close(r);
        }
        bench_close(r);
    }
    bench_close(r);
}

static void report_failures(const struct bench *bench, struct bench_report *r)
{
    char key[16], command[512];
    uint32_t told = 0;
    bench_open(r, "failures");
    for (uint32_t i = 0; i < bench->count && told < FAILURES_TOLD; i++) {
        const struct drill_result *result = &bench->result[i];
        if (!drill_failed(result))
            continue;
        snprintf(key, sizeof key, "%u", ++told);
        bench_open(r, key);
        bench_count(r, "trips", result->figures.trips);
        bench_text(r, "first_trip", result->first_trip);
        bench_count(r, "guard_hits", result->figures.guard_hits);
        bench_count(r, "exposure_short", result->figures.exposure_short);
        drill_command(&bench->drill[i], command, sizeof command);
        bench_text(r, "command", command);
        bench_close(r);
    }
    bench_close(r);
}

/* Processor time that a minute of virtual time took, by run, in ns. */
static void report_times(const struct bench *bench, struct bench_report *r)
{
    static struct histogram times;
    for (uint32_t i = 0; i < bench->count; i++) {
        double minutes = (double)bench->drill[i].duration_ns / 60e9;
        histogram_record(&times, (uint64_t)(bench->result[i].busy_s * 1e9 / minutes));
    }
    for (uint32_t i = 0; i < SPEED_RUNS && !bench->count; i++)
        histogram_record(&times, (uint64_t)(60e9 / bench->speed_x[i]));
    bench_histogram(r, "minute_ns", &times);
}

static void report_hours(const struct bench *bench, struct bench_report *r)
{
    struct tally all;
    take(bench, &all, PLACES, LEVEL_COUNT);
    bench_count(r, "n", all.runs);
    bench_count(r, "jobs", bench->options->jobs);
    bench_number(r, "sim_hours", all.hours);
    bench_count(r, "trips", all.trips);
    bench_count(r, "guard_hits", all.guard_hits);
    bench_count(r, "exposure_short", all.exposure_short);
    report_worst(bench, r);
    report_over(r);
    report_places(bench, r);
    report_failures(bench, r);
}

static void report(const struct bench *bench, int64_t wall_ns)
{
    const struct options *o = bench->options;
    struct bench_report r;
    bench_begin(&r, o->json, "safety");
    bench_text(&r, "driver", "simulated");
    bench_text(&r, "form", o->speed ? "speed" : o->is_long ? "long" : "short");
    bench_count(&r, "seed", o->seed);
    if (o->speed)
        bench_count(&r, "n", SPEED_RUNS);
    else
        report_hours(bench, &r);
    bench_number(&r, "sim_speed_x", bench->speed_x[SPEED_RUNS / 2]);
    report_times(bench, &r);
    bench_number(&r, "duration_s", (double)wall_ns / 1e9);
    bench_end(&r);
}

static bool any_failed(const struct bench *bench)
{
    for (uint32_t i = 0; i < bench->count; i++) {
        if (!bench->result[i].done || drill_failed(&bench->result[i]))
            return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    struct options options = {.seed = 20261121, .minutes = 60, .place = PLACES, .level = LEVEL_COUNT,
                              .jobs = crew_cores()};
    static struct bench bench;
    if (!take_options(&options, argc, argv))
        return usage();
    bench.options = &options;
    int64_t begin_ns = bench_now_ns();
    int error = open_bench(&bench);
    if (!error)
        error = find_speed(&bench);
    if (!error && bench.count)
        error = crew_play(bench.drill, bench.result, bench.count, bench.place, options.jobs);
    if (error)
        fprintf(stderr, "safety: %s\n", strerror(-error));
    else
        report(&bench, bench_now_ns() - begin_ns);
    bool failed = error || any_failed(&bench);
    close_bench(&bench);
    return failed;
}
