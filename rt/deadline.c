/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/deadline.h"

#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rt/thread.h"

enum { POLICY_DEADLINE = 6, FLAG_RESET_ON_FORK = 1 };

/* As the kernel has it in its first version; libraries have no call for it. */
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};

int rt_deadline(const struct rt_deadline *deadline)
{
    const struct attributes wanted = {
        .size = sizeof wanted,
        .policy = POLICY_DEADLINE,
        .flags = FLAG_RESET_ON_FORK,
        .runtime_ns = (uint64_t)deadline->runtime_ns,
        .deadline_ns = (uint64_t)deadline->period_ns,
        .period_ns = (uint64_t)deadline->period_ns,
    };
    return syscall(SYS_sched_setattr, 0, &wanted, 0U) ? -errno : 0;
}

int rt_deadline_on(int core, const struct rt_deadline *deadline)
{
    if (core >= 0 && !rt_pin(core) && !rt_deadline(deadline))
        return 0;
    rt_unpin();
    int error = rt_deadline(deadline);
    if (error && core >= 0)
        rt_pin(core);
    return error ? error : core >= 0;
}
