/* SPDX-License-Identifier: Apache-2.0 */
#include "trial.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "books.h"
#include "core/core.h"
#include "msg/frame.h"
#include "whole.h"

enum {
    PARTS_MAX = 100000,
    BOOKS_EVERY = 7,            /* slots: all hosts are added up anew */
};

bool trial_fail(struct trial *trial, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!trial->complaint[0])
        vsnprintf(trial->complaint, sizeof trial->complaint, format, arguments);
    va_end(arguments);
    return false;
}

enum { AT_PART, AT_ORDER, AT_ZOMBIE, AT_REFUSAL, AT_METER };

/* Of a trial apart: a chance that only this moment and this place have. */
static struct chance *dice(struct trial *trial, uint32_t what, uint32_t place)
{
    if (!trial->apart)
        return &trial->chance;
    trial->moment.state = trial->seed ^ (uint64_t)trial->world->t_ns * UINT64_C(0xD6E8FEB86659FD93) ^
                          ((uint64_t)what << 32 | place) * UINT64_C(0xA0761D6478BD642F);
    return &trial->moment;
}

static struct core *make_core(struct trial *trial, int fill)
{
    const struct model *model = trial->told ? trial->told : trial->model;
    size_t bytes = core_bytes(model);
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!memory)
        abort();
    memset(memory, fill, bytes);
    return core_init(memory, model, trial->epoch, trial->t_ns);
}

/* A start is always a new epoch; the controller before may be dead or only cut off. */
static void begin(struct trial *trial, int64_t zombie_until_ns)
{
    free(trial->legacy);
    trial->legacy = NULL;
    free(trial->zombie);
    free(trial->twin);
    trial->zombie = trial->core;
    trial->zombie_epoch = trial->epoch;
    trial->zombie_until_ns = zombie_until_ns;
    trial->epoch++;
    trial->core = make_core(trial, 0x00);
    trial->twin = make_core(trial, 0xA5);
}

void trial_replace(struct trial *trial, int64_t zombie_until_ns)
{
    begin(trial, zombie_until_ns);
    shadow_init(trial->shadow, trial->epoch);
}

static void start_controller(struct trial *trial)
{
    trial_replace(trial, chance_hit(&trial->chance, 0.5) ? trial->t_ns + 2 * NS_PER_S : 0);
}

static void open_site(struct trial *trial, uint64_t seed, struct model *model)
{
    memset(trial, 0, sizeof *trial);
    trial->seed = seed;
    trial->chance.state = seed * 3 + 1;
    trial->model = model;
    trial->books_every = BOOKS_EVERY;
    trial->whole_every = 1;
    for (uint32_t n = 0; n < model->node_count; n++)
        trial->other_part[n] = 0.5;
    trial->world = malloc(sizeof *trial->world);
    trial->shadow = malloc(sizeof *trial->shadow);
    trial->outbox =
        (struct outbox){calloc(BUILT_HOSTS_MAX, sizeof(struct egress)), BUILT_HOSTS_MAX, 0, false, {0}};
    trial->twin_outbox =
        (struct outbox){calloc(BUILT_HOSTS_MAX, sizeof(struct egress)), BUILT_HOSTS_MAX, 0, false, {0}};
    if (!trial->world || !trial->shadow || !trial->outbox.record || !trial->twin_outbox.record)
        abort();
}

void trial_open(struct trial *trial, uint64_t seed, uint32_t hosts, const struct weather *weather)
{
    trial_open_with(trial, seed, hosts, weather, NULL);
}

void trial_open_with(struct trial *trial, uint64_t seed, uint32_t hosts, const struct weather *weather,
                     void (*prepare)(struct model *model, uint64_t seed))
{
    struct model *model = model_build(seed, hosts);
    if (prepare)
        prepare(model, seed);
    open_site(trial, seed, model);
    world_init(trial->world, trial->model, seed, weather);
    shadow_open(trial->shadow, trial->model);
    start_controller(trial);
}

void trial_open_apart(struct trial *trial, uint64_t seed, struct model *model, const struct model *told,
                      const struct weather *weather)
{
    open_site(trial, seed, model);
    trial->apart = trial->windowed = true;
    trial->told = told;
    trial->held = calloc((model->meter_count + 1) * LATE_WINDOWS_MAX, sizeof trial->held[0]);
    if (!trial->held)
        abort();
    world_init_apart(trial->world, trial->model, seed, weather);
    shadow_open(trial->shadow, trial->model);
    trial_replace(trial, 0);
}

