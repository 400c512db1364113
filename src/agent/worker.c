/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/worker.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "msg/model.h"
#include "probe/points.h"
#include "ring/arena.h"

enum { STACK_BYTES = 256 * 1024 };
#define SMOOTH_AGAIN_NS (5 * NS_PER_S)

static const struct act_smooth smooth_off = {.off = true}, not_known = {.floor_mw = -1};

int worker_open(struct worker *worker, const struct worker_place *place, char why[ACT_WHY_BYTES])
{
    *worker = (struct worker){.config = *place, .told = {-1, -1}, .smooth.off = true, .smoothed = not_known};
    return hand_open(&worker->hand, place->hands, place->driver, &place->place, place->identity, why);
}

int64_t worker_allowed_mw(int64_t cap_mw, int64_t ceiling_mw, int64_t fail_safe_mw, bool word_has_passed)
{
    if (word_has_passed && ceiling_mw > fail_safe_mw)
        ceiling_mw = fail_safe_mw;
    return cap_mw < ceiling_mw ? cap_mw : ceiling_mw;
}

static int64_t still_allowed_mw(const struct worker *worker, int64_t cap_mw)
{
    return worker_allowed_mw(cap_mw, atomic_load_explicit(&worker->ceiling_mw, memory_order_acquire),
                             worker->config.fail_safe_mw,
                             word_has_passed(worker->config.word, word_boottime_ns()));
}

static void wake_loop(const struct worker *worker)
{
    const uint64_t one = 1;
    ssize_t ignored = write(worker->config.wake_fd, &one, sizeof one);  /* full: it is awake already */
    (void)ignored;
}

static void carry_out(struct worker *worker, int64_t cap_mw, int64_t came_ns)
{
    struct hand_seen readback = {-1, -1};
    cap_mw = still_allowed_mw(worker, cap_mw);
    int64_t began_ns = word_monotonic_ns();
    probe_write(worker->hand.device, cap_mw, came_ns, began_ns);
    int rc = hand_apply(&worker->hand, cap_mw, began_ns);
    if (!rc)
        rc = hand_read_back(&worker->hand, &readback, began_ns);
    probe_written(worker->hand.device, cap_mw, rc, began_ns);
    histogram_record(&worker->to_call, (uint64_t)(began_ns - came_ns));
    histogram_record(&worker->call, (uint64_t)(word_monotonic_ns() - began_ns));
    pthread_mutex_lock(&worker->lock);
    worker->news.written = true;
    worker->news.seen = false;          /* what was seen before the write is no news any more */
    worker->news.written_rc = rc;
    worker->news.applied_mw = cap_mw;
    worker->news.readback = readback;
    pthread_mutex_unlock(&worker->lock);
    worker->told = readback;
    wake_loop(worker);
}

/* A look that shows nothing new waits for the loop's next turn. */
static void look(struct worker *worker)
{
    struct act_sample sample;
    struct hand_seen seen;
    int64_t now_ns = word_monotonic_ns();
    hand_find(&worker->hand, now_ns);
    int rc = hand_read_back(&worker->hand, &seen, now_ns);
    bool sampled = !rc && !hand_sample(&worker->hand, &sample, now_ns);
    pthread_mutex_lock(&worker->lock);
    worker->news.seen = true;
    worker->news.seen_rc = rc;
    worker->news.look = seen;
    worker->news.sampled |= sampled;
    if (sampled)
        worker->news.sample = sample;
    pthread_mutex_unlock(&worker->lock);
    if (seen.enforced_mw != worker->told.enforced_mw || seen.kept_mw != worker->told.kept_mw)
        wake_loop(worker);
    worker->told = seen;
}

static bool is_same(const struct act_smooth *left, const struct act_smooth *right)
{
    return (left->off && right->off) ||
           (left->off == right->off && left->floor_mw == right->floor_mw &&
            left->ramp_up_mw_per_s == right->ramp_up_mw_per_s &&
            left->ramp_down_mw_per_s == right->ramp_down_mw_per_s &&
            left->hysteresis_ns == right->hysteresis_ns);
}

/* A cut, or what may be one, or the end, waits for this thread. */
static bool is_wanted(void *user)
{
    struct worker *worker = user;
    const struct hand_seen *told = &worker->told;
    int64_t standing_mw = told->enforced_mw > told->kept_mw ? told->enforced_mw : told->kept_mw;
    pthread_mutex_lock(&worker->lock);
    bool wanted = worker->stop || (worker->ordered && (standing_mw < 0 || worker->cap_mw < standing_mw));
    pthread_mutex_unlock(&worker->lock);
    return wanted;
}

static int call_smooth(struct worker *worker, struct act_smooth wanted, int64_t now_ns)
{
    wanted.leave = is_wanted;
    wanted.user = worker;
    return hand_smooth(&worker->hand, &wanted, now_ns);
}

/* Where a floor cannot be had, none stands in the way of a cap either. What was left for a cut is begun again
 * behind it. */
