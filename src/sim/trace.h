/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measured power as a workload: a folder of CSVs, one workload a file, `t_s,power_w` at any rate.
 *
 * A row's power stands until the next row's time; the last one stands for the usual (median) distance of
 * rows. Every step of the plant carries the mean of that; the one step in which the highest row stands
 * carries that row instead, so that the peak outlives rows denser than steps. Steps of one power are a run.
 *
 * Not taken are rows with less or more than two columns, what is not a decimal number, negative power, and a
 * time that is not after the last row taken. More than a tenth of such rows, and the file is refused; a
 * number that is possible is believed. Where rows are further apart than one and a half times the usual
 * distance there is a gap: the row before it holds on for as long as TRACE_GAP_ROWS usual distances or
 * TRACE_GAP_NS, whichever is longer; a longer gap refuses the file, and so does a time more than 4e8 s from
 * the first.
 */
#ifndef FLYBALL_SIM_TRACE_H
#define FLYBALL_SIM_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "msg/limits.h"

enum { TRACES_MAX = 256, TRACE_ROWS_MAX = 1 << 24, TRACE_GAP_ROWS = 10, TRACE_JUNK_SHARE = 10 };
#define TRACE_GAP_NS (100 * NS_PER_MS)

enum trace_junk { JUNK_COLUMNS, JUNK_NUMBER, JUNK_NEGATIVE, JUNK_TIME, TRACE_JUNK_COUNT };

struct trace_run {
    int64_t from_ns;            /* a whole number of steps */
    double power_w;
};

struct trace {
    char name[NAME_BYTES];      /* of its file, without .csv */
    uint32_t rows;              /* taken */
    uint32_t junk[TRACE_JUNK_COUNT], junk_line[TRACE_JUNK_COUNT];   /* rows not taken, the first one's line */
    uint32_t gaps, gap_line;    /* bridged; the longest ends at that line */
    int64_t gap_ns;             /* the longest */
    int64_t usual_ns, length_ns;
    double peak_w, mean_w;
    uint32_t run_count;
    struct trace_run *run;
};

struct traces {
    uint32_t count;
    struct trace *trace;        /* by name of the file */
};

/* How traces become demand. */
struct trace_play {
    const struct traces *traces;        /* the caller's */
    bool of_peak;               /* `scale`: the share of the host's phys_max at which the highest row lies */
    double scale;               /* otherwise: demand is so many times the trace, phys_max at most */
    int64_t stagger_ns;         /* every host's copy is so much later than that of the host before */
};

/* setup: reads every *.csv of the folder into steps as long as the plant's (workload_step_ns). Every
 * finding is a line `file:line: ...` on `report`. 0; -EINVAL where a file is refused or there is none;
 * another -errno. */
int traces_load(struct traces *traces, const char *folder, int64_t step_ns, FILE *report);
void traces_unload(struct traces *traces);

/* any: a line a file: rows, what was not taken, gaps. */
void traces_print(const struct traces *traces, FILE *out);

/* any: "95%": of_peak; "12": a factor. */
bool trace_scale_parse(struct trace_play *play, const char *text);

struct trace_now {
    double power_w;             /* demand of the host, 0 .. phys_max */
    int64_t until_ns;           /* stays so until then */
};

/* any: host h follows trace h % count, its copy shifted by h x stagger, over and over. `cursor` is the host's
 * own, 0 at first: calls whose times rise find their place at once. */
struct trace_now trace_play(const struct trace_play *play, uint32_t host, double phys_max_w, int64_t t_ns,
                            uint32_t *cursor);

#endif
