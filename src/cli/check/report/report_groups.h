/* SPDX-License-Identifier: Apache-2.0 */
/* What would be said in the same words is said once. */
#ifndef FLYBALL_CLI_CHECK_REPORT_GROUPS_H
#define FLYBALL_CLI_CHECK_REPORT_GROUPS_H

#include <stdio.h>

#include "cli/check/study.h"

struct report_group {
    char *text;
    uint32_t hash, count, room;
    uint32_t *item;
};

struct report_groups {
    uint32_t count, room;
    struct report_group *group; /* in the order of their first items */
};

/* What is said of an item; nothing at all leaves it out. */
typedef void report_put(FILE *out, const struct study *study, uint32_t item);

/* setup: items 0 .. count - 1. 0 or -ENOMEM; report_groups_close frees. */
int report_groups_open(struct report_groups *groups, const struct study *study, uint32_t count,
                       report_put *put);
void report_groups_close(struct report_groups *groups);

/* cold: names between commas, escaped; four and more that count on become "r-01 to r-32". */
void report_names(FILE *out, const char *(*name)(const struct study *study, uint32_t item),
                  const struct study *study, const uint32_t *item, uint32_t count);
const char *report_node_name(const struct study *study, uint32_t node);

/* cold: a table with a row per group of nodes: their names, then what `put` says (cells). Without any row
 * the sentence `none` instead. 0 or -ENOMEM. */
int report_table(FILE *out, const struct study *study, const char *head, report_put *put, const char *none);

#endif
