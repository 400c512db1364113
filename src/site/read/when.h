/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The condition of an alert: text -> flat program (msg/when.h) and back.
 *
 *   either     = all {"or" all}
 *   all        = one {"and" one}
 *   one        = "not" one | lasting
 *   lasting    = ("(" either ")" | comparison) ["for" TIME]
 *   comparison = QUANTITY [("<" | "<=" | ">" | ">=") VALUE ["clear" VALUE]]
 */
#ifndef FLYBALL_SITE_WHEN_H
#define FLYBALL_SITE_WHEN_H

#include <stddef.h>

#include "msg/when.h"

enum {
    WHEN_FAULT_BYTES = 400,
    WHEN_TEXT_BYTES = 4096,     /* of any program, written */
};

struct when_fault {
    uint32_t at;                /* byte of the text at which the token stands that is wrong */
    char words[WHEN_FAULT_BYTES];
};

/* setup: compiles `text`. hysteresis_ppm, 0 to 500000: what clears a comparison that does not say `clear`, as
 * a share of its bound; of a frequency, of 1 Hz. 0, or -EINVAL and `fault` says why. */
int when_parse(const char *text, int64_t hysteresis_ppm, struct when_program *program,
               struct when_fault *fault);

/* any: a program that journal_alert_fault (record/) finds nothing in, written so that when_parse with
 * hysteresis 0 makes the same of it: every pair in parentheses, every `clear` that is not the bound. Returns
 * `text`. */
const char *when_write(const struct when_program *program, char text[WHEN_TEXT_BYTES]);

/* any: a name of the site file; the unit that its values are written in: an enum quantity of
 * site/read/quantity.h. */
const char *when_quantity_name(enum when_quantity quantity);
uint32_t when_quantity_unit(enum when_quantity quantity);
const char *when_quantity_meaning(enum when_quantity quantity);

#endif
