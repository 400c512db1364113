/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/marks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/compare.h"
#include "rt/thread.h"

enum { MARKS_REST_MS = 20 };
#define NOT_HELD UINT64_MAX                 /* of a meter that memory knows nothing of */
#define AHEAD_MOST (UINT64_C(1) << 34)      /* ns of a clock in MARKS_AHEAD_NS, and some */

static const char *meter_name(const void *model, uint32_t index)
{
    return ((const struct model *)model)->meter[index].name;
}

static int make_room(struct marks *marks)
{
    size_t count = marks->names.count + 1;
    char *at = calloc(count, 3 * sizeof(uint64_t) + sizeof *marks->pace);
    marks->block = at;
    if (!at)
        return -ENOMEM;
    marks->pace = (struct marks_pace *)(void *)at;
    at += count * sizeof *marks->pace;
    marks->number = (uint64_t *)(void *)at;
    at += count * sizeof *marks->number;
    marks->newest = (_Atomic uint64_t *)(void *)at;
    marks->held = marks->newest + count;
    return 0;
}

static void fail(struct marks *marks, const char *path, int error, const char *so, FILE *notes)
{
    atomic_fetch_add_explicit(&marks->failures, 1, memory_order_relaxed);
    fprintf(notes, "flyballd: marks of meters %s: %s; %s\n", path,
            error == -EBADMSG ? "not whole" : error == -ENOTSUP ? "not in memory" : strerror(-error), so);
}

/* What both remember. Memory knows exactly, where it is of the run that wrote the disk and has that meter;
 * else the higher counts. */
static void read_marks(struct marks *marks, const char *memory, uint64_t *before, FILE *notes)
{
    uint64_t run = 0, run_before = 0;
    for (uint32_t i = 0; i < marks->names.count; i++)
        before[i] = NOT_HELD;
    int error = *marks->path ? mark_file_read(marks->path, &marks->names, marks->number, &run) : 0;
    if (error)
        fail(marks, marks->path, error, "what was recorded before this start may pass", notes);
    error = *memory ? mark_memory_open(&marks->memory, memory, &marks->names, before, &run_before) : 0;
    if (error)
        fail(marks, memory, error, "a crash of this process costs meters what is reserved", notes);
    bool exact = run && run == run_before;
    for (uint32_t i = 0; i < marks->names.count; i++) {
        atomic_store_explicit(&marks->held[i], marks->number[i], memory_order_relaxed);
        if (before[i] != NOT_HELD && (exact || before[i] > marks->number[i]))
            marks->number[i] = before[i];
    }
}

int marks_open(struct marks *marks, const struct model *model, const char *path, const char *memory,
               uint64_t run, struct replay_window *window, FILE *notes)
{
    *marks = (struct marks){.names = {model->meter_count, meter_name, model},
                            .run = run,
                            .base = marks->base,
                            .core = marks->core,
                            .memory.fd = -1,
                            .looked_ns = INT64_MIN};
    uint64_t *before = calloc(model->meter_count + 1, sizeof *before);
    if (snprintf(marks->path, sizeof marks->path, "%s", path) >= (int)sizeof marks->path)
        *marks->path = 0;
    if (!before || make_room(marks)) {
        free(before);
        return -ENOMEM;
    }
    read_marks(marks, memory, before, notes);
    free(before);
    if (marks->memory.fd >= 0) {
        mark_memory_begin(&marks->memory, &marks->names, marks->number, run);
        marks->newest = marks->memory.number;
    }
    for (uint32_t i = 0; i < model->meter_count; i++) {
        atomic_store_explicit(&marks->newest[i], marks->number[i], memory_order_relaxed);
        window[i] = (struct replay_window){.newest = marks->number[i], .seen = marks->number[i] != 0};
    }
    marks->open = true;
    return 0;
}

bool marks_are_lapsed(const struct marks *marks, int64_t now_ns)
{
    int64_t began_ns = atomic_load_explicit(&marks->began_ns, memory_order_relaxed);
    return !*marks->path || atomic_load_explicit(&marks->lapsed, memory_order_relaxed) ||
           (began_ns && now_ns - began_ns > MARKS_LATE_NS);
}

int marks_admit(struct marks *marks, uint32_t meter, uint64_t sequence, int64_t t_ns, bool *unheld)
{
    /* in one order with `plan`: it sees this number, or this sees what it takes back. Also of what is
     * refused, so that it knows how much is asked for. */
    atomic_store_explicit(&marks->newest[meter], sequence, memory_order_seq_cst);
    *unheld = sequence > atomic_load_explicit(&marks->held[meter], memory_order_seq_cst);
    return *unheld && !marks_are_lapsed(marks, t_ns) ? REFUSED_UNMARKED : ACCEPTED;
}

/* ---- the cold side ---- */

