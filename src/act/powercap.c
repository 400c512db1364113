/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPUs through the kernel's powercap files (intel-rapl, AMD's counters included); microwatts and microjoules.
 * A device is a package zone, intel-rapl:N, known by its name, for N is a number by order of arrival.
 *
 * A cap is the zone's long_term constraint. The short_term one binds over milliseconds and lets the draw pass
 * long_term for its whole window, which may be half a minute: it is set to the cap, too, lower one first.
 * While `enabled` is 0 nothing of it is in force; a write enables it. A second interface to the same package
 * (intel-rapl-mmio) may hold a lower limit: it is read, never written.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "act/drivers.h"
#include "act/sysfs.h"

enum { CONSTRAINTS_MAX = 4, NONE = -1, ZONE_NAME_BYTES = 48 };

#define UW_PER_MW INT64_C(1000)
#define UJ_PER_MJ INT64_C(1000)
#define WINDOW_NS (50 * NS_PER_MS)      /* an average is over this or longer */
/* Behind this no average is told: a kilowatt turns a counter of 65 kJ once a minute, and nobody counts
 * turns. */
#define SPAN_MAX_NS (60 * NS_PER_S)

struct powercap_device {
    char root[ACT_PATH_BYTES];          /* .../class/powercap */
    char folder[ACT_PATH_BYTES + 32];   /* .../class/powercap/intel-rapl:N, where it was last */
    char name[ZONE_NAME_BYTES];         /* package-0 */
    int long_term, short_term;          /* constraint numbers, NONE if there is none */
    struct sysfs_kept kept[CONSTRAINTS_MAX];    /* power_limit_uw of those two */
    struct sysfs_kept enabled;
    int64_t range_uj;                   /* the counter wraps behind it; 0 = there is none */
    int64_t last_uj, last_ns, energy_uj;        /* as read last; since opened */
    int64_t since_uj, since_ns;         /* the average begins here */
    int64_t draw_mw, draw_ns;           /* last average, and what it was over; 0 = none yet */
};

/* What it has open of its files, for when no other can be. */
static void drop_all(struct powercap_device *d)
{
    for (uint32_t i = 0; i < CONSTRAINTS_MAX; i++)
        sysfs_drop(&d->kept[i]);
    sysfs_drop(&d->enabled);
}

