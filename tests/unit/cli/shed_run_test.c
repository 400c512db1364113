/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of shed actions: run as written, ended in time, told what they are about. And their keeper. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/shed/shed_run.h"
#include "rt/clock.h"

extern char **environ;

struct bed {
    char folder[32], path[64], out[64];
    struct site site;
    struct model_node node[2];
    struct model_host host[2];
    struct site_shed action;
};

static void say(struct site_command *command, uint32_t count, const char *const *word)
{
    size_t used = 0;
    *command = (struct site_command){.count = count};
    for (uint32_t i = 0; i < count; i++) {
        strcpy(command->text + used, word[i]);
        used += strlen(word[i]) + 1;
    }
}

/* `script` with $1 the bed's file and $2 to $4 its words. */
static struct site_command script(const struct bed *bed, const char *text)
{
    struct site_command command;
    say(&command, 7, (const char *const[]){"/bin/sh", "-c", text, "sh", bed->out, "-h", "two words"});
    return command;
}

static int open_bed(void **state)
{
    static struct bed bed;
    bed = (struct bed){
        .node = {{.name = "main", .ancestor_count = 1, .ancestor = {0}},
                 {.name = "rack", .parent_count = 1, .parent = {0}, .ancestor_count = 2, .ancestor = {1, 0}}},
        .host = {{.name = "h-1", .cord_count = 1, .cord = {{.node = 1}}},
                 {.name = "h-2", .cord_count = 1, .cord = {{.node = 0}}}},
        .action = {.name = "open", .tries = 2, .timeout_ns = 5 * NS_PER_S}};
    bed.site.model = (struct model){.name = "hall", .node = bed.node, .node_count = 2, .host = bed.host,
                                    .host_count = 2};
    strcpy(bed.folder, "/tmp/flyball-run-XXXXXX");
    assert_non_null(mkdtemp(bed.folder));
    snprintf(bed.path, sizeof bed.path, "%s/shed", bed.folder);
    snprintf(bed.out, sizeof bed.out, "%s/out", bed.folder);
    *state = &bed;
    return 0;
}

static int close_bed(void **state)
{
    struct bed *bed = *state;
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", bed->folder);
    return system(command);
}

static const char *told(const struct bed *bed)
{
    static char text[4096];
    FILE *file = fopen(bed->out, "r");
    size_t bytes = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        fclose(file);
    text[bytes] = 0;
    return text;
}

static void its_words_reach_the_program_as_they_are(void **state)
{
    struct bed *bed = *state;
    char end[SHED_END_BYTES];
    const struct site_command command = script(bed, "echo \"$# $2 $3\" >$1");
    assert_true(shed_run(&command, environ, NS_PER_S, end));
    assert_string_equal(end, "exit code 0");
    assert_string_equal(told(bed), "3 -h two words\n");
}

static void how_it_ended_is_told(void **state)
{
    struct bed *bed = *state;
    static const struct { const char *text, *end; } row[] = {
        {"exit 7", "exit code 7"}, {"kill -9 $$", "killed by signal 9"}};
    char end[SHED_END_BYTES];
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        const struct site_command command = script(bed, row[i].text);
        assert_false(shed_run(&command, environ, 5 * NS_PER_S, end));
        assert_string_equal(end, row[i].end);
    }
    struct site_command nothing;
    say(&nothing, 1, (const char *const[]){"/nowhere/feeder"});
    assert_false(shed_run(&nothing, environ, NS_PER_S, end));
    assert_string_equal(end, "cannot be run: No such file or directory");
}

static void an_end_that_nobody_saw_is_no_good_one(void **state)
{
    struct bed *bed = *state;
    char end[SHED_END_BYTES];
    const struct site_command command = script(bed, "exit 0");
    signal(SIGCHLD, SIG_IGN);
    bool well = shed_run(&command, environ, 5 * NS_PER_S, end);
    signal(SIGCHLD, SIG_DFL);
    assert_false(well);
    assert_string_equal(end, "nobody saw its end");
}

