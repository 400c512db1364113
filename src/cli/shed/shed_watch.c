/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/shed/shed_watch.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/shed/shed_tell.h"
#include "cli/top/top_source.h"
#include "core/emergency.h"
#include "loop/view_words.h"
#include "rt/clock.h"

enum { LOOK_MS = 20 };
/* A daemon that has not answered for so long is gone, as far as is known. */
#define SILENT_NS (3 * NS_PER_S)
#define ATTACH_NS NS_PER_S
/* A daemon whose view is not understood for so long is of another version: so may be this program's file. */
#define FOREIGN_NS (5 * NS_PER_S)

/* A node that has a shed action. */
struct watched {
    uint32_t node;                  /* of the site */
    uint32_t seen_as;               /* of the daemon's view; INDEX_NONE: it knows no such node */
    int64_t calm_since_ns;
    uint8_t said;                   /* state of its entry, and since when, that was said last */
    int64_t said_wall_s;
};

struct watch {
    const struct site *site;
    struct shed_book book;
    struct shed_teller teller;
    struct top_source source;
    struct watched *watched;
    uint32_t count;
    int64_t attach_ns;              /* tried last */
    int attach_error;               /* said last */
    int64_t foreign_since_ns;       /* the view is not understood since; 0 = it is, or there is none */
    bool same_site;
    bool silent, refused, unwritten;        /* it was said */
    bool news;                      /* entries have changed, and it was neither said nor told */
};

