/* SPDX-License-Identifier: Apache-2.0 */
/* One slot in: what is counted, how ticks go on, what an operator's order may do, what closes a second. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "stand.h"

static void start(struct stand *stand)
{
    stand_site(stand);
    stand_start(stand);
}

static void start_admitted(struct stand *stand)
{
    start(stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
}

static struct slot slot_of(uint8_t kind)
{
    struct slot slot;
    memset(&slot, 0, sizeof slot);
    slot.kind = kind;
    return slot;
}

static void step(struct stand *stand, struct slot slot)
{
    stand_step(stand, &slot);
}

static struct ledger_host *account(struct stand *stand, uint32_t host)
{
    return &stand->core->ledger.host[host];
}

/* ---- start ---- */

static void memory_is_asked_for_by_the_size_of_the_site(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    size_t bytes = core_bytes(&stand.model);
    assert_true(bytes % 64 == 0);
    assert_true(bytes >= sizeof(struct core) + STAND_HOSTS * sizeof(struct ledger_host));
    stand.model.host_count = 0;
    stand.model.node_count = 0;
    stand.model.meter_count = 0;
    /* the swing of the site's power is known even there */
    assert_int_equal(core_bytes(&stand.model), (sizeof(struct core) + 63) / 64 * 64 +
                                                   (sizeof(struct spectrum_swing_known) + 63) / 64 * 64);
}

/* Every array of the core, none over another: each is filled with its own number, then all are looked at. */
static void no_part_of_the_memory_overlaps_another_or_its_end(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    struct core *core = stand.core;
    struct cluster *cluster = &core->cluster;
    struct emergencies *e = &core->emergencies;
    size_t cells = cluster_cells(&stand.model), cords = cluster_cord_count(&stand.model);
    struct { void *at; size_t bytes; } part[] = {
        {core, sizeof *core},
        {core->ledger.host, STAND_HOSTS * sizeof *core->ledger.host},
        {core->ledger.node, STAND_NODES * sizeof *core->ledger.node},
        {core->demand, STAND_HOSTS * sizeof *core->demand},
        {core->detect, STAND_METERS * sizeof *core->detect},
        {core->heat.meter, STAND_METERS * sizeof *core->heat.meter},
        {core->bound, STAND_HOSTS * sizeof *core->bound},
        {core->holds.node, STAND_NODES * sizeof *core->holds.node},
        {core->dampers.node, STAND_NODES * sizeof *core->dampers.node},
        {core->ramps.node, STAND_NODES * sizeof *core->ramps.node},
        {core->pools.node, STAND_NODES * sizeof *core->pools.node},
        {core->pools.host, STAND_HOSTS * sizeof *core->pools.host},
        {core->tokens.host, STAND_HOSTS * sizeof *core->tokens.host},
        {core->tokens.wait, STAND_NODES * sizeof *core->tokens.wait},
        {core->recovery.node, STAND_NODES * sizeof *core->recovery.node},
        {e->node, STAND_NODES * sizeof *e->node},
        {e->below_first, STAND_NODES * sizeof *e->below_first},
        {e->below_count, STAND_NODES * sizeof *e->below_count},
        {e->below, emergency_below_room(&stand.model) * sizeof *e->below},
        {cluster->host_extent, STAND_HOSTS * sizeof *cluster->host_extent},
        {cluster->draw_mw, STAND_HOSTS * sizeof *cluster->draw_mw},
        {cluster->target_mw, STAND_HOSTS * sizeof *cluster->target_mw},
        {cluster->bound_node, STAND_HOSTS * sizeof *cluster->bound_node},
        {cluster->bound_term, STAND_HOSTS * sizeof *cluster->bound_term},
        {cluster->tier, STAND_HOSTS * sizeof *cluster->tier},
        {cluster->changed, STAND_HOSTS * sizeof *cluster->changed},
        {cluster->node, STAND_NODES * sizeof *cluster->node},
        {cluster->capacity_mva, STAND_NODES * cells * sizeof *cluster->capacity_mva},
        {cluster->load_mva, STAND_NODES * cells * sizeof *cluster->load_mva},
        {cluster->below, cluster_below_room(&stand.model) * sizeof *cluster->below},
        {cluster->coefficient, (cords + 1) * cells * sizeof *cluster->coefficient},
        {cluster->claim, cords * sizeof *cluster->claim},
    };
    uint32_t count = sizeof part / sizeof part[0];
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *at = part[i].at;
        assert_true(at >= (uint8_t *)stand.memory);
        assert_int_equal((size_t)(at - (uint8_t *)stand.memory) % 64, 0);
        assert_true(at + part[i].bytes <= (uint8_t *)stand.memory + core_bytes(&stand.model));
        for (uint32_t j = 0; j < i; j++)
            assert_true(at >= (uint8_t *)part[j].at + part[j].bytes);
    }
    stand_stop(&stand);
}

