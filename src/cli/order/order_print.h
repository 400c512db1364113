/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLYBALL_CLI_ORDER_PRINT_H
#define FLYBALL_CLI_ORDER_PRINT_H

#include <jansson.h>
#include <stdio.h>

/* What is in force, a row each. */
void order_print(FILE *out, const json_t *orders);

/* Contracts alone, under a head; nothing where there are none. */
void order_print_contracts(FILE *out, const json_t *contracts);

/* One node that is being taken out: "A: lowering; 2 nodes above their limits, first main; ...". */
void order_print_maintenance(FILE *out, const json_t *item);

#endif
