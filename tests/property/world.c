/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* A = 2 x worst write + settle; a step of the world is lost at either end. */
static int64_t worst_write_ns(const struct model_host_type *type)
{
    return type->actuation_ns * 35 / 100 - WORLD_STEP_NS;
}

static int64_t settle_ns(const struct model_host_type *type)
{
    return type->actuation_ns * 25 / 100 - WORLD_STEP_NS;
}

static struct chance *chance_of(struct world *world, struct world_host *host)
{
    return world->apart ? &host->chance : &world->chance;
}

static int64_t host_clock(const struct world *world, const struct world_host *host)
{
    return host->clock_offset_ns + (int64_t)((double)world->t_ns * host->clock_rate);
}

static bool happens(struct world *world, struct world_host *host, double per_second)
{
    return per_second > 0 && chance_hit(chance_of(world, host), per_second * WORLD_STEP_NS / 1e9);
}

/* Driver defaults have no cap: read back as more than any cap can be. */
static int64_t readback_mw(const struct world_host *host)
{
    int64_t cap_mw = host->at_default ? host->type->phys_max_mw : host->cap_mw;
    return cap_mw < host->foreign_mw ? cap_mw : host->foreign_mw;
}

double world_worst_mw(const struct world *world, uint32_t h)
{
    const struct world_host *host = &world->host[h];
    if (host->at_default)
        return (double)host->type->phys_max_mw;
    int64_t cap_mw = host->cap_mw > host->write_mw ? host->cap_mw : host->write_mw;
    if (world->t_ns < host->linger_until_ns && host->linger_mw > cap_mw)
        cap_mw = host->linger_mw;
    return fmin(model_wall_mw(host->type, (double)cap_mw), (double)host->type->phys_max_mw);
}

double world_draw_mw(const struct world *world, uint32_t h)
{
    const struct world_host *host = &world->host[h];
    double allowed = fmin(world_worst_mw(world, h), model_wall_mw(host->type, (double)host->foreign_mw));
    return fmin(allowed, (double)host->demand_mw);
}

uint64_t world_incarnation(struct world *world, uint32_t host)
{
    return chance_next(chance_of(world, &world->host[host])) << 16 | ++world->host[host].births;
}

static void start_agent(struct world *world, struct world_host *host)
{
    uint64_t incarnation = world_incarnation(world, host->config.host);
    holder_init(&host->holder, &host->config, incarnation, host->epoch_persisted, host_clock(world, host));
    host->alive = true;
    host->write_is_mine = false;
}

static void init(struct world *world, const struct model *model, uint64_t seed, const struct weather *weather,
                 bool apart)
{
    memset(world, 0, offsetof(struct world, host) + model->host_count * sizeof world->host[0]);
    world->model = model;
    world->apart = apart;
    world->chance.state = seed ^ UINT64_C(0x5DEECE66D);
    world->weather = *weather;
    for (uint32_t h = 0; h < model->host_count; h++) {
        struct world_host *host = &world->host[h];
        const struct model_host_type *type = &model->type[model->host[h].type];
        struct chance *chance = chance_of(world, host);
        host->type = type;
        if (apart)
            host->chance.state = seed ^ (model_host_id(model, h) + 1) * UINT64_C(0xD1342543DE82EF95);
        host->config = (struct holder_config){
            .host = h,
            .fail_safe_mw = model->host[h].fail_safe_mw,
            .phys_max_mw = type->phys_max_mw,
            .cap_max_mw = type->cap_max_mw,
            .report_ns = model->policy.report_ns,
            .actuation_ns = type->actuation_ns,
        };
        host->clock_rate = 1 + weather->clock_ppm * (double)chance_range(chance, -1000, 1000) / 1e9;
        host->clock_offset_ns = chance_range(chance, 0, 1000) * NS_PER_S;
        host->at_default = chance_hit(chance, 0.5);
        host->cap_mw = type->cap_max_mw;
        host->write_mw = -1;
        host->foreign_mw = INT64_MAX;
        host->dirty = false;
        start_agent(world, host);
    }
}

void world_init(struct world *world, const struct model *model, uint64_t seed, const struct weather *weather)
{
    init(world, model, seed, weather, false);
}

