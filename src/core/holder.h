/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's half of a lease (safety.md section 3): pure, used by the agent and by the plant.
 * The owner feeds it leases, write receipts, read-backs and time; it says which cap to write to which device
 * next and fills reports. All times are the host's own monotonic clock, ns.
 *
 * A host has devices that a cap governs; its cap is split evenly over them. Writes are serialised per device.
 * No device is raised while any of them may still stand above its part: cut, read back, then raised.
 *
 * What the owner owes it: a new incarnation (random, never used before) at every start of the agent, at the
 * loss or return of a device, at every boot, and when holder_clock says so; and the epoch, kept where it
 * outlives the agent and the machine.
 */
#ifndef FLYBALL_CORE_HOLDER_H
#define FLYBALL_CORE_HOLDER_H

#include <stdbool.h>

#include "msg/lease.h"

struct holder_config {
    uint32_t host;
    uint32_t devices;           /* 1 to HOST_DEVICES_MAX; 0 = 1 */
    int64_t fail_safe_mw;       /* of the host, like all caps here but those of single writes */
    int64_t phys_max_mw;        /* at the wall: only reported */
    int64_t cap_max_mw;         /* a lease above is obeyed as this */
    int64_t report_ns;          /* longest silence between reports, <= D/6 */
    int64_t actuation_ns;       /* A: a receipt is reported again this long after a state took hold */
    /* each device's own limit, which it gets back when the host is let go; 0 = not known: fail-safe stays */
    int64_t own_mw[HOST_DEVICES_MAX];
};

enum holder_refusal {
    HOLDER_ACCEPTED = 0,
    HOLDER_FOREIGN_INCARNATION,
    HOLDER_OLD_EPOCH,
    HOLDER_OLD_SEQUENCE,
    HOLDER_UNKNOWN_ECHO,
    HOLDER_EXPIRED_RAISE,       /* echo expired and the cap is not lower */
    /* a newer epoch that is not durable yet: holder_epoch_saved, then it is obeyed */
    HOLDER_UNSAVED_EPOCH,
    HOLDER_UNASKED,             /* lets the host go, and answers no report that asked for it */
    HOLDER_REFUSAL_COUNT
};

struct holder_device {
    int64_t written_mw;         /* cap of the newest write that returned, -1 = none yet */
    int64_t writing_mw;         /* cap of the write in flight, -1 = none */
    int64_t readback_mw;        /* newest read-back: what is in force; -1 = none yet */
    int64_t kept_mw;            /* newest of what the device keeps as written; -1 = none, or not told */
    bool lost;                  /* not there: nothing is written to it, and anything is possible */
};

struct holder {
    struct holder_config config;
    uint64_t incarnation;       /* 0: the clocks jumped, a new one is needed */
    uint64_t epoch;             /* highest accepted */
    uint64_t epoch_saved;       /* highest that is durable; at least `epoch` */
    /* highest seen in a lease for us: above epoch_saved, the owner makes it durable */
    uint64_t epoch_asked;
    uint64_t applied;           /* sequence of the newest lease accepted in that epoch */
    uint64_t session;           /* of that lease: reports say it back */
    uint64_t next_report;
    uint64_t refused[HOLDER_REFUSAL_COUNT];
    int64_t deadline_ns;        /* of the newest lease; INT64_MIN without one */
    int64_t wanted_mw;          /* cap that should be in force, all devices together */
    struct holder_device device[HOST_DEVICES_MAX];
    int64_t held_since_ns;      /* the present state took hold */
    int64_t last_report_ns;
    int64_t receipt_due_ns;     /* report asked for at this time, INT64_MAX = none */
    /* BOOTTIME - MONOTONIC lies between these; it moves only when the machine has slept */
    int64_t boottime_least_ns, boottime_most_ns;
    uint8_t state;              /* enum host_state, read back */
    uint8_t state_wanted;
    uint8_t flags;              /* enum report_flag, from the owner */
    bool let_go;                /* own limits are wanted; nothing is obeyed or reported any more */
    uint64_t leaving;           /* number of the first report that asks for that; 0 = none does */
    int64_t sent_ns[ECHOES_MAX]; /* report n was sent at sent_ns[n % ECHOES_MAX] */
};

