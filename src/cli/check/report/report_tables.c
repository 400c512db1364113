/* SPDX-License-Identifier: Apache-2.0 */
/* What site/coordination/coordination.h says of every node, as tables. */
#include <math.h>

#include "cli/check/markup.h"
#include "cli/check/report/report_groups.h"
#include "cli/check/report/report.h"

const char *report_role(uint32_t role)
{
    static const char *const name[] = {
#define BREAKER_ELEMENT_NAME(symbol, text) text,
        BREAKER_ELEMENTS(BREAKER_ELEMENT_NAME)
#undef BREAKER_ELEMENT_NAME
    };

    return role < ELEMENT_ROLE_COUNT ? name[role] : "nothing";
}

void report_roles(FILE *out, uint32_t roles)
{
    uint32_t said = 0;

    for (uint32_t role = 0; role < ELEMENT_ROLE_COUNT; role++)
        if (roles >> role & 1)
            fprintf(out, "%s%s", said++ ? ", " : "", report_role(role));
    fputs(said ? "" : "none", out);
}

static void cell(FILE *out, struct study_text text)
{
    fprintf(out, "<td class=\"n\">%s</td>", text.text);
}

static void hosts(FILE *out, double count)
{
    if (isfinite(count))
        fprintf(out, "<td class=\"n\">%.0f</td>", floor(count + 1e-9));
    else
        fputs("<td class=\"n\">any</td>", out);
}

/* Of a device whose curve nobody wrote down nothing is known, not even that it never trips. */
static bool not_known(const struct coordination_node *n, double s)
{
    return !isfinite(s) && n->obstacles & OBSTACLE_NO_CURVE;
}

static void trips_cell(FILE *out, const struct coordination_node *n, double s)
{
    if (not_known(n, s))
        fputs("<td class=\"n\">not known</td>", out);
    else
        cell(out, study_seconds(s));
}

/* ---- T_resp ---- */

static void put_response(FILE *out, const struct study *study, uint32_t node)
{
    const struct coordination_node *n = &study->coordination->node[node];

    if (!n->limited && !study_has_curve(study, node))
        return;
    cell(out, study_seconds(n->fresh_s));
    cell(out, study_seconds(n->respond_s));
    cell(out, study_seconds(n->hold_s));
    cell(out, study_amperes(n->full_a));
    trips_cell(out, n, n->full_trips_s);
    trips_cell(out, n, n->full_settled_s);
    if (not_known(n, n->full_trips_s)) {
        fputs("<td>no curve</td><td>not known</td>", out);
        return;
    }
    fprintf(out, "<td>%s</td><td>", report_role(n->full_role));
    report_roles(out, n->prearmed);
    fputs("</td>", out);
}

int report_response(FILE *out, const struct study *study)
{
    fputs(
        "<section class=\"on\"><h2>6. Time to respond against time to trip</h2>\n"
        "<p>T<sub>resp</sub> = T<sub>fresh</sub> + X: the age a reading may have, and the time after which "
        "every obeying host that hears nothing stands at its fail-safe cap. Held against each device: with "
        "everything below leased in full, how soon its fast edge may trip, from 0.9 of the heat at which it "
        "trips and from the heat that 80&#160;% of its long-time setting leaves. Stages that may trip within "
        "T<sub>resp</sub>&#160;/&#160;0.7 cannot be outrun: against them only caps that were set beforehand "
        "protect.</p>\n",
        out);
    int rc = report_table(out, study,
                          "<th>node</th><th>T<sub>fresh</sub></th><th>T<sub>resp</sub></th>"
                          "<th>T<sub>resp</sub>&#160;/&#160;0.7</th><th>leased in full</th>"
                          "<th>trips, from 0.9</th><th>trips, settled</th><th>first to trip</th>"
                          "<th>only pre-armed caps protect against</th>",
                          put_response, "No node has a limit or a curve.");

    fputs("</section>\n", out);
    return rc;
}

/* ---- what may be lent ---- */

static void put_obstacles(FILE *out, uint32_t obstacles)
{
    static const struct { uint32_t bit; const char *words; } obstacle[] = {
#define COORDINATION_SYMBOL(symbol, bit, words) {bit, words},
        LEND_OBSTACLES(COORDINATION_SYMBOL)
#undef COORDINATION_SYMBOL
    };
    uint32_t said = 0;

    for (uint32_t i = 0; i < sizeof obstacle / sizeof obstacle[0]; i++)
        if (obstacles & obstacle[i].bit)
            fprintf(out, "%s%s", said++ ? ", " : "", obstacle[i].words);
    fputs(said ? "" : "none", out);
}

static void put_admissible(FILE *out, const struct coordination_node *n)
{
    if (isinf(n->admissible_a))
        fprintf(out, "<td class=\"n\">%s</td>",
                n->obstacles & OBSTACLE_NO_CURVE ? "not known" : "nothing trips");
    else if (n->admissible_role < ELEMENT_ROLE_COUNT)
        fprintf(out, "<td class=\"n\">%s<br/>%s</td>", study_amperes(n->admissible_a).text,
                report_role(n->admissible_role));
    else
        cell(out, study_amperes(n->admissible_a));
}

