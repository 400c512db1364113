/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/check/plot/plot_axis.h"

#include <math.h>

#include "cli/check/markup.h"

static double held(double value, double low, double high)
{
    return value > low ? value < high ? value : high : low;
}

double plot_x(const struct plot_axis *axis, double amperes)
{
    double a = held(amperes, axis->low_a, axis->high_a);

    return axis->left + axis->width * log(a / axis->low_a) / log(axis->high_a / axis->low_a);
}

double plot_y(const struct plot_axis *axis, double seconds)
{
    double s = held(seconds, axis->low_s, axis->high_s);

    return axis->top + axis->height * log(axis->high_s / s) / log(axis->high_s / axis->low_s);
}

double plot_amperes(const struct plot_axis *axis, double x)
{
    return axis->low_a * pow(axis->high_a / axis->low_a, (x - axis->left) / axis->width);
}

static double decade(double amperes)
{
    return pow(10, floor(log10(amperes)));
}

/* a hair of slack, so that 800 A stays 800 A */
double plot_round_down(double amperes)
{
    double d = decade(amperes);

    return d * floor(amperes / d + 1e-9);
}

double plot_round_up(double amperes)
{
    double d = decade(amperes);

    return d * ceil(amperes / d - 1e-9);
}

static void scale_of_amperes(FILE *out, const struct plot_axis *axis, double a, double x, int n)
{
    double decades = log10(axis->high_a / axis->low_a);

    /* 1, 2, 5 where there is room, else the decades; edges have theirs too */
    if (n != 1 && !(decades < 5 && (n == 2 || n == 5)) && !(decades < 1.6 && (n == 3 || n == 7)))
        return;
    fprintf(out, "<text class=\"scale\" x=\"%.2f\" y=\"%.2f\" text-anchor=\"middle\">", x,
            axis->top + axis->height + 14);
    if (a >= 999.5)
        fprintf(out, "%.6gk</text>\n", a / 1000);
    else
        fprintf(out, "%.6g</text>\n", a);
}

static void lines_of_amperes(FILE *out, const struct plot_axis *axis)
{
    for (double d = decade(axis->low_a); d <= axis->high_a * 1.0001; d *= 10)
        for (int n = 1; n <= 9; n++) {
            double a = d * n;

            if (a < axis->low_a * 0.9999 || a > axis->high_a * 1.0001)
                continue;
            double x = plot_x(axis, a);

            fprintf(out, "<path class=\"%s\" d=\"M%.2f %.2fV%.2f\"/>\n", n == 1 ? "major" : "minor", x,
                    axis->top, axis->top + axis->height);
            scale_of_amperes(out, axis, a, x, n);
        }
}

static void scale_of_seconds(FILE *out, const struct plot_axis *axis, double s, double y, int n)
{
    if (n != 1 && n != 2 && n != 5)
        return;
    fprintf(out, "<text class=\"%s\" x=\"%.2f\" y=\"%.2f\" text-anchor=\"end\">",
            n == 1 ? "scale" : "scale small", axis->left - 5, y + (n == 1 ? 4 : 3));
    if (s >= 999.5)
        fprintf(out, "%g %03g</text>\n", floor(s / 1000 + 0.5), fmod(floor(s + 0.5), 1000));
    else
        fprintf(out, "%.6g</text>\n", s);
}

static void lines_of_seconds(FILE *out, const struct plot_axis *axis)
{
    for (double d = decade(axis->low_s); d <= axis->high_s * 1.0001; d *= 10)
        for (int n = 1; n <= 9; n++) {
            double s = d * n;

            if (s < axis->low_s * 0.9999 || s > axis->high_s * 1.0001)
                continue;
            double y = plot_y(axis, s);

            fprintf(out, "<path class=\"%s\" d=\"M%.2f %.2fH%.2f\"/>\n", n == 1 ? "major" : "minor",
                    axis->left, y, axis->left + axis->width);
            scale_of_seconds(out, axis, s, y, n);
        }
}

void plot_axis_draw(FILE *out, const struct plot_axis *axis, const char *unit)
{
    double bottom = axis->top + axis->height;

    fputs("<g class=\"grid\">\n", out);
    lines_of_amperes(out, axis);
    lines_of_seconds(out, axis);
    fprintf(out, "<rect class=\"frame\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>\n", axis->left,
            axis->top, axis->width, axis->height);
    fprintf(out, "<text class=\"unit\" x=\"%.2f\" y=\"%.2f\" text-anchor=\"middle\">",
            axis->left + axis->width / 2, bottom + 31);
    markup_escape(out, unit);
    fprintf(out, "</text>\n<text class=\"unit\" transform=\"translate(%.2f %.2f) rotate(-90)\" "
                 "text-anchor=\"middle\">time, seconds</text>\n</g>\n",
            axis->left - 46, axis->top + axis->height / 2);
}
