/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of core/permit share. */
#ifndef FLYBALL_CORE_PERMIT_INSIDE_H
#define FLYBALL_CORE_PERMIT_INSIDE_H

#include "core/permit.h"

/* rt: judges a node anew and lends accordingly. */
void permit_follow(struct permits *permits, uint32_t meter, int64_t t_ns);

/* rt: stands in the order of expiry from now on. */
void permit_arm(struct permits *permits, uint32_t meter);

/* rt: a node that is awaited was judged: with the last of them all lend again. */
void permit_await(struct permits *permits, struct permit_node *p, uint8_t under, int64_t t_ns);

/* ---- feeds ---- */

/* rt: the feeds in the set are held back, if they are, only because nobody has seen them yet. */
bool permit_feeds_unseen(const struct permits *permits, uint8_t set);


/* setup: `lent_against` stands. */
void permit_feed_init(struct permits *permits);

/* rt: evidence: a witness reads, or is silent; a host tells of its power inputs, or is silent; time has
 * passed. */
void permit_feed_reading(struct permits *permits, const struct permit_node *p, const struct reading *reading,
                         int64_t t_ns);
void permit_feed_unseen(struct permits *permits, const struct permit_node *p, int64_t t_ns);
void permit_feed_report(struct permits *permits, const struct report *report, int64_t t_ns);
void permit_feed_silent(struct permits *permits, uint32_t host, int64_t t_ns);
void permit_feed_pass_time(struct permits *permits, int64_t t_ns);

/* ---- plausible, corroborated ---- */

/* setup */
void permit_weigh_init(struct permits *permits);

/* rt: a reading of a meter that lends, or that stands below or above one that does. */
void permit_weigh_reading(struct permits *permits, uint32_t meter, const struct reading *reading,
                          int64_t t_ns);

/* rt: a meter of that kind has fallen silent. */
void permit_weigh_silent(struct permits *permits, uint32_t meter);

/* rt: what a host says that it draws; -1: nothing any more. */
void permit_weigh_draw(struct permits *permits, uint32_t host, int64_t draw_mw);

#endif
