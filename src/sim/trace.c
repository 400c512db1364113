/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/trace.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/amount.h"
#include "sim/trace_parts.h"

/* A stagger of years, times many hosts. */
__extension__ typedef __int128 wide;

static int is_csv(const struct dirent *entry)
{
    size_t bytes = strlen(entry->d_name);
    return bytes > 4 && !strcmp(entry->d_name + bytes - 4, ".csv") && entry->d_name[0] != '.';
}

/* Not alphasort: its order is the locale's. */
static int by_name(const struct dirent **left, const struct dirent **right)
{
    return strcmp((*left)->d_name, (*right)->d_name);
}

static int load_one(struct trace *trace, const char *folder, const char *name, int64_t step_ns, FILE *report)
{
    struct trace_rows rows = {0};
    char path[4096];
    int bytes = snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (bytes < 0 || (size_t)bytes >= sizeof(path))
        return -ENAMETOOLONG;
    snprintf(trace->name, sizeof(trace->name), "%.*s", (int)(strlen(name) - 4), name);
    int result = trace_rows_read(&rows, trace, path, report);
    if (!result)
        result = trace_resample(trace, &rows, step_ns, path, report);
    free(rows.row);
    return result;
}

int traces_load(struct traces *traces, const char *folder, int64_t step_ns, FILE *report)
{
    struct dirent **entry = NULL;
    memset(traces, 0, sizeof(*traces));
    int found = scandir(folder, &entry, is_csv, by_name), result = 0;
    if (found < 0) {
        int error = errno;
        fprintf(report, "%s: %s\n", folder, strerror(error));
        return -error;
    }
    if (found == 0 || found > TRACES_MAX) {
        fprintf(report, "%s: %d files *.csv; 1 to %d are needed\n", folder, found, TRACES_MAX);
        result = -EINVAL;
    }
    traces->trace = calloc((size_t)found + 1, sizeof(*traces->trace));
    if (!traces->trace)
        result = -ENOMEM;
    for (int i = 0; i < found; i++) {
        int one = result && result != -EINVAL ? 0
                : found > TRACES_MAX ? 0 : load_one(&traces->trace[traces->count++], folder,
                                                   entry[i]->d_name, step_ns, report);
        result = one ? one : result;
        free(entry[i]);
    }
    free(entry);
    if (result)
        traces_unload(traces);
    return result;
}

void traces_unload(struct traces *traces)
{
    for (uint32_t i = 0; i < traces->count; i++)
        free(traces->trace[i].run);
    free(traces->trace);
    memset(traces, 0, sizeof(*traces));
}

static void print_junk(const struct trace *trace, FILE *out)
{
    static const char *const words[TRACE_JUNK_COUNT] = {"without two columns", "not a number", "negative",
        "not later than the row before"};
    const char *before = "not taken: ";
    for (int i = 0; i < TRACE_JUNK_COUNT; i++) {
        if (!trace->junk[i])
            continue;
        fprintf(out, "; %s%u %s (line %u)", before, trace->junk[i], words[i], trace->junk_line[i]);
        before = "";
    }
}

void traces_print(const struct traces *traces, FILE *out)
{
    for (uint32_t i = 0; i < traces->count; i++) {
        const struct trace *trace = &traces->trace[i];
        fprintf(out, "%s: %u rows, %.3f s, usually %.6f s apart; mean %.1f W, peak %.1f W", trace->name,
                trace->rows, (double)trace->length_ns / 1e9, (double)trace->usual_ns / 1e9, trace->mean_w,
                trace->peak_w);
        print_junk(trace, out);
        if (trace->gaps)
            fprintf(out, "; gaps bridged: %u, the longest %.6f s (before line %u)", trace->gaps,
                    (double)trace->gap_ns / 1e9, trace->gap_line);
        fputc('\n', out);
    }
}

bool trace_scale_parse(struct trace_play *play, const char *text)
{
    play->of_peak = amount_share(text, &play->scale);
    if (play->of_peak)
        return play->scale > 0 && play->scale <= 1;
    return amount_number(text, &play->scale) && play->scale > 0;
}

/* The run that holds at in_ns: near the cursor, or found by halves. */
static uint32_t find_run(const struct trace *trace, int64_t in_ns, uint32_t cursor)
{
    for (uint32_t i = cursor; i < cursor + 3 && i < trace->run_count; i++) {
        bool open = i + 1 == trace->run_count || in_ns < trace->run[i + 1].from_ns;
        if (open && in_ns >= trace->run[i].from_ns)
            return i;
    }
    uint32_t low = 0, high = trace->run_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (trace->run[middle].from_ns <= in_ns)
            low = middle;
        else
            high = middle;
    }
    return low;
}

struct trace_now trace_play(const struct trace_play *play, uint32_t host, double phys_max_w, int64_t t_ns,
                            uint32_t *cursor)
{
    const struct trace *trace = &play->traces->trace[host % play->traces->count];
    int64_t late_ns = (int64_t)((wide)(play->stagger_ns % trace->length_ns) * host % trace->length_ns);
    int64_t in_ns = (t_ns - late_ns) % trace->length_ns;
    in_ns += in_ns < 0 ? trace->length_ns : 0;
    *cursor = find_run(trace, in_ns, *cursor);
    int64_t end_ns = *cursor + 1 < trace->run_count ? trace->run[*cursor + 1].from_ns : trace->length_ns;
    double factor = play->of_peak ? play->scale * phys_max_w / trace->peak_w : play->scale;
    return (struct trace_now){
        .power_w = fmin(trace->run[*cursor].power_w * factor, phys_max_w),
        .until_ns = t_ns + end_ns - in_ns,
    };
}
