/* SPDX-License-Identifier: Apache-2.0 */
/* The machine around an agent: what its hooks do, and when it is called. */
#include <string.h>
#include <time.h>

#include "crowd.h"
#include "wire/detail.h"

/* The hooks' own: which host of which crowd. */
struct place {
    struct crowd *crowd;
    struct crowd_host *host;
    uint32_t h;
};

static struct place place_of(void *user)
{
    struct crowd_host *host = user;
    return (struct place){host->crowd, host, (uint32_t)(host - host->crowd->host)};
}

static void send_frame(void *user, const uint8_t *data, uint32_t bytes)
{
    struct place at = place_of(user);
    crowd_judge_sent(at.crowd, at.host, data, bytes);
    if (!at.host->mute_until_ns)
        sockets_send(&at.crowd->sockets, false, at.h, data, bytes);
}

static int64_t realtime_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void write_cap(void *user, uint32_t device, int64_t cap_mw)
{
    struct place at = place_of(user);
    if (at.crowd->in_hand_real_ns && at.crowd->measuring) {
        int64_t took_ns = realtime_ns() - at.crowd->in_hand_real_ns;
        histogram_record(&at.crowd->figures.actuator_ns, took_ns > 0 ? (uint64_t)took_ns : 0);
    }
    crowd_device_write(at.crowd, at.host, device, CROWD_AGENT, cap_mw);
}

static void save_epoch(void *user, uint64_t epoch)
{
    struct place at = place_of(user);
    at.host->saving_epoch = epoch;
    at.host->saved_ns = at.crowd->lived_ns + SAVE_NS;
}

static void store_word(void *user, int64_t boottime_ns)
{
    struct crowd_host *host = user;
    host->word_boot_ns = boottime_ns;
}

static uint64_t new_incarnation(void *user)
{
    struct place at = place_of(user);
    /* not by the seed alone: a flyballd may have heard of the same seed before */
    return (random_bits(&at.crowd->random) ^ (uint64_t)realtime_ns()) | 1;
}

static const struct agent_hooks hooks = {
    .send = send_frame, .write = write_cap, .save_epoch = save_epoch, .word = store_word,
    .incarnation = new_incarnation,
};

void crowd_host_init(struct crowd *crowd, uint32_t h)
{
    struct crowd_host *host = &crowd->host[h];
    const struct model_host_type *type = &crowd->site.model.type[crowd->site.model.host[h].type];
    *host = (struct crowd_host){.crowd = crowd, .watchdog = true, .saved_ns = NEVER_NS};
    for (uint32_t i = 0; i < CROWD_DEVICES; i++)        /* at driver defaults */
        host->device[i] = (struct crowd_device){.cap_mw = type->cap_max_mw / CROWD_DEVICES,
                                                .done_ns = NEVER_NS, .waiting_mw = {-1, -1}};
    host->demand_mw = type->cap_max_mw / 2;
    host->detail_ns = crowd->lived_ns + DETAIL_EVERY_NS * (int64_t)h / (int64_t)crowd->hosts;
}

void crowd_host_start(struct crowd *crowd, uint32_t h)
{
    struct crowd_host *host = &crowd->host[h];
    const struct model *model = &crowd->site.model;
    const struct model_host_type *type = &model->type[model->host[h].type];
    const struct agent_config config = {
        .holder = {.host = h, .devices = CROWD_DEVICES, .fail_safe_mw = model->host[h].fail_safe_mw,
                   .phys_max_mw = type->phys_max_mw, .cap_max_mw = type->cap_max_mw,
                   .report_ns = model->policy.report_ns, .actuation_ns = type->actuation_ns},
        .cap_min_mw = type->cap_min_mw, .base_mw = type->base_max_mw, .watchdog_required = true};
    struct agent_hooks mine = hooks;
    mine.user = host;
    int64_t now_ns = crowd_mono_ns(crowd, host);
    host->life++;
    host->alive = true;
    host->letters = 0;
    host->saved_ns = NEVER_NS;
    if (crowd->lived_ns > host->deadline_ns)    /* as long as the first writes may take */
        host->deadline_ns = crowd->lived_ns;
    agent_init(&host->agent, &config, &mine);
    agent_clock(&host->agent, now_ns, crowd_boot_ns(crowd), now_ns);
    agent_watchdog(&host->agent, host->watchdog, host->watchdog_writes, now_ns);
    agent_start(&host->agent,
                &(struct agent_birth){.incarnation = new_incarnation(host), .epoch = host->saved_epoch,
                                      .frame_sequence = (uint64_t)realtime_ns()},
                now_ns);
}

/* What the driver has begun it ends; nothing else of the process is left. */
void crowd_host_kill(struct crowd *crowd, uint32_t h)
{
    struct crowd_host *host = &crowd->host[h];
    host->alive = host->stopped = false;
    host->letters = 0;
    host->saved_ns = NEVER_NS;
    for (uint32_t i = 0; i < CROWD_DEVICES; i++) {
        host->device[i].waiting_mw[CROWD_AGENT] = -1;
        host->device[i].receipt = false;
    }
}

