/* SPDX-License-Identifier: Apache-2.0 */
/* The program that the polling user starts for each cap: writes it, and when, into a file.
 * usage: loops_cap FILE WATTS */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv)
{
    struct timespec now;
    FILE *file = argc == 3 ? fopen(argv[1], "we") : NULL;
    if (!file)
        return fputs("usage: loops_cap FILE WATTS\n", stderr), 2;
    clock_gettime(CLOCK_MONOTONIC, &now);
    fprintf(file, "%ld %lld\n", strtol(argv[2], NULL, 10),
            (long long)now.tv_sec * 1000000000 + (long long)now.tv_nsec);
    return fclose(file) ? 1 : 0;
}
