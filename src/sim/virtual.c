/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/virtual.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "core/measure.h"
#include "core/pipeline.h"
#include "sim/mailbox.h"
#include "sim/station.h"
#include "wire/cap.h"
#include "wire/frame.h"
#include "wire/upmu.h"

/* Virtual runs are the same on every day: their UTC starts here (2026-01-01). */
#define VIRTUAL_EPOCH_NS INT64_C(1767225600000000000)

struct loop {
    const struct model *model;
    const struct virtual_config *config;
    struct plant plant;
    struct station station;
    struct mailbox mailbox;
    struct core *core;
    struct outbox outbox;
    struct replay_window *meter_window, *host_window;
    uint64_t slot_sequence, tick, epoch;
    uint64_t *frame_sequence;           /* of leases, by host */
    bool deaf, handed;                  /* between two controllers; the second one runs */
};

static void post(struct loop *loop, enum virtual_to to, uint32_t index, const uint8_t *data, uint32_t bytes,
                 int64_t t_ns)
{
    const struct virtual_watch *watch = loop->config->watch;
    int64_t later_ns = watch ? watch->post(watch->user, to, index, t_ns) : 0;
    if (later_ns != VIRTUAL_LOST)
        mailbox_post(&loop->mailbox, (uint8_t)to, index, data, bytes, t_ns + later_ns);
}

static void post_up(void *user, enum station_sender sender, uint32_t index, const uint8_t *data,
                    uint32_t bytes)
{
    struct loop *loop = user;
    enum virtual_to to = sender == STATION_METER ? TO_CONTROLLER_METER : TO_CONTROLLER_HOST;
    post(loop, to, index, data, bytes, loop->plant.t_ns);
}

static uint32_t encode_answer(const struct egress *egress, uint8_t *body, uint32_t room)
{
    struct token_response response = {
        .host = egress->host,
        .reason = egress->why,
        .request = egress->echo,
        .granted_mw = egress->cap_mw,
        .alternative_mw = (int64_t)egress->floor_w * 1000,
        .retry_after_ns = (int64_t)egress->duration_us * NS_PER_US,
    };
    return token_response_encode(&response, body, room);
}

static uint32_t encode_lease(const struct loop *loop, const struct egress *egress, uint8_t *body,
                             uint32_t room)
{
    struct lease lease = {
        .host = egress->host,
        .flags = egress->flags | (egress->kind == FRAME_CLAIM ? LEASE_CLAIM : 0u),
        .incarnation = egress->incarnation,
        .epoch = loop->epoch,
        .sequence = egress->sequence,
        .echo = egress->echo,
        .cap_mw = egress->cap_mw,
        .floor_mw = (int64_t)egress->floor_w * 1000,
        .duration_ns = loop->config->lease_ns ? loop->config->lease_ns
                                              : (int64_t)egress->duration_us * NS_PER_US,
    };
    return lease_encode(&lease, body, room);
}

static void post_down(struct loop *loop, const struct egress *egress, int64_t t_ns)
{
    uint8_t data[DATAGRAM_MAX], *body = data + FRAME_HEADER_BYTES;
    uint32_t room = DATAGRAM_MAX - FRAME_HEADER_BYTES;
    struct frame frame = {
        .kind = egress->kind, .sender = egress->host, .sequence = ++loop->frame_sequence[egress->host],
        .body_bytes = egress->kind == FRAME_TOKEN_RESPONSE ? encode_answer(egress, body, room)
                                                           : encode_lease(loop, egress, body, room),
    };
    uint32_t bytes = frame.body_bytes ? frame_encode(data, &frame) : 0;
    if (bytes)
        post(loop, TO_HOST, egress->host, data, bytes, t_ns);
}

/* Arbitration gives out a little less than what may be lent. */
static void ask_for_all(struct core *core, uint32_t host)
{
    core->cluster.target_mw[host] = core->model->type[core->model->host[host].type].cap_max_mw;
}

static void step_core(struct loop *loop, struct slot *slot, int64_t t_ns)
{
    slot->sequence = ++loop->slot_sequence;
    slot->t_ns = t_ns;
    slot->t_receive_ns = t_ns;
    if (loop->config->greedy && slot->kind == SLOT_REPORT)
        ask_for_all(loop->core, slot->report.host);
    pipeline_step(loop->core, slot, &loop->outbox);
    for (uint32_t i = 0; i < loop->outbox.count; i++) {
        const struct egress *record = &loop->outbox.record[i];
        if (loop->handed && record->kind != FRAME_TOKEN_RESPONSE &&
            loop->config->handover->first_mw[record->host] < 0)
            loop->config->handover->first_mw[record->host] = record->cap_mw;
        post_down(loop, record, t_ns);
    }
}

static struct core *begin_core(const struct loop *loop, void *memory, const struct model *believed,
                               int64_t t_ns)
{
    struct core *core = core_init(memory, believed, loop->epoch, t_ns);
    if (loop->config->learns_no_other)
        core->residual.meters = 0;
    return core;
}

