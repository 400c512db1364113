/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts that follow each other with all but number and address alike become one row with `count`. */
#include <string.h>

#include "cli/import/import.h"
#include "site/read/draft.h"

struct numbered {
    size_t stem;                /* bytes before "-01" */
    uint32_t digits, number;    /* digits 0: no number */
    uint32_t ipv4;
};

static struct numbered look(const struct import_table *t, uint32_t row, uint32_t id_key, uint32_t address_key)
{
    const char *id = import_value(t, row, id_key), *address = import_value(t, row, address_key);
    struct numbered n = {0};
    const char *dash = id ? strrchr(id, '-') : NULL;

    if (!dash || !address || address_parse_ipv4(address, &n.ipv4))
        return n;
    n.stem = (size_t)(dash - id);
    for (const char *c = dash + 1; *c >= '0' && *c <= '9' && n.digits < 6; c++, n.digits++)
        n.number = n.number * 10 + (uint32_t)(*c - '0');
    if (dash[1 + n.digits])
        n.digits = 0;
    return n;
}

static int same(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

/* Everything but id and address. */
static int rest_alike(const struct import_table *t, uint32_t a, uint32_t b)
{
    for (uint32_t k = 0; k < t->key_count; k++)
        if (strcmp(t->key[k].name, "id") && strcmp(t->key[k].name, "address") &&
            !same(import_value(t, a, k), import_value(t, b, k)))
            return 0;
    return same(t->comment[a], t->comment[b]);
}

/* As the reader of `count` numbers hosts: two digits, three from 100 hosts on. */
static uint32_t digits_of(uint32_t count)
{
    uint32_t digits = 2;

    for (uint32_t power = 100; count >= power; power *= 10)
        digits++;
    return digits;
}

uint32_t import_alike(const struct import_table *t, uint32_t row, char *stem)
{
    uint32_t id_key = import_key_index(t, "id"), address_key = import_key_index(t, "address"), count = 1;
    struct numbered first = look(t, row, id_key, address_key);
    const char *id = import_value(t, row, id_key);

    if (first.digits < 2 || first.number != 1 || import_value(t, row, import_key_index(t, "mac")) ||
        import_value(t, row, import_key_index(t, "count")))
        return 1;
    for (; row + count < t->rows; count++) {
        struct numbered next = look(t, row + count, id_key, address_key);

        if (next.digits != first.digits || next.number != 1 + count || next.ipv4 != first.ipv4 + count ||
            next.stem != first.stem || memcmp(id, import_value(t, row + count, id_key), next.stem) ||
            !rest_alike(t, row, row + count))
            break;
    }
    if (count < 2 || digits_of(count) != first.digits)
        return 1;
    snprintf(stem, NAME_BYTES, "%.*s", (int)first.stem, id);
    return count;
}
