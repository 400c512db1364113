/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stand-in for libnvidia-ml.so.1: the names and layouts of act/nvml_library.h over simulated GPUs (gpu.h).
 * Only the loader chooses it (LD_LIBRARY_PATH). In the environment of the process that loads it:
 *
 *   FLYBALL_STANDIN_STATE   the record that processes share; not set: GPUs of this process alone
 *   FLYBALL_STANDIN_GPUS    how many a record that is made has (default 1)
 */
#ifndef FLYBALL_ACT_STANDIN_NVML_SYMBOLS_H
#define FLYBALL_ACT_STANDIN_NVML_SYMBOLS_H

#include "act/nvml_library.h"
#include "act/standin/gpu.h"

/* Every call on a GPU begins here: takes its time, hangs while it is told to, fails as it is told to. 0:
 * go on with *gpu; else what to return. */
int session_enter(nvml_handle device, bool write, struct standin_gpu **gpu);

/* nvml_base.c: always there */
int nvmlInit_v2(void);
int nvmlShutdown(void);
int nvmlDeviceGetCount_v2(unsigned *count);
int nvmlDeviceGetHandleByIndex_v2(unsigned index, nvml_handle *device);
int nvmlDeviceGetUUID(nvml_handle device, char *uuid, unsigned room);
int nvmlDeviceGetEnforcedPowerLimit(nvml_handle device, unsigned *mw);
int nvmlDeviceGetPowerManagementLimitConstraints(nvml_handle device, unsigned *min_mw, unsigned *max_mw);
int nvmlDeviceGetPowerManagementDefaultLimit(nvml_handle device, unsigned *mw);
int nvmlDeviceSetPowerManagementLimit(nvml_handle device, unsigned mw);
int nvmlDeviceGetPowerUsage(nvml_handle device, unsigned *mw);

/* nvml_fields.c: not in the library that plays an old one */
int nvmlDeviceGetPowerManagementLimit(nvml_handle device, unsigned *mw);
int nvmlDeviceGetFieldValues(nvml_handle device, int count, struct nvml_field_value *values);
int nvmlDeviceGetTotalEnergyConsumption(nvml_handle device, unsigned long long *mj);
int nvmlDeviceGetTemperature(nvml_handle device, int sensor, unsigned *celsius);
int nvmlDeviceGetClockInfo(nvml_handle device, int which, unsigned *mhz);
int nvmlDeviceGetCurrentClocksEventReasons(nvml_handle device, unsigned long long *reasons);
int nvmlDevicePowerSmoothingUpdatePresetProfileParam(nvml_handle device, struct nvml_smoothing_param *param);
int nvmlDevicePowerSmoothingActivatePresetProfile(nvml_handle device, struct nvml_smoothing_param *profile);
int nvmlDevicePowerSmoothingSetState(nvml_handle device, struct nvml_smoothing_state *state);
int nvmlDeviceWorkloadPowerProfileGetCurrentProfiles(nvml_handle device, struct nvml_profiles *profiles);

#endif
