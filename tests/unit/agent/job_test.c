/* SPDX-License-Identifier: Apache-2.0 */
/* Which job a cgroup belongs to, by paths as they are met, and by paths that only look like them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/job.h"

#define POD "1b4e28ba-2fa1-11d2-883f-0016d3cca427"
#define POD_IN_A_SLICE "1b4e28ba_2fa1_11d2_883f_0016d3cca427"
#define STATIC_POD "0123456789abcdef0123456789abcdef"
#define CONTAINER "cri-containerd-6d1fe0f2c5a3f0d0a6a9e9f1c7f7a4b7f4b1d4d0a1c2e3f4a5b6c7d8e9f0a1b2.scope"

static const struct {
    const char *path, *text;
} known[] = {
    {"/slurm/uid_1000/job_123/step_0/task_0", "123.0"},
    {"/slurm/uid_0/job_123/step_4", "123.4"},
    {"/slurm/uid_1000/job_123/step_batch", "123.batch"},
    {"/slurm/uid_1000/job_123/step_extern/task_special", "123.extern"},
    {"/slurm/uid_1000/job_123", "123"},
    {"/slurm_gpu-17/uid_1000/job_4294967295/step_0", "4294967295.0"},
    {"/system.slice/slurmstepd.scope/job_123/step_0/user/task_0", "123.0"},
    {"/system.slice/slurmstepd.scope/job_123/step_batch/slurm", "123.batch"},
    {"/system.slice/slurmstepd.scope/job_123/step_interactive/user/task_0", "123.interactive"},
    {"/system.slice/slurmstepd.scope/job_123/step_extern/user/task_special", "123.extern"},
    {"/system.slice/slurmstepd.scope/job_77/step_3+1/user", "77.3"},
    {"/system.slice/slurmstepd.scope/job_77", "77"},
    {"/system.slice/gpu-17_slurmstepd.scope/job_9/step_4294967295", "9.4294967295"},
    {"/kubepods/burstable/pod" POD "/" STATIC_POD, POD},
    {"/kubepods/besteffort/pod" POD, POD},
    {"/kubepods/pod" POD "/c0ffee", POD},
    {"/kubepods/burstable/pod" STATIC_POD "/c0ffee", STATIC_POD},
    {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" POD_IN_A_SLICE ".slice/" CONTAINER,
     POD},
    {"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" POD_IN_A_SLICE ".slice", POD},
    {"/kubepods.slice/kubepods-pod" POD_IN_A_SLICE ".slice/" CONTAINER, POD},
    {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" STATIC_POD ".slice", STATIC_POD},
};
enum { KNOWN = sizeof known / sizeof known[0] };

static const char *const strange[] = {
    "", "/", "//", "slurm/uid_1000/job_123", "/init.scope", "/user.slice/user-1000.slice/session-3.scope",
    "/system.slice/sshd.service", "/system.slice/slurmd.service", "/system.slice/slurmstepd.scope/system",
    "/user.slice/user-1000.slice/user@1000.service/system.slice/slurmstepd.scope/job_123/step_0",
    "/user.slice/slurm/uid_1000/job_123", "/user.slice/kubepods/pod" POD,
    "/docker/6d1fe0f2c5a3/kubepods/pod" POD, "/slurm/job_123/step_0", "/slurm/uid_x/job_123",
    "/slurm/uid_1000/job_", "/slurm/uid_1000/job_0", "/slurm/uid_1000/job_12a", "/slurm/uid_1000/job_-1",
    "/slurm/uid_1000/job_4294967296", "/slurm/uid_1000/job_99999999999999999999999999",
    "/slurmish/uid_1000/job_123", "/system.slice/slurmstepd.scope.d/job_123",
    "/system.slice/myslurmstepd.scope/job_123", "/system.slice/slurmstepd.scope/x/job_123",
    "/kubepods/guaranteed/pod" POD, "/kubepods/podx", "/kubepods/pod" POD "0", "/kubepods/pod" POD_IN_A_SLICE,
    "/kubepods/pod1B4E28BA-2fa1-11d2-883f-0016d3cca427", "/kubepods/pod1b4e28ba-2fa1-11d2-883f0-016d3cca427",
    "/kubepods.slice/kubepods-pod" POD ".slice", "/kubepods.slice/kubepods-burstable.slice/" CONTAINER,
    "/kubepods.slice/kubepods-burstable.slice/kubepods-besteffort-pod" POD_IN_A_SLICE ".slice",
    "/kubepods.slice/kubepods-burstable.slice/kubepods-burstablepod" POD_IN_A_SLICE ".slice",
    "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable.slice",
    "/kubepods.slice/kubepods-burstable-pod" POD_IN_A_SLICE ".slice",
};

static void assert_text(const struct job *job, const char *expected)
{
    char text[JOB_TEXT_BYTES];
    assert_string_equal(job_text(job, text), expected);
}

static void paths_as_they_are_met_name_job_and_step_or_pod(void **state)
{
    struct job job;
    (void)state;
    for (size_t i = 0; i < KNOWN; i++) {
        if (!job_of_path(known[i].path, strlen(known[i].path), &job))
            fail_msg("%s names no job", known[i].path);
        assert_text(&job, known[i].text);
    }
}

static void paths_that_only_look_like_them_name_none(void **state)
{
    struct job job;
    (void)state;
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        if (job_of_path(strange[i], strlen(strange[i]), &job))
            fail_msg("%s names a job", strange[i]);
        assert_int_equal(job.kind, JOB_NONE);
        assert_text(&job, "");
    }
}

static void a_user_cannot_pass_for_a_job_by_folders_of_his_own(void **state)
{
    static const char *const his[] = {"/user.slice/user-1000.slice/user@1000.service/app.slice", "/his",
                                      "/x/y", "/system.slice/his.service", "/slurm/uid_1000", "/kubepods"};
    char path[512];
    struct job job;
    (void)state;
    for (size_t i = 0; i < KNOWN; i++)
        for (size_t k = 0; k < sizeof his / sizeof his[0]; k++) {
            snprintf(path, sizeof path, "%s%s", his[k], known[i].path);
            assert_false(job_of_path(path, strlen(path), &job));
        }
}

/* Whoever walks folders gets to each of them. */
static void all_folders_above_a_job_may_have_jobs_below_them(void **state)
{
    struct job job, part;
    (void)state;
    for (size_t i = 0; i < KNOWN; i++) {
        const char *path = known[i].path;
        assert_true(job_of_path(path, strlen(path), &job));
        for (size_t bytes = 0; bytes < strlen(path); bytes++) {
            if (path[bytes] != '/')
                continue;
            bool whole = job_of_path(path, bytes, &part);
            bool found = whole && (part.kind == JOB_POD || part.step == job.step);
            if (found)
                break;
            if (!job_may_lie_below(path, bytes))
                fail_msg("%.*s leads nowhere", (int)bytes, path);
        }
    }
}

