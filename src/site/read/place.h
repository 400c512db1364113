/* SPDX-License-Identifier: Apache-2.0 */
/* Where in the text of a site file the `measured` block of a server's row stands or belongs, so that it
 * can be put there without touching any other byte. */
#ifndef FLYBALL_SITE_PLACE_H
#define FLYBALL_SITE_PLACE_H

#include "site/measured.h"

struct place {
    size_t from, to;            /* bytes of the text that give way; equal: nothing does */
    bool replaces;              /* an older block stands there */
    struct measured_style style;
    char lead[16];              /* before the block, and before its indentation: comma, line end */
    uint32_t indent;            /* blanks before the block */
};

/* setup: looks for the row of `servers:` with that name. 0; -ENOENT there is none; -EINVAL the text is no
 * site file, or the row is written in a way that this cannot extend; `why` then says so in words. */
int place_find(const char *text, size_t bytes, const char *row, struct place *place, char *why,
               size_t why_bytes);

/* setup: the text with the block in its place: malloc'ed, `made` bytes long, NULL when memory is short. */
char *place_fill(const char *text, size_t bytes, const struct place *place, const struct measured *measured,
                 size_t *made);

#endif
