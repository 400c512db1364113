/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/memory.h"

#include <errno.h>
#include <sys/mman.h>

int rt_lock_memory(void)
{
    return mlockall(MCL_CURRENT | MCL_FUTURE) ? -errno : 0;
}