static void lines_of_a_process_name_its_job_under_v1_and_v2(void **state)
{
    struct job job;
    const char *v2 = "0::/system.slice/slurmstepd.scope/job_123/step_4/user/task_0\n";
    const char *v1 = "12:pids:/system.slice/slurmd.service\n"
                     "11:freezer:/slurm/uid_1000/job_123\n"
                     "7:cpu,cpuacct:/slurm/uid_1000/job_123/step_4/task_0\n"
                     "1:name=systemd:/slurm/uid_1000/job_999/step_1\n0::/system.slice/slurmd.service";
    const char *gone = "0::/kubepods/pod" POD " (deleted)\n";
    const char *none = "0::/user.slice/user-1000.slice\n\n:\n::\nx\n3:/slurm/uid_0/job_1\n";
    (void)state;
    assert_true(job_of_lines(v2, strlen(v2), &job));
    assert_text(&job, "123.4");
    assert_true(job_of_lines(v1, strlen(v1), &job));
    assert_text(&job, "123.4");
    assert_true(job_of_lines(gone, strlen(gone), &job));
    assert_text(&job, POD);
    assert_false(job_of_lines(none, strlen(none), &job));
    assert_false(job_of_lines("", 0, &job));
}

/* ---- whatever the bytes are ---- */

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static size_t mutate(char *text, size_t bytes, size_t room, uint64_t *seed)
{
    static const char letters[] = "/_-+:.0123456789abcdefjobstepdun \n\xff";
    for (uint64_t change = next_random(seed) % 4; change > 0 && bytes > 0; change--) {
        size_t at = next_random(seed) % bytes;
        uint64_t kind = next_random(seed) % 3;
        if (kind == 0) {
            text[at] = letters[next_random(seed) % sizeof letters];
        } else if (kind == 1) {
            memmove(&text[at], &text[at + 1], bytes - at - 1);
            bytes--;
        } else if (bytes < room) {
            memmove(&text[at + 1], &text[at], bytes - at);
            text[at] = letters[next_random(seed) % sizeof letters];
            bytes++;
        }
    }
    return bytes;
}

