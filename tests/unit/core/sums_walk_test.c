/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A random walk of draws, limits and lendings in the small hall, against sums added up anew after every
 * step: what stands, what is left, what is above, what fits, and below which nodes a cut is due. Host 0 has
 * cords on LEFT and RACK, host 2 on RIGHT and LEFT, with other shares under each of three contingencies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/draw.h"
#include "core/sums.h"
#include "hall.h"

enum { STEPS = 3000 };

struct walk {
    struct hall hall;
    uint32_t contingencies;     /* three of them differ; all that a site may have go over every edge */
    uint32_t fell[HALL_NODES];
    uint8_t marked[HALL_NODES];
    int64_t draw_mw[HALL_HOSTS][SUM_COUNT];
    uint64_t chance;
};

static int64_t draw_lot(struct walk *walk, int64_t below)
{
    walk->chance = walk->chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)(walk->chance >> 33) % below;
}

static void set_cord(struct walk *walk, uint32_t host, uint32_t j, uint32_t node, int64_t none, int64_t one,
                     int64_t two)
{
    struct model_cord *cord = &walk->hall.host[host].cord[j];
    walk->hall.host[host].cord_count = j + 1;
    cord->node = node;
    cord->share_ppm[0] = (uint32_t)none;
    cord->share_ppm[1] = (uint32_t)one;
    cord->share_ppm[2] = (uint32_t)two;
}

static void open_walk(struct walk *walk, void **contingencies)
{
    memset(walk, 0, sizeof *walk);
    walk->contingencies = *(const uint32_t *)*contingencies;
    walk->chance = 20261121;
    hall_build(&walk->hall);
    walk->hall.model.contingency_count = walk->contingencies;
    walk->hall.type.pf_min_ppm = 950000;
    set_cord(walk, 0, 0, HALL_LEFT, 550000, 1000000, 0);
    set_cord(walk, 0, 1, HALL_RACK, 550000, 0, 1000000);
    set_cord(walk, 2, 0, HALL_RIGHT, 600000, 333333, 600000);
    set_cord(walk, 2, 1, HALL_LEFT, 500000, 500000, 700000);
    walk->hall.host[1].cord[0].phase_ppm[0] = 0;            /* single-phase and uneven loads */
    walk->hall.host[1].cord[0].phase_ppm[2] = 300000;
    walk->hall.host[3].cord[0].phase_ppm[1] = walk->hall.host[3].cord[0].phase_ppm[2] = 0;
    for (uint32_t n = 0; n < HALL_NODES; n++) {
        hall_limit(&walk->hall, n, n == HALL_MAIN ? 30 : 14);
        for (uint32_t p = 0; p < PHASES; p++) {
            walk->hall.node[n].limit_mva[1][p] -= 1500 * HALL_W;
            walk->hall.node[n].bad_mva[2][p] = (1 + p) * 100 * HALL_W;
            walk->hall.node[n].other_mva[p] = 77 * HALL_W;
        }
    }
    walk->hall.ledger = (struct ledger){
        .model = &walk->hall.model, .host = walk->hall.account, .node = walk->hall.sums,
        .fell = {.node = walk->fell, .marked = walk->marked}};
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        walk->hall.account[h].phys_max_mw = walk->hall.type.phys_max_mw;
    sums_init(&walk->hall.ledger);
}

static bool is_above(const struct walk *walk, uint32_t node, const struct model_cord *cord)
{
    const struct model_node *below = &walk->hall.node[cord->node];
    for (uint32_t a = 0; a < below->ancestor_count; a++)
        if (below->ancestor[a] == node)
            return true;
    return false;
}

/* What one host puts on a node. */
static int64_t load_mva(const struct walk *walk, uint32_t host, int64_t draw_mw, uint32_t n, uint32_t c,
                        uint32_t phase)
{
    const struct model_host *h = &walk->hall.host[host];
    int64_t sum_mva = 0;
    for (uint32_t j = 0; j < h->cord_count; j++)
        if (is_above(walk, n, &h->cord[j]))
            sum_mva += draw_on_phase_mva(&h->cord[j], walk->hall.type.pf_min_ppm, c, phase, draw_mw);
    return sum_mva;
}

