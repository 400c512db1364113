/* SPDX-License-Identifier: Apache-2.0 */
/* Loaded before a program: kills it, as `kill -9` would, before the call of number FLYBALL_DIE_AT, counted
 * from 1, among those that write to a disk or to a network. */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

static void pass(void)
{
    static atomic_int calls;
    const char *at = getenv("FLYBALL_DIE_AT");
    if (at && atoi(at) == atomic_fetch_add(&calls, 1) + 1)
        raise(SIGKILL);
}

#define NEXT(name) ((__extension__(__typeof__(&name))dlsym(RTLD_NEXT, #name)))

int flock(int fd, int operation)
{
    pass();
    return NEXT(flock)(fd, operation);
}

int mkostemp(char *template, int flags)
{
    pass();
    return NEXT(mkostemp)(template, flags);
}

int fsync(int fd)
{
    pass();
    return NEXT(fsync)(fd);
}

int rename(const char *from, const char *to)
{
    pass();
    return NEXT(rename)(from, to);
}

ssize_t send(int fd, const void *data, size_t bytes, int flags)
{
    pass();
    return NEXT(send)(fd, data, bytes, flags);
}

ssize_t sendto(int fd, const void *data, size_t bytes, int flags, __CONST_SOCKADDR_ARG to, socklen_t to_bytes)
{
    pass();
    return NEXT(sendto)(fd, data, bytes, flags, to, to_bytes);
}
