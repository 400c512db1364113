/* SPDX-License-Identifier: Apache-2.0 */
/* One slot in, leases out: what is counted, what an operator's order may do, what closes a second, when a target
 * is pushed, what a lease carries, and what status shows of it all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "core/guard.h"
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
    assert_int_equal(core_bytes(&stand.model), (sizeof(struct core) + 63) / 64 * 64);
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
    struct { void *at; size_t bytes; } part[] = {
        {core, sizeof *core},
        {core->ledger.host, STAND_HOSTS * sizeof *core->ledger.host},
        {core->ledger.node, STAND_NODES * sizeof *core->ledger.node},
        {core->demand, STAND_HOSTS * sizeof *core->demand},
        {core->detect, STAND_METERS * sizeof *core->detect},
        {core->why, STAND_HOSTS * sizeof *core->why},
        {e->node, STAND_NODES * sizeof *e->node},
        {e->cut_in, STAND_HOSTS * sizeof *e->cut_in},
        {e->below_first, STAND_NODES * sizeof *e->below_first},
        {e->below_count, STAND_NODES * sizeof *e->below_count},
        {e->below, emergency_below_room(&stand.model) * sizeof *e->below},
        {cluster->host_extent, STAND_HOSTS * sizeof *cluster->host_extent},
        {cluster->node_extent, STAND_NODES * sizeof *cluster->node_extent},
        {cluster->host_claim, STAND_HOSTS * sizeof *cluster->host_claim},
        {cluster->node_claim, STAND_NODES * sizeof *cluster->node_claim},
        {cluster->capacity_mva, STAND_NODES * sizeof *cluster->capacity_mva},
        {cluster->node_weight, STAND_NODES * sizeof *cluster->node_weight},
        {cluster->node_phases, STAND_NODES * sizeof *cluster->node_phases},
        {cluster->target_mw, STAND_HOSTS * sizeof *cluster->target_mw},
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
    assert_int_equal(count->reports_stale + count->resets + count->foreign_caps + count->fail_safe_mismatch, 0);
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

static void a_tick_of_a_small_site_is_through_in_its_own_slot(void **state)
{
    (void)state;
    struct stand stand;
    start_admitted(&stand);
    step(&stand, slot_of(SLOT_TICK));
    assert_false(pipeline_tick_open(stand.core));
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
    cluster_part(&stand.core->cluster, &stand.core->ledger, stand.core->demand, stand.t_ns, 5, &first);
    assert_true(pipeline_tick_open(stand.core));
    assert_int_equal(stand.core->cluster.phase, CLUSTER_GATHER);
    stand.core->demand[0].draw_mw[0] = 1;
    step(&stand, slot_of(SLOT_TICK));
    assert_int_equal(stand_counters(&stand)->ticks_missed, 1);
    assert_int_equal(stand_counters(&stand)->ticks_committed, 1);
    assert_int_equal(stand.core->cluster.node_weight[MAIN], STAND_HOSTS);
    stand_stop(&stand);
}

/* ---- targets ---- */

static bool pushed(const struct stand *stand, uint32_t host)
{
    for (uint32_t i = 0; i < stand->outbox.count; i++)
        if (stand->record[i].host == host)
            return true;
    return false;
}

enum { WIDE_MVA = 30000000 };

