/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the shed action of a node is taken: pure. An emergency is known by the time at which its third stage
 * began (core/emergency.h), which a take-over hands on and no two emergencies of a node share; one is shed
 * once. An entry is what is known of a node's newest one; it is on a file before anything is run.
 */
#ifndef FLYBALL_CLI_SHED_ENTRY_H
#define FLYBALL_CLI_SHED_ENTRY_H

#include <stdbool.h>

#include "loop/shed_states.h"
#include "site/shed.h"

/* A keeper that was begun and has not been heard of yet is given so long. */
#define SHED_KEEPER_NS (2 * NS_PER_S)
/* A restore that is ended for a new emergency is waited for so long: its keeper grants it a second. */
#define SHED_ENDED_NS (2 * NS_PER_S)
enum { SHED_DOUBLINGS_MAX = 6 };        /* of the time after which it is restored by itself */
enum { SHED_PAUSE_DOUBLINGS_MAX = 19 }; /* of that between tries: all that a site file can name */

struct shed_entry {
    char node[NAME_BYTES];
    uint8_t state;                  /* enum shed_state */
    int64_t since_ns;               /* third stage of the emergency it is about; 0 = of none of this boot */
    uint32_t tries;                 /* begun for it */
    uint32_t sheds;                 /* emergencies since an operator restored */
    int64_t at_ns;                  /* the state began, monotonic of this boot */
    int64_t wall_s;                 /* the same by the clock on the wall */
    int32_t keeper;                 /* process that runs the command; 0 = not heard of yet */
    uint64_t keeper_start;          /* with its pid it is that process and no later one */
    char end[SHED_END_BYTES];       /* of the newest command that ended */
    bool unwritten;                 /* in memory only: the file does not say it yet */
};

/* What is seen of the node now. */
struct shed_seen {
    bool due;                       /* third stage, and leases are sent */
    int64_t since_ns;               /* it began */
    int64_t due_for_ns;             /* by the daemon's clock */
    bool over;                      /* no emergency, by a meter that is heard and a daemon that answers */
    bool keeper_lives;              /* the entry's keeper */
};

enum shed_act {
    SHED_ACT_NOTHING,
    SHED_ACT_NOTE,                  /* the entry changed, nothing is run */
    SHED_ACT_RUN,                   /* the entry says RUNNING: run its command */
    SHED_ACT_RESTORE,               /* the entry says RESTORING: run the restore command */
    SHED_ACT_END,                   /* the entry is as it was: its keeper is to end the restore command */
};

/* Now, by both clocks. */
struct shed_now {
    int64_t ns, wall_s;
};

/* any: looks at the node and changes its entry. `calm_since_ns`, of the node, INT64_MAX at first: it has been
 * over since. */
enum shed_act shed_decide(const struct site_shed *action, struct shed_entry *entry, int64_t *calm_since_ns,
                          const struct shed_seen *seen, const struct shed_now *now);

/* any: the command that the entry tells of has ended. */
void shed_ended(const struct site_shed *action, struct shed_entry *entry, bool well, const char *end,
                const struct shed_now *now);

/* any: an operator has it restored: RESTORING where there is a command, else done. */
enum shed_act shed_restore(const struct site_shed *action, struct shed_entry *entry,
                           const struct shed_now *now);

/* any: of another boot, whose clock and processes are gone. What was being done has an end nobody knows. */
void shed_forget_boot(struct shed_entry *entry);

/* any: the same state of the same try. */
bool shed_same(const struct shed_entry *a, const struct shed_entry *b);

#endif
