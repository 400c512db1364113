/* SPDX-License-Identifier: Apache-2.0 */
/* Budgets: what missed them by stage and cause, and times in which a hot thread did not run. */
#include "cli/status/status.h"

#include <string.h>

static double stage_sum(json_t *row)
{
    const char *key;
    json_t *value;
    double sum = 0;
    json_object_foreach(row, key, value)
        if (json_is_integer(value))
            sum += (double)json_integer_value(value);
    return sum;
}

/* The way is no part of the budget. */
static double all_of(json_t *stages)
{
    size_t i;
    json_t *row;
    double sum = 0;
    json_array_foreach(stages, i, row)
        sum += strcmp(status_word(row, "stage"), "way") ? stage_sum(row) : 0;
    return sum;
}

static void print_stages(FILE *out, json_t *stages)
{
    size_t i;
    json_t *row;
    fprintf(out, "%-8s %10s %10s %10s %10s %10s %10s %10s\n", "stage", "share ms", "gap", "long", "backlog",
            "work", "peer", "network");
    json_array_foreach(stages, i, row)
        fprintf(out, "%-8s %10.1f %10.0f %10.0f %10.0f %10.0f %10.0f %10.0f\n", status_word(row, "stage"),
                status_number(row, "share_ms"), status_number(row, "gap"), status_number(row, "long"),
                status_number(row, "backlog"), status_number(row, "work"), status_number(row, "peer"),
                status_number(row, "network"));
}

static void print_threads(FILE *out, json_t *threads)
{
    size_t i;
    json_t *row;
    fprintf(out, "%-16s %10s %10s %10s %10s %10s %10s\n", "did not run", "> 1 ms", "> 10 ms", "> 20 ms",
            "lost ms", "longest", "s ago");
    json_array_foreach(threads, i, row)
        fprintf(out, "%-16s %10.0f %10.0f %10.0f %10.1f %10.3f %10.1f\n", status_word(row, "thread"),
                status_number(row, "over_1ms"), status_number(row, "over_10ms"),
                status_number(row, "over_20ms"), status_number(row, "lost_ms"),
                status_number(row, "longest_ms"), status_number(row, "longest_ago_s"));
}

static void print_miss(FILE *out, const json_t *miss)
{
    const char *of = json_string_value(json_object_get(miss, "of"));
    const char *most = status_is_true(miss, "at_least") ? " or more" : "";
    fprintf(out, "%8.1f s ago  %9.3f ms%s  %s took %.3f ms%s: %s  %s%s%s %s, gaps %.3f ms\n",
            status_number(miss, "ago_s"), status_number(miss, "ms"), most, status_word(miss, "stage"),
            status_number(miss, "stage_ms"), strcmp(status_word(miss, "stage"), "wait") ? "" : most,
            status_word(miss, "cause"),
            status_is_true(miss, "emergency") ? "emergency " : "",
            status_is_true(miss, "lease") ? "lease after " : "", status_word(miss, "class"), of ? of : "",
            status_number(miss, "gap_ms"));
}

/* On the page there is nothing to say while nothing was missed. */
void status_print_budget(FILE *out, json_t *budget, bool whole)
{
    json_t *stages = json_object_get(budget, "stages"), *miss;
    double misses = all_of(stages);
    size_t i;
    if (!whole && misses <= 0)
        return;
    fprintf(out, "\nbudget %.1f ms: %.0f missed it%s\n", status_number(budget, "budget_ms"), misses,
            whole ? "" : "; --budget tells where and why");
    if (!whole)
        return;
    print_stages(out, stages);
    print_threads(out, json_object_get(budget, "threads"));
    json_array_foreach(json_object_get(budget, "newest"), i, miss)
        print_miss(out, miss);
}
