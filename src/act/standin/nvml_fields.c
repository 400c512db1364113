/* SPDX-License-Identifier: Apache-2.0 */
#include "act/standin/nvml_symbols.h"

enum { CLOCK_MHZ = 1755, TEMPERATURE_C = 61, FLOOR_LEAST = 0, FLOOR_MOST = 90 };

static int as_unsigned(struct nvml_field_value *value, int64_t number)
{
    value->type = NVML_UINT;
    value->value.u = (unsigned)number;
    return NVML_SUCCESS;
}

/* Of a preset, in the units of fields: ramps in mW/s, all else as it was written, whole. */
static int param(struct standin_gpu *gpu, struct nvml_field_value *value, unsigned which)
{
    if (value->scope >= STANDIN_PRESETS)
        return NVML_INVALID_ARGUMENT;
    int64_t milli = atomic_load(&gpu->param_milli[value->scope][which]);
    bool ramp = which == NVML_PARAM_RAMP_UP || which == NVML_PARAM_RAMP_DOWN;
    return as_unsigned(value, ramp && !atomic_load(&gpu->told.ramps_in_mw) ? milli : milli / 1000);
}

static int smoothing_field(struct standin_gpu *gpu, struct nvml_field_value *value)
{
    if (!atomic_load(&gpu->told.smoothing))
        return NVML_NOT_SUPPORTED;
    switch (value->field) {
    case NVML_SMOOTHING_ENABLED: return as_unsigned(value, atomic_load(&gpu->smooth));
    case NVML_SMOOTHING_CEILING: return as_unsigned(value, STANDIN_CEILING_W);
    case NVML_SMOOTHING_MOST_FLOOR: return as_unsigned(value, FLOOR_MOST);
    case NVML_SMOOTHING_LEAST_FLOOR: return as_unsigned(value, FLOOR_LEAST);
    case NVML_SMOOTHING_PROFILES: return as_unsigned(value, STANDIN_PRESETS);
    case NVML_SMOOTHING_FLOOR: return param(gpu, value, NVML_PARAM_FLOOR);
    case NVML_SMOOTHING_RAMP_UP: return param(gpu, value, NVML_PARAM_RAMP_UP);
    case NVML_SMOOTHING_RAMP_DOWN: return param(gpu, value, NVML_PARAM_RAMP_DOWN);
    case NVML_SMOOTHING_HYSTERESIS: return param(gpu, value, NVML_PARAM_HYSTERESIS);
    case NVML_SMOOTHING_ACTIVE: return as_unsigned(value, atomic_load(&gpu->preset));
    default: return NVML_NOT_SUPPORTED;
    }
}

static int field(struct standin_gpu *gpu, const struct standin_shown *shown, struct nvml_field_value *value)
{
    int told = (int)atomic_load(&gpu->told.fail_field);
    if (told)
        return told;
    switch (value->field) {
    case NVML_POWER_AVERAGE: return as_unsigned(value, shown->average_mw);
    case NVML_POWER_INSTANT:
        return atomic_load(&gpu->told.instant) ? as_unsigned(value, shown->draw_mw) : NVML_NOT_SUPPORTED;
    case NVML_ENERGY:
        value->type = NVML_ULONGLONG;
        value->value.ull = (unsigned long long)shown->energy_mj;
        return NVML_SUCCESS;
    default: return smoothing_field(gpu, value);
    }
}

int nvmlDeviceGetPowerManagementLimit(nvml_handle device, unsigned *mw)
{
    struct standin_gpu *gpu;
    int code = session_enter(device, false, &gpu);
    if (!code)
        *mw = (unsigned)atomic_load(&gpu->limit_mw);
    return code;
}

int nvmlDeviceGetFieldValues(nvml_handle device, int count, struct nvml_field_value *values)
{
    struct standin_gpu *gpu;
    struct standin_shown shown;
    int code = session_enter(device, false, &gpu);
    if (code)
        return code;
    standin_show(gpu, &shown);
    for (int i = 0; i < count; i++) {
        values[i].value.ull = ~0ULL;    /* undefined where there is an error */
        values[i].error = field(gpu, &shown, &values[i]);
    }
    return NVML_SUCCESS;
}

