/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/virtual.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/judge.h"
#include "sim/mailbox.h"
#include "sim/network.h"
#include "sim/plant_fault.h"
#include "sim/station_fault.h"

/* Virtual runs are the same on every day: their UTC starts here (2026-01-01). */
#define VIRTUAL_EPOCH_NS INT64_C(1767225600000000000)

enum { TO_HOSTS = 0 };          /* of mail; other numbers are serials of controllers */

struct loop {
    const struct model *model;
    const struct virtual_config *config;
    struct plant plant;
    struct station station;
    struct mailbox mailbox;
    struct network network;
    struct succession succession;
    struct judge judge;
    uint32_t begun;                     /* faults of the history */
    uint32_t *standing, standing_count; /* of these, not yet ended */
    int64_t next_end_ns;
    bool handed;                        /* the second controller runs */
};

/* ---- the network ---- */

static bool through_the_wire(const struct loop *loop, const struct message *message, struct message *read)
{
    uint8_t data[DATAGRAM_MAX];
    uint32_t bytes = message_encode(message, data);
    uint32_t meter = message->kind == FRAME_MEASUREMENT ? message->index : INDEX_NONE;
    return bytes && message_decode(data, bytes, loop->model, meter, read);
}

static void post(struct loop *loop, const struct controller *controller, bool up,
                 const struct message *message, int64_t t_ns)
{
    const struct virtual_watch *watch = loop->config->watch;
    bool meter = message->kind == FRAME_MEASUREMENT;
    enum virtual_to to = !up ? TO_HOST : meter ? TO_CONTROLLER_METER : TO_CONTROLLER_HOST;
    uint32_t box = up ? controller->serial : TO_HOSTS;
    struct network_fate fate = network_fate(&loop->network, meter, message->index, up);
    int64_t later_ns = watch ? watch->post(watch->user, to, message->index, t_ns) : 0;
    if (later_ns == VIRTUAL_LOST)
        return;
    if (fate.lost || (!meter && succession_parts(&loop->succession, controller, message->index, up))) {
        loop->mailbox.lost++;
        return;
    }
    t_ns += later_ns + fate.later_ns;
    mailbox_post(&loop->mailbox, box, message->index, message, t_ns);
    if (fate.twice)
        mailbox_post(&loop->mailbox, box, message->index, message, t_ns + fate.again_ns);
}

/* Every controller that lives hears every meter and host. */
static void post_up(void *user, const struct message *message)
{
    struct loop *loop = user;
    struct controller *controller;
    struct message sent;
    bool sound = true;
    if (loop->config->wire) {
        sound = through_the_wire(loop, message, &sent);
        message = &sent;
    } else if (message->kind == FRAME_MEASUREMENT) {
        sent = *message;
        sound = message_measure(&sent, loop->model);
        message = &sent;
    }
    for (uint32_t i = 0; sound && (controller = succession_living(&loop->succession, i)); i++)
        post(loop, controller, true, message, loop->plant.t_ns);
}

static void post_down(void *user, const struct controller *from, const struct message *message, int64_t t_ns)
{
    struct loop *loop = user;
    struct virtual_handover *handover = loop->config->handover;
    struct message read;
    if (loop->handed && message->kind != FRAME_TOKEN_RESPONSE && handover->first_mw[message->index] < 0)
        handover->first_mw[message->index] = message->lease.cap_mw;
    if (loop->config->wire && !through_the_wire(loop, message, &read))
        return;
    post(loop, from, false, loop->config->wire ? &read : message, t_ns);
}

static void deliver(struct loop *loop, const struct mail *mail)
{
    if (mail->to == TO_HOSTS) {
        station_receive(&loop->station, mail->index, &mail->message, mail->t_ns);
        return;
    }
    struct controller *controller = succession_find(&loop->succession, mail->to);
    if (controller)
        controller_hear(controller, &mail->message, mail->t_ns);
}

/* ---- one controller after the other ---- */

