/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/safety/crew.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOBS_MAX = 256 };

uint32_t crew_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set))
        return 1;
    return (uint32_t)CPU_COUNT(&set);
}

struct drill_result *crew_results(uint32_t count)
{
    void *memory = mmap(NULL, (count + 1) * sizeof(struct drill_result), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void crew_forget(struct drill_result *result, uint32_t count)
{
    if (result)
        munmap(result, (count + 1) * sizeof *result);
}

static void tell_failure(const struct drill *drill, const struct drill_result *result)
{
    char command[512];
    const struct figures *figures = &result->figures;
    drill_command(drill, command, sizeof command);
    if (result->error)
        fprintf(stderr, "safety: %s; repeat it with: %s\n", strerror(-result->error), command);
    else
        fprintf(stderr, "safety: %" PRIu64 " trips%s%s, %" PRIu64 " guard hits, %" PRIu64
                " short exposures; repeat it with: %s\n", figures->trips, *result->first_trip ? ": " : "",
                result->first_trip, figures->guard_hits, figures->exposure_short, command);
}

static void work(const struct drill *drill, struct drill_result *result, uint32_t count,
                 const struct place *place, atomic_uint *next)
{
    while (true) {
        uint32_t i = atomic_fetch_add(next, 1);
        if (i >= count)
            return;
        drill_play(&drill[i], &place[drill[i].place], &result[i]);
        if (drill_failed(&result[i]))
            tell_failure(&drill[i], &result[i]);
    }
}

int crew_play(const struct drill *drill, struct drill_result *result, uint32_t count,
              const struct place *place, uint32_t jobs)
{
    pid_t pid[JOBS_MAX];
    uint32_t started = 0;
    int error = 0;
    atomic_uint *next = mmap(NULL, sizeof *next, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (next == MAP_FAILED)
        return -ENOMEM;
    fflush(stdout);
    for (; started < jobs && started < JOBS_MAX; started++) {
        pid[started] = fork();
        if (pid[started] < 0) {
            error = -errno;
            break;
        }
        if (!pid[started]) {
            work(drill, result, count, place, next);
            _exit(0);
        }
    }
    for (uint32_t i = 0; i < started; i++) {
        int status;
        if (waitpid(pid[i], &status, 0) != pid[i] || status)
            error = -ECHILD;
    }
    munmap(next, sizeof *next);
    return error;
}
