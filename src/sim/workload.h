/* SPDX-License-Identifier: Apache-2.0 */
/* workload.yaml -> what every host of a site wants to draw and when, and how its hardware answers. */
#ifndef FLYBALL_SIM_WORKLOAD_H
#define FLYBALL_SIM_WORKLOAD_H

#include <stdio.h>

#include "msg/model.h"
#include "site/device.h"

enum { CLASSES_MAX = 8, EVENTS_MAX = 32 };

enum workload_kind { WORKLOAD_TRAIN, WORKLOAD_INFERENCE, WORKLOAD_STARTER, WORKLOAD_KIND_COUNT };

/* Draws are fractions of the host's phys_max, at the wall. Which fields count depends on the kind. */
struct workload_class {
    char name[NAME_BYTES];
    enum workload_kind kind;
    double noise;                       /* sigma, fraction of the present draw, redrawn every 20 ms */
    int64_t ask_ns;                     /* train, starter: ask so long ahead of a rise; 0 = never */
    /* train: all hosts of the class in step */
    int64_t compute_ns, communicate_ns, checkpoint_every_ns, checkpoint_ns;
    double compute_draw, communicate_draw, checkpoint_draw;
    /* inference: Poisson arrivals of bursts (exponential quiet times), exponential lengths */
    int64_t quiet_ns, burst_ns;
    double quiet_draw, burst_draw;
    /* starter: groups that idle, ramp up and run full by turns, a period / groups apart */
    uint32_t groups;
    int64_t idle_ns, ramp_ns, full_ns;
    double idle_draw, full_draw;
};

/* What happens to the site while it runs. */
enum workload_event_kind {
    EVENT_LOSE,                         /* a node goes dark, and what hangs on it alone */
    EVENT_RESTORE,                      /* and has power again */
    EVENT_RESET,                        /* caps of hosts go back to driver defaults: a driver is reloaded */
    EVENT_KIND_COUNT
};

struct workload_event {
    int64_t at_ns;
    enum workload_event_kind kind;
    uint32_t node;                      /* of lose and restore */
};

struct workload_plant {
    double overshoot;                   /* power may stand this factor above the cap ... */
    int64_t overshoot_ns;               /* ... this long after a step */
    int64_t write_mean_ns, write_sigma_ns, write_min_ns, write_max_ns;  /* dead time of a cap write */
    int64_t down_ns, up_ns;             /* first-order lag toward a lower and a higher bound */
    double crest;                       /* peak / rms of every current */
    double regulation;                  /* voltage drop at rated current, fraction, per level of the tree */
    double meter_noise;                 /* sigma of one reading, fraction */
    int64_t notice_ns;                  /* until an agent sees that its host's caps were reset */
    double work_exponent;               /* pace = (granted / wanted draw above idle) to the power of this */
};

struct workload_breakers {
    int64_t tr_ns;                      /* long-time delay at 6 Ir */
    int64_t short_time_ns;
    double short_time, instantaneous;   /* multiples of Ir */
    double initial_heat;                /* (I / Ir)^2 that all devices have seen before the start */
    bool fast_edge;                     /* every device of the site stands at the fast edge of its band */
    /* By node: what the site says, where it says anything, in place of the figures above. NULL: it does
     * not. The caller's, who sets them after workload_load. */
    const struct site_device *device;
    const struct site_equipment *equipment;
};

struct workload_network {               /* virtual mode only */
    int64_t delay_ns, jitter_ns;
};

struct workload {
    char name[NAME_BYTES];
    uint64_t seed;
    int64_t duration_ns;
    int64_t warmup_ns;                  /* energy and load count from here on, in every mode alike */
    uint32_t class_count;
    struct workload_class class[CLASSES_MAX];
    struct workload_plant plant;
    struct workload_breakers breakers;
    struct workload_network network;
    uint8_t *class_of;                  /* by host index */
    uint32_t event_count;
    struct workload_event event[EVENTS_MAX];
    uint32_t *resets;                   /* by host index: bit i: event i resets its caps */
};

/* setup: what a file need not say. */
void workload_defaults(struct workload *workload);
void workload_class_defaults(struct workload_class *class, enum workload_kind kind);

/* setup: loads and checks against the site. Every finding is one line `file:line:column: error: ...` on
 * `report`. Returns 0, -EINVAL when the file has errors, or another -errno (reported too). */
int workload_load(struct workload *workload, const char *path, const struct model *model, FILE *report);
void workload_unload(struct workload *workload);

/* any: "lose feed-a", "reset 10 hosts". */
void workload_event_text(const struct workload *workload, const struct model *model, uint32_t event,
                         char *text, size_t bytes);

#endif
