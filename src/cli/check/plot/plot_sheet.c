/* SPDX-License-Identifier: Apache-2.0 */
/* A sheet put together as SVG: no scripts, no fonts of its own, text as text. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "cli/check/markup.h"
#include "cli/check/plot/plot_page.h"

const char plot_style[] =
    ".tcc{background:#fff}"
    ".tcc text{font-family:Helvetica,Arial,'Liberation Sans',sans-serif;font-size:11px;fill:#000}"
    ".tcc .title{font-size:17px;font-weight:bold}"
    ".tcc .small{font-size:11px;fill:#222}"
    ".tcc .scale{font-size:11px}"
    ".tcc .scale.small{font-size:8.5px;fill:#444}"
    ".tcc .unit{font-size:12px;font-weight:bold}"
    ".tcc .device-name{font-size:12px;font-weight:bold}"
    ".tcc .sub{font-size:8px}"
    ".tcc .letter{font-size:10.5px;font-weight:bold}"
    ".tcc .line{font-size:10.5px}.tcc .back{fill:#fff;fill-opacity:.75}"
    ".tcc .number{font-size:10.5px;font-weight:bold}"
    ".tcc .minor{stroke:#d4d4d4;stroke-width:.5;fill:none}"
    ".tcc .major{stroke:#8c8c8c;stroke-width:.8;fill:none}"
    ".tcc .frame{stroke:#000;stroke-width:1.2;fill:none}"
    ".tcc .tag{fill:#fff;stroke-width:1.8}"
    ".tcc .lane{stroke:#777;stroke-width:.6;fill:none}"
    ".tcc .mark{stroke-width:1.6;fill:none}"
    ".tcc .time{stroke:#000;stroke-width:1;stroke-dasharray:8 3 1.5 3;fill:none}"
    ".tcc .fault{stroke:#000;stroke-width:1.2;stroke-dasharray:2 2;fill:none}"
    ".tcc .point{fill:#fff;stroke-width:1.8}";

static void open_svg(FILE *out, const struct plot_page *page)
{
    const struct model *m = &page->study->site->model;
    const struct plot_sheet *s = page->sheet;

    fprintf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"tcc\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
        "height=\"%.0f\" data-low-a=\"%.6g\" data-high-a=\"%.6g\" data-low-s=\"%.6g\" "
        "data-high-s=\"%.6g\">\n<title>",
        PAGE_WIDTH, page->height, PAGE_WIDTH, page->height, page->axis.low_a, page->axis.high_a,
        page->axis.low_s, page->axis.high_s);
    markup_format(out, "%s %s", s->ground ? "Ground time-current curves of" : "Time-current curves of",
                  m->node[s->node[0]].name);
    fputs("</title>\n<desc>", out);
    markup_format(out, "Site %s", m->name);
    for (uint32_t i = 0; i < s->alike_count; i++)
        markup_format(out, "%s%s", i ? ", " : ". The same would be drawn for ", m->node[s->alike[i]].name);
    fprintf(out, ".</desc>\n");
    if (!page->number)
        fprintf(out, "<style>%s</style>\n", plot_style);
    fprintf(out, "<rect width=\"%.0f\" height=\"%.0f\" fill=\"#fff\"/>\n", PAGE_WIDTH, page->height);
}

static void draw_paper(FILE *out, const struct plot_page *page)
{
    const struct model_node *base = &page->study->site->model.node[page->sheet->node[page->sheet->base]];
    char unit[96];

    snprintf(unit, sizeof unit, "%s, amperes at %s", page->sheet->ground ? "residual current" : "current",
             study_volts(base->volts_ln_mv, base->phases).text);
    plot_hatches(out, page);
    plot_axis_draw(out, &page->axis, unit);
    plot_bands(out, page);
    if (!page->sheet->ground) {
        plot_strip(out, page);
        plot_lines(out, page);
        plot_inrush(out, page);
    }
    plot_tags(out, page);
}

static double legend_top(const struct plot_page *page)
{
    return page->axis.top + page->axis.height + 56;
}

/* Head and legend are as long as their words: they are written once to see how long. */
static int measure(struct plot_page *page)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *nowhere = open_memstream(&text, &bytes);

    if (!nowhere)
        return -ENOMEM;
    page->count = page->sheet->count;
    for (uint32_t i = 0; i < page->count; i++)
        page->row[i].node = page->sheet->node[i];
    page->strip = plot_head(nowhere, page) + 2;
    plot_page_lay_out(page);
    page->height = plot_legend(nowhere, page, legend_top(page));
    fclose(nowhere);
    free(text);
    return isnan(page->height) ? -ENOMEM : 0;
}

int plot_draw(FILE *out, const struct study *study, const struct plot_sheet *sheet, uint32_t number)
{
    struct plot_page *page = calloc(1, sizeof *page);

    if (!page)
        return -ENOMEM;
    page->study = study;
    page->sheet = sheet;
    page->number = number;
    int rc = measure(page);

    if (!rc) {
        open_svg(out, page);
        double head = plot_head(out, page);

        draw_paper(out, page);
        rc = isnan(head + plot_legend(out, page, legend_top(page))) ? -ENOMEM : 0;
        fputs("</svg>\n", out);
    }
    free(page);
    return rc;
}
