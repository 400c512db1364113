/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/controller.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"

int controller_init(struct controller *controller, const struct controller_setup *setup, uint64_t epoch,
                    uint32_t serial, int64_t t_ns)
{
    const struct model *model = setup->model;
    *controller = (struct controller){.setup = setup, .epoch = epoch, .serial = serial};
    controller->meter_window = calloc(model->meter_count + 1, sizeof *controller->meter_window);
    controller->host_window = calloc(model->host_count + 1, sizeof *controller->host_window);
    controller->age = calloc(model->meter_count + 1, sizeof *controller->age);
    controller->frame_sequence = calloc(model->host_count + 1, sizeof *controller->frame_sequence);
    controller->outbox.capacity = model->host_count;
    controller->outbox.record = calloc(model->host_count + 1, sizeof *controller->outbox.record);
    void *memory = aligned_alloc(64, (core_bytes(model) + 63) / 64 * 64);
    if (memory)
        controller->core = core_init(memory, model, epoch, t_ns);
    if (!controller->core || !controller->meter_window || !controller->host_window || !controller->age ||
        !controller->frame_sequence || !controller->outbox.record)
        return -ENOMEM;
    for (uint32_t m = 0; m < model->meter_count; m++)
        controller->age[m].period_ns = model->meter[m].period_ns;
    if (setup->learns_no_other)
        controller->core->residual.meters = 0;
    if (t_ns > 0 && model->policy.tick_ns > 0)
        controller->tick = (uint64_t)(t_ns / model->policy.tick_ns) + 1;
    return 0;
}

void controller_finish(struct controller *controller)
{
    free(controller->core);
    free(controller->meter_window);
    free(controller->host_window);
    free(controller->age);
    free(controller->frame_sequence);
    free(controller->outbox.record);
    free(controller->waiting);
    *controller = (struct controller){.dead = true};
}

/* ---- out ---- */

static void fill_answer(const struct egress *egress, struct token_response *response)
{
    *response = (struct token_response){
        .host = egress->host,
        .reason = egress->why,
        .request = egress->echo,
        .granted_mw = egress->cap_mw,
        .alternative_mw = (int64_t)egress->floor_w * 1000,
        .retry_after_ns = (int64_t)egress->duration_us * NS_PER_US,
    };
}

static void fill_lease(const struct controller *controller, const struct egress *egress, struct lease *lease)
{
    int64_t lease_ns = controller->setup->lease_ns;
    *lease = (struct lease){
        .host = egress->host,
        .flags = egress->flags | (egress->kind == FRAME_CLAIM ? LEASE_CLAIM : 0u),
        .incarnation = egress->incarnation,
        .epoch = controller->epoch,
        .sequence = egress->sequence,
        .echo = egress->echo,
        .cap_mw = egress->cap_mw,
        .floor_mw = (int64_t)egress->floor_w * 1000,
        .duration_ns = lease_ns ? lease_ns : (int64_t)egress->duration_us * NS_PER_US,
    };
}

static void send(struct controller *controller, const struct egress *egress, int64_t t_ns)
{
    struct message message = {.kind = egress->kind, .index = egress->host,
                              .sequence = ++controller->frame_sequence[egress->host]};
    if (egress->kind == FRAME_TOKEN_RESPONSE)
        fill_answer(egress, &message.response);
    else
        fill_lease(controller, egress, &message.lease);
    controller->setup->send(controller->setup->user, controller, &message, t_ns);
}

/* ---- in ---- */

/* Arbitration gives out a little less than what may be lent. */
static void ask_for_all(struct core *core, uint32_t host)
{
    core->cluster.target_mw[host] = core->model->type[core->model->host[host].type].cap_max_mw;
}

static void step(struct controller *controller, struct slot *slot, int64_t t_ns)
{
    slot->sequence = ++controller->slot_sequence;
    slot->t_ns = t_ns;
    slot->t_receive_ns = t_ns;
    if (controller->setup->greedy && slot->kind == SLOT_REPORT)
        ask_for_all(controller->core, slot->report.host);
    pipeline_step(controller->core, slot, &controller->outbox);
    for (uint32_t i = 0; i < controller->outbox.count; i++)
        send(controller, &controller->outbox.record[i], t_ns);
}

static void enter_tick(struct controller *controller, uint64_t number, int64_t t_ns)
{
    uint64_t missed = number - controller->tick;
    struct slot slot = {.kind = SLOT_TICK, .tick = {.number = number, .missed = (uint32_t)missed}};
    step(controller, &slot, t_ns);
    while (pipeline_tick_open(controller->core)) {
        struct slot part = {.kind = SLOT_TICK_PART};
        step(controller, &part, t_ns);
    }
    controller->tick = number + 1;
}

void controller_time(struct controller *controller, int64_t t_ns)
{
    int64_t tick_ns = controller->setup->model->policy.tick_ns;
    if (controller->dead || controller->paused || tick_ns <= 0)
        return;
    while ((int64_t)controller->tick * tick_ns <= t_ns)
        enter_tick(controller, controller->tick, (int64_t)controller->tick * tick_ns);
}