/* What comes out is printable, whatever went in; and a folder below changes nothing. */
static void assert_sound(const char *path, size_t bytes, const struct job *job, bool found)
{
    char text[JOB_TEXT_BYTES];
    size_t length = strlen(job_text(job, text));
    assert_int_equal(found, job->kind != JOB_NONE);
    assert_int_equal(found, length > 0);
    assert_int_equal(strspn(text, "0123456789abcdef.-ihxrntv"), length);
    if (!found)
        return;
    char *longer = malloc(bytes + 8);
    struct job below;
    memcpy(longer, path, bytes);
    memcpy(longer + bytes, "/zz/step", 8);
    assert_true(job_of_path(longer, bytes + 8, &below) || memchr(path + bytes - 1, '_', 1));
    assert_true(job_is_same(&below, job) || below.kind == JOB_NONE);
    free(longer);
}

static void any_bytes_are_read_within_their_bounds_and_name_a_job_or_none(void **state)
{
    uint64_t seed = 0x9E3779B97F4A7C15, found = 0, tried = 200000;
    (void)state;
    print_message("seed %llx\n", (unsigned long long)seed);
    for (uint64_t i = 0; i < tried; i++) {
        char room[256];
        struct job job;
        const char *from = known[next_random(&seed) % KNOWN].path;
        size_t bytes = strlen(from);
        memcpy(room, from, bytes);
        bytes = mutate(room, bytes, sizeof room, &seed);
        char *exact = malloc(bytes + !bytes);   /* so that a sanitizer sees a read beyond */
        memcpy(exact, room, bytes);
        bool is_job = job_of_path(exact, bytes, &job);
        assert_sound(exact, bytes, &job, is_job);
        job_of_lines(exact, bytes, &job);
        job_may_lie_below(exact, bytes);
        free(exact);
        found += is_job;
    }
    assert_true(found > tried / 10 && found < tried * 9 / 10);
}

static void a_path_longer_than_any_is_none(void **state)
{
    char *path = malloc(2 * JOB_PATH_MAX);
    struct job job;
    (void)state;
    memset(path, '/', 2 * JOB_PATH_MAX);
    memcpy(path + 2 * JOB_PATH_MAX - 23, "/slurm/uid_1/job_1/zzz/", 23);
    assert_false(job_of_path(path, 2 * JOB_PATH_MAX, &job));
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_as_they_are_met_name_job_and_step_or_pod),
        cmocka_unit_test(paths_that_only_look_like_them_name_none),
        cmocka_unit_test(a_user_cannot_pass_for_a_job_by_folders_of_his_own),
        cmocka_unit_test(all_folders_above_a_job_may_have_jobs_below_them),
        cmocka_unit_test(lines_of_a_process_name_its_job_under_v1_and_v2),
        cmocka_unit_test(any_bytes_are_read_within_their_bounds_and_name_a_job_or_none),
        cmocka_unit_test(a_path_longer_than_any_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
