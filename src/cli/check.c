/* SPDX-License-Identifier: Apache-2.0 */
/* flyball check: is this site file right, and what follows from it. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "site/derive.h"
#include "site/site.h"
#include "site/sums.h"

struct options {
    const char *site, *server;
    int json;
};

struct node_figures {           /* mW over all phases, worst phase times phases, at the lowest power factor */
    int64_t limit, fail_safe, phys_max;
    int64_t times_thousandth;   /* phys_max / limit */
    uint32_t hosts;             /* by any cord */
};

static const char *const mode_name[] = {"off", "shadow", "advise", "enforce"};
static const char *const kind_name[NODE_KIND_COUNT] = {
    "source", "main", "distribution", "branch", "rack", "ups", "transformer",
};
static const char *const term_name[] = {
    "long-time setting", "fast edge of pickup", "definite stage", "conductor",
    "transformer",       "UPS kVA",             "UPS kW",         "no device",
};

static int parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--json"))
            o->json = 1;
        else if (!strcmp(argv[i], "--server") && i + 1 < argc)
            o->server = argv[++i];
        else if (argv[i][0] == '-' || o->site)
            return -EINVAL;
        else
            o->site = argv[i];
    }
    return o->site ? 0 : -EINVAL;
}

static int64_t lowest_pf_ppm(const struct model *m)
{
    int64_t pf = PPM;

    for (uint32_t t = 0; t < m->type_count; t++)
        if (m->type[t].pf_min_ppm < pf)
            pf = m->type[t].pf_min_ppm;
    return pf;
}

static int64_t worst_phase_mw(const struct model_node *n, const int64_t mva[PHASES], int64_t pf_ppm)
{
    int64_t worst = 0;

    for (uint32_t ph = 0; ph < PHASES; ph++)
        worst = mva[ph] > worst ? mva[ph] : worst;
    return derive_round_down(worst * n->phases, pf_ppm, PPM);
}

/* Raises `most` to the sums under one contingency; a node that is lost has none. */
static void raise_figures(const struct model *m, enum sum_kind kind, uint32_t c, int64_t (*sum)[PHASES],
                          struct node_figures *most)
{
    int64_t pf = lowest_pf_ppm(m);

    sums_hosts(m, kind, c, sum);
    for (uint32_t i = 0; i < m->node_count; i++) {
        int64_t mw = worst_phase_mw(&m->node[i], sum[i], pf);
        int64_t *into = kind == SUM_FAIL_SAFE ? &most[i].fail_safe : &most[i].phys_max;

        if (mw > *into && !(m->node[i].limited && m->node[i].limit_mva[c][0] == DERIVE_NO_LIMIT))
            *into = mw;
    }
}

/* Figures of every node after the worst declared loss; NULL when memory is short. */
static struct node_figures *figure(const struct model *m)
{
    struct node_figures *all = calloc(m->node_count + 1, sizeof *all);
    int64_t(*sum)[PHASES] = calloc(m->node_count + 1, sizeof *sum);
    uint32_t *hosts = calloc(m->node_count + 1, sizeof *hosts);

    if (!all || !sum || !hosts) {
        free(all);
        all = NULL;
        goto cleanup;
    }
    for (uint32_t c = 0; c < m->contingency_count; c++) {
        raise_figures(m, SUM_FAIL_SAFE, c, sum, all);
        raise_figures(m, SUM_PHYS_MAX, c, sum, all);
    }
    sums_count_hosts(m, hosts);
    for (uint32_t i = 0; i < m->node_count; i++) {
        all[i].hosts = hosts[i];
        if (m->node[i].limited)
            all[i].limit = worst_phase_mw(&m->node[i], m->node[i].limit_mva[0], lowest_pf_ppm(m));
        if (all[i].limit)
            all[i].times_thousandth = derive_round_down(all[i].phys_max, 1000, all[i].limit);
    }
cleanup:
    free(sum);
    free(hosts);
    return all;
}

