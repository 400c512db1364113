/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `flyball check` on a 2N hall of 10,000 hosts with two cords each, in 3 s of processor time and 200 MB:
 * every host on its own line, and the same hall in rows with `count`; as text, as text of every node, as
 * JSON.
 * usage: check_scale FLYBALL [FILE ROWS|LISTS]   (with a file: only writes the site)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    RACKS = 2500,
    PER_RACK = 4,
    BRANCHES = 50,
    ROW_SETTINGS = 25,
    RACK_SETTINGS = 26,
    KB_MOST = 200 * 1000 * 1000 / 1024,
    MS_MOST = 3000
};

/* So many different ones that 650 couples of them differ: the analysis of alike ones is done once. */
static void write_devices(FILE *out)
{
    fprintf(out, "devices:\n");
    for (int i = 0; i < ROW_SETTINGS; i++)
        fprintf(
            out,
            "  - {id: row%d, rating: 4kA, long_time: {pickup: 4kA, delay: %ds}, short_time: {pickup: 16kA, "
            "delay: 300ms}, instantaneous: 40kA}\n",
            i, 12 + i);
    for (int i = 0; i < RACK_SETTINGS; i++)
        fprintf(
            out,
            "  - {id: rack%d, rating: 250A, long_time: {pickup: 250A, delay: %ds}, instantaneous: 2500A}\n",
            i, 2 + i);
}

static void write_nodes(FILE *out)
{
    for (char side = 'a'; side <= 'b'; side++)
        fprintf(out,
                "  - {id: feed-%c, kind: main, volts: 480V, rating: 60kA, k: 40, fault: 100kA, trip_unit: "
                "relay,\n"
                "     relay: {curve: ieee_vi, pickup: 60kA, time_dial: 4}, instantaneous: 400kA}\n",
                side);
    for (int i = 0; i < BRANCHES; i++)
        fprintf(out,
                "  - {id: row%d-a, kind: branch, parent: feed-a, device: row%d, k: 4, other: 2kW}\n"
                "  - {id: row%d-b, kind: branch, parent: feed-b, device: row%d, k: 4, other: 2kW}\n",
                i, i % ROW_SETTINGS, i, i % ROW_SETTINGS);
    /* racks in pairs, one box of breakers for two of them: nodes are at most 4096 */
    for (int i = 0; i < RACKS / 2; i++)
        fprintf(out,
                "  - {id: p%d-a, kind: rack, parent: row%d-a, device: rack%d, k: 1}\n"
                "  - {id: p%d-b, kind: rack, parent: row%d-b, device: rack%d, k: 1}\n",
                i, i % BRANCHES, i % RACK_SETTINGS, i, i % BRANCHES, i % RACK_SETTINGS);
}

static void write_hosts(FILE *out, int rows)
{
    for (int i = 0; i < RACKS * PER_RACK; i += rows ? PER_RACK : 1) {
        int rack = i / PER_RACK;

        fprintf(out, "  - {id: %s%d, %stype: gpu, cords: [{node: p%d-a, psus: 3}, {node: p%d-b, psus: 3}], ",
                rows ? "r" : "host-", rows ? rack : i, rows ? "count: 4, " : "", rack / 2, rack / 2);
        fprintf(out, "address: 10.%d.%d.%d}\n", 1 + i / 40000, i / 200 % 200, 1 + i % 200);
    }
}

static void write_hall(FILE *out, int rows)
{
    fprintf(out, "site: hall\n");
    write_devices(out);
    fprintf(out, "nodes:\n");
    write_nodes(out);
    fprintf(out, "host_types:\n  - {id: gpu, cap: {min: 1600W, max: 8kW}, base: 1500W, phys_max: 10.3kW, "
                 "actuation: 120ms, psus_needed: 4}\nhosts:\n");
    write_hosts(out, rows);
    fprintf(out, "meters:\n");
    for (int i = 0; i < 1000; i++)
        fprintf(out, "  - {id: m%d-a, node: p%d-a, cords: [feed-b]}\n  - {id: m%d-b, node: p%d-b}\n", i, i, i,
                i);
    fprintf(out, "redundancy: {scheme: 2N, may_lose: [feed-a, feed-b, row0-a, row0-b, row1-a, row1-b]}\n"
                 "infrastructure:\n  - {id: core, kind: switch, cords: [feed-a, feed-b], meters: all}\n");
    for (int i = 0; i < RACKS / 2; i++) {
        fprintf(out, "  - {id: leaf%d, kind: switch, cords: [p%d-a], links: [core], hosts: [", i, i);
        for (int h = 0; h < (rows ? 2 : 2 * PER_RACK); h++)
            fprintf(out, "%s%s%d", h ? ", " : "", rows ? "r" : "host-", (rows ? 2 : 2 * PER_RACK) * i + h);
        fprintf(out, "]}\n");
    }
}

static double milliseconds(struct timeval t)
{
    return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* The parent's own resident pages count until the child has become flyball: they are few. */
static int judge(const char *flyball, const char *site, const char *option, const char *form)
{
    struct rusage usage;
    int status;
    double start = now_ms();

    fflush(stdout);
    pid_t child = fork();

    if (child == 0) {
        if (!freopen("/dev/null", "w", stdout))
            _exit(126);
        execl(flyball, flyball, "check", site, option, (char *)NULL);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child)
        return 1;
    double cpu = milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);

    printf("%-5s %-7s %7.0f ms of processor, %7.0f ms, %6ld kB\n", form, option ? option : "", cpu,
           now_ms() - start, usage.ru_maxrss);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return printf("exit status 0x%x\n", (unsigned)status) > 0;
    return cpu > MS_MOST || usage.ru_maxrss > KB_MOST;
}

static int write_to(const char *path, int rows)
{
    FILE *out = fopen(path, "w");

    if (!out)
        return -1;
    write_hall(out, rows);
    return fclose(out);
}

int main(int argc, char **argv)
{
    static const char *const options[] = {NULL, "--all", "--json"};
    int failed = 0;

    if (argc == 4)
        return write_to(argv[2], !strcmp(argv[3], "ROWS"));
    for (int rows = 0; argc == 2 && rows < 2; rows++) {
        char path[] = "/tmp/flyball-hall-XXXXXX";
        int file = mkstemp(path);

        if (file < 0 || close(file) || write_to(path, rows))
            return 1;
        for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
            failed |= judge(argv[1], path, options[i], rows ? "rows" : "lists");
        unlink(path);
    }
    return argc != 2 || failed;
}
