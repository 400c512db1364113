/* SPDX-License-Identifier: Apache-2.0 */
/*
 * T_fresh as it follows from what was measured on a server (`fresh: measured`): where readings come later it
 * is longer, then so is T_resp = T_fresh + X, and a node admits less: a slow machine derates itself. It
 * carries no safety: what holds is that readings older than it are refused, whatever chose it.
 */
#ifndef FLYBALL_SITE_FRESH_H
#define FLYBALL_SITE_FRESH_H

#include "msg/model.h"
#include "site/measured.h"

/* A quantile can be told where ten samples lie above it: so many for the 99.9th and the 99th percentile.
 * Above the last that can, ages are unknown, and a larger factor stands for that. */
enum { FRESH_SAMPLES_P999 = 10000, FRESH_SAMPLES_P99 = 1000, FRESH_FACTOR_P999 = 2, FRESH_FACTOR_P99 = 4 };

/* any: how late readings may come by ages that were seen; ns, -1 where these are too few. */
int64_t fresh_age_ns(const struct measured_spread *age);

/* any: how late readings may come: by their ages, where enough were seen, and by the machine's own
 * hiccups. ns; -1 where neither was measured. */
int64_t fresh_late_ns(const struct measured *measured);

/* any: T_fresh of a meter: two periods, age_bound and that, in whole milliseconds, between the first two
 * alone and the lease time. ns; -1 where nothing was measured. */
int64_t fresh_measured_ns(const struct measured *measured, int64_t period_ns, int64_t age_bound_ns,
                          int64_t lease_ns);

#endif
