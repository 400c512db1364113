/* SPDX-License-Identifier: Apache-2.0 */
/* No card here: what the kernel would answer is made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/ptp_clock.h>
#include <string.h>

#include "msg/limits.h"
#include "time/phc.h"

#define REAL_S 1751538645
#define PHC_S (REAL_S + 37)

static int only_extended(int fd, unsigned long request, void *argument)
{
    struct ptp_sys_offset_extended *got = argument;
    if (fd != 7)
        return -EBADF;
    if (request != PTP_SYS_OFFSET_EXTENDED)
        return -EOPNOTSUPP;
    assert_in_range(got->n_samples, 1, PTP_MAX_SAMPLES);
    for (uint32_t i = 0; i < got->n_samples; i++) {
        /* the fifth is the narrowest, and the third goes back */
        uint32_t width = i == 4 ? 700 : 5000 + i;
        got->ts[i][0] = (struct ptp_clock_time){.sec = REAL_S, .nsec = 1000};
        got->ts[i][1] = (struct ptp_clock_time){.sec = PHC_S, .nsec = 1000 + width / 2 + i};
        got->ts[i][2] = (struct ptp_clock_time){.sec = REAL_S, .nsec = i == 2 ? 10 : 1000 + width};
    }
    return 0;
}

static int precise_too(int fd, unsigned long request, void *argument)
{
    struct ptp_sys_offset_precise *got = argument;
    if (request != PTP_SYS_OFFSET_PRECISE)
        return only_extended(fd, request, argument);
    got->sys_realtime = (struct ptp_clock_time){.sec = REAL_S, .nsec = 5};
    got->device = (struct ptp_clock_time){.sec = PHC_S, .nsec = 17};
    return 0;
}

static int gone(int fd, unsigned long request, void *argument)
{
    (void)fd;
    (void)request;
    (void)argument;
    return -ENODEV;
}

static int only_back(int fd, unsigned long request, void *argument)
{
    struct ptp_sys_offset_extended *got = argument;
    int error = only_extended(fd, request, argument);
    for (uint32_t i = 0; !error && i < got->n_samples; i++)
        got->ts[i][2] = (struct ptp_clock_time){.sec = REAL_S - 1};
    return error;
}

static void the_narrowest_read_counts(void **state)
{
    (void)state;
    struct phc phc;
    struct phc_pair pair;
    assert_int_equal(phc_adopt(&phc, 7, only_extended), 0);
    assert_false(phc.precise);
    assert_int_equal(phc_read(&phc, &pair), 0);
    assert_int_equal(pair.real_ns, REAL_S * NS_PER_S + 1350);
    assert_int_equal(pair.phc_ns, PHC_S * NS_PER_S + 1354);
    assert_int_equal(pair.half_ns, 350);
}

static void a_card_that_shares_a_counter_is_read_by_that(void **state)
{
    (void)state;
    struct phc phc;
    struct phc_pair pair;
    assert_int_equal(phc_adopt(&phc, 7, precise_too), 0);
    assert_true(phc.precise);
    assert_int_equal(phc_read(&phc, &pair), 0);
    assert_int_equal(pair.phc_ns - pair.real_ns, 37 * NS_PER_S + 12);
    assert_int_equal(pair.half_ns, 0);
}

static void what_is_no_clock_is_told_by_name(void **state)
{
    (void)state;
    struct phc phc;
    struct phc_pair pair;
    assert_int_equal(phc_open(&phc, "/dev/does-not-exist"), -ENOENT);
    assert_int_equal(phc_open(&phc, "/dev/null"), -ENOTTY);
    assert_int_equal(phc_read(&phc, &pair), -EBADF);
    phc_close(&phc);
    assert_int_equal(phc_adopt(&phc, 7, gone), -ENODEV);
    assert_int_equal(phc_adopt(&phc, 7, only_extended), 0);
    phc.call = gone;
    assert_int_equal(phc_read(&phc, &pair), -ENODEV);
}

static void a_system_clock_that_goes_back_between_two_reads_says_nothing(void **state)
{
    (void)state;
    struct phc phc;
    struct phc_pair pair;
    assert_int_equal(phc_adopt(&phc, 7, only_back), 0);
    assert_int_equal(phc_read(&phc, &pair), -EAGAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_narrowest_read_counts),
        cmocka_unit_test(a_card_that_shares_a_counter_is_read_by_that),
        cmocka_unit_test(what_is_no_clock_is_told_by_name),
        cmocka_unit_test(a_system_clock_that_goes_back_between_two_reads_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
