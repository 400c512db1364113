/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/verdict.h"

#include <stdio.h>
#include <string.h>

#include "core/permit.h"
#include "loop/losses.h"
#include "msg/lease.h"

int64_t verdict_meter_age_ns(const struct view_meter *meter, int64_t now_ns)
{
    if (!meter->t_receive_ns)
        return INT64_MAX;
    int64_t since_ns = now_ns - meter->t_receive_ns;
    return meter->age_ns + (since_ns > 0 ? since_ns : 0);
}

enum meter_state verdict_meter_state(const struct model_meter *known, const struct view_meter *meter,
                                     const struct view_stale *stale, int64_t now_ns)
{
    int64_t age_ns = verdict_meter_age_ns(meter, now_ns);
    /* Between two readings a good meter is up to one period older than its newest one. */
    int64_t bound_ns = known->fresh_ns + known->period_ns;
    if (age_ns <= known->fresh_ns)
        return METER_OK;
    if (age_ns <= bound_ns)
        return METER_LATE;
    return stale->t_ns && now_ns - stale->t_ns <= bound_ns ? METER_STALE : METER_SILENT;
}

const char *verdict_level_name(enum verdict_level level)
{
    static const char *const names[] = {"ok", "starting", "alarm"};
    return names[level];
}

static void first(uint32_t *found, uint32_t index)
{
    if (*found == INDEX_NONE)
        *found = index;
}

static void look_at_meters(struct verdict *verdict, const struct model *model, const struct view *view,
                           int64_t now_ns)
{
    for (uint32_t i = 0; i < model->meter_count; i++) {
        struct view_meter meter;
        struct view_stale stale;
        if (!view_read_meter(view, i, &meter) || !view_read_stale(view, i, &stale))
            continue;
        if (verdict_meter_state(&model->meter[i], &meter, &stale, now_ns) <= METER_LATE) {
            verdict->meters_fresh++;
            continue;
        }
        verdict->meters_silent++;
        first(&verdict->meter_silent, i);
    }
}

static void look_at_hosts(struct verdict *verdict, const struct model *model, const struct view *view,
                          int64_t now_ns)
{
    for (uint32_t i = 0; i < model->host_count; i++) {
        struct core_host_view host;
        if (!view_read_host(view, i, &host))
            continue;
        if (host.incarnation && now_ns - host.report_t_ns <= model->policy.lease_ns)
            verdict->hosts_heard++;
        else
            first(&verdict->host_unheard, i);
        if (host.accepted && host.state == HOST_LEASED)
            verdict->hosts_leased++;
        if (host.incarnation && host.fail_safe_mw > model->host[i].fail_safe_mw) {
            verdict->hosts_mismatched++;
            first(&verdict->host_mismatched, i);
        }
    }
}

/* The phase whose exposure carries most of its limit, or what leaves least room were something lost. */
static int64_t exposed_ppm(const struct core_node_view *node, uint8_t *contingency)
{
    int64_t most_ppm = 0, tightest_ppm = view_load_ppm(node->exposed.sum_mva, node->exposed.limit_mva);
    for (uint32_t i = 0; i < PHASES; i++) {
        int64_t ppm = view_load_ppm(node->exposure_mva[i], node->limit_mva[i]);
        if (ppm > most_ppm)
            most_ppm = ppm;
    }
    *contingency = tightest_ppm > most_ppm ? node->exposed.contingency : 0;
    return tightest_ppm > most_ppm ? tightest_ppm : most_ppm;
}

static bool above(const struct core_node_view *node)
{
    for (uint32_t i = 0; i < PHASES; i++)
        if (node->limit_mva[i] > 0 && node->exposure_mva[i] > node->limit_mva[i])
            return true;
    return false;
}

static void look_at_node(struct verdict *verdict, const struct core_node_view *node, uint32_t i)
{
    if (above(node)) {
        verdict->nodes_above++;
        first(&verdict->node_above, i);
    }
    uint8_t contingency;
    int64_t ppm = exposed_ppm(node, &contingency);
    if (verdict->worst_node != INDEX_NONE && ppm <= verdict->worst_ppm)
        return;
    verdict->worst_node = i;
    verdict->worst_ppm = ppm;
    verdict->worst_contingency = contingency;
}

