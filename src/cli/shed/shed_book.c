/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/shed/shed_book.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "loop/view_words.h"
#include "record/folder.h"

enum { ROOM_FIRST = 16, PATIENCE = 100 };

int shed_book_path(const struct site_server *server, char path[SHED_PATH_BYTES])
{
    snprintf(path, SHED_PATH_BYTES, "%s.shed", server->door);
    return server->door[0] ? 0 : -ENOENT;
}

static int read_boot(char boot[SHED_BOOT_BYTES])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (!file)
        return -errno;
    bool read = fscanf(file, "%39s", boot) == 1;
    fclose(file);
    return read ? 0 : -EIO;
}

/* Field 22 of /proc/PID/stat, in clock ticks since boot; a zombie is no process any more. */
uint64_t shed_process_start(int32_t pid)
{
    char path[40], text[1024];
    unsigned long long start = 0;
    char state = 'Z';
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = pid > 0 ? fopen(path, "re") : NULL;
    if (!file)
        return 0;
    size_t bytes = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[bytes] = 0;
    const char *at = strrchr(text, ')');        /* the name before may hold anything */
    if (!at ||
        sscanf(at + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
               &state, &start) != 2 ||
        state == 'Z' || state == 'X')
        return 0;
    return start;
}

/* ---- entries ---- */

struct shed_entry *shed_book_find(const struct shed_book *book, const char *node)
{
    for (uint32_t i = 0; i < book->count; i++)
        if (!strcmp(book->entry[i].node, node))
            return &book->entry[i];
    return NULL;
}

static int keep(struct shed_book *book, const struct shed_entry *entry)
{
    struct shed_entry *known = shed_book_find(book, entry->node);
    if (!known && book->count == book->room) {
        uint32_t room = book->room ? 2 * book->room : ROOM_FIRST;
        struct shed_entry *larger = realloc(book->entry, room * sizeof *larger);
        if (!larger)
            return -ENOMEM;
        book->entry = larger;
        book->room = room;
    }
    known = known ? known : &book->entry[book->count++];
    if (known != entry)
        *known = *entry;
    return 0;
}

/* ---- the file ---- */

static bool take_text(char *into, size_t bytes, const json_t *value)
{
    const char *text = json_string_value(value);
    if (!text || strlen(text) >= bytes)
        return false;
    strcpy(into, text);
    return true;
}

static bool take_entry(struct shed_entry *entry, const json_t *row)
{
    const char *state = json_string_value(json_object_get(row, "state"));
    *entry = (struct shed_entry){.since_ns = json_integer_value(json_object_get(row, "since_ns")),
                                 .tries = (uint32_t)json_integer_value(json_object_get(row, "tries")),
                                 .sheds = (uint32_t)json_integer_value(json_object_get(row, "sheds")),
                                 .at_ns = json_integer_value(json_object_get(row, "at_ns")),
                                 .wall_s = json_integer_value(json_object_get(row, "wall_s")),
                                 .keeper = (int32_t)json_integer_value(json_object_get(row, "keeper"))};
    entry->keeper_start = (uint64_t)json_integer_value(json_object_get(row, "keeper_start"));
    for (; entry->state < SHED_STATE_COUNT; entry->state++)
        if (state && !strcmp(view_words_shed(entry->state), state))
            break;
    return entry->state < SHED_STATE_COUNT && take_text(entry->node, sizeof entry->node,
                                                        json_object_get(row, "node")) &&
           take_text(entry->end, sizeof entry->end, json_object_get(row, "end"));
}

/* Of another emergency, which only the one that watches begins, or later of the same. */
static bool is_newer(const struct shed_entry *a, const struct shed_entry *than)
{
    return a->since_ns != than->since_ns ? a->since_ns > than->since_ns : a->at_ns > than->at_ns;
}

/* What the file could not be told yet: else it would be done again, as if it had never been begun. */
static int take_unwritten(struct shed_book *taken, const struct shed_book *known)
{
    int error = 0;
    for (uint32_t i = 0; i < known->count && !error; i++) {
        const struct shed_entry *own = &known->entry[i], *said = shed_book_find(taken, own->node);
        if (own->unwritten && (!said || !is_newer(said, own)))
            error = keep(taken, own);
    }
    return error;
}

/* Into a state of its own first: all of it or nothing. */
static int take_all(struct shed_book *book, const json_t *file)
{
    struct shed_book taken = *book;
    const json_t *rows = json_object_get(file, "nodes"), *row;
    char boot[SHED_BOOT_BYTES];
    size_t i;
    int error =
        json_is_array(rows) && take_text(boot, sizeof boot, json_object_get(file, "boot")) ? 0 : -EBADMSG;
    taken.entry = NULL;
    taken.count = taken.room = 0;
    json_array_foreach(rows, i, row) {
        struct shed_entry entry;
        if (!error && !take_entry(&entry, row))
            error = -EBADMSG;
        if (!error && strcmp(boot, book->boot))
            shed_forget_boot(&entry);
        error = error ? error : keep(&taken, &entry);
    }
    error = error ? error : take_unwritten(&taken, book);
    free(error ? taken.entry : book->entry);
    if (!error)
        *book = taken;
    return error;
}

static int read_file(struct shed_book *book)
{
    int fd = open(book->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT) {
        book->was = (struct stat){0};
        return 0;
    }
    if (fd < 0)
        return -errno;
    json_t *file = json_loadfd(fd, 0, NULL);
    int error = fstat(fd, &book->was) ? -errno : !json_is_object(file) ? -EBADMSG : take_all(book, file);
    json_decref(file);
    close(fd);
    return error;
}

