/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Power smoothing (Blackwell and newer): a floor in percent of a ceiling, ramps and a hysteresis, kept in a
 * few preset profiles of which one is in force. The last preset is ours; the others stay as the site set
 * them.
 *
 * The unit trap: ramps are written in W/s and read back in mW/s. What does not read back as it was written is
 * -EIO, and the preset is not put into force.
 */
#include <errno.h>

#include "act/nvml_library.h"

#define MW_PER_W 1000
#define PRESETS_MAX 5

bool nvml_smoothing_there(const struct nvml_library *library, nvml_handle device)
{
    int64_t enabled, presets;
    return library->smoothing_param && library->smoothing_activate && library->smoothing_state &&
           !nvml_library_field(library, device, NVML_SMOOTHING_ENABLED, 0, &enabled) &&
           !nvml_library_field(library, device, NVML_SMOOTHING_PROFILES, 0, &presets) &&
           presets >= 1 && presets <= PRESETS_MAX;
}

/* One device that is being set, and who may want it before that is done. */
struct setting {
    const struct nvml_library *library;
    nvml_handle device;
    const struct act_smooth *wanted;
    unsigned preset;
};

/* Before each call: a call cannot be ended, and may take as long as the driver likes. */
static int go_on(const struct setting *setting)
{
    return setting->wanted->leave && setting->wanted->leave(setting->wanted->user) ? -EINTR : 0;
}

static int read_field(const struct setting *setting, unsigned field, unsigned scope, int64_t *value)
{
    int error = go_on(setting);
    return error ? error : nvml_library_field(setting->library, setting->device, field, scope, value);
}

/* Percent of the ceiling, within what the device takes. */
static int floor_percent(const struct setting *setting, double *percent)
{
    int64_t ceiling_w, least, most;
    int error = read_field(setting, NVML_SMOOTHING_CEILING, 0, &ceiling_w);
    if (!error)
        error = read_field(setting, NVML_SMOOTHING_LEAST_FLOOR, 0, &least);
    if (!error)
        error = read_field(setting, NVML_SMOOTHING_MOST_FLOOR, 0, &most);
    if (error)
        return error;
    if (ceiling_w <= 0)
        return -EIO;
    *percent = (double)setting->wanted->floor_mw / 10.0 / (double)ceiling_w;
    return *percent < (double)least || *percent > (double)most ? -ERANGE : 0;
}

/* Writes one parameter and reads it back as `seen`, one off allowed: percents come back whole. */
static int set(const struct setting *setting, unsigned param, double value, unsigned field, double seen)
{
    int64_t back;
    struct nvml_smoothing_param wanted = {.version = NVML_VERSION(struct nvml_smoothing_param, 1),
                                          .profile = setting->preset, .param = param, .value = value};
    int error = go_on(setting);
    if (!error)
        error = nvml_library_error(setting->library->smoothing_param(setting->device, &wanted));
    if (!error)
        error = read_field(setting, field, setting->preset, &back);
    if (error)
        return error;
    double off = (double)back - seen;
    return off > 1 || off < -1 ? -EIO : 0;
}

static int set_floor(const struct setting *setting)
{
    double percent;
    if (!setting->wanted->floor_mw)
        return 0;
    int error = floor_percent(setting, &percent);
    return error ? error : set(setting, NVML_PARAM_FLOOR, percent, NVML_SMOOTHING_FLOOR, percent);
}

static int set_ramps(const struct setting *setting)
{
    const struct act_smooth *smooth = setting->wanted;
    double up = (double)smooth->ramp_up_mw_per_s, down = (double)smooth->ramp_down_mw_per_s;
    double ms = (double)smooth->hysteresis_ns / (double)NS_PER_MS;
    int error = 0;
    if (smooth->ramp_up_mw_per_s)
        error = set(setting, NVML_PARAM_RAMP_UP, up / MW_PER_W, NVML_SMOOTHING_RAMP_UP, up);
    if (!error && smooth->ramp_down_mw_per_s)
        error = set(setting, NVML_PARAM_RAMP_DOWN, down / MW_PER_W, NVML_SMOOTHING_RAMP_DOWN, down);
    if (!error && smooth->hysteresis_ns)
        error = set(setting, NVML_PARAM_HYSTERESIS, ms, NVML_SMOOTHING_HYSTERESIS, ms);
    return error;
}

static int switch_to(const struct setting *setting, int on)
{
    struct nvml_smoothing_state wanted = {.version = NVML_VERSION(struct nvml_smoothing_state, 1),
                                          .enabled = on};
    int64_t seen;
    int error = go_on(setting);
    if (!error)
        error = nvml_library_error(setting->library->smoothing_state(setting->device, &wanted));
    if (!error)
        error = read_field(setting, NVML_SMOOTHING_ENABLED, 0, &seen);
    return error ? error : seen == on ? 0 : -EIO;
}

static int put_into_force(const struct setting *setting)
{
    struct nvml_smoothing_param chosen = {.version = NVML_VERSION(struct nvml_smoothing_param, 1),
                                          .profile = setting->preset};
    int error = go_on(setting);
    if (!error)
        error = nvml_library_error(setting->library->smoothing_activate(setting->device, &chosen));
    return error ? error : switch_to(setting, 1);
}

int nvml_smoothing_set(const struct nvml_library *library, nvml_handle device,
                       const struct act_smooth *smooth)
{
    struct setting setting = {.library = library, .device = device, .wanted = smooth};
    int64_t presets;
    if (smooth->off)
        return switch_to(&setting, 0);
    if (smooth->floor_mw < 0 || smooth->ramp_up_mw_per_s < 0 || smooth->ramp_down_mw_per_s < 0 ||
        smooth->hysteresis_ns < 0)
        return -ERANGE;
    int error = read_field(&setting, NVML_SMOOTHING_PROFILES, 0, &presets);
    if (error || presets < 1 || presets > PRESETS_MAX)
        return error ? error : -EIO;
    setting.preset = (unsigned)presets - 1;
    error = set_floor(&setting);
    if (!error)
        error = set_ramps(&setting);
    return error ? error : put_into_force(&setting);
}
