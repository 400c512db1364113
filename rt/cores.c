/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/cores.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool rt_cores_has(const struct rt_cores *cores, int core)
{
    return core >= 0 && core < RT_CORES && cores->bits[core / 64] >> (core % 64) & 1;
}

void rt_cores_add(struct rt_cores *cores, int core)
{
    if (core >= 0 && core < RT_CORES)
        cores->bits[core / 64] |= UINT64_C(1) << (core % 64);
}

int rt_cores_next(const struct rt_cores *cores, int core)
{
    while (core < RT_CORES && !rt_cores_has(cores, core))
        core++;
    return core < RT_CORES ? core : -1;
}

bool rt_cores_empty(const struct rt_cores *cores)
{
    return rt_cores_next(cores, 0) < 0;
}

struct rt_cores rt_cores_less(const struct rt_cores *a, const struct rt_cores *b)
{
    struct rt_cores rest;
    for (size_t i = 0; i < RT_CORES / 64; i++)
        rest.bits[i] = a->bits[i] & ~b->bits[i];
    return rest;
}

bool rt_cores_meet(const struct rt_cores *a, const struct rt_cores *b)
{
    uint64_t both = 0;
    for (size_t i = 0; i < RT_CORES / 64; i++)
        both |= a->bits[i] & b->bits[i];
    return both != 0;
}

/* One "3" or "3-5". Returns where it ends, NULL where it is none. */
static const char *parse_span(const char *text, struct rt_cores *cores)
{
    char *end;
    long first = strtol(text, &end, 10), last = first;
    if (*end == '-')
        last = strtol(end + 1, &end, 10);
    if (first < 0 || last < first || last >= RT_CORES)
        return NULL;
    for (long core = first; core <= last; core++)
        rt_cores_add(cores, (int)core);
    return end;
}

int rt_cores_parse(const char *text, struct rt_cores *cores)
{
    memset(cores, 0, sizeof *cores);
    while (*text) {
        size_t word = strcspn(text, ",");
        if (isdigit((unsigned char)*text)) {
            const char *end = parse_span(text, cores);
            if (!end || end != text + word)
                return -EINVAL;
        } else if (word == 0) {
            return -EINVAL;
        }
        text += word + (text[word] == ',');
    }
    return 0;
}

const char *rt_cores_text(const struct rt_cores *cores, char text[RT_CORES_BYTES])
{
    int length = 0, core = rt_cores_next(cores, 0);
    strcpy(text, "none");
    while (core >= 0) {
        int last = core;
        while (rt_cores_has(cores, last + 1))
            last++;
        length += sprintf(text + length, "%s%d", length ? "," : "", core);
        if (last > core)
            length += sprintf(text + length, "-%d", last);
        core = rt_cores_next(cores, last + 1);
    }
    return text;
}