static void look_at_nodes(struct verdict *verdict, const struct model *model, const struct view *view)
{
    for (uint32_t i = 0; i < model->node_count; i++) {
        struct core_node_view node;
        if (!view_read_node(view, i, &node))
            continue;
        verdict->nodes_emergency += node.emergency;
        verdict->nodes_recovery += node.recovery;
        verdict->nodes_overdue += node.recovery_overdue;
        if (node.recovery_overdue)
            first(&verdict->node_overdue, i);
        if (node.emergency)
            first(&verdict->node_emergency, i);
        if (node.recovery)
            first(&verdict->node_recovery, i);
        bool doubted = node.permit == PERMIT_FROZEN || node.permit == PERMIT_IMPLAUSIBLE;
        verdict->nodes_doubted += doubted;
        bool stood_in = node.permit == PERMIT_BY_PARENT || node.permit == PERMIT_BY_CHILDREN;
        verdict->nodes_stood_in += stood_in;
        if (stood_in)
            first(&verdict->node_stood_in, i);
        verdict->nodes_dead += node.permit == PERMIT_DEAD;
        if (node.permit == PERMIT_DEAD)
            first(&verdict->node_dead, i);
        verdict->nodes_breach += node.breach;
        if (doubted)
            first(&verdict->node_doubted, i);
        if (node.breach)
            first(&verdict->node_breach, i);
        if (model->node[i].limited)
            look_at_node(verdict, &node, i);
    }
}

static void look_at_alerts(struct verdict *verdict, const struct model *model, const struct view *view)
{
    for (uint32_t i = 0; i < model->alert_count; i++) {
        struct core_alert_view alert;
        if (model->alert[i].severity != ALERT_ALARM || !view_read_alert(view, i, &alert) || !alert.row.now)
            continue;
        verdict->alerts++;
        first(&verdict->alert_first, i);
    }
}

static const char *mode_words(uint32_t mode)
{
    static const char *const words[] = {"off: nothing is sent", "shadow: nothing is sent",
                                        "advise: nothing is sent"};
    return mode < MODE_ENFORCE ? words[mode] : NULL;
}

/* ---- rows of the degradation table ---- */

void verdict_member(char text[VERDICT_MEMBER_BYTES], const struct model *model, enum degradation row,
                    uint32_t index)
{
    static const uint8_t of_meters[] = {DEGRADED_CLOCK, DEGRADED_METER};
    static const uint8_t of_hosts[] = {DEGRADED_AGENT, DEGRADED_CAP, DEGRADED_CONTROLLER};
    text[0] = '\0';
    for (size_t i = 0; i < sizeof of_meters; i++)
        if (row == of_meters[i] && index < model->meter_count)
            snprintf(text, VERDICT_MEMBER_BYTES, "%s", model->meter[index].name);
    for (size_t i = 0; i < sizeof of_hosts; i++)
        if (row == of_hosts[i] && index < model->host_count)
            snprintf(text, VERDICT_MEMBER_BYTES, "%s", model->host[index].name);
    if (row == DEGRADED_ROOM && index < model->node_count)
        snprintf(text, VERDICT_MEMBER_BYTES, "%s", model->node[index].name);
    if (row == DEGRADED_CLOCK && index == LOSSES_OWN_CLOCK)
        snprintf(text, VERDICT_MEMBER_BYTES, "this machine");
    if (row == DEGRADED_FEED && index < model->contingency_count)
        snprintf(text, VERDICT_MEMBER_BYTES, "%s", model->contingency[index].name);
    if (row == DEGRADED_RING && index < LOSSES_RING)
        snprintf(text, VERDICT_MEMBER_BYTES, "%s %u", index < LOSSES_PORT ? "lane" : "port",
                 index < LOSSES_PORT ? index : index - LOSSES_PORT);
    if ((row == DEGRADED_JOURNAL || row == DEGRADED_MARKS) && index == 0)
        snprintf(text, VERDICT_MEMBER_BYTES, "disk");
    if (row == DEGRADED_SHED && index == 0)
        snprintf(text, VERDICT_MEMBER_BYTES, "flyball shed");
}

/* Rows that are an alarm by themselves, and how. Of the others a clock that stepped goes on by the age rule;
 * meters' clocks, silent meters, silent hosts and the journal have words of their own. */
static const struct { enum degradation row; const char *words; } alarming[] = {
    {DEGRADED_CONTROLLER, "hosts that obey a newer controller (its clock was ahead, or it runs)"},
    {DEGRADED_FEED, "feeds lost, unseen, or not back for long enough"},
    {DEGRADED_CAP, "hosts whose cap is lost or not their own"},
    {DEGRADED_RING, "lanes or ports that lose inputs"},
    {DEGRADED_ROOM, "nodes where fail-safe caps and other load are above the limit"},
    {DEGRADED_SHED, "nobody would take a shed action"},
    {DEGRADED_MARKS, "numbers of meters that are not on the disk"},
};
enum { ALARMING = sizeof alarming / sizeof alarming[0] };

