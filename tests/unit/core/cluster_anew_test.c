/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitration that goes on from what it left, in parts of any size, gives what it gives anew at once: in the
 * small hall with two feeds, tiers and gangs, over limits and wishes that change by much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hall.h"

enum { CASES = 400, TURNS = 12 };

struct lot {
    uint64_t state;
};

static uint32_t draw_lot(struct lot *lot, uint32_t below)
{
    lot->state = lot->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((lot->state >> 33) % below);
}

struct wishes {
    int64_t draw_mw[HALL_HOSTS], kva[HALL_NODES];
    bool silent[HALL_HOSTS];    /* its cap stands, whatever is shared */
};

struct site {
    uint8_t tier[HALL_HOSTS];
    uint32_t gang[HALL_HOSTS], weight[HALL_HOSTS];
    bool two_cords, gangs, uneven;
};

static void draw_site(struct lot *lot, struct site *site)
{
    site->two_cords = draw_lot(lot, 2);
    site->gangs = draw_lot(lot, 2);
    site->uneven = draw_lot(lot, 2);
    for (uint32_t h = 0; h < HALL_HOSTS; h++) {
        site->gang[h] = draw_lot(lot, 3);       /* 2: none */
        site->tier[h] = (uint8_t)(site->gangs && site->gang[h] < HALL_GANGS ? site->gang[h]
                                                                           : draw_lot(lot, TIERS_MAX));
        site->weight[h] = 1 + draw_lot(lot, 3);
    }
}

static void open_hall(struct hall *hall, const struct site *site)
{
    hall_build(hall);
    hall->model.contingency_count = 2;
    hall->model.gang_count = site->gangs ? HALL_GANGS : 0;
    for (uint32_t h = 0; h < HALL_HOSTS; h++) {
        hall->host[h].tier = site->tier[h];
        hall->host[h].weight = (uint16_t)site->weight[h];
        hall->host[h].gang = site->gangs ? site->gang[h] : INDEX_NONE;
    }
    if (site->two_cords) {
        struct model_host *host = &hall->host[0];
        host->cord_count = 2;
        host->cord[1].node = HALL_RACK;
        host->cord[0].share_ppm[0] = host->cord[1].share_ppm[0] = 500000;
        host->cord[1].share_ppm[1] = 0;
    }
    if (site->uneven)
        hall->host[2].cord[0].phase_ppm[0] = hall->host[3].cord[0].phase_ppm[1] = 400000;
    hall_open(hall);
}

/* Half of what it was, the same, or twice as much: nothing that arbitration may leave as it is. */
static void draw_wishes(struct lot *lot, struct wishes *wishes, bool first)
{
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        if (first || draw_lot(lot, 2)) {
            wishes->silent[h] = draw_lot(lot, 6) == 0;
            wishes->draw_mw[h] = (1250 << draw_lot(lot, 4)) * HALL_W;
        }
    /* the main's moves with any: a cut below it alone frees watts that nobody is looked at for */
    if (!first && draw_lot(lot, 2))
        return;
    for (uint32_t n = 0; n < HALL_NODES; n++)
        wishes->kva[n] = 12 + 6 * (int64_t)draw_lot(lot, 8) + (n == HALL_MAIN && wishes->kva[n] % 2 == 0);
}

static void wish(struct hall *hall, const struct wishes *wishes)
{
    for (uint32_t h = 0; h < HALL_HOSTS; h++) {
        hall_uses(hall, h, wishes->draw_mw[h]);
        hall->account[h].accepted = !wishes->silent[h];
    }
    for (uint32_t n = 0; n < HALL_NODES; n++)
        ledger_scale_limit(&hall->ledger, n, wishes->kva[n] * 1000);
}

static void solve(struct hall *hall, const struct wishes *wishes, uint32_t items)
{
    wish(hall, wishes);
    hall_arbitrate(hall, items);
    assert_in_range(hall->cluster.round, 0, CLUSTER_ROUNDS);
}

