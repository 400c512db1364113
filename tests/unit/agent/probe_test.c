/* SPDX-License-Identifier: Apache-2.0 */
/* What a probe prints of a device that keeps what was written to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/probe.h"

static void a_probe_prints_the_cap_in_force_and_the_one_that_is_kept(void **state)
{
    (void)state;
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    assert_int_equal(probe_all("dry", out, stderr), 0);
    fclose(out);
    assert_non_null(strstr(text, "\n    in force   700.000 W\n    kept       700.000 W\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_probe_prints_the_cap_in_force_and_the_one_that_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