void trial_close(struct trial *trial)
{
    free(trial->core);
    free(trial->twin);
    free(trial->zombie);
    free(trial->legacy);
    free(trial->held);
    free(trial->outbox.record);
    free(trial->twin_outbox.record);
    free(trial->world);
    shadow_close(trial->shadow);
    free(trial->shadow);
    model_unbuild(trial->model);
}

static bool feed(struct trial *trial, struct slot *slot);

static void send_lease(struct trial *trial, const struct egress *record, uint64_t epoch)
{
    struct lease lease = {
        .host = record->host,
        .flags = record->flags,
        .incarnation = record->incarnation,
        .epoch = epoch,
        .sequence = record->sequence,
        .echo = record->echo,
        .cap_mw = record->cap_mw,
        .floor_mw = (int64_t)record->floor_w * 1000,
        .duration_ns = (int64_t)record->duration_us * NS_PER_US,
    };
    if (record->kind != FRAME_TOKEN_RESPONSE)
        world_send(trial->world, &lease);
}

/* The port refuses one now and then: it comes back as a slot, and the account may not forget it. */
static bool send_leases(struct trial *trial)
{
    struct slot refused;
    memset(&refused, 0, sizeof refused);
    for (uint32_t i = 0; i < trial->outbox.count; i++) {
        const struct egress *record = &trial->outbox.record[i];
        if (record->kind == FRAME_TOKEN_RESPONSE)
            continue;
        trial->leases++;
        trial->above_fail_safe += record->cap_mw > trial->model->host[record->host].fail_safe_mw;
        if (!refused.kind &&
            chance_hit(dice(trial, AT_REFUSAL, record->host), trial->world->weather.refuse)) {
            refused.kind = SLOT_REFUSED;
            refused.refused = (struct slot_refused){.host = record->host, .sequence = record->sequence};
        } else {
            send_lease(trial, record, trial->epoch);
        }
    }
    return !refused.kind || feed(trial, &refused);
}

static bool once_each(struct trial *trial)
{
    for (uint32_t i = 0; i < trial->outbox.count; i++)
        for (uint32_t j = 0; j < i; j++)
            if (trial->outbox.record[i].host == trial->outbox.record[j].host &&
                trial->outbox.record[i].kind != FRAME_TOKEN_RESPONSE &&
                trial->outbox.record[j].kind != FRAME_TOKEN_RESPONSE)
                return trial_fail(trial, "two leases for host %u in one slot", trial->outbox.record[i].host);
    return true;
}

/* Flyball's part of every recovery is done in the slot of its event: S stands within the limit in force, or
 * all that can be told are at fail-safe. */
static bool cut_at_once(struct trial *trial)
{
    const struct accounts *accounts = &trial->core->accounts;
    if (trial->handed && !accounts->settled && (accounts->whole || !accounts->closed))
        return true;            /* a hand-over is not over until its meters are heard, or T_fresh is */
    for (uint32_t n = 0; n < trial->model->node_count; n++) {
        const struct ledger_sums *sums = &trial->core->ledger.node[n];
        for (uint32_t c = 0; c < trial->model->contingency_count; c++) {
            bool within = true;
            for (uint32_t p = 0; p < PHASES; p++)
                within &= sums->newest_mva[c][p] <= sums->limit_mva[c][p] ||
                          sums->newest_mva[c][p] <= sums->safe_mva[c][p];
            for (uint32_t p = 0; p < PHASES && !within; p++)
                if (sums->newest_mva[c][p] > sums->limit_mva[c][p])
                    return trial_fail(trial, "S of node %u is %lld mVA, limit %lld, at fail-safe %lld", n,
                                      (long long)sums->newest_mva[c][p], (long long)sums->limit_mva[c][p],
                                      (long long)sums->safe_mva[c][p]);
        }
    }
    return true;
}

