/* SPDX-License-Identifier: Apache-2.0 */
#include "lease_world.h"

#include <string.h>

#define D_NS NS_PER_S
#define A_NS (100 * NS_PER_MS)
/* A = 2 x worst write + settle; a step is lost at either end of each */
#define WORST_WRITE_NS (30 * NS_PER_MS)
#define SETTLE_NS (20 * NS_PER_MS)

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static bool break_rule(struct few *few, const char *rule, uint32_t host)
{
    if (!few->broken) {
        few->broken = rule;
        few->broken_host = host;
    }
    return false;
}

static bool now_and_then(struct few *few, double per_second)
{
    return few->rough && chance_hit(&few->chance, per_second * STEP_NS / 1e9);
}

/* ---- post ---- */

static void post(struct few *few, const struct letter *letter)
{
    int copies = chance_hit(&few->chance, few->twice) ? 2 : 1;
    while (copies--) {
        if (chance_hit(&few->chance, few->loss) || few->letters == POST_MAX)
            continue;
        bool slow = chance_hit(&few->chance, few->slow);
        struct letter *place = &few->letter[few->letters++];
        *place = *letter;
        place->due_ns = few->t_ns + chance_range(&few->chance, 0, slow ? few->slow_ns : few->quick_ns);
    }
}

/* ---- hosts ---- */

static int64_t clock_of(const struct few *few, const struct few_host *host)
{
    return host->offset_ns + (int64_t)((double)few->t_ns * host->rate);
}

int64_t few_worst_mw(const struct few *few, uint32_t h)
{
    const struct few_host *host = &few->host[h];
    int64_t cap_mw = larger(host->cap_mw, host->write_mw);
    return few->t_ns < host->linger_until_ns ? larger(cap_mw, host->linger_mw) : cap_mw;
}

static void start_agent(struct few *few, struct few_host *host)
{
    uint64_t incarnation = chance_next(&few->chance) << 8 | (++host->births & 0xFF);
    if (few->plant == PLANT_INCARNATION)
        incarnation = 1;
    holder_init(&host->holder, &host->config, incarnation, few->plant == PLANT_EPOCH ? 0 : host->epoch_saved,
                clock_of(few, host));
    host->alive = true;
    host->write_is_mine = false;
}

static void live_and_die(struct few *few, struct few_host *host)
{
    if (host->alive && now_and_then(few, 0.3)) {
        host->alive = false;
        host->down_until_ns = few->t_ns + chance_range(&few->chance, 0, 1500) * NS_PER_MS;
    }
    if (!host->alive && few->t_ns >= host->down_until_ns)
        start_agent(few, host);
}

static void finish_write(struct few *few, struct few_host *host)
{
    if (host->write_mw < host->cap_mw) {
        bool lingers = few->t_ns < host->linger_until_ns && host->linger_mw > host->cap_mw;
        host->linger_mw = lingers ? host->linger_mw : host->cap_mw;
        host->linger_until_ns = few->t_ns + SETTLE_NS;
    }
    host->cap_mw = host->write_mw;
    host->write_mw = -1;
    host->stalled = false;
    if (host->alive && host->write_is_mine)
        holder_written(&host->holder, 0, host->cap_mw, clock_of(few, host));
}

static void drive(struct few *few, struct few_host *host)
{
    uint32_t device;
    int64_t cap_mw;
    if (host->write_mw >= 0 && few->t_ns >= host->write_done_ns)
        finish_write(few, host);
    if (!host->alive)
        return;
    holder_time(&host->holder, clock_of(few, host));
    if (host->write_mw >= 0 || !holder_next_write(&host->holder, &device, &cap_mw))
        return;
    host->stalled = few->rough && chance_hit(&few->chance, 0.01);
    int64_t took_ms = host->stalled ? chance_range(&few->chance, 100, 2500)
                                    : chance_range(&few->chance, 1, WORST_WRITE_NS / NS_PER_MS);
    host->write_mw = cap_mw;
    host->write_done_ns = few->t_ns + took_ms * NS_PER_MS;
    host->write_is_mine = true;
}

