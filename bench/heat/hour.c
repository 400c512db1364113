/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/heat/hour.h"

#include <math.h>
#include <string.h>

#include "bench/heat/permit.h"
#include "core/breaker.h"

enum {
    READING_MS = 16,
    RING = 256,                 /* readings in T_resp, and more */
    STEPS_PER_HOUR = 3600 * 1000 / READING_MS,
};
static const int64_t reading_ns = READING_MS * NS_PER_MS;
#define METER_LOW_MOST 0.02

/* Grants given within T_resp, those that another one tops left out: the first is the largest. */
struct leases {
    uint64_t step[RING];
    int64_t ma[RING];
    uint32_t head, tail;
    uint32_t live;              /* readings that a grant lives for */
};

struct control {
    struct breaker_state state;
    struct breaker_pace pace;
    int64_t hold_ns;
    int32_t crest_milli;        /* the most that was commissioned */
    double sees;                /* 1 - meter error, times 1 + what is configured of it */
    int64_t measured_ma;        /* worst phase of the newest reading */
    int64_t newest_ma, admissible_ma;
    uint32_t every;             /* readings from one grant to the next */
    bool emergency;
    uint64_t calm_since;        /* reading since which measured < 0.9 steady */
    uint64_t silent_until;      /* readings are lost until then */
    uint64_t mute_until;        /* nothing above steady is given until then */
    int64_t gap_ns, gap_ma;     /* readings lost so far, and what may have flowed */
    uint64_t next_event;
};

struct life {
    const struct heat_rules *rules;
    struct tally *tally;
    struct heat_device device;
    struct tripunit_setup setup;
    struct tripunit plant;
    struct tripunit_load flow;
    struct heat_load load;
    struct leases leases;
    struct control control;
    struct random random;       /* of the frame: events and starts */
    struct breaker_load seen;
    struct heat_permit permit;  /* of rule `permit` */
    uint32_t index;
    uint64_t step;
    int64_t most_ma;            /* what everything below can draw at all */
    double respond_s, meter_low;
    double nearest;             /* of this hour */
};

/* ---- leases ---- */

static void lease_give(struct leases *l, uint64_t step, int64_t ma)
{
    while (l->head != l->tail && l->ma[(l->tail - 1) % RING] <= ma)
        l->tail--;
    l->step[l->tail % RING] = step;
    l->ma[l->tail % RING] = ma;
    l->tail++;
}

static int64_t lease_most(struct leases *l, uint64_t step, int64_t floor_ma)
{
    while (l->head != l->tail && l->step[l->head % RING] + l->live <= step)
        l->head++;
    return l->head != l->tail && l->ma[l->head % RING] > floor_ma ? l->ma[l->head % RING] : floor_ma;
}

/* ---- controller ---- */

static bool lasts(const struct life *life, int64_t ma)
{
    const struct breaker_load load = {{ma, ma, ma}, 0, life->control.crest_milli};
    struct breaker_verdict verdict;
    breaker_time_to_trip(&life->control.state, &life->device.node.breaker, life->device.curve, &load,
                         &verdict);
    return verdict.t_ns >= life->control.hold_ns;
}

/* The plain time margin: no 0.9 of heat, no 0.95 of pickups. */
static int64_t time_admissible_ma(const struct life *life)
{
    int64_t low = 0, high = life->most_ma;
    if (lasts(life, high))
        return high;
    while (high - low > high / 4096 + 1) {
        int64_t middle = low + (high - low) / 2;
        if (lasts(life, middle))
            low = middle;
        else
            high = middle;
    }
    return low;
}

static int64_t now_ns(const struct life *life)
{
    return (int64_t)(life->step + 1000) * reading_ns;
}

static bool by_permit(const struct life *life)
{
    return life->rules->rule == RULE_PERMIT;
}

static int64_t limit_ma(const struct life *life)
{
    uint32_t element;
    if (by_permit(life)) {
        int64_t limit_ma = heat_permit_limit_ma(&life->permit);
        return limit_ma < life->most_ma ? limit_ma : life->most_ma;
    }
    int64_t ma = life->rules->margin == MARGIN_TIME
                     ? time_admissible_ma(life)
                     : breaker_admissible_ma(&life->control.state, &life->device.node.breaker,
                                             life->device.curve, life->control.hold_ns,
                                             life->control.crest_milli, &element);
    ma = ma < life->most_ma ? ma : life->most_ma;
    return ma > life->device.steady_ma ? ma : life->device.steady_ma;
}

/* safety.md section 8: measured above admissible cuts to 0.95 steady, until 1 s below 0.9 steady; raises wait
 * 100 ms more. */
