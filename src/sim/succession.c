/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/succession.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PARTED_UP = 1, PARTED_DOWN = 2 };

static void add(struct succession_past *past, const struct controller *controller)
{
    const struct core_counters *count = controller->core ? core_counters(controller->core) : NULL;
    past->missed += controller->missed;
#define ADD_COUNTER(field, name, meaning) past->count.field += count->field;
    if (count) {
        CORE_COUNTERS(ADD_COUNTER)
    }
#undef ADD_COUNTER
}

int succession_init(struct succession *succession, const struct controller_setup *setup, uint64_t epoch,
                    uint64_t seed)
{
    *succession = (struct succession){.setup = *setup, .epoch = epoch, .serial = 1};
    succession->parted = calloc(setup->model->host_count + 1, 1);
    random_init(&succession->random, seed, RANDOM_NETWORK, 2);
    int result = controller_init(&succession->newest, &succession->setup, epoch, 1, 0);
    return succession->parted ? result : -ENOMEM;
}

static void bury(struct succession *succession, struct controller *controller)
{
    add(&succession->gone, controller);
    controller_finish(controller);
}

void succession_finish(struct succession *succession)
{
    for (uint32_t i = 0; i < succession->zombies; i++)
        controller_finish(&succession->zombie[i].controller);
    controller_finish(&succession->newest);
    free(succession->parted);
    succession->parted = NULL;
}

struct controller *succession_living(struct succession *succession, uint32_t i)
{
    if (succession->newest.dead)
        i++;
    if (i == 0)
        return &succession->newest;
    return i <= succession->zombies ? &succession->zombie[i - 1].controller : NULL;
}

struct controller *succession_find(struct succession *succession, uint32_t serial)
{
    struct controller *living;
    for (uint32_t i = 0; (living = succession_living(succession, i)); i++) {
        if (living->serial == serial)
            return living;
    }
    return NULL;
}

bool succession_parts(const struct succession *succession, const struct controller *controller,
                      uint32_t host, bool up)
{
    uint8_t bit = up ? PARTED_UP : PARTED_DOWN;
    return succession->zombies && controller == &succession->newest && succession->parted[host] & bit;
}

struct succession_past succession_past(const struct succession *succession)
{
    struct succession_past past = succession->gone;
    add(&past, &succession->newest);
    for (uint32_t i = 0; i < succession->zombies; i++)
        add(&past, &succession->zombie[i].controller);
    return past;
}

/* ---- orders ---- */

/* What a lift ends is in force no more, and need not be told to those that start later. */
static void log_order(struct succession *succession, const struct slot_order *order)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < succession->order_count; i++) {
        const struct slot_order *logged = &succession->order[i];
        if (order->kind != ORDER_LIFT || logged->contract != order->contract)
            succession->order[kept++] = *logged;
    }
    if (order->kind != ORDER_LIFT && kept < SUCCESSION_ORDERS_MAX)
        succession->order[kept++] = *order;
    succession->order_count = kept;
    if (order->number > succession->order_number)
        succession->order_number = order->number;
}

void succession_order(struct succession *succession, const struct slot_order *order, int64_t t_ns)
{
    struct controller *living;
    log_order(succession, order);
    for (uint32_t i = 0; (living = succession_living(succession, i)); i++)
        controller_order(living, order, t_ns);
}

/* Each fault that begins is a contract of its own, known until it ends; 0: none, or no room for one more. */
static uint32_t contract_of(struct succession *succession, const struct fault *fault, bool begins)
{
    uint32_t at = 0;
    if (begins) {
        if (succession->limit_count == SUCCESSION_ORDERS_MAX)
            return 0;
        at = succession->limit_count++;
        succession->limit[at].fault = *fault;
        return succession->limit[at].contract = ++succession->contracts;
    }
    while (at < succession->limit_count && !fault_same(&succession->limit[at].fault, fault))
        at++;
    if (at == succession->limit_count)
        return 0;
    uint32_t contract = succession->limit[at].contract;
    memmove(&succession->limit[at], &succession->limit[at + 1],
            (--succession->limit_count - at) * sizeof succession->limit[0]);
    return contract;
}

