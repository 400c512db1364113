/* SPDX-License-Identifier: Apache-2.0 */
/* What a process says, to somebody who reads and to somebody who stopped. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/saying.h"
#include "agent/word.h"

enum { LINES = 3000 };

static struct saying *begin(int end[2])
{
    struct saying *saying = calloc(1, sizeof *saying);
    assert_non_null(saying);
    assert_int_equal(pipe(end), 0);
    assert_int_equal(saying_open(saying, end[1]), 0);
    return saying;
}

static void what_is_said_is_written_in_order(void **state)
{
    (void)state;
    int end[2];
    ssize_t got;
    struct saying *saying = begin(end);
    for (int i = 0; i < 100; i++)
        fprintf(saying->out, "line %d\n", i);
    fprintf(saying->out, "and an end without a newline");
    assert_true(saying_close(saying, word_monotonic_ns() + 60 * NS_PER_S));
    free(saying);
    close(end[1]);
    char text[4096] = "", wanted[4096] = "";
    for (size_t used = 0; (got = read(end[0], text + used, sizeof text - 1 - used)) > 0;)
        used += (size_t)got;
    close(end[0]);
    for (int i = 0; i < 100; i++)
        sprintf(wanted + strlen(wanted), "line %d\n", i);
    strcat(wanted, "and an end without a newline");
    assert_string_equal(text, wanted);
}

/* Nobody reads: whoever speaks goes on, and what was lost is told to whoever comes. */
static void nobody_waits_for_a_reader_who_stopped(void **state)
{
    (void)state;
    static char text[1 << 18];
    int end[2];
    size_t used = 0;
    unsigned long seen = 0;
    struct saying *saying = begin(end);
    assert_true(fcntl(end[1], F_SETPIPE_SZ, 4096) >= 4096);     /* less than what is kept */
    alarm(120);
    for (int i = 0; i < LINES; i++)
        fprintf(saying->out, "a line that is as long as what an agent has to say of a counter: %d\n", i);
    assert_false(saying_close(saying, word_monotonic_ns() + 50 * NS_PER_MS));
    while (!strstr(text, " lines were lost")) {
        ssize_t got = read(end[0], text + used, sizeof text - 1 - used);
        assert_true(got > 0);
        used += (size_t)got;
    }
    assert_true(saying_close(saying, word_monotonic_ns() + 60 * NS_PER_S));
    alarm(0);
    for (char *at = text; (at = strstr(at, "a line that")) != NULL; at++)
        seen++;
    char *lost = strstr(text, " lines were lost");
    while (lost[-1] >= '0' && lost[-1] <= '9')
        lost--;
    assert_true(seen > 50);
    assert_int_equal(seen + strtoul(lost, NULL, 10), LINES);
    free(saying);
    close(end[0]);
    close(end[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said_is_written_in_order),
        cmocka_unit_test(nobody_waits_for_a_reader_who_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