static void watch(struct life *life)
{
    struct control *c = &life->control;
    if (!c->emergency) {
        if (c->measured_ma <= (by_permit(life) ? heat_permit_trigger_ma(&life->permit, now_ns(life))
                                               : c->admissible_ma))
            return;
        c->emergency = true;
        c->calm_since = life->step;
        life->tally->emergencies++;
    }
    if (c->measured_ma >= life->device.steady_ma / 10 * 9)
        c->calm_since = life->step;
    else if ((life->step - c->calm_since) * READING_MS >= 1100)
        c->emergency = false;
}

/* What is admissible interests nobody while an emergency lasts. */
static void decide(struct life *life)
{
    struct control *c = &life->control;
    if (!c->emergency)
        c->admissible_ma = limit_ma(life);
    if (life->rules->rule == RULE_GRANT)
        return;
    bool before = c->emergency;
    watch(life);
    if (before && !c->emergency)
        c->admissible_ma = limit_ma(life);
}

static void give(struct life *life)
{
    struct control *c = &life->control;
    int64_t ma = c->admissible_ma;
    if (c->emergency)
        ma = life->device.steady_ma / 100 * 95;
    else if (life->rules->rule == RULE_EXPOSURE &&
             lease_most(&life->leases, life->step, life->device.steady_ma) > c->admissible_ma)
        ma = life->device.steady_ma;
    c->newest_ma = ma;
    lease_give(&life->leases, life->step, ma);
    spread_add(&life->tally->grant, (double)ma / (double)life->device.steady_ma, GRANT_PER_UNIT);
}

/* Readings that were lost come as one step of what may have flowed. */
static void bridge_gap(struct life *life)
{
    struct control *c = &life->control;
    const struct breaker_load load = {{c->gap_ma, c->gap_ma, c->gap_ma}, 0, c->crest_milli};
    if (c->gap_ns)
        breaker_step_paced(&c->state, &life->device.node.breaker, &c->pace, life->device.curve, &load,
                           c->gap_ns);
    c->gap_ns = c->gap_ma = 0;
}

/* Within a reading the load may have been above a pickup for a while and below it for the rest; what is above
 * for two readings fills one of them, and moves travel in the next one too, as in core/heat. */
static struct breaker_load larger(const struct breaker_load *a, const struct breaker_load *b)
{
    struct breaker_load load = {.crest_milli =
                                    a->crest_milli > b->crest_milli ? a->crest_milli : b->crest_milli};
    for (uint32_t p = 0; p < PHASES; p++)
        load.current_ma[p] = a->current_ma[p] > b->current_ma[p] ? a->current_ma[p] : b->current_ma[p];
    return load;
}

static void control_read(struct life *life, const double square_s[PHASES], int64_t most_ma)
{
    struct control *c = &life->control;
    const struct breaker_load before = life->seen;
    c->measured_ma = 0;
    for (uint32_t p = 0; p < PHASES; p++) {
        int64_t ma = (int64_t)(sqrt(square_s[p] / (READING_MS * 1e-3)) * c->sees * 1e3);
        life->seen.current_ma[p] = ma;
        c->measured_ma = ma > c->measured_ma ? ma : c->measured_ma;
    }
    life->seen.crest_milli = (int32_t)ceil(life->load.crest * 1e3);
    if (by_permit(life)) {
        int64_t raw_ma[PHASES];
        for (uint32_t p = 0; p < PHASES; p++)
            raw_ma[p] = (int64_t)(sqrt(square_s[p] / (READING_MS * 1e-3)) * (1 - life->meter_low) * 1e3);
        heat_permit_step(&life->permit, raw_ma, life->seen.crest_milli, most_ma, now_ns(life));
        return;
    }
    bridge_gap(life);
    const struct breaker_load load = larger(&before, &life->seen);
    const struct breaker *breaker = &life->device.node.breaker;
    struct breaker_state held = c->state;
    breaker_step_paced(&held, breaker, &c->pace, life->device.curve, &load, reading_ns);
    breaker_step_paced(&c->state, breaker, &c->pace, life->device.curve, &life->seen, reading_ns);
    for (uint32_t e = 0; e < breaker->element_count; e++)
        if (breaker->element[e].law == BREAKER_TRAVEL) {
            memcpy(c->state.part[e], held.part[e], sizeof held.part[e]);
            memcpy(c->state.below_ns[e], held.below_ns[e], sizeof held.below_ns[e]);
        }
}

static void control_lose(struct life *life, int64_t most_ma)
{
    life->control.gap_ns += reading_ns;
    life->control.gap_ma = most_ma > life->control.gap_ma ? most_ma : life->control.gap_ma;
}

static double log_between(struct random *random, double low, double high)
{
    return exp(random_between(random, log(low), log(high)));
}

static uint64_t readings(double seconds)
{
    return 1 + (uint64_t)(seconds * 1000 / READING_MS);
}