/* With all that it has started, also what does not listen to SIGTERM. */
static void past_its_timeout_it_is_ended(void **state)
{
    struct bed *bed = *state;
    char end[SHED_END_BYTES];
    const struct site_command command =
        script(bed, "trap '' TERM; (trap '' TERM; sleep 30; echo late >>$1) & echo $! >$1; wait");
    int64_t began_ns = clock_monotonic_ns();
    assert_false(shed_run(&command, environ, 200 * NS_PER_MS, end));
    assert_string_equal(end, "ran past its 0.2 s and was ended");
    assert_true(clock_monotonic_ns() - began_ns < 10 * NS_PER_S);
    pid_t below = atoi(told(bed));
    for (int i = 0; i < 1000 && shed_process_start(below); i++)
        usleep(10000);
    assert_int_equal(shed_process_start(below), 0);
}

static const char *value_of(char **environment, const char *name)
{
    size_t bytes = strlen(name);
    for (; *environment; environment++)
        if (!strncmp(*environment, name, bytes) && (*environment)[bytes] == '=')
            return *environment + bytes + 1;
    return "(none)";
}

static void the_environment_says_what_it_is_about(void **state)
{
    struct bed *bed = *state;
    const struct shed_told about = {.site = &bed->site, .node = 1, .action = &bed->action, .tries = 2,
                                    .since_wall_s = 1795282939, .measured_a = 412.34, .limit_a = 380};
    setenv("FLYBALL_NODE", "somebody's", 1);
    setenv("KEPT", "as it was", 1);
    char **environment = shed_environment(&about);
    static const char *const row[][2] = {
        {"FLYBALL_SITE", "hall"}, {"FLYBALL_NODE", "rack"}, {"FLYBALL_PATH", "main/rack"},
        {"FLYBALL_ACTION", "open"}, {"FLYBALL_DO", "shed"}, {"FLYBALL_TRY", "2"},
        {"FLYBALL_MEASURED_A", "412.3"}, {"FLYBALL_LIMIT_A", "380.0"}, {"FLYBALL_HOSTS", "h-1"},
        {"FLYBALL_HOST_COUNT", "1"}, {"FLYBALL_SINCE", "2026-11-21T17:42:19Z"}, {"KEPT", "as it was"},
        {"FLYBALL_REHEARSAL", "(none)"}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        assert_string_equal(value_of(environment, row[i][0]), row[i][1]);
    shed_environment_free(environment);
    const struct shed_told rehearsed = {.site = &bed->site, .action = &bed->action, .restore = true,
                                        .rehearsal = true, .measured_a = -1, .limit_a = -1};
    environment = shed_environment(&rehearsed);
    static const char *const other[][2] = {
        {"FLYBALL_DO", "restore"}, {"FLYBALL_REHEARSAL", "yes"}, {"FLYBALL_HOSTS", "h-1 h-2"},
        {"FLYBALL_MEASURED_A", "(none)"}, {"FLYBALL_SINCE", "(none)"}, {"FLYBALL_PATH", "main"}};
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
        assert_string_equal(value_of(environment, other[i][0]), other[i][1]);
    shed_environment_free(environment);
    unsetenv("FLYBALL_NODE");
}

/* ---- its keeper ---- */

static struct shed_entry running(struct bed *bed, bool write)
{
    struct shed_book book;
    struct shed_entry entry = {.node = "rack", .state = SHED_RUNNING, .since_ns = 5, .tries = 1, .at_ns = 6};
    if (!write)
        return entry;
    assert_int_equal(shed_book_open(&book, bed->path), 0);
    assert_int_equal(shed_book_put(&book, NULL, &entry, false), 0);
    shed_book_close(&book);
    return entry;
}

/* In a process of its own, as it is; its exit code. */
static int keep(struct bed *bed, const char *tries, const char *written, const char *text)
{
    char since[] = "5", most[] = "2", timeout[] = "5000000000", end[] = "--", node[] = "rack";
    char sh[] = "/bin/sh", c[] = "-c", tried[8], how[16], line[256];
    char *argv[] = {bed->path, node, since, tried, most, timeout, how, end, sh, c, line};
    int status;
    snprintf(tried, sizeof tried, "%s", tries);
    snprintf(how, sizeof how, "%s", written);
    snprintf(line, sizeof line, "%s >>%s", text, bed->out);
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child)
        _exit(shed_keep(sizeof argv / sizeof argv[0], argv));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static struct shed_entry entry_now(const struct bed *bed)
{
    struct shed_book book;
    assert_int_equal(shed_book_open(&book, bed->path), 0);
    const struct shed_entry entry = *shed_book_find(&book, "rack");
    shed_book_close(&book);
    return entry;
}

static void a_keeper_writes_how_its_command_ended(void **state)
{
    struct bed *bed = *state;
    running(bed, true);
    assert_int_equal(keep(bed, "1", "written", "echo ran"), 0);
    struct shed_entry entry = entry_now(bed);
    assert_true(entry.state == SHED_DONE && entry.keeper == 0 && entry.since_ns == 5);
    assert_string_equal(told(bed), "ran\n");
    running(bed, true);
    assert_int_equal(keep(bed, "1", "written", "exit 3"), 1);
    entry = entry_now(bed);
    assert_int_equal(entry.state, SHED_AGAIN);
    assert_string_equal(entry.end, "exit code 3");
}

/* Whoever watched before has given it up, or another keeper has it. */
static void a_keeper_that_comes_too_late_runs_nothing(void **state)
{
    struct bed *bed = *state;
    running(bed, true);
    assert_int_equal(keep(bed, "2", "written", "echo ran"), 3);
    struct shed_book book;
    struct shed_entry entry = entry_now(bed);
    assert_int_equal(entry.state, SHED_RUNNING);
    assert_int_equal(shed_book_open(&book, bed->path), 0);
    entry.keeper = 1;
    assert_int_equal(shed_book_put(&book, NULL, &entry, false), 0);
    assert_int_equal(keep(bed, "1", "written", "echo ran"), 3);
    entry.keeper = 0;
    entry.state = SHED_AGAIN;
    assert_int_equal(shed_book_put(&book, NULL, &entry, false), 0);
    assert_int_equal(keep(bed, "1", "written", "echo ran"), 3);
    assert_string_equal(told(bed), "");
    shed_book_close(&book);
}

/* A state file that could not be written holds no action up. */
static void a_keeper_of_what_is_not_written_runs_it_all_the_same(void **state)
{
    struct bed *bed = *state;
    running(bed, false);
    assert_int_equal(keep(bed, "1", "unwritten", "echo ran"), 0);
    assert_string_equal(told(bed), "ran\n");
}

/* Told by SIGTERM, here by the command itself. A shed action is ended by nobody. */
static void the_keeper_of_a_restore_ends_it_when_told(void **state)
{
    struct bed *bed = *state;
    struct shed_book book;
    struct shed_entry entry = running(bed, true);
    assert_int_equal(keep(bed, "1", "written", "kill -TERM $PPID; sleep 0.1; echo ran"), 0);
    assert_int_equal(entry_now(bed).state, SHED_DONE);
    entry.state = SHED_RESTORING;
    assert_int_equal(shed_book_open(&book, bed->path), 0);
    assert_int_equal(shed_book_put(&book, NULL, &entry, false), 0);
    shed_book_close(&book);
    setenv("FLYBALL_DO", "restore", 1);
    int code = keep(bed, "1", "written", "kill -TERM $PPID; sleep 30; echo late");
    unsetenv("FLYBALL_DO");
    assert_int_equal(code, 1);
    entry = entry_now(bed);
    assert_int_equal(entry.state, SHED_NOT_RESTORED);
    assert_string_equal(entry.end, "ended before its time");
    assert_string_equal(told(bed), "ran\n");
}

static void words_that_are_none_are_refused(void **state)
{
    struct bed *bed = *state;
    char word[] = "x", *argv[] = {bed->path, word, word, word, word, word, word, word, word};
    assert_int_equal(shed_keep(3, argv), 2);
    assert_int_equal(shed_keep(9, argv), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(its_words_reach_the_program_as_they_are, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(how_it_ended_is_told, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(an_end_that_nobody_saw_is_no_good_one, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(past_its_timeout_it_is_ended, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(the_environment_says_what_it_is_about, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(a_keeper_writes_how_its_command_ended, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(a_keeper_that_comes_too_late_runs_nothing, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(a_keeper_of_what_is_not_written_runs_it_all_the_same, open_bed,
                                        close_bed),
        cmocka_unit_test_setup_teardown(the_keeper_of_a_restore_ends_it_when_told, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(words_that_are_none_are_refused, open_bed, close_bed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
