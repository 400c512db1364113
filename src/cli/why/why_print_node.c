/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/status/status.h"
#include "cli/why/why.h"
#include "loop/view_words.h"

static void print_head(FILE *out, json_t *node)
{
    char measured[WHY_FIGURE_BYTES], age[WHY_FIGURE_BYTES] = "";
    const char *meter = json_string_value(json_object_get(node, "meter"));
    why_print_kw(measured, node, "measured_w");
    if (status_has_number(node, "reading_ms_old"))
        why_print_time(age, status_number(node, "reading_ms_old"));
    fprintf(out, "node %s: %s%s, ", status_word(node, "id"), status_word(node, "node_kind"),
            status_is_true(node, "emergency")  ? ", EMERGENCY"
            : status_is_true(node, "recovery") ? ", in recovery" : "");
    if (age[0])
        fprintf(out, "measured %s, %s ago by %s\n", measured, age, meter ? meter : "?");
    else
        fprintf(out, "%s%s\n", meter ? "no reading yet of " : "no meter", meter ? meter : "");
}

static void print_emergency(FILE *out, json_t *node)
{
    char since[WHY_FIGURE_BYTES] = "";
    if (!status_is_true(node, "emergency") || !status_has_number(node, "emergency_stage_for_s"))
        return;
    why_print_time(since, status_number(node, "emergency_stage_for_s") * 1e3);
    why_print_text(out, "emergency", "%s for %s: %s", status_word(node, "emergency_stage"), since,
                   status_word(node, "emergency_stage_meaning"));
}

/* What was done, or would be. */
static void print_shed(FILE *out, json_t *node)
{
    const char *action = json_string_value(json_object_get(node, "shed_action"));
    const char *state = json_string_value(json_object_get(node, "shed_state"));
    const char *end = json_string_value(json_object_get(node, "shed_end"));
    if (!state || (!strcmp(state, "none") && !action))
        return;
    if (!strcmp(state, "none"))
        why_print_text(out, "shed", "%s, were fail-safe not to end an emergency here", action);
    else
        why_print_text(out, "shed", "%s: %s: %s; try %.0f%s%s", action ? action : "?", state,
                       status_word(node, "shed_meaning"), status_number(node, "shed_tries"),
                       end && end[0] ? ", newest end: " : "", end ? end : "");
}

static void print_limits(FILE *out, json_t *node)
{
    json_t *steady = json_object_get(node, "steady"), *heat = json_object_get(node, "heat");
    char in[VIEW_WORDS_TIME_BYTES], since[WHY_FIGURE_BYTES] = "";
    if (json_is_object(steady))
        why_print_text(out, "steady", "%.1f A by %s", status_number(steady, "steady_a"),
                       status_word(steady, "set_by"));
    if (status_has_number(node, "permit_since_s"))
        why_print_time(since, status_number(node, "permit_since_s") * 1e3);
    why_print_text(out, "permit", "%s%s%s: %s", status_word(node, "permit"), since[0] ? " for " : "", since,
                   status_word(node, "permit_meaning"));
    if (!json_is_object(heat))
        return;
    bool trips = status_has_number(heat, "trip_in_s");
    view_words_trip_in(in, trips ? (int64_t)(status_number(heat, "trip_in_s") * 1e9) : INT64_MAX);
    const char *by = json_string_value(json_object_get(heat, "admissible_by"));
    why_print_text(out, "heat", "%.1f %%, travel %.1f %%, trips in %s; admissible %.1f A by %s",
                   status_number(heat, "heat_pct"), status_number(heat, "travel_pct"), in,
                   status_number(heat, "admissible_a"), by ? by : "the steady limit");
}

static void print_sums(FILE *out, json_t *node)
{
    json_t *made = json_object_get(node, "made_of");
    char sum[WHY_SUM_BYTES], left[WHY_FIGURE_BYTES], learnt[40] = "";
    why_print_sum(sum, status_word(node, "id"), json_object_get(node, "leased"));
    why_print_text(out, "leased", "%s, once all that was sent is obeyed", sum);
    why_print_sum(sum, status_word(node, "id"), json_object_get(node, "exposed"));
    why_print_text(out, "may flow", "%s, whatever is lost from here on", sum);
    why_print_a(left, made, "left_a");
    if (status_number(made, "other_learnt_a") > 0)
        snprintf(learnt, sizeof learnt, " (%.1f of it measured)", status_number(made, "other_learnt_a"));
    why_print_text(out, "made of",
                   "base %.1f, fail-safe caps %.1f, lent above them %.1f, bad(k = %.0f) %.1f, other "
                   "load %.1f%s A; left %s",
                   status_number(made, "base_a"), status_number(made, "fail_safe_a"),
                   status_number(made, "lent_a"), status_number(made, "k"), status_number(made, "bad_a"),
                   status_number(made, "other_a"), learnt, left);
}

