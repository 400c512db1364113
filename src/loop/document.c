/* SPDX-License-Identifier: Apache-2.0 */
/* Everything the daemon tells of itself, as one JSON object. Read from the views, counters and copies
 * only. */
#include "loop/document.h"

#include <string.h>

#include "loop/verdict.h"

static void write_meters(const struct loop *loop, FILE *out, int64_t now_ns)
{
    const struct model *model = &loop->site->model;
    fputs("\"meters\": [", out);
    for (uint32_t i = 0; i < model->meter_count; i++) {
        struct view_meter meter = {0};
        view_read_meter(&loop->view, i, &meter);
        int64_t age_ns = verdict_meter_age_ns(&meter, now_ns);
        fprintf(out, "%s\n  {\"id\": ", i ? "," : "");
        document_text(out, model->meter[i].name);
        fputs(", \"node\": ", out);
        document_text(out, model->node[model->meter[i].node].name);
        if (age_ns == INT64_MAX)
            fputs(", \"age_ms\": null", out);
        else
            fprintf(out, ", \"age_ms\": %.3f", (double)age_ns / 1e6);
        fprintf(out, ", \"fresh_ms\": %.3f, \"power_w\": %.1f, \"current_a\": %.2f, \"voltage_v\": %.2f}",
                (double)model->meter[i].fresh_ns / 1e6, (double)meter.power_mw / 1e3,
                (double)meter.current_ma / 1e3, (double)meter.voltage_mv / 1e3);
    }
    fputs("],\n", out);
}

static void write_nodes(const struct loop *loop, FILE *out)
{
    static const char *const kinds[NODE_KIND_COUNT] = {
        "source", "main", "distribution", "branch", "rack", "ups", "transformer"};
    const struct model *model = &loop->site->model;
    fputs("\"nodes\": [", out);
    for (uint32_t i = 0; i < model->node_count; i++) {
        struct view_node node = {.measured_mw = -1};
        view_read_node(&loop->view, i, &node);
        fprintf(out, "%s\n  {\"id\": ", i ? "," : "");
        document_text(out, model->node[i].name);
        fprintf(out, ", \"kind\": \"%s\"",
                model->node[i].kind < NODE_KIND_COUNT ? kinds[model->node[i].kind] : "?");
        if (node.measured_mw < 0)
            fputs(", \"load_w\": null", out);
        else
            fprintf(out, ", \"load_w\": %.1f", (double)node.measured_mw / 1e3);
        /* of the phase nearest to its limit */
        fprintf(out, ", \"exposure_va\": %.1f, \"leased_va\": %.1f, \"limit_va\": %.1f, \"limited\": %s, "
                "\"emergency\": %s, \"recovery\": %s}",
                (double)node.exposure_mva / 1e3, (double)node.newest_mva / 1e3, (double)node.limit_mva / 1e3,
                model->node[i].limited ? "true" : "false", node.emergency ? "true" : "false",
                node.recovery ? "true" : "false");
    }
    fputs("],\n", out);
}

static const char *why_word(uint8_t why)
{
    static const char *const words[] = {"-",       "renewal", "claim",     "share",    "cut",
                                        "guard_s", "guard_d", "emergency", "fail_safe"};
    return why < sizeof words / sizeof words[0] ? words[why] : "?";
}

static void write_hosts(const struct loop *loop, FILE *out, int64_t now_ns)
{
    static const char *const states[] = {"boot", "fail_safe", "leased"};
    const struct model *model = &loop->site->model;
    fputs("\"hosts\": [", out);
    for (uint32_t i = 0; i < model->host_count; i++) {
        struct view_host host = {.lease_mw = -1};
        view_read_host(&loop->view, i, &host);
        bool heard = host.incarnation != 0;
        fprintf(out, "%s\n  {\"id\": ", i ? "," : "");
        document_text(out, model->host[i].name);
        fprintf(out, ", \"state\": \"%s\"", heard && host.state < 3 ? states[host.state] : "unheard");
        if (host.lease_mw < 0)
            fputs(", \"lease_w\": null", out);
        else
            fprintf(out, ", \"lease_w\": %.1f", (double)host.lease_mw / 1e3);
        fprintf(out, ", \"exposure_w\": %.1f", (double)host.exposure_mw / 1e3);
        if (heard)
            fprintf(out, ", \"draw_w\": %.1f, \"report_age_ms\": %.1f", (double)host.draw_mw / 1e3,
                    (double)(now_ns - host.report_t_ns) / 1e6);
        else
            fputs(", \"draw_w\": null, \"report_age_ms\": null", out);
        fprintf(out, ", \"accepted\": %s, \"why\": \"%s\"}", host.accepted ? "true" : "false",
                why_word(host.why));
    }
    fputs("],\n", out);
}

void loop_document(struct loop *loop, FILE *out)
{
    static const char *const modes[] = {"off", "shadow", "advise", "enforce"};
    static const char *const levels[] = {"ok", "starting", "alarm"};
    const struct model *model = &loop->site->model;
    int64_t now_ns = timebase_now_ns(&loop->base);
    struct verdict verdict;
    uint64_t journal_failures =
        count_read(&loop->drain.journal_errors) + count_read(&loop->drain.journal_dropped);
    verdict_make(&verdict, model, &loop->view, journal_failures, loop->t_start_ns, now_ns);
    fputs("{\"site\": ", out);
    document_text(out, model->name);
    fprintf(out, ", \"mode\": \"%s\", \"epoch\": %llu, \"uptime_s\": %.3f,\n", modes[model->mode & 3],
            (unsigned long long)loop->epoch, (double)(now_ns - loop->t_start_ns) / 1e9);
    fprintf(out, "\"verdict\": \"%s\", \"words\": ", levels[verdict.level]);
    document_text(out, verdict.words);
    fputs(",\n", out);
    write_meters(loop, out, now_ns);
    write_nodes(loop, out);
    write_hosts(loop, out, now_ns);
    document_stages(loop, out);
    document_counters(loop, out);
    fputs("}\n", out);
}
