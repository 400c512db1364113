/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that bench/loops measures, and the blocks in which it does so. */
#ifndef FLYBALL_BENCH_LOOPS_HARNESS_H
#define FLYBALL_BENCH_LOOPS_HARNESS_H

#include "bench/loops/floor.h"
#include "bench/loops/hogs.h"
#include "bench/loops/saturation.h"
#include "bench/loops/sockets.h"
#include "bench/loops/stage.h"
#include "bench/loops/tally.h"
#include "bench/loops/worker.h"

/* In one of LONG_ROUNDS run the blocks that come seldom, in one of RARE_ROUNDS the searches. */
enum { CONTENDERS_MAX = 64, LONG_ROUNDS = 3, RARE_ROUNDS = 6 };

/* Whole loops, each with a port and a network of its own. */
enum stand_name { STAND_AF_PACKET_AUTH, STAND_AF_PACKET, STAND_AF_XDP_AUTH, STAND_URING_AUTH,
                  STAND_USER, STANDS, STAND_NONE = STANDS };

struct harness;
struct contender;

/* One row of the table: what can be measured. */
struct kind {
    const char *name, *what, *path, *driver, *load;
    bool auth, neighbour;
    bool seldom;                /* not in every round: a block of it takes a second */
    bool search;                /* of the highest rate: many blocks in one, and fewer still */
    bool stamped;               /* by the kernel's stamps of the client's socket, not around its calls */
    uint32_t pause_us;          /* before each exchange; 0: as short as may be */
    uint32_t count;             /* datagrams a second of an open loop, or of a burst */
    enum stand_name stand;      /* what it needs: a loop, or the kernel's sockets */
    bool sockets;
    void (*job)(struct worker *worker, void *argument);     /* of the sockets */
    void (*block)(struct harness *harness, struct contender *contender, int64_t end_ns);
    bool probes;                /* all armed meanwhile */
    const char *after;          /* measured right behind the blocks of that one */
    const char *beside;         /* measured in the blocks of that one, exchange by exchange in turn */
};

struct contender {
    const struct kind *kind;
    struct contender *beside;   /* whose exchanges lie in its blocks; NULL: nobody's */
    struct contender *after;    /* likewise */
    struct tally tally;
    struct block_samples samples;
    struct stages stages;       /* of the loop, in its blocks alone */
    struct saturation *saturation;      /* of a search */
    char why[200];              /* it is not measured, "" */
    bool chosen;
};

struct harness {
    struct worker worker;
    struct hogs hogs;
    struct floor floor;
    struct sockets sockets;
    struct rtt_stand stand[STANDS];
    bool stand_up[STANDS], sockets_up;
    struct core_counters before[STANDS];    /* of each loop's core, when it first stood still */
    struct contender contender[CONTENDERS_MAX];
    uint32_t contenders;
    int64_t block_ns, span_ns;
    int64_t long_ns;            /* a block that comes seldom */
    uint32_t rounds, round;
    uint32_t answer_bytes;      /* of a lease with a tag: every echo's, too */
    const volatile sig_atomic_t *told_to_stop;
};

/* The table; ends with a row without a name. */
extern const struct kind kind_table[];

/* setup: stands for what is chosen. A stand that cannot be opened leaves its contenders with a reason. 0, or
 * an exit code where nothing can be measured. */
int harness_open(struct harness *harness);
/* setup: threads up, all leased and parked. */
int harness_start(struct harness *harness);
void harness_close(struct harness *harness);

/* any: what a stand is called in the output. */
const char *harness_stand_name(uint32_t stand);

/* What it takes in RARE_ROUNDS rounds, about; what the floor takes. */
int64_t block_cost_ns(const struct harness *harness, const struct kind *kind);
int64_t block_floor_cost_ns(const struct harness *harness);

/* One contender's block; one of the floor's, from 0 to FLOORS - 1. */
enum { FLOORS = 3 };
void block_run(struct harness *harness, struct contender *contender, uint32_t round);
void block_floor(struct harness *harness, uint32_t which, uint32_t round);

/* Blocks. */
void block_emergency(struct harness *harness, struct contender *contender, int64_t end_ns);
void block_armed(struct harness *harness, struct contender *contender, int64_t end_ns);
void block_report(struct harness *harness, struct contender *contender, int64_t end_ns);
void block_stamped(struct harness *harness, struct contender *contender, int64_t end_ns);
void block_echo(struct harness *harness, struct contender *contender, int64_t end_ns);
void block_echo_one(struct harness *harness, struct contender *contender, int64_t end_ns);
void block_open_loop(struct harness *harness, struct contender *contender, int64_t end_ns);
void block_burst(struct harness *harness, struct contender *contender, int64_t end_ns);
void block_sockets(struct harness *harness, struct contender *contender, int64_t end_ns);
void block_sockets_one(struct harness *harness, struct contender *contender, int64_t end_ns);

#endif
