/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/keyring.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

enum { STACK_BYTES = 256 * 1024 };      /* libcrypto derives keys there */

static const char *own_name(const void *keyring, uint32_t index)
{
    (void)index;
    return ((const struct keyring *)keyring)->host;
}

static int64_t utc_s(void)
{
    return (int64_t)time(NULL);
}

/* The file of another host is a mistake; a key that is not in force yet is none. */
static int check_own(const struct keyring *keyring)
{
    const struct auth_keys *keys = &keyring->watch.keys;
    const char *ignored = NULL;
    uint32_t own = 0;
    for (uint32_t i = 0; i < keys->count; i++)
        own += keys->row[i].who == AUTH_HOST && !strcmp(keys->row[i].name, keyring->host);
    if (!own) {
        const struct auth_row *other = &keys->row[0];
        fprintf(keyring->out, "%s:%" PRIu32 ": error: no key of host %s stands in it, but of %s %s\n",
                keyring->watch.path, other->line, keyring->host,
                other->who == AUTH_HOST ? "host" : "meter", other->name);
        return -EINVAL;
    }
    if (auth_watch_keyless(&keyring->watch, AUTH_HOST, &ignored))
        fprintf(keyring->out, "%s: no key of host %s is in force now: nothing is sent or obeyed until then\n",
                keyring->watch.path, keyring->host);
    return 0;
}

int keyring_open(struct keyring *keyring, const struct config *config, FILE *out)
{
    const struct auth_names names = {.hosts = 1, .host = own_name, .names = keyring};
    if (!config->keys[0])
        return 0;
    memcpy(keyring->host, config->host, sizeof keyring->host);
    keyring->out = out;
    keyring->opened = true;
    int error = auth_open(&keyring->auth, AUTH_PEER, &names, 1);
    if (error) {
        fprintf(out, "%s: error: %s\n", config->keys,
                error == -ENOTSUP ? "libcrypto has no SipHash" : strerror(-error));
        return error;
    }
    error = auth_watch_open(&keyring->watch, &keyring->auth, config->keys, utc_s(), out);
    return error ? error : check_own(keyring);
}

void keyring_look(struct keyring *keyring)
{
    if (keyring->opened)
        auth_look(&keyring->auth.user[0]);
}

struct auth_user *keyring_user(struct keyring *keyring)
{
    return keyring->opened ? &keyring->auth.user[0] : NULL;
}

/* False: it is to end. */
static bool rest(struct keyring *keyring)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += AUTH_LOOK_MS / 1000;
    pthread_mutex_lock(&keyring->lock);
    while (!keyring->stop &&
           pthread_cond_timedwait(&keyring->changed, &keyring->lock, &until) != ETIMEDOUT)
        ;
    bool go_on = !keyring->stop;
    pthread_mutex_unlock(&keyring->lock);
    return go_on;
}

static void *look_after(void *user)
{
    struct keyring *keyring = user;
    pthread_setname_np(pthread_self(), "fb-keys");
    while (rest(keyring))
        auth_watch_look(&keyring->watch, utc_s(), keyring->out);
    return NULL;
}

int keyring_start(struct keyring *keyring)
{
    pthread_condattr_t clock;
    pthread_attr_t stack;
    if (!keyring->opened)
        return 0;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&keyring->changed, &clock);
    pthread_condattr_destroy(&clock);
    pthread_mutex_init(&keyring->lock, NULL);
    pthread_attr_init(&stack);
    pthread_attr_setstacksize(&stack, STACK_BYTES);
    int error = pthread_create(&keyring->thread, &stack, look_after, keyring);
    pthread_attr_destroy(&stack);
    if (error)
        keyring->thread = 0;
    return -error;
}

static bool end_thread(struct keyring *keyring, int64_t until_ns)
{
    struct timespec until = {.tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S};
    if (!keyring->thread)
        return true;
    pthread_mutex_lock(&keyring->lock);
    keyring->stop = true;
    pthread_cond_signal(&keyring->changed);
    pthread_mutex_unlock(&keyring->lock);
    return !pthread_clockjoin_np(keyring->thread, NULL, CLOCK_MONOTONIC, &until);
}

bool keyring_close(struct keyring *keyring, int64_t until_ns)
{
    if (!keyring->opened)
        return true;
    if (!end_thread(keyring, until_ns))
        return false;
    auth_watch_close(&keyring->watch);
    auth_close(&keyring->auth);
    keyring->opened = false;
    keyring->thread = 0;
    return true;
}
