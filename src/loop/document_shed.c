/* SPDX-License-Identifier: Apache-2.0 */
/* What status tells of shed actions: of a node, and of all together for the verdict. */
#include "loop/document.h"
#include "loop/view_words.h"

void document_shed(struct loop *loop, FILE *out, uint32_t node)
{
    const struct site *site = loop->site;
    const struct shed_row row = shed_desk_read(&loop->shed, node);
    uint32_t action = site->shed_of ? site->shed_of[node] : INDEX_NONE;
    fputs(", \"shed_action\": ", out);
    if (action != INDEX_NONE)
        document_text(out, site->shed[action].name);
    else
        fputs("null", out);
    fprintf(out, ", \"shed_state\": \"%s\", \"shed_tries\": %u, \"shed_end\": ", view_words_shed(row.state),
            row.tries);
    document_text(out, row.end);
    if (row.wall_s)
        fprintf(out, ", \"shed_at_s\": %lld", (long long)row.wall_s);
    else
        fputs(", \"shed_at_s\": null", out);
}

static void first(uint32_t *found, uint32_t node)
{
    *found = *found == INDEX_NONE ? node : *found;
}

void document_look_at_sheds(struct loop *loop, struct verdict_surroundings *around)
{
    around->node_shed_failed = around->node_shed = INDEX_NONE;
    for (uint32_t i = 0; loop->shed.row && i < loop->site->model.node_count; i++) {
        const struct shed_row row = shed_desk_read(&loop->shed, i);
        if (row.state == SHED_FAILED || row.state == SHED_NOT_RESTORED) {
            around->sheds_failed++;
            first(&around->node_shed_failed, i);
        } else if (row.state != SHED_NONE && row.state != SHED_OVER && row.state != SHED_RESTORED) {
            around->sheds++;
            first(&around->node_shed, i);
        }
    }
}
