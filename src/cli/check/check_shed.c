/* SPDX-License-Identifier: Apache-2.0 */
/* What is done where fail-safe does not end an emergency, and where. */
#include <string.h>

#include "cli/check/check.h"

static void print_command(const struct site_command *command)
{
    const char *word = command->text;

    for (uint32_t i = 0; i < command->count; i++, word += strlen(word) + 1)
        printf(strpbrk(word, " \t") || !*word ? " \"%s\"" : " %s", word);
}

static void print_nodes(const struct check *check, uint32_t action)
{
    enum { SHOWN = 6 };
    const struct model *m = &check->site.model;
    uint32_t count = 0;

    for (uint32_t n = 0; n < m->node_count; n++) {
        if (check->site.shed_of[n] != action || !m->node[n].limited || m->node[n].meter == INDEX_NONE)
            continue;
        if (count < SHOWN || check->options.all)
            printf("%s%s", count ? ", " : " at ", m->node[n].name);
        count++;
    }
    if (!count)
        fputs(" at no node where an emergency is seen", stdout);
    else if (count > SHOWN && !check->options.all)
        printf(", ... (%u nodes)", count);
}

void check_shed_text(const struct check *check)
{
    for (uint32_t i = 0; i < check->site.shed_count; i++) {
        const struct site_shed *s = &check->site.shed[i];

        printf("%sshed action %s", i ? "" : "\n", s->name);
        print_nodes(check, i);
        printf(":\n ");
        print_command(&s->command);
        printf(" (%u tr%s of %.1f s, then after %.1f s)\n", s->tries, s->tries == 1 ? "y" : "ies",
               (double)s->timeout_ns / 1e9, (double)s->again_ns / 1e9);
        if (!s->restore.count) {
            puts("  restored by an operator");
            continue;
        }
        printf("  restored by");
        print_command(&s->restore);
        if (s->restore_after_ns)
            printf(", by itself after %.0f s\n", (double)s->restore_after_ns / 1e9);
        else
            puts(", when an operator says so");
    }
    if (check->site.shed_count)
        puts("taken by `flyball shed`, which must run beside the daemon");
}

static json_t *command_json(const struct site_command *command)
{
    const char *word = command->text;
    json_t *all = json_array();

    for (uint32_t i = 0; i < command->count; i++, word += strlen(word) + 1)
        json_array_append_new(all, json_string(word));
    return all;
}

json_t *check_shed_json(const struct check *check)
{
    json_t *all = json_array();

    for (uint32_t i = 0; i < check->site.shed_count; i++) {
        const struct site_shed *s = &check->site.shed[i];
        json_t *nodes = json_array();

        for (uint32_t n = 0; n < check->site.model.node_count; n++)
            if (check->site.shed_of[n] == i)
                json_array_append_new(nodes, json_string(check->site.model.node[n].name));
        json_array_append_new(
            all, json_pack("{s:s, s:o, s:o, s:I, s:i, s:I, s:I, s:o}", "id", s->name, "command",
                           command_json(&s->command), "restore", command_json(&s->restore), "timeout_ms",
                           (json_int_t)(s->timeout_ns / NS_PER_MS), "tries", (int)s->tries, "again_ms",
                           (json_int_t)(s->again_ns / NS_PER_MS), "restore_after_s",
                           (json_int_t)(s->restore_after_ns / NS_PER_S), "nodes", nodes));
    }
    return all;
}
