/* SPDX-License-Identifier: Apache-2.0 */
/* Load that no lease governs and no site file has, on a branch of the plant: learnt from its meter, and room
 * made for it (core/residual.h). The plant shares no code with what learns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/compare.h"
#include "core/core.h"
#include "sim/virtual.h"
#include "tiny_site.h"

enum { MAIN, BRANCH, BESIDE };

/* Comes at 20 s, known by 40 s, gone at 60 s; when a minute of memory and what buckets add to it are over
 * it is forgotten. */
#define COMES_NS (20 * NS_PER_S)
#define KNOWN_NS (40 * NS_PER_S)
#define GOES_NS (60 * NS_PER_S)
#define END_NS (150 * NS_PER_S)
#define OTHER_W 12e3        /* of the 65 kVA that a branch carries on each phase */

/* What a run showed while the load was known to be there, and at its end. */
struct seen {
    const struct model *model;
    int64_t before_mva;                 /* learnt at the branch when it comes */
    int64_t least_mva, most_mva;        /* learnt there */
    int64_t beside_mva, apart_mva;      /* learnt beside it, and at the main less that of the branch */
    int64_t leased_mva;                 /* the least of newest leases there, and other load known */
    uint32_t over;                      /* steps in which what may flow, and what does, are above the limit */
    uint64_t emergencies;
    int64_t end_mva, end_main_mva, end_leased_mva;
    int64_t limit_mva;
};

static void look(struct seen *seen, const struct plant *plant, const struct core *core)
{
    const struct model_node *known = &seen->model->node[BRANCH];
    struct core_node_view view;
    core_node_view(core, BRANCH, &view);
    int64_t learnt_mva = view.learnt_mva[0];
    int64_t other_mva = (int64_t)(plant->grid.node[BRANCH].other_w[0] * 1e3);
    int64_t hosts_mva = view.exposure_mva[0] - learnt_mva - known->other_mva[0];
    seen->over += hosts_mva + other_mva > known->limit_mva[0][0];
    seen->least_mva = smaller(seen->least_mva, learnt_mva);
    seen->most_mva = larger(seen->most_mva, learnt_mva);
    seen->leased_mva = smaller(seen->leased_mva, view.newest_mva[0]);
    seen->beside_mva = larger(seen->beside_mva, residual_learnt_mva(&core->residual, BESIDE, 0));
    seen->apart_mva = residual_learnt_mva(&core->residual, MAIN, 0) - learnt_mva;
}

static void add_other(struct plant *plant, double watts)
{
    for (uint32_t p = 0; p < PHASES; p++)
        plant->grid.node[BRANCH].other_w[p] += watts;
    plant->grid.stale = true;
}

static void step(void *user, struct plant *plant, const struct core *core)
{
    struct seen *seen = user;
    int64_t t_ns = plant->t_ns;
    if (t_ns == COMES_NS) {
        add_other(plant, OTHER_W);
        seen->before_mva = residual_learnt_mva(&core->residual, BRANCH, 0);
    }
    if (t_ns == KNOWN_NS)
        seen->emergencies = core_counters(core)->emergencies;
    if (t_ns >= KNOWN_NS && t_ns < GOES_NS)
        look(seen, plant, core);
    if (t_ns == GOES_NS) {
        add_other(plant, -OTHER_W);
        seen->emergencies = core_counters(core)->emergencies - seen->emergencies;
    }
    if (t_ns == END_NS - PLANT_STEP_NS) {
        seen->end_mva = residual_learnt_mva(&core->residual, BRANCH, 0);
        seen->end_main_mva = residual_learnt_mva(&core->residual, MAIN, 0);
        seen->end_leased_mva = core->ledger.node[BRANCH].newest_mva[0][0];
    }
}

static int64_t post(void *user, enum virtual_to to, uint32_t index, int64_t t_ns)
{
    (void)user, (void)to, (void)index, (void)t_ns;
    return 0;
}

