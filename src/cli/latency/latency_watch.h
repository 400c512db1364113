/* SPDX-License-Identifier: Apache-2.0 */
/* One watch: what is asked for, and what was seen when it is over. */
#ifndef FLYBALL_CLI_LATENCY_WATCH_H
#define FLYBALL_CLI_LATENCY_WATCH_H

#include <jansson.h>

#include "cli/latency/latency_map.h"
#include "cli/latency/latency_place.h"
#include "cli/latency/latency_probes.h"
#include "cli/latency/latency_rows.h"
#include "cli/latency/latency_wire.h"

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
    struct wire wire;
    bool noise_there;
    char noise_why[PROBES_WHY_BYTES];
    int64_t began_ns, ended_ns;     /* CLOCK_MONOTONIC */
    struct stages_seen seen;
    struct noise_seen noise_seen;
    struct wire_seen wire_seen;
    struct own_bounds own;
    struct map map;
};

/* True: they agree; also where the daemon could not be asked. */
bool watch_agrees(const struct watch *watch);

const char *watch_stage_name(uint32_t stage);

void watch_print(const struct watch *watch, FILE *out);
json_t *watch_json(const struct watch *watch);

#endif
