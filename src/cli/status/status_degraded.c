/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/status/status.h"
#include "loop/view_words.h"

static void print_row(FILE *out, const json_t *row)
{
    char since[VIEW_WORDS_TIME_BYTES] = "-";
    const char *newest = json_string_value(json_object_get(row, "newest"));
    if (status_has_number(row, "since_s"))
        view_words_since(since, (int64_t)(status_number(row, "since_s") * 1e9));
    fprintf(out, "%-11.11s %5.0f %8s  %-31.31s %8.0f %8.0f\n", status_word(row, "row"),
            status_number(row, "now"), since, newest ? newest : "-", status_number(row, "entered"),
            status_number(row, "left"));
    if (status_number(row, "now") > 0)
        fprintf(out, "  %s\n  -> %s\n", status_word(row, "lost"), status_word(row, "does"));
}

void status_print_degraded(FILE *out, json_t *rows, bool whole)
{
    size_t i, in = 0;
    json_t *row;
    json_array_foreach(rows, i, row)
        in += status_number(row, "now") > 0;
    if (!in && !whole)
        return;
    fprintf(out, "\n%-11s %5s %8s  %-31s %8s %8s\n", "degraded", "now", "since", "newest", "entered", "left");
    json_array_foreach(rows, i, row)
        if (whole || status_number(row, "now") > 0)
            print_row(out, row);
}
