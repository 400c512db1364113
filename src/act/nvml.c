/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NVIDIA GPUs through libnvidia-ml.so.1. What is in force is the enforced limit, the least of what firmware,
 * this interface and the one out of band ask for. The limit that was asked for here is read beside it: that
 * is what comes to be in force when the lowest of the others goes, whether or not our last write took.
 *
 * A limit lasts until the driver is unloaded. Handles do not outlive that, nor a GPU that falls off the bus:
 * every call on them is -ENODEV from then on. act_close shuts the library down and unloads it, so that a new
 * driver's own library is found; act_open loads it and finds every GPU again by its UUID.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/drivers.h"
#include "act/nvml_library.h"

#define AVERAGE_NS NS_PER_S             /* what field 185 is over */
#define MC_PER_C 1000

static struct nvml_library *library_of(const struct act *act)
{
    return (struct nvml_library *)act->own;
}

static nvml_handle handle(const struct act *act, uint32_t device)
{
    return (nvml_handle)act->device[device].own;
}

static void describe(const struct nvml_library *library, struct act_device *device)
{
    nvml_handle gpu = (nvml_handle)device->own;
    unsigned min_mw = 0, max_mw = 0, default_mw = 0;
    int64_t value;
    unsigned long long mj;
    if (library->constraints && !library->constraints(gpu, &min_mw, &max_mw)) {
        device->min_mw = min_mw;
        device->max_mw = max_mw;
    }
    if (library->default_limit && !library->default_limit(gpu, &default_mw))
        device->default_mw = default_mw;
    if (library->set_limit && min_mw > 0 && min_mw < max_mw)
        device->features |= ACT_SETTABLE;
    if (!nvml_library_field(library, gpu, NVML_POWER_INSTANT, 0, &value))
        device->features |= ACT_INSTANT_POWER;
    if (!nvml_library_field(library, gpu, NVML_ENERGY, 0, &value) ||
        (library->energy && !library->energy(gpu, &mj)))
        device->features |= ACT_ENERGY;
    if (nvml_smoothing_there(library, gpu))
        device->features |= ACT_SMOOTHING;
}

/* GPUs that are lost while others are not have an index and no handle: they are left out. */
static int add(struct act *act, unsigned index)
{
    const struct nvml_library *library = library_of(act);
    struct act_device *device = &act->device[act->count];
    nvml_handle gpu;
    char uuid[NVML_UUID_BYTES];
    int error = nvml_library_error(library->by_index(index, &gpu));
    if (!error)
        error = nvml_library_error(library->uuid(gpu, uuid, sizeof uuid));
    if (error)
        return error == -ENODEV ? 0 : error;
    if (act->count == HOST_DEVICES_MAX)
        return -E2BIG;
    *device = (struct act_device){.own = gpu};
    snprintf(device->identity, sizeof device->identity, "%.*s", (int)sizeof uuid - 1, uuid);
    describe(library, device);
    act->count++;
    return 0;
}

static void nvml_close(struct act *act)
{
    if (act->own)
        nvml_library_close(library_of(act));
    free(act->own);
    act->own = NULL;
    act->count = 0;
}

static int nvml_open(struct act *act, char why[ACT_WHY_BYTES])
{
    unsigned count = 0;
    struct nvml_library *library = (struct nvml_library *)calloc(1, sizeof *library);
    if (!library)
        return -ENOMEM;
    int error = nvml_library_open(library, why);
    if (error) {
        free(library);
        return error;
    }
    act->own = library;
    error = nvml_library_error(library->count(&count));
    for (unsigned i = 0; !error && i < count; i++)
        error = add(act, i);
    if (!error)
        return 0;
    snprintf(why, ACT_WHY_BYTES, "%u GPUs: %s", count,
             error == -E2BIG ? "more than one host may have" : strerror(-error));
    nvml_close(act);
    return error;
}

static int nvml_apply(struct act *act, uint32_t device, int64_t cap_mw)
{
    int error = act_check(&act->device[device], cap_mw);
    if (error)
        return error;
    return nvml_library_error(library_of(act)->set_limit(handle(act, device), (unsigned)cap_mw));
}

static int nvml_read_back(struct act *act, uint32_t device, int64_t *enforced_mw)
{
    unsigned mw;
    int error = nvml_library_error(library_of(act)->enforced(handle(act, device), &mw));
    if (!error)
        *enforced_mw = mw ? mw : ACT_NO_CAP_MW;
    if (error == -ENOTSUP) {
        *enforced_mw = ACT_NO_CAP_MW;
        error = 0;
    }
    return error;
}

static int nvml_kept(struct act *act, uint32_t device, int64_t *kept_mw)
{
    const struct nvml_library *library = library_of(act);
    unsigned mw;
    int error = library->kept ? nvml_library_error(library->kept(handle(act, device), &mw)) : -ENOTSUP;
    if (!error)
        *kept_mw = mw ? mw : ACT_NO_CAP_MW;
    return error;
}