static void a_start_above_its_limits_is_a_counted_recovery_and_one_below_is_none(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);      /* 24 kW of physical maximum on 14 */
    assert_int_equal(stand_counters(&stand)->recoveries, 1);
    step(&stand, slot_of(SLOT_TICK_PART));
    assert_int_equal(stand_counters(&stand)->recoveries, 1);
    stand_stop(&stand);
    stand_site(&stand);
    for (uint32_t n = 0; n < STAND_NODES; n++)
        for (uint32_t p = 0; p < PHASES; p++)
            stand.node[n].limit_mva[0][p] = 4 * PHYS_MAX_MW;
    stand_start(&stand);
    assert_int_equal(stand_counters(&stand)->recoveries, 0);
    assert_false(stand.core->recovering);
    stand_stop(&stand);
}

/* ---- counters ---- */

static void every_reading_and_the_alarms_among_them_are_counted(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand.model.policy.current_pct = (struct model_threshold){200000, 100000};
    stand_start(&stand);
    stand_reading(&stand, BRANCH_A, 1000000);
    assert_int_equal(stand_counters(&stand)->alarms, 0);
    stand_reading(&stand, BRANCH_A, 4000000);
    stand_reading(&stand, BRANCH_A, 4000000);
    assert_int_equal(stand_counters(&stand)->readings, 3);
    assert_int_equal(stand_counters(&stand)->alarms, 1);
    assert_int_equal(stand_counters(&stand)->emergencies, 0);
    stand_stop(&stand);
}

static void what_a_report_did_is_counted_by_its_name(void **state)
{
    (void)state;
    struct stand stand;
    start_admitted(&stand);
    const struct core_counters *count = stand_counters(&stand);
    assert_int_equal(count->reports, 2 * STAND_HOSTS);
    assert_int_equal(count->claims, STAND_HOSTS);
    assert_int_equal(count->leases, 2 * STAND_HOSTS);
    assert_int_equal(count->reports_stale + count->resets + count->foreign_caps + count->fail_safe_mismatch,
                     0);
    assert_int_equal(count->retired, 0);

    struct report report = stand_report_of(&stand, 0, HOST_LEASED, A_NS);
    report.number--;
    assert_null(stand_report(&stand, &report));
    assert_int_equal(count->reports, 2 * STAND_HOSTS + 1);
    assert_int_equal(count->reports_stale, 1);
    assert_int_equal(count->leases, 2 * STAND_HOSTS);

    report = stand_report_of(&stand, 0, HOST_LEASED, A_NS);
    report.fail_safe_mw = FAIL_SAFE_MW - 1;
    stand_report(&stand, &report);
    assert_int_equal(count->fail_safe_mismatch, 1);

    report = stand_report_of(&stand, 0, HOST_LEASED, A_NS);
    report.cap_mw = FAIL_SAFE_MW + 1;
    stand_report(&stand, &report);
    assert_int_equal(count->foreign_caps, 1);

    stand.host[1].incarnation++;
    stand.host[1].number = 0;
    report = stand_report_of(&stand, 1, HOST_BOOT, 0);
    stand_report(&stand, &report);
    assert_int_equal(count->resets, 1);
    assert_int_equal(count->reports_stale, 1);
    stand_stop(&stand);
}

