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
    HOST_DEVICES_MAX = 16,       /* of one host, that a cap governs */
    CORDS_MAX = 4,          /* cords of one host */
    PARENTS_MAX = 4,        /* feeds a node may hang on (transfer switches) */
    ANCESTORS_MAX = 12,     /* a node and everything above it, over all its parents */
    CONTINGENCIES_MAX = 8,  /* "none" included */
    PHASES = 3,
    LANES_MAX = 4,
    NAME_BYTES = 32,        /* ids in the site file, NUL included */
    INTERFACE_BYTES = 256,  /* an interface, a PCI address, or two paths of captures */

    CACHE_LINE = 64,
    SLOT_BYTES = 256,
    EGRESS_BYTES = 64,
    WEIGHT_MAX = 100,       /* of one host in arbitration */
    TIERS_MAX = 4,          /* strict priorities */
    GANGS_MAX = 1024,       /* synchronous jobs declared at one time */
    DAMPER_CHANGES_MAX = 15, /* changes of direction that may be allowed in the damper's window */
    CONTRACTS_MAX = 32,     /* contract limits in force at one time */
    CONTRACT_GROUPS_MAX = 8, /* sets of nodes that contracts bound together, at one time */
    ORDER_NODES_MAX = 31,   /* nodes that one contract may bound together; roots of a site it may bound */
    UNRETIRED_MAX = 16,     /* leases of one host that no report has retired yet */
    ECHOES_MAX = 64,        /* reports a host remembers having sent */
    ALERTS_MAX = 64,
    WATCHES_MAX = 16384,    /* alerts by the meters that each looks at */
    TICK_ITEMS_MAX = 256,   /* nodes or hosts one part of a tick visits */

    DATAGRAM_MAX = 1472,    /* UDP payload at MTU 1500 */
    HARMONICS_MAX = 64,
    BURST_MAX = 32,
    SAMPLES_MAX = 128,      /* of one channel in one block */
    SAMPLES_CHANNELS_MAX = 8,
    PHASORS_PMUS_MAX = 8,   /* in one stream of synchrophasors */
    PHASORS_MAX = 32,       /* of one PMU, and so on */
    PHASORS_ANALOGS_MAX = 32,
    PHASORS_DIGITALS_MAX = 16,

    /* ARP and echo of one port (src/port/ip), behind decide and egress in every turn */
    IP_ASIDE_FRAMES = 32,   /* set aside until their turn; echo requests may take half of the places */
    IP_TURN_FRAMES = 4,     /* of these, worked in one turn */
    IP_TURN_REQUESTS = 4,   /* sent in one turn */
    IP_TURN_LOOKS = 8,      /* neighbours looked at for a request that is due */
    IP_ARP_PER_S = 2000,    /* answered: a hall of hosts that asks all at once is through in 5 s */
    IP_ARP_BURST = 256,
    IP_ECHO_PER_S = 100,    /* answered */
    IP_ECHO_BURST = 20,
    IP_ASK_PER_S = 1000,    /* asked: broadcasts */
    IP_ASK_BURST = 32,
    IP_REFRESHES = 3,       /* unanswered, until a neighbour's MAC is forgotten */
    IP_ANNOUNCEMENTS = 2,   /* ANNOUNCE_NUM of RFC 5227 */
};

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)
#define PPM       INT64_C(1000000)

/* Of ARP */
#define IP_ASK_FIRST_NS        NS_PER_S             /* unanswered: asked again, the wait doubling */
#define IP_ASK_LAST_NS         (60 * NS_PER_S)      /* up to this */
#define IP_REFRESH_NS          (30 * NS_PER_S)      /* a known neighbour is asked again */
#define IP_NEIGHBOUR_IDLE_NS   (60 * NS_PER_S)      /* nobody sends there: no longer asked for */
#define IP_ANNOUNCE_EVERY_NS   (2 * NS_PER_S)       /* ANNOUNCE_INTERVAL of RFC 5227 */
#define IP_DEFEND_EVERY_NS     (10 * NS_PER_S)      /* DEFEND_INTERVAL of RFC 5227 */
#define IP_CONFLICT_SHOWN_NS   (60 * NS_PER_S)      /* an alarm for that long after the newest claim */
#define LINK_LOOK_NS           (100 * NS_PER_MS)    /* between two looks at a link */

static_assert(NODES_MAX <= UINT16_MAX, "an order names its further nodes by 16 bits");
static_assert(SLOT_BYTES % 64 == 0, "a slot is whole cache lines");
static_assert(EGRESS_BYTES == 64, "an egress record is one cache line");

#endif