/* What befalls the controller in this kind of hour. */
static void befall(struct life *life)
{
    struct control *c = &life->control;
    struct random *r = &life->random;
    switch (life->load.adversary) {
    case HEAT_RESTART:
        c->gap_ns = c->gap_ma = 0;
        c->emergency = false;
        breaker_start(&c->state, &life->device.node.breaker, &life->seen);
        if (by_permit(life))
            heat_permit_start(&life->permit, false, now_ns(life));
        break;
    case HEAT_LOSS:
        c->mute_until = life->step + readings(life->respond_s + log_between(r, 0.1, 30));
        c->silent_until = random_unit(r) < 0.5 ? c->mute_until : 0;
        break;
    default:
        c->silent_until = c->mute_until = life->step + readings(log_between(r, 0.016, 5));
    }
    c->next_event = (c->mute_until > life->step ? c->mute_until : life->step) +
                    readings(log_between(r, 0.2, 60));
}

static void control_step(struct life *life, const double square_s[PHASES], int64_t most_ma)
{
    struct control *c = &life->control;
    if (life->step >= c->next_event)
        befall(life);
    if (by_permit(life) && life->step < c->silent_until)
        heat_permit_step(&life->permit, NULL, 0, most_ma, now_ns(life));
    else if (life->step < c->silent_until)
        control_lose(life, most_ma);
    else
        control_read(life, square_s, most_ma);
    if (life->step < c->mute_until || life->step % c->every)
        return;
    decide(life);
    give(life);
    life->tally->decisions++;
}

/* ---- plant ---- */

static void note_trip(struct life *life, enum trip_element element)
{
    const struct trip_note note = {
        .device = life->index,
        .hour = (uint32_t)(life->step / STEPS_PER_HOUR),
        .kind = life->device.kind,
        .adversary = life->load.adversary,
        .element = element,
        .at_s = (double)(life->step % STEPS_PER_HOUR) * READING_MS * 1e-3,
        .load_a = life->flow.current_a[0],
        .steady_a = (double)life->device.steady_ma * 1e-3,
        .respond_s = life->respond_s,
        .meter_low = life->meter_low,
        .heat = tripunit_heat(&life->plant),
        .travel = tripunit_travel(&life->plant),
        .heat_hat = (double)breaker_heat_ppm(&life->control.state, &life->device.node.breaker) * 1e-6,
        .travel_hat = (double)breaker_travel_ppm(&life->control.state, &life->device.node.breaker) * 1e-6,
    };
    tally_trip(life->tally, &note);
}

/* The current of one reading, piece by piece; square_s gathers A^2 s of each phase. */
static enum trip_element plant_read(struct life *life, int64_t most_ma, double square_s[PHASES])
{
    enum trip_element tripped = TRIP_NONE;
    double newest_a = (double)life->control.newest_ma * 1e-3, most_a = (double)most_ma * 1e-3;
    for (int64_t left_ns = reading_ns; left_ns;) {
        if (!life->load.left_ns)
            heat_load_next(&life->load);
        int64_t dt_ns = life->load.left_ns < left_ns ? life->load.left_ns : left_ns;
        double a = heat_load_a(&life->load, newest_a, most_a), dt_s = (double)dt_ns * 1e-9;
        for (uint32_t p = 0; p < PHASES; p++) {
            life->flow.current_a[p] = a * life->load.phase[p];
            square_s[p] += life->flow.current_a[p] * life->flow.current_a[p] * dt_s;
        }
        life->flow.crest = life->load.crest;
        enum trip_element element = tripunit_step(&life->plant, &life->flow, dt_s);
        tripped = element != TRIP_NONE ? element : tripped;
        life->load.left_ns -= dt_ns;
        left_ns -= dt_ns;
        life->tally->plant_steps++;
    }
    return tripped;
}

/* Closed again, cold or as after a long time at some load, with a controller that knows or that does not. */
static void begin(struct life *life)
{
    struct control *c = &life->control;
    bool cold = random_unit(&life->random) < 0.5;
    double share = cold ? 0 : random_unit(&life->random);
    double a = share * (double)life->device.steady_ma * 1e-3, rated = life->load.scale_a;
    int64_t ma = (int64_t)(a * c->sees * 1e3);
    life->setup.initial_heat = cold ? 0 : a * a / (rated * rated);
    tripunit_init(&life->plant, &life->setup);
    life->seen = (struct breaker_load){{ma, ma, ma}, 0, c->crest_milli};
    if (cold)
        breaker_rest(&c->state, &life->device.node.breaker, 0);
    else
        breaker_start(&c->state, &life->device.node.breaker, &life->seen);
    if (by_permit(life))
        heat_permit_start(&life->permit, cold, now_ns(life));
    c->measured_ma = ma;
    c->newest_ma = c->admissible_ma = life->device.steady_ma;
    c->emergency = false;
    c->silent_until = c->mute_until = 0;
    c->gap_ns = c->gap_ma = 0;
    life->leases.head = life->leases.tail = 0;
}