int nvmlDeviceGetTotalEnergyConsumption(nvml_handle device, unsigned long long *mj)
{
    struct standin_gpu *gpu;
    struct standin_shown shown;
    int code = session_enter(device, false, &gpu);
    if (code)
        return code;
    standin_show(gpu, &shown);
    *mj = (unsigned long long)shown.energy_mj;
    return NVML_SUCCESS;
}

int nvmlDeviceGetTemperature(nvml_handle device, int sensor, unsigned *celsius)
{
    struct standin_gpu *gpu;
    int code = session_enter(device, false, &gpu);
    if (!code)
        *celsius = TEMPERATURE_C;
    return code ? code : sensor == NVML_TEMPERATURE_GPU ? NVML_SUCCESS : NVML_INVALID_ARGUMENT;
}

int nvmlDeviceGetClockInfo(nvml_handle device, int which, unsigned *mhz)
{
    struct standin_gpu *gpu;
    int code = session_enter(device, false, &gpu);
    if (!code)
        *mhz = CLOCK_MHZ;
    return code ? code : which == NVML_CLOCK_SM ? NVML_SUCCESS : NVML_INVALID_ARGUMENT;
}

int nvmlDeviceGetCurrentClocksEventReasons(nvml_handle device, unsigned long long *reasons)
{
    struct standin_gpu *gpu;
    struct standin_shown shown;
    int code = session_enter(device, false, &gpu);
    if (code)
        return code;
    standin_show(gpu, &shown);
    *reasons = (unsigned long long)atomic_load(&gpu->told.reasons) | (shown.held_down ? NVML_REASON_CAP : 0);
    return NVML_SUCCESS;
}

/* Ramps are taken in W/s, and kept in thousandths of what was written. */
int nvmlDevicePowerSmoothingUpdatePresetProfileParam(nvml_handle device, struct nvml_smoothing_param *param)
{
    struct standin_gpu *gpu;
    int code = session_enter(device, true, &gpu);
    if (code || !atomic_load(&gpu->told.smoothing))
        return code ? code : NVML_NOT_SUPPORTED;
    if (param->version != NVML_VERSION(struct nvml_smoothing_param, 1))
        return 25;
    if (param->profile >= STANDIN_PRESETS || param->param >= STANDIN_PARAMS || !(param->value >= 0) ||
        param->value > 1e12)
        return NVML_INVALID_ARGUMENT;
    if (!atomic_load(&gpu->told.sticky))
        atomic_store(&gpu->param_milli[param->profile][param->param], (int64_t)(param->value * 1000 + 0.5));
    return NVML_SUCCESS;
}

int nvmlDevicePowerSmoothingActivatePresetProfile(nvml_handle device, struct nvml_smoothing_param *profile)
{
    struct standin_gpu *gpu;
    int code = session_enter(device, true, &gpu);
    if (!code && profile->profile >= STANDIN_PRESETS)
        return NVML_INVALID_ARGUMENT;
    if (!code)
        atomic_store(&gpu->preset, profile->profile);
    return code;
}

int nvmlDevicePowerSmoothingSetState(nvml_handle device, struct nvml_smoothing_state *state)
{
    struct standin_gpu *gpu;
    int code = session_enter(device, true, &gpu);
    if (!code && state->version != NVML_VERSION(struct nvml_smoothing_state, 1))
        return 25;
    if (!code && !atomic_load(&gpu->told.sticky))
        atomic_store(&gpu->smooth, state->enabled);
    return code;
}

int nvmlDeviceWorkloadPowerProfileGetCurrentProfiles(nvml_handle device, struct nvml_profiles *profiles)
{
    struct standin_gpu *gpu;
    int code = session_enter(device, false, &gpu);
    if (code)
        return code;
    int64_t told = atomic_load(&gpu->told.profiles);
    if (told < 0)
        return NVML_NOT_SUPPORTED;
    if (profiles->version != NVML_VERSION(struct nvml_profiles, 1))
        return 25;
    for (int i = 0; i < NVML_MASK_WORDS; i++)
        profiles->there[i] = profiles->requested[i] = profiles->enforced[i] = 0;
    profiles->there[0] = 0x7fff;
    profiles->requested[0] = profiles->enforced[0] = (unsigned)told;
    return NVML_SUCCESS;
}
