/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/clocks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "loop/view.h"
#include "rt/thread.h"

#define PPB_PER_PPM INT64_C(1000)
#define PPT_PER_PPM INT64_C(1000000)
/* Looked at this often, whether it is to stop. */
enum { REST_MS = 20 };

_Static_assert(sizeof(struct clocks_meter) <= SEQLOCK_WORDS * sizeof(uint64_t), "one record");
_Static_assert((int)KEEPER_SYSTEM == SITE_CLOCK_SYSTEM && (int)KEEPER_PTP == SITE_CLOCK_PTP &&
               (int)KEEPER_PHC == SITE_CLOCK_PHC, "the same order");

static int take_memory(struct clocks *clocks, uint32_t meters)
{
    size_t found = meters * sizeof *clocks->found, own = meters * sizeof *clocks->meter;
    size_t bytes = found + own + meters * sizeof *clocks->doubted;
    clocks->block = aligned_alloc(64, (bytes / 64 + 1) * 64);
    if (!clocks->block)
        return -ENOMEM;
    memset(clocks->block, 0, bytes);
    clocks->found = clocks->block;
    clocks->meter = (struct clocks_own *)((char *)clocks->block + found);
    clocks->doubted = (_Atomic bool *)((char *)clocks->block + found + own);
    return 0;
}

/* Nobody else has this door, so nobody else that name; a daemon that died leaves it to the next one. */
static int name_own(char own[PTP_PATH_BYTES], const char *door)
{
    int bytes = door && door[0] ? snprintf(own, PTP_PATH_BYTES, "%s.ptp", door)
                                : snprintf(own, PTP_PATH_BYTES, "/tmp/flyballd-%ld.ptp", (long)getpid());
    return bytes < PTP_PATH_BYTES ? 0 : -ENAMETOOLONG;
}

int clocks_open(struct clocks *clocks, const struct site *site, struct timebase *base,
                const struct view *view, const char *door)
{
    const struct site_clock *asked = &site->clock;
    struct keeper_options options = {
        .source = (enum keeper_source)asked->source, .domain = asked->domain,
        .wander_ppt = asked->drift_ppm * PPT_PER_PPM,
        .rules = {.within_ns = asked->lock_within_ns, .settle_ns = asked->lock_after_ns,
                  .lost_ns = asked->lost_after_ns, .budget_ns = asked->holdover_budget_ns,
                  .any_class = asked->any_grandmaster}};
    *clocks = (struct clocks){.site = site, .base = base, .view = view,
                              .core = site->server.housekeeping_core,
                              .keeper = {.client.fd = -1, .phc.fd = -1}};
    int error = asked->ptp[0] ? name_own(options.own, door) : 0;
    if (error)
        return error;
    memcpy(options.ptp, asked->ptp, sizeof options.ptp);
    memcpy(options.phc, asked->phc, sizeof options.phc);
    error = keeper_init(&clocks->keeper, &options);
    if (!error)
        error = take_memory(clocks, site->model.meter_count);
    if (error)
        return error;
    clocks->open = true;
    if (asked->source != SITE_CLOCK_SYSTEM)
        timebase_tell_synchronised(base, false);
    return 0;
}

void clocks_close(struct clocks *clocks)
{
    if (!clocks->open)
        return;
    clocks->open = false;
    keeper_close(&clocks->keeper);
    free(clocks->block);
}

/* The age rule is blind to what a clock gains or loses while readings grow late. Ages run on the monotonic
 * clock, so the drift is against that one, whatever a grandmaster says. What is not known changes nothing. */
static void judge_rate(struct clocks *clocks, uint32_t i, int64_t now_ns)
{
    struct clocks_own *own = &clocks->meter[i];
    struct meter_clock_found here;
    bool doubted = clocks_doubt(clocks->doubted, i);
    meter_clock_find(&own->clock, NULL, 0, &here);
    enum meter_clock_rate rate = meter_clock_rate(&here, clocks->site->clock.meter_drift_ppm * PPB_PER_PPM);
    if (rate == METER_CLOCK_RUNS_OFF)
        own->doubt_until_ns = now_ns + CLOCKS_DOUBT_NS;
    if (rate == METER_CLOCK_RUNS_OFF || (rate == METER_CLOCK_KEEPS && now_ns >= own->doubt_until_ns))
        doubted = rate == METER_CLOCK_RUNS_OFF;
    atomic_store_explicit(&clocks->doubted[i], doubted, memory_order_relaxed);
}

