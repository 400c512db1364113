/* SPDX-License-Identifier: Apache-2.0 */
/* From a key file to what hot threads look at. */
#ifndef FLYBALL_AUTH_TABLE_H
#define FLYBALL_AUTH_TABLE_H

#include "auth/auth.h"

enum { AUTH_KEY_IDS = 65536 };

/* cold: the whole table. Of more than AUTH_KEYS_MAX keys of one peer those stay that are in force or will be,
 * the newest first; ended ones only where there is room. */
void auth_table_fill(const struct auth *auth, struct auth_table *table, const struct auth_keys *keys,
                     int64_t now_s);

#endif
