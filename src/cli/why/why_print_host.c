/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/status/status.h"
#include "cli/why/why.h"

static void print_head(FILE *out, json_t *host)
{
    char draw[WHY_FIGURE_BYTES], age[WHY_FIGURE_BYTES] = "";
    const char *job = json_string_value(json_object_get(host, "job"));
    why_print_kw(draw, host, "draw_w");
    if (status_has_number(host, "report_ms_old"))
        why_print_time(age, status_number(host, "report_ms_old"));
    fprintf(out, "host %s: %s%s", status_word(host, "id"), status_word(host, "state"),
            status_is_true(host, "quiet") ? ", QUIET" : "");
    if (age[0])
        fprintf(out, ", drew %s at the wall %s ago\n", draw, age);
    else
        fputc('\n', out);
    fprintf(out, "%-10stype %s, tier %.0f, weight %.0f%s%s\n", "", status_word(host, "type"),
            status_number(host, "tier"), status_number(host, "weight"), job ? ", job " : "", job ? job : "");
}

/* Only what is said to be of this host: who sent it nobody knows. */
static void print_untrue(FILE *out, json_t *host)
{
    json_t *untrue = json_object_get(host, "untrue");
    char ago[WHY_FIGURE_BYTES];
    if (!json_is_object(untrue))
        return;
    why_print_time(ago, status_number(untrue, "ms_ago"));
    why_print_text(out, "REFUSED", "%.0f frames with this host's name and without its key, the newest %s ago "
                   "(%s): its key file is not the controller's, or somebody else speaks",
                   status_number(untrue, "count"), ago, status_word(untrue, "refused"));
}

static void print_reserved(FILE *out, json_t *host)
{
    char reserved[WHY_FIGURE_BYTES];
    if (status_number(host, "reserved_w") <= 0)
        return;
    why_print_kw(reserved, host, "reserved_w");
    why_print_text(out, "reserved", "%s at the wall, granted ahead of time: it counts as demand", reserved);
}

static void print_lease(FILE *out, json_t *host)
{
    json_t *lease = json_object_get(host, "lease");
    char cap[WHY_FIGURE_BYTES], wanted[WHY_FIGURE_BYTES], safe[WHY_FIGURE_BYTES], most[WHY_FIGURE_BYTES];
    char ago[WHY_FIGURE_BYTES], echo[WHY_FIGURE_BYTES], left[WHY_FIGURE_BYTES];
    why_print_kw(safe, host, "fail_safe_w");
    why_print_kw(most, host, "cap_max_w");
    if (!json_is_object(lease)) {
        why_print_text(out, "lease", "none yet; fail-safe cap %s, at most %s", safe, most);
        return;
    }
    why_print_kw(cap, lease, "cap_w");
    why_print_kw(wanted, lease, "wanted_w");
    why_print_time(ago, status_number(lease, "sent_ms_ago"));
    why_print_time(echo, status_number(lease, "echo_ms_old"));
    double left_ms = status_number(lease, "runs_out_ms");
    why_print_time(left, left_ms > 0 ? left_ms : -left_ms);
    why_print_text(out, "lease", "cap %s%s%s (fail-safe %s, at most %s)", cap,
                   strcmp(cap, wanted) ? " instead of " : "", strcmp(cap, wanted) ? wanted : "", safe, most);
    why_print_text(out, "", "sent %s ago (%s), on a report %s old; %s %s%s", ago,
                   status_word(lease, "why"), echo, left_ms > 0 ? "runs out in" : "ran out",
                   left, left_ms > 0 ? "" : " ago");
}

static void print_input(FILE *out, json_t *host)
{
    json_t *input = json_object_get(host, "input"), *lease = json_object_get(host, "lease"), *phases;
    const char *kind = status_word(input, "kind"), *of = json_string_value(json_object_get(input, "of"));
    char ago[WHY_FIGURE_BYTES], figure[120] = "";
    if (!json_is_object(input))
        return;
    why_print_time(ago, status_number(input, "ms_ago"));
    phases = json_object_get(input, "phase_current_a");
    if (json_is_array(phases))
        snprintf(figure, sizeof figure, ": it read %.1f kW, %.1f %.1f %.1f A",
                 status_number(input, "power_w") / 1e3, json_number_value(json_array_get(phases, 0)),
                 json_number_value(json_array_get(phases, 1)), json_number_value(json_array_get(phases, 2)));
    else if (status_has_number(input, "power_w"))
        snprintf(figure, sizeof figure, ": %s %.1f kW", strcmp(kind, "order") ? "it drew" : "value",
                 status_number(input, "power_w") / 1e3);
    why_print_text(out, "because", "for %s now, by %s %.0f%s%s%s (slot %.0f); rule %s", ago, kind,
                   status_number(input, "number"), of ? " of " : "", of ? of : "", figure,
                   status_number(input, "slot"), status_word(lease, "rule"));
}