/* ---- one controller after the other ---- */

static void note_before(struct loop *loop)
{
    struct virtual_handover *handover = loop->config->handover;
    struct core_host_view host;
    struct core_node_view node;
    for (uint32_t h = 0; h < loop->model->host_count; h++) {
        core_host_view(loop->core, h, &host);
        handover->had_mw[h] = host.lease_mw;
        handover->first_mw[h] = -1;
    }
    for (uint32_t n = 0; n < loop->model->node_count; n++) {
        core_node_view(loop->core, n, &node);
        int64_t steady_mva = loop->model->node[n].limit_mva[node.newest.contingency][node.newest.phase];
        handover->lending += loop->model->node[n].limited && node.newest.sum_mva > steady_mva;
    }
}

static void hand_record(struct loop *loop, uint32_t number, const int64_t *word, uint32_t words)
{
    for (uint32_t first = 0; first < words; first += HANDED_PIECE_WORDS) {
        uint32_t left = words - first, count = left < HANDED_PIECE_WORDS ? left : HANDED_PIECE_WORDS;
        struct slot slot = {.kind = SLOT_HANDED,
                            .handed = {.record = number, .first = (uint8_t)first, .count = (uint8_t)count,
                                       .words = (uint8_t)words}};
        memcpy(slot.handed.word, &word[first], count * sizeof *word);
        step_core(loop, &slot, loop->plant.t_ns);
    }
}

static int replace_core(struct loop *loop)
{
    const struct model *believed = loop->config->believed ? loop->config->believed : loop->model;
    struct core *before = loop->core;
    int64_t word[HANDED_WORDS_MAX], t_ns = loop->plant.t_ns;
    void *memory = aligned_alloc(64, (core_bytes(believed) + 63) / 64 * 64);
    if (!memory)
        return -ENOMEM;
    loop->epoch++;
    loop->core = begin_core(loop, memory, believed, t_ns);
    for (uint32_t h = 0; h < believed->host_count; h++) {
        struct slot slot = {.kind = SLOT_ACCOUNT};
        core_account(before, h, &slot.account);
        slot.account.age_ns = loop->config->handover->gap_ns;
        step_core(loop, &slot, t_ns);
    }
    for (uint32_t i = 0; i <= believed->meter_count; i++)
        hand_record(loop, i, word, core_handed(before, i, word));
    free(before);
    memset(loop->meter_window, 0, believed->meter_count * sizeof *loop->meter_window);
    memset(loop->host_window, 0, believed->host_count * sizeof *loop->host_window);
    loop->tick = (uint64_t)(t_ns / believed->policy.tick_ns) + 1;
    loop->deaf = false;
    loop->handed = true;
    return 0;
}

static int succeed(struct loop *loop)
{
    const struct virtual_handover *handover = loop->config->handover;
    int64_t t_ns = loop->plant.t_ns;
    if (!handover || loop->handed || t_ns < handover->at_ns)
        return 0;
    if (!loop->deaf)
        note_before(loop);
    loop->deaf = true;
    return t_ns >= handover->at_ns + handover->gap_ns ? replace_core(loop) : 0;
}

static void give_order(struct loop *loop, const struct virtual_config *config)
{
    struct slot slot = {.kind = SLOT_ORDER};
    if (!config->order || loop->plant.t_ns != config->order_ns)
        return;
    slot.order = *config->order;
    step_core(loop, &slot, loop->plant.t_ns);
}

static void tick_until(struct loop *loop, int64_t t_ns)
{
    int64_t tick_ns = loop->model->policy.tick_ns;
    while (!loop->deaf && tick_ns > 0 && (int64_t)loop->tick * tick_ns <= t_ns) {
        struct slot slot = {.kind = SLOT_TICK, .tick = {.number = loop->tick}};
        int64_t at_ns = (int64_t)loop->tick * tick_ns;
        step_core(loop, &slot, at_ns);
        while (pipeline_tick_open(loop->core)) {
            struct slot part = {.kind = SLOT_TICK_PART};
            step_core(loop, &part, at_ns);
        }
        loop->tick++;
    }
}

static void take_measurement(struct loop *loop, const struct frame *frame, const struct mail *mail)
{
    struct slot slot = {.kind = SLOT_READING};
    const struct model_meter *meter = &loop->model->meter[mail->index];
    struct upmu upmu;
    if (upmu_decode(frame->body, frame->body_bytes, &upmu) != ACCEPTED)
        return;
    if (replay_admit(&loop->meter_window[mail->index], frame->sequence, mail->t_ns) != ACCEPTED)
        return;
    if (measure_reading(&upmu, &loop->model->node[meter->node], &slot.reading))
        return;
    slot.reading.meter = mail->index;
    slot.reading.sequence = frame->sequence;
    slot.reading.t_arrival_ns = VIRTUAL_EPOCH_NS + mail->t_ns;
    slot.reading.age_ns =
        slot.reading.t_arrival_ns - slot.reading.t_meter_ns + loop->model->policy.age_bound_ns;
    if (slot.reading.t_arrival_ns - slot.reading.t_meter_ns <= meter->fresh_ns)
        step_core(loop, &slot, mail->t_ns);
}