static void leases_that_evidence_retires_are_counted_one_by_one(void **state)
{
    (void)state;
    struct stand stand;
    start_admitted(&stand);
    struct report report = stand_report_of(&stand, 0, HOST_LEASED, A_NS);
    uint32_t held = account(&stand, 0)->unretired_count;
    ledger_sent(&stand.core->ledger, 0, 5000000);
    ledger_sent(&stand.core->ledger, 0, 4000000);
    ledger_sent(&stand.core->ledger, 0, 3000000);
    assert_int_equal(account(&stand, 0)->unretired_count, 3);
    assert_true(held >= 1);
    report.applied = account(&stand, 0)->sequence;
    report.cap_mw = report.readback_mw = 3000000;
    uint64_t retired = stand_counters(&stand)->retired;
    stand_report(&stand, &report);
    assert_int_equal(stand_counters(&stand)->retired, retired + 2);
    stand_stop(&stand);
}

static void a_refused_transmission_is_counted_and_answered_by_nothing(void **state)
{
    (void)state;
    struct stand stand;
    start_admitted(&stand);
    struct slot slot = slot_of(SLOT_REFUSED);
    slot.refused = (struct slot_refused){.host = 0, .sequence = 1};
    step(&stand, slot);
    step(&stand, slot);
    assert_int_equal(stand_counters(&stand)->refused_sends, 2);
    assert_int_equal(stand.outbox.count, 0);
    stand_stop(&stand);
}

static void a_slot_of_no_known_kind_decides_nothing(void **state)
{
    (void)state;
    struct stand stand;
    start_admitted(&stand);
    struct core_counters before = *stand_counters(&stand);
    step(&stand, slot_of(SLOT_KIND_COUNT));
    step(&stand, slot_of(SLOT_DIGEST));
    step(&stand, slot_of(0));
    assert_memory_equal(&before, stand_counters(&stand), sizeof before);
    stand_stop(&stand);
}

/* ---- ticks ---- */

static void a_tick_of_a_small_site_in_which_nothing_changed_is_through_in_its_own_slot(void **state)
{
    (void)state;
    struct stand stand;
    start_admitted(&stand);
    stand_tick(&stand);
    struct core_counters before = *stand_counters(&stand);
    step(&stand, slot_of(SLOT_TICK));
    assert_false(pipeline_tick_open(stand.core));
    assert_int_equal(stand_counters(&stand)->ticks_committed, before.ticks_committed + 1);
    stand_stop(&stand);
}

static void a_tick_is_through_after_its_parts(void **state)
{
    (void)state;
    struct stand stand;
    start_admitted(&stand);
    step(&stand, slot_of(SLOT_TICK));
    for (int parts = 0; pipeline_tick_open(stand.core); parts++) {
        assert_true(parts < 10);
        step(&stand, slot_of(SLOT_TICK_PART));
    }
    assert_int_equal(stand_counters(&stand)->ticks, 1);
    assert_int_equal(stand_counters(&stand)->ticks_committed, 1);
    assert_int_equal(stand_counters(&stand)->ticks_missed, 0);
    stand_stop(&stand);
}

static void a_part_without_an_open_tick_is_nothing(void **state)
{
    (void)state;
    struct stand stand;
    start_admitted(&stand);
    step(&stand, slot_of(SLOT_TICK_PART));
    assert_false(pipeline_tick_open(stand.core));
    assert_int_equal(stand_counters(&stand)->ticks, 0);
    assert_int_equal(stand_counters(&stand)->ticks_committed, 0);
    assert_int_equal(stand.outbox.count, 0);
    stand_stop(&stand);
}

