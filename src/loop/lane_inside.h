/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the lane share, and nobody else includes. */
#ifndef FLYBALL_LOOP_LANE_INSIDE_H
#define FLYBALL_LOOP_LANE_INSIDE_H

#include "loop/lane.h"

/* rt: true when the sender is this lane's until lane_leave. */
bool lane_take(struct lane *lane, struct sender *senders, uint32_t index);
void lane_leave(struct lane *lane, struct sender *senders, uint32_t index);

/* rt: stamps a slot that lane_admit gave, and passes it on. */
void lane_publish(struct lane *lane, struct slot *slot, uint64_t sequence, int64_t t_receive_ns);

/* rt: ACCEPTED or enum refusal. A sender that has a key keeps its numbers: a recording has true tags, too,
 * and whoever is silent for long enough must not be playable. Any other may have had its clock set back. */
int lane_check_sequence(struct lane *lane, struct replay_window *window, bool keyed, uint64_t sequence,
                        int64_t t_receive_ns);

/* rt: behind a poll: reads the clock of stamps where frames of the burst have some. empty_ns: as it stood
 * before that poll. */
void lane_stamps_look(struct lane *lane, const struct port_frame *frame, uint32_t count, int64_t empty_ns);

/* rt: how long this frame waited at most, by its stamp where that tells more than the polls at empty_ns and
 * found_ns. */
void lane_stamps_frame(struct lane *lane, const struct port_frame *frame, int64_t empty_ns, int64_t found_ns);

/* rt: a frame whose tag is as it has to be, with a measurement as its body. ACCEPTED or enum refusal. */
int lane_measurement(struct lane *lane, const struct frame *frame, int64_t t_receive_ns);

/* rt: a reading that is new, of a meter in hand: is it young enough? Then it becomes a slot. */
int lane_reading(struct lane *lane, struct reading *reading, int64_t t_receive_ns);

#endif
