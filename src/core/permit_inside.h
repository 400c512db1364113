/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of core/permit share. */
#ifndef FLYBALL_CORE_PERMIT_INSIDE_H
#define FLYBALL_CORE_PERMIT_INSIDE_H

#include "core/permit.h"

/* rt: judges a node anew and lends accordingly. */
void permit_follow(struct permits *permits, uint32_t meter, int64_t t_ns);

/* any: neither volts nor amperes, by the newest reading. */
bool permit_reads_nothing(const struct permit_node *p);

/* rt: stands in the order of expiry from now on. */
void permit_arm(struct permits *permits, uint32_t meter);

/* rt: a node that is awaited was judged: with the last of them all lend again. */
void permit_await(struct permits *permits, struct permit_node *p, uint8_t under, int64_t t_ns);

/* ---- how much ---- */

/* rt: the part of an element's heat or travel on its worst phase. */
int64_t permit_largest_part(const struct breaker_state *state, uint32_t element);

/* rt: the reading's crest counts for a while, where its load is comparable to what may be lent. */
void permit_note_crest(const struct model_node *node, struct permit_node *p, const struct reading *reading,
                       int64_t t_ns);

/* rt: lendable_ma and admissible_ma anew; and whether they hold as they stand. */
void permit_work_out(struct permits *permits, struct permit_node *p, const struct heat_node *h, int64_t t_ns);
bool permit_still_holds(const struct permits *permits, const struct permit_node *p, const struct heat_node *h,
                        int64_t t_ns);

/* ---- feeds ---- */

/* rt: the feeds in the set are held back, if they are, only because nobody has seen them yet. */
bool permit_feeds_unseen(const struct permits *permits, uint8_t set);


/* setup: `lent_against` stands. */
void permit_feed_init(struct permits *permits);

/* rt: evidence: a witness reads, or is silent; a host tells of its power inputs, or is silent; time has
 * passed. */
void permit_feed_reading(struct permits *permits, const struct permit_node *p, const struct reading *reading,
                         int64_t t_ns);
/* any: more on some phase than obeying hosts can draw there while nothing is lost. */
bool permit_reads_a_loss(const struct permits *permits, const struct permit_node *p,
                         const struct reading *reading);

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

/* any: of the hosts that report. What is told is more than was read as the highest of the last moments, the
 * error of both granted; and most of them tell something. */
bool permit_hosts_tell_more(const struct permits *permits, uint32_t node, int64_t most_mw);
bool permit_hosts_vouch(const struct permits *permits, uint32_t node);

/* rt: the highest of the last moments, this reading included. */
int64_t permit_highest_mw(struct permit_node *p, int64_t measured_mw, int64_t t_ns);

/* any: a doubt grows while it is so, and leaks away. */
int64_t permit_doubt_ns(int64_t gathered_ns, bool so, int64_t dt_ns);

/* rt: what a host says that it draws; -1: nothing any more. */
void permit_weigh_draw(struct permits *permits, uint32_t host, int64_t draw_mw);

/* ---- what stands in for a meter that is lost ---- */

/* setup: permit_weigh_init is done. */
void permit_stand_in_init(struct permits *permits);

/* rt: this meter lends and is lost from now on; or it is back. */
void permit_stand_in_begin(struct permits *permits, uint32_t meter, int64_t t_ns);
void permit_stand_in_end(struct permits *permits, uint32_t meter);

/* rt: a reading was taken: others may need it. */
void permit_stand_in_reading(struct permits *permits, const struct reading *reading, int64_t t_ns);

/* rt: a meter is no longer fresh: those that it stood in for are judged anew. */
void permit_stand_in_lapse(struct permits *permits, uint32_t meter, int64_t t_ns);

/* any: who stands in for this meter, PERMIT_BY_PARENT or PERMIT_BY_CHILDREN; PERMIT_NONE: nobody. */
enum permit permit_stands_in(const struct permits *permits, uint32_t meter, int64_t t_ns);

#endif
