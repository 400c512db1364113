/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual network delivers in order of arrival and loses what it says; two cords share and stand in. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "sim/grid.h"
#include "sim/mailbox.h"
#include "tiny_site.h"

static void datagrams_arrive_in_order_of_arrival_and_equals_in_order_of_sending(void **state)
{
    struct mailbox mailbox;
    const struct mail *mail;
    struct mail last = {0};
    uint32_t taken = 0;
    (void)state;
    assert_int_equal(mailbox_init(&mailbox, 1000, 9), 0);
    mailbox.delay_ns = 1000;
    mailbox.jitter_ns = 50000;
    for (uint32_t i = 0; i < 1000; i++) {
        const struct message message = {.sequence = i};
        mailbox_post(&mailbox, i % 3, i, &message, i / 10 * 1000);
    }
    assert_null(mailbox_take(&mailbox, 999));               /* nothing before the shortest delay */
    while ((mail = mailbox_take(&mailbox, NS_PER_S))) {
        assert_true(!taken || mail->t_ns > last.t_ns ||
                    (mail->t_ns == last.t_ns && mail->index > last.index));
        assert_true(mail->t_ns >= mail->index / 10 * 1000 + 1000);
        assert_true(mail->message.sequence == mail->index && mail->to == mail->index % 3);
        last = *mail;
        taken++;
    }
    assert_int_equal(taken, 1000);
    mailbox_finish(&mailbox);
}

/* Places that were given back carry what is posted anew; what is taken stands until the next is. */
static void what_is_posted_while_one_is_delivered_changes_neither(void **state)
{
    struct mailbox mailbox;
    struct message message = {.sequence = 1};
    (void)state;
    assert_int_equal(mailbox_init(&mailbox, 4, 9), 0);
    for (uint32_t round = 0; round < 100; round++) {
        message.sequence = 2 * round + 1;
        mailbox_post(&mailbox, 0, round, &message, 10 * round);
        const struct mail *mail = mailbox_take(&mailbox, 10 * round);
        assert_non_null(mail);
        message.sequence = 2 * round + 2;
        mailbox_post(&mailbox, 0, round, &message, 10 * round + 5);
        assert_int_equal(mail->message.sequence, 2 * round + 1);
        mail = mailbox_take(&mailbox, 10 * round + 5);
        assert_non_null(mail);
        assert_int_equal(mail->message.sequence, 2 * round + 2);
        assert_null(mailbox_take(&mailbox, 10 * round + 9));
    }
    assert_int_equal(mailbox.lost, 0);
    mailbox_finish(&mailbox);
}

static void a_lossy_network_loses_its_share_and_a_full_one_the_rest(void **state)
{
    struct mailbox mailbox;
    const struct message message = {0};
    (void)state;
    assert_int_equal(mailbox_init(&mailbox, 5000, 9), 0);
    mailbox.loss = 0.3;
    for (uint32_t i = 0; i < 5000; i++)
        mailbox_post(&mailbox, 0, i, &message, 0);
    assert_in_range(mailbox.lost, 1400, 1600);              /* 1500 +- 3 sigma */
    for (uint32_t i = 0; i < 10000; i++)
        mailbox_post(&mailbox, 0, i, &message, 0);
    assert_int_equal(mailbox.sent - mailbox.lost, 5000);    /* capacity */
    mailbox_finish(&mailbox);
}

/* Host 0 of rack 3 gets a second cord in rack 6, under the other branch. */
static void init_dual(struct model *model, struct workload *workload, struct grid *grid)
{
    tiny_site_init(model, &tiny_demo);
    workload_defaults(workload);
    workload->plant.regulation = 0;
    model->host[0].cord[1] = model->host[0].cord[0];
    model->host[0].cord[1].node = 6;
    model->host[0].cord_count = 2;
    /* shares with tolerance: 0.55 each, of which the plant makes halves */
    model->host[0].cord[0].share_ppm[0] = model->host[0].cord[1].share_ppm[0] = 550000;
    assert_int_equal(grid_init(grid, model, workload, true), 0);
}

static double node_w(const struct grid *grid, uint32_t node)
{
    const double *power_w = grid->node[node].power_w;
    return power_w[0] + power_w[1] + power_w[2];
}

static void a_dual_corded_host_draws_halves_and_moves_all_to_the_cord_that_lives(void **state)
{
    struct model model;
    struct workload workload;
    struct grid grid;
    double watts[60] = {9000};
    (void)state;
    init_dual(&model, &workload, &grid);
    grid_step(&grid, watts, 0, NS_PER_MS);
    assert_true(fabs(node_w(&grid, 3) - 4500) < 1e-6);
    assert_true(fabs(node_w(&grid, 6) - 4500) < 1e-6);
    grid.node[3].live = false;                              /* as after a trip of its rack */
    assert_true(grid_host_live(&grid, 0));
    grid_wire(&grid);
    assert_false(grid_host_live(&grid, 1));
    grid_step(&grid, watts, NS_PER_MS, NS_PER_MS);
    assert_true(fabs(node_w(&grid, 6) - 9000) < 1e-6);
    assert_true(node_w(&grid, 3) < 1e-6);
    grid_finish(&grid);
    tiny_site_finish(&model);
}

/* A host between phases A and B of 277 V: each carries P / (sqrt(3) V pf) amperes, half of the watts each. */
static void a_cord_between_two_phases_loads_both_with_the_line_current(void **state)
{
    struct model model;
    struct workload workload;
    struct grid grid;
    double watts[60] = {0, 4800};
    (void)state;
    init_dual(&model, &workload, &grid);
    model.host[1].cord[0].phase_ppm[0] = model.host[1].cord[0].phase_ppm[1] = 577351;
    model.host[1].cord[0].phase_ppm[2] = 0;
    grid_wire(&grid);
    grid_step(&grid, watts, 0, NS_PER_MS);
    double line_a = 4800 / 0.98 / (sqrt(3.0) * 277.128);
    assert_true(fabs(grid.node[3].amperes[0] - line_a) < 0.01);
    assert_true(fabs(grid.node[3].amperes[1] - line_a) < 0.01);
    assert_true(grid.node[3].amperes[2] < 1e-9);
    assert_true(fabs(node_w(&grid, 3) - 4800) < 1e-6);
    grid_finish(&grid);
    tiny_site_finish(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagrams_arrive_in_order_of_arrival_and_equals_in_order_of_sending),
        cmocka_unit_test(what_is_posted_while_one_is_delivered_changes_neither),
        cmocka_unit_test(a_lossy_network_loses_its_share_and_a_full_one_the_rest),
        cmocka_unit_test(a_dual_corded_host_draws_halves_and_moves_all_to_the_cord_that_lives),
        cmocka_unit_test(a_cord_between_two_phases_loads_both_with_the_line_current),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
