/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "act/standin/nvml_symbols.h"

#define HANG_LOOK_NS (2 * NS_PER_MS)

/* The interface that is played has no handle of its own, so it is the one thing here that stands in a
 * file. */
static struct {
    pthread_mutex_t lock;
    struct standin *standin;
    _Atomic uint32_t loads;     /* of the driver, when it was initialised */
    unsigned users;
} session = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int begin(void)
{
    const char *gpus = getenv("FLYBALL_STANDIN_GPUS");
    long count = gpus ? strtol(gpus, NULL, 10) : 1;
    if (count < 0 || count > STANDIN_GPUS_MAX)
        return NVML_UNKNOWN;
    session.standin = standin_map(getenv("FLYBALL_STANDIN_STATE"), (uint32_t)count);
    if (!session.standin)
        return NVML_UNKNOWN;
    if (!atomic_load(&session.standin->unloaded)) {
        atomic_store(&session.loads, atomic_load(&session.standin->loads));
        return NVML_SUCCESS;
    }
    munmap(session.standin, sizeof(struct standin));
    session.standin = NULL;
    return NVML_DRIVER_NOT_LOADED;
}

int nvmlInit_v2(void)
{
    pthread_mutex_lock(&session.lock);
    int code = session.users ? NVML_SUCCESS : begin();
    if (!code)
        session.users++;
    pthread_mutex_unlock(&session.lock);
    return code;
}

int nvmlShutdown(void)
{
    pthread_mutex_lock(&session.lock);
    int code = session.users ? NVML_SUCCESS : NVML_UNINITIALIZED;
    if (!code && --session.users == 0) {
        munmap(session.standin, sizeof(struct standin));
        session.standin = NULL;
    }
    pthread_mutex_unlock(&session.lock);
    return code;
}

static void wait_ns(int64_t ns)
{
    struct timespec span = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
    nanosleep(&span, NULL);
}

static bool is_lost(const struct standin_gpu *gpu)
{
    return atomic_load(&gpu->told.lost) || atomic_load(&session.standin->unloaded) ||
           atomic_load(&session.loads) != atomic_load(&session.standin->loads);
}

int session_enter(nvml_handle device, bool write, struct standin_gpu **gpu)
{
    if (!session.standin)
        return NVML_UNINITIALIZED;
    *gpu = (struct standin_gpu *)(void *)device;
    atomic_fetch_add(&(*gpu)->calls, 1);
    wait_ns(atomic_load(&(*gpu)->told.call_us) * NS_PER_US);
    while (atomic_load(&(*gpu)->told.hang))
        wait_ns(HANG_LOOK_NS);
    if (is_lost(*gpu))
        return NVML_GPU_IS_LOST;
    return (int)atomic_load(write ? &(*gpu)->told.fail_set : &(*gpu)->told.fail_get);
}

int nvmlDeviceGetCount_v2(unsigned *count)
{
    if (!session.standin)
        return NVML_UNINITIALIZED;
    *count = atomic_load(&session.standin->gpus);
    return NVML_SUCCESS;
}

/* Each load of the driver numbers them otherwise. */
int nvmlDeviceGetHandleByIndex_v2(unsigned index, nvml_handle *device)
{
    if (!session.standin)
        return NVML_UNINITIALIZED;
    uint32_t gpus = atomic_load(&session.standin->gpus);
    if (index >= gpus)
        return NVML_INVALID_ARGUMENT;
    struct standin_gpu *gpu = &session.standin->gpu[(index + atomic_load(&session.loads)) % gpus];
    if (is_lost(gpu))
        return NVML_GPU_IS_LOST;
    *device = (nvml_handle)(void *)gpu;
    return NVML_SUCCESS;
}

int nvmlDeviceGetUUID(nvml_handle device, char *uuid, unsigned room)
{
    struct standin_gpu *gpu;
    int code = session_enter(device, false, &gpu);
    if (code)
        return code;
    return snprintf(uuid, room, "GPU-f17ba11e-0000-4000-8000-%012x", (unsigned)(gpu - session.standin->gpu)) <
                   (int)room ? NVML_SUCCESS : 7;
}

int nvmlDeviceGetEnforcedPowerLimit(nvml_handle device, unsigned *mw)
{
    struct standin_gpu *gpu;
    int code = session_enter(device, false, &gpu);
    if (!code)
        *mw = (unsigned)standin_enforced(gpu);
    return code;
}

int nvmlDeviceGetPowerManagementLimitConstraints(nvml_handle device, unsigned *min_mw, unsigned *max_mw)
{
    struct standin_gpu *gpu;
    int code = session_enter(device, false, &gpu);
    if (code)
        return code;
    *min_mw = STANDIN_MIN_MW;
    *max_mw = STANDIN_MAX_MW;
    return NVML_SUCCESS;
}

int nvmlDeviceGetPowerManagementDefaultLimit(nvml_handle device, unsigned *mw)
{
    struct standin_gpu *gpu;
    int code = session_enter(device, false, &gpu);
    if (!code)
        *mw = STANDIN_MAX_MW;
    return code;
}

int nvmlDeviceSetPowerManagementLimit(nvml_handle device, unsigned mw)
{
    struct standin_gpu *gpu;
    int code = session_enter(device, true, &gpu);
    if (code)
        return code;
    if (mw < STANDIN_MIN_MW || mw > STANDIN_MAX_MW)
        return NVML_INVALID_ARGUMENT;
    standin_ask(gpu, mw);
    return NVML_SUCCESS;
}

int nvmlDeviceGetPowerUsage(nvml_handle device, unsigned *mw)
{
    struct standin_gpu *gpu;
    struct standin_shown shown;
    int code = session_enter(device, false, &gpu);
    if (code)
        return code;
    standin_show(gpu, &shown);
    *mw = (unsigned)shown.average_mw;
    return NVML_SUCCESS;
}
