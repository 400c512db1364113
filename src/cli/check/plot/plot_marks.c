/* SPDX-License-Identifier: Apache-2.0 */
/* Operating currents in a strip above the paper. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check/markup.h"
#include "cli/check/plot/plot_page.h"

enum { MARKS_MAX = 2 + 2 * CONTINGENCIES_MAX };

_Static_assert((int)MARKS_MAX <= (int)PLOT_POOL_MAX, "room for a row");

#define LETTER 6.4              /* width of one letter of a mark */

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

void plot_pool(const double *want, uint32_t count, const double *offset, double *place)
{
    double sum[PLOT_POOL_MAX];
    uint32_t size[PLOT_POOL_MAX], pools = 0;

    for (uint32_t i = 0; i < count; i++) {
        sum[pools] = want[i] - offset[i];
        size[pools++] = 1;
        while (pools > 1 && sum[pools - 2] * size[pools - 1] > sum[pools - 1] * size[pools - 2]) {
            sum[pools - 2] += sum[pools - 1];
            size[pools - 2] += size[pools - 1];
            pools--;
        }
    }
    for (uint32_t p = 0, i = 0; p < pools; p++)
        for (uint32_t k = 0; k < size[p]; k++, i++)
            place[i] = sum[p] / size[p] + offset[i];
}

static void spread(struct marks *marks, const struct plot_axis *axis)
{
    double want[MARKS_MAX], place[MARKS_MAX], offset[MARKS_MAX] = {0}, right = axis->left + axis->width;
    uint32_t last = marks->count - 1;

    if (!marks->count)
        return;
    for (uint32_t i = 0; i < marks->count; i++) {
        struct mark *m = &marks->mark[i];

        want[i] = m->x = plot_x(axis, m->a);
        offset[i] = i ? offset[i - 1] + half(m - 1) + half(m) + 3 : 0;
    }
    plot_pool(want, marks->count, offset, place);
    for (uint32_t i = 0; i < marks->count; i++) {
        double least = axis->left + half(marks->mark) + offset[i];
        double most = right - half(&marks->mark[last]) - (offset[last] - offset[i]);

        place[i] = place[i] > most ? most : place[i];
        marks->mark[i].text_x = place[i] < least ? least : place[i];
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
                plot_look(page, i)->colour, m->text_x, y - 8.5, m->x, y - 4, y, m->text_x, y - 10,
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
        plot_tag(out, page, i, x->left - 14, y - 8);
        draw_marks(out, page, i, y);
    }
    fputs("</g>\n", out);
}
