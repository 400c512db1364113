/* SPDX-License-Identifier: Apache-2.0 */
#include "switch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

int flyball_switch;

bool flyball_switch_to(const char *name)
{
    flyball_switch = 0;
    for (const struct flyball_switch_name *row = flyball_switch_name; name && row->name; row++)
        if (strcmp(row->name, name) == 0)
            flyball_switch = row->number;
    return !name || flyball_switch;
}

/* A signal that nobody handles ends the process: SIGPROF. */
static void bound_cpu(const char *text)
{
    long ms = strtol(text, NULL, 10);
    struct itimerval timer = {.it_value = {ms / 1000, ms % 1000 * 1000}};
    setitimer(ITIMER_PROF, &timer, NULL);
}

static void tell_reached(void)
{
    const char *path = getenv("FLYBALL_SWITCH_REACHED");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file)
        return;
    for (unsigned i = 0; i < flyball_switch_functions; i++)
        if (flyball_switch_reached[i])
            fprintf(file, "%u\n", i);
    fclose(file);
}

/* Before main: test programs know nothing of switches. */
__attribute__((constructor)) static void read_environment(void)
{
    const char *name = getenv("FLYBALL_SWITCH"), *cpu_ms = getenv("FLYBALL_SWITCH_CPU_MS");
    if (name && *name && !flyball_switch_to(name)) {
        fprintf(stderr, "no switch %s in this build; tools/switches --list tells them\n", name);
        _exit(SWITCH_UNKNOWN);
    }
    if (cpu_ms)
        bound_cpu(cpu_ms);
    if (getenv("FLYBALL_SWITCH_REACHED"))
        atexit(tell_reached);
}
