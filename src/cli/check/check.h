/* SPDX-License-Identifier: Apache-2.0 */
/* The verb check in rooms: what it was asked, what it found out, and the ways to say it. */
#ifndef FLYBALL_CLI_CHECK_H
#define FLYBALL_CLI_CHECK_H

#include <jansson.h>
#include <stdbool.h>

#include "loop/loop.h"
#include "site/coordination/coordination.h"
#include "site/flow/figures.h"

struct check_options {
    const char *site, *server;
    const char *plot, *report;  /* where drawings and the document go; NULL = nobody asked */
    bool json, all;
};

enum { CHECK_NOTES_MAX = 16, CHECK_NOTE_BYTES = 300 };

/* What this server's row asks of a machine, and what this machine says to it. */
struct check_machine {
    bool known;                 /* the site has a row for it */
    bool here;                  /* the row is this machine's by name; a default row may be another's */
    char host[64];
    struct crew crew;           /* which thread on which core */
    struct loop_memory loop;
    uint64_t journal_bytes, dpdk_bytes;
    uint64_t ring_bytes[PORTS_MAX];     /* kernel memory of the packet rings; 0 = none of its own */
    uint32_t note_count;
    char note[CHECK_NOTES_MAX][CHECK_NOTE_BYTES];
};

struct check {
    struct check_options options;
    struct site site;
    struct figures figures;
    struct coordination coordination;
    char *warnings;             /* of the site, then of its coordination */
    struct check_machine machine;
};

extern const char *const check_kind_names[];
extern const char *const check_term_names[];
extern const char *const check_gear_names[];
extern const char *const check_role_names[];    /* by enum breaker_element_role; "-" = none */

/* any: percent with one decimal, up, of a share in ppm. */
double check_percent(int64_t ppm);

/* setup: fills check->machine. 0 or -ENOMEM. */
int check_machine_look(struct check *check);

/* setup: does this build have the drivers that the file names? Findings on `report`; returns their number. */
uint32_t check_drivers(const struct check *check, FILE *report);

/* cold: the findings of a site that is refused; everything about one that is not. */
void check_json_refusal(const struct check_options *options, const char *report);
void check_json(const struct check *check);
int check_text(const struct check *check);

/* cold: --plot and --report: 0, or a -errno whose fault stands on stderr. */
int check_study(const struct check *check);

/* cold: the tables of nodes in the text. Both 0 or -ENOMEM. */
int check_tables(const struct check *check);

/* cold: selectivity, time, capacity, dark start. 0 or -ENOMEM. */
int check_coordination_text(const struct check *check);
json_t *check_selectivity_json(const struct check *check);
json_t *check_coordination_json(const struct check *check, uint32_t node);

/* cold: who may pass its limit and by how much, whose reserve is lent, what steers. */
void check_lending_text(const struct check *check);
void check_lending_node_json(const struct check *check, uint32_t node, json_t *into);
void check_lending_json(const struct check *check, json_t *into);

/* cold: alerts, and their conditions as they were understood. */
void check_alerts_text(const struct check *check);
json_t *check_alerts_json(const struct check *check);

/* cold: shed actions, and where they are taken. */
void check_shed_text(const struct check *check);
json_t *check_shed_json(const struct check *check);

/* cold: the server's row, memory, rings, cores. */
void check_machine_text(const struct check *check);
json_t *check_machine_json(const struct check *check);

#endif
