/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each declared loss takes away: nodes, hosts short of supplies, meters, controllers, switches, clocks,
 * and the way from a host to a controller. For people and findings: the sums of the ledger never get smaller
 * by it, for a host that is short of supplies may limp on and draw through what is left.
 */
#ifndef FLYBALL_SITE_OUTAGE_H
#define FLYBALL_SITE_OUTAGE_H

#include "site/site.h"

/* Bit c of a mask: gone after contingency c. */
struct outage {
    uint8_t *node, *host, *meter, *gear;
    uint8_t *host_cut;          /* has power, and no way to a controller though one is written down */
    uint8_t no_controller;      /* controllers are written down and none is left */
    uint8_t no_clock;
    bool controllers, clocks;   /* any written down? */
    void *memory;
};

_Static_assert(CONTINGENCIES_MAX <= 8, "a bit for each contingency");

/* any: is there still a way from node to a source when `lost` (a model index, INDEX_NONE =
 * nothing) is gone? */
bool outage_alive(const struct model *model, uint32_t node, uint32_t lost);

/* any: the supplies of a host that have power after contingency c, and those it needs. */
uint32_t outage_psus_left(const struct site *site, uint32_t host, uint32_t c);
uint32_t outage_psus_needed(const struct site *site, uint32_t host);

/* any: the nearest node below the sources whose loss takes every cord of the host; INDEX_NONE = none. A node
 * above a declared loss does not count: two feeds of one switchboard are two as far as the file promises. */
uint32_t outage_common_node(const struct site *site, uint32_t host);

/* setup: works all of it out. 0 or -ENOMEM; outage_close frees. */
int outage_open(struct outage *outage, const struct site *site);
void outage_close(struct outage *outage);

/* Why lending the reserve of a node would be refused in a contingency (safety.md section 5, I5). */
enum outage_lend { LEND_FINE, LEND_NO_METER, LEND_NO_CONTROLLER };

/* any: nodes without a limit, without a meter or dead themselves have nothing to lend: LEND_FINE. */
enum outage_lend outage_lend(const struct site *site, const struct outage *outage, uint32_t node, uint32_t c);

#endif
