/* SPDX-License-Identifier: Apache-2.0 */
/* Shed actions, and by node which of them it has. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "site/build/build.h"

static void build_shed(const struct draft_shed *from, struct site_shed *out)
{
    snprintf(out->name, sizeof out->name, "%s", from->id.text);
    out->command = from->words;
    out->restore = from->restore_words;
    out->timeout_ns = from->timeout.number;
    out->tries = (uint32_t)from->tries.number;
    out->again_ns = from->again.number;
    out->restore_after_ns = from->restore_after.number;
}

int build_sheds(const struct draft *d, struct site *site)
{
    size_t actions = d->shed_count * sizeof *site->shed;
    char *at = calloc(1, actions + d->node_count * sizeof *site->shed_of + 1);

    if (!at)
        return -ENOMEM;
    site->shed = (struct site_shed *)at;
    site->shed_of = (uint32_t *)(at + actions);
    site->shed_count = d->shed_count;
    for (uint32_t i = 0; i < d->shed_count; i++)
        build_shed(&d->shed[i], &site->shed[i]);
    for (uint32_t i = 0; i < d->node_count; i++)
        site->shed_of[d->node[i].rank] = d->node[i].shed_of;
    return 0;
}
