/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pool.h"

#include "core/compare.h"
#include "core/pool_inside.h"
#include "core/quantum.h"

enum { ENTER_PPM = 1000000, TARGET_PPM = 990000, RELEASE_PPM = 900000, REFILL_DIVISOR = 10 };
enum { SURGE_PPM = 1060000 };           /* more than devices overshoot */
enum { LASTING_READINGS = 2 };      /* before the newest one */
#define RELEASE_NS NS_PER_S
#define HOUR_NS (3600 * NS_PER_S)
#define PEAK_NS NS_PER_S    /* peaks of the present and of the last such stretch are remembered */
#define NEVER_NS INT64_MAX
#define SCALED_MAX (INT64_MAX / 4)     /* stands for whatever is more: sums of it stay within an int64_t */

__extension__ typedef __int128 wide;

static int64_t ppm_of(int64_t value, int64_t ppm)
{
    return value / PPM * ppm + value % PPM * ppm / PPM;
}

/* value * part / whole, towards zero; whole > 0 */
static int64_t scaled(int64_t value, int64_t part, int64_t whole)
{
    wide product = (wide)value * part / whole;
    return product > SCALED_MAX ? SCALED_MAX : product < -SCALED_MAX ? -SCALED_MAX : (int64_t)product;
}

/* ---- the loop's constants ---- */

int64_t pool_gain_ppm(uint32_t steps)
{
    static const int32_t gain_ppm[POOL_DEAD_STEPS_MAX + 1] = {
        1000000, 250000, 148148, 105468, 81920, 66979, 56652, 49086, 43304, 38742, 35049,
    };
    return gain_ppm[smaller(steps, POOL_DEAD_STEPS_MAX)];
}

/* An arbitration is at most a tick away, its caps hold within A, and a reading is up to T_fresh old. The
 * control period makes that ten steps at most, its own mean of readings included. */
static void set_loop(struct pool *pool, const struct model *model, uint32_t n, int64_t actuation_ns)
{
    const struct model_meter *meter = &model->meter[model->node[n].meter];
    int64_t tick_ns = larger(model->policy.tick_ns, 1);
    pool->dead_ns = meter->fresh_ns + actuation_ns + tick_ns + LASTING_READINGS * meter->period_ns;
    pool->period_ns = larger(tick_ns, (pool->dead_ns + POOL_DEAD_STEPS_MAX - 2) / (POOL_DEAD_STEPS_MAX - 1));
    int64_t steps = (pool->dead_ns + 2 * pool->period_ns - 1) / pool->period_ns;
    pool->gain_ppm = pool_gain_ppm((uint32_t)steps);
}

void pool_init(struct pools *pools, const struct model *model, const struct ledger *ledger, int64_t t_ns)
{
    int64_t actuation_ns = 0;
    pools->model = model;
    pools->ledger = ledger;
    pools->levels = pools->swept = 0;
    pools->trims = 0;
    pools->t_ns = t_ns;
    for (uint32_t i = 0; i < model->type_count; i++)
        actuation_ns = larger(actuation_ns, model->type[i].actuation_ns);
    for (uint32_t h = 0; h < model->host_count; h++)
        pools->host[h] = (struct pool_host){0};
    for (uint32_t n = 0; n < model->node_count; n++) {
        struct pool *pool = &pools->node[n];
        *pool = (struct pool){
            .quantum_mva = quantum_of_mw(&model->node[n]),
            .measured_t_ns = t_ns,
            .credit_va_ns = model->node[n].burst_credit_va_ns_max,
            .low_since_ns = NEVER_NS,
            .measured_mva = {-1, -1, -1},
        };
        pools->levels += model->node[n].level_mva > 0;
        if (model->node[n].meter != INDEX_NONE)
            set_loop(pool, model, n, actuation_ns);
    }
    pool_measure_most(pools);
}

/* ---- load and burst credit ---- */

