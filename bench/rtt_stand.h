/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole loop on a network of its own, with the client that plays its meter and its hosts: what bench/rtt
 * and bench/loops measure. Between two emergencies the branch is measured low, time is skipped, and the hosts
 * report until they are raised again, so that each emergency has something to cut.
 */
#ifndef FLYBALL_BENCH_RTT_STAND_H
#define FLYBALL_BENCH_RTT_STAND_H

#include <signal.h>

#include "bench/rtt_side.h"
#include "loop/loop.h"
#include "record/histogram.h"

enum { RTT_GAP_US = 150, RTT_ERROR_BYTES = 640 };
#define RTT_DANGER_A 260.0
#define RTT_CALM_A 60.0

struct rtt_stand {
    /* the caller's: set before rtt_stand_open */
    const char *site_path;
    const char *driver;         /* NULL: the site's own */
    bool auth;                  /* frames carry tags, both ways */
    bool no_loop;               /* network and client alone: somebody else answers */
    char suffix[5];             /* of its network: 1 to 4 letters or digits, not used by anybody else */
    uint32_t ring_frames;       /* 0: the site's own */
    uint32_t memory_mib;        /* of the first stand that needs it, for all of the process; 0: the site's */
    /* puts another port in the place of the loop's, in the loop's network namespace; NULL: it stays.
     * -errno */
    int (*replace)(struct port *port, const struct site_port *row);
    const volatile sig_atomic_t *told_to_stop;

    struct site site;
    struct loop loop;
    struct port real;           /* the loop's own port, behind the echo */
    struct rtt_echo echo;
    struct rtt_client client;
    struct rtt_keys keys;
    char netns[32];             /* where meter and hosts are */
    int space;                  /* the network namespace of the loop's end */
    bool up, running;
    char error[RTT_ERROR_BYTES];        /* why open or start failed, in words */
};

/* What a kind of exchange has shown. */
struct rtt_side {
    struct histogram first, last;
    uint64_t lost;
    uint64_t cut;               /* emergencies of which each of the 16 leases lowers its host's cap */
    int64_t first_ns, last_ns;  /* of the newest that was answered */
    bool cut_newest;
};

/* setup: network, loop and client. 0, or an exit code with stand->error. To be closed either way. */
int rtt_stand_open(struct rtt_stand *stand);

/* setup: threads up, every host leased, answers of the echo as long as a lease. 0, or an exit code with
 * stand->error. RT throttling is the caller's business. */
int rtt_stand_start(struct rtt_stand *stand);
void rtt_stand_stop(struct rtt_stand *stand);
void rtt_stand_close(struct rtt_stand *stand);

/* setup: what the caller opens next is in the network namespace of the loop's end; and back, with what the
 * first call gave. -errno. */
int rtt_stand_enter(const struct rtt_stand *stand);
int rtt_stand_leave(int home);

/* any: the network is gone, or whoever runs this wants it to end. */
bool rtt_stand_cut_off(const struct rtt_stand *stand);

/* setup: from claims to leases that were raised as far as they go. */
int rtt_warm_up(struct rtt_stand *stand);

/* Every host's cap; true where each is high enough to be cut. And whether each is lower now. */
struct rtt_caps {
    int64_t cap_mw[RTT_HOSTS];
};
bool rtt_note_caps(const struct rtt_client *client, struct rtt_caps *caps);
bool rtt_all_cut(const struct rtt_client *client, const struct rtt_caps *before);

/* One emergency: a reading over the limit, 16 leases cut. `raised` says whether every host had something to
 * be cut from. False when answers are missing. */
bool rtt_emergency(struct rtt_stand *stand, struct rtt_side *side, bool *raised);

/* Behind an emergency: until the hosts are raised again. */
void rtt_calm_down(struct rtt_client *client);

/* One echo: a datagram of the same length, 16 frames of the same length, or one of them. */
bool rtt_bare(struct rtt_stand *stand, struct rtt_side *side);
bool rtt_bare_one(struct rtt_stand *stand, struct rtt_side *side);

/* One report of the next host in turn, and its lease. */
bool rtt_one_report(struct rtt_stand *stand, struct rtt_side *side, uint32_t host);

/* Each host reports once and is answered. */
bool rtt_all_report(struct rtt_client *client);

/* A short sleep, in which the core of the client does what else is to be done. */
void rtt_gap(void);

#endif