static int64_t anew_mva(const struct walk *walk, enum sum sum, uint32_t n, uint32_t c, uint32_t phase)
{
    int64_t sum_mva = walk->hall.node[n].bad_mva[c][phase] + walk->hall.node[n].other_mva[phase];
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        sum_mva += load_mva(walk, h, walk->draw_mw[h][sum], n, c, phase);
    return sum_mva;
}

static bool stands_above(const struct walk *walk, uint32_t node, uint32_t host)
{
    const struct model_host *h = &walk->hall.host[host];
    for (uint32_t j = 0; j < h->cord_count; j++)
        if (is_above(walk, node, &h->cord[j]))
            return true;
    return false;
}

/* The least that is left at a node where this host drew `new_mw` instead of what it draws; of all cells, or
 * of those that it loads. */
static int64_t left_in_mva(const struct walk *walk, enum sum sum, uint32_t n, uint32_t host, int64_t new_mw,
                           bool all)
{
    int64_t least_mva = INT64_MAX;
    for (uint32_t c = 0; c < walk->contingencies; c++)
        for (uint32_t p = 0; p < PHASES; p++) {
            if (!all && !load_mva(walk, host, HALL_KW, n, c, p))
                continue;
            int64_t change_mva = load_mva(walk, host, new_mw, n, c, p) -
                                 load_mva(walk, host, walk->draw_mw[host][sum], n, c, p);
            int64_t left = walk->hall.sums[n].limit_mva[c][p] - anew_mva(walk, sum, n, c, p) - change_mva;
            least_mva = left < least_mva ? left : least_mva;
        }
    return least_mva;
}

static int64_t left_mva(const struct walk *walk, enum sum sum, uint32_t n, uint32_t host, int64_t new_mw)
{
    return left_in_mva(walk, sum, n, host, new_mw, true);
}

static void check_node(const struct walk *walk, uint32_t n, uint32_t *over)
{
    const struct ledger_sums *sums = &walk->hall.sums[n];
    for (uint32_t c = 0; c < walk->contingencies; c++)
        for (uint32_t p = 0; p < PHASES; p++) {
            assert_int_equal(sums->exposed_mva[c][p], anew_mva(walk, SUM_EXPOSED, n, c, p));
            assert_int_equal(sums->newest_mva[c][p], anew_mva(walk, SUM_NEWEST, n, c, p));
            assert_int_equal(sums->safe_mva[c][p], anew_mva(walk, SUM_SAFE, n, c, p));
            assert_true(sums->highest_mva[p] >= sums->exposed_mva[c][p]);
            assert_true(sums->ceiling_mva[c][p] >= sums->limit_mva[c][p]);
            assert_true(sums->limit_mva[c][p] >= sums->steady_mva[c][p]);
            *over += sums->exposed_mva[c][p] > sums->ceiling_mva[c][p];
        }
    for (uint32_t sum = SUM_EXPOSED; sum <= SUM_NEWEST; sum++) {
        int64_t left = left_mva(walk, sum, n, 0, walk->draw_mw[0][sum]);
        assert_true(sums->left_mva[sum] >= 0 && sums->left_mva[sum] <= (left > 0 ? left : 0));
    }
}

static void check(struct walk *walk)
{
    uint32_t over = 0;
    for (uint32_t n = 0; n < HALL_NODES; n++)
        check_node(walk, n, &over);
    assert_int_equal(walk->hall.ledger.over_count, over);
}

static void check_answers(struct walk *walk, uint32_t host, enum sum sum)
{
    int64_t old_mw = walk->draw_mw[host][sum], new_mw = draw_lot(walk, 12 * HALL_KW);
    bool over = false, fits = true;
    for (uint32_t n = 0; n < HALL_NODES; n++)
        if (stands_above(walk, n, host)) {
            over |= left_mva(walk, sum, n, host, old_mw) < 0;
            fits &= left_mva(walk, sum, n, host, new_mw) >= 0;
        }
    assert_int_equal(sums_fit(&walk->hall.ledger, host, sum, old_mw, new_mw), fits);
    assert_int_equal(sums_over(&walk->hall.ledger, host, sum), over);
    assert_int_equal(sums_fit(&walk->hall.ledger, host, sum, old_mw, old_mw), !over);
}

