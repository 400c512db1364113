/* SPDX-License-Identifier: Apache-2.0 */
/* The site file on disk: replaced whole or not at all. */
#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/tune/tune.h"

struct bed {
    char folder[64], path[128], link[128];
    char why[512];
    struct tune tune;
};

static char *read_text(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "re");
    char *text = calloc(1, 1 << 20);
    assert_non_null(file);
    assert_non_null(text);
    *bytes = fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    return text;
}

static void write_text(const char *path, const char *text, size_t bytes)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
}

/* A copy of the demo site, loaded, with figures to write. */
static int set_up(void **state)
{
    struct bed *bed = calloc(1, sizeof *bed);
    char shipped[512];
    size_t bytes;
    snprintf(shipped, sizeof shipped, "%s/config/demo/site.yaml", getenv("SOURCE_ROOT"));
    char *text = read_text(shipped, &bytes);
    strcpy(bed->folder, "/tmp/flyball-tune-XXXXXX");
    assert_non_null(mkdtemp(bed->folder));
    snprintf(bed->path, sizeof bed->path, "%s/site.yaml", bed->folder);
    snprintf(bed->link, sizeof bed->link, "%s/link.yaml", bed->folder);
    write_text(bed->path, text, bytes);
    free(text);
    bed->tune.options.site = bed->path;
    assert_int_equal(site_load(&bed->tune.site, bed->path, "default", stderr), 0);
    bed->tune.found = (struct measured){.present = true, .when_s = 1795227243, .core = 1, .priority = 80,
                                        .hiccups = {NS_PER_S, 413270, 17569, 713, 3, 0, 6477}};
    strcpy(bed->tune.found.host, "alpha");
    strcpy(bed->tune.found.kernel, "k");
    strcpy(bed->tune.found.cpu, "c");
    strcpy(bed->tune.found.version, "v");
    *state = bed;
    return 0;
}

static int tear_down(void **state)
{
    struct bed *bed = *state;
    site_unload(&bed->tune.site);
    unlink(bed->path);
    unlink(bed->link);
    assert_int_equal(rmdir(bed->folder), 0);    /* fails where a temporary file was left */
    free(bed);
    return 0;
}

static void the_block_is_added_and_every_other_byte_stays(void **state)
{
    struct bed *bed = *state;
    size_t before_bytes, after_bytes;
    char *before = read_text(bed->path, &before_bytes);
    assert_int_equal(tune_write(&bed->tune, bed->why, sizeof bed->why), 0);
    char *after = read_text(bed->path, &after_bytes);
    assert_true(after_bytes > before_bytes + 200);
    const char *rest = strstr(before, "\nauth: none\n");          /* behind the servers */
    assert_non_null(rest);
    size_t head_bytes = (size_t)(rest - before), rest_bytes = before_bytes - head_bytes;
    assert_memory_equal(after, before, head_bytes);
    assert_int_equal(strncmp(after + head_bytes, "\n    measured:  # by", 20), 0);
    assert_memory_equal(after + after_bytes - rest_bytes, rest, rest_bytes);
    bed->tune.found.hiccups.longest_ns = 999000;
    assert_int_equal(tune_write(&bed->tune, bed->why, sizeof bed->why), 0);
    struct site site;
    assert_int_equal(site_load(&site, bed->path, "default", stderr), 0);
    assert_int_equal(site.server.measured.hiccups.longest_ns, 999000);
    site_unload(&site);
    free(before);
    free(after);
}

static void mode_and_link_are_kept(void **state)
{
    struct bed *bed = *state;
    struct stat file;
    assert_int_equal(chmod(bed->path, 0640), 0);
    assert_int_equal(symlink("site.yaml", bed->link), 0);
    bed->tune.options.site = bed->link;
    assert_int_equal(tune_write(&bed->tune, bed->why, sizeof bed->why), 0);
    assert_int_equal(lstat(bed->link, &file), 0);
    assert_true(S_ISLNK(file.st_mode));
    assert_int_equal(lstat(bed->path, &file), 0);
    assert_true(S_ISREG(file.st_mode));
    assert_int_equal(file.st_mode & 07777, 0640);
    assert_int_equal(file.st_uid, geteuid());
    struct site site;
    assert_int_equal(site_load(&site, bed->link, "default", stderr), 0);
    assert_true(site.server.measured.present);
    site_unload(&site);
}

/* What goes wrong leaves the file as it was, byte for byte. */
static void expect_refusal(struct bed *bed, int error, const char *says)
{
    size_t before_bytes, after_bytes;
    char *before = read_text(bed->path, &before_bytes);
    assert_int_equal(tune_write(&bed->tune, bed->why, sizeof bed->why), error);
    if (!strstr(bed->why, says))
        fail_msg("\"%s\" does not say \"%s\"", bed->why, says);
    char *after = read_text(bed->path, &after_bytes);
    assert_int_equal(before_bytes, after_bytes);
    assert_memory_equal(before, after, before_bytes);
    free(before);
    free(after);
}