/* A link that is down has its own words. */
static uint32_t in_row(const struct verdict *verdict, enum degradation row)
{
    uint32_t down = row == DEGRADED_RING ? verdict->ports_down : 0;
    return verdict->row[row].now > down ? verdict->row[row].now - down : 0;
}

static bool lost(const struct verdict *verdict)
{
    for (uint32_t i = 0; i < ALARMING; i++)
        if (in_row(verdict, alarming[i].row))
            return true;
    return false;
}

static void look_at_rows(struct verdict *verdict, const struct view *view)
{
    for (uint32_t row = 0; row < DEGRADATION_COUNT; row++)
        if (!view_read_degraded(view, row, &verdict->row[row]))
            verdict->row[row] = (struct degrade_row){.newest = INDEX_NONE};
}

/* Exposure is an alarm only where leases are sent: elsewhere every host counts at its physical maximum
 * anyway. */
static bool alarm(const struct verdict *verdict, const struct model *model,
                  const struct verdict_surroundings *around)
{
    if (around->sheds || around->sheds_failed || around->clocks_doubted || around->clocks_off)
        return true;
    if (verdict->nodes_doubted || verdict->nodes_stood_in || verdict->nodes_dead || verdict->nodes_breach ||
        verdict->breached || verdict->alerts)
        return true;
    if (verdict->hosts_mismatched || verdict->meters_silent || verdict->nodes_emergency ||
        verdict->invariant_failures || verdict->journal_failures || verdict->ports_wrong || lost(verdict))
        return true;
    if (model->mode != MODE_ENFORCE)
        return false;
    return verdict->nodes_above || verdict->nodes_recovery || verdict->hosts_heard < model->host_count;
}

static void append_words(struct verdict *verdict, const char *words)
{
    size_t used = strlen(verdict->words);
    snprintf(verdict->words + used, sizeof verdict->words - used, "%s%s", used ? "; " : "", words);
}

static void append(struct verdict *verdict, const char *what, uint64_t count, const char *name)
{
    if (!count)
        return;
    char words[160];
    snprintf(words, sizeof words, "%s: %llu%s%.31s%s", what, (unsigned long long)count, name ? " (" : "",
             name ? name : "", !name ? "" : count > 1 ? ", ...)" : ")");
    append_words(verdict, words);
}