int64_t pool_level_mva(const struct pools *pools, uint32_t n)
{
    const struct model_node *node = &pools->model->node[n];
    const struct pool *pool = &pools->node[n];
    if (node->level_mva <= 0)
        return INT64_MAX;
    bool burst = pool->credit_va_ns > 0 && !pool->spent && node->level_burst_mva > node->level_mva;
    return burst ? node->level_burst_mva : node->level_mva;
}

/* The fullest phase; reported where nothing is measured. */
static int64_t load_of(const struct pools *pools, uint32_t n, uint32_t *phase)
{
    int64_t most_mva = pool_load_mva(pools, n, 0);
    *phase = 0;
    for (uint32_t p = 1; p < PHASES; p++) {
        int64_t load_mva = pool_load_mva(pools, n, p);
        *phase = load_mva > most_mva ? p : *phase;
        most_mva = larger(most_mva, load_mva);
    }
    return most_mva;
}

/* dE/dt = -max(0, P - L) + a tenth of the most that may be used. What has passed since the last reading
 * counts with the larger of both. */
static void use_credit(const struct model_node *node, struct pool *pool, int64_t before_mva, int64_t now_mva,
                       int64_t t_ns)
{
    int64_t most = node->burst_credit_va_ns_max;
    int64_t passed_ns = smaller(larger(t_ns - pool->measured_t_ns, 0), HOUR_NS);
    int64_t above_mva = larger(larger(before_mva, now_mva) - node->level_mva, 0);
    int64_t refill_mva = larger(node->level_burst_mva - node->level_mva, 0) / REFILL_DIVISOR;
    wide credit = (wide)pool->credit_va_ns + (wide)(refill_mva - above_mva) * passed_ns / 1000;
    pool->credit_va_ns = credit < 0 ? 0 : credit > most ? most : (int64_t)credit;
    /* a level that came back with the first drop of credit would be gone with the next reading */
    if (pool->credit_va_ns == 0)
        pool->spent = true;
    else if (pool->credit_va_ns >= most / REFILL_DIVISOR)
        pool->spent = false;
}

/* ---- feedback ---- */

/* Governed load of the fullest phase: what other loads may take there at most is no reason to cut hosts more
 * than that, and never less than what is not accounted for. */
static int64_t governed_of(const struct pools *pools, uint32_t n, uint32_t phase, int64_t load_mva)
{
    int64_t other_mva = larger(load_mva - pools->node[n].drawn_mva[0][phase], 0);
    other_mva = smaller(other_mva, pools->model->node[n].other_mva[phase]);
    return larger(load_mva - other_mva, 1);
}

/* Load on the fullest phase, as arbitration counts what it gives. */
static int64_t in_claims(const struct pools *pools, uint32_t n, uint32_t phase, int64_t load_mva, int64_t mva)
{
    return scaled(mva, pools->node[n].claim_mva, governed_of(pools, n, phase, load_mva));
}

static void restart_period(struct pool *pool, int64_t t_ns)
{
    pool->period_start_ns = t_ns;
    pool->period_sum_mva = pool->period_readings = 0;
}

/* Hosts draw about what they are given, headroom and quanta apart. */
static bool binds(const struct pool *pool)
{
    return pool->trims && pool->capacity_mva <= pool->held_mva + pool->held_mva / 8;
}

/* Down at once: what hosts draw (arbitration leaves each its fail-safe cap) less what is too much, in one
 * go. What they draw and what is measured are of one time, so looking again before the cut shows gives the
 * same; only a further rise is trimmed meanwhile. */
