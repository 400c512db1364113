/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger of safety.md sections 3 to 5, written a second time from its text, slowly and in plain sums, to
 * judge the first. Where the text leaves room, the shadow takes the least exposure that it allows, so that a
 * complaint is never a matter of taste.
 */
#ifndef FLYBALL_TESTS_SHADOW_H
#define FLYBALL_TESTS_SHADOW_H

#include <stdbool.h>

#include "core/pipeline.h"
#include "model_builder.h"

enum { SHADOW_LEASES = 512, SHADOW_ECHOES = 512 };

#define FEED_FROM_START (INT64_MIN + 1)     /* alive whenever it was looked at */

struct shadow_lease {
    uint64_t sequence;
    int64_t cap_mw;
};

struct shadow_host {
    bool heard, accepted, at_phys_max;
    uint64_t incarnation, newest_report;
    uint64_t echo[SHADOW_ECHOES]; /* reports received of this incarnation, a ring */
    uint32_t echo_count;
    int64_t fail_safe_mw, phys_max_mw; /* the larger of configured and reported */
    int64_t newest_cap_mw; /* newest lease of this incarnation, -1 = none */
    uint64_t last_sequence; /* ever sent in this epoch */
    struct shadow_lease lease[SHADOW_LEASES]; /* unretired, sequence ascends, cap falls */
    uint32_t lease_count;
};

/* What a node can see of a host that has a cord on it or below it: mVA on a phase per mW at the wall, all
 * cords together never above the whole draw. */
struct shadow_part {
    uint32_t host;
    double load[CONTINGENCIES_MAX][PHASES];
};

struct shadow {
    const struct model *model;
    uint64_t epoch;
    struct shadow_part *part;   /* by node, hosts ascending */
    uint32_t first[BUILT_NODES_MAX + 1];    /* of a node in `part` */
    bool above[BUILT_NODES_MAX][BUILT_HOSTS_MAX];
    struct shadow_host host[BUILT_HOSTS_MAX];
    int64_t t_ns;
    /* permits by the text: fresh up to and with this time, by meter; and feeds seen alive since, by the
     * contingency that loses them: INT64_MAX = not, INT64_MIN = no word since the start, FEED_FROM_START */
    int64_t fresh_until_ns[BUILT_NODES_MAX], feed_since_ns[CONTINGENCIES_MAX];
    struct reading seen[BUILT_NODES_MAX];
    bool emergency[BUILT_NODES_MAX]; /* after the slot before */
    int64_t emergency_ns[BUILT_NODES_MAX]; /* the last slot of one */
    char complaint[256]; /* first rule found broken, "" = none */
};

enum shadow_sum { SHADOW_EXPOSURE, SHADOW_NEWEST };

/* setup: of a site; shadow_init is next. */
void shadow_open(struct shadow *shadow, const struct model *model);
void shadow_close(struct shadow *shadow);

/* A controller of this epoch begins. */
void shadow_init(struct shadow *shadow, uint64_t epoch);

/* Another controller goes on from the accounts of the one before, one for each host: who was bounded still
 * is, by the largest lease that may be with it; of others nothing is known. */
void shadow_hand_over(struct shadow *shadow, uint64_t epoch, const struct slot_account *account);

/* What a report changes, before the leases that answer it. */
void shadow_report(struct shadow *shadow, const struct report *report);

/* What a reading renews, or a feed that it shows dead ends; before its slot is decided on. */
void shadow_reading(struct shadow *shadow, const struct reading *reading);

/* Judges everything that left on one slot, in order, and takes it into account. False with `complaint` set.
 * */
bool shadow_leases(struct shadow *shadow, const struct outbox *outbox, const struct core *core);

/* Compares the ledger's exposure with this one: it may never be lower. Of all hosts, or of one. */
bool shadow_exposures(struct shadow *shadow, const struct core *core);
bool shadow_exposure(struct shadow *shadow, const struct core *core, uint32_t host);

/* mVA on a phase of a node per mW of a host; 0 where it hangs elsewhere. */
double shadow_load(const struct shadow *shadow, uint32_t node, uint32_t contingency, uint32_t phase,
                   uint32_t host);

/* Exposure of a host as draw at the wall, mW. */
double shadow_exposure_mw(const struct shadow *shadow, uint32_t host);

/* Sum of safety.md section 4 at a node, mVA: D or S, bad and other included. */
double shadow_sum_mva(const struct shadow *shadow, enum shadow_sum kind, uint32_t node, uint32_t contingency,
                      uint32_t phase);

#endif