/* As loop/lane.c: sequence, age, and what is too old is not admitted. */
static void take_reading(struct controller *controller, const struct message *message, int64_t t_ns)
{
    const struct model *model = controller->setup->model;
    const struct model_meter *meter = &model->meter[message->index];
    struct slot slot = {.kind = SLOT_READING};
    if (replay_admit(&controller->meter_window[message->index], message->sequence, t_ns) != ACCEPTED)
        return;
    struct age *age = &controller->age[message->index];
    int64_t age_ns = age_observe(age, t_ns, 0, message->reading.t_meter_ns);
    age->stepped = false;
    if (age_ns > meter->fresh_ns - model->policy.age_bound_ns)
        return;
    slot.reading = message->reading;
    slot.reading.t_arrival_ns = controller->setup->realtime_ns + t_ns;
    slot.reading.age_ns = age_ns + model->policy.age_bound_ns;
    if (t_ns < age->doubted_until_ns)
        slot.reading.flags |= READING_UNSURE;
    step(controller, &slot, t_ns);
}

static void take_host(struct controller *controller, const struct message *message, int64_t t_ns)
{
    struct slot slot = {.kind = message->kind == FRAME_REPORT ? SLOT_REPORT : SLOT_TOKEN};
    if (replay_admit(&controller->host_window[message->index], message->sequence, t_ns) != ACCEPTED)
        return;
    if (message->kind == FRAME_REPORT)
        slot.report = message->report;
    else
        slot.token = message->request;
    step(controller, &slot, t_ns);
}

static void take(struct controller *controller, const struct message *message, int64_t t_ns)
{
    if (message->kind == FRAME_MEASUREMENT)
        take_reading(controller, message, t_ns);
    else if (message->kind == FRAME_REPORT || message->kind == FRAME_TOKEN_REQUEST)
        take_host(controller, message, t_ns);
}

/* ---- one that stands still ---- */

static void put_aside(struct controller *controller, const struct controller_input *input)
{
    if (controller->waiting_count == controller->waiting_room) {
        uint32_t room = controller->waiting_room ? 2 * controller->waiting_room : 256;
        struct controller_input *more = room > CONTROLLER_WAITING_MAX
                                   ? NULL
                                   : realloc(controller->waiting, room * sizeof *more);
        if (!more) {
            controller->missed++;
            return;
        }
        controller->waiting = more;
        controller->waiting_room = room;
    }
    controller->waiting[controller->waiting_count++] = *input;
}

void controller_hear(struct controller *controller, const struct message *message, int64_t t_ns)
{
    if (controller->dead)
        return;
    if (controller->paused) {
        put_aside(controller, &(struct controller_input){.message = *message});
        return;
    }
    controller_time(controller, t_ns);
    take(controller, message, t_ns);
}

void controller_order(struct controller *controller, const struct slot_order *order, int64_t t_ns)
{
    struct slot slot = {.kind = SLOT_ORDER, .order = *order};
    if (controller->dead)
        return;
    if (controller->paused)
        put_aside(controller, &(struct controller_input){.is_order = true, .order = *order});
    else
        step(controller, &slot, t_ns);
}

void controller_pause(struct controller *controller)
{
    controller->paused = true;
}

/* One tick stands for all that a stall swallowed, and a frame that waited was received when it ended. */
void controller_resume(struct controller *controller, int64_t t_ns)
{
    int64_t tick_ns = controller->setup->model->policy.tick_ns;
    if (!controller->paused || controller->dead)
        return;
    controller->paused = false;
    if (tick_ns > 0 && (int64_t)controller->tick * tick_ns <= t_ns)
        enter_tick(controller, (uint64_t)(t_ns / tick_ns), t_ns);
    for (uint32_t i = 0; i < controller->waiting_count; i++) {
        const struct controller_input *input = &controller->waiting[i];
        if (input->is_order)
            controller_order(controller, &input->order, t_ns);
        else
            take(controller, &input->message, t_ns);
    }
    controller->waiting_count = 0;
}

/* ---- one after the other ---- */

static void hand_record(struct controller *controller, uint32_t number, const int64_t *word, uint32_t words,
                        int64_t t_ns)
{
    for (uint32_t first = 0; first < words; first += HANDED_PIECE_WORDS) {
        uint32_t left = words - first, count = left < HANDED_PIECE_WORDS ? left : HANDED_PIECE_WORDS;
        struct slot slot = {.kind = SLOT_HANDED,
                            .handed = {.record = number, .first = (uint8_t)first, .count = (uint8_t)count,
                                       .words = (uint8_t)words}};
        memcpy(slot.handed.word, &word[first], count * sizeof *word);
        step(controller, &slot, t_ns);
    }
}

void controller_take_over(struct controller *controller, struct controller *before, int64_t gap_ns,
                          int64_t t_ns)
{
    const struct model *model = controller->setup->model;
    int64_t word[HANDED_WORDS_MAX];
    if (gap_ns > model->policy.lease_ns || core_counters(before->core)->newer_epochs)
        return;
    for (uint32_t h = 0; h < model->host_count; h++) {
        struct slot slot = {.kind = SLOT_ACCOUNT};
        core_account(before->core, h, &slot.account);
        slot.account.age_ns = gap_ns;
        step(controller, &slot, t_ns);
    }
    for (uint32_t i = 0; i <= model->meter_count; i++)
        hand_record(controller, i, word, core_handed(before->core, i, word), t_ns);
    for (uint32_t m = 0; m < model->meter_count; m++) {
        if (before->age[m].bucket)
            age_resume(&controller->age[m], age_floor(&before->age[m]), t_ns);
        controller->age[m].doubted_until_ns = before->age[m].doubted_until_ns;
    }
}
