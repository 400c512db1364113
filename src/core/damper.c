/* SPDX-License-Identifier: Apache-2.0 */
#include "core/damper.h"

#include "core/draw.h"
#include "core/quantum.h"

#define HOLD_FIRST_NS  (100 * NS_PER_MS)
#define HOLD_LAST_NS   (1600 * NS_PER_MS)
#define CALM_NS        (10 * NS_PER_S)
#define NEVER_NS       INT64_MIN
enum { CALM_CHANGES = 1 };

static int64_t move_time_ns(const struct model *model)
{
    int64_t actuation_ns = 0;
    for (uint32_t i = 0; i < model->type_count; i++)
        actuation_ns =
            model->type[i].actuation_ns > actuation_ns ? model->type[i].actuation_ns : actuation_ns;
    return actuation_ns + model->policy.report_ns + model->policy.tick_ns;
}

void damper_init(struct dampers *dampers, const struct model *model)
{
    dampers->model = model;
    dampers->move_ns = move_time_ns(model);
    dampers->held_until_ns = NEVER_NS;
    dampers->arbitration = 0;
    dampers->was_held = dampers->noting = false;
    for (uint32_t n = 0; n < model->node_count; n++) {
        dampers->node[n] = (struct damper){
            .quantum_mw = quantum_of_mw(&model->node[n]),
            .moved_ns = NEVER_NS,
            .until_ns = NEVER_NS,
        };
        for (uint32_t i = 0; i < DAMPER_TURNS; i++)
            dampers->node[n].turn_ns[i] = NEVER_NS;
    }
}

static uint32_t changes_since(const struct damper *damper, int64_t since_ns)
{
    uint32_t changes = 0;
    for (uint32_t i = 0; i < DAMPER_TURNS; i++)
        changes += damper->turn_ns[i] != NEVER_NS && damper->turn_ns[i] > since_ns;
    return changes;
}

bool damper_is_damped(const struct damper *damper, int64_t t_ns)
{
    return damper->hold_ns && changes_since(damper, t_ns - CALM_NS) > CALM_CHANGES;
}

static void turn(struct damper *damper, const struct model_policy *policy, int64_t t_ns)
{
    damper->newest = (uint8_t)((damper->newest + 1) % DAMPER_TURNS);
    damper->turn_ns[damper->newest] = t_ns;
    if (changes_since(damper, t_ns - policy->damper_window_ns) <= policy->damper_changes)
        return;
    if (!damper->hold_ns)
        damper->hold_ns = HOLD_FIRST_NS;
    else
        damper->hold_ns = damper->hold_ns < HOLD_LAST_NS / 2 ? 2 * damper->hold_ns : HOLD_LAST_NS;
    damper->until_ns = t_ns + damper->hold_ns;
}

void damper_move(struct damper *damper, const struct model_policy *policy, int64_t change_mw, int64_t t_ns)
{
    damper->sum_mw += change_mw;
    int64_t moved_mw = damper->sum_mw - damper->extreme_mw;
    int direction = moved_mw > 0 ? 1 : -1;
    if (!damper_is_damped(damper, t_ns))
        damper->hold_ns = 0;
    if (moved_mw == 0)
        return;
    if (direction == damper->direction) {
        damper->extreme_mw = damper->sum_mw;
    } else if (moved_mw > damper->quantum_mw || moved_mw < -damper->quantum_mw) {
        bool first = damper->direction == 0;
        damper->direction = (int8_t)direction;
        damper->extreme_mw = damper->sum_mw;
        if (!first)
            turn(damper, policy, t_ns);
    }
}

static bool off(const struct dampers *dampers)
{
    return dampers->model->policy.damper_window_ns <= 0 || dampers->model->policy.tick_ns <= 0;
}

/* What came before is judged as one move before the next begins. */
static void add(struct dampers *dampers, struct damper *damper, int64_t change_mw, int64_t t_ns)
{
    const struct model_policy *policy = &dampers->model->policy;
    if (damper->moved_ns == NEVER_NS || t_ns - damper->moved_ns >= dampers->move_ns) {
        /* counted when it is known to be one */
        damper_move(damper, policy, 0, t_ns);
        if (damper->until_ns > dampers->held_until_ns)
            dampers->held_until_ns = damper->until_ns;
        damper->moved_ns = t_ns;
    }
    damper->sum_mw += change_mw;
}

/* ---- over the tree ---- */

struct climb {
    uint32_t host, cord, above;
};

