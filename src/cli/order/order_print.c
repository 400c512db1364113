/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/order/order_print.h"

#include <stdbool.h>
#include <string.h>

#include "site/read/quantity.h"
#include "site/site.h"

enum { WORD_BYTES = 48 };

static const char *text_of(const json_t *item, const char *key)
{
    const char *text = json_string_value(json_object_get(item, key));
    return text ? text : "-";
}

static double number_of(const json_t *item, const char *key)
{
    return json_number_value(json_object_get(item, key));
}

static const char *watts(const json_t *item, const char *key, const char *behind, char word[WORD_BYTES])
{
    char value[WORD_BYTES - 8];
    quantity_write(QUANTITY_POWER, (int64_t)(number_of(item, key) * 1000 + 0.5), value, sizeof value);
    snprintf(word, WORD_BYTES, "%s%s", value, behind);
    return word;
}

static const char *limit_of(const json_t *item, char word[WORD_BYTES])
{
    char up[WORD_BYTES], down[WORD_BYTES];
    if (!strcmp(text_of(item, "kind"), "cap"))
        return watts(item, "cap_w", "", word);
    snprintf(word, WORD_BYTES, "+%.20s -%.20s", watts(item, "up_w_per_s", "/s", up),
             watts(item, "down_w_per_s", "/s", down));
    return word;
}

static const char *state_of(const json_t *item)
{
    if (strcmp(text_of(item, "kind"), "cap"))
        return "in force";
    if (json_is_true(json_object_get(item, "breached")))
        return "BREACHED";
    return json_is_true(json_object_get(item, "due")) ? "in force" : "coming";
}

static const char *end_of(const json_t *item, char word[WORD_BYTES])
{
    const json_t *end = json_object_get(item, "ends_in_s");
    if (!json_is_number(end))
        return "lifted";
    snprintf(word, WORD_BYTES, "%.0f s", json_number_value(end));
    return word;
}

/* "feed-a + feed-b", or the first and how many more there are. */
static const char *nodes_of(const json_t *item, char word[WORD_BYTES])
{
    const json_t *nodes = json_object_get(item, "nodes");
    const char *first = json_string_value(json_array_get(nodes, 0));
    const char *second = json_string_value(json_array_get(nodes, 1));
    size_t count = json_array_size(nodes);
    if (count > 2)
        snprintf(word, WORD_BYTES, "%.20s + %u more", first ? first : "?", (unsigned)count - 1u);
    else
        snprintf(word, WORD_BYTES, "%.20s%s%.20s", first ? first : "-", second ? " + " : "",
                 second ? second : "");
    return word;
}

static const char *load_of(const json_t *item, char word[WORD_BYTES])
{
    if (strcmp(text_of(item, "kind"), "cap"))
        return "-";
    if (!json_is_true(json_object_get(item, "metered")))
        return "no meter";
    return json_is_number(json_object_get(item, "load_w")) ? watts(item, "load_w", "", word) : "-";
}

static const char *giver_of(const json_t *item)
{
    return strcmp(text_of(item, "from"), "site") ? text_of(item, "by") : "(site file)";
}

void order_print_contracts(FILE *out, const json_t *contracts)
{
    size_t i;
    const json_t *item;
    char limit[WORD_BYTES], end[WORD_BYTES], nodes[WORD_BYTES], load[WORD_BYTES];
    if (json_array_size(contracts))
        fprintf(out, "%-16s %-5s %-20s %-16s %-10s %-9s %8s  %-8s %6s  %s\n", "contract", "kind", "nodes",
                "limit", "load", "state", "breaches", "ends in", "order", "by");
    json_array_foreach(contracts, i, item)
        fprintf(out, "%-16s %-5s %-20s %-16s %-10s %-9s %8.0f  %-8s %6.0f  %s\n", text_of(item, "name"),
                text_of(item, "kind"), nodes_of(item, nodes), limit_of(item, limit), load_of(item, load),
                state_of(item), number_of(item, "breaches"), end_of(item, end), number_of(item, "number"),
                giver_of(item));
}

void order_print_maintenance(FILE *out, const json_t *item)
{
    bool safe = !strcmp(text_of(item, "state"), "safe");
    double nodes = number_of(item, "nodes_above"), hosts = number_of(item, "hosts_open");
    fprintf(out, "%s: %s", text_of(item, "node"),
            safe ? "SAFE TO TRANSFER" : "lowering, do not transfer yet");
    if (nodes > 0)
        fprintf(out, "; %.0f nodes above what they carry after the loss of %s, first %s", nodes,
                text_of(item, "loss"), text_of(item, "node_above"));
    if (hosts > 0)
        fprintf(out, "; %.0f hosts silent or at phys_max, first %s", hosts, text_of(item, "host_open"));
    fprintf(out, " (order %.0f by %s)\n", number_of(item, "number"), text_of(item, "by"));
}

static void print_others(FILE *out, const json_t *others)
{
    size_t i;
    const json_t *item;
    char word[WORD_BYTES];
    json_array_foreach(others, i, item)
        if (!strcmp(text_of(item, "kind"), "mode"))
            fprintf(out, "mode %s by order %.0f of %s\n", site_mode_names[(int)number_of(item, "mode") & 3],
                    number_of(item, "number"), text_of(item, "by"));
        else
            fprintf(out, "%s %s %s by order %.0f of %s\n", text_of(item, "kind"), text_of(item, "subject"),
                    watts(item, "value_w", "", word), number_of(item, "number"), text_of(item, "by"));
}

void order_print(FILE *out, const json_t *orders)
{
    size_t i;
    const json_t *item, *maintenance = json_object_get(orders, "maintenance");
    const json_t *contracts = json_object_get(orders, "contracts"),
                 *others = json_object_get(orders, "others");
    order_print_contracts(out, contracts);
    json_array_foreach(maintenance, i, item)
        order_print_maintenance(out, item);
    print_others(out, others);
    if (!json_array_size(contracts) && !json_array_size(maintenance) && !json_array_size(others))
        fputs("no order is in force\n", out);
}
