/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking a node out under load (safety.md section 10): "leases lowered, receipts awaited, then safe to
 * transfer". What may be lent on the loss that covers the node is withdrawn, so that leases fall to what
 * every survivor may carry for good. Then S and D of that loss are held against the steady limits of all
 * nodes, in parts, over and over: D falls only as reports show cuts enforced, so it is what the receipts are.
 * A host that hangs below the node and is silent, or counts at phys_max, is no evidence of anything and keeps
 * the order waiting. Once safe it stays under watch: what breaks it later takes the word back.
 */
#ifndef FLYBALL_CORE_MAINTENANCE_H
#define FLYBALL_CORE_MAINTENANCE_H

#include "core/ledger.h"
#include "core/pipeline.h"
#include "msg/order.h"

/* What stands against it, as far as the nodes and hosts of one round over the site have shown. */
struct maintenance_round {
    uint32_t nodes, node;       /* above their limits: how many, and the first */
    uint32_t hosts, host;       /* silent or at phys_max: how many, and the first */
};

struct maintenance_item {
    uint64_t number;            /* of the order; 0 = this place is free */
    uint32_t node;              /* to be taken out */
    uint32_t contingency;       /* that loses it */
    uint8_t state;              /* enum maintenance_state */
    uint8_t reserved[7];
    struct maintenance_round found;     /* the last whole round */
    struct maintenance_round open;      /* the one under way */
    uint64_t taken_back;        /* times that it was safe and is not any more */
};

struct maintenance {
    const struct model *model;
    struct maintenance_item item[CONTINGENCIES_MAX];
    uint32_t count;             /* under way */
    uint32_t at, cursor;        /* item whose round is under way; node, then host of it */
    uint32_t withdrawn;         /* bit c: what may be lent under contingency c is withdrawn */
};

/* setup */
void maintenance_init(struct maintenance *maintenance, const struct model *model);

/* rt: ORDER_TAKE_OUT and ORDER_PUT_BACK; the caller withdraws what `withdrawn` says from now on. */
enum order_refusal maintenance_take_out(struct maintenance *maintenance, const struct slot_order *order);
enum order_refusal maintenance_put_back(struct maintenance *maintenance, const struct slot_order *order);

/* rt, in parts of a tick: visits at most `items` nodes or hosts. */
void maintenance_part(struct maintenance *maintenance, const struct ledger *ledger, int64_t t_ns,
                      uint32_t items);

#endif
