/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "cli/host/host_print.h"
#include "loop/document.h"

static void write_known(FILE *out, const char *key, bool known, int64_t value)
{
    fprintf(out, ", \"%s\": ", key);
    if (known)
        fprintf(out, "%" PRId64, value);
    else
        fputs("null", out);
}

static void write_words(FILE *out, const char *key, const char *(*word)(uint32_t), uint8_t bits)
{
    bool any = false;
    fprintf(out, ", \"%s\": [", key);
    for (uint32_t bit = 0; bit < HOST_BITS; bit++) {
        if (!(bits >> bit & 1))
            continue;
        fprintf(out, "%s\"%s\"", any ? ", " : "", word(bit));
        any = true;
    }
    fputc(']', out);
}

static void write_record(FILE *out, const struct history_record *record)
{
    const struct history_sample *sample = &record->sample;
    const char *state = host_state_word(sample->state);
    fprintf(out, "{\"number\": %" PRIu64 ", \"t_ns\": %" PRId64 ", \"boottime_ms\": %" PRIu32, record->number,
            sample->realtime_ns, sample->boottime_ms);
    write_known(out, "asked_mw", sample->known & HISTORY_ASKED, sample->asked_mw);
    write_known(out, "enforced_mw", sample->known & HISTORY_ENFORCED, sample->enforced_mw);
    write_known(out, "draw_mw", sample->known & HISTORY_DRAW, sample->draw_mw);
    write_known(out, "energy_mj", sample->known & HISTORY_ENERGY, (int64_t)sample->energy_mj);
    write_known(out, "temperature_mc", sample->known & HISTORY_TEMPERATURE, sample->temperature_mc);
    fprintf(out, ", \"lease\": %" PRIu64 ", \"state\": \"%s\"", sample->lease, state ? state : "unknown");
    write_words(out, "flags", host_flag_word, sample->flags);
    write_words(out, "held_by", host_throttle_word, sample->throttle);
    fprintf(out, ", \"lost_before\": %" PRIu32 "}", record->lost);
}

static void write_figure(FILE *out, const char *key, const struct host_figure *figure)
{
    if (!figure->count)
        fprintf(out, ", \"%s\": null", key);
    else
        fprintf(out, ", \"%s\": {\"mean\": %.0f, \"least\": %" PRId64 ", \"most\": %" PRId64 "}", key,
                host_mean(figure), figure->least, figure->most);
}

static void write_breaches(FILE *out, const struct host_sum *sum)
{
    static const char *const what[] = {
        [HOST_GAP] = "gap", [HOST_CLOCK_SET] = "clock set", [HOST_RESTART] = "restart"};
    uint32_t kept = sum->breaches < HOST_BREAKS_MAX ? sum->breaches : HOST_BREAKS_MAX;
    fprintf(out, ", \"breaks\": %" PRIu32 ", \"newest_breaks\": [", sum->breaches);
    for (uint32_t i = 0; i < kept; i++)
        fprintf(out, "%s{\"what\": \"%s\", \"from_ns\": %" PRId64 ", \"to_ns\": %" PRId64
                ", \"amount_ns\": %" PRId64 "}", i ? ", " : "", what[sum->breach[i].what],
                sum->breach[i].from_ns, sum->breach[i].to_ns, sum->breach[i].amount_ns);
    fputc(']', out);
}

void host_json(FILE *out, const char *host, const struct host_sum *sum, const struct history_record *record,
               uint64_t count, int64_t now_ns)
{
    fputs("{\"host\": ", out);
    document_text(out, host);
    fprintf(out, ", \"version\": %d, \"period_ns\": %" PRId64 ", \"from_ns\": %" PRId64
            ", \"to_ns\": %" PRId64 ", \"age_ns\": %" PRId64 ", \"samples\": %" PRIu64
            ", \"expected\": %" PRIu64 ", \"lost\": %" PRIu64, HISTORY_VERSION, HISTORY_PERIOD_NS,
            sum->from_ns, sum->to_ns, now_ns - sum->to_ns, count, sum->expected, sum->lost);
    write_figure(out, "draw_mw", &sum->all.draw_mw);
    write_figure(out, "asked_mw", &sum->all.asked_mw);
    write_figure(out, "enforced_mw", &sum->all.enforced_mw);
    write_figure(out, "temperature_mc", &sum->all.temperature_mc);
    write_known(out, "used_mj", sum->used_known, (int64_t)sum->used_mj);
    write_breaches(out, sum);
    fputs(", \"records\": [", out);
    for (uint64_t i = 0; i < count; i++) {
        fputs(i ? ",\n" : "\n", out);
        write_record(out, &record[i]);
    }
    fputs("]}\n", out);
}