static void print_contract(FILE *out, json_t *contract)
{
    char names[200] = "";
    size_t i, used = 0;
    json_t *node;
    json_array_foreach(json_object_get(contract, "nodes"), i, node)
        if (used < sizeof names)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? " + " : "",
                                     json_string_value(node));
    why_print_text(out, "", "contract %s: %s at most %.1f kW (order %.0f)", status_word(contract, "name"),
                   names, status_number(contract, "cap_w") / 1e3, status_number(contract, "number"));
}

static void print_bound(FILE *out, json_t *host)
{
    json_t *bound = json_object_get(host, "bound");
    char sum[WHY_SUM_BYTES];
    if (!json_is_object(bound))
        return;
    why_print_text(out, "held by", "%s: %s", status_word(bound, "term"), status_word(bound, "meaning"));
    if (json_is_object(json_object_get(bound, "contract"))) {
        print_contract(out, json_object_get(bound, "contract"));
        return;
    }
    if (status_has_number(bound, "sum_a")) {
        why_print_sum(sum, status_word(bound, "node"), bound);
        why_print_text(out, "", "at %s", sum);
    } else if (json_is_string(json_object_get(bound, "node"))) {
        bool full = !strcmp(status_word(bound, "term"), "demand");
        why_print_text(out, "", full ? "and nothing beyond that: %s is full" : "at %s",
                       status_word(bound, "node"));
    }
}

static void print_exposure(FILE *out, json_t *host)
{
    json_t *exposure = json_object_get(host, "exposure");
    char draw[WHY_FIGURE_BYTES], cap[WHY_FIGURE_BYTES];
    why_print_kw(draw, exposure, "draw_w");
    why_print_kw(cap, exposure, "cap_w");
    if (status_has_number(exposure, "cap_w"))
        why_print_text(out, "exposed", "may draw %s, a cap of %s: %s", draw, cap,
                       status_word(exposure, "meaning"));
    else
        why_print_text(out, "exposed", "may draw %s: %s", draw, status_word(exposure, "meaning"));
}

static const char *state_of(json_t *node)
{
    const char *permit = status_word(node, "permit");
    if (status_is_true(node, "emergency"))
        return " EMERGENCY";
    if (status_is_true(node, "recovery"))
        return " recovery";
    return strcmp(permit, "none") ? permit : "";
}

static void print_above(FILE *out, json_t *node)
{
    json_t *leased = json_object_get(node, "leased"), *exposed = json_object_get(node, "exposed");
    char a[3][WHY_FIGURE_BYTES], left[WHY_FIGURE_BYTES] = "-";
    const char *state = state_of(node);
    why_print_a(a[0], leased, "sum_a");
    why_print_a(a[1], exposed, "sum_a");
    why_print_a(a[2], exposed, "limit_a");
    if (status_has_number(exposed, "limit_a"))
        snprintf(left, sizeof left, "%.1f",
                 status_number(exposed, "limit_a") - status_number(exposed, "sum_a"));
    fprintf(out, "%-17.17s %-2s %-10.10s %8s %8s %8s %8s%s%s\n", status_word(node, "id"),
            status_word(exposed, "phase"), status_word(exposed, "contingency"), a[0], a[1], a[2], left,
            *state && *state != ' ' ? " " : "", state);
}

void why_print_host(FILE *out, json_t *host)
{
    size_t i;
    json_t *node;
    print_head(out, host);
    print_untrue(out, host);
    fputc('\n', out);
    print_lease(out, host);
    print_reserved(out, host);
    print_input(out, host);
    print_bound(out, host);
    print_exposure(out, host);
    fputc('\n', out);
    why_print_list(out, "more by", json_object_get(host, "more"));
    fprintf(out, "\n%-17s %-2s %-10s %8s %8s %8s %8s %s\n", "above it, A", "ph", "on loss of", "leased",
            "may flow", "limit", "left", "permit");
    json_array_foreach(json_object_get(host, "above"), i, node)
        print_above(out, node);
    why_print_detail(out, host);
}