/* How much its numbers grow. The first look, or a jump, tells little; the next ones do. */
static void follow(struct marks_pace *pace, uint64_t newest, int64_t now_ns)
{
    __extension__ typedef unsigned __int128 wide;
    if (newest == pace->number)
        return;
    if (pace->t_ns && newest > pace->number) {
        int64_t dt_ns = larger(now_ns - pace->t_ns, 1);
        wide ahead = (wide)(newest - pace->number) * (uint64_t)MARKS_AHEAD_NS / (uint64_t)dt_ns;
        pace->ahead = ahead < AHEAD_MOST ? (uint64_t)ahead : AHEAD_MOST;
    }
    *pace = (struct marks_pace){newest, now_ns, pace->ahead ? pace->ahead : 1};
}

static bool waits(const struct marks *marks)
{
    bool any = false;
    for (uint32_t i = 0; i < marks->names.count; i++)
        any |= atomic_load_explicit(&marks->newest[i], memory_order_relaxed) >
               atomic_load_explicit(&marks->held[i], memory_order_relaxed);
    return any;
}

/* Less than half of its reserve is left, or more is held than was ever needed: a jump. */
static bool is_due(struct marks *marks, int64_t now_ns)
{
    bool due = false;
    for (uint32_t i = 0; i < marks->names.count; i++) {
        struct marks_pace *pace = &marks->pace[i];
        uint64_t newest = atomic_load_explicit(&marks->newest[i], memory_order_relaxed);
        uint64_t held = atomic_load_explicit(&marks->held[i], memory_order_relaxed);
        bool heard = pace->t_ns && newest != pace->number;    /* the first look knows of no jump */
        follow(pace, newest, now_ns);
        uint64_t left = held > newest ? held - newest : 0;
        due |= pace->t_ns && (left <= pace->ahead / 2 || (heard && left > 2 * pace->ahead + 2));
    }
    return due;
}

/* What the disk is to hold. Where that is less than now, lanes stop at it first. */
static void plan(struct marks *marks)
{
    for (uint32_t i = 0; i < marks->names.count; i++) {
        uint64_t ahead = marks->pace[i].ahead;
        uint64_t newest = atomic_load_explicit(&marks->newest[i], memory_order_seq_cst);
        uint64_t least = newest <= UINT64_MAX - ahead ? newest + ahead : newest;
        if (least < atomic_load_explicit(&marks->held[i], memory_order_relaxed))
            atomic_store_explicit(&marks->held[i], least, memory_order_seq_cst);
        newest = atomic_load_explicit(&marks->newest[i], memory_order_seq_cst);
        least = newest <= UINT64_MAX - ahead ? newest + ahead : newest;
        /* a number that was asked for and refused may have gone since: lanes accept up to what is held */
        uint64_t held = atomic_load_explicit(&marks->held[i], memory_order_relaxed);
        marks->number[i] = least > held ? least : held;
    }
}

static void end(struct marks *marks, int error)
{
    for (uint32_t i = 0; i < marks->names.count && !error; i++)
        atomic_store_explicit(&marks->held[i], marks->number[i], memory_order_seq_cst);
    bool was = atomic_exchange_explicit(&marks->lapsed, error != 0, memory_order_relaxed);
    atomic_fetch_add_explicit(error ? &marks->failures : &marks->writes, 1, memory_order_relaxed);
    if (was != (error != 0))
        fprintf(stderr,
                error ? "flyballd: marks of meters %s: not written: %s; what is recorded from now on may "
                        "pass after a crash of the machine\n"
                      : "flyballd: marks of meters %s: written again%.0s\n",
                marks->path, strerror(-error));
}

void marks_look(struct marks *marks, int64_t now_ns)
{
    bool looks = marks->looked_ns == INT64_MIN || now_ns - marks->looked_ns >= MARKS_EVERY_NS;
    /* a disk that fails is not asked at every turn */
    bool hurries = !atomic_load_explicit(&marks->lapsed, memory_order_relaxed) && waits(marks);
    if (!*marks->path || (!looks && !hurries))
        return;
    marks->looked_ns = now_ns;
    if (!is_due(marks, now_ns))
        return;
    atomic_store_explicit(&marks->began_ns, now_ns, memory_order_relaxed);
    plan(marks);
    end(marks, mark_file_write(marks->path, &marks->names, marks->number, marks->run));
    atomic_store_explicit(&marks->began_ns, 0, memory_order_relaxed);
}

void *marks_run(void *argument)
{
    struct marks *marks = argument;
    const struct timespec rest = {.tv_nsec = MARKS_REST_MS * NS_PER_MS};
    rt_pin(marks->core);
    while (!atomic_load_explicit(&marks->stop, memory_order_acquire)) {
        marks_look(marks, timebase_now_ns(marks->base));
        nanosleep(&rest, NULL);
    }
    return NULL;
}

void marks_close(struct marks *marks)
{
    /* where memory knows exactly, what is reserved serves whoever comes next */
    if (marks->open && *marks->path && marks->memory.fd < 0) {
        for (uint32_t i = 0; i < marks->names.count; i++)
            marks->number[i] = atomic_load_explicit(&marks->newest[i], memory_order_acquire);
        int error = mark_file_write(marks->path, &marks->names, marks->number, marks->run);
        if (error)
            fprintf(stderr, "flyballd: marks of meters %s: not written: %s\n", marks->path, strerror(-error));
    }
    mark_memory_close(&marks->memory);
    free(marks->block);
    marks->block = NULL;
    marks->open = false;
}
