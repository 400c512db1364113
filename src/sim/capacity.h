/* SPDX-License-Identifier: Apache-2.0 */
/* How full every node is when hosts may draw so much: the sums of
 * safety.md section 4, for fixed allowances. */
#ifndef FLYBALL_SIM_CAPACITY_H
#define FLYBALL_SIM_CAPACITY_H

#include <stdbool.h>

#include "msg/model.h"

struct capacity {
    const struct model *model;
    int64_t (*used_mva)[CONTINGENCIES_MAX][PHASES];     /* by node; bad and other included from the start */
};

/* setup: 0 or -ENOMEM. */
int capacity_init(struct capacity *capacity, const struct model *model);
void capacity_finish(struct capacity *capacity);

/* any: most wall draw of a host under a cap, rounded up. */
int64_t capacity_draw_mw(const struct model *model, uint32_t host, int64_t cap_mw);

/* any: moves the host's allowance from one wall draw to another, if
 * every node it touches stays within its limit. */
bool capacity_move(struct capacity *capacity, uint32_t host, int64_t from_mw, int64_t to_mw);

/* any: the same without asking: what must be counted whatever the limits say. */
void capacity_force(struct capacity *capacity, uint32_t host, int64_t from_mw, int64_t to_mw);

/* any: limit less bad and other, the room for hosts. */
int64_t capacity_room_mva(const struct model *model, uint32_t node, uint32_t contingency, uint32_t phase);

#endif
