/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AMD GPUs through the kernel's hwmon files; microwatts. hwmonN is a number by order of arrival, so a GPU is
 * known by the PCI address that the device link leads to, and is looked for anew when its folder is gone.
 *
 * One big step down may be dropped by the firmware, which then stands where it stood or at its default. So a
 * cut is made in steps of at most a quarter of the range, each read back; a step that does not read back is
 * halved for the next try, from wherever the limit now stands; after WRITES_MAX writes it is -EIO, and what
 * stands is read back as always. A raise is one write.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/drivers.h"
#include "act/sysfs.h"

enum { WRITES_MAX = 12, STEPS_OF_RANGE = 4, ADDRESS_BYTES = 32 };

#define UW_PER_MW INT64_C(1000)
#define HZ_PER_MHZ INT64_C(1000000)
#define STEP_LEAST_MW INT64_C(5000)

struct hwmon_device {
    char root[ACT_PATH_BYTES];          /* .../class/hwmon */
    char folder[ACT_PATH_BYTES + 32];   /* .../class/hwmon/hwmonN, where it was last */
    char address[ADDRESS_BYTES];        /* 0000:c1:00.0 */
    struct sysfs_kept cap;              /* power1_cap */
};

static struct hwmon_device *own(const struct act *act, uint32_t device)
{
    return (struct hwmon_device *)act->device[device].own;
}

/* The last part of what the device link points to. */
static int address_of(const char *folder, char address[ADDRESS_BYTES])
{
    char link[ACT_PATH_BYTES + 64], target[PATH_MAX];
    snprintf(link, sizeof link, "%s/device", folder);
    if (!realpath(link, target))
        return -errno;
    const char *last = strrchr(target, '/') + 1;
    if (strlen(last) >= ADDRESS_BYTES)
        return -ENAMETOOLONG;
    memcpy(address, last, strlen(last) + 1);
    return 0;
}

/* The next folder of an AMD GPU that can tell its power cap; false at the end. */
static bool next_folder(DIR *at, const char *root, char *folder, size_t room, char address[ADDRESS_BYTES])
{
    for (struct dirent *entry; (entry = readdir(at));) {
        char name[16];
        int64_t cap_uw;
        if (strncmp(entry->d_name, "hwmon", 5) || strlen(entry->d_name) > 24)
            continue;
        snprintf(folder, room, "%.255s/%.24s", root, entry->d_name);
        if (sysfs_line(folder, "name", name, sizeof name) || strcmp(name, "amdgpu") ||
            address_of(folder, address))
            continue;
        if (!sysfs_read(folder, "power1_cap", &cap_uw))
            return true;
    }
    return false;
}

/* The folder may have another number by now. */
static int find_again(struct hwmon_device *own)
{
    char address[ADDRESS_BYTES], folder[sizeof own->folder];
    int error = -ENODEV;
    DIR *at = opendir(own->root);
    if (!at)
        return -errno;
    while (error && next_folder(at, own->root, folder, sizeof folder, address)) {
        if (strcmp(address, own->address))
            continue;
        memcpy(own->folder, folder, sizeof folder);
        sysfs_drop(&own->cap);
        error = 0;
    }
    closedir(at);
    return error;
}

/* Is it still this GPU that the number belongs to? What fails for want of descriptors or memory says so:
 * it is no device that is gone. */
static int reach(struct hwmon_device *own)
{
    char address[ADDRESS_BYTES];
    int error = address_of(own->folder, address);
    if (!error && strcmp(address, own->address))
        error = -ENOENT;
    return error == -ENOENT ? find_again(own) : error;
}

static void describe(struct act_device *device, const char *folder)
{
    int64_t least_uw = 0, most_uw = 0, default_uw = 0, ignored;
    if (sysfs_read(folder, "power1_cap_max", &most_uw) || most_uw < 0)
        most_uw = 0;
    if (sysfs_read(folder, "power1_cap_min", &least_uw) || least_uw < 0)
        least_uw = 0;
    if (!sysfs_read(folder, "power1_cap_default", &default_uw) && default_uw > 0)
        device->default_mw = default_uw / UW_PER_MW;
    device->max_mw = most_uw / UW_PER_MW;
    /* a limit of 0 means the default there */
    device->min_mw = least_uw >= UW_PER_MW ? least_uw / UW_PER_MW : device->max_mw / 10;
    if (device->max_mw > device->min_mw && device->min_mw > 0)
        device->features |= ACT_SETTABLE | ACT_STAGED;
    if (!sysfs_read(folder, "power1_input", &ignored))
        device->features |= ACT_INSTANT_POWER;
}

static int add(struct act *act, const char *root, const char *folder, const char *address)
{
    if (act->count == HOST_DEVICES_MAX)
        return -E2BIG;
    struct hwmon_device *fresh = (struct hwmon_device *)calloc(1, sizeof *fresh);
    if (!fresh)
        return -ENOMEM;
    snprintf(fresh->root, sizeof fresh->root, "%s", root);
    snprintf(fresh->folder, sizeof fresh->folder, "%s", folder);
    snprintf(fresh->address, sizeof fresh->address, "%s", address);
    fresh->cap = SYSFS_NONE_KEPT;
    struct act_device *device = &act->device[act->count++];
    *device = (struct act_device){.own = fresh};
    snprintf(device->identity, sizeof device->identity, "%s", address);
    describe(device, folder);
    return 0;
}

