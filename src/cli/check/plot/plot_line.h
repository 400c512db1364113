/* SPDX-License-Identifier: Apache-2.0 */
/* The edges of a device's band as polylines of a drawing. */
#ifndef FLYBALL_CLI_CHECK_PLOT_LINE_H
#define FLYBALL_CLI_CHECK_PLOT_LINE_H

#include "cli/check/plot/plot_axis.h"
#include "site/curve/curve.h"

enum { PLOT_POINTS_MAX = 8192 };

enum plot_edge {
    PLOT_FAST,          /* would trip: curve_time_s of the fast edge */
    PLOT_NOMINAL,
    PLOT_CLEARS,        /* must have cleared: curve_clearing_s */
    PLOT_EDGE_COUNT
};

struct plot_line {
    uint32_t count;
    struct plot_point { double x, y; } point[PLOT_POINTS_MAX];
};

struct plot_subject {
    const struct site_device *device;
    bool ground;                /* its ground stage alone */
    double volts;               /* amperes of the sheet per ampere of the device */
    double until_a;             /* of the sheet: no more than this can flow through it */
};

/* any: seconds at a current of the sheet; INFINITY = never. */
double plot_time_s(const struct plot_subject *subject, enum plot_edge edge, double amperes);

/* any: the edge from where it leaves the upper edge of the paper to `until_a`; no point of the true curve is
 * further than 0.05 units from it but where it jumps. No points: it lies beyond the paper. */
void plot_trace(struct plot_line *line, const struct plot_axis *axis, const struct plot_subject *subject,
                enum plot_edge edge);

/* any: where a line passes a height, NAN where it does not. */
double plot_line_x(const struct plot_line *line, double y);

#endif
