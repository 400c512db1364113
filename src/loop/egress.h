/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases out: emergencies first, then the rest; encoded, framed, sent in bursts. What the port does not take
 * comes back to decide as an input slot. In any mode but enforce nothing leaves.
 */
#ifndef FLYBALL_LOOP_EGRESS_H
#define FLYBALL_LOOP_EGRESS_H

#include "auth/auth.h"
#include "loop/budget.h"
#include "loop/count.h"
#include "loop/latency.h"
#include "msg/egress.h"
#include "msg/slot.h"
#include "port/port.h"
#include "port/ip/ip.h"
#include "port/ip/udp.h"
#include "ring/spsc.h"
#include "site/site.h"
#include "time/timebase.h"

enum { EGRESS_FRAME_BYTES = 256, EMERGENCY_FIRST = 2 };

struct egress_counters {
    count_t sent;               /* taken by the port */
    count_t emergencies;        /* of these, from the emergency queue */
    count_t refused;            /* not taken: returned to decide */
    count_t unreachable;        /* no MAC known for the host: returned to decide */
    count_t withheld;           /* the mode says: send nothing */
    count_t keyless;            /* no key of the host is in force: returned to decide */
    count_t returns_most;       /* refused leases that waited for decide at once, at most */
};

/* A frame under way: what it came from, until the port has answered. */
struct egress_pending {
    uint32_t host;
    bool emergency;
    uint8_t waited;
    uint64_t sequence, slot_sequence;
    int64_t t_receive_ns;
};

struct egress_stage {
    /* constant after build */
    const struct timebase *base;
    const struct site_address *host_address;
    const struct model *model;              /* what leases tell of a host's type; NULL = nothing */
    const _Atomic uint64_t *host_mac;       /* what the lanes learned */
    struct port *port;
    uint32_t queue;
    struct endpoint local;
    struct ip_port *ip;                     /* of the port; NULL = the kernel finds the way */
    struct spsc *normal, *emergency;
    struct spsc *returns;                   /* slots back to decide */
    uint64_t epoch, session;
    struct auth_user *auth;                 /* NULL: leases carry no tags */
    const struct ring *ring;                /* where slots of late leases are looked for; NULL: nowhere */
    struct slot *const *hand;               /* decide's in hand, if decide is on this thread; else NULL */
    uint8_t lane;                           /* that returned slots carry */
    bool enforce;
    /* the sending thread's own */
    bool emergency_open;                    /* the first leases of the present emergency have left */
    uint64_t frame_sequence;                /* of the newest frame, ascending from realtime ns at start */
    int64_t sent_ns;                        /* when the newest burst had been taken */
    uint8_t (*data)[EGRESS_FRAME_BYTES];    /* BURST_MAX of them */
    struct port_frame frame[BURST_MAX];
    struct egress_pending pending[BURST_MAX];
    struct egress_counters counters;
    struct latency sent;                    /* receive -> taken by the port, every lease */
    struct latency sent_emergency;          /* the same, of emergencies */
    struct budget budget;
    struct gap *gap;                        /* of the thread; NULL: not measured */
};

/* rt, sending thread: one burst. Returns how many records left the queues; 0 = nothing waits. */
uint32_t egress_burst(struct egress_stage *stage);

#endif