static void say(const char *node, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(const char *node, const char *format, ...)
{
    va_list arguments;
    printf("flyball shed: %s%s", node ? node : "", node ? ": " : "");
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

static struct shed_now now_of(void)
{
    return (struct shed_now){clock_monotonic_ns(), time(NULL)};
}

static const struct site_shed *action_of(const struct watch *watch, uint32_t node)
{
    uint32_t action = watch->site->shed_of[node];
    return action == INDEX_NONE ? NULL : &watch->site->shed[action];
}

/* ---- the daemon ---- */

/* Nodes go by their names: the daemon may have read another version of the file. */
static void find_nodes(struct watch *watch)
{
    const struct model *seen = &watch->source.model, *own = &watch->site->model;
    for (uint32_t i = 0; i < watch->count; i++) {
        struct watched *w = &watch->watched[i];
        w->seen_as = INDEX_NONE;
        w->calm_since_ns = INT64_MAX;
        for (uint32_t n = 0; n < seen->node_count && w->seen_as == INDEX_NONE; n++)
            if (!strcmp(seen->node[n].name, own->node[w->node].name))
                w->seen_as = n;
        if (w->seen_as == INDEX_NONE)
            say(own->node[w->node].name, "the daemon knows no such node: nothing is ever due there");
    }
}

static void say_attach_error(struct watch *watch)
{
    int error = watch->source.error;
    bool foreign = error == -EPROTO || error == -EAGAIN;
    if (error && error != watch->attach_error)
        say(NULL, "the daemon's view: %s; nothing is shed",
            foreign ? "not understood, the daemon may be of another version" : strerror(-error));
    watch->attach_error = error;
    if (!foreign)
        watch->foreign_since_ns = 0;
    else if (!watch->foreign_since_ns)
        watch->foreign_since_ns = watch->attach_ns;
}

static void attach(struct watch *watch)
{
    struct top_source *source = &watch->source;
    uint64_t before = source->epoch;
    watch->attach_ns = clock_monotonic_ns();
    top_source_refresh(source);
    say_attach_error(watch);
    if (source->error || source->epoch == before)
        return;
    bool same = !strcmp(source->model.name, watch->site->model.name);
    say(NULL, "watching %u nodes of %s, epoch %llu%s", same ? watch->count : 0, source->model.name,
        (unsigned long long)source->epoch, same ? "" : ", which is another site: nothing is shed");
    watch->same_site = same;
    find_nodes(watch);
    for (uint32_t i = 0; i < watch->count && !same; i++)
        watch->watched[i].seen_as = INDEX_NONE;
}

/* Is the daemon there whose view is looked at? Takes up one that was started anew. */
static bool daemon_answers(struct watch *watch)
{
    char refused[160];
    int64_t answered_ns, now_ns = clock_monotonic_ns();
    uint64_t epoch = shed_tell_epoch(&watch->teller, &answered_ns, refused);
    if (epoch && epoch != watch->source.epoch && now_ns - watch->attach_ns >= ATTACH_NS)
        attach(watch);
    bool silent = !answered_ns || now_ns - answered_ns > SILENT_NS;
    if (silent && !watch->silent && now_ns - watch->attach_ns > SILENT_NS)
        say(NULL, "no daemon answers at %s; nothing is shed by that alone", watch->teller.door);
    watch->silent = silent;
    if (refused[0] && !watch->refused)
        say(NULL, "the daemon does not take what it is told: %s", refused);
    watch->refused = refused[0] != 0;
    return !silent && epoch == watch->source.epoch;
}

/* Its meter is heard, if with gaps: what is over stays over while readings come that say nothing else. */
static bool is_heard(const struct watch *watch, uint32_t seen_as, const struct core_node_view *view)
{
    const struct model *model = &watch->source.model;
    uint32_t meter = model->node[seen_as].meter;
    if (meter == INDEX_NONE || view->reading_t_ns <= 0)
        return false;
    int64_t most_ns = model->meter[meter].fresh_ns + model->meter[meter].period_ns;
    int64_t age_ns = top_source_now_ns(&watch->source) - view->reading_t_ns;
    return age_ns <= (most_ns > NS_PER_S ? most_ns : NS_PER_S);
}

/* ---- what is done ---- */

static void tell_amperes(const struct watch *watch, const struct watched *w, struct shed_told *told)
{
    const struct model_node *known = &watch->source.model.node[w->seen_as];
    struct core_node_view view;
    struct view_meter meter;
    told->measured_a = told->limit_a = -1;
    if (known->meter != INDEX_NONE && view_read_meter(&watch->source.view, known->meter, &meter))
        for (uint32_t i = 0; i < known->phases && i < PHASES; i++)
            told->measured_a = meter.current_ma[i] / 1e3 > told->measured_a ? meter.current_ma[i] / 1e3
                                                                            : told->measured_a;
    if (known->volts_low_mv && view_read_node(&watch->source.view, w->seen_as, &view))
        told->limit_a = (double)view.limit_mva[0] / (double)known->volts_low_mv;
}

/* It is on the file before it is run: who comes after this process knows that it was begun. A file that
 * cannot be written holds nothing up. */
static bool write_entry(struct watch *watch, const struct shed_entry *before, const struct shed_entry *entry)
{
    int error = shed_book_put(&watch->book, before, entry, false);
    if (error == -EAGAIN)
        return false;
    if (error && !watch->unwritten)
        say(NULL, "state file %s: not written: %s; a start of this process now could do again what was done",
            watch->book.path, strerror(-error));
    watch->unwritten = error != 0;
    watch->news = true;
    return true;
}

static void run_command(struct watch *watch, const struct watched *w, const struct shed_entry *entry)
{
    const struct shed_now now = now_of();
    struct shed_entry started = *entry;
    struct shed_told told = {.site = watch->site, .node = w->node, .action = action_of(watch, w->node),
                             .restore = entry->state == SHED_RESTORING, .tries = entry->tries};
    tell_amperes(watch, w, &told);
    if (entry->since_ns)
        told.since_wall_s = now.wall_s - (top_source_now_ns(&watch->source) - entry->since_ns) / NS_PER_S;
    if (told.restore)
        say(entry->node, "over for long enough: runs %s", told.action->restore.text);
    else
        say(entry->node, "fail-safe did not end it (%.1f A of %.1f A): runs %s, try %u of %u",
            told.measured_a, told.limit_a, told.action->command.text, entry->tries, told.action->tries);
    int pid = shed_start_keeper(&watch->book, entry, &told, !watch->unwritten);
    if (pid < 0) {
        shed_ended(told.action, &started, false, strerror(-pid), &now);
        write_entry(watch, entry, &started);
        return;
    }
    struct shed_entry *known = shed_book_find(&watch->book, entry->node);
    if (known && shed_same(known, entry)) {     /* in memory only: the keeper writes it */
        known->keeper = pid;
        known->keeper_start = shed_process_start(pid);
    }
}

static void say_news(struct watch *watch)
{
    for (uint32_t i = 0; i < watch->count; i++) {
        struct watched *w = &watch->watched[i];
        const struct shed_entry *entry =
            shed_book_find(&watch->book, watch->site->model.node[w->node].name);
        if (!entry || (entry->state == w->said && entry->wall_s == w->said_wall_s))
            continue;
        w->said = entry->state;
        w->said_wall_s = entry->wall_s;
        bool ended = entry->state != SHED_RUNNING && entry->state != SHED_RESTORING && entry->end[0];
        say(entry->node, "%s: %s%s%s", view_words_shed(entry->state), view_words_shed_meaning(entry->state),
            ended ? "; " : "", ended ? entry->end : "");
    }
    shed_tell(&watch->teller, &watch->book);
    watch->news = false;
}

/* ---- turns ---- */

static void look_at(struct watch *watch, struct watched *w, bool answers)
{
    const char *name = watch->site->model.node[w->node].name;
    const struct shed_entry *known = shed_book_find(&watch->book, name);
    struct shed_entry entry = {0}, before;
    struct core_node_view view;
    if (w->seen_as == INDEX_NONE || !view_read_node(&watch->source.view, w->seen_as, &view))
        return;
    snprintf(entry.node, sizeof entry.node, "%s", name);
    if (known)
        entry = *known;
    before = entry;
    const struct shed_seen seen = {
        .due = view.stage == EMERGENCY_STAGE_SHED && view.enforced,
        .since_ns = view.stage_since_ns,
        .due_for_ns = top_source_now_ns(&watch->source) - view.stage_since_ns,
        .over = view.stage == EMERGENCY_STAGE_NONE && answers && is_heard(watch, w->seen_as, &view),
        .keeper_lives = entry.keeper && entry.keeper_start &&
                        shed_process_start(entry.keeper) == entry.keeper_start};
    const struct shed_now now = now_of();
    enum shed_act act = shed_decide(action_of(watch, w->node), &entry, &w->calm_since_ns, &seen, &now);
    if (act == SHED_ACT_END)
        kill(entry.keeper, SIGTERM);
    if (act == SHED_ACT_NOTHING || act == SHED_ACT_END || !write_entry(watch, known ? &before : NULL, &entry))
        return;
    if (act == SHED_ACT_NOTE)
        return;
    run_command(watch, w, &entry);
    w->said = entry.state;
    w->said_wall_s = entry.wall_s;
}

/* A keeper that has ended: what it could not write is known by its exit code. */
static void reap(struct watch *watch)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (uint32_t i = 0; i < watch->book.count; i++) {
            struct shed_entry before = watch->book.entry[i], entry = before;
            bool well = WIFEXITED(status) && !WEXITSTATUS(status);
            const struct site_shed *action = NULL;
            for (uint32_t w = 0; w < watch->count; w++)
                if (!strcmp(watch->site->model.node[watch->watched[w].node].name, entry.node))
                    action = action_of(watch, watch->watched[w].node);
            if (entry.keeper != pid || !action)
                continue;
            const struct shed_now now = now_of();
            shed_ended(action, &entry, well, well ? "exit code 0" : "ended otherwise", &now);
            write_entry(watch, &before, &entry);
        }
    }
}

