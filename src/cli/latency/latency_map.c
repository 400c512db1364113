/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/latency/latency_map.h"

#include <math.h>
#include <string.h>

#include "record/histogram.h"

static const char shades[] = " .:-=+*#%@";
enum { SHADES = sizeof shades - 1 };

void map_begin(struct map *map, uint64_t begin_ns, uint64_t column_ns)
{
    *map = (struct map){.begin_ns = begin_ns, .column_ns = column_ns ? column_ns : 1};
}

static void fold(struct map *map)
{
    for (uint32_t i = 0; i < MAP_COLUMNS; i++) {
        uint64_t left[MAP_OCTAVES] = {0};
        for (uint32_t octave = 0; 2 * i < MAP_COLUMNS && octave < MAP_OCTAVES; octave++)
            left[octave] = map->count[2 * i][octave] + map->count[2 * i + 1][octave];
        memcpy(map->count[i], left, sizeof left);
    }
    map->columns = (map->columns + 1) / 2;
    map->column_ns *= 2;
}

static uint32_t octave_of(uint32_t bucket)
{
    uint64_t floor_ns = histogram_bucket_floor(bucket);
    uint32_t octave = floor_ns ? 64 - (uint32_t)__builtin_clzll(floor_ns) : 0;
    return octave < MAP_OCTAVES ? octave : MAP_OCTAVES - 1;
}

void map_add(struct map *map, const struct latency_row *before, const struct latency_row *row,
             uint64_t now_ns)
{
    uint64_t since_ns = now_ns > map->begin_ns ? now_ns - map->begin_ns : 0;
    while (since_ns / map->column_ns >= MAP_COLUMNS)
        fold(map);
    uint32_t column = (uint32_t)(since_ns / map->column_ns);
    if (column >= map->columns)
        map->columns = column + 1;
    for (uint32_t bucket = 0; bucket < LATENCY_BUCKETS; bucket++)
        map->count[column][octave_of(bucket)] += row->bucket[bucket] - before->bucket[bucket];
}

static char shade(uint64_t count, uint64_t most)
{
    if (!count)
        return shades[0];
    double part = most > 1 ? log((double)count) / log((double)most) : 1;
    return shades[1 + (int)(part * (SHADES - 2) + 0.5)];
}

static void print_edge(uint32_t octave, FILE *out)
{
    double edge_ns = octave ? ldexp(1, (int)octave - 1) : 0;
    if (edge_ns >= 1e9)
        fprintf(out, "%8.2f s ", edge_ns / 1e9);
    else if (edge_ns >= 1e6)
        fprintf(out, "%7.2f ms ", edge_ns / 1e6);
    else
        fprintf(out, "%7.2f us ", edge_ns / 1e3);
}

static void bounds(const struct map *map, uint32_t *least, uint32_t *most, uint64_t *count)
{
    *least = MAP_OCTAVES;
    *most = 0;
    *count = 0;
    for (uint32_t column = 0; column < map->columns; column++) {
        for (uint32_t octave = 0; octave < MAP_OCTAVES; octave++) {
            uint64_t here = map->count[column][octave];
            if (!here)
                continue;
            *least = octave < *least ? octave : *least;
            *most = octave > *most ? octave : *most;
            *count = here > *count ? here : *count;
        }
    }
}

void map_print(const struct map *map, FILE *out)
{
    uint32_t least, most;
    uint64_t count;
    bounds(map, &least, &most, &count);
    for (uint32_t octave = most + 1; count && octave-- > least;) {
        char line[MAP_COLUMNS + 1] = "";
        for (uint32_t column = 0; column < map->columns; column++)
            line[column] = shade(map->count[column][octave], count);
        print_edge(octave, out);
        fprintf(out, "|%s|\n", line);
    }
    if (count)
        fprintf(out,
                "           %u columns of %.3g s; each shade counts on a logarithmic scale up to "
                "'@' = %llu\n",
                map->columns, (double)map->column_ns / 1e9, (unsigned long long)count);
}
