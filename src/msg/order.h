/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an operator, an API or a schedule may ask of a running controller. An order is journalled durably by
 * the door before it enters a lane, and takes effect where decide processes its slot. None may loosen what
 * the site file bounds. A number is used once: an order whose number is not above the newest is counted and
 * changes nothing, so a repeat after a crash is harmless.
 */
#ifndef FLYBALL_MSG_ORDER_H
#define FLYBALL_MSG_ORDER_H

#include "msg/limits.h"

/* X(symbol, name, meaning) */
#define ORDERS(X) \
    X(ORDER_MODE, "mode", "the site's mode, at most that of the site file") \
    X(ORDER_CAP, "cap", "a contract limit: load of its nodes at most `value_mw` within `within_ns`") \
    X(ORDER_RAMP, "ramp", "ramp limits of a node's sum of caps, mW per second, up and down apart") \
    X(ORDER_LIFT, "lift", "takes the cap or ramp of that contract away") \
    X(ORDER_TAKE_OUT, "take_out", "maintenance: leases are lowered until a node may be lost") \
    X(ORDER_PUT_BACK, "put_back", "the end of it") \
    X(ORDER_FORECAST, "forecast", "a host is expected to want `value_mw` from `within_ns` on")

#define ORDER_SYMBOL(symbol, name, meaning) symbol,
enum order_kind { ORDER_NOTHING, ORDERS(ORDER_SYMBOL) ORDER_KIND_COUNT };
#undef ORDER_SYMBOL

/* Why an order changes nothing. X(symbol, name, meaning) */
#define ORDER_REFUSALS(X) \
    X(ORDER_REFUSED_KIND, "kind", "no such order") \
    X(ORDER_REFUSED_NUMBER, "number", "its number is not above the newest one") \
    X(ORDER_REFUSED_NODE, "node", "no such node or host, or one that this order cannot be given for") \
    X(ORDER_REFUSED_VALUE, "value", "a value out of range") \
    X(ORDER_REFUSED_LOOSENS, "loosens", "it would loosen what the site file bounds") \
    X(ORDER_REFUSED_FULL, "full", "as many contracts as can be held are in force")

#define ORDER_REFUSAL_SYMBOL(symbol, name, meaning) symbol,
enum order_refusal { ORDER_TAKEN, ORDER_REFUSALS(ORDER_REFUSAL_SYMBOL) ORDER_REFUSAL_COUNT };
#undef ORDER_REFUSAL_SYMBOL

struct slot_order {
    uint32_t kind;              /* enum order_kind */
    uint32_t node;              /* index into model.node; of a forecast into model.host */
    uint64_t number;            /* ascending over all orders of a site */
    uint32_t contract;          /* of cap, ramp, lift: which one, chosen by the asker */
    uint32_t mode;              /* enum mode */
    int64_t value_mw;           /* wall power, three phases together; ramp: up */
    int64_t down_mw_per_s;      /* ramp: down; 0 = as it likes, also for up */
    int64_t within_ns;          /* from slot time: 0 = at once */
    int64_t for_ns;             /* in force from then on for this long; 0 = until it is lifted */
    uint32_t also_count;        /* cap: further nodes, whose loads it bounds together with that of `node` */
    uint16_t also[ORDER_NODES_MAX - 1];
};

#endif
