/* SPDX-License-Identifier: Apache-2.0 */
/* Threads up. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "loop/ledger.h"
#include "loop/loop.h"
#include "loop/spectra_source.h"
#include "loop/start_note.h"
#include "record/epoch.h"
#include "rt/memory.h"
#include "rt/thread.h"

enum { POLL_MS = 1 };

static void rest(void)
{
    const struct timespec time = {.tv_nsec = POLL_MS * NS_PER_MS};
    nanosleep(&time, NULL);
}

/* The process ends here; the keeper puts RT throttling back, and a supervisor starts the daemon again. */
static void end_stalled(const struct hot *hot, int64_t stall_ns)
{
    char text[160];
    int length = snprintf(text, sizeof text,
                          "flyballd: hot thread %s has stood still for %lld ms: ending, so that it "
                          "is started again; leases run out by themselves\n",
                          hot->name, (long long)(stall_ns / NS_PER_MS));
    if (length > 0 && write(STDERR_FILENO, text, (size_t)length) < 0)
        _exit(2);
    _exit(1);
}

static int spawn(struct loop *loop, pthread_t *thread, const char *name, void *(*run)(void *), void *argument)
{
    int error = rt_spawn(thread, name, run, argument);
    if (error)
        snprintf(loop->error, sizeof loop->error, "thread %s: %s", name, strerror(-error));
    return error;
}

static int not_attached(struct loop *loop, const struct hot *hot)
{
    const struct crew_lane *lane = &loop->crew.lane[hot->attach_lane];
    snprintf(loop->error, sizeof loop->error, "thread %s: queue %u of %s could not be attached: %s",
             hot->name, lane->queue, loop->site->server.port[lane->port].interface,
             strerror(-hot->attach_error));
    return hot->attach_error;
}

static int start_hot(struct loop *loop, const struct crew_thread *thread, FILE *notes)
{
    struct hot *hot = &loop->hot[loop->hots];
    const struct site_server *server = &loop->site->server;
    *hot = (struct hot){.path = &loop->path, .roles = thread->roles, .lanes = thread->lanes,
                        .core = thread->core, .priority = server->priority,
                        .runtime_ns = server->deadline_runtime_ns,
                        .period_ns = server->deadline_period_ns};
    memcpy(hot->name, thread->name, sizeof hot->name);
    uint32_t receives = thread->roles & HOT_RECEIVE ? 1 : 0;
    atomic_fetch_add_explicit(&loop->path.receiving, receives, memory_order_relaxed);
    int error = spawn(loop, &hot->thread, hot->name, hot_run, hot);
    if (error) {
        atomic_fetch_sub_explicit(&loop->path.receiving, receives, memory_order_relaxed);
        return error;
    }
    loop->hots++;
    /* acquire: pairs with hot_run; its errors are then visible */
    while (atomic_load_explicit(&hot->state, memory_order_acquire) == HOT_STARTING)
        rest();
    if (atomic_load_explicit(&hot->state, memory_order_acquire) == HOT_FAILED)
        return not_attached(loop, hot);
    start_note_hot(hot, notes);
    return 0;
}

static void look_at_gaps(struct budget *budget, const struct crew_thread *thread, const struct gap *gap)
{
    for (uint32_t lane = 0; lane < LANES_MAX; lane++)
        if (thread->lanes >> lane & 1)
            budget->lane_gap[lane] = gap;
    if (thread->roles & HOT_DECIDE)
        budget->decide_gap = gap;
    if (thread->roles & HOT_SEND)
        budget->send_gap = gap;
}

