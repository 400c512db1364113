/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thousand node agents in one process against one flyballd, over a real network: agents are the real ones
 * (agent/agent.h), devices, watchdogs, disks and the machines around them are played here.
 *
 * The hosts live by a clock of their own: real time, of which no turn takes more than STEP_MOST_NS. What this
 * process loses to the machine it runs on is no time for them, as if all had stood still together. So a
 * device that is late is late by the fault of its agent or watchdog, whatever the machine does.
 */
#ifndef FLYBALL_TESTS_CROWD_H
#define FLYBALL_TESTS_CROWD_H

#include <stdio.h>

#include "agent/agent.h"
#include "record/histogram.h"
#include "sim/random.h"
#include "sim/sockets.h"
#include "site/site.h"

enum { CROWD_DEVICES = 2, CROWD_LETTERS = 64, CROWD_ECHOES = 64, CROWD_NOTES = 12, CROWD_CAUGHT = 8 };
#define STEP_MOST_NS    (5 * NS_PER_MS)
#define WRITE_LEAST_NS  (4 * NS_PER_MS)
#define WRITE_MOST_NS   (40 * NS_PER_MS)
#define LOOK_NS         (100 * NS_PER_MS)   /* between two looks at a device */
#define WATCH_NS        (10 * NS_PER_MS)    /* between two looks of a watchdog at its word */
#define SAVE_NS         (3 * NS_PER_MS)     /* what it takes to make an epoch durable */
#define NEVER_NS        INT64_MAX

enum crowd_writer { CROWD_AGENT, CROWD_WATCHDOG, CROWD_WRITERS };

/* A driver takes one write after the other, whoever writes; one of each writer may wait. */
struct crowd_device {
    int64_t cap_mw;             /* in force */
    int64_t writing_mw, done_ns;    /* done_ns: NEVER_NS = none in flight */
    int64_t waiting_mw[CROWD_WRITERS];  /* -1 = none */
    uint8_t writer;
    bool receipt;               /* a write of the agent returned, and it has not heard of it */
    int64_t receipt_mw;
    uint32_t life;              /* of the agent that wrote it: a new process hears nothing of it */
};

struct crowd_letter {
    uint32_t bytes;
    uint8_t data[192];
};

/* What a judge knows of a report: nothing of it comes from the agent but the datagram. */
struct crowd_sent {
    uint64_t incarnation, number;
    int64_t boot_ns;            /* the host's BOOTTIME when it left */
    int64_t real_ns;            /* of the capture; 0 = not seen, or answered */
};

struct crowd_caught {
    uint64_t sequence;          /* of a lease's frame */
    int64_t real_ns;            /* it came by */
};

struct crowd_note {
    int64_t at_ns;
    const char *what;
    int64_t for_ns;
};

struct crowd_host {
    struct agent agent;
    struct crowd *crowd;
    struct crowd_device device[CROWD_DEVICES];
    uint32_t life;
    bool alive, stopped, watchdog;
    uint64_t watchdog_writes;   /* that have returned */
    /* lived time at which each ends; 0 = not so */
    int64_t dead_until_ns, stopped_until_ns, deaf_until_ns, mute_until_ns, asleep_until_ns;
    int64_t unwatched_until_ns;
    int64_t asleep_since_ns, slept_ns;
    int64_t word_boot_ns, watch_ns, look_ns, detail_ns;
    uint64_t saved_epoch, saving_epoch;
    int64_t saved_ns;           /* NEVER_NS = nothing is being saved */
    int64_t demand_mw;
    uint32_t letters;
    struct crowd_letter letter[CROWD_LETTERS];
    /* the judge's */
    struct crowd_sent sent[CROWD_ECHOES];
    int64_t deadline_ns;        /* lived time: the latest of any lease obeyed, or of a start or a wake-up */
    bool over;                  /* it is told */
    struct crowd_caught caught[CROWD_CAUGHT];
    struct crowd_note note[CROWD_NOTES];
    uint32_t notes, catches;
};

