/* SPDX-License-Identifier: Apache-2.0 */
/* Makes stand-ins for devices and tells them what to do, from scripts. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "act/standin/gpu.h"
#include "act/standin/tree.h"

static const char usage[] =
    "standin gpus FILE N                 a record of N simulated GPUs, made where there is none\n"
    "standin set FILE GPU|all NAME VALUE what a GPU is told: demand_mw, foreign_mw, overshoot_permille, "
    "lost,\n"
    "                                    hang, sticky, fail_set, fail_get, fail_field, call_us, reasons,\n"
    "                                    instant, smoothing, ramps_in_mw, profiles\n"
    "standin show FILE                   a line for each GPU: limit, in force, draw, calls, writes\n"
    "standin driver FILE load|unload     loaded anew: limits are the default's, handles are lost\n"
    "standin tree FOLDER GPUS PACKAGES [DROP_OVER_MW]\n"
    "                                    trees for hwmon and powercap, played until a signal ends it\n";

#define TREE_STEP_NS (10 * NS_PER_MS)

static bool number(const char *text, int64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return *text && !*end && !errno;
}

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "standin: %s: %s\n", what, why);
    return 2;
}

static int set(struct standin *standin, const char *which, const char *name, const char *text)
{
    int64_t value, gpu = 0, gpus = atomic_load(&standin->gpus);
    bool all = !strcmp(which, "all");
    if (!number(text, &value))
        return fail(text, "not a number");
    if (!all && (!number(which, &gpu) || gpu < 0 || gpu >= gpus))
        return fail(which, "no such GPU");
    if (!standin_told(&standin->gpu[0], name))
        return fail(name, "nothing that a GPU can be told");
    for (int64_t i = all ? 0 : gpu; i < (all ? gpus : gpu + 1); i++)
        atomic_store(standin_told(&standin->gpu[i], name), value);
    return 0;
}

static int show(struct standin *standin)
{
    for (uint32_t i = 0; i < atomic_load(&standin->gpus); i++) {
        struct standin_gpu *gpu = &standin->gpu[i];
        struct standin_shown shown;
        standin_show(gpu, &shown);
        printf("gpu=%u limit_mw=%" PRId64 " enforced_mw=%" PRId64 " draw_mw=%" PRId64 " calls=%" PRIu64
               " writes=%" PRIu64 "\n", i, atomic_load(&gpu->limit_mw), standin_enforced(gpu), shown.draw_mw,
               atomic_load(&gpu->calls), atomic_load(&gpu->writes));
    }
    return 0;
}

static int driver(struct standin *standin, const char *what)
{
    if (!strcmp(what, "unload"))
        atomic_store(&standin->unloaded, 1);
    else if (!strcmp(what, "load"))
        standin_load(standin);
    else
        return fail(what, "load or unload");
    return 0;
}

static int play_tree(int argc, char **argv)
{
    struct tree tree = {0};
    int64_t gpus, packages, drop_mw = 0;
    if (!number(argv[3], &gpus) || !number(argv[4], &packages) || (argc > 5 && !number(argv[5], &drop_mw)) ||
        gpus < 0 || gpus > TREE_GPUS_MAX || packages < 0 || packages > TREE_PACKAGES_MAX)
        return fail("tree", "at most 8 GPUs, 8 packages");
    snprintf(tree.root, sizeof tree.root, "%s", argv[2]);
    tree.gpus = (uint32_t)gpus;
    tree.packages = (uint32_t)packages;
    tree.drop_over_mw = drop_mw;
    int error = tree_make(&tree);
    if (!error && puts("ready") != EOF)
        fflush(stdout);
    while (!error) {
        nanosleep(&(struct timespec){.tv_nsec = TREE_STEP_NS}, NULL);
        error = tree_step(&tree, TREE_STEP_NS);
    }
    return fail(argv[2], strerror(-error));
}

int main(int argc, char **argv)
{
    int64_t gpus = 1;
    const char *verb = argc > 1 ? argv[1] : "";
    if (!strcmp(verb, "tree") && (argc == 5 || argc == 6))
        return play_tree(argc, argv);
    bool make = !strcmp(verb, "gpus") && argc == 4, tell = !strcmp(verb, "set") && argc == 6;
    bool look = !strcmp(verb, "show") && argc == 3, load = !strcmp(verb, "driver") && argc == 4;
    if (!make && !tell && !look && !load) {
        fputs(usage, stderr);
        return 2;
    }
    if (make && (!number(argv[3], &gpus) || gpus < 0 || gpus > STANDIN_GPUS_MAX))
        return fail(argv[3], "0 to 24 GPUs");
    struct standin *standin = standin_map(argv[2], (uint32_t)gpus);
    if (!standin)
        return fail(argv[2], errno == EBADMSG ? "is not a record of simulated GPUs" : strerror(errno));
    if (tell)
        return set(standin, argv[3], argv[4], argv[5]);
    return look ? show(standin) : load ? driver(standin, argv[3]) : 0;
}
