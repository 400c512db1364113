/* SPDX-License-Identifier: Apache-2.0 */
/* Operating currents in a strip above the paper, lines of T_resp and fault currents, inrush. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check/markup.h"
#include "cli/check/plot/plot_page.h"

enum { MARKS_MAX = 2 + 2 * CONTINGENCIES_MAX };

#define LETTER 6.4              /* width of one letter of a mark */
#define FAULT_APART 16.0        /* lines nearer than this leave no room for words between them */
#define INRUSH_S 0.02           /* what starts, starts within a cycle: drawn at 20 ms */

struct mark {
    double a, x, text_x;
    char letter, label[16];
};

struct marks {
    uint32_t count;
    struct mark mark[MARKS_MAX];
};

/* A loss that moves a current to where another loss did shares its mark: "F1,3". */
static void add_mark(struct marks *marks, char letter, uint32_t loss, double a)
{
    struct mark *m = NULL;
    char digit[12];

    for (uint32_t i = 0; i < marks->count && !m; i++)
        if (marks->mark[i].letter == letter && !plot_moved(marks->mark[i].a, a))
            m = &marks->mark[i];
    if (m && !loss)
        return;
    if (!m) {
        m = &marks->mark[marks->count++];
        *m = (struct mark){.a = a, .letter = letter, .label = {letter}};
        snprintf(digit, sizeof digit, "%u", loss);
    } else {
        snprintf(digit, sizeof digit, ",%u", loss);
    }
    if (loss)
        strncat(m->label, digit, sizeof m->label - strlen(m->label) - 1);
}

/* Nothing lost first; a loss that changes nothing there has no mark. */
static void add_by_loss(struct marks *marks, const struct plot_page *page, const struct plot_row *row,
                        char letter, double (*current)(const struct study *, uint32_t, uint32_t))
{
    double normal = current(page->study, row->node, 0);

    if (normal > 0)
        add_mark(marks, letter, 0, normal * row->subject.volts);
    for (uint32_t c = 1; c < page->study->site->model.contingency_count; c++) {
        double a = current(page->study, row->node, c);

        if (a > 0 && plot_moved(a, normal))
            add_mark(marks, letter, c, a * row->subject.volts);
    }
}

static int by_current(const void *left, const void *right)
{
    const struct mark *a = left, *b = right;

    if (a->a != b->a)
        return a->a < b->a ? -1 : 1;
    return a->letter < b->letter ? -1 : a->letter > b->letter;
}

static void collect(struct marks *marks, const struct plot_page *page, const struct plot_row *row)
{
    const struct model_node *n = &page->study->site->model.node[row->node];
    double admissible = page->study->coordination->node[row->node].admissible_a;

    marks->count = 0;
    if (n->limited)
        add_mark(marks, 'S', 0, (double)n->steady_ma / 1e3 * row->subject.volts);
    if (row->curve && isfinite(admissible) && admissible > 0)
        add_mark(marks, 'A', 0, admissible * row->subject.volts);
    add_by_loss(marks, page, row, 'F', study_fail_safe_a);
    add_by_loss(marks, page, row, 'L', study_full_a);
    qsort(marks->mark, marks->count, sizeof marks->mark[0], by_current);
}

static const char *beyond(const struct mark *m, const struct plot_axis *axis)
{
    return m->a < axis->low_a * 0.9999 ? "&lt;" : m->a > axis->high_a * 1.0001 ? "&gt;" : "";
}

/* Of the width of a label; one more letter stands for < or >. */
static double half(const struct mark *m)
{
    return LETTER * (double)(strlen(m->label) + (strlen(m->label) == 1)) / 2;
}

/* Letters that would lie on each other stand side by side around their mean: of all ways to keep them in
 * order and apart the one nearest to their places (pooled neighbours, as in isotonic regression). */
static void pool(struct mark *mark, uint32_t count, const double *offset)
{
    double sum[MARKS_MAX];
    uint32_t size[MARKS_MAX], pools = 0;

    for (uint32_t i = 0; i < count; i++) {
        sum[pools] = mark[i].x - offset[i];
        size[pools++] = 1;
        while (pools > 1 && sum[pools - 2] * size[pools - 1] > sum[pools - 1] * size[pools - 2]) {
            sum[pools - 2] += sum[pools - 1];
            size[pools - 2] += size[pools - 1];
            pools--;
        }
    }
    for (uint32_t p = 0, i = 0; p < pools; p++)
        for (uint32_t k = 0; k < size[p]; k++, i++)
            mark[i].text_x = sum[p] / size[p] + offset[i];
}

static void spread(struct marks *marks, const struct plot_axis *axis)
{
    double offset[MARKS_MAX] = {0}, right = axis->left + axis->width;
    uint32_t last = marks->count - 1;

    if (!marks->count)
        return;
    for (uint32_t i = 0; i < marks->count; i++) {
        struct mark *m = &marks->mark[i];

        m->x = plot_x(axis, m->a);
        offset[i] = i ? offset[i - 1] + half(m - 1) + half(m) + 3 : 0;
    }
    pool(marks->mark, marks->count, offset);
    for (uint32_t i = 0; i < marks->count; i++) {
        struct mark *m = &marks->mark[i];
        double least = axis->left + half(marks->mark) + offset[i];
        double most = right - half(&marks->mark[last]) - (offset[last] - offset[i]);

        m->text_x = m->text_x > most ? most : m->text_x;
        m->text_x = m->text_x < least ? least : m->text_x;
    }
}