/* The zombie hears most of what the new controller hears. */
static void feed_zombie(struct trial *trial, const struct slot *slot)
{
    if (!trial->zombie || trial->t_ns >= trial->zombie_until_ns ||
        chance_hit(dice(trial, AT_ZOMBIE, slot->kind == SLOT_REPORT ? slot->report.host : 0), 0.3))
        return;
    pipeline_step(trial->zombie, slot, &trial->twin_outbox);
    for (uint32_t i = 0; i < trial->twin_outbox.count; i++)
        send_lease(trial, &trial->twin_outbox.record[i], trial->zombie_epoch);
}

static bool twins_agree(struct trial *trial)
{
    const struct outbox *a = &trial->outbox, *b = &trial->twin_outbox;
    return a->count == b->count && a->digest_due == b->digest_due &&
           memcmp(a->record, b->record, a->count * sizeof a->record[0]) == 0 &&
           (!a->digest_due || memcmp(&a->digest, &b->digest, sizeof a->digest) == 0);
}

/* A trial apart asks of those that a slot can have changed, and of all at every tick. */
static bool exposures_agree(struct trial *trial, const struct slot *slot)
{
    if (!trial->apart || slot->kind == SLOT_TICK)
        return shadow_exposures(trial->shadow, trial->core);
    bool agree =
        slot->kind != SLOT_REPORT || shadow_exposure(trial->shadow, trial->core, slot->report.host);
    for (uint32_t i = 0; agree && i < trial->outbox.count; i++)
        if (trial->outbox.record[i].kind != FRAME_TOKEN_RESPONSE)
            agree = shadow_exposure(trial->shadow, trial->core, trial->outbox.record[i].host);
    return agree;
}

static bool feed(struct trial *trial, struct slot *slot)
{
    slot->sequence = ++trial->slots;
    slot->t_ns = slot->t_receive_ns = trial->t_ns++;
    trial->shadow->t_ns = slot->t_ns;
    if (slot->kind == SLOT_REPORT)
        shadow_report(trial->shadow, &slot->report);
    if (slot->kind == SLOT_READING)
        shadow_reading(trial->shadow, &slot->reading);
    if (trial->forge && !trial->forge(trial, slot))
        return true;            /* the core never hears of it */
    if (slot->kind == SLOT_TICK && trial->whole_every && trial->begun++ % trial->whole_every == 0 &&
        !whole_agrees(trial, slot))
        return false;
    pipeline_step(trial->core, slot, &trial->outbox);
    pipeline_expect(trial->twin, slot);
    pipeline_step(trial->twin, slot, &trial->twin_outbox);
    if (!twins_agree(trial))
        return trial_fail(trial, "the same slots gave two cores different decisions");
    if (trial->outbox.count > trial->model->host_count + (slot->kind == SLOT_TOKEN))
        return trial_fail(trial, "%u leases on one slot for %u hosts", trial->outbox.count,
                          trial->model->host_count);
    if (!shadow_leases(trial->shadow, &trial->outbox, trial->core) || !exposures_agree(trial, slot))
        return trial_fail(trial, "after a slot of kind %u: %s", slot->kind, trial->shadow->complaint);
    if (!once_each(trial) || !cut_at_once(trial))
        return false;
    bool due = trial->books_every && trial->slots % trial->books_every == 0;
    const char *problem = due ? books_balance(trial->core) : NULL;
    if (problem)
        return trial_fail(trial, "after a slot of kind %u: %s", slot->kind, problem);
    if (core_counters(trial->core)->invariant_failures)
        return trial_fail(trial, "the core counts a failed invariant of its own");
    if (core_counters(trial->core)->recovery_overdue)
        return trial_fail(trial, "a recovery is overdue, and no host known silent or bad holds it");
    feed_zombie(trial, slot);
    return send_leases(trial);
}

bool trial_feed(struct trial *trial, struct slot *slot)
{
    return feed(trial, slot);
}

void trial_leave(struct trial *trial)
{
    struct legacy *legacy = malloc(sizeof *legacy);
    if (!legacy)
        abort();
    legacy->t_ns = trial->t_ns;
    for (uint32_t h = 0; h < trial->model->host_count; h++)
        core_account(trial->core, h, &legacy->account[h]);
    for (uint32_t i = 0; i <= trial->model->meter_count; i++)
        legacy->words[i] = core_handed(trial->core, i, legacy->word[i]);
    free(trial->legacy);
    trial->legacy = legacy;
}

