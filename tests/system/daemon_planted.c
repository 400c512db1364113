/* SPDX-License-Identifier: Apache-2.0 */
/* Loaded with LD_PRELOAD: the port's own system call misbehaves as FLYBALL_PLANT says, from its 50th time
 * on. The proofs that hot threads neither allocate nor stand still prove something only if the daemon then
 * ends. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { QUIET_CALLS = 50, STALL_S = 60 };

ssize_t sendto(int fd, const void *data, size_t bytes, int flags, __CONST_SOCKADDR_ARG to, socklen_t to_bytes)
{
    static atomic_int calls;
    const char *plant = getenv("FLYBALL_PLANT");
    if (plant && atomic_fetch_add(&calls, 1) >= QUIET_CALLS) {
        if (!strcmp(plant, "stall"))
            sleep(STALL_S);
        void *volatile planted = !strcmp(plant, "allocation") ? malloc(64) : NULL;
        free(planted);
    }
    return syscall(SYS_sendto, fd, data, bytes, flags, to.__sockaddr__, to_bytes);
}
