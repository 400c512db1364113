/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/throttle.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

int rt_throttle_lift(struct rt_throttle *throttle, const char *file)
{
    struct rt_keeper *keeper = &throttle->keeper;
    *throttle = (struct rt_throttle){0};
    int result = rt_keeper_add(keeper, file, "-1");
    if (!result) {
        char *end;
        throttle->runtime_us = strtol(keeper->kept->before, &end, 10);
        result = end == keeper->kept->before ? -EINVAL : 0;
    }
    bool throttled = !result && throttle->runtime_us >= 0;
    if (throttled)
        result = rt_keeper_start(keeper);
    if (throttled && result == 0)
        result = keeper->kept->error;
    if (result <= 0)
        rt_throttle_restore(throttle);
    return result;
}

int rt_throttle_restore(struct rt_throttle *throttle)
{
    return rt_keeper_end(&throttle->keeper);
}
