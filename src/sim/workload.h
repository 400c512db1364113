/* SPDX-License-Identifier: Apache-2.0 */
/* workload.yaml -> what every host of a site wants to draw and when, and how its hardware answers. */
#ifndef FLYBALL_SIM_WORKLOAD_H
#define FLYBALL_SIM_WORKLOAD_H

#include <stdio.h>

#include "msg/model.h"
#include "sim/trace.h"
#include "site/device.h"

enum { CLASSES_MAX = 8, EVENTS_MAX = 32, SOURCES_MAX = 32 };

enum workload_kind {
    WORKLOAD_TRAIN,
    WORKLOAD_INFERENCE,
    WORKLOAD_STARTER,
    WORKLOAD_FINETUNE,
    WORKLOAD_QUERIES,
    WORKLOAD_KIND_COUNT, /* those of a file */
    WORKLOAD_TRACE = WORKLOAD_KIND_COUNT
}; /* workload_follow_traces */

/*
 * Draws are fractions of the host's phys_max, at the wall. Which fields count depends on the kind. Equations
 * are those of Li et al., "The Unseen AI Disruptions for Power Grids: LLM-Induced Transients" (2024): hosts
 * of one class sum up as in (6), classes on a site's hosts are its mix (17), what no cap governs (10) is the
 * base of its host type. C dP/dt of (8) and (9) is how far hardware stands above its cap after a step
 * (`plant: overshoot`). (7) is what a fault of power does (sim/fault.h).
 */
struct workload_class {
    char name[NAME_BYTES];
    enum workload_kind kind;
    double noise;                       /* sigma, fraction of the present draw, redrawn every 20 ms */
    int64_t ask_ns;                     /* train, starter: ask so long ahead of a rise; 0 = never */
    /* train: all hosts of the class in step */
    int64_t compute_ns, communicate_ns, checkpoint_every_ns, checkpoint_ns;
    double compute_draw, communicate_draw, checkpoint_draw;
    /* (11), (12): draws that between start and stop (0: never), else stopped_draw. With a stagger every host
     * is a job of its own, so much later than the one before it, and waits for nobody. */
    int64_t start_ns, stop_ns, stagger_ns;
    double stopped_draw;
    /* inference: Poisson arrivals of bursts (exponential quiet times), exponential lengths */
    int64_t quiet_ns, burst_ns;
    double quiet_draw, burst_draw;
    /* starter: groups that idle, ramp up and run full by turns, a period / groups apart */
    uint32_t groups;
    int64_t idle_ns, ramp_ns, full_ns;
    double idle_draw, full_draw;
    /* finetune, (13) and (14): base + alpha (high_draw - base), alpha = 1 for exponential times around
     * high_ns, beta around low_ns; base: what no cap governs. By host. */
    int64_t high_ns, low_ns;
    double high_draw, beta;
    /* queries, (15) and (16): base_draw + B query_draw, 1 at most; B of a host: arrivals of Poisson at
     * lambda(t) = rate (1 + swing sin(2 pi t / day)), each there for an exponential time around query_ns */
    double rate_per_s, swing, base_draw, query_draw;
    int64_t query_ns, day_ns;
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
    int64_t step_ns;                    /* of simulated time; 0 = 1 ms */
    double overshoot;                   /* power may stand this factor above the cap ... */
    int64_t overshoot_ns;               /* ... this long after a step */
    int64_t write_mean_ns, write_sigma_ns, write_min_ns, write_max_ns;  /* dead time of a cap write */
    int64_t down_ns, up_ns;             /* first-order lag toward a lower and a higher bound */
    double crest;                       /* peak / rms of every current */
    double regulation;                  /* voltage drop at rated current, fraction, per level of the tree */
    double meter_noise;                 /* sigma of one reading, fraction */
    int64_t notice_ns;                  /* until an agent sees that its host's caps were reset */
    int64_t hold_up_ns;                 /* supplies carry a host so long without voltage; 0: not at all */
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

/* What a node is where power comes from or changes hands; a UPS with two inputs is two of them. */
enum workload_source_kind { SOURCE_GENERATOR = 1, SOURCE_UPS = 2, SOURCE_SWITCH = 4 };

/* How a generator, a UPS or a transfer switch behaves. One that is not described is as good as can be: the
 * generator always runs, the switch takes no time, and of the UPS nothing but its device is there. */
struct workload_source {
    uint32_t node;
    uint8_t kinds;                      /* bits of enum workload_source_kind */
    /* generator: from the loss of what stands before it until it carries load, give or take the spread; a
     * start fails with this share, and is tried again as long after; it runs on for a while unneeded */
    int64_t start_ns, spread_ns, cool_ns;
    double fails;
    /* UPS: how long a full battery lasts at what the UPS may carry, and how long it takes to fill it; over
     * walk_in its rectifier takes load back from the battery */
    int64_t battery_ns, recharge_ns, walk_in_ns;
    /* switch: open between two inputs so long; back to an earlier one after it was good so long */
    int64_t break_ns, retransfer_ns;
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
    uint32_t source_count;
    struct workload_source source[SOURCES_MAX];     /* each node once */
    uint32_t event_count;
    struct workload_event event[EVENTS_MAX];
    uint32_t *resets;                   /* by host index: bit i: event i resets its caps */
    struct trace_play trace;            /* WORKLOAD_TRACE: what all hosts follow */
};

/* any: what one step of the plant takes. */
static inline int64_t workload_step_ns(const struct workload *workload)
{
    return workload->plant.step_ns ? workload->plant.step_ns : NS_PER_MS;
}

/* setup: what a file need not say. */
void workload_defaults(struct workload *workload);
void workload_class_defaults(struct workload_class *class, enum workload_kind kind);

/* setup: the usual one at that node; kinds 0: it is none. */
struct workload_source workload_usual_source(const struct model *model, uint32_t node);
/* setup: describes every source of the site as usual: the first SOURCES_MAX. */
void workload_describe_sources(struct workload *workload, const struct model *model);

/* setup: loads and checks against the site. Every finding is one line `file:line:column: error: ...` on
 * `report`. Returns 0, -EINVAL when the file has errors, or another -errno (reported too). */
int workload_load(struct workload *workload, const char *path, const struct model *model, FILE *report);
void workload_unload(struct workload *workload);

/* setup: in place of what its classes want, all hosts want what the traces say; the rest stays. */
void workload_follow_traces(struct workload *workload, const struct trace_play *play,
                            const struct model *model);

/* any: "lose feed-a", "reset 10 hosts". */
void workload_event_text(const struct workload *workload, const struct model *model, uint32_t event,
                         char *text, size_t bytes);

#endif
