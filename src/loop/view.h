/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the cold side may see of the loop while it runs: sequence-locked records of 64 bytes. Decide writes
 * nodes, hosts and the counters of the core; the lanes write meters. Nobody reads the core itself but its
 * owner.
 */
#ifndef FLYBALL_LOOP_VIEW_H
#define FLYBALL_LOOP_VIEW_H

#include "core/pipeline.h"
#include "ring/seqlock.h"

enum {
    VIEW_COUNTERS = sizeof(struct core_counters) / sizeof(uint64_t),
    VIEW_COUNTER_RECORDS = (VIEW_COUNTERS + SEQLOCK_WORDS - 1) / SEQLOCK_WORDS,
};

/* The phase that carries most of its limit. */
struct view_node {
    int64_t exposure_mva, newest_mva, limit_mva;
    int64_t measured_mw;        /* -1 = no reading yet */
    int64_t reading_t_ns;
    bool emergency, recovery;
};

struct view_host {
    int64_t lease_mw, exposure_mw, draw_mw;
    int64_t report_t_ns;
    uint64_t incarnation;
    uint8_t state, why;
    bool accepted;
};

struct view_meter {
    int64_t t_receive_ns;       /* of the newest admitted reading, monotonic; 0 = none yet */
    int64_t age_ns;             /* of that reading when it came, by the age rule */
    int64_t power_mw;           /* sum of phases */
    int64_t current_ma;         /* of the phase that carries most */
    int64_t voltage_mv;         /* of the lowest phase */
    uint64_t sequence;
};

struct view {
    struct seqlock *node, *host, *meter;    /* by model index */
    struct seqlock *counter;                /* VIEW_COUNTER_RECORDS: struct core_counters, seven at a time */
    uint32_t nodes, hosts;
    uint32_t next;                          /* decide's place in its round */
};

/* any: share of a limit, ppm; 0 where there is none. Loads up to 9 GVA. */
int64_t view_load_ppm(int64_t load_mva, int64_t limit_mva);

/* rt, decide: writes the next `count` records of the round over nodes, hosts and counters. */
void view_refresh(struct view *view, const struct core *core, uint32_t count);

/* rt, decide: a whole round. */
void view_refresh_all(struct view *view, const struct core *core);

/* rt, the meter's lane */
void view_write_meter(struct view *view, uint32_t meter, const struct view_meter *record);

/* any: false when the writer kept getting in between; the record is then left as it was. */
bool view_read_node(const struct view *view, uint32_t node, struct view_node *record);
bool view_read_host(const struct view *view, uint32_t host, struct view_host *record);
bool view_read_meter(const struct view *view, uint32_t meter, struct view_meter *record);
bool view_read_counters(const struct view *view, struct core_counters *counters);

#endif
