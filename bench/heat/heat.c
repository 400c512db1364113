/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attacks of safety.md section 12 that concern heat: random devices, a meter that reads low, adversaries
 * that draw whatever leases permit, in simulated time, against the plant's own breakers. A trip is a failure
 * with the heat margin, and expected with a plain time margin in its place.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/heat/hour.h"
#include "bench/report.h"

enum { HOURS_EACH = 2, JOBS_MAX = 64 };

struct options {
    struct heat_rules rules;
    bool json;
    uint32_t hours, jobs;
    int64_t only;               /* this device alone; -1 = all */
};

static const char *const margin_name[] = {[MARGIN_HEAT] = "heat", [MARGIN_TIME] = "time"};
static const char *const rule_name[] = {[RULE_GRANT] = "grant",
                                        [RULE_EMERGENCY] = "emergency",
                                        [RULE_PERMIT] = "permit",
                                        [RULE_EXPOSURE] = "exposure"};

/* ---- options ---- */

static int usage(void)
{
    fputs("usage: heat [--json] [--hours N] [--seed S] [--margin heat|time] [--rule "
          "grant|emergency|permit|exposure]\n"
          "            [--jobs J] [--device I]\n",
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

static bool take_name(const char *text, const char *const *name, uint32_t count, uint32_t *index)
{
    for (*index = 0; *index < count; (*index)++)
        if (!strcmp(text, name[*index]))
            return true;
    return false;
}

static bool take_option(struct options *o, const char *name, const char *text)
{
    uint64_t value = 0;
    uint32_t index = 0;
    bool good = false;
    if (!strcmp(name, "--hours")) {
        good = take_number(text, 10000000, &value) && value;
        o->hours = (uint32_t)value;
    } else if (!strcmp(name, "--seed")) {
        good = take_number(text, UINT64_MAX, &value);
        o->rules.seed = value;
    } else if (!strcmp(name, "--jobs")) {
        good = take_number(text, JOBS_MAX, &value) && value;
        o->jobs = (uint32_t)value;
    } else if (!strcmp(name, "--device")) {
        good = take_number(text, UINT32_MAX, &value);
        o->only = (int64_t)value;
    } else if (!strcmp(name, "--margin")) {
        good = take_name(text, margin_name, 2, &index);
        o->rules.margin = (enum heat_margin)index;
    } else if (!strcmp(name, "--rule")) {
        good = take_name(text, rule_name, 4, &index);
        o->rules.rule = (enum heat_rule)index;
    }
    return good;
}

static bool take_options(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--json")) {
            o->json = true;
        } else if (i + 1 == argc || !take_option(o, argv[i], argv[i + 1])) {
            fprintf(stderr, "heat: cannot use '%s'\n", argv[i]);
            return false;
        } else {
            i++;
        }
    }
    return true;
}

/* ---- processes ---- */

/* Device i is of process i modulo jobs: the sums are the same for any number of them. */
static void work(const struct options *o, uint32_t job, struct tally *tally)
{
    for (uint32_t i = job, first = job * HOURS_EACH; first < o->hours; i += o->jobs, first = i * HOURS_EACH)
        if (o->only < 0 || o->only == i)
            heat_live(&o->rules, i, o->hours - first < HOURS_EACH ? o->hours - first : HOURS_EACH, tally);
}

static bool hand_over(int pipe_end, const struct tally *tally)
{
    const char *data = (const char *)tally;
    for (size_t left = sizeof *tally; left;) {
        ssize_t n = write(pipe_end, data, left);
        if (n <= 0)
            return false;
        data += n;
        left -= (size_t)n;
    }
    return true;
}

static bool take_over(int pipe_end, struct tally *tally)
{
    char *data = (char *)tally;
    for (size_t left = sizeof *tally; left;) {
        ssize_t n = read(pipe_end, data, left);
        if (n <= 0)
            return false;
        data += n;
        left -= (size_t)n;
    }
    return true;
}

static int start_job(const struct options *o, uint32_t job, pid_t *child)
{
    static struct tally tally;
    int ends[2];
    if (pipe(ends))
        return -1;
    *child = fork();
    if (*child == 0) {
        close(ends[0]);
        work(o, job, &tally);
        _exit(hand_over(ends[1], &tally) ? 0 : 1);
    }
    close(ends[1]);
    return *child < 0 ? -1 : ends[0];
}

static bool run(const struct options *o, struct tally *total)
{
    static struct tally part;
    pid_t child[JOBS_MAX];
    int from[JOBS_MAX], status;
    bool good = true;
    for (uint32_t job = 0; job < o->jobs; job++) {
        from[job] = start_job(o, job, &child[job]);
        if (from[job] < 0)
            return false;
    }
    for (uint32_t job = 0; job < o->jobs; job++) {
        good &= take_over(from[job], &part);
        close(from[job]);
        waitpid(child[job], &status, 0);
        good &= WIFEXITED(status) && WEXITSTATUS(status) == 0;
        if (good)
            tally_merge(total, &part);
    }
    return good;
}

/* ---- report ---- */

