/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GPUs that are simulated, in a record that processes share: what the stand-in for NVIDIA's library answers
 * from, and what tests and the program beside it (standin.c) write to.
 *
 * A GPU draws what its demand asks for, held down by its limit: a write takes effect after a dead time of 5
 * ms, draw falls with 20 ms and rises with 150 ms, and passes the limit for 20 ms when it comes up to it.
 * Sensors are refreshed every 100 ms, the average is over the last second of them.
 *
 * A process may be killed or stopped anywhere, so the lock of a GPU is taken over from whoever holds it for
 * longer than LOCK_NS: what it leaves half done is a simulated draw, not a limit.
 */
#ifndef FLYBALL_ACT_STANDIN_GPU_H
#define FLYBALL_ACT_STANDIN_GPU_H

#include <stdatomic.h>

#include "act/act.h"

#define STANDIN_MARK UINT64_C(0x336c6d766e796c66)       /* "flynvml3" */

enum { STANDIN_GPUS_MAX = 24,   /* more than a host may have */
       STANDIN_PRESETS = 5, STANDIN_PARAMS = 4, STANDIN_MARKS = 16 };

/* Told, at any time, by tests. */
struct standin_told {
    _Atomic int64_t demand_mw;
    _Atomic int64_t foreign_mw; /* somebody else's limit, out of band; 0 = none */
    _Atomic int64_t overshoot_permille;
    _Atomic int64_t lost;       /* off the bus: every call says so */
    _Atomic int64_t hang;       /* every call waits until it is 0 again */
    _Atomic int64_t sticky;     /* limits, and smoothing on or off, are taken and change nothing */
    _Atomic int64_t fail_set;   /* nvmlReturn_t of every write; 0 = none */
    _Atomic int64_t fail_get;   /* of every reading */
    _Atomic int64_t fail_field; /* of every value of a field, while the call succeeds */
    _Atomic int64_t call_us;    /* how long each call takes */
    _Atomic int64_t reasons;    /* nvmlClocksEventReasons besides the cap's */
    _Atomic int64_t instant;    /* has field 186 */
    _Atomic int64_t smoothing;  /* has power smoothing */
    _Atomic int64_t ramps_in_mw;/* takes ramps for mW/s, as a confused driver would */
    _Atomic int64_t profiles;   /* workload power profiles in force; -1 = has none */
};

struct standin_gpu {
    struct standin_told told;
    _Atomic int64_t limit_mw;   /* asked for through the library */
    _Atomic int64_t limit_was_mw, limit_at_ns;  /* before, and when it was changed */
    _Atomic uint64_t calls, writes;
    _Atomic uint64_t write_call;        /* how many calls there were by the newest write, it included */
    _Atomic int64_t preset;     /* smoothing: in force */
    _Atomic int64_t smooth;     /* and switched on */
    _Atomic int64_t param_milli[STANDIN_PRESETS][STANDIN_PARAMS];     /* as written, in thousandths */
    /* under the lock */
    _Atomic int64_t lock_ns;    /* since when it is held, 0 = free */
    int64_t at_ns;              /* the simulation stands here */
    int64_t draw_mw;
    int64_t over_ns;            /* the draw passes the limit until then */
    int64_t energy_uj;
    int64_t shown_mw, shown_mark;       /* the sensor, and its newest refresh in 100 ms */
    int64_t mark_uj[STANDIN_MARKS];     /* energy at refreshes */
};

struct standin {
    _Atomic uint64_t mark;
    _Atomic uint32_t gpus;
    _Atomic uint32_t unloaded;  /* the driver is */
    _Atomic uint32_t loads;     /* how often it was loaded: handles of another load are lost */
    uint32_t reserved;
    struct standin_gpu gpu[STANDIN_GPUS_MAX];
};

#define STANDIN_MIN_MW     INT64_C(200000)
#define STANDIN_MAX_MW     INT64_C(700000)
#define STANDIN_IDLE_MW    INT64_C(70000)
#define STANDIN_CEILING_W  INT64_C(700)

/* What a reading shows, all at one moment. */
struct standin_shown {
    int64_t draw_mw, average_mw, energy_mj;
    bool held_down;             /* the limit holds the draw down */
};

/* setup: maps the record in a file, shared, made with `gpus` GPUs where it is empty or not there; path
 * NULL: in this process alone. NULL and errno: EBADMSG, another record; E2BIG. munmap of sizeof(struct
 * standin) frees. */
struct standin *standin_map(const char *path, uint32_t gpus);

/* any: loads the driver anew: limits are the default's, energy counts from 0, handles are lost, and GPUs have
 * other indices. */
void standin_load(struct standin *standin);

/* any: a limit asked for; and what is in force now. */
void standin_ask(struct standin_gpu *gpu, int64_t limit_mw);
int64_t standin_enforced(const struct standin_gpu *gpu);

/* any: brings the GPU up to now and reads it. */
void standin_show(struct standin_gpu *gpu, struct standin_shown *shown);

/* any: a GPU's member of struct standin_told by name; NULL: none has that name. */
_Atomic int64_t *standin_told(struct standin_gpu *gpu, const char *name);

#endif
