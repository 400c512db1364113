/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cold thread beside the loop that works out spectra of meters' raw samples and how powers swing. It
 * reads waves and the ring, which nobody waits for it to read, and its results go back as slots, through a
 * queue of its own. What it cannot keep up with is lost and counted, and no decision hangs on it.
 */
#ifndef FLYBALL_LOOP_SPECTRA_H
#define FLYBALL_LOOP_SPECTRA_H

#include <pthread.h>

#include "core/measure_meter.h"
#include "loop/count.h"
#include "msg/slot.h"
#include "ring/arena.h"
#include "ring/ring.h"
#include "ring/spsc.h"
#include "ring/wave.h"
#include "spectra/spectra.h"
#include "spectra/swing.h"
#include "time/timebase.h"

enum {
    SPECTRA_PLANS_MAX = 8,          /* rates and nominal frequencies there may be at once */
    SPECTRA_PLACES = 4096,          /* of the queue to decide: a spectrum of each meter, and a swing */
    SPECTRA_WAVE_SAMPLES = 4096,    /* half a second at 8 kHz */
    SPECTRA_WAVE_SAMPLES_FAST = 8192,   /* above 8 kHz */
};

/* A meter that sends samples: what the site file says of it. */
struct spectra_source {
    double nominal_hz;
    bool fast;                      /* above 8 kHz */
    uint32_t channels;              /* 6 or 8 */
    struct spectra_config config;
    double demand_a, fault_a;       /* of its node, for IEEE 519; 0: not given */
};

/* Harmonics of current over 3 s against IEEE 519; t_ns 0: none yet. */
struct spectra_judged {
    int64_t t_ns;
    bool known, beyond;             /* not known: there is no fault current, and so no limit */
    uint8_t order, order_phase;     /* nearest to its limit, or furthest beyond it */
    uint32_t tdd_ppm, tdd_limit_ppm;    /* of the demand current; the phase where it is largest */
    uint32_t order_ppm, order_limit_ppm;
};

/* What it is judged by. */
struct spectra_demand {
    double current_a, fault_a;      /* 0: not given */
    uint32_t windows;               /* of the 3 s that run: */
    double square[SPECTRA_PHASES][HARMONICS_HIGHEST + 1];   /* A^2, sums; [0]: of orders 2 to 50 */
    struct spectra_judged judged;
};

/* What there is to be shown of a meter and of its node. t_ns: monotonic; 0 = none yet. */
struct spectra_shown {
    int64_t spectrum_t_ns, swing_t_ns, quality_t_ns;
    struct spectrum spectrum;
    struct spectrum_swing swing;
    struct quality quality;
    struct spectra_judged judged;
};

struct spectra_counters {
    count_t cycles, windows;        /* transformed */
    count_t overtaken;              /* times that samples were overwritten before they were read */
    count_t breaks;                 /* times that a meter's cycles began anew */
    count_t swings;                 /* minutes transformed */
    count_t overrun;                /* slots of the ring that were overwritten before they were read */
    count_t lost;                   /* results that found no room in the queue to decide */
};

/* One meter that has a wave. */
struct spectra_road {
    uint32_t meter;
    double nominal_hz;
    struct spectra_meter state;
    const struct spectra_plan *plan;    /* NULL until the first samples say their rate */
    uint32_t period_ps;             /* that the plan is for */
    struct spectrum told;
    struct spectra_demand demand;
    bool any;                       /* a window has been told since the start */
};

struct spectra_desk {
    /* constant after open */
    const struct model *model;
    const struct timebase *base;
    const struct ring *ring;
    int core;
    uint8_t lane;
    struct arena arena;
    struct wave *wave;              /* by meter; word NULL: it sends no samples. NULL: none does */
    struct spsc out;
    /* the thread's own */
    struct spectra_road *road;
    uint32_t roads;
    struct spectra_plan plan[SPECTRA_PLANS_MAX];
    uint32_t plans;
    struct spectra_work work;
    struct swing_work swing_work;
    struct swing *swing, *site;     /* by meter; the sum */
    uint32_t *root;                 /* meters whose sum the site is */
    uint32_t roots;
    uint64_t sequence;              /* of the ring: read so far */
    int64_t swings_ns;              /* the round over all swings began */
    uint32_t swing_next;
    struct spectra_counters counters;
    /* shared with the door's thread */
    pthread_mutex_t lock;
    struct spectra_shown *shown;    /* by meter, and behind them the site */
    pthread_t thread;
    _Atomic bool stop;
    bool open, running;
};

/* setup: memory, queue and waves; source[meter] of those that send samples, channels 0: not; NULL: none does.
 * 0 or -errno. */
int spectra_desk_open(struct spectra_desk *desk, const struct model *model, const struct timebase *base,
                      const struct spectra_source *source);
/* setup: its thread, on that core; slots are marked as of `lane`. 0 or -errno. */
int spectra_desk_start(struct spectra_desk *desk, const struct ring *ring, int core, uint8_t lane);
void spectra_desk_stop(struct spectra_desk *desk);
void spectra_desk_close(struct spectra_desk *desk);

/* rt, the lane that has the meter in hand: a block is about to go through `measure`. */
static inline void spectra_desk_expect(const struct wave *wave, const struct samples *block)
{
    if (wave->word)
        wave_expect(wave, block->count);
}

/* rt, the lane that has the meter in hand: a block that went through `measure`. */
static inline void spectra_desk_hear(struct wave *wave, const struct samples *block,
                                     const struct measure_meter *measure)
{
    double turn, cycles;

    measure_meter_turn(measure, &turn, &cycles);
    wave_write(wave, block, turn, cycles);
}

/* cold, the thread's: one look at everything, at monotonic now_ns. */
void spectra_desk_look(struct spectra_desk *desk, int64_t now_ns);

/* cold: what there is of a meter; `meter` = meter_count: the site. */
void spectra_desk_show(struct spectra_desk *desk, uint32_t meter, struct spectra_shown *shown);

#endif
