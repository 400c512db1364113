/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/clock/clock_print.h"

#include <string.h>

enum { TIME_BYTES = 32 };

static const char *word(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "-";
}

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static bool has(const json_t *object, const char *key)
{
    return json_is_number(json_object_get(object, key));
}

/* In the unit that leaves one to three digits before the point. */
static const char *time_words(char text[TIME_BYTES], double ns)
{
    double size = ns < 0 ? -ns : ns;
    if (size < 1e3)
        snprintf(text, TIME_BYTES, "%.0f ns", ns);
    else if (size < 1e6)
        snprintf(text, TIME_BYTES, "%.2f us", ns / 1e3);
    else if (size < 1e9)
        snprintf(text, TIME_BYTES, "%.2f ms", ns / 1e6);
    else
        snprintf(text, TIME_BYTES, "%.3f s", ns / 1e9);
    return text;
}

static void print_time(FILE *out, const json_t *clock, const char *name, const char *key)
{
    char text[TIME_BYTES];
    if (has(clock, key))
        fprintf(out, "%-14s %s\n", name, time_words(text, number(clock, key)));
    else
        fprintf(out, "%-14s unknown\n", name);
}

static void print_ptp(FILE *out, const json_t *clock)
{
    char text[TIME_BYTES];
    if (!json_object_get(clock, "port_state"))
        return;
    fprintf(out, "%-14s %s, clock class %.0f, ", "grandmaster",
            json_is_true(json_object_get(clock, "has_master")) ? word(clock, "grandmaster") : "none",
            number(clock, "clock_class"));
    if (has(clock, "accuracy_ns"))
        fprintf(out, "within %s of its reference\n", time_words(text, number(clock, "accuracy_ns")));
    else
        fputs("accuracy not told\n", out);
    fprintf(out, "%-14s port %s, this clock is %s ahead of it\n", "ptp4l", word(clock, "port_state"),
            time_words(text, number(clock, "master_offset_ns")));
}

static void print_leap(FILE *out, const json_t *clock)
{
    double pending = number(clock, "leap_pending");
    fprintf(out, "%-14s ", "TAI - UTC");
    if (has(clock, "tai_utc_s"))
        fprintf(out, "%.0f s", number(clock, "tai_utc_s"));
    else
        fputs("unknown", out);
    if (pending > 0 || pending < 0)
        fprintf(out, ", a leap second is coming (%+.0f s)", pending);
    fprintf(out, ", changed %.0f times\n", number(clock, "leaps"));
}

static void print_state(FILE *out, const json_t *clock)
{
    fprintf(out, "%-14s %s for %.0f s", "time", word(clock, "state"), number(clock, "for_s"));
    if (strcmp(word(clock, "fault"), "none"))
        fprintf(out, ": %s (%s)", word(clock, "fault"), word(clock, "fault_words"));
    fputc('\n', out);
    fprintf(out, "%-14s %s", "source", word(clock, "source"));
    if (json_is_string(json_object_get(clock, "error")))
        fprintf(out, ": %s", word(clock, "error"));
    fputc('\n', out);
}

static void print_counts(FILE *out, const json_t *clock)
{
    char text[TIME_BYTES];
    fprintf(out, "%-14s %.0f samples, %.0f outliers, %.0f unanswered, lost %.0f times\n", "so far",
            number(clock, "samples"), number(clock, "outliers"), number(clock, "unanswered"),
            number(clock, "losses"));
    fprintf(out, "%-14s %.0f of the time", "steps", number(clock, "steps"));
    if (number(clock, "steps") > 0)
        fprintf(out, " (the newest %s)", time_words(text, number(clock, "step_ns")));
    fprintf(out, ", %.0f of the system clock, %.0f other grandmasters\n", number(clock, "sets"),
            number(clock, "masters"));
}

static void print_meter(FILE *out, const json_t *meter)
{
    char offset[TIME_BYTES], half[TIME_BYTES], drift[TIME_BYTES] = "-";
    if (has(meter, "drift_ppm"))
        snprintf(drift, sizeof drift, "%+.2f ppm", number(meter, "drift_ppm"));
    fprintf(out, "%-32s %14s %12s %14s%s\n", word(meter, "id"),
            has(meter, "offset_us") ? time_words(offset, number(meter, "offset_us") * 1e3) : "-",
            has(meter, "offset_us") ? time_words(half, number(meter, "offset_half_us") * 1e3) : "-", drift,
            json_is_true(json_object_get(meter, "doubted")) ? "  DOUBTED"
            : json_is_true(json_object_get(meter, "off"))   ? "  OFF"
                                                            : "");
}

void clock_print(FILE *out, const json_t *clock)
{
    size_t i;
    json_t *meter, *meters = json_object_get(clock, "meters");
    print_state(out, clock);
    print_time(out, clock, "uncertainty", "uncertainty_ns");
    print_time(out, clock, "system clock", "system_offset_ns");
    print_ptp(out, clock);
    print_leap(out, clock);
    print_counts(out, clock);
    if (!strcmp(word(clock, "counter"), "system"))
        fprintf(out, "%-14s the system's clock: the processor's counter (TSC) may not be trusted\n",
                "ages by");
    fprintf(out, "\n%-32s %14s %12s %14s\n", "meter", "offset", "within", "drift");
    json_array_foreach(meters, i, meter)
        print_meter(out, meter);
}

bool clock_is_well(const json_t *clock)
{
    size_t i;
    json_t *meter;
    if (strcmp(word(clock, "state"), "locked"))
        return false;
    json_array_foreach(json_object_get(clock, "meters"), i, meter)
        if (json_is_true(json_object_get(meter, "off")) || json_is_true(json_object_get(meter, "doubted")))
            return false;
    return true;
}
