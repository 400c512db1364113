/* SPDX-License-Identifier: Apache-2.0 */
/* A token is made. */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "auth/enlist.h"
#include "cli/cli.h"
#include "cli/keys/keys_enrol.h"
#include "cli/keys/keys_lock.h"

static int keep(const char *key_path, const struct tokens_row *row)
{
    struct enlist enlist;
    int error = enlist_open(&enlist, key_path, stderr);
    int lock = error ? error : keys_lock(key_path);
    if (lock < 0)
        return keys_fail(key_path, lock);
    error = enlist_token(&enlist, row, (int64_t)time(NULL));
    enlist_close(&enlist);
    close(lock);
    return error ? keys_fail(enlist.tokens_path, error) : CLI_OK;
}

int keys_token(const struct model *model, const char *key_path, const char *name, int64_t valid_s)
{
    uint8_t token[ENROL_TOKEN_BYTES];
    char text[2 * ENROL_TOKEN_BYTES + 1], until[AUTH_TIME_BYTES];
    struct tokens_row row = {.not_after_s = (int64_t)time(NULL) + valid_s};
    uint32_t host = 0;
    while (host < model->host_count && strcmp(model->host[host].name, name) != 0)
        host++;
    if (host == model->host_count) {
        fprintf(stderr, "flyball keys: no host of the site has the name %s\n", name);
        return CLI_USAGE;
    }
    snprintf(row.name, sizeof row.name, "%s", name);
    if (getrandom(token, sizeof token, 0) != (ssize_t)sizeof token || enrol_store(token, &row.stored))
        return keys_fail("a token", -EIO);
    int result = keep(key_path, &row);
    if (result)
        return result;
    tokens_hex(token, sizeof token, text);
    auth_time_text(row.not_after_s, until);
    fprintf(stderr, "flyball keys: good once, for %s, until %s; it is kept nowhere\n", name, until);
    printf("%s\n", text);
    OPENSSL_cleanse(token, sizeof token);
    OPENSSL_cleanse(text, sizeof text);
    return fflush(stdout) ? CLI_CONNECT : CLI_OK;
}
