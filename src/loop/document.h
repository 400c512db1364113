/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of the daemon's documents. Inside loop/ only: loop.h has the whole. */
#ifndef FLYBALL_LOOP_DOCUMENT_H
#define FLYBALL_LOOP_DOCUMENT_H

#include <stdio.h>

#include "loop/loop.h"
#include "loop/verdict.h"

/* cold: a JSON string. */
void document_text(FILE *out, const char *value);

/* cold: a member of the object that is open: frames with a host's name that its tags do not prove; null where
 * there were none. */
void document_untrue(FILE *out, const struct untrue *untrue, int64_t now_ns);

/* cold: one meter. */
void document_meter(struct loop *loop, FILE *out, uint32_t meter, int64_t now_ns);

/* cold: members of the object that is open: "spectrum" and "swing" of a meter; "swing" of the site, behind
 * all meters. */
void document_spectra(struct loop *loop, FILE *out, uint32_t meter, int64_t now_ns);

/* cold: a member of the object that is open, and a comma: "alerts", those that stand nowhere as well. */
void document_alerts(const struct loop *loop, FILE *out, int64_t now_ns);

/* cold: a member of the object that is open, and a comma: "clock", the most of how the time is known. */
void document_clock(const struct loop *loop, FILE *out);

/* cold: fills in what the verdict says of meters' clocks. */
void document_look_at_clocks(const struct loop *loop, struct verdict_surroundings *around);

/* cold: members of the object that is open: "latency_us", "queues", "counters". */
void document_stages(const struct loop *loop, FILE *out);
void document_queues(const struct loop *loop, FILE *out);
void document_counters(struct loop *loop, FILE *out);

/* cold: a member of the object that is open, and a comma: "budget". */
void document_budget(const struct loop *loop, FILE *out);

/* cold: over all threads. */
struct document_budget {
    uint64_t misses, emergencies, by_gap, by_network;
    uint64_t gaps[GAP_SIZES], longest_gap_ns;
};
void document_sum_budgets(const struct loop *loop, struct document_budget *sum);

/* cold: members of the object that is open: what is known of the shed action of a node. */
void document_shed(struct loop *loop, FILE *out, uint32_t node);

/* cold: fills in what the verdict says of shed actions. */
void document_look_at_sheds(struct loop *loop, struct verdict_surroundings *around);

#endif
