/* SPDX-License-Identifier: Apache-2.0 */
/* Orders as they enter the decision: each number once, refused with a reason or carried out in its slot. */
#ifndef FLYBALL_CORE_ORDER_H
#define FLYBALL_CORE_ORDER_H

#include "core/core.h"

/* rt: core->slot is the order. Its verdict stands in core->order. */
void order_take(struct core *core, const struct slot_order *order);

/* rt, a tick: contracts whose time is over end. */
void order_tick(struct core *core);

/* rt: the meter of a node was read; not in a slot in which an emergency has cut. */
void order_reading(struct core *core, uint32_t node, int64_t measured_mw);

#endif