static void report(struct few *few, struct few_host *host)
{
    struct letter letter = {0};
    int64_t now_ns = clock_of(few, host);
    if (!holder_report_due(&host->holder, now_ns) && !chance_hit(&few->chance, 0.02))
        return;
    holder_report(&host->holder, 0, 0, &letter.report, now_ns);
    if (few->plant == PLANT_IN_FLIGHT && host->cap_mw >= 0) {
        letter.report.cap_mw = letter.report.readback_mw = host->cap_mw;
        letter.report.held_ns = 10 * A_NS;
    }
    if (few->plant == PLANT_MISMATCH)
        letter.report.fail_safe_mw = FAIL_SAFE_MW;
    for (uint32_t c = 0; c < CONTROLLERS; c++) {
        letter.controller = c;
        if (few->controller[c].alive && few->controller[c].hears[letter.report.host])
            post(few, &letter);
    }
}

static void obey(struct few *few, const struct lease *lease)
{
    struct few_host *host = &few->host[lease->host];
    int64_t now_ns = clock_of(few, host);
    if (!host->alive)
        return;
    if (few->plant == PLANT_FROM_RECEIPT)
        host->holder.sent_ns[lease->echo % ECHOES_MAX] = now_ns;
    int verdict = holder_lease(&host->holder, lease, now_ns);
    if (verdict == HOLDER_UNSAVED_EPOCH) {
        host->epoch_saved = host->holder.epoch_asked;
        holder_epoch_saved(&host->holder, host->epoch_saved, now_ns);
        if (chance_hit(&few->chance, 0.7))
            verdict = holder_lease(&host->holder, lease, now_ns);
    }
    few->obeyed += verdict == HOLDER_ACCEPTED;
    few->above += verdict == HOLDER_ACCEPTED && lease->cap_mw > FAIL_SAFE_MW;
}

/* ---- controllers ---- */

/* I1a from its text: what may flow once everything in flight has landed, if this cap leaves. */
static bool fits_s(const struct few *few, const struct controller *c, uint32_t host, int64_t cap_mw)
{
    int64_t sum_mw = 0;
    for (uint32_t h = 0; h < FEW_HOSTS; h++) {
        const struct ledger_host *account = &c->host[h];
        int64_t newest_mw = h == host ? cap_mw : account->newest_mw;
        int64_t draw_mw = larger(newest_mw, account->fail_safe_mw);
        if (newest_mw < 0)
            draw_mw = account->bounded ? ledger_exposed_cap_mw(account) : account->phys_max_mw;
        sum_mw += draw_mw < account->phys_max_mw ? draw_mw : account->phys_max_mw;
    }
    return cap_mw <= few->model.host[host].fail_safe_mw || sum_mw <= c->node.limit_mva[0][0];
}

static void send(struct few *few, struct controller *c, uint32_t h, int64_t cap_mw)
{
    struct ledger_host *account = &c->host[h];
    if (!fits_s(few, c, h, cap_mw))
        break_rule(few, "I1a: a lease left with which S passes the limit", h);
    if (!ledger_sent(&c->ledger, h, cap_mw) && few->plant == PLANT_NOTHING)
        break_rule(few, "the ledger finds an invariant broken", h);
    if (cap_mw > FAIL_SAFE_MW)
        c->sent_ns[h] = few->t_ns;
    struct letter letter = {.controller = CONTROLLERS,
                            .lease = {.host = h,
                                      .incarnation = account->incarnation,
                                      .epoch = c->ledger.epoch,
                                      .sequence = account->sequence,
                                      .echo = account->report,
                                      .cap_mw = cap_mw,
                                      .duration_ns = D_NS}};
    if (c->reaches[h])
        post(few, &letter);
}

/* The adversary: wants more than anything, or something, or keeps what it has; the ledger says how much. */
static void answer(struct few *few, struct controller *c, uint32_t h)
{
    enum ledger_verdict bound;
    struct ledger_host *account = &c->host[h];
    int64_t wanted_mw = CAP_MAX_MW;
    if (!account->incarnation)
        return;
    if (chance_hit(&few->chance, 0.4))
        wanted_mw = chance_range(&few->chance, 0, CAP_MAX_MW);
    else if (chance_hit(&few->chance, 0.3) && account->newest_mw >= 0)
        wanted_mw = account->newest_mw;
    if (few->plant == PLANT_RENEWALS && account->newest_mw > 0 && chance_hit(&few->chance, 0.3))
        send(few, c, h, account->newest_mw);
    else
        send(few, c, h, ledger_room_mw(&c->ledger, h, wanted_mw, &bound));
}

/* X = (D / (1 - rho) + A)(1 + rho): what no lease may be retired by. */
static void retire_by_time(struct few *few, struct controller *c)
{
    for (uint32_t h = 0; h < FEW_HOSTS; h++)
        if (c->host[h].unretired_count && few->t_ns - c->sent_ns[h] > (D_NS / 99 * 100 + A_NS) / 100 * 101)
            c->host[h].unretired_count = 0;
}

