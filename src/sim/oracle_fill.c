/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Progressive filling: all hosts rise together in proportion to their weights; who has enough or meets a full
 * node stops. Hosts are sorted by the level at which they have enough, and every bound knows the level at
 * which it is full: that moves only when one of its hosts stops.
 */
#include "sim/oracle_parts.h"

#include <math.h>
#include <stdlib.h>

static int by_level(const void *left, const void *right)
{
    const struct oracle_rise *a = left, *b = right;
    if (a->level_w != b->level_w)
        return a->level_w < b->level_w ? -1 : 1;
    return a->host < b->host ? -1 : a->host > b->host;
}

static void spend(struct oracle_fill *fill, uint32_t h, double watts)
{
    const struct oracle_host *host = &fill->host[h];
    for (uint32_t i = 0; i < host->use_count; i++) {
        const struct oracle_use *use = &fill->use[host->use_first + i];
        fill->left_va[use->bound] -= use->va_per_w * watts;
    }
}

static bool all_fits(struct oracle_fill *fill, const double *demand_w, double *granted_w)
{
    bool fits = true;
    for (uint32_t b = 0; b < fill->bound_count; b++)
        fill->left_va[b] = fill->room_va[b];
    for (uint32_t h = 0; h < fill->host_count; h++) {
        granted_w[h] = demand_w[h];
        spend(fill, h, demand_w[h]);
    }
    for (uint32_t b = 0; b < fill->bound_count; b++)
        fits = fits && fill->left_va[b] >= 0;
    return fits;
}

/* The hosts of this bound pull less by so much; what they pulled up to this level is gone. */
static void tilt(struct oracle_fill *fill, uint32_t bound, double level_w, double slope)
{
    fill->left_va[bound] -= fill->slope[bound] * (level_w - fill->from_w[bound]);
    fill->from_w[bound] = level_w;
    fill->slope[bound] += slope;
    double left_va = fmax(fill->left_va[bound], 0);
    fill->full_w[bound] = fill->slope[bound] > 1e-12 ? level_w + left_va / fill->slope[bound] : INFINITY;
}

static void tilt_all(struct oracle_fill *fill, uint32_t h, double level_w, double sign)
{
    const struct oracle_host *host = &fill->host[h];
    for (uint32_t i = 0; i < host->use_count; i++) {
        const struct oracle_use *use = &fill->use[host->use_first + i];
        tilt(fill, use->bound, level_w, sign * use->va_per_w * host->weight);
    }
}

/* Everyone at what no cap governs; who wants more starts to rise. Returns how many. */
static uint32_t start_rising(struct oracle_fill *fill, const double *demand_w, double *granted_w)
{
    uint32_t count = 0;
    for (uint32_t b = 0; b < fill->bound_count; b++) {
        fill->left_va[b] = fill->room_va[b];
        fill->slope[b] = fill->from_w[b] = 0;
        fill->full_w[b] = INFINITY;
    }
    for (uint32_t h = 0; h < fill->host_count; h++) {
        const struct oracle_host *host = &fill->host[h];
        granted_w[h] = fmin(demand_w[h], host->base_w);
        spend(fill, h, granted_w[h]);
        fill->rising[h] = demand_w[h] > granted_w[h];
        if (fill->rising[h])
            fill->rise[count++] =
                (struct oracle_rise){.level_w = (demand_w[h] - granted_w[h]) / host->weight, .host = h};
    }
    for (uint32_t i = 0; i < count; i++)
        tilt_all(fill, fill->rise[i].host, 0, 1.0);
    qsort(fill->rise, count, sizeof(*fill->rise), by_level);
    return count;
}

static void stop(struct oracle_fill *fill, uint32_t h, double level_w, double *granted_w)
{
    fill->rising[h] = false;
    granted_w[h] += level_w * fill->host[h].weight;
    tilt_all(fill, h, level_w, -1.0);
}

static uint32_t find_fullest(const struct oracle_fill *fill)
{
    uint32_t fullest = 0;
    for (uint32_t b = 1; b < fill->bound_count; b++) {
        if (fill->full_w[b] < fill->full_w[fullest])
            fullest = b;
    }
    return fullest;
}

/* What is left in every bound at the end, whoever stopped when. */
static void settle(struct oracle_fill *fill, double level_w)
{
    for (uint32_t b = 0; b < fill->bound_count; b++)
        tilt(fill, b, level_w, 0);
}

void oracle_fill(struct oracle_fill *fill, const double *demand_w, double *granted_w)
{
    if (all_fits(fill, demand_w, granted_w))
        return;
    uint32_t count = start_rising(fill, demand_w, granted_w), next = 0;
    double level_w = 0;
    while (true) {
        while (next < count && !fill->rising[fill->rise[next].host])
            next++;
        if (next == count)
            break;
        uint32_t bound = find_fullest(fill);
        if (fill->rise[next].level_w <= fill->full_w[bound]) {
            level_w = fill->rise[next].level_w;
            stop(fill, fill->rise[next].host, level_w, granted_w);
            continue;
        }
        level_w = fill->full_w[bound];
        for (uint32_t i = fill->user_first[bound]; i < fill->user_first[bound + 1]; i++) {
            if (fill->rising[fill->user[i]])
                stop(fill, fill->user[i], level_w, granted_w);
        }
        fill->full_w[bound] = INFINITY;
    }
    settle(fill, level_w);
}
