/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/door_orders.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loop/document.h"

static bool say(char *error, size_t bytes, const char *what, const char *value)
{
    snprintf(error, bytes, "%s: %.100s", what, value);
    return false;
}

static bool parse_number(const char *text, int64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return end != text && !*end && !errno;
}

static bool parse_mode(const char *text, uint32_t *mode)
{
    static const char *const modes[] = {"off", "shadow", "advise", "enforce"};
    for (*mode = 0; *mode < 4; ++*mode)
        if (!strcmp(text, modes[*mode]))
            return true;
    return false;
}

static bool parse_name(const char *text, char *name, size_t bytes)
{
    if (!text[0] || strlen(text) >= bytes)
        return false;
    strcpy(name, text);
    return true;
}

static bool parse_pair(const char *key, const char *value, struct order_entry *entry)
{
    struct slot_order *order = &entry->order;
    struct { const char *key; int64_t *number; } numbers[] = {
        {"value_mw", &order->value_mw}, {"down_mw_per_s", &order->down_mw_per_s},
        {"within_ns", &order->within_ns}, {"for_ns", &order->for_ns}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (!strcmp(key, numbers[i].key))
            return parse_number(value, numbers[i].number);
    if (!strcmp(key, "node") || !strcmp(key, "host"))
        return parse_name(value, entry->subject, sizeof entry->subject);
    if (!strcmp(key, "name"))
        return parse_name(value, entry->contract, sizeof entry->contract);
    return !strcmp(key, "mode") && parse_mode(value, &order->mode);
}

static uint32_t kind_of(const char *name)
{
    for (uint32_t kind = ORDER_NOTHING + 1; kind < ORDER_KIND_COUNT; kind++)
        if (!strcmp(orders_kind_name(kind), name))
            return kind;
    return ORDER_NOTHING;
}

/* A contract that is given no name goes by that of its nodes. */
static bool complete(struct order_entry *entry, char *error, size_t error_bytes)
{
    uint32_t kind = entry->order.kind;
    if ((kind == ORDER_CAP || kind == ORDER_RAMP) && !entry->contract[0]) {
        bool several = strchr(entry->subject, ',') != NULL;
        if (strlen(entry->subject) >= NAME_BYTES && !several)
            return say(error, error_bytes, "node", entry->subject);
        if (strlen(entry->subject) >= NAME_BYTES)
            return say(error, error_bytes, "a contract over so many nodes needs a name of its own",
                       entry->subject);
        strcpy(entry->contract, entry->subject);
    }
    if (kind == ORDER_LIFT && !entry->contract[0])
        return say(error, error_bytes, "lift", "which contract?");
    return true;
}

bool door_orders_parse(char *request, struct order_entry *entry, char *error, size_t error_bytes)
{
    char *rest = request, *word = strsep(&rest, "\t");
    memset(entry, 0, sizeof *entry);
    if (strcmp(word, "order") || !rest)
        return say(error, error_bytes, "not an order", word);
    word = strsep(&rest, "\t");
    entry->order.kind = kind_of(word);
    if (entry->order.kind == ORDER_NOTHING)
        return say(error, error_bytes, "no such order", word);
    while ((word = strsep(&rest, "\t"))) {
        char *value = strchr(word, '=');
        if (!value)
            return say(error, error_bytes, "not key=value", word);
        *value++ = 0;
        if (!parse_pair(word, value, entry))
            return say(error, error_bytes, word, value);
    }
    return complete(entry, error, error_bytes);
}

void door_orders_answer(struct orders *orders, char *request, uint32_t uid, FILE *out)
{
    struct order_entry entry;
    struct orders_answer answer = {.error = -EINVAL};
    if (door_orders_parse(request, &entry, answer.text, sizeof answer.text)) {
        entry.uid = uid;
        answer = orders_give(orders, &entry);
    }
    fprintf(out, "{\"number\": %llu, \"verdict\": \"%s\", \"text\": ", (unsigned long long)answer.number,
            answer.decided ? orders_refusal_name(answer.verdict)
            : answer.error == -ETIMEDOUT ? "open" : "invalid");
    document_text(out, answer.text);
    fputs("}\n", out);
}
