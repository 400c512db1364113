/* SPDX-License-Identifier: Apache-2.0 */
/* The time as it is known, and meters' clocks, as JSON. */
#include "loop/document.h"

#include <string.h>

static void write_identity(FILE *out, const uint8_t identity[PTP_IDENTITY_BYTES])
{
    fputs(", \"grandmaster\": \"", out);
    for (int i = 0; i < PTP_IDENTITY_BYTES; i++)
        fprintf(out, "%s%02x", i == 3 ? "." : i == 5 ? "." : "", identity[i]);
    fputs("\"", out);
}

/* What ptp4l says, where it is asked and has said something. */
static void write_ptp(FILE *out, const struct keeper_told *told)
{
    static const char *const port[PTP_PORT_STATES] = {
        "unknown", "initializing", "faulty", "disabled", "listening", "pre_master", "master", "passive",
        "uncalibrated", "slave"};
    static const uint8_t none[PTP_IDENTITY_BYTES];
    if (memcmp(told->grandmaster, none, sizeof none) > 0)
        write_identity(out, told->grandmaster);
    else
        fputs(", \"grandmaster\": null", out);
    int64_t accuracy_ns = ptp_message_accuracy_ns(told->clock_accuracy);
    fprintf(out, ", \"has_master\": %s, \"clock_class\": %u, \"accuracy_ns\": ",
            told->has_master ? "true" : "false", told->clock_class);
    if (accuracy_ns < 0)
        fputs("null", out);
    else
        fprintf(out, "%lld", (long long)accuracy_ns);
    fprintf(out, ", \"port_state\": \"%s\", \"master_offset_ns\": %lld",
            port[told->port_state < PTP_PORT_STATES ? told->port_state : 0],
            (long long)told->master_offset_ns);
}

/* Now, by the reference: what is not known of it is in the interval. */
static void write_interval(FILE *out, const struct loop *loop)
{
    struct reference_line line;
    struct reference_interval interval;
    int64_t mono_ns = timebase_now_ns(&loop->base);
    if (!reference_read(&loop->clocks.keeper.reference, &line) ||
        !reference_interval(&loop->clocks.keeper.reference, mono_ns, mono_ns, &interval)) {
        fputs(", \"uncertainty_ns\": null, \"rate_ppb\": null, \"now\": null", out);
        return;
    }
    fprintf(out, ", \"uncertainty_ns\": %lld, \"rate_ppb\": %.3f, \"now\": {\"system_ns\": %lld, "
            "\"earliest_ns\": %lld, \"latest_ns\": %lld}",
            (long long)reference_half_ns(&line, mono_ns), (double)line.rate_ppt / 1e3,
            (long long)timebase_realtime_ns(&loop->base, mono_ns), (long long)interval.earliest_ns,
            (long long)interval.latest_ns);
}

static void write_counts(FILE *out, const struct keeper_told *told)
{
    fprintf(out, ", \"samples\": %llu, \"outliers\": %llu, \"steps\": %llu, \"step_ns\": %lld, "
            "\"leaps\": %llu, \"masters\": %llu, \"losses\": %llu, \"sets\": %llu, \"unanswered\": %llu, "
            "\"malformed\": %llu",
            (unsigned long long)told->samples, (unsigned long long)told->outliers,
            (unsigned long long)told->steps, (long long)told->step_ns, (unsigned long long)told->leaps,
            (unsigned long long)told->masters, (unsigned long long)told->losses,
            (unsigned long long)told->sets, (unsigned long long)told->unanswered,
            (unsigned long long)told->malformed);
}

static void write_meter(FILE *out, const struct loop *loop, uint32_t i)
{
    struct clocks_meter meter = {0};
    clocks_read_meter(&loop->clocks, i, &meter);
    fputs("{\"id\": ", out);
    document_text(out, loop->site->model.meter[i].name);
    if (meter.found.has_offset)
        fprintf(out, ", \"offset_us\": %.3f, \"offset_half_us\": %.3f",
                (double)meter.found.offset_ns / 1e3, (double)meter.found.half_ns / 1e3);
    else
        fputs(", \"offset_us\": null, \"offset_half_us\": null", out);
    if (meter.found.has_drift)
        fprintf(out, ", \"drift_ppm\": %.3f, \"drift_half_ppm\": %.3f",
                (double)meter.found.drift_ppb / 1e3, (double)meter.found.drift_half_ppb / 1e3);
    else
        fputs(", \"drift_ppm\": null, \"drift_half_ppm\": null", out);
    fprintf(out, ", \"off\": %s, \"doubted\": %s}", meter.is_off ? "true" : "false",
            meter.is_doubted ? "true" : "false");
}