void world_init_apart(struct world *world, const struct model *model, uint64_t seed,
                      const struct weather *weather)
{
    init(world, model, seed, weather, true);
}

static void post(struct world *world, struct world_host *host, struct mail *mail)
{
    const struct weather *weather = &world->weather;
    struct chance *chance = chance_of(world, host);
    int copies = chance_hit(chance, fmax(weather->twice, host->twice)) ? 2 : 1;
    mail->sent_ns = world->t_ns;
    while (copies--) {
        if (chance_hit(chance, fmax(weather->loss, host->loss)))
            continue;
        bool slow = chance_hit(chance, fmax(weather->slow, host->slow));
        mail->due_ns = world->t_ns + chance_range(chance, 0, slow ? weather->slow_ns : weather->quick_ns);
        if (world->mail_count < MAIL_MAX)
            world->mail[world->mail_count++] = *mail;
        else
            world->mail_lost_full++;
    }
}

void world_send(struct world *world, const struct lease *lease)
{
    struct mail mail = {.to_host = true};
    mail.lease = *lease;
    struct world_host *host = &world->host[lease->host];
    if (world->t_ns >= host->deaf_until_ns)
        post(world, host, &mail);
}

bool world_receive(struct world *world, struct report *report, int64_t *sent_ns)
{
    for (uint32_t i = 0; i < world->mail_count; i++) {
        if (world->mail[i].to_host || world->mail[i].due_ns > world->t_ns)
            continue;
        *report = world->mail[i].report;
        *sent_ns = world->mail[i].sent_ns;
        world->mail[i] = world->mail[--world->mail_count];
        return true;
    }
    return false;
}

/* A newer epoch is made durable at once, now and then only for the next lease of it. */
static int obey(struct world *world, struct world_host *host, const struct lease *lease)
{
    int64_t now_ns = host_clock(world, host);
    int verdict = holder_lease(&host->holder, lease, now_ns);
    if (verdict != HOLDER_UNSAVED_EPOCH)
        return verdict;
    host->epoch_persisted = host->holder.epoch_asked;
    holder_epoch_saved(&host->holder, host->epoch_persisted, now_ns);
    return chance_hit(chance_of(world, host), 0.3) ? verdict : holder_lease(&host->holder, lease, now_ns);
}

static void deliver_leases(struct world *world)
{
    for (uint32_t i = 0; i < world->mail_count;) {
        struct mail *mail = &world->mail[i];
        if (!mail->to_host || mail->due_ns > world->t_ns) {
            i++;
            continue;
        }
        struct world_host *host = &world->host[mail->lease.host];
        if (host->alive)
            world->leases_obeyed += obey(world, host, &mail->lease) == HOLDER_ACCEPTED;
        world->mail[i] = world->mail[--world->mail_count];
    }
}

static void finish_write(struct world *world, struct world_host *host)
{
    int64_t before_mw = host->at_default ? host->type->phys_max_mw : host->cap_mw;
    if (host->write_mw < before_mw && !host->at_default) {
        bool lingers = world->t_ns < host->linger_until_ns && host->linger_mw > before_mw;
        host->linger_mw = lingers ? host->linger_mw : before_mw;
        host->linger_until_ns = world->t_ns + settle_ns(host->type);
    }
    host->cap_mw = host->write_mw;
    host->at_default = false;
    host->write_mw = -1;
    if (host->alive && host->write_is_mine)
        holder_written(&host->holder, 0, readback_mw(host), host_clock(world, host));
}

static void drive_device(struct world *world, struct world_host *host)
{
    if (host->write_mw >= 0 && world->t_ns >= host->write_done_ns)
        finish_write(world, host);
    if (!host->alive)
        return;
    holder_time(&host->holder, host_clock(world, host));
    uint32_t device;
    int64_t cap_mw;
    if (host->write_mw >= 0 || !holder_next_write(&host->holder, &device, &cap_mw))
        return;
    struct chance *chance = chance_of(world, host);
    bool stalls = chance_hit(chance, 0.1);
    int64_t worst_ns = worst_write_ns(host->type);
    host->write_mw = cap_mw;
    host->write_done_ns =
        world->t_ns + host->stall_ns + (stalls ? worst_ns : chance_range(chance, 1, worst_ns));
    host->write_is_mine = true;
    world->writes++;
}

