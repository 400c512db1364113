/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/top/top_screen.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/status/status.h"

const char *const top_pane_names[TOP_PANE_COUNT] = {"nodes", "hosts", "meters", "stages"};
const char *const top_order_names[TOP_ORDER_COUNT] = {"worst", "name", "load"};

enum { WORDS_LINES = 2, WORDS_BYTES = 512 };

struct drawing {
    FILE *out;
    const struct top_screen *screen;
    uint32_t used;              /* lines */
};

/* Names come from another process: nothing in them may steer the terminal. */
static void put_printable(FILE *out, const char *text, size_t most)
{
    for (size_t i = 0; i < most && text[i]; i++)
        fputc((unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i], out);
}

static void put_line(struct drawing *drawing, enum top_tone tone, const char *text)
{
    static const char *const tones[] = {"", "\033[1m", "\033[33m", "\033[1;31m"};
    const struct top_screen *screen = drawing->screen;
    if (drawing->used >= screen->lines)
        return;
    bool toned = screen->terminal && tone != TOP_PLAIN && (screen->colour || tone == TOP_HEADING);
    size_t length = strlen(text);
    while (length && text[length - 1] == ' ')
        length--;
    fputs(toned ? tones[tone] : "", drawing->out);
    put_printable(drawing->out, text, length < screen->columns ? length : screen->columns);
    fputs(toned ? "\033[0m" : "", drawing->out);
    fputs(screen->terminal ? "\033[K" : "", drawing->out);
    drawing->used++;
    /* the last line has none: it would scroll the screen */
    if (drawing->used < screen->lines || !screen->terminal)
        fputs(screen->terminal ? "\r\n" : "\n", drawing->out);
}

