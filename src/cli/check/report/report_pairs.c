/* SPDX-License-Identifier: Apache-2.0 */
/* Selectivity of every device with the one above it, and settings that clash. */
#include <math.h>
#include <string.h>

#include "cli/check/markup.h"
#include "cli/check/report/report_groups.h"
#include "cli/check/report/report.h"

static const struct { uint32_t bit; const char *words; } clash[] = {
#define COORDINATION_SYMBOL(symbol, bit, words) {bit, words},
    COORDINATION_CLASHES(COORDINATION_SYMBOL)
#undef COORDINATION_SYMBOL
};

enum { CLASHES = sizeof clash / sizeof clash[0] };

static void put_clashes(FILE *out, uint32_t clashes)
{
    uint32_t said = 0;

    for (uint32_t i = 0; i < CLASHES; i++)
        if (clashes & clash[i].bit)
            fprintf(out, "%s%s", said++ ? "; " : "", clash[i].words);
    fputs(said ? "" : "none", out);
}

static void put_pair(FILE *out, const struct study *study, uint32_t item)
{
    const struct coordination_pair *p = &study->coordination->pair[item];
    const struct model_node *child = &study->site->model.node[p->child];

    fprintf(out, "<td>%s</td><td>%s</td><td class=\"n\">%s%s</td><td class=\"n\">%s</td>"
                 "<td class=\"n\">%s</td><td>%s</td><td>",
            p->total ? "total" : "partial",
            p->total ? "-" : study_amperes(p->limit_a).text, study_amperes(p->fault_a).text,
            p->fault_stated ? "" : " <em>assumed</em>", study_seconds(p->child_clears_s).text,
            study_seconds(p->parent_trips_s).text, report_role(p->parent_role));
    put_clashes(out, p->clashes);
    fprintf(out, "</td><td>%s</td>", study_volts(child->volts_ln_mv, child->phases).text);
}

static const char *parent_name(const struct study *study, uint32_t item)
{
    return report_node_name(study, study->coordination->pair[item].parent);
}

static const char *child_name(const struct study *study, uint32_t item)
{
    return report_node_name(study, study->coordination->pair[item].child);
}

/* By child, then parent: of alike pairs the parents once each. */
static void put_names(FILE *out, const struct study *study, const struct report_group *g)
{
    uint32_t first = 0;

    while (first < g->count) {
        uint32_t parent = study->coordination->pair[g->item[first]].parent, last = first + 1;

        while (last < g->count && study->coordination->pair[g->item[last]].parent == parent)
            last++;
        if (first)
            fputs("; ", out);
        markup_escape(out, parent_name(study, g->item[first]));
        fputs(" over ", out);
        report_names(out, child_name, study, g->item + first, last - first);
        first = last;
    }
    if (g->count > 1)
        fprintf(out, " <small>(%u pairs)</small>", g->count);
}

int report_pairs(FILE *out, const struct study *study)
{
    struct report_groups groups;
    int rc = report_groups_open(&groups, study, study->coordination->pair_count, put_pair);

    if (rc)
        return rc;
    fputs("<section><h2>5. Selectivity and clashes</h2>\n"
          "<p>The fast edge of the upper device against the slowest clearing of the lower one, up to the "
          "prospective fault current at the lower one's bus where the file states it (<em>assumed</em>: it "
          "does not; section 3 says how far was looked). Selective: the upper would not trip while the lower "
          "clears. Let-through energy is not modelled: where two current-limiting or zone-selective devices "
          "meet, the maker's tables rule. Currents at the lower device's volts.</p>\n",
          out);
    fputs(groups.count ? "<table><thead><tr><th>upper over lower</th><th>selective</th><th>up to</th>"
                         "<th>looked at up to</th><th>lower clears</th><th>upper trips</th>"
                         "<th>races there</th><th>settings that clash</th><th>at</th></tr></thead><tbody>\n"
                       : "<p>No two devices with known curves stand above each other.</p>\n",
          out);
    for (uint32_t i = 0; i < groups.count; i++) {
        fputs("<tr><th>", out);
        put_names(out, study, &groups.group[i]);
        fprintf(out, "</th>%s</tr>\n", groups.group[i].text);
    }
    fputs(groups.count ? "</tbody></table>\n</section>\n" : "</section>\n", out);
    report_groups_close(&groups);
    return 0;
}
