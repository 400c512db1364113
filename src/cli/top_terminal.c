/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/top_terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { COLUMNS_OTHERWISE = 80, LINES_OTHERWISE = 24 };

static const int watched[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT};

static void watched_set(sigset_t *set)
{
    sigemptyset(set);
    for (size_t i = 0; i < sizeof watched / sizeof watched[0]; i++)
        sigaddset(set, watched[i]);
}

static void enter(struct top_terminal *terminal)
{
    struct termios raw = terminal->before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    if (terminal->keys)
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    fputs("\033[?1049h\033[?25l\033[2J", stdout);
    fflush(stdout);
}

static void leave(struct top_terminal *terminal)
{
    fputs("\033[?25h\033[?1049l", stdout);
    fflush(stdout);
    if (terminal->keys)
        tcsetattr(STDIN_FILENO, TCSANOW, &terminal->before);
}

int top_terminal_take(struct top_terminal *terminal)
{
    sigset_t set;
    *terminal = (struct top_terminal){.signals = -1};
    terminal->keys = !tcgetattr(STDIN_FILENO, &terminal->before);
    watched_set(&set);
    if (sigprocmask(SIG_BLOCK, &set, NULL))
        return -errno;
    terminal->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (terminal->signals < 0)
        return -errno;
    enter(terminal);
    return 0;
}

void top_terminal_release(struct top_terminal *terminal)
{
    sigset_t set;
    leave(terminal);
    close(terminal->signals);
    watched_set(&set);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* SIGSTOP, for SIGTSTP is blocked. Here the process stands until it is told to go on. */
static int suspend(struct top_terminal *terminal)
{
    leave(terminal);
    raise(SIGSTOP);
    enter(terminal);
    return TOP_KEY_RESIZED;
}

static int take_signal(struct top_terminal *terminal)
{
    struct signalfd_siginfo signal;
    if (read(terminal->signals, &signal, sizeof signal) != sizeof signal)
        return TOP_KEY_NONE;
    if (signal.ssi_signo == SIGTSTP)
        return suspend(terminal);
    if (signal.ssi_signo == SIGWINCH || signal.ssi_signo == SIGCONT)
        return TOP_KEY_RESIZED;
    terminal->ended_by = (int)signal.ssi_signo;
    return TOP_KEY_GONE;
}

/* What cursor keys send (ECMA-48, xterm): ESC [ A, or ESC O A; ESC [ 5 ~. */
static int escape_key(const char *text, ssize_t length)
{
    static const struct { const char *text; int key; } keys[] = {
        {"[A", TOP_KEY_UP},      {"[B", TOP_KEY_DOWN},       {"OA", TOP_KEY_UP},  {"OB", TOP_KEY_DOWN},
        {"[5~", TOP_KEY_PAGE_UP}, {"[6~", TOP_KEY_PAGE_DOWN}, {"[H", TOP_KEY_HOME}, {"[F", TOP_KEY_END},
        {"OH", TOP_KEY_HOME},    {"OF", TOP_KEY_END}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if ((size_t)length == strlen(keys[i].text) && !memcmp(text, keys[i].text, (size_t)length))
            return keys[i].key;
    return TOP_KEY_NONE;
}

static int take_key(void)
{
    char text[8];
    ssize_t got = read(STDIN_FILENO, text, 1);
    if (got <= 0)
        return TOP_KEY_GONE;
    if (text[0] != '\033')
        return (unsigned char)text[0];
    got = read(STDIN_FILENO, text, sizeof text);
    return got > 0 ? escape_key(text, got) : TOP_KEY_NONE;
}

int top_terminal_key(struct top_terminal *terminal, int timeout_ms)
{
    struct pollfd waiting[] = {{.fd = terminal->signals, .events = POLLIN},
                               {.fd = terminal->keys ? STDIN_FILENO : -1, .events = POLLIN}};
    if (poll(waiting, 2, timeout_ms) <= 0)
        return TOP_KEY_NONE;
    if (waiting[0].revents)
        return take_signal(terminal);
    return take_key();
}

void top_terminal_size(uint32_t *columns, uint32_t *lines)
{
    struct winsize size;
    bool known = !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col && size.ws_row;
    *columns = known ? size.ws_col : COLUMNS_OTHERWISE;
    *lines = known ? size.ws_row : LINES_OTHERWISE;
}
