/* SPDX-License-Identifier: Apache-2.0 */
/* Log-log paper: amperes to the right, seconds upwards, in units of the drawing (y grows downwards). */
#ifndef FLYBALL_CLI_CHECK_PLOT_AXIS_H
#define FLYBALL_CLI_CHECK_PLOT_AXIS_H

#include <stdio.h>

struct plot_axis {
    double low_a, high_a;       /* amperes at the left and right edge */
    double low_s, high_s;       /* seconds at the lower and upper edge */
    double left, top, width, height;
};

/* any: held at the edges; 0 and INFINITY too. */
double plot_x(const struct plot_axis *axis, double amperes);
double plot_y(const struct plot_axis *axis, double seconds);
/* any: the current at a place. */
double plot_amperes(const struct plot_axis *axis, double x);

/* any: the next current of the form n * 10^k, n = 1 .. 9, that is not above, not below. */
double plot_round_down(double amperes);
double plot_round_up(double amperes);

/* cold: minor and major lines with their scales; `unit` stands below. */
void plot_axis_draw(FILE *out, const struct plot_axis *axis, const char *unit);

#endif
