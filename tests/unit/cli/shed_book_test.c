/* SPDX-License-Identifier: Apache-2.0 */
/* The state file of shed actions: what one process writes another reads, and none undoes the other's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/shed/shed_book.h"

struct bed {
    char folder[32], path[64];
};

static int open_bed(void **state)
{
    static struct bed bed;
    strcpy(bed.folder, "/tmp/flyball-shed-XXXXXX");
    assert_non_null(mkdtemp(bed.folder));
    snprintf(bed.path, sizeof bed.path, "%s/door.shed", bed.folder);
    *state = &bed;
    return 0;
}

static int close_bed(void **state)
{
    static const char *const ending[] = {"", ".lock", ".new", ".running"};
    struct bed *bed = *state;
    char name[96];
    for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++) {
        snprintf(name, sizeof name, "%s%s", bed->path, ending[i]);
        unlink(name);
    }
    return rmdir(bed->folder);
}

static struct shed_entry entry_of(const char *node, enum shed_state state)
{
    struct shed_entry entry = {.state = (uint8_t)state, .since_ns = 123456789012345, .tries = 2, .sheds = 3,
                               .at_ns = 223456789012345, .wall_s = 1795282939, .keeper = 4711,
                               .keeper_start = 998877, .end = "exit code 7"};
    snprintf(entry.node, sizeof entry.node, "%s", node);
    return entry;
}

/* Field by field: what lies between fields is nobody's. */
static void assert_entry(const struct shed_entry *is, const struct shed_entry *should)
{
    assert_non_null(is);
    assert_string_equal(is->node, should->node);
    assert_int_equal(is->state, should->state);
    assert_int_equal(is->since_ns, should->since_ns);
    assert_int_equal(is->tries, should->tries);
    assert_int_equal(is->sheds, should->sheds);
    assert_int_equal(is->at_ns, should->at_ns);
    assert_int_equal(is->wall_s, should->wall_s);
    assert_int_equal(is->keeper, should->keeper);
    assert_int_equal(is->keeper_start, should->keeper_start);
    assert_string_equal(is->end, should->end);
}

static void put(struct shed_book *book, const struct shed_entry *before, const struct shed_entry *entry)
{
    assert_int_equal(shed_book_put(book, before, entry, false), 0);
}

