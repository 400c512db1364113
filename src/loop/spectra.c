/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/spectra.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "loop/spectra_inside.h"
#include "rt/thread.h"

/* half a second of samples waits in a wave, 70 ms of a full load in the ring */
enum { LOOK_MS = 5, LOOK_IDLE_MS = 20, CYCLES_AT_ONCE = 64 };
#define TOLD_BESIDE_PPM 5000    /* distortion that moved by half a percent is told before its window ends */

/* ---- setup ---- */

struct plan { uint8_t *base; size_t used; };

static void *take(struct plan *plan, size_t bytes)
{
    void *at = plan->base ? plan->base + plan->used : NULL;
    plan->used += (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    return at;
}

static uint32_t count_sources(const struct model *model, const struct spectra_source *source)
{
    uint32_t count = 0;
    for (uint32_t i = 0; source && i < model->meter_count; i++)
        count += source[i].channels != 0;
    return count;
}

static void lay_out(struct spectra_desk *desk, const struct spectra_source *source, struct plan *plan)
{
    const struct model *model = desk->model;
    void *queue = take(plan, spsc_bytes(SLOT_BYTES, SPECTRA_PLACES));
    desk->shown = take(plan, (model->meter_count + 1) * sizeof *desk->shown);
    desk->swing = take(plan, model->meter_count * sizeof *desk->swing);
    desk->site = take(plan, sizeof *desk->site);
    desk->root = take(plan, model->meter_count * sizeof *desk->root);
    desk->roads = count_sources(model, source);
    desk->wave = desk->roads ? take(plan, model->meter_count * sizeof *desk->wave) : NULL;
    desk->road = take(plan, desk->roads * sizeof *desk->road);
    if (plan->base)
        spsc_init(&desk->out, queue, SLOT_BYTES, SPECTRA_PLACES);
    for (uint32_t i = 0, road = 0; desk->roads && i < model->meter_count; i++) {
        const struct spectra_source *from = &source[i];
        uint32_t samples = from->fast ? SPECTRA_WAVE_SAMPLES_FAST : SPECTRA_WAVE_SAMPLES;
        void *memory = from->channels ? take(plan, wave_bytes(from->channels, samples)) : NULL;
        if (!memory)
            continue;
        wave_init(&desk->wave[i], memory, from->channels, samples);
        desk->road[road].meter = i;
        desk->road[road].nominal_hz = from->nominal_hz;
        desk->road[road].demand.current_a = from->demand_a;
        desk->road[road].demand.fault_a = from->fault_a;
        spectra_meter_init(&desk->road[road++].state, &from->config);
    }
}

int spectra_desk_open(struct spectra_desk *desk, const struct model *model, const struct timebase *base,
                      const struct spectra_source *source)
{
    memset(desk, 0, sizeof *desk);
    desk->model = model;
    desk->base = base;
    struct plan plan = {0};
    lay_out(desk, source, &plan);
    int error = arena_open(&desk->arena, plan.used);
    if (error)
        return error;
    plan = (struct plan){.base = arena_take(&desk->arena, plan.used, CACHE_LINE)};
    error = plan.base ? swing_work_open(&desk->swing_work) : -ENOMEM;
    if (!error)
        error = spectra_work_open(&desk->work);
    if (!error)
        error = -pthread_mutex_init(&desk->lock, NULL);
    if (error) {
        spectra_desk_close(desk);
        return error;
    }
    lay_out(desk, source, &plan);
    spectra_find_roots(desk);
    desk->open = true;
    return 0;
}

void spectra_desk_close(struct spectra_desk *desk)
{
    for (uint32_t i = 0; i < desk->plans; i++)
        spectra_plan_close(&desk->plan[i]);
    desk->plans = 0;
    spectra_work_close(&desk->work);
    swing_work_close(&desk->swing_work);
    if (desk->open)
        pthread_mutex_destroy(&desk->lock);
    arena_close(&desk->arena);
    desk->open = false;
}

/* ---- results ---- */

struct slot *spectra_slot(struct spectra_desk *desk, int kind, int64_t now_ns)
{
    struct slot *slot = spsc_claim(&desk->out);
    if (!slot) {
        count_add(&desk->counters.lost, 1);
        return NULL;
    }
    *slot = (struct slot){.t_receive_ns = now_ns, .kind = (uint8_t)kind, .lane = desk->lane};
    return slot;
}

static uint32_t whole(double value, double scale)
{
    return value * scale < UINT32_MAX ? (uint32_t)(value * scale + 0.5) : UINT32_MAX;
}

static void tell(struct spectra_desk *desk, struct spectra_road *road, int64_t now_ns)
{
    struct slot *slot = spectra_slot(desk, SLOT_SPECTRUM, now_ns);
    road->any = true;
    if (slot) {
        slot->spectrum = road->told;
        spsc_publish(&desk->out);
    }
    pthread_mutex_lock(&desk->lock);
    desk->shown[road->meter].spectrum = road->told;
    desk->shown[road->meter].spectrum_t_ns = now_ns;
    pthread_mutex_unlock(&desk->lock);
}

static bool moved(uint32_t before_ppm, double now)
{
    return fabs(now * PPM - before_ppm) >= TOLD_BESIDE_PPM;
}

/* The newest of the sliding window; true where it is worth telling at once. */
static bool take_distortion(struct spectrum *told, const struct spectra_distortion *now)
{
    bool much = false;
    for (uint32_t p = 0; p < told->phases; p++) {
        much |= moved(told->thd_v_ppm[p], now->thd_v[p]) || moved(told->thd_a_ppm[p], now->thd_a[p]);
        told->thd_v_ppm[p] = whole(now->thd_v[p], PPM);
        told->thd_a_ppm[p] = whole(now->thd_a[p], PPM);
        told->fundamental_ma[p] = whole(now->fundamental_a[p], 1000);
    }
    told->t_meter_ns = now->t_ns;
    told->flags = (uint16_t)(now->flags | (told->flags & (SPECTRUM_WINDOW | SPECTRUM_DEMAND)));
    told->frequency_mhz = whole(now->frequency_hz, 1000);
    return much;
}

static void worst_of(const struct measure_harmonics *h, uint8_t *order, uint32_t *ppm)
{
    uint32_t worst = 2;
    for (uint32_t k = 3; k <= h->orders; k++)
        worst = h->harmonic[k] > h->harmonic[worst] ? k : worst;
    *order = h->orders > 1 ? (uint8_t)worst : 0;
    *ppm = h->harmonic[1] > 0 ? whole(h->harmonic[worst] / h->harmonic[1], PPM) : 0;
}

static void largest_of(uint16_t pct100[READING_HARMONIC_COUNT], const struct measure_harmonics *h)
{
    static const uint8_t order[READING_HARMONIC_COUNT] = {
#define ORDER(order, place) [place] = order,
        READING_HARMONICS(ORDER)
#undef ORDER
    };
    for (uint32_t i = 0; i < READING_HARMONIC_COUNT && h->harmonic[1] > 0; i++) {
        uint32_t share = whole(h->harmonic[order[i]] / h->harmonic[1], 1e4);
        share = share < UINT16_MAX ? share : UINT16_MAX;
        pct100[i] = share > pct100[i] ? (uint16_t)share : pct100[i];
    }
}

static void take_window(struct spectrum *told, const struct spectra_window *window)
{
    told->sample = window->first;
    told->flags = (uint16_t)(told->flags & ~SPECTRUM_WINDOW);
    if (!(window->flags & SPECTRA_CLIPPED))
        told->flags |= SPECTRUM_WINDOW;
    memset(told->harmonic_pct100, 0, sizeof told->harmonic_pct100);
    for (uint32_t p = 0; p < told->phases; p++) {
        const struct spectra_phase *phase = &window->phase[p];
        told->subgroup_v_ppm[p] = whole(phase->v.thd_subgroup, PPM);
        told->subgroup_a_ppm[p] = whole(phase->a.thd_subgroup, PPM);
        told->k_milli[p] = whole(phase->a.k_factor, 1000);
        worst_of(&phase->v, &told->worst_v[p], &told->worst_v_ppm[p]);
        worst_of(&phase->a, &told->worst_a[p], &told->worst_a_ppm[p]);
        largest_of(told->harmonic_pct100, &phase->a);
    }
}

/* ---- meters ---- */

/* Of the rate that its samples have; made when the first meter has it. NULL: too many rates, or none that a
 * meter may have. */
static const struct spectra_plan *plan_for(struct spectra_desk *desk, uint32_t period_ps, double nominal_hz)
{
    double rate_hz = 1e12 / period_ps;
    for (uint32_t i = 0; i < desk->plans; i++)
        if (fabs(desk->plan[i].rate_hz - rate_hz) < 1e-6 * rate_hz && desk->plan[i].nominal_hz == nominal_hz)
            return &desk->plan[i];
    if (desk->plans == SPECTRA_PLANS_MAX || spectra_plan_open(&desk->plan[desk->plans], rate_hz, nominal_hz))
        return NULL;
    return &desk->plan[desk->plans++];
}

/* Behind a break nothing of before counts. */
static void forget(struct spectra_road *road)
{
    road->told.flags = (uint16_t)(road->told.flags & ~(SPECTRUM_WINDOW | SPECTRUM_DEMAND));
    spectra_limits_restart(&road->demand);
}

static void take_whole(struct spectra_desk *desk, struct spectra_road *road,
                       const struct spectra_window *window, int64_t now_ns)
{
    take_window(&road->told, window);
    if (!spectra_limits_take(&road->demand, window, &road->told, now_ns))
        return;
    pthread_mutex_lock(&desk->lock);
    desk->shown[road->meter].judged = road->demand.judged;
    pthread_mutex_unlock(&desk->lock);
}

static void look_at(struct spectra_desk *desk, struct spectra_road *road, int64_t now_ns)
{
    struct wave *wave = &desk->wave[road->meter];
    struct spectra_distortion distortion;
    struct spectra_window window;
    struct wave_head head;
    uint64_t overtaken = road->state.overtaken, before = road->state.breaks, breaks = before;
    uint32_t done = SPECTRA_CYCLE;
    if (!wave_head(wave, &head) || !head.period_ps)
        return;
    if (head.period_ps != road->period_ps) {
        road->plan = plan_for(desk, head.period_ps, road->nominal_hz);
        road->period_ps = head.period_ps;
        road->state.going = false;
    }
    road->told.meter = road->meter;
    road->told.phases = (uint8_t)road->state.config.phases;
    for (int i = 0; road->plan && done && i < CYCLES_AT_ONCE; i++) {
        done = spectra_meter_next(&road->state, road->plan, &desk->work, wave, &distortion, &window);
        if (road->state.breaks != breaks)
            forget(road);
        breaks = road->state.breaks;
        bool tells = (done & SPECTRA_CYCLE) && take_distortion(&road->told, &distortion) && road->any;
        if (done & SPECTRA_WINDOW)
            take_whole(desk, road, &window, now_ns);
        if (done & SPECTRA_WINDOW || tells)
            tell(desk, road, now_ns);
        count_add(&desk->counters.cycles, done & SPECTRA_CYCLE);
        count_add(&desk->counters.windows, (done & SPECTRA_WINDOW) != 0);
    }
    count_add(&desk->counters.overtaken, road->state.overtaken - overtaken);
    count_add(&desk->counters.breaks, road->state.breaks - before);
}

/* ---- the thread ---- */

void spectra_desk_look(struct spectra_desk *desk, int64_t now_ns)
{
    spectra_follow_ring(desk);
    for (uint32_t i = 0; i < desk->roads; i++)
        look_at(desk, &desk->road[i], now_ns);
    spectra_look_at_swings(desk, now_ns);
}

static void *run(void *argument)
{
    struct spectra_desk *desk = argument;
    const struct timespec rest = {.tv_nsec = (desk->roads ? LOOK_MS : LOOK_IDLE_MS) * NS_PER_MS};
    rt_pin(desk->core);
    /* acquire: pairs with spectra_desk_stop */
    while (!atomic_load_explicit(&desk->stop, memory_order_acquire)) {
        spectra_desk_look(desk, timebase_now_ns(desk->base));
        nanosleep(&rest, NULL);
    }
    return NULL;
}

int spectra_desk_start(struct spectra_desk *desk, const struct ring *ring, int core, uint8_t lane)
{
    desk->ring = ring;
    desk->core = core;
    desk->lane = lane;
    int error = rt_spawn(&desk->thread, "fb-spectra", run, desk);
    desk->running = !error;
    return error;
}

void spectra_desk_stop(struct spectra_desk *desk)
{
    if (!desk->running)
        return;
    atomic_store_explicit(&desk->stop, true, memory_order_release);
    pthread_join(desk->thread, NULL);
    desk->running = false;
}

void spectra_desk_show(struct spectra_desk *desk, uint32_t meter, struct spectra_shown *shown)
{
    memset(shown, 0, sizeof *shown);
    if (!desk->open)
        return;
    pthread_mutex_lock(&desk->lock);
    *shown = desk->shown[meter];
    pthread_mutex_unlock(&desk->lock);
}
