/* SPDX-License-Identifier: Apache-2.0 */
#include "truth.h"

#include <string.h>

void lay_out(struct truth *truth)
{
    memset(truth, 0, sizeof *truth);
    stand_site(&truth->stand);
    for (uint32_t n = 0; n < STAND_NODES; n++)
        for (uint32_t i = 0; i < 2 * PHASES; i++)
            truth->stand.node[n].limit_mva[i / PHASES][i % PHASES] = n == MAIN ? 100 * KW : 20 * KW;
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        truth->draw_mw[h] = 4 * KW;
    truth->told_percent = 100;
}

void lay_out_dual(struct truth *truth, uint32_t share_ppm, uint32_t witness)
{
    lay_out(truth);
    struct stand *stand = &truth->stand;
    truth->dual = true;
    stand->model.policy.feed_stable_ns = 60 * NS_PER_S;
    stand->model.contingency_count = 2;
    stand->model.contingency[LOSS] =
        (struct model_contingency){.name = "lose A", .kind = CONTINGENCY_LOSS, .lasting = 1,
                                   .lost_node = BRANCH_A, .witness = witness};
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        struct model_host *host = &stand->host_model[h];
        host->cord_count = 2;
        host->cord[0].node = BRANCH_A;
        host->cord[1] = host->cord[0];
        host->cord[1].node = BRANCH_B;
        host->cord[0].share_ppm[0] = host->cord[1].share_ppm[0] = share_ppm;
        host->cord[0].share_ppm[LOSS] = 0;
        host->cord[1].share_ppm[LOSS] = 1000000;
        truth->draw_mw[h] = 2 * KW;
    }
}

void open_truth(struct truth *truth)
{
    stand_start(&truth->stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        truth->stand.host[h].draw_mw = truth->draw_mw[h];
        stand_admit(&truth->stand, h);
    }
}

static bool is_high(const struct truth *truth)
{
    return !truth->steps || truth->step % truth->steps < truth->high_steps;
}

static int64_t draws_mw(const struct truth *truth, uint32_t host)
{
    int64_t mw = truth->draw_mw[host], cap_mw = truth->stand.host[host].last.cap_mw;
    if (truth->obeys && cap_mw < mw)
        mw = cap_mw - cap_mw / 100;
    return is_high(truth) ? mw : mw * truth->low_percent / 100;
}

static void add_halves(int64_t on_mw[STAND_NODES], int64_t mw)
{
    on_mw[BRANCH_A] += mw / 2;
    on_mw[BRANCH_B] += mw / 2;
}

static void flow(struct truth *truth)
{
    int64_t on_mw[STAND_NODES] = {truth->other_mw[MAIN], truth->other_mw[BRANCH_A],
                                  truth->other_mw[BRANCH_B]};
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        int64_t mw = draws_mw(truth, h);
        if (truth->lost || truth->host_lost[h])
            on_mw[BRANCH_B] += mw;
        else if (truth->dual)
            add_halves(on_mw, mw);
        else
            on_mw[BRANCH_A + h / 2] += mw;
    }
    if (!truth->afar)
        on_mw[MAIN] += on_mw[BRANCH_A] + on_mw[BRANCH_B];
    for (uint32_t n = 0; n < STAND_NODES; n++)
        truth->flowed_mw[n] += on_mw[n];
}

/* A meter that works never reads the same twice. */
static void read_meter(struct truth *truth, uint32_t n)
{
    int64_t mw = truth->flowed_mw[n] / STEPS_OF_READING;
    truth->flowed_mw[n] = 0;
    if (truth->mute[n])
        return;
    mw += mw * truth->error_ppm[n] / 1000000 + (int64_t)(truth->step / 2 % 2 ? 1000 : -1000);
    uint32_t every = truth->unsure_every[n];
    if (every)      /* nor before and behind a spoilt one */
        mw += (int64_t)(truth->step / STEPS_OF_READING % 7) * 100;
    if (truth->frozen[n])
        mw = truth->last_mw[n];
    truth->last_mw[n] = mw;
    struct slot slot;
    memset(&slot, 0, sizeof slot);
    slot.kind = SLOT_READING;
    bool unsure = every && truth->step / STEPS_OF_READING % every == 0;
    slot.reading = (struct reading){.meter = n, .flags = unsure ? READING_UNSURE : 0,
                                    .sequence = ++truth->stand.readings,
                                    .t_meter_ns = truth->stand.t_ns, .t_arrival_ns = truth->stand.t_ns,
                                    .crest_milli = 1414, .frequency_mhz = 60000};
    for (uint32_t p = 0; p < PHASES; p++) {
        slot.reading.power_mw[p] = truth->dead[n] ? 0 : mw;
        slot.reading.voltage_mv[p] = truth->dead[n] ? 0 : 100000;
        slot.reading.current_ma[p] = truth->dead[n] ? (int64_t)(truth->step % 7) : mw / 100;
    }
    stand_step(&truth->stand, &slot);
}

static bool is_report_due(const struct truth *truth, uint32_t h)
{
    if (truth->in_step)
        return truth->step % STEPS_OF_REPORT == STEPS_OF_REPORT - 1;
    return truth->step % STEPS_OF_REPORT == 5 * h + 1;
}

void pass(struct truth *truth, int64_t ns)
{
    struct stand *stand = &truth->stand;
    for (int64_t end_ns = stand->t_ns + ns; stand->t_ns < end_ns; truth->step++) {
        flow(truth);
        stand->t_ns += STEP_NS;
        for (uint32_t n = 0; truth->step % STEPS_OF_READING == 1 && n < STAND_NODES; n++)
            read_meter(truth, n);
        for (uint32_t h = 0; h < STAND_HOSTS; h++) {
            if (stand->host[h].mute || !is_report_due(truth, h))
                continue;
            stand->host[h].draw_mw = draws_mw(truth, h) * truth->told_percent / 100;
            struct report report = stand_report_of(stand, h, HOST_LEASED, A_NS);
            if (truth->obeys && report.draw_mw < truth->draw_mw[h])
                report.flags |= REPORT_AT_CAP;
            report.psu_inputs = truth->psu_inputs[h];
            stand_report(stand, &report);
        }
        if (truth->step % STEPS_OF_TICK == 0 && !truth->no_ticks)
            stand_tick(stand);
    }
}

int64_t learnt(const struct truth *truth, uint32_t n)
{
    return residual_learnt_mva(&truth->stand.core->residual, n, 0);
}

const struct residual *residual(const struct truth *truth)
{
    return &truth->stand.core->residual;
}

void pass_until_learnt(struct truth *truth, uint32_t node)
{
    int64_t before_mva = learnt(truth, node);
    truth->no_ticks = true;
    for (uint32_t i = 0; i < 5000 && learnt(truth, node) <= before_mva; i++) {
        struct slot slot = {.kind = SLOT_TICK_PART};
        pass(truth, STEP_NS);
        stand_step(&truth->stand, &slot);
    }
    truth->no_ticks = false;
}