/* All hosts train in step. The greedy have leases for all that the branch carries, whatever they draw. */
static void run(struct seen *seen, int64_t end_ns, double draw, bool greedy, bool learns_no_other)
{
    struct model model;
    struct workload workload;
    struct outcome outcome;
    const struct virtual_watch watch = {.user = seen, .step = step, .post = post};
    const struct virtual_config config = {.duration_ns = end_ns, .epoch = 1, .watch = &watch,
                                          .learns_no_other = learns_no_other, .greedy = greedy};
    *seen = (struct seen){.model = &model, .least_mva = INT64_MAX, .leased_mva = INT64_MAX};
    tiny_site_init(&model, &tiny_demo);
    tiny_site_policy(&model);
    workload_defaults(&workload);
    workload.breakers.tr_ns = NS_PER_S / 4;
    workload.class_count = 1;
    workload.class_of = calloc(model.host_count, 1);
    assert_non_null(workload.class_of);
    workload_class_defaults(&workload.class[0], WORKLOAD_TRAIN);
    workload.class[0].compute_draw = draw;
    assert_int_equal(virtual_run(&model, &workload, &config, &outcome), 0);
    seen->limit_mva = model.node[BRANCH].limit_mva[0][0];
    assert_int_equal(outcome.trip_count, 0);
    assert_int_equal(outcome.governor.invariant_failures, 0);
    outcome_finish(&outcome);
    workload_unload(&workload);
    tiny_site_finish(&model);
}

/* Hosts want more than the branch carries. Within its meter's error and a tenth of what it is, it is learnt
 * there, and stands at the main too; hosts have all the rest, and once it has gone all of it. */
static void load_that_appears_on_a_branch_is_learnt_given_room_and_forgotten(void **state)
{
    struct seen seen;
    (void)state;
    run(&seen, END_NS, 0.95, false, false);
    int64_t limit_mva = seen.limit_mva;
    assert_int_equal(seen.before_mva, 0);
    assert_true(seen.least_mva >= (int64_t)(0.95 * OTHER_W * 1e3));
    assert_true(seen.most_mva <= (int64_t)(1.1 * OTHER_W * 1e3));
    assert_int_equal(seen.beside_mva, 0);
    assert_in_range(seen.apart_mva, 0, (int64_t)(0.05 * OTHER_W * 1e3));
    assert_int_equal(seen.over, 0);
    assert_int_equal(seen.emergencies, 0);
    assert_true(seen.leased_mva > limit_mva / 100 * 95);
    assert_int_equal(seen.end_mva, 0);
    assert_int_equal(seen.end_main_mva, 0);
    assert_true(seen.end_leased_mva > limit_mva / 100 * 99);
}

/* Nobody knows what is there: emergencies take hosts down, and they stay down. */
static void without_what_is_learnt_hosts_are_held_down(void **state)
{
    struct seen seen;
    (void)state;
    run(&seen, GOES_NS + NS_PER_S, 0.95, false, true);
    assert_int_equal(seen.most_mva, 0);
    assert_true(seen.leased_mva < seen.limit_mva / 100 * 60);
}

/* Hosts draw half of what they may: nothing that is measured is above any limit, but what may flow is, all
 * the time that nobody knows what is there. */
static void what_may_flow_is_over_the_limit_only_without_what_is_learnt(void **state)
{
    struct seen with, without;
    (void)state;
    run(&with, GOES_NS + NS_PER_S, 0.45, true, false);
    run(&without, GOES_NS + NS_PER_S, 0.45, true, true);
    assert_int_equal(with.over, 0);
    assert_int_equal(with.emergencies, 0);
    assert_true(with.least_mva >= (int64_t)(0.95 * OTHER_W * 1e3));
    assert_int_equal(without.over, (GOES_NS - KNOWN_NS) / PLANT_STEP_NS);
    assert_int_equal(without.emergencies, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(load_that_appears_on_a_branch_is_learnt_given_room_and_forgotten),
        cmocka_unit_test(without_what_is_learnt_hosts_are_held_down),
        cmocka_unit_test(what_may_flow_is_over_the_limit_only_without_what_is_learnt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