static void hear(struct few *few, struct controller *c, const struct report *report)
{
    struct ledger_host *account = &c->host[report->host];
    bool first = account->incarnation != report->incarnation;
    uint32_t retired;
    if (!c->alive || few->t_ns < c->stopped_until_ns)
        return;
    uint32_t events = ledger_report(&c->ledger, report, few->t_ns, &retired);
    if (few->plant == PLANT_FIRST_REPORT && first && report->state != HOST_BOOT) {
        account->newest_mw = report->cap_mw;
        account->bounded = account->accepted = true;
        account->unretired[0] = (struct ledger_lease){account->sequence, report->cap_mw};
        account->unretired_count = 1;
    }
    if (!(events & LEDGER_STALE))
        answer(few, c, report->host);
}

static void open_controller(struct few *few, struct controller *c)
{
    *c = (struct controller){.alive = true};
    ledger_init(&c->ledger, &few->model, ++few->epoch, c->host, &c->node);
    for (uint32_t h = 0; h < FEW_HOSTS; h++)
        c->hears[h] = c->reaches[h] = true;
}

/* The accounts of the controller before, which is gone: exactly what core_account writes. */
static void take_over(struct few *few, struct controller *c, const struct controller *before)
{
    for (uint32_t h = 0; h < FEW_HOSTS; h++) {
        const struct ledger_host *from = &before->host[h];
        struct slot_account account = {
            .host = h,
            .incarnation = from->incarnation,
            .epoch = before->ledger.epoch,
            .report = from->report,
            .sequence = from->sequence,
            .newest_mw = from->newest_mw,
            .exposed_mw = ledger_exposed_cap_mw(from),
            .fail_safe_mw = from->fail_safe_mw,
            .phys_max_mw = from->phys_max_mw,
        };
        if (few->plant == PLANT_LOW_ACCOUNT)
            account.exposed_mw = account.newest_mw;
        if (from->bounded && from->accepted)
            ledger_take_over(&c->ledger, &account, few->t_ns);
    }
    few->handed++;
}

/* A new controller: the one before is dead, dead and hands over, or does not know that it is replaced. None
 * takes over from one that has seen a newer epoch or may come back. */
static void replace_controller(struct few *few)
{
    uint32_t before = few->newest, next = (before + 1) % CONTROLLERS;
    struct controller *old = &few->controller[before], *new = &few->controller[next];
    int64_t limit_mva = old->node.limit_mva[0][0];
    open_controller(few, new);
    ledger_scale_limit(&new->ledger, 0, limit_mva * PPM / few->node.limit_mva[0][0]);
    int64_t how = chance_range(&few->chance, 0, 2);
    if (how == 0) {
        take_over(few, new, old);
        old->alive = false;
        if (few->plant == PLANT_STOPPED) {
            old->alive = true;
            old->stopped_until_ns = few->t_ns + chance_range(&few->chance, 0, 300) * NS_PER_MS;
        }
    } else if (how == 1) {
        old->alive = false;
    } else if (chance_hit(&few->chance, 0.5)) {     /* SIGSTOP for longer than D, then SIGCONT */
        old->stopped_until_ns = few->t_ns + chance_range(&few->chance, 1000, 1800) * NS_PER_MS;
    }
    few->newest = next;
}

static void rule(struct few *few)
{
    if (now_and_then(few, 0.3))
        replace_controller(few);
    for (uint32_t i = 0; i < CONTROLLERS; i++) {
        struct controller *c = &few->controller[i];
        if (!c->alive || few->t_ns < c->stopped_until_ns)
            continue;
        if (few->plant == PLANT_X_RETIRES)
            retire_by_time(few, c);
        for (uint32_t h = 0; h < FEW_HOSTS; h++) {
            if (now_and_then(few, 0.4))
                c->hears[h] = !c->hears[h];
            if (now_and_then(few, 0.4))
                c->reaches[h] = !c->reaches[h];
            if (chance_hit(&few->chance, 0.02))     /* unasked, on the newest report it has */
                answer(few, c, h);
        }
    }
    if (now_and_then(few, 0.2))
        for (uint32_t i = 0; i < CONTROLLERS; i++)
            if (few->controller[i].alive)
                ledger_scale_limit(&few->controller[i].ledger, 0, few->t_ns % 3 ? 600000 : PPM);
}

