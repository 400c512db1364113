/* SPDX-License-Identifier: Apache-2.0 */
/* How much other meters leave for a node whose own is lost. The rules: core/permit_stand_in.c. */
#ifndef FLYBALL_CORE_PERMIT_LEFT_H
#define FLYBALL_CORE_PERMIT_LEFT_H

#include "core/permit_inside.h"

/* D that is claimed to be more than this is no figure to sum up: 1 MA */
#define LEFT_MOST_MA INT64_C(1000000000)

/* a meter that errs by more bounds nothing */
enum { LEFT_ERROR_MOST_PPM = 500000 };

/* What the meters right below a node certainly carry, and what they carry now, as far as they are known. */
struct permit_beside {
    int64_t low_mw[PHASES], now_mw[PHASES];
};

/* any: volts and amperes that are read may both be 1 - e of what is true: 1 / (1 - e)^2 - 1, up. It is more
 * than 2 e. For e up to LEFT_ERROR_MOST_PPM. */
int64_t permit_left_error_ppm(int64_t error_ppm);

/* any: a meter of its own whose every watt comes through `node` above it, volt for volt and phase for
 * phase. */
bool permit_adds_up(const struct permits *permits, uint32_t node, uint32_t child);

/* any: fresh, not known to read low, and its volts are none that lower a limit. */
bool permit_reads_well(const struct permits *permits, uint32_t meter, int64_t t_ns);

/* rt: nothing is known of what it read; and a reading that is news. */
void permit_left_forget(struct permit_stand_in *s, int64_t t_ns);
void permit_left_note(struct permit_stand_in *s, const struct model_meter *meter,
                      const struct reading *reading, int64_t t_ns);

/* any: by the stamps of two readings one after the other, is one between them missing? However late they
 * come, they are of windows that follow one another. */
bool permit_left_has_gap(const struct model_meter *meter, int64_t before_ns, int64_t stamp_ns);

/* any: the lowest volts that the node may have while another meter reads this; 0: a phase is lost. */
int64_t permit_left_volts_mv(const struct model_node *node, const struct reading *reading);

/* any: what is gathered and over_ma x dt_ns, from 0 to most_ma_ns; the product itself need not fit. */
int64_t permit_left_over_ma_ns(int64_t gathered_ma_ns, int64_t over_ma, int64_t dt_ns, int64_t most_ma_ns);

/* rt: once for a reading of `parent`, however many are lost right below it. */
void permit_left_add_up(const struct permits *permits, uint32_t parent, struct permit_beside *all,
                        int64_t t_ns);

/* rt: at most so much flows through the node of this meter; left->volts_mv stands. `reading` is the parent's,
 * `all` what is right below the parent, of which its own part is taken out: the neighbours are not looked at
 * again. Returns the power of all phases, which hosts below may not report more than. */
int64_t permit_left_by_parent(const struct permits *permits, uint32_t meter, const struct reading *reading,
                              const struct permit_beside *all, struct heat_left *left, int64_t t_ns);
int64_t permit_left_by_children(const struct permits *permits, uint32_t meter, struct heat_left *left,
                                int64_t t_ns);

#endif