/* A meter whose clock drifts is counted as that, however far off it is. */
void document_look_at_clocks(const struct loop *loop, struct verdict_surroundings *around)
{
    for (uint32_t left = loop->site->model.meter_count; left; left--) {
        struct clocks_meter meter = {0};
        clocks_read_meter(&loop->clocks, left - 1, &meter);
        if (meter.is_doubted) {
            around->clocks_doubted++;
            around->meter_doubted = left - 1;
        } else if (meter.is_off) {
            around->clocks_off++;
            around->meter_off = left - 1;
        }
    }
}

static const char *source_name(const struct keeper_told *told)
{
    static const char *const source[KEEPER_SOURCES] = {"system", "ptp", "phc"};
    return source[told->source % KEEPER_SOURCES];
}

static void write_state(const struct loop *loop, const struct keeper_told *told, FILE *out)
{
    int64_t now_ns = timebase_now_ns(&loop->base);
    bool asks = loop->site->clock.ptp[0];
    fprintf(out, "{\"source\": \"%s\", \"state\": \"%s\", \"for_s\": %.3f, \"fault\": \"%s\", "
            "\"fault_words\": ", source_name(told), sync_state_name(told->state),
            told->since_ns ? (double)(now_ns - told->since_ns) / 1e9 : 0.0, sync_fault_name(told->fault));
    document_text(out, sync_fault_meaning(told->fault));
    fputs(", \"error\": ", out);
    if (told->error)
        document_text(out, strerror(told->error));
    else
        fputs("null", out);
    if (told->sample_ns)
        fprintf(out, ", \"sample_age_s\": %.3f", (double)(now_ns - told->sample_ns) / 1e9);
    else
        fputs(", \"sample_age_s\": null", out);
    if (asks)
        write_ptp(out, told);
    write_interval(out, loop);
    fprintf(out, ", \"system_offset_ns\": %lld, \"spread_ns\": %lld, \"scale\": \"%s\", \"tai_utc_s\": ",
            (long long)told->system_offset_ns, (long long)told->spread_ns, told->is_tai ? "tai" : "utc");
    if (told->utc_known)
        fprintf(out, "%d", told->utc_offset_s);
    else
        fputs("null", out);
    fprintf(out, ", \"leap_pending\": %d",
            told->flags & PTP_LEAP_61 ? 1 : told->flags & PTP_LEAP_59 ? -1 : 0);
    write_counts(out, told);
    fprintf(out, ", \"counter\": \"%s\"", timebase_has_counter(&loop->base) ? "tsc" : "system");
}

void document_clock(const struct loop *loop, FILE *out)
{
    struct keeper_told told = {0};
    struct reference_line line;
    keeper_read(&loop->clocks.keeper, &told);
    fprintf(out, "\"clock\": {\"source\": \"%s\", \"state\": \"%s\", \"fault\": \"%s\", "
            "\"system_offset_ns\": %lld, \"uncertainty_ns\": ", source_name(&told),
            sync_state_name(told.state), sync_fault_name(told.fault), (long long)told.system_offset_ns);
    if (reference_read(&loop->clocks.keeper.reference, &line))
        fprintf(out, "%lld", (long long)reference_half_ns(&line, timebase_now_ns(&loop->base)));
    else
        fputs("null", out);
    if (told.has_master)
        write_identity(out, told.grandmaster);
    else
        fputs(", \"grandmaster\": null", out);
    fputs("},\n", out);
}

void loop_document_clock(const struct loop *loop, FILE *out)
{
    struct keeper_told told = {0};
    keeper_read(&loop->clocks.keeper, &told);
    write_state(loop, &told, out);
    fputs(",\n\"meters\": [", out);
    for (uint32_t i = 0; i < loop->site->model.meter_count; i++) {
        fputs(i ? ",\n  " : "\n  ", out);
        write_meter(out, loop, i);
    }
    fputs("]}\n", out);
}
