/* SPDX-License-Identifier: Apache-2.0 */
/* Faults in the order of their times: drawn by a seed, given one by one, or what is left of either when a
 * failing run has been shrunk. */
#ifndef FLYBALL_SIM_HISTORY_H
#define FLYBALL_SIM_HISTORY_H

#include "sim/fault.h"

enum { HISTORY_FAULTS_MAX = 16384 };

/* What a draw may hold. A premise of safety.md that no level breaks: at most k(n) hosts below any node
 * disobey, lie or reset at a time; meters err by more than they declare only where permits can tell; one
 * declared loss at a time. */
enum fault_level {
    LEVEL_NONE,
    LEVEL_SOME,         /* what a site sees in a bad month, every hour */
    LEVEL_MANY,         /* something is wrong all the time */
    LEVEL_HOSTILE,      /* several things at once, chosen to hurt: at the edges of what is declared */
    LEVEL_COUNT
};

/* any: the word for it. */
const char *history_level_name(enum fault_level level);

struct history {
    uint32_t count;
    struct fault *fault;        /* by at_ns */
};

/* setup: 0 or -ENOMEM. */
int history_draw(struct history *history, const struct model *model, enum fault_level level, uint64_t seed,
                 int64_t duration_ns);
struct workload;

/* setup: and what befalls the generators, UPSs and switches that the workload describes, by dice of its seed
 * that are thrown after all others: outages that batteries bridge until a generator carries, however late it
 * starts and old they are, hands on a switch, bypasses. Nothing where it describes none. 0 or -ENOMEM. */
int history_draw_sources(struct history *history, const struct model *model, const struct workload *workload,
                         enum fault_level level, int64_t duration_ns);

/* setup: one more, put in its place by time. 0, -ENOMEM, or -E2BIG. */
int history_add(struct history *history, const struct fault *fault);
void history_finish(struct history *history);

/* A run of this history, up to until_ns, fails. */
typedef bool history_fails(void *user, const struct history *history, int64_t until_ns);

/* setup: the shortest history found that still fails: whole parts are left out, then single faults, then
 * times and the end are shortened, until nothing more can go. `runs` bounds the tries. 0 or -ENOMEM. */
int history_shrink(struct history *history, int64_t *until_ns, history_fails *fails, void *user,
                   uint32_t runs);

#endif
