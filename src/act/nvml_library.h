/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few functions of NVIDIA's management library that are used, by our own declarations: names, numbers and
 * layouts as of its header 13.3. Each is looked up by name; one that is not there is a feature that is
 * absent.
 */
#ifndef FLYBALL_ACT_NVML_LIBRARY_H
#define FLYBALL_ACT_NVML_LIBRARY_H

#include <stdint.h>

#include "act/act.h"

#define NVML_LIBRARY "libnvidia-ml.so.1"

/* nvmlReturn_t, those that are told apart */
enum nvml_return {
    NVML_SUCCESS = 0, NVML_UNINITIALIZED = 1, NVML_INVALID_ARGUMENT = 2, NVML_NOT_SUPPORTED = 3,
    NVML_NO_PERMISSION = 4, NVML_NOT_FOUND = 6, NVML_DRIVER_NOT_LOADED = 9, NVML_TIMEOUT = 10,
    NVML_FUNCTION_NOT_FOUND = 13, NVML_GPU_IS_LOST = 15, NVML_RESET_REQUIRED = 16,
    NVML_OPERATING_SYSTEM = 17, NVML_VERSION_MISMATCH = 18, NVML_IN_USE = 19, NVML_NO_DATA = 21,
    NVML_GPU_NOT_FOUND = 28, NVML_UNKNOWN = 999,
};

/* field ids */
enum nvml_field {
    NVML_POWER_AVERAGE = 185,           /* mW over a second */
    NVML_POWER_INSTANT = 186,           /* mW */
    NVML_ENERGY = 191,                  /* mJ since the driver was loaded */
    NVML_SMOOTHING_ENABLED = 251,
    NVML_SMOOTHING_CEILING = 254,       /* W that percents of a floor are of */
    NVML_SMOOTHING_MOST_FLOOR = 256,    /* percent */
    NVML_SMOOTHING_LEAST_FLOOR = 257,
    NVML_SMOOTHING_PROFILES = 259,      /* how many presets there are */
    NVML_SMOOTHING_FLOOR = 260,         /* percent, of the preset in scopeId, as the next three */
    NVML_SMOOTHING_RAMP_UP = 261,       /* mW/s */
    NVML_SMOOTHING_RAMP_DOWN = 262,
    NVML_SMOOTHING_HYSTERESIS = 263,    /* ms */
    NVML_SMOOTHING_ACTIVE = 264,        /* the preset in force */
};

enum nvml_value_type { NVML_DOUBLE = 0, NVML_UINT = 1, NVML_ULONG = 2, NVML_ULONGLONG = 3, NVML_LONGLONG = 4,
                       NVML_INT = 5, NVML_USHORT = 6 };

/* nvmlClocksEventReasons */
enum nvml_reason {
    NVML_REASON_IDLE = 0x1, NVML_REASON_SET_CLOCKS = 0x2, NVML_REASON_CAP = 0x4, NVML_REASON_HARDWARE = 0x8,
    NVML_REASON_SYNC = 0x10, NVML_REASON_THERMAL = 0x20, NVML_REASON_HARDWARE_THERMAL = 0x40,
    NVML_REASON_BRAKE = 0x80, NVML_REASON_DISPLAY = 0x100,
};

enum { NVML_CLOCK_SM = 1, NVML_TEMPERATURE_GPU = 0, NVML_UUID_BYTES = 96, NVML_MASK_WORDS = 8,
       /* what nvmlPowerSmoothingProfile_t.paramId counts; floor percent, W/s, W/s, ms */
       NVML_PARAM_FLOOR = 0, NVML_PARAM_RAMP_UP = 1, NVML_PARAM_RAMP_DOWN = 2, NVML_PARAM_HYSTERESIS = 3 };

/* The version member of a struct: its size, and a number of its layout. */
#define NVML_VERSION(type, number) ((unsigned)(sizeof(type) | (unsigned)(number) << 24))

typedef struct nvml_handle *nvml_handle;

