/* SPDX-License-Identifier: Apache-2.0 */
/* What a watch has seen, as text. */
#include <string.h>

#include "cli/latency/latency_watch.h"

enum { CULPRIT_BYTES = 80, NOISE_SHOWN = 12 };

static void print_wire(const struct watch *watch, FILE *out)
{
    const struct wire_counts *counts = &watch->wire_seen.counts;
    fputc('\n', out);
    rows_print(watch->wire_seen.row, rows_of_wire, WIRE_ROW_COUNT, "wire", out);
    fprintf(
        out,
        "%llu meter frames, %llu cap frames, %llu of them caused by no frame that was seen; %llu frames with "
        "a number that others had\n",
        (unsigned long long)counts->meter_frames, (unsigned long long)counts->cap_frames,
        (unsigned long long)counts->unmatched, (unsigned long long)counts->ambiguous);
    for (uint32_t i = 0; i < watch->wire.places; i++)
        if (watch->wire.place[i].out_error)
            fprintf(out, "%s: what leaves there is not seen: %s; that takes Linux 6.6\n",
                    watch->wire.place[i].text, strerror(-watch->wire.place[i].out_error));
}

static void print_moment(const struct watch *watch, const struct moment *moment, FILE *out)
{
    char words[CULPRIT_BYTES];
    uint64_t took_ns = moment_ns(&moment->what), rest_ns = took_ns - moment->explained_ns;
    struct stay stay[STAYS] = {{.cpu = moment->what.cpu}};
    uint32_t stays = moment_stays(&moment->what, stay);
    double at_s = ((double)moment->what.begin_ns - (double)watch->began_ns) / 1e9;
    fprintf(out, "%9.2f us  at %8.3f s  %-8s core %u", row_us(took_ns), at_s,
            watch_stage_name(moment->what.stage), stay[0].cpu);
    for (uint32_t i = 1; i < stays; i++)
        fprintf(out, ", then %u", stay[i].cpu);
    if (moment->together)
        fprintf(out, "  and %u more within", moment->together);
    fputc('\n', out);
    for (uint32_t i = 0; i < moment->culprits; i++) {
        const struct culprit *culprit = &moment->culprit[i];
        culprit_words(&culprit->by, words, sizeof words);
        fprintf(out, "%14.2f us  %s", row_us(culprit->took_ns), words);
        if (culprit->count > 1)
            fprintf(out, ", %u times", culprit->count);
        fputc('\n', out);
    }
    if (watch->noise_there)
        fprintf(out, "%14.2f us  its own work, or what nobody inside can see (hypervisor, firmware)\n",
                row_us(rest_ns));
}

static void print_noise(const struct watch *watch, FILE *out)
{
    char words[CULPRIT_BYTES];
    double span_ns = (double)(watch->ended_ns - watch->began_ns);
    if (!watch->noise_there) {
        fprintf(out, "\nnoise: not measured: %s\n", watch->noise_why);
        return;
    }
    fprintf(out, "\n%-48s %9s %9s %9s  %s\n", "what took time from the loop's cores", "n", "mean us",
            "max us", "of the time");
    for (uint32_t i = 0; i < watch->noise_seen.rows && i < NOISE_SHOWN; i++) {
        const struct noise_row *row = &watch->noise_seen.row[i];
        culprit_words(&row->by, words, sizeof words);
        fprintf(out, "%-48s %9llu %9.2f %9.2f  %.3f %%\n", words, (unsigned long long)row->sum.count,
                row_us(row->sum.total_ns) / (double)row->sum.count, row_us(row->sum.max_ns),
                100 * (double)row->sum.total_ns / span_ns);
    }
    for (uint32_t i = 0; i < watch->noise.lacking_count; i++)
        fprintf(out, "without %s: %s\n", watch->noise.lacking[i].name,
                strerror(-watch->noise.lacking[i].error));
}

static void print_trust(const struct watch *watch, FILE *out)
{
    uint64_t lost = watch->seen.lost + watch->noise_seen.lost + watch->noise_seen.lost_culprits;
    fprintf(out, "\nprobes: %s (%s)\n",
            strcmp(watch->place.provider, "flyball") ? "5-byte places" : "1-byte places", watch->place.why);
    fprintf(out, "the way into an armed probe takes at least %.2f us; each stage has it in its time, once "
            "for each probe before\n",
            row_us(watch->seen.entry_ns == UINT64_MAX ? 0 : watch->seen.entry_ns));
    fprintf(out, "lost: %llu\n", (unsigned long long)lost);
    if (watch->own.after.known)
        fprintf(out, "the daemon's own counters %s\n",
                watch_agrees(watch) ? "agree" : "DO NOT AGREE with what the probes counted");
}

void watch_print(const struct watch *watch, FILE *out)
{
    fprintf(out, "process %d, %.3f s; loop threads:", (int)watch->target.pid,
            (double)(watch->ended_ns - watch->began_ns) / 1e9);
    for (uint32_t i = 0; i < watch->target.threads; i++)
        fprintf(out, " %s on core %d", watch->target.thread[i].name, (int)watch->target.thread[i].core);
    fputs("\n\n", out);
    rows_print(watch->seen.row, rows_of_stages, LATENCY_STAGE_COUNT, "stage", out);
    if (watch->wire.places)
        print_wire(watch, out);
    fprintf(out, "\n%s over time\n", watch_stage_name(watch->map_stage));
    map_print(&watch->map, out);
    fputs("\nworst moments, and who took the time\n", out);
    for (uint32_t i = 0; i < moments_told(&watch->stages.worst); i++)
        print_moment(watch, &watch->stages.worst.moment[i], out);
    print_noise(watch, out);
    print_trust(watch, out);
}
