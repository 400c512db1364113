/* SPDX-License-Identifier: Apache-2.0 */
/* The bands of a sheet: filled between their edges, hatched, numbered. */
#include <math.h>

#include "cli/check/markup.h"
#include "cli/check/plot/plot_page.h"

static const char *const edge_class[PLOT_EDGE_COUNT] = {"fast", "nominal", "clears"};

void plot_hatches(FILE *out, const struct plot_page *page)
{
    fputs("<defs>\n", out);
    for (uint32_t i = 0; i < page->count; i++) {
        const struct plot_look *look = plot_look(page, i);

        if (page->row[i].curve)
            fprintf(out,
                    "<pattern id=\"hatch-%u-%u\" width=\"%d\" height=\"%d\" patternUnits=\"userSpaceOnUse\" "
                    "patternTransform=\"rotate(%d)\"><rect width=\"%d\" height=\"%d\" fill=\"%s\" "
                    "fill-opacity=\"0.16\"/><path d=\"M0 0H%d\" stroke=\"%s\" stroke-opacity=\"0.55\"/>"
                    "</pattern>\n",
                    page->number, i, look->apart, look->apart, look->angle, look->apart, look->apart,
                    look->colour, look->apart, look->colour);
    }
    fprintf(out,
            "<clipPath id=\"paper-%u\"><rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>"
            "</clipPath>\n</defs>\n",
            page->number, page->axis.left, page->axis.top, page->axis.width, page->axis.height);
}

static void points(FILE *out, const struct plot_line *line, char first)
{
    for (uint32_t i = 0; i < line->count; i++)
        fprintf(out, "%c%.2f %.2f", i ? 'L' : first, line->point[i].x, line->point[i].y);
}

/* Along the fast edge, and back along the other; where the other lies beyond the paper, back along its upper
 * and right edges. */
static void fill(FILE *out, const struct plot_page *page, uint32_t i)
{
    const struct plot_row *row = &page->row[i];
    const struct plot_line *slow = &row->line[PLOT_CLEARS];

    fprintf(out, "<path class=\"band\" fill=\"url(#hatch-%u-%u)\" d=\"", page->number, i);
    points(out, &row->line[PLOT_FAST], 'M');
    if (!slow->count)
        fprintf(out, "V%.2f", page->axis.top);
    for (uint32_t p = slow->count; p--;)
        fprintf(out, "L%.2f %.2f", slow->point[p].x, slow->point[p].y);
    fputs("Z\"/>\n", out);
}

static void edges(FILE *out, const struct plot_row *row, const struct plot_look *look)
{
    for (int e = 0; e < PLOT_EDGE_COUNT; e++) {
        if (!row->line[e].count)
            continue;
        fprintf(out, "<path class=\"%s\" fill=\"none\" stroke=\"%s\" ", edge_class[e], look->colour);
        if (e == PLOT_NOMINAL && *look->dashes)
            fprintf(out, "stroke-width=\"2\" stroke-dasharray=\"%s\" ", look->dashes);
        else
            fprintf(out, "stroke-width=\"%s\" ", e == PLOT_NOMINAL ? "2" : "0.9");
        fputs("d=\"", out);
        points(out, &row->line[e], 'M');
        fputs("\"/>\n", out);
    }
}

void plot_bands(FILE *out, const struct plot_page *page)
{
    for (uint32_t i = page->count; i--;) {
        const struct plot_row *row = &page->row[i];

        if (!row->curve || !row->line[PLOT_FAST].count)
            continue;
        fprintf(out, "<g class=\"device\" data-node=\"");
        markup_escape(out, page->study->site->model.node[row->node].name);
        fprintf(out, "\" clip-path=\"url(#paper-%u)\">\n", page->number);
        fill(out, page, i);
        edges(out, row, plot_look(page, i));
        fputs("</g>\n", out);
    }
}

void plot_tag(FILE *out, const struct plot_page *page, uint32_t row, double x, double y)
{
    fprintf(out,
            "<circle class=\"tag\" cx=\"%.2f\" cy=\"%.2f\" r=\"8\" stroke=\"%s\"/>"
            "<text class=\"number\" x=\"%.2f\" y=\"%.2f\" text-anchor=\"middle\">%u</text>\n",
            x, y, plot_look(page, row)->colour, x, y + 3.8, row + 1);
}

/* The middle of a band at a height; its left edge where it is wide open there. NAN: not there. */
static double middle(const struct plot_page *page, uint32_t i, double y)
{
    double fast = plot_line_x(&page->row[i].line[PLOT_FAST], y);
    double slow = plot_line_x(&page->row[i].line[PLOT_CLEARS], y);

    if (isnan(slow))
        slow = page->axis.left + page->axis.width;
    return slow - fast > 120 ? fast + 14 : (fast + slow) / 2;
}

/* How far a tag would be from other bands' middles and from tags that are placed already. */
static double freedom(const struct plot_page *page, uint32_t i, const struct plot_point *placed,
                      struct plot_point at)
{
    double least = 200;

    for (uint32_t k = 0; k < page->count; k++) {
        double other = k == i || !page->row[k].curve ? NAN : middle(page, k, at.y);

        least = fabs(other - at.x) < least ? fabs(other - at.x) : least;
        if (k < i && placed[k].x > 0)
            least = fmin(least, hypot(placed[k].x - at.x, placed[k].y - at.y));
    }
    return least;
}

void plot_tags(FILE *out, const struct plot_page *page)
{
    struct plot_point placed[ANCESTORS_MAX] = {0};

    for (uint32_t i = 0; i < page->count; i++) {
        double best = -1;

        /* from 3,000 s down, in steps of 12 units: the first of the freest places */
        for (double y = page->axis.top + 52; page->row[i].curve && y < page->axis.top + 480; y += 12) {
            struct plot_point at = {middle(page, i, y), y};
            double free = isnan(at.x) ? -1 : freedom(page, i, placed, at);

            if (free > best + 1) {
                best = free;
                placed[i] = at;
            }
        }
        if (best >= 0)
            plot_tag(out, page, i, placed[i].x, placed[i].y);
    }
}
