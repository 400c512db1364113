/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/host/host_print.h"

#include <string.h>
#include <time.h>

#include "site/read/quantity.h"

enum { TIME_BYTES = 40, WORDS_BYTES = 64 };

/* Tenths of a second; UTC, for files travel. */
static const char *time_words(int64_t t_ns, char text[TIME_BYTES])
{
    time_t seconds = (time_t)(t_ns / NS_PER_S);
    struct tm utc;
    size_t used = gmtime_r(&seconds, &utc) ? strftime(text, TIME_BYTES - 4, "%Y-%m-%d %H:%M:%S", &utc) : 0;
    snprintf(text + used, TIME_BYTES - used, ".%01d", (int)(t_ns % NS_PER_S / (100 * NS_PER_MS)));
    return text;
}

/* Without the day. */
static const char *clock_words(int64_t t_ns, char text[TIME_BYTES])
{
    const char *blank = strchr(time_words(t_ns, text), ' ');
    if (blank)
        memmove(text, blank + 1, strlen(blank));
    return text;
}

static const char *length_words(int64_t length_ns, char text[TIME_BYTES])
{
    snprintf(text, TIME_BYTES, "%.1fs", (double)length_ns / 1e9);
    return text;
}

static double percent(uint64_t part, uint64_t of)
{
    return of ? 100 * (double)part / (double)of : 0;
}

/* ---- the summary ---- */

static void print_head(FILE *out, const char *host, const struct host_sum *sum, int64_t now_ns)
{
    char text[TIME_BYTES], span[TIME_BYTES];
    int64_t age_ns = now_ns - sum->to_ns;
    fprintf(out, "%s: %s up to %s UTC", host, length_words(sum->to_ns - sum->from_ns, span),
            time_words(sum->to_ns, text));
    if (age_ns >= 0)
        fprintf(out, ", %s ago\n", length_words(age_ns, text));
    else
        fprintf(out, ", by a clock ahead of this one\n");
    fprintf(out, "samples    %llu of %llu", (unsigned long long)sum->all.samples,
            (unsigned long long)sum->expected);
    if (sum->lost)
        fprintf(out, ", %llu lost on a slow disk", (unsigned long long)sum->lost);
    fputc('\n', out);
}

static void print_figure(FILE *out, const char *name, const struct host_figure *figure, double scale,
                         const char *unit)
{
    fprintf(out, "%-10s ", name);
    if (!figure->count) {
        fputs("not known", out);
        return;
    }
    fprintf(out, "%8.2f %s mean, %8.2f least, %8.2f most", host_mean(figure) / scale, unit,
            (double)figure->least / scale, (double)figure->most / scale);
}

static void print_figures(FILE *out, const struct host_sum *sum)
{
    print_figure(out, "draw", &sum->all.draw_mw, 1e6, "kW");
    fputc('\n', out);
    print_figure(out, "cap asked", &sum->all.asked_mw, 1e6, "kW");
    if (sum->newest.known & HISTORY_ASKED)
        fprintf(out, ", %.2f now", sum->newest.asked_mw / 1e6);
    fputc('\n', out);
    print_figure(out, "enforced", &sum->all.enforced_mw, 1e6, "kW");
    if (sum->newest.known & HISTORY_ENFORCED)
        fprintf(out, ", %.2f now", sum->newest.enforced_mw / 1e6);
    fputc('\n', out);
    print_figure(out, "hottest", &sum->all.temperature_mc, 1e3, "C ");
    fputc('\n', out);
    fputs("energy     ", out);
    if (sum->used_known)
        fprintf(out, "%.1f kJ (%.2f Wh)\n", (double)sum->used_mj / 1e6, (double)sum->used_mj / 3.6e6);
    else
        fputs("not known\n", out);
}

static const char *unknown_word(uint32_t index)
{
    return index == HOST_STATES ? "unknown" : host_state_word(index);
}

/* "cap 12.0 %, heat 0.2 %": those that were met. */
static void print_shares(FILE *out, const char *name, const char *(*word)(uint32_t), const uint64_t *times,
                         uint32_t count, uint64_t of)
{
    bool any = false;
    fprintf(out, "%-10s ", name);
    for (uint32_t i = 0; i < count; i++) {
        if (!times[i])
            continue;
        fprintf(out, "%s%s %.1f %%", any ? ", " : "", word(i), percent(times[i], of));
        any = true;
    }
    fputs(any ? "" : "none", out);
}

