/* SPDX-License-Identifier: Apache-2.0 */
/* From what a meter's protocol brought to readings: samples through the meter's own chain. */
#ifndef FLYBALL_LOOP_LANE_ROAD_H
#define FLYBALL_LOOP_LANE_ROAD_H

#include "loop/lane_inside.h"
#include "loop/lane_meter.h"

/* rt: enum refusal of an enum meter_refusal. */
int lane_road_refusal(int refusal);

/* rt: the blocks in lane->work, of a meter in hand. ACCEPTED or enum refusal: that of the last reading that
 * came of them and was refused. */
int lane_road_samples(struct lane *lane, uint32_t meter, int64_t t_receive_ns);

/* rt: the frame in lane->work, of a stream whose first meter is in hand, for each of its meters. Likewise. */
int lane_road_phasors(struct lane *lane, uint32_t meter, int64_t t_receive_ns);

/* rt: notes a block. True where it ends a stretch that was there before: the next readings are doubted. */
bool lane_repeats_take(struct lane_repeats *repeats, const struct samples *samples);

#endif
