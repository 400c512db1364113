/* SPDX-License-Identifier: Apache-2.0 */
/* flyball check for programs: everything, listed whole. */
#include <stdio.h>
#include <string.h>

#include "cli/check/check.h"
#include "site/derive.h"

static const char phase_names[PHASES][2] = {"A", "B", "C"};

static json_t *by_phase(const int64_t mva[PHASES])
{
    return json_pack("[I, I, I]", (json_int_t)mva[0], (json_int_t)mva[1], (json_int_t)mva[2]);
}

static json_t *by_phase_ma(const struct model_node *n, const int64_t mva[PHASES])
{
    int64_t ma[PHASES];

    for (uint32_t ph = 0; ph < PHASES; ph++)
        ma[ph] = derive_round_up(mva[ph], 1000, n->volts_low_mv);
    return by_phase(ma);
}

static json_t *json_peak(const struct check *check, const struct figures_peak *peak, bool limited)
{
    if (!peak->any)
        return json_null();
    json_t *one = json_pack("{s:s, s:s, s:I}", "loss", check->site.model.contingency[peak->contingency].name,
                            "phase", phase_names[peak->phase], "mva", (json_int_t)peak->mva);

    if (limited)
        json_object_set_new(one, "ppm", json_integer(peak->ppm));
    return one;
}

/* One contingency at one node, by phase. */
static json_t *json_state(const struct check *check, uint32_t node, uint32_t c)
{
    static const char *const lend[] = {"fine", "its meter goes too", "no controller is left"};
    const struct model *m = &check->site.model;
    const struct model_node *n = &m->node[node];
    const struct figures_node *f = &check->figures.node[node];
    int64_t steady[PHASES];

    if (check->figures.outage.node[node] >> c & 1)
        return json_pack("{s:s, s:b}", "loss", m->contingency[c].name, "dies", 1);
    for (uint32_t ph = 0; ph < PHASES; ph++)
        steady[ph] = figures_steady_mva(&check->site, &check->figures, node, c, ph);
    json_t *state =
        json_pack("{s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "loss", m->contingency[c].name, "dies", 0,
                  "base_mva", by_phase(f->base_mva[c]), "fail_safe_mva", by_phase(f->fail_safe_mva[c]),
                  "phys_max_mva", by_phase(f->phys_max_mva[c]), "bad_mva", by_phase(n->bad_mva[c]),
                  "steady_mva", by_phase(steady), "steady_ma", by_phase_ma(n, steady));

    if (n->limited)
        json_object_set_new(state, "limit_mva", by_phase(n->limit_mva[c]));
    if (c && n->limited && n->meter != INDEX_NONE)
        json_object_set_new(state, "lend",
                            json_string(lend[outage_lend(&check->site, &check->figures.outage, node, c)]));
    return state;
}

static int64_t lowest_pf_ppm(const struct model *m)
{
    int64_t pf = PPM;

    for (uint32_t t = 0; t < m->type_count; t++)
        if (m->type[t].pf_min_ppm < pf)
            pf = m->type[t].pf_min_ppm;
    return pf;
}

/* The worst phase after the worst loss, as power over all phases at the lowest power factor. */
static int64_t worst_mw(const struct check *check, uint32_t node, int64_t (*mva)[PHASES])
{
    const struct model *m = &check->site.model;
    int64_t worst = 0;

    for (uint32_t c = 0; c < m->contingency_count; c++)
        for (uint32_t ph = 0; ph < PHASES && !(check->figures.outage.node[node] >> c & 1); ph++)
            worst = mva[c][ph] > worst ? mva[c][ph] : worst;
    return derive_round_down(worst * m->node[node].phases, lowest_pf_ppm(m), PPM);
}

