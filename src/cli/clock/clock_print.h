/* SPDX-License-Identifier: Apache-2.0 */
/* The answer to "clock" (loop/document_clock.c) for people. */
#ifndef FLYBALL_CLI_CLOCK_CLOCK_PRINT_H
#define FLYBALL_CLI_CLOCK_CLOCK_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* any */
void clock_print(FILE *out, const json_t *clock);

/* any: locked, and no meter is off. */
bool clock_is_well(const json_t *clock);

#endif
