/* SPDX-License-Identifier: Apache-2.0 */
#include "act/standin/gpu.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_NS     (20 * NS_PER_MS)
#define STEP_NS     NS_PER_MS
#define DEAD_NS     (5 * NS_PER_MS)
#define OVER_NS     (20 * NS_PER_MS)
#define REFRESH_NS  (100 * NS_PER_MS)
#define SETTLED_NS  (3 * NS_PER_S)      /* longer ago, and all that is simulated has come to rest */

enum { DOWN_STEPS = 20, UP_STEPS = 150, AVERAGE_MARKS = 10 };

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void reset(struct standin_gpu *gpu)
{
    atomic_store(&gpu->limit_mw, STANDIN_MAX_MW);
    atomic_store(&gpu->limit_was_mw, STANDIN_MAX_MW);
    atomic_store(&gpu->limit_at_ns, 0);
    atomic_store(&gpu->smooth, 0);
    atomic_store(&gpu->preset, 0);
    for (int i = 0; i < STANDIN_PRESETS; i++)
        for (int p = 0; p < STANDIN_PARAMS; p++)
            atomic_store(&gpu->param_milli[i][p], 0);
}

static void fill(struct standin *standin, uint32_t gpus)
{
    if (atomic_load(&standin->mark) == STANDIN_MARK)
        return;
    for (uint32_t i = 0; i < STANDIN_GPUS_MAX; i++) {
        struct standin_gpu *gpu = &standin->gpu[i];
        reset(gpu);
        atomic_store(&gpu->told.demand_mw, 650000);
        atomic_store(&gpu->told.overshoot_permille, 50);
        atomic_store(&gpu->told.instant, 1);
        atomic_store(&gpu->told.smoothing, 1);
        atomic_store(&gpu->told.profiles, -1);
        gpu->draw_mw = STANDIN_IDLE_MW;
    }
    atomic_store(&standin->gpus, gpus);
    atomic_store(&standin->loads, 1);
    atomic_store(&standin->mark, STANDIN_MARK);
}

