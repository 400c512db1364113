/* SPDX-License-Identifier: Apache-2.0 */
/* Loaded with LD_PRELOAD before the sealing interposer: the port's own system call allocates. The daemon must then abort,
 * or the proof that its hot threads do not allocate proves nothing. */
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

ssize_t sendto(int fd, const void *data, size_t bytes, int flags, const struct sockaddr *to, socklen_t to_bytes)
{
    void *volatile planted = malloc(64);
    free(planted);
    return syscall(SYS_sendto, fd, data, bytes, flags, to, to_bytes);
}