/* The next node above a host, cord by cord; INDEX_NONE at the end. */
static uint32_t next_above(const struct model *model, struct climb *climb)
{
    const struct model_host *h = &model->host[climb->host];
    while (climb->cord < h->cord_count) {
        const struct model_node *node = &model->node[h->cord[climb->cord].node];
        if (climb->above < node->ancestor_count)
            return node->ancestor[climb->above++];
        climb->cord++;
        climb->above = 0;
    }
    return INDEX_NONE;
}

static int64_t through_mw(const struct model *model, const struct climb *climb, int64_t change_mw)
{
    return change_mw * model->host[climb->host].cord[climb->cord].share_ppm[0] / PPM;
}

void damper_sent(struct dampers *dampers, uint32_t host, int64_t change_mw, int64_t t_ns)
{
    struct climb climb = {.host = host};
    if (off(dampers) || !change_mw)
        return;
    for (uint32_t n; (n = next_above(dampers->model, &climb)) != INDEX_NONE;)
        add(dampers, &dampers->node[n], through_mw(dampers->model, &climb, change_mw), t_ns);
}

/* Nothing is noted while nothing is held. */
void damper_arbitrate(struct dampers *dampers, bool held_elsewhere, int64_t t_ns)
{
    bool held = held_elsewhere || t_ns < dampers->held_until_ns;
    /* numbers are not used again: what a node noted under an earlier hold is told by it */
    dampers->noting = held && dampers->was_held;
    dampers->was_held = held;
    dampers->arbitration++;
}

static void note(const struct dampers *dampers, struct damper *damper, int64_t change_mw)
{
    if (damper->noted != dampers->arbitration) {
        damper->lacked_mw = damper->noted + 1 == dampers->arbitration ? damper->lacks_mw : 0;
        damper->noted = dampers->arbitration;
        damper->lacks_mw = 0;
    }
    damper->lacks_mw += change_mw;
}

void damper_target(struct dampers *dampers, uint32_t host, int64_t change_mw)
{
    struct climb climb = {.host = host};
    if (off(dampers) || !change_mw || !dampers->was_held)
        return;
    for (uint32_t n; (n = next_above(dampers->model, &climb)) != INDEX_NONE;)
        note(dampers, &dampers->node[n], through_mw(dampers->model, &climb, change_mw));
}

uint32_t damper_forbids_raise(const struct dampers *dampers, uint32_t host, int64_t t_ns)
{
    struct climb climb = {.host = host};
    if (t_ns >= dampers->held_until_ns)
        return INDEX_NONE;
    for (uint32_t n; (n = next_above(dampers->model, &climb)) != INDEX_NONE;)
        if (t_ns < dampers->node[n].until_ns)
            return n;
    return INDEX_NONE;
}

/* Of the last whole arbitration. */
static int64_t lacked_mw(const struct dampers *dampers, const struct damper *damper)
{
    if (damper->noted == dampers->arbitration)
        return damper->lacked_mw;
    return damper->noted + 1 == dampers->arbitration ? damper->lacks_mw : 0;
}

/* A node that arbitration does not want to shrink as a whole cuts one host only for another below it. What
 * one whole arbitration wanted has to be known, and of every node above the host: what one wants less of, it
 * gets. */
bool damper_wants_less(const struct dampers *dampers, uint32_t host)
{
    struct climb climb = {.host = host};
    if (off(dampers) || !dampers->noting)
        return true;
    for (uint32_t n; (n = next_above(dampers->model, &climb)) != INDEX_NONE;)
        if (lacked_mw(dampers, &dampers->node[n]) < -dampers->node[n].quantum_mw)
            return true;
    return false;
}

uint32_t damper_forbids_cut(const struct dampers *dampers, uint32_t host, int64_t t_ns)
{
    uint32_t node = damper_forbids_raise(dampers, host, t_ns);
    return node == INDEX_NONE || damper_wants_less(dampers, host) ? INDEX_NONE : node;
}

void damper_view(const struct dampers *dampers, uint32_t node, int64_t t_ns, struct damper_view *view)
{
    const struct damper *damper = &dampers->node[node];
    *view = (struct damper_view){
        .changes = changes_since(damper, t_ns - dampers->model->policy.damper_window_ns),
        .hold_ns = damper_is_damped(damper, t_ns) ? damper->hold_ns : 0,
        .left_ns = t_ns < damper->until_ns ? damper->until_ns - t_ns : 0,
    };
}
