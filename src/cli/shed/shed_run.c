/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/shed/shed_run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rt/clock.h"

extern char **environ;

enum { KEEP_WORDS = 11, POLL_MS = 5, GRACE_MS = 1000, LATE_TRIES = 20 };

/* As they are handed over: of strings of its own, for no caller gives away what is his. */
struct words {
    char *argv[SITE_COMMAND_WORDS + KEEP_WORDS + 1];
    uint32_t count;
    char text[SITE_COMMAND_BYTES];
};

static void add_command(struct words *words, const struct site_command *command)
{
    char *text = words->text;
    memcpy(words->text, command->text, sizeof words->text);
    for (uint32_t i = 0; i < command->count; i++, text += strlen(text) + 1)
        words->argv[words->count++] = text;
    words->argv[words->count] = NULL;
}

/* ---- one command ---- */

static int spawn(const struct words *words, char *const environment[], short flags, pid_t *pid)
{
    posix_spawnattr_t how;
    posix_spawn_file_actions_t files;
    sigset_t none, all;
    int error = posix_spawnattr_init(&how);
    if (error)
        return -error;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setsigdefault(&how, &all);
    posix_spawnattr_setflags(&how, (short)(flags | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
    error = posix_spawn_file_actions_init(&files);
    if (!error)
        error = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (!error)
        error = posix_spawn(pid, words->argv[0], &files, &how, words->argv, environment);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&how);
    return -error;
}

static void rest(void)
{
    const struct timespec time = {.tv_nsec = POLL_MS * NS_PER_MS};
    nanosleep(&time, NULL);
}

enum waited { WAITED_ENDED, WAITED_LOST, WAITED_LATE, WAITED_TOLD };

/* Only who blocks the signal finds it pending. */
static bool is_told_to_end(void)
{
    sigset_t pending;
    return !sigpending(&pending) && sigismember(&pending, SIGTERM) == 1;
}

/* LOST: it is gone, and nobody can say how it ended. LATE: it is still there at that time. TOLD: the same,
 * and this process was told to end it; where that is `heeded`. */
static enum waited wait_until(pid_t pid, int *status, int64_t until_ns, bool heeded)
{
    for (;;) {
        pid_t ended = waitpid(pid, status, WNOHANG);
        if (ended)
            return ended < 0 ? WAITED_LOST : WAITED_ENDED;
        if (clock_monotonic_ns() >= until_ns)
            return WAITED_LATE;
        if (heeded && is_told_to_end())
            return WAITED_TOLD;
        rest();
    }
}

/* It, and what it has started in its group. */
static void stop(pid_t pid, int *status)
{
    kill(-pid, SIGTERM);
    int64_t until_ns = clock_monotonic_ns() + GRACE_MS * NS_PER_MS;
    bool gone = wait_until(pid, status, until_ns, false) != WAITED_LATE;
    kill(-pid, SIGKILL);
    if (!gone)
        waitpid(pid, status, 0);
}

void shed_run_heed(void)
{
    sigset_t told;
    sigemptyset(&told);
    sigaddset(&told, SIGTERM);
    sigprocmask(SIG_BLOCK, &told, NULL);
}

bool shed_run(const struct site_command *command, char *const environment[], int64_t timeout_ns,
              char end[SHED_END_BYTES])
{
    struct words words = {.count = 0};
    pid_t pid;
    int status = 0;
    add_command(&words, command);
    int error = spawn(&words, environment, POSIX_SPAWN_SETPGROUP, &pid);
    if (error) {
        snprintf(end, SHED_END_BYTES, "cannot be run: %s", strerror(-error));
        return false;
    }
    enum waited waited = wait_until(pid, &status, clock_monotonic_ns() + timeout_ns, true);
    if (waited == WAITED_LOST) {
        snprintf(end, SHED_END_BYTES, "nobody saw its end");
        return false;
    }
    if (waited == WAITED_TOLD) {
        stop(pid, &status);
        snprintf(end, SHED_END_BYTES, "ended before its time");
        return false;
    }
    if (waited == WAITED_LATE) {
        stop(pid, &status);
        snprintf(end, SHED_END_BYTES, "ran past its %.1f s and was ended", (double)timeout_ns / 1e9);
        return false;
    }
    if (WIFSIGNALED(status))
        snprintf(end, SHED_END_BYTES, "killed by signal %d", WTERMSIG(status));
    else
        snprintf(end, SHED_END_BYTES, "exit code %d", WEXITSTATUS(status));
    return WIFEXITED(status) && !WEXITSTATUS(status);
}

/* ---- its keeper ---- */

int shed_start_keeper(const struct shed_book *book, const struct shed_entry *entry,
                      const struct shed_told *told, bool written)
{
    char self[] = "/proc/self/exe", verb[] = "shed", keep[] = "--keep", end[] = "--";
    char path[SHED_PATH_BYTES], node[NAME_BYTES], since[24], tries[16], most[16], timeout[24], how[16];
    pid_t pid;
    struct words words = {.argv = {self, verb, keep, path, node, since, tries, most, timeout, how, end},
                          .count = KEEP_WORDS};
    snprintf(path, sizeof path, "%s", book->path);
    snprintf(node, sizeof node, "%s", entry->node);
    snprintf(how, sizeof how, "%s", written ? "written" : "unwritten");
    snprintf(since, sizeof since, "%" PRId64, entry->since_ns);
    snprintf(tries, sizeof tries, "%u", entry->tries);
    snprintf(most, sizeof most, "%u", told->action->tries);
    snprintf(timeout, sizeof timeout, "%" PRId64, told->action->timeout_ns);
    add_command(&words, told->restore ? &told->action->restore : &told->action->command);
    char **environment = shed_environment(told);
    if (!environment)
        return -ENOMEM;
    /* a session of its own: whatever ends the one that watches does not end it */
    int error = spawn(&words, environment, POSIX_SPAWN_SETSID, &pid);
    shed_environment_free(environment);
    return error ? error : pid;
}

struct keeper {
    struct shed_book book;
    struct shed_entry entry;        /* as it claimed it */
    struct site_shed action;        /* what of it counts at the end */
    bool written;
};

static struct shed_now now_of(void)
{
    return (struct shed_now){clock_monotonic_ns(), time(NULL)};
}

/* The entry still says that this command is to be run, and says from now on by whom. */
static bool claim(struct keeper *keeper, int64_t since_ns, uint32_t tries)
{
    const struct shed_entry *known = shed_book_find(&keeper->book, keeper->entry.node);
    bool turn = known && (known->state == SHED_RUNNING || known->state == SHED_RESTORING) &&
                known->since_ns == since_ns && known->tries == tries &&
                (!known->keeper || known->keeper == getpid());
    if (!turn)
        return !keeper->written;
    struct shed_entry before = *known;
    keeper->entry = *known;
    keeper->entry.keeper = getpid();
    keeper->entry.keeper_start = shed_process_start(getpid());
    return shed_book_put(&keeper->book, &before, &keeper->entry, false) != -EAGAIN || !keeper->written;
}

/* A disk that is full may have room a moment later; the one that watches has the exit code, too. */
static void note_end(struct keeper *keeper, bool well, const char *end)
{
    struct shed_entry before = keeper->entry;
    const struct shed_now now = now_of();
    int error = -EIO;
    if (!keeper->entry.keeper)
        return;
    shed_ended(&keeper->action, &keeper->entry, well, end, &now);
    for (uint32_t i = 0; error && error != -EAGAIN && i < LATE_TRIES; i++) {
        error = shed_book_put(&keeper->book, &before, &keeper->entry, true);
        if (error)
            rest();
    }
}

static bool take_words(int argc, char **argv, struct site_command *command)
{
    size_t used = 0;
    for (int i = 0; i < argc; i++) {
        size_t bytes = strlen(argv[i]) + 1;
        if (command->count == SITE_COMMAND_WORDS || used + bytes > sizeof command->text)
            return false;
        memcpy(command->text + used, argv[i], bytes);
        used += bytes;
        command->count++;
    }
    return command->count > 0;
}

int shed_keep(int argc, char **argv)
{
    static struct keeper keeper;
    static struct site_command command;
    char end[SHED_END_BYTES];
    if (argc < 9 || strcmp(argv[7], "--") || strlen(argv[1]) >= sizeof keeper.entry.node ||
        !take_words(argc - 8, argv + 8, &command))
        return 2;
    /* who ends it would lose how the command ended; but a restore gives way to a new emergency */
    const char *what = getenv("FLYBALL_DO");
    if (what && !strcmp(what, "restore"))
        shed_run_heed();
    else
        signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    strcpy(keeper.entry.node, argv[1]);
    keeper.action.tries = (uint32_t)strtoul(argv[4], NULL, 10);
    keeper.written = !strcmp(argv[6], "written");
    int error = shed_book_open(&keeper.book, argv[0]);
    if (!claim(&keeper, strtoll(argv[2], NULL, 10), (uint32_t)strtoul(argv[3], NULL, 10)) && !error)
        return 3;
    bool well = shed_run(&command, environ, strtoll(argv[5], NULL, 10), end);
    note_end(&keeper, well, end);
    shed_book_close(&keeper.book);
    return well ? 0 : 1;
}