static bool feed_record(struct trial *trial, const struct legacy *legacy, uint32_t record)
{
    bool good = true;
    for (uint32_t first = 0; good && first < legacy->words[record]; first += HANDED_PIECE_WORDS) {
        uint32_t left = legacy->words[record] - first;
        struct slot slot;
        memset(&slot, 0, sizeof slot);
        slot.kind = SLOT_HANDED;
        slot.handed = (struct slot_handed){
            .record = record, .first = (uint8_t)first, .words = (uint8_t)legacy->words[record],
            .count = (uint8_t)(left < HANDED_PIECE_WORDS ? left : HANDED_PIECE_WORDS)};
        memcpy(slot.handed.word, &legacy->word[record][first], slot.handed.count * sizeof(int64_t));
        good = feed(trial, &slot);
    }
    return good;
}

/* Nobody has to believe what is older than D. */
bool trial_succeed(struct trial *trial)
{
    struct legacy *legacy = trial->legacy;
    bool good = true;
    trial->legacy = NULL;
    if (!legacy || trial->t_ns - legacy->t_ns > trial->model->policy.lease_ns - NS_PER_MS) {
        free(legacy);
        trial_replace(trial, 0);
        return true;
    }
    begin(trial, 0);
    shadow_hand_over(trial->shadow, trial->epoch, legacy->account);
    trial->handed++;
    for (uint32_t h = 0; good && h < trial->model->host_count; h++) {
        struct slot slot;
        memset(&slot, 0, sizeof slot);
        slot.kind = SLOT_ACCOUNT;
        slot.account = legacy->account[h];
        slot.account.age_ns = trial->t_ns - legacy->t_ns;
        good = feed(trial, &slot);
    }
    for (uint32_t i = 0; good && i <= trial->model->meter_count; i++)
        good = feed_record(trial, legacy, i);
    free(legacy);
    return good;
}

static bool feed_reports(struct trial *trial)
{
    struct slot slot;
    int64_t sent_ns;
    memset(&slot, 0, sizeof slot);
    slot.kind = SLOT_REPORT;
    while (world_receive(trial->world, &slot.report, &sent_ns)) {
        uint32_t h = slot.report.host;
        if (!feed(trial, &slot))
            return false;
        struct world_host *host = &trial->world->host[h];
        if (host->dirty && trial->shadow->host[h].at_phys_max && sent_ns >= host->reset_ns)
            host->dirty = false; /* from here the ledger must cover it */
    }
    return true;
}

/* A meter that dies or freezes does so for a while. */
static bool meter_works(struct trial *trial, uint32_t m)
{
    const struct weather *weather = &trial->world->weather;
    if (trial->apart)
        return trial->t_ns >= trial->meter_dead_until_ns[m];
    int64_t until_ns = trial->t_ns + chance_range(&trial->chance, 50, 2000) * NS_PER_MS;
    if (chance_hit(&trial->chance, weather->meter_dead / 50))
        trial->meter_dead_until_ns[m] = until_ns;
    else if (chance_hit(&trial->chance, weather->meter_frozen / 50))
        trial->meter_frozen_until_ns[m] = until_ns;
    if (chance_hit(&trial->chance, weather->feed_dark / 50))
        trial->dark_until_ns[m] = until_ns;
    return trial->t_ns >= trial->meter_dead_until_ns[m];
}

enum { WINDOW_STEPS = 8 };

bool trial_is_dead(const struct trial *trial, uint32_t n)
{
    const struct model_node *node = &trial->model->node[n];
    bool dead = node->parent_count > 0;
    if (!trial->in_force)
        return false;
    for (uint32_t i = 0; dead && i < node->parent_count; i++)
        dead = trial_is_dead(trial, node->parent[i]);
    return dead || n == trial->model->contingency[trial->in_force].lost_node;
}

double trial_load_mva(const struct trial *trial, uint32_t n, uint32_t p)
{
    const struct shadow *shadow = trial->shadow;
    double load_mva = (double)trial->model->node[n].other_mva[p] * trial->other_part[n];
    if (trial_is_dead(trial, n))
        return 0;
    for (uint32_t i = shadow->first[n]; i < shadow->first[n + 1]; i++)
        load_mva += shadow->part[i].load[trial->in_force][p] * trial->draw_mw[shadow->part[i].host];
    return load_mva;
}

