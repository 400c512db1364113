/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/shed_desk.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "loop/document.h"
#include "loop/view_words.h"

int shed_desk_open(struct shed_desk *desk, const struct site *site, int64_t now_ns)
{
    bool named = false;
    for (uint32_t i = 0; site->shed_of && i < site->model.node_count; i++)
        named |= site->shed_of[i] != INDEX_NONE;
    *desk = (struct shed_desk){.site = site, .expected = named && site->model.mode == MODE_ENFORCE};
    atomic_init(&desk->heard_ns, now_ns);
    pthread_mutex_init(&desk->lock, NULL);
    if (!named)
        return 0;
    desk->row = calloc(site->model.node_count, sizeof *desk->row);
    return desk->row ? 0 : -ENOMEM;
}

void shed_desk_close(struct shed_desk *desk)
{
    free(desk->row);
    desk->row = NULL;
}

static bool take_number(const char *text, int64_t most, int64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoll(text, &end, 10);
    return end != text && !*end && !errno && *number >= 0 && *number <= most;
}

static bool take_state(const char *text, uint8_t *state)
{
    for (*state = SHED_NONE; *state < SHED_STATE_COUNT; ++*state)
        if (!strcmp(view_words_shed(*state), text))
            return true;
    return false;
}

static uint32_t node_of(const struct model *model, const char *name)
{
    for (uint32_t i = 0; i < model->node_count; i++)
        if (!strcmp(model->node[i].name, name))
            return i;
    return INDEX_NONE;
}

static bool take_pair(const struct shed_desk *desk, const char *key, const char *value, uint32_t *node,
                      struct shed_row *row)
{
    int64_t number;
    if (!strcmp(key, "node"))
        return (*node = node_of(&desk->site->model, value)) != INDEX_NONE;
    if (!strcmp(key, "state"))
        return take_state(value, &row->state);
    if (!strcmp(key, "wall_s"))
        return take_number(value, INT64_MAX, &row->wall_s);
    if (!strcmp(key, "tries") && take_number(value, UINT32_MAX, &number))
        return row->tries = (uint32_t)number, true;
    if (strcmp(key, "end") || strlen(value) >= sizeof row->end)
        return false;
    strcpy(row->end, value);
    return true;
}

/* One node's. False for a word that is not understood. */
static bool take_row(struct shed_desk *desk, char *rest)
{
    struct shed_row row = {0};
    uint32_t node = INDEX_NONE;
    char *word;
    while ((word = strsep(&rest, "\t"))) {
        char *value = strchr(word, '=');
        if (!value)
            return false;
        *value++ = 0;
        if (!take_pair(desk, word, value, &node, &row))
            return false;
    }
    if (node == INDEX_NONE || !desk->row)
        return false;
    pthread_mutex_lock(&desk->lock);
    desk->row[node] = row;
    pthread_mutex_unlock(&desk->lock);
    return true;
}

void shed_desk_answer(struct shed_desk *desk, char *request, uint64_t epoch, int64_t now_ns, FILE *out)
{
    char *rest = request;
    strsep(&rest, "\t");
    bool taken = rest && (!strcmp(rest, "beat") || take_row(desk, rest));
    if (taken)
        /* relaxed: a time by itself */
        atomic_store_explicit(&desk->heard_ns, now_ns, memory_order_relaxed);
    fprintf(out, "{\"epoch\": %llu, \"taken\": %s, \"text\": ", (unsigned long long)epoch,
            taken ? "true" : "false");
    document_text(out, taken ? "" : "the daemon's site file knows nothing of that");
    fputs("}\n", out);
}

struct shed_row shed_desk_read(struct shed_desk *desk, uint32_t node)
{
    struct shed_row row = {0};
    if (!desk->row)
        return row;
    pthread_mutex_lock(&desk->lock);
    row = desk->row[node];
    pthread_mutex_unlock(&desk->lock);
    return row;
}

bool shed_desk_is_deaf(struct shed_desk *desk, int64_t now_ns)
{
    return desk->expected &&
           now_ns - atomic_load_explicit(&desk->heard_ns, memory_order_relaxed) > SHED_DEAF_NS;
}