static struct powercap_device *own(const struct act *act, uint32_t device)
{
    return (struct powercap_device *)act->device[device].own;
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int read_constraint(const char *folder, int constraint, const char *what, int64_t *uw)
{
    char name[48];
    snprintf(name, sizeof name, "constraint_%d_%s", constraint, what);
    return sysfs_read(folder, name, uw);
}

static int find_constraint(const char *folder, const char *wanted)
{
    for (int i = 0; i < CONSTRAINTS_MAX; i++) {
        char file[32], name[32];
        snprintf(file, sizeof file, "constraint_%d_name", i);
        if (!sysfs_line(folder, file, name, sizeof name) && !strcmp(name, wanted))
            return i;
    }
    return NONE;
}

/* intel-rapl:N, without the zones inside it, that is a package: true, its folder and name. */
static bool next_zone(DIR *at, const char *root, const char *prefix, char *folder, size_t room,
                      char name[ZONE_NAME_BYTES])
{
    for (struct dirent *entry; (entry = readdir(at));) {
        size_t length = strlen(prefix), digits = strspn(entry->d_name + strnlen(entry->d_name, length),
                                                        "0123456789");
        if (strncmp(entry->d_name, prefix, length) || digits == 0 || entry->d_name[length + digits] ||
            strlen(entry->d_name) > 30)
            continue;
        snprintf(folder, room, "%.255s/%.30s", root, entry->d_name);
        if (!sysfs_line(folder, "name", name, ZONE_NAME_BYTES) && !strncmp(name, "package-", 8))
            return true;
    }
    return false;
}

/* The folder of the zone of this name among those with this prefix. */
static int find_zone(const char *root, const char *prefix, const char *wanted, char *folder, size_t room)
{
    char name[ZONE_NAME_BYTES];
    bool found = false;
    DIR *at = opendir(root);
    if (!at)
        return -errno;
    while (!found && next_zone(at, root, prefix, folder, room, name))
        found = !strcmp(name, wanted);
    closedir(at);
    return found ? 0 : -ENODEV;
}

static int reach(struct powercap_device *own)
{
    char name[ZONE_NAME_BYTES], folder[sizeof own->folder];
    int error = sysfs_line(own->folder, "name", name, sizeof name);
    if (!error && strcmp(name, own->name))
        error = -ENOENT;
    if (sysfs_exhausted(error))
        return 0;               /* it is no device that is gone: what is kept of it will say */
    if (error != -ENOENT)
        return error;
    error = find_zone(own->root, "intel-rapl:", own->name, folder, sizeof folder);
    if (error)
        return error;
    memcpy(own->folder, folder, sizeof folder);
    drop_all(own);
    return 0;
}

static void describe(struct act_device *device, struct powercap_device *own)
{
    int64_t most_uw = 0, least_uw = 0, ignored;
    own->long_term = find_constraint(own->folder, "long_term");
    own->short_term = find_constraint(own->folder, "short_term");
    if (sysfs_read(own->folder, "max_energy_range_uj", &own->range_uj) || own->range_uj < 0)
        own->range_uj = 0;
    if (!sysfs_read(own->folder, "energy_uj", &ignored))
        device->features |= ACT_ENERGY;
    if (own->long_term == NONE)
        return;
    if (read_constraint(own->folder, own->long_term, "max_power_uw", &most_uw) || most_uw <= 0)
        most_uw = 0;
    device->default_mw = most_uw / UW_PER_MW;
    if (!most_uw && read_constraint(own->folder, own->long_term, "power_limit_uw", &most_uw))
        return;
    if (read_constraint(own->folder, own->long_term, "min_power_uw", &least_uw) || least_uw <= 0)
        /* nobody says how low it may be set: below, clocks are at their least */
        least_uw = most_uw / 10;
    device->min_mw = least_uw / UW_PER_MW;
    device->max_mw = most_uw / UW_PER_MW;
    if (device->min_mw > 0 && device->max_mw > device->min_mw)
        device->features |= ACT_SETTABLE;
}

static int add(struct act *act, const char *root, const char *folder, const char *name)
{
    if (act->count == HOST_DEVICES_MAX)
        return -E2BIG;
    struct powercap_device *fresh = (struct powercap_device *)calloc(1, sizeof *fresh);
    if (!fresh)
        return -ENOMEM;
    snprintf(fresh->root, sizeof fresh->root, "%s", root);
    snprintf(fresh->folder, sizeof fresh->folder, "%s", folder);
    snprintf(fresh->name, sizeof fresh->name, "%s", name);
    struct act_device *device = &act->device[act->count++];
    *device = (struct act_device){.own = fresh};
    for (uint32_t i = 0; i < CONSTRAINTS_MAX; i++)
        fresh->kept[i] = SYSFS_NONE_KEPT;
    fresh->enabled = SYSFS_NONE_KEPT;
    snprintf(device->identity, sizeof device->identity, "%s", name);
    describe(device, fresh);
    return 0;
}

static void powercap_close(struct act *act)
{
    for (uint32_t i = 0; i < act->count; i++)
        drop_all(own(act, i));
    sysfs_close(act);
}

static int powercap_open(struct act *act, char why[ACT_WHY_BYTES])
{
    char root[ACT_PATH_BYTES], folder[ACT_PATH_BYTES + 32], name[ZONE_NAME_BYTES];
    DIR *at;
    int error = sysfs_class(act, "powercap", root, &at, why);
    if (error)
        return error;
    while (!error && next_zone(at, root, "intel-rapl:", folder, sizeof folder, name))
        error = add(act, root, folder, name);
    closedir(at);
    if (error) {
        snprintf(why, ACT_WHY_BYTES, "%.120s: %s", root,
                 error == -E2BIG ? "more CPU packages than one host may have" : strerror(-error));
        powercap_close(act);
        return error;
    }
    sysfs_order(act);
    return 0;
}

static void lower(int64_t uw, int64_t *least_mw)
{
    int64_t mw = (uw + UW_PER_MW - 1) / UW_PER_MW;
    if (uw > 0 && mw < *least_mw)
        *least_mw = mw;
}

static int read_limit(struct powercap_device *d, int constraint, int64_t *uw)
{
    char name[48];
    snprintf(name, sizeof name, "constraint_%d_power_limit_uw", constraint);
    return sysfs_kept_read(&d->kept[constraint], d->folder, name, uw);
}

/* A zone that cannot be switched off is on. */
static bool is_enabled(struct powercap_device *d)
{
    int64_t enabled;
    return sysfs_kept_read(&d->enabled, d->folder, "enabled", &enabled) || enabled;
}

/* Of the second interface to this package, where there is one and it is on. */
static void lower_by_other(const struct powercap_device *d, int64_t *least_mw)
{
    char other[sizeof d->folder];
    int64_t uw, enabled;
    if (find_zone(d->root, "intel-rapl-mmio:", d->name, other, sizeof other) ||
        (!sysfs_read(other, "enabled", &enabled) && !enabled))
        return;
    const int of[] = {find_constraint(other, "long_term"), find_constraint(other, "short_term")};
    for (uint32_t i = 0; i < sizeof of / sizeof of[0]; i++)
        if (of[i] != NONE && !read_constraint(other, of[i], "power_limit_uw", &uw))
            lower(uw, least_mw);
}

static int powercap_read_back(struct act *act, uint32_t device, int64_t *enforced_mw)
{
    struct powercap_device *d = own(act, device);
    int64_t long_uw = 0, short_uw = 0, least_mw = ACT_NO_CAP_MW;
    int error = reach(d);
    if (!error && d->long_term != NONE)
        error = read_limit(d, d->long_term, &long_uw);
    if (error)
        return sysfs_error(error);
    if (d->short_term != NONE && read_limit(d, d->short_term, &short_uw))
        short_uw = 0;
    if (is_enabled(d)) {
        lower(long_uw, &least_mw);
        lower(short_uw, &least_mw);
    }
    lower_by_other(d, &least_mw);
    *enforced_mw = least_mw;
    return 0;
}

/* The higher of both constraints: a cap is in both, and one of them alone may have been written. */
static int powercap_kept(struct act *act, uint32_t device, int64_t *kept_mw)
{
    struct powercap_device *d = own(act, device);
    const int of[] = {d->long_term, d->short_term};
    int64_t most_uw = 0, uw = 0;
    int error = reach(d);
    for (uint32_t i = 0; i < sizeof of / sizeof of[0] && !error; i++) {
        if (of[i] == NONE)
            continue;
        error = read_limit(d, of[i], &uw);
        most_uw = uw > most_uw ? uw : most_uw;
    }
    if (error)
        return sysfs_error(error);
    *kept_mw = most_uw > 0 && is_enabled(d) ? (most_uw + UW_PER_MW - 1) / UW_PER_MW : ACT_NO_CAP_MW;
    return 0;
}

static int write_constraint(const struct powercap_device *d, int constraint, int64_t mw)
{
    char name[48];
    if (constraint == NONE)
        return 0;
    snprintf(name, sizeof name, "constraint_%d_power_limit_uw", constraint);
    int error = sysfs_write(d->folder, name, mw * UW_PER_MW);
    return sysfs_kept_write(&d->kept[constraint], error, mw * UW_PER_MW);
}

/* Neither may be refused for standing above or below the other: lowered first, raised last. */
static int write_both(struct powercap_device *d, int64_t cap_mw)
{
    int64_t now_uw = 0;
    int error = read_limit(d, d->long_term, &now_uw);
    bool raise = cap_mw * UW_PER_MW > now_uw;
    if (!error)
        error = write_constraint(d, raise ? d->short_term : d->long_term, cap_mw);
    if (!error)
        error = write_constraint(d, raise ? d->long_term : d->short_term, cap_mw);
    return error;
}

static int powercap_apply(struct act *act, uint32_t device, int64_t cap_mw)
{
    struct powercap_device *d = own(act, device);
    int error = act_check(&act->device[device], cap_mw);
    if (!error)
        error = reach(d);
    if (!error)
        error = write_both(d, cap_mw);
    if (!error && !is_enabled(d))
        error = sysfs_kept_write(&d->enabled, sysfs_write(d->folder, "enabled", 1), 1);
    return sysfs_error(error);
}

/* The counter went on by so much since it was read last. A fall without a known range is a new counter. */
static int64_t counted(const struct powercap_device *d, int64_t uj)
{
    if (uj >= d->last_uj)
        return uj - d->last_uj;
    return d->range_uj > d->last_uj ? d->range_uj - d->last_uj + uj : uj;
}

static void average(struct powercap_device *d, int64_t uj, int64_t at_ns)
{
    if (d->since_ns == 0 || at_ns - d->last_ns > SPAN_MAX_NS) {
        d->last_uj = uj;
        d->last_ns = d->since_ns = at_ns;
        d->since_uj = d->energy_uj;
        d->draw_ns = 0;
        return;
    }
    d->energy_uj += counted(d, uj);
    d->last_uj = uj;
    d->last_ns = at_ns;
    if (at_ns - d->since_ns < WINDOW_NS)
        return;
    d->draw_ns = at_ns - d->since_ns;
    d->draw_mw = (d->energy_uj - d->since_uj) * NS_PER_MS / d->draw_ns; /* microjoules in a millisecond */
    d->since_uj = d->energy_uj;
    d->since_ns = at_ns;
}

static int powercap_sample(struct act *act, uint32_t device, struct act_sample *sample)
{
    struct powercap_device *d = own(act, device);
    int64_t uj;
    int error = reach(d);
    if (error)
        return sysfs_error(error);
    *sample = (struct act_sample){0};
    if (!(act->device[device].features & ACT_ENERGY))
        return 0;
    error = sysfs_read(d->folder, "energy_uj", &uj);
    if (error)
        return sysfs_error(error);
    average(d, uj, now_ns());
    sample->valid = ACT_READ_ENERGY;
    sample->energy_mj = d->energy_uj / UJ_PER_MJ;
    if (d->draw_ns) {
        sample->valid |= ACT_READ_DRAW | ACT_READ_AVERAGE;
        sample->draw_mw = sample->average_mw = d->draw_mw;
        sample->average_ns = d->draw_ns;
    }
    return 0;
}

const struct act_driver powercap_driver = {
    .name = "powercap",
    .summary = "CPU packages, by the kernel's powercap files (RAPL)",
    .open = powercap_open,
    .close = powercap_close,
    .apply = powercap_apply,
    .read_back = powercap_read_back,
    .kept = powercap_kept,
    .sample = powercap_sample,
};