static void trim(struct pools *pools, uint32_t n, uint32_t phase, int64_t load_mva, int64_t t_ns)
{
    struct pool *pool = &pools->node[n];
    int64_t target_mva = ppm_of(pool_level_mva(pools, n), TARGET_PPM);
    int64_t excess_mva = 0;
    if (!pool->trims) {
        pool->trims = true;
        pool->capacity_mva = pool->held_mva;
        excess_mva = load_mva - target_mva;
    } else if (t_ns - pool->trimmed_ns >= pool->dead_ns) {
        pool->capacity_mva = smaller(pool->capacity_mva, pool->held_mva);
        excess_mva = load_mva - target_mva;
    } else if (load_mva > pool->seen_mva) {
        excess_mva = load_mva - pool->seen_mva;
        t_ns = pool->trimmed_ns;
    } else {
        return;
    }
    pool->capacity_mva = larger(pool->capacity_mva - in_claims(pools, n, phase, load_mva, excess_mva), 0);
    pools->trims += t_ns != pool->trimmed_ns;
    pool->seen_mva = load_mva;
    pool->trimmed_ns = t_ns;
    pool->peak_mva[0] = pool->peak_mva[1] = 0;
}

/* Load that comes in pulses says at its peaks how much more may be given: between them hosts do not draw what
 * they have, and more of it would only be taken back at the next peak. */
static int64_t remember_peak(struct pool *pool, int64_t mean_mva, int64_t t_ns)
{
    if (t_ns - pool->peak_since_ns >= PEAK_NS) {
        pool->peak_mva[1] = t_ns - pool->peak_since_ns < 2 * PEAK_NS ? pool->peak_mva[0] : 0;
        pool->peak_mva[0] = 0;
        pool->peak_since_ns = t_ns;
    }
    pool->peak_mva[0] = larger(pool->peak_mva[0], mean_mva);
    return larger(pool->peak_mva[0], pool->peak_mva[1]);
}

/* One correction a control period, of the mean of its readings: u += g (P_ref - P), never above what
 * everybody could use. */
static void correct(struct pools *pools, uint32_t n, uint32_t phase, int64_t load_mva, int64_t t_ns)
{
    struct pool *pool = &pools->node[n];
    pool->period_sum_mva += load_mva;
    pool->period_readings++;
    if (t_ns - pool->period_start_ns < pool->period_ns)
        return;
    int64_t mean_mva = pool->period_sum_mva / pool->period_readings;
    int64_t target_mva = ppm_of(pool_level_mva(pools, n), TARGET_PPM);
    int64_t peak_mva = remember_peak(pool, mean_mva, t_ns);
    int64_t error_mva = mean_mva > target_mva ? target_mva - mean_mva : larger(target_mva - peak_mva, 0);
    restart_period(pool, t_ns);
    int64_t gain_ppm = pool->damped ? pool->gain_ppm / 2 : pool->gain_ppm;
    int64_t step_mva = ppm_of(in_claims(pools, n, phase, load_mva, error_mva), gain_ppm);
    pool->capacity_mva = smaller(larger(pool->capacity_mva + step_mva, 0), pool->most_mva);
}

/* The least of the last three readings: devices overshoot for some 20 ms after a step, which passes by itself
 * and is not what a level is about. More than that lasts. */
static int64_t lasting(struct pool *pool, int64_t load_mva, int64_t level_mva)
{
    int64_t least_mva = smaller(load_mva, smaller(pool->before_mva[0], pool->before_mva[1]));
    pool->before_mva[1] = pool->before_mva[0];
    pool->before_mva[0] = load_mva;
    return load_mva > ppm_of(level_mva, SURGE_PPM) ? load_mva : least_mva;
}

static void control(struct pools *pools, uint32_t n, int64_t t_ns)
{
    struct pool *pool = &pools->node[n];
    uint32_t phase;
    int64_t level_mva = pool_level_mva(pools, n);
    int64_t load_mva = lasting(pool, load_of(pools, n, &phase), level_mva);
    bool low = load_mva < ppm_of(level_mva, RELEASE_PPM);
    pool->low_since_ns = !low ? NEVER_NS : pool->low_since_ns == NEVER_NS ? t_ns : pool->low_since_ns;
    if (load_mva > ppm_of(level_mva, ENTER_PPM)) {
        trim(pools, n, phase, load_mva, t_ns);
        restart_period(pool, t_ns);
    } else if (pool->trims && t_ns - pool->trimmed_ns >= pool->dead_ns) {
        correct(pools, n, phase, load_mva, t_ns);
    } else {
        restart_period(pool, t_ns);
    }
    if (low && t_ns - pool->low_since_ns >= RELEASE_NS && pool->capacity_mva >= pool->most_mva)
        pool->trims = false;
}

