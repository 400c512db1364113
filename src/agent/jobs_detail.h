/* SPDX-License-Identifier: Apache-2.0 */
/* What people want to know of this host (msg/detail.h), of what the agent and the watch of jobs know. */
#ifndef FLYBALL_AGENT_JOBS_DETAIL_H
#define FLYBALL_AGENT_JOBS_DETAIL_H

#include "agent/agent.h"
#include "agent/job_scan.h"
#include "msg/detail.h"

/* any: fills a detail; `watchdog_ns`: since its newest beat, -1 = none is there. Times of writes stay
 * unknown: the threads of devices keep them. */
void jobs_detail(const struct agent *agent, const struct job_set *set, int64_t watchdog_ns, bool history,
                 struct detail *detail);

/* rt: encodes it and sends it from the agent. */
void jobs_detail_send(struct agent *agent, const struct detail *detail);

#endif