static void ticks_that_a_stall_swallowed_are_counted(void **state)
{
    (void)state;
    struct stand stand;
    start_admitted(&stand);
    struct slot slot = slot_of(SLOT_TICK);
    slot.tick.missed = 3;
    step(&stand, slot);
    while (pipeline_tick_open(stand.core))
        step(&stand, slot_of(SLOT_TICK_PART));
    slot.tick.missed = 4;
    step(&stand, slot);
    assert_int_equal(stand_counters(&stand)->ticks, 2);
    assert_int_equal(stand_counters(&stand)->ticks_missed, 7);
    stand_stop(&stand);
}

static void a_tick_that_finds_the_last_one_open_lets_it_finish_and_counts_as_missed(void **state)
{
    (void)state;
    struct stand stand;
    start_admitted(&stand);
    uint32_t first;
    cluster_begin(&stand.core->cluster);
    while (stand.core->cluster.phase == CLUSTER_LIMITS)
        cluster_part(&stand.core->cluster, &stand.core->ledger, stand.core->demand, stand.t_ns, 1, &first);
    assert_true(pipeline_tick_open(stand.core));
    assert_int_equal(stand.core->cluster.phase, CLUSTER_GATHER);
    stand.core->demand[0].draw_mw[0] = 1;
    step(&stand, slot_of(SLOT_TICK));
    assert_int_equal(stand_counters(&stand)->ticks_missed, 1);
    while (pipeline_tick_open(stand.core))
        step(&stand, slot_of(SLOT_TICK_PART));
    assert_int_equal(stand_counters(&stand)->ticks_committed, 1);
    stand_stop(&stand);
}

/* ---- orders ---- */

static void order(struct stand *stand, uint32_t kind, uint32_t value)
{
    struct slot slot = slot_of(SLOT_ORDER);
    slot.order = (struct slot_order){.kind = kind, .number = stand->slots + 1, .mode = value};
    step(stand, slot);
}

static void an_order_of_another_kind_changes_no_mode(void **state)
{
    (void)state;
    struct stand stand;
    start_admitted(&stand);
    order(&stand, ORDER_MODE + 1, MODE_OFF);
    order(&stand, 0, MODE_OFF);
    assert_int_equal(stand.core->mode, MODE_ENFORCE);
    assert_int_equal(stand_exposure_mw(&stand, 0), FAIL_SAFE_MW);
    assert_non_null(stand_obey(&stand, 0));
    stand_stop(&stand);
}

static void off_sends_nothing_and_enforce_comes_back_by_order(void **state)
{
    (void)state;
    struct stand stand;
    start_admitted(&stand);
    order(&stand, ORDER_MODE, MODE_OFF);
    assert_null(stand_obey(&stand, 0));
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    order(&stand, ORDER_MODE, MODE_ADVISE);
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    stand_obey(&stand, 0);
    assert_int_equal(stand_exposure_mw(&stand, 0), PHYS_MAX_MW);
    order(&stand, ORDER_MODE, MODE_ENFORCE);
    assert_non_null(stand_obey(&stand, 0));
    assert_int_equal(stand_exposure_mw(&stand, 0), FAIL_SAFE_MW);
    stand_stop(&stand);
}

static void no_order_goes_beyond_the_mode_of_the_site_file(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand.model.mode = MODE_SHADOW;
    stand_start(&stand);
    order(&stand, ORDER_MODE, MODE_ADVISE);
    assert_int_equal(stand.core->mode, MODE_SHADOW);
    order(&stand, ORDER_MODE, MODE_OFF);
    assert_int_equal(stand.core->mode, MODE_OFF);
    order(&stand, ORDER_MODE, MODE_SHADOW);
    assert_int_equal(stand.core->mode, MODE_SHADOW);
    assert_false(stand.core->ledger.enforcing);
    stand_stop(&stand);
}

/* ---- time and seconds ---- */

