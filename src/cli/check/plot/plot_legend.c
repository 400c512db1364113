/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in words above and below the paper. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check/markup.h"
#include "cli/check/plot/plot_page.h"
#include "cli/check/setpoints.h"

enum { COLUMNS = 152, LEGEND_COLUMNS = 134, ALIKE_SHOWN = 12 };

/* The longest piece of text that fits, in bytes of whole characters; a word longer than a line is cut. */
static size_t piece(const char *text, uint32_t columns)
{
    size_t fits = 0, at = 0;
    uint32_t column = 0;

    while (text[at] && column < columns) {
        if (text[at] == ' ')
            fits = at;
        for (at++; ((unsigned char)text[at] & 0xC0) == 0x80; at++)
            continue;
        column++;
    }
    if (!text[at] || text[at] == ' ' || !fits)
        return at;
    return fits;
}

double plot_wrap(FILE *out, const char *class, double x, double y, uint32_t columns, const char *text)
{
    for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
        size_t bytes = piece(text, columns);
        char line[1024];

        snprintf(line, sizeof line, "%.*s", (int)bytes, text);
        fprintf(out, "<text class=\"%s\" x=\"%.2f\" y=\"%.2f\">", class, x, y);
        markup_escape(out, line);
        fputs("</text>\n", out);
        text += bytes;
        y += 14;
    }
    return y;
}

static const char *name_of(const struct plot_page *page, uint32_t node)
{
    return page->study->site->model.node[node].name;
}

static void put_chain(FILE *out, const struct plot_page *page)
{
    fprintf(out, "Site %s; %s", page->study->site->model.name,
            page->sheet->ground ? "ground stages of " : "from the leaf to the source: ");
    for (uint32_t i = 0; i < page->count; i++)
        fprintf(out, "%s%s", i ? page->sheet->ground ? ", " : " \xE2\x80\x93 " : "",
                name_of(page, page->row[i].node));
    fputs(".", out);
}

static void put_volts(FILE *out, const struct plot_page *page)
{
    const struct model_node *n = &page->study->site->model.node[page->sheet->node[page->sheet->base]];

    fprintf(out, "Currents are those at %s, the voltage of %s",
            study_volts(n->volts_ln_mv, n->phases).text, n->name);
    if (!page->sheet->ground)
        fputs("; at other voltages they are converted by the ratio of volts", out);
    fputs(".", out);
}

static void put_alike(FILE *out, const struct plot_page *page)
{
    const struct plot_sheet *s = page->sheet;

    if (!s->alike_count)
        return;
    fputs("The same would be drawn for ", out);
    for (uint32_t i = 0; i < s->alike_count && i < ALIKE_SHOWN; i++)
        fprintf(out, "%s%s", i ? ", " : "", name_of(page, s->alike[i]));
    if (s->alike_count > ALIKE_SHOWN)
        fprintf(out, " and %u more nodes", s->alike_count - ALIKE_SHOWN);
    fprintf(out, ": the same devices and settings%s.",
            s->ground ? "" : ", currents that differ by less than 2 %");
}

/* One paragraph made by `put`, wrapped; NAN without memory. */
static double paragraph(FILE *out, const struct plot_page *page, const char *class, double x, double y,
                        uint32_t columns, void (*put)(FILE *, const struct plot_page *))
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *memory = open_memstream(&text, &bytes);

    if (!memory)
        return NAN;
    put(memory, page);
    y = fclose(memory) ? NAN : plot_wrap(out, class, x, y, columns, text);
    free(text);
    return y;
}

double plot_head(FILE *out, const struct plot_page *page)
{
    const char *lowest = name_of(page, page->row[0].node);
    double y = 24;

    fprintf(out, "<text class=\"title\" x=\"20\" y=\"%.2f\">", y);
    markup_format(out, page->sheet->ground ? "Ground time-current curves: %s" : "Time-current curves: %s",
                  lowest);
    fprintf(out, "</text>\n<text class=\"small\" x=\"%.2f\" y=\"%.2f\" text-anchor=\"end\">", PAGE_RIGHT, y);
    markup_format(out, "%s, flyball %s", study_day(page->study->when_s).text, page->study->version);
    fputs("</text>\n", out);
    y = paragraph(out, page, "small", 20, y + 18, COLUMNS, put_chain);
    y = paragraph(out, page, "small", 20, y, COLUMNS, put_volts);
    return paragraph(out, page, "small", 20, y, COLUMNS, put_alike);
}

