/* SPDX-License-Identifier: Apache-2.0 */
/* The worst moments, and who took the time: what is known of the loop's stages joined with what is known of
 * its cores, by time. Pure. */
#ifndef FLYBALL_CLI_LATENCY_MOMENT_H
#define FLYBALL_CLI_LATENCY_MOMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/latency.h"

/* More are kept than are told: a long one may take the place of several that it overlaps. */
enum { MOMENTS_TOLD = 10, MOMENTS_MAX = 64, CULPRITS_MAX = 4, THEFTS_KEPT = 1 << 15, STAYS = 3 };

struct culprit {
    struct theft_key by;
    uint64_t took_ns;       /* within the moment */
    uint32_t count;
};

struct moment {
    struct latency_moment what;
    uint32_t together;      /* others that fell into the same time, which are not listed themselves */
    uint32_t culprits;
    struct culprit culprit[CULPRITS_MAX];   /* most first */
    uint64_t explained_ns;  /* in which any culprit was at it: they may lie within each other */
    bool explained;         /* they were looked for */
};

/* Longest first. */
struct moments {
    uint32_t count;
    struct moment moment[MOMENTS_MAX];
};

/* What was told of thefts lately: a ring, oldest overwritten. */
struct thefts {
    uint64_t next;
    struct theft_event event[THEFTS_KEPT];
    struct theft_span { uint64_t from_ns, to_ns; } span[THEFTS_KEPT * STAYS];   /* of one moment */
};

/* any */
static inline uint64_t moment_ns(const struct latency_moment *what)
{
    return what->end_ns > what->begin_ns ? what->end_ns - what->begin_ns : 0;
}

struct stay {
    uint64_t from_ns, to_ns;
    uint16_t cpu;
};

/* any: the cores it was on, one after the other: the lane's, decide's, egress's. Returns how many; those next
 * to each other on one core are one. */
uint32_t moment_stays(const struct latency_moment *what, struct stay stay[STAYS]);

/* any: notes it where it is one of the worst. Of those that overlap in time the longest alone stays. Returns
 * its place, NULL where it is none; other places move. */
struct moment *moments_add(struct moments *moments, const struct latency_moment *what);

/* any: how many are told, the longest. */
static inline uint32_t moments_told(const struct moments *moments)
{
    return moments->count < MOMENTS_TOLD ? moments->count : MOMENTS_TOLD;
}

/* any: what is shorter will not be noted: 0 while there is room. */
uint64_t moments_floor_ns(const struct moments *moments);

void thefts_add(struct thefts *thefts, const struct theft_event *event);

/* any: who took time within it, on the core where it was then. Calls that the loop itself makes count where
 * nothing else is known. */
void moment_explain(struct moment *moment, struct thefts *thefts);

/* any: "switch kworker/1:2 (57)", "softirq NET_RX", "system_call 44". Anybody names a task: what is no
 * printable ASCII is '?'. */
void culprit_words(const struct theft_key *by, char *text, size_t bytes);

#endif