static uint32_t throttle_of(unsigned long long reasons)
{
    uint32_t throttle = 0;
    if (reasons & NVML_REASON_CAP)
        throttle |= ACT_THROTTLE_CAP;
    if (reasons & (NVML_REASON_BRAKE | NVML_REASON_HARDWARE))
        throttle |= ACT_THROTTLE_HARDWARE;
    if (reasons & (NVML_REASON_THERMAL | NVML_REASON_HARDWARE_THERMAL))
        throttle |= ACT_THROTTLE_THERMAL;
    if (reasons & (NVML_REASON_SET_CLOCKS | NVML_REASON_SYNC | NVML_REASON_DISPLAY))
        throttle |= ACT_THROTTLE_OTHER;
    return throttle;
}

static bool taken(const struct nvml_field_value *field, int64_t *value)
{
    return !field->error && !nvml_library_number(field, value) && *value >= 0;
}

/* One call for three values, each with an error of its own; older libraries have calls instead. */
static int sample_power(const struct nvml_library *library, nvml_handle gpu, struct act_sample *sample)
{
    struct nvml_field_value field[] = {{.field = NVML_POWER_INSTANT}, {.field = NVML_POWER_AVERAGE},
                                       {.field = NVML_ENERGY}};
    unsigned mw;
    unsigned long long mj;
    int code = library->fields ? library->fields(gpu, 3, field) : NVML_NOT_SUPPORTED;
    if (!code && taken(&field[0], &sample->draw_mw))
        sample->valid |= ACT_READ_DRAW;
    if (!code && taken(&field[1], &sample->average_mw)) {
        sample->valid |= ACT_READ_AVERAGE;
        sample->average_ns = AVERAGE_NS;
    }
    if (!code && taken(&field[2], &sample->energy_mj))
        sample->valid |= ACT_READ_ENERGY;
    if (code && nvml_library_error(code) == -ENODEV)
        return -ENODEV;
    if (!(sample->valid & ACT_READ_ENERGY) && library->energy && !library->energy(gpu, &mj) &&
        mj <= INT64_MAX) {
        sample->energy_mj = (int64_t)mj;
        sample->valid |= ACT_READ_ENERGY;
    }
    if (sample->valid & ACT_READ_DRAW || !library->usage)
        return 0;
    code = library->usage(gpu, &mw);
    if (!code) {
        sample->draw_mw = mw;
        sample->valid |= ACT_READ_DRAW;
    }
    return nvml_library_error(code) == -ENODEV ? -ENODEV : 0;
}

static int nvml_sample(struct act *act, uint32_t device, struct act_sample *sample)
{
    const struct nvml_library *library = library_of(act);
    nvml_handle gpu = handle(act, device);
    unsigned long long reasons;
    unsigned value;
    struct nvml_profiles profiles = {.version = NVML_VERSION(struct nvml_profiles, 1)};
    *sample = (struct act_sample){0};
    int error = sample_power(library, gpu, sample);
    if (error)
        return error;
    if (library->temperature && !library->temperature(gpu, NVML_TEMPERATURE_GPU, &value) && value < 1000) {
        sample->temperature_mc = (int32_t)value * MC_PER_C;
        sample->valid |= ACT_READ_TEMPERATURE;
    }
    if (library->clock && !library->clock(gpu, NVML_CLOCK_SM, &sample->clock_mhz))
        sample->valid |= ACT_READ_CLOCK;
    if (library->profiles && !library->profiles(gpu, &profiles)) {
        sample->profiles = profiles.enforced[0];
        sample->valid |= ACT_READ_PROFILES;
    }
    int code = library->reasons ? library->reasons(gpu, &reasons) : NVML_NOT_SUPPORTED;
    if (!code) {
        sample->throttle = throttle_of(reasons);
        sample->valid |= ACT_READ_THROTTLE;
    }
    return nvml_library_error(code) == -ENODEV ? -ENODEV : 0;
}

static int nvml_smooth(struct act *act, uint32_t device, const struct act_smooth *smooth)
{
    if (!(act->device[device].features & ACT_SMOOTHING))
        return -ENOTSUP;
    return nvml_smoothing_set(library_of(act), handle(act, device), smooth);
}

const struct act_driver nvml_driver = {
    .name = "nvml",
    .summary = "NVIDIA GPUs, by libnvidia-ml.so.1",
    .shared = true,
    .open = nvml_open,
    .close = nvml_close,
    .apply = nvml_apply,
    .read_back = nvml_read_back,
    .kept = nvml_kept,
    .sample = nvml_sample,
    .smooth = nvml_smooth,
};
