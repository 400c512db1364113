/* SPDX-License-Identifier: Apache-2.0 */
/* The document as a whole: its head, what it does not say, its sections, drawings, signatures. */
#include "cli/check/report/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check/markup.h"
#include "cli/check/plot/plot.h"

static const char style[] =
    "@page{margin:16mm 14mm;@bottom-right{content:counter(page)}}"
    "html{background:#fff;color:#000;font:10pt/1.35 Helvetica,Arial,'Liberation Sans',sans-serif}"
    "body{max-width:182mm;margin:8mm auto;padding:0 4mm}"
    "h1{font-size:17pt;margin:0 0 2mm}h2{font-size:13pt;margin:0 0 2mm;border-bottom:1.5pt solid #000}"
    "h3{font-size:10.5pt;margin:4mm 0 1mm;break-after:avoid}h2{break-after:avoid}p{margin:1.5mm 0}"
    "h2+p,h3+p{break-after:avoid}"
    "section{margin-top:9mm;break-before:page}section.on{break-before:auto}"
    "table{border-collapse:collapse;width:100%;margin:2mm 0;font-size:8.2pt}"
    "th,td{border:.5pt solid #888;padding:.6mm "
    "1.2mm;text-align:left;vertical-align:top;overflow-wrap:break-word}"
    "thead{display:table-header-group}thead th{background:#eee;border-color:#000;overflow-wrap:normal}"
    "tr{break-inside:avoid}tbody th{font-weight:bold}"
    "td:not(.n){min-width:14mm}tbody th{min-width:24mm}.set tbody th{min-width:0}.set td,.facts "
    "td{min-width:0!important}td.n{text-align:right;white-space:nowrap}small{font-weight:normal}em{font-"
    "style:italic}"
    ".box{border:2pt solid #000;padding:3mm;margin:4mm 0;font-weight:bold}"
    ".node{margin-top:4mm}.pair{display:flex;gap:4mm;align-items:flex-start}"
    ".pair .set{flex:1 1 60%}.pair .facts{flex:1 1 40%}.node{break-inside:avoid}"
    ".set td.n{white-space:normal}.set tbody th{white-space:nowrap}"
    ".missing th,.missing td{border:1.5pt solid #000;font-weight:bold}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;font:8.5pt/1.4 'Liberation Mono',monospace}"
    "figure{margin:0;break-inside:avoid;break-before:page}figure.first{break-before:auto}"
    "figure svg{width:100%;height:auto;max-height:226mm}"
    ".sign td{height:13mm}.sign th{width:24mm}";

static void head_row(FILE *out, const char *what, const char *value)
{
    fprintf(out, "<tr><th>%s</th><td>", what);
    markup_escape(out, value);
    fputs("</td></tr>\n", out);
}

static void put_head(FILE *out, const struct study *study)
{
    const struct model *m = &study->site->model;
    char text[160];

    fputs("<!DOCTYPE html>\n<!-- " MARKUP_OURS " -->\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n"
          "<title>",
          out);
    markup_format(out, "Coordination report: %s", m->name);
    fprintf(out, "</title>\n<style>%s%s</style></head><body>\n<h1>", style, plot_style);
    markup_format(out, "Coordination report: %s", m->name);
    fputs("</h1>\n<table class=\"facts\"><tbody>\n", out);
    head_row(out, "date", study_day(study->when_s).text);
    head_row(out, "site file", study->path);
    snprintf(text, sizeof text, "CRC-32C %08" PRIx32 " (tells a changed file, not a forged one)",
             study->digest);
    head_row(out, "its digest", text);
    head_row(out, "made by", study->version);
    snprintf(text, sizeof text, "%u nodes, %u hosts, %u host type%s, %u meter%s, scheme %s", m->node_count,
             m->host_count, m->type_count, m->type_count == 1 ? "" : "s", m->meter_count,
             m->meter_count == 1 ? "" : "s", site_scheme_names[study->site->redundancy.scheme]);
    head_row(out, "site", text);
    fputs(
        "</tbody></table>\n<div class=\"box\">flyball recommends no protective settings. This document "
        "states what the site file says, what follows from it, and what would relax a bound of flyball's "
        "own. Settings are the work of the engineer whose study it names, and no figure here replaces that "
        "study.</div>\n",
        out);
}

static int put_plots(FILE *out, const struct study *study)
{
    struct plot_book book;
    int rc = plot_open(&book, study);

    if (rc)
        return rc;
    fputs("<section><h2>11. Time-current curves</h2>\n", out);
    if (!book.count)
        fputs("<p>No device has a known time-current curve: there is nothing to draw.</p>\n", out);
    if (book.bare)
        fprintf(out, "<p>%u ways from a leaf to a source have no device with a known curve.</p>\n",
                book.bare);
    if (book.count > REPORT_SHEETS_MAX)
        fprintf(out, "<p>The first %d of %u sheets; flyball check --plot draws all of them.</p>\n",
                REPORT_SHEETS_MAX, book.count);
    for (uint32_t i = 0; i < book.count && i < REPORT_SHEETS_MAX && !rc; i++) {
        fprintf(out, "<figure%s>\n", i ? "" : " class=\"first\"");
        rc = plot_draw(out, study, &book.sheet[i], i + 1);
        fputs("</figure>\n", out);
    }
    fputs("</section>\n", out);
    plot_close(&book);
    return rc;
}

static void put_signatures(FILE *out)
{
    static const char *const role[] = {"prepared", "checked", "approved"};

    fputs("<section><h2>12. Signatures</h2>\n<p>Whoever signs has held setpoints, sources and assumptions "
          "above against the coordination study and the devices as left.</p>\n<table "
          "class=\"sign\"><thead><tr><th></th><th>name</th><th>licence</th><th>signature</th><th>date</th></"
          "tr></thead><tbody>\n",
          out);
    for (int i = 0; i < 3; i++)
        fprintf(out, "<tr><th>%s</th><td></td><td></td><td></td><td></td></tr>\n", role[i]);
    fputs("</tbody></table>\n</section>\n</body></html>\n", out);
}

static int put_document(FILE *out, const struct study *study)
{
    static int (*const section[])(FILE *out, const struct study *study) = {
        report_scope,    report_assumptions, report_nodes,  report_pairs,    report_response,
        report_lending,  report_dark_start,  report_losses, report_warnings, put_plots,
    };
    int rc = 0;

    put_head(out, study);
    for (uint32_t i = 0; i < sizeof section / sizeof section[0] && !rc; i++)
        rc = section[i](out, study);
    put_signatures(out);
    return rc;
}

int report_write(const struct study *study, const char *path, FILE *told)
{
    struct markup_file file = {0};
    char fault[1400] = "out of memory";
    FILE *out = open_memstream(&file.text, &file.bytes);
    int rc = out ? put_document(out, study) : -ENOMEM;

    if (out && fclose(out) && !rc)
        rc = -ENOMEM;
    if (!rc && snprintf(file.path, sizeof file.path, "%s", path) >= (int)sizeof file.path)
        rc = -ENAMETOOLONG;
    if (!rc)
        rc = markup_write(&file, 1, fault, sizeof fault);
    else
        snprintf(fault, sizeof fault, "%s: %s", path, strerror(-rc));
    if (rc)
        fprintf(stderr, "flyball check: --report: %s\n", fault);
    else if (told)
        fprintf(told, "\nreport: %s, %.1f KiB\n", path, (double)file.bytes / 1024);
    free(file.text);
    return rc;
}
