/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/names.h"

#include <string.h>

enum { PLACES_PER_METER = 4, PLACES_LEAST = 16 };

/* FNV-1a, 32 bit. */
static uint32_t hash(const char *name, uint32_t bytes)
{
    uint32_t value = UINT32_C(2166136261);
    for (uint32_t i = 0; i < bytes; i++)
        value = (value ^ (uint8_t)name[i]) * UINT32_C(16777619);
    return value ^ value >> 15;
}

static uint32_t places(const struct model *model)
{
    uint32_t count = PLACES_LEAST;
    while (count < PLACES_PER_METER * model->meter_count)
        count *= 2;
    return count;
}

size_t meter_names_bytes(const struct model *model)
{
    return places(model) * sizeof(uint32_t);
}

void meter_names_init(struct meter_names *names, void *memory, const struct model *model)
{
    *names = (struct meter_names){.model = model, .place = memory, .mask = places(model) - 1};
    memset(memory, 0, meter_names_bytes(model));
    for (uint32_t i = 0; i < model->meter_count; i++) {
        const char *name = model->meter[i].name;
        uint32_t at = hash(name, (uint32_t)strnlen(name, NAME_BYTES)) & names->mask;
        while (names->place[at])
            at = (at + 1) & names->mask;
        names->place[at] = i + 1;
    }
}

uint32_t meter_names_find(const struct meter_names *names, const char *name, uint32_t bytes)
{
    if (!bytes || bytes >= NAME_BYTES)
        return INDEX_NONE;
    for (uint32_t at = hash(name, bytes) & names->mask; names->place[at]; at = (at + 1) & names->mask) {
        uint32_t meter = names->place[at] - 1;
        const char *known = names->model->meter[meter].name;
        if (!memcmp(known, name, bytes) && !known[bytes])
            return meter;
    }
    return INDEX_NONE;
}