static bool window_ends(const struct trial *trial, uint32_t m)
{
    uint32_t which = trial->apart ? model_node_id(trial->model, trial->model->meter[m].node) : m;
    return trial->world->t_ns / WORLD_STEP_NS % WINDOW_STEPS == which % WINDOW_STEPS;
}

static void note_windows(struct trial *trial)
{
    for (uint32_t m = 0; m < trial->model->meter_count; m++)
        for (uint32_t p = 0; p < PHASES; p++)
            trial->window_mva[m][p] += trial_load_mva(trial, trial->model->meter[m].node, p) / WINDOW_STEPS;
}

/* Lost or read, what follows is another window. */
static void begin_windows(struct trial *trial)
{
    for (uint32_t m = 0; m < trial->model->meter_count; m++)
        if (window_ends(trial, m))
            memset(trial->window_mva[m], 0, sizeof trial->window_mva[m]);
}

static bool reads_now(struct trial *trial, uint32_t m)
{
    if (trial->windowed)
        return window_ends(trial, m) && meter_works(trial, m);
    bool lends = trial->model->node[trial->model->meter[m].node].lend;
    return chance_hit(&trial->chance, lends ? 0.1 : 0.04) && meter_works(trial, m);
}

/* What comes is some windows old, and says so; false: what would come has come already, or was lost. */
static bool arrives(struct trial *trial, uint32_t m, struct reading *reading)
{
    if (!trial->held)
        return true;
    struct reading *held = &trial->held[m * LATE_WINDOWS_MAX];
    uint64_t window = (uint64_t)(trial->world->t_ns / (WINDOW_STEPS * WORLD_STEP_NS)) + LATE_WINDOWS_MAX;
    int64_t t_ns = reading->t_arrival_ns;
    reading->sequence = window;
    held[window % LATE_WINDOWS_MAX] = *reading;
    window -= trial->late_windows[m];
    *reading = held[window % LATE_WINDOWS_MAX];
    if (reading->sequence != window || window <= trial->sent[m])
        return false;
    trial->sent[m] = window;
    reading->age_ns = t_ns - reading->t_arrival_ns;
    reading->t_arrival_ns = t_ns;
    return true;
}

/* True phase loads with some noise below, now and then a meter that shows far too much. */
static bool feed_readings(struct trial *trial)
{
    struct slot slot;
    for (uint32_t m = 0; m < trial->model->meter_count; m++) {
        if (!reads_now(trial, m))
            continue;
        uint32_t n = trial->model->meter[m].node;
        memset(&slot, 0, sizeof slot);
        slot.kind = SLOT_READING;
        slot.reading = (struct reading){.meter = m,
                                        .sequence = ++trial->reading_number,
                                        .t_meter_ns = trial->t_ns,
                                        .t_arrival_ns = trial->t_ns,
                                        .crest_milli = 1414,
                                        .frequency_mhz = 60000};
        double factor = chance_hit(&trial->chance, trial->world->weather.false_alarm) ? 1.5 : 1;
        const struct weather *weather = &trial->world->weather;
        struct chance *chance = dice(trial, AT_METER, n);
        bool sags = trial->t_ns < trial->sag_until_ns[m];
        sags |= m % 2 && trial->t_ns >= weather->sag_from_ns && trial->t_ns < weather->sag_until_ns;
        for (uint32_t p = 0; p < PHASES; p++) {
            double load_mva = trial->windowed ? trial->window_mva[m][p] : trial_load_mva(trial, n, p);
            factor *= 1 - trial->world->weather.meter_low;
            slot.reading.power_mw[p] = (int64_t)(load_mva * factor * (1 - trial->low[m])) -
                                       chance_range(chance, 0, 1000);
            slot.reading.power_mw[p] = slot.reading.power_mw[p] > 0 ? slot.reading.power_mw[p] : 0;
            slot.reading.voltage_mv[p] = trial->model->node[n].volts_ln_mv *
                                         (trial->t_ns < trial->dark_until_ns[m] ||
                                                  trial_is_dead(trial, n)       ? 10
                                          : sags                                ? 70
                                                                                : 100) /
                                         100;
            slot.reading.current_ma[p] = slot.reading.power_mw[p] * 1000 / slot.reading.voltage_mv[p];
        }
        if (trial->t_ns < trial->meter_frozen_until_ns[m] && trial->last[m].sequence) {
            memcpy(slot.reading.current_ma, trial->last[m].current_ma, sizeof slot.reading.current_ma);
            memcpy(slot.reading.power_mw, trial->last[m].power_mw, sizeof slot.reading.power_mw);
            memcpy(slot.reading.voltage_mv, trial->last[m].voltage_mv, sizeof slot.reading.voltage_mv);
        }
        trial->last[m] = slot.reading;
        if (arrives(trial, m, &slot.reading) && !feed(trial, &slot))
            return false;
    }
    return true;
}

