/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key file. Mode 0600 or 0400, one key a line; `#` begins a comment:
 *
 *     host  NAME  ID  KEY  [not-before=TIME] [not-after=TIME] [revoked]
 *     meter NAME  ID  KEY  ...
 *
 * ID is 1 to 65535 and in the header of every frame; of one host no two are the same, of all meters neither,
 * since a meter's frame names nobody else. KEY is 32 hexadecimal digits. TIME is UTC: 2026-11-22T10:00:00Z.
 */
#ifndef FLYBALL_AUTH_KEYS_H
#define FLYBALL_AUTH_KEYS_H

#include <stdio.h>

#include "auth/mac.h"
#include "msg/limits.h"

enum { AUTH_ROWS_MAX = 65536, AUTH_LINE_BYTES = 256 };

enum auth_who { AUTH_HOST = 1, AUTH_METER };

struct auth_row {
    char name[NAME_BYTES];
    uint8_t who;                            /* enum auth_who */
    bool revoked;
    uint16_t id;
    uint32_t line;
    int64_t not_before_s, not_after_s;      /* UTC; INT64_MIN, INT64_MAX where not given */
    uint8_t secret[AUTH_KEY_BYTES];
    uint8_t up[AUTH_KEY_BYTES], down[AUTH_KEY_BYTES];   /* derived of it, for this peer */
};

struct auth_keys {
    struct auth_row *row;
    uint32_t count;
};

/* cold: reads and checks a whole file. What is wrong goes to `report`, "file:line: error: ..." a line, and
 * nothing is kept. 0, -EINVAL (wrong in it, or may be read by others), or another -errno. */
int auth_keys_read(struct auth_keys *keys, const char *path, FILE *report);

/* cold: the secrets are erased, memory freed. */
void auth_keys_free(struct auth_keys *keys);

/* cold: a whole file beside it, synced, then under its name: mode 0600. 0 or -errno. */
int auth_keys_write(const struct auth_keys *keys, const char *path);

/* cold: one line, as in the file. */
void auth_row_print(const struct auth_row *row, FILE *out);

/* any: is it in force at now_s? */
bool auth_row_in_force(const struct auth_row *row, int64_t now_s);

/* any: UTC as in the file. The text has AUTH_TIME_BYTES; a bad one is refused. */
enum { AUTH_TIME_BYTES = 24 };
void auth_time_text(int64_t t_s, char text[AUTH_TIME_BYTES]);
bool auth_time_read(const char *text, int64_t *t_s);

#endif