/* Hosts with one cord: the room is what fits, to 4 mW, and where it is bounded nothing more does. */
static void check_room(struct walk *walk, enum sum sum)
{
    for (uint32_t host = 0; host < HALL_HOSTS; host++) {
        if (walk->hall.host[host].cord_count > 1)
            continue;
        int64_t old_mw = walk->draw_mw[host][sum], most_mw = walk->hall.type.phys_max_mw;
        int64_t room_mw = sums_room_mw(&walk->hall.ledger, host, sum, old_mw);
        struct sums_cell cell = sums_tightest(&walk->hall.ledger, host, sum, old_mw);
        int64_t left = INT64_MAX, beyond = INT64_MAX;
        for (uint32_t n = 0; n < HALL_NODES; n++)
            if (stands_above(walk, n, host)) {
                int64_t here = left_in_mva(walk, sum, n, host, room_mw, false);
                left = here < left ? here : left;
                here = left_in_mva(walk, sum, n, host, room_mw + 4, false);
                beyond = here < beyond ? here : beyond;
            }
        assert_true(room_mw >= 0 && room_mw <= most_mw);
        assert_true(left >= 0 || room_mw == 0);
        assert_true(beyond < 0 || room_mw == most_mw);
        assert_int_equal(cell.node == INDEX_NONE, room_mw == most_mw);
        if (cell.node == INDEX_NONE)
            continue;
        const struct ledger_sums *sums = &walk->hall.sums[cell.node];
        int64_t sum_mva = sum == SUM_EXPOSED ? sums->exposed_mva[cell.contingency][cell.phase]
                                             : sums->newest_mva[cell.contingency][cell.phase];
        int64_t at_room = sums->limit_mva[cell.contingency][cell.phase] - sum_mva +
                          load_mva(walk, host, old_mw, cell.node, cell.contingency, cell.phase) -
                          load_mva(walk, host, room_mw + 4, cell.node, cell.contingency, cell.phase);
        assert_true(at_room < 0);
    }
}

static void check_fallen(struct walk *walk, uint32_t host)
{
    memset(walk->marked, 0, sizeof walk->marked);
    walk->hall.ledger.fell.count = 0;
    sums_note_over(&walk->hall.ledger, host);
    sums_note_over(&walk->hall.ledger, host);
    uint32_t due = 0;
    for (uint32_t n = 0; n < HALL_NODES; n++) {
        bool fallen = stands_above(walk, n, host) &&
                      left_mva(walk, SUM_NEWEST, n, host, walk->draw_mw[host][SUM_NEWEST]) < 0;
        assert_int_equal(walk->marked[n], fallen);
        due += fallen;
    }
    assert_int_equal(walk->hall.ledger.fell.count, due);
}

/* A high-water mark begins anew with the most of all contingencies. */
static void check_marked(struct walk *walk, uint32_t node)
{
    const struct ledger_sums *sums = &walk->hall.sums[node];
    sums_mark_highest(&walk->hall.ledger, node);
    for (uint32_t p = 0; p < PHASES; p++) {
        int64_t most_mva = sums->exposed_mva[0][p];
        for (uint32_t c = 1; c < walk->contingencies; c++)
            most_mva = sums->exposed_mva[c][p] > most_mva ? sums->exposed_mva[c][p] : most_mva;
        assert_int_equal(sums->highest_mva[p], most_mva);
    }
}

static void move_draws(struct walk *walk, uint32_t host)
{
    int64_t new_mw[SUM_COUNT];
    for (uint32_t sum = 0; sum < SUM_COUNT; sum++) {
        new_mw[sum] = draw_lot(walk, 12 * HALL_KW);
        if (draw_lot(walk, 3) == 0)                         /* some stay, some move together */
            new_mw[sum] = walk->draw_mw[host][sum];
        else if (sum && draw_lot(walk, 2) == 0)
            new_mw[sum] = new_mw[sum - 1];
    }
    walk->hall.ledger.cause = RECOVERY_TOLD;
    sums_replace_all(&walk->hall.ledger, host, walk->draw_mw[host], new_mw);
    walk->hall.ledger.cause = RECOVERY_NONE;
    memcpy(walk->draw_mw[host], new_mw, sizeof new_mw);
}

