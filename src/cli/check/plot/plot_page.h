/* SPDX-License-Identifier: Apache-2.0 */
/* One sheet while it is drawn: where its paper lies, and what stands on it, lowest device first. */
#ifndef FLYBALL_CLI_CHECK_PLOT_PAGE_H
#define FLYBALL_CLI_CHECK_PLOT_PAGE_H

#include "cli/check/plot/plot.h"
#include "cli/check/plot/plot_line.h"

#define PAGE_WIDTH 820.0
#define PAGE_LEFT 66.0          /* of the paper */
#define PAGE_RIGHT 800.0
#define PAGE_STRIP 22.0         /* height of one row of operating currents */
#define PAGE_PAPER 600.0        /* height of the paper: 100 per decade of time */

struct plot_row {
    uint32_t node;
    bool curve;                 /* it has a band on this sheet */
    struct plot_subject subject;
    struct plot_line line[PLOT_EDGE_COUNT];
};

struct plot_page {
    const struct study *study;
    const struct plot_sheet *sheet;
    uint32_t number;
    struct plot_axis axis;
    double strip;               /* upper edge of the operating currents */
    double height;
    uint32_t count;
    struct plot_row row[ANCESTORS_MAX];
};

/* How a device looks: colours that stay apart for colour-blind eyes, hatches and dashes that do in grey. */
struct plot_look { const char *colour, *dashes; int angle, apart; };
const struct plot_look *plot_look(const struct plot_page *page, uint32_t row);

/* any: amperes of the sheet per ampere at a node. */
double plot_volts(const struct plot_page *page, uint32_t node);

enum { PLOT_POOL_MAX = 32 };

/* any: words that would lie on each other stand side by side around their mean: of all ways to keep `count`
 * of them in order, and so far apart as their offsets are, the one nearest to what each wants (pooled
 * neighbours, as in isotonic regression). */
void plot_pool(const double *want, uint32_t count, const double *offset, double *place);

/* any: does a loss change a current so much that it gets a mark of its own? */
bool plot_moved(double amperes, double before);

/* setup: the paper's range and every row's edges. */
void plot_page_lay_out(struct plot_page *page);

/* cold: the parts of a sheet. Head and legend return where they end; NAN: there was no memory. */
void plot_hatches(FILE *out, const struct plot_page *page);
void plot_bands(FILE *out, const struct plot_page *page);
void plot_tags(FILE *out, const struct plot_page *page);
void plot_strip(FILE *out, const struct plot_page *page);
void plot_lines(FILE *out, const struct plot_page *page);
void plot_inrush(FILE *out, const struct plot_page *page);
double plot_head(FILE *out, const struct plot_page *page);
double plot_legend(FILE *out, const struct plot_page *page, double y);
void plot_swatch(FILE *out, const struct plot_page *page, uint32_t row, double x, double y);
void plot_tag(FILE *out, const struct plot_page *page, uint32_t row, double x, double y);

/* cold: text in lines of at most `columns`, broken between words; returns the y of the next line. */
double plot_wrap(FILE *out, const char *class, double x, double y, uint32_t columns, const char *text);

#endif
