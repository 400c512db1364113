/* SPDX-License-Identifier: Apache-2.0 */
/* What became of orders, as the cold side may see it while the loop runs: sequence-locked records that decide
 * writes. Nobody reads the core itself but its owner. */
#ifndef FLYBALL_LOOP_BOARD_H
#define FLYBALL_LOOP_BOARD_H

#include "core/pipeline.h"
#include "ring/seqlock.h"

struct board {
    struct seqlock order;                           /* the newest */
    struct seqlock contract[CONTRACTS_MAX];
    struct seqlock maintenance[CONTINGENCIES_MAX];
    uint32_t next;                                  /* decide's place in its round */
};

/* rt, decide: an order was decided on: everything. */
void board_write(struct board *board, const struct core *core);

/* rt, decide: the next record of the round. */
void board_refresh(struct board *board, const struct core *core);

/* cold: false while the writer stands in the middle of the record. */
bool board_read_order(const struct board *board, struct core_order_view *order);
bool board_read_contract(const struct board *board, uint32_t place, struct core_contract_view *contract);
bool board_read_maintenance(const struct board *board, uint32_t place,
                            struct core_maintenance_view *maintenance);

#endif
