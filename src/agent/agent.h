/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node agent as one object: the host's half of a lease (core/holder.h) with what stands around it:
 * frames, devices that fail or vanish, the word for the watchdog, the host's own floor, maximum and rate. It
 * has no socket, no thread, no clock and no memory of its own: its owner brings datagrams, receipts, samples
 * and the time, and is called back for what is to be done. One thread at a time.
 *
 * All times are the host's CLOCK_MONOTONIC, ns, but where BOOTTIME stands.
 *
 * A turn of the owner: agent_clock, then what has come (agent_receive, agent_written, agent_seen,
 * agent_sampled), then agent_turn; then it sleeps until agent_due_ns or until something comes.
 */
#ifndef FLYBALL_AGENT_AGENT_H
#define FLYBALL_AGENT_AGENT_H

#include <stdbool.h>

#include "act/act.h"
#include "auth/auth.h"
#include "core/holder.h"
#include "msg/frame.h"
#include "msg/token.h"

struct agent_config {
    /* host: its number in the site file, the sender of its frames; phys_max at the wall, caps are sums */
    struct holder_config holder;
    int64_t cap_min_mw;             /* of the host: an order below is obeyed as this */
    int64_t raise_mw_per_s;         /* an order raises no faster; 0 = at once */
    int64_t raise_every_ns;         /* least time between two raises; 0 = none */
    int64_t base_mw;                /* at the wall, what no cap governs */
    int64_t efficiency_ppm;         /* of the supplies; 0 = 1000000 */
    int64_t stale_ns;               /* a sample that is older is none; 0 = 1 s */
    bool watchdog_required;         /* without one nothing above fail-safe */
    bool let_go;                    /* at its end it asks to put back holder.own_mw */
    bool smoothing;                 /* devices that can hold the floor of the lease and these ramps */
    struct act_smooth smooth;       /* of the host, where the lease says nothing; floor_mw is the lease's */
    int64_t ballast_mw;             /* most that a filler draws; taken from every lease. 0 = none */
};

/* What the agent asks of its owner. None may call the agent back. */
struct agent_hooks {
    void *user;
    /* A datagram for the controller. */
    void (*send)(void *user, const uint8_t *data, uint32_t bytes);
    /* A write to begin: agent_written comes when it has returned. Never a second one on a device before. */
    void (*write)(void *user, uint32_t device, int64_t cap_mw);
    /* Make this epoch durable, then agent_epoch_saved; the newest asked for is enough. */
    void (*save_epoch)(void *user, uint64_t epoch);
    /* The word of holder_deadline_ns, by CLOCK_BOOTTIME: to be stored before this returns; 0 = fail-safe
     * is in force. Called where it changes, and before the writes that it is about. */
    void (*word)(void *user, int64_t boottime_ns);
    /* Random, never 0, never used before. */
    uint64_t (*incarnation)(void *user);
    /* An answer to agent_ask; NULL: nobody asks. */
    void (*answered)(void *user, const struct token_response *response);
};

/* What a start brings. */
struct agent_birth {
    uint64_t incarnation;           /* random, never used before */
    uint64_t epoch;                 /* what was made durable, 0 at first */
    /* of its first frame less one: ascends over restarts; UTC in ns will do */
    uint64_t frame_sequence;
    /* both of these come later, by agent_remember: fail-safe waits for no disk. Until then nothing is sent,
     * and so nothing can be obeyed, for a lease answers a report */
    bool silent;
};

/* X(symbol, name, meaning) */
#define AGENT_COUNTERS(X) \
    X(AGENT_RECEIVED, "received", "datagrams that came") \
    X(AGENT_UNREADABLE, "unreadable", "no frame of this version, or a body that does not decode") \
    X(AGENT_NOT_MINE, "not_mine", "frames for another host, or of a kind that is not for hosts") \
    X(AGENT_BARE, "bare", "frames without a tag, where this host has keys") \
    X(AGENT_KEY, "key", "frames under a key that is not this host's, or with a tag where it has no keys") \
    X(AGENT_KEY_ENDED, "key_ended", "frames under a key of this host that is not in force") \
    X(AGENT_TAG, "tag", "frames whose tag is not that of the frame under this key") \
    X(AGENT_UNSEALED, "unsealed", "frames that could not be sent: no key of this host is in force") \
    X(AGENT_ACCEPTED, "accepted", "leases obeyed") \
    X(AGENT_OLD_INCARNATION, "old_incarnation", "leases to another incarnation of this agent") \
    X(AGENT_OLD_EPOCH, "old_epoch", "leases of a controller that another one has replaced") \
    X(AGENT_OLD_SEQUENCE, "old_sequence", "leases that are not newer than the one in force") \
    X(AGENT_UNKNOWN_ECHO, "unknown_echo", "leases that answer no report that is remembered") \
    X(AGENT_EXPIRED, "expired", "leases that came too late, and lower nothing") \
    X(AGENT_UNSAVED_EPOCH, "unsaved_epoch", "leases that wait until their epoch is on the disk") \
    X(AGENT_UNASKED, "unasked", "leases that would let this host go, and answer no report that asked") \
    X(AGENT_LET_GO, "let_go", "times that the controller let this host go, and own limits were put back") \
    X(AGENT_REPORTS, "reports", "reports sent") \
    X(AGENT_WRITES, "writes", "caps written to devices, tries that failed included") \
    X(AGENT_WRITES_FAILED, "writes_failed", "writes that a driver refused, or that could not be read back") \
    X(AGENT_LOWERED, "lowered", "orders bounded by this host's maximum, rate of raise, or missing watchdog") \
    X(AGENT_FLOORED, "floored", "orders below this host's least cap, obeyed as that") \
    X(AGENT_FALLS, "falls", "leases that ran out: fail-safe") \
    X(AGENT_RESETS, "resets", "devices found above the cap that they had: a driver that was loaded anew") \
    X(AGENT_LOSSES, "losses", "devices lost, and found again") \
    X(AGENT_BLIND, "blind", "devices that could not be read for longer than a sample lives") \
    X(AGENT_FOREIGN, "foreign", "limits of somebody else found below the cap that was asked for") \
    X(AGENT_SLEEPS, "sleeps", "times that the machine had slept") \
    X(AGENT_ASKED, "asked", "requests for power sent") \
    X(AGENT_SMOOTHED, "smoothed", "floors and ramps that a device took and read back") \
    X(AGENT_UNSMOOTHED, "unsmoothed", "floors and ramps that a device refused")