/* What keepers and operators have written. */
static void refresh(struct watch *watch)
{
    const struct stat was = watch->book.was;
    if (shed_book_refresh(&watch->book))
        return;
    if (!shed_book_settle(&watch->book))
        watch->unwritten = false;
    watch->news |= watch->book.was.st_ino != was.st_ino ||
                   watch->book.was.st_mtim.tv_sec != was.st_mtim.tv_sec ||
                   watch->book.was.st_mtim.tv_nsec != was.st_mtim.tv_nsec;
}

/* Does it look at all that it is to look at? Then the daemon may be told that somebody listens. */
static bool sees_all(struct watch *watch)
{
    char refused[160];
    int64_t answered_ns;
    uint64_t epoch = shed_tell_epoch(&watch->teller, &answered_ns, refused);
    bool all = watch->source.attached && watch->same_site && (!epoch || epoch == watch->source.epoch);
    for (uint32_t i = 0; all && i < watch->count; i++)
        all = watch->watched[i].seen_as != INDEX_NONE;
    return all;
}

/* Until a signal: 0; -EPROTO where the daemon is of another version. */
static int watch_until(struct watch *watch, const sigset_t *stop)
{
    const struct timespec rest = {.tv_nsec = LOOK_MS * NS_PER_MS};
    attach(watch);
    watch->news = true;
    do {
        refresh(watch);
        reap(watch);
        bool answers = daemon_answers(watch);
        for (uint32_t i = 0; watch->source.attached && i < watch->count; i++)
            look_at(watch, &watch->watched[i], answers);
        if (sees_all(watch))
            shed_tell_saw(&watch->teller, clock_monotonic_ns());
        if (watch->news)
            say_news(watch);
        if (watch->foreign_since_ns && clock_monotonic_ns() - watch->foreign_since_ns >= FOREIGN_NS)
            return -EPROTO;
    } while (sigtimedwait(stop, NULL, &rest) < 0);
    return 0;
}

