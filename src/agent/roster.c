/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/roster.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int roster_fill(struct config *config, char why[ACT_WHY_BYTES])
{
    struct act act;
    int error = act_open(&act, act_find(config->actuator), &config->place, why);
    if (error)
        return error;
    for (uint32_t i = 0; i < act.count && !config->agent.holder.devices; i++)
        memcpy(config->device[config->device_count++], act.device[i].identity, ACT_IDENTITY_BYTES);
    act_close(&act);
    if (config->devices && config->device_count > config->devices) {
        snprintf(why, ACT_WHY_BYTES, "finds %u devices, and devices is %u", config->device_count,
                 config->devices);
        return -EINVAL;
    }
    while (config->device_count < config->devices)
        config->device[config->device_count++][0] = '\0';
    config->agent.holder.devices = config->device_count;
    snprintf(why, ACT_WHY_BYTES, "no device was found");
    return config->device_count ? 0 : -ENODEV;
}

static int64_t part_mw(const struct config *config)
{
    return config->agent.holder.fail_safe_mw / config->device_count;
}

/* FNV-1a of each, added up; never 0 but where one is missing. */
static uint64_t digest(const struct config *config)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < config->device_count; i++) {
        uint64_t one = UINT64_C(0xCBF29CE484222325);
        if (!config->device[i][0])
            return 0;
        for (const char *at = config->device[i]; *at; at++)
            one = (one ^ (uint8_t)*at) * UINT64_C(0x100000001B3);
        sum += one;
    }
    return sum ? sum : 1;
}

void roster_tell(struct word *word, const struct config *config)
{
    for (uint32_t i = 0; i < HOST_DEVICES_MAX; i++)
        atomic_store(&word->fail_safe_mw[i], i < config->device_count ? part_mw(config) : 0);
    atomic_store(&word->identities, digest(config));
    atomic_store(&word->devices, config->device_count);
}

bool roster_differs(const struct word *word, const struct config *config)
{
    uint32_t devices = atomic_load(&word->devices);
    uint64_t theirs = atomic_load(&word->identities), ours = digest(config);
    bool others = theirs && ours && theirs != ours;
    return devices && (devices != config->device_count || others ||
                       atomic_load(&word->fail_safe_mw[0]) != part_mw(config));
}
