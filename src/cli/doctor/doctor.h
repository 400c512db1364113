/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host lacks for hard real time. A check is a row of doctor_table: a function that looks, words for
 * who reads them, and where it is safe a function that mends. Checks read files below a root, "/" but in
 * tests.
 */
#ifndef FLYBALL_CLI_DOCTOR_DOCTOR_H
#define FLYBALL_CLI_DOCTOR_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "rt/cores.h"

struct site_port;
struct site_server;

enum { DOCTOR_SAID_BYTES = 256, DOCTOR_CHECKS_MAX = 32 };

enum doctor_state {
    DOCTOR_OK,
    DOCTOR_LACKS,       /* costs time in the loop, by the table's `why` */
    DOCTOR_UNKNOWN,     /* the kernel does not say, or not to this user */
    DOCTOR_APART,       /* does not apply to this host */
    DOCTOR_STATES
};

struct doctor {
    const char *root;                   /* "" for the machine itself */
    struct rt_cores loop;           /* cores of the loop's hot threads */
    struct rt_cores others;         /* the rest of those online */
    bool guessed;                       /* nobody said which they are */
    const struct site_server *server;   /* NULL without a site */
    FILE *undo;                         /* --fix: what was there before is written here first */
};

struct doctor_check {
    const char *name;
    /* in these CORES stands for the loop's cores, OTHERS for the rest */
    const char *why;        /* what it costs, with a figure where one was measured */
    const char *check;      /* to look by hand */
    const char *mend, *undo;
    enum doctor_state (*look)(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES]);
    int (*fix)(const struct doctor *doctor);    /* NULL: nothing that is safe while the host runs */
};

/* Ends with a row without a name; at most DOCTOR_CHECKS_MAX. */
extern const struct doctor_check doctor_table[];

struct doctor_finding {
    enum doctor_state state;
    char said[DOCTOR_SAID_BYTES];
    bool tried;             /* by --fix */
    int fixed;              /* 1: mended just now; 0: not tried; -errno: tried in vain */
};

/* setup: one finding per row of the table; returns how many lack. */
uint32_t doctor_look(const struct doctor *doctor, struct doctor_finding *found);

/* setup: mends what lacks and can be mended; looks again. */
void doctor_mend(const struct doctor *doctor, struct doctor_finding *found);

/* any: "ok", "lacks", "unknown", "apart". */
const char *doctor_state_name(enum doctor_state state);

/* setup: all findings, with why and how for what is not ok (for everything with `all`). */
void doctor_print_text(FILE *out, const struct doctor *doctor, const struct doctor_finding *found, bool all);
void doctor_print_json(FILE *out, const struct doctor *doctor, const struct doctor_finding *found);

/* The rows' functions, by what they look at. */
typedef enum doctor_state doctor_looker(const struct doctor *doctor, char said[DOCTOR_SAID_BYTES]);
typedef int doctor_fixer(const struct doctor *doctor);

doctor_looker doctor_deadline;

doctor_looker doctor_preempt_rt, doctor_isolated, doctor_nohz_full, doctor_rcu_nocbs, doctor_throttling,
    doctor_fair_server, doctor_thp, doctor_swap, doctor_numa_balancing, doctor_lockup_watchdog;
doctor_fixer doctor_fix_throttling, doctor_fix_fair_server, doctor_fix_thp, doctor_fix_numa_balancing,
    doctor_fix_lockup_watchdog;

doctor_looker doctor_online, doctor_bare_metal, doctor_sibling, doctor_governor, doctor_idle_states,
    doctor_interrupts, doctor_irqbalance, doctor_smi;
doctor_fixer doctor_fix_governor, doctor_fix_interrupts;

/* any: the port's card is named by its PCI address, so DPDK has it. */
bool doctor_is_pci(const struct site_port *port);

doctor_looker doctor_hugepages, doctor_card, doctor_queues, doctor_softirqs;
doctor_fixer doctor_fix_hugepages;

doctor_looker doctor_clock_source, doctor_ptp4l, doctor_ptp_apart, doctor_ptp_clock;

#endif
