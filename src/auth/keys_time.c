/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/keys.h"

#include <string.h>
#include <time.h>

void auth_time_text(int64_t t_s, char text[AUTH_TIME_BYTES])
{
    struct tm utc;
    time_t t = (time_t)t_s;
    gmtime_r(&t, &utc);
    strftime(text, AUTH_TIME_BYTES, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

bool auth_time_read(const char *text, int64_t *t_s)
{
    struct tm utc = {0};
    char again[AUTH_TIME_BYTES];
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    if (!end || *end)
        return false;
    *t_s = (int64_t)timegm(&utc);
    auth_time_text(*t_s, again);    /* not the 31st of February, nor a year of one digit */
    return !strcmp(text, again);
}
