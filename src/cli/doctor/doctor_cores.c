/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of cores, as the kernel writes them. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/doctor_file.h"

bool doctor_cores_has(const struct doctor_cores *cores, int core)
{
    return core >= 0 && core < DOCTOR_CORES && cores->bits[core / 64] >> (core % 64) & 1;
}

void doctor_cores_add(struct doctor_cores *cores, int core)
{
    if (core >= 0 && core < DOCTOR_CORES)
        cores->bits[core / 64] |= UINT64_C(1) << (core % 64);
}

int doctor_cores_next(const struct doctor_cores *cores, int core)
{
    while (core < DOCTOR_CORES && !doctor_cores_has(cores, core))
        core++;
    return core < DOCTOR_CORES ? core : -1;
}

bool doctor_cores_empty(const struct doctor_cores *cores)
{
    return doctor_cores_next(cores, 0) < 0;
}

struct doctor_cores doctor_cores_less(const struct doctor_cores *a, const struct doctor_cores *b)
{
    struct doctor_cores rest;
    for (size_t i = 0; i < DOCTOR_CORES / 64; i++)
        rest.bits[i] = a->bits[i] & ~b->bits[i];
    return rest;
}

/* One "3" or "3-5". Returns where it ends, NULL where it is none. */
static const char *parse_span(const char *text, struct doctor_cores *cores)
{
    char *end;
    long first = strtol(text, &end, 10), last = first;
    if (*end == '-')
        last = strtol(end + 1, &end, 10);
    if (first < 0 || last < first || last >= DOCTOR_CORES)
        return NULL;
    for (long core = first; core <= last; core++)
        doctor_cores_add(cores, (int)core);
    return end;
}

int doctor_cores_parse(const char *text, struct doctor_cores *cores)
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

const char *doctor_cores_text(const struct doctor_cores *cores, char text[DOCTOR_SAID_BYTES])
{
    int length = 0, core = doctor_cores_next(cores, 0);
    strcpy(text, "none");
    while (core >= 0 && length < DOCTOR_SAID_BYTES - 16) {
        int last = core;
        while (doctor_cores_has(cores, last + 1))
            last++;
        length += sprintf(text + length, "%s%d", length ? "," : "", core);
        if (last > core)
            length += sprintf(text + length, "-%d", last);
        core = doctor_cores_next(cores, last + 1);
    }
    return text;
}