/* Under the lock of the file, which the mapping would keep: it is ended by hand. */
static struct standin *map_file(int fd, uint32_t gpus)
{
    struct stat seen;
    if (flock(fd, LOCK_EX) || fstat(fd, &seen))
        return NULL;
    if (seen.st_size != 0 && seen.st_size != (off_t)sizeof(struct standin)) {
        errno = EBADMSG;
        return NULL;
    }
    if (fallocate(fd, 0, 0, sizeof(struct standin)) &&
        (errno != EOPNOTSUPP || ftruncate(fd, sizeof(struct standin))))
        return NULL;
    void *at = mmap(NULL, sizeof(struct standin), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        return NULL;
    uint64_t mark = atomic_load(&((struct standin *)at)->mark);
    if (mark != 0 && mark != STANDIN_MARK) {
        munmap(at, sizeof(struct standin));
        errno = EBADMSG;
        return NULL;
    }
    fill((struct standin *)at, gpus);
    return (struct standin *)at;
}

struct standin *standin_map(const char *path, uint32_t gpus)
{
    if (gpus > STANDIN_GPUS_MAX) {
        errno = E2BIG;
        return NULL;
    }
    if (!path) {
        void *at =
            mmap(NULL, sizeof(struct standin), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED)
            return NULL;
        fill((struct standin *)at, gpus);
        return (struct standin *)at;
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return NULL;
    struct standin *standin = map_file(fd, gpus);
    int error = errno;
    flock(fd, LOCK_UN);
    close(fd);
    errno = error;
    return standin;
}

/* Taken over from whoever was killed or stopped with it. Returns the stamp to unlock with. */
static int64_t lock(struct standin_gpu *gpu)
{
    for (;;) {
        int64_t now = now_ns(), held = atomic_load(&gpu->lock_ns);
        if ((held == 0 || now - held > LOCK_NS || held > now) &&
            atomic_compare_exchange_strong(&gpu->lock_ns, &held, now))
            return now;
        nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
    }
}

static void unlock(struct standin_gpu *gpu, int64_t stamp)
{
    atomic_compare_exchange_strong(&gpu->lock_ns, &stamp, 0);
}

void standin_load(struct standin *standin)
{
    for (uint32_t i = 0; i < STANDIN_GPUS_MAX; i++) {
        struct standin_gpu *gpu = &standin->gpu[i];
        int64_t stamp = lock(gpu);
        reset(gpu);
        gpu->energy_uj = 0;
        memset(gpu->mark_uj, 0, sizeof gpu->mark_uj);
        unlock(gpu, stamp);
    }
    atomic_fetch_add(&standin->loads, 1);
    atomic_store(&standin->unloaded, 0);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t bounded(const struct standin_gpu *gpu, int64_t limit_mw)
{
    int64_t foreign_mw = atomic_load(&gpu->told.foreign_mw);
    return foreign_mw ? least(foreign_mw, limit_mw) : limit_mw;
}

int64_t standin_enforced(const struct standin_gpu *gpu)
{
    return bounded(gpu, atomic_load(&gpu->limit_mw));
}

void standin_ask(struct standin_gpu *gpu, int64_t limit_mw)
{
    atomic_store(&gpu->write_call, atomic_load(&gpu->calls));
    atomic_fetch_add(&gpu->writes, 1);
    if (atomic_load(&gpu->told.sticky))
        return;
    atomic_store(&gpu->limit_was_mw, atomic_load(&gpu->limit_mw));
    atomic_store(&gpu->limit_at_ns, now_ns());
    atomic_store(&gpu->limit_mw, limit_mw);
}

static int64_t limit_at(const struct standin_gpu *gpu, int64_t at_ns)
{
    bool dead = at_ns - atomic_load(&gpu->limit_at_ns) < DEAD_NS;
    return bounded(gpu, atomic_load(dead ? &gpu->limit_was_mw : &gpu->limit_mw));
}

/* A millisecond of it. */
static void step(struct standin_gpu *gpu)
{
    int64_t limit_mw = limit_at(gpu, gpu->at_ns);
    int64_t demand_mw = atomic_load(&gpu->told.demand_mw);
    int64_t target_mw = least(limit_mw, demand_mw > STANDIN_IDLE_MW ? demand_mw : STANDIN_IDLE_MW);
    int64_t off_mw = target_mw - gpu->draw_mw, drawn_mw;
    if (off_mw)
        gpu->draw_mw += off_mw / (off_mw < 0 ? DOWN_STEPS : UP_STEPS) + (off_mw > 0) - (off_mw < 0);
    if (off_mw > 0 && gpu->draw_mw >= target_mw && demand_mw > limit_mw)
        gpu->over_ns = gpu->at_ns + OVER_NS;
    drawn_mw = gpu->draw_mw;
    if (gpu->at_ns < gpu->over_ns)
        drawn_mw += drawn_mw * atomic_load(&gpu->told.overshoot_permille) / 1000;
    gpu->energy_uj += drawn_mw;         /* mW for a millisecond are microjoules */
    gpu->at_ns += STEP_NS;
    if (gpu->at_ns / REFRESH_NS != gpu->shown_mark) {
        gpu->shown_mark = gpu->at_ns / REFRESH_NS;
        gpu->shown_mw = drawn_mw;
        gpu->mark_uj[gpu->shown_mark % STANDIN_MARKS] = gpu->energy_uj;
    }
}

/* What is longer ago than all that settles is one step: it drew then what it draws at the end of that. */
static void advance(struct standin_gpu *gpu, int64_t to_ns)
{
    if (gpu->at_ns == 0)
        gpu->at_ns = to_ns - SETTLED_NS;
    if (to_ns - gpu->at_ns > SETTLED_NS) {
        int64_t skipped_ns = to_ns - SETTLED_NS - gpu->at_ns;
        gpu->energy_uj += gpu->draw_mw * (skipped_ns / STEP_NS);
        gpu->at_ns += skipped_ns;
    }
    while (gpu->at_ns + STEP_NS <= to_ns)
        step(gpu);
}

void standin_show(struct standin_gpu *gpu, struct standin_shown *shown)
{
    int64_t stamp = lock(gpu);
    advance(gpu, now_ns());
    int64_t mark = gpu->shown_mark;
    int64_t then_uj = gpu->mark_uj[(mark + STANDIN_MARKS - AVERAGE_MARKS) % STANDIN_MARKS];
    shown->draw_mw = gpu->shown_mw;
    shown->average_mw = (gpu->mark_uj[mark % STANDIN_MARKS] - then_uj) / 1000;
    shown->energy_mj = gpu->energy_uj / 1000;
    shown->held_down = atomic_load(&gpu->told.demand_mw) > standin_enforced(gpu);
    unlock(gpu, stamp);
}

#define NAMED(member) {#member, offsetof(struct standin_told, member)}

static const struct {
    const char *name;
    size_t at;
} told[] = {
    NAMED(demand_mw), NAMED(foreign_mw), NAMED(overshoot_permille), NAMED(lost),      NAMED(hang),
    NAMED(sticky),    NAMED(fail_set),   NAMED(fail_get),           NAMED(fail_field), NAMED(call_us),
    NAMED(reasons),   NAMED(instant),    NAMED(smoothing),          NAMED(ramps_in_mw), NAMED(profiles),
};

_Atomic int64_t *standin_told(struct standin_gpu *gpu, const char *name)
{
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        if (!strcmp(told[i].name, name))
            return (_Atomic int64_t *)(void *)((char *)&gpu->told + told[i].at);
    return NULL;
}
