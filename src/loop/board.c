/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/board.h"

static uint64_t both(uint32_t low, uint32_t high)
{
    return low | (uint64_t)high << 32;
}

static void write_order(struct board *board, const struct core *core)
{
    struct core_order_view order;
    core_order_view(core, &order);
    const uint64_t word[SEQLOCK_WORDS] = {order.number, order.newest, (uint64_t)order.verdict};
    seqlock_write(&board->order, word);
}

static void write_contract(struct board *board, const struct core *core, uint32_t place)
{
    struct core_contract_view c;
    core_contract_view(core, place, &c);
    uint32_t flags = (uint32_t)c.kind | (uint32_t)c.due << 8 | (uint32_t)c.breached << 9 |
                     (uint32_t)c.metered << 10 | (uint32_t)c.nodes << 16;
    /* breaches wrap at 2^32; a cap has a load where a ramp has its way down */
    const uint64_t word[SEQLOCK_WORDS] = {
        c.number,
        both(c.id, c.node),
        both(flags, (uint32_t)c.breaches),
        (uint64_t)c.value_mw,
        (uint64_t)(c.kind == ORDER_CAP ? c.load_mw : c.down_mw_per_s),
        (uint64_t)c.due_ns,
        (uint64_t)c.until_ns,
    };
    seqlock_write(&board->contract[place], word);
}

static void write_maintenance(struct board *board, const struct core *core, uint32_t place)
{
    struct core_maintenance_view m;
    core_maintenance_view(core, place, &m);
    const uint64_t word[SEQLOCK_WORDS] = {m.number,
                                          both(m.node, m.contingency),
                                          (uint64_t)m.state,
                                          both(m.nodes_above, m.node_above),
                                          both(m.hosts_open, m.host_open),
                                          m.taken_back};
    seqlock_write(&board->maintenance[place], word);
}

void board_refresh(struct board *board, const struct core *core)
{
    uint32_t at = board->next;
    if (at < CONTRACTS_MAX)
        write_contract(board, core, at);
    else
        write_maintenance(board, core, at - CONTRACTS_MAX);
    board->next = (at + 1) % (CONTRACTS_MAX + CONTINGENCIES_MAX);
}

void board_write(struct board *board, const struct core *core)
{
    for (uint32_t i = 0; i < CONTRACTS_MAX + CONTINGENCIES_MAX; i++)
        board_refresh(board, core);
    write_order(board, core);   /* last: who sees the verdict sees what it did */
}

bool board_read_order(const struct board *board, struct core_order_view *order)
{
    uint64_t word[SEQLOCK_WORDS];
    if (!seqlock_read(&board->order, word))
        return false;
    *order = (struct core_order_view){
        .number = word[0], .newest = word[1], .verdict = (enum order_refusal)word[2]};
    return true;
}

bool board_read_contract(const struct board *board, uint32_t place, struct core_contract_view *contract)
{
    uint64_t word[SEQLOCK_WORDS];
    if (!seqlock_read(&board->contract[place], word))
        return false;
    bool cap = (uint8_t)word[2] == ORDER_CAP;
    *contract = (struct core_contract_view){
        .number = word[0],
        .id = (uint32_t)word[1],
        .node = (uint32_t)(word[1] >> 32),
        .kind = (uint8_t)word[2],
        .due = word[2] >> 8 & 1,
        .breached = word[2] >> 9 & 1,
        .metered = word[2] >> 10 & 1,
        .nodes = (uint8_t)(word[2] >> 16),
        .breaches = word[2] >> 32,
        .value_mw = (int64_t)word[3],
        .down_mw_per_s = cap ? 0 : (int64_t)word[4],
        .load_mw = cap ? (int64_t)word[4] : -1,
        .due_ns = (int64_t)word[5],
        .until_ns = (int64_t)word[6],
    };
    return true;
}

bool board_read_maintenance(const struct board *board, uint32_t place,
                            struct core_maintenance_view *maintenance)
{
    uint64_t word[SEQLOCK_WORDS];
    if (!seqlock_read(&board->maintenance[place], word))
        return false;
    *maintenance = (struct core_maintenance_view){
        .number = word[0],
        .node = (uint32_t)word[1],
        .contingency = (uint32_t)(word[1] >> 32),
        .state = (enum maintenance_state)word[2],
        .nodes_above = (uint32_t)word[3],
        .node_above = (uint32_t)(word[3] >> 32),
        .hosts_open = (uint32_t)word[4],
        .host_open = (uint32_t)(word[4] >> 32),
        .taken_back = word[5],
    };
    return true;
}
