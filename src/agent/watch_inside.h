/* SPDX-License-Identifier: Apache-2.0 */
/* What only the files watch*.c share. */
#ifndef FLYBALL_AGENT_WATCH_INSIDE_H
#define FLYBALL_AGENT_WATCH_INSIDE_H

#include "agent/watch.h"

/* any: watch_is_armed of the word as it stands now. */
bool watch_word_is_armed(const struct word *word);

/* The thread of a device; its argument is a struct watch_device. */
extern void *(*const watch_thread)(void *);

#endif