/* Host 2 has room enough, holds `newest_mw` on evidence, and its share is 9 kW. */
static void aim_host_2(struct stand *stand, int64_t newest_mw)
{
    stand_site(stand);
    stand->type.cap_max_mw = 9000000;
    for (uint32_t p = 0; p < PHASES; p++)
        stand->node[BRANCH_B].limit_mva[0][p] = WIDE_MVA;
    stand_start(stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
    stand_wait(stand, 10 * NS_PER_MS);
    stand->core->cluster.target_mw[2] = -1;
    ledger_sent(&stand->core->ledger, 2, newest_mw);
    struct report report = stand_report_of(stand, 2, HOST_LEASED, A_NS);
    report.applied = account(stand, 2)->sequence;
    report.cap_mw = report.readback_mw = newest_mw;
    stand_report(stand, &report);
    assert_int_equal(account(stand, 2)->newest_mw, newest_mw);
}

static void a_raise_of_more_than_a_quantum_is_pushed_and_one_of_a_quantum_waits(void **state)
{
    (void)state;
    struct stand stand;
    aim_host_2(&stand, 8999000);
    step(&stand, slot_of(SLOT_TICK));
    assert_int_equal(stand.core->cluster.target_mw[2], 9000000);
    assert_false(pushed(&stand, 2));
    stand_stop(&stand);
    aim_host_2(&stand, 8998999);
    step(&stand, slot_of(SLOT_TICK));
    assert_true(pushed(&stand, 2));
    assert_int_equal(stand.host[2].last.cap_mw, 9000000);
    assert_int_equal(stand.host[2].last.why, WHY_SHARE);
    assert_int_equal(stand.host[2].last.flags, 0);
    stand_stop(&stand);
}

static void a_cut_of_more_than_a_quantum_is_pushed_and_one_of_a_quantum_waits(void **state)
{
    (void)state;
    struct stand stand;
    aim_host_2(&stand, 8000000);
    stand.type.cap_max_mw = 7999000;
    step(&stand, slot_of(SLOT_TICK));
    assert_int_equal(stand.core->cluster.target_mw[2], 7999000);
    assert_false(pushed(&stand, 2));
    stand.type.cap_max_mw = 7998000;
    step(&stand, slot_of(SLOT_TICK));
    assert_true(pushed(&stand, 2));
    assert_int_equal(stand.host[2].last.cap_mw, 7998000);
    assert_int_equal(stand.host[2].last.why, WHY_CUT);
    stand_stop(&stand);
}

/* "A raise wants a report fresh enough that the host will not have run out of it": half of D. */
static void a_raise_is_pushed_to_a_report_of_half_a_lease_and_not_to_an_older_one(void **state)
{
    (void)state;
    struct stand stand;
    aim_host_2(&stand, 5000000);
    stand_wait(&stand, NS_PER_S / 2 + 1);
    step(&stand, slot_of(SLOT_TICK));
    assert_int_equal(stand.core->cluster.target_mw[2], 9000000);
    assert_false(pushed(&stand, 2));
    stand_stop(&stand);
    aim_host_2(&stand, 5000000);
    stand_wait(&stand, NS_PER_S / 2);
    step(&stand, slot_of(SLOT_TICK));
    assert_true(pushed(&stand, 2));
    stand_stop(&stand);
}

static void a_cut_is_pushed_however_old_the_report_is_within_its_lease(void **state)
{
    (void)state;
    struct stand stand;
    aim_host_2(&stand, 8000000);
    stand.type.cap_max_mw = 5000000;
    stand_wait(&stand, NS_PER_S);
    step(&stand, slot_of(SLOT_TICK));
    assert_true(pushed(&stand, 2));
    stand_stop(&stand);
}

static void no_raise_is_pushed_under_an_emergency(void **state)
{
    (void)state;
    struct stand stand;
    aim_host_2(&stand, 5000000);
    stand.core->emergencies.node[MAIN].raise_after_ns = stand.t_ns + 1;
    step(&stand, slot_of(SLOT_TICK));
    assert_false(pushed(&stand, 2));
    stand.core->emergencies.node[MAIN].raise_after_ns = stand.t_ns;
    step(&stand, slot_of(SLOT_TICK));
    assert_true(pushed(&stand, 2));
    stand_stop(&stand);
}

static void a_raise_that_the_guard_would_shrink_to_a_quantum_is_not_pushed(void **state)
{
    (void)state;
    struct stand stand;
    aim_host_2(&stand, 5000000);
    struct ledger_sums *sums = &stand.core->ledger.node[BRANCH_B];
    sums->newest_mva[0][0] = WIDE_MVA - 1000;
    step(&stand, slot_of(SLOT_TICK));
    assert_false(pushed(&stand, 2));
    sums->newest_mva[0][0] = WIDE_MVA - 2000;
    step(&stand, slot_of(SLOT_TICK));
    assert_true(pushed(&stand, 2));
    assert_int_equal(stand.host[2].last.cap_mw, 5002000);
    assert_int_equal(stand.host[2].last.why, WHY_GUARD_S);
    stand_stop(&stand);
}

static void a_cut_is_left_alone_until_it_is_confirmed(void **state)
{
    (void)state;
    struct stand stand;
    aim_host_2(&stand, 8000000);
    stand.type.cap_max_mw = 5000000;
    step(&stand, slot_of(SLOT_TICK));
    assert_int_equal(stand.host[2].last.cap_mw, 5000000);
    stand.type.cap_max_mw = 4000000;
    step(&stand, slot_of(SLOT_TICK));
    assert_false(pushed(&stand, 2));
    struct report report = stand_report_of(&stand, 2, HOST_LEASED, 0);
    const struct egress *answer = stand_report(&stand, &report);
    assert_int_equal(answer->cap_mw, 4000000);      /* no cap passes what the type can be set to */
    assert_int_equal(answer->why, WHY_RENEWAL);
    stand_stop(&stand);
}

static void an_answer_says_whether_it_raises_cuts_or_renews(void **state)
{
    (void)state;
    struct stand stand;
    aim_host_2(&stand, 5000000);
    static const struct { int64_t target_mw, cap_mw; uint8_t why; } answers[] = {
        {-1, 5000000, WHY_RENEWAL},
        {5000000, 5000000, WHY_RENEWAL},
        {5001000, 5001000, WHY_SHARE},
        {4000000, 4000000, WHY_CUT},
    };
    for (uint32_t i = 0; i < 4; i++) {
        stand.core->cluster.target_mw[2] = answers[i].target_mw;
        const struct egress *answer = stand_obey(&stand, 2);
        assert_int_equal(answer->cap_mw, answers[i].cap_mw);
        assert_int_equal(answer->why, answers[i].why);
        assert_int_equal(stand.core->why[2], answers[i].why);
    }
    stand_stop(&stand);
}

/* ---- orders ---- */

static void order(struct stand *stand, uint32_t kind, uint32_t value)
{
    struct slot slot = slot_of(SLOT_ORDER);
    slot.order = (struct slot_order){.kind = kind, .value = value};
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
        struct report report = stand_report_of(&stand, h, i < STAND_HOSTS ? HOST_FAIL_SAFE : HOST_LEASED, A_NS);
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

/* ---- what leaves ---- */

static void a_lease_carries_where_it_came_from_and_how_long_it_holds(void **state)
{
    (void)state;
    struct stand stand;
    start_admitted(&stand);
    struct slot slot = slot_of(SLOT_REPORT);
    slot.report = stand_report_of(&stand, 1, HOST_LEASED, A_NS);
    slot.lane = 3;
    step(&stand, slot);
    const struct egress *lease = &stand.record[0];
    assert_int_equal(lease->kind, FRAME_LEASE);
    assert_int_equal(lease->flags, 0);
    assert_int_equal(lease->lane, 3);
    assert_int_equal(lease->host, 1);
    assert_int_equal(lease->t_receive_ns, stand.t_ns);
    assert_int_equal(lease->slot_sequence, stand.slots);
    assert_int_equal(lease->duration_us, 1000000);
    assert_int_equal(lease->floor_w, 1000);
    assert_int_equal(lease->incarnation, 0x1001);
    assert_int_equal(lease->echo, slot.report.number);
    assert_int_equal(lease->sequence, account(&stand, 1)->sequence);
    stand_stop(&stand);
}

static void a_full_outbox_takes_no_more_and_the_ledger_counts_no_more(void **state)
{
    (void)state;
    struct stand stand;
    start_admitted(&stand);
    stand.outbox.capacity = 2;
    stand_reading(&stand, MAIN, 200000000);
    assert_int_equal(stand.outbox.count, 2);
    assert_int_equal(account(&stand, 1)->sequence, 3);
    assert_int_equal(account(&stand, 2)->sequence, 2);
    stand.outbox.capacity = 0;
    assert_null(stand_obey(&stand, 0));
    assert_int_equal(account(&stand, 0)->sequence, 3);
    stand_stop(&stand);
}

/* Host 0 holds 5 kW; `cap_mw` is asked for it. Returns what leaves. */
static int64_t ask(struct stand *stand, int64_t cap_mw, uint8_t flags)
{
    stand->outbox.count = 0;
    guard_send(stand->core, 0, cap_mw, flags, flags ? WHY_EMERGENCY : WHY_SHARE);
    assert_int_equal(stand->outbox.count, 1);
    return stand->record[0].cap_mw;
}

static void start_asking(struct stand *stand)
{
    start_admitted(stand);
    assert_int_equal(ask(stand, 5000000, 0), 5000000);
}

static void no_cap_leaves_below_the_floor_or_above_the_largest(void **state)
{
    (void)state;
    struct stand stand;
    start_asking(&stand);
    assert_int_equal(ask(&stand, CAP_MAX_MW + 1, 0), CAP_MAX_MW);
    assert_int_equal(ask(&stand, FLOOR_MW - 1, 0), FLOOR_MW);
    assert_int_equal(ask(&stand, FLOOR_MW + 1, 0), FLOOR_MW + 1);
    assert_int_equal(stand_counters(&stand)->withheld_s, 0);
    assert_int_equal(stand_counters(&stand)->withheld_d, 0);
    stand_stop(&stand);
}

static void an_emergency_never_raises_and_may_pass_below_the_floor(void **state)
{
    (void)state;
    struct stand stand;
    start_asking(&stand);
    assert_int_equal(ask(&stand, 6000000, LEASE_EMERGENCY), 5000000);
    assert_int_equal(ask(&stand, 400000, LEASE_EMERGENCY), 400000);
    assert_int_equal(stand.record[0].flags, LEASE_EMERGENCY);
    assert_int_equal(ask(&stand, 50000, LEASE_EMERGENCY), 50000);
    assert_int_equal(ask(&stand, 90000, LEASE_EMERGENCY), 90000);    /* up to the least settable cap */
    assert_int_equal(ask(&stand, 200000, LEASE_EMERGENCY), 100000);
    stand_stop(&stand);
}

static void a_raise_in_the_aftermath_of_an_emergency_is_held_at_what_was(void **state)
{
    (void)state;
    struct stand stand;
    start_asking(&stand);
    stand.core->emergencies.node[BRANCH_A].raise_after_ns = stand.core->t_ns + 1;
    assert_int_equal(ask(&stand, 5000001, 0), 5000000);
    assert_int_equal(stand.record[0].why, WHY_EMERGENCY);
    assert_int_equal(ask(&stand, 5000000, 0), 5000000);
    assert_int_equal(stand.record[0].why, WHY_SHARE);
    assert_int_equal(ask(&stand, 4000000, 0), 4000000);
    stand_stop(&stand);
}

static void what_is_withheld_is_counted_by_the_sum_that_withheld_it(void **state)
{
    (void)state;
    struct stand stand;
    start_asking(&stand);
    stand.core->ledger.node[BRANCH_A].newest_mva[0][0] = BRANCH_MVA - 1000000;
    assert_int_equal(ask(&stand, 9000000, 0), 6000000);
    assert_int_equal(stand.record[0].why, WHY_GUARD_S);
    assert_int_equal(stand_counters(&stand)->withheld_s, 1);
    stand.core->ledger.node[BRANCH_A].newest_mva[0][0] = 8000000;
    stand.core->ledger.node[BRANCH_A].exposed_mva[0][0] = BRANCH_MVA - 2000000;
    assert_int_equal(ask(&stand, 9000000, 0), 8000000);
    assert_int_equal(stand.record[0].why, WHY_GUARD_D);
    assert_int_equal(stand_counters(&stand)->withheld_d, 1);
    assert_int_equal(stand_counters(&stand)->withheld_s, 1);
    assert_int_equal(stand_counters(&stand)->invariant_failures, 0);
    stand_stop(&stand);
}

static void cuts_raises_and_falls_to_fail_safe_are_counted(void **state)
{
    (void)state;
    struct stand stand;
    start_admitted(&stand);
    const struct core_counters *count = stand_counters(&stand);
    static const struct { int64_t cap_mw; uint32_t raises, cuts, fail_safes; } asked[] = {
        {5000000, 1, 0, 0}, {5000000, 0, 0, 0}, {4000000, 0, 1, 0}, {FAIL_SAFE_MW, 0, 1, 1},
        {FAIL_SAFE_MW, 0, 0, 0}, {FAIL_SAFE_MW - 1000, 0, 1, 0}, {FAIL_SAFE_MW + 1000, 1, 0, 0},
        {FAIL_SAFE_MW - 1000, 0, 1, 1},
    };
    for (uint32_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        struct core_counters was = *count;
        ask(&stand, asked[i].cap_mw, 0);
        assert_int_equal(count->raises - was.raises, asked[i].raises);
        assert_int_equal(count->cuts - was.cuts, asked[i].cuts);
        assert_int_equal(count->fail_safes - was.fail_safes, asked[i].fail_safes);
        assert_int_equal(count->leases - was.leases, 1);
        assert_int_equal(count->claims - was.claims, 0);
    }
    stand_stop(&stand);
}

static void the_first_claim_is_neither_a_raise_nor_a_cut(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    struct report report = stand_report_of(&stand, 0, HOST_BOOT, 0);
    stand_report(&stand, &report);
    assert_int_equal(stand_counters(&stand)->claims, 1);
    assert_int_equal(stand_counters(&stand)->raises, 0);
    assert_int_equal(stand_counters(&stand)->cuts, 0);
    assert_int_equal(stand_counters(&stand)->fail_safes, 0);
    assert_int_equal(ask(&stand, FAIL_SAFE_MW - 5000, 0), FAIL_SAFE_MW - 5000);
    assert_int_equal(stand.record[0].why, WHY_CLAIM);
    assert_int_equal(stand.record[0].flags, LEASE_CLAIM);
    assert_int_equal(ask(&stand, FAIL_SAFE_MW + 5000, 0), FAIL_SAFE_MW);
    stand_stop(&stand);
}

/* ---- what status shows ---- */

static void a_node_is_shown_with_its_sums_and_the_newest_reading_of_its_meter(void **state)
{
    (void)state;
    struct stand stand;
    struct core_node_view view;
    start_admitted(&stand);
    stand_wait(&stand, 3);
    stand_reading(&stand, BRANCH_A, 1500000);
    struct ledger_sums *sums = &stand.core->ledger.node[BRANCH_A];
    for (uint32_t p = 0; p < PHASES; p++) {
        sums->exposed_mva[0][p] = 100 + p;
        sums->newest_mva[0][p] = 200 + p;
        sums->limit_mva[0][p] = 300 + p;
    }
    memset(&view, 0xFF, sizeof view);
    core_node_view(stand.core, BRANCH_A, &view);
    for (uint32_t p = 0; p < PHASES; p++) {
        assert_int_equal(view.exposure_mva[p], 100 + p);
        assert_int_equal(view.newest_mva[p], 200 + p);
        assert_int_equal(view.limit_mva[p], 300 + p);
    }
    assert_int_equal(view.measured_mw, 4500000);
    assert_int_equal(view.reading_t_ns, stand.t_ns);
    assert_false(view.emergency);
    assert_false(view.recovery);
    core_node_view(stand.core, BRANCH_B, &view);
    assert_int_equal(view.measured_mw, -1);
    assert_int_equal(view.reading_t_ns, 0);
    stand_stop(&stand);
}

static void a_node_is_shown_in_recovery_when_any_phase_is_above_its_limit(void **state)
{
    (void)state;
    struct stand stand;
    struct core_node_view view;
    start_admitted(&stand);
    for (uint32_t p = 0; p < PHASES; p++) {
        struct ledger_sums *sums = &stand.core->ledger.node[BRANCH_A];
        int64_t limit_mva = sums->limit_mva[0][p];
        sums->limit_mva[0][p] = sums->exposed_mva[0][p];
        memset(&view, 0xFF, sizeof view);
        core_node_view(stand.core, BRANCH_A, &view);
        assert_false(view.recovery);
        sums->limit_mva[0][p]--;
        memset(&view, 0, sizeof view);
        core_node_view(stand.core, BRANCH_A, &view);
        assert_true(view.recovery);
        sums->limit_mva[0][p] = limit_mva;
    }
    stand_stop(&stand);
}

static void a_node_without_a_meter_shows_no_measurement(void **state)
{
    (void)state;
    struct stand stand;
    struct core_node_view view;
    start_admitted(&stand);
    stand_reading(&stand, BRANCH_A, 9000000);
    stand.node[BRANCH_A].meter = INDEX_NONE;
    memset(&view, 0x55, sizeof view);
    core_node_view(stand.core, BRANCH_A, &view);
    assert_int_equal(view.measured_mw, -1);
    assert_int_equal(view.reading_t_ns, -1);
    assert_true(view.emergency);
    stand_stop(&stand);
}

static void a_host_is_shown_with_its_account(void **state)
{
    (void)state;
    struct stand stand;
    struct core_host_view view;
    start(&stand);
    memset(&view, 0x55, sizeof view);
    core_host_view(stand.core, 1, &view);
    assert_int_equal(view.lease_mw, -1);
    assert_int_equal(view.incarnation, 0);
    assert_false(view.accepted);
    stand.host[1].draw_mw = 1234567;
    stand_admit(&stand, 1);
    core_host_view(stand.core, 1, &view);
    assert_int_equal(view.lease_mw, FAIL_SAFE_MW);
    assert_int_equal(view.exposure_mw, FAIL_SAFE_MW);
    assert_int_equal(view.draw_mw, 1234567);
    assert_int_equal(view.report_t_ns, stand.t_ns);
    assert_int_equal(view.incarnation, 0x1001);
    assert_int_equal(view.state, HOST_LEASED);
    assert_int_equal(view.why, WHY_RENEWAL);
    assert_true(view.accepted);
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
        cmocka_unit_test(a_tick_of_a_small_site_is_through_in_its_own_slot),
        cmocka_unit_test(a_part_without_an_open_tick_is_nothing),
        cmocka_unit_test(ticks_that_a_stall_swallowed_are_counted),
        cmocka_unit_test(a_tick_that_finds_the_last_one_open_lets_it_finish_and_counts_as_missed),
        cmocka_unit_test(a_raise_of_more_than_a_quantum_is_pushed_and_one_of_a_quantum_waits),
        cmocka_unit_test(a_cut_of_more_than_a_quantum_is_pushed_and_one_of_a_quantum_waits),
        cmocka_unit_test(a_raise_is_pushed_to_a_report_of_half_a_lease_and_not_to_an_older_one),
        cmocka_unit_test(a_cut_is_pushed_however_old_the_report_is_within_its_lease),
        cmocka_unit_test(no_raise_is_pushed_under_an_emergency),
        cmocka_unit_test(a_raise_that_the_guard_would_shrink_to_a_quantum_is_not_pushed),
        cmocka_unit_test(a_cut_is_left_alone_until_it_is_confirmed),
        cmocka_unit_test(an_answer_says_whether_it_raises_cuts_or_renews),
        cmocka_unit_test(an_order_of_another_kind_changes_no_mode),
        cmocka_unit_test(off_sends_nothing_and_enforce_comes_back_by_order),
        cmocka_unit_test(no_order_goes_beyond_the_mode_of_the_site_file),
        cmocka_unit_test(time_never_falls_for_a_slot_that_is_late),
        cmocka_unit_test(a_second_is_closed_by_the_first_slot_of_the_next_and_only_once),
        cmocka_unit_test(the_digest_covers_every_field_that_decides_in_the_order_of_leaving),
        cmocka_unit_test(a_lease_carries_where_it_came_from_and_how_long_it_holds),
        cmocka_unit_test(a_full_outbox_takes_no_more_and_the_ledger_counts_no_more),
        cmocka_unit_test(no_cap_leaves_below_the_floor_or_above_the_largest),
        cmocka_unit_test(an_emergency_never_raises_and_may_pass_below_the_floor),
        cmocka_unit_test(a_raise_in_the_aftermath_of_an_emergency_is_held_at_what_was),
        cmocka_unit_test(what_is_withheld_is_counted_by_the_sum_that_withheld_it),
        cmocka_unit_test(cuts_raises_and_falls_to_fail_safe_are_counted),
        cmocka_unit_test(the_first_claim_is_neither_a_raise_nor_a_cut),
        cmocka_unit_test(a_node_is_shown_with_its_sums_and_the_newest_reading_of_its_meter),
        cmocka_unit_test(a_node_is_shown_in_recovery_when_any_phase_is_above_its_limit),
        cmocka_unit_test(a_node_without_a_meter_shows_no_measurement),
        cmocka_unit_test(a_host_is_shown_with_its_account),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