static void begin_hour(struct life *life)
{
    enum heat_adversary adversary = (enum heat_adversary)(random_bits(&life->random) % HEAT_ADVERSARY_COUNT);
    bool befalls = adversary == HEAT_RESTART || adversary == HEAT_LOSS || adversary == HEAT_GAPS;
    heat_load_begin(&life->load, adversary);
    life->control.next_event = befalls ? life->step + readings(1) : UINT64_MAX;
    life->nearest = 0;
}

static void end_hour(struct life *life)
{
    struct tally *t = life->tally;
    enum heat_adversary adversary = life->load.adversary;
    t->hours++;
    t->hours_of[adversary]++;
    t->hours_kind[life->device.kind]++;
    spread_add(&t->heat_of[adversary], life->nearest, HEAT_PER_UNIT);
}

static void live_step(struct life *life)
{
    double square_s[PHASES] = {0};
    int64_t most_ma = lease_most(&life->leases, life->step, life->device.steady_ma);
    enum trip_element tripped = plant_read(life, most_ma, square_s);
    life->tally->steps++;
    life->tally->excursion_steps += life->flow.current_a[0] * 1e3 > (double)life->device.steady_ma * 1.001;
    if (tripped != TRIP_NONE || life->step % life->control.every == 0)
        life->nearest =
            fmax(life->nearest, fmax(tripunit_heat(&life->plant), tripunit_travel(&life->plant)));
    if (tripped != TRIP_NONE) {
        note_trip(life, tripped);
        begin(life);
    }
    control_step(life, square_s, most_ma);
    life->step++;
}

/* ---- a life ---- */

static void draw_life(struct life *life, uint32_t index)
{
    struct random *r = &life->random;
    struct control *c = &life->control;
    struct heat_load *l = &life->load;
    random_init(r, life->rules->seed, RANDOM_DEMAND, index);
    random_init(&l->random, life->rules->seed, RANDOM_HOST, index);
    heat_device_draw(&life->device, r);
    life->respond_s = random_between(r, 0.5, 3);
    c->hold_ns = (int64_t)ceil(life->respond_s / 0.7 * 1e9);
    life->meter_low = random_between(r, 0, METER_LOW_MOST);
    /* a UPS carries its rating and counts what is above it: no margin is there for a meter to be low by */
    c->sees = (1 - life->meter_low) / (life->device.kind == HEAT_UPS ? 1 - METER_LOW_MOST : 1);
    c->every = 1 + (uint32_t)(random_bits(r) % 6);
    life->leases.live = (uint32_t)(life->respond_s * 1000 / READING_MS);
    l->scale_a = life->device.scale_a;
    l->steady_a = (double)life->device.steady_ma * 1e-3;
    l->crest_most = random_unit(r) < 0.4 ? sqrt(2) : random_between(r, sqrt(2), 2);
    c->crest_milli = (int32_t)ceil(l->crest_most * 1e3);
    l->respond_s = life->respond_s;
    l->unseen = (1 - 1e-5) / fmin(c->sees, 1);
    life->most_ma = (int64_t)(log_between(r, 1.3, 15) * l->scale_a * 1e3);
}

/* Half of the specimens lie anywhere in their band, the others are its fast edge. */
static void draw_specimen(struct life *life, struct random *dice, uint32_t index)
{
    random_init(dice, life->rules->seed, RANDOM_TRIPUNIT, index);
    life->setup = (struct tripunit_setup){
        .device = &life->device.set,
        .equipment = &life->device.equipment,
        .volts_ln = (double)life->device.node.volts_ln_mv * 1e-3,
        .phases = PHASES,
        .truth = TRUTH_DRAWN,
        .long_time = LONG_TIME_AS_SET,
        .fast_share = 0.5,
        .random = dice,
    };
}

void heat_live(const struct heat_rules *rules, uint32_t index, uint32_t hours, struct tally *tally)
{
    struct life life = {.rules = rules, .tally = tally, .index = index};
    struct random dice;
    draw_life(&life, index);
    draw_specimen(&life, &dice, index);
    tally->devices++;
    if (heat_device_compile(&life.device)) {
        tally->refused++;
        return;
    }
    breaker_pace(&life.control.pace, &life.device.node.breaker);
    heat_permit_open(&life.permit, &life.device, (int64_t)(life.respond_s * 1e9),
                     life.device.kind == HEAT_UPS ? 20409 : 0);
    begin(&life);
    for (uint32_t hour = 0; hour < hours; hour++) {
        begin_hour(&life);
        for (uint32_t step = 0; step < STEPS_PER_HOUR; step++)
            live_step(&life);
        end_hour(&life);
    }
}
