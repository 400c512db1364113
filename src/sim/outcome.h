/* SPDX-License-Identifier: Apache-2.0 */
/* What a run of the plant came to: the same keys for every mode, so that energies can be divided. */
#ifndef FLYBALL_SIM_OUTCOME_H
#define FLYBALL_SIM_OUTCOME_H

#include <stdio.h>

#include "core/holder.h"
#include "core/pipeline.h"
#include "msg/token.h"
#include "sim/figures.h"
#include "sim/grid.h"
#include "sim/series.h"

enum plant_mode { PLANT_UNGOVERNED, PLANT_DERATED, PLANT_STATIC, PLANT_ORACLE, PLANT_VIRTUAL, PLANT_GOVERNED,
                  PLANT_MODE_COUNT };

struct outcome_node {
    double mean_w, peak_w;              /* sums while measuring: mean_w holds W x s until outcome_close */
    double peak_a, worst_heat;          /* worst phase; heat 1.0 = trips */
};

struct outcome_caps {
    uint64_t received, accepted, refused[HOLDER_REFUSAL_COUNT];
    uint64_t undecodable;               /* frames that the wire library refused */
    uint64_t enforced;                  /* writes returned and read back as asked */
    uint64_t fail_safe_falls;           /* leases that ran out */
};

/* Power asked for ahead of time, as the hosts saw it. */
struct outcome_tokens {
    uint64_t asked, granted, denied[TOKEN_REASONS];
};

struct outcome {
    enum plant_mode mode;
    char variant[24];                   /* what a static planner knew: "mean", "distribution" */
    /* static: what either planner's caps bring by the forecast; the stronger one's are run */
    double mean_plan_j, distribution_plan_j;
    uint64_t seed;
    int64_t duration_ns, warmup_ns;
    uint32_t hosts_on;
    double energy_j, demand_j;          /* after warm-up; demand: had nothing held it */
    uint32_t class_count;
    double class_energy_j[CLASSES_MAX];
    /* joules at full pace: sim/work.h */
    double class_work_j[CLASSES_MAX], class_work_wanted_j[CLASSES_MAX];
    struct outcome_node *node;
    struct series series;
    uint32_t trip_count;
    struct grid_trip trip[TRIPS_MAX];
    struct outcome_caps caps;
    struct outcome_tokens tokens;
    uint64_t reports_sent, details_sent, send_failures;
    uint64_t *meter_frames;             /* by meter */
    uint64_t lost;                      /* datagrams that the virtual network lost */
    /* virtual mode only, for controllers run in here: counted by all that lived, zombies among them */
    struct core_counters governor;
    uint64_t missed;                    /* inputs that a controller which stood still had no room for */
    struct figures figures;             /* virtual mode only: what it is judged by */
    uint64_t late_steps;                /* of the real-time loop: started more than one step late */
    int64_t worst_late_ns;
};

/* setup */
int outcome_init(struct outcome *outcome, const struct model *model);
void outcome_finish(struct outcome *outcome);

const char *plant_mode_name(enum plant_mode mode);

/* any: words for people, one JSON object for programs. */
void outcome_print(const struct outcome *outcome, const struct model *model, const struct workload *workload,
                   FILE *out);
void outcome_json(const struct outcome *outcome, const struct model *model, const struct workload *workload,
                  FILE *out);

#endif