static void take(struct crowd *crowd, struct crowd_host *host, const uint8_t *data, uint32_t bytes)
{
    int64_t now_ns = crowd_mono_ns(crowd, host);
    agent_clock(&host->agent, now_ns, crowd_boot_ns(crowd), now_ns);
    if (agent_receive(&host->agent, data, bytes, now_ns) == ACCEPTED)
        crowd_judge_obeyed(crowd, host, data, bytes);
}

void crowd_host_receive(struct crowd *crowd, uint32_t h, const uint8_t *data, uint32_t bytes)
{
    struct crowd_host *host = &crowd->host[h];
    if (host->asleep_until_ns || host->deaf_until_ns || !host->alive)
        return;
    if (!host->stopped) {
        take(crowd, host, data, bytes);
        return;
    }
    struct crowd_letter *letter = &host->letter[host->letters];     /* a full socket drops */
    if (host->letters == CROWD_LETTERS || bytes > sizeof letter->data)
        return;
    letter->bytes = bytes;
    memcpy(letter->data, data, bytes);
    host->letters++;
}

static void open_letters(struct crowd *crowd, struct crowd_host *host)
{
    for (uint32_t i = 0; i < host->letters; i++)
        take(crowd, host, host->letter[i].data, host->letter[i].bytes);
    host->letters = 0;
}

/* Demand wanders, so that there is always something to share out anew. */
static void look_at_devices(struct crowd *crowd, struct crowd_host *host)
{
    const struct holder_config *config = &host->agent.config.holder;
    int64_t now_ns = crowd_mono_ns(crowd, host);
    if (crowd->lived_ns < host->look_ns)
        return;
    host->look_ns = crowd->lived_ns + LOOK_NS;
    host->demand_mw += (int64_t)((random_unit(&crowd->random) - 0.5) * 100000);
    host->demand_mw = host->demand_mw < 200000 ? 200000 : host->demand_mw;
    host->demand_mw = host->demand_mw > config->cap_max_mw ? config->cap_max_mw : host->demand_mw;
    for (uint32_t i = 0; i < CROWD_DEVICES; i++) {
        int64_t wants_mw = host->demand_mw / CROWD_DEVICES, cap_mw = host->device[i].cap_mw;
        const struct act_sample sample = {.valid = ACT_READ_DRAW,
                                          .draw_mw = wants_mw < cap_mw ? wants_mw : cap_mw};
        agent_seen(&host->agent, i, 0, cap_mw, now_ns);
        agent_sampled(&host->agent, i, &sample, now_ns);
    }
}

static void tell_detail(struct crowd *crowd, struct crowd_host *host)
{
    struct detail detail = {.incarnation = host->agent.holder.incarnation, .marks = DETAIL_WATCHDOG,
                            .version = "crowd", .jobs = 1, .job_count = 1, .job = {"4711.0"},
                            .device_count = CROWD_DEVICES};
    if (crowd->lived_ns < host->detail_ns)
        return;
    host->detail_ns = crowd->lived_ns + DETAIL_EVERY_NS;
    for (uint8_t i = 0; i < CROWD_DEVICES; i++)
        detail.device[i] = (struct detail_device){.index = i, .known = DETAIL_KNOWN_ENFORCED,
                                                  .enforced_mw = (uint32_t)host->device[i].cap_mw};
    uint32_t bytes = detail_encode(&detail, host->agent.out + FRAME_HEADER_BYTES, DETAIL_BODY_MAX);
    if (bytes)
        agent_frame_send(&host->agent, FRAME_DETAIL, bytes);
}

static void step_agent(struct crowd *crowd, struct crowd_host *host)
{
    int64_t now_ns = crowd_mono_ns(crowd, host);
    agent_clock(&host->agent, now_ns, crowd_boot_ns(crowd), now_ns);
    crowd_device_receipts(crowd, host);
    open_letters(crowd, host);
    if (crowd->lived_ns >= host->saved_ns) {
        host->saved_ns = NEVER_NS;
        host->saved_epoch = host->saving_epoch;
        agent_epoch_saved(&host->agent, host->saved_epoch, now_ns);
    }
    look_at_devices(crowd, host);
    if (agent_due_ns(&host->agent) <= now_ns) {
        agent_turn(&host->agent, now_ns);
        tell_detail(crowd, host);
    }
}

void crowd_host_turn(struct crowd *crowd, uint32_t h)
{
    struct crowd_host *host = &crowd->host[h];
    if (host->asleep_until_ns)
        return;
    crowd_device_turn(crowd, host);
    crowd_device_watch(crowd, host);
    if (host->alive && !host->stopped)
        step_agent(crowd, host);
}

bool crowd_host_leased(const struct crowd_host *host)
{
    return host->alive && host->agent.holder.state_wanted == HOST_LEASED;
}

int64_t crowd_host_falls(const struct crowd *crowd)
{
    int64_t falls = 0;
    for (uint32_t h = 0; h < crowd->hosts; h++)
        falls += (int64_t)crowd->host[h].agent.counter[AGENT_FALLS];
    return falls;
}