void pool_reading(struct pools *pools, uint32_t n, const struct reading *reading, int64_t t_ns)
{
    const struct model_node *node = &pools->model->node[n];
    struct pool *pool = &pools->node[n];
    int64_t error_ppm = pools->model->meter[reading->meter].error_ppm;
    uint32_t phase;
    int64_t before_mva = node->level_mva > 0 ? load_of(pools, n, &phase) : 0;
    for (uint32_t p = 0; p < PHASES; p++) {
        /* a sag raises current at constant power: a cut for that would be a grid event of its own (section
         * 8) */
        int64_t volts_mv = smaller(larger(reading->voltage_mv[p], 0), node->volts_low_mv);
        int64_t load_mva = p < node->phases ? reading->current_ma[p] * volts_mv / 1000 : 0;
        pool->measured_mva[p] = load_mva + ppm_of(load_mva, error_ppm);
    }
    if (node->level_mva > 0) {
        use_credit(node, pool, before_mva, load_of(pools, n, &phase), t_ns);
        control(pools, n, t_ns);
    }
    pool->measured_t_ns = t_ns;
}

int64_t pool_capacity_mva(const struct pools *pools, uint32_t n)
{
    const struct pool *pool = &pools->node[n];
    if (!pool->trims)
        return INT64_MAX;
    return pool->capacity_mva - pool->capacity_mva % pool->quantum_mva;
}

static uint32_t above(const struct pools *pools, uint32_t host, int64_t t_ns,
                      bool (*is)(const struct pool *pool, int64_t t_ns))
{
    const struct model_host *h = &pools->model->host[host];
    for (uint32_t j = 0; pools->levels && j < h->cord_count; j++) {
        const struct model_node *node = &pools->model->node[h->cord[j].node];
        for (uint32_t a = 0; a < node->ancestor_count; a++)
            if (is(&pools->node[node->ancestor[a]], t_ns))
                return node->ancestor[a];
    }
    return INDEX_NONE;
}

static bool binds_now(const struct pool *pool, int64_t t_ns)
{
    (void)t_ns;
    return binds(pool);
}

uint32_t pool_binds_above(const struct pools *pools, uint32_t host)
{
    return above(pools, host, 0, binds_now);
}

/* After its dead time a cut stands in the meter, whatever its host says of it or does not. */
static bool waits_for_cuts(const struct pool *pool, int64_t t_ns)
{
    return binds(pool) && pool->unconfirmed_mw > pool->quantum_mva && t_ns - pool->cut_ns < pool->dead_ns;
}

uint32_t pool_forbids_raise(const struct pools *pools, uint32_t host, int64_t t_ns)
{
    return above(pools, host, t_ns, waits_for_cuts);
}

void pool_view(const struct pools *pools, uint32_t n, struct pool_view *view)
{
    const struct model_node *node = &pools->model->node[n];
    const struct pool *pool = &pools->node[n];
    uint32_t phase;
    *view = (struct pool_view){
        .load_mva = load_of(pools, n, &phase),
        .capacity_mva = pool_capacity_mva(pools, n),
        .trims = pool->trims,
        .binds = binds(pool),
    };
    for (uint32_t p = 0; p < PHASES; p++)
        view->forecast_mva = larger(view->forecast_mva, pool_forecast_mva(pools, n, p, 0));
    if (node->level_mva <= 0)
        return;
    view->level_mva = pool_level_mva(pools, n);
    view->free_mva = view->level_mva - view->forecast_mva;
    view->burst = view->level_mva > node->level_mva;
    if (node->burst_credit_va_ns_max > 0)
        view->credit_ppm = (uint32_t)((wide)pool->credit_va_ns * PPM / node->burst_credit_va_ns_max);
}