/* setup: a new agent; `epoch` is what was made durable, 0 at first. */
void holder_init(struct holder *holder, const struct holder_config *config, uint64_t incarnation,
                 uint64_t epoch, int64_t now_ns);

/* any: a new incarnation of the same agent: a device was lost or came back, or the clocks jumped. Leases of
 * the old one are void, every device is written and read back anew; a write in flight stays in flight. */
void holder_restart(struct holder *holder, uint64_t incarnation, int64_t now_ns);

/* any: a device is gone, or there again. Reports say so at once; holder_restart comes next. */
void holder_device(struct holder *holder, uint32_t device, bool lost, int64_t now_ns);

/* any, at start and before each look at a deadline that may follow a sleep: CLOCK_BOOTTIME, read between two
 * looks at CLOCK_MONOTONIC. True: the machine slept in between, so deadlines on MONOTONIC mean nothing: the
 * incarnation is void, fail-safe is wanted, and nothing is obeyed or reported until holder_restart. */
bool holder_clock(struct holder *holder, int64_t before_ns, int64_t boottime_ns, int64_t after_ns);

/* any: takes a lease at its arrival. Returns enum holder_refusal. */
int holder_lease(struct holder *holder, const struct lease *lease, int64_t now_ns);

/* any: leases of this epoch may be obeyed: a crash of agent or machine would not forget it. A report goes out
 * soon, so that the lease that had to wait is sent again. */
void holder_epoch_saved(struct holder *holder, uint64_t epoch, int64_t now_ns);

/* any: the agent is to stop: reports ask to be let go from now on. Leases go on meanwhile. Once a lease that
 * answers one of these reports agrees, `let_go` is true and own limits are wanted; a new incarnation
 * (holder_restart) takes that back, and asks no more. */
void holder_leave(struct holder *holder, int64_t now_ns);

/* any: time passed; falls to fail-safe at the deadline. Call at least every few ms and after every write. */
void holder_time(struct holder *holder, int64_t now_ns);

/* any: what this device is to be set to now: its part of the cap that is wanted, or its own limit. */
int64_t holder_part_mw(const struct holder *holder, uint32_t device);

/* any: is that in force on every device that is there? */
bool holder_holds(const struct holder *holder);

/* any: the next write to issue: true, the device and its part of the cap. Ask until it says false: devices
 * are written side by side, each with one write in flight. */
bool holder_next_write(struct holder *holder, uint32_t *device, int64_t *cap_mw);

/* any, before holder_written or holder_seen, of a device that tells it: the cap it keeps as written, which
 * is not what is in force where somebody else's limit is lower. A write that had no effect does not show in
 * what is in force then, and comes up when that limit goes. */
void holder_kept(struct holder *holder, uint32_t device, int64_t kept_mw);

/* any: the write in flight returned, and the device reads back `readback_mw`. */
void holder_written(struct holder *holder, uint32_t device, int64_t readback_mw, int64_t now_ns);

/* any: the device reads back `readback_mw`, unasked: somebody else may have set it. */
void holder_seen(struct holder *holder, uint32_t device, int64_t readback_mw, int64_t now_ns);

/* any: what the owner sees of the host (enum report_flag). A host that comes to its cap reports soon, not at
 * its next turn. */
void holder_flags(struct holder *holder, uint8_t flags, int64_t now_ns);

/* any: the one word for the watchdog: once this has passed, fail-safe caps are to be in force, whatever the
 * agent does; INT64_MAX where the host was let go. While fail-safe is wanted and not read back on every
 * device (a lease has run out, an agent starts) it lies in the past: an agent that dies before its write is
 * done must not leave 0. 0 where fail-safe is in force. The owner stores it after every call here that may
 * change it, and before it issues writes; the watchdog writes for as long as it has passed, not once. */
int64_t holder_deadline_ns(const struct holder *holder);

/* any: a report is due now. */
bool holder_report_due(const struct holder *holder, int64_t now_ns);

/* any: fills a report sent at now_ns and remembers its number for echoes. */
void holder_report(struct holder *holder, int64_t draw_mw, uint16_t psu_inputs, struct report *report,
                   int64_t now_ns);

#endif
