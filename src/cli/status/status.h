/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's document in words and tables. */
#ifndef FLYBALL_CLI_STATUS_H
#define FLYBALL_CLI_STATUS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum status_part {
    STATUS_NODES = 1,
    STATUS_METERS = 2,
    STATUS_HOSTS = 4,
    STATUS_STAGES = 8,
    STATUS_COUNTERS = 16,
    STATUS_DEGRADED = 32,
    STATUS_ALERTS = 64,
    STATUS_BUDGET = 128,
    STATUS_EVERYTHING = 255
};

struct status_choice {
    uint32_t parts;         /* enum status_part */
    /* every row of these parts; false: the worst ones, so that all stays on one page */
    bool whole;
    bool zeros;             /* counters that are zero as well */
    uint32_t columns;       /* of the screen, for what can be narrower */
};

/* Verdict, site, then the parts. */
void status_print(FILE *out, json_t *status, const struct status_choice *choice);

/* status_alerts.c, status_budget.c, status_degraded.c, status_hosts.c, status_counters.c: one part each. */
void status_print_degraded(FILE *out, json_t *rows, bool whole);
void status_print_alerts(FILE *out, json_t *alerts, bool whole);
void status_print_hosts(FILE *out, json_t *hosts, bool whole);
void status_print_stages(FILE *out, json_t *latencies, json_t *queues, uint32_t columns);
void status_print_budget(FILE *out, json_t *budget, bool whole);
void status_print_counters(FILE *out, json_t *counters, const struct status_choice *choice);

/* What is worth looking at first: rows by falling weight, equal ones in the daemon's order. Returns how many
 * rows `sorted` (to be freed) has; 0 where there are none. */
struct status_row {
    json_t *row;
    double weight;
    size_t at;
};
size_t status_sort(json_t *list, double (*weight)(const json_t *row), struct status_row **sorted);

/* status_limits.c: a line or two behind a meter at a point of common coupling; nothing elsewhere. */
void status_print_limits(FILE *out, const json_t *limits);

/* Members of an object: "?" and 0 where they are not there. */
const char *status_word(const json_t *object, const char *key);
double status_number(const json_t *object, const char *key);
bool status_has_number(const json_t *object, const char *key);
bool status_is_true(const json_t *object, const char *key);

/* The meaning of a counter by its path in the document ("lanes.port.lost"), "" where none is known. */
const char *status_meaning(const char *path);

#endif
