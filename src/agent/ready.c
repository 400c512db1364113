/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/ready.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "agent/watch.h"

bool ready_is(int64_t deadline_ns, int64_t agent_beat_ns, int64_t boottime_ns)
{
    if (!agent_beat_ns || boottime_ns - agent_beat_ns > WATCH_AGENT_GONE_NS)
        return false;
    return !deadline_ns || boottime_ns < deadline_ns;
}

/* 1: it is ready; 0: not yet. It is mapped for a look: whoever makes it anew makes another file. */
static int look(const char *folder)
{
    const struct word *word;
    int error = word_look(folder, &word);
    if (error)
        return error == -ENOENT || error == -EAGAIN ? 0 : error;
    int ready = ready_is(atomic_load_explicit(&word->deadline_ns, memory_order_acquire),
                         atomic_load_explicit(&word->agent_beat_ns, memory_order_relaxed),
                         word_boottime_ns());
    munmap((void *)(uintptr_t)word, sizeof *word);
    return ready;
}

int ready_wait(const char *folder, FILE *out)
{
    int ready = look(folder);
    if (!ready)
        fprintf(out, "flyball-agent ready: waits for the agent whose word is in %s\n", folder);
    while (!ready) {
        nanosleep(&(struct timespec){.tv_nsec = READY_LOOK_NS}, NULL);
        ready = look(folder);
    }
    if (ready < 0)
        fprintf(out, "flyball-agent ready: %s/word-2: %s\n", folder,
                ready == -EBADMSG ? "is not a word of this version" : strerror(-ready));
    else
        fprintf(out, "flyball-agent ready: fail-safe caps are read back\n");
    return ready < 0 ? ready : 0;
}
