/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the cold side may see of the loop while it runs: sequence-locked records of 64 bytes. Decide writes
 * nodes, hosts, alerts, the counters of the core and the degradations it sees; the lanes write meters and
 * what hosts tell for people (msg/detail.h); a cold thread writes the degradations that the loop sees
 * (losses.h). Nobody reads the core itself but its owner. The records lie together (struct view_layout), so
 * that view_share.h can hand them out read-only.
 */
#ifndef FLYBALL_LOOP_VIEW_H
#define FLYBALL_LOOP_VIEW_H

#include "core/pipeline.h"
#include "msg/detail.h"
#include "ring/seqlock.h"

enum {
    VIEW_COUNTERS = sizeof(struct core_counters) / sizeof(uint64_t),
    VIEW_COUNTER_RECORDS = (VIEW_COUNTERS + SEQLOCK_WORDS - 1) / SEQLOCK_WORDS,
    VIEW_NODE_RECORDS = 6,      /* written one by one: at a change one may be a turn older than the other */
    VIEW_WITHIN_NS = 256,       /* of a meter's lag: what it may be less by is shown in these, rounded up, */
    VIEW_WITHIN_BITS = 24,      /* beside its age */
    VIEW_RESERVED_MW = 100000,  /* what is granted ahead of time is shown in whole ones of these */
    VIEW_HOST_RECORDS = 3,      /* its account; what bound its newest lease; which input that was */
    VIEW_ALERT_RECORDS = 2,     /* where it stands; the values there */
    /* of a host: who told it and when; its jobs; one for each device */
    VIEW_JOB_RECORDS = (DETAIL_JOBS_MAX * DETAIL_JOB_BYTES / 8 + SEQLOCK_WORDS - 1) / SEQLOCK_WORDS,
    VIEW_DETAIL_RECORDS = 1 + VIEW_JOB_RECORDS + HOST_DEVICES_MAX,
};

struct view_meter {
    int64_t t_receive_ns;       /* of the newest admitted reading, monotonic; 0 = none yet */
    int64_t age_ns;             /* of that reading when it came, by the age rule */
    int64_t power_mw;           /* sum of phases */
    int64_t lag_ns;             /* least of (arrival - stamp) of the present 5 s, by the age rule; */
    int64_t lag_within_ns;      /* it may be less by so much; shown rounded up, 4 s at most */
    uint32_t current_ma[PHASES];
    uint32_t voltage_mv[PHASES];    /* line to neutral; 0 where the node has no such phase */
};

/* Readings of a meter that were refused because they were older than T_fresh. */
struct view_stale {
    int64_t t_ns;               /* the newest of them came, monotonic; 0 = never */
    uint64_t count;
    int64_t step_t_ns;          /* its clock was last seen to have gone ahead and stayed there; 0 = never */
    uint64_t steps;
};

struct view {
    struct seqlock *counter;                /* VIEW_COUNTER_RECORDS: struct core_counters, seven at a time */
    struct seqlock *degraded;               /* by enum degradation */
    struct seqlock *node;                   /* VIEW_NODE_RECORDS each, by model index, like all below */
    struct seqlock *host;                   /* VIEW_HOST_RECORDS each */
    struct seqlock *meter, *stale;
    struct seqlock *detail;                 /* VIEW_DETAIL_RECORDS each, by host */
    struct seqlock *alert;                  /* VIEW_ALERT_RECORDS each, ALERTS_MAX of them */
    uint32_t nodes, hosts, meters;
    uint32_t alerts;                        /* of the model: those that decide writes */
    uint32_t next;                          /* decide's place in its round */
};

/* Where the records lie: bytes from the start of the memory, in the order of struct view. */
struct view_layout {
    uint64_t counter, degraded, node, host, meter, stale, detail, alert, end;
};

/* any */
struct view_layout view_layout(uint32_t nodes, uint32_t hosts, uint32_t meters);
void view_place(struct view *view, void *memory, uint32_t nodes, uint32_t hosts, uint32_t meters);

/* any: share of a limit, ppm; 0 where there is none. Loads up to 9 GVA. */
int64_t view_load_ppm(int64_t load_mva, int64_t limit_mva);

/* any: the phase whose exposure or newest leases carry most of its limit; where phases are within 0.1 % of
 * the limit of each other, the one of these with the largest current. `meter` may be NULL. */
uint32_t view_worst_phase(const struct core_node_view *node, const struct view_meter *meter);

/* any: the rows of the degradation table that the core knows nothing of. */
static inline bool view_is_of_loop(enum degradation row)
{
    return row == DEGRADED_CLOCK || row == DEGRADED_RING || row == DEGRADED_JOURNAL || row == DEGRADED_SHED ||
           row == DEGRADED_MARKS;
}

/* rt, decide: writes the next `count` nodes, hosts, alerts, degradations or records of counters of the
 * round over all. */
void view_refresh(struct view *view, const struct core *core, uint32_t count);

/* rt, decide: a whole round. */
void view_refresh_all(struct view *view, const struct core *core);

/* rt, the meter's lane */
void view_write_meter(struct view *view, uint32_t meter, const struct view_meter *record);
void view_add_stale(struct view *view, uint32_t meter, int64_t t_ns);
void view_add_step(struct view *view, uint32_t meter, int64_t t_ns);

/* rt, the host's lane: what came at t_ns. Devices are written one by one: some may be a second older. */
void view_write_detail(struct view *view, const struct detail *detail, int64_t t_ns);

/* any, the row's one writer. */
void view_write_degraded(struct view *view, enum degradation at, const struct degrade_row *row);

/* cold: false when the writer stood still in the middle of the record for 10 ms; it is then left as it
 * was. */
bool view_read_node(const struct view *view, uint32_t node, struct core_node_view *record);
bool view_read_host(const struct view *view, uint32_t host, struct core_host_view *record);
bool view_read_meter(const struct view *view, uint32_t meter, struct view_meter *record);
bool view_read_stale(const struct view *view, uint32_t meter, struct view_stale *record);
/* t_ns: when it came, monotonic; 0 = never, and `detail` is empty. */
bool view_read_detail(const struct view *view, uint32_t host, struct detail *detail, int64_t *t_ns);
bool view_read_degraded(const struct view *view, enum degradation at, struct degrade_row *row);
bool view_read_alert(const struct view *view, uint32_t alert, struct core_alert_view *record);
bool view_read_counters(const struct view *view, struct core_counters *counters);

#endif
