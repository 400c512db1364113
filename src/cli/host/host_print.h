/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLYBALL_CLI_HOST_HOST_PRINT_H
#define FLYBALL_CLI_HOST_HOST_PRINT_H

#include <stdio.h>

#include "cli/host/host_sum.h"

/* any: a page of 80 columns; `now_ns` tells how old the newest sample is; without `blocks` bars are ASCII. */
void host_print(FILE *out, const char *host, const struct host_sum *sum, int64_t now_ns, bool blocks);

/* any: one JSON object, every record in it. */
void host_json(FILE *out, const char *host, const struct host_sum *sum, const struct history_record *record,
               uint64_t count, int64_t now_ns);

#endif