/* Each writes its own; whose gaps a stage may have had follows from whose thread it is on. */
static void set_budgets(struct loop *loop)
{
    struct path *path = &loop->path;
    struct budget *of[LANES_MAX + 2] = {&path->decide->budget, &path->egress->budget};
    uint32_t count = 2;
    for (uint32_t i = 0; i < path->lanes; i++)
        of[count++] = &path->lane[i].budget;
    path->egress->ring = &path->decide->ring;
    for (uint32_t i = 0; i < count; i++) {
        budget_set(of[i], loop->site->server.budget_ns);
        for (uint32_t t = 0; t < loop->crew.threads; t++)
            look_at_gaps(of[i], &loop->crew.thread[t], &loop->hot[t].gap);
    }
}

/* The kernel counts their shares over all cores, and refuses the last ones with words that nobody
 * understands. */
static int check_cores(struct loop *loop)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (!loop->site->server.deadline_period_ns || cores < 1 || loop->crew.threads <= cores)
        return 0;
    snprintf(loop->error, sizeof loop->error,
             "%u hot threads (cores of the server's row) with scheduler: deadline, and this machine has %ld "
             "core%s: give lanes fewer cores",
             loop->crew.threads, cores, cores == 1 ? "" : "s");
    return -EINVAL;
}

/* The one that decides comes first: what the others receive has its reader. */
static int start_hots(struct loop *loop, FILE *notes)
{
    int error = check_cores(loop);
    set_budgets(loop);
    for (uint32_t i = 0; i < loop->crew.threads && !error; i++)
        error = start_hot(loop, &loop->crew.thread[i], notes);
    return error;
}

static int start_drain(struct loop *loop)
{
    loop->drain.tap = &loop->tap;
    loop->drain.journal = loop->journal;
    loop->drain.base = &loop->base;
    loop->drain.core = loop->site->server.housekeeping_core;
    int error = spawn(loop, &loop->drain.thread, "fb-drain", drain_run, &loop->drain);
    loop->draining = !error;
    return error;
}

/* Taken before anything is decided: a second daemon must find out before it claims a single host. */
static int take_door(struct loop *loop)
{
    loop->door.loop = loop;
    loop->door.path = loop->options.door;
    loop->door.core = loop->site->server.housekeeping_core;
    int error = loop->door.path[0] ? door_open(&loop->door) : 0;
    if (error)
        snprintf(loop->error, sizeof loop->error, "door %s: %s%s", loop->door.path,
                 error == -EADDRINUSE ? "another flyballd answers there" : strerror(-error),
                 error == -EACCES ? "; let door: of the server's row be where this user may write" : "");
    return error;
}

static int start_door(struct loop *loop)
{
    if (loop->door.listener < 0)
        return 0;
    int error = spawn(loop, &loop->door.thread, "fb-door", door_run, &loop->door);
    loop->answering = !error;
    return error;
}

static int start_watchdog(struct loop *loop)
{
    loop->watchdog.hot = loop->hot;
    loop->watchdog.hots = loop->hots;
    loop->watchdog.core = loop->site->server.housekeeping_core;
    loop->watchdog.counted_ns = STALL_COUNTED_NS;
    loop->watchdog.fatal_ns = STALL_FATAL_NS;
    loop->watchdog.fatal = end_stalled;
    int error = spawn(loop, &loop->watchdog.thread, "fb-watchdog", watchdog_run, &loop->watchdog);
    loop->watching = !error;
    return error;
}

static int start_links(struct loop *loop)
{
    loop->links.core = loop->site->server.housekeeping_core;
    int error = spawn(loop, &loop->links.thread, "fb-links", link_watch_run, &loop->links);
    loop->looking = !error;
    return error;
}

/* The log lies on the disk in the folder of the journals, whose names may change with every start: its own
 * does not. A door lies in memory mostly, and what stands there is gone after a boot. */