int shed_book_refresh(struct shed_book *book)
{
    struct stat now;
    if (stat(book->path, &now))
        return errno == ENOENT ? 0 : -errno;
    if (now.st_ino == book->was.st_ino && now.st_size == book->was.st_size &&
        now.st_mtim.tv_sec == book->was.st_mtim.tv_sec && now.st_mtim.tv_nsec == book->was.st_mtim.tv_nsec)
        return 0;
    return read_file(book);
}

int shed_book_open(struct shed_book *book, const char *path)
{
    *book = (struct shed_book){0};
    if (snprintf(book->path, sizeof book->path, "%s", path) >= (int)sizeof book->path)
        return -ENAMETOOLONG;
    int error = read_boot(book->boot);
    return error ? error : read_file(book);
}

void shed_book_close(struct shed_book *book)
{
    free(book->entry);
    *book = (struct shed_book){0};
}

static json_t *row_of(const struct shed_entry *e)
{
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "node", e->node, "state",
                     view_words_shed(e->state), "since_ns", (json_int_t)e->since_ns, "tries",
                     (json_int_t)e->tries, "sheds", (json_int_t)e->sheds, "at_ns", (json_int_t)e->at_ns,
                     "wall_s", (json_int_t)e->wall_s, "keeper", (json_int_t)e->keeper, "keeper_start",
                     (json_int_t)e->keeper_start, "end", e->end);
}

static int write_json(const char *path, const json_t *file, bool lasting)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return -errno;
    int error = json_dumpfd(file, fd, JSON_INDENT(1)) ? -ENOSPC : lasting && fsync(fd) ? -errno : 0;
    return close(fd) && !error ? -errno : error;
}

static int write_file(struct shed_book *book, bool lasting)
{
    char fresh[SHED_PATH_BYTES + 8];
    json_t *rows = json_array(), *file = json_pack("{s:s, s:o}", "boot", book->boot, "nodes", rows);
    for (uint32_t i = 0; i < book->count; i++)
        json_array_append_new(rows, row_of(&book->entry[i]));
    snprintf(fresh, sizeof fresh, "%s.new", book->path);
    int error = file ? write_json(fresh, file, lasting) : -ENOMEM;
    json_decref(file);
    if (!error && rename(fresh, book->path))
        error = -errno;
    if (!error && stat(book->path, &book->was))
        error = -errno;
    for (uint32_t i = 0; i < book->count && !error; i++)
        book->entry[i].unwritten = false;
    return error;
}

/* ---- who may write ---- */

static uid_t owner_of_folder(const char *path)
{
    char folder[SHED_PATH_BYTES];
    const char *slash = strrchr(path, '/');
    struct stat found;
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
    return stat(folder, &found) ? geteuid() : found.st_uid;
}

/* For a lock a descriptor that reads is enough: so nobody else may have one. What root makes in the folder of
 * the user who watches is that user's. */
static int make_own(int fd, const char *path)
{
    struct stat file;
    uid_t own = geteuid(), folder = own ? own : owner_of_folder(path);
    if (fstat(fd, &file))
        return -errno;
    if (!S_ISREG(file.st_mode) || (file.st_uid != own && file.st_uid != folder))
        return -EPERM;
    if ((file.st_mode & 07777) != 0600 && fchmod(fd, 0600))
        return -errno;
    return file.st_uid != folder && fchown(fd, folder, (gid_t)-1) ? -errno : 0;
}

/* Whoever holds it longer than `patience` times 5 ms stands still: no action waits for that. */
static int lock_file(const char *path, const char *ending, uint32_t patience)
{
    const struct timespec rest = {.tv_nsec = 5 * NS_PER_MS};
    char name[SHED_PATH_BYTES + 16];
    snprintf(name, sizeof name, "%s%s", path, ending);
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0)
        return -errno;
    int foreign = make_own(fd, name);
    if (foreign) {
        close(fd);
        return foreign;
    }
    for (; flock(fd, LOCK_EX | LOCK_NB); patience--) {
        int error = errno == EWOULDBLOCK ? -EBUSY : -errno;
        if (error != -EBUSY || !patience) {
            close(fd);
            return error;
        }
        nanosleep(&rest, NULL);
    }
    return fd;
}

int shed_book_claim(const char *path)
{
    return lock_file(path, ".running", 0);
}

int shed_book_put(struct shed_book *book, const struct shed_entry *before, const struct shed_entry *entry,
                   bool lasting)
{
    struct shed_entry wanted = *entry;          /* it may be one of the state's own, which move */
    struct shed_entry expected = {0};
    int lock = lock_file(book->path, ".lock", PATIENCE);
    if (before)
        expected = *before;
    wanted.unwritten = true;
    int error = lock < 0 ? lock : shed_book_refresh(book);
    if (error == -EBADMSG)
        error = 0;              /* what nobody can read is written anew */
    const struct shed_entry *known = error ? NULL : shed_book_find(book, wanted.node);
    bool tried = known && known->unwritten && shed_same(known, &wanted);
    if (before && known && !tried && !shed_same(known, &expected)) {
        close(lock);
        return -EAGAIN;
    }
    int kept = keep(book, &wanted);
    if (!error && !kept)
        error = write_file(book, lasting);
    if (lock >= 0)
        close(lock);
    if (!error && !kept && lasting)
        folder_sync(book->path);
    return error ? error : kept;
}

int shed_book_settle(struct shed_book *book)
{
    bool any = false;
    for (uint32_t i = 0; i < book->count; i++)
        any |= book->entry[i].unwritten;
    if (!any)
        return 0;
    int lock = lock_file(book->path, ".lock", 0);
    if (lock < 0)
        return lock;
    int error = shed_book_refresh(book);
    if (!error || error == -EBADMSG)
        error = write_file(book, false);
    close(lock);
    return error;
}
