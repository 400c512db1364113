/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actuators: what sets a power cap on a device and reads back what is in force. One driver is one file and
 * one line in act_drivers[] (table.c); the conformance test runs over every line.
 *
 * A driver keeps no state of its own but what it hangs on a device: every call on a device comes from one
 * thread at a time, and calls on different devices may come from different threads at once. A call may take
 * long (a driver may hang for seconds): whoever calls does it where nothing else waits.
 *
 * All caps and draws here are of the device, not at the wall; milliwatts.
 */
#ifndef FLYBALL_ACT_ACT_H
#define FLYBALL_ACT_ACT_H

#include <stdbool.h>
#include <stddef.h>

#include "msg/limits.h"

enum { ACT_IDENTITY_BYTES = 96, ACT_PATH_BYTES = 256, ACT_WHY_BYTES = 192 };

/* What is read back where nothing bounds the device: no lease is as high, and sixteen of them add up. */
#define ACT_NO_CAP_MW INT64_C(1000000000)

/* What a device can do, found by reading alone: a cap written to try it could undo one that another process
 * (the watchdog) writes at that moment. So a write may still be refused with -EPERM. */
enum act_feature {
    ACT_SETTABLE = 1,           /* a cap can be written; without it the device is only read */
    ACT_ONLY_LOWER = 2,         /* what is written takes effect only below what is in force */
    ACT_INSTANT_POWER = 4,      /* draw_mw is of now, not an average */
    ACT_ENERGY = 8,
    ACT_SMOOTHING = 16,         /* floor and ramps can be set (act_smooth) */
    ACT_STAGED = 32,            /* a large step down is made in several, by the driver here */
};

/* Why a device draws less than it would. */
enum act_throttle {
    ACT_THROTTLE_CAP = 1,       /* the software power cap: ours, or one that somebody else set */
    ACT_THROTTLE_HARDWARE = 2,  /* a hardware brake or slowdown: power supply, external signal */
    ACT_THROTTLE_THERMAL = 4,
    ACT_THROTTLE_OTHER = 8,     /* clocks set by a person, sync boost */
};

struct act_device {
    char identity[ACT_IDENTITY_BYTES];  /* UUID, PCI address or zone: survives a reboot and a new order */
    uint32_t features;          /* enum act_feature */
    int64_t min_mw, max_mw;     /* that may be written */
    int64_t default_mw;         /* in force when nobody writes; 0 = not known */
    void *own;                  /* the driver's */
};

/* valid: which members were read. */
enum act_reading { ACT_READ_DRAW = 1, ACT_READ_AVERAGE = 2, ACT_READ_ENERGY = 4, ACT_READ_TEMPERATURE = 8,
                   ACT_READ_CLOCK = 16, ACT_READ_THROTTLE = 32, ACT_READ_PROFILES = 64 };

struct act_sample {
    uint32_t valid;             /* enum act_reading */
    uint32_t throttle;          /* enum act_throttle */
    int64_t draw_mw;            /* newest the device tells; see ACT_INSTANT_POWER */
    int64_t average_mw;         /* over average_ns before now */
    int64_t average_ns;
    int64_t energy_mj;          /* since the driver was loaded */
    int32_t temperature_mc;     /* millidegrees Celsius */
    uint32_t clock_mhz;
    uint32_t profiles;          /* bit i: workload power profile i of the vendor is in force; read only */
};

/* What a device is to keep besides its cap: a floor below which it does not let the draw fall at once, how
 * fast it may rise and fall, how long it waits before it falls. 0 = leave as it is. A floor that the device
 * cannot hold, too low ones too, is -ERANGE and changes nothing. */
struct act_smooth {
    int64_t floor_mw;
    int64_t ramp_up_mw_per_s, ramp_down_mw_per_s;
    int64_t hysteresis_ns;
    bool off;                   /* none of it: what was set is switched off */
    /* asked before each call of the device, of which there may be a dozen: true, and the rest is left undone,
     * -EINTR, since a cut waits for the same device. NULL: never */
    bool (*leave)(void *user);
    void *user;
};