#define AGENT_COUNTER_SYMBOL(symbol, name, meaning) symbol,
enum agent_counter { AGENT_COUNTERS(AGENT_COUNTER_SYMBOL) AGENT_COUNTER_COUNT };
#undef AGENT_COUNTER_SYMBOL

struct agent_device {
    int64_t retry_ns;               /* a write that failed is tried again then; INT64_MAX = none failed */
    int64_t retry_wait_ns;
    int64_t sampled_ns, seen_ns;    /* the newest of each that was good; INT64_MIN: never */
    int64_t kept_mw;                /* as told of the read-back that comes next; -1 = not told */
    uint64_t watchdog_writes;       /* of the watchdog, as known when the newest write here was handed out */
    int last_error;                 /* -errno of the newest call that failed, 0 after one that did not */
    bool busy;                      /* a write was handed out and has not returned */
    bool outdated;                  /* ... and is of the time before the device was lost */
    bool foreign;                   /* somebody else's limit is seen */
    bool blind;                     /* it is there and cannot be read: anything is possible, writes go on */
    struct act_sample sample;       /* the newest */
};

struct agent {
    struct agent_config config;
    struct agent_hooks hooks;
    struct holder holder;           /* to look at: state, wanted_mw, epoch, deadline_ns, flags */
    struct agent_device device[HOST_DEVICES_MAX];
    uint64_t counter[AGENT_COUNTER_COUNT];
    uint64_t frame_sequence;
    uint64_t epoch_asked;           /* the newest that save_epoch was called for */
    int64_t word_boottime_ns;       /* what was stored last; -1 = nothing yet */
    int64_t raised_ns;              /* the newest raise or cut by an order */
    struct act_smooth smooth;       /* of the newest lease obeyed: floor and ramps of the host */
    int64_t reserve_mw;             /* what that lease allows beside the devices */
    uint16_t psu_inputs;
    uint8_t psus;                   /* supplies that are looked at */
    bool psu_known;
    bool watchdog;                  /* it is there */
    uint64_t watchdog_writes;       /* of it, that have returned */
    bool started, stopped;
    bool silent;                    /* epoch and numbers of frames are not known yet */
    struct auth_user *auth;         /* NULL: frames are bare */
    uint32_t peer;                  /* this host, of those that `auth` knows */
    uint8_t out[DATAGRAM_MAX];
};

/* setup: takes copies. Nothing is called before agent_start. */
void agent_init(struct agent *agent, const struct agent_config *config, const struct agent_hooks *hooks);

/* setup, before agent_start: every frame leaves with a tag and is refused without a true one. The owner calls
 * auth_look at the begin of each turn. */
void agent_auth(struct agent *agent, struct auth_user *user, uint32_t peer);

/* any: a new agent process. agent_clock must have been called. The word is stored (fail-safe is wanted and
 * not read back), and every device is written. */
void agent_start(struct agent *agent, const struct agent_birth *birth, int64_t now_ns);

/* any: the epoch that was made durable and the number before this run's first frame, where the birth was
 * silent. What is sent from now on has numbers that a crash does not give out again: the owner has put on the
 * disk how far they may come. */
void agent_remember(struct agent *agent, uint64_t epoch, uint64_t frame_sequence, int64_t now_ns);

/* any: before agent_start, and before whatever may follow a sleep of the machine: CLOCK_BOOTTIME read between
 * two looks at CLOCK_MONOTONIC. After a sleep it begins a new incarnation. */
