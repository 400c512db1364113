/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shed action of the site file: what is done at a node where fail-safe did not end an emergency (safety.md
 * section 8, third stage). A command of the site's own, run by `flyball shed`, never by the daemon: words as
 * they are handed to the program, no shell. Nodes name an action; policy: names that of all others.
 */
#ifndef FLYBALL_SITE_SHED_H
#define FLYBALL_SITE_SHED_H

#include "msg/limits.h"

enum { SITE_SHEDS_MAX = 64, SITE_COMMAND_WORDS = 16, SITE_COMMAND_BYTES = 1024 };

struct site_command {
    uint32_t count;                     /* words; 0: there is no command */
    char text[SITE_COMMAND_BYTES];      /* one behind the other, each with its NUL; the first is a path */
};

struct site_shed {
    char name[NAME_BYTES];              /* each different */
    struct site_command command, restore;
    int64_t timeout_ns;                 /* of one try, then it is ended */
    uint32_t tries;
    int64_t again_ns;                   /* from a try that failed to the next; doubles */
    /* an emergency must have been over for so long before it is restored; 0: an operator does that */
    int64_t restore_after_ns;
};

#endif
