/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/amount.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "msg/limits.h"

static bool split(const char *text, double *number, const char **unit)
{
    char *end = NULL;
    *number = strtod(text, &end);
    *unit = end;
    return end != text && isfinite(*number);
}

bool amount_time(const char *text, int64_t *ns)
{
    static const struct { const char *unit; double ns; } known[] = {
        {"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"min", 60e9}, {"h", 3600e9},
    };
    double number;
    const char *unit;
    if (!split(text, &number, &unit))
        return false;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(unit, known[i].unit) || fabs(number) * known[i].ns > 1e18)
            continue;
        *ns = llround(number * known[i].ns);
        return true;
    }
    return false;
}

bool amount_share(const char *text, double *share)
{
    const char *unit;
    if (!split(text, share, &unit) || strcmp(unit, "%"))
        return false;
    *share /= 100.0;
    return true;
}

bool amount_number(const char *text, double *number)
{
    const char *unit;
    return split(text, number, &unit) && !*unit;
}
