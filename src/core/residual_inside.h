/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of core/residual share. */
#ifndef FLYBALL_CORE_RESIDUAL_INSIDE_H
#define FLYBALL_CORE_RESIDUAL_INSIDE_H

#include "core/residual.h"

/* rt: what a host drew in the window, and its swings in it; what is not known at its most. */
struct residual_drawn {
    int64_t mean_mw, swing_mw;
};
struct residual_drawn residual_drawn(const struct residual *residual, uint32_t host, int64_t t_ns);

/* rt: has the meter been read all through the window? */
bool residual_read_through(const struct residual *residual, uint32_t meter);

/* rt: a new window. */
void residual_begin(struct residual *residual, int64_t t_ns);

/* rt: a node with a meter whose hosts are summed up: what is learnt there. True: more than before. */
bool residual_judge(struct residual *residual, uint32_t meter, int64_t t_ns);

#endif
