/* SPDX-License-Identifier: Apache-2.0 */
#include "act/dry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "act/drivers.h"

#define DRY_MIN_MW   INT64_C(100000)
#define DRY_MAX_MW   INT64_C(700000)
#define DRY_IDLE_MW  INT64_C(60000)
#define HANG_LOOK_NS (2 * NS_PER_MS)

static void fill(struct dry_state *state, int64_t cap_mw)
{
    if (atomic_load(&state->mark) == DRY_MARK)
        return;
    for (uint32_t i = 0; i < HOST_DEVICES_MAX; i++) {
        atomic_store(&state->device[i].cap_mw, cap_mw);
        atomic_store(&state->device[i].demand_mw, cap_mw * 9 / 10);
    }
    atomic_store(&state->mark, DRY_MARK);
}

/* The lock orders processes that make one file at the same time. The mapping holds the open file, and with it
 * the lock, so that does not end by itself when the descriptor is closed. */
static struct dry_state *map_locked(int fd, int64_t cap_mw)
{
    struct stat seen;
    if (flock(fd, LOCK_EX) || fstat(fd, &seen))
        return NULL;
    if (seen.st_size != 0 && seen.st_size != (off_t)sizeof(struct dry_state)) {
        errno = EBADMSG;
        return NULL;
    }
    /* a page that the disk cannot give later would be SIGBUS */
    if (fallocate(fd, 0, 0, sizeof(struct dry_state)) &&
        (errno != EOPNOTSUPP || ftruncate(fd, sizeof(struct dry_state))))
        return NULL;
    void *at = mmap(NULL, sizeof(struct dry_state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        return NULL;
    struct dry_state *state = (struct dry_state *)at;
    uint64_t mark = atomic_load(&state->mark);
    if (mark != 0 && mark != DRY_MARK) {
        munmap(at, sizeof *state);
        errno = EBADMSG;
        return NULL;
    }
    fill(state, cap_mw);
    return state;
}

struct dry_state *dry_map(const char *path, int64_t cap_mw)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return NULL;
    struct dry_state *state = map_locked(fd, cap_mw);
    int error = errno;
    flock(fd, LOCK_UN);
    close(fd);
    errno = error;
    return state;
}

static struct dry_state *map_alone(int64_t cap_mw)
{
    void *at =
        mmap(NULL, sizeof(struct dry_state), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return NULL;
    fill((struct dry_state *)at, cap_mw);
    return (struct dry_state *)at;
}

static int dry_open(struct act *act, char why[ACT_WHY_BYTES])
{
    const struct act_place *place = &act->place;
    uint32_t count = place->dry_devices ? place->dry_devices : 1;
    int64_t min_mw = place->dry_min_mw ? place->dry_min_mw : DRY_MIN_MW;
    int64_t max_mw = place->dry_max_mw ? place->dry_max_mw : DRY_MAX_MW;
    if (count > HOST_DEVICES_MAX || min_mw <= 0 || min_mw > max_mw) {
        snprintf(why, ACT_WHY_BYTES, "%u dry devices of %lld to %lld mW: 1 to %d, 0 < least <= most", count,
                 (long long)min_mw, (long long)max_mw, HOST_DEVICES_MAX);
        return count > HOST_DEVICES_MAX ? -E2BIG : -EINVAL;
    }
    struct dry_state *state = place->dry_file[0] ? dry_map(place->dry_file, max_mw) : map_alone(max_mw);
    if (!state) {
        int error = errno;
        snprintf(why, ACT_WHY_BYTES, "%.100s: %s", place->dry_file,
                 error == EBADMSG ? "is not a record of dry devices" : strerror(error));
        return -error;
    }
    act->own = state;
    act->count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct act_device *device = &act->device[i];
        *device = (struct act_device){.features = ACT_SETTABLE | ACT_INSTANT_POWER, .min_mw = min_mw,
                                      .max_mw = max_mw, .default_mw = max_mw, .own = &state->device[i]};
        snprintf(device->identity, sizeof device->identity, "dry-%u", i);
    }
    return 0;
}

static void dry_close(struct act *act)
{
    munmap(act->own, sizeof(struct dry_state));
    act->own = NULL;
}

/* Waits out a hang, then says whether the device is there and answers. */
static int reach(struct act *act, uint32_t device, struct dry_device **own)
{
    *own = (struct dry_device *)act->device[device].own;
    while (atomic_load(&(*own)->hang))
        nanosleep(&(struct timespec){.tv_nsec = HANG_LOOK_NS}, NULL);
    return atomic_load(&(*own)->lost) ? -ENODEV : -atomic_load(&(*own)->fail);
}

static int64_t enforced(struct dry_device *own)
{
    int64_t cap_mw = atomic_load(&own->cap_mw);
    int64_t foreign_mw = atomic_load(&own->foreign_mw);
    return foreign_mw && foreign_mw < cap_mw ? foreign_mw : cap_mw;
}

/* For whoever judges later: the write is in force by now, so it is never noted too early. */
static void note_write(struct act *act, uint32_t device, int64_t cap_mw)
{
    struct dry_device *own = (struct dry_device *)act->device[device].own;
    struct dry_state *state = (struct dry_state *)act->own;
    struct timespec now;
    struct dry_write *write = &state->trace[device][atomic_fetch_add(&own->writes, 1) % DRY_TRACE];
    atomic_store(&write->boottime_ns, 0);
    atomic_store(&write->cap_mw, cap_mw);
    clock_gettime(CLOCK_BOOTTIME, &now);
    atomic_store(&write->boottime_ns, now.tv_sec * NS_PER_S + now.tv_nsec);
}

static int dry_apply(struct act *act, uint32_t device, int64_t cap_mw)
{
    struct dry_device *own;
    int error = act_check(&act->device[device], cap_mw);
    if (!error)
        error = reach(act, device, &own);
    if (error)
        return error;
    if (!atomic_load(&own->sticky))
        atomic_store(&own->cap_mw, cap_mw);
    note_write(act, device, cap_mw);
    return 0;
}

static int dry_read_back(struct act *act, uint32_t device, int64_t *enforced_mw)
{
    struct dry_device *own;
    int error = reach(act, device, &own);
    if (!error)
        *enforced_mw = enforced(own);
    return error;
}

static int dry_kept(struct act *act, uint32_t device, int64_t *kept_mw)
{
    struct dry_device *own;
    int error = reach(act, device, &own);
    if (!error)
        *kept_mw = atomic_load(&own->cap_mw);
    return error;
}

static int dry_sample(struct act *act, uint32_t device, struct act_sample *sample)
{
    struct dry_device *own;
    int error = reach(act, device, &own);
    if (error)
        return error;
    int64_t demand_mw = atomic_load(&own->demand_mw), cap_mw = enforced(own);
    *sample = (struct act_sample){.valid = ACT_READ_DRAW | ACT_READ_THROTTLE};
    sample->draw_mw = demand_mw < DRY_IDLE_MW ? DRY_IDLE_MW : demand_mw < cap_mw ? demand_mw : cap_mw;
    sample->throttle = demand_mw > cap_mw ? ACT_THROTTLE_CAP : 0;
    return 0;
}

const struct act_driver dry_driver = {
    .name = "dry",
    .summary = "devices that are not there: caps are taken and read back, nothing is capped",
    .open = dry_open,
    .close = dry_close,
    .apply = dry_apply,
    .read_back = dry_read_back,
    .kept = dry_kept,
    .sample = dry_sample,
};