static uint32_t depth_of(const struct model *m, uint32_t node)
{
    uint32_t depth = 0;

    for (; m->node[node].parent_count; node = m->node[node].parent[0])
        depth++;
    return depth;
}

static void print_node(const struct site *site, uint32_t i, const struct node_figures *f)
{
    const struct model_node *n = &site->model.node[i];
    uint32_t indent = 2 * depth_of(&site->model, i);

    printf("%*s%-*s %-12s %6u ", (int)indent, "", (int)(indent < 26 ? 26 - indent : 0), n->name,
           kind_name[n->kind], f->hosts);
    if (n->limited)
        printf("%9.1f %9.1f ", (double)n->steady_ma / 1e3, (double)f->limit / 1e6);
    else
        printf("%9s %9s ", "-", "-");
    printf("%9.1f %9.1f ", (double)f->fail_safe / 1e6, (double)f->phys_max / 1e6);
    if (n->limited)
        printf("%6.2f  %s\n", (double)f->times_thousandth / 1e3, term_name[site->note[i].steady_term]);
    else
        printf("%6s  %s\n", "-", term_name[STEADY_NONE]);
}

/* A walk down by first parents, so that the table looks like the tree it is. */
static void print_below(const struct site *site, uint32_t node, const struct node_figures *f)
{
    const struct model_node *n = &site->model.node[node];

    print_node(site, node, &f[node]);
    for (uint32_t i = 0; i < n->child_count; i++)
        print_below(site, n->child_first + i, f);
}

static void print_text(const struct options *o, const struct site *site, const struct node_figures *f)
{
    const struct model *m = &site->model;

    printf("%s: ok\n\n", o->site);
    printf("site %s, mode %s, %u nodes, %u hosts of %u type%s, %u meters", m->name, mode_name[m->mode],
           m->node_count, m->host_count, m->type_count, m->type_count == 1 ? "" : "s", m->meter_count);
    printf(", server %s\n", *site->server.name ? site->server.name : "none");
    if (m->contingency_count > 1)
        printf("may lose one of:");
    for (uint32_t c = 1; c < m->contingency_count; c++)
        printf(" %s%s", m->contingency[c], c + 1 == m->contingency_count ? "\n" : ",");
    printf("\n%-26s %-12s %6s %9s %9s %9s %9s %6s  %s\n", "node", "kind", "hosts", "limit A", "limit kW",
           "failsafe", "physmax", "times", "limited by");
    for (uint32_t i = 0; i < m->node_count; i++)
        if (!m->node[i].parent_count)
            print_below(site, i, f);
    printf("\nlimit: amperes per phase for long; kW of all phases at 0.95 of nominal volts and "
           "power factor %.3g.\n"
           "failsafe, physmax: kW the hosts draw with every cap at fail-safe, and with none%s.\n"
           "times: physmax / limit.\n",
           (double)lowest_pf_ppm(m) / 1e6, m->contingency_count > 1 ? ", after the worst loss" : "");
    if (*site->warnings)
        printf("\n%s", site->warnings);
}

