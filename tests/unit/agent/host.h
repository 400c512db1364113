/* SPDX-License-Identifier: Apache-2.0 */
/* A host in made-up time for tests of the agent object: devices that obey at once or not, a controller's
 * words in frames, and what the agent said. */
#ifndef FLYBALL_TESTS_UNIT_AGENT_HOST_H
#define FLYBALL_TESTS_UNIT_AGENT_HOST_H

#include "agent/agent.h"

enum { HOST_DEVICES = 4, HOST_NUMBER = 7 };
#define HOST_SESSION UINT64_C(0x5E5510)
#define MS NS_PER_MS
#define W INT64_C(1000)

struct host_device {
    int64_t cap_mw;             /* in force */
    int64_t writing_mw;         /* handed out and not returned; -1 = none */
    uint32_t writes;
};

struct host {
    struct agent agent;
    struct agent_config config;
    int64_t now_ns;             /* MONOTONIC */
    int64_t slept_ns;           /* BOOTTIME - MONOTONIC */
    struct host_device device[HOST_DEVICES];
    int64_t word_ns;            /* as stored; -1 = never */
    bool silent;                /* a start knows neither epoch nor numbers of frames */
    uint64_t incarnations;
    uint64_t save_asked;        /* newest */
    uint32_t reports, frames;
    struct report report;       /* the newest */
    struct token_request request;
    struct token_response answer;
    uint64_t sequence;          /* of the newest lease */
    uint64_t epoch;
    struct auth *controller;        /* NULL: frames are bare */
    struct auth_user *own;
    uint32_t untrue;                /* frames of the host that the controller would refuse */
    uint16_t key_id;                /* of the newest that it would not */
    uint8_t sent[DATAGRAM_MAX];     /* the newest of the host */
    uint32_t sent_bytes;
};

/* setup: an agent that has started at 1 s, its first writes out. */
void host_start(struct host *host);

/* any: the agent again, as a new process. */
void host_restart(struct host *host);

/* any: the time goes on by this much, in steps of a millisecond, with a turn each. */
void host_pass(struct host *host, int64_t ns);

/* any: every write that is out returns now and is in force. */
void host_settle(struct host *host);

/* any: one device's write returns. */
void host_return(struct host *host, uint32_t device, int rc);

/* any: the controller answers the newest report with this cap for 1 s. What agent_receive said. */
int host_lease(struct host *host, int64_t cap_mw);

/* any: its frame as it leaves the controller, which answers under the key that the host used. */
uint32_t host_frame(struct host *host, const struct lease *lease, uint8_t data[DATAGRAM_MAX]);

/* any: a lease as it stands. */
int host_send(struct host *host, const struct lease *lease);

/* any: the lease that host_lease would send. */
struct lease host_next_lease(struct host *host, int64_t cap_mw);

/* any: through boot: devices at fail-safe, the epoch saved, a lease of this cap obeyed and in force. */
void host_govern(struct host *host, int64_t cap_mw);

/* any: the sum in force, all devices. */
int64_t host_cap_mw(const struct host *host);

#endif
