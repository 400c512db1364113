/* SPDX-License-Identifier: Apache-2.0 */
/* flyball top: the running daemon on one screen, again and again. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/door_client.h"
#include "cli/status/status.h"
#include "cli/top/top_screen.h"
#include "cli/top/top_terminal.h"
#include "rt/clock.h"
#include "site/site.h"

enum { BATCH_COLUMNS = 100, BATCH_LINES = 40, LINES_LEAST = 5, COLUMNS_LEAST = 20, SIZE_MOST = 10000 };
#define INTERVAL_LEAST_S 0.1
#define INTERVAL_MOST_S 3600.0

struct arguments {
    const char *door;
    double interval_s;
    long frames;                /* 0 = live */
    struct top_screen screen;
};

/* ---- keys ---- */

static void scroll(struct top_screen *screen, int64_t rows)
{
    int64_t first = (int64_t)screen->first + rows;
    screen->first = first > 0 ? (uint32_t)first : 0;
}

/* False: leave. */
static bool obey(struct top_screen *screen, int key)
{
    static const struct { int key; enum top_pane pane; } panes[] = {
        {'n', TOP_NODES}, {'h', TOP_HOSTS}, {'m', TOP_METERS}, {'s', TOP_STAGES}};
    const int64_t page = screen->lines > LINES_LEAST + 1 ? screen->lines - LINES_LEAST - 1 : 1;
    for (size_t i = 0; i < sizeof panes / sizeof panes[0]; i++) {
        if (key != panes[i].key)
            continue;
        screen->pane = panes[i].pane;
        screen->first = 0;
    }
    if (key == 'o')
        screen->order = (screen->order + 1) % TOP_ORDER_COUNT;
    else if (key == TOP_KEY_DOWN || key == 'j')
        scroll(screen, 1);
    else if (key == TOP_KEY_UP || key == 'k')
        scroll(screen, -1);
    else if (key == TOP_KEY_PAGE_DOWN || key == ' ')
        scroll(screen, page);
    else if (key == TOP_KEY_PAGE_UP || key == 'b')
        scroll(screen, -page);
    else if (key == TOP_KEY_HOME || key == 'g')
        screen->first = 0;
    else if (key == TOP_KEY_END || key == 'G')
        screen->first = UINT32_MAX;
    return key != 'q' && key != TOP_KEY_GONE;
}

/* ---- live ---- */

static void draw(struct top_screen *screen, const struct top_source *source)
{
    top_terminal_size(&screen->columns, &screen->lines);
    top_screen_draw(stdout, screen, source, top_source_now_ns(source));
    fflush(stdout);
}

static int run_live(struct arguments *arguments, struct top_source *source)
{
    struct top_terminal terminal;
    int error = top_terminal_take(&terminal);
    if (error) {
        fprintf(stderr, "flyball top: the terminal cannot be taken: %s\n", strerror(-error));
        return CLI_CONNECT;
    }
    const int64_t interval_ns = (int64_t)(arguments->interval_s * 1e9);
    int64_t due_ns = clock_monotonic_ns();
    for (bool going = true; going;) {
        int64_t now_ns = clock_monotonic_ns();
        if (now_ns >= due_ns) {
            top_source_refresh(source);
            due_ns = now_ns + interval_ns;
        }
        draw(&arguments->screen, source);
        int64_t left_ms = (due_ns - clock_monotonic_ns()) / NS_PER_MS + 1;
        going = obey(&arguments->screen, top_terminal_key(&terminal, left_ms > 0 ? (int)left_ms : 0));
    }
    top_terminal_release(&terminal);
    /* ended by a signal: the caller sees that */
    if (terminal.ended_by)
        raise(terminal.ended_by);
    return CLI_OK;
}

/* ---- batch ---- */

static int run_batch(struct arguments *arguments, struct top_source *source)
{
    const int64_t interval_ns = (int64_t)(arguments->interval_s * 1e9);
    const struct timespec rest = {.tv_sec = interval_ns / NS_PER_S, .tv_nsec = interval_ns % NS_PER_S};
    for (long frame = 0; frame < arguments->frames; frame++) {
        if (frame) {
            nanosleep(&rest, NULL);
            putchar('\n');
        }
        top_source_refresh(source);
        if (source->error && !source->counters) {
            fprintf(stderr, "flyball top: %s: %s; is flyballd running?\n", source->door,
                    strerror(-source->error));
            return CLI_CONNECT;
        }
        top_screen_draw(stdout, &arguments->screen, source, top_source_now_ns(source));
        fflush(stdout);
    }
    if (source->error)
        return CLI_CONNECT;
    return strcmp(status_word(source->counters, "verdict"), "alarm") ? CLI_OK : CLI_ALARM;
}

static int show(struct arguments *arguments)
{
    struct top_source source;
    top_source_init(&source, arguments->door);
    int result = arguments->frames ? run_batch(arguments, &source) : run_live(arguments, &source);
    top_source_finish(&source);
    return result;
}