static json_t *json_node(const struct site *site, uint32_t i, const struct node_figures *f)
{
    const struct model_node *n = &site->model.node[i];
    json_t *node = json_pack("{s:s, s:s, s:i, s:I, s:I, s:I, s:b}", "id", n->name, "kind", kind_name[n->kind],
                             "hosts", (int)f->hosts, "fail_safe_mw", (json_int_t)f->fail_safe, "phys_max_mw",
                             (json_int_t)f->phys_max, "k", (json_int_t)n->k, "settings_known",
                             site->note[i].settings_known);

    if (n->parent_count)
        json_object_set_new(node, "parent", json_string(site->model.node[n->parent[0]].name));
    if (!n->limited)
        return node;
    json_object_set_new(node, "steady_ma", json_integer(n->steady_ma));
    json_object_set_new(node, "limit_mw", json_integer(f->limit));
    json_object_set_new(node, "limit_phase_mva", json_integer(n->limit_mva[0][0]));
    json_object_set_new(node, "limited_by", json_string(term_name[site->note[i].steady_term]));
    json_object_set_new(node, "oversubscribed", json_real((double)f->times_thousandth / 1e3));
    return node;
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

static void print_json(const struct options *o, const struct site *site, const struct node_figures *f)
{
    const struct model *m = &site->model;
    json_t *nodes = json_array(), *lost = json_array();

    for (uint32_t i = 0; i < m->node_count; i++)
        json_array_append_new(nodes, json_node(site, i, &f[i]));
    for (uint32_t c = 1; c < m->contingency_count; c++)
        json_array_append_new(lost, json_string(m->contingency[c]));
    json_t *all = json_pack("{s:s, s:b, s:s, s:s, s:i, s:i, s:i, s:s, s:o, s:o, s:o}", "path", o->site, "ok",
                            1, "site", m->name, "mode", mode_name[m->mode], "hosts", (int)m->host_count,
                            "types", (int)m->type_count, "meters", (int)m->meter_count, "server",
                            site->server.name, "may_lose", lost, "nodes", nodes, "warnings",
                            json_lines(site->warnings, o->site));

    json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(all);
}

/* The findings of a broken site as JSON, the exit code says the rest. */
static void print_refusal(const struct options *o, const char *report)
{
    json_t *all = json_pack("{s:s, s:b, s:o}", "path", o->site, "ok", 0, "errors",
                            json_lines(report, o->site));

    json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(all);
}

static int load(const struct options *o, struct site *site)
{
    char *report = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&report, &bytes);

    if (!out)
        return -ENOMEM;
    int rc = site_load(site, o->site, o->server ? o->server : "", out);

    fclose(out);
    if (rc)
        fputs(report, stderr);
    if (rc && o->json)
        print_refusal(o, report);
    free(report);
    return rc;
}

static int run(int argc, char **argv)
{
    struct options o = {0};
    struct site site;

    if (parse(argc, argv, &o)) {
        fprintf(stderr, "usage: flyball check SITE [--json] [--server NAME]\n");
        return CLI_USAGE;
    }
    int rc = load(&o, &site);

    if (rc)
        return rc == -EINVAL ? CLI_CONFIG : CLI_CONNECT;
    struct node_figures *figures = figure(&site.model);

    if (figures && o.json)
        print_json(&o, &site, figures);
    else if (figures)
        print_text(&o, &site, figures);
    free(figures);
    site_unload(&site);
    return figures ? CLI_OK : CLI_CONNECT;
}

const struct cli_verb cli_check = {
    .name = "check",
    .arguments = "SITE [--json] [--server NAME]",
    .summary = "is this site file right, and what limits follow from it",
    .help =
        "Reads SITE (a site.yaml), checks it whole and prints what the governor would work with: per node\n"
        "the current it may carry for long, the power that is, what its hosts draw with every cap at\n"
        "fail-safe and with none, how many times it is oversubscribed, and which rule makes its limit no\n"
        "larger. Changes nothing, needs no daemon.\n\n"
        "  --json         the same as one JSON object; powers in mW, currents in mA\n"
        "  --server NAME  check the row NAME of servers:, not the one that fits this machine's host name\n\n"
        "Errors stand on stderr, sorted by place, as\n"
        "  SITE:LINE:COLUMN: error: what is wrong, what would be right\n\n"
        "A limit is the least of: 0.8 of the long-time setting (1.0 where the device is `rated: 100%`),\n"
        "0.95 of the fast edge of its pickup at `ambient`, 0.95 of the fast edge of `short_time` and\n"
        "`instantaneous`, and `conductor`, `transformer`, `ups` where given. With every host at its\n"
        "fail-safe cap, k hosts disobeying and `other` load at its bound, no node may pass it, nor after\n"
        "any loss listed in `redundancy`.\n\n"
        "Exit: 0 ok, 2 usage, 3 the file cannot be read, 4 the site has errors.\n",
    .run = run,
};