struct nvml_field_value {
    unsigned field;
    unsigned scope;
    long long stamp_us;
    long long latency_us;
    int type;                   /* enum nvml_value_type */
    int error;                  /* of this value alone */
    union {
        double d;
        int i;
        unsigned u;
        unsigned long ul;
        unsigned long long ull;
        long long ll;
        unsigned short us;
    } value;
};

struct nvml_smoothing_param {
    unsigned version;           /* NVML_VERSION(, 1) */
    unsigned profile;
    unsigned param;
    double value;
};

struct nvml_smoothing_state {
    unsigned version;           /* NVML_VERSION(, 1) */
    int enabled;
};

struct nvml_profiles {
    unsigned version;           /* NVML_VERSION(, 1) */
    unsigned there[NVML_MASK_WORDS], requested[NVML_MASK_WORDS], enforced[NVML_MASK_WORDS];
};

static_assert(sizeof(struct nvml_field_value) == 40, "layout of nvmlFieldValue_t");
static_assert(sizeof(struct nvml_smoothing_param) == 24, "layout of nvmlPowerSmoothingProfile_v1_t");
static_assert(sizeof(struct nvml_profiles) == 100, "layout of nvmlWorkloadPowerProfileCurrentProfiles_v1_t");

/* Functions that are NULL are not there; those above `constraints` always are. */
struct nvml_library {
    void *handle;
    int (*init)(void);
    int (*shutdown)(void);
    int (*count)(unsigned *count);
    int (*by_index)(unsigned index, nvml_handle *device);
    int (*uuid)(nvml_handle device, char *uuid, unsigned room);
    int (*enforced)(nvml_handle device, unsigned *mw);
    int (*constraints)(nvml_handle device, unsigned *min_mw, unsigned *max_mw);
    int (*default_limit)(nvml_handle device, unsigned *mw);
    int (*set_limit)(nvml_handle device, unsigned mw);
    int (*kept)(nvml_handle device, unsigned *mw);
    int (*usage)(nvml_handle device, unsigned *mw);
    int (*fields)(nvml_handle device, int count, struct nvml_field_value *values);
    int (*energy)(nvml_handle device, unsigned long long *mj);
    int (*temperature)(nvml_handle device, int sensor, unsigned *celsius);
    int (*clock)(nvml_handle device, int which, unsigned *mhz);
    int (*reasons)(nvml_handle device, unsigned long long *reasons);
    int (*smoothing_param)(nvml_handle device, struct nvml_smoothing_param *param);
    int (*smoothing_activate)(nvml_handle device, struct nvml_smoothing_param *profile);
    int (*smoothing_state)(nvml_handle device, struct nvml_smoothing_state *state);
    int (*profiles)(nvml_handle device, struct nvml_profiles *profiles);
};

/* setup: loads it from where the loader finds it, looks the functions up and initialises it. -ENOENT:
 * there is no such library, no driver behind it, or it lacks what cannot be done without; `why` says it. */
int nvml_library_open(struct nvml_library *library, char why[ACT_WHY_BYTES]);
void nvml_library_close(struct nvml_library *library);

/* any: what nvmlReturn_t means: 0, -ENODEV (lost, unloaded, to be reset), -EPERM, -ENOTSUP, -ERANGE (an
 * argument), -ETIMEDOUT, -EBUSY, else -EIO. */
int nvml_library_error(int code);

/* any: one field; -ENOTSUP where library or device do not have it. Whole units, rounded down. */
int nvml_library_field(const struct nvml_library *library, nvml_handle device, unsigned field, unsigned scope,
                       int64_t *value);

/* any: the number of a field that was read without an error; -EBADMSG: of no known type. */
int nvml_library_number(const struct nvml_field_value *field, int64_t *value);

/* nvml_smoothing.c: has this device power smoothing? And act_driver.smooth for it. */
bool nvml_smoothing_there(const struct nvml_library *library, nvml_handle device);
int nvml_smoothing_set(const struct nvml_library *library, nvml_handle device,
                       const struct act_smooth *smooth);

#endif