static void put(struct drawing *drawing, enum top_tone tone, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void put(struct drawing *drawing, enum top_tone tone, const char *format, ...)
{
    char text[WORDS_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    put_line(drawing, tone, text);
}

/* Over WORDS_LINES lines, broken at a blank. */
static void put_words(struct drawing *drawing, enum top_tone tone, const char *text)
{
    uint32_t columns = drawing->screen->columns;
    for (int line = 1; line <= WORDS_LINES; line++) {
        size_t length = strlen(text), cut = length;
        if (length > columns && line < WORDS_LINES) {
            for (cut = columns; cut > 0 && text[cut] != ' ';)
                cut--;
            cut = cut ? cut : columns;
        }
        put(drawing, tone, "%.*s", (int)cut, text);
        text += cut;
        text += *text == ' ';
    }
}

static void put_verdict(struct drawing *drawing, const struct top_source *source, int64_t now_ns)
{
    char words[WORDS_BYTES];
    if (source->error && !source->counters) {
        snprintf(words, sizeof words, "no daemon: %s: %s; waiting for it", source->door,
                 strerror(-source->error));
        put_words(drawing, TOP_ALARM, words);
        return;
    }
    if (source->error) {
        double away_s = (double)(now_ns - source->answered_ns) / 1e9;
        snprintf(words, sizeof words, "gone: the daemon has not answered for %.0f s (%s: %s); "
                 "this is the last that was seen", away_s, source->door, strerror(-source->error));
        put_words(drawing, TOP_ALARM, words);
        return;
    }
    const char *verdict = status_word(source->counters, "verdict");
    enum top_tone tone = !strcmp(verdict, "ok")      ? TOP_PLAIN
                         : !strcmp(verdict, "alarm") ? TOP_ALARM
                                                     : TOP_NOTICE;
    snprintf(words, sizeof words, "%s: %s", verdict, status_word(source->counters, "words"));
    put_words(drawing, tone, words);
}

static void put_site(struct drawing *drawing, const struct top_source *source)
{
    char restarts[48] = "";
    if (!source->counters) {
        put_line(drawing, TOP_PLAIN, "");
        return;
    }
    if (source->restarts)
        snprintf(restarts, sizeof restarts, ", restarted %ux under top", source->restarts);
    put(drawing, source->restarts ? TOP_NOTICE : TOP_PLAIN, "site %s, mode %s, up %.0f s%s, epoch %lld",
        status_word(source->counters, "site"), status_word(source->counters, "mode"),
        status_number(source->counters, "uptime_s"), restarts,
        (long long)json_integer_value(json_object_get(source->counters, "epoch")));
}

static void put_tabs(struct drawing *drawing, uint32_t first, uint32_t shown, uint32_t count)
{
    const struct top_screen *screen = drawing->screen;
    char text[WORDS_BYTES] = "", part[48];
    for (int pane = 0; pane < TOP_PANE_COUNT; pane++) {
        snprintf(part, sizeof part, (int)screen->pane == pane ? "[%s] " : " %s  ", top_pane_names[pane]);
        strcat(text, part);
    }
    if (screen->pane == TOP_STAGES)
        put(drawing, TOP_HEADING, "%s", text);
    else
        put(drawing, TOP_HEADING, "%s  %s first, %u to %u of %u", text, top_order_names[screen->order],
            count ? first + 1 : 0, first + shown, count);
}

/* Status's own tables, cut to the screen. */
static void put_stages(struct drawing *drawing, const struct top_source *source, uint32_t bottom)
{
    const struct status_choice choice = {.columns = drawing->screen->columns};
    char *text = NULL;
    size_t bytes = 0;
    FILE *table = open_memstream(&text, &bytes);
    if (!table)
        return;
    status_print_stages(table, json_object_get(source->counters, "latency_us"),
                        json_object_get(source->counters, "queues"), choice.columns);
    status_print_counters(table, json_object_get(source->counters, "counters"), &choice);
    if (!fclose(table)) {
        /* the first line is empty: the tabs stand above */
        for (char *line = text + 1, *end; (end = strchr(line, '\n')) && drawing->used < bottom;
             line = end + 1) {
            *end = 0;
            put_line(drawing, TOP_PLAIN, line);
        }
    }
    free(text);
}

static void put_rows(struct drawing *drawing, struct top_screen *screen, const struct top_source *source,
                     int64_t now_ns, uint32_t bottom)
{
    uint32_t count = top_rows_count(source, screen->pane);
    /* tabs and heading stand above the rows */
    uint32_t room = bottom > drawing->used + 2 ? bottom - drawing->used - 2 : 0;
    uint32_t last_first = count > room ? count - room : 0;
    screen->first = screen->first < last_first ? screen->first : last_first;
    uint32_t shown = count - screen->first < room ? count - screen->first : room;
    struct top_row *row = calloc(count + 1, sizeof *row);
    char text[TOP_ROW_BYTES];
    put_tabs(drawing, screen->first, shown, count);
    top_rows_heading(text, source, screen);
    put_line(drawing, TOP_HEADING, text);
    if (!row)
        return;
    top_rows_sort(row, source, screen, now_ns);
    for (uint32_t i = 0; i < shown; i++) {
        enum top_tone tone = top_rows_format(text, source, screen, row[screen->first + i].index, now_ns);
        put_line(drawing, tone, text);
    }
    free(row);
}

void top_screen_draw(FILE *out, struct top_screen *screen, const struct top_source *source, int64_t now_ns)
{
    struct drawing drawing = {.out = out, .screen = screen};
    uint32_t bottom = screen->terminal && screen->lines ? screen->lines - 1 : screen->lines;
    fputs(screen->terminal ? "\033[H" : "", out);
    put_verdict(&drawing, source, now_ns);
    put_site(&drawing, source);
    /* rows of a daemon that is gone keep the ages they had */
    int64_t then_ns = source->error ? source->answered_ns : now_ns;
    if (screen->pane == TOP_STAGES) {
        put_tabs(&drawing, 0, 0, 0);
        if (source->counters)
            put_stages(&drawing, source, bottom);
    } else {
        put_rows(&drawing, screen, source, then_ns, bottom);
    }
    while (screen->terminal && drawing.used < bottom)
        put_line(&drawing, TOP_PLAIN, "");
    if (screen->terminal)
        put_line(&drawing, TOP_PLAIN, "q quit  n h m s pane  o order  arrows, space, b, g scroll");
}
