/* SPDX-License-Identifier: Apache-2.0 */
/* Where flyball top gets its figures: names once, the sealed view by itself, verdict and counters each
 * time. */
#ifndef FLYBALL_CLI_TOP_SOURCE_H
#define FLYBALL_CLI_TOP_SOURCE_H

#include <jansson.h>

#include "loop/view_share.h"

struct top_source {
    const char *door;
    bool attached;              /* model, view and counters are of one start of the daemon */
    int error;                  /* why the daemon does not answer, -errno; 0 = it does */
    uint64_t epoch;             /* of the newest start that was taken up */
    uint32_t restarts;          /* starts of the daemon seen after the first */
    struct model model;         /* only what "names" tells */
    struct view_header header;
    struct view_share share;
    struct view view;
    json_t *counters;           /* the newest answer to "counters", NULL = none yet */
    int64_t answered_ns;        /* daemon's monotonic time of that */
    int64_t behind_ns;          /* our monotonic clock less the daemon's: not 0 in another time namespace */
};

void top_source_init(struct top_source *source, const char *door);
void top_source_finish(struct top_source *source);

/* Asks the door; takes up a daemon that was started anew. source->error says how it went; while the daemon is
 * away everything else stays as it was. */
void top_source_refresh(struct top_source *source);

/* Now, by the daemon's clock. */
int64_t top_source_now_ns(const struct top_source *source);

/* Takes the answer to "names" into a model. 0, or -EPROTO and nothing changed. top_source_finish frees it. */
int top_source_take_names(struct model *model, const json_t *names);
void top_source_drop_names(struct model *model);

#endif
