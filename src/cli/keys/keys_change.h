/* SPDX-License-Identifier: Apache-2.0 */
/* What `flyball keys` does to the rows of a key file, apart from files. */
#ifndef FLYBALL_CLI_KEYS_CHANGE_H
#define FLYBALL_CLI_KEYS_CHANGE_H

#include "auth/auth.h"
#include "msg/model.h"

struct keys_change {
    struct auth_keys *keys;
    const struct model *model;
    const char *name;               /* of one host or meter; NULL: all */
    uint32_t id;                    /* of one key; 0: all */
    int64_t now_s, overlap_s;
    uint32_t changed;               /* rows made or revoked */
};

/* cold: a key for each host and meter; the keys were empty. 0, -ENOMEM, or -EIO where the kernel gives no
 * random numbers. */
int keys_make(struct keys_change *change);

/* cold: one more key for each or for `name`, in force at once; those in force before end overlap_s later. 0,
 * -ENOENT (no such name), -E2BIG (a peer has AUTH_KEYS_MAX in force or to come: change->name), as above. */
int keys_rotate(struct keys_change *change);

/* cold */
void keys_revoke(struct keys_change *change);

/* cold: the rows of one name, as in the file. How many. */
uint32_t keys_print(const struct auth_keys *keys, const char *name, FILE *out);

/* any: "90s", "10min", "2h", "1d" in seconds. */
bool keys_span(const char *text, int64_t *span_s);

#endif
