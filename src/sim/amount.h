/* SPDX-License-Identifier: Apache-2.0 */
/* Quantities as workload.yaml writes them: every time and share carries its unit. */
#ifndef FLYBALL_SIM_AMOUNT_H
#define FLYBALL_SIM_AMOUNT_H

#include <stdbool.h>
#include <stdint.h>

/* any: "900ms", "2s", "200us", "1min", "2h" -> ns. */
bool amount_time(const char *text, int64_t *ns);

/* any: "35%" -> 0.35. */
bool amount_share(const char *text, double *share);

/* any: a bare number, for multiples and counts. */
bool amount_number(const char *text, double *number);

#endif