static void move_limit(struct walk *walk, uint32_t node)
{
    memset(walk->marked, 0, sizeof walk->marked);
    walk->hall.ledger.fell.count = 0;
    if (draw_lot(walk, 2)) {
        sums_scale_limit(&walk->hall.ledger, node, PPM - draw_lot(walk, 40) * 5000);
    } else {
        struct ledger_lend lend = {.contingencies = (uint8_t)draw_lot(walk, 8)};
        lend.lendable_ma = 100000 + draw_lot(walk, 100000);
        lend.admissible_ma = lend.lendable_ma + draw_lot(walk, 20000);
        sums_lend(&walk->hall.ledger, node, &lend);
    }
    bool fallen = left_mva(walk, SUM_NEWEST, node, 0, walk->draw_mw[0][SUM_NEWEST]) < 0;
    assert_int_equal(walk->marked[node], fallen);
    assert_int_equal(walk->hall.ledger.fell.count, fallen);
}

static void every_sum_and_every_answer_is_that_of_adding_up_anew(void **state)
{
    static struct walk walk;
    open_walk(&walk, state);
    check(&walk);
    for (int step = 0; step < STEPS; step++) {
        uint32_t host = (uint32_t)draw_lot(&walk, HALL_HOSTS);
        if (draw_lot(&walk, 5))
            move_draws(&walk, host);
        else
            move_limit(&walk, (uint32_t)draw_lot(&walk, HALL_NODES));
        check(&walk);
        check_answers(&walk, (uint32_t)draw_lot(&walk, HALL_HOSTS), SUM_EXPOSED);
        check_answers(&walk, (uint32_t)draw_lot(&walk, HALL_HOSTS), SUM_NEWEST);
        check_room(&walk, step % 2 ? SUM_NEWEST : SUM_EXPOSED);
        check_fallen(&walk, host);
        if (draw_lot(&walk, 4) == 0)
            check_marked(&walk, (uint32_t)draw_lot(&walk, HALL_NODES));
        check(&walk);
    }
}

/* A steady limit is whole kVA of the model's scaled down; what is lent is the amperes at the lowest credible
 * voltage, scaled too, less where the contingency carries less. */
static void limits_are_those_of_events_and_permits(void **state)
{
    static struct walk walk;
    open_walk(&walk, state);
    struct ledger *ledger = &walk.hall.ledger;
    const struct ledger_sums *sums = &walk.hall.sums[HALL_LEFT];
    sums_scale_limit(ledger, HALL_LEFT, 900000);
    assert_int_equal(sums->steady_mva[0][0], 12600 * HALL_W);
    assert_int_equal(sums->steady_mva[1][0], 12 * 900 * HALL_W);       /* of 12.5 kVA twelve whole */
    struct ledger_lend lend = {.contingencies = 3, .lendable_ma = 200000, .admissible_ma = 220000};
    sums_lend(ledger, HALL_LEFT, &lend);
    assert_int_equal(sums->limit_mva[0][1], 18 * HALL_KW);
    assert_int_equal(sums->ceiling_mva[0][1], 19800 * HALL_W);
    assert_int_equal(sums->limit_mva[1][1], 18 * 833333 * HALL_W / 1000);  /* 12500000 / 15 of a million */
    assert_int_equal(sums->limit_mva[2][1], 12600 * HALL_W);               /* not lent under */
    assert_int_equal(sums->ceiling_mva[2][1], 12600 * HALL_W);
    lend.lendable_ma = 100000;                              /* less than steady lends nothing */
    sums_lend(ledger, HALL_LEFT, &lend);
    assert_int_equal(sums->limit_mva[0][1], 12600 * HALL_W);
    assert_int_equal(sums->ceiling_mva[0][1], 19800 * HALL_W);
    sums_scale_limit(ledger, HALL_LEFT, PPM);
    assert_int_equal(sums->steady_mva[1][0], 12500 * HALL_W);
}

/* D above its ceiling is recovery by the cause that is there, counted once while it lasts; without one it is
 * a defect; and so is a further rise in it. */
