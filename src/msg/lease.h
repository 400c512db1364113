/* SPDX-License-Identifier: Apache-2.0 */
/* The two halves of the lease protocol (safety.md section 3) as plain structs. */
#ifndef FLYBALL_MSG_LEASE_H
#define FLYBALL_MSG_LEASE_H

#include "msg/limits.h"

/* Controller to host. Answers a report: the host counts `duration_ns` from the moment it sent report
 * `echo`. */
struct lease {
    uint32_t host;              /* index into model.host; on the wire the frame's sender id */
    uint32_t flags;             /* enum lease_flag */
    uint64_t incarnation;       /* of the host's agent */
    uint64_t epoch;             /* of the controller */
    uint64_t sequence;          /* per host and epoch, ascending from 1 */
    uint64_t echo;              /* number of the report it answers */
    int64_t cap_mw;             /* sum over the host's cap-governed devices */
    int64_t floor_mw;
    int64_t duration_ns;        /* D */
    uint64_t session;           /* of the controller: random, another at every start; 0 = none */
    /* with the floor, of the whole host: how fast its draw may rise and fall, and how long it waits before it
     * falls, where devices can keep that; 0 = as they have it */
    int64_t ramp_up_mw_per_s, ramp_down_mw_per_s, hysteresis_ns;
};

enum lease_flag {
    LEASE_CLAIM = 1,            /* announces an epoch, cap <= fail-safe (wire: Claim) */
    LEASE_EMERGENCY = 2,
    LEASE_SHADOW = 4,           /* decided in a mode that sends nothing: never on the wire */
    /* the host that asked to leave may put its own limits back: it counts at phys_max by now */
    LEASE_LET_GO = 8,
};

enum host_state {
    HOST_BOOT = 0,              /* fail-safe caps written, not yet read back */
    /* fail-safe caps read back: after boot, or after the lease in `applied` ran out */
    HOST_FAIL_SAFE = 1,
    HOST_LEASED = 2,            /* the lease in `applied` is enforced */
};

enum report_flag {
    REPORT_DEVICE_LOST = 1,     /* a cap-governed device is gone, or cannot be read */
    REPORT_FOREIGN_LIMIT = 2,   /* read-back below what was asked: somebody else's limit */
    REPORT_PSU_KNOWN = 4,       /* psu_inputs is evidence */
    REPORT_AT_CAP = 8,          /* the draw is held down by the cap now */
    REPORT_LEAVING = 16,        /* its agent is to stop, and asks to put the host's own limits back */
};

/* Host to controller, every D/6 at the latest. */
struct report {
    uint32_t host;
    uint32_t flags;             /* enum report_flag */
    uint64_t incarnation;
    uint64_t epoch;             /* highest accepted */
    uint64_t number;            /* of this report, ascending in an incarnation */
    uint64_t applied;           /* sequence of the newest lease applied, 0 = none */
    int64_t held_ns;            /* since the reported state took hold (last write read back), host's clock */
    int64_t cap_mw;             /* largest of read-back limit and every write queued or in flight */
    int64_t readback_mw;
    int64_t fail_safe_mw;
    int64_t phys_max_mw;
    int64_t draw_mw;            /* at the wall, now */
    uint16_t psu_inputs;        /* bit i: PSU i has input power */
    uint8_t state;              /* enum host_state */
    uint8_t reserved[5];
    /* of the newest lease accepted: what was recorded before shows an older one */
    uint64_t session;
};

#endif