void world_reset(struct world *world, uint32_t h)
{
    struct world_host *host = &world->host[h];
    host->at_default = true;
    host->write_mw = -1;
    host->dirty = true;
    host->reset_ns = world->t_ns;
    host->notice_ns = world->t_ns + chance_range(chance_of(world, host), 1, 200) * NS_PER_MS;
    if (host->alive)
        holder_seen(&host->holder, 0, readback_mw(host), host_clock(world, host));
    world->resets++;
}

static void stir(struct world *world, struct world_host *host)
{
    const struct weather *weather = &world->weather;
    struct chance *chance = chance_of(world, host);
    if (host->trace.kind != TRACE_NONE)
        host->demand_mw = (int64_t)(trace_share(&host->trace, world->t_ns) * (double)host->type->phys_max_mw);
    else if (world->t_ns >= host->demand_until_ns) {
        host->demand_mw = chance_range(chance, host->type->base_max_mw / 2, host->type->phys_max_mw);
        if (chance_hit(chance, 0.4))
            host->demand_mw = host->type->phys_max_mw;
        host->demand_until_ns = world->t_ns + chance_range(chance, 20, 1500) * NS_PER_MS;
    }
    if (happens(world, host, weather->reset) && !host->at_default)
        world_reset(world, host->config.host);
    if (host->alive && host->notice_ns && world->t_ns >= host->notice_ns) {
        host->notice_ns = 0;
        start_agent(world, host);
    }
    if (host->alive && happens(world, host, weather->restart)) {
        host->alive = false;
        host->down_until_ns = world->t_ns + chance_range(chance, 0, 2500) * NS_PER_MS;
        world->restarts++;
    }
    if (!host->alive && world->t_ns >= host->down_until_ns)
        start_agent(world, host);
    if (happens(world, host, weather->foreign))
        host->foreign_mw =
            host->foreign_mw == INT64_MAX ? chance_range(chance, 1, host->type->cap_max_mw) : INT64_MAX;
    if (happens(world, host, weather->mute))
        host->mute_until_ns = world->t_ns + chance_range(chance, 50, 3000) * NS_PER_MS;
    if (happens(world, host, weather->partition))
        host->mute_until_ns = host->deaf_until_ns = world->t_ns + chance_range(chance, 50, 3000) * NS_PER_MS;
    if (happens(world, host, weather->partition))
        host->deaf_until_ns = world->t_ns + chance_range(chance, 50, 3000) * NS_PER_MS;
}

static void report_now(struct world *world, uint32_t h)
{
    struct world_host *host = &world->host[h];
    int64_t now_ns = host_clock(world, host);
    struct mail mail = {.to_host = false};
    double draw_mw = world_draw_mw(world, h);
    bool held_down = (double)host->demand_mw > draw_mw;
    holder_flags(&host->holder, held_down ? REPORT_AT_CAP : 0, now_ns);
    if (!holder_report_due(&host->holder, now_ns) && !chance_hit(chance_of(world, host), 0.01))
        return;
    holder_report(&host->holder, (int64_t)draw_mw, 0, &mail.report, now_ns);
    if (host->at_default) { /* an honest agent says what it reads back */
        mail.report.readback_mw = mail.report.cap_mw = host->type->phys_max_mw;
        mail.report.held_ns = 0;
    }
    if (world->t_ns >= host->mute_until_ns)
        post(world, host, &mail);
}

void world_step(struct world *world)
{
    world->t_ns += WORLD_STEP_NS;
    deliver_leases(world);
    for (uint32_t h = 0; h < world->model->host_count; h++) {
        struct world_host *host = &world->host[h];
        stir(world, host);
        drive_device(world, host);
        if (host->alive)
            report_now(world, h);
    }
}

void world_calm(struct world *world)
{
    struct weather *weather = &world->weather;
    weather->restart = weather->reset = weather->foreign = 0;
}