static int find_watched(struct watch *watch)
{
    const struct site *site = watch->site;
    watch->watched = calloc(site->model.node_count + 1, sizeof *watch->watched);
    if (!watch->watched)
        return -ENOMEM;
    for (uint32_t i = 0; i < site->model.node_count; i++) {
        if (site->shed_of[i] == INDEX_NONE || !site->model.node[i].limited ||
            site->model.node[i].meter == INDEX_NONE)
            continue;
        watch->watched[watch->count++] =
            (struct watched){.node = i, .seen_as = INDEX_NONE, .calm_since_ns = INT64_MAX};
        const char *program = site->shed[site->shed_of[i]].command.text;
        if (access(program, X_OK))
            say(site->model.node[i].name, "%s: %s; its action would fail", program, strerror(errno));
    }
    return 0;
}

int shed_watch(const struct site *site, const char *door, const char *state_path)
{
    struct watch watch = {.site = site};
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    int claim = shed_book_claim(state_path);
    if (claim < 0) {
        fprintf(stderr, "flyball shed: state file %s: %s\n", state_path,
                claim == -EBUSY ? "another flyball shed watches with it" : strerror(-claim));
        return claim == -EBUSY ? CLI_REFUSED : CLI_CONNECT;
    }
    int error = shed_book_open(&watch.book, state_path);
    if (error)
        say(NULL, "state file %s: %s; begins without: what was shed before is not known", state_path,
            error == -EBADMSG ? "cannot be understood" : strerror(-error));
    top_source_init(&watch.source, door);
    error = find_watched(&watch);
    if (!error)
        error = shed_tell_start(&watch.teller, door);
    if (!error)
        error = watch_until(&watch, &stop);
    if (error)
        fprintf(stderr, "flyball shed: %s\n",
                error == -EPROTO ? "ends: it cannot read this daemon's view, which is of another version; "
                                   "start the flyball that belongs to it" : strerror(-error));
    shed_tell_stop(&watch.teller);
    top_source_finish(&watch.source);
    shed_book_close(&watch.book);
    free(watch.watched);
    close(claim);
    return error ? CLI_CONNECT : CLI_OK;
}