/* ---- arguments ---- */

/* The place of a word in a list, -1 where it is not there. */
static int find_word(const char *const *words, int count, const char *word)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(words[i], word))
            return i;
    fprintf(stderr, "flyball top: '%s' is none of", word);
    for (int i = 0; i < count; i++)
        fprintf(stderr, " %s", words[i]);
    fputc('\n', stderr);
    return -1;
}

/* COLUMNSxLINES */
static bool take_size(struct top_screen *screen, const char *text)
{
    char *end;
    unsigned long columns = strtoul(text, &end, 10);
    unsigned long lines = *end == 'x' ? strtoul(end + 1, &end, 10) : 0;
    bool good = !*end && columns >= COLUMNS_LEAST && columns <= SIZE_MOST && lines >= LINES_LEAST &&
                lines <= SIZE_MOST;
    screen->columns = (uint32_t)columns;
    screen->lines = (uint32_t)lines;
    if (!good)
        fprintf(stderr, "flyball top: --size wants COLUMNSxLINES, at least %dx%d\n", COLUMNS_LEAST,
                LINES_LEAST);
    return good;
}

static bool take_number(struct arguments *arguments, int option, const char *text)
{
    char *end;
    if (option == 'i') {
        arguments->interval_s = strtod(text, &end);
        bool good = end != text && !*end && arguments->interval_s >= INTERVAL_LEAST_S &&
                    arguments->interval_s <= INTERVAL_MOST_S;
        if (!good)
            fprintf(stderr, "flyball top: --interval wants seconds, 0.1 to 3600\n");
        return good;
    }
    arguments->frames = strtol(text, &end, 10);
    bool good = end != text && !*end && arguments->frames > 0;
    if (!good)
        fprintf(stderr, "flyball top: --batch wants a number of frames, 1 or more\n");
    return good;
}

static bool take_option(struct arguments *arguments, int option)
{
    struct top_screen *screen = &arguments->screen;
    if (option == 'd') {
        arguments->door = optarg;
    } else if (option == 'p') {
        int pane = find_word(top_pane_names, TOP_PANE_COUNT, optarg);
        screen->pane = pane < 0 ? TOP_NODES : (enum top_pane)pane;
        return pane >= 0;
    } else if (option == 'o') {
        int order = find_word(top_order_names, TOP_ORDER_COUNT, optarg);
        screen->order = order < 0 ? TOP_WORST : (enum top_order)order;
        return order >= 0;
    } else if (option == 'z') {
        return take_size(screen, optarg);
    } else {
        return (option == 'i' || option == 'b') && take_number(arguments, option, optarg);
    }
    return true;
}

static int run_top(int argc, char **argv)
{
    static const struct option options[] = {
        {"door", required_argument, NULL, 'd'},  {"interval", required_argument, NULL, 'i'},
        {"batch", required_argument, NULL, 'b'}, {"pane", required_argument, NULL, 'p'},
        {"order", required_argument, NULL, 'o'}, {"size", required_argument, NULL, 'z'},
        {NULL, 0, NULL, 0}};
    struct arguments arguments = {.interval_s = 1,
                                  .screen = {.columns = BATCH_COLUMNS, .lines = BATCH_LINES}};
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (!take_option(&arguments, option))
            return CLI_USAGE;
    if (argc - optind > 1 || (argc - optind == 1) == (arguments.door != NULL)) {
        fprintf(stderr, "flyball top: give either the site file or --door PATH\n");
        return CLI_USAGE;
    }
    if (!isatty(STDOUT_FILENO) && !arguments.frames)
        arguments.frames = 1;
    arguments.screen.terminal = !arguments.frames;
    arguments.screen.colour = arguments.screen.terminal && !getenv("NO_COLOR");
    char door[DOOR_CLIENT_PATH_BYTES];
    int result = door_client_find("top", argv[optind], arguments.door, door);
    arguments.door = door;
    return result ? result : show(&arguments);
}

const struct cli_verb cli_top = {
    .name = "top",
    .arguments = "SITE | --door PATH [--interval S] [--batch N] [--pane P] [--order O] [--size CxL]",
    .summary = "a running flyballd on one screen: nodes, hosts, meters or stages, worst first",
    .help =
        "SITE is the site file the daemon runs with: its row of servers: names the door. --door PATH "
        "asks that socket.\n"
        "--interval S     seconds between frames, default 1\n"
        "--batch N        N plain frames, then the exit code of status; 1 where the output is no terminal\n"
        "--pane P         nodes (default), hosts, meters, stages; keys n h m s\n"
        "--order O        worst (default), name, load first; key o goes round\n"
        "--size CxL       columns and lines of a plain frame, default 100x40\n"
        "Keys: q quit; arrows, j, k, space, b, g, G scroll. NO_COLOR is honoured: words say it all.\n",
    .run = run_top,
};
