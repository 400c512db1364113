/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/saying.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "msg/limits.h"
#include "ring/arena.h"

enum { STACK_BYTES = 64 * 1024, PIECE_BYTES = 512 };

/* A line that has no room is lost whole; the stream is told that it was taken, or it would keep it. */
static ssize_t put(void *user, const char *text, size_t bytes)
{
    struct saying *saying = user;
    pthread_mutex_lock(&saying->lock);
    if (SAYING_BYTES - (saying->put - saying->taken) < bytes) {
        saying->lost++;
    } else {
        for (size_t i = 0; i < bytes; i++)
            saying->byte[(saying->put + i) % SAYING_BYTES] = text[i];
        saying->put += bytes;
    }
    pthread_cond_signal(&saying->changed);
    pthread_mutex_unlock(&saying->lock);
    return (ssize_t)bytes;
}

/* Waits for something to write; 0: nothing is left and the end was asked for. */
static size_t take(struct saying *saying, char piece[PIECE_BYTES])
{
    size_t bytes = 0;
    pthread_mutex_lock(&saying->lock);
    while (!saying->stop && saying->put == saying->taken && !saying->lost)
        pthread_cond_wait(&saying->changed, &saying->lock);
    while (bytes < PIECE_BYTES && saying->taken < saying->put)
        piece[bytes++] = saying->byte[saying->taken++ % SAYING_BYTES];
    if (!bytes && saying->lost) {
        bytes = (size_t)snprintf(piece, PIECE_BYTES,
                                 "flyball-agent: %" PRIu64 " lines were lost: nobody read\n", saying->lost);
        saying->lost = 0;
    }
    pthread_mutex_unlock(&saying->lock);
    return bytes;
}

static void *write_out(void *user)
{
    struct saying *saying = user;
    char piece[PIECE_BYTES];
    pthread_setname_np(pthread_self(), "fb-say");
    arena_seal_thread();
    for (size_t bytes; (bytes = take(saying, piece)) > 0;) {
        ssize_t done = 0;
        for (size_t at = 0; at < bytes && done >= 0; at += (size_t)done)
            done = write(saying->fd, piece + at, bytes - at);   /* what it does not take is gone */
    }
    return NULL;
}

int saying_open(struct saying *saying, int fd)
{
    const cookie_io_functions_t functions = {.write = put};
    pthread_attr_t stack;
    saying->fd = fd;
    pthread_mutex_init(&saying->lock, NULL);
    pthread_cond_init(&saying->changed, NULL);
    saying->out = fopencookie(saying, "w", functions);
    if (!saying->out)
        return -ENOMEM;
    setvbuf(saying->out, saying->line, _IOLBF, sizeof saying->line);
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_init(&stack);
    pthread_attr_setstacksize(&stack, STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &before);        /* signals are for the others */
    int error = pthread_create(&saying->thread, &stack, write_out, saying);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&stack);
    if (error)
        fclose(saying->out);
    return -error;
}

bool saying_close(struct saying *saying, int64_t until_ns)
{
    const struct timespec until = {.tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S};
    fflush(saying->out);
    pthread_mutex_lock(&saying->lock);
    saying->stop = true;
    pthread_cond_signal(&saying->changed);
    pthread_mutex_unlock(&saying->lock);
    if (pthread_clockjoin_np(saying->thread, NULL, CLOCK_MONOTONIC, &until))
        return false;
    fclose(saying->out);
    return true;
}