static void draw_marks(FILE *out, const struct plot_page *page, uint32_t i, double y)
{
    struct marks marks;

    collect(&marks, page, &page->row[i]);
    spread(&marks, &page->axis);
    for (uint32_t k = 0; k < marks.count; k++) {
        const struct mark *m = &marks.mark[k];

        fprintf(out,
                "<path class=\"mark\" stroke=\"%s\" d=\"M%.2f %.2fL%.2f %.2fV%.2f\"/>"
                "<text class=\"letter\" x=\"%.2f\" y=\"%.2f\" text-anchor=\"middle\">%s%s</text>\n",
                plot_look(i)->colour, m->text_x, y - 8.5, m->x, y - 4, y, m->text_x, y - 10,
                beyond(m, &page->axis), m->label);
    }
}

void plot_strip(FILE *out, const struct plot_page *page)
{
    const struct plot_axis *x = &page->axis;

    fputs("<g class=\"strip\">\n", out);
    for (uint32_t i = 0; i < page->count; i++) {
        double y = page->strip + PAGE_STRIP * (i + 1);

        fprintf(out, "<path class=\"lane\" d=\"M%.2f %.2fH%.2f\"/>\n", x->left, y, x->left + x->width);
        plot_tag(out, i, x->left - 14, y - 8);
        draw_marks(out, page, i, y);
    }
    fputs("</g>\n", out);
}

static void level(FILE *out, const struct plot_page *page, double s, bool over, uint32_t node, double right)
{
    double y = plot_y(&page->axis, s);

    if (!(s > page->axis.low_s && s < page->axis.high_s))
        return;
    fprintf(out,
            "<path class=\"time\" d=\"M%.2f %.2fH%.2f\"/><text class=\"line\" x=\"%.2f\" y=\"%.2f\">"
            "T<tspan class=\"sub\">resp</tspan>%s = %s, ",
            page->axis.left, y, page->axis.left + page->axis.width, page->axis.left + 5 + right,
            over ? y - 4 : y + 11, over ? " / 0.7" : "", study_seconds(s).text);
    markup_escape(out, page->study->site->model.node[node].name);
    fputs("</text>\n", out);
}

static void response(FILE *out, const struct plot_page *page, uint32_t node, double right)
{
    level(out, page, page->study->coordination->node[node].hold_s, true, node, right);
    level(out, page, page->study->coordination->node[node].respond_s, false, node, right);
}

/* A stated fault current, and whose it is. */
struct fault {
    double a, x;
    char names[96];
};

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
        if (i == count)
            fault[count++] = (struct fault){.a = a, .x = x};
        size_t used = strlen(fault[i].names);

        snprintf(fault[i].names + used, sizeof fault[i].names - used, "%s%s", used ? ", " : "", name);
    }
    qsort(fault, count, sizeof *fault, by_place);
    return count;
}

/* Words stand left of their line; where another line is there, right of it, and where that is no place
 * either, further down. */
static void put_faults(FILE *out, const struct plot_page *page)
{
    struct fault fault[ANCESTORS_MAX];
    uint32_t count = find_faults(page, fault);
    double top = page->axis.top, right = page->axis.left + page->axis.width;

    for (uint32_t i = 0; i < count; i++) {
        const struct fault *f = &fault[i];
        bool left_taken = i && f->x - fault[i - 1].x < FAULT_APART;
        bool right_taken =
            i + 1 < count ? fault[i + 1].x - f->x < 2 * FAULT_APART : right - f->x < FAULT_APART;
        bool to_right = left_taken && !right_taken;

        fprintf(out,
                "<path class=\"fault\" d=\"M%.2f %.2fV%.2f\"/><text class=\"line\" "
                "transform=\"translate(%.2f %.2f) rotate(-90)\" text-anchor=\"end\">",
                f->x, top, top + page->axis.height, f->x + (to_right ? 11 : -3),
                top + 5 + (left_taken && !to_right ? 170 : 0));
        markup_format(out, "fault %s at %s", study_amperes(f->a).text, f->names);
        fputs("</text>\n", out);
    }
}

void plot_lines(FILE *out, const struct plot_page *page)
{
    const struct coordination_node *n = page->study->coordination->node;
    uint32_t first = page->sheet->node[page->sheet->base], longest = first;

    fputs("<g class=\"levels\">\n", out);
    for (uint32_t i = 0; i < page->count; i++)
        if (n[page->row[i].node].respond_s > n[longest].respond_s * 1.01)
            longest = page->row[i].node;
    response(out, page, first, 0);
    if (longest != first)
        response(out, page, longest, 190);
    put_faults(out, page);
    fputs("</g>\n", out);
}

/* Points that lie on each other share their letters: "I2,3". */
static void put_inrush(FILE *out, double x, double y, const char *label)
{
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
        bool same = before >= 0 && fabs(x - before) < 3 * LETTER;
        size_t used = same ? strlen(label) : 0;

        if (!isfinite(a) || a < page->axis.low_a || a > page->axis.high_a)
            continue;
        if (before >= 0 && !same)
            put_inrush(out, before, y, label);
        snprintf(label + used, sizeof label - used, same ? ",%u" : "I%u", i + 1);
        before = x;
        fprintf(out,
                "<path class=\"point\" stroke=\"%s\" d=\"M%.2f %.2fl4.5 4.5l-4.5 4.5l-4.5 -4.5Z\"/>\n",
                plot_look(i)->colour, x, y - 4.5);
    }
    if (before >= 0)
        put_inrush(out, before, y, label);
    fputs("</g>\n", out);
}