static void time_never_falls_for_a_slot_that_is_late(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    int64_t t_ns = stand.t_ns;
    stand_wait(&stand, 7);
    step(&stand, slot_of(SLOT_TICK_PART));
    assert_int_equal(stand.core->t_ns, t_ns + 7);
    stand_wait(&stand, -NS_PER_S);
    step(&stand, slot_of(SLOT_TICK_PART));
    assert_int_equal(stand.core->t_ns, t_ns + 7);
    assert_false(stand.outbox.digest_due);
    stand_stop(&stand);
}

static void a_second_is_closed_by_the_first_slot_of_the_next_and_only_once(void **state)
{
    (void)state;
    struct stand stand;
    start_admitted(&stand);     /* within second 1 */
    uint64_t digest = stand.core->digest;
    assert_int_equal(stand.digests, 0);
    assert_int_equal(stand.core->decisions, 2 * STAND_HOSTS);
    stand_wait(&stand, 2 * NS_PER_S - 1 - stand.t_ns);
    step(&stand, slot_of(SLOT_TICK_PART));
    assert_int_equal(stand.digests, 0);
    stand_wait(&stand, 1);
    stand_obey(&stand, 0);
    assert_int_equal(stand.digests, 1);
    assert_int_equal(stand.digest.second, 1);
    assert_int_equal(stand.digest.digest, digest);
    assert_int_equal(stand.digest.decisions, 2 * STAND_HOSTS);
    stand_obey(&stand, 1);
    assert_int_equal(stand.digests, 1);
    assert_false(stand.outbox.digest_due);
    stand_wait(&stand, NS_PER_S);
    step(&stand, slot_of(SLOT_TICK_PART));
    assert_int_equal(stand.digest.second, 2);
    assert_int_equal(stand.digest.decisions, 2 * STAND_HOSTS + 2);
    stand_stop(&stand);
}

/* The digest is what journals carry: made here once more from the records as they left. */
static uint64_t mixed(uint64_t digest, uint64_t word)
{
    uint64_t product = (digest ^ word) * UINT64_C(11400714819323198485);
    return product ^ product / (UINT64_C(1) << 29);
}

static uint64_t with_record(uint64_t digest, const struct egress *record)
{
    uint64_t head = record->kind + record->flags * UINT64_C(256) + record->why * UINT64_C(65536) +
                    record->host * (UINT64_C(1) << 32);
    const uint64_t word[] = {head, record->sequence, record->echo, record->incarnation,
                             (uint64_t)record->cap_mw, record->slot_sequence};
    for (uint32_t i = 0; i < 6; i++)
        digest = mixed(digest, word[i]);
    return digest;
}

static void the_digest_covers_every_field_that_decides_in_the_order_of_leaving(void **state)
{
    (void)state;
    struct stand stand;
    uint64_t expected = 0;
    start(&stand);
    for (uint32_t i = 0; i < 40; i++) {
        uint32_t h = i % STAND_HOSTS;
        struct report report =
            stand_report_of(&stand, h, i < STAND_HOSTS ? HOST_FAIL_SAFE : HOST_LEASED, A_NS);
        report.draw_mw = 1000000 * h;
        stand_report(&stand, &report);
        expected = with_record(expected, &stand.record[0]);
        assert_int_equal(stand.core->digest, expected);
        stand_wait(&stand, 5 * NS_PER_MS);
    }
    stand_reading(&stand, MAIN, 200000000);
    assert_int_equal(stand.outbox.count, STAND_HOSTS);
    for (uint32_t i = 0; i < STAND_HOSTS; i++)
        expected = with_record(expected, &stand.record[i]);
    assert_int_equal(stand.core->digest, expected);
    assert_int_equal(stand.core->decisions, 40 + STAND_HOSTS);
    stand_stop(&stand);
}

