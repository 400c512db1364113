/* SPDX-License-Identifier: Apache-2.0 */
/* A token is made; and what all do who write beside a key file. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "auth/enlist.h"
#include "cli/cli.h"
#include "cli/keys/keys_enrol.h"

int keys_lock(const char *key_path)
{
    char path[ENLIST_PATH_BYTES];
    if (snprintf(path, sizeof path, "%s.lock", key_path) >= (int)sizeof path)
        return -ENAMETOOLONG;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX)) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd < 0 ? -errno : fd;
}

int keys_fail(const char *path, int error)
{
    fprintf(stderr, "flyball keys: %s: %s\n", path,
            error == -EBADMSG ? "a line is not that of a token"
            : error == -EPERM ? "others than its owner may open it, or it is somebody else's"
                              : strerror(-error));
    return error == -EBADMSG || error == -EPERM ? CLI_CONFIG : CLI_CONNECT;
}

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
