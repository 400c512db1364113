/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's document: stages and counters. */
#include <time.h>

#include "loop/document.h"

enum { COPY_WAIT_MS = 200 };

/* JSON string: ids come from a file that people write. */
void document_text(FILE *out, const char *value)
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

enum { STAGES_MAX = 2 * LANES_MAX + 3 + BUDGET_CLASSES, STAGE_NAME_BYTES = 32 };

struct stage {
    char name[STAGE_NAME_BYTES];
    struct latency *latency;
};

static bool has_stopped(const struct loop *loop)
{
    /* acquire: pairs with the release in stop_hots */
    return atomic_load_explicit(&loop->stopped, memory_order_acquire);
}

/* While the loop runs, its owner copies the histogram for us; after it has stopped there is no owner. False
 * when the owner has not done so before all patience, `left_ms`, is used up. */
static bool copy_latency(const struct loop *loop, struct latency *latency, struct histogram *into,
                         int *left_ms)
{
    if (has_stopped(loop)) {
        *into = latency->live;
        return true;
    }
    const struct timespec rest = {.tv_nsec = NS_PER_MS};
    for (;; --*left_ms) {
        if (latency_take(latency, into))
            return true;
        if (*left_ms <= 0)
            return false;
        nanosleep(&rest, NULL);
    }
}

/* "decoded" of the only port (or "age"), "decoded_meters" and "decoded_hosts" of two, "_QUEUE" behind
 * where it has several. */
static void lane_stage(const struct loop *loop, uint32_t lane, const char *what,
                       char name[STAGE_NAME_BYTES])
{
    static const char *const of_two[PORTS_MAX] = {"_meters", "_hosts"};
    const struct crew_lane *at = &loop->crew.lane[lane];
    const char *port = loop->ports > 1 ? of_two[at->port] : "";
    if (loop->site->server.port[at->port].queues > 1)
        snprintf(name, STAGE_NAME_BYTES, "%s%s_%u", what, port, at->queue);
    else
        snprintf(name, STAGE_NAME_BYTES, "%s%s", what, port);
}

static uint32_t list_stages(const struct loop *loop, struct stage stage[STAGES_MAX])
{
    const struct path *path = &loop->path;
    uint32_t count = 0;
    for (uint32_t i = 0; i < path->lanes; i++) {
        stage[count] = (struct stage){.latency = &path->lane[i].decoded};
        lane_stage(loop, i, "decoded", stage[count++].name);
    }
    for (uint32_t i = 0; i < path->lanes; i++)
        if (path->lane[i].kinds >> FRAME_MEASUREMENT & 1) {
            stage[count] = (struct stage){.latency = &path->lane[i].age_seen};
            lane_stage(loop, i, "age", stage[count++].name);
        }
    stage[count++] = (struct stage){"decided", &path->decide->decided};
    stage[count++] = (struct stage){"loop", &path->egress->sent};
    stage[count++] = (struct stage){"emergency", &path->egress->sent_emergency};
    for (uint32_t i = 0; i < BUDGET_CLASSES; i++) {
        static const char *const name[BUDGET_CLASSES] = {"budget_reading", "budget_report", "budget_order"};
        stage[count].latency = &path->decide->spent[i];
        snprintf(stage[count++].name, STAGE_NAME_BYTES, "%s", name[i]);
    }
    return count;
}

static void write_quantiles(FILE *out, const struct histogram *histogram)
{
    fprintf(out, "{\"n\": %llu, \"p50\": %.3f, \"p99\": %.3f, \"p999\": %.3f, \"max\": %.3f}",
            (unsigned long long)histogram->count, (double)histogram_quantile(histogram, 0.5) / 1e3,
            (double)histogram_quantile(histogram, 0.99) / 1e3,
            (double)histogram_quantile(histogram, 0.999) / 1e3, (double)histogram->max_ns / 1e3);
}

void document_stages(const struct loop *loop, FILE *out)
{
    struct stage stage[STAGES_MAX];
    uint32_t count = list_stages(loop, stage);
    int left_ms = COPY_WAIT_MS;     /* for all of them */
    for (uint32_t i = 0; i < count && !has_stopped(loop); i++)
        latency_ask(stage[i].latency);
    fputs("\"latency_us\": {", out);
    for (uint32_t i = 0; i < count; i++) {
        struct histogram copy;
        fprintf(out, "%s\n  \"%s\": ", i ? "," : "", stage[i].name);
        if (copy_latency(loop, stage[i].latency, &copy, &left_ms))
            write_quantiles(out, &copy);
        else
            fputs("{\"n\": null, \"p50\": null, \"p99\": null, \"p999\": null, \"max\": null}", out);
    }
    fputs("},\n", out);
}

static void write_queue(FILE *out, const char *name, uint32_t places, uint32_t depth, uint64_t most)
{
    fprintf(out, "\n  \"%s\": {\"places\": %u, \"depth\": %u, \"most\": %llu},", name, places, depth,
            (unsigned long long)most);
}

