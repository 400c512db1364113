/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/idle.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int rt_idle_hold(const char *file, int32_t exit_us)
{
    if (exit_us < 0)
        return -EINVAL;
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    errno = EIO;
    if (write(fd, &exit_us, sizeof exit_us) == sizeof exit_us)
        return fd;
    int error = -errno;
    close(fd);
    return error;
}

void rt_idle_release(int descriptor)
{
    if (descriptor >= 0)
        close(descriptor);
}
