/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders on their way in. Whoever gives one (the door, a schedule) hands it over here: it is checked against
 * the site, gets the next number, is on the disk before decide can see it, enters the cold lane, and is
 * answered by what the core did. At a start what is still in force is given again under its own number, so it
 * is in force once however often the daemon was killed in between.
 */
#ifndef FLYBALL_LOOP_ORDERS_H
#define FLYBALL_LOOP_ORDERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include "loop/board.h"
#include "loop/count.h"
#include "record/orders.h"
#include "ring/spsc.h"
#include "site/site.h"
#include "time/timebase.h"

enum {
    /* in force at one time: contracts, maintenance, mode, forecasts */
    ORDERS_KEPT_MAX = 4 * CONTRACTS_MAX,
    ORDERS_PLACES = 256,                    /* of the lane: room for all of these at a start */
    ORDERS_ERROR_BYTES = 200,
};
static_assert(ORDERS_PLACES > ORDERS_KEPT_MAX, "what is in force fits into the lane at a start");

/* Ids of contracts that stand in the site file begin here, two each: its cap, its ramp. Those of orders
 * are numbers of the order that named them first. */
#define ORDERS_SITE_CONTRACT UINT32_C(0x80000000)

struct orders {
    /* constant after build */
    const struct site *site;
    const struct timebase *base;
    struct spsc *out;
    const struct board *board;
    uint8_t lane;
    _Atomic bool *stopped;          /* no hot thread is left */
    /* under the lock: the door's thread and the schedule's */
    pthread_mutex_t lock;
    struct orders_log log;
    uint64_t newest;                /* number */
    uint32_t kept;
    struct order_entry entry[ORDERS_KEPT_MAX];  /* in force, or going to be */
    count_t given, refused, fed_again, lost;
};

/* What became of an order. `number` 0: it got none. */
struct orders_answer {
    uint64_t number;
    bool decided;                   /* core has answered: `verdict`; else `error` says why not */
    enum order_refusal verdict;
    int error;                      /* -errno: nothing changed; -ETIMEDOUT: in the log, not answered yet */
    char text[ORDERS_ERROR_BYTES];  /* in words, "" where all is well */
};

/* setup: reads the log at `path` ("" = none) and feeds what is in force; notes what it found. The queue
 * stands and nobody reads it yet. 0 or -errno with `error`. */
int orders_start(struct orders *orders, const char *path, FILE *notes, char *error, size_t error_bytes);
void orders_stop(struct orders *orders);

/* cold: gives an order. Of `entry` the caller fills order.kind and the values of its kind, uid, subject,
 * contract; for a contract of the site file order.contract too. Waits up to 1 s for the answer. */
struct orders_answer orders_give(struct orders *orders, struct order_entry *entry);

/* cold: the answer to "orders": what is in force, as JSON. */
void orders_document(struct orders *orders, FILE *out);

/* A contract in force: its figures, and by what name, over which nodes, and by whom it was given. */
#define ORDERS_NOBODY UINT32_MAX    /* a user: the site file gave it, or it is not known */
struct orders_contract {
    struct core_contract_view view;
    char name[NAME_BYTES];
    bool of_site;
    uint32_t uid;
    uint32_t count, node[ORDER_NODES_MAX];
};

/* cold: the one of this id; false: it is not in force. */
bool orders_contract(struct orders *orders, uint32_t id, struct orders_contract *contract);

/* cold: of the caps that bound the load of this node, alone or with others, the one with the least watts;
 * false: there is none. */
bool orders_cap_over(struct orders *orders, uint32_t node, struct orders_contract *contract);

/* cold: contracts over several nodes that are breached now, and the name of the first. */
uint32_t orders_breached(struct orders *orders, char name[NAME_BYTES]);

/* cold, under the lock: the one at a place of the board; all of them as a member of an open JSON object; who
 * gave an order, by name, as a JSON value. */
bool orders_contract_at(const struct orders *orders, uint32_t place, struct orders_contract *contract);
void orders_write_contracts(const struct orders *orders, FILE *out);
void orders_write_giver(FILE *out, uint32_t uid);

/* any: the numbers of what the entry names; false where the model has none of it, or where nodes are more
 * than an order can name. Entries of the site file's contracts are by number already. */
bool orders_resolve(const struct model *model, struct order_entry *entry);

/* any: the word and the meaning of a refusal. */
const char *orders_refusal_name(enum order_refusal refusal);
const char *orders_refusal_text(enum order_refusal refusal);
const char *orders_kind_name(uint32_t kind);

#endif
