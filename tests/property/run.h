/* SPDX-License-Identifier: Apache-2.0 */
/* What all programs of this folder are asked and say alike: --seed N, --cases N, --long; how many cases, how
 * long they took. */
#ifndef FLYBALL_TESTS_RUN_H
#define FLYBALL_TESTS_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct run {
    const char *program;
    uint64_t seed, cases;
    uint64_t cases_long;        /* with --long, where --cases says nothing else */
    bool is_long, told;         /* told: --cases was given */
    struct timespec begun;
};

static inline struct run run_begin(const char *program, uint64_t cases, uint64_t cases_long)
{
    struct run run = {.program = program, .seed = 1, .cases = cases, .cases_long = cases_long};
    clock_gettime(CLOCK_MONOTONIC, &run.begun);
    return run;
}

/* Takes argv[*i], and what belongs to it; false: it is none of these. */
static inline bool run_option(struct run *run, int argc, char **argv, int *i)
{
    const char *option = argv[*i];
    if (!strcmp(option, "--long")) {
        run->is_long = true;
        run->cases = run->told ? run->cases : run->cases_long;
        return true;
    }
    bool seed = !strcmp(option, "--seed"), cases = !strcmp(option, "--cases");
    if ((!seed && !cases) || *i + 1 >= argc)
        return false;
    char *end;
    uint64_t value = strtoull(argv[++*i], &end, 0);
    if (*end || end == argv[*i] || (cases && !value)) {
        fprintf(stderr, "%s: %s %s: a whole number%s is wanted\n", run->program, option, argv[*i],
                cases ? " from 1 on" : "");
        exit(2);
    }
    *(seed ? &run->seed : &run->cases) = value;
    run->told |= cases;
    return true;
}

static inline int run_usage(const struct run *run, const char *more)
{
    fprintf(stderr, "usage: %s [--seed N] [--cases N] [--long]%s\n", run->program, more);
    return 2;
}

/* The last line: always the same words in front. */
static inline void run_end(const struct run *run, uint64_t failures)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double s = (double)(now.tv_sec - run->begun.tv_sec) + (double)(now.tv_nsec - run->begun.tv_nsec) / 1e9;
    printf("%s: %llu cases, seeds %llu to %llu, %llu failures, %.1f s\n", run->program,
           (unsigned long long)run->cases, (unsigned long long)run->seed,
           (unsigned long long)(run->seed + run->cases - 1), (unsigned long long)failures, s);
}

#endif
