/* SPDX-License-Identifier: Apache-2.0 */
/* What the document stands on: the premises of the safety argument, host types, meters. */
#include <inttypes.h>

#include "cli/check/markup.h"
#include "cli/check/report/report_groups.h"
#include "cli/check/report/report.h"

static void premise(FILE *out, const char *what, const char *taken, const char *evidence)
{
    fputs("<tr><th>", out);
    markup_escape(out, what);
    fputs("</th><td>", out);
    markup_escape(out, taken);
    fputs("</td><td>", out);
    markup_escape(out, evidence);
    fputs("</td></tr>\n", out);
}

static void premise_of_wiring(FILE *out, const struct model *m)
{
    uint32_t cords = 0;
    char text[160];

    for (uint32_t h = 0; h < m->host_count; h++)
        cords += m->host[h].cord_count;
    snprintf(text, sizeof text, "%u nodes, %u hosts on %u cords, %u declared losses", m->node_count,
             m->host_count, cords, m->contingency_count - 1);
    premise(out, "Wiring map", text, "the site file; a cord that is plugged elsewhere loads a device unseen");
}

static void premise_of_settings(FILE *out, const struct study *study)
{
    uint32_t curves = 0, limited = 0, missing = 0;
    char text[200];

    for (uint32_t n = 0; n < study->site->model.node_count; n++) {
        curves += study_has_curve(study, n);
        limited += study->site->model.node[n].limited;
        missing += study->site->model.node[n].limited && !study->site->note[n].settings_known;
    }
    snprintf(text, sizeof text,
             "%u nodes with a limit, %u with a time-current curve; the source of settings is "
             "MISSING at %u",
             limited, curves, missing);
    premise(out, "Trip settings", text,
            "settings_from of each node, section 4; without it nothing is lent there");
}

static const char *mark(uint8_t assumed, unsigned bits)
{
    return assumed & bits ? " <em>assumed</em>" : "";
}

static void premise_of_time(FILE *out, const struct study *study)
{
    const struct model *m = &study->site->model;
    uint8_t assumed = study->site->policy_assumed;
    struct response r;
    char text[256];

    needs_response(m, &r);
    snprintf(text, sizeof text, "%.4g %% (rho%s); lease D %s%s, A %s, so X = %s",
             (double)m->policy.rho_ppm / 1e4, assumed & ASSUMED_CLOCKS ? ", assumed" : "",
             study_seconds((double)m->policy.lease_ns / 1e9).text,
             assumed & ASSUMED_LEASE ? " (assumed)" : "", study_seconds((double)r.actuation_ns / 1e9).text,
             study_seconds((double)r.retire_ns / 1e9).text);
    premise(out, "Clock rates", text,
            "no two clocks of controller and hosts part faster; the site file's policy");
}

static void put_type(FILE *out, const struct study *study, uint32_t item)
{
    const struct model_host_type *t = &study->site->model.type[item];
    uint8_t assumed = study->site->type_assumed[item];
    uint32_t hosts = 0;

    for (uint32_t h = 0; h < study->site->model.host_count; h++)
        hosts += study->site->model.host[h].type == item;
    fputs("<tr><th>", out);
    markup_escape(out, t->name);
    fprintf(out, "</th><td class=\"n\">%u</td><td class=\"n\">%s to %s</td><td class=\"n\">%s</td>"
                 "<td class=\"n\">%.4f%s</td>",
            hosts, study_power(t->cap_min_mw, "W").text, study_power(t->cap_max_mw, "W").text,
            study_power(t->base_max_mw, "W").text, (double)t->gain_ppm / 1e6,
            mark(assumed, ASSUMED_OVERSHOOT | ASSUMED_EFFICIENCY));
    fprintf(out, "<td class=\"n\">%s</td><td class=\"n\">%s%s</td><td class=\"n\">%.4g%s</td>"
                 "<td class=\"n\">%s</td></tr>\n",
            study_power(t->phys_max_mw, "W").text, study_power(t->boot_mw, "W").text,
            mark(assumed, ASSUMED_INRUSH), (double)t->pf_min_ppm / 1e6, mark(assumed, ASSUMED_POWER_FACTOR),
            study_seconds((double)t->actuation_ns / 1e9).text);
}

