/* SPDX-License-Identifier: Apache-2.0 */
/* The sums D and S over cords, ancestors, contingencies and phases (safety.md section 4): mVA on one phase,
 * draws rounded up. The ledger's inside; nobody else writes them. */
#ifndef FLYBALL_CORE_SUMS_H
#define FLYBALL_CORE_SUMS_H

#include "core/ledger.h"

enum sum { SUM_EXPOSED, SUM_NEWEST, SUM_SAFE, SUM_COUNT };

/* setup: bad(n) + other(n) stand in both sums from the start; limits are the model's. */
void sums_init(struct ledger *ledger);

/* setup: enters what a host draws that no cap governs into ungoverned_mva. */
void sums_add_base(struct ledger *ledger, uint32_t host);

/* rt: replaces a host's old draws by new ones, on every node above each of its cords. Keeps
 * ledger->over_count, and carries the high-water marks of an exposure that rises along. */
void sums_replace_all(struct ledger *ledger, uint32_t host, const int64_t old_mw[SUM_COUNT],
                      const int64_t new_mw[SUM_COUNT]);

/* rt: the same of one of them. */
void sums_replace(struct ledger *ledger, uint32_t host, enum sum sum, int64_t old_mw, int64_t new_mw);

/* rt: a node's high-water mark becomes its exposure as it stands. */
void sums_mark_highest(struct ledger *ledger, uint32_t node);

/* rt: would the sum, with the host's old draw replaced by a new one, keep to the limit of every node
 * above? */
bool sums_fit(const struct ledger *ledger, uint32_t host, enum sum sum, int64_t old_mw, int64_t new_mw);

/* rt: would what is left when all leases run out, with the host's old draw replaced by a new one, keep to the
 * steady limit of every node above in every lasting contingency? */
bool sums_fit_safe(const struct ledger *ledger, uint32_t host, int64_t old_mw, int64_t new_mw);

/* rt: is the sum above its limit at any node above this host? */
bool sums_over(const struct ledger *ledger, uint32_t host, enum sum sum);

/* rt: the draw this host could have (instead of old_mw) before a limit above one of its cords is met;
 * cords taken singly. */
int64_t sums_room_mw(const struct ledger *ledger, uint32_t host, enum sum sum, int64_t old_mw);

struct sums_cell {
    uint32_t node;              /* INDEX_NONE: no limit stands below the host's physical maximum */
    uint8_t contingency, phase;
};

/* rt: where that draw is bounded: the first of the nodes, contingencies and phases that leave it least. */
struct sums_cell sums_tightest(const struct ledger *ledger, uint32_t host, enum sum sum, int64_t old_mw);

/* rt: a node's steady limit becomes ppm of the model's. */
void sums_scale_limit(struct ledger *ledger, uint32_t node, int64_t ppm);

/* rt: what a node lends. */
void sums_lend(struct ledger *ledger, uint32_t node, const struct ledger_lend *lend);

/* rt: load that no lease governs grows by that much, or shrinks, on each phase of a node in every
 * contingency. */
void sums_add_standing(struct ledger *ledger, uint32_t node, const int64_t more_mva[PHASES],
                       enum recovery_cause cause);

/* any: bad(n) + other(n) in force. */
static inline int64_t sums_standing_mva(const struct ledger *ledger, uint32_t node, uint32_t c,
                                        uint32_t phase)
{
    const struct model_node *n = &ledger->model->node[node];
    return n->bad_mva[c][phase] + n->other_mva[phase] + ledger->node[node].raised_mva[phase];
}

/* rt: bad(n) covers what a host says of its physical maximum from now on. */
void sums_raise_bad(struct ledger *ledger, uint32_t host);

/* rt: a part of the round in which bad(n) falls to what hosts still say. */
void sums_lower_bad(struct ledger *ledger, uint32_t items);

/* rt: a node whose limit S passes joins those below which a cut is due. */
void sums_note_node(struct ledger *ledger, uint32_t node);

/* rt: nodes above this host whose limit S passes join those below which a cut is due. */
void sums_note_over(struct ledger *ledger, uint32_t host);

/* rt: at a take-over: the high-water mark begins anew, at what the controller before had seen where that is
 * more. */
void sums_hand_highest(struct ledger *ledger, uint32_t node, const int64_t highest_mva[PHASES]);

/* rt: nodes found above a limit need no cut: nothing has been read yet that would allow what they hold. */
void sums_forget_fallen(struct ledger *ledger);

#endif
