/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random graphs (safety.md sections 4, 5, 9 and the theorem; domain.md P9, P16): whole decisions on random
 * sites under traces and faults, each judged after every slot by a second ledger and by devices of their own.
 * A case that fails is made small and printed as the command that repeats it.
 */
#include <malloc.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "graph.h"
#include "run.h"

enum { CASES = 100000, CASES_LONG = 10000000, SHRINK_RUNS = 3000, SHRUNK_MAX = 3, JOBS_MAX = 64 };

/* Of one process; those of all are added up. */
struct sums {
    uint64_t cases, failures, slots, leases, faults;
    uint64_t reached[STATE_COUNT], nodes[BUILT_NODES_MAX + 1], hosts[BUILT_HOSTS_MAX + 1];
};

static const char *const state_words[STATE_COUNT] = {
    "recovery after the start",
    "emergency",
    "lending",
    "a feed seen lost", "loads moved by a loss",
    "meters standing in",
    "fail-safe",
    "another controller",
    "a hand-over",
    "power granted ahead", "a node safe to take out",
    "D above the steady limit, held against the curve",
    "a device judged again after more resets than k",
};

/* What almost none of so many cases reached is not tested: parts of 1000 that there must be. */
static const uint32_t state_least[STATE_COUNT] = {100, 100, 50, 80, 50, 10, 100, 100, 10, 100, 10, 40, 10};

struct tools {
    struct graph_devices *devices;
    struct graph_plan plan;
    struct graph_case some;
    struct graph_told told;
};

static struct tools *tools_new(void)
{
    struct tools *tools = calloc(1, sizeof *tools);
    if (!tools)
        abort();
    tools->devices = graph_devices_new();
    return tools;
}

static void tools_free(struct tools *tools)
{
    graph_devices_free(tools->devices);
    free(tools);
}

static void draw(struct tools *tools, uint64_t seed, enum graph_plant plant)
{
    model_unbuild(graph_draw(seed, &tools->plan));
    graph_whole(&tools->plan, plant, &tools->some);
}

/* Shrinks the case that fails, says it, and leaves what its last run told. */
static uint32_t make_small(struct tools *tools)
{
    uint32_t runs = graph_shrink(&tools->plan, &tools->some, tools->devices, SHRINK_RUNS);
    graph_run(&tools->plan, &tools->some, tools->devices, &tools->told);
    return runs;
}

static void one(struct tools *tools, uint64_t seed, struct sums *sums)
{
    draw(tools, seed, GRAPH_NOTHING);
    graph_run(&tools->plan, &tools->some, tools->devices, &tools->told);
    const struct graph_told *told = &tools->told;
    sums->cases++;
    sums->slots += told->slots;
    sums->leases += told->leases;
    sums->faults += tools->plan.fault_count;
    sums->nodes[told->nodes]++;
    sums->hosts[told->hosts]++;
    for (uint32_t s = 0; s < STATE_COUNT; s++)
        sums->reached[s] += told->reached >> s & 1;
    if (told->good)
        return;
    if (sums->failures++ < SHRUNK_MAX) {
        make_small(tools);
        graph_print(&tools->plan, &tools->some, &tools->told);
        fflush(stdout);
    } else {
        printf("FAILED: graph_property --case %llu: %s\n", (unsigned long long)seed, told->complaint);
    }
}

/* ---- many, by some processes at a time ---- */

static void part(const struct run *run, uint32_t job, uint32_t jobs, struct sums *sums)
{
    struct tools *tools = tools_new();
    for (uint64_t i = job; i < run->cases; i += jobs)
        one(tools, run->seed + i, sums);
    tools_free(tools);
}