static int set_smooth(struct worker *worker, const struct act_smooth *wanted, int64_t now_ns)
{
    int rc = call_smooth(worker, *wanted, now_ns);
    if (!rc || rc == -ENOTSUP)
        worker->smoothed = *wanted;
    else if (rc == -EINTR)
        worker->smoothed = not_known;
    else if (rc != -ENODEV) {
        int off = call_smooth(worker, smooth_off, now_ns);
        worker->smoothed = off ? not_known : smooth_off;
        if (off == -EINTR)      /* the floor of before stands: both again behind the cut */
            return off;
    }
    return rc == -ENOTSUP && wanted->off ? 0 : rc;
}

/* Behind writes and looks, once for each change. A floor that is too high by now is lowered. A cut that comes
 * meanwhile waits for one call of the driver, and not for all. */
static void smooth(struct worker *worker)
{
    int64_t now_ns = word_monotonic_ns();
    pthread_mutex_lock(&worker->lock);
    struct act_smooth wanted = worker->smooth;
    pthread_mutex_unlock(&worker->lock);
    wanted.floor_mw = still_allowed_mw(worker, wanted.floor_mw);
    if (worker->hand.device == INDEX_NONE)
        worker->smoothed = not_known;       /* a driver that is loaded anew forgot it */
    if (!worker->config.smoothing || worker->hand.device == INDEX_NONE ||
        is_same(&wanted, &worker->smoothed) ||
        (now_ns < worker->smooth_ns && is_same(&wanted, &worker->refused)))
        return;
    int rc = set_smooth(worker, &wanted, now_ns);
    if (rc == -EINTR)
        return;
    worker->refused = wanted;
    worker->smooth_ns = rc ? now_ns + SMOOTH_AGAIN_NS : now_ns;
    pthread_mutex_lock(&worker->lock);
    worker->news.smoothed = true;
    worker->news.smooth_rc = rc;
    pthread_mutex_unlock(&worker->lock);
}

static struct timespec timespec_of(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
}

/* Waits for an order or for the next look. True: an order, which is taken. */
static bool wait_for_order(struct worker *worker, int64_t look_ns, int64_t *cap_mw, int64_t *came_ns)
{
    struct timespec until = timespec_of(look_ns);
    pthread_mutex_lock(&worker->lock);
    while (!worker->ordered && !worker->stop &&
           pthread_cond_timedwait(&worker->changed, &worker->lock, &until) != ETIMEDOUT)
        ;
    bool ordered = worker->ordered;
    *cap_mw = worker->cap_mw;
    *came_ns = worker->came_ns;
    worker->ordered = false;
    pthread_mutex_unlock(&worker->lock);
    return ordered;
}

static bool is_stopped(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    bool stop = worker->stop;
    pthread_mutex_unlock(&worker->lock);
    return stop;
}

static void *work(void *user)
{
    struct worker *worker = user;
    int64_t cap_mw, came_ns, look_ns = word_monotonic_ns();
    pthread_setname_np(pthread_self(), "fb-device");
    arena_seal_thread();
    while (!is_stopped(worker)) {
        if (wait_for_order(worker, look_ns, &cap_mw, &came_ns)) {
            carry_out(worker, cap_mw, came_ns);
            smooth(worker);
        } else if (!is_stopped(worker)) {
            look(worker);
            smooth(worker);
            look_ns = word_monotonic_ns() + worker->config.look_every_ns;
        }
    }
    return NULL;
}

int worker_start(struct worker *worker)
{
    pthread_condattr_t clock;
    pthread_attr_t stack;
    atomic_store(&worker->ceiling_mw, worker->config.fail_safe_mw);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&worker->changed, &clock);
    pthread_condattr_destroy(&clock);
    pthread_mutex_init(&worker->lock, NULL);
    pthread_attr_init(&stack);
    pthread_attr_setstacksize(&stack, STACK_BYTES);
    int error = pthread_create(&worker->thread, &stack, work, worker);
    pthread_attr_destroy(&stack);
    return -error;
}

void worker_order(struct worker *worker, int64_t cap_mw, int64_t came_ns)
{
    pthread_mutex_lock(&worker->lock);
    worker->cap_mw = cap_mw;
    worker->came_ns = came_ns;
    worker->ordered = true;
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
}

void worker_smooth(struct worker *worker, const struct act_smooth *smooth)
{
    pthread_mutex_lock(&worker->lock);
    worker->smooth = *smooth;
    pthread_mutex_unlock(&worker->lock);
}

bool worker_take(struct worker *worker, struct worker_news *news)
{
    pthread_mutex_lock(&worker->lock);
    *news = worker->news;
    worker->news.written = worker->news.seen = worker->news.sampled = worker->news.smoothed = false;
    pthread_mutex_unlock(&worker->lock);
    return news->written || news->seen || news->sampled || news->smoothed;
}

bool worker_stop(struct worker *worker, int64_t until_ns)
{
    struct timespec until = timespec_of(until_ns);
    pthread_mutex_lock(&worker->lock);
    worker->stop = true;
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    if (pthread_clockjoin_np(worker->thread, NULL, CLOCK_MONOTONIC, &until))
        return false;
    hand_close(&worker->hand);
    return true;
}