static void what_raises_d_above_its_ceiling_has_a_cause(void **state)
{
    static struct walk walk;
    open_walk(&walk, state);
    struct ledger *ledger = &walk.hall.ledger;
    sums_replace(ledger, 4, SUM_EXPOSED, 0, 10 * HALL_KW);
    assert_false(ledger->unexplained);
    ledger->cause = RECOVERY_RESET;
    sums_replace(ledger, 4, SUM_EXPOSED, 10 * HALL_KW, 14 * HALL_KW);
    assert_int_equal(ledger->recoveries[RECOVERY_RESET], 2);           /* RACK and RIGHT */
    assert_int_equal(walk.hall.sums[HALL_RACK].recovery_by, RECOVERY_RESET);
    sums_replace(ledger, 4, SUM_EXPOSED, 14 * HALL_KW, 15 * HALL_KW);
    assert_int_equal(ledger->recoveries[RECOVERY_RESET], 2);           /* the same two */
    assert_false(ledger->unexplained);
    ledger->cause = RECOVERY_NONE;
    sums_replace(ledger, 4, SUM_EXPOSED, 15 * HALL_KW, 14 * HALL_KW);
    assert_false(ledger->unexplained);                                  /* it falls */
    sums_replace(ledger, 4, SUM_EXPOSED, 14 * HALL_KW, 14 * HALL_KW + 10);
    assert_true(ledger->unexplained);
    ledger->unexplained = false;
    sums_replace(ledger, 4, SUM_EXPOSED, 14 * HALL_KW + 10, 5 * HALL_KW);
    assert_int_equal(ledger->over_count, 0);
    sums_replace(ledger, 4, SUM_EXPOSED, 5 * HALL_KW, 14 * HALL_KW);
    assert_true(ledger->unexplained);
    sums_replace(ledger, 4, SUM_EXPOSED, 14 * HALL_KW, 5 * HALL_KW);
    ledger->unexplained = false;
    sums_scale_limit(ledger, HALL_RACK, 300000);
    assert_int_equal(ledger->recoveries[RECOVERY_SAG], 1);
    sums_scale_limit(ledger, HALL_RACK, PPM);
    assert_int_equal(ledger->over_count, 0);
    const struct ledger_lend much = {.contingencies = 7, .lendable_ma = 300000, .admissible_ma = 300000};
    const struct ledger_lend little = {.contingencies = 7, .lendable_ma = 150000, .admissible_ma = 150000};
    const struct ledger_lend none = {0};
    sums_lend(ledger, HALL_RACK, &much);
    ledger->cause = RECOVERY_TOLD;
    sums_replace(ledger, 4, SUM_EXPOSED, 5 * HALL_KW, 20 * HALL_KW);
    assert_int_not_equal(walk.hall.sums[HALL_RACK].recovery_by, RECOVERY_TOLD);
    sums_lend(ledger, HALL_RACK, &little);                  /* the curve admits less */
    assert_int_equal(ledger->recoveries[RECOVERY_HEAT], 1);
    sums_lend(ledger, HALL_RACK, &much);
    sums_lend(ledger, HALL_RACK, &none);                    /* nothing is lent any more */
    assert_int_equal(ledger->recoveries[RECOVERY_HEAT], 1);
    assert_int_equal(ledger->recoveries[RECOVERY_LIMIT], 1);
    assert_int_equal(walk.hall.sums[HALL_RACK].recovery_by, RECOVERY_LIMIT);
    ledger->cause = RECOVERY_NONE;
    ledger->unexplained = false;
    sums_scale_limit(ledger, HALL_LEFT, 900000);
    sums_replace(ledger, 1, SUM_EXPOSED, 0, 19 * HALL_KW);  /* the event is over: this has no cause */
    assert_true(ledger->unexplained);
}

int main(void)
{
    static uint32_t three = 3, all = CONTINGENCIES_MAX;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(every_sum_and_every_answer_is_that_of_adding_up_anew, &three),
        cmocka_unit_test_prestate(every_sum_and_every_answer_is_that_of_adding_up_anew, &all),
        cmocka_unit_test_prestate(limits_are_those_of_events_and_permits, &three),
        cmocka_unit_test_prestate(what_raises_d_above_its_ceiling_has_a_cause, &three),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
