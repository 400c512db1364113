/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/numbers.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "record/epoch.h"

int numbers_begin(const char *folder, uint64_t utc_ns, uint64_t *first)
{
    char path[PATH_MAX];
    uint64_t used = 0;
    *first = utc_ns;
    if (snprintf(path, sizeof path, "%s/numbers", folder) >= (int)sizeof path)
        return -ENAMETOOLONG;
    int error = epoch_read(path, &used);
    if (!error && used > UINT64_MAX / 2)
        error = -EBADMSG;       /* no clock and no number of runs comes there */
    if (!error && used > *first)
        *first = used;
    int written = epoch_write(path, *first + NUMBERS_OF_A_RUN);
    return error ? error : written;
}
