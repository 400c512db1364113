/* SPDX-License-Identifier: Apache-2.0 */
/* Is it the stand-in that the loader will find? Caps must never be written to GPUs that are there. */
#ifndef FLYBALL_TESTS_ACT_LOADER_H
#define FLYBALL_TESTS_ACT_LOADER_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static inline bool loader_finds_the_stand_in(void)
{
    const char *folders = getenv("LD_LIBRARY_PATH"), *wanted = getenv("FLYBALL_STANDIN_FOLDER");
    if (!folders || !wanted || strncmp(folders, wanted, strlen(wanted)))
        return false;
    char end = folders[strlen(wanted)];
    return end == '\0' || end == ':';
}

#endif
