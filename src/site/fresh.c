/* SPDX-License-Identifier: Apache-2.0 */
#include "site/fresh.h"

#include "site/needs.h"

int64_t fresh_age_ns(const struct measured_spread *age)
{
    if (age->n >= FRESH_SAMPLES_P999)
        return FRESH_FACTOR_P999 * age->p999_ns;
    return age->n >= FRESH_SAMPLES_P99 ? FRESH_FACTOR_P99 * age->p99_ns : -1;
}

int64_t fresh_late_ns(const struct measured *measured)
{
    int64_t late_ns = fresh_age_ns(&measured->age);
    int64_t hiccup_ns = NEEDS_MARGIN * measured->hiccups.longest_ns + measured->reading.p999_ns;

    if (measured->hiccups.span_ns && hiccup_ns > late_ns)
        late_ns = hiccup_ns;
    return late_ns;
}

int64_t fresh_measured_ns(const struct measured *measured, int64_t period_ns, int64_t age_bound_ns,
                          int64_t lease_ns)
{
    int64_t late_ns = fresh_late_ns(measured), least_ns = 2 * period_ns + age_bound_ns;
    int64_t most_ns = lease_ns > least_ns ? lease_ns : least_ns;

    if (late_ns < 0)
        return -1;
    int64_t fresh_ns = (least_ns + late_ns + NS_PER_MS - 1) / NS_PER_MS * NS_PER_MS;

    return fresh_ns < most_ns ? fresh_ns : most_ns;
}
