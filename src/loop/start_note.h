/* SPDX-License-Identifier: Apache-2.0 */
/* What a start could not have and does without, in words. */
#ifndef FLYBALL_LOOP_START_NOTE_H
#define FLYBALL_LOOP_START_NOTE_H

#include <stdio.h>

#include "loop/loop.h"

/* setup: nothing where `error` is none. */
void start_note(FILE *notes, const char *who, const char *what, int error);

/* setup: what ports have to say of themselves. */
void start_note_ports(const struct loop *loop, FILE *notes);

/* setup: where the kernel has less for a hot thread, which is ready, than it asks. */
void start_note_hot(const struct hot *hot, FILE *notes);

#endif
