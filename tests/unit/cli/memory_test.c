/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of an import fails once: -ENOMEM comes back, nothing crashes or leaks (under ASan). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/import/import.h"

/* The linker sends the library's calls here (--wrap). */
static int left = -1;           /* allocations until one fails; below 0 = never */

void *__real_malloc(size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);

static int fails(void)
{
    return left >= 0 && left-- == 0;
}

void *__wrap_malloc(size_t bytes)
{
    return fails() ? NULL : __real_malloc(bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
    return fails() ? NULL : __real_realloc(old, bytes);
}

enum { HOSTS = 4000 };

/* Enough rows that scratch memory and places grow several times; no two hosts are alike. */
static char *hosts_text(void)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    assert_non_null(out);
    fprintf(out, "id,type,cord,address,fail_safe [W]\n");
    for (int i = 0; i < HOSTS; i++)
        fprintf(out, "h%d,g,n,10.0.%d.%d,1600\n", i, i / 200, 1 + i % 200);
    fclose(out);
    return text;
}

static int import_once(const struct shape *shape, struct findings *errors, size_t *written)
{
    struct import_table hosts = {.source = IMPORT_HOSTS, .path = "h", .text = hosts_text()};
    struct import_wish wish = {.site = "s", .scheme = "2N", .table = {[IMPORT_HOSTS] = &hosts}};
    struct import_out out = {0};
    struct scratch scratch = {0};
    char *yaml = NULL;
    int rc = import_keys(&hosts, shape);

    assert_int_equal(rc, 0);
    out.out = open_memstream(&yaml, written);
    assert_non_null(out.out);
    rc = csv_parse(hosts.text, strlen(hosts.text), &scratch, errors, &hosts.csv);
    if (!rc)
        rc = import_rows(&hosts, &scratch, errors);
    if (!rc)
        rc = import_write(&out, &wish);
    fclose(out.out);
    scratch_free(&scratch);
    free(out.place);
    free(hosts.text);
    free(yaml);
    return rc;
}

static void every_failed_allocation_is_an_error_and_not_a_crash(void **state)
{
    struct findings *errors = calloc(1, sizeof *errors);
    struct shape shape;
    uint32_t refused = 0;
    size_t written = 0;
    int rc = -1;

    (void)state;
    assert_non_null(errors);
    assert_int_equal(shape_gather(&shape), 0);
    for (int n = 0; rc && n < 1000; n++) {
        left = n;
        rc = import_once(&shape, errors, &written);
        left = -1;
        assert_true(rc == 0 || rc == -ENOMEM);
        refused += rc != 0;
    }
    assert_int_equal(rc, 0);
    assert_int_equal(errors->count, 0);
    assert_true(written > HOSTS * 50);
    assert_true(refused >= 5);
    print_message("%u allocations failed in turn\n", refused);
    free(errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_failed_allocation_is_an_error_and_not_a_crash)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