/* Where devices are looked for. Empty: the places of a running machine. The driver of NVIDIA has no place
 * here: its library is the one that the loader finds. */
struct act_place {
    char root[ACT_PATH_BYTES];  /* of the sysfs trees; "" = /sys */
    bool read_only;             /* nothing is settable: for a look at a machine that is not ours to change */
    uint32_t dry_devices;       /* how many the dry driver has; 0 = 1 */
    int64_t dry_min_mw, dry_max_mw;     /* of each; 0 = 100 W, 700 W */
    /* where their caps stand for all processes (act/dry.h); "" = this one's */
    char dry_file[ACT_PATH_BYTES];
};

struct act_driver;

/* A driver at work on this machine: its library, its devices. Owned by who opened it. */
struct act {
    const struct act_driver *driver;
    struct act_place place;
    uint32_t count;
    struct act_device device[HOST_DEVICES_MAX];
    void *own;
};

struct act_driver {
    const char *name;           /* in the agent's configuration: "nvml" */
    const char *summary;        /* a line for people */
    bool shared;                /* all that is open in a process is one: anew only once all is closed */
    /* setup: finds every device of its kind and what it can do, and writes nothing. 0 also where there are
     * none; -ENOENT: no such driver or library on this machine; -E2BIG: more than HOST_DEVICES_MAX of them;
     * another -errno. `why` says it in words. After an error nothing is open. */
    int (*open)(struct act *act, char why[ACT_WHY_BYTES]);
    void (*close)(struct act *act);
    /* any: writes a cap, and returns when the driver has taken it. -ERANGE outside min..max, -ENOTSUP not
     * settable, -EPERM not allowed, -ENODEV the device is gone, -EIO and others as the driver says. */
    int (*apply)(struct act *act, uint32_t device, int64_t cap_mw);
    /* any: the cap in force, whoever set it: the least of all that bound the device, ACT_NO_CAP_MW if nothing
     * does. -ENODEV: gone. */
    int (*read_back)(struct act *act, uint32_t device, int64_t *enforced_mw);
    /* any; NULL where no device of it can tell: the cap that it keeps as it was written, which comes to be in
     * force when somebody else's lower limit goes; ACT_NO_CAP_MW: none. -ENOTSUP: this one does not tell;
     * -ENODEV: gone. */
    int (*kept)(struct act *act, uint32_t device, int64_t *kept_mw);
    /* any: what the device tells of itself; what it does not tell is not in `valid`. -ENODEV: gone. */
    int (*sample)(struct act *act, uint32_t device, struct act_sample *sample);
    /* any; NULL where no device of it can. -ENOTSUP: this one cannot; -ERANGE as the device says;
     * -EINTR: left, and what is set by now may be half of it. */
    int (*smooth)(struct act *act, uint32_t device, const struct act_smooth *smooth);
};

/* Ends with a driver without a name. */
extern const struct act_driver *const act_drivers[];

/* setup: by name; NULL: there is none. */
const struct act_driver *act_find(const char *name);

/*
 * setup: opens a driver's devices, place NULL = all empty. Errors as for `open` above; `why` is "" if there
 * is nothing to say. A device that is gone (-ENODEV) or a driver that was loaded anew may need act_close and
 * act_open to be found again (nvml always does): once a second is often enough, and open fails for as long as
 * the driver is away.
 */
int act_open(struct act *act, const struct act_driver *driver, const struct act_place *place,
             char why[ACT_WHY_BYTES]);

/* setup: no call on a device may be under way. Caps stay as they are. Twice is allowed. */
void act_close(struct act *act);

/* any: the device of this identity; INDEX_NONE (msg/model.h): not here. */
uint32_t act_device_find(const struct act *act, const char *identity);

#endif