static void note_before(struct loop *loop)
{
    struct virtual_handover *handover = loop->config->handover;
    const struct core *core = loop->succession.newest.core;
    struct core_host_view host;
    struct core_node_view node;
    for (uint32_t h = 0; h < loop->model->host_count; h++) {
        core_host_view(core, h, &host);
        handover->had_mw[h] = host.lease_mw;
        handover->first_mw[h] = -1;
    }
    for (uint32_t n = 0; n < loop->model->node_count; n++) {
        core_node_view(core, n, &node);
        int64_t steady_mva = loop->model->node[n].limit_mva[node.newest.contingency][node.newest.phase];
        handover->lending += loop->model->node[n].limited && node.newest.sum_mva > steady_mva;
    }
}

static int succeed(struct loop *loop)
{
    const struct virtual_handover *handover = loop->config->handover;
    struct succession *succession = &loop->succession;
    int64_t t_ns = loop->plant.t_ns;
    if (!handover || loop->handed || t_ns < handover->at_ns)
        return 0;
    if (!succession->newest.dead) {
        note_before(loop);
        succession_die(succession, true, t_ns);
    }
    if (t_ns < handover->at_ns + handover->gap_ns)
        return 0;
    loop->handed = true;
    return succession_start(succession, true, t_ns);
}

static void give_order(struct loop *loop)
{
    const struct virtual_config *config = loop->config;
    if (config->order && loop->plant.t_ns == config->order_ns)
        succession_order(&loop->succession, config->order, loop->plant.t_ns);
}

/* ---- what goes wrong ---- */

static int change(struct loop *loop, const struct fault *fault, bool begins)
{
    int64_t t_ns = loop->plant.t_ns;
    enum fault_scope scope = fault_scope(fault->kind);
    judge_fault(&loop->judge, fault, begins);
    if (scope == FAULT_NETWORK)
        return network_fault(&loop->network, fault, begins, t_ns);
    if (scope == FAULT_CONTROLLER)
        return controller_fault(&loop->succession, fault, begins, t_ns);
    int result = plant_fault(&loop->plant, fault, begins);
    return result ? result : station_fault(&loop->station, fault, begins);
}

/* What ends does so before anything begins, so that one fault may follow another at once. */
static int end_faults(struct loop *loop)
{
    const struct history *history = loop->config->history;
    uint32_t kept = 0;
    int result = 0;
    if (loop->plant.t_ns < loop->next_end_ns)
        return 0;
    loop->next_end_ns = INT64_MAX;
    for (uint32_t i = 0; i < loop->standing_count; i++) {
        const struct fault *fault = &history->fault[loop->standing[i]];
        int64_t end_ns = fault->at_ns + fault->for_ns;
        if (!result && end_ns <= loop->plant.t_ns) {
            result = change(loop, fault, false);
            continue;
        }
        loop->standing[kept++] = loop->standing[i];
        if (end_ns < loop->next_end_ns)
            loop->next_end_ns = end_ns;
    }
    loop->standing_count = kept;
    return result;
}

static int begin_faults(struct loop *loop)
{
    const struct history *history = loop->config->history;
    int result = 0;
    while (!result && loop->begun < history->count &&
           history->fault[loop->begun].at_ns <= loop->plant.t_ns) {
        const struct fault *fault = &history->fault[loop->begun];
        result = change(loop, fault, true);
        if (fault->for_ns) {
            int64_t end_ns = fault->at_ns + fault->for_ns;
            loop->standing[loop->standing_count++] = loop->begun;
            loop->next_end_ns = end_ns < loop->next_end_ns ? end_ns : loop->next_end_ns;
        }
        loop->begun++;
    }
    return result;
}

static int play_history(struct loop *loop)
{
    if (!loop->config->history)
        return 0;
    int result = end_faults(loop);
    return result ? result : begin_faults(loop);
}

/* ---- the run ---- */

/* A watch or a fault may hold seconds of messages back. */
static uint32_t mails_of(const struct loop *loop)
{
    const struct model *model = loop->model;
    bool late = loop->config->watch || loop->config->history;
    uint32_t host_mails = loop->config->history ? 512 : 8;
    return host_mails * model->host_count + (late ? 1024 : 2) * model->meter_count + 64;
}

