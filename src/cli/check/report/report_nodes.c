/* SPDX-License-Identifier: Apache-2.0 */
/* Every device with its setpoints, what stands beside it, and who says so. */
#include "cli/check/markup.h"
#include "cli/check/report/report_groups.h"
#include "cli/check/report/report.h"
#include "cli/check/setpoints.h"

static void fact(FILE *out, const char *what, const char *value)
{
    fprintf(out, "<tr><th>%s</th><td>", what);
    markup_escape(out, value);
    fputs("</td></tr>\n", out);
}

static void put_points(FILE *out, const char *what, const struct device_point *point, uint32_t count)
{
    if (!count)
        return;
    fprintf(out, "<tr><th>%s</th><td colspan=\"3\">", what);
    for (uint32_t i = 0; i < count; i++)
        fprintf(out, "%s%s&#160;/&#160;%s", i ? ", " : "", study_amperes((double)point[i].ma / 1e3).text,
                study_seconds((double)point[i].ns / 1e9).text);
    fputs("</td></tr>\n", out);
}

static void put_setpoints(FILE *out, const struct site_device *device)
{
    struct setpoint setpoint[SETPOINTS_MAX];
    uint32_t count = setpoints_of(device, setpoint);

    fprintf(out, "<table class=\"set\"><thead><tr><th colspan=\"4\">%s</th></tr></thead><tbody>\n",
            setpoints_kind(device));
    for (uint32_t i = 0; i < count; i++)
        fprintf(out, "<tr><th>%s</th><td>%s</td><td class=\"n\">%s</td><td>%s</td></tr>\n",
                setpoint[i].symbol, setpoint[i].meaning, setpoint[i].value,
                setpoint[i].assumed ? "<em>assumed</em>" : "site file");
    put_points(out, "min", device->min, device->min_count);
    put_points(out, "max", device->max, device->max_count);
    fputs("</tbody></table>\n", out);
}

static void put_limit(FILE *out, const struct study *study, uint32_t node)
{
    const struct model_node *n = &study->site->model.node[node];
    const struct site_note *note = &study->site->note[node];
    char text[200];

    if (!n->limited) {
        fact(out, "steady limit", "none: a busbar without a device");
        return;
    }
    snprintf(text, sizeof text, "%s, bound by: %s", study_amperes((double)n->steady_ma / 1e3).text,
             study->term_names[note->steady_term]);
    fact(out, "steady limit", text);
    if (note->next_ma)
        snprintf(text, sizeof text, "%s, by: %s", study_amperes((double)note->next_ma / 1e3).text,
                 study->term_names[note->next_term]);
    fact(out, "were that relaxed", note->next_ma ? text : "no other term bounds it");
    fact(out, "rated",
         n->rated_100pct                                       ? "100 % of long-time for long"
         : study->site->device[node].assumed & ASSUMED_RATED ? "80 % of long-time for long (assumed)"
                                                               : "80 % of long-time for long");
}

static void put_equipment(FILE *out, const struct site_equipment *e)
{
    char text[200];

    if (e->conductor_ma)
        fact(out, "conductor", study_amperes((double)e->conductor_ma / 1e3).text);
    if (e->conductor_ns)
        fact(out, "its time constant", study_seconds((double)e->conductor_ns / 1e9).text);
    if (e->transformer_mva)
        fact(out, "transformer", study_power(e->transformer_mva, "VA").text);
    if (e->transformer_ns)
        fact(out, "its time constant", study_seconds((double)e->transformer_ns / 1e9).text);
    if (e->ups_mva)
        fact(out, "UPS, apparent", study_power(e->ups_mva, "VA").text);
    if (e->ups_mw)
        fact(out, "UPS, active", study_power(e->ups_mw, "W").text);
    for (uint32_t i = 0; i < e->overload_count; i++) {
        snprintf(text, sizeof text, "%.4g %% for %s", (double)e->overload[i].load_ppm / 1e4,
                 study_seconds((double)e->overload[i].ns / 1e9).text);
        fact(out, "UPS overload", text);
    }
    if (e->generator_step_mw)
        fact(out, "generator, largest step", study_power(e->generator_step_mw, "W").text);
    if (e->generator_ramp_mw_per_s) {
        snprintf(text, sizeof text, "%s per second", study_power(e->generator_ramp_mw_per_s, "W").text);
        fact(out, "generator, ramp", text);
    }
    for (uint32_t i = 0; i < e->state_count; i++) {
        snprintf(text, sizeof text, "%s: %s", e->state[i].name,
                 study_amperes((double)e->state[i].current_ma / 1e3).text);
        fact(out, "while fed by", text);
    }
}

