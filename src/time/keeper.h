/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who keeps the time: looks at its source about once a second (ptp4l's socket, a PHC, the system clock),
 * feeds the line (reference.h) and the state (sync.h), counts what happened, and publishes. One cold thread
 * looks; anybody reads.
 */
#ifndef FLYBALL_TIME_KEEPER_H
#define FLYBALL_TIME_KEEPER_H

#include "time/phc.h"
#include "time/ptp_client.h"
#include "time/reference.h"
#include "time/sync.h"
#include "time/timebase.h"

enum keeper_source { KEEPER_SYSTEM, KEEPER_PTP, KEEPER_PHC, KEEPER_SOURCES };

enum { KEEPER_RECORDS = 4 };

/* A step of a second, this near, is a leap second where one was announced or counted hours ago at most. */
#define KEEPER_LEAP_NEAR_NS INT64_C(100000000)
#define KEEPER_LEAP_LASTS_NS (INT64_C(12) * 3600 * 1000000000)
/* The kernel's estimate before anybody gave one; 0 is what those tell who have none. */
#define KEEPER_NO_ESTIMATE_NS INT64_C(16000000000)
/* The system clock was set where it went this far beside the monotonic one between two looks. */
#define KEEPER_SET_NS INT64_C(10000000)
/* A card's clock this near to the system's goes by UTC as that does (a hypervisor's does); TAI is 37 s
 * ahead. */
#define KEEPER_UTC_NEAR_NS INT64_C(10000000000)

struct keeper_options {
    enum keeper_source source;
    char ptp[PTP_PATH_BYTES];       /* ptp4l's socket; "" = not asked (PHC alone) */
    char own[PTP_PATH_BYTES];       /* where its answers come to */
    char phc[PTP_PATH_BYTES];       /* /dev/ptpN, of KEEPER_PHC */
    uint8_t domain;
    int64_t wander_ppt;
    struct sync_rules rules;
};

/* What is shown. */
struct keeper_told {
    uint8_t source, state, fault;   /* enum keeper_source, sync_state, sync_fault */
    uint8_t port_state, clock_class, clock_accuracy, flags;     /* as the answers had them; 0 = none */
    uint8_t has_master;
    uint8_t grandmaster[PTP_IDENTITY_BYTES];
    int32_t error;                  /* errno of the newest look at socket or device; 0 = none */
    int16_t utc_offset_s;           /* TAI - UTC; holds where utc_known */
    uint8_t utc_known;
    uint8_t is_tai;                 /* the reference's scale is TAI, else UTC or what the grandmaster has */
    int64_t since_ns;               /* monotonic: of the state */
    int64_t look_ns, sample_ns;     /* monotonic: the newest look and sample; 0 = none */
    int64_t master_offset_ns;       /* of the local clock, as ptp4l has it */
    int64_t system_offset_ns;       /* CLOCK_REALTIME - reference; 0 where there is none */
    int64_t spread_ns;
    uint64_t samples, outliers;
    uint64_t steps;                 /* of the reference; leap seconds are none */
    int64_t step_ns;                /* the newest of them */
    uint64_t leaps;                 /* times that TAI - UTC changed */
    uint64_t masters;               /* times that another grandmaster took over */
    uint64_t losses;                /* times that LOCKED was left */
    uint64_t sets;                  /* times that somebody set the system clock; leap seconds are none */
    uint64_t unanswered;            /* looks that brought no answer */
    uint64_t malformed;
};

/* One moment by the clocks of this machine. */
struct keeper_moment {
    int64_t mono_ns, real_ns;
    int64_t half_ns;                /* the two may be this far apart */
};

/* What a look brought: the keeper's own business is the rest. */
struct keeper_look {
    struct keeper_moment moment;
    int error;                      /* -errno of the socket or device */
    struct ptp_report report;       /* of KEEPER_PTP, and KEEPER_PHC with a socket */
    struct phc_pair pair;           /* of KEEPER_PHC */
    bool kept;                      /* of KEEPER_SYSTEM: the kernel says so */
    int64_t bound_ns;               /* of KEEPER_SYSTEM: the error that the kernel estimates; no bound */
    int16_t utc_offset_s;           /* of KEEPER_SYSTEM: the kernel's; 0 = it has none */
    uint8_t flags;                  /* of KEEPER_SYSTEM: leap second pending */
};

struct keeper {
    struct keeper_options options;
    struct reference reference;
    struct sync sync;
    struct ptp_client client;
    struct phc phc;
    bool phc_open;
    struct keeper_told told;        /* the looking thread's own */
    int64_t ingress_ns;             /* of the newest Sync that was seen */
    uint32_t strays;                /* Syncs in a row whose stamps are not of the system clock */
    bool measured;                  /* ptp4l has told an offset since it got its master */
    int64_t real_minus_mono_ns;     /* at the look before; 0 = there was none */
    int64_t leap_until_ns;          /* monotonic: until then a step of a second is a leap second */
    uint64_t leap_steps;
    struct seqlock published[KEEPER_RECORDS];
};

/* setup: opens nothing yet. 0 or -ENAMETOOLONG. */
int keeper_init(struct keeper *keeper, const struct keeper_options *options);

/* cold, one thread: one look, which may take PTP_ROUND_MS. */
void keeper_look(struct keeper *keeper, const struct timebase *base);

/* any: the part of it that asks nobody. */
void keeper_take(struct keeper *keeper, const struct keeper_look *look);

/* any: false where the writer stood still in the middle for long. */
bool keeper_read(const struct keeper *keeper, struct keeper_told *told);

/* cold, once nobody looks any more */
void keeper_close(struct keeper *keeper);

#endif
