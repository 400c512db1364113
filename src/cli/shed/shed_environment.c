/* SPDX-License-Identifier: Apache-2.0 */
/* What a command of a shed action finds in its environment. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/shed/shed_run.h"

extern char **environ;

enum {
    OWN_MAX = 16,
    NAMES_BYTES = 96 << 10,     /* of one string that the kernel hands over it takes 128 KiB */
};

struct environment {
    char **string;
    size_t count;
    bool full;
};

static void add(struct environment *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct environment *e, const char *format, ...)
{
    va_list arguments;
    char *string = NULL;
    va_start(arguments, format);
    if (vasprintf(&string, format, arguments) < 0)
        string = NULL;
    va_end(arguments);
    e->full |= !string;
    if (string)
        e->string[e->count++] = string;
}

/* From the source down, by the first parents: "utility/main/rack-3". */
static void add_path(struct environment *e, const struct model *model, uint32_t node)
{
    uint32_t chain[ANCESTORS_MAX], depth = 0;
    char text[ANCESTORS_MAX * (NAME_BYTES + 1)];
    size_t used = 0;
    for (uint32_t at = node; depth < ANCESTORS_MAX; at = model->node[at].parent[0]) {
        chain[depth++] = at;
        if (!model->node[at].parent_count)
            break;
    }
    text[0] = 0;
    while (depth-- > 0 && used < sizeof text)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", model->node[chain[depth]].name,
                                 depth ? "/" : "");
    add(e, "FLYBALL_PATH=%s", text);
}

static bool hangs_below(const struct model *model, uint32_t host, uint32_t node)
{
    for (uint32_t j = 0; j < model->host[host].cord_count; j++) {
        const struct model_node *on = &model->node[model->host[host].cord[j].node];
        for (uint32_t a = 0; a < on->ancestor_count; a++)
            if (on->ancestor[a] == node)
                return true;
    }
    return false;
}

/* Hosts with a cord at or below the node. So many that they do not fit are counted only. */
static void add_hosts(struct environment *e, const struct model *model, uint32_t node)
{
    char *text = calloc(1, NAMES_BYTES);
    size_t used = 0;
    uint32_t count = 0;
    if (!text) {
        e->full = true;
        return;
    }
    for (uint32_t host = 0; host < model->host_count; host++) {
        if (!hangs_below(model, host, node))
            continue;
        if (used < NAMES_BYTES)
            used += (size_t)snprintf(text + used, NAMES_BYTES - used, "%s%s", count ? " " : "",
                                     model->host[host].name);
        count++;
    }
    add(e, "FLYBALL_HOST_COUNT=%u", count);
    if (used < NAMES_BYTES)
        add(e, "FLYBALL_HOSTS=%s", text);
    free(text);
}

static void add_own(struct environment *e, const struct shed_told *told)
{
    const struct model *model = &told->site->model;
    time_t since = (time_t)told->since_wall_s;
    char text[32];
    struct tm utc;
    add(e, "FLYBALL_SITE=%s", model->name);
    add(e, "FLYBALL_NODE=%s", model->node[told->node].name);
    add(e, "FLYBALL_ACTION=%s", told->action->name);
    add(e, "FLYBALL_DO=%s", told->restore ? "restore" : "shed");
    add(e, "FLYBALL_TRY=%u", told->tries);
    if (told->measured_a >= 0)
        add(e, "FLYBALL_MEASURED_A=%.1f", told->measured_a);
    if (told->limit_a >= 0)
        add(e, "FLYBALL_LIMIT_A=%.1f", told->limit_a);
    if (since && gmtime_r(&since, &utc) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc))
        add(e, "FLYBALL_SINCE=%s", text);
    if (told->rehearsal)
        add(e, "FLYBALL_REHEARSAL=yes");
    add_path(e, model, told->node);
    add_hosts(e, model, told->node);
}

char **shed_environment(const struct shed_told *told)
{
    struct environment e = {0};
    size_t given = 0;
    while (environ[given])
        given++;
    e.string = calloc(given + OWN_MAX + 1, sizeof *e.string);
    if (!e.string)
        return NULL;
    for (size_t i = 0; i < given; i++)
        if (strncmp(environ[i], "FLYBALL_", 8))
            add(&e, "%s", environ[i]);
    add_own(&e, told);
    if (!e.full)
        return e.string;
    shed_environment_free(e.string);
    return NULL;
}

void shed_environment_free(char **environment)
{
    for (size_t i = 0; environment && environment[i]; i++)
        free(environment[i]);
    free(environment);
}
