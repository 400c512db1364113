/* SPDX-License-Identifier: Apache-2.0 */
/* A full hall, every host on its own line, loads within three seconds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "written_site.h"

enum { RACKS = 2500, PER_RACK = 4, BRANCHES = 50, METERS = 2000 };

static void write_hall(FILE *out)
{
    fprintf(out, "site: hall\nnodes:\n");
    for (char side = 'a'; side <= 'b'; side++)
        fprintf(out, "  - {id: feed-%c, kind: main, volts: 480V, rating: 60kA, k: 40}\n", side);
    for (int i = 0; i < BRANCHES * 2; i++)
        fprintf(out, "  - {id: branch-%d, kind: branch, parent: feed-%c, rating: 4kA, k: 4, other: 2kW}\n", i,
                'a' + i % 2);
    for (int i = 0; i < RACKS; i++)
        fprintf(out, "  - {id: rack-%d, kind: rack, parent: branch-%d, rating: 150A, k: 1}\n", i,
                i % (BRANCHES * 2));
    fprintf(out, "host_types:\n"
                 "  - {id: gpu, cap: {min: 1600W, max: 8kW}, base: 1500W, phys_max: 10.3kW, actuation: "
                 "120ms}\nhosts:\n");
    for (int i = 0; i < RACKS * PER_RACK; i++)
        fprintf(out, "  - {id: host-%d, type: gpu, cords: [rack-%d, rack-%d], address: 10.%d.%d.%d}\n", i,
                i / PER_RACK, (i / PER_RACK) ^ 1, 1 + i / 40000, i / 200 % 200, 1 + i % 200);
    fprintf(out, "meters:\n");
    for (int i = 0; i < METERS; i++)
        fprintf(out, "  - {id: m-%d, node: rack-%d}\n", i, i);
    fprintf(out, "redundancy: {scheme: 2N, may_lose: [feed-a, feed-b]}\n");
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void ten_thousand_hosts_load_in_three_seconds(void **state)
{
    char path[] = "/tmp/flyball-hall-XXXXXX";
    FILE *out = fdopen(mkstemp(path), "w");
    struct site site;

    (void)state;
    assert_non_null(out);
    write_hall(out);
    fclose(out);
    double start = seconds();
    int rc = site_load(&site, path, NULL, stderr);
    double took = seconds() - start;

    unlink(path);
    assert_int_equal(rc, 0);
    print_message("10,000 hosts, 2,602 nodes, 2,000 meters: %.3f s\n", took);
    assert_int_equal(site.model.host_count, RACKS * PER_RACK);
    assert_int_equal(site.model.meter_count, METERS);
    /* sanitizers cost a factor, the bar is for the plain build */
    assert_true(took < (getenv("SLOW_BUILD") ? 30.0 : 3.0));
    site_unload(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ten_thousand_hosts_load_in_three_seconds)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
