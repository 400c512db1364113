/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every port driver must do. Run as `port_conformance_test DRIVER [PAGES [MTU]]`, PAGES being "small" or
 * "huge", or "user": as somebody who is not root. With "table" instead of a driver's name it only checks that
 * every driver of the table has a far end to be tested with.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "port_bench.h"

enum { SKIP = 77, NOBODY = 65534 };

static int check_table(void)
{
    for (const struct port_driver *const *driver = port_table; *driver; driver++) {
        enum far_kind kind = far_end_kind((*driver)->name);
        if (kind == FAR_UNKNOWN) {
            printf("driver %s has no far end in port_far_end.c, so nothing tests it\n", (*driver)->name);
            return 1;
        }
        if (((*driver)->kind == PORT_DATAGRAMS) != (kind == FAR_DATAGRAMS)) {
            printf("driver %s carries %s, its far end does not\n", (*driver)->name,
                   (*driver)->kind == PORT_DATAGRAMS ? "datagrams" : "frames");
            return 1;
        }
        if (kind == FAR_ELSEWHERE)
            printf("driver %s needs a device of its own: tests/system/rtbox has one\n", (*driver)->name);
    }
    return 0;
}

static long free_hugepages(void)
{
    long pages = 0;
    char line[128];
    FILE *file = fopen("/proc/meminfo", "r");
    while (file && fgets(line, sizeof line, file))
        sscanf(line, "HugePages_Free: %ld", &pages);
    if (file)
        fclose(file);
    return pages;
}

/* The message of a skip, or NULL. */
static const char *cannot_run(const struct bench *bench)
{
    static char words[96];
    if (bench->user && !geteuid() && (setgid(NOBODY) || setuid(NOBODY)))
        return "cannot become somebody who is not root";
    if (!bench->user && far_end_needs_root(bench->config.driver) && geteuid())
        return "needs root to make a network namespace and packet sockets";
    if (bench->config.hugepages && free_hugepages() * 2 < bench->config.memory_mib) {
        snprintf(words, sizeof words, "%ld huge pages free, %u MiB needed", free_hugepages(),
                 bench->config.memory_mib);
        return words;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 2 || !strcmp(argv[1], "table"))
        return check_table();
    if (far_end_kind(argv[1]) == FAR_FILES)
        return check_captures() ? 1 : 0;
    static struct bench bench = {.config = {.mtu = 1500, .ring_frames = RING_FRAMES, .queues = 1,
                                            .memory_mib = 128, .housekeeping_core = 0}};
    bench.config.driver = argv[1];
    bench.config.hugepages = argc > 2 && !strcmp(argv[2], "huge");
    bench.user = argc > 2 && !strcmp(argv[2], "user");
    bench.config.mtu = argc > 3 ? (uint32_t)atoi(argv[3]) : 1500;
    const char *why_not = cannot_run(&bench);
    if (why_not) {
        printf("skipped: %s\n", why_not);
        return SKIP;
    }
    note_threads(&bench);
    int rc = far_end_make(&bench.far, argv[1], bench.config.mtu, bench.user);
    if (!rc) {
        far_end_configure(&bench.far, 0, &bench.config);
        rc = check_traffic(&bench) + check_life(&bench) + check_queues(&bench);
    }
    far_end_unmake(&bench.far);
    return rc ? 1 : 0;
}
