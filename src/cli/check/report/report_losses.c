/* SPDX-License-Identifier: Apache-2.0 */
/* What each declared loss takes away, how full every node is then, and what deserves a look. */
#include <errno.h>
#include <stdlib.h>

#include "cli/check/markup.h"
#include "cli/check/report/report_groups.h"
#include "cli/check/report/report.h"

static uint32_t count_bit(const uint8_t *mask, uint32_t count, uint32_t c)
{
    uint32_t set = 0;

    for (uint32_t i = 0; i < count; i++)
        set += mask[i] >> c & 1;
    return set;
}

static void put_loss(FILE *out, const struct study *study, uint32_t c)
{
    const struct model *m = &study->site->model;
    const struct outage *o = &study->figures->outage;

    fputs("<tr><th>", out);
    markup_escape(out, c ? m->contingency[c].name : "nothing");
    fprintf(out, "</th><td class=\"n\">%u</td><td class=\"n\">%u</td><td class=\"n\">%u</td>"
                 "<td class=\"n\">%u</td><td>%s</td></tr>\n",
            count_bit(o->node, m->node_count, c), count_bit(o->host, m->host_count, c),
            count_bit(o->host_cut, m->host_count, c), count_bit(o->meter, m->meter_count, c),
            o->no_controller >> c & 1 ? "none"
            : o->controllers          ? "at least one"
                                      : "none is written down");
}

static void put_percent(FILE *out, int64_t ppm)
{
    fprintf(out, "<td class=\"n\">%.1f&#160;%%</td>", (double)((ppm + 999) / 1000) / 10);
}

/* Of the steady limit, at fail-safe with bad and other. */
static void put_fullness(FILE *out, const struct study *study, uint32_t node)
{
    const struct model *m = &study->site->model;
    const struct figures_peak normal = figures_peak(study->site, study->figures, node, 0, 0);
    const struct figures_peak worst = figures_peak(study->site, study->figures, node, 1,
                                                   m->contingency_count - 1);

    if (!m->node[node].limited || !normal.any)
        return;
    fprintf(out, "<td class=\"n\">%s</td>", study_amperes((double)m->node[node].steady_ma / 1e3).text);
    put_percent(out, normal.ppm);
    if (!worst.any) {
        fputs("<td class=\"n\">-</td><td>-</td>", out);
        return;
    }
    put_percent(out, worst.ppm);
    fputs("<td>", out);
    markup_format(out, "%s, phase\xC2\xA0%c", m->contingency[worst.contingency].name, 'A' + (int)worst.phase);
    fputs("</td>", out);
}

int report_losses(FILE *out, const struct study *study)
{
    fputs("<section><h2>9. Losses</h2>\n<table><thead><tr><th>loss of</th><th>nodes dead</th>"
          "<th>hosts dark</th><th>hosts cut off</th><th>meters silent</th><th>controllers "
          "left</th></tr></thead>"
          "<tbody>\n",
          out);
    for (uint32_t c = 0; c < study->site->model.contingency_count; c++)
        put_loss(out, study, c);
    fputs("</tbody></table>\n", out);
    fputs(study->site->model.contingency_count > 1
              ? "<p>Dark: fewer power supplies left than the host needs. Cut off: power, but no way to a "
                "controller. The sums below still count both.</p>\n"
              : "<p>No loss is declared: redundancy has no may_lose.</p>\n",
          out);
    fputs("<h3>Load of each limit with every host at its fail-safe cap, bad and other included</h3>\n", out);
    int rc =
        report_table(out, study,
                     "<th>node</th><th>steady limit</th><th>nothing lost</th><th>worst loss outlived</th>"
                     "<th>which</th>",
                     put_fullness, "No node has a limit.");

    fputs("</section>\n", out);
    return rc;
}

int report_warnings(FILE *out, const struct study *study)
{
    fputs("<section class=\"on\"><h2>10. Warnings</h2>\n", out);
    if (!*study->warnings) {
        fputs("<p>None.</p>\n</section>\n", out);
        return 0;
    }
    fputs("<pre>", out);
    markup_escape(out, study->warnings);
    fputs("</pre>\n</section>\n", out);
    return 0;
}
