/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a card's clock go: QEMU's e1000e has one whose counter stands still, so it is set a thousand times a
 * second to TAI by the system clock. SIGUSR1 steps it ahead by a quarter of a second, SIGTERM leaves it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { NS_PER_SECOND = 1000000000, PERIOD_NS = 1000000, STEP_NS = 250000000, TAI_AHEAD_S = 37 };

static volatile sig_atomic_t steps, is_over;

static void hear(int number)
{
    if (number == SIGUSR1)
        steps++;
    else
        is_over = 1;
}

/* A clock device's number as a clock of clock_settime(2): the kernel's convention for open descriptors. */
static clockid_t clock_of(int fd)
{
    return (clockid_t)(~(unsigned)fd << 3 | 3);
}

static int set(clockid_t clock)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    long long ns = time.tv_nsec + (long long)steps * STEP_NS;
    time.tv_sec += TAI_AHEAD_S + ns / NS_PER_SECOND;
    time.tv_nsec = ns % NS_PER_SECOND;
    return clock_settime(clock, &time);
}

int main(int argc, char **argv)
{
    const struct timespec period = {.tv_nsec = PERIOD_NS};
    struct sigaction action = {.sa_handler = hear};
    int fd = argc == 2 ? open(argv[1], O_RDWR) : -1;
    if (fd < 0)
        return fprintf(stderr, "usage: phc_keep /dev/ptpN (%s)\n", strerror(errno)), 2;
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    while (!is_over) {
        if (set(clock_of(fd)))
            return fprintf(stderr, "phc_keep: %s: %s\n", argv[1], strerror(errno)), 1;
        nanosleep(&period, NULL);
    }
    return 0;
}
