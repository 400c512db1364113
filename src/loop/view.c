/* SPDX-License-Identifier: Apache-2.0 */
/* The writers' side. */
#include "loop/view.h"

#include <string.h>

static_assert(DETAIL_VERSION_BYTES == 3 * sizeof(uint64_t), "the version fills the last words of its record");
static_assert(sizeof(struct core_counters) % sizeof(uint64_t) == 0, "counters are whole words");

/* Bits of a word, from the lowest. */
static uint64_t word_of(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint32_t high)
{
    return a | (uint64_t)b << 8 | (uint64_t)c << 16 | (uint64_t)d << 24 | (uint64_t)high << 32;
}

static void write_node(struct view *view, const struct core *core, uint32_t at)
{
    struct core_node_view n;
    core_node_view(core, at, &n);
    uint8_t flags = (uint8_t)(n.emergency | n.recovery << 1 | n.damped << 2 | n.breach << 3 |
                              n.recovery_overdue << 4 | n.outgrown << 5);
    const uint64_t word[VIEW_NODE_RECORDS][SEQLOCK_WORDS] = {
        {(uint64_t)n.exposure_mva[0], (uint64_t)n.exposure_mva[1], (uint64_t)n.exposure_mva[2],
         (uint64_t)n.newest_mva[0], (uint64_t)n.newest_mva[1], (uint64_t)n.newest_mva[2],
         word_of(flags, n.recovery_by, n.permit, n.maintenance, n.awaited)},
        {(uint64_t)n.limit_mva[0], (uint64_t)n.limit_mva[1], (uint64_t)n.limit_mva[2],
         (uint64_t)n.measured_mw, (uint64_t)n.reading_t_ns, (uint64_t)n.permit_since_ns,
         (uint64_t)n.hold_until_ns},
        {(uint64_t)n.heat.heat_ppm, (uint64_t)n.heat.travel_ppm, (uint64_t)n.heat.trip_in_ns,
         (uint64_t)n.heat.admissible_ma, word_of(n.heat.trips, n.heat.binds, 0, 0, 0),
         (uint64_t)n.contract_mw, (uint64_t)n.contract_load_mw},
        {(uint64_t)n.steady_mva[0], (uint64_t)n.steady_mva[1], (uint64_t)n.steady_mva[2],
         (uint64_t)n.ramp_up_mw_per_s, (uint64_t)n.ramp_down_mw_per_s,
         /* in one record: who acts on a stage knows it by its time */
         (uint64_t)n.stage_since_ns, word_of(n.stage, n.enforced, 0, 0, 0)},
        {(uint64_t)n.exposed.sum_mva, (uint64_t)n.exposed.limit_mva, (uint64_t)n.newest.sum_mva,
         (uint64_t)n.newest.limit_mva,
         word_of(n.exposed.contingency, n.exposed.phase, n.newest.contingency, n.newest.phase, 0),
         (uint64_t)n.learnt_mva[0], (uint64_t)n.learnt_mva[1]},
        {(uint64_t)n.pool_level_mva, (uint64_t)n.pool_load_mva, (uint64_t)n.pool_credit_ppm,
         (uint64_t)n.recovery_since_ns, n.recovery_silent | (uint64_t)n.recovery_bad << 32,
         (uint64_t)n.raised_mva, (uint64_t)n.learnt_mva[2]},
    };
    for (uint32_t i = 0; i < VIEW_NODE_RECORDS; i++)
        seqlock_write(&view->node[at * VIEW_NODE_RECORDS + i], word[i]);
}

/* Sixteen bits: 6.5 MW in quanta of a grant. */
static uint32_t quanta_of(int64_t reserved_mw)
{
    int64_t quanta = reserved_mw / VIEW_RESERVED_MW;
    return quanta > UINT16_MAX ? UINT16_MAX : (uint32_t)quanta;
}

