/* SPDX-License-Identifier: Apache-2.0 */
/* Agent, jobs and devices of a host, as its agent told them. */
#include <string.h>

#include "cli/status/status.h"
#include "cli/why/why.h"

enum { NAMES_BYTES = 240 };

static void print_agent(FILE *out, json_t *agent)
{
    char told[WHY_FIGURE_BYTES], seen[WHY_FIGURE_BYTES] = "", errors[64] = "";
    why_print_time(told, status_number(agent, "told_ms_ago"));
    bool watched = status_has_number(agent, "watchdog_ms_ago");
    if (watched)
        why_print_time(seen, status_number(agent, "watchdog_ms_ago"));
    if (status_number(agent, "write_errors") > 0)
        snprintf(errors, sizeof errors, "; %.0f writes failed", status_number(agent, "write_errors"));
    why_print_text(out, "agent", "%s, told this %s ago; %s%s%s%s", status_word(agent, "version"), told,
                   watched ? "its watchdog was seen " : "NO WATCHDOG", seen, watched ? " before" : "",
                   errors);
}

/* Words of a list behind each other. */
static void join(char text[NAMES_BYTES], json_t *list, const char *between)
{
    size_t i, used = 0;
    json_t *word;
    *text = '\0';
    json_array_foreach(list, i, word)
        if (used < NAMES_BYTES)
            used += (size_t)snprintf(text + used, NAMES_BYTES - used, "%s%s", i ? between : "",
                                     json_string_value(word));
}

static void print_supplies(FILE *out, json_t *agent)
{
    char dark[NAMES_BYTES] = "";
    size_t i, used = 0;
    json_t *number, *list = json_object_get(agent, "without_input");
    if (!status_has_number(agent, "supplies"))
        return;
    json_array_foreach(list, i, number)
        if (used < NAMES_BYTES)
            used += (size_t)snprintf(dark + used, NAMES_BYTES - used, "%s%d", i ? ", " : "",
                                     (int)json_integer_value(number));
    double all = status_number(agent, "supplies");
    why_print_text(out, "supplies", "%.0f of %.0f have input power%s%s", all - (double)json_array_size(list),
                   all, *dark ? "; NONE: " : "", dark);
}

static void print_jobs(FILE *out, json_t *host)
{
    char names[NAMES_BYTES], more[32] = "";
    join(names, json_object_get(host, "jobs"), ", ");
    if (status_number(host, "more_jobs") > 0)
        snprintf(more, sizeof more, " and %.0f more", status_number(host, "more_jobs"));
    if (*names || *more)
        why_print_text(out, "jobs", "%s%s", names, more);
}

static void figure(char text[WHY_FIGURE_BYTES], json_t *device, const char *key, int digits)
{
    if (status_has_number(device, key))
        snprintf(text, WHY_FIGURE_BYTES, "%.*f", digits, status_number(device, key));
    else
        strcpy(text, "-");
}

static void print_device(FILE *out, json_t *device)
{
    static const struct { const char *key; int width, digits; } column[] = {
        {"asked_w", 6, 0}, {"enforced_w", 8, 0}, {"draw_w", 6, 0}, {"average_w", 6, 0},
        {"temperature_c", 4, 0}, {"clock_mhz", 5, 0}, {"write_ms", 6, 1}, {"write_worst_ms", 6, 1}};
    char text[WHY_FIGURE_BYTES], reasons[NAMES_BYTES];
    int used = fprintf(out, "%-9.0f", status_number(device, "device"));
    for (size_t i = 0; i < sizeof column / sizeof *column; i++) {
        figure(text, device, column[i].key, column[i].digits);
        used += fprintf(out, " %*s", column[i].width, text);
    }
    join(reasons, json_object_get(device, "held_by"), " ");
    const char *state = status_is_true(device, "lost")           ? " LOST"
                        : status_is_true(device, "write_failed") ? " UNWRITTEN"
                                                                 : "";
    bool fits = used + (int)(strlen(state) + 1 + strlen(reasons)) <= WHY_COLUMNS;
    fprintf(out, "%s%s%s\n", state, *reasons ? fits ? " " : "\n          held by " : "", reasons);
}

void why_print_detail(FILE *out, json_t *host)
{
    size_t i;
    json_t *device, *agent = json_object_get(host, "agent");
    if (!json_is_object(agent))
        return;
    fputc('\n', out);
    print_agent(out, agent);
    print_supplies(out, agent);
    print_jobs(out, host);
    fprintf(out, "%-9s %6s %8s %6s %6s %4s %5s %6s %6s %s\n", "device, W", "asked", "enforced", "draw",
            "mean", "C", "MHz", "write", "worst", "held by");
    json_array_foreach(json_object_get(host, "devices"), i, device)
        print_device(out, device);
}