static bool feed_part(struct trial *trial)
{
    struct slot slot;
    memset(&slot, 0, sizeof slot);
    slot.kind = SLOT_TICK_PART;
    return feed(trial, &slot);
}

static bool feed_tick(struct trial *trial)
{
    struct slot slot;
    uint64_t now = (uint64_t)(trial->t_ns / trial->model->policy.tick_ns);
    if (now <= trial->tick_number)
        return !pipeline_tick_open(trial->core) || chance_hit(dice(trial, AT_PART, 0), 0.3) ||
               feed_part(trial);
    for (int parts = 0; pipeline_tick_open(trial->core); parts++)
        if (parts > PARTS_MAX || !feed_part(trial))
            return trial_fail(trial, "a tick never commits");
    memset(&slot, 0, sizeof slot);
    slot.kind = SLOT_TICK;
    slot.tick = (struct slot_tick){now, (uint32_t)(now - trial->tick_number - 1)};
    trial->tick_number = now;
    return feed(trial, &slot);
}

static bool feed_all(struct trial *trial)
{
    bool readings_first = chance_hit(dice(trial, AT_ORDER, 0), 0.5);
    if (readings_first && !feed_readings(trial))
        return false;
    if (!feed_reports(trial) || !feed_tick(trial) || (trial->also && !trial->also(trial)))
        return false;
    return readings_first || feed_readings(trial);
}

/* Every host of which the controller could know stays within its exposure. */
static bool exposures_cover(struct trial *trial)
{
    for (uint32_t h = 0; h < trial->model->host_count; h++) {
        double worst_mw = trial->worst_mw[h], exposure_mw = shadow_exposure_mw(trial->shadow, h);
        if (!trial->world->host[h].dirty && worst_mw > exposure_mw + 0.01)
            return trial_fail(trial, "host %u could draw %.1f mW, its exposure is %.1f", h, worst_mw,
                              exposure_mw);
    }
    return true;
}

static uint32_t dirty_below(const struct trial *trial, uint32_t n)
{
    uint32_t dirty = 0;
    for (uint32_t i = trial->shadow->first[n]; i < trial->shadow->first[n + 1]; i++)
        dirty += trial->world->host[trial->shadow->part[i].host].dirty;
    return dirty;
}

/* What could flow through a node is within its limit, unless D itself says recovery or more than k hosts
 * have reset unseen. */
static bool node_within(struct trial *trial, uint32_t n)
{
    const struct model *model = trial->model;
    const struct shadow *shadow = trial->shadow;
    if (dirty_below(trial, n) > model->node[n].k)
        return true;
    for (uint32_t i = 0; i < model->contingency_count * PHASES; i++) {
        uint32_t c = i / PHASES, p = i % PHASES;
        double limit = (double)model->node[n].limit_mva[c][p] + 0.01,
               flow = (double)model->node[n].other_mva[p];
        for (uint32_t part = shadow->first[n]; part < shadow->first[n + 1]; part++)
            flow += shadow->part[part].load[c][p] * trial->worst_mw[shadow->part[part].host];
        limit = fmax(limit, (double)trial->core->ledger.node[n].ceiling_mva[c][p]);
        if (flow > limit && shadow_sum_mva(trial->shadow, SHADOW_EXPOSURE, n, c, p) <= limit)
            return trial_fail(trial,
                              "%.1f mVA could flow at node %u, contingency %u, phase %u; the limit is %.1f",
                              flow, n, c, p, limit);
    }
    return true;
}