static void write_host(struct view *view, const struct core *core, uint32_t at)
{
    struct core_host_view h;
    core_host_view(core, at, &h);
    const struct bound *b = &h.bound;
    const uint64_t word[VIEW_HOST_RECORDS][SEQLOCK_WORDS] = {
        {(uint64_t)h.lease_mw, (uint64_t)h.exposure_mw, (uint64_t)h.draw_mw, (uint64_t)h.report_t_ns,
         h.incarnation,
         word_of(h.state, h.why, h.accepted, h.basis,
                 h.unretired | (uint32_t)h.flags << 8 | quanta_of(h.reserved_mw) << 16),
         (uint64_t)h.exposed_cap_mw},
        {word_of(b->term, b->contingency, b->phase, b->slot_kind, b->node), (uint64_t)b->wanted_mw,
         (uint64_t)b->sum_mva, (uint64_t)b->limit_mva, (uint64_t)b->t_ns, b->slot_sequence,
         (uint64_t)b->echo_t_ns},
        {word_of(h.tier, b->rule, (uint8_t)h.gang, (uint8_t)(h.gang >> 8), b->seen_of), b->seen_number,
         (uint64_t)b->seen_mw, b->seen_ma[0] | (uint64_t)b->seen_ma[1] << 32,
         b->seen_ma[2] | (uint64_t)b->contract << 32,
         (uint64_t)h.fail_safe_mw, (uint64_t)b->since_ns},
    };
    for (uint32_t i = 0; i < VIEW_HOST_RECORDS; i++)
        seqlock_write(&view->host[at * VIEW_HOST_RECORDS + i], word[i]);
}

void view_write_degraded(struct view *view, enum degradation at, const struct degrade_row *row)
{
    const uint64_t word[SEQLOCK_WORDS] = {row->now | (uint64_t)row->newest << 32, row->entered, row->left,
                                          (uint64_t)row->since_ns};
    seqlock_write(&view->degraded[at], word);
}

static void write_counters(struct view *view, const struct core *core, uint32_t at)
{
    const uint8_t *from = (const uint8_t *)core_counters(core);
    uint64_t word[SEQLOCK_WORDS] = {0};
    size_t first = (size_t)at * sizeof word, left = sizeof(struct core_counters) - first;
    memcpy(word, from + first, left < sizeof word ? left : sizeof word);
    seqlock_write(&view->counter[at], word);
}

static void write_alert(struct view *view, const struct core *core, uint32_t at)
{
    struct core_alert_view a;
    core_alert_view(core, at, &a);
    const uint64_t word[VIEW_ALERT_RECORDS][SEQLOCK_WORDS] = {
        {a.row.now | (uint64_t)a.row.newest << 32, a.row.entered, a.row.left, (uint64_t)a.row.since_ns,
         (uint64_t)a.newest_since_ns, a.unknown},
        {(uint64_t)a.value[0], (uint64_t)a.value[1], (uint64_t)a.value[2]},
    };
    for (uint32_t i = 0; i < VIEW_ALERT_RECORDS; i++)
        seqlock_write(&view->alert[at * VIEW_ALERT_RECORDS + i], word[i]);
}

static uint32_t round_of(const struct view *view)
{
    return VIEW_COUNTER_RECORDS + DEGRADATION_COUNT + view->alerts + view->nodes + view->hosts;
}

static void write_next(struct view *view, const struct core *core, uint32_t at)
{
    if (at < VIEW_COUNTER_RECORDS) {
        write_counters(view, core, at);
    } else if ((at -= VIEW_COUNTER_RECORDS) < DEGRADATION_COUNT) {
        if (!view_is_of_loop(at))
            view_write_degraded(view, at, core_degraded(core, at));
    } else if ((at -= DEGRADATION_COUNT) < view->alerts) {
        write_alert(view, core, at);
    } else if ((at -= view->alerts) < view->nodes) {
        write_node(view, core, at);
    } else if ((at -= view->nodes) < view->hosts) {
        write_host(view, core, at);
    }
}