/* An arbitration of other wishes, left wherever it stands by then. */
static void give_up(struct hall *hall, const struct wishes *wishes, struct lot *lot)
{
    uint32_t parts = draw_lot(lot, 60), items = 1 + draw_lot(lot, 12), first;
    wish(hall, wishes);
    cluster_begin(&hall->cluster);
    for (uint32_t part = 0; part < parts && hall->cluster.phase != CLUSTER_IDLE; part++)
        cluster_part(&hall->cluster, &hall->ledger, hall->demand, HALL_T_NS, items, &first);
}

static void same_targets(const struct hall *goes_on, const struct hall *anew, uint32_t seed, uint32_t turn)
{
    assert_int_equal(goes_on->cluster.split_gangs, 0);
    for (uint32_t h = 0; h < HALL_HOSTS; h++) {
        int64_t apart_mw = goes_on->target_mw[h] - anew->target_mw[h];
        if (apart_mw < -HALL_W || apart_mw > HALL_W)
            fail_msg("seed %u, turn %u, host %u: %lld, anew %lld", seed, turn, h,
                     (long long)goes_on->target_mw[h], (long long)anew->target_mw[h]);
    }
}

static void play(uint32_t seed, bool gives_up)
{
    static struct hall goes_on, anew;
    struct lot lot = {seed};
    struct site site;
    struct wishes wishes = {.kva = {0}};
    draw_site(&lot, &site);
    open_hall(&goes_on, &site);
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        struct wishes other = wishes;
        if (gives_up && turn && draw_lot(&lot, 2)) {
            draw_wishes(&lot, &other, true);
            give_up(&goes_on, &other, &lot);
        }
        draw_wishes(&lot, &wishes, turn == 0);
        solve(&goes_on, &wishes, 1 + draw_lot(&lot, 40));
        open_hall(&anew, &site);
        solve(&anew, &wishes, 100000);
        same_targets(&goes_on, &anew, seed, turn);
    }
}

static void what_was_left_changes_nothing(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= CASES; seed++)
        play(seed, false);
}

/* Some stop amid a node, a gang or the hosts of a node, whose halves must not be taken for the next one's. */
static void what_was_given_up_half_way_changes_nothing(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= CASES; seed++)
        play(seed, true);
}

/*
 * Two phases of the main are cut: the first, passed most, to 4 kVA, which host 0 alone loads; then the second
 * to 18, which it loads with three others. Of these host 2 comes first and has its 7 kW; the rest have a
 * third of 11 each. The first phase has room again, but nobody to give it to: whoever is held down loads the
 * second. With four times as much of both nobody is held down, and nothing else has changed.
 */
static void room_that_nobody_can_use_leaves_the_next_arbitration_all_its_hosts(void **state)
{
    static const int64_t held_w[HALL_HOSTS] = {3666, 10000, 7000, 3666, 3666};
    static struct hall hall;
    (void)state;
    hall_build(&hall);
    hall.node[HALL_MAIN].limit_mva[0][0] = 16 * HALL_KW;
    hall.node[HALL_MAIN].limit_mva[0][1] = 72 * HALL_KW;
    for (uint32_t h = 0; h < HALL_HOSTS; h++) {
        hall.host[h].tier = h != 2;
        for (uint32_t phase = 0; phase < PHASES; phase++)
            hall.host[h].cord[0].phase_ppm[phase] =
                (h == 0 && phase == 0) || phase == (h == 1 ? 2u : 1u) ? PPM : 0;
    }
    hall_open(&hall);
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        hall_uses(&hall, h, (h ? 7 : 10) * HALL_KW);
    ledger_scale_limit(&hall.ledger, HALL_MAIN, PPM / 4);
    hall_arbitrate(&hall, CLUSTER_ITEMS);
    assert_true(hall.cluster.crossing);
    assert_int_equal(hall.cluster_node[HALL_MAIN].cut, 3);
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        assert_in_range(hall.target_mw[h], held_w[h] * HALL_W - HALL_W, held_w[h] * HALL_W);
    ledger_scale_limit(&hall.ledger, HALL_MAIN, PPM);
    hall_arbitrate(&hall, CLUSTER_ITEMS);
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        assert_in_range(hall.target_mw[h], 10 * HALL_KW - HALL_W, 10 * HALL_KW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_left_changes_nothing),
        cmocka_unit_test(what_was_given_up_half_way_changes_nothing),
        cmocka_unit_test(room_that_nobody_can_use_leaves_the_next_arbitration_all_its_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
