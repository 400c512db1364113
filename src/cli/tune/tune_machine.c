/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine does to a thread, whatever flyball is: hiccups and wake-ups. And which machine it is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "cli/tune/tune.h"
#include "commit.h"
#include "rt/deadline.h"
#include "rt/hiccup.h"
#include "rt/thread.h"
#include "rt/wake.h"

enum { GAPS_ROOM = 1 << 20, WAKES_ROOM = 1 << 16 };
#define WAKE_PERIOD_NS (1 * NS_PER_MS)
#define UNLIFTED_SECONDS 2.0            /* throttling stops a thread in every second */

struct task {
    const struct tune *tune;
    int core;
    bool hot;
    int (*run)(void *argument);
    void *argument;
    int pin_error, scheduler_error, result;
};

int tune_schedule(const struct tune *tune, int core)
{
    const struct site_server *server = &tune->site.server;
    struct rt_deadline deadline = {server->deadline_runtime_ns, server->deadline_period_ns};
    return deadline.period_ns ? rt_deadline_on(core, &deadline) : rt_fifo(server->priority);
}

static void *task_run(void *argument)
{
    struct task *task = argument;
    task->pin_error = rt_pin(task->core);
    int placed = task->hot ? tune_schedule(task->tune, task->core) : 0;
    task->scheduler_error = placed < 0 ? placed : 0;
    if (placed > 0 && !task->pin_error)
        task->pin_error = -EBUSY;
    task->result = task->run(task->argument);
    return NULL;
}

int tune_on_core(struct tune *tune, int core, bool hot, int (*run)(void *argument), void *argument)
{
    const struct site_server *server = &tune->site.server;
    struct task task = {.tune = tune, .core = core, .hot = hot, .run = run, .argument = argument};
    pthread_t thread;
    int error = rt_spawn(&thread, "fb-tune", task_run, &task);
    if (error)
        return error;
    pthread_join(thread, NULL);
    tune->unpinned |= task.pin_error != 0;
    tune->unprivileged |= task.scheduler_error != 0;
    if (task.pin_error)
        tune_note(tune, "not pinned to core %d: %s", core, strerror(-task.pin_error));
    if (task.scheduler_error && server->deadline_period_ns)
        tune_note(tune, "not SCHED_DEADLINE: %s", strerror(-task.scheduler_error));
    else if (task.scheduler_error)
        tune_note(tune, "not SCHED_FIFO %d: %s", server->priority, strerror(-task.scheduler_error));
    return task.result;
}

void tune_note(struct tune *tune, const char *format, ...)
{
    char note[TUNE_NOTE_BYTES];
    va_list words;
    va_start(words, format);
    vsnprintf(note, sizeof note, format, words);
    va_end(words);
    for (uint32_t i = 0; i < tune->notes; i++)
        if (!strcmp(tune->note[i], note))
            return;
    if (tune->notes < TUNE_NOTES_MAX)
        memcpy(tune->note[tune->notes++], note, sizeof note);
}

static void cpu_name(char *text, size_t bytes)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[256] = "";
    const char *name = "unknown";
    while (file && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) || !colon)
            continue;
        line[strcspn(line, "\n")] = 0;
        name = colon + 1 + strspn(colon + 1, " ");
        break;
    }
    if (file)
        fclose(file);
    snprintf(text, bytes, "%.90s, %ld cores", name, sysconf(_SC_NPROCESSORS_ONLN));
}

void tune_provenance(struct tune *tune)
{
    const struct site_server *server = &tune->site.server;
    struct measured *found = &tune->found;
    struct utsname name;
    found->present = true;
    found->when_s = time(NULL);
    if (gethostname(found->host, sizeof found->host - 1))
        snprintf(found->host, sizeof found->host, "unknown");
    if (!uname(&name))
        snprintf(found->kernel, sizeof found->kernel, "%.40s %.80s", name.release, name.version);
    cpu_name(found->cpu, sizeof found->cpu);
    snprintf(found->version, sizeof found->version, "%s (%s)", FLYBALL_VERSION, FLYBALL_COMMIT);
    found->core = server->lane_core[0];
    found->housekeeping = server->housekeeping_core;
    found->priority = server->priority;
}

/* ---- hiccups ---- */

struct spin {
    struct hiccups hiccups;
    int64_t span_ns;
};

static int spin(void *argument)
{
    struct spin *spin = argument;
    hiccup_run(&spin->hiccups, spin->span_ns);
    return 0;
}