static void add_limit(const struct check *check, json_t *node, uint32_t i)
{
    const struct model *m = &check->site.model;
    const struct model_node *n = &m->node[i];
    const struct site_note *note = &check->site.note[i];

    json_object_set_new(node, "steady_ma", json_integer(n->steady_ma));
    json_object_set_new(node, "limit_mw", json_integer(derive_round_down(n->limit_mva[0][0] * n->phases,
                                                                         lowest_pf_ppm(m), PPM)));
    json_object_set_new(node, "limit_phase_mva", json_integer(n->limit_mva[0][0]));
    json_object_set_new(node, "limited_by", json_string(check_term_names[note->steady_term]));
    json_object_set_new(node, "relaxed_ma", note->next_ma ? json_integer(note->next_ma) : json_null());
    if (note->next_ma)
        json_object_set_new(node, "then_limited_by", json_string(check_term_names[note->next_term]));
    json_object_set_new(node, "oversubscribed",
                        json_real((double)figures_times(&check->site, &check->figures, i) / 1e3));
}

static json_t *json_node(const struct check *check, uint32_t i)
{
    const struct model *m = &check->site.model;
    const struct model_node *n = &m->node[i];
    struct figures_node *f = &check->figures.node[i];
    struct figures_peak normal = figures_peak(&check->site, &check->figures, i, 0, 0),
                        worst = figures_peak(&check->site, &check->figures, i, 1, m->contingency_count - 1);
    json_t *losses = json_array();
    json_t *node =
        json_pack("{s:s, s:s, s:i, s:i, s:I, s:I, s:I, s:b, s:o, s:o}", "id", n->name, "kind",
                  check_kind_names[n->kind], "phases", (int)n->phases, "hosts", (int)f->hosts, "fail_safe_mw",
                  (json_int_t)worst_mw(check, i, f->fail_safe_mva), "phys_max_mw",
                  (json_int_t)worst_mw(check, i, f->phys_max_mva), "k", (json_int_t)n->k, "settings_known",
                  check->site.note[i].settings_known, "normal", json_peak(check, &normal, n->limited),
                  "worst", json_peak(check, &worst, n->limited));

    if (n->parent_count)
        json_object_set_new(node, "parent", json_string(m->node[n->parent[0]].name));
    if (n->meter != INDEX_NONE)
        json_object_set_new(node, "meter", json_string(m->meter[n->meter].name));
    if (n->limited)
        add_limit(check, node, i);
    json_object_set_new(node, "other_mva", by_phase(n->other_mva));
    json_object_set_new(node, "unbalanced_ppm", json_integer(figures_unbalance_ppm(&check->figures, i)));
    for (uint32_t c = 0; c < m->contingency_count; c++)
        json_array_append_new(losses, json_state(check, i, c));
    json_object_set_new(node, "states", losses);
    json_object_set_new(node, "coordination", check_coordination_json(check, i));
    check_lending_node_json(check, i, node);
    return node;
}

static json_t *json_dark(const struct check *check, uint32_t c)
{
    const struct model *m = &check->site.model;
    json_t *all = json_array();

    for (uint32_t h = 0; h < m->host_count; h++)
        if (check->figures.outage.host[h] >> c & 1)
            json_array_append_new(
                all, json_pack("{s:s, s:i, s:i, s:b}", "host", m->host[h].name, "psus_left",
                               (int)outage_psus_left(&check->site, h, c), "psus_needed",
                               (int)outage_psus_needed(&check->site, h), "single_corded",
                               (int)check->site.redundancy.single_corded[h]));
    return all;
}