/* ---- all of it ---- */

void few_open(struct few *few, uint64_t seed, enum plant plant)
{
    static const double losses[] = {0, 0.05, 0.3};
    memset(few, 0, sizeof *few);
    *few = (struct few){.plant = plant, .chance = {seed}, .rough = true};
    few->type = (struct model_host_type){.cap_max_mw = CAP_MAX_MW, .gain_ppm = PPM, .pf_min_ppm = PPM,
                                         .phys_max_mw = PHYS_MAX_MW, .boot_mw = PHYS_MAX_MW,
                                         .actuation_ns = A_NS, .quantum_mw = 1};
    few->node = (struct model_node){.phases = 1, .limited = 1, .ancestor_count = 1, .host_count = FEW_HOSTS,
                                    .host_below = FEW_HOSTS, .meter = INDEX_NONE};
    few->node.limit_mva[0][0] = chance_range(&few->chance, 10, 26) * PPM;
    few->model = (struct model){.mode = MODE_ENFORCE, .node_count = 1, .host_count = FEW_HOSTS,
                                .type_count = 1, .contingency_count = 1, .node = &few->node,
                                .host = few->host_model, .type = &few->type,
                                .policy = {.lease_ns = D_NS, .report_ns = D_NS / 6, .rho_ppm = 10000}};
    few->loss = losses[chance_range(&few->chance, 0, 2)];
    few->twice = chance_hit(&few->chance, 0.5) ? 0.2 : 0;
    few->slow = chance_hit(&few->chance, 0.5) ? 0.2 : 0;
    few->quick_ns = chance_range(&few->chance, 1, 20) * NS_PER_MS;
    few->slow_ns = chance_range(&few->chance, 50, 2500) * NS_PER_MS;
    for (uint32_t h = 0; h < FEW_HOSTS; h++) {
        struct few_host *host = &few->host[h];
        few->host_model[h] = (struct model_host){.weight = 1, .cord_count = 1, .fail_safe_mw = FAIL_SAFE_MW};
        few->host_model[h].cord[0] = (struct model_cord){.phase_ppm = {PPM}, .share_ppm = {PPM}};
        host->config = (struct holder_config){.host = h, .fail_safe_mw = FAIL_SAFE_MW,
                                              .phys_max_mw = PHYS_MAX_MW, .cap_max_mw = CAP_MAX_MW,
                                              .report_ns = D_NS / 6, .actuation_ns = A_NS};
        if (chance_hit(&few->chance, 0.2))      /* its agent was set up with another one */
            host->config.fail_safe_mw = chance_range(&few->chance, 500000, 5000000);
        host->rate = 1 + 0.01 * (double)chance_range(&few->chance, -1000, 1000) / 1000;
        host->offset_ns = chance_range(&few->chance, 0, 100) * NS_PER_S;
        host->cap_mw = CAP_MAX_MW;
        host->write_mw = -1;
        start_agent(few, host);
    }
    open_controller(few, &few->controller[few->newest]);
}

static void deliver(struct few *few)
{
    for (uint32_t i = 0; i < few->letters;) {
        if (few->letter[i].due_ns > few->t_ns) {
            i++;
            continue;
        }
        struct letter letter = few->letter[i];
        few->letter[i] = few->letter[--few->letters];
        if (letter.controller == CONTROLLERS)
            obey(few, &letter.lease);
        else
            hear(few, &few->controller[letter.controller], &letter.report);
    }
}

/* Every host stays within what the newest controller counts for it, and so does the sum. */
static bool is_covered(struct few *few)
{
    int64_t sum_mw = 0;
    const struct controller *c = &few->controller[few->newest];
    for (uint32_t h = 0; h < FEW_HOSTS; h++) {
        sum_mw += few_worst_mw(few, h);
        if (few_worst_mw(few, h) > c->host[h].exposed_draw_mw)
            return break_rule(few, "a host may draw more than it is exposed", h);
    }
    if (sum_mw > c->node.exposed_mva[0][0])
        return break_rule(few, "what is enforced passes D", FEW_HOSTS);
    return true;
}

bool few_step(struct few *few)
{
    few->t_ns += STEP_NS;
    deliver(few);
    for (uint32_t h = 0; h < FEW_HOSTS; h++) {
        live_and_die(few, &few->host[h]);
        drive(few, &few->host[h]);
        if (few->host[h].alive)
            report(few, &few->host[h]);
    }
    rule(few);
    return is_covered(few) && !few->broken;
}
