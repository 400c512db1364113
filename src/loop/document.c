/* SPDX-License-Identifier: Apache-2.0 */
/* Everything the daemon tells of itself, as one JSON object. Read from the views, counters and copies
 * only. */
#include <string.h>
#include <time.h>

#include "loop/loop.h"
#include "loop/verdict.h"

enum { COPY_WAIT_MS = 200, LANE_STAGE_BYTES = 32 };

/* JSON string: ids come from a file that people write. */
static void text(FILE *out, const char *value)
{
    fputc('"', out);
    for (; *value; value++) {
        unsigned char c = (unsigned char)*value;
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20)
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void number(FILE *out, const char *name, uint64_t value, const char *after)
{
    fprintf(out, "\"%s\": %llu%s", name, (unsigned long long)value, after);
}

static void write_meters(const struct loop *loop, FILE *out, int64_t now_ns)
{
    const struct model *model = &loop->site->model;
    fputs("\"meters\": [", out);
    for (uint32_t i = 0; i < model->meter_count; i++) {
        struct view_meter meter = {0};
        view_read_meter(&loop->view, i, &meter);
        int64_t age_ns = verdict_meter_age_ns(&meter, now_ns);
        fprintf(out, "%s\n  {\"id\": ", i ? "," : "");
        text(out, model->meter[i].name);
        fputs(", \"node\": ", out);
        text(out, model->node[model->meter[i].node].name);
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
        text(out, model->node[i].name);
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
        text(out, model->host[i].name);
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

/* While the loop runs, its owner copies the histogram for us; after it has stopped there is no owner. */
static void copy_latency(const struct loop *loop, struct latency *latency, struct histogram *into)
{
    *into = (struct histogram){0};
    if (loop->stopped) {
        *into = latency->live;
        return;
    }
    const struct timespec rest = {.tv_nsec = NS_PER_MS};
    latency_ask(latency);
    for (int waited_ms = 0; waited_ms < COPY_WAIT_MS && !latency_take(latency, into); waited_ms++)
        nanosleep(&rest, NULL);
}

static void write_latency(const struct loop *loop, FILE *out, const char *name, struct latency *latency,
                          const char *after)
{
    struct histogram copy;
    copy_latency(loop, latency, &copy);
    fprintf(out, "\n  \"%s\": {\"n\": %llu, \"p50\": %.3f, \"p99\": %.3f, \"p999\": %.3f, \"max\": %.3f}%s",
            name, (unsigned long long)copy.count, (double)histogram_quantile(&copy, 0.5) / 1e3,
            (double)histogram_quantile(&copy, 0.99) / 1e3, (double)histogram_quantile(&copy, 0.999) / 1e3,
            (double)copy.max_ns / 1e3, after);
}

/* "decoded" of the only port, "decoded_meters" and "decoded_hosts" of two, "_QUEUE" behind where it has
 * several. */
static void lane_stage(const struct loop *loop, uint32_t lane, char name[LANE_STAGE_BYTES])
{
    static const char *const of_two[PORTS_MAX] = {"_meters", "_hosts"};
    const struct crew_lane *at = &loop->crew.lane[lane];
    const char *port = loop->ports > 1 ? of_two[at->port] : "";
    if (loop->site->server.port[at->port].queues > 1)
        snprintf(name, LANE_STAGE_BYTES, "decoded%s_%u", port, at->queue);
    else
        snprintf(name, LANE_STAGE_BYTES, "decoded%s", port);
}

static void write_latencies(const struct loop *loop, FILE *out)
{
    const struct path *path = &loop->path;
    fputs("\"latency_us\": {", out);
    for (uint32_t i = 0; i < path->lanes; i++) {
        char name[LANE_STAGE_BYTES];
        lane_stage(loop, i, name);
        write_latency(loop, out, name, &path->lane[i].decoded, ",");
    }
    write_latency(loop, out, "decided", &path->decide->decided, ",");
    write_latency(loop, out, "loop", &path->egress->sent, ",");
    write_latency(loop, out, "emergency", &path->egress->sent_emergency, "},\n");
}

static void write_lane(const struct lane *lane, FILE *out, const char *interface,
                       const struct link_watch *links, uint32_t port)
{
    const struct lane_counters *counters = &lane->counters;
    fputs("\n    {\"interface\": ", out);
    text(out, interface);
    fprintf(out, ", \"link\": \"%s\", ", link_up(links, port) ? "up" : "down");
    number(out, "link_changes", link_changes(links, port), ", ");
    number(out, "queue", lane->queue, ", ");
    number(out, "frames", count_read(&counters->frames), ", ");
    number(out, "accepted", count_read(&counters->accepted), ", ");
    number(out, "aside", count_read(&counters->aside), ", ");
    number(out, "clock_steps", count_read(&counters->clock_steps), ", ");
    number(out, "token_requests", count_read(&counters->token_requests), ", ");
    number(out, "polls", count_read(&counters->turns), ", ");
    number(out, "empty_polls", count_read(&counters->empty_turns), ",\n     \"refused\": {");
    for (int i = 1; i < REFUSAL_COUNT; i++)
        number(out, refusal_name(i), count_read(&counters->refused[i]),
               i + 1 < REFUSAL_COUNT ? ", " : "},\n");
    fputs("     \"shed\": {", out);
    number(out, "detail", count_read(&counters->shed[CLASS_DETAIL]), ", ");
    number(out, "reading", count_read(&counters->shed[CLASS_READING]), ", ");
    number(out, "reserved", count_read(&counters->shed[CLASS_RESERVED]), "}");
}

static void write_port(struct port *port, FILE *out)
{
    struct port_statistics statistics = {0};
    port_statistics(port, &statistics);
    fputs(",\n     \"port\": {", out);
    number(out, "received", statistics.received, ", ");
    number(out, "received_bytes", statistics.received_bytes, ", ");
    number(out, "lost", statistics.lost, ", ");
    number(out, "receive_errors", statistics.receive_errors, ", ");
    number(out, "sent", statistics.sent, ", ");
    number(out, "sent_bytes", statistics.sent_bytes, ", ");
    number(out, "refused", statistics.refused, ", ");
    number(out, "send_errors", statistics.send_errors, ", ");
    number(out, "room_frames", statistics.room_frames, "}");
}

/* ARP and echo; nothing where the kernel does that. */
static void write_ip(const struct ip_port *ip, FILE *out)
{
    fputs(",\n     \"ip\": {", out);
    for (int i = 0; ip && i < IP_COUNTER_COUNT; i++)
        number(out, ip_counter_name(i), ip_counted(ip, i), i + 1 < IP_COUNTER_COUNT ? ", " : "");
    fputs("}", out);
}

static void write_core_counters(const struct loop *loop, FILE *out)
{
    struct core_counters counters = {0};
    view_read_counters(&loop->view, &counters);
    const char *comma = "";
    fputs("  \"core\": {", out);
#define WRITE(field, name, meaning)                                                       \
    fprintf(out, "%s\"%s\": %llu", comma, name, (unsigned long long)counters.field);      \
    comma = ", ";
    CORE_COUNTERS(WRITE)
#undef WRITE
    fputs("},\n", out);
}

static void write_counters(struct loop *loop, FILE *out)
{
    const struct path *path = &loop->path;
    const struct decide_counters *decide = &path->decide->counters;
    const struct egress_counters *egress = &path->egress->counters;
    fputs("\"counters\": {\n  \"lanes\": [", out);
    for (uint32_t i = 0; i < path->lanes; i++) {
        uint32_t port = loop->crew.lane[i].port;
        write_lane(&path->lane[i], out, loop->site->server.port[port].interface, &loop->links, port);
        /* a port is one, however many lanes it has */
        if (path->lane[i].queue == 0) {
            write_port(&loop->port[port], out);
            write_ip(loop->ip[port], out);
        }
        fputs(i + 1 < path->lanes ? "}," : "}],\n", out);
    }
    write_core_counters(loop, out);
    fputs("  \"decide\": {", out);
    number(out, "slots", count_read(&decide->slots), ", ");
    number(out, "waits_for_egress", count_read(&decide->waits), "},\n  \"egress\": {");
    number(out, "sent", count_read(&egress->sent), ", ");
    number(out, "emergencies", count_read(&egress->emergencies), ", ");
    number(out, "refused", count_read(&egress->refused), ", ");
    number(out, "unreachable", count_read(&egress->unreachable), ", ");
    number(out, "withheld", count_read(&egress->withheld), "},\n  \"tap\": {");
    number(out, "slots", count_read(&loop->drain.slots), ", ");
    number(out, "dropped_readings", count_read(&decide->tap_dropped[CLASS_READING]), ", ");
    number(out, "dropped_reserved", count_read(&decide->tap_dropped[CLASS_RESERVED]), "},\n  \"journal\": {");
    number(out, "bytes", count_read(&loop->drain.journal_bytes), ", ");
    number(out, "write_errors", count_read(&loop->drain.journal_errors), ", ");
    number(out, "dropped", count_read(&loop->drain.journal_dropped), "},\n  \"watchdog\": {");
    number(out, "stalls", count_read(&loop->watchdog.stalls), ", ");
    number(out, "longest_stall_ms", count_read(&loop->watchdog.longest_ns) / NS_PER_MS, "},\n  \"door\": {");
    number(out, "answered", count_read(&loop->door.answered), ", ");
    number(out, "refused", count_read(&loop->door.refused), "}}\n");
}

static uint32_t look_at_ports(const struct loop *loop, struct verdict_port port[PORTS_MAX], int64_t now_ns)
{
    for (uint32_t i = 0; i < loop->ports; i++) {
        const struct site_port *row = &loop->site->server.port[i];
        port[i] = (struct verdict_port){.driver = row->driver, .interface = row->interface,
                                        .down = !link_up(&loop->links, i)};
        port[i].conflict = loop->ip[i] && ip_conflict(loop->ip[i], now_ns, port[i].mac);
    }
    return loop->ports;
}

void loop_document(struct loop *loop, FILE *out)
{
    static const char *const modes[] = {"off", "shadow", "advise", "enforce"};
    static const char *const levels[] = {"ok", "starting", "alarm"};
    const struct model *model = &loop->site->model;
    int64_t now_ns = timebase_now_ns(&loop->base);
    struct verdict verdict;
    struct verdict_port port[PORTS_MAX];
    const struct verdict_surroundings around = {
        .journal_failures =
            count_read(&loop->drain.journal_errors) + count_read(&loop->drain.journal_dropped),
        .port = port,
        .ports = look_at_ports(loop, port, now_ns)};
    verdict_make(&verdict, model, &loop->view, &around, loop->t_start_ns, now_ns);
    fputs("{\"site\": ", out);
    text(out, model->name);
    fprintf(out, ", \"mode\": \"%s\", \"epoch\": %llu, \"uptime_s\": %.3f,\n", modes[model->mode & 3],
            (unsigned long long)loop->epoch, (double)(now_ns - loop->t_start_ns) / 1e9);
    fprintf(out, "\"verdict\": \"%s\", \"words\": ", levels[verdict.level]);
    text(out, verdict.words);
    fputs(",\n", out);
    write_meters(loop, out, now_ns);
    write_nodes(loop, out);
    write_hosts(loop, out, now_ns);
    write_latencies(loop, out);
    write_counters(loop, out);
    fputs("}\n", out);
}
