/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/status/status.h"
#include "loop/view_words.h"

static void print_values(FILE *out, const json_t *alert)
{
    size_t i;
    json_t *value;
    json_array_foreach(json_object_get(alert, "values"), i, value)
        fprintf(out, "%s%s %s", i ? ", " : "", status_word(value, "quantity"),
                json_is_string(json_object_get(value, "value")) ? status_word(value, "value") : "unknown");
}

static void print_alert(FILE *out, const json_t *alert)
{
    char since[VIEW_WORDS_TIME_BYTES] = "-";
    const char *newest = json_string_value(json_object_get(alert, "newest"));
    if (status_has_number(alert, "since_s"))
        view_words_since(since, (int64_t)(status_number(alert, "since_s") * 1e9));
    fprintf(out, "%-20.31s %-8.8s %5.0f %8s  %-31.31s %8.0f %8.0f\n", status_word(alert, "id"),
            status_word(alert, "severity"), status_number(alert, "now"), since, newest ? newest : "-",
            status_number(alert, "raised"), status_number(alert, "cleared"));
    fprintf(out, "  %s\n", status_word(alert, "when"));
    if (newest) {
        fputs("  -> ", out);
        print_values(out, alert);
        fputc('\n', out);
    }
    if (status_number(alert, "unknown") > 0)
        fprintf(out, "  %.0f of %.0f meters do not tell what it asks for\n", status_number(alert, "unknown"),
                status_number(alert, "meters"));
}

void status_print_alerts(FILE *out, json_t *alerts, bool whole)
{
    size_t i, stand = 0;
    json_t *alert;
    json_array_foreach(alerts, i, alert)
        stand += status_number(alert, "now") > 0;
    if (!stand && (!whole || !json_array_size(alerts)))
        return;
    fprintf(out, "\n%-20s %-8s %5s %8s  %-31s %8s %8s\n", "alert", "severity", "now", "since", "newest",
            "raised", "cleared");
    json_array_foreach(alerts, i, alert)
        if (whole || status_number(alert, "now") > 0)
            print_alert(out, alert);
}
