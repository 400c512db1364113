/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel made of a thread that wanted a deadline. Where it takes none these skip: the thread is
 * then as it was. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "rt/deadline.h"
#include "rt/thread.h"

enum { POLICY_DEADLINE = 6 };
static const struct rt_deadline tenth = {.runtime_ns = 100000, .period_ns = 1000000};

struct tried {
    int core, result, policy, cores, forked_policy;
    struct rt_deadline deadline;
};

static void *try_it(void *argument)
{
    struct tried *tried = argument;
    cpu_set_t set;
    tried->result = rt_deadline_on(tried->core, &tried->deadline);
    tried->policy = sched_getscheduler(0) & ~SCHED_RESET_ON_FORK;
    CPU_ZERO(&set);
    pthread_getaffinity_np(pthread_self(), sizeof set, &set);
    tried->cores = CPU_COUNT(&set);
    int status = 0;
    pid_t child = fork();
    if (!child)
        _exit(sched_getscheduler(0));
    if (child > 0)
        waitpid(child, &status, 0);
    tried->forked_policy = child > 0 ? WEXITSTATUS(status) : -1;
    return NULL;
}

static struct tried outcome(int core, struct rt_deadline deadline)
{
    struct tried tried = {.core = core, .deadline = deadline};
    pthread_t thread;
    assert_int_equal(rt_spawn(&thread, "try", try_it, &tried), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return tried;
}

static void skip_where_refused(int result)
{
    if (result >= 0)
        return;
    printf("the kernel takes no thread with a deadline: %d\n", result);
    skip();
}

static void a_thread_is_on_its_core_or_said_not_to_be(void **state)
{
    (void)state;
    struct tried tried = outcome(0, tenth);
    if (tried.result < 0) {
        assert_int_equal(tried.policy, SCHED_OTHER);
        assert_int_equal(tried.cores, 1);
    }
    skip_where_refused(tried.result);
    assert_int_equal(tried.policy, POLICY_DEADLINE);
    assert_true(tried.result == 1 || tried.cores == 1);
}

static void a_process_that_it_forks_is_an_ordinary_one(void **state)
{
    (void)state;
    struct tried tried = outcome(-1, tenth);
    skip_where_refused(tried.result);
    assert_int_equal(tried.result, 0);
    assert_int_equal(tried.forked_policy, SCHED_OTHER);
}

static void one_that_wants_more_than_a_period_is_left_as_it_was(void **state)
{
    (void)state;
    struct tried tried = outcome(0, (struct rt_deadline){.runtime_ns = 2000000, .period_ns = 1000000});
    assert_true(tried.result < 0);
    assert_int_equal(tried.policy, SCHED_OTHER);
    assert_int_equal(tried.cores, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_is_on_its_core_or_said_not_to_be),
        cmocka_unit_test(a_process_that_it_forks_is_an_ordinary_one),
        cmocka_unit_test(one_that_wants_more_than_a_period_is_left_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
