/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/supply.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "act/sysfs.h"
#include "msg/limits.h"

#define EVERY_NS NS_PER_S
#define STALE_NS (5 * NS_PER_S)
#define ALL_READ (UINT32_C(1) << 31)
enum { STACK_BYTES = 256 * 1024, INPUT_MAX = 64, FOLDER_BYTES = SUPPLY_ROOT_BYTES + 64 };

static int64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Number of the input behind the name: 1 where none stands there, 0 where it is none. */
static unsigned long input_of(const char *name)
{
    const char *slash = strchr(name, '/');
    char *end = NULL;
    if (!slash)
        return 1;
    unsigned long input = isdigit((unsigned char)slash[1]) ? strtoul(slash + 1, &end, 10) : 0;
    return end && !*end && input <= INPUT_MAX ? input : 0;
}

bool supply_is_name(const char *name)
{
    size_t bytes = strcspn(name, "/");
    return bytes && strlen(name) < SUPPLY_NAME_BYTES && strncmp(name, "..", bytes) && input_of(name);
}

/* Is it the hwmon folder of that device? */
static bool is_of(const char *folder, const char *name)
{
    char link[FOLDER_BYTES + 16], target[PATH_MAX];
    size_t bytes = strcspn(name, "/");
    snprintf(link, sizeof link, "%s/device", folder);
    if (!realpath(link, target))
        return false;
    const char *last = strrchr(target, '/') + 1;
    return strlen(last) == bytes && !memcmp(last, name, bytes);
}

/* 1: it has input power, 0: it has none, -1: nobody can tell. */
static int read_folder(const char *folder, unsigned long input)
{
    char power[32], volts[32];
    int64_t uw = 0, mv = 0;
    snprintf(power, sizeof power, "power%lu_input", input);
    snprintf(volts, sizeof volts, "in%lu_input", input);
    bool has_power = !sysfs_read(folder, power, &uw), has_volts = !sysfs_read(folder, volts, &mv);
    if ((has_power && uw >= SUPPLY_LEAST_UW) || (has_volts && mv >= SUPPLY_LEAST_MV))
        return 1;
    return has_power ? 0 : -1;      /* volts alone may be those of an output */
}

static int read_one(const char *name, const char *root)
{
    char class[SUPPLY_ROOT_BYTES + 16], folder[FOLDER_BYTES];
    int found = -1;
    snprintf(class, sizeof class, "%s/class/hwmon", *root ? root : "/sys");
    DIR *at = opendir(class);
    for (struct dirent *entry; at && found < 0 && (entry = readdir(at));) {
        if (strncmp(entry->d_name, "hwmon", 5) || strlen(entry->d_name) > 16)
            continue;
        snprintf(folder, sizeof folder, "%.271s/%.16s", class, entry->d_name);
        if (is_of(folder, name))
            found = read_folder(folder, input_of(name));
    }
    if (at)
        closedir(at);
    return found;
}

bool supply_read(const struct supply_set *set, const char *root, uint16_t *inputs)
{
    bool all = set->count > 0;
    *inputs = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        int found = read_one(set->name[i], root);
        all &= found >= 0;
        *inputs |= found > 0 ? (uint16_t)(1U << i) : 0;
    }
    return all;
}

static void *keep_reading(void *user)
{
    struct supply_watch *watch = user;
    pthread_setname_np(pthread_self(), "fb-supply");
    pthread_mutex_lock(&watch->lock);
    while (!watch->stop) {
        uint16_t inputs;
        pthread_mutex_unlock(&watch->lock);
        int64_t began_ns = monotonic_ns();
        uint32_t newest = supply_read(&watch->set, watch->root, &inputs) ? inputs | ALL_READ : 0;
        atomic_store(&watch->newest, newest);
        atomic_store(&watch->read_ns, began_ns);
        pthread_mutex_lock(&watch->lock);
        int64_t until_ns = monotonic_ns() + EVERY_NS;
        const struct timespec until = {.tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S};
        while (!watch->stop && !pthread_cond_timedwait(&watch->wake, &watch->lock, &until))
            ;
    }
    pthread_mutex_unlock(&watch->lock);
    return NULL;
}

int supply_watch_start(struct supply_watch *watch, const struct supply_set *set, const char *root)
{
    pthread_condattr_t clock;
    pthread_attr_t stack;
    watch->set = *set;
    snprintf(watch->root, sizeof watch->root, "%s", root);
    atomic_store(&watch->read_ns, INT64_MIN);
    if (!set->count)
        return 0;
    pthread_mutex_init(&watch->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->wake, &clock);
    pthread_condattr_destroy(&clock);
    pthread_attr_init(&stack);
    pthread_attr_setstacksize(&stack, STACK_BYTES);
    int error = pthread_create(&watch->thread, &stack, keep_reading, watch);
    pthread_attr_destroy(&stack);
    watch->running = !error;
    return -error;
}

bool supply_watch_stop(struct supply_watch *watch)
{
    int64_t until_ns = monotonic_ns() + NS_PER_S;
    const struct timespec until = {.tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S};
    if (!watch->running)
        return true;
    pthread_mutex_lock(&watch->lock);
    watch->stop = true;
    pthread_cond_signal(&watch->wake);
    pthread_mutex_unlock(&watch->lock);
    watch->running = pthread_clockjoin_np(watch->thread, NULL, CLOCK_MONOTONIC, &until) != 0;
    return !watch->running;
}

bool supply_watch_newest(const struct supply_watch *watch, int64_t now_ns, uint16_t *inputs)
{
    int64_t read_ns = atomic_load(&watch->read_ns);
    uint32_t newest = atomic_load(&watch->newest);
    bool known = watch->set.count && newest & ALL_READ && read_ns != INT64_MIN && now_ns - read_ns < STALE_NS;
    *inputs = known ? (uint16_t)newest : 0;
    return known;
}