void view_refresh(struct view *view, const struct core *core, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        write_next(view, core, view->next);
        view->next = (view->next + 1) % round_of(view);
    }
}

void view_refresh_all(struct view *view, const struct core *core)
{
    view_refresh(view, core, round_of(view));
}

void view_write_meter(struct view *view, uint32_t meter, const struct view_meter *record)
{
    const uint32_t *ma = record->current_ma, *mv = record->voltage_mv;
    uint64_t steps = (uint64_t)((record->lag_within_ns + VIEW_WITHIN_NS - 1) / VIEW_WITHIN_NS);
    if (steps >= UINT64_C(1) << VIEW_WITHIN_BITS)
        steps = (UINT64_C(1) << VIEW_WITHIN_BITS) - 1;
    uint64_t word[SEQLOCK_WORDS] = {(uint64_t)record->t_receive_ns,
                                    (uint64_t)record->age_ns << VIEW_WITHIN_BITS | steps,
                                    (uint64_t)record->power_mw,
                                    ma[0] | (uint64_t)ma[1] << 32,
                                    ma[2] | (uint64_t)mv[0] << 32,
                                    mv[1] | (uint64_t)mv[2] << 32,
                                    (uint64_t)record->lag_ns};
    seqlock_write(&view->meter[meter], word);
}

/* Two words of the record: when, and how often. */
static void add_stale(struct view *view, uint32_t meter, uint32_t at, int64_t t_ns)
{
    struct seqlock *record = &view->stale[meter];
    uint64_t word[SEQLOCK_WORDS];
    /* Relaxed: this thread alone writes the record. */
    for (uint32_t i = 0; i < SEQLOCK_WORDS; i++)
        word[i] = atomic_load_explicit(&record->word[i], memory_order_relaxed);
    word[at] = (uint64_t)t_ns;
    word[at + 1]++;
    seqlock_write(record, word);
}

void view_add_stale(struct view *view, uint32_t meter, int64_t t_ns)
{
    add_stale(view, meter, 0, t_ns);
}

void view_add_step(struct view *view, uint32_t meter, int64_t t_ns)
{
    add_stale(view, meter, 2, t_ns);
}

static void write_device(struct seqlock *record, const struct detail_device *d)
{
    const uint64_t word[SEQLOCK_WORDS] = {
        d->asked_mw | (uint64_t)d->enforced_mw << 32, d->draw_mw | (uint64_t)d->average_mw << 32,
        d->energy_mj, d->window_us | (uint64_t)(uint32_t)d->temperature_mc << 32,
        d->write_us | (uint64_t)d->write_worst_us << 32,
        d->known | (uint64_t)d->clock_mhz << 16 | (uint64_t)d->index << 32 | (uint64_t)d->throttle << 40, 0};
    seqlock_write(record, word);
}

void view_write_detail(struct view *view, const struct detail *detail, int64_t t_ns)
{
    struct seqlock *record = &view->detail[detail->host * VIEW_DETAIL_RECORDS];
    uint64_t job[VIEW_JOB_RECORDS][SEQLOCK_WORDS] = {{0}};
    uint64_t word[SEQLOCK_WORDS] = {
        (uint64_t)t_ns, detail->incarnation, detail->watchdog_us | (uint64_t)detail->write_errors << 32,
        detail->marks | (uint64_t)detail->jobs << 16 | (uint64_t)detail->device_count << 32 |
            (uint64_t)detail->job_count << 40};
    memcpy(&word[4], detail->version, sizeof detail->version);
    seqlock_write(record, word);
    memcpy(job, detail->job, sizeof detail->job);
    for (uint32_t i = 0; i < VIEW_JOB_RECORDS; i++)
        seqlock_write(++record, job[i]);
    for (uint32_t i = 0; i < detail->device_count; i++)
        write_device(++record, &detail->device[i]);
}