static void name_orders(const struct loop *loop, char path[ORDERS_PATH_BYTES])
{
    const struct loop_options *options = &loop->options;
    const char *slash = strrchr(options->journal, '/');
    int folder = slash ? (int)(slash + 1 - options->journal) : 0;
    if (options->orders) {
        snprintf(path, ORDERS_PATH_BYTES, "%s", options->orders);
    } else if (options->journal[0]) {
        snprintf(path, ORDERS_PATH_BYTES, "%.*s%s.orders", folder, options->journal, loop->site->model.name);
        for (char *in = path + folder; *in; in++)
            *in = *in == '/' ? '_' : *in;
    } else if (options->door[0]) {
        snprintf(path, ORDERS_PATH_BYTES, "%s.orders", options->door);
    }
}

/* Beside the log of orders. */
static void name_epoch(struct loop *loop)
{
    static const char ending[] = ".orders";
    char path[ORDERS_PATH_BYTES] = "";
    name_orders(loop, path);
    size_t bytes = strlen(path);
    if (bytes >= sizeof ending && !strcmp(path + bytes - strlen(ending), ending))
        path[bytes - strlen(ending)] = 0;
    if (bytes)
        snprintf(loop->epoch_path, sizeof loop->epoch_path, "%s.epoch", path);
}

/* Which epochs have been used must be known where it was written down: a lower one than hosts have obeyed
 * would be refused by all of them. */
static int read_epoch(struct loop *loop)
{
    name_epoch(loop);
    if (!loop->epoch_path[0])
        return 0;
    int error = epoch_read(loop->epoch_path, &loop->epoch_before);
    if (!error && loop->epoch_before == UINT64_MAX)
        error = -EBADMSG;
    if (error)
        snprintf(loop->error, sizeof loop->error,
                 "epoch file %s: %s; the highest epoch used so far belongs in it, as one line",
                 loop->epoch_path, error == -EBADMSG ? "what stands in it is no epoch" : strerror(-error));
    return error;
}

/* A full disk holds no start up: the clock gave an epoch above the last one, or that one is known. */
static void keep_epoch(const struct loop *loop, FILE *notes)
{
    int error = loop->epoch_path[0] ? epoch_write(loop->epoch_path, loop->epoch) : 0;
    if (loop->epoch_before && loop->epoch == loop->epoch_before + 1)
        fprintf(notes, "flyballd: the clock stands before the last start; epoch %llu follows the last one\n",
                (unsigned long long)loop->epoch);
    if (error)
        fprintf(
            notes,
            "flyballd: epoch file %s: not written: %s; a clock set back before the next start would give an "
            "epoch that hosts refuse\n",
            loop->epoch_path, strerror(-error));
}

static int start_orders(struct loop *loop, FILE *notes)
{
    char path[ORDERS_PATH_BYTES] = "";
    struct orders *orders = &loop->orders;
    orders->site = loop->site;
    orders->base = &loop->base;
    orders->out = &loop->ordered;
    orders->board = &loop->board;
    orders->lane = (uint8_t)loop->path.lanes;
    orders->stopped = &loop->stopped;
    name_orders(loop, path);
    return orders_start(orders, path, notes, loop->error, sizeof loop->error);
}

static int start_schedule(struct loop *loop)
{
    if (!loop->site->contract_count)
        return 0;
    loop->schedule.site = loop->site;
    loop->schedule.orders = &loop->orders;
    loop->schedule.core = loop->site->server.housekeeping_core;
    schedule_begin(&loop->schedule);
    int error = spawn(loop, &loop->schedule.thread, "fb-schedule", schedule_run, &loop->schedule);
    loop->scheduling = !error;
    return error;
}

/* Beside the log of orders, and beside the ledger in memory. Where a meter has no key, who could forge may
 * begin anew, too. */