static void write_text(const struct bed *bed, const char *text)
{
    FILE *file = fopen(bed->path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void it_lies_beside_the_door(void **state)
{
    (void)state;
    char path[SHED_PATH_BYTES];
    struct site_server server = {.door = "/run/flyball/hall.sock"};
    assert_int_equal(shed_book_path(&server, path), 0);
    assert_string_equal(path, "/run/flyball/hall.sock.shed");
    server.door[0] = 0;
    assert_int_equal(shed_book_path(&server, path), -ENOENT);
}

static void what_was_written_is_read_whole(void **state)
{
    struct bed *bed = *state;
    struct shed_book book, other;
    const struct shed_entry a = entry_of("rack-a", SHED_DONE), b = entry_of("rack-b", SHED_AGAIN);
    assert_int_equal(shed_book_open(&book, bed->path), 0);
    assert_int_equal(book.count, 0);
    assert_null(shed_book_find(&book, "rack-a"));
    put(&book, NULL, &a);
    put(&book, NULL, &b);
    assert_int_equal(shed_book_open(&other, bed->path), 0);
    assert_int_equal(other.count, 2);
    assert_entry(shed_book_find(&other, "rack-a"), &a);
    assert_entry(shed_book_find(&other, "rack-b"), &b);
    for (uint32_t i = 0; i < 40; i++) {         /* as many nodes as it takes */
        char name[16];
        snprintf(name, sizeof name, "n-%u", i);
        const struct shed_entry more = entry_of(name, SHED_OVER);
        put(&book, NULL, &more);
    }
    assert_int_equal(shed_book_refresh(&other), 0);
    assert_int_equal(other.count, 42);
    assert_entry(shed_book_find(&other, "rack-b"), &b);
    shed_book_close(&book);
    shed_book_close(&other);
}

/* A keeper notes the end of its command while the one that watches writes of another node. */
static void nobody_undoes_what_another_has_written(void **state)
{
    struct bed *bed = *state;
    struct shed_book watch, keeper;
    const struct shed_entry running = entry_of("rack-a", SHED_RUNNING), done = entry_of("rack-a", SHED_DONE);
    const struct shed_entry other = entry_of("rack-b", SHED_RUNNING);
    assert_int_equal(shed_book_open(&watch, bed->path), 0);
    put(&watch, NULL, &running);
    assert_int_equal(shed_book_open(&keeper, bed->path), 0);
    put(&watch, NULL, &other);
    put(&keeper, &running, &done);
    assert_entry(shed_book_find(&keeper, "rack-b"), &other);
    /* the one that watches thinks that it still runs */
    const struct shed_entry again = entry_of("rack-a", SHED_AGAIN);
    assert_int_equal(shed_book_put(&watch, &running, &again, false), -EAGAIN);
    assert_int_equal(shed_book_find(&watch, "rack-a")->state, SHED_DONE);
    assert_int_equal(shed_book_refresh(&keeper), 0);
    assert_int_equal(shed_book_find(&keeper, "rack-a")->state, SHED_DONE);
    shed_book_close(&watch);
    shed_book_close(&keeper);
}

static void entries_of_another_boot_name_no_emergency_of_this_one(void **state)
{
    struct bed *bed = *state;
    struct shed_book book;
    write_text(bed, "{\"boot\": \"another\", \"nodes\": [{\"node\": \"a\", \"state\": \"running\", "
               "\"since_ns\": 5, \"end\": \"\"}, "
               "{\"node\": \"b\", \"state\": \"done\", \"since_ns\": 6, \"end\": \"\"}]}");
    assert_int_equal(shed_book_open(&book, bed->path), 0);
    assert_int_equal(shed_book_find(&book, "a")->state, SHED_FAILED);
    assert_int_equal(shed_book_find(&book, "b")->state, SHED_DONE);
    assert_int_equal(shed_book_find(&book, "b")->since_ns, 0);
    shed_book_close(&book);
}

static void a_file_that_cannot_be_understood_is_told_and_written_anew(void **state)
{
    struct bed *bed = *state;
    static const char long_name[] =
        "{\"boot\": \"x\", \"nodes\": [{\"node\": \"more-than-31-characters-in-a-name\", "
        "\"state\": \"done\", \"end\": \"\"}]}";
    static const char *const text[] = {
        "", "{", "[]", "{\"boot\": \"x\"}", "{\"nodes\": []}", "{\"boot\": \"x\", \"nodes\": [1]}",
        "{\"boot\": \"x\", \"nodes\": [{\"node\": \"a\", \"state\": \"gone\", \"end\": \"\"}]}",
        "{\"boot\": \"x\", \"nodes\": [{\"state\": \"done\", \"end\": \"\"}]}",
        long_name};
    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
        struct shed_book book, other;
        const struct shed_entry entry = entry_of("rack", SHED_DONE);
        write_text(bed, text[i]);
        assert_int_equal(shed_book_open(&book, bed->path), -EBADMSG);
        assert_int_equal(book.count, 0);
        put(&book, NULL, &entry);
        assert_int_equal(shed_book_open(&other, bed->path), 0);
        assert_int_equal(other.count, 1);
        /* also where it was whole when it was read */
        write_text(bed, text[i]);
        put(&book, NULL, &entry);
        assert_int_equal(shed_book_refresh(&other), 0);
        assert_int_equal(other.count, 1);
        shed_book_close(&book);
        shed_book_close(&other);
    }
}

/* No disk holds an action up: what cannot be written is known here. */
static void an_entry_that_cannot_be_written_stands_in_memory(void **state)
{
    struct bed *bed = *state;
    struct shed_book book;
    const struct shed_entry entry = entry_of("rack", SHED_RUNNING);
    char path[96];
    snprintf(path, sizeof path, "%s/gone/door.shed", bed->folder);
    assert_int_equal(shed_book_open(&book, path), 0);
    assert_int_equal(shed_book_put(&book, NULL, &entry, false), -ENOENT);
    assert_entry(shed_book_find(&book, "rack"), &entry);
    assert_true(shed_book_find(&book, "rack")->unwritten);
    assert_int_equal(shed_book_refresh(&book), 0);
    assert_non_null(shed_book_find(&book, "rack"));
    shed_book_close(&book);
}

static int hold_lock(const struct bed *bed)
{
    char name[96];
    snprintf(name, sizeof name, "%s.lock", bed->path);
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    return fd;
}

/* Somebody syncs his disk with the lock in his hand: the action is taken all the same, and not once more. */
static void what_could_not_be_written_outlives_what_is_read_and_is_written_later(void **state)
{
    struct bed *bed = *state;
    struct shed_book watch, other;
    struct shed_entry done = entry_of("rack-a", SHED_DONE), next = entry_of("rack-a", SHED_RUNNING);
    struct shed_entry newer = entry_of("rack-c", SHED_RESTORED), older = entry_of("rack-c", SHED_AGAIN);
    const struct shed_entry b = entry_of("rack-b", SHED_DONE);
    next.since_ns++;
    newer.at_ns++;
    assert_int_equal(shed_book_open(&watch, bed->path), 0);
    put(&watch, NULL, &done);
    assert_int_equal(shed_book_open(&other, bed->path), 0);
    int lock = hold_lock(bed);
    assert_int_equal(shed_book_put(&watch, &done, &next, false), -EBUSY);
    assert_int_equal(shed_book_put(&watch, NULL, &older, false), -EBUSY);
    assert_int_equal(shed_book_settle(&watch), -EBUSY);
    close(lock);
    put(&other, NULL, &b);
    put(&other, NULL, &newer);
    assert_int_equal(shed_book_refresh(&watch), 0);
    assert_int_equal(watch.count, 3);
    assert_true(shed_same(shed_book_find(&watch, "rack-a"), &next));
    assert_true(shed_same(shed_book_find(&watch, "rack-c"), &newer));
    assert_int_equal(shed_book_settle(&watch), 0);
    assert_int_equal(shed_book_refresh(&other), 0);
    assert_entry(shed_book_find(&other, "rack-a"), &next);
    assert_entry(shed_book_find(&other, "rack-b"), &b);
    assert_false(shed_book_find(&watch, "rack-a")->unwritten);
    shed_book_close(&watch);
    shed_book_close(&other);
}

/* A keeper that tells how its command ended tries until it could. */
static void a_put_that_failed_can_be_put_again(void **state)
{
    struct bed *bed = *state;
    struct shed_book book, other;
    const struct shed_entry running = entry_of("rack", SHED_RUNNING), done = entry_of("rack", SHED_DONE);
    assert_int_equal(shed_book_open(&book, bed->path), 0);
    put(&book, NULL, &running);
    int lock = hold_lock(bed);
    assert_int_equal(shed_book_put(&book, &running, &done, true), -EBUSY);
    close(lock);
    assert_int_equal(shed_book_put(&book, &running, &done, true), 0);
    assert_int_equal(shed_book_open(&other, bed->path), 0);
    assert_entry(shed_book_find(&other, "rack"), &done);
    shed_book_close(&book);
    shed_book_close(&other);
}

static void only_one_watches(void **state)
{
    struct bed *bed = *state;
    int first = shed_book_claim(bed->path);
    assert_true(first >= 0);
    assert_int_equal(shed_book_claim(bed->path), -EBUSY);
    close(first);
    first = shed_book_claim(bed->path);
    assert_true(first >= 0);
    close(first);
}

static void assert_own(const char *path, const char *ending)
{
    char name[96];
    struct stat file;
    snprintf(name, sizeof name, "%s%s", path, ending);
    assert_int_equal(stat(name, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0600);
}

/* Whoever may read it may lock it, and so end all that is done here. */
static void nobody_else_can_hold_the_locks(void **state)
{
    struct bed *bed = *state;
    struct shed_book book;
    char name[96];
    const struct shed_entry entry = entry_of("rack", SHED_DONE);
    snprintf(name, sizeof name, "%s.running", bed->path);
    FILE *before = fopen(name, "w");            /* of a version that let everybody read it */
    assert_non_null(before);
    assert_int_equal(fchmod(fileno(before), 0644), 0);
    fclose(before);
    int claim = shed_book_claim(bed->path);
    assert_true(claim >= 0);
    assert_own(bed->path, ".running");
    close(claim);
    assert_int_equal(shed_book_open(&book, bed->path), 0);
    put(&book, NULL, &entry);
    assert_own(bed->path, ".lock");
    shed_book_close(&book);
    if (!geteuid()) {
        assert_int_equal(chown(name, 65534, 65534), 0);
        assert_int_equal(shed_book_claim(bed->path), -EPERM);
    }
}

static void a_process_is_known_by_its_start_and_gone_when_it_has_ended(void **state)
{
    (void)state;
    uint64_t own = shed_process_start(getpid());
    assert_true(own > 0);
    assert_int_equal(shed_process_start(getpid()), own);
    assert_int_equal(shed_process_start(0), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child)
        _exit(0);
    siginfo_t ended;
    assert_int_equal(waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT), 0);
    assert_int_equal(shed_process_start(child), 0);        /* a zombie */
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(shed_process_start(child), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_lies_beside_the_door),
        cmocka_unit_test_setup_teardown(what_was_written_is_read_whole, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(nobody_undoes_what_another_has_written, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(entries_of_another_boot_name_no_emergency_of_this_one, open_bed,
                                        close_bed),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_understood_is_told_and_written_anew, open_bed,
                                        close_bed),
        cmocka_unit_test_setup_teardown(an_entry_that_cannot_be_written_stands_in_memory, open_bed,
                                        close_bed),
        cmocka_unit_test_setup_teardown(
            what_could_not_be_written_outlives_what_is_read_and_is_written_later, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(a_put_that_failed_can_be_put_again, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(only_one_watches, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(nobody_else_can_hold_the_locks, open_bed, close_bed),
        cmocka_unit_test(a_process_is_known_by_its_start_and_gone_when_it_has_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
