/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "rt/idle.h"

static void what_is_asked_for_stands_in_the_file_while_it_is_open(void **state)
{
    char path[] = "/tmp/flyball-idle-XXXXXX";
    int32_t asked = -1;
    (void)state;
    int file = mkstemp(path);
    assert_true(file >= 0);
    int held = rt_idle_hold(path, 10);
    assert_true(held >= 0);
    assert_int_equal(pread(file, &asked, sizeof asked, 0), sizeof asked);
    assert_int_equal(asked, 10);
    assert_int_not_equal(fcntl(held, F_GETFD) & FD_CLOEXEC, 0);
    rt_idle_release(held);
    assert_int_equal(fcntl(held, F_GETFD), -1);
    rt_idle_release(-1);
    close(file);
    unlink(path);
}

static void what_cannot_be_asked_is_said(void **state)
{
    (void)state;
    assert_int_equal(rt_idle_hold("/nowhere/cpu_dma_latency", 0), -ENOENT);
    assert_int_equal(rt_idle_hold("/dev/full", 0), -ENOSPC);
    assert_int_equal(rt_idle_hold("/dev/null", -1), -EINVAL);
}

/* The kernel's own file answers with the strictest wish of all who hold it. */
static void the_kernel_takes_it(void **state)
{
    int32_t least = -1;
    (void)state;
    int held = rt_idle_hold(RT_IDLE_FILE, 7);
    if (held == -ENOENT || held == -EACCES || held == -EPERM) {
        print_message("skipped: " RT_IDLE_FILE " cannot be written here\n");
        skip();
    }
    assert_true(held >= 0);
    int file = open(RT_IDLE_FILE, O_RDONLY);
    assert_true(file >= 0);
    assert_int_equal(read(file, &least, sizeof least), sizeof least);
    assert_in_range(least, 0, 7);
    close(file);
    rt_idle_release(held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_for_stands_in_the_file_while_it_is_open),
        cmocka_unit_test(what_cannot_be_asked_is_said),
        cmocka_unit_test(the_kernel_takes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
