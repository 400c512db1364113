/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/verdict.h"

#include <stdio.h>

#include "msg/lease.h"

int64_t verdict_meter_age_ns(const struct view_meter *meter, int64_t now_ns)
{
    if (!meter->t_receive_ns)
        return INT64_MAX;
    int64_t since_ns = now_ns - meter->t_receive_ns;
    return meter->age_ns + (since_ns > 0 ? since_ns : 0);
}

static void look_at_meters(struct verdict *verdict, const struct model *model, const struct view *view,
                           int64_t now_ns)
{
    for (uint32_t i = 0; i < model->meter_count; i++) {
        struct view_meter meter;
        if (!view_read_meter(view, i, &meter))
            continue;
        /* Between two readings a good meter is up to one period older than its newest one. */
        int64_t bound_ns = model->meter[i].fresh_ns + model->meter[i].period_ns;
        if (verdict_meter_age_ns(&meter, now_ns) > bound_ns)
            verdict->meters_silent++;
        else
            verdict->meters_fresh++;
    }
}

static void look_at_hosts(struct verdict *verdict, const struct model *model, const struct view *view,
                          int64_t now_ns)
{
    for (uint32_t i = 0; i < model->host_count; i++) {
        struct view_host host;
        if (!view_read_host(view, i, &host))
            continue;
        if (host.incarnation && now_ns - host.report_t_ns <= model->policy.lease_ns)
            verdict->hosts_heard++;
        if (host.accepted && host.state == HOST_LEASED)
            verdict->hosts_leased++;
    }
}

static void look_at_nodes(struct verdict *verdict, const struct model *model, const struct view *view)
{
    for (uint32_t i = 0; i < model->node_count; i++) {
        struct view_node node;
        if (!view_read_node(view, i, &node))
            continue;
        verdict->nodes_emergency += node.emergency;
        verdict->nodes_recovery += node.recovery;
        if (!model->node[i].limited || node.limit_mva <= 0)
            continue;
        verdict->nodes_above += node.exposure_mva > node.limit_mva;
        int64_t ppm = view_load_ppm(node.exposure_mva, node.limit_mva);
        if (verdict->worst_node != INDEX_NONE && ppm <= verdict->worst_ppm)
            continue;
        verdict->worst_node = i;
        verdict->worst_ppm = ppm;
    }
}

static const char *mode_words(uint32_t mode)
{
    static const char *const words[] = {"off: nothing is sent", "shadow: nothing is sent",
                                        "advise: nothing is sent"};
    return mode < MODE_ENFORCE ? words[mode] : NULL;
}

/* Exposure is an alarm only where leases are sent: elsewhere every host counts at its physical maximum
 * anyway. */
static bool alarm(const struct verdict *verdict, const struct model *model)
{
    if (verdict->meters_silent || verdict->nodes_emergency || verdict->invariant_failures ||
        verdict->journal_failures || verdict->newer_epochs || verdict->ports_wrong)
        return true;
    if (model->mode != MODE_ENFORCE)
        return false;
    return verdict->nodes_above || verdict->nodes_recovery || verdict->hosts_heard < model->host_count;
}

static void append_words(struct verdict *verdict, size_t *used, const char *words)
{
    if (*used >= sizeof verdict->words)
        return;
    int wrote =
        snprintf(verdict->words + *used, sizeof verdict->words - *used, "%s%s", *used ? "; " : "", words);
    *used += wrote > 0 ? (size_t)wrote : 0;
}

static void append(struct verdict *verdict, size_t *used, const char *format, uint64_t count)
{
    if (!count || *used >= sizeof verdict->words)
        return;
    char part[160];
    /* the formats are literals of this file */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(part, sizeof part, format, (unsigned long long)count);
#pragma GCC diagnostic pop
    append_words(verdict, used, part);
}

static void say_port(struct verdict *verdict, size_t *used, const struct verdict_port *port)
{
    char words[160];
    const uint8_t *mac = port->mac;
    snprintf(words, sizeof words, "link down on port %s %.64s", port->driver, port->interface);
    if (port->down)
        append_words(verdict, used, words);
    snprintf(words, sizeof words,
             "address of port %s %.64s claimed by MAC %02x:%02x:%02x:%02x:%02x:%02x too",
             port->driver, port->interface, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    if (port->conflict)
        append_words(verdict, used, words);
}

static void say_alarm(struct verdict *verdict, const struct model *model,
                      const struct verdict_surroundings *around)
{
    size_t used = 0;
    for (uint32_t i = 0; i < around->ports; i++)
        say_port(verdict, &used, &around->port[i]);
    append(verdict, &used, "nodes in emergency: %llu", verdict->nodes_emergency);
    append(verdict, &used, "meters silent or stale: %llu", verdict->meters_silent);
    if (model->mode == MODE_ENFORCE) {
        append(verdict, &used, "hosts not heard for a lease time: %llu",
               model->host_count - verdict->hosts_heard);
        append(verdict, &used, "nodes exposed above their limit: %llu", verdict->nodes_above);
        append(verdict, &used, "nodes in recovery: %llu", verdict->nodes_recovery);
    }
    append(verdict, &used, "journal: %llu writes refused or slots dropped", verdict->journal_failures);
    append(verdict, &used, "reports under a newer controller's epoch (its clock was ahead, or it runs): %llu",
           verdict->newer_epochs);
    append(verdict, &used, "invariant failures, a defect: %llu", verdict->invariant_failures);
}

static void say_ok(struct verdict *verdict, const struct model *model)
{
    const char *mode = mode_words(model->mode), *worst = "-";
    if (verdict->worst_node != INDEX_NONE)
        worst = model->node[verdict->worst_node].name;
    snprintf(
        verdict->words, sizeof verdict->words,
        "%s%s%u meters fresh; %u of %u hosts hold a lease; nearest to its limit: %.31s at %.1f %% exposed",
        mode ? mode : "", mode ? "; " : "", verdict->meters_fresh, verdict->hosts_leased, model->host_count,
        worst, (double)verdict->worst_ppm / 1e4);
}

void verdict_make(struct verdict *verdict, const struct model *model, const struct view *view,
                  const struct verdict_surroundings *around, int64_t t_start_ns, int64_t now_ns)
{
    *verdict = (struct verdict){.worst_node = INDEX_NONE, .journal_failures = around->journal_failures};
    for (uint32_t i = 0; i < around->ports; i++)
        verdict->ports_wrong += around->port[i].down || around->port[i].conflict;
    struct core_counters counters = {0};
    if (view_read_counters(view, &counters))
        verdict->invariant_failures = counters.invariant_failures;
    verdict->newer_epochs = counters.newer_epochs;
    look_at_meters(verdict, model, view, now_ns);
    look_at_hosts(verdict, model, view, now_ns);
    look_at_nodes(verdict, model, view);
    if (!alarm(verdict, model)) {
        say_ok(verdict, model);
        return;
    }
    /* Right after a start nobody has been heard, and everybody counts at the physical maximum: no alarm
     * yet. */
    bool starting = now_ns - t_start_ns < VERDICT_STARTING_NS && !verdict->nodes_emergency &&
                    !verdict->invariant_failures;
    verdict->level = starting ? VERDICT_STARTING : VERDICT_ALARM;
    say_alarm(verdict, model, around);
}
