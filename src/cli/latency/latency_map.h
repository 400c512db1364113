/* SPDX-License-Identifier: Apache-2.0 */
/* A heat map as text: time to the right, latency upwards, one column for each equal part of the run. Pure. */
#ifndef FLYBALL_CLI_LATENCY_MAP_H
#define FLYBALL_CLI_LATENCY_MAP_H

#include <stdint.h>
#include <stdio.h>

#include "bpf/latency.h"

enum { MAP_COLUMNS = 60, MAP_OCTAVES = 40 };

struct map {
    uint64_t begin_ns, column_ns;
    uint32_t columns;                   /* up to the newest */
    uint64_t count[MAP_COLUMNS][MAP_OCTAVES];   /* by bit length of the latency in ns */
};

void map_begin(struct map *map, uint64_t begin_ns, uint64_t column_ns);

/* any: what `row` has more than `before`, at now_ns. Where the map is full, columns are put together in twos,
 * and each stands for twice the time from then on. */
void map_add(struct map *map, const struct latency_row *before, const struct latency_row *row,
             uint64_t now_ns);

/* any: nothing where nothing was counted. */
void map_print(const struct map *map, FILE *out);

#endif
