/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Management messages of IEEE 1588 as ptp4l speaks them on its local socket: one datagram asks for one data
 * set, one answers. Pure: bytes in, numbers out. Big endian.
 */
#ifndef FLYBALL_TIME_PTP_MESSAGE_H
#define FLYBALL_TIME_PTP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PTP_ASK_BYTES = 54, PTP_ANSWER_BYTES_MAX = 1500, PTP_IDENTITY_BYTES = 8 };

/* Data sets, by managementId. */
enum ptp_set {
    PTP_PARENT = 0x2002, PTP_TIME_PROPERTIES = 0x2003, PTP_PORT = 0x2004, PTP_TIME_STATUS = 0xC000,
};

/* portState. Where ptp4l steers no clock it stays UNCALIBRATED for ever. */
enum ptp_port_state {
    PTP_INITIALIZING = 1, PTP_FAULTY, PTP_DISABLED, PTP_LISTENING, PTP_PRE_MASTER, PTP_MASTER, PTP_PASSIVE,
    PTP_UNCALIBRATED, PTP_SLAVE, PTP_PORT_STATES,
};

/* Bits of flags of time properties. */
enum ptp_time_flag { PTP_LEAP_61 = 1, PTP_LEAP_59 = 2, PTP_UTC_VALID = 4, PTP_TIMESCALE = 8 };

struct ptp_time_status {
    int64_t master_offset_ns;   /* of the local clock: positive = it is ahead of the master's */
    int64_t ingress_ns;         /* by the local clock: when the newest Sync came; 0 = none yet */
    bool has_master;            /* gmPresent: false where this clock is itself the grandmaster */
    uint8_t grandmaster[PTP_IDENTITY_BYTES];
};

struct ptp_parent {
    uint8_t clock_class, clock_accuracy;
    uint8_t grandmaster[PTP_IDENTITY_BYTES];
};

struct ptp_time_properties {
    int16_t utc_offset_s;       /* TAI - UTC */
    uint8_t flags;              /* enum ptp_time_flag */
};

struct ptp_answer {
    uint16_t sequence;
    uint16_t set;               /* enum ptp_set: which member holds */
    union {
        struct ptp_time_status status;
        struct ptp_parent parent;
        struct ptp_time_properties properties;
        uint8_t port_state;     /* enum ptp_port_state */
    };
};

/* any: GET of one data set. Only a ptp4l of that domain (0 to 255) answers. */
void ptp_message_ask(uint8_t out[PTP_ASK_BYTES], enum ptp_set set, uint8_t domain, uint16_t sequence);

/* any: -EBADMSG: no well-formed answer of a data set known here, or times beyond 73 years. -EREMOTEIO: an
 * error status in place of one; sequence holds all the same. Then the rest of `answer` is zero. */
int ptp_message_read(const uint8_t *data, size_t bytes, struct ptp_answer *answer);

/* any: how far a grandmaster of this clockAccuracy may be off, ns (IEEE 1588-2008 table 6); -1 = it does not
 * say. */
int64_t ptp_message_accuracy_ns(uint8_t clock_accuracy);

/* any: may time be had from a grandmaster of this class? Locked to a reference, or in holdover within its
 * specification (6, 7, 13, 14; telecom profile 135, 140). */
bool ptp_message_is_traceable(uint8_t clock_class);

#endif
