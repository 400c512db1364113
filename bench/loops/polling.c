/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/loops/polling.h"

#include <limits.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rt/clock.h"

#define POLL_NS NS_PER_S
#define GOLDEN 0.6180339887498949   /* moments of the second that lie apart, whatever their number */

struct polling {
    struct sockets *sockets;
    char program[PATH_MAX], folder[64];
    int64_t written_ns[RTT_HOSTS];      /* as the processes say; 0: not */
    uint32_t failed;
};

static void rest(int64_t span_ns)
{
    const struct timespec span = {.tv_sec = span_ns / NS_PER_S, .tv_nsec = span_ns % NS_PER_S};
    nanosleep(&span, NULL);
}

/* Beside this program. */
static bool find_program(struct polling *polling)
{
    ssize_t length = readlink("/proc/self/exe", polling->program, sizeof polling->program - 8);
    char *slash = length > 0 ? memrchr(polling->program, '/', (size_t)length) : NULL;
    if (!slash)
        return false;
    snprintf(slash, sizeof polling->program - (size_t)(slash - polling->program), "/loops_cap");
    return access(polling->program, X_OK) == 0;
}

static void set_cap(struct polling *polling, uint32_t host)
{
    extern char **environ;
    char path[96], cap[] = "1600";
    pid_t pid;
    int status = 1;
    snprintf(path, sizeof path, "%s/%u", polling->folder, host);
    char *const words[] = {polling->program, path, cap, NULL};
    bool ran = !posix_spawn(&pid, polling->program, NULL, NULL, words, environ) &&
               waitpid(pid, &status, 0) == pid && status == 0;
    FILE *file = ran ? fopen(path, "re") : NULL;
    long long watts, at_ns;
    if (file && fscanf(file, "%lld %lld", &watts, &at_ns) == 2)
        polling->written_ns[host] = at_ns;
    else
        polling->failed++;
    if (file)
        fclose(file);
    unlink(path);
}

static bool reading_is_there(const struct polling *polling)
{
    uint8_t data[RTT_DATAGRAM_MAX];
    bool any = false;
    while (recv(polling->sockets->fd, data, sizeof data, MSG_DONTWAIT) > 0)
        any = true;
    return any;
}

/* The user's thread: two looks, a second apart; the reading is sent between them. */
static void *poll_on(void *argument)
{
    struct polling *polling = argument;
    bool seen = reading_is_there(polling);
    rest(POLL_NS);
    seen |= reading_is_there(polling);
    for (uint32_t host = 0; seen && host < RTT_HOSTS; host++)
        set_cap(polling, host);
    return NULL;
}

/* Anywhere, with ordinary scheduling, whatever the client has. */
static int start(pthread_t *thread, struct polling *polling)
{
    cpu_set_t both;
    pthread_attr_t attributes;
    CPU_ZERO(&both);
    CPU_SET(CLIENT_CORE, &both);
    CPU_SET(RECEIVING_CORE, &both);
    pthread_attr_init(&attributes);
    pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setaffinity_np(&attributes, sizeof both, &both);
    int error = pthread_create(thread, &attributes, poll_on, polling);
    pthread_attr_destroy(&attributes);
    return error;
}

static void note(struct contender *contender, const struct polling *polling, int64_t sent_ns)
{
    struct tally *tally = &contender->tally;
    tally->sent++;
    tally->lost += polling->failed || !polling->written_ns[0];
    if (polling->failed || !polling->written_ns[0])
        return;
    tally_add(tally, &contender->samples, PART_FIRST, polling->written_ns[0] - sent_ns);
    tally_add(tally, &contender->samples, PART_LAST, polling->written_ns[RTT_HOSTS - 1] - sent_ns);
}

void block_polling(struct harness *harness, struct contender *contender, int64_t end_ns)
{
    struct polling polling = {.sockets = &harness->sockets, .folder = "/tmp/flyball-loops-XXXXXX"};
    double share = fmod((double)(contender->tally.sent + 1) * GOLDEN, 1);
    pthread_t thread;
    (void)end_ns;
    if (!find_program(&polling) || !mkdtemp(polling.folder) || start(&thread, &polling)) {
        snprintf(contender->why, sizeof contender->why,
                 "there is no loops_cap beside this program, or no folder "
                 "for what it writes");
        return;
    }
    rest((int64_t)(share * (double)POLL_NS * 0.98) + POLL_NS / 100);
    int64_t sent_ns = rtt_send_reading(&harness->sockets.stand.client, RTT_DANGER_A);
    pthread_join(thread, NULL);
    rmdir(polling.folder);
    note(contender, &polling, sent_ns);
}
