/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's half of a lease (safety.md section 3): pure, used by the agent and by the plant.
 * The owner feeds it leases, write receipts and time; it says which cap to write next and fills reports.
 * All times are the host's own monotonic clock, ns.
 */
#ifndef FLYBALL_CORE_HOLDER_H
#define FLYBALL_CORE_HOLDER_H

#include <stdbool.h>

#include "msg/lease.h"

struct holder_config {
    uint32_t host;
    int64_t fail_safe_mw;
    int64_t phys_max_mw;
    int64_t cap_max_mw;         /* a lease above is obeyed as this */
    int64_t report_ns;          /* longest silence between reports, <= D/6 */
    int64_t actuation_ns;       /* A: a receipt is reported again this long after a state took hold */
};

enum holder_refusal {
    HOLDER_ACCEPTED = 0,
    HOLDER_FOREIGN_INCARNATION,
    HOLDER_OLD_EPOCH,
    HOLDER_OLD_SEQUENCE,
    HOLDER_UNKNOWN_ECHO,
    HOLDER_EXPIRED_RAISE,       /* echo expired and the cap is not lower */
    HOLDER_REFUSAL_COUNT
};

struct holder {
    struct holder_config config;
    uint64_t incarnation;
    uint64_t epoch;             /* highest accepted; the owner persists it */
    uint64_t applied;           /* sequence of the newest lease accepted in that epoch */
    uint64_t next_report;
    uint64_t refused[HOLDER_REFUSAL_COUNT];
    int64_t deadline_ns;        /* of the newest lease; INT64_MIN without one */
    int64_t wanted_mw;          /* cap that should be in force */
    int64_t written_mw;         /* cap of the newest write that returned, -1 = none yet */
    int64_t writing_mw;         /* cap of the write in flight, -1 = none */
    int64_t readback_mw;        /* newest read-back, -1 = none yet */
    int64_t held_since_ns;      /* the present state took hold */
    int64_t last_report_ns;
    int64_t receipt_due_ns;     /* report asked for at this time, INT64_MAX = none */
    uint8_t state;              /* enum host_state, read back */
    uint8_t state_wanted;
    uint8_t flags;              /* enum report_flag, from the owner */
    int64_t sent_ns[ECHOES_MAX]; /* report n was sent at sent_ns[n % ECHOES_MAX] */
};

/* setup: a new incarnation (agent start, device loss, boot); `epoch` is what was persisted, 0 at first. */
void holder_init(struct holder *holder, const struct holder_config *config, uint64_t incarnation,
                 uint64_t epoch, int64_t now_ns);

/* any: takes a lease at its arrival. Returns enum holder_refusal. */
int holder_lease(struct holder *holder, const struct lease *lease, int64_t now_ns);

/* any: time passed; falls to fail-safe at the deadline. Call at least every few ms and after every write. */
void holder_time(struct holder *holder, int64_t now_ns);

/* any: the next write to issue, serialised: returns true and the cap when one is due and none is in
 * flight. */
bool holder_next_write(struct holder *holder, int64_t *cap_mw);

/* any: the write in flight returned, and the device reads back `readback_mw`. */
void holder_written(struct holder *holder, int64_t readback_mw, int64_t now_ns);

/* any: what the owner sees of the devices (enum report_flag). A host that comes to its cap reports soon,
 * not at its next turn. */
void holder_flags(struct holder *holder, uint8_t flags, int64_t now_ns);

/* any: a report is due now. */
bool holder_report_due(const struct holder *holder, int64_t now_ns);

/* any: fills a report sent at now_ns and remembers its number for echoes. */
void holder_report(struct holder *holder, int64_t draw_mw, uint16_t psu_inputs, struct report *report,
                   int64_t now_ns);

#endif
