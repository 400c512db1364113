/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets the watts and when: max-min shares, cut before raise (safety.md sections 5 and 9), ticks in
 * parts, the digest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chance.h"
#include "model_builder.h"
#include "stand.h"

static void admit_all(struct stand *stand)
{
    stand_start(stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
}

static void wants_all(struct stand *stand, uint32_t host)
{
    stand->host[host].draw_mw = CAP_MAX_MW;
    stand->host[host].flags = REPORT_AT_CAP;
}

static void is_idle(struct stand *stand, uint32_t host)
{
    stand->host[host].draw_mw = 0;
    stand->host[host].flags = 0;
}

static void hosts_alike_share_a_full_branch_alike(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    admit_all(&stand);
    wants_all(&stand, 0);
    wants_all(&stand, 1);
    stand_run(&stand, 3 * NS_PER_S);
    assert_in_range(stand.host[0].last.cap_mw, 6990000, 7000000);
    assert_in_range(stand.host[1].last.cap_mw, 6990000, 7000000);
    stand_stop(&stand);
}

static void a_heavier_host_has_more_in_proportion(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand.host_model[1].weight = 2;
    admit_all(&stand);
    wants_all(&stand, 0);
    wants_all(&stand, 1);
    stand_run(&stand, 3 * NS_PER_S);
    assert_in_range(stand.host[0].last.cap_mw, 4650000, 4680000);
    assert_in_range(stand.host[1].last.cap_mw, 9310000, 9340000);
    stand_stop(&stand);
}

static void the_main_is_shared_over_its_branches(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    for (uint32_t p = 0; p < PHASES; p++)
        stand.node[MAIN].limit_mva[0][p] = 18000000;
    stand.node[MAIN].steady_ma = 180000;
    admit_all(&stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        wants_all(&stand, h);
    stand_run(&stand, 3 * NS_PER_S);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        assert_in_range(stand.host[h].last.cap_mw, 4480000, 4500000);
    stand_stop(&stand);
}

/* Section 9, "Watts move cut first, confirmed, then raise", and I1b: until the cut is evidence, D still
 * counts it. */
static void watts_move_only_after_the_cut_is_confirmed(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    admit_all(&stand);
    wants_all(&stand, 0);
    stand_run(&stand, 3 * NS_PER_S);
    int64_t had_mw = stand.host[0].last.cap_mw;
    assert_true(had_mw > 9900000);
    is_idle(&stand, 0);
    wants_all(&stand, 1);
    stand.host[0].mute = true;
    uint64_t old = stand.host[0].last.sequence;
    for (int i = 0; i < 100; i++) { /* its reports come, but its devices are slow */
        struct report report = stand_report_of(&stand, 0, HOST_LEASED, 10 * A_NS);
        report.applied = old;
        report.cap_mw = report.readback_mw = had_mw;
        stand_report(&stand, &report);
        stand_run(&stand, 20 * NS_PER_MS);
        assert_int_equal(stand_exposure_mw(&stand, 0), had_mw);
        assert_true(stand.host[1].last.cap_mw <= BRANCH_MVA - had_mw);
    }
    assert_true(stand.host[0].last.cap_mw < had_mw);
    stand.host[0].mute = false;
    stand_run(&stand, NS_PER_S);
    assert_true(stand.host[1].last.cap_mw > 9000000);
    assert_true(stand.host[0].last.cap_mw + stand.host[1].last.cap_mw <= BRANCH_MVA);
    stand_stop(&stand);
}

/*
 * domain.md 4.6 on one phase: "no i can gain without lowering some j with x_j/w_j <= x_i/w_i that is above
 * its floor". The idle host holds what it does not use, and the waiting one is at its floor for ever.
 */
static void an_idle_host_gives_way_on_a_single_phase_branch_too(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand_one_phase(&stand);
    admit_all(&stand);
    wants_all(&stand, 0);
    stand_run(&stand, 3 * NS_PER_S);
    is_idle(&stand, 0);
    wants_all(&stand, 1);
    stand_run(&stand, 5 * NS_PER_S);
    assert_true(stand.host[1].last.cap_mw > 9000000);
    stand_stop(&stand);
}

static void no_cap_is_off_its_quantum_or_its_range(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand.type.quantum_mw = 300000;
    stand.type.cap_max_mw = 9900000;
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand.host_model[h].fail_safe_mw = 2100000;
    stand.own_fail_safe_mw = 2100000;
    admit_all(&stand);
    wants_all(&stand, 0);
    wants_all(&stand, 1);
    wants_all(&stand, 2);
    for (int i = 0; i < 300; i++) {
        stand_run(&stand, 10 * NS_PER_MS);
        for (uint32_t h = 0; h < STAND_HOSTS; h++) {
            assert_int_equal(stand.host[h].last.cap_mw % 300000, 0);
            assert_true(stand.host[h].last.cap_mw <= 9900000);
        }
    }
    assert_int_equal(stand.host[2].last.cap_mw, 9900000);
    stand_stop(&stand);
}

/* ---- ticks in parts ---- */

struct half {
    struct core *core;
    struct outbox outbox;
    struct egress record[BUILT_HOSTS_MAX];
    int64_t cap_mw[BUILT_HOSTS_MAX];
    uint64_t slots;
    void *memory;
};

static void half_start(struct half *half, const struct model *model)
{
    memset(half, 0, sizeof *half);
    half->memory = aligned_alloc(64, (core_bytes(model) + 63) / 64 * 64);
    assert_non_null(half->memory);
    half->core = core_init(half->memory, model, 1, NS_PER_S);
    half->outbox = (struct outbox){.record = half->record, .capacity = BUILT_HOSTS_MAX};
}

static void half_step(struct half *half, struct slot slot, int64_t t_ns)
{
    slot.sequence = ++half->slots;
    slot.t_ns = slot.t_receive_ns = t_ns;
    pipeline_step(half->core, &slot, &half->outbox);
    for (uint32_t i = 0; i < half->outbox.count; i++)
        half->cap_mw[half->record[i].host] = half->record[i].cap_mw;
}

static struct slot report_slot(const struct model *model, uint32_t h, uint64_t number, uint64_t draw)
{
    const struct model_host_type *type = &model->type[model->host[h].type];
    struct slot slot;
    memset(&slot, 0, sizeof slot);
    slot.kind = SLOT_REPORT;
    slot.report = (struct report){
        .host = h,
        .incarnation = 5 + h,
        .number = number,
        .epoch = number > 1,
        .applied = number - 1,
        .held_ns = NS_PER_S,
        .cap_mw = model->host[h].fail_safe_mw,
        .readback_mw = model->host[h].fail_safe_mw,
        .fail_safe_mw = model->host[h].fail_safe_mw,
        .phys_max_mw = type->phys_max_mw,
        .draw_mw = (int64_t)(draw % (uint64_t)type->phys_max_mw),
        .state = number > 1 ? HOST_LEASED : HOST_FAIL_SAFE,
        .flags = draw % 2 ? REPORT_AT_CAP : 0,
    };
    return slot;
}

static struct slot plain_slot(uint8_t kind)
{
    struct slot slot;
    memset(&slot, 0, sizeof slot);
    slot.kind = kind;
    slot.tick.number = kind == SLOT_TICK ? 100 : 0;
    return slot;
}

static struct slot quiet_reading(uint32_t meter)
{
    struct slot slot = plain_slot(SLOT_READING);
    slot.reading = (struct reading){
        .meter = meter, .sequence = 1, .voltage_mv = {277128, 277128, 277128}, .crest_milli = 1414};
    return slot;
}

/* Runs one tick to its end; `between` readings are fed after every part. Returns the parts it took. */
static uint32_t run_tick(struct half *half, const struct model *model, int64_t t_ns, bool between)
{
    uint32_t parts = 1;
    half_step(half, plain_slot(SLOT_TICK), t_ns);
    for (; pipeline_tick_open(half->core) && parts < 100000; parts++) {
        for (uint32_t m = 0; between && m < model->meter_count; m++)
            half_step(half, quiet_reading(m), t_ns);
        half_step(half, plain_slot(SLOT_TICK_PART), t_ns);
    }
    return parts;
}

static void a_tick_interrupted_between_its_parts_decides_the_same(void **state)
{
    (void)state;
    static struct half straight, interrupted;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct model *model = model_build(seed, BUILT_HOSTS_MAX);
        struct chance chance = {seed};
        half_start(&straight, model);
        half_start(&interrupted, model);
        for (uint64_t i = 0; i < 2 * (uint64_t)model->host_count; i++) {
            uint32_t h = (uint32_t)(i % model->host_count);
            struct slot slot = report_slot(model, h, 1 + i / model->host_count, chance_next(&chance) >> 20);
            half_step(&straight, slot, NS_PER_S + (int64_t)i);
            half_step(&interrupted, slot, NS_PER_S + (int64_t)i);
        }
        uint32_t parts = run_tick(&straight, model, 2 * NS_PER_S, false);
        /* limits that those readings move take their time, and may spare a cut */
        uint32_t most = parts + model->node_count;
        assert_in_range(run_tick(&interrupted, model, 2 * NS_PER_S, true), 1 + (parts > 1), most);
        assert_true(model->host_count < 40 || parts > 1);
        assert_memory_equal(straight.cap_mw, interrupted.cap_mw, sizeof straight.cap_mw);
        assert_int_equal(core_counters(straight.core)->ticks_committed, 1);
        free(straight.memory);
        free(interrupted.memory);
        model_unbuild(model);
    }
}

/* ---- the digest ---- */

static struct slot_digest digest_of(uint64_t skipped_reports, int64_t draw_mw)
{
    struct stand stand;
    stand_site(&stand);
    admit_all(&stand);
    wants_all(&stand, 0);
    wants_all(&stand, 1);
    stand.host[0].draw_mw = draw_mw;
    stand_run(&stand, 500 * NS_PER_MS);
    stand.host[3].number += skipped_reports;
    stand_run(&stand, 2 * NS_PER_S);
    assert_in_range(stand.digests, 2, 3);
    assert_int_equal(stand.digest.decisions, stand.decisions_told);
    assert_true(stand.digest.decisions > 0);
    stand_stop(&stand);
    return stand.digest;
}

static void the_same_slots_have_the_same_digest(void **state)
{
    (void)state;
    struct slot_digest a = digest_of(0, CAP_MAX_MW), b = digest_of(0, CAP_MAX_MW);
    assert_memory_equal(&a, &b, sizeof a);
}

static void a_single_other_echo_changes_the_digest(void **state)
{
    (void)state;
    struct slot_digest a = digest_of(0, CAP_MAX_MW), b = digest_of(1, CAP_MAX_MW);
    assert_int_equal(a.second, b.second);
    assert_int_equal(a.decisions, b.decisions);
    assert_int_not_equal(a.digest, b.digest);
}

static void a_second_without_a_slot_is_closed_by_the_next_one(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    admit_all(&stand);
    uint64_t digests = stand.digests;
    stand_wait(&stand, 5 * NS_PER_S);
    stand_obey(&stand, 0);
    assert_int_equal(stand.digests, digests + 1);
    assert_int_equal(stand.digest.second, 1);
    stand_stop(&stand);
}

static void a_site_without_hosts_has_nothing_to_share(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand.model.host_count = 0;
    for (uint32_t n = 0; n < STAND_NODES; n++)
        stand.node[n].host_count = stand.node[n].host_below = 0;
    /* what lies behind the empty array must not be read as a host */
    stand.host_model[0].type = stand.host_model[0].cord[0].node = UINT32_MAX;
    stand_start(&stand);
    stand_tick(&stand);
    stand_reading(&stand, MAIN, 1000000);
    assert_false(pipeline_tick_open(stand.core));
    assert_int_equal(stand_counters(&stand)->ticks, 1);
    assert_int_equal(stand.leases, 0);
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_alike_share_a_full_branch_alike),
        cmocka_unit_test(a_heavier_host_has_more_in_proportion),
        cmocka_unit_test(the_main_is_shared_over_its_branches),
        cmocka_unit_test(watts_move_only_after_the_cut_is_confirmed),
        cmocka_unit_test(an_idle_host_gives_way_on_a_single_phase_branch_too),
        cmocka_unit_test(no_cap_is_off_its_quantum_or_its_range),
        cmocka_unit_test(a_tick_interrupted_between_its_parts_decides_the_same),
        cmocka_unit_test(the_same_slots_have_the_same_digest),
        cmocka_unit_test(a_single_other_echo_changes_the_digest),
        cmocka_unit_test(a_second_without_a_slot_is_closed_by_the_next_one),
        cmocka_unit_test(a_site_without_hosts_has_nothing_to_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
