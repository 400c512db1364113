/* SPDX-License-Identifier: Apache-2.0 */
/* One frame of flyball top as text. */
#ifndef FLYBALL_CLI_TOP_SCREEN_H
#define FLYBALL_CLI_TOP_SCREEN_H

#include <stdio.h>

#include "cli/top/top_source.h"

enum top_pane { TOP_NODES, TOP_HOSTS, TOP_METERS, TOP_STAGES, TOP_PANE_COUNT };
enum top_order { TOP_WORST, TOP_NAME, TOP_LOAD, TOP_ORDER_COUNT };

struct top_screen {
    enum top_pane pane;
    enum top_order order;
    uint32_t first;             /* row shown at the top; brought into range by drawing */
    uint32_t columns, lines;
    bool terminal;              /* escape sequences and keys; false: plain text */
    bool colour;
};

/* Exactly screen->lines lines, none longer than screen->columns. */
void top_screen_draw(FILE *out, struct top_screen *screen, const struct top_source *source, int64_t now_ns);

extern const char *const top_pane_names[TOP_PANE_COUNT];
extern const char *const top_order_names[TOP_ORDER_COUNT];

/* top_rows.c: what a pane shows. Rows come worst first, by name or by load. */
enum top_tone { TOP_PLAIN, TOP_HEADING, TOP_NOTICE, TOP_ALARM };
enum { TOP_ROW_BYTES = 256 };

struct top_row {
    uint32_t index;             /* in the model */
    double weight;              /* larger comes first; equal ones in the site's order */
};

uint32_t top_rows_count(const struct top_source *source, enum top_pane pane);
void top_rows_sort(struct top_row *row, const struct top_source *source, const struct top_screen *screen,
                   int64_t now_ns);
void top_rows_heading(char text[TOP_ROW_BYTES], const struct top_source *source,
                      const struct top_screen *screen);
enum top_tone top_rows_format(char text[TOP_ROW_BYTES], const struct top_source *source,
                              const struct top_screen *screen, uint32_t index, int64_t now_ns);

#endif