void agent_clock(struct agent *agent, int64_t before_ns, int64_t boottime_ns, int64_t after_ns);

/* any: this process is to end: reports ask the controller to let the host go. False: the configuration keeps
 * it at fail-safe, so agent_stop is next. Else that comes when `holder.let_go`, or when the owner waits no
 * longer. */
bool agent_leave(struct agent *agent, int64_t now_ns);

/* any: the end of this process is near: nothing is obeyed or reported any more. Fail-safe is wanted, and the
 * word is 0 once it is in force; where the host was let go its own limits are, and the word is INT64_MAX. */
void agent_stop(struct agent *agent, int64_t now_ns);

/* any: all that is wanted of devices at the end is done. */
bool agent_is_done(const struct agent *agent);

/* any: a datagram that came. Returns ACCEPTED where it was obeyed, -1 where the lease protocol refused it,
 * else an enum refusal. */
int agent_receive(struct agent *agent, const uint8_t *data, uint32_t bytes, int64_t now_ns);

/* any: time has passed: deadlines, writes that are due, reports. */
void agent_turn(struct agent *agent, int64_t now_ns);

/* any: agent_turn has something to do then, at the latest. */
int64_t agent_due_ns(const struct agent *agent);

/* any, before agent_written or agent_seen, of a device that tells it: the cap it keeps as written, which
 * somebody else's lower limit may hide; -1 = not told. A device stands at the higher of it and of what is in
 * force. */
void agent_kept(struct agent *agent, uint32_t device, int64_t kept_mw);

/* any: the write in flight on this device has returned. `rc` of apply, or of the read-back behind it,
 * whichever failed; applied_mw: what was written in the end, at most what was asked for. -ENODEV: the
 * device is lost. */
void agent_written(struct agent *agent, uint32_t device, int rc, int64_t applied_mw, int64_t readback_mw,
                   int64_t now_ns);

/* any: an unasked look at what is in force on a device, newer than what agent_written told of it. -ENODEV: it
 * is lost, until something else comes. With another error it is blind once it could not be looked at for
 * longer than a sample lives: a new incarnation, whose fail-safe is written until it reads back. */
void agent_seen(struct agent *agent, uint32_t device, int rc, int64_t readback_mw, int64_t now_ns);

/* any: what a device tells of itself. */
void agent_sampled(struct agent *agent, uint32_t device, const struct act_sample *sample, int64_t now_ns);

/* any: this epoch will not be forgotten. */
void agent_epoch_saved(struct agent *agent, uint64_t epoch, int64_t now_ns);

/* any: is the watchdog there, and how many of its writes have returned: fail-safe that stands where more was
 * written is its own only if it has written since. */
void agent_watchdog(struct agent *agent, bool there, uint64_t writes, int64_t now_ns);

/* any: which of the first `psus` supplies have input power, bit by bit; `known` false: nobody can tell. */
void agent_psu(struct agent *agent, bool known, uint8_t psus, uint16_t inputs, int64_t now_ns);

/* any: asks for power ahead of time; the answer comes by the hook. 0, -EINVAL where the request cannot be
 * encoded, or -EAGAIN where nothing is sent yet. */
int agent_ask(struct agent *agent, const struct token_request *request, int64_t now_ns);

/* any: what the host draws at the wall now: devices by their newest samples, rounded up; a device whose
 * sample is stale counts with its cap, one that is lost with nothing. */
int64_t agent_draw_mw(const struct agent *agent, int64_t now_ns);

/* any: what the host draws at the wall while its devices draw this together, rounded up. */
int64_t agent_wall_mw(const struct agent_config *config, int64_t devices_mw);

/* any: the cap of one device while the host's is cap_mw. */
int64_t agent_part_mw(const struct agent *agent, int64_t cap_mw);

/* any: what a device is to keep besides its cap, where it can: its part of the floor of the lease, never
 * above its part of the cap that is wanted nor of fail-safe, and of the ramps, of the lease where that tells
 * them. Off without floor or lease. */
struct act_smooth agent_smooth(const struct agent *agent);

/* any: what a filler is to draw now so that the host holds the floor of its lease: never more than the lease
 * leaves beside the devices' caps, nothing without a lease or while a device stands above its part. */
int64_t agent_fill_mw(const struct agent *agent, int64_t now_ns);

/* any: a device's answer to that: 0, or -errno. */
void agent_smoothed(struct agent *agent, uint32_t device, int rc);

/* any: "received", ... and what it counts. */
const char *agent_counter_name(enum agent_counter counter);
const char *agent_counter_meaning(enum agent_counter counter);

/* The two places where frames pass (agent_frame.c). */

/* any: sends the body that stands at agent->out + FRAME_HEADER_BYTES, sealed where this host has keys. */
void agent_frame_send(struct agent *agent, uint8_t kind, uint32_t body_bytes);

/* any: ACCEPTED and the frame, or an enum refusal; counted. Its body has not been looked at. */
int agent_frame_admit(struct agent *agent, const uint8_t *data, uint32_t bytes, struct frame *frame);

#endif