static bool fork_parts(const struct run *run, uint32_t jobs, struct sums *sums)
{
    bool whole = true;
    fflush(stdout);
    for (uint32_t job = 0; job < jobs; job++) {
        pid_t child = fork();
        if (child < 0)
            abort();
        if (child > 0)
            continue;
        part(run, job, jobs, &sums[job]);
        fflush(stdout);
        _exit(0);
    }
    for (uint32_t job = 0; job < jobs; job++) {
        int status;
        whole &= wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    return whole;
}

static void add(struct sums *to, const struct sums *from)
{
    /* nothing but counts */
    uint64_t *a = (uint64_t *)to;
    const uint64_t *b = (const uint64_t *)from;
    for (size_t i = 0; i < sizeof *to / sizeof *a; i++)
        a[i] += b[i];
}

struct spread { uint32_t least, median, most; };

static struct spread spread_of(const uint64_t *count, uint32_t most, uint64_t cases)
{
    struct spread spread = {0, 0, 0};
    uint64_t before = 0;
    for (uint32_t i = 0; i <= most; i++) {
        if (!count[i])
            continue;
        spread.least = before ? spread.least : i;
        spread.median = 2 * before < cases ? i : spread.median;
        spread.most = i;
        before += count[i];
    }
    return spread;
}

static uint64_t tell(const struct run *run, const struct sums *sums)
{
    struct spread nodes = spread_of(sums->nodes, BUILT_NODES_MAX, sums->cases);
    struct spread hosts = spread_of(sums->hosts, BUILT_HOSTS_MAX, sums->cases);
    uint64_t failures = sums->failures;
    printf("nodes: %u least, %u median, %u most; hosts: %u, %u, %u; %llu slots, %llu leases, %llu faults\n",
           nodes.least, nodes.median, nodes.most, hosts.least, hosts.median, hosts.most,
           (unsigned long long)sums->slots, (unsigned long long)sums->leases,
           (unsigned long long)sums->faults);
    for (uint32_t s = 0; s < STATE_COUNT; s++) {
        bool few = sums->cases >= 1000 && sums->reached[s] * 1000 < sums->cases * state_least[s];
        printf("%s%s: %llu cases\n", few ? "FAILED: too few came to " : "", state_words[s],
               (unsigned long long)sums->reached[s]);
        failures += few;
    }
    if (sums->cases >= 10000 && nodes.most < 180) {
        printf("FAILED: no site is large\n");
        failures++;
    }
    run_end(run, failures);
    return failures;
}

static int many(const struct run *run, uint32_t jobs)
{
    size_t bytes = jobs * sizeof(struct sums);
    struct sums *sums = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (sums == MAP_FAILED)
        abort();
    bool whole = true;
    if (jobs > 1)
        whole = fork_parts(run, jobs, sums);
    else
        part(run, 0, 1, sums);
    for (uint32_t job = 1; job < jobs; job++)
        add(&sums[0], &sums[job]);
    if (!whole)
        printf("FAILED: a process died\n");
    uint64_t failures = tell(run, &sums[0]) + !whole;
    munmap(sums, bytes);
    return failures ? 1 : 0;
}

/* ---- one case, as a command says it ---- */

/* --until-ms and what follows --case; false: no such option. */
static bool case_option(struct tools *tools, int argc, char **argv, int *i)
{
    struct graph_case *some = &tools->some;
    const struct graph_plan *plan = &tools->plan;
    const char *option = argv[*i], *value = *i + 1 < argc ? argv[*i + 1] : "";
    if (!strcmp(option, "--no-end")) {
        some->end = false;
        return true;
    }
    ++*i;
    if (!strcmp(option, "--until-ms"))
        some->until_ns = strtoll(value, NULL, 10) * NS_PER_MS;
    else if (!strcmp(option, "--faults"))
        return graph_parse_list(value, some->fault, plan->fault_count) == 0;
    else if (!strcmp(option, "--plain"))
        return graph_parse_plain(value, &some->plain) == 0;
    else if (!strcmp(option, "--planted") && strtoul(value, NULL, 10) < GRAPH_PLANT_COUNT)
        some->plant = (enum graph_plant)strtoul(value, NULL, 10);
    else if (!strcmp(option, "--hosts") || !strcmp(option, "--nodes")) {
        bool hosts = !strcmp(option, "--hosts");
        some->cut = true;
        return graph_parse_list(value, hosts ? some->keep.host : some->keep.node,
                                hosts ? plan->hosts : plan->nodes) == 0;
    } else
        return false;
    return true;
}

/* argv[0] is the number of the case. `fails`, if any, is what must stand in its complaint. */
static int again(struct tools *tools, int argc, char **argv, bool shrink, const char *fails)
{
    draw(tools, strtoull(argv[0], NULL, 0), GRAPH_NOTHING);
    for (int i = 1; i < argc; i++)
        if (!case_option(tools, argc, argv, &i))
            return fprintf(stderr, "graph_property: %s is nothing that --case knows\n", argv[i]), 2;
    graph_run(&tools->plan, &tools->some, tools->devices, &tools->told);
    if (!tools->told.good && shrink)
        make_small(tools);
    if (!tools->told.good)
        graph_print(&tools->plan, &tools->some, &tools->told);
    else
        printf("graph_property: holds; %u nodes, %u hosts, %llu slots%s\n", tools->told.nodes,
               tools->told.hosts, (unsigned long long)tools->told.slots,
               tools->told.empty ? "; nothing is left of the site" : "");
    return fails ? tools->told.good || !strstr(tools->told.complaint, fails) : !tools->told.good;
}

/* ---- planted faults: found, made small, and the command repeats them ---- */

struct smallest { uint32_t hosts, nodes, faults, slots; };

/* How small the smallest case of a planted fault is at most. */
static const struct smallest bounds[GRAPH_PLANT_COUNT] = {
    [GRAPH_HELD] = {1, 1, 0, 60},
    [GRAPH_OBEYED] = {1, 1, 1, 120},
    [GRAPH_NOBODY_BAD] = {3, 3, 0, 120},
    [GRAPH_NEVER_STALE] = {3, 3, 1, 400},
    [GRAPH_READS_LOW] = {3, 2, 0, 200},
};

/* The printed command, taken apart and run: the same complaint at the same time. */
static bool repeats(struct tools *tools)
{
    char command[4096], *word[64] = {NULL};
    struct graph_told first = tools->told;
    int count = 0;
    graph_command(&tools->plan, &tools->some, command, sizeof command);
    for (char *at = strtok(command, " "); at && count < 64; at = strtok(NULL, " "))
        word[count++] = at;
    draw(tools, tools->plan.seed, GRAPH_NOTHING);
    for (int i = 3; i < count; i++)
        if (!case_option(tools, count, word, &i))
            return false;
    graph_run(&tools->plan, &tools->some, tools->devices, &tools->told);
    return !tools->told.good && !strcmp(first.complaint, tools->told.complaint) &&
           first.t_ns == tools->told.t_ns && first.slots == tools->told.slots;
}

static bool planted(struct tools *tools, const struct run *run, enum graph_plant plant)
{
    uint64_t seed = run->seed;
    for (; seed < run->seed + run->cases; seed++) {
        draw(tools, seed, plant);
        graph_run(&tools->plan, &tools->some, tools->devices, &tools->told);
        if (!tools->told.good)
            break;
    }
    if (tools->told.good) {
        printf("FAILED: %s: not found in %llu cases\n", graph_plant_name(plant),
               (unsigned long long)run->cases);
        return false;
    }
    uint32_t nodes = tools->told.nodes, hosts = tools->told.hosts, runs = make_small(tools);
    struct graph_size size = graph_size(&tools->plan, &tools->some);
    const struct smallest *bound = &bounds[plant];
    bool small = tools->told.hosts <= bound->hosts && tools->told.nodes <= bound->nodes &&
                 size.faults <= bound->faults && tools->told.slots <= bound->slots;
    printf("planted: %s: case %llu, %u nodes and %u hosts, made small in %u runs:\n", graph_plant_name(plant),
           (unsigned long long)seed, nodes, hosts, runs);
    graph_print(&tools->plan, &tools->some, &tools->told);
    if (!small)
        printf("FAILED: not small: at most %u hosts, %u nodes, %u faults, %u slots\n", bound->hosts,
               bound->nodes, bound->faults, bound->slots);
    bool same = repeats(tools);
    if (!same)
        printf("FAILED: the command does not repeat it\n");
    return small && same;
}

static int all_planted(struct tools *tools, const struct run *run)
{
    uint64_t failures = 0;
    for (enum graph_plant plant = GRAPH_NOTHING + 1; plant < GRAPH_PLANT_COUNT; plant++)
        failures += !planted(tools, run, plant);
    run_end(run, failures);
    return failures ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct run run = run_begin("graph_property", CASES, CASES_LONG);
    uint32_t jobs = 1;
    bool plant = false, shrink = false;
    const char *fails = NULL;
    /* what a large case takes is kept for the next one */
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    for (int i = 1; i < argc; i++) {
        if (run_option(&run, argc, argv, &i))
            continue;
        if (!strcmp(argv[i], "--shrink-planted"))
            plant = true;
        else if (!strcmp(argv[i], "--shrink"))
            shrink = true;
        else if (!strcmp(argv[i], "--fails") && i + 1 < argc)
            fails = argv[++i];
        else if (!strcmp(argv[i], "--jobs") && i + 1 < argc)
            jobs = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--case") && i + 1 < argc) {
            struct tools *tools = tools_new();
            int code = again(tools, argc - i - 1, argv + i + 1, shrink, fails);
            tools_free(tools);
            return code;
        } else
            return run_usage(&run, " [--jobs N] | --shrink-planted |"
                                   " [--shrink] [--fails WORDS] --case SEED [WHAT IS KEPT]");
    }
    if (!plant)
        return many(&run, jobs < 1 ? 1 : jobs > JOBS_MAX ? JOBS_MAX : jobs);
    struct tools *tools = tools_new();
    int code = all_planted(tools, &run);
    tools_free(tools);
    return code;
}
