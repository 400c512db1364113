/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/check/plot/plot_line.h"

#include <math.h>

#define STEP 0.5            /* units of the drawing between two looks at the curve */
#define FINE 0.02           /* a point nearer than this to the line through its neighbours is left out */
enum { HALVINGS = 20 };     /* of a step, until a jump counts as upright */

double plot_time_s(const struct plot_subject *s, enum plot_edge edge, double amperes)
{
    double own_a = amperes / s->volts;

    if (s->ground && edge == PLOT_CLEARS)
        return curve_element_s(s->device, ELEMENT_GROUND, EDGE_SLOW, own_a) +
               (double)s->device->opening_ns / 1e9;
    if (s->ground)
        return curve_element_s(s->device, ELEMENT_GROUND, edge == PLOT_FAST ? EDGE_FAST : EDGE_NOMINAL,
                               own_a);
    if (edge == PLOT_CLEARS)
        return curve_clearing_s(s->device, own_a);
    return curve_time_s(s->device, edge == PLOT_FAST ? EDGE_FAST : EDGE_NOMINAL, own_a);
}

struct pen {
    struct plot_line *line;
    const struct plot_axis *axis;
    const struct plot_subject *subject;
    enum plot_edge edge;
};

static struct plot_point look(const struct pen *pen, double x)
{
    double s = plot_time_s(pen->subject, pen->edge, plot_amperes(pen->axis, x));

    return (struct plot_point){x, plot_y(pen->axis, s)};
}

static void put(struct pen *pen, struct plot_point p)
{
    if (pen->line->count < PLOT_POINTS_MAX)
        pen->line->point[pen->line->count++] = p;
}

/* From a, which stands already, to b: halved until the curve is seen or the step is upright. */
static void reach(struct pen *pen, struct plot_point a, struct plot_point b, int halvings)
{
    if (fabs(b.y - a.y) > STEP && halvings) {
        struct plot_point middle = look(pen, (a.x + b.x) / 2);

        reach(pen, a, middle, halvings - 1);
        reach(pen, middle, b, halvings - 1);
    } else {
        put(pen, b);
    }
}

static int straight(const struct plot_line *line, uint32_t from, uint32_t to)
{
    struct plot_point a = line->point[from], b = line->point[to];
    double dx = b.x - a.x, dy = b.y - a.y, allowed = FINE * FINE * (dx * dx + dy * dy);

    for (uint32_t i = from + 1; i < to; i++) {
        double area = (line->point[i].x - a.x) * dy - (line->point[i].y - a.y) * dx;

        if (area * area > allowed)
            return 0;
    }
    return 1;
}

/* Keeps the corners: straight runs, as I2t is on log paper, shrink to their ends. */
static void thin(struct plot_line *line)
{
    uint32_t kept = 0, from = 0;

    for (uint32_t i = 1; i < line->count; i++) {
        if (i + 1 < line->count && straight(line, from, i + 1))
            continue;
        from = i;
        line->point[++kept] = line->point[i];
    }
    line->count = line->count ? kept + 1 : 0;
}

/* Runs along the upper edge before the curve begins do not belong to it. */
static void drop_before(struct plot_line *line, double top)
{
    uint32_t first = 0, kept = 0;

    while (first < line->count && line->point[first].y <= top)
        first++;
    if (first == line->count) {
        line->count = 0;
        return;
    }
    for (first -= first != 0; first < line->count; first++)
        line->point[kept++] = line->point[first];
    line->count = kept;
}

void plot_trace(struct plot_line *line, const struct plot_axis *axis, const struct plot_subject *subject,
                enum plot_edge edge)
{
    struct pen pen = {line, axis, subject, edge};
    double end = plot_x(axis, subject->until_a);
    struct plot_point before = look(&pen, axis->left);

    line->count = 0;
    put(&pen, before);
    for (double x = axis->left; x < end;) {
        x = x + STEP < end ? x + STEP : end;
        struct plot_point next = look(&pen, x);

        reach(&pen, before, next, HALVINGS);
        before = next;
    }
    drop_before(line, axis->top);
    thin(line);
}

double plot_line_x(const struct plot_line *line, double y)
{
    for (uint32_t i = 1; i < line->count; i++) {
        const struct plot_point *a = &line->point[i - 1], *b = &line->point[i];

        if (a->y <= y && b->y >= y && b->y > a->y)
            return a->x + (b->x - a->x) * (y - a->y) / (b->y - a->y);
    }
    return NAN;
}
