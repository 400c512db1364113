/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time-current curves as the field draws them: current and time on log axes, a band per device from its fast
 * edge (would trip) to where it must have cleared, a parent and its children on one sheet at one voltage.
 */
#ifndef FLYBALL_CLI_CHECK_PLOT_H
#define FLYBALL_CLI_CHECK_PLOT_H

#include "cli/check/study.h"

/* A way from a leaf of the power graph to a source, or of one voltage its ground stages alone. */
struct plot_sheet {
    bool ground;
    uint32_t count;
    uint32_t node[ANCESTORS_MAX];       /* lowest first */
    uint32_t base;              /* the sheet's currents are those at the volts of node[base] */
    uint32_t alike_count, alike_room;
    uint32_t *alike;            /* the lowest nodes of further chains that would be drawn the same */
    char name[224];             /* of its file, without ".svg" */
};

struct plot_book {
    uint32_t count, room;
    struct plot_sheet *sheet;   /* chains first, then ground, both by node */
    uint32_t bare;              /* chains without any time-current curve: there is nothing to draw */
};

/* Two sheets are alike where devices and settings are the same and currents differ by less than this. */
#define PLOT_ALIKE_PERCENT 2

/* setup: 0 or -ENOMEM; plot_close frees. */
int plot_open(struct plot_book *book, const struct study *study);
void plot_close(struct plot_book *book);

/* What sheets look like; a document that holds sheets with a number has it once. */
extern const char plot_style[];

/* cold: one sheet as an SVG element. `number` makes ids unique where several stand in one document; 0: it
 * stands alone. 0 or -ENOMEM. */
int plot_draw(FILE *out, const struct study *study, const struct plot_sheet *sheet, uint32_t number);

/* cold: every sheet into `directory`, which is made if absent. Says on `told`, where not NULL, what it
 * wrote. 0 or -errno with the fault on stderr. */
int plot_write(const struct study *study, const char *directory, FILE *told);

#endif