void plot_swatch(FILE *out, const struct plot_page *page, uint32_t i, double x, double y)
{
    const struct plot_look *look = plot_look(page, i);

    fprintf(out,
            "<rect x=\"%.2f\" y=\"%.2f\" width=\"36\" height=\"13\" fill=\"url(#hatch-%u-%u)\" stroke=\"%s\" "
            "stroke-width=\"0.9\"/><path d=\"M%.2f %.2fh36\" stroke=\"%s\" stroke-width=\"2\"%s%s%s/>\n",
            x, y, page->number, i, look->colour, x, y + 6.5, look->colour,
            *look->dashes ? " stroke-dasharray=\"" : "", look->dashes, *look->dashes ? "\"" : "");
}

/* What the site file says, and who says it there. */
static double put_device(FILE *out, const struct plot_page *page, uint32_t i, double y)
{
    const struct plot_row *row = &page->row[i];
    char *text = NULL;
    size_t bytes = 0;
    FILE *memory = open_memstream(&text, &bytes);

    if (!memory)
        return NAN;
    setpoints_line(memory, row->subject.device);
    if (row->curve && !page->study->site->note[row->node].settings_known)
        fputs(". Source of the settings: MISSING", memory);
    y = fclose(memory) ? NAN : plot_wrap(out, "small", 104, y, LEGEND_COLUMNS, text);
    free(text);
    return y;
}

static double legend_row(FILE *out, const struct plot_page *page, uint32_t i, double y)
{
    const struct plot_row *row = &page->row[i];
    const struct model_node *n = &page->study->site->model.node[row->node];

    plot_tag(out, page, i, 34, y - 4);
    if (row->curve)
        plot_swatch(out, page, i, 52, y - 11);
    fprintf(out, "<text class=\"device-name\" x=\"104\" y=\"%.2f\">", y);
    markup_format(out, "%s, %s%s", n->name, study_volts(n->volts_ln_mv, n->phases).text,
                  row->curve ? "" : ": no time-current curve is known");
    fputs("</text>\n", out);
    return row->curve ? put_device(out, page, i, y + 14) + 4 : y + 18;
}

static void put_letters(FILE *out, const struct plot_page *page)
{
    const struct model *m = &page->study->site->model;

    fputs(
        "Above the paper, a row per device, rms amperes of its worst phase: S steady limit; A admissible for "
        "T_resp / 0.7; F every host at its fail-safe cap, with bad and other load; L everything leased in "
        "full. On the paper: I and a device's number, everything below it starting at once, drawn at 20 ms.",
        out);
    for (uint32_t c = 1; c < m->contingency_count; c++)
        fprintf(out, "%s%u %s", c == 1 ? " A digit: after the loss of " : ", ", c, m->contingency[c].name);
    fputs(m->contingency_count > 1
              ? "; a loss that changes nothing has no mark. <\xC2\xA0or\xC2\xA0>: beyond the paper."
              : " <\xC2\xA0or\xC2\xA0>: beyond the paper.",
          out);
}

static void put_band(FILE *out, const struct plot_page *page)
{
    fputs("A band reaches from the fast edge (low pickup, short time: would trip) to where the device must "
          "have cleared (high pickup, long time, opening). The thick line is nominal.",
          out);
    if (page->sheet->ground)
        fputs(" Currents are residual.", out);
    fputs(" flyball recommends no protective settings: it draws those of the site file.", out);
}

static bool said_before(const struct plot_page *page, uint32_t row, uint32_t settings)
{
    for (uint32_t i = 0; i < row; i++)
        if (page->row[i].curve && page->study->site->note[page->row[i].node].settings == settings)
            return true;
    return false;
}

/* Who vouches for the settings, each study once. */
static void put_sources(FILE *out, const struct plot_page *page)
{
    const struct site *site = page->study->site;

    for (uint32_t i = 0; i < page->count; i++) {
        uint32_t settings = site->note[page->row[i].node].settings;
        const char *between = "Settings of ";

        if (!page->row[i].curve || settings == INDEX_NONE || said_before(page, i, settings))
            continue;
        for (uint32_t k = i; k < page->count; k++)
            if (page->row[k].curve && site->note[page->row[k].node].settings == settings) {
                fprintf(out, "%s%s", between, name_of(page, page->row[k].node));
                between = ", ";
            }
        fprintf(out, ": %s; as left %s; by %s. ", site->settings[settings].study,
                site->settings[settings].as_left, site->settings[settings].by);
    }
}

double plot_legend(FILE *out, const struct plot_page *page, double y)
{
    fputs("<g class=\"legend\">\n", out);
    for (uint32_t i = 0; i < page->count; i++)
        y = legend_row(out, page, i, y);
    y += 4;
    if (!page->sheet->ground)
        y = paragraph(out, page, "small", 20, y, COLUMNS, put_letters);
    y = paragraph(out, page, "small", 20, y, COLUMNS, put_sources);
    y = paragraph(out, page, "small", 20, y, COLUMNS, put_band);
    fputs("</g>\n", out);
    return y;
}