static void look_at_meter(struct clocks *clocks, uint32_t i, const struct reference_line *line,
                          int64_t ahead_ns)
{
    struct clocks_own *own = &clocks->meter[i];
    const struct site_clock *asked = &clocks->site->clock;
    uint64_t word[SEQLOCK_WORDS] = {0};
    struct view_meter newest;
    struct view_stale stale;
    struct clocks_meter now = {0};
    if (!view_read_meter(clocks->view, i, &newest) || !view_read_stale(clocks->view, i, &stale) ||
        !newest.t_receive_ns)
        return;
    if (stale.steps != own->steps)
        meter_clock_forget(&own->clock);
    own->steps = stale.steps;
    meter_clock_take(&own->clock, newest.t_receive_ns, newest.lag_ns, newest.lag_within_ns);
    meter_clock_find(&own->clock, line, ahead_ns, &now.found);
    now.is_off = asked->said && meter_clock_is_off(&now.found, asked->meter_within_ns,
                                                   asked->meter_drift_ppm * PPB_PER_PPM);
    if (asked->said)
        judge_rate(clocks, i, newest.t_receive_ns);
    now.is_doubted = clocks_doubt(clocks->doubted, i);
    memcpy(word, &now, sizeof now);
    seqlock_write(&clocks->found[i], word);
}

/* Stamps of meters are UTC; a reference that is TAI is ahead of it by what the grandmaster says. */
static void look_at_meters(struct clocks *clocks)
{
    const struct keeper_told *told = &clocks->keeper.told;
    struct reference_line line;
    bool knows_scale = !told->is_tai || told->utc_known;
    bool known = reference_read(&clocks->keeper.reference, &line) && told->state != SYNC_UNSYNC &&
                 knows_scale;
    int64_t ahead_ns = told->is_tai ? told->utc_offset_s * NS_PER_S : 0;
    for (uint32_t i = 0; i < clocks->site->model.meter_count; i++)
        look_at_meter(clocks, i, known ? &line : NULL, ahead_ns);
}

static bool is_within(int64_t value_ns, int64_t within_ns)
{
    return value_ns <= within_ns && value_ns >= -within_ns;
}

bool clocks_is_synchronised(const struct keeper_told *told, int64_t within_ns)
{
    if (told->state != SYNC_LOCKED)
        return false;
    if (!told->is_tai)
        return is_within(told->system_offset_ns, within_ns);
    if (told->utc_known)
        return is_within(told->system_offset_ns + told->utc_offset_s * NS_PER_S, within_ns);
    for (int64_t ahead_s = CLOCKS_TAI_S - 1; ahead_s <= CLOCKS_TAI_S + 1; ahead_s++)
        if (is_within(told->system_offset_ns + ahead_s * NS_PER_S, within_ns))
            return true;
    return false;
}

void clocks_look(struct clocks *clocks)
{
    const struct site_clock *asked = &clocks->site->clock;
    keeper_look(&clocks->keeper, clocks->base);
    if (asked->source != SITE_CLOCK_SYSTEM)
        timebase_tell_synchronised(clocks->base, clocks_is_synchronised(&clocks->keeper.told,
                                                                        asked->holdover_budget_ns));
    look_at_meters(clocks);
}

bool clocks_read_meter(const struct clocks *clocks, uint32_t meter, struct clocks_meter *found)
{
    uint64_t word[SEQLOCK_WORDS];
    if (!clocks->open || !seqlock_read(&clocks->found[meter], word))
        return false;
    memcpy(found, word, sizeof *found);
    return true;
}

void *clocks_run(void *argument)
{
    struct clocks *clocks = argument;
    const struct timespec rest = {.tv_nsec = REST_MS * NS_PER_MS};
    int64_t next_ns = INT64_MIN;
    rt_pin(clocks->core);
    while (!atomic_load_explicit(&clocks->stop, memory_order_acquire)) {
        int64_t now_ns = timebase_now_ns(clocks->base);
        if (now_ns >= next_ns) {
            clocks_look(clocks);
            next_ns = now_ns + CLOCKS_LOOK_NS;
        }
        nanosleep(&rest, NULL);
    }
    return NULL;
}
