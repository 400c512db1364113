/* SPDX-License-Identifier: Apache-2.0 */
/* One watch: what is asked for, and what was seen when it is over. */
#ifndef FLYBALL_CLI_LATENCY_WATCH_H
#define FLYBALL_CLI_LATENCY_WATCH_H

#include <jansson.h>

#include "cli/latency/latency_map.h"
#include "cli/latency/latency_place.h"
#include "cli/latency/latency_probes.h"

/* The daemon's own figures, asked at its door. */
struct own_counts {
    bool known;
    uint64_t slots;         /* worked by decide */
    uint64_t sent;          /* leases that the port took */
    uint64_t frames;        /* all lanes */
};

/* What the probes counted lies between what the daemon counted from after they began to before they ended,
 * and from before to after. */
struct own_bounds {
    struct own_counts before, begin, end, after;
};

struct watch {
    const char *door;               /* NULL: nobody to ask */
    struct target target;
    struct place place;
    enum latency_stage map_stage;
    int64_t for_ns;                 /* 0: until a signal */
    struct stages stages;
    struct noise noise;
    bool noise_there;
    char noise_why[PROBES_WHY_BYTES];
    int64_t began_ns, ended_ns;     /* CLOCK_MONOTONIC */
    struct stages_seen seen;
    struct noise_seen noise_seen;
    struct own_bounds own;
    struct map map;
};

/* True: they agree; also where the daemon could not be asked. */
bool watch_agrees(const struct watch *watch);

/* The name of a stage and what it is; of a kind of theft likewise. */
const char *watch_stage_name(uint32_t stage);
const char *watch_stage_words(uint32_t stage);

/* Row of the kernel's as the histogram that it is. */
uint64_t watch_quantile_ns(const struct latency_row *row, double q);

void watch_print(const struct watch *watch, FILE *out);
json_t *watch_json(const struct watch *watch);

#endif