static int open_marks(struct loop *loop, FILE *notes)
{
    static const char ending[] = ".epoch";
    char path[MARKS_PATH_BYTES] = "", memory[MARKS_PATH_BYTES] = "";
    size_t bytes = strlen(loop->epoch_path);
    if (!loop->site->auth.meters)
        return 0;
    if (bytes > strlen(ending))
        snprintf(path, sizeof path, "%.*s.marks", (int)(bytes - strlen(ending)), loop->epoch_path);
    if (loop->ledger_path[0])
        snprintf(memory, sizeof memory, "%s.marks", loop->ledger_path);
    loop->marks.base = &loop->base;
    loop->marks.core = loop->site->server.housekeeping_core;
    int error = marks_open(&loop->marks, &loop->site->model, path, memory, loop->keys.session,
                           loop->path.lane[0].meter_window, notes);
    for (uint32_t i = 0; i < loop->path.lanes && !error; i++)
        loop->path.lane[i].marks = &loop->marks;
    return error;
}

static int start_marks(struct loop *loop)
{
    if (!loop->marks.open)
        return 0;
    int error = spawn(loop, &loop->marks.thread, "fb-marks", marks_run, &loop->marks);
    loop->marking = !error;
    return error;
}

static int start_keys(struct loop *loop)
{
    if (!loop->keys.open)
        return 0;
    int error = spawn(loop, &loop->keys.thread, "fb-keys", keys_run, &loop->keys);
    loop->keying = !error;
    return error;
}

/* Lanes look at what it finds of meters: it is there before they are. */
static int open_clocks(struct loop *loop)
{
    int error = clocks_open(&loop->clocks, loop->site, &loop->base, &loop->view, loop->options.door);
    if (error == -ENAMETOOLONG)
        snprintf(loop->error, sizeof loop->error,
                 "%s: too long a path for answers of ptp4l, which come to it "
                 "with .ptp behind: at most %d bytes",
                 loop->options.door, PTP_PATH_BYTES - 5);
    for (uint32_t i = 0; i < loop->path.lanes && !error; i++)
        loop->path.lane[i].doubted = loop->clocks.doubted;
    return error;
}

static int start_clocks(struct loop *loop)
{
    int error = spawn(loop, &loop->clocks.thread, "fb-clocks", clocks_run, &loop->clocks);
    loop->timing = !error;
    return error;
}

int loop_start(struct loop *loop, FILE *notes)
{
    const struct site_server *server = &loop->site->server;
    start_note(notes, "main thread", " not on the housekeeping core", rt_pin(server->housekeeping_core));
    if (server->lock_memory)
        start_note(notes, "memory", " not locked", rt_lock_memory());
    int error = keys_open(&loop->keys, loop->site, loop->path.lanes, &loop->base, notes, loop->error,
                          sizeof loop->error);
    if (!error)
        error = loop_ledger_open(loop, notes);
    if (!error)
        error = loop_open_ports(loop, true);
    if (!error)
        start_note_ports(loop, notes);
    if (!error)
        error = take_door(loop);
    if (!error)
        error = read_epoch(loop);
    if (!error)
        error = spectra_source_open(loop);
    if (!error)
        error = loop_begin(loop);
    if (!error)
        keep_epoch(loop, notes);
    if (!error)
        error = shed_desk_open(&loop->shed, loop->site, loop->t_start_ns);
    /* The tap has its reader before anything is written into it. */
    if (!error)
        error = start_drain(loop);
    if (!error)
        loop_ledger_take_over(loop);
    /* They wait in their lane behind the accounts. */
    if (!error)
        error = start_orders(loop, notes);
    if (!error)
        error = open_marks(loop, notes);
    if (!error)
        error = start_marks(loop);
    if (!error)
        error = open_clocks(loop);
    if (!error)
        error = start_hots(loop, notes);
    if (!error)
        error = spectra_desk_start(&loop->spectra, &loop->path.decide->ring, server->housekeeping_core,
                                   (uint8_t)loop->path.lanes);
    if (!error)
        error = start_watchdog(loop);
    if (!error)
        error = start_clocks(loop);
    if (!error)
        error = start_links(loop);
    if (!error)
        error = start_schedule(loop);
    if (!error)
        error = start_keys(loop);
    if (!error)
        error = start_door(loop);
    return error;
}
