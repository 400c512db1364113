/* SPDX-License-Identifier: Apache-2.0 */
/* Lines on the paper: T_resp across, fault currents upright; and what starts at once, as points. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check/markup.h"
#include "cli/check/plot/plot_page.h"

enum { LEVELS_MAX = 4 };

#define FAULT_APART 16.0        /* lines nearer than this leave no room for words between them */
#define INRUSH_S 0.02           /* what starts, starts within a cycle: drawn at 20 ms */
#define LETTER 5.3              /* width of a letter of 10.5 units, on average */
#define BOLD 6.4
#define LINE 13.0               /* from one line of words to the next */

/* Nearly white behind words: lines of the grid do not run through them, and a curve still shows. `right`:
 * they end at x. */
static void back(FILE *out, double x, double y, double width, bool right)
{
    fprintf(out, "<rect class=\"back\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"12\"/>",
            right ? x - width : x, y - 9.5, width);
}

struct level {
    double s;
    const char *of;             /* "", or " / 0.7" */
    uint32_t node;
};

static uint32_t add_level(struct level *level, uint32_t count, const struct plot_page *page, double s,
                          const char *of, uint32_t node)
{
    if (s > page->axis.low_s && s < page->axis.high_s)
        level[count++] = (struct level){s, of, node};
    return count;
}

static int longest_first(const void *left, const void *right)
{
    const struct level *a = left, *b = right;

    return a->s > b->s ? -1 : a->s < b->s;
}

/* T_resp and T_resp / 0.7 of the device whose volts these are; of the slowest node too, where it differs. */
static uint32_t find_levels(const struct plot_page *page, struct level level[LEVELS_MAX])
{
    const struct coordination_node *n = page->study->coordination->node;
    uint32_t first = page->sheet->node[page->sheet->base], longest = first, count = 0;

    for (uint32_t i = 0; i < page->count; i++)
        if (n[page->row[i].node].respond_s > n[longest].respond_s * 1.01)
            longest = page->row[i].node;
    count = add_level(level, count, page, n[first].respond_s, "", first);
    count = add_level(level, count, page, n[first].hold_s, " / 0.7", first);
    if (longest != first) {
        count = add_level(level, count, page, n[longest].respond_s, "", longest);
        count = add_level(level, count, page, n[longest].hold_s, " / 0.7", longest);
    }
    qsort(level, count, sizeof *level, longest_first);
    return count;
}

static double width_of(const struct plot_page *page, const struct level *l)
{
    return LETTER * (double)(strlen("Tresp = , ") + strlen(l->of) + strlen(study_seconds(l->s).text) +
                             strlen(page->study->site->model.node[l->node].name));
}

/* Words stand in a column at the left, in the order of their lines, which begin behind them. */
static void put_levels(FILE *out, const struct plot_page *page)
{
    struct level level[LEVELS_MAX];
    double want[LEVELS_MAX], offset[LEVELS_MAX], y[LEVELS_MAX], width = 0, x = page->axis.left + 4;
    uint32_t count = find_levels(page, level);

    for (uint32_t i = 0; i < count; i++) {
        want[i] = plot_y(&page->axis, level[i].s);
        offset[i] = LINE * i;
        width = fmax(width, width_of(page, &level[i]));
    }
    plot_pool(want, count, offset, y);
    for (uint32_t i = 0; i < count; i++) {
        fprintf(out, "<path class=\"time\" d=\"M%.2f %.2fL%.2f %.2fH%.2f\"/>", x + width, y[i],
                x + width + 12, want[i], page->axis.left + page->axis.width);
        back(out, x - 2, y[i] + 3.5, width + 2, false);
        fprintf(out, "<text class=\"line\" x=\"%.2f\" y=\"%.2f\">T<tspan class=\"sub\">resp</tspan>%s = %s, ",
                x, y[i] + 3.5, level[i].of, study_seconds(level[i].s).text);
        markup_escape(out, page->study->site->model.node[level[i].node].name);
        fputs("</text>\n", out);
    }
}

/* A stated fault current on the paper, in the words of the site file, and whose it is. */
struct fault {
    double a, x;
    char own[112], names[96];
};

/* "30 kA", or where the bus has other volts than the paper, its own amperes: "12 kA (13.8 kV)". */
static void put_own(const struct plot_page *page, const struct plot_row *row, char *text, size_t bytes)
{
    const struct model_node *n = &page->study->site->model.node[row->node];
    double a = (double)page->study->site->equipment[row->node].fault_ma / 1e3;
    bool other = fabs(row->subject.volts - 1) > 1e-6;

    snprintf(text, bytes, "%s%s%s%s", study_amperes(a).text, other ? " (" : "",
             other ? study_volts(n->volts_ln_mv, n->phases).text : "", other ? ")" : "");
}

