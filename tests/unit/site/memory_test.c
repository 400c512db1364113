/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of a load and of the analysis after it fails once: an errno comes back, nothing crashes,
 * nothing leaks (under ASan). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "site/coordination/coordination.h"

/* The linker sends the library's calls here (--wrap); what libfyaml allocates is its own affair. */
static int left = -1;           /* allocations until one fails; below 0 = never */

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);

static int fails(void)
{
    return left >= 0 && left-- == 0;
}

void *__wrap_malloc(size_t bytes)
{
    return fails() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return fails() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
    return fails() ? NULL : __real_realloc(old, bytes);
}

static void every_failed_allocation_is_an_error_and_not_a_crash(void **state)
{
    char path[512], report[1024];
    uint32_t refused = 0;
    int rc = -1;

    (void)state;
    snprintf(path, sizeof path, "%s/config/dual-feed.yaml", getenv("SOURCE_ROOT"));
    for (int n = 0; rc && n < 1000; n++) {
        FILE *out = fmemopen(report, sizeof report, "w");
        struct site site;

        left = n;
        rc = site_load(&site, path, NULL, out);
        assert_true(rc || left >= 0);   /* none failed: what fails is never passed over */
        left = -1;
        fclose(out);
        if (rc) {
            assert_true(rc == -ENOMEM || rc == -EINVAL);
            assert_non_null(strstr(report, "emory"));
            assert_null(site.memory);
            refused++;
        } else {
            site_unload(&site);
        }
    }
    assert_int_equal(rc, 0);
    assert_true(refused >= 5);
    print_message("%u allocations failed in turn\n", refused);
}

static void the_analysis_gives_up_whole(void **state)
{
    char path[512], report[1024];
    struct coordination coordination;
    struct figures figures;
    struct site site;
    int rc = -1, refused = 0;
    FILE *out = fmemopen(report, sizeof report, "w");

    (void)state;
    snprintf(path, sizeof path, "%s/config/every-key.yaml", getenv("SOURCE_ROOT"));
    assert_int_equal(site_load(&site, path, NULL, out), 0);
    fclose(out);
    assert_int_equal(figures_open(&figures, &site), 0);
    for (int n = 0; rc && n < 100; n++) {
        left = n;
        rc = coordination_open(&coordination, &site, &figures);
        assert_true(rc || left >= 0);
        left = -1;
        assert_true(!rc || (rc == -ENOMEM && !coordination.pair && !coordination.node));
        refused += rc != 0;
    }
    assert_int_equal(rc, 0);
    assert_true(refused >= 6);
    assert_true(coordination.pair_count >= 3);
    coordination_close(&coordination);
    figures_close(&figures);
    site_unload(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_failed_allocation_is_an_error_and_not_a_crash),
                                       cmocka_unit_test(the_analysis_gives_up_whole)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
