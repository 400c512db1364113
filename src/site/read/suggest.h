/* SPDX-License-Identifier: Apache-2.0 */
/* "did you mean": the word nearest to a mistyped one. */
#ifndef FLYBALL_SITE_SUGGEST_H
#define FLYBALL_SITE_SUGGEST_H

#include <stdint.h>

struct suggest {
    const char *wrong;
    const char *best;           /* NULL: nothing near */
    uint32_t distance;
};

/* any: near is a word that differs in two letters at most, of a short one in one, of a very short one in
 * none; upper and lower case do not count. */
void suggest_start(struct suggest *s, const char *wrong);
void suggest_offer(struct suggest *s, const char *word);

#endif
