/* SPDX-License-Identifier: Apache-2.0 */
/* An order as it comes to the door: what is taken as it was meant, and what is none. And the board, on which
 * decide says what became of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "loop/door_orders.h"
#include "rig.h"

static struct order_entry entry;
static char error[ORDERS_ERROR_BYTES];

static bool parse(const char *text)
{
    char request[600];
    snprintf(request, sizeof request, "%s", text);
    error[0] = 0;
    return door_orders_parse(request, &entry, error, sizeof error);
}

static void an_order_is_taken_as_it_was_meant(void **state)
{
    (void)state;
    assert_true(
        parse("order\tcap\tnode=main hall\tvalue_mw=300000000\twithin_ns=1000000000\tfor_ns=7\tname=dr 17"));
    assert_int_equal(entry.order.kind, ORDER_CAP);
    assert_string_equal(entry.subject, "main hall");
    assert_string_equal(entry.contract, "dr 17");
    assert_int_equal(entry.order.value_mw, 300000000);
    assert_int_equal(entry.order.within_ns, NS_PER_S);
    assert_int_equal(entry.order.for_ns, 7);
    assert_int_equal(entry.order.contract, 0);
    assert_int_equal(entry.order.number, 0);
    assert_true(parse("order\tramp\tnode=a\tvalue_mw=5\tdown_mw_per_s=6"));
    assert_int_equal(entry.order.kind, ORDER_RAMP);
    assert_int_equal(entry.order.down_mw_per_s, 6);
    assert_string_equal(entry.contract, "a");       /* no name: that of the node */
    assert_true(parse("order\tmode\tmode=shadow"));
    assert_int_equal(entry.order.mode, MODE_SHADOW);
    assert_true(parse("order\tforecast\thost=h1\tvalue_mw=5\tfor_ns=1"));
    assert_string_equal(entry.subject, "h1");
    assert_true(parse("order\tlift\tname=dr"));
    assert_string_equal(entry.contract, "dr");
    assert_true(parse("order\ttake_out\tnode=a"));
    assert_true(parse("order\tput_back\tnode=a"));
}

static void what_is_none_is_told_with_its_place(void **state)
{
    (void)state;
    static const struct { const char *text, *told; } row[] = {
        {"order", "not an order: order"},
        {"orders\tcap", "not an order: orders"},
        {"order\t", "no such order: "},
        {"order\tnothing", "no such order: nothing"},
        {"order\tlift", "lift: which contract?"},
        {"order\tcap\tmain", "not key=value: main"},
        {"order\tcap\tnumber=7", "number: 7"},
        {"order\tcap\tcontract=7", "contract: 7"},
        {"order\tcap\tnode=", "node: "},
        {"order\tcap\tname=0123456789012345678901234567890x", "name: 0123456789012345678901234567890x"},
        {"order\tcap\tvalue_mw=1x", "value_mw: 1x"},
        {"order\tcap\tvalue_mw=", "value_mw: "},
        {"order\tcap\tvalue_mw=9223372036854775808", "value_mw: 9223372036854775808"},
        {"order\tmode\tmode=Shadow", "mode: Shadow"},
        {"order\tcap\t\t", "not key=value: "},
    };
    for (uint32_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        assert_false(parse(row[i].text));
        assert_string_equal(error, row[i].told);
    }
}

/* The longest request that the door reads. */
static void no_length_of_anything_runs_over(void **state)
{
    (void)state;
    char text[600];
    for (uint32_t bytes = 1; bytes < 511; bytes += 3) {
        memset(text, 'x', bytes);
        memcpy(text, "order\tcap\tnode=", bytes < 15 ? bytes : 15);
        text[bytes] = 0;
        bool named = bytes > 15 && bytes - 15 < NAME_BYTES; /* longer, it needs a name beside its nodes */
        assert_int_equal(parse(text), named);
        assert_true(strlen(error) < sizeof error);
    }
}

static void the_board_shows_what_the_core_did(void **state)
{
    (void)state;
    struct board board;
    struct core core = {.steps = 41};
    struct core_order_view order;
    struct core_contract_view contract;
    struct core_maintenance_view maintenance;
    memset(&board, 0, sizeof board);
    board_write(&board, &core);
    assert_true(board_read_order(&board, &order));
    assert_int_equal(order.number, 41);
    for (uint32_t i = 0; i < CONTRACTS_MAX; i++) {
        assert_true(board_read_contract(&board, i, &contract));
        assert_int_equal(contract.number, 41);
        assert_int_equal(contract.id, i);
    }
    for (uint32_t i = 0; i < CONTINGENCIES_MAX; i++) {
        assert_true(board_read_maintenance(&board, i, &maintenance));
        assert_int_equal(maintenance.node, i);
    }
    core.steps = 42;
    for (uint32_t i = 0; i < CONTRACTS_MAX + CONTINGENCIES_MAX; i++)
        board_refresh(&board, &core);
    assert_true(board_read_contract(&board, CONTRACTS_MAX - 1, &contract));
    assert_int_equal(contract.number, 42);
    assert_true(board_read_order(&board, &order));
    assert_int_equal(order.number, 41);     /* told only when one was decided on */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_is_taken_as_it_was_meant),
        cmocka_unit_test(what_is_none_is_told_with_its_place),
        cmocka_unit_test(no_length_of_anything_runs_over),
        cmocka_unit_test(the_board_shows_what_the_core_did),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
