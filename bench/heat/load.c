/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/heat/load.h"

#include <math.h>

static bool chance(struct random *random, double probability)
{
    return random_unit(random) < probability;
}

/* Two readings. What swings faster, a reading averages; devices measure rms over a period or more, too. */
static const double least_s = 0.032;

/* As likely in each octave. */
static double log_between(struct random *random, double low, double high)
{
    return exp(random_between(random, log(low), log(high)));
}

const char *heat_adversary_name(enum heat_adversary adversary)
{
    static const char *const name[] = {
#define HEAT_ADVERSARY_NAME(symbol, text) text,
        HEAT_ADVERSARIES(HEAT_ADVERSARY_NAME)
#undef HEAT_ADVERSARY_NAME
    };
    return name[adversary];
}

static void piece(struct heat_load *l, enum heat_want want, double level_a, double seconds)
{
    l->want = want;
    l->level_a = level_a;
    l->left_ns = llround(fmax(seconds, least_s) * 1e3) * NS_PER_MS;
}

static void pause_for(struct heat_load *l, double seconds)
{
    piece(l, WANT_LEVEL, l->depth * l->steady_a, seconds);
}

/* Everything, for long; now and then as little as lets an emergency pass, so that there is a next time. */
static void next_always(struct heat_load *l)
{
    struct random *r = &l->random;
    if (l->turn % 2)
        pause_for(l, 1.2 + l->respond_s + log_between(r, 0.05, 300));
    else
        piece(l, WANT_ALL, 0, l->respond_s * log_between(r, 0.2, 30));
}

static void next_pulse(struct heat_load *l)
{
    struct random *r = &l->random;
    if (l->turn % 400 == 399)       /* lets an emergency pass */
        pause_for(l, 1.2 + l->respond_s + log_between(r, 0.05, 60));
    else if (l->turn % 2)
        piece(l, WANT_LEVEL, l->low * l->scale_a, l->low_s);
    else
        piece(l, WANT_LEVEL, l->high * l->scale_a, l->high_s);
}

static void next_burst(struct heat_load *l)
{
    struct random *r = &l->random;
    uint32_t at = l->turn % 40;
    if (at < 2) {
        l->depth = random_between(r, 0, 0.6);
        pause_for(l, log_between(r, 1, 400));
    } else if (at < 4 + 32 * (l->turn / 40 % 2)) {
        piece(l, WANT_LEVEL, l->scale_a * log_between(r, 0.3, 12), log_between(r, least_s, 3));
    } else {
        piece(l, WANT_ALL, 0, log_between(r, 0.3, 20));
        l->turn += 39 - at;
    }
}

/* Draws what is admissible at each moment, as measured; having come near, takes all that is in flight. */
static void next_creep(struct heat_load *l)
{
    struct random *r = &l->random;
    switch (l->turn % 3) {
    case 0: piece(l, WANT_NEWEST, 0, l->respond_s * log_between(r, 0.3, 60)); break;
    case 1: piece(l, WANT_ALL, 0, l->respond_s * random_between(r, 0.2, 1.5)); break;
    default:
        l->depth = random_between(r, 0, 0.85);
        pause_for(l, 1.2 + l->respond_s + log_between(r, 0.05, 400));
    }
}

static void next_any(struct heat_load *l)
{
    struct random *r = &l->random;
    double kind = random_unit(r);
    if (kind < 0.3)
        piece(l, WANT_ALL, 0, log_between(r, 0.1, 20));
    else if (kind < 0.5)
        piece(l, WANT_NEWEST, 0, log_between(r, 0.3, 60));
    else if (kind < 0.75)
        piece(l, WANT_LEVEL, l->scale_a * log_between(r, 0.3, 8), log_between(r, least_s, 5));
    else
        pause_for(l, log_between(r, 0.3, 200));
}

/* The crest moves within what was commissioned; the worst phase changes, the others carry less. */
static void draw_waveform(struct heat_load *l)
{
    struct random *r = &l->random;
    uint32_t worst = (uint32_t)(random_bits(r) % PHASES);
    l->crest = random_between(r, sqrt(2), l->crest_most);
    for (uint32_t p = 0; p < PHASES; p++)
        l->phase[p] = p == worst ? 1 : random_between(r, 0.3, 1);
}

void heat_load_next(struct heat_load *load)
{
    switch (load->adversary) {
    case HEAT_PULSES: next_pulse(load); break;
    case HEAT_BURSTS: next_burst(load); break;
    case HEAT_CREEP: next_creep(load); break;
    case HEAT_ALWAYS:
    case HEAT_RESTART:
    case HEAT_LOSS: next_always(load); break;
    case HEAT_WAVEFORM: draw_waveform(load); next_any(load); break;
    default: next_any(load);
    }
    load->turn++;
}

void heat_load_begin(struct heat_load *load, enum heat_adversary adversary)
{
    struct random *r = &load->random;
    bool as_written = chance(r, 0.5);
    load->adversary = adversary;
    load->high = as_written ? 1.3 : log_between(r, 1.05, 8);
    load->low = as_written ? 0.8 : random_between(r, 0, 0.9);
    load->high_s = as_written ? 0.3 : log_between(r, least_s, 2);
    load->low_s = as_written ? 0.3 : log_between(r, least_s, 2);
    load->depth = random_between(r, 0, 0.85);
    load->crest = load->crest_most;
    for (uint32_t p = 0; p < PHASES; p++)
        load->phase[p] = p == 0 ? 1 : random_between(r, 0.8, 1);
    load->turn = (uint32_t)(random_bits(r) % 2);
    load->left_ns = 0;
}

double heat_load_a(const struct heat_load *load, double newest_a, double most_a)
{
    switch (load->want) {
    case WANT_ALL: return most_a;
    case WANT_NEWEST: return fmin(most_a, newest_a * load->unseen);
    default: return fmin(most_a, load->level_a);
    }
}
