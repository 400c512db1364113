/* SPDX-License-Identifier: Apache-2.0 */
/* Loaded with LD_PRELOAD: the machine has slept for as long as stands in the file that FLYBALL_SLEPT names
 * (int64_t, ns), which may grow while the program runs. CLOCK_BOOTTIME counts it, CLOCK_MONOTONIC does not.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)

static _Atomic int64_t *slept_ns;

__attribute__((constructor)) static void map_file(void)
{
    const char *path = getenv("FLYBALL_SLEPT");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *slept_ns, PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        _exit(99);
    close(fd);
    slept_ns = at;
}

int clock_gettime(clockid_t clock, struct timespec *now);
int clock_gettime(clockid_t clock, struct timespec *now)
{
    long rc = syscall(SYS_clock_gettime, clock, now);
    if (rc || clock != CLOCK_BOOTTIME || !slept_ns)
        return (int)rc;
    int64_t sum_ns = now->tv_sec * NS_PER_S + now->tv_nsec + atomic_load(slept_ns);
    now->tv_sec = sum_ns / NS_PER_S;
    now->tv_nsec = sum_ns % NS_PER_S;
    return 0;
}
