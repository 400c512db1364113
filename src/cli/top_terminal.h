/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal of flyball top: alternate screen and single keys while it is taken, as it was before after. */
#ifndef FLYBALL_CLI_TOP_TERMINAL_H
#define FLYBALL_CLI_TOP_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

enum top_key {
    TOP_KEY_NONE = 0x100,       /* below: the character itself */
    TOP_KEY_UP,
    TOP_KEY_DOWN,
    TOP_KEY_PAGE_UP,
    TOP_KEY_PAGE_DOWN,
    TOP_KEY_HOME,
    TOP_KEY_END,
    TOP_KEY_RESIZED,
    TOP_KEY_GONE,               /* the terminal is gone, or a signal says to end */
};

struct top_terminal {
    struct termios before;
    bool keys;                  /* standard input is a terminal */
    int signals;                /* signalfd */
    int ended_by;               /* the signal behind TOP_KEY_GONE, 0 = end of input */
};

/* 0 or -errno. From here on signals that would end the process come as TOP_KEY_GONE. */
int top_terminal_take(struct top_terminal *terminal);

/* Puts everything back. */
void top_terminal_release(struct top_terminal *terminal);

/* Waits at most timeout_ms for a key. Ctrl-Z stops the process with the terminal put back, and is
 * TOP_KEY_RESIZED when it goes on. */
int top_terminal_key(struct top_terminal *terminal, int timeout_ms);

/* 80 x 24 where the terminal does not say. */
void top_terminal_size(uint32_t *columns, uint32_t *lines);

#endif