static size_t whole_lines(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static void the_size_is_that_of_every_array_in_whole_cache_lines(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < 200; n++) {
        struct model model = {.node_count = n, .meter_count = n / 2};
        size_t expected = whole_lines(sizeof(struct core)) + whole_lines(n * sizeof(struct ledger_sums)) +
                          whole_lines(n / 2 * sizeof(struct detect)) + 2 * whole_lines(n / 2) +
                          whole_lines(n / 2 * sizeof(struct heat_node)) +
                          whole_lines(n * sizeof(struct hold)) + whole_lines(n * sizeof(struct damper)) +
                          whole_lines(n * sizeof(struct ramp_node)) + whole_lines(n * sizeof(struct pool)) +
                          whole_lines(n * sizeof(struct emergency)) +
                          whole_lines(n * sizeof(struct recovery_node)) + 2 * whole_lines(n * 4) +
                          whole_lines(n * sizeof(struct cluster_node)) + 2 * whole_lines(2 * n * 8) +
                          whole_lines(n / 2 * sizeof(struct permit_node)) +
                          whole_lines(n / 2 * sizeof(struct permit_expiry)) + whole_lines(n / 2 * 4) +
                          whole_lines(n / 2 * sizeof(struct permit_stand_in)) +
                          whole_lines(n * sizeof(struct permit_sum)) + 2 * whole_lines(n * 4) +
                          3 * whole_lines(n) + 2 * whole_lines(n * 8);
        expected += 3 * whole_lines(n * 8) + whole_lines(n * 4);        /* contracts */
        expected += whole_lines(n * sizeof(struct token_wait));
        expected += whole_lines(n / 2 * sizeof(struct spectrum_known)) +
                    whole_lines((n + 1) * sizeof(struct spectrum_swing_known));
        expected += whole_lines(n / 2 * sizeof(struct residual_meter)) +
                    whole_lines(n * sizeof(struct residual_node));
        expected += whole_lines(n * 2 * ANCESTORS_MAX);                 /* above, in arbitration */
        assert_int_equal(core_bytes(&model), expected);
        model.alert_count = 1 + n % 7;
        model.watch_count = 1 + n;
        expected += whole_lines((n / 2 + 1) * 4) + whole_lines((1 + n) * sizeof(struct alert_watch)) +
                    whole_lines((1 + n % 7) * sizeof(struct alert_row));
        assert_int_equal(core_bytes(&model), expected);
    }
}

static void a_start_remembers_nothing_and_writes_nothing_beyond_its_size(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    size_t bytes = core_bytes(&stand.model);
    uint8_t *memory = aligned_alloc(64, bytes + 64);
    assert_non_null(memory);
    memset(memory, 0x5A, bytes + 64);
    struct core *core = core_init(memory, &stand.model, 7, stand.t_ns);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(memory[bytes + i], 0x5A);
    assert_int_equal(core->t_ns, stand.t_ns);
    assert_int_equal(core->epoch, 7);
    assert_int_equal(core->second, 1);
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        assert_int_equal(core->demand[h].stretch_start_ns, stand.t_ns);
        for (uint32_t i = 0; i < DEMAND_STRETCHES; i++)
            assert_true(core->demand[h].held_cap_mw[i] < 0);
        assert_int_equal(core->cluster.target_mw[h], -1);
    }
    for (uint32_t m = 0; m < STAND_METERS; m++)
        assert_int_equal(core->detect[m].measured_mw, -1);
    free(memory);
}

static void the_first_slot_may_be_late_too(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    int64_t t_ns = stand.t_ns;
    stand_wait(&stand, -NS_PER_S);
    step(&stand, slot_of(SLOT_TICK_PART));
    assert_int_equal(stand.core->t_ns, t_ns);
    assert_false(stand.outbox.digest_due);
    stand_stop(&stand);
}

