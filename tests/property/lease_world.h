/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few hosts on one node, several controllers, and a network that does its worst: small enough that ten
 * thousand histories run in seconds. Real holders and real ledgers; an adversary who raises whenever the
 * ledger allows it. Faults of the protocol can be planted from outside, one at a time.
 */
#ifndef FLYBALL_TESTS_LEASE_WORLD_H
#define FLYBALL_TESTS_LEASE_WORLD_H

#include "chance.h"
#include "core/holder.h"
#include "core/ledger.h"

enum { FEW_HOSTS = 3, CONTROLLERS = 4, POST_MAX = 1024, STEP_NS = 5000000 };
enum { FAIL_SAFE_MW = 2000000, CAP_MAX_MW = 10000000, PHYS_MAX_MW = 12000000 };

/* What safety.md section 12 wants refuted, and an epoch that a crash forgets. X(symbol, name) */
#define PLANTS(X) \
    X(PLANT_NOTHING, "nothing") \
    X(PLANT_FROM_RECEIPT, "D counted from receipt") \
    X(PLANT_X_RETIRES, "X retires") \
    X(PLANT_IN_FLIGHT, "writes in flight ignored") \
    X(PLANT_INCARNATION, "no incarnation") \
    X(PLANT_MISMATCH, "fail-safe mismatch ignored") \
    X(PLANT_FIRST_REPORT, "a new controller trusts its first report") \
    X(PLANT_RENEWALS, "renewals while I1a is false") \
    X(PLANT_EPOCH, "an epoch that a crash forgets") \
    X(PLANT_LOW_ACCOUNT, "a hand-over of the newest cap instead of the exposure") \
    X(PLANT_STOPPED, "a hand-over from a controller that is only stopped")

#define PLANT_SYMBOL(symbol, name) symbol,
enum plant { PLANTS(PLANT_SYMBOL) PLANT_COUNT };
#undef PLANT_SYMBOL

struct few_host {
    struct holder holder;
    struct holder_config config;
    bool alive;
    int64_t down_until_ns;
    double rate;                /* of its clock */
    int64_t offset_ns;
    uint64_t epoch_saved, births;
    int64_t cap_mw;             /* the device's */
    int64_t write_mw, write_done_ns;    /* in flight, -1 = none */
    bool write_is_mine;         /* of the agent that runs now */
    bool stalled;               /* the write in flight takes longer than any should */
    int64_t linger_mw, linger_until_ns; /* a cut is felt only when it has settled */
};

struct controller {
    struct ledger ledger;
    struct ledger_host host[FEW_HOSTS];
    struct ledger_sums node;
    bool alive;
    int64_t stopped_until_ns;
    bool hears[FEW_HOSTS], reaches[FEW_HOSTS];
    int64_t sent_ns[FEW_HOSTS]; /* newest lease above fail-safe */
};

struct letter {
    int64_t due_ns;
    uint32_t controller;        /* that it is for; CONTROLLERS: for a host */
    union { struct lease lease; struct report report; };
};

struct few {
    enum plant plant;
    struct chance chance;
    struct model model;
    struct model_node node;
    struct model_host host_model[FEW_HOSTS];
    struct model_host_type type;
    struct few_host host[FEW_HOSTS];
    struct controller controller[CONTROLLERS];
    uint32_t newest;            /* controller with the highest epoch: its ledger has to cover everything */
    uint64_t epoch;
    int64_t t_ns;
    double loss, twice, slow;
    int64_t quick_ns, slow_ns;
    bool rough;                 /* agents and controllers die, links are cut, writes stall */
    struct letter letter[POST_MAX];
    uint32_t letters;
    uint64_t obeyed, above, handed;     /* leases; hand-overs */
    const char *broken;         /* the first rule that was, NULL = none */
    uint32_t broken_host;
};

void few_open(struct few *few, uint64_t seed, enum plant plant);

/* One step of everything; false once a rule is broken. */
bool few_step(struct few *few);

/* The most the host could draw now, mW. */
int64_t few_worst_mw(const struct few *few, uint32_t host);

#endif