static json_t *json_loss(const struct check *check, uint32_t c)
{
    const struct model *m = &check->site.model;
    const struct site_redundancy *r = &check->site.redundancy;
    const struct outage *o = &check->figures.outage;
    json_t *nodes = json_array(), *cut = json_array(), *meters = json_array(), *gear = json_array();
    json_t *left = json_array();

    for (uint32_t n = 0; n < m->node_count; n++)
        if (o->node[n] >> c & 1)
            json_array_append_new(nodes, json_string(m->node[n].name));
    for (uint32_t h = 0; h < m->host_count; h++)
        if (o->host_cut[h] >> c & 1)
            json_array_append_new(cut, json_string(m->host[h].name));
    for (uint32_t i = 0; i < m->meter_count; i++)
        if (o->meter[i] >> c & 1)
            json_array_append_new(meters, json_string(m->meter[i].name));
    for (uint32_t g = 0; g < r->gear_count; g++) {
        if (o->gear[g] >> c & 1)
            json_array_append_new(gear, json_pack("{s:s, s:s}", "id", r->gear[g].name, "kind",
                                                  check_gear_names[r->gear[g].kind]));
        else if (r->gear[g].kind == GEAR_CONTROLLER)
            json_array_append_new(left, json_string(r->gear[g].name));
    }
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "loss", m->contingency[c].name, "nodes", nodes,
                     "dark_hosts", json_dark(check, c), "cut_hosts", cut, "silent_meters", meters,
                     "dark_gear", gear, "controllers_left", left);
}

/* "PATH:LINE:COLUMN: error: text" -> {line, column, text}, a finding about the file as a whole without a
 * place. */
static json_t *json_finding(const char *line, size_t bytes, const char *path)
{
    char text[1024];
    unsigned row = 0, column = 0;
    const char *rest;

    snprintf(text, sizeof text, "%.*s", (int)bytes, line);
    rest = !strncmp(text, path, strlen(path)) ? text + strlen(path) : text;
    json_t *finding = json_object();

    if (sscanf(rest, ":%u:%u:", &row, &column) == 2) {
        json_object_set_new(finding, "line", json_integer(row));
        json_object_set_new(finding, "column", json_integer(column));
    }
    const char *word = strstr(rest, "error: ");

    word = word                        ? word + strlen("error: ")
           : strstr(rest, "warning: ") ? strstr(rest, "warning: ") + strlen("warning: ")
                                       : rest;
    json_object_set_new(finding, "text", json_string(word));
    return finding;
}

static json_t *json_lines(const char *text, const char *path)
{
    json_t *lines = json_array();

    for (const char *end; *text; text = end + (*end == '\n')) {
        end = strchrnul(text, '\n');
        json_array_append_new(lines, json_finding(text, (size_t)(end - text), path));
    }
    return lines;
}

static void print(json_t *all)
{
    if (all)
        json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
    else
        fputs("out of memory\n", stderr);
    putchar('\n');
    json_decref(all);
}

void check_json(const struct check *check)
{
    const struct model *m = &check->site.model;
    json_t *nodes = json_array(), *lost = json_array(), *losses = json_array();

    for (uint32_t i = 0; i < m->node_count; i++)
        json_array_append_new(nodes, json_node(check, i));
    for (uint32_t c = 0; c < m->contingency_count; c++)
        json_array_append_new(losses, json_loss(check, c));
    for (uint32_t c = 1; c < m->contingency_count; c++)
        if (m->contingency[c].kind == CONTINGENCY_LOSS)
            json_array_append_new(lost, json_string(m->contingency[c].name));
    json_t *all =
        json_pack("{s:s, s:b, s:s, s:s, s:s, s:i, s:i, s:i, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "path",
                    check->options.site, "ok", 1, "site", m->name, "mode", site_mode_names[m->mode],
                    "scheme", site_scheme_names[check->site.redundancy.scheme], "hosts", (int)m->host_count,
                    "types", (int)m->type_count, "meters", (int)m->meter_count, "server",
                    check->site.server.name, "may_lose", lost, "losses", losses, "nodes", nodes,
                    "selectivity", check_selectivity_json(check), "machine", check_machine_json(check),
                    "warnings", json_lines(check->warnings, check->options.site));

    check_lending_json(check, all);
    json_object_set_new(all, "alerts", check_alerts_json(check));
    json_object_set_new(all, "shed", check_shed_json(check));
    print(all);
}

void check_json_refusal(const struct check_options *o, const char *report)
{
    print(json_pack("{s:s, s:b, s:o}", "path", o->site, "ok", 0, "errors", json_lines(report, o->site)));
}