static void put_lending(FILE *out, const struct study *study, uint32_t node)
{
    const struct coordination_node *n = &study->coordination->node[node];

    if (!n->limited)
        return;
    cell(out, study_amperes(n->steady_a));
    put_admissible(out, n);
    fprintf(out, "<td class=\"n\">%u</td>", study->figures->node[node].hosts);
    hosts(out, n->hosts_static);
    hosts(out, n->hosts_in_full);
    hosts(out, n->hosts_fail_safe);
    hosts(out, n->hosts_leased);
    fprintf(out, "<td>%s</td>", coordination_term_words[n->term]);
    cell(out, study_amperes(n->lent_a));
    fputs("<td>", out);
    put_obstacles(out, n->obstacles);
    fputs("</td>", out);
}

/* What I2 holds against the steady limit, part by part. */
static void put_parts(FILE *out, const struct study *study, uint32_t node)
{
    const struct coordination_node *n = &study->coordination->node[node];

    if (!n->limited)
        return;
    cell(out, study_amperes(n->base_a));
    cell(out, study_amperes(n->caps_a));
    cell(out, study_amperes(n->bad_a));
    cell(out, study_amperes(n->other_a));
    cell(out, study_amperes(n->base_a + n->caps_a + n->bad_a + n->other_a));
    cell(out, study_amperes(n->steady_a));
    fprintf(out, "<td class=\"n\">%u</td>", study->site->model.node[node].k);
}

static void put_relaxed(FILE *out, const struct study *study, uint32_t node)
{
    const struct coordination_node *n = &study->coordination->node[node];
    bool more = false;

    for (uint32_t r = 0; r < RELAX_COUNT; r++)
        more = more || floor(n->relaxed[r]) > floor(n->hosts_leased);
    if (!n->limited || !more)
        return;
    fprintf(out, "<td>%s</td>", coordination_term_words[n->term]);
    hosts(out, n->hosts_leased);
    for (uint32_t r = 0; r < RELAX_COUNT; r++)
        hosts(out, n->relaxed[r]);
}

int report_lending(FILE *out, const struct study *study)
{
    fputs(
        "<section><h2>7. Oversubscription, and which term binds</h2>\n"
        "<p>Hosts are counted as multiples of those that hang there now, in their proportions, for the worst "
        "phase and declared loss. Static: all of them uncapped within the steady limit. I1: all leased in "
        "full at once within what the device bears for T<sub>resp</sub>&#160;/&#160;0.7. I2: all at their "
        "fail-safe caps, k hosts disobeying, other load at its bound, within the steady limit, and inrush. "
        "Leased: the lesser of I1 and I2. Where an obstacle stands, no lease passes the steady limit.</p>\n",
        out);
    int rc = report_table(out, study,
                          "<th>node</th><th>steady limit</th><th>admissible</th><th>hosts now</th>"
                          "<th>static</th><th>I1</th><th>I2</th><th>leased</th><th>what binds</th>"
                          "<th>may be lent</th><th>obstacles</th>",
                          put_lending, "No node has a limit.");

    fputs("<h3>What flows at fail-safe is made of</h3>\n", out);
    if (!rc)
        rc = report_table(out, study,
                          "<th>node</th><th>base, that no cap governs</th><th>fail-safe caps</th>"
                          "<th>bad: k hosts disobey</th><th>other load</th><th>together</th>"
                          "<th>steady limit</th><th>k</th>",
                          put_parts, "No node has a limit.");
    fputs("<h3>What would relax it, of flyball's own terms, each alone</h3>\n", out);
    fputs("<p>Hosts that could be leased to then. Protective settings are no such term.</p>\n", out);
    char head[512];

    snprintf(head, sizeof head,
             "<th>node</th><th>what binds</th><th>leased</th><th>%s</th><th>%s</th><th>%s</th><th>%s</th>",
             coordination_relax_words[0], coordination_relax_words[1], coordination_relax_words[2],
             coordination_relax_words[3]);
    if (!rc)
        rc = report_table(out, study, head, put_relaxed,
                          "Nothing of these would make room for one host more.");
    fputs("</section>\n", out);
    return rc;
}

/* ---- dark start ---- */

static void put_dark_start(FILE *out, const struct study *study, uint32_t node)
{
    const struct coordination_node *n = &study->coordination->node[node];

    if (!study->figures->node[node].hosts || !(n->boot_a > 0) ||
        (!n->limited && !study_has_curve(study, node)))
        return;
    cell(out, study_amperes(n->boot_a));
    if (n->boot_limit_a > 0)
        cell(out, study_amperes(n->boot_limit_a));
    else
        fputs("<td class=\"n\">no such edge</td>", out);
    fprintf(out, "<td class=\"n\">%u of %u</td><td class=\"n\">", n->boot_at_once,
            study->figures->node[node].hosts);
    if (n->boot_groups)
        fprintf(out, "%u</td>", n->boot_groups);
    else
        fputs("not all can</td>", out);
    trips_cell(out, n, n->boot_trips_s);
    fprintf(out, "<td>%s</td>", not_known(n, n->boot_trips_s) ? "no curve" : report_role(n->boot_role));
}

int report_dark_start(FILE *out, const struct study *study)
{
    fputs(
        "<section class=\"on\"><h2>8. Starting a dark site</h2>\n<p>Everything below a node starting at "
        "once, inrush included; against it 0.85 of the fastest definite edge; how many hosts may start "
        "together without reaching that, and in how many groups all of them, those of earlier groups at "
        "their fail-safe caps.</p>\n",
        out);
    int rc = report_table(out, study,
                          "<th>node</th><th>all at once</th><th>0.85 of fastest edge</th><th>at once</th>"
                          "<th>groups</th><th>fast edge trips, cold</th><th>first to trip</th>",
                          put_dark_start, "No node with a limit feeds a host.");

    fputs("</section>\n", out);
    return rc;
}