static void one_phase_of_one_node_above_its_limit_is_a_recovery(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    for (uint32_t n = 0; n < STAND_NODES; n++)
        for (uint32_t p = 0; p < PHASES; p++)
            stand.node[n].limit_mva[0][p] = 4 * PHYS_MAX_MW;
    stand.node[BRANCH_B].limit_mva[0][1] = 2 * PHYS_MAX_MW - 1;
    stand_start(&stand);
    assert_int_equal(stand_counters(&stand)->recoveries, 1);
    stand_admit(&stand, 2);
    assert_false(stand.core->recovering);
    stand.host[2].incarnation++;
    stand.host[2].number = 0;
    struct report report = stand_report_of(&stand, 2, HOST_BOOT, 0);
    stand_report(&stand, &report);
    assert_true(stand.core->recovering);
    assert_int_equal(stand_counters(&stand)->recoveries, 2);
    stand_stop(&stand);
}

static void every_slot_is_decided_on_as_its_own_kind_and_no_other(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    const struct core_counters *count = stand_counters(&stand);
    stand_reading(&stand, MAIN, 0);
    assert_int_equal(count->readings, 1);
    assert_int_equal(count->reports, 0);
    struct report report = stand_report_of(&stand, 0, HOST_BOOT, 0);
    stand_report(&stand, &report);
    assert_int_equal(count->reports, 1);
    assert_int_equal(count->ticks, 0);
    step(&stand, slot_of(SLOT_TICK));
    step(&stand, slot_of(SLOT_TICK_PART));
    assert_int_equal(count->ticks, 1);
    assert_int_equal(count->refused_sends, 0);
    struct slot slot = slot_of(SLOT_REFUSED);
    slot.order = (struct slot_order){.kind = ORDER_MODE, .mode = MODE_OFF};     /* what an order would say */
    step(&stand, slot);
    assert_int_equal(count->refused_sends, 1);
    assert_int_equal(stand.core->mode, MODE_ENFORCE);
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_asked_for_by_the_size_of_the_site),
        cmocka_unit_test(no_part_of_the_memory_overlaps_another_or_its_end),
        cmocka_unit_test(a_start_above_its_limits_is_a_counted_recovery_and_one_below_is_none),
        cmocka_unit_test(every_reading_and_the_alarms_among_them_are_counted),
        cmocka_unit_test(what_a_report_did_is_counted_by_its_name),
        cmocka_unit_test(leases_that_evidence_retires_are_counted_one_by_one),
        cmocka_unit_test(a_refused_transmission_is_counted_and_answered_by_nothing),
        cmocka_unit_test(a_slot_of_no_known_kind_decides_nothing),
        cmocka_unit_test(a_tick_of_a_small_site_in_which_nothing_changed_is_through_in_its_own_slot),
        cmocka_unit_test(a_tick_is_through_after_its_parts),
        cmocka_unit_test(a_part_without_an_open_tick_is_nothing),
        cmocka_unit_test(ticks_that_a_stall_swallowed_are_counted),
        cmocka_unit_test(a_tick_that_finds_the_last_one_open_lets_it_finish_and_counts_as_missed),
        cmocka_unit_test(an_order_of_another_kind_changes_no_mode),
        cmocka_unit_test(off_sends_nothing_and_enforce_comes_back_by_order),
        cmocka_unit_test(no_order_goes_beyond_the_mode_of_the_site_file),
        cmocka_unit_test(time_never_falls_for_a_slot_that_is_late),
        cmocka_unit_test(a_second_is_closed_by_the_first_slot_of_the_next_and_only_once),
        cmocka_unit_test(the_digest_covers_every_field_that_decides_in_the_order_of_leaving),
        cmocka_unit_test(the_size_is_that_of_every_array_in_whole_cache_lines),
        cmocka_unit_test(a_start_remembers_nothing_and_writes_nothing_beyond_its_size),
        cmocka_unit_test(the_first_slot_may_be_late_too),
        cmocka_unit_test(one_phase_of_one_node_above_its_limit_is_a_recovery),
        cmocka_unit_test(every_slot_is_decided_on_as_its_own_kind_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
