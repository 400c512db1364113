/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/check/study.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "site/derive.h"

int study_date(int64_t *when_s)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    char *end;

    if (!epoch || !*epoch) {
        *when_s = time(NULL);
        return 0;
    }
    errno = 0;
    long long s = strtoll(epoch, &end, 10);

    /* up to the end of the year 9999 */
    if (errno || *end || *epoch < '0' || *epoch > '9' || s > 253402300799)
        return -EINVAL;
    *when_s = s;
    return 0;
}

struct study_text study_day(int64_t when_s)
{
    struct study_text day = {""};
    time_t when = (time_t)when_s;
    struct tm tm;

    if (gmtime_r(&when, &tm))
        strftime(day.text, sizeof day.text, "%Y-%m-%d", &tm);
    return day;
}

/* Four digits, none of them a trailing zero behind the point. */
static struct study_text number(double value, const char *unit)
{
    struct study_text t;
    double size = fabs(value);
    int digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3;
    int n = snprintf(t.text, sizeof t.text, "%.*f", digits, value);

    while (digits && n > 1 && t.text[n - 1] == '0')
        n--;
    n -= n > 1 && t.text[n - 1] == '.';
    /* a no-break space: a unit stays with its number */
    snprintf(t.text + n, sizeof t.text - (size_t)n, "\xC2\xA0%s", unit);
    return t;
}

struct study_text study_amperes(double amperes)
{
    if (isnan(amperes))
        return (struct study_text){"unknown"};
    if (isinf(amperes))
        return (struct study_text){"none"};
    return amperes >= 10000 ? number(amperes / 1000, "kA") : number(amperes, "A");
}

struct study_text study_seconds(double seconds)
{
    if (isnan(seconds))
        return (struct study_text){"unknown"};
    if (isinf(seconds))
        return (struct study_text){"never"};
    if (seconds < 0.0995)
        return number(seconds * 1000, "ms");
    if (seconds < 1000)
        return number(seconds, "s");
    return seconds < 7200 ? number(seconds / 60, "min") : number(seconds / 3600, "h");
}

struct study_text study_volts(int64_t volts_ln_mv, uint32_t phases)
{
    double v = (double)volts_ln_mv / 1000;

    /* the model keeps line to neutral, people speak of line to line; round off what sqrt 3 leaves */
    if (phases > 1)
        v *= sqrt(3);
    return v >= 1000 ? number(round(v / 10) / 100, "kV") : number(round(v), "V");
}

struct study_text study_power(int64_t milli, const char *unit)
{
    char with[16];
    double value = (double)milli / 1000;
    const char *prefix = value >= 1e6 ? "M" : value >= 1e3 ? "k" : "";

    snprintf(with, sizeof with, "%s%s", prefix, unit);
    return number(value >= 1e6 ? value / 1e6 : value >= 1e3 ? value / 1e3 : value, with);
}

static double amperes(const struct model_node *n, int64_t mva)
{
    return (double)derive_round_up(mva, 1000, n->volts_low_mv) / 1e3;
}

static bool dead(const struct study *study, uint32_t node, uint32_t c)
{
    return study->figures->outage.node[node] >> c & 1;
}

double study_fail_safe_a(const struct study *study, uint32_t node, uint32_t c)
{
    int64_t most = 0;

    for (uint32_t ph = 0; ph < PHASES && !dead(study, node, c); ph++) {
        int64_t mva = figures_steady_mva(study->site, study->figures, node, c, ph);

        most = mva > most ? mva : most;
    }
    return amperes(&study->site->model.node[node], most);
}

double study_full_a(const struct study *study, uint32_t node, uint32_t c)
{
    const struct model_node *n = &study->site->model.node[node];
    int64_t most = 0;

    for (uint32_t ph = 0; ph < PHASES && !dead(study, node, c); ph++) {
        int64_t mva = study->figures->node[node].phys_max_mva[c][ph] + n->other_mva[ph];

        most = mva > most ? mva : most;
    }
    return amperes(n, most);
}

bool study_has_curve(const struct study *study, uint32_t node)
{
    return study->site->device[node].kind != DEVICE_NONE;
}
