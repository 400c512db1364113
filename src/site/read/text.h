/* SPDX-License-Identifier: Apache-2.0 */
/* What is checked of a file's bytes before a YAML parser sees them. */
#ifndef FLYBALL_SITE_TEXT_H
#define FLYBALL_SITE_TEXT_H

#include <stddef.h>

#include "site/check/findings.h"

enum { TEXT_BRACKETS_MAX = 256 };   /* that look open at once, wherever they stand */

/* setup: is it UTF-8 without control characters and without a flood of brackets? 0, or -1 and a finding. */
int text_check(const char *text, size_t bytes, struct findings *errors);

#endif
