/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sim/command.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./,=+:%@"

/* As one word of a shell. */
static void put_word(const char *word, FILE *out)
{
    if (*word && word[strspn(word, PLAIN)] == 0) {
        fprintf(out, " %s", word);
        return;
    }
    fputs(" '", out);
    for (; *word; word++) {
        if (*word == '\'')
            fputs("'\\''", out);
        else
            fputc(*word, out);
    }
    fputc('\'', out);
}

static void put_option(const char *name, const char *value, FILE *out)
{
    if (!value)
        return;
    fprintf(out, " %s", name);
    put_word(value, out);
}

/* The shortest unit in which a time is whole: it is read back as it was. */
static void put_time(const char *name, int64_t ns, FILE *out)
{
    static const struct { int64_t ns; const char *unit; } unit[] = {
        {NS_PER_S, "s"}, {NS_PER_MS, "ms"}, {NS_PER_US, "us"}, {1, "ns"},
    };
    size_t i = 0;
    while (ns % unit[i].ns)
        i++;
    fprintf(out, " %s %" PRId64 "%s", name, ns / unit[i].ns, unit[i].unit);
}

static void put_site(const struct sim_run *run, FILE *out)
{
    const struct sim_options *options = run->options;
    fputs("flyball sim", out);
    put_word(options->site, out);
    put_option("--server", options->server, out);
    put_option("--workload", options->workload, out);
    put_option("--trace", options->trace, out);
    put_option("--stagger", options->stagger_text, out);
    put_option("--scale", options->scale_text, out);
}

/* The shortest that reads back as the same number. */
static void put_hours(double hours, FILE *out)
{
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, hours);
        if (strtod(text, NULL) == hours)
            break;
    }
    put_option("--hours", text, out);
}

void sim_command(const struct sim_run *run, FILE *out)
{
    const struct sim_options *options = run->options;
    put_site(run, out);
    if (options->scenario)
        put_option("--scenario", options->scenario->name, out);
    if (options->random)
        fprintf(out, " --random --faults %s", history_level_name(options->level));
    fprintf(out, " --seed %" PRIu64, run->workload.seed);
    if (options->hours > 0)
        put_hours(options->hours, out);
    else
        put_time("--duration", run->duration_ns, out);
    put_option("--only", options->keep_text, out);
    for (uint32_t i = 0; i < options->fault_count; i++)
        put_option("--fault", options->fault[i], out);
    if (run->until_ns != run->duration_ns)
        put_time("--until", run->until_ns, out);
}

void sim_command_of(const struct sim_run *run, const struct history *history, int64_t until_ns, FILE *out)
{
    char text[160];
    const struct scenario *scenario = run->options->scenario;
    put_site(run, out);
    if (scenario)
        put_option("--scenario", scenario->name, out);
    if (!history->count && scenario)
        fputs(" --only none", out);
    else if (!history->count && !run->options->trace)
        fputs(" --random --faults none", out);
    fprintf(out, " --seed %" PRIu64, run->workload.seed);
    put_time("--duration", until_ns, out);
    for (uint32_t i = 0; i < history->count; i++) {
        fault_text(&history->fault[i], &run->site.model, text, sizeof text);
        put_option("--fault", text, out);
    }
}