static void order_limit(struct succession *succession, const struct fault *fault, bool begins, int64_t t_ns)
{
    const struct model_node *node = &succession->setup.model->node[fault->place];
    struct slot_order order = {
        .kind = begins ? ORDER_CAP : ORDER_LIFT,
        .node = fault->place,
        .number = succession->order_number + 1,
        .contract = contract_of(succession, fault, begins),
    };
    for (int phase = 0; begins && phase < PHASES; phase++)
        order.value_mw += (int64_t)(fault->amount * (double)node->limit_mva[0][phase]);
    if (order.contract)
        succession_order(succession, &order, t_ns);
}

/* ---- one after the other ---- */

void succession_die(struct succession *succession, bool leaves, int64_t t_ns)
{
    if (succession->newest.dead)
        return;
    succession->newest.dead = true;
    succession->leaves = leaves;
    succession->died_ns = t_ns;
}

int succession_start(struct succession *succession, bool goes_on, int64_t t_ns)
{
    struct controller before = succession->newest;
    int result = controller_init(&succession->newest, &succession->setup, ++succession->epoch,
                                 ++succession->serial, t_ns);
    if (!result && goes_on && before.core)
        controller_take_over(&succession->newest, &before, t_ns - succession->died_ns, t_ns);
    for (uint32_t i = 0; !result && i < succession->order_count; i++)
        controller_order(&succession->newest, &succession->order[i], t_ns);
    bury(succession, &before);
    return result;
}

/* Who dies is followed once nothing keeps the next one from starting. */
static int be_absent(struct succession *succession, const struct fault *fault, bool begins, int64_t t_ns)
{
    if (begins) {
        succession_die(succession, fault->kind == FAULT_TAKEOVER, t_ns);
        succession->absences++;
    }
    if (begins && fault->for_ns)
        return 0;
    succession->absences -= succession->absences > 0;
    if (succession->absences || !succession->newest.dead)
        return 0;
    return succession_start(succession, succession->leaves, t_ns);
}

/* Some hosts are on one side only: their reports do not reach the newest, or its leases do not reach them. */
static void part(struct succession *succession, double share)
{
    for (uint32_t h = 0; h < succession->setup.model->host_count; h++) {
        bool struck = random_unit(&succession->random) < share;
        bool up = random_unit(&succession->random) < 0.5;
        succession->parted[h] = struck ? up ? PARTED_UP : PARTED_DOWN : 0;
    }
}

static int begin_zombie(struct succession *succession, const struct fault *fault, int64_t t_ns)
{
    if (succession->newest.dead || succession->zombies == ZOMBIES_MAX)
        return 0;
    struct zombie *zombie = &succession->zombie[succession->zombies++];
    *zombie = (struct zombie){.controller = succession->newest, .fault = *fault};
    succession->newest = (struct controller){.dead = true};
    part(succession, fault->amount);
    return succession_start(succession, false, t_ns);
}

static int change_zombie(struct succession *succession, const struct fault *fault, bool begins, int64_t t_ns)
{
    int result = begins ? begin_zombie(succession, fault, t_ns) : 0;
    if (result || (begins && fault->for_ns))
        return result;
    for (uint32_t i = 0; i < succession->zombies; i++) {
        struct zombie *zombie = &succession->zombie[i];
        if (!fault_same(&zombie->fault, fault))
            continue;
        bury(succession, &zombie->controller);
        memmove(zombie, zombie + 1, (--succession->zombies - i) * sizeof *zombie);
        break;
    }
    return 0;
}

static void change_pause(struct succession *succession, const struct fault *fault, bool begins, int64_t t_ns)
{
    struct controller *living;
    if (!fault->for_ns)
        return;
    if (begins) {
        succession->pauses++;
        controller_pause(&succession->newest);
        return;
    }
    succession->pauses -= succession->pauses > 0;
    for (uint32_t i = 0; !succession->pauses && (living = succession_living(succession, i)); i++)
        controller_resume(living, t_ns);
}

int controller_fault(struct succession *succession, const struct fault *fault, bool begins, int64_t t_ns)
{
    switch (fault->kind) {
    case FAULT_CRASH:
    case FAULT_TAKEOVER: return be_absent(succession, fault, begins, t_ns);
    case FAULT_ZOMBIE: return change_zombie(succession, fault, begins, t_ns);
    case FAULT_PAUSE: change_pause(succession, fault, begins, t_ns); return 0;
    case FAULT_LIMIT: order_limit(succession, fault, begins, t_ns); return 0;
    default: return 0;
    }
}
