/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cli/order/order_print.h"
#include "cli/status/status.h"
#include "loop/view_words.h"

enum { PAGE_NODES = 9, PAGE_METERS = 9, EVENTS_BYTES = 320 };

const char *status_word(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "?";
}

double status_number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

bool status_has_number(const json_t *object, const char *key)
{
    return json_is_number(json_object_get(object, key));
}

bool status_is_true(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

static int heavier(const void *a, const void *b)
{
    const struct status_row *left = a, *right = b;
    if (left->weight > right->weight)
        return -1;
    if (left->weight < right->weight)
        return 1;
    return left->at < right->at ? -1 : 1;
}

size_t status_sort(json_t *list, double (*weight)(const json_t *row), struct status_row **sorted)
{
    size_t i, count = json_array_size(list);
    json_t *row;
    *sorted = count ? calloc(count, sizeof **sorted) : NULL;
    if (!*sorted)
        return 0;
    json_array_foreach(list, i, row)
        (*sorted)[i] = (struct status_row){.row = row, .weight = weight(row), .at = i};
    qsort(*sorted, count, sizeof **sorted, heavier);
    return count;
}

static double percent(const json_t *phase, const char *key)
{
    double limit = status_number(phase, "limit_a");
    return limit > 0 ? 100 * status_number(phase, key) / limit : 0;
}

/* ---- nodes ---- */

static bool is_shed(const json_t *node)
{
    const char *shed = json_string_value(json_object_get(node, "shed_state"));
    return shed && strcmp(shed, "none") && strcmp(shed, "restored");
}

static double node_weight(const json_t *node)
{
    double most = 0;
    size_t i;
    json_t *phase;
    json_array_foreach(json_object_get(node, "phases"), i, phase) {
        most = percent(phase, "load_a") > most ? percent(phase, "load_a") : most;
        most = percent(phase, "exposure_a") > most ? percent(phase, "exposure_a") : most;
    }
    const json_t *tightest = json_object_get(node, "tightest");
    most = percent(tightest, "exposure_a") > most ? percent(tightest, "exposure_a") : most;
    return most + 1e6 * status_is_true(node, "emergency") + 1e5 * status_is_true(node, "recovery") +
           1e4 * status_is_true(node, "breach") + 1e3 * is_shed(node);
}

static void format_share(char text[16], const json_t *phase, const char *key)
{
    if (status_number(phase, "limit_a") > 0 && status_has_number(phase, key))
        snprintf(text, 16, "%.1f %%", percent(phase, key));
    else
        strcpy(text, "-");
}

/* What one phase shows, from "load A" on. */
static void format_phase(char text[96], const json_t *phase)
{
    char load[16] = "-", limit[16] = "none", share[3][16];
    if (status_has_number(phase, "load_a"))
        snprintf(load, sizeof load, "%.1f", status_number(phase, "load_a"));
    if (status_has_number(phase, "limit_a"))
        snprintf(limit, sizeof limit, "%.1f", status_number(phase, "limit_a"));
    format_share(share[0], phase, "load_a");
    format_share(share[1], phase, "exposure_a");
    format_share(share[2], phase, "leased_a");
    snprintf(text, 96, "%9s %9s %9s %9s %9s", load, limit, share[0], share[1], share[2]);
}

/* Why, for how long, and who holds it: once its time is over somebody must. */
static size_t format_recovery(char text[EVENTS_BYTES], const json_t *node)
{
    const char *cause = json_string_value(json_object_get(node, "recovery_by"));
    double silent = status_number(node, "recovery_silent"), bad = status_number(node, "recovery_bad");
    size_t used =
        (size_t)snprintf(text, EVENTS_BYTES, "  recovery%s%s", cause ? ": " : "", cause ? cause : "");
    if (status_has_number(node, "recovery_for_s"))
        used += (size_t)snprintf(text + used, EVENTS_BYTES - used, ", for %.1f s",
                                 status_number(node, "recovery_for_s"));
    if (silent > 0 || bad > 0)
        used += (size_t)snprintf(text + used, EVENTS_BYTES - used,
                                 ", held by %.0f silent and %.0f disobeying hosts", silent, bad);
    if (status_is_true(node, "recovery_overdue"))
        used += (size_t)snprintf(text + used, EVENTS_BYTES - used, ", OVERDUE");
    return used;
}

/* And how far it has come, where that is told. */
static size_t format_emergency(char text[EVENTS_BYTES], const json_t *node)
{
    const char *stage = json_string_value(json_object_get(node, "emergency_stage"));
    size_t used = (size_t)snprintf(text, EVENTS_BYTES, "  EMERGENCY");
    if (stage && status_has_number(node, "emergency_stage_for_s"))
        used += (size_t)snprintf(text + used, EVENTS_BYTES - used, ": %s for %.1f s", stage,
                                 status_number(node, "emergency_stage_for_s"));
    return used;
}

/* What is not ordinary at a node, in words behind its figures. */
static void format_events(char text[EVENTS_BYTES], const json_t *node)
{
    const char *maintenance = json_string_value(json_object_get(node, "maintenance"));
    const char *shed = json_string_value(json_object_get(node, "shed_state"));
    size_t used = 0;
    text[0] = '\0';
    if (status_is_true(node, "emergency"))
        used += format_emergency(text, node);
    else if (status_is_true(node, "recovery"))
        used += format_recovery(text, node);
    if (status_is_true(node, "breach"))
        used += (size_t)snprintf(text + used, EVENTS_BYTES - used, "  above its contract of %.1f kW",
                                 status_number(node, "contract_w") / 1e3);
    if (maintenance && strcmp(maintenance, "none"))
        used += (size_t)snprintf(text + used, EVENTS_BYTES - used, "  take out: %s", maintenance);
    if (status_number(node, "other_learnt_a") > 0)
        used += (size_t)snprintf(text + used, EVENTS_BYTES - used,
                                 "  other load: %.1f A measured beyond the site file's %.1f A%s",
                                 status_number(node, "other_learnt_a"), status_number(node, "other_a"),
                                 status_is_true(node, "outgrown") ? ", MORE THAN FAIL-SAFE LEAVES" : "");
    if (shed && strcmp(shed, "none"))
        used += (size_t)snprintf(text + used, EVENTS_BYTES - used, "  shed: %s", shed);
    if (status_is_true(node, "held"))
        snprintf(text + used, EVENTS_BYTES - used, "  raises wait");
}

/* " held       ", or nothing on a site where no node may lend. */
static void format_permit(char text[16], const json_t *node, bool any)
{
    const char *permit = json_string_value(json_object_get(node, "permit"));
    text[0] = '\0';
    if (any)
        snprintf(text, 16, " %11.11s", permit && strcmp(permit, "none") ? permit : "-");
}

static bool any_permit(const json_t *nodes)
{
    size_t i;
    json_t *node;
    json_array_foreach(nodes, i, node) {
        const char *permit = json_string_value(json_object_get(node, "permit"));
        if (permit && strcmp(permit, "none"))
            return true;
    }
    return false;
}

/* "  61.3 %  never", or nothing on a site where no curve is known. */
static void format_heat(char text[40], const json_t *node, bool any)
{
    char heat[16] = "-", in[VIEW_WORDS_TIME_BYTES] = "-";
    text[0] = '\0';
    if (!any)
        return;
    if (status_has_number(node, "heat_pct")) {
        double most = status_number(node, "heat_pct"), seconds = status_number(node, "trip_in_s");
        most = status_number(node, "travel_pct") > most ? status_number(node, "travel_pct") : most;
        snprintf(heat, sizeof heat, "%.1f %%", most);
        view_words_trip_in(in, status_has_number(node, "trip_in_s") ? (int64_t)(seconds * 1e9) : INT64_MAX);
    }
    snprintf(text, 40, " %9s %9s", heat, in);
}

/* "   97.3 % feed-a      ", or nothing on a site that declares no loss. */
static void format_tightest(char text[48], const json_t *node, bool any)
{
    char share[16] = "-";
    const json_t *tightest = json_object_get(node, "tightest");
    const char *lost = json_string_value(json_object_get(tightest, "contingency"));
    text[0] = '\0';
    if (!any)
        return;
    if (lost)
        format_share(share, tightest, "exposure_a");
    snprintf(text, 48, " %9s %-10.28s", share, lost && strcmp(lost, "none") ? lost : "-");
}

static bool any_tightest(const json_t *nodes)
{
    size_t i;
    json_t *node;
    json_array_foreach(nodes, i, node)
        if (json_is_object(json_object_get(node, "tightest")))
            return true;
    return false;
}

static bool any_heat(const json_t *nodes)
{
    size_t i;
    json_t *node;
    json_array_foreach(nodes, i, node)
        if (status_has_number(node, "heat_pct"))
            return true;
    return false;
}

static json_t *worst_phase(const json_t *node)
{
    size_t i;
    json_t *phase, *phases = json_object_get(node, "phases");
    json_array_foreach(phases, i, phase)
        if (!strcmp(status_word(phase, "phase"), status_word(node, "worst_phase")))
            return phase;
    return json_array_get(phases, 0);
}

/* Those that not every site has. */
struct columns {
    bool lost, heat, permit;
};

/* One line where all phases show the same, else one each; only the worst where lines are scarce. */
static void print_node(FILE *out, const json_t *node, bool whole, const struct columns *columns)
{
    char worst[96], text[96], lost[48], heat[40], permit[16], events[EVENTS_BYTES];
    json_t *phases = json_object_get(node, "phases"), *phase;
    size_t i, same = 0;
    format_phase(worst, worst_phase(node));
    json_array_foreach(phases, i, phase) {
        format_phase(text, phase);
        same += !strcmp(text, worst);
    }
    bool all_same = same == json_array_size(phases) && same > 1;
    char mark[8];
    snprintf(mark, sizeof mark, "%s", all_same ? "ABC" : status_word(node, "worst_phase"));
    if (same < json_array_size(phases))
        strcat(mark, "*");
    format_tightest(lost, node, columns->lost);
    format_heat(heat, node, columns->heat);
    format_permit(permit, node, columns->permit);
    format_events(events, node);
    fprintf(out, "%-20.31s %-12.12s %-3s %s%s%s%s%s\n", status_word(node, "id"), status_word(node, "kind"),
            mark, worst, lost, heat, permit, events);
    json_array_foreach(phases, i, phase) {
        format_phase(text, phase);
        if (whole && !all_same && phase != worst_phase(node))
            fprintf(out, "%-33s %-3s %s\n", "", status_word(phase, "phase"), text);
    }
}

static void print_nodes(FILE *out, json_t *nodes, bool whole)
{
    struct status_row *sorted;
    size_t count = status_sort(nodes, node_weight, &sorted);
    size_t shown = whole || count <= PAGE_NODES ? count : PAGE_NODES;
    struct columns columns = {any_tightest(nodes), any_heat(nodes), any_permit(nodes)};
    fprintf(out, "\n%-20s %-12s %-3s %9s %9s %9s %9s %9s%s%s%s\n", "node", "kind", "", "load A", "limit A",
            "load", "exposed", "leased", columns.lost ? "     worst on loss of" : "",
            columns.heat ? "      heat  trips in" : "", columns.permit ? "      permit" : "");
    for (size_t i = 0; i < shown; i++)
        print_node(out, sorted[i].row, whole, &columns);
    if (shown < count)
        fprintf(out, "... the %zu nearest to their limits of %zu nodes\n", shown, count);
    if (count)
        fputs(whole ? "* the worst phase; load as metered, leased once all that was sent is obeyed\n"
                    : "* the worst phase; --nodes lists all nodes by phase\n", out);
    if (columns.lost && whole)
        fputs("worst: exposed in the loss and phase that leave least room, of the limit there\n", out);
    if (columns.heat && whole)
        fputs("heat of what trips, at most; trips in at least, were the load to stay\n", out);
    free(sorted);
}

/* ---- meters ---- */

static double meter_weight(const json_t *meter)
{
    static const char *const states[] = {"ok", "late", "stale", "silent"};
    double weight = 0, fresh = status_number(meter, "fresh_ms");
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (!strcmp(status_word(meter, "state"), states[i]))
            weight = 1e9 * (double)i;
    if (!status_has_number(meter, "age_ms"))
        return weight + 1e8;
    return weight + (fresh > 0 ? status_number(meter, "age_ms") / fresh : 0);
}

static void print_meter(FILE *out, const json_t *meter)
{
    fprintf(out, "%-20.31s %-20.31s %-7s ", status_word(meter, "id"), status_word(meter, "node"),
            status_word(meter, "state"));
    if (!status_has_number(meter, "age_ms")) {
        fprintf(out, "never heard");
    } else {
        fprintf(out, "%9.1f %9.1f %9.1f ", status_number(meter, "age_ms"), status_number(meter, "fresh_ms"),
                status_number(meter, "power_w") / 1e3);
        fprintf(out, "%9.1f %9.1f", status_number(meter, "current_a"), status_number(meter, "voltage_v"));
    }
    if (status_number(meter, "stale") > 0)
        fprintf(out, "  %.0f refused as stale", status_number(meter, "stale"));
    fputc('\n', out);
    status_print_limits(out, json_object_get(meter, "ieee519"));
}

static void print_meters(FILE *out, json_t *meters, bool whole)
{
    struct status_row *sorted;
    size_t count = status_sort(meters, meter_weight, &sorted);
    size_t shown = whole || count <= PAGE_METERS ? count : PAGE_METERS;
    fprintf(out, "\n%-20s %-20s %-7s %9s %9s %9s %9s %9s\n", "meter", "node", "state", "age ms", "fresh ms",
            "kW", "A", "V");
    for (size_t i = 0; i < shown; i++)
        print_meter(out, sorted[i].row);
    if (shown < count)
        fprintf(out, "... the %zu oldest of %zu meters; --meters lists all\n", shown, count);
    free(sorted);
}

/* A daemon from before this does not tell. */
static void print_clock(FILE *out, const json_t *clock)
{
    const char *grandmaster = json_string_value(json_object_get(clock, "grandmaster"));
    const char *fault = status_word(clock, "fault");
    if (!clock)
        return;
    fprintf(out, "time %s", status_word(clock, "state"));
    if (strcmp(fault, "none"))
        fprintf(out, " (%s)", fault);
    if (status_has_number(clock, "uncertainty_ns"))
        fprintf(out, ", known within %.1f us, system clock %.1f us ahead",
                status_number(clock, "uncertainty_ns") / 1e3, status_number(clock, "system_offset_ns") / 1e3);
    fprintf(out, ", source %s%s%s\n", status_word(clock, "source"), grandmaster ? ", grandmaster " : "",
            grandmaster ? grandmaster : "");
}

void status_print(FILE *out, json_t *status, const struct status_choice *choice)
{
    fprintf(out, "%s: %s\n", status_word(status, "verdict"), status_word(status, "words"));
    fprintf(out, "site %s, mode %s, epoch %lld, up %.1f s\n", status_word(status, "site"),
            status_word(status, "mode"), (long long)json_integer_value(json_object_get(status, "epoch")),
            status_number(status, "uptime_s"));
    print_clock(out, json_object_get(status, "clock"));
    if (choice->parts & STATUS_DEGRADED)
        status_print_degraded(out, json_object_get(status, "degraded"), choice->whole);
    if (choice->parts & STATUS_ALERTS)
        status_print_alerts(out, json_object_get(status, "alerts"), choice->whole);
    if (choice->parts & STATUS_NODES)
        print_nodes(out, json_object_get(status, "nodes"), choice->whole);
    if (choice->parts & STATUS_NODES && json_array_size(json_object_get(status, "contracts"))) {
        fputc('\n', out);
        order_print_contracts(out, json_object_get(status, "contracts"));
    }
    if (choice->parts & STATUS_METERS)
        print_meters(out, json_object_get(status, "meters"), choice->whole);
    if (choice->parts & STATUS_HOSTS)
        status_print_hosts(out, json_object_get(status, "hosts"), choice->whole);
    if (choice->parts & STATUS_STAGES)
        status_print_stages(out, json_object_get(status, "latency_us"), json_object_get(status, "queues"),
                            choice->columns);
    if (choice->parts & STATUS_BUDGET)
        status_print_budget(out, json_object_get(status, "budget"), choice->whole);
    if (choice->parts & STATUS_COUNTERS)
        status_print_counters(out, json_object_get(status, "counters"), choice);
}
