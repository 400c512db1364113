/* SPDX-License-Identifier: Apache-2.0 */
/* What may be done may have to wait: hold(n), damper and ramps between a cap that arbitration wants and the
 * guard's word on it. None of them delays what protects. */
#ifndef FLYBALL_CORE_PACE_H
#define FLYBALL_CORE_PACE_H

#include "core/core.h"

/* rt: the cap between the newest one and cap_mw that may leave now; what it waits for stands in core->paced
 * (BOUND_NOTHING: nothing). `why` is the asker's. */
int64_t pace_cap_mw(struct core *core, uint32_t host, int64_t cap_mw, enum egress_why why);

/* rt: a lease of this cap left; before it the host had old_mw (-1 = none). */
void pace_sent(struct core *core, uint32_t host, int64_t old_mw, int64_t cap_mw);

/* rt: arbitration begins; has committed this host's target. */
void pace_begin(struct core *core);
void pace_target(struct core *core, uint32_t host);

#endif
