/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent as a process: one thread that loops over the socket and the time, one per device, one for the
 * disk. Everything is opened and allocated at start; the loop allocates nothing and waits for nobody.
 */
#ifndef FLYBALL_AGENT_RUN_H
#define FLYBALL_AGENT_RUN_H

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

#include "agent/ballast_meter.h"
#include "agent/config.h"
#include "agent/jobs.h"
#include "agent/keyring.h"
#include "agent/notify.h"
#include "agent/saver.h"
#include "agent/worker.h"

enum { RUN_BURST = 32, RUN_CONTROL_BYTES = 64 };

/* Datagrams of one burst. */
struct run_inbox {
    struct mmsghdr message[RUN_BURST];
    struct iovec vector[RUN_BURST];
    struct sockaddr_in from[RUN_BURST];
    _Alignas(struct cmsghdr) uint8_t control[RUN_BURST][RUN_CONTROL_BYTES];
    uint8_t data[RUN_BURST][DATAGRAM_MAX];
};

struct run {
    struct config config;
    struct agent agent;
    struct word_file word;
    struct saver saver;
    struct keyring keyring;
    struct notify notify;
    struct jobs jobs;
    struct supply_watch supplies;
    struct ballast ballast;
    struct ballast_meter ballast_meter;
    int64_t ballast_told_mw;    /* what it draws at full turn, as last told */
    uint32_t devices;
    struct hands hands;
    struct worker worker[HOST_DEVICES_MAX];
    int socket, wake_fd, signal_fd;
    struct sockaddr_in controller;
    struct run_inbox inbox;
    int64_t now_ns;             /* MONOTONIC of this turn */
    int64_t boottime_ns;
    int64_t came_ns;            /* what led to the orders given now */
    _Atomic bool ready;         /* fail-safe was read back once */
    _Atomic bool jobs_there;    /* they are open: the loop has its turns of them */
    bool ended;                 /* the loop has */
    bool leaving;               /* the controller is asked to let the host go */
    bool stopping;
    int64_t leave_by_ns, stop_by_ns;
    uint64_t said[AGENT_COUNTER_COUNT];     /* counters as last told */
    int64_t said_ns;
    int disk_error;             /* as last told */
    int error;                  /* why it ends by itself; 0 = it does not */
    int64_t began_ns;
    bool silence_told;
    bool watchdog_told, watchdog_there;
    uint64_t send_failures;
    FILE *out;                  /* what people read */
};

/* setup: opens everything and says in `out` what is amiss. 0; -EINVAL: the configuration does not fit the
 * devices; -EBUSY: another agent runs; another -errno. */
int run_open(struct run *run, const struct config *config, FILE *out);

/* Until SIGINT: then fail-safe, and the end within two seconds. Until SIGTERM: the same; where the file says
 * let_go the controller is asked first, for two seconds at most, and own limits stand at the end where it
 * agrees. 0 or -errno. */
int run_loop(struct run *run);

/* setup: false where a thread hangs in a driver or on the disk: whoever calls ends the process at once. */
bool run_close(struct run *run);

/* setup, after run_close: counters and latencies as JSON. */
void run_summary(const struct run *run, FILE *out);

/* any: what has changed since it last said something, for people; at most once a second. */
void run_say(struct run *run);

#endif
