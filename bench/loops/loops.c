/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who answers a meter's datagram how fast: the machine's own noise, bare echoes over every port and in every
 * way of using a socket, flyball over the same, and what a user would have instead; in one run, in short
 * blocks in turn, on one receiving core, seen from one client.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/alone.h"
#include "bench/loops/print.h"
#include "rt/throttle.h"

/* Where exchanges are lost each takes much longer: a run then ends with fewer rounds, and is ended by force
 * after OVERTIME times as long. */
enum { SECONDS = 240, SHORT_SECONDS = 60, SECONDS_MAX = 7200, BLOCK_MS = 150, SHORT_BLOCK_MS = 60,
       LONG_MS = 1200, OVERTIME = 4, SET_UP_S = 100 };

static volatile sig_atomic_t told_to_stop;     /* networks that this run made are taken away all the same */

static void stop(int number)
{
    told_to_stop = number;
}

struct options {
    bool json, brief;           /* brief: many short blocks, so that a minute has pairs enough */
    const char *only;           /* names with commas between, NULL = all */
    long seconds;
};

static int usage(void)
{
    fputs("usage: loops [--json] [--short] [--seconds N] [--only NAME,...]; as root\n"
          "       loops --list\n", stderr);
    return 2;
}

static bool named(const char *list, const char *name)
{
    size_t bytes = strlen(name);
    for (const char *at = list; at; at = strchr(at, ','), at += at != NULL)
        if (!strncmp(at, name, bytes) && (!at[bytes] || at[bytes] == ','))
            return true;
    return false;
}

static bool in_table(const char *name, size_t bytes)
{
    for (const struct kind *kind = kind_table; kind->name; kind++)
        if (strlen(kind->name) == bytes && !strncmp(kind->name, name, bytes))
            return true;
    return false;
}

static bool all_known(const char *list)
{
    for (const char *at = list; at; at = strchr(at, ','), at += at != NULL) {
        size_t bytes = strcspn(at, ",");
        if (in_table(at, bytes))
            continue;
        fprintf(stderr, "loops: there is no contender '%.*s'; --list names them\n", (int)bytes, at);
        return false;
    }
    return true;
}

static bool take_seconds(const char *text, long *seconds)
{
    char *end;
    *seconds = strtol(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && *seconds >= 1 && *seconds <= SECONDS_MAX;
}

/* -1: go on; else the exit code. */
static int take_options(struct options *options, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--json"))
            options->json = true;
        else if (!strcmp(argv[i], "--short"))
            options->seconds = SHORT_SECONDS, options->brief = true;
        else if (!strcmp(argv[i], "--list"))
            return print_list(), 0;
        else if (!strcmp(argv[i], "--seconds") && i + 1 < argc &&
                 take_seconds(argv[i + 1], &options->seconds))
            i++;
        else if (!strcmp(argv[i], "--only") && i + 1 < argc)
            options->only = argv[++i];
        else
            return usage();
    }
    return all_known(options->only) ? -1 : 2;
}

/* It is measured in the blocks of the one of that name, which are then run, too. */
static void attach(struct harness *harness, struct contender *contender, const char *name, bool after)
{
    for (uint32_t i = 0; name && i < harness->contenders; i++) {
        struct contender *to = &harness->contender[i];
        if (strcmp(to->kind->name, name))
            continue;
        *(after ? &to->after : &to->beside) = contender;
        to->chosen |= contender->chosen;
    }
}

static void choose(struct harness *harness, const char *only)
{
    for (const struct kind *kind = kind_table; kind->name; kind++)
        harness->contender[harness->contenders++] =
            (struct contender){.kind = kind, .chosen = !only || named(only, kind->name)};
    /* from the end: what stands in the blocks of one that stands in those of another comes behind it */
    for (uint32_t i = harness->contenders; i-- > 0;) {
        const struct kind *kind = harness->contender[i].kind;
        attach(harness, &harness->contender[i], kind->beside, false);
        attach(harness, &harness->contender[i], kind->after, true);
    }
}

static uint32_t rounds_within(const struct harness *harness, int64_t span_ns)
{
    int64_t cost_ns = block_floor_cost_ns(harness);
    for (uint32_t i = 0; i < harness->contenders; i++)
        if (harness->contender[i].chosen && harness->contender[i].kind->block)
            cost_ns += block_cost_ns(harness, harness->contender[i].kind);
    int64_t rounds = span_ns * RARE_ROUNDS / cost_ns;
    return rounds < 1 ? 1 : rounds < ROUNDS_MAX ? (uint32_t)rounds : ROUNDS_MAX;
}

/* Each round begins one further on, and every other one goes backwards: what drifts, drifts for all. Also
 * every other one of those in which blocks run that come seldom, as LONG_ROUNDS is odd. */
static void run_round(struct harness *harness, uint32_t round)
{
    uint32_t places = harness->contenders + FLOORS;
    for (uint32_t i = 0; i < places && !told_to_stop; i++) {
        uint32_t at = (round % 2 ? places - 1 - i : i) + round;
        at %= places;
        if (at >= harness->contenders)
            block_floor(harness, at - harness->contenders, round);
        else
            block_run(harness, &harness->contender[at], round);
    }
}

static int measure(struct harness *harness)
{
    int result = harness_start(harness);
    if (result)
        return result;
    harness->rounds = rounds_within(harness, harness->span_ns);
    int64_t end_ns = bench_now_ns() + 2 * harness->span_ns;
    for (uint32_t round = 0; round < harness->rounds && bench_now_ns() < end_ns && !told_to_stop; round++)
        run_round(harness, round);
    return told_to_stop ? 1 : 0;
}

static int run(struct harness *harness, const struct options *options)
{
    struct rt_throttle throttle = {0};
    int64_t start_ns = bench_now_ns();
    harness->told_to_stop = &told_to_stop;
    harness->span_ns = options->seconds * NS_PER_S;
    harness->block_ns = (options->brief ? SHORT_BLOCK_MS : BLOCK_MS) * NS_PER_MS;
    harness->long_ns = LONG_MS * NS_PER_MS;
    choose(harness, options->only);
    int result = bench_alone("loops", (unsigned)options->seconds * OVERTIME + SET_UP_S);
    if (result)
        return fprintf(stderr, "loops: %s\n", strerror(-result)), 3;
    rt_throttle_lift(&throttle, RT_THROTTLE_FILE);
    result = harness_open(harness);
    if (!result)
        result = measure(harness);
    if (!result)
        print_all(harness, options->json, start_ns);
    harness_close(harness);
    rt_throttle_restore(&throttle);
    return result;
}

int main(int argc, char **argv)
{
    static struct harness harness;
    struct options options = {.seconds = SECONDS};
    int result = take_options(&options, argc, argv);
    if (result >= 0)
        return result;
    if (geteuid() != 0)
        return fputs("loops: skipped: needs root for namespaces, AF_PACKET and SCHED_FIFO\n", stderr), 77;
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
        return fputs("loops: skipped: needs two cores, one for each end\n", stderr), 77;
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    return run(&harness, &options);
}
