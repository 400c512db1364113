/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/check/check_rows.h"

static int by_rank(const void *left, const void *right, void *context)
{
    const struct check_rows *rows = context;
    const struct check_row *a = left, *b = right;
    int order = rows->worse(rows->context, a->index, b->index);

    return order ? order : a->index < b->index ? -1 : a->index > b->index;
}

uint32_t check_rows_pick(const struct check_rows *rows, struct check_row *row, uint32_t count, uint32_t most)
{
    struct check_rows copy = *rows;
    uint32_t kept = 0;

    qsort_r(row, count, sizeof *row, by_rank, &copy);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t k = 0;

        while (k < kept && !rows->alike(rows->context, row[k].index, row[i].index))
            k++;
        if (k < kept)
            row[k].alike++;
        else if (kept < most)
            row[kept++] = row[i];
    }
    return kept;
}

int check_compare(double a, double b)
{
    return a < b ? -1 : a > b;
}

const char *check_seconds(double s, char text[CHECK_FIGURE_BYTES])
{
    if (!isfinite(s))
        return "never";
    snprintf(text, CHECK_FIGURE_BYTES, s < 10 ? "%.3f" : s < 1e5 ? "%.1f" : "%.0f", s);
    return text;
}

const char *check_amperes(double a, char text[CHECK_FIGURE_BYTES])
{
    if (!isfinite(a))
        return "-";
    snprintf(text, CHECK_FIGURE_BYTES, a < 1e5 ? "%.1f" : "%.0f", a);
    return text;
}