/* ---- devices heat by what truly flows ---- */

static const struct breaker_element *image_of(const struct model_node *node)
{
    bool image = node->breaker.element_count && node->breaker.element[0].law == BREAKER_IMAGE;
    return image ? &node->breaker.element[0] : NULL;
}

bool trial_is_over(const struct trial *trial, uint32_t n)
{
    const struct ledger_sums *sums = &trial->core->ledger.node[n];
    for (uint32_t i = 0; i < trial->model->contingency_count * PHASES; i++)
        if (sums->exposed_mva[i / PHASES][i % PHASES] > sums->ceiling_mva[i / PHASES][i % PHASES])
            return true;
    return false;
}

/* The cause is gone once the controller has heard of all but k; what it did is, once D has come down. */
void trial_excuse(struct trial *trial, uint32_t n)
{
    bool unseen = dirty_below(trial, n) > trial->model->node[n].k;
    trial->excused[n] = unseen || (trial->excused[n] && trial_is_over(trial, n));
}

static void heat_node(struct trial *trial, uint32_t n)
{
    const struct model_node *node = &trial->model->node[n];
    const struct breaker_element *image = image_of(node);
    trial_excuse(trial, n);
    for (uint32_t p = 0; p < PHASES && image; p++) {
        double x = trial_load_mva(trial, n, p) * 1000 / (double)node->volts_low_mv / (double)image->pickup_ma;
        double tau_ns = (double)(x * x > trial->heat[n][p] ? image->heat_ns : image->cool_ns);
        trial->heat[n][p] += (x * x - trial->heat[n][p]) * -expm1(-WORLD_STEP_NS / tau_ns);
        trial->hottest = fmax(trial->hottest, trial->heat[n][p]);
    }
}

/* What may be held for T_resp / 0.7 from the true heat; theta-hat is no less. */
static double true_admissible_mva(const struct trial *trial, uint32_t n, uint32_t p, double hold_s)
{
    const struct model_node *node = &trial->model->node[n];
    const struct breaker_element *image = image_of(node);
    double heat = trial->heat[n][p], tau_s = (double)image->heat_ns / 1e9;
    double square = heat < 0.9 ? heat + (0.9 - heat) / -expm1(-hold_s / tau_s) : 0.9;
    return sqrt(square) * (double)image->pickup_ma * (double)node->volts_low_mv / 1000;
}

/* How often more than the steady limit is leased, and on whose readings. */
static void note_lending(struct trial *trial, uint32_t n)
{
    const struct ledger_sums *sums = &trial->core->ledger.node[n];
    for (uint32_t p = 0; p < PHASES; p++) {
        bool lent =
            !trial->core->recovering && sums->newest_mva[0][p] > trial->model->node[n].limit_mva[0][p];
        trial->lent_steps += lent;
        trial->stood_in_steps += lent && permit_of(&trial->core->permits, n) != PERMIT_HELD;
    }
}

/* No device trips, nothing is lent that true heat does not bear, D is above it in recovery alone. */
static bool heat_is_borne(struct trial *trial, uint32_t n)
{
    const struct model_node *node = &trial->model->node[n];
    const struct ledger_sums *sums = &trial->core->ledger.node[n];
    const struct heat_node *known = node->meter == INDEX_NONE ? NULL : &trial->core->heat.meter[node->meter];
    bool low = trial->world->weather.meter_low > 0;
    if (!image_of(node) || trial->excused[n] || !known || !known->respond_ns || !node->lend)
        return true;
    note_lending(trial, n);
    for (uint32_t p = 0; p < PHASES; p++) {
        double may_mva = true_admissible_mva(trial, n, p, (double)known->respond_ns / 0.7e9);
        int64_t limit_mva = sums->limit_mva[0][p], steady_mva = node->limit_mva[0][p];
        if (trial->heat[n][p] >= 1 && image_of(node)->pickup_ma > node->steady_ma)
            return trial_fail(trial, "node %u trips: heat %.4f", n, trial->heat[n][p]);
        if (!low && limit_mva > steady_mva && (double)limit_mva > may_mva + 1)
            return trial_fail(trial, "node %u lends %lld mVA, %.0f is admissible", n, (long long)limit_mva,
                              may_mva);
        if (!low && !trial->core->recovering && sums->exposed_mva[0][p] > steady_mva &&
            (double)sums->exposed_mva[0][p] > may_mva + 1)
            return trial_fail(trial, "D of node %u is %lld mVA, %.0f is admissible, and no recovery", n,
                              (long long)sums->exposed_mva[0][p], may_mva);
    }
    return true;
}

