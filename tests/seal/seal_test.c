/* SPDX-License-Identifier: Apache-2.0 */
/* Run with the interposer loaded. Each trial is a child process, since what is tested is that it dies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring/arena.h"

/* volatile: the compiler may not remove a pair of malloc and free, or a free of nothing */
static void *volatile kept, *volatile nothing;

static void use_malloc(void)          { kept = malloc(10); }
static void use_calloc(void)          { kept = calloc(2, 10); }
static void use_realloc(void)         { kept = realloc(kept, 100); }
static void use_reallocarray(void)    { kept = reallocarray(kept, 3, 100); }
static void use_free(void)            { free(kept); }
static void use_free_of_nothing(void) { free(nothing); }
static void use_aligned_alloc(void)   { kept = aligned_alloc(64, 64); }
static void use_strdup(void)          { kept = strdup("a libc function that allocates inside"); }
static void use_nothing(void)         { }

static void use_posix_memalign(void)
{
    void *memory = NULL;

    if (!posix_memalign(&memory, 64, 64))
        kept = memory;
}

/* Returns the signal that ended the child, 0 when it went well; `said` gets its stderr. */
static int trial(void (*use)(void), int seal_first, char *said, size_t said_bytes)
{
    int pipe_fd[2], status = 0;

    assert_int_equal(pipe(pipe_fd), 0);
    kept = malloc(50);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        signal(SIGABRT, SIG_DFL);
        dup2(pipe_fd[1], STDERR_FILENO);
        if (seal_first)
            arena_seal_thread();
        use();
        _exit(0);
    }
    close(pipe_fd[1]);
    ssize_t got = read(pipe_fd[0], said, said_bytes - 1);
    said[got > 0 ? got : 0] = '\0';
    for (ssize_t more = got; more > 0 && (size_t)got < said_bytes - 1; got += more) {
        more = read(pipe_fd[0], said + got, said_bytes - 1 - (size_t)got);
        said[got + (more > 0 ? more : 0)] = '\0';
        if (more <= 0)
            break;
    }
    close(pipe_fd[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static const struct { void (*use)(void); const char *told; } entries[] = {
    {use_malloc, "malloc"},
    {use_calloc, "calloc"},
    {use_realloc, "realloc"},
    {use_reallocarray, "reallocarray"},
    {use_free, "free"},
    {use_free_of_nothing, "free"},
    {use_aligned_alloc, "aligned_alloc"},
    {use_posix_memalign, "posix_memalign"},
    {use_strdup, "malloc"},
};

static void a_sealed_thread_dies_at_every_entry_of_the_allocator(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        char said[200], expected[100];

        snprintf(expected, sizeof(expected), "flyball: a sealed thread called %s\n", entries[i].told);
        assert_int_equal(trial(entries[i].use, 1, said, sizeof(said)), SIGABRT);
        assert_string_equal(said, expected);
    }
}

static void an_unsealed_thread_allocates_as_ever(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        char said[200];

        assert_int_equal(trial(entries[i].use, 0, said, sizeof(said)), 0);
        assert_string_equal(said, "");
    }
}

static void a_sealed_thread_that_does_not_allocate_lives(void **state)
{
    (void)state;
    char said[200];

    assert_int_equal(trial(use_nothing, 1, said, sizeof(said)), 0);
}

static void *seal_and_end(void *argument)
{
    arena_seal_thread();
    return argument;
}

static void use_after_another_thread_sealed(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, seal_and_end, NULL))
        _exit(9);
    pthread_join(thread, NULL);
    use_malloc();
}

static void sealing_concerns_the_calling_thread_only(void **state)
{
    (void)state;
    char said[200];

    assert_int_equal(trial(use_after_another_thread_sealed, 0, said, sizeof(said)), 0);
    assert_string_equal(said, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sealed_thread_dies_at_every_entry_of_the_allocator),
        cmocka_unit_test(an_unsealed_thread_allocates_as_ever),
        cmocka_unit_test(a_sealed_thread_that_does_not_allocate_lives),
        cmocka_unit_test(sealing_concerns_the_calling_thread_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
