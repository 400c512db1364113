/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cli/status/status.h"

enum { PAGE_HOSTS = 6, REFUSED_SHOWN_MS = 60000 };

static bool at_phys_max(const json_t *host)
{
    static const char *const bounded[] = {"fail_safe", "lease", "older_lease"};
    for (size_t i = 0; i < sizeof bounded / sizeof bounded[0]; i++)
        if (!strcmp(status_word(host, "exposed_by"), bounded[i]))
            return false;
    return true;
}

static double host_weight(const json_t *host)
{
    if (!strcmp(status_word(host, "state"), "unheard"))
        return 6;
    if (status_is_true(host, "quiet"))
        return 5;
    if (at_phys_max(host))
        return 4;
    if (strcmp(status_word(host, "state"), "leased") || !status_is_true(host, "accepted"))
        return 3;
    return strcmp(status_word(host, "exposed_by"), "older_lease") ? 0 : 1;
}

static void format_kw(char text[16], const json_t *host, const char *key)
{
    if (status_has_number(host, key))
        snprintf(text, 16, "%.1f", status_number(host, key) / 1e3);
    else
        strcpy(text, "-");
}

static void print_host(FILE *out, const json_t *host)
{
    char lease[16], draw[16], exposed[16], age[16] = "-";
    const char *incarnation = json_string_value(json_object_get(host, "incarnation"));
    format_kw(lease, host, "lease_w");
    format_kw(draw, host, "draw_w");
    format_kw(exposed, host, "exposure_w");
    if (status_has_number(host, "report_age_ms"))
        snprintf(age, sizeof age, "%.0f", status_number(host, "report_age_ms"));
    const char *held_by = json_string_value(json_object_get(host, "held_by"));
    json_t *untrue = json_object_get(host, "untrue");
    bool refused = json_is_object(untrue) && status_number(untrue, "ms_ago") < REFUSED_SHOWN_MS;
    fprintf(out, "%-16.31s %-10s %8s %8s %8s  %-13s %10s  %-16s %s%s%s%s%s\n", status_word(host, "id"),
            status_word(host, "state"), lease, draw, exposed, status_word(host, "exposed_by"), age,
            incarnation ? incarnation : "-", status_word(host, "why"), held_by ? ": " : "",
            held_by ? held_by : "", refused ? "; REFUSED: " : "",
            refused ? status_word(untrue, "refused") : "");
}

static void print_summary(FILE *out, json_t *hosts)
{
    static const char *const states[] = {"leased", "fail_safe", "boot", "unheard"};
    double draw = 0, exposed = 0;
    size_t i, count[4] = {0}, phys_max = 0;
    json_t *host;
    json_array_foreach(hosts, i, host) {
        for (size_t state = 0; state < 4; state++)
            count[state] += !strcmp(status_word(host, "state"), states[state]);
        draw += status_number(host, "draw_w");
        exposed += status_number(host, "exposure_w");
        phys_max += at_phys_max(host);
    }
    fprintf(out, "\nhosts %zu: ", json_array_size(hosts));
    for (size_t state = 0; state < 4; state++)
        fprintf(out, "%s%zu %s", state ? ", " : "", count[state], states[state]);
    fprintf(out, "; %zu count at phys_max; draw %.1f kW, exposed %.1f kW\n", phys_max, draw / 1e3,
            exposed / 1e3);
}

void status_print_hosts(FILE *out, json_t *hosts, bool whole)
{
    struct status_row *sorted;
    size_t count = status_sort(hosts, host_weight, &sorted), wrong = 0;
    while (wrong < count && sorted[wrong].weight > 1)
        wrong++;
    size_t shown = whole ? count : wrong < PAGE_HOSTS ? wrong : PAGE_HOSTS;
    print_summary(out, hosts);
    if (shown)
        fprintf(out, "%-16s %-10s %8s %8s %8s  %-13s %10s  %-16s %s\n", "host", "state", "lease kW",
                "draw kW", "exposed", "exposed by", "report ms", "incarnation", "why");
    for (size_t i = 0; i < shown; i++)
        print_host(out, sorted[i].row);
    if (shown < wrong)
        fprintf(out, "... %zu of %zu without a lease in force; --hosts lists all\n", shown, wrong);
    free(sorted);
}