static void put_types(FILE *out, const struct study *study)
{
    fputs(
        "<h3>Draw of a host at the wall: draw_max</h3>\n"
        "<p>draw_max of a cap = cap &#215; gain + base, at most phys_max; a host starting draws phys_max and "
        "inrush. The figures are the site file's, to be commissioned per host type.</p>\n<table><thead><tr>"
        "<th>host type</th><th>hosts</th><th>cap</th><th>base</th><th>gain</th><th>phys_max</th>"
        "<th>starting</th><th>power factor</th><th>actuation A</th></tr></thead><tbody>\n",
        out);
    for (uint32_t t = 0; t < study->site->model.type_count; t++)
        put_type(out, study, t);
    fputs("</tbody></table>\n", out);
}

static void put_meter(FILE *out, const struct study *study, uint32_t node)
{
    const struct model *m = &study->site->model;
    const struct model_meter *meter;

    if (m->node[node].meter == INDEX_NONE)
        return;
    meter = &m->meter[m->node[node].meter];
    uint8_t assumed = study->site->meter_assumed[m->node[node].meter];

    fprintf(out, "<td class=\"n\">%.4g&#160;%%%s</td><td class=\"n\">%s%s</td><td class=\"n\">%s%s</td>",
            (double)meter->error_ppm / 1e4, mark(assumed, ASSUMED_ERROR),
            study_seconds((double)meter->period_ns / 1e9).text, mark(assumed, ASSUMED_PERIOD),
            study_seconds((double)meter->fresh_ns / 1e9).text, mark(assumed, ASSUMED_FRESH));
}

static int put_meters(FILE *out, const struct study *study)
{
    fputs("<h3>Meters: error of meter, transformer and imbalance together</h3>\n", out);
    return report_table(out, study,
                        "<th>metered node</th><th>error</th><th>period</th><th>T<sub>fresh</sub></th>",
                        put_meter, "No node is metered.");
}

int report_scope(FILE *out, const struct study *study)
{
    const struct model *m = &study->site->model;

    fputs(
        "<section class=\"on\"><h2>1. Scope</h2>\n<p>How the protective devices of this site stand to each "
        "other and to flyball, the governor that moves the power caps of its hosts: what each device "
        "carries for long, what trips it and when, what flyball may lease above that and which term binds. "
        "All of it follows from the site file named above and nothing else; currents are rms amperes of "
        "one phase, of the worst phase, at the lowest credible voltage of each node.</p>\n<p><strong>Out "
        "of scope:</strong> faults, ground faults and undervoltage releases (devices must trip on those); "
        "breaking capacity; arc flash; damage curves of cables and transformers; let-through energy; "
        "magnetising inrush of transformers; harmonics; mechanical and electrical condition of "
        "anything.</p>\n</section>\n<section><h2>2. "
        "Premises</h2>\n<table><thead><tr><th>premise</th><th>what this document takes</th><th>where it "
        "comes from</th></tr></thead><tbody>\n",
        out);
    premise_of_wiring(out, m);
    premise_of_settings(out, study);
    premise(out, "draw_max", "per host type, below",
            "the site file's host_types; commissioned on real hosts");
    premise(out, "Meter error", "per meter, below", "the site file's meters; calibration records");
    premise(out, "k", "hosts that may disobey, lie or restart at once: per node, section 4",
            "the largest common-mode group below a node; k 0 covers none");
    premise_of_time(out, study);
    fputs("</tbody></table>\n", out);
    put_types(out, study);
    int rc = put_meters(out, study);

    fputs("</section>\n", out);
    return rc;
}
