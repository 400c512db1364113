/* SPDX-License-Identifier: Apache-2.0 */
/* The file that agent and watchdog share. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/ready.h"
#include "agent/watch.h"
#include "agent/word.h"

/* The offsets that a reader of another language goes by (tests/system/agent_test.py). */
static_assert(offsetof(struct word, deadline_ns) == 24 && offsetof(struct word, agent_beat_ns) == 32 &&
              offsetof(struct word, watchdog_beat_ns) == 40, "the layout of version 2");

struct place {
    char folder[64], word[96];
};

static struct place in_memory(void)
{
    struct place place;
    snprintf(place.folder, sizeof place.folder, "/dev/shm/flyball-word-%d", (int)getpid());
    snprintf(place.word, sizeof place.word, "%s/word-2", place.folder);
    if (mkdir(place.folder, 0700) && errno != EEXIST)
        skip();
    return place;
}

static void clear(const struct place *place)
{
    char lock[96];
    unlink(place->word);
    snprintf(lock, sizeof lock, "%s/agent.lock", place->folder);
    unlink(lock);
    snprintf(lock, sizeof lock, "%s/watchdog.lock", place->folder);
    unlink(lock);
    assert_int_equal(rmdir(place->folder), 0);
}

static void both_sides_see_one_word_that_has_passed_at_first(void **state)
{
    (void)state;
    const struct place place = in_memory();
    struct word_file agent, watchdog;
    assert_int_equal(word_open(&watchdog, place.folder, WORD_WATCHDOG), 0);
    assert_true(word_has_passed(watchdog.word, word_boottime_ns()));
    assert_int_equal(word_open(&agent, place.folder, WORD_AGENT), 0);
    atomic_store(&agent.word->deadline_ns, 12345);
    assert_int_equal(atomic_load(&watchdog.word->deadline_ns), 12345);
    assert_false(word_has_passed(watchdog.word, 12344));
    assert_true(word_has_passed(watchdog.word, 12345));
    atomic_store(&agent.word->deadline_ns, 0);
    assert_false(word_has_passed(watchdog.word, INT64_MAX));
    word_close(&agent);
    word_close(&watchdog);
    clear(&place);
}

static void what_one_left_the_next_one_finds(void **state)
{
    (void)state;
    const struct place place = in_memory();
    struct word_file first, second;
    assert_int_equal(word_open(&first, place.folder, WORD_AGENT), 0);
    atomic_store(&first.word->deadline_ns, 777);
    assert_int_equal(word_open(&second, place.folder, WORD_AGENT), -EBUSY);
    word_close(&first);
    assert_int_equal(word_open(&second, place.folder, WORD_AGENT), 0);
    assert_int_equal(atomic_load(&second.word->deadline_ns), 777);
    word_close(&second);
    clear(&place);
}

static void a_file_that_is_no_word_is_refused_and_kept(void **state)
{
    (void)state;
    const struct place place = in_memory();
    struct word_file file;
    struct stat seen;
    for (int whole = 0; whole < 2; whole++) {
        char bytes[sizeof(struct word)];
        memset(bytes, 'x', sizeof bytes);
        size_t length = whole ? sizeof bytes : 5;
        int fd = open(place.word, O_CREAT | O_WRONLY | O_TRUNC, 0600);
        assert_int_equal(write(fd, bytes, length), length);
        close(fd);
        assert_int_equal(word_open(&file, place.folder, WORD_AGENT), -EBADMSG);
        assert_int_equal(stat(place.word, &seen), 0);
        assert_int_equal(seen.st_size, length);
    }
    clear(&place);
}

static void only_a_folder_in_memory_will_do(void **state)
{
    (void)state;
    struct word_file file;
    assert_int_equal(word_open(&file, "/proc", WORD_AGENT), -EINVAL);
    assert_int_equal(word_open(&file, "/dev/shm/flyball-none-such", WORD_AGENT), -ENOENT);
}

/* A page that the file system cannot give would be SIGBUS at the first touch. */
static void a_folder_that_is_full_is_told_and_not_touched(void **state)
{
    (void)state;
    const struct place place = in_memory();
    struct word_file file;
    char filler[96], page[4096] = {1};
    snprintf(filler, sizeof filler, "%s/filler", place.folder);
    if (mount("none", place.folder, "tmpfs", 0, "size=16k")) {
        rmdir(place.folder);
        skip();
    }
    int fd = open(filler, O_CREAT | O_WRONLY, 0600);
    while (write(fd, page, sizeof page) > 0)
        ;
    close(fd);
    assert_int_equal(word_open(&file, place.folder, WORD_AGENT), -ENOSPC);
    unlink(filler);
    assert_int_equal(word_open(&file, place.folder, WORD_AGENT), 0);
    word_close(&file);
    assert_int_equal(umount(place.folder), 0);
    assert_int_equal(rmdir(place.folder), 0);
}

static void it_can_be_looked_at_by_whoever_makes_it_not(void **state)
{
    (void)state;
    const struct place place = in_memory();
    const struct word *seen;
    struct word_file agent;
    assert_int_equal(word_look(place.folder, &seen), -ENOENT);
    close(open(place.word, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    assert_int_equal(word_look(place.folder, &seen), -EAGAIN);
    assert_int_equal(word_open(&agent, place.folder, WORD_AGENT), 0);
    assert_int_equal(word_look(place.folder, &seen), 0);
    atomic_store(&agent.word->deadline_ns, 12345);
    assert_int_equal(atomic_load(&seen->deadline_ns), 12345);
    munmap((void *)(uintptr_t)seen, sizeof *seen);
    agent.word->version = WORD_VERSION + 1;
    assert_int_equal(word_look(place.folder, &seen), -EBADMSG);
    word_close(&agent);
    assert_int_equal(truncate(place.word, 7), 0);
    assert_int_equal(word_look(place.folder, &seen), -EBADMSG);
    clear(&place);
}

/* Fail-safe that is in force, or a lease, of an agent that lives. */
static void it_says_when_what_draws_power_may_begin(void **state)
{
    (void)state;
    const int64_t now_ns = 100 * NS_PER_S, gone_ns = WATCH_AGENT_GONE_NS;
    assert_true(ready_is(0, now_ns, now_ns));
    assert_true(ready_is(0, now_ns - gone_ns, now_ns));
    assert_true(ready_is(now_ns + 1, now_ns, now_ns));
    assert_false(ready_is(now_ns, now_ns, now_ns));
    assert_false(ready_is(WORD_PASSED_NS, now_ns, now_ns));
    assert_false(ready_is(0, now_ns - gone_ns - 1, now_ns));
    assert_false(ready_is(0, 0, now_ns));
    assert_false(ready_is(0, 0, NS_PER_S));         /* soon after boot */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_see_one_word_that_has_passed_at_first),
        cmocka_unit_test(what_one_left_the_next_one_finds),
        cmocka_unit_test(a_file_that_is_no_word_is_refused_and_kept),
        cmocka_unit_test(only_a_folder_in_memory_will_do),
        cmocka_unit_test(a_folder_that_is_full_is_told_and_not_touched),
        cmocka_unit_test(it_can_be_looked_at_by_whoever_makes_it_not),
        cmocka_unit_test(it_says_when_what_draws_power_may_begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
