/* SPDX-License-Identifier: Apache-2.0 */
/* Every bound of the system, written once. Arrays are sized by these at start; nothing grows later. */
#ifndef FLYBALL_MSG_LIMITS_H
#define FLYBALL_MSG_LIMITS_H

#include <assert.h>
#include <stdint.h>

enum {
    HOSTS_MAX = 10240,
    HOST_TYPES_MAX = 64,
    NODES_MAX = 4096,
    METERS_MAX = 2048,
    CORDS_MAX = 4,          /* cords of one host */
    PARENTS_MAX = 4,        /* feeds a node may hang on (transfer switches) */
    ANCESTORS_MAX = 12,     /* a node and everything above it, over all its parents */
    CONTINGENCIES_MAX = 8,  /* "none" included */
    PHASES = 3,
    LANES_MAX = 4,
    NAME_BYTES = 32,        /* ids in the site file, NUL included */
    INTERFACE_BYTES = 256,  /* an interface, a PCI address, or two paths of captures */

    SLOT_BYTES = 256,
    EGRESS_BYTES = 64,
    WEIGHT_MAX = 100,       /* of one host in arbitration */
    UNRETIRED_MAX = 16,     /* leases of one host that no report has retired yet */
    ECHOES_MAX = 64,        /* reports a host remembers having sent */
    TICK_ITEMS_MAX = 64,    /* nodes or hosts one part of a tick visits */

    DATAGRAM_MAX = 1472,    /* UDP payload at MTU 1500 */
    HARMONICS_MAX = 64,
    BURST_MAX = 32,
};

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)
#define PPM       INT64_C(1000000)

static_assert(SLOT_BYTES % 64 == 0, "a slot is whole cache lines");
static_assert(EGRESS_BYTES == 64, "an egress record is one cache line");

#endif
