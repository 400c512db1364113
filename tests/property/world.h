/* SPDX-License-Identifier: Apache-2.0 */
/* What the controller cannot see: devices, agents with a real holder, and a network that loses, delays,
 * doubles and reorders. */
#ifndef FLYBALL_TESTS_WORLD_H
#define FLYBALL_TESTS_WORLD_H

#include "chance.h"
#include "core/holder.h"
#include "model_builder.h"
#include "msg/egress.h"
#include "trace.h"

enum { MAIL_MAX = 8192, WORLD_STEP_NS = 2000000 };

/* How rough a case is; all 0 is a perfect world. */
struct weather {
    double loss, twice, slow; /* per message: lost, delivered twice, delayed by up to slow_ns */
    int64_t quick_ns, slow_ns;
    double partition, restart, reset, foreign, mute; /* per host and second */
    double refuse; /* per lease: the port does not take it */
    double clock_ppm; /* largest clock rate error of a host */
    double false_alarm; /* per reading: shows half as much again */
    double meter_dead, meter_frozen;    /* per meter and second: for up to 2 s */
    double meter_low;           /* all read so much low, beyond their error */
    double feed_dark;           /* per meter and second: reads a tenth of its volts for up to 2 s */
    int64_t sag_from_ns, sag_until_ns; /* every second meter sees 0.7 of nominal meanwhile */
};

struct mail {
    int64_t due_ns, sent_ns;
    bool to_host;
    union {
        struct lease lease;
        struct report report;
    };
};

struct world_host {
    struct holder holder;
    struct holder_config config;
    const struct model_host_type *type;
    bool alive;
    int64_t down_until_ns, mute_until_ns, cut_off_until_ns, deaf_until_ns;
    double clock_rate;
    int64_t clock_offset_ns;
    uint64_t epoch_persisted;
    uint64_t births; /* incarnations so far */
    /* the device */
    bool at_default; /* driver defaults: nothing caps it */
    int64_t cap_mw; /* enforced by the device */
    int64_t write_mw, write_done_ns; /* write in flight, -1 = none */
    bool write_is_mine; /* begun by the agent that runs now */
    int64_t linger_mw, linger_until_ns; /* a cut is felt only when it has settled */
    int64_t foreign_mw; /* somebody else's limit, lowers what is read back */
    int64_t demand_mw; /* wall draw wished */
    int64_t demand_until_ns;
    bool dirty; /* reset, and the controller has not been able to know */
    int64_t reset_ns, notice_ns;
    /* a world apart: what this host and its part of the network do hangs on nobody else */
    struct chance chance;
    struct trace trace;
    double loss, twice, slow;   /* per message, beside the weather's */
    int64_t stall_ns;           /* a write takes so much longer */
};

struct world {
    const struct model *model;
    struct chance chance;
    struct weather weather;
    bool apart;                 /* every host has a chance of its own */
    int64_t t_ns;
    uint32_t mail_count;
    uint64_t mail_lost_full;
    uint64_t leases_obeyed, writes, resets, restarts;
    struct world_host host[BUILT_HOSTS_MAX];
    struct mail mail[MAIL_MAX];
};

void world_init(struct world *world, const struct model *model, uint64_t seed, const struct weather *weather);

/* The same with chances by the numbers that hosts were drawn with: leaving one out changes no other. */
void world_init_apart(struct world *world, const struct model *model, uint64_t seed,
                      const struct weather *weather);

/* A driver reload: at once everything may be drawn; the agent sees it at its next look and starts anew. */
void world_reset(struct world *world, uint32_t host);

/* Moves everything on by one step. */
void world_step(struct world *world);

/* The controller's side of the network: leases in, reports out. */
void world_send(struct world *world, const struct lease *lease);
bool world_receive(struct world *world, struct report *report, int64_t *sent_ns);

/* The most the device could draw at the wall now, whatever its load does, mW. */
double world_worst_mw(const struct world *world, uint32_t host);

/* Its draw now, mW. */
double world_draw_mw(const struct world *world, uint32_t host);

/* Which incarnation of its host this was, from 1: the test may know, a controller may not. */
static inline uint64_t world_birth(uint64_t incarnation)
{
    return incarnation & 0xFFFF;
}

/* A new incarnation, random but for its number. */
uint64_t world_incarnation(struct world *world, uint32_t host);

/* No more agents die, no more devices reset; the network goes on. */
void world_calm(struct world *world);

#endif