static void say_port(struct verdict *verdict, const struct verdict_port *port)
{
    char words[160];
    const uint8_t *mac = port->mac;
    snprintf(words, sizeof words, "link down on port %s %.64s", port->driver, port->interface);
    if (port->down)
        append_words(verdict, words);
    snprintf(words, sizeof words,
             "address of port %s %.64s claimed by MAC %02x:%02x:%02x:%02x:%02x:%02x too",
             port->driver, port->interface, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    if (port->conflict)
        append_words(verdict, words);
}

static void say_alarm(struct verdict *verdict, const struct model *model,
                      const struct verdict_surroundings *around)
{
    for (uint32_t i = 0; i < around->ports; i++)
        say_port(verdict, &around->port[i]);
    append(verdict, "nodes in emergency", verdict->nodes_emergency,
           verdict->nodes_emergency ? model->node[verdict->node_emergency].name : NULL);
    append(verdict, "shed or restore actions that failed", around->sheds_failed,
           around->sheds_failed ? model->node[around->node_shed_failed].name : NULL);
    append(verdict, "nodes shed and not restored", around->sheds,
           around->sheds ? model->node[around->node_shed].name : NULL);
    append(verdict, "meters silent or stale", verdict->meters_silent,
           verdict->meters_silent ? model->meter[verdict->meter_silent].name : NULL);
    append(verdict, "meters whose clock drifts, they renew no permit", around->clocks_doubted,
           around->clocks_doubted ? model->meter[around->meter_doubted].name : NULL);
    append(verdict, "meters whose clock is off", around->clocks_off,
           around->clocks_off ? model->meter[around->meter_off].name : NULL);
    append(verdict, "nodes whose meter is frozen or implausible", verdict->nodes_doubted,
           verdict->nodes_doubted ? model->node[verdict->node_doubted].name : NULL);
    append(verdict, "nodes whose meter is lost and others stand in", verdict->nodes_stood_in,
           verdict->nodes_stood_in ? model->node[verdict->node_stood_in].name : NULL);
    append(verdict, "hosts whose fail-safe cap is above the site file's", verdict->hosts_mismatched,
           verdict->hosts_mismatched ? model->host[verdict->host_mismatched].name : NULL);
    append(verdict, "nodes without volts", verdict->nodes_dead,
           verdict->nodes_dead ? model->node[verdict->node_dead].name : NULL);
    append(verdict, "nodes above a contract limit", verdict->nodes_breach,
           verdict->nodes_breach ? model->node[verdict->node_breach].name : NULL);
    append(verdict, "contracts over several nodes breached", verdict->breached,
           verdict->breached ? around->breached_name : NULL);
    append(verdict, "alerts", verdict->alerts,
           verdict->alerts ? model->alert[verdict->alert_first].name : NULL);
    if (model->mode == MODE_ENFORCE) {
        uint64_t unheard = model->host_count - verdict->hosts_heard;
        append(verdict, "hosts not heard for a lease time", unheard,
               verdict->host_unheard != INDEX_NONE ? model->host[verdict->host_unheard].name : NULL);
        append(verdict, "nodes exposed above their limit", verdict->nodes_above,
               verdict->nodes_above ? model->node[verdict->node_above].name : NULL);
        append(verdict, "nodes in recovery", verdict->nodes_recovery,
               verdict->nodes_recovery ? model->node[verdict->node_recovery].name : NULL);
        append(verdict, "recoveries that no host holds and that do not end", verdict->nodes_overdue,
               verdict->nodes_overdue ? model->node[verdict->node_overdue].name : NULL);
    }
    append(verdict, "journal writes refused or slots dropped", verdict->journal_failures, NULL);
    for (uint32_t i = 0; i < ALARMING; i++) {
        char name[VERDICT_MEMBER_BYTES];
        verdict_member(name, model, alarming[i].row, verdict->row[alarming[i].row].newest);
        append(verdict, alarming[i].words, in_row(verdict, alarming[i].row), name[0] ? name : NULL);
    }
    append(verdict, "invariant failures, a defect", verdict->invariant_failures, NULL);
}

static void say_ok(struct verdict *verdict, const struct model *model)
{
    const char *mode = mode_words(model->mode), *worst = "-";
    uint8_t lost = verdict->worst_contingency % CONTINGENCIES_MAX;
    if (verdict->worst_node != INDEX_NONE)
        worst = model->node[verdict->worst_node].name;
    /* Where nothing is sent every host counts at its physical maximum: that is said, not left to be
     * guessed. */
    if (mode)
        snprintf(
            verdict->words, sizeof verdict->words,
            "%s; %u meters fresh; %u of %u hosts heard; were every host to draw all it can, %.31s would be "
            "at %.1f %% of its limit%s%.31s",
            mode, verdict->meters_fresh, verdict->hosts_heard, model->host_count, worst,
            (double)verdict->worst_ppm / 1e4, lost ? " on loss of " : "",
            lost ? model->contingency[lost].name : "");
    else
        snprintf(
            verdict->words, sizeof verdict->words,
            "%u meters fresh; %u of %u hosts hold a lease; nearest to its limit: %.31s at %.1f %% "
            "exposed%s%.31s",
            verdict->meters_fresh, verdict->hosts_leased, model->host_count, worst,
            (double)verdict->worst_ppm / 1e4, lost ? " on loss of " : "",
            lost ? model->contingency[lost].name : "");
}

void verdict_make(struct verdict *verdict, const struct model *model, const struct view *view,
                  const struct verdict_surroundings *around, int64_t t_start_ns, int64_t now_ns)
{
    *verdict = (struct verdict){.meter_silent = INDEX_NONE,
                                .host_unheard = INDEX_NONE,
                                .host_mismatched = INDEX_NONE,
                                .node_emergency = INDEX_NONE,
                                .node_above = INDEX_NONE,
                                .node_recovery = INDEX_NONE,
                                .node_overdue = INDEX_NONE,
                                .node_doubted = INDEX_NONE,
                                .node_stood_in = INDEX_NONE,
                                .node_dead = INDEX_NONE,
                                .node_breach = INDEX_NONE,
                                .worst_node = INDEX_NONE,
                                .alert_first = INDEX_NONE,
                                .breached = around->breached,
                                .journal_failures = around->journal_failures};
    for (uint32_t i = 0; i < around->ports; i++) {
        verdict->ports_wrong += around->port[i].down || around->port[i].conflict;
        verdict->ports_down += around->port[i].down;
    }
    struct core_counters counters = {0};
    if (view_read_counters(view, &counters))
        verdict->invariant_failures = counters.invariant_failures;
    look_at_rows(verdict, view);
    look_at_meters(verdict, model, view, now_ns);
    look_at_hosts(verdict, model, view, now_ns);
    look_at_nodes(verdict, model, view);
    look_at_alerts(verdict, model, view);
    if (!alarm(verdict, model, around)) {
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
