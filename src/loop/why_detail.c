/* SPDX-License-Identifier: Apache-2.0 */
/* What a host's agent tells of itself, its jobs and its devices (msg/detail.h). */
#include "loop/document.h"
#include "loop/view_words.h"
#include "loop/why_parts.h"

/* How many it looks at, and the numbers of those without input, from 1. */
static void write_supplies(const struct why *why, uint32_t marks)
{
    uint32_t supplies = marks >> DETAIL_SUPPLIES_SHIFT & DETAIL_SUPPLIES_MASK;
    const char *comma = "";
    if (!supplies || supplies > DETAIL_SUPPLIES_MAX) {
        fputs(", \"supplies\": null, \"without_input\": null", why->out);
        return;
    }
    fprintf(why->out, ", \"supplies\": %u, \"without_input\": [", supplies);
    for (uint32_t i = 0; i < supplies; i++) {
        if (marks >> (DETAIL_INPUTS_SHIFT + i) & 1)
            continue;
        fprintf(why->out, "%s%u", comma, i + 1);
        comma = ", ";
    }
    fputs("]", why->out);
}

static void write_agent(const struct why *why, const struct detail *detail, int64_t t_ns)
{
    fputs(",\n\"agent\": {\"version\": ", why->out);
    document_text(why->out, detail->version);
    why_number(why, "told_ms_ago", (double)(why->now_ns - t_ns) / 1e6);
    if (detail->marks & DETAIL_WATCHDOG)
        why_number(why, "watchdog_ms_ago", (double)detail->watchdog_us / 1e3);
    else
        why_null(why, "watchdog_ms_ago");
    fprintf(why->out, ", \"write_errors\": %u", detail->write_errors);
    why_whether(why, "history", (detail->marks & DETAIL_HISTORY) != 0);
    write_supplies(why, detail->marks);
    fputs("}", why->out);
}

static void write_jobs(const struct why *why, const struct detail *detail)
{
    uint32_t more = detail->jobs > detail->job_count ? (uint32_t)(detail->jobs - detail->job_count) : 0;
    fputs(",\n\"jobs\": [", why->out);
    for (uint32_t i = 0; i < detail->job_count; i++) {
        fputs(i ? ", " : "", why->out);
        document_text(why->out, detail->job[i]);
    }
    fprintf(why->out, "], \"more_jobs\": %u", more);
}

/* null where the agent did not say that it was read. */
static void write_known(const struct why *why, const struct detail_device *device, uint32_t known,
                        const char *key, double value)
{
    if (device->known & known)
        why_number(why, key, value);
    else
        why_null(why, key);
}

static void write_throttle(const struct why *why, const struct detail_device *device)
{
    if (!(device->known & DETAIL_KNOWN_THROTTLE) && !device->throttle) {
        why_null(why, "held_by");
        return;
    }
    const char *comma = "";
    fputs(", \"held_by\": [", why->out);
    for (uint32_t bit = DETAIL_THROTTLE_CAP; bit <= DETAIL_THROTTLE_FOREIGN; bit <<= 1) {
        if (!(device->throttle & bit))
            continue;
        fprintf(why->out, "%s\"%s\"", comma, view_words_throttle((uint8_t)bit));
        comma = ", ";
    }
    fputs("]", why->out);
}

static void write_device(const struct why *why, const struct detail_device *d)
{
    fprintf(why->out, "{\"device\": %u", d->index);
    why_whether(why, "lost", (d->known & DETAIL_DEVICE_LOST) != 0);
    why_number(why, "asked_w", d->asked_mw / 1e3);
    write_known(why, d, DETAIL_KNOWN_ENFORCED, "enforced_w", d->enforced_mw / 1e3);
    write_known(why, d, DETAIL_KNOWN_DRAW, "draw_w", d->draw_mw / 1e3);
    why_whether(why, "draw_is_now", (d->known & DETAIL_DRAW_IS_NOW) != 0);
    write_known(why, d, DETAIL_KNOWN_AVERAGE, "average_w", d->average_mw / 1e3);
    write_known(why, d, DETAIL_KNOWN_AVERAGE, "average_s", d->window_us / 1e6);
    write_known(why, d, DETAIL_KNOWN_ENERGY, "energy_j", (double)d->energy_mj / 1e3);
    write_known(why, d, DETAIL_KNOWN_TEMPERATURE, "temperature_c", d->temperature_mc / 1e3);
    write_known(why, d, DETAIL_KNOWN_CLOCK, "clock_mhz", d->clock_mhz);
    write_throttle(why, d);
    write_known(why, d, DETAIL_KNOWN_WRITE, "write_ms", d->write_us / 1e3);
    write_known(why, d, DETAIL_KNOWN_WRITE, "write_worst_ms", d->write_worst_us / 1e3);
    why_whether(why, "write_failed", (d->known & DETAIL_WRITE_FAILED) != 0);
    fputs("}", why->out);
}

void why_detail(const struct why *why, uint32_t host)
{
    struct detail detail;
    int64_t t_ns;
    if (!view_read_detail(why->view, host, &detail, &t_ns) || !t_ns) {
        fputs(",\n\"agent\": null, \"jobs\": null, \"more_jobs\": null, \"devices\": null", why->out);
        return;
    }
    write_agent(why, &detail, t_ns);
    write_jobs(why, &detail);
    fputs(",\n\"devices\": [", why->out);
    for (uint32_t i = 0; i < detail.device_count; i++) {
        fputs(i ? ",\n  " : "\n  ", why->out);
        write_device(why, &detail.device[i]);
    }
    fputs("]", why->out);
}
