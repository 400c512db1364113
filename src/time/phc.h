/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hardware clock of a network card, or of a hypervisor, beside the system's: by PTP_SYS_OFFSET_PRECISE
 * where card and processor share a counter, else by PTP_SYS_OFFSET_EXTENDED, the narrowest of several reads.
 */
#ifndef FLYBALL_TIME_PHC_H
#define FLYBALL_TIME_PHC_H

#include <stdbool.h>
#include <stdint.h>

struct phc {
    int fd;
    bool precise;               /* that call works here */
    int (*call)(int fd, unsigned long request, void *argument);    /* -errno; ioctl, but in tests */
};

/* One moment by both clocks. */
struct phc_pair {
    int64_t real_ns;            /* CLOCK_REALTIME */
    int64_t phc_ns;
    int64_t half_ns;            /* the two may be this far apart in time */
};

/* setup: /dev/ptpN, for reading. 0 or -errno: ENOENT, EACCES, ENOTTY or EOPNOTSUPP: it is no such clock. */
int phc_open(struct phc *phc, const char *path);

/* setup: the same of a descriptor that is open already, asked through `call`. It is not closed on errors. */
int phc_adopt(struct phc *phc, int fd, int (*call)(int fd, unsigned long request, void *argument));

/* cold: 0 or -errno (ENODEV: the card is gone). */
int phc_read(struct phc *phc, struct phc_pair *pair);

/* cold: any number of times */
void phc_close(struct phc *phc);

#endif