static void hwmon_close(struct act *act)
{
    for (uint32_t i = 0; i < act->count; i++)
        sysfs_drop(&own(act, i)->cap);
    sysfs_close(act);
}

static int hwmon_open(struct act *act, char why[ACT_WHY_BYTES])
{
    char root[ACT_PATH_BYTES], folder[ACT_PATH_BYTES + 32], address[ADDRESS_BYTES];
    DIR *at;
    int error = sysfs_class(act, "hwmon", root, &at, why);
    if (error)
        return error;
    while (!error && next_folder(at, root, folder, sizeof folder, address))
        error = add(act, root, folder, address);
    closedir(at);
    if (error) {
        snprintf(why, ACT_WHY_BYTES, "%.120s: %s", root,
                 error == -E2BIG ? "more AMD GPUs than one host may have" : strerror(-error));
        hwmon_close(act);
        return error;
    }
    sysfs_order(act);
    return 0;
}

static int read_mw(struct hwmon_device *own, int64_t *mw)
{
    int64_t uw;
    int error = sysfs_kept_read(&own->cap, own->folder, "power1_cap", &uw);
    if (!error)
        *mw = uw > 0 ? (uw + UW_PER_MW - 1) / UW_PER_MW : ACT_NO_CAP_MW;
    return error;
}

static int write_mw(struct hwmon_device *own, int64_t mw)
{
    int64_t uw = mw * UW_PER_MW;
    return sysfs_kept_write(&own->cap, sysfs_write(own->folder, "power1_cap", uw), uw);
}

/* From where it stands to the cap, in steps: see the top. */
static int descend(struct hwmon_device *own, int64_t cap_mw, int64_t step_mw)
{
    int64_t now_mw, before_mw;
    int error = read_mw(own, &now_mw);
    for (int writes = 0; !error && now_mw != cap_mw; writes++) {
        int64_t next_mw = now_mw - cap_mw > step_mw ? now_mw - step_mw : cap_mw;
        if (writes == WRITES_MAX)
            return -EIO;
        before_mw = now_mw;
        error = write_mw(own, next_mw);
        if (!error)
            error = read_mw(own, &now_mw);
        if (!error && now_mw > next_mw && step_mw > STEP_LEAST_MW)
            step_mw /= 2;
        if (!error && now_mw <= cap_mw && before_mw > cap_mw)
            break;              /* rounded down by the device, or somebody else's */
    }
    return error;
}

static int hwmon_apply(struct act *act, uint32_t device, int64_t cap_mw)
{
    const struct act_device *d = &act->device[device];
    int64_t now_mw = 0;
    int error = act_check(d, cap_mw);
    if (!error)
        error = reach(own(act, device));
    if (!error)
        error = read_mw(own(act, device), &now_mw);
    if (error)
        return sysfs_error(error);
    /* what stands above the range is no step to begin with */
    if (now_mw > d->max_mw)
        error = write_mw(own(act, device), d->max_mw);
    if (!error && cap_mw < now_mw)
        error = descend(own(act, device), cap_mw, (d->max_mw - d->min_mw) / STEPS_OF_RANGE);
    else if (!error)
        error = write_mw(own(act, device), cap_mw);
    return sysfs_error(error);
}

static int hwmon_read_back(struct act *act, uint32_t device, int64_t *enforced_mw)
{
    int error = reach(own(act, device));
    return sysfs_error(error ? error : read_mw(own(act, device), enforced_mw));
}

static int hwmon_sample(struct act *act, uint32_t device, struct act_sample *sample)
{
    const char *folder = own(act, device)->folder;
    int64_t value, draw_uw = -1, average_uw = -1;
    int error = reach(own(act, device));
    if (error)
        return sysfs_error(error);
    *sample = (struct act_sample){0};
    if (sysfs_read(folder, "power1_average", &average_uw) || average_uw < 0)
        average_uw = -1;
    if (sysfs_read(folder, "power1_input", &draw_uw) || draw_uw < 0)
        draw_uw = average_uw;
    if (draw_uw >= 0) {
        sample->valid |= ACT_READ_DRAW;
        sample->draw_mw = draw_uw / UW_PER_MW;
    }
    if (!sysfs_read(folder, "temp1_input", &value) && value >= INT32_MIN && value <= INT32_MAX) {
        sample->valid |= ACT_READ_TEMPERATURE;
        sample->temperature_mc = (int32_t)value;
    }
    if (!sysfs_read(folder, "freq1_input", &value) && value >= 0 && value / HZ_PER_MHZ <= UINT32_MAX) {
        sample->valid |= ACT_READ_CLOCK;
        sample->clock_mhz = (uint32_t)(value / HZ_PER_MHZ);
    }
    return reach(own(act, device));     /* what vanished in between says so */
}

const struct act_driver hwmon_driver = {
    .name = "hwmon",
    .summary = "AMD GPUs, by the kernel's hwmon files",
    .open = hwmon_open,
    .close = hwmon_close,
    .apply = hwmon_apply,
    .read_back = hwmon_read_back,
    .kept = hwmon_read_back,    /* one number, whoever wrote it */
    .sample = hwmon_sample,
};