static int by_place(const void *left, const void *right)
{
    const struct fault *a = left, *b = right;

    return a->a < b->a ? -1 : a->a > b->a;
}

/* Buses with the same fault current, which a switchboard and its feeder often have, share a line. */
static uint32_t find_faults(const struct plot_page *page, struct fault fault[ANCESTORS_MAX])
{
    uint32_t count = 0, i;

    for (uint32_t r = 0; r < page->count; r++) {
        const struct plot_row *row = &page->row[r];
        const char *name = page->study->site->model.node[row->node].name;
        double a = (double)page->study->site->equipment[row->node].fault_ma / 1e3 * row->subject.volts;
        double x = plot_x(&page->axis, a);

        for (i = 0; i < count && fabs(fault[i].x - x) > 1; i++)
            continue;
        if (!(a > 0))
            continue;
        if (i == count) {
            fault[count++] = (struct fault){.a = a, .x = x};
            put_own(page, row, fault[i].own, sizeof fault[i].own);
        }
        size_t used = strlen(fault[i].names);

        snprintf(fault[i].names + used, sizeof fault[i].names - used, "%s%s", used ? ", " : "", name);
    }
    qsort(fault, count, sizeof *fault, by_place);
    return count;
}

/* Words stand left of their line; where another line is there, right of it, and where that is no place
 * either, further down. */
static void put_fault(FILE *out, const struct plot_page *page, const struct fault *f, bool left_taken,
                      bool right_taken)
{
    bool to_right = left_taken && !right_taken;
    double top = page->axis.top, down = top + 5 + (left_taken && right_taken ? 170 : 0);
    char text[224];

    snprintf(text, sizeof text, "fault %s at %s", f->own, f->names);
    fprintf(out,
            "<path class=\"fault\" d=\"M%.2f %.2fV%.2f\"/><g transform=\"translate(%.2f %.2f) rotate(-90)\">",
            f->x, top, top + page->axis.height, f->x + (to_right ? 11 : -3), down);
    back(out, 0, 0, LETTER * (double)strlen(text), true);
    fputs("<text class=\"line\" text-anchor=\"end\">", out);
    markup_escape(out, text);
    fputs("</text></g>\n", out);
}

static void put_faults(FILE *out, const struct plot_page *page)
{
    struct fault fault[ANCESTORS_MAX];
    uint32_t count = find_faults(page, fault);
    double right = page->axis.left + page->axis.width;

    for (uint32_t i = 0; i < count; i++)
        put_fault(out, page, &fault[i], i && fault[i].x - fault[i - 1].x < FAULT_APART,
                  i + 1 < count ? fault[i + 1].x - fault[i].x < 2 * FAULT_APART
                                : right - fault[i].x < FAULT_APART);
}

void plot_lines(FILE *out, const struct plot_page *page)
{
    fputs("<g class=\"levels\">\n", out);
    put_levels(out, page);
    put_faults(out, page);
    fputs("</g>\n", out);
}

/* Points that lie on each other share their letters: "I2,3". */
static void put_inrush(FILE *out, double x, double y, const char *label)
{
    double width = BOLD * (double)strlen(label);

    back(out, x - width / 2, y - 8, width, false);
    fprintf(out, "<text class=\"letter\" x=\"%.2f\" y=\"%.2f\" text-anchor=\"middle\">%s</text>\n", x, y - 8,
            label);
}

void plot_inrush(FILE *out, const struct plot_page *page)
{
    double y = plot_y(&page->axis, INRUSH_S), before = -1;
    char label[64] = "";

    fputs("<g class=\"inrush\">\n", out);
    for (uint32_t i = 0; i < page->count; i++) {
        double a = page->study->coordination->node[page->row[i].node].boot_a * page->row[i].subject.volts;
        double x = plot_x(&page->axis, a);
        bool same = before >= 0 && fabs(x - before) < 3 * BOLD;
        size_t used = same ? strlen(label) : 0;

        if (!isfinite(a) || a < page->axis.low_a || a > page->axis.high_a)
            continue;
        if (before >= 0 && !same)
            put_inrush(out, before, y, label);
        snprintf(label + used, sizeof label - used, same ? ",%u" : "I%u", i + 1);
        before = x;
        fprintf(out,
                "<path class=\"point\" stroke=\"%s\" d=\"M%.2f %.2fl4.5 4.5l-4.5 4.5l-4.5 -4.5Z\"/>\n",
                plot_look(page, i)->colour, x, y - 4.5);
    }
    if (before >= 0)
        put_inrush(out, before, y, label);
    fputs("</g>\n", out);
}