static void a_file_that_no_longer_loads_is_left_alone(void **state)
{
    struct bed *bed = *state;
    size_t bytes;
    char *text = read_text(bed->path, &bytes);
    char *place = strstr(text, "fresh: 100ms");
    assert_non_null(place);
    memcpy(place, "fresh: 100kW", 12);
    write_text(bed->path, text, bytes);
    expect_refusal(bed, -EINVAL, "does not load");
    free(text);
}

static void a_row_that_is_gone_is_said(void **state)
{
    struct bed *bed = *state;
    strcpy(bed->tune.site.server.name, "gamma");
    expect_refusal(bed, -ENOENT, "servers: has no row named 'gamma'");
}

static void a_block_that_would_not_read_back_is_not_written(void **state)
{
    struct bed *bed = *state;
    bed->tune.found.hiccups.longest_ns = 2000 * NS_PER_S;       /* longer than the schema takes */
    expect_refusal(bed, -EINVAL, "does not load");
}

static void a_folder_that_takes_no_file_is_said(void **state)
{
    struct bed *bed = *state;
    bed->tune.options.site = "/proc/version";
    assert_true(tune_write(&bed->tune, bed->why, sizeof bed->why) < 0);
    bed->tune.options.site = "/nowhere/site.yaml";
    assert_int_equal(tune_write(&bed->tune, bed->why, sizeof bed->why), -ENOENT);
    assert_string_equal(bed->why, "/nowhere/site.yaml: No such file or directory");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* Where the next run is killed: before this call or behind it. mkostemp of large files is mkostemp64. */
static struct { const char *call; bool behind; } killed_at;

static void die_at(const char *call, bool behind)
{
    if (killed_at.call && !strcmp(killed_at.call, call) && killed_at.behind == behind)
        raise(SIGKILL);
}

#define KILLED(type, name, parameters, ...) \
    type __real_##name parameters; \
    type __wrap_##name parameters; \
    type __wrap_##name parameters \
    { \
        die_at(#name, false); \
        type result = __real_##name(__VA_ARGS__); \
        die_at(#name, true); \
        return result; \
    }

KILLED(int, mkostemp64, (char *path, int flags), path, flags)
KILLED(int, fchmod, (int fd, mode_t mode), fd, mode)
KILLED(ssize_t, write, (int fd, const void *bytes, size_t count), fd, bytes, count)
KILLED(int, fsync, (int fd), fd)
KILLED(int, rename, (const char *from, const char *to), from, to)

static void kill_at(struct bed *bed, const char *call, bool behind)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        killed_at.call = call;
        killed_at.behind = behind;
        _exit(tune_write(&bed->tune, bed->why, sizeof bed->why) ? 1 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* A copy may stay beside the file; nothing but the copy is lost. */
static void remove_copies(const struct bed *bed)
{
    char pattern[160];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s.tune-*", bed->path);
    if (glob(pattern, 0, NULL, &found))
        return;
    assert_int_equal(found.gl_pathc, 1);
    unlink(found.gl_pathv[0]);
    globfree(&found);
}

static void killed_at_any_step_the_file_is_the_old_or_the_new_one(void **state)
{
    static const char *const calls[] = {"mkostemp64", "fchmod", "write", "fsync", "rename"};
    struct bed *bed = *state;
    size_t old_bytes, new_bytes, bytes;
    char *old = read_text(bed->path, &old_bytes);
    assert_int_equal(tune_write(&bed->tune, bed->why, sizeof bed->why), 0);
    char *new = read_text(bed->path, &new_bytes);
    assert_int_not_equal(new_bytes, old_bytes);
    for (uint32_t i = 0; i < 10; i++) {
        bool renamed = i == 9;
        write_text(bed->path, old, old_bytes);
        kill_at(bed, calls[i / 2], i % 2);
        char *text = read_text(bed->path, &bytes);
        assert_int_equal(bytes, renamed ? new_bytes : old_bytes);
        assert_memory_equal(text, renamed ? new : old, bytes);
        free(text);
        remove_copies(bed);
    }
    free(old);
    free(new);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_block_is_added_and_every_other_byte_stays),
        CASE(mode_and_link_are_kept),
        CASE(killed_at_any_step_the_file_is_the_old_or_the_new_one),
        CASE(a_file_that_no_longer_loads_is_left_alone),
        CASE(a_row_that_is_gone_is_said),
        CASE(a_block_that_would_not_read_back_is_not_written),
        CASE(a_folder_that_takes_no_file_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
