/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the reader of conditions. */
#ifndef FLYBALL_SITE_WHEN_INSIDE_H
#define FLYBALL_SITE_WHEN_INSIDE_H

#include <stdbool.h>

#include "site/read/when.h"

enum when_token_kind {
    TOKEN_END,
    TOKEN_WORD,                 /* a quantity, or one of: and or not for clear */
    TOKEN_NUMBER,               /* with its unit, where it has one */
    TOKEN_COMPARE,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_WRONG,                /* a character that has no meaning */
};

enum { WHEN_TOKEN_BYTES = 64 };

struct when_token {
    uint8_t kind;               /* enum when_token_kind */
    uint8_t op;                 /* enum when_op, of TOKEN_COMPARE */
    uint32_t at;                /* byte of the text */
    char text[WHEN_TOKEN_BYTES];    /* cut where it is longer */
};

/* setup: the token at or behind byte `from`; returns the byte behind it. */
uint32_t when_token(const char *text, uint32_t from, struct when_token *token);

/* setup: a number with a unit of that kind of quantity (site/read/quantity.h), for `name`. 0, or -EINVAL. */
int when_number(const struct when_token *token, const char *name, uint32_t unit, int64_t *value,
                struct when_fault *fault);

#endif
