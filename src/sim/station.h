/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plant's side of the network: what meters and hosts say, and what hosts do with the leases they hear.
 * The same for virtual time and for real sockets: messages go out through a callback and come in through
 * a call.
 *
 * A host has an agent, which holds the lease (core/holder.h), and beside it a watchdog, which knows nothing
 * but when the lease ends and then writes the fail-safe cap, again and again until the device reads it back,
 * and when the agent last showed itself: where fail-safe was in force it sees that it stays so.
 * Both run on the host's own clock.
 */
#ifndef FLYBALL_SIM_STATION_H
#define FLYBALL_SIM_STATION_H

#include "core/holder.h"
#include "sim/asking.h"
#include "sim/message.h"
#include "sim/plant.h"
#include "sim/station_meter.h"

/* `message` stands until this returns. */
typedef void station_emit(void *user, const struct message *message);

/* A host's MONOTONIC: local_ns at plant time at_ns, from there on fast by `rate`. BOOTTIME counts on while
 * the machine sleeps, MONOTONIC does not. */
struct station_clock {
    int64_t at_ns, local_ns, slept_ns;
    double rate;
};

enum station_writer { WRITER_NONE, WRITER_AGENT, WRITER_WATCHDOG, WRITER_GONE };

enum { STATION_LETTERS_MAX = 64 };

/* What came for an agent that is stopped, in the order of arrival; a full socket drops. */
struct station_letters {
    uint32_t count;
    struct message letter[STATION_LETTERS_MAX];
};

struct station_agent {
    struct station_clock clock;
    bool leaving;               /* it was told to stop, and has not ended yet */
    bool ended;                 /* it has, by itself */
    int64_t leave_by_ns;        /* by its clock: it waits no longer to be let go */
    bool dead, stopped;         /* the process is gone; does nothing and goes on where it was */
    bool watchdog_dead;
    bool jumped;                /* the machine slept: BOOTTIME is looked at */
    bool returned;              /* its write returned, and it has not seen it yet */
    uint8_t writer;             /* enum station_writer: whose write is in flight */
    int64_t word_boottime_ns;   /* what it left the watchdog: fail-safe from then on; 0 = nothing */
    int64_t beat_boottime_ns;   /* when it last did anything */
    int64_t look_ns;            /* it reads its device back then; INT64_MAX = never unasked */
    int64_t look_until_ns;
    int64_t write_ns, write_worst_ns;   /* what its newest write takes, and the longest; 0 = none yet */
    struct station_letters *letters;    /* while stopped */
};

struct station {
    struct plant *plant;
    struct holder *holder;      /* by host */
    struct station_agent *agent;    /* by host */
    int64_t *wake_ns;           /* by host: nothing is due before, by the plant's time */
    bool *at_cap;               /* by host: the cap holds its draw down */
    struct asking *asking;      /* by host */
    bool *dark;                 /* by host: without power */
    int64_t *detail_ns;         /* by host: its next detail leaves then; NULL: nobody tells any */
    uint64_t *host_sequence, *meter_sequence;
    struct station_meter *meter;    /* by meter */
    bool meters_late;           /* some may hold something back */
    struct fault_set faults;    /* sim/station_fault.h */
    int64_t realtime_ns;        /* UTC at plant time 0 */
};

/* setup: hosts boot at plant time 0. Frame sequences start at the present
 * UTC, so that they ascend over restarts. 0 or -ENOMEM. */
int station_init(struct station *station, struct plant *plant, int64_t realtime_ns);
void station_finish(struct station *station);

/* setup: from now on hosts tell details, too (station_detail.c). 0 or -ENOMEM. */
int station_tell_details(struct station *station);

/* any: after every plant_step: write receipts, deadlines, new
 * writes, reports and meter frames that are due. */
void station_step(struct station *station, station_emit *emit, void *user);

/* any: part of station_step: the details that are due. */
void station_step_details(struct station *station, station_emit *emit, void *user);

/* any: what reached this host's address at plant time t_ns; NULL: nobody can read it. */
void station_receive(struct station *station, uint32_t host, const struct message *message, int64_t t_ns);

/* any: MONOTONIC of the host at plant time t_ns, not before its clock was last set. */
int64_t station_local_ns(const struct station *station, uint32_t host, int64_t t_ns);

/* any: what no agent of the host has used before. */
uint64_t station_new_incarnation(const struct station *station, uint32_t host);

/* any: the agent is told to stop: it asks to be let go where the site allows that (station_leave.c). */
void station_leave(struct station *station, uint32_t host);

/* any: part of station_step: what an agent does that is told to stop. */
void station_step_leaving(struct station *station, uint32_t host, int64_t now_ns);

/* any: a new agent process, a new incarnation; a write of the one before stays in flight. */
void station_start_agent(struct station *station, uint32_t host);

#endif
