/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a host has the cap it has, why a node has the limit it has, and what would raise either: one JSON
 * object made of the view and the site, nothing else. Sentences in it are for people, figures beside them for
 * programs. A sum may be a turn older than another: the loop goes on meanwhile.
 */
#ifndef FLYBALL_LOOP_WHY_H
#define FLYBALL_LOOP_WHY_H

#include <stdbool.h>
#include <stdio.h>

#include "loop/orders.h"
#include "loop/shed_desk.h"
#include "loop/untrue.h"
#include "loop/view.h"
#include "site/site.h"

struct why {
    const struct site *site;    /* `note` may be NULL: then nothing is said of what makes a steady limit */
    const struct view *view;
    struct orders *orders;      /* NULL: contracts have no names */
    const struct untrue *untrue;    /* by host; NULL: nothing is known of tags */
    struct shed_desk *shed;     /* NULL: nothing is known of shed actions */
    int64_t now_ns;             /* monotonic, of the daemon */
    FILE *out;
};

/* cold: a host of that name, else a node. False, and an object with "error", where there is neither. */
bool why_write(const struct why *why, const char *name);

#endif
