/* SPDX-License-Identifier: Apache-2.0 */
/*
 * High-water marks of meters that have keys. A meter hears nothing, so it cannot say a session back; a
 * recording of it has a true tag and, where no window remembers, a good number. So what was accepted is kept
 * over a restart: exactly in memory, which outlives the process, and written ahead on the disk, which
 * outlives the machine. A frame above what the disk holds is refused (`unmarked`) and asks a cold thread to
 * reserve more; while numbers come as they did, MARKS_AHEAD_NS of them are reserved before they come.
 *
 * A disk that does not take them, or not in time, stops no meter: the marks lapse, which is counted and shown
 * (`marks` among the degradations), and then only memory knows what was accepted meanwhile.
 */
#ifndef FLYBALL_LOOP_MARKS_H
#define FLYBALL_LOOP_MARKS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include "msg/frame.h"
#include "msg/model.h"
#include "record/mark_file.h"
#include "time/timebase.h"
#include "wire/frame.h"

enum { MARKS_PATH_BYTES = 320 };

/* Of a meter's numbers, reserved at once: what a crash of the machine costs it, less the time until flyballd
 * hears it again. One that says less than one in that time: one number. */
#define MARKS_AHEAD_NS (2 * NS_PER_S)
/* A write that has not ended after this long counts as failed until it does. */
#define MARKS_LATE_NS (2 * NS_PER_S)
/* Paces are looked at, and reserves renewed, this often, if nobody waits. */
#define MARKS_EVERY_NS (NS_PER_S / 4)

/* How fast a meter's numbers grow. */
struct marks_pace {
    uint64_t number;
    int64_t t_ns;               /* when it was seen to be that; 0 = never */
    uint64_t ahead;             /* grows by this in MARKS_AHEAD_NS, at least 1 */
};

struct marks {
    bool open;
    struct mark_names names;
    char path[MARKS_PATH_BYTES];            /* "" = none: memory alone */
    uint64_t run;
    struct mark_memory memory;
    void *block;
    _Atomic uint64_t *newest;   /* by meter: the highest accepted, or asked for */
    _Atomic uint64_t *held;     /* by meter: what the disk holds */
    uint64_t *number;           /* by meter: being written */
    struct marks_pace *pace;
    int64_t looked_ns;          /* at paces; INT64_MIN = never */
    _Atomic int64_t began_ns;   /* of the write that runs; 0 = none */
    _Atomic bool lapsed;        /* the newest write failed */
    _Atomic uint64_t writes, failures;
    const struct timebase *base;
    int core;
    pthread_t thread;
    _Atomic bool stop;
};

/* setup: names of the model's meters. What the controller before accepted is refused from now on: it stands
 * in `window`. PATH: of the file on the disk, "" = none; MEMORY: of that in memory, "" = none. `run` is
 * not 0, another at every start. What cannot be had is told to `notes`, and counted. 0 or -ENOMEM. */
int marks_open(struct marks *marks, const struct model *model, const char *path, const char *memory,
               uint64_t run, struct replay_window *window, FILE *notes);

/* rt, the meter in hand: may a frame of this number, above all before, be accepted? If not, it is asked for.
 * ACCEPTED or REFUSED_UNMARKED; *unheld: no disk holds it. */
int marks_admit(struct marks *marks, uint32_t meter, uint64_t sequence, int64_t t_ns, bool *unheld);

/* cold, one thread: one look; writes where somebody waits or a reserve runs low. */
void marks_look(struct marks *marks, int64_t now_ns);

/* cold: the body of the thread, every MARKS_REST_MS. */
void *marks_run(void *marks);

/* any: does the disk hold nothing of what is accepted now? */
bool marks_are_lapsed(const struct marks *marks, int64_t now_ns);

/* cold, once nobody admits any more, and before the next controller may begin: nothing is written from here
 * on. Where no memory knows what was accepted, exactly that goes to the disk. */
void marks_close(struct marks *marks);

#endif