void document_queues(const struct loop *loop, FILE *out)
{
    const struct path *path = &loop->path;
    const struct decide_counters *decide = &path->decide->counters;
    const struct ring *ring = &path->decide->ring;
    uint64_t places = ring->mask + 1, newest = ring_newest(ring), held = newest < places ? newest : places;
    fputs("\"queues\": {", out);
    for (uint32_t i = 0; i < path->lanes; i++) {
        char name[STAGE_NAME_BYTES];
        snprintf(name, sizeof name, path->lanes > 1 ? "lane%u" : "lane", i);
        write_queue(out, name, loop->lane_queue[i].count, spsc_depth(&loop->lane_queue[i]),
                    count_read(&path->lane[i].counters.depth_most));
    }
    write_queue(out, "returns", loop->returns.count, spsc_depth(&loop->returns),
                count_read(&path->egress->counters.returns_most));
    write_queue(out, "egress", loop->normal.count, spsc_depth(&loop->normal),
                count_read(&decide->normal_most));
    write_queue(out, "egress_emergency", loop->emergency.count, spsc_depth(&loop->emergency),
                count_read(&decide->emergency_most));
    write_queue(out, "tap", loop->tap.count, spsc_depth(&loop->tap), count_read(&decide->tap_most));
    fprintf(out, "\n  \"ring\": {\"places\": %llu, \"depth\": %llu, \"most\": %llu}},\n",
            (unsigned long long)places, (unsigned long long)held, (unsigned long long)held);
}

static void write_lane(const struct lane *lane, FILE *out, const char *interface,
                       const struct link_watch *links, uint32_t port)
{
    const struct lane_counters *counters = &lane->counters;
    fputs("\n    {\"interface\": ", out);
    document_text(out, interface);
    fprintf(out, ", \"link\": \"%s\", ", link_up(links, port) ? "up" : "down");
    number(out, "link_changes", link_changes(links, port), ", ");
    fprintf(out, "\"queue\": %u, ", lane->queue);
    number(out, "frames", count_read(&counters->frames), ", ");
    number(out, "accepted", count_read(&counters->accepted), ", ");
    number(out, "aside", count_read(&counters->aside), ", ");
    number(out, "clock_steps", count_read(&counters->clock_steps), ", ");
    number(out, "sequence_restarts", count_read(&counters->sequence_restarts), ", ");
    number(out, "token_requests", count_read(&counters->token_requests), ", ");
    number(out, "unproven", count_read(&counters->unproven), ", ");
    number(out, "details", count_read(&counters->details), ", ");
    number(out, "unheld", count_read(&counters->unheld), ", ");
    number(out, "blocks", count_read(&counters->blocks), ", ");
    number(out, "invalid_blocks", count_read(&counters->invalid_blocks), ", ");
    number(out, "no_room", count_read(&counters->no_room), ", ");
    number(out, "unsure", count_read(&counters->unsure), ", ");
    number(out, "crossings", count_read(&counters->crossings), ", ");
    number(out, "repeated", count_read(&counters->repeated), ", ");
    number(out, "stamped", count_read(&counters->stamped), ", ");
    number(out, "stamps_narrow", count_read(&counters->stamps_narrow), ", ");
    number(out, "stamps_unsure", count_read(&counters->stamps_unsure), ", ");
    number(out, "stamps_late", count_read(&counters->stamps_late), ", ");
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

static void write_spectra_counters(const struct loop *loop, FILE *out)
{
    const struct spectra_counters *spectra = &loop->spectra.counters;
    number(out, "cycles", count_read(&spectra->cycles), ", ");
    number(out, "windows", count_read(&spectra->windows), ", ");
    number(out, "overtaken", count_read(&spectra->overtaken), ", ");
    number(out, "breaks", count_read(&spectra->breaks), ", ");
    number(out, "swings", count_read(&spectra->swings), ", ");
    number(out, "overrun", count_read(&spectra->overrun), ", ");
    number(out, "lost", count_read(&spectra->lost), "");
}

static void write_budget_counters(const struct loop *loop, FILE *out)
{
    struct document_budget sum;
    document_sum_budgets(loop, &sum);
    number(out, "misses", sum.misses, ", ");
    number(out, "emergency_misses", sum.emergencies, ", ");
    number(out, "by_gap", sum.by_gap, ", ");
    number(out, "by_network", sum.by_network, ", ");
    number(out, "gaps_1ms", sum.gaps[0], ", ");
    number(out, "gaps_10ms", sum.gaps[1], ", ");
    number(out, "gaps_20ms", sum.gaps[2], ", ");
    number(out, "longest_gap_us", sum.longest_gap_ns / NS_PER_US, "");
}

void document_counters(struct loop *loop, FILE *out)
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
    number(out, "withheld", count_read(&egress->withheld), ", ");
    number(out, "keyless", count_read(&egress->keyless), "},\n  \"budget\": {");
    write_budget_counters(loop, out);
    fputs("},\n  \"keys\": {", out);
    number(out, "reloads", count_read(&loop->keys.watch.reloads), ", ");
    number(out, "failures", count_read(&loop->keys.watch.failures), "},\n  \"marks\": {");
    number(out, "writes", count_read(&loop->marks.writes), ", ");
    number(out, "failures", count_read(&loop->marks.failures), "},\n  \"spectra\": {");
    write_spectra_counters(loop, out);
    fputs("},\n  \"tap\": {", out);
    number(out, "slots", count_read(&loop->drain.slots), ", ");
    number(out, "dropped_detail", count_read(&decide->tap_dropped[CLASS_DETAIL]), ", ");
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