static void print_steering(FILE *out, json_t *node)
{
    json_t *s = json_object_get(node, "steering");
    const char *maintenance = status_word(s, "maintenance");
    if (status_is_true(s, "held") && status_has_number(s, "hold_s"))
        why_print_text(out, "hold", "raises below wait for %.1f s more", status_number(s, "hold_s"));
    else if (status_is_true(s, "held"))
        why_print_text(out, "hold", "raises below wait for what lasts now");
    if (status_is_true(s, "damped"))
        why_print_text(out, "damper", "caps below changed direction too often: raises wait longer");
    if (status_has_number(s, "contract_w"))
        why_print_text(out, "contract", "load at most %.1f kW%s", status_number(s, "contract_w") / 1e3,
                       status_is_true(s, "breach") ? ": BREACHED" : "");
    if (status_has_number(s, "level_a"))
        why_print_text(out, "pool", "load %.1f A against a level of %.1f A, burst credit %.0f %%",
                       status_number(s, "level_load_a"), status_number(s, "level_a"),
                       status_number(s, "credit_pct"));
    if (status_number(s, "ramp_up_w_per_s") > 0 || status_number(s, "ramp_down_w_per_s") > 0)
        why_print_text(out, "ramp", "caps below up by %.1f kW a second, down by %.1f (0: as they like)",
                       status_number(s, "ramp_up_w_per_s") / 1e3,
                       status_number(s, "ramp_down_w_per_s") / 1e3);
    if (strcmp(maintenance, "none"))
        why_print_text(out, "take out", "%s", maintenance);
}

static void print_phases(FILE *out, json_t *node)
{
    size_t i;
    json_t *phase;
    char a[5][WHY_FIGURE_BYTES];
    static const char *const keys[] = {"load_a", "leased_a", "exposure_a", "limit_a", "steady_a"};
    fprintf(out, "\n%-10s %9s %9s %9s %9s %9s\n", "phase, A", "load", "leased", "may flow", "limit",
            "steady");
    json_array_foreach(json_object_get(node, "phases"), i, phase) {
        for (size_t k = 0; k < 5; k++)
            why_print_a(a[k], phase, keys[k]);
        fprintf(out, "%-10s %9s %9s %9s %9s %9s\n", status_word(phase, "phase"), a[0], a[1], a[2], a[3],
                a[4]);
    }
}

static void print_hosts(FILE *out, json_t *node)
{
    size_t i;
    json_t *host, *hosts = json_object_get(node, "hosts");
    if (!json_array_size(hosts))
        return;
    fprintf(out, "\n%-20s %9s %9s %9s %9s  %s\n", "holds most", "lease kW", "draw kW", "may draw", "A here",
            "exposed by");
    json_array_foreach(hosts, i, host) {
        char lease[WHY_FIGURE_BYTES] = "-", draw[WHY_FIGURE_BYTES] = "-";
        if (status_has_number(host, "lease_w"))
            snprintf(lease, sizeof lease, "%.1f", status_number(host, "lease_w") / 1e3);
        if (status_has_number(host, "draw_w"))
            snprintf(draw, sizeof draw, "%.1f", status_number(host, "draw_w") / 1e3);
        fprintf(out, "%-20.31s %9s %9s %9.1f %9.1f  %s\n", status_word(host, "id"), lease, draw,
                status_number(host, "exposure_w") / 1e3, status_number(host, "holds_a"),
                status_word(host, "exposed_by"));
    }
}

void why_print_node(FILE *out, json_t *node)
{
    print_head(out, node);
    fputc('\n', out);
    print_emergency(out, node);
    print_shed(out, node);
    print_limits(out, node);
    print_sums(out, node);
    print_steering(out, node);
    print_phases(out, node);
    print_hosts(out, node);
    fputc('\n', out);
    why_print_list(out, "more by", json_object_get(node, "more"));
}
