/* SPDX-License-Identifier: Apache-2.0 */
/* Rows -> runs of steps of the plant. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "sim/trace_parts.h"

struct resampler {
    struct trace *trace;
    uint32_t room;
    int64_t length_ns;          /* of a step */
    int64_t step_ns;            /* where the open step begins */
    double energy_wns, highest_w;       /* of the open step so far */
    int64_t covered_ns;
    double total_wns;
    bool peak_kept, failed;
};

static int by_length(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return a < b ? -1 : a > b;
}

static int64_t find_usual_ns(const struct trace_rows *rows)
{
    uint32_t count = rows->count - 1;
    int64_t *distance_ns = calloc(count, sizeof(*distance_ns));
    if (!distance_ns)
        return -ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        distance_ns[i] = rows->row[i + 1].t_ns - rows->row[i].t_ns;
    qsort(distance_ns, count, sizeof(*distance_ns), by_length);
    int64_t usual_ns = distance_ns[count / 2];
    free(distance_ns);
    return usual_ns;
}

/* Gaps are counted; one that is too long refuses the file. */
static int find_gaps(struct trace *trace, const struct trace_rows *rows, const char *path, FILE *report)
{
    int64_t most_ns = TRACE_GAP_ROWS * trace->usual_ns;
    most_ns = most_ns > TRACE_GAP_NS ? most_ns : TRACE_GAP_NS;
    for (uint32_t i = 1; i < rows->count; i++) {
        int64_t distance_ns = rows->row[i].t_ns - rows->row[i - 1].t_ns;
        if (distance_ns <= trace->usual_ns + trace->usual_ns / 2)
            continue;
        if (distance_ns > most_ns) {
            fprintf(report, "%s:%u: a gap of %.3f s, more than the %.3f s that are bridged\n", path,
                    rows->row[i].line, (double)distance_ns / 1e9, (double)most_ns / 1e9);
            return -EINVAL;
        }
        trace->gaps++;
        if (distance_ns <= trace->gap_ns)
            continue;
        trace->gap_ns = distance_ns;
        trace->gap_line = rows->row[i].line;
    }
    return 0;
}

static void emit(struct resampler *resampler, double power_w)
{
    struct trace *trace = resampler->trace;
    if (trace->run_count && trace->run[trace->run_count - 1].power_w == power_w)
        return;
    if (trace->run_count == resampler->room) {
        uint32_t room = resampler->room ? 2 * resampler->room : 1024;
        struct trace_run *grown = realloc(trace->run, room * sizeof(*grown));
        if (!grown) {
            resampler->failed = true;
            return;
        }
        trace->run = grown;
        resampler->room = room;
    }
    trace->run[trace->run_count++] = (struct trace_run){resampler->step_ns, power_w};
}

static void close_step(struct resampler *resampler)
{
    double power_w = resampler->energy_wns / (double)resampler->covered_ns;
    if (!resampler->peak_kept && resampler->highest_w == resampler->trace->peak_w) {
        resampler->peak_kept = true;
        power_w = resampler->highest_w;
    }
    emit(resampler, power_w);
    resampler->step_ns += resampler->length_ns;
    resampler->energy_wns = resampler->highest_w = 0;
    resampler->covered_ns = 0;
}

/* A row stands for so long. */
static void stand(struct resampler *resampler, double power_w, int64_t for_ns)
{
    resampler->total_wns += power_w * (double)for_ns;
    while (for_ns > 0) {
        int64_t part_ns = resampler->length_ns - resampler->covered_ns;
        part_ns = part_ns < for_ns ? part_ns : for_ns;
        if (part_ns == resampler->length_ns) {     /* all whole steps at once */
            emit(resampler, power_w);
            resampler->peak_kept = resampler->peak_kept || power_w == resampler->trace->peak_w;
            part_ns = for_ns / resampler->length_ns * resampler->length_ns;
            resampler->step_ns += part_ns;
            for_ns -= part_ns;
            continue;
        }
        resampler->energy_wns += power_w * (double)part_ns;
        resampler->highest_w = fmax(resampler->highest_w, power_w);
        resampler->covered_ns += part_ns;
        for_ns -= part_ns;
        if (resampler->covered_ns == resampler->length_ns)
            close_step(resampler);
    }
}

int trace_resample(struct trace *trace, const struct trace_rows *rows, int64_t step_ns, const char *path,
                   FILE *report)
{
    struct resampler resampler = {.trace = trace, .length_ns = step_ns};
    trace->usual_ns = find_usual_ns(rows);
    int result = trace->usual_ns < 0 ? -ENOMEM : find_gaps(trace, rows, path, report);
    if (result)
        return result;
    for (uint32_t i = 0; i < rows->count; i++)
        trace->peak_w = fmax(trace->peak_w, rows->row[i].power_w);
    if (trace->peak_w <= 0) {
        fprintf(report, "%s:2: no row has any power\n", path);
        return -EINVAL;
    }
    for (uint32_t i = 0; i < rows->count && !resampler.failed; i++) {
        bool last = i + 1 == rows->count;
        int64_t for_ns = last ? trace->usual_ns : rows->row[i + 1].t_ns - rows->row[i].t_ns;
        stand(&resampler, rows->row[i].power_w, for_ns);
    }
    int64_t end_ns = rows->row[rows->count - 1].t_ns + trace->usual_ns;
    if (resampler.covered_ns > 0)
        close_step(&resampler);
    trace->length_ns = resampler.step_ns;
    trace->mean_w = resampler.total_wns / (double)end_ns;
    return resampler.failed ? -ENOMEM : 0;
}
