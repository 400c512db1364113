/* SPDX-License-Identifier: Apache-2.0 */
/* The plant in real time: one millisecond a step, frames on real sockets, leases from whoever governs. */
#ifndef FLYBALL_SIM_LIVE_H
#define FLYBALL_SIM_LIVE_H

#include <stddef.h>
#include <stdio.h>

#include "sim/plant.h"
#include "site/site.h"

struct live_config {
    const char *meters_netns, *hosts_netns;     /* NULL: where we are */
    int64_t duration_ns;
    double loss;                                /* share of datagrams dropped here, both ways */
    const char *keys;                           /* key file, where the site asks for tags; NULL: none */
    FILE *events;                               /* a line for every event as it happens, NULL: none */
};

/* setup: runs to the outcome, which the caller finishes. 0, or -errno and the reason in `why`. SIGTERM and
 * SIGINT end the run early and in order. */
int live_run(const struct site *site, const struct workload *workload, const struct live_config *config,
             struct outcome *outcome, char *why, size_t why_bytes);

#endif