static void put_fault(FILE *out, const struct study *study, uint32_t node)
{
    double fault_a = study->coordination->node[node].fault_a;
    char text[96];

    snprintf(text, sizeof text, "%s%s", study_amperes(fault_a).text,
             study->site->equipment[node].fault_ma ? "" : ", stated at a node above");
    fact(out, "prospective fault", fault_a > 0 ? text : "not stated");
}

static void put_source(FILE *out, const struct study *study, uint32_t node)
{
    const struct site_note *note = &study->site->note[node];

    if (note->settings == INDEX_NONE || note->settings >= study->site->settings_count) {
        if (study->site->model.node[node].limited)
            fputs(
                "<tr class=\"missing\"><th>source of settings</th><td>MISSING: nobody vouches for them, and "
                "nothing is lent here</td></tr>\n",
                out);
        return;
    }
    const struct site_settings *s = &study->site->settings[note->settings];

    fputs("<tr><th>source of settings</th><td>", out);
    markup_format(out, "%s; as left %s; by %s", s->study, s->as_left, s->by);
    fputs("</td></tr>\n", out);
}

static void put_facts(FILE *out, const struct study *study, uint32_t node)
{
    const struct model *m = &study->site->model;
    const struct model_node *n = &m->node[node];
    char text[200];

    fputs("<table class=\"facts\"><tbody>\n", out);
    snprintf(text, sizeof text, "%s, %s, %u phase%s", study->kind_names[n->kind],
             study_volts(n->volts_ln_mv, n->phases).text, n->phases, n->phases > 1 ? "s" : "");
    fact(out, "kind", text);
    if (*study->site->device[node].name)
        fact(out, "row of devices", study->site->device[node].name);
    snprintf(text, sizeof text, "%.4g %% of nominal%s",
             (double)n->volts_low_mv / (double)n->volts_ln_mv * 100,
             study->site->note[node].volts_low_assumed ? " (assumed)" : "");
    fact(out, "lowest voltage", text);
    put_limit(out, study, node);
    put_equipment(out, &study->site->equipment[node]);
    put_fault(out, study, node);
    snprintf(text, sizeof text, "%u", n->k);
    fact(out, "k", text);
    snprintf(text, sizeof text, "%s, %s, %s", study_power(n->other_mva[0], "VA").text,
             study_power(n->other_mva[1], "VA").text, study_power(n->other_mva[2], "VA").text);
    if (n->other_mva[0] || n->other_mva[1] || n->other_mva[2])
        fact(out, "other load, A B C", text);
    fact(out, "meter", n->meter == INDEX_NONE ? "none" : "yes, section 2");
    put_source(out, study, node);
    fputs("</tbody></table>\n", out);
}

static void put_node(FILE *out, const struct study *study, uint32_t node)
{
    fputs("<div class=\"pair\">\n", out);
    if (study->site->model.node[node].limited || study_has_curve(study, node))
        put_setpoints(out, &study->site->device[node]);
    put_facts(out, study, node);
    fputs("</div>\n", out);
}

int report_nodes(FILE *out, const struct study *study)
{
    struct report_groups groups;
    int rc = report_groups_open(&groups, study, study->site->model.node_count, put_node);

    if (rc)
        return rc;
    fputs("<section><h2>4. Devices and limits, node by node</h2>\n"
          "<p>Setpoints as the site file states them. Nodes of which all of this is the same stand "
          "together.</p>\n",
          out);
    for (uint32_t i = 0; i < groups.count; i++) {
        fputs("<div class=\"node\"><h3>", out);
        report_names(out, report_node_name, study, groups.group[i].item, groups.group[i].count);
        if (groups.group[i].count > 1)
            fprintf(out, " <small>(%u nodes)</small>", groups.group[i].count);
        fprintf(out, "</h3>\n%s</div>\n", groups.group[i].text);
    }
    fputs("</section>\n", out);
    report_groups_close(&groups);
    return 0;
}
