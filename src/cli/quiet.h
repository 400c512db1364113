/* SPDX-License-Identifier: Apache-2.0 */
/* What flyballd has of its host while it runs, by the server's row, and gives back at the end. */
#ifndef FLYBALL_CLI_QUIET_H
#define FLYBALL_CLI_QUIET_H

#include <stdio.h>

#include "rt/interrupts.h"
#include "rt/throttle.h"

struct site_server;

struct quiet {
    struct rt_throttle throttle;
    struct rt_interrupts interrupts;
    int awake;                  /* descriptor of who keeps cores awake; -1: nobody */
};

/* setup, first of all (forks): nothing large is mapped and no other thread is there yet. What is refused
 * is told in `notes`, and done without. */
void quiet_begin(struct quiet *quiet, const struct site_server *server, FILE *notes);

/* setup: gives all back and waits until that stands. */
void quiet_end(struct quiet *quiet, FILE *notes);

#endif
