/* SPDX-License-Identifier: Apache-2.0 */
#include "act/act.h"

#include <errno.h>
#include <string.h>

#include "act/drivers.h"
#include "msg/model.h"

const struct act_driver *const act_drivers[] = {
    &nvml_driver,
    &hwmon_driver,
    &powercap_driver,
    &dry_driver,
    NULL,
};

const struct act_driver *act_find(const char *name)
{
    for (const struct act_driver *const *d = act_drivers; *d; d++)
        if (!strcmp((*d)->name, name))
            return *d;
    return NULL;
}

int act_open(struct act *act, const struct act_driver *driver, const struct act_place *place,
             char why[ACT_WHY_BYTES])
{
    struct act fresh = {.driver = driver};
    if (place)
        fresh.place = *place;
    *act = fresh;
    why[0] = '\0';
    int error = driver->open(act, why);
    if (error) {
        act->driver = NULL;
        act->count = 0;
        return error;
    }
    if (act->place.read_only)
        for (uint32_t i = 0; i < act->count; i++)
            act->device[i].features &= ~(uint32_t)(ACT_SETTABLE | ACT_SMOOTHING);
    return 0;
}

void act_close(struct act *act)
{
    if (act->driver)
        act->driver->close(act);
    act->driver = NULL;
    act->count = 0;
}

uint32_t act_device_find(const struct act *act, const char *identity)
{
    for (uint32_t i = 0; i < act->count; i++)
        if (!strcmp(act->device[i].identity, identity))
            return i;
    return INDEX_NONE;
}

int act_check(const struct act_device *device, int64_t cap_mw)
{
    if (!(device->features & ACT_SETTABLE))
        return -ENOTSUP;
    return cap_mw < device->min_mw || cap_mw > device->max_mw ? -ERANGE : 0;
}
