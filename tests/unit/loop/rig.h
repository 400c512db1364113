/* SPDX-License-Identifier: Apache-2.0 */
/* A small site, a clock that stands still, a port that takes what it is told to take, and a core that does
 * as scripted. */
#ifndef FLYBALL_TESTS_UNIT_LOOP_RIG_H
#define FLYBALL_TESTS_UNIT_LOOP_RIG_H

#include "loop/decide.h"
#include "loop/egress.h"
#include "loop/lane.h"

enum {
    RIG_METERS = 3,
    RIG_HOSTS = 8,
    RIG_NODES = 3,
    RIG_PLACES = 256,
    RIG_SENT_MAX = 512,
    RIG_STEPS_MAX = 1024
};

struct rig_site {
    struct model model;
    struct model_node node[RIG_NODES];
    struct model_meter meter[RIG_METERS];
    struct model_host host[RIG_HOSTS];
    struct model_host_type type;
    struct site_address address[RIG_HOSTS];
};
void rig_site_init(struct rig_site *site);

/* A base whose clock stands at now_ns; `rig_clock_set` moves it. */
void rig_clock_init(struct timebase *base, int64_t now_ns);
void rig_clock_set(struct timebase *base, int64_t now_ns);

struct rig_port {
    struct port port;
    uint32_t takes;             /* frames of each send call that are taken */
    uint32_t sent;
    uint8_t data[RIG_SENT_MAX][EGRESS_FRAME_BYTES];
    uint32_t length[RIG_SENT_MAX];
};
void rig_port_init(struct rig_port *port);

struct spsc *rig_queue(uint32_t record_bytes, uint32_t count);
void rig_queue_drop(struct spsc *queue);

/* The scripted core: notes every step, sends `leases` normal and `emergencies` emergency leases at each. */
struct core {
    struct core_counters counters;
    struct degrade_row degraded[DEGRADATION_COUNT];
    uint32_t leases, emergencies;
    bool digest, open;
    uint32_t steps;
    struct slot step[RIG_STEPS_MAX];
    uint32_t told;              /* slots told ahead */
    struct slot next;           /* the newest of them */
    struct timebase *clock;     /* goes on by took_ns in each step; NULL: stands still */
    int64_t took_ns;
};

#endif
