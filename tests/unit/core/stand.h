/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A test stand for the pipeline with numbers that can be summed in the head: a main over two branches, two
 * hosts on each; a cap of 1 W puts 1 VA on every phase. Fail-safe 2 kW, largest cap 10 kW, physical maximum
 * 12 kW, A = 100 ms, D = 1 s. A branch may carry 14 kVA on a phase (140 A at 100 V), the main 100 kVA. The
 * hosts obey as soon as the test says so.
 */
#ifndef FLYBALL_TESTS_STAND_H
#define FLYBALL_TESTS_STAND_H

#include <stdbool.h>

#include "core/pipeline.h"
#include "msg/frame.h"

enum { LOSS_OF_A = 1 };
enum { STAND_HOSTS = 4, STAND_NODES = 3, STAND_METERS = 3, MAIN = 0, BRANCH_A = 1, BRANCH_B = 2 };
enum {
    FAIL_SAFE_MW = 2000000,
    FLOOR_MW = 1000000,
    CAP_MAX_MW = 10000000,
    PHYS_MAX_MW = 12000000,
    BRANCH_MVA = 14000000
};
#define A_NS (100 * NS_PER_MS)
#define T_FRESH_NS (50 * NS_PER_MS)

struct stand_host {
    uint64_t incarnation, number;
    int64_t draw_mw; /* told in reports */
    uint32_t flags;
    struct egress last; /* newest lease sent to it; kind 0 = none */
    uint64_t leases;
    bool mute;
};

struct stand {
    struct model model;
    struct model_node node[STAND_NODES];
    struct model_host host_model[STAND_HOSTS];
    struct model_host_type type;
    struct model_meter meter[STAND_METERS];
    struct core *core;
    void *memory;
    struct egress record[STAND_HOSTS];
    struct outbox outbox;
    struct stand_host host[STAND_HOSTS];
    int64_t t_ns, next_tick_ns;
    uint64_t slots, epoch, readings;
    int64_t own_fail_safe_mw; /* told in reports */
    uint64_t leases;
    struct slot_digest digest; /* newest */
    uint64_t digests, decisions_told; /* seconds closed; leases that had left when the newest was */
};

/* The site alone: change the model, then start. */
void stand_site(struct stand *stand);
/* Instead of stand_site: every host on both branches, by halves and 5 %, and the loss of A as contingency
 * LOSS_OF_A, which leaves all of it to B. */
void stand_two_feeds(struct stand *stand);
/* Between the two: everything on phase A alone, as on a single-phase branch. */
void stand_one_phase(struct stand *stand);
void stand_start(struct stand *stand);
void stand_stop(struct stand *stand);

void stand_step(struct stand *stand, struct slot *slot);
void stand_wait(struct stand *stand, int64_t ns);

/* A report as the host would send it at fail-safe, boot or under its newest lease; change it, then hand it
 * over. */
struct report stand_report_of(struct stand *stand, uint32_t host, uint8_t state, int64_t held_ns);
/* The lease that answers it, NULL = none. */
const struct egress *stand_report(struct stand *stand, const struct report *report);

/* The newest lease of a host is enforced and has been for A. */
const struct egress *stand_obey(struct stand *stand, uint32_t host);

/* Host heard, claimed, at fail-safe for A: the ledger knows it. */
void stand_admit(struct stand *stand, uint32_t host);

/* Each phase of a node carries that much, at nominal volts. */
void stand_reading(struct stand *stand, uint32_t node, int64_t power_mw);

/* An order; one without a number has the next. */
enum order_refusal stand_order(struct stand *stand, struct slot_order order);

/* A tick with all its parts. */
void stand_tick(struct stand *stand);

/* Ticks every 20 ms, a report of every host that is not mute every 100 ms, each obeying its newest lease. */
void stand_run(struct stand *stand, int64_t ns);

int64_t stand_exposure_mw(const struct stand *stand, uint32_t host);
const struct core_counters *stand_counters(const struct stand *stand);

#endif
