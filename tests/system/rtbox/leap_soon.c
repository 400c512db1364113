/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts the system clock a few seconds before a midnight of UTC at which the kernel inserts a leap second, and
 * says that somebody keeps it. Run inside the box alone: the clock is that machine's.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

enum { DAY_S = 86400, BEFORE_S = 15, TAI_AHEAD_S = 37, ERROR_US = 100 };

int main(void)
{
    struct timespec time;
    struct timex told = {.modes = ADJ_STATUS | ADJ_ESTERROR | ADJ_MAXERROR, .status = STA_PLL | STA_INS,
                         .esterror = ERROR_US, .maxerror = ERROR_US};
    struct timex ahead = {.modes = ADJ_TAI, .constant = TAI_AHEAD_S};
    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_sec += DAY_S - time.tv_sec % DAY_S - BEFORE_S;
    if (clock_settime(CLOCK_REALTIME, &time) || adjtimex(&ahead) < 0 || adjtimex(&told) < 0)
        return fprintf(stderr, "leap_soon: %s\n", strerror(errno)), 1;
    printf("%d s before a leap second\n", BEFORE_S);
    return 0;
}
