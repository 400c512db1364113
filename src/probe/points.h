/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every place where the way of a packet can be watched from outside, in the order in which it passes them
 * (probe/site.h says what such a place is). Times are monotonic ns, made from one TSC read per burst: a probe
 * reads no clock, whoever watches brings one. Nothing is behind a function here but a nop.
 */
#ifndef FLYBALL_PROBE_POINTS_H
#define FLYBALL_PROBE_POINTS_H

#include "msg/egress.h"
#include "msg/slot.h"
#include "probe/site.h"

/* rt: a poll of this lane found `count` frames at t_ns; the poll before was at before_ns. */
static inline void probe_burst(uint32_t lane, uint32_t count, int64_t before_ns, int64_t t_ns)
{
    PROBE_SITE4("burst", lane, count, before_ns, t_ns);
}

/* any: whom a slot is about: the meter of a reading, the host of a report; else 0. */
static inline uint32_t probe_subject(const struct slot *slot)
{
    if (slot->kind == SLOT_READING)
        return slot->reading.meter;
    return slot->kind == SLOT_REPORT ? slot->report.host : 0;
}

/* any: the number its sender gave it: of the meter's frame, of the host's report; else 0. */
static inline uint64_t probe_number(const struct slot *slot)
{
    if (slot->kind == SLOT_READING)
        return slot->reading.sequence;
    return slot->kind == SLOT_REPORT ? slot->report.number : 0;
}

/* rt: the frame of that number has become a slot. */
static inline void probe_decoded(const struct slot *slot, uint64_t frame_sequence, int64_t t_receive_ns)
{
    PROBE_SITE6("decoded", slot->kind, probe_subject(slot), probe_number(slot), frame_sequence, t_receive_ns,
                slot->lane);
}

/* rt: decide has worked a slot, and `leases` come of it. */
static inline void probe_decided(const struct slot *slot, uint32_t leases)
{
    PROBE_SITE6("decided", slot->sequence, slot->kind, probe_subject(slot), probe_number(slot),
                slot->t_receive_ns, leases);
}

/* rt: a lease has got the number of the frame that it leaves in. */
static inline void probe_framed(const struct egress *record, uint64_t frame_sequence)
{
    PROBE_SITE6("framed", record->slot_sequence, record->kind, record->host, record->sequence, frame_sequence,
                record->t_receive_ns);
}

/* rt: the port has taken that frame. */
static inline void probe_sent(uint32_t host, uint64_t lease_sequence, bool emergency, int64_t t_receive_ns)
{
    PROBE_SITE4("sent", host, lease_sequence, emergency, t_receive_ns);
}

/* any: an agent has sent a report. */
static inline void probe_reported(uint32_t host, uint64_t number, int64_t cap_mw, int64_t t_ns)
{
    PROBE_SITE4("reported", host, number, cap_mw, t_ns);
}

/* any: an agent was told a lease: `verdict` 0 where it obeys. `echo` is the report that it answers. */
static inline void probe_leased(uint64_t sequence, uint64_t echo, int64_t cap_mw, int verdict)
{
    PROBE_SITE4("leased", sequence, echo, cap_mw, verdict);
}

/* any: a device's driver is about to be called to set a cap, for an order that came at came_ns. */
static inline void probe_write(uint32_t device, int64_t cap_mw, int64_t came_ns, int64_t began_ns)
{
    PROBE_SITE4("write", device, cap_mw, came_ns, began_ns);
}

/* any: it has answered, 0 or -errno, and what is in force was read back. */
static inline void probe_written(uint32_t device, int64_t cap_mw, int rc, int64_t began_ns)
{
    PROBE_SITE4("written", device, cap_mw, rc, began_ns);
}

#endif
