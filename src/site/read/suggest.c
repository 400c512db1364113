/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>

#include "site/read/suggest.h"

enum { WORD_MAX = 40 };

static uint32_t least(uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t ab = a < b ? a : b;

    return ab < c ? ab : c;
}

static int same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Edit distance with swaps of neighbours (optimal string alignment), three rows at a time. */
static uint32_t distance(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b);
    uint32_t row[3][WORD_MAX + 1];

    if (na > WORD_MAX || nb > WORD_MAX)
        return UINT32_MAX;
    for (uint32_t j = 0; j <= nb; j++)
        row[0][j] = j;
    for (uint32_t i = 1; i <= na; i++) {
        uint32_t *now = row[i % 3], *before = row[(i + 2) % 3], *older = row[(i + 1) % 3];

        now[0] = i;
        for (uint32_t j = 1; j <= nb; j++) {
            now[j] = least(before[j] + 1, now[j - 1] + 1, before[j - 1] + !same(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
                now[j] = least(now[j], older[j - 2] + 1, UINT32_MAX);
        }
    }
    return row[na % 3][nb];
}

void suggest_start(struct suggest *s, const char *wrong)
{
    size_t letters = strlen(wrong);

    *s = (struct suggest){.wrong = wrong, .distance = letters < 3 ? 1 : letters < 5 ? 2 : 3};
}

void suggest_offer(struct suggest *s, const char *word)
{
    uint32_t d = distance(s->wrong, word);

    if (d >= s->distance)
        return;
    s->distance = d;
    s->best = word;
}
