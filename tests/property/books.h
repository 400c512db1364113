/* SPDX-License-Identifier: Apache-2.0 */
/* Sums that the decision keeps by difference, held against the same sums added up anew over all hosts. */
#ifndef FLYBALL_TESTS_BOOKS_H
#define FLYBALL_TESTS_BOOKS_H

#include <stdbool.h>

#include "core/core.h"

/* To the last mVA: D, S and S at fail-safe, cells over a ceiling, what hosts draw and are committed to; and
 * what is known to be left is left. NULL, or what does not balance. */
const char *books_balance(const struct core *core);

#endif
