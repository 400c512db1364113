/* SPDX-License-Identifier: Apache-2.0 */
/* A whole hall in memory: 1 main, 25 distributions, 625 branches of 16 hosts, 2,500 racks, 10,000 hosts,
 * 2,000 meters; or the same with fewer distributions, chosen where it is built. */
#ifndef FLYBALL_BENCH_HALL_H
#define FLYBALL_BENCH_HALL_H

#include "core/pipeline.h"
#include "msg/model.h"
#include "ring/arena.h"

#ifndef HALL_PARTS
#define HALL_PARTS 25
#endif

enum {
    HALL_DISTRIBUTIONS = HALL_PARTS,
    HALL_BRANCHES = 25 * HALL_PARTS,
    HALL_RACKS = 100 * HALL_PARTS,
    HALL_HOSTS = 400 * HALL_PARTS,
    HALL_METERS = 80 * HALL_PARTS,
    HALL_HOSTS_PER_RACK = HALL_HOSTS / HALL_RACKS,
    HALL_FIRST_BRANCH = 1 + HALL_DISTRIBUTIONS,
    HALL_FIRST_RACK = HALL_FIRST_BRANCH + HALL_BRANCHES,
};

struct hall {
    struct model model;
    struct arena arena;         /* memory of the core, as the daemon takes it */
    struct core *core;
    struct outbox outbox;
    struct report *report;      /* by host: the newest one sent */
    uint64_t sequence;          /* of slots */
    uint64_t digest;            /* of all decisions, up to the newest second that is over */
    int64_t t_ns;
};

/* setup: a model whose limits bind (hosts could draw 1.6 times what branches carry), and a core on it. With
 * `curves` every metered node has an electronic device of four elements, else no curve is known. */
void hall_open(struct hall *hall, bool curves);
void hall_close(struct hall *hall);

/* setup, its parts, for other shapes of hall: everything allocated, one host type and a policy set; an
 * electronic device at every metered node; the core on it. */
void hall_allocate(struct hall *hall, uint32_t nodes, uint32_t meters);
void hall_add_curves(struct model *model);
void hall_start(struct hall *hall);

/* One slot through the pipeline at hall->t_ns. */
void hall_step(struct hall *hall, struct slot *slot);

/* Every host reports with `draw_mw(host)`, having obeyed its newest lease for long. Leases in the answers
 * are obeyed. */
void hall_reports(struct hall *hall, int64_t (*draw_mw)(uint32_t host, void *context), void *context);

/* A whole arbitration, all parts. */
void hall_tick(struct hall *hall);

/* From cold to every host leased: claims, receipts, an arbitration. */
void hall_warm_up(struct hall *hall);

#endif
