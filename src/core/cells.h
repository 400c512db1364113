/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cells of a node: contingencies and their phases one behind the other. What hangs on one cord changes by the
 * same in every node above it, cell by cell: worked out once for a cord, then added along the way up in runs
 * without a branch inside.
 */
#ifndef FLYBALL_CORE_CELLS_H
#define FLYBALL_CORE_CELLS_H

#include <stdbool.h>
#include <string.h>

#include "core/draw.h"

enum { CELLS_MAX = CONTINGENCIES_MAX * PHASES };

/* rt: of the whole array: a pointer to its first row would be one to three cells. */
static inline int64_t *cells_run(int64_t (*cells)[PHASES])
{
    return (int64_t *)(void *)cells;
}

/* One contingency: the same change on every phase that carries the same fraction. */
static inline void cells_of_share_mva(const struct model_cord *cord, int64_t pf_ppm, uint32_t c,
                                      int64_t old_mw, int64_t new_mw, int64_t change_mva[PHASES])
{
    for (uint32_t phase = 0; phase < PHASES; phase++)
        if (phase && cord->phase_ppm[phase] == cord->phase_ppm[phase - 1])
            change_mva[phase] = change_mva[phase - 1];
        else
            change_mva[phase] = draw_on_phase_mva(cord, pf_ppm, c, phase, new_mw) -
                                draw_on_phase_mva(cord, pf_ppm, c, phase, old_mw);
}

/* rt: what a change of draw changes in every cell above a cord. A contingency with a share that one before
 * had changes as that one did: a three-phase cord costs one conversion for each share, not three for each
 * contingency. */
static inline void cells_change_mva(const struct model_cord *cord, uint32_t contingencies, int64_t pf_ppm,
                                    int64_t old_mw, int64_t new_mw, int64_t change_mva[CELLS_MAX])
{
    uint32_t whole = 0;     /* with another share than the first, worked out last; 0 = none yet */
    for (uint32_t c = 0; c < contingencies; c++) {
        int64_t *run_mva = &change_mva[c * PHASES];
        if (!cord->share_ppm[c])
            memset(run_mva, 0, PHASES * sizeof *run_mva);
        else if (c && cord->share_ppm[c] == cord->share_ppm[0])
            memcpy(run_mva, change_mva, PHASES * sizeof *run_mva);
        else if (whole && cord->share_ppm[c] == cord->share_ppm[whole])
            memcpy(run_mva, &change_mva[whole * PHASES], PHASES * sizeof *run_mva);
        else
            cells_of_share_mva(cord, pf_ppm, whole = c, old_mw, new_mw, run_mva);
    }
}

/* rt: the most that any cell rises by; 0 where none does. */
static inline int64_t cells_most_mva(const int64_t *change_mva, uint32_t cells)
{
    int64_t most_mva = 0;
    for (uint32_t i = 0; i < cells; i++)
        most_mva = change_mva[i] > most_mva ? change_mva[i] : most_mva;
    return most_mva;
}

/* rt */
static inline void cells_add(int64_t *restrict sum_mva, const int64_t *restrict change_mva, uint32_t cells)
{
    for (uint32_t i = 0; i < cells; i++)
        sum_mva[i] += change_mva[i];
}

#endif
