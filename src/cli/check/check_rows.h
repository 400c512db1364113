/* SPDX-License-Identifier: Apache-2.0 */
/* Of many rows the worst, those of which the same would be said counted in one. */
#ifndef FLYBALL_CLI_CHECK_ROWS_H
#define FLYBALL_CLI_CHECK_ROWS_H

#include <stdbool.h>
#include <stdint.h>

struct check;

enum { CHECK_WORST = 20, CHECK_FIGURE_BYTES = 16 };

struct check_row { uint32_t index, alike; };     /* alike: further rows that say the same */

struct check_rows {
    const void *context;
    /* below 0: a is worse; above 0: b is */
    int (*worse)(const void *context, uint32_t a, uint32_t b);
    bool (*alike)(const void *context, uint32_t a, uint32_t b);
};

/* cold: of the `count` indices in `row` the worst `most`, alike ones in one, worst first. Returns how
 * many. */
uint32_t check_rows_pick(const struct check_rows *rows, struct check_row *row, uint32_t count, uint32_t most);

/* What one table shows. */
struct check_list {
    const struct check *check;
    uint32_t count;
    struct check_row *row;
    bool few;                   /* not all there are */
};

/* any: -1, 0, 1. */
int check_compare(double a, double b);

/* any: "never" and "-" for INFINITY. */
const char *check_seconds(double s, char text[CHECK_FIGURE_BYTES]);
const char *check_amperes(double a, char text[CHECK_FIGURE_BYTES]);

/* cold: the tables of coordination that have a row for each node. */
void check_coordination_nodes(struct check_list *list);

#endif
