/* SPDX-License-Identifier: Apache-2.0 */
#include "act/nvml_library.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define AT(member) offsetof(struct nvml_library, member)

/* Names in the library; `other` is the one that older ones have. */
static const struct symbol {
    const char *name, *other;
    size_t at;
    bool needed;
} symbols[] = {
    {"nvmlInit_v2", NULL, AT(init), true},
    {"nvmlShutdown", NULL, AT(shutdown), true},
    {"nvmlDeviceGetCount_v2", NULL, AT(count), true},
    {"nvmlDeviceGetHandleByIndex_v2", NULL, AT(by_index), true},
    {"nvmlDeviceGetUUID", NULL, AT(uuid), true},
    {"nvmlDeviceGetEnforcedPowerLimit", NULL, AT(enforced), true},
    {"nvmlDeviceGetPowerManagementLimitConstraints", NULL, AT(constraints), false},
    {"nvmlDeviceGetPowerManagementDefaultLimit", NULL, AT(default_limit), false},
    {"nvmlDeviceSetPowerManagementLimit", NULL, AT(set_limit), false},
    {"nvmlDeviceGetPowerManagementLimit", NULL, AT(kept), false},
    {"nvmlDeviceGetPowerUsage", NULL, AT(usage), false},
    {"nvmlDeviceGetFieldValues", NULL, AT(fields), false},
    {"nvmlDeviceGetTotalEnergyConsumption", NULL, AT(energy), false},
    {"nvmlDeviceGetTemperature", NULL, AT(temperature), false},
    {"nvmlDeviceGetClockInfo", NULL, AT(clock), false},
    {"nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons", AT(reasons),
     false},
    {"nvmlDevicePowerSmoothingUpdatePresetProfileParam", NULL, AT(smoothing_param), false},
    {"nvmlDevicePowerSmoothingActivatePresetProfile", NULL, AT(smoothing_activate), false},
    {"nvmlDevicePowerSmoothingSetState", NULL, AT(smoothing_state), false},
    {"nvmlDeviceWorkloadPowerProfileGetCurrentProfiles", NULL, AT(profiles), false},
};

/* False: one that is needed is missing. */
static bool look_up(struct nvml_library *library, char why[ACT_WHY_BYTES])
{
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        void *found = dlsym(library->handle, symbols[i].name);
        if (!found && symbols[i].other)
            found = dlsym(library->handle, symbols[i].other);
        if (!found && symbols[i].needed) {
            snprintf(why, ACT_WHY_BYTES, NVML_LIBRARY ": has no %s", symbols[i].name);
            return false;
        }
        /* the address of a function, which C keeps apart from that of an object and POSIX does not */
        memcpy((char *)library + symbols[i].at, &found, sizeof found);
    }
    return true;
}

int nvml_library_open(struct nvml_library *library, char why[ACT_WHY_BYTES])
{
    *library = (struct nvml_library){.handle = dlopen(NVML_LIBRARY, RTLD_NOW | RTLD_LOCAL)};
    if (!library->handle) {
        const char *reason = dlerror();
        snprintf(why, ACT_WHY_BYTES, "%.180s", reason ? reason : NVML_LIBRARY);
        return -ENOENT;
    }
    int code = 0, error = look_up(library, why) ? 0 : -ENOENT;
    if (!error)
        code = library->init();
    if (code) {
        error = code == NVML_DRIVER_NOT_LOADED || code == NVML_GPU_NOT_FOUND ? -ENOENT
                                                                           : nvml_library_error(code);
        snprintf(why, ACT_WHY_BYTES, NVML_LIBRARY ": %s (%d)",
                 code == NVML_DRIVER_NOT_LOADED  ? "the driver is not loaded"
                 : code == NVML_VERSION_MISMATCH ? "library and driver are of different versions"
                                                 : "does not start", code);
    }
    if (error) {
        dlclose(library->handle);
        library->handle = NULL;
    }
    return error;
}

void nvml_library_close(struct nvml_library *library)
{
    if (!library->handle)
        return;
    library->shutdown();
    dlclose(library->handle);
    library->handle = NULL;
}

int nvml_library_error(int code)
{
    switch (code) {
    case NVML_SUCCESS: return 0;
    case NVML_UNINITIALIZED:
    case NVML_DRIVER_NOT_LOADED:
    case NVML_GPU_IS_LOST:
    case NVML_RESET_REQUIRED:
    case NVML_GPU_NOT_FOUND:
    case NVML_NOT_FOUND:
    case NVML_VERSION_MISMATCH: return -ENODEV;
    case NVML_NO_PERMISSION:
    case NVML_OPERATING_SYSTEM: return -EPERM;
    case NVML_NOT_SUPPORTED:
    case NVML_FUNCTION_NOT_FOUND: return -ENOTSUP;
    case NVML_INVALID_ARGUMENT: return -ERANGE;
    case NVML_TIMEOUT: return -ETIMEDOUT;
    case NVML_IN_USE: return -EBUSY;
    default: return -EIO;
    }
}

int nvml_library_number(const struct nvml_field_value *field, int64_t *value)
{
    switch (field->type) {
    case NVML_DOUBLE:
        if (!(field->value.d > -1e15 && field->value.d < 1e15))
            return -EBADMSG;
        *value = (int64_t)field->value.d;
        return 0;
    case NVML_UINT: *value = field->value.u; return 0;
    case NVML_ULONG:
    case NVML_ULONGLONG:
        if (field->value.ull > INT64_MAX)
            return -EBADMSG;
        *value = (int64_t)field->value.ull;
        return 0;
    case NVML_LONGLONG: *value = field->value.ll; return 0;
    case NVML_INT: *value = field->value.i; return 0;
    case NVML_USHORT: *value = field->value.us; return 0;
    default: return -EBADMSG;
    }
}

int nvml_library_field(const struct nvml_library *library, nvml_handle device, unsigned field, unsigned scope,
                       int64_t *value)
{
    struct nvml_field_value read = {.field = field, .scope = scope};
    if (!library->fields)
        return -ENOTSUP;
    int code = library->fields(device, 1, &read);
    if (code || read.error)
        return nvml_library_error(code ? code : read.error);
    return nvml_library_number(&read, value);
}
