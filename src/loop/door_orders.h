/* SPDX-License-Identifier: Apache-2.0 */
/* An order as it comes to the door: "order" and the name of its kind, then pairs, all parted by tabs:
 * node= host= name= mode= (off, shadow, advise, enforce), value_mw= down_mw_per_s= within_ns= for_ns=. */
#ifndef FLYBALL_LOOP_DOOR_ORDERS_H
#define FLYBALL_LOOP_DOOR_ORDERS_H

#include "loop/orders.h"

/* any: the request, NUL-terminated and changed by this. False with `error` in words where it is none. */
bool door_orders_parse(char *request, struct order_entry *entry, char *error, size_t error_bytes);

/* cold: parses, gives, answers with one JSON object. */
void door_orders_answer(struct orders *orders, char *request, uint32_t uid, FILE *out);

#endif
