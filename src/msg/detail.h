/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people want to know of a host and no decision needs: once a second, in a frame of its own beside the
 * reports, from the same sender and within the same sequence of frames. It changes no decision.
 *
 * Narrow members: 16 devices and 4 jobs must fit one datagram, and a device one record of the view. Whoever
 * fills it in saturates; 4.29 MW and 71 minutes is more than any device has.
 */
#ifndef FLYBALL_MSG_DETAIL_H
#define FLYBALL_MSG_DETAIL_H

#include "msg/frame.h"
#include "msg/limits.h"

enum {
    DETAIL_JOBS_MAX = 4,
    DETAIL_JOB_BYTES = 40,      /* a pod's UID has 36; NUL included */
    DETAIL_VERSION_BYTES = 24,  /* NUL included */
    DETAIL_BODY_MAX = 1400,     /* of the longest that detail_encode makes */
};
#define DETAIL_EVERY_NS NS_PER_S

enum detail_mark {
    DETAIL_WATCHDOG = 1,        /* the host has a watchdog, seen `watchdog_us` ago */
    DETAIL_HISTORY = 2,         /* it keeps a history of its samples */
};

/* Besides, in the marks: how many supplies the agent looks at, up to 8 (0: nobody can tell of their input),
 * and bit by bit which of them have input power. */
enum { DETAIL_SUPPLIES_SHIFT = 4, DETAIL_SUPPLIES_MASK = 15, DETAIL_INPUTS_SHIFT = 8,
       DETAIL_SUPPLIES_MAX = 8 };

/* Why a device draws less than it would. Bits 0 to 3 as in enum act_throttle. */
enum detail_throttle {
    DETAIL_THROTTLE_CAP = 1,        /* the software power cap, ours or another */
    DETAIL_THROTTLE_HARDWARE = 2,   /* a brake or slowdown of the hardware: supply, external signal */
    DETAIL_THROTTLE_THERMAL = 4,
    DETAIL_THROTTLE_OTHER = 8,      /* clocks set by a person, sync boost */
    DETAIL_THROTTLE_FOREIGN = 16,   /* what is enforced is below what was asked: somebody else's limit */
};

/* Bits 0 to 5 as in enum act_reading: which members were read. */
enum detail_known {
    DETAIL_KNOWN_DRAW = 1,
    DETAIL_KNOWN_AVERAGE = 2,
    DETAIL_KNOWN_ENERGY = 4,
    DETAIL_KNOWN_TEMPERATURE = 8,
    DETAIL_KNOWN_CLOCK = 16,
    DETAIL_KNOWN_THROTTLE = 32,
    DETAIL_KNOWN_ENFORCED = 64,     /* it was read back */
    DETAIL_KNOWN_WRITE = 128,       /* a write returned since the agent started */
    DETAIL_DRAW_IS_NOW = 256,       /* draw_mw is of now, not an average of the device's own */
    DETAIL_DEVICE_LOST = 512,       /* it is gone */
    DETAIL_WRITE_FAILED = 1024,     /* the newest write failed */
};

struct detail_device {
    uint64_t energy_mj;         /* since its driver was loaded */
    uint32_t asked_mw;          /* the cap it was last told, the device's part of the host's */
    uint32_t enforced_mw;       /* the cap in force, whoever set it */
    uint32_t draw_mw;
    uint32_t average_mw;        /* over window_us before now */
    uint32_t window_us;
    int32_t temperature_mc;     /* millidegrees Celsius */
    uint32_t write_us, write_worst_us;  /* from a write's call to its return: the newest; the longest */
    uint16_t known;             /* a set of enum detail_known */
    uint16_t clock_mhz;
    uint8_t index;              /* its place in the agent's configuration, ascending within a detail */
    uint8_t throttle;           /* a set of enum detail_throttle */
    uint8_t reserved[2];
};

struct detail {
    uint64_t incarnation;       /* of the host's agent, as in its reports */
    uint32_t host;              /* index into model.host; on the wire the frame's sender id */
    uint32_t watchdog_us;       /* since the agent saw its watchdog's newest beat */
    uint32_t write_errors;      /* writes that failed since the agent started, all devices */
    uint16_t marks;             /* enum detail_mark, and supplies */
    uint16_t jobs;              /* on the host; more than job_count where not all fit */
    uint8_t device_count, job_count;
    uint8_t reserved[6];
    char version[DETAIL_VERSION_BYTES];     /* of the agent, printable ASCII without blanks */
    char job[DETAIL_JOBS_MAX][DETAIL_JOB_BYTES];    /* "123.0" of Slurm or a pod's UID, likewise */
    struct detail_device device[HOST_DEVICES_MAX];
};

static_assert(FRAME_HEADER_BYTES + DETAIL_BODY_MAX <= DATAGRAM_MAX, "a detail fits one datagram");

#endif