static void report_spread(struct bench_report *r, const struct spread *spread, uint32_t per_unit)
{
    bench_count(r, "n", spread->count);
    bench_number(r, "p50", spread_quantile(spread, 0.5, per_unit));
    bench_number(r, "p90", spread_quantile(spread, 0.9, per_unit));
    bench_number(r, "p99", spread_quantile(spread, 0.99, per_unit));
    bench_number(r, "p999", spread_quantile(spread, 0.999, per_unit));
    bench_number(r, "max", spread->most);
}

static void report_adversaries(struct bench_report *r, const struct tally *t)
{
    bench_open(r, "by_adversary");
    for (int i = 0; i < HEAT_ADVERSARY_COUNT; i++) {
        bench_open(r, heat_adversary_name((enum heat_adversary)i));
        bench_count(r, "hours", t->hours_of[i]);
        bench_count(r, "trips", t->trips_of[i]);
        bench_open(r, "heat_over_trip");
        report_spread(r, &t->heat_of[i], HEAT_PER_UNIT);
        bench_close(r);
        bench_close(r);
    }
    bench_close(r);
}

static void report_kinds(struct bench_report *r, const struct tally *t)
{
    bench_open(r, "by_kind");
    for (int i = 0; i < HEAT_KIND_COUNT; i++) {
        bench_open(r, heat_kind_name((enum heat_kind)i));
        bench_count(r, "hours", t->hours_kind[i]);
        bench_count(r, "trips", t->trips_kind[i]);
        bench_close(r);
    }
    bench_close(r);
    bench_open(r, "by_element");
    for (int i = TRIP_NONE + 1; i < TRIP_ELEMENT_COUNT; i++)
        bench_count(r, trip_element_name((enum trip_element)i), t->trips_element[i]);
    bench_close(r);
}

static void report_trips(struct bench_report *r, const struct tally *t)
{
    char key[32];
    bench_open(r, "first_trips");
    for (uint32_t i = 0; i < t->kept; i++) {
        const struct trip_note *n = &t->note[i];
        snprintf(key, sizeof key, "%u", i + 1);
        bench_open(r, key);
        bench_count(r, "device", n->device);
        bench_count(r, "hour", n->hour);
        bench_number(r, "at_s", n->at_s);
        bench_text(r, "kind", heat_kind_name(n->kind));
        bench_text(r, "adversary", heat_adversary_name(n->adversary));
        bench_text(r, "element", trip_element_name(n->element));
        bench_number(r, "load_a", n->load_a);
        bench_number(r, "steady_a", n->steady_a);
        bench_number(r, "respond_s", n->respond_s);
        bench_number(r, "meter_low", n->meter_low);
        bench_number(r, "heat", n->heat);
        bench_number(r, "travel", n->travel);
        bench_number(r, "heat_known", n->heat_hat);
        bench_number(r, "travel_known", n->travel_hat);
        bench_close(r);
    }
    bench_close(r);
}

static void report(const struct options *o, const struct tally *t, int64_t wall_ns)
{
    static struct spread nearest;
    struct bench_report r;
    struct utsname machine;
    for (int i = 0; i < HEAT_ADVERSARY_COUNT; i++)
        spread_merge(&nearest, &t->heat_of[i]);
    bench_begin(&r, o->json, "heat");
    if (!uname(&machine)) {
        bench_text(&r, "machine", machine.machine);
        bench_text(&r, "kernel", machine.release);
    }
    bench_count(&r, "cores", (uint64_t)sysconf(_SC_NPROCESSORS_ONLN));
    bench_text(&r, "driver", "simulated");
    bench_text(&r, "margin", margin_name[o->rules.margin]);
    bench_text(&r, "rule", rule_name[o->rules.rule]);
    bench_count(&r, "seed", o->rules.seed);
    bench_count(&r, "n", t->steps);
    bench_count(&r, "hours", t->hours);
    bench_count(&r, "devices", t->devices);
    bench_count(&r, "devices_refused", t->refused);
    bench_count(&r, "plant_steps", t->plant_steps);
    bench_count(&r, "decisions", t->decisions);
    bench_count(&r, "trips", t->trips);
    bench_count(&r, "emergencies", t->emergencies);
    bench_number(&r, "share_above_steady", (double)t->excursion_steps / (double)(t->steps + !t->steps));
    bench_open(&r, "heat_over_trip");
    report_spread(&r, &nearest, HEAT_PER_UNIT);
    bench_close(&r);
    bench_open(&r, "grant_over_steady");
    report_spread(&r, &t->grant, GRANT_PER_UNIT);
    bench_close(&r);
    report_adversaries(&r, t);
    report_kinds(&r, t);
    report_trips(&r, t);
    bench_count(&r, "jobs", o->jobs);
    bench_number(&r, "duration_s", (double)wall_ns / 1e9);
    bench_number(&r, "ns_per_step", (double)wall_ns * o->jobs / (double)(t->steps + !t->steps));
    bench_end(&r);
}

int main(int argc, char **argv)
{
    static struct tally total;
    struct options options = {
        .rules = {.seed = 20261121, .rule = RULE_EMERGENCY}, .hours = 100, .jobs = 2, .only = -1};
    if (!take_options(&options, argc, argv))
        return usage();
    int64_t start_ns = bench_now_ns();
    if (!run(&options, &total))
        return fputs("heat: a process did not finish\n", stderr), 1;
    report(&options, &total, bench_now_ns() - start_ns);
    return 0;
}