static void set_up(const struct loop *loop, struct controller_setup *setup)
{
    const struct virtual_config *config = loop->config;
    *setup = (struct controller_setup){
        .model = config->believed ? config->believed : loop->model,
        .lease_ns = config->lease_ns,
        .greedy = config->greedy,
        .learns_no_other = config->learns_no_other,
        .realtime_ns = VIRTUAL_EPOCH_NS,
        .send = post_down,
    };
}

static int open_loop(struct loop *loop, const struct workload *workload)
{
    const struct virtual_config *config = loop->config;
    const struct model *model = loop->model;
    struct controller_setup setup;
    int result = plant_init(&loop->plant, model, workload, PLANT_VIRTUAL);
    if (!result)
        result = station_init(&loop->station, &loop->plant, VIRTUAL_EPOCH_NS);
    if (!result)
        result = mailbox_init(&loop->mailbox, mails_of(loop), workload->seed);
    if (!result)
        result = network_init(&loop->network, model, workload->seed);
    if (!result)
        result = judge_init(&loop->judge, &loop->plant, &loop->station);
    loop->mailbox.delay_ns = workload->network.delay_ns;
    loop->mailbox.jitter_ns = workload->network.jitter_ns;
    loop->mailbox.loss = config->loss;
    loop->next_end_ns = INT64_MAX;
    set_up(loop, &setup);
    setup.user = loop;
    if (!result)
        result = succession_init(&loop->succession, &setup, config->epoch, workload->seed);
    loop->standing = calloc(config->history ? config->history->count + 1 : 1, sizeof *loop->standing);
    return result ? result : loop->standing ? 0 : -ENOMEM;
}

static void close_loop(struct loop *loop)
{
    succession_finish(&loop->succession);
    judge_finish(&loop->judge);
    network_finish(&loop->network);
    mailbox_finish(&loop->mailbox);
    station_finish(&loop->station);
    plant_finish(&loop->plant);
    free(loop->standing);
}

static void exchange(struct loop *loop, int64_t t_ns)
{
    struct controller *controller;
    const struct mail *mail;
    while ((mail = mailbox_take(&loop->mailbox, t_ns)))
        deliver(loop, mail);
    for (uint32_t i = 0; (controller = succession_living(&loop->succession, i)); i++)
        controller_time(controller, t_ns);
}

static int step(struct loop *loop)
{
    const struct virtual_watch *watch = loop->config->watch;
    const struct controller *newest = &loop->succession.newest;
    if (watch)
        watch->step(watch->user, &loop->plant, newest->core);
    int result = succeed(loop);
    if (!result)
        result = play_history(loop);
    if (result)
        return result;
    plant_step(&loop->plant, NULL, NULL);
    station_step(&loop->station, post_up, loop);
    give_order(loop);
    exchange(loop, loop->plant.t_ns + loop->plant.step_ns - 1);
    judge_step(&loop->judge, newest->dead ? NULL : newest->core);
    return 0;
}

static void hand_over(struct loop *loop, struct outcome *outcome)
{
    struct succession_past past = succession_past(&loop->succession);
    plant_hand_over(&loop->plant, outcome);
    outcome->governor = past.count;
    outcome->missed = past.missed;
    if (loop->config->handover && loop->succession.newest.core)
        loop->config->handover->next = *core_counters(loop->succession.newest.core);
    outcome->lost = loop->mailbox.lost;
    judge_close(&loop->judge, outcome, &outcome->figures);
}

int virtual_run(const struct model *model, const struct workload *workload,
                const struct virtual_config *config, struct outcome *outcome)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    if (!loop)
        return -ENOMEM;
    loop->model = model;
    loop->config = config;
    int result = open_loop(loop, workload);
    while (!result && loop->plant.t_ns < config->duration_ns)
        result = step(loop);
    if (!result)
        hand_over(loop, outcome);
    close_loop(loop);
    free(loop);
    return result;
}