/* What hosts draw, and could, since the world's last step; a slot changes neither. */
static void look_at_hosts(struct trial *trial)
{
    for (uint32_t h = 0; h < trial->model->host_count; h++) {
        trial->draw_mw[h] = world_draw_mw(trial->world, h);
        trial->worst_mw[h] = world_worst_mw(trial->world, h);
    }
}

static bool world_is_safe(struct trial *trial)
{
    bool safe = exposures_cover(trial);
    for (uint32_t n = 0; safe && n < trial->model->node_count; n++) {
        bool limited = trial->model->node[n].limited;
        if (trial->apart) {
            note_lending(trial, n);
            safe = !limited || node_within(trial, n);   /* devices are judged from outside */
            continue;
        }
        heat_node(trial, n);
        safe = !limited || (node_within(trial, n) && heat_is_borne(trial, n));
    }
    return safe;
}

bool trial_run(struct trial *trial, int64_t duration_ns, double stalls, double takeovers)
{
    for (int64_t end_ns = trial->world->t_ns + duration_ns; trial->world->t_ns < end_ns;) {
        world_step(trial->world);
        look_at_hosts(trial);
        if (trial->t_ns < trial->world->t_ns)
            trial->t_ns = trial->world->t_ns;
        if (chance_hit(&trial->chance, stalls * WORLD_STEP_NS / 1e9))
            trial->stalled_until_ns = trial->t_ns + chance_range(&trial->chance, 1, 2500) * NS_PER_MS;
        if (chance_hit(&trial->chance, takeovers * WORLD_STEP_NS / 1e9))
            start_controller(trial);
        if (trial->windowed)
            note_windows(trial);
        if (trial->t_ns >= trial->stalled_until_ns && !feed_all(trial))
            return false;
        if (trial->windowed)
            begin_windows(trial);
        if (!world_is_safe(trial))
            return false;
    }
    return true;
}

/* X = (D / (1 - rho) + A)(1 + rho), safety.md section 3. */
static int64_t fail_safe_within_ns(const struct model *model, const struct model_host_type *type)
{
    double rho = (double)model->policy.rho_ppm / 1e6;
    return (int64_t)(((double)model->policy.lease_ns / (1 - rho) + (double)type->actuation_ns) * (1 + rho));
}

/* A write in flight takes longer than A allows. */
static bool is_stalled(const struct trial *trial, uint32_t h)
{
    const struct world_host *host = &trial->world->host[h];
    return host->stall_ns || (host->write_mw >= 0 &&
                              host->write_done_ns - trial->world->t_ns > host->type->actuation_ns / 2);
}

bool trial_stop(struct trial *trial)
{
    bool obeys[BUILT_HOSTS_MAX];
    int64_t stop_ns = trial->world->t_ns;
    world_calm(trial->world);
    for (uint32_t h = 0; h < trial->model->host_count; h++)
        obeys[h] = trial->world->host[h].alive && !trial->world->host[h].at_default &&
                   !trial->world->host[h].notice_ns && !is_stalled(trial, h);
    while (trial->world->t_ns < stop_ns + 4 * NS_PER_S) {
        world_step(trial->world);
        for (uint32_t h = 0; h < trial->model->host_count; h++) {
            const struct world_host *host = &trial->world->host[h];
            double safe_mw = model_wall_mw(host->type, (double)host->config.fail_safe_mw);
            bool due = trial->world->t_ns > stop_ns + fail_safe_within_ns(trial->model, host->type);
            if (obeys[h] && due && world_worst_mw(trial->world, h) > safe_mw + 0.01)
                return trial_fail(trial, "host %u above fail-safe %lld ms after the controller stopped", h,
                                  (long long)((trial->world->t_ns - stop_ns) / NS_PER_MS));
        }
    }
    return true;
}
