/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/safety/place.h"

#include <stdio.h>
#include <string.h>

#ifndef BENCH_SOURCE
#define BENCH_SOURCE "."
#endif

static const char *const name[PLACES] = {"hall-1mw", "plain-20", "dual-20", "ups-20",
                                          "sources-20"};

const char *place_name(uint32_t index)
{
    return name[index];
}

void place_options(uint32_t index, char *text, size_t bytes)
{
    snprintf(text, bytes, "bench/safety/%s.yaml --workload bench/safety/%s.workload.yaml", name[index],
             name[index]);
}

int place_open(struct place *place, uint32_t index)
{
    char path[4096];
    memset(place, 0, sizeof *place);
    place->name = name[index];
    snprintf(path, sizeof path, "%s/bench/safety/%s.yaml", BENCH_SOURCE, name[index]);
    int result = site_load(&place->site, path, "", stderr);
    if (result)
        return result;
    snprintf(path, sizeof path, "%s/bench/safety/%s.workload.yaml", BENCH_SOURCE, name[index]);
    result = workload_load(&place->workload, path, &place->site.model, stderr);
    place->workload.breakers.device = place->site.device;
    place->workload.breakers.equipment = place->site.equipment;
    return result;
}

void place_close(struct place *place)
{
    workload_unload(&place->workload);
    site_unload(&place->site);
}