struct crowd_figures {
    uint64_t reports, leases_obeyed, falls, violations, unanswered, answered;
    uint64_t falls_unexplained, checks;
    struct histogram answer_ns, actuator_ns;
};

struct crowd {
    struct site site;
    struct sockets sockets;
    struct random random;
    struct crowd_host *host;
    uint32_t hosts;
    uint64_t seed;
    int64_t start_ns;           /* MONOTONIC */
    int64_t lived_ns, real_ns;  /* the hosts' clock; MONOTONIC at the last turn */
    int64_t lost_ns, longest_turn_ns;
    uint32_t next_host;         /* whose turn it is in what is spread */
    int64_t in_hand_real_ns;    /* the lease in hand came by at that time, REALTIME; 0 = not known */
    int capture;
    int64_t lease_real_ns;      /* the newest lease of any host came by */
    int64_t turn_real_ns;       /* REALTIME of this turn */
    int64_t longest_gap_ns, gap_end_ns;     /* without any; the newest one of 100 ms: lived time */
    int64_t quiet_gap_ns;
    bool measuring;
    bool blind;                 /* its watchdogs: a test of this test */
    uint64_t captured, capture_drops;
    struct crowd_figures figures;
};

/* crowd_host.c */
void crowd_host_init(struct crowd *crowd, uint32_t h);
void crowd_host_start(struct crowd *crowd, uint32_t h);     /* a new agent process */
void crowd_host_kill(struct crowd *crowd, uint32_t h);
void crowd_host_turn(struct crowd *crowd, uint32_t h);
void crowd_host_receive(struct crowd *crowd, uint32_t h, const uint8_t *data, uint32_t bytes);
bool crowd_host_leased(const struct crowd_host *host);
int64_t crowd_host_falls(const struct crowd *crowd);

/* crowd_device.c */
void crowd_device_write(struct crowd *crowd, struct crowd_host *host, uint32_t device, enum crowd_writer who,
                        int64_t cap_mw);
void crowd_device_turn(struct crowd *crowd, struct crowd_host *host);
void crowd_device_receipts(struct crowd *crowd, struct crowd_host *host);
void crowd_device_watch(struct crowd *crowd, struct crowd_host *host);

/* crowd_judge.c */
void crowd_judge_sent(struct crowd *crowd, struct crowd_host *host, const uint8_t *data, uint32_t bytes);
void crowd_judge_obeyed(struct crowd *crowd, struct crowd_host *host, const uint8_t *data, uint32_t bytes);
void crowd_judge_look(struct crowd *crowd, uint32_t h);
void crowd_judge_note(struct crowd *crowd, struct crowd_host *host, const char *what, int64_t for_ns);

/* crowd_capture.c: 0 or -errno */
int crowd_capture_open(struct crowd *crowd, const char *netns, const char *interface);
void crowd_capture_drain(struct crowd *crowd);
int64_t crowd_capture_came(const struct crowd_host *host, uint64_t sequence);

/* crowd_fault.c: one more, at a host drawn; its end is looked for at every turn of the host. */
enum crowd_strike { STRIKE_KILL, STRIKE_STOP, STRIKE_CUT, STRIKE_DEAF, STRIKE_MUTE, STRIKE_RESTART,
                    STRIKE_SLEEP, STRIKE_UNWATCHED, CROWD_STRIKES };
const char *crowd_fault_name(enum crowd_strike fault);
enum crowd_strike crowd_fault_strike(struct crowd *crowd);
void crowd_fault_end(struct crowd *crowd, uint32_t h);

/* The host's own clocks at the crowd's time. */
static inline int64_t crowd_boot_ns(const struct crowd *crowd)
{
    return crowd->lived_ns;
}

static inline int64_t crowd_mono_ns(const struct crowd *crowd, const struct crowd_host *host)
{
    return crowd->lived_ns - host->slept_ns;
}

#endif
