/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of a drawing and of a report fails once: -ENOMEM comes back, nothing is written, nothing
 * crashes or leaks (under ASan). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/check/plot/plot.h"
#include "cli/check/report/report.h"

/* The linker sends the library's calls here (--wrap). */
static int left = -1;           /* allocations until one fails; below 0 = never */

void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
FILE *__real_open_memstream(char **text, size_t *bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);
FILE *__wrap_open_memstream(char **text, size_t *bytes);

static int fails(void)
{
    return left >= 0 && left-- == 0;
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return fails() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
    return fails() ? NULL : __real_realloc(old, bytes);
}

FILE *__wrap_open_memstream(char **text, size_t *bytes)
{
    return fails() ? NULL : __real_open_memstream(text, bytes);
}

/* Hundreds of runs need no disk. */
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    (void)fd;
    return 0;
}

static void every_allocation_may_fail(void **state)
{
    static const char *const kinds[NODE_KIND_COUNT] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    static const char *const terms[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};
    struct site site;
    struct figures figures;
    struct coordination coordination;
    char path[512], folder[] = "/tmp/flyball-study-XXXXXX", sheets[64], document[64];
    struct study study = {.site = &site, .figures = &figures, .coordination = &coordination,
                          .path = "curves.yaml", .version = "0", .warnings = "",
                          .kind_names = kinds, .term_names = terms};
    int rc = -ENOMEM, count = 0;

    (void)state;
    snprintf(path, sizeof path, "%s/tests/golden/plot/curves.yaml", getenv("SOURCE_ROOT"));
    assert_int_equal(site_load(&site, path, "", stderr), 0);
    assert_int_equal(figures_open(&figures, &site), 0);
    assert_int_equal(coordination_open(&coordination, &site, &figures), 0);
    assert_non_null(mkdtemp(folder));
    snprintf(sheets, sizeof sheets, "%s/sheets", folder);
    snprintf(document, sizeof document, "%s/report.html", folder);
    assert_non_null(freopen("/dev/null", "w", stderr));
    for (; rc == -ENOMEM; count++) {
        left = count;
        rc = plot_write(&study, sheets, NULL);
        if (!rc)
            rc = report_write(&study, document, NULL);
        left = -1;
        assert_true(!rc || access(document, F_OK));
    }
    assert_int_equal(rc, 0);
    assert_int_equal(access(document, F_OK), 0);
    print_message("%d allocations\n", count - 1);
    assert_in_range(count, 100, 10000);
    snprintf(path, sizeof path, "rm -r %s", folder);
    assert_int_equal(system(path), 0);
    coordination_close(&coordination);
    figures_close(&figures);
    site_unload(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
