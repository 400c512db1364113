/* SPDX-License-Identifier: Apache-2.0 */
#include "time/wide.h"

#include <stdlib.h>

static int in_order(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

int64_t wide_median(int64_t *value, uint32_t count)
{
    qsort(value, count, sizeof *value, in_order);
    return count % 2 ? value[count / 2] : wide_clamp(((wide)value[count / 2 - 1] + value[count / 2]) / 2);
}
