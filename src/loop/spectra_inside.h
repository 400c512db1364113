/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of spectra.h share. */
#ifndef FLYBALL_LOOP_SPECTRA_INSIDE_H
#define FLYBALL_LOOP_SPECTRA_INSIDE_H

#include "loop/spectra.h"

/* A slot to fill, or NULL where the queue is full (counted). spsc_publish(&desk->out) sends it. */
struct slot *spectra_slot(struct spectra_desk *desk, int kind, int64_t now_ns);

/* spectra_limits.c: a window more of a meter, whose orders stand in `told` already. True: three seconds are
 * judged anew. After a break they begin anew. */
bool spectra_limits_take(struct spectra_demand *demand, const struct spectra_window *window,
                         struct spectrum *told, int64_t now_ns);
void spectra_limits_restart(struct spectra_demand *demand);

/* spectra_swing.c: readings that went through the ring since the last look; then the part of the round over
 * all swings that is due */
void spectra_follow_ring(struct spectra_desk *desk);
void spectra_look_at_swings(struct spectra_desk *desk, int64_t now_ns);
/* which meters make up the site: of its roots, or of what hangs on a root without one */
void spectra_find_roots(struct spectra_desk *desk);

#endif
