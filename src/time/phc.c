/* SPDX-License-Identifier: Apache-2.0 */
#include "time/phc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ptp_clock.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "msg/limits.h"

enum { READS = 9 };

static int call_kernel(int fd, unsigned long request, void *argument)
{
    return ioctl(fd, request, argument) ? -errno : 0;
}

static int64_t ns_of(const struct ptp_clock_time *time)
{
    return time->sec * NS_PER_S + time->nsec;
}

/* The two are read in one instant by hardware. */
static int read_precise(const struct phc *phc, struct phc_pair *pair)
{
    struct ptp_sys_offset_precise got = {0};
    int error = phc->call(phc->fd, PTP_SYS_OFFSET_PRECISE, &got);
    if (error)
        return error;
    *pair = (struct phc_pair){.real_ns = ns_of(&got.sys_realtime), .phc_ns = ns_of(&got.device)};
    return 0;
}

/* The card was read somewhere between the two reads of the system clock. A system clock that was set between
 * them shows as time that went back: such a read says nothing. */
static int read_extended(const struct phc *phc, struct phc_pair *pair)
{
    struct ptp_sys_offset_extended got = {.n_samples = READS};
    int error = phc->call(phc->fd, PTP_SYS_OFFSET_EXTENDED, &got);
    int64_t narrowest_ns = INT64_MAX;
    if (error)
        return error;
    for (uint32_t i = 0; i < READS; i++) {
        int64_t before_ns = ns_of(&got.ts[i][0]), width_ns = ns_of(&got.ts[i][2]) - before_ns;
        if (width_ns < 0 || width_ns >= narrowest_ns)
            continue;
        narrowest_ns = width_ns;
        *pair = (struct phc_pair){.real_ns = before_ns + width_ns / 2, .phc_ns = ns_of(&got.ts[i][1]),
                                  .half_ns = (width_ns + 1) / 2};
    }
    return narrowest_ns == INT64_MAX ? -EAGAIN : 0;
}

int phc_read(struct phc *phc, struct phc_pair *pair)
{
    if (phc->fd < 0)
        return -EBADF;
    return phc->precise ? read_precise(phc, pair) : read_extended(phc, pair);
}

int phc_adopt(struct phc *phc, int fd, int (*call)(int fd, unsigned long request, void *argument))
{
    struct phc_pair pair;
    *phc = (struct phc){.fd = fd, .precise = true, .call = call};
    if (!read_precise(phc, &pair))
        return 0;
    phc->precise = false;
    int error = read_extended(phc, &pair);
    return error == -EAGAIN ? 0 : error;
}

int phc_open(struct phc *phc, const char *path)
{
    *phc = (struct phc){.fd = -1, .call = call_kernel};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int error = phc_adopt(phc, fd, call_kernel);
    if (error)
        phc_close(phc);
    return error;
}

void phc_close(struct phc *phc)
{
    if (phc->fd >= 0)
        close(phc->fd);
    phc->fd = -1;
}