static void print_kinds(FILE *out, const struct host_sum *sum)
{
    uint64_t of = sum->all.samples;
    print_shares(out, "state", unknown_word, sum->in_state, HOST_STATES + 1, of);
    fprintf(out, "; lease %llu\n", (unsigned long long)sum->newest.lease);
    print_shares(out, "held by", host_throttle_word, sum->with_throttle, HOST_BITS, of);
    fputc('\n', out);
    print_shares(out, "flags", host_flag_word, sum->with_flag, HOST_BITS, of);
    fputc('\n', out);
}

static void print_breaches(FILE *out, const struct host_sum *sum)
{
    uint32_t kept = sum->breaches < HOST_BREAKS_MAX ? sum->breaches : HOST_BREAKS_MAX;
    char from[TIME_BYTES], amount[TIME_BYTES];
    if (sum->breaches > kept)
        fprintf(out, "gaps       %u; the newest %u:\n", sum->breaches, kept);
    for (uint32_t i = 0; i < kept; i++) {
        const struct host_breach *breach = &sum->breach[i];
        const char *what = breach->what == HOST_GAP ? "no samples for"
                           : breach->what == HOST_RESTART ? "the machine started anew, the clock went by"
                                                          : "the clock was set by";
        fprintf(out, "gap        after %s: %s %s\n", clock_words(breach->from_ns, from), what,
                length_words(breach->amount_ns, amount));
    }
}

/* ---- bars and rows ---- */

static const char *bar_word(double share, bool blocks)
{
    static const char *const fine[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const plain[] = {"_", ".", "-", "=", "+", "*", "#", "@"};
    int level = (int)(share * 8);
    level = level < 0 ? 0 : level > 7 ? 7 : level;
    return blocks ? fine[level] : plain[level];
}

/* Means of equal parts of the span, between nothing and the most; a space where there was no sample. */
static void print_bars(FILE *out, const struct host_sum *sum, bool blocks)
{
    double most = 0;
    for (uint32_t i = 0; i < sum->bars; i++)
        most = host_mean(&sum->bar[i].draw_mw) > most ? host_mean(&sum->bar[i].draw_mw) : most;
    fputs("draw       ", out);
    for (uint32_t i = 0; i < sum->bars; i++) {
        const struct host_figure *draw = &sum->bar[i].draw_mw;
        fputs(draw->count && most > 0 ? bar_word(host_mean(draw) / most, blocks) : " ", out);
    }
    fputs("\n\n", out);
}

static void print_cell(FILE *out, const struct host_figure *figure, double value, double scale)
{
    if (figure->count)
        fprintf(out, " %8.2f", value / scale);
    else
        fprintf(out, " %8s", "-");
}

static void add_word(char words[WORDS_BYTES], const char *word)
{
    size_t used = strlen(words);
    snprintf(words + used, WORDS_BYTES - used, "%s%s", used ? "," : "", word);
}

static void print_row(FILE *out, const struct host_row *row)
{
    char at[TIME_BYTES], states[WORDS_BYTES] = "", held[WORDS_BYTES] = "";
    fprintf(out, "%s %6llu", clock_words(row->from_ns, at), (unsigned long long)row->samples);
    if (!row->samples) {
        fputs("  no samples\n", out);
        return;
    }
    for (uint32_t state = 0; state <= HOST_STATES; state++)
        if (row->states >> state & 1)
            add_word(states, unknown_word(state));
    for (uint32_t bit = 0; bit < HOST_BITS; bit++)
        if (row->throttle >> bit & 1)
            add_word(held, host_throttle_word(bit));
    print_cell(out, &row->draw_mw, host_mean(&row->draw_mw), 1e6);
    print_cell(out, &row->draw_mw, (double)row->draw_mw.most, 1e6);
    print_cell(out, &row->asked_mw, (double)row->asked_mw.least, 1e6);
    print_cell(out, &row->enforced_mw, (double)row->enforced_mw.most, 1e6);
    if (row->temperature_mc.count)
        fprintf(out, " %5.1f", (double)row->temperature_mc.most / 1e3);
    else
        fprintf(out, " %5s", "-");
    fprintf(out, " %-9.9s %.9s\n", states, held[0] ? held : "-");
}

void host_print(FILE *out, const char *host, const struct host_sum *sum, int64_t now_ns, bool blocks)
{
    print_head(out, host, sum, now_ns);
    print_figures(out, sum);
    print_kinds(out, sum);
    print_breaches(out, sum);
    print_bars(out, sum, blocks);
    fprintf(out, "%-10s %6s %8s %8s %8s %8s %5s %-9s %s\n", "time UTC", "n", "draw kW", "most", "asked",
            "enforced", "C", "state", "held by");
    for (uint32_t i = 0; i < sum->rows; i++)
        print_row(out, &sum->row[i]);
}
