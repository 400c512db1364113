/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/ballast_meter.h"

#include <errno.h>
#include <time.h>

#include "ring/arena.h"

enum { STACK_BYTES = 256 * 1024, STEPS_LEAST = 6 };
#define STEP_PART  0.1
#define FADE       0.98         /* of each change: twenty seconds of them */
#define SQUARE_LEAST 0.05

/* At one moment. */
struct look {
    int64_t at_ns, burnt_ns, energy_mj;
};

static int64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

void ballast_fit_add(struct ballast_fit *fit, double part, double draw_mw)
{
    double more = part - fit->part, more_mw = draw_mw - fit->draw_mw;
    fit->part = part;
    fit->draw_mw = draw_mw;
    if (!fit->begun) {
        fit->begun = true;
        return;
    }
    fit->square = fit->square * FADE + more * more;
    fit->product = fit->product * FADE + more * more_mw;
    fit->steps += more > STEP_PART || more < -STEP_PART;
}

int64_t ballast_fit_full_mw(const struct ballast_fit *fit)
{
    if (fit->steps < STEPS_LEAST || fit->square < SQUARE_LEAST || fit->product <= 0)
        return 0;
    return (int64_t)(fit->product / fit->square);
}

/* False: a package does not tell, or the end is near. */
static bool look_at(struct ballast_meter *meter, struct act *act, struct look *look)
{
    struct act_sample sample;
    *look = (struct look){.at_ns = monotonic_ns()};
    for (uint32_t i = 0; i < act->count; i++) {
        int error = act->driver->sample(act, i, &sample);
        if (!error && !(sample.valid & ACT_READ_ENERGY))
            error = -ENOTSUP;
        atomic_store(&meter->error, error);
        if (error)
            return false;
        look->energy_mj += sample.energy_mj;
    }
    pthread_mutex_lock(&meter->lock);
    bool stop = meter->stop;
    pthread_mutex_unlock(&meter->lock);
    if (!stop)
        look->burnt_ns = ballast_burnt_ns(meter->ballast);
    return !stop;
}

static void compare(struct ballast_meter *meter, struct ballast_fit *fit, const struct look *then,
                    const struct look *now)
{
    double span_ns = (double)(now->at_ns - then->at_ns);
    if (span_ns <= 0)
        return;
    ballast_fit_add(fit, (double)(now->burnt_ns - then->burnt_ns) / span_ns / meter->ballast->threads,
                    (double)(now->energy_mj - then->energy_mj) * (double)NS_PER_S / span_ns);
    atomic_store_explicit(&meter->ballast->full_mw, ballast_fit_full_mw(fit), memory_order_relaxed);
}

static bool rest(struct ballast_meter *meter)
{
    int64_t until_ns = monotonic_ns() + BALLAST_METER_EVERY_NS;
    struct timespec until = {.tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S};
    pthread_mutex_lock(&meter->lock);
    while (!meter->stop && !pthread_cond_timedwait(&meter->wake, &meter->lock, &until))
        ;
    bool go_on = !meter->stop;
    pthread_mutex_unlock(&meter->lock);
    return go_on;
}

static void *measure(void *user)
{
    struct ballast_meter *meter = user;
    struct ballast_fit fit = {0};
    struct look then, now;
    struct act act;
    char why[ACT_WHY_BYTES];
    pthread_setname_np(pthread_self(), "fb-filler-w");
    int error = act_open(&act, act_find("powercap"), &meter->place, why);
    if (!error && !act.count)
        error = -ENOENT;
    atomic_store(&meter->error, error);
    arena_seal_thread();
    bool seen = !error && look_at(meter, &act, &then);
    while (!error && rest(meter)) {
        bool sees = look_at(meter, &act, &now);
        if (seen && sees)
            compare(meter, &fit, &then, &now);
        then = now;
        seen = sees;
    }
    act_close(&act);
    return NULL;
}

int ballast_meter_start(struct ballast_meter *meter, struct ballast *ballast, const struct act_place *place)
{
    pthread_condattr_t clock;
    pthread_attr_t stack;
    meter->ballast = ballast;
    meter->place = *place;
    meter->place.read_only = true;
    if (!ballast->threads)
        return 0;
    pthread_mutex_init(&meter->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&meter->wake, &clock);
    pthread_condattr_destroy(&clock);
    pthread_attr_init(&stack);
    pthread_attr_setstacksize(&stack, STACK_BYTES);
    int error = pthread_create(&meter->thread, &stack, measure, meter);
    pthread_attr_destroy(&stack);
    meter->running = !error;
    return -error;
}

bool ballast_meter_stop(struct ballast_meter *meter)
{
    int64_t until_ns = monotonic_ns() + NS_PER_S;
    const struct timespec until = {.tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S};
    if (!meter->running)
        return true;
    pthread_mutex_lock(&meter->lock);
    meter->stop = true;
    pthread_cond_signal(&meter->wake);
    pthread_mutex_unlock(&meter->lock);
    meter->running = pthread_clockjoin_np(meter->thread, NULL, CLOCK_MONOTONIC, &until) != 0;
    return !meter->running;
}