static void take_report(struct loop *loop, const struct frame *frame, const struct mail *mail)
{
    struct slot slot = {.kind = SLOT_REPORT};
    if (report_decode(frame->body, frame->body_bytes, &slot.report) != ACCEPTED)
        return;
    if (replay_admit(&loop->host_window[frame->sender], frame->sequence, mail->t_ns) != ACCEPTED)
        return;
    slot.report.host = frame->sender;
    step_core(loop, &slot, mail->t_ns);
}

static void take_request(struct loop *loop, const struct frame *frame, const struct mail *mail)
{
    struct slot slot = {.kind = SLOT_TOKEN};
    if (token_request_decode(frame->body, frame->body_bytes, &slot.token) != ACCEPTED)
        return;
    if (replay_check(&loop->host_window[frame->sender], frame->sequence) != ACCEPTED)
        return;
    slot.token.host = frame->sender;
    step_core(loop, &slot, mail->t_ns);
}

static void deliver(struct loop *loop, const struct mail *mail)
{
    struct frame frame;
    if (mail->to == TO_HOST) {
        station_receive(&loop->station, mail->index, mail->data, mail->bytes, mail->t_ns);
        return;
    }
    if (loop->deaf)
        return;
    tick_until(loop, mail->t_ns);
    if (frame_decode(mail->data, mail->bytes, &frame) != ACCEPTED || frame.sender >= loop->model->host_count)
        return;
    if (frame.kind == FRAME_MEASUREMENT)
        take_measurement(loop, &frame, mail);
    else if (frame.kind == FRAME_TOKEN_REQUEST)
        take_request(loop, &frame, mail);
    else
        take_report(loop, &frame, mail);
}

static int open_loop(struct loop *loop, const struct workload *workload, const struct virtual_config *config)
{
    const struct model *model = loop->model, *believed = config->believed ? config->believed : model;
    uint32_t meter_mails = config->watch ? 256 : 2;     /* a watch may hold seconds of readings back */
    size_t bytes = (core_bytes(believed) + 63) / 64 * 64;
    int result = plant_init(&loop->plant, model, workload, PLANT_VIRTUAL);
    if (!result)
        result = station_init(&loop->station, &loop->plant, VIRTUAL_EPOCH_NS);
    if (!result)
        result = mailbox_init(&loop->mailbox, 8 * model->host_count + meter_mails * model->meter_count + 64,
                              workload->seed);
    loop->mailbox.delay_ns = workload->network.delay_ns;
    loop->mailbox.jitter_ns = workload->network.jitter_ns;
    loop->mailbox.loss = config->loss;
    loop->epoch = config->epoch;
    loop->meter_window = calloc(model->meter_count + 1, sizeof(*loop->meter_window));
    loop->host_window = calloc(model->host_count + 1, sizeof(*loop->host_window));
    loop->frame_sequence = calloc(model->host_count + 1, sizeof(*loop->frame_sequence));
    loop->outbox.capacity = model->host_count;
    loop->outbox.record = calloc(model->host_count + 1, sizeof(*loop->outbox.record));
    void *memory = aligned_alloc(64, bytes);
    if (memory)
        loop->core = begin_core(loop, memory, believed, 0);
    bool all = loop->meter_window && loop->host_window && loop->frame_sequence && loop->outbox.record &&
        loop->core;
    return result ? result : all ? 0 : -ENOMEM;
}

static void close_loop(struct loop *loop)
{
    free(loop->core);
    free(loop->meter_window);
    free(loop->host_window);
    free(loop->frame_sequence);
    free(loop->outbox.record);
    mailbox_finish(&loop->mailbox);
    station_finish(&loop->station);
    plant_finish(&loop->plant);
}

int virtual_run(const struct model *model, const struct workload *workload,
                const struct virtual_config *config, struct outcome *outcome)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    struct mail mail;
    if (!loop)
        return -ENOMEM;
    loop->model = model;
    loop->config = config;
    int result = open_loop(loop, workload, config);
    while (!result && loop->plant.t_ns < config->duration_ns) {
        if (config->watch)
            config->watch->step(config->watch->user, &loop->plant, loop->core);
        result = succeed(loop);
        plant_step(&loop->plant, NULL, NULL);
        station_step(&loop->station, post_up, loop);
        give_order(loop, config);
        while (mailbox_take(&loop->mailbox, loop->plant.t_ns + PLANT_STEP_NS - 1, &mail))
            deliver(loop, &mail);
        tick_until(loop, loop->plant.t_ns + PLANT_STEP_NS - 1);
    }
    if (!result) {
        plant_hand_over(&loop->plant, outcome);
        outcome->governor = *core_counters(loop->core);
        outcome->lost = loop->mailbox.lost;
    }
    close_loop(loop);
    free(loop);
    return result;
}
