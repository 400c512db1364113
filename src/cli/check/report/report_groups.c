/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/check/report/report_groups.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check/markup.h"

enum { RUN_LEAST = 4 };         /* fewer names are written out */

/* FNV-1a */
static uint32_t hash_of(const char *text)
{
    uint32_t hash = 2166136261u;

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash;
}

static int add_item(struct report_group *group, uint32_t item)
{
    if (group->count == group->room) {
        uint32_t room = group->room ? 2 * group->room : 8;
        uint32_t *more = realloc(group->item, room * sizeof *more);

        if (!more)
            return -ENOMEM;
        group->item = more;
        group->room = room;
    }
    group->item[group->count++] = item;
    return 0;
}

/* Takes `text`, which is freed where the group has it already. */
static int add_text(struct report_groups *groups, char *text, uint32_t item)
{
    uint32_t hash = hash_of(text);

    for (uint32_t i = 0; i < groups->count; i++)
        if (groups->group[i].hash == hash && !strcmp(groups->group[i].text, text)) {
            free(text);
            return add_item(&groups->group[i], item);
        }
    if (groups->count == groups->room) {
        uint32_t room = groups->room ? 2 * groups->room : 16;
        struct report_group *more = realloc(groups->group, room * sizeof *more);

        if (!more) {
            free(text);
            return -ENOMEM;
        }
        groups->group = more;
        groups->room = room;
    }
    groups->group[groups->count] = (struct report_group){.text = text, .hash = hash};
    return add_item(&groups->group[groups->count++], item);
}

static int take(struct report_groups *groups, const struct study *study, uint32_t item, report_put *put)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    if (!out)
        return -ENOMEM;
    put(out, study, item);
    if (fclose(out)) {
        free(text);
        return -ENOMEM;
    }
    if (bytes)
        return add_text(groups, text, item);
    free(text);
    return 0;
}

int report_groups_open(struct report_groups *groups, const struct study *study, uint32_t count,
                       report_put *put)
{
    int rc = 0;

    *groups = (struct report_groups){0};
    for (uint32_t i = 0; i < count && !rc; i++)
        rc = take(groups, study, i, put);
    if (rc)
        report_groups_close(groups);
    return rc;
}

void report_groups_close(struct report_groups *groups)
{
    for (uint32_t i = 0; i < groups->count; i++) {
        free(groups->group[i].text);
        free(groups->group[i].item);
    }
    free(groups->group);
    *groups = (struct report_groups){0};
}

/* Does b follow a by one in the only number that they differ in? `at` is where that number begins. */
static bool follows(const char *a, const char *b, size_t *at)
{
    size_t n = strlen(a), first = 0, last = n;

    if (strlen(b) != n || !strcmp(a, b))
        return false;
    while (a[first] == b[first])
        first++;
    while (last && a[last - 1] == b[last - 1])
        last--;
    while (first && isdigit((unsigned char)a[first - 1]))
        first--;
    *at = first;
    for (size_t i = first; i < last; i++)
        if (!isdigit((unsigned char)a[i]) || !isdigit((unsigned char)b[i]))
            return false;
    return last - first < 9 && strtoul(a + first, NULL, 10) + 1 == strtoul(b + first, NULL, 10);
}

void report_names(FILE *out, const char *(*name)(const struct study *study, uint32_t item),
                  const struct study *study, const uint32_t *item, uint32_t count)
{
    for (uint32_t i = 0, run; i < count; i += run) {
        size_t at = 0, other = 0;

        for (run = 1; i + run < count; run++)
            if (!follows(name(study, item[i + run - 1]), name(study, item[i + run]), &other) ||
                (run > 1 && other != at))
                break;
            else
                at = other;
        run = run < RUN_LEAST ? 1 : run;
        fputs(i ? ", " : "", out);
        markup_escape(out, name(study, item[i]));
        fputs(run > 1 ? " to " : "", out);
        if (run > 1)
            markup_escape(out, name(study, item[i + run - 1]));
    }
}

const char *report_node_name(const struct study *study, uint32_t node)
{
    return study->site->model.node[node].name;
}

int report_table(FILE *out, const struct study *study, const char *head, report_put *put, const char *none)
{
    struct report_groups groups;
    int rc = report_groups_open(&groups, study, study->site->model.node_count, put);

    if (rc)
        return rc;
    if (groups.count)
        fprintf(out, "<table><thead><tr>%s</tr></thead><tbody>\n", head);
    else
        fprintf(out, "<p>%s</p>\n", none);
    for (uint32_t i = 0; i < groups.count; i++) {
        const struct report_group *g = &groups.group[i];

        fputs("<tr><th>", out);
        report_names(out, report_node_name, study, g->item, g->count);
        if (g->count > 1)
            fprintf(out, " <small>(%u)</small>", g->count);
        fprintf(out, "</th>%s</tr>\n", g->text);
    }
    if (groups.count)
        fputs("</tbody></table>\n", out);
    report_groups_close(&groups);
    return 0;
}
