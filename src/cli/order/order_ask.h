/* SPDX-License-Identifier: Apache-2.0 */
/* Orders and what is in force, asked of the door and told in words. */
#ifndef FLYBALL_CLI_ORDER_ASK_H
#define FLYBALL_CLI_ORDER_ASK_H

#include <jansson.h>

enum { ORDER_REQUEST_BYTES = 512 };

/* Gives an order (the request that loop/door_orders.h describes). CLI_OK: taken, its number is printed; else
 * told why. */
int order_give(const char *verb, const char *door, const char *request);

/* What is in force. NULL: told why. */
json_t *order_list(const char *verb, const char *door);

#endif