static struct measured_hiccups figures_of(struct tune *tune, struct hiccups *h)
{
    if (h->seen > h->count)
        tune_note(tune, "p99.9 of hiccups from the first %u of %llu gaps", h->count,
                  (unsigned long long)h->seen);
    return (struct measured_hiccups){
        .span_ns = h->span_ns,
        .longest_ns = h->longest_ns,
        .p999_ns = hiccup_wait_ns(h, 0.999),
        .over_10us = (int64_t)h->over_10us,
        .over_100us = (int64_t)h->over_100us,
        .over_1ms = (int64_t)h->over_1ms,
        .lost_ppm = h->lost_ns * 1000 / (h->span_ns / 1000 + 1),
    };
}

/* Of several lane cores the one with the longest hiccup counts. */
static int hiccups_on(struct tune *tune, int core, uint32_t *memory)
{
    struct measured *found = &tune->found;
    struct spin run = {.hiccups = {.gap_ns = memory, .room = GAPS_ROOM},
                       .span_ns = (int64_t)(tune->options.seconds * 1e9)};
    int error = tune_on_core(tune, core, true, spin, &run);
    if (error || (found->hiccups.span_ns && run.hiccups.longest_ns <= found->hiccups.longest_ns))
        return error;
    found->core = tune->unpinned ? -1 : core;
    found->priority = tune->unprivileged ? 0 : tune->site.server.priority;
    found->hiccups = figures_of(tune, &run.hiccups);
    return 0;
}

int tune_hiccups(struct tune *tune)
{
    const struct site_server *server = &tune->site.server;
    uint32_t *memory = malloc(GAPS_ROOM * sizeof *memory);
    int error = memory ? 0 : -ENOMEM;
    if (memory)
        memset(memory, 0, GAPS_ROOM * sizeof *memory);      /* touched before it counts */
    for (uint32_t i = 0; i < server->lane_cores && !error; i++)
        error = hiccups_on(tune, server->lane_core[i], memory);
    if (server->lane_cores > 1)
        tune_note(tune, "hiccups: of core %d, the worst of %u lane cores", tune->found.core,
                  server->lane_cores);
    free(memory);
    return error;
}

int tune_unlifted(struct tune *tune)
{
    double seconds = tune->options.seconds;
    tune->options.seconds = seconds < UNLIFTED_SECONDS ? seconds : UNLIFTED_SECONDS;
    int error = tune_hiccups(tune);
    tune->unlifted = tune->found.hiccups;
    tune->found.hiccups = (struct measured_hiccups){0};
    tune->options.seconds = seconds;
    return error;
}

/* ---- wake-ups ---- */

struct sleeper {
    struct wake timer, event;
    int waker_core;
    int64_t span_ns;
};

static int sleep_and_wake(void *argument)
{
    struct sleeper *s = argument;
    int error = wake_sleep_run(&s->timer, WAKE_PERIOD_NS, s->span_ns / 2);
    return error ? error : wake_event_run(&s->event, s->waker_core, WAKE_PERIOD_NS, s->span_ns / 2);
}

static struct measured_spread spread_of(struct wake *wake)
{
    return (struct measured_spread){
        .n = wake->count,
        .p50_ns = wake_quantile_ns(wake, 0.5),
        .p99_ns = wake_quantile_ns(wake, 0.99),
        .p999_ns = wake_quantile_ns(wake, 0.999),
        .max_ns = wake_quantile_ns(wake, 1.0),
    };
}

/* The housekeeping threads have no priority of their own, so neither has the one measured. */
int tune_wakes(struct tune *tune)
{
    const struct site_server *server = &tune->site.server;
    struct sleeper s = {.waker_core = server->lane_core[0],
                        .span_ns = (int64_t)(tune->options.seconds * 1e9)};
    s.timer.room = s.event.room = WAKES_ROOM;
    s.timer.late_ns = calloc(WAKES_ROOM, sizeof *s.timer.late_ns);
    s.event.late_ns = calloc(WAKES_ROOM, sizeof *s.event.late_ns);
    int error = s.timer.late_ns && s.event.late_ns ? 0 : -ENOMEM;
    if (!error)
        error = tune_on_core(tune, server->housekeeping_core, false, sleep_and_wake, &s);
    if (!error) {
        tune->found.wake_timer = spread_of(&s.timer);
        tune->found.wake_event = spread_of(&s.event);
    }
    free(s.timer.late_ns);
    free(s.event.late_ns);
    return error;
}
