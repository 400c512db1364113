/* SPDX-License-Identifier: Apache-2.0 */
/* What `flyball sim` is asked for. */
#ifndef FLYBALL_CLI_SIM_OPTIONS_H
#define FLYBALL_CLI_SIM_OPTIONS_H

#include "sim/history.h"
#include "sim/scenario.h"

enum { SIM_FAULTS_MAX = 256, SIM_KEEP_MAX = 256, SIM_SHRINK_RUNS = 200 };

/* Where --scale says nothing: the highest row of a trace is nearly all that a host can draw. */
#define SIM_SCALE "95%"

struct sim_range { uint32_t first, last; };

struct sim_options {
    const char *site, *server, *workload, *json, *trace;
    const char *stagger_text, *scale_text;      /* as they were given; NULL: not */
    struct trace_play play;             /* of them; without its traces */
    const struct scenario *scenario;    /* NULL: none */
    bool random, list, no_shrink;
    enum fault_level level;
    bool has_seed;
    uint64_t seed;
    double hours;                       /* 0: not said */
    int64_t duration_ns, until_ns;      /* 0: not said */
    uint32_t fault_count, keep_count;
    const char *fault[SIM_FAULTS_MAX];  /* in words, as they were given */
    struct sim_range keep[SIM_KEEP_MAX];        /* of the faults drawn */
    const char *keep_text;              /* NULL: all of them */
};

/* any: CLI_OK or CLI_USAGE, with the reason on standard error. */
int sim_parse(int argc, char **argv, struct sim_options *options);

/* any: is fault `index` of those drawn kept? */
bool sim_keeps(const struct sim_options *options, uint32_t index);

#endif
