/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One receive queue: burst -> udp -> frame -> body -> seen before? -> too old? -> slot in the lane's queue.
 * A frame that is refused for whatever reason is counted by name and changes nothing that a decision depends
 * on.
 */
#ifndef FLYBALL_LOOP_LANE_H
#define FLYBALL_LOOP_LANE_H

#include "loop/age.h"
#include "loop/budget.h"
#include "loop/count.h"
#include "loop/latency.h"
#include "loop/marks.h"
#include "loop/names.h"
#include "loop/sender.h"
#include "loop/trust.h"
#include "loop/untrue.h"
#include "loop/view.h"
#include "msg/slot.h"
#include "port/port.h"
#include "port/ip/ip.h"
#include "port/ip/udp.h"
#include "ring/spsc.h"
#include "site/site.h"
#include "time/stamp.h"
#include "time/timebase.h"
#include "wire/frame.h"

struct lane_meters;
struct lane_work;

enum { CLASS_COUNT = CLASS_RESERVED + 1 };

/* Admission: a class is shed while its lane is at least this full. The rest up to 100 % is reserved. */
enum { DETAIL_SHED_PCT = 75, READING_SHED_PCT = 90 };

struct lane_counters {
    count_t frames;                     /* received */
    count_t accepted;                   /* and not refused */
    count_t aside;                      /* ARP and ICMP for the port itself: neither accepted nor refused */
    count_t refused[REFUSAL_COUNT];
    count_t shed[CLASS_COUNT];          /* accepted, but the lane was too full */
    count_t clock_steps;                /* a meter's clock went ahead and stayed there */
    count_t sequence_restarts;          /* senders whose numbers began anew, lower */
    count_t token_requests;             /* accepted */
    count_t unproven;                   /* reports that may be of before this start */
    count_t details;                    /* accepted */
    count_t unheld;                     /* readings accepted though no disk holds their number */
    count_t blocks;                     /* of samples, measured */
    count_t invalid_blocks;             /* left out */
    count_t no_room;                    /* of what they completed: measure_out.lost */
    count_t unsure;                     /* readings of a window that was spoilt: READING_UNSURE */
    count_t crossings;                  /* of these, told between two others: READING_PEAK, READING_EDGE */
    count_t repeated;                   /* stretches of samples that were there within the last second */
    count_t stamped;                    /* frames that somebody stamped as they came */
    count_t stamps_narrow;              /* of these, it told more than the polls */
    count_t stamps_unsure, stamps_late; /* not believed: clock set or not known yet, behind their poll */
    count_t turns, empty_turns;         /* polls, and those that found nothing */
    count_t depth_most;                 /* slots that waited in `out` at once, at most */
};

struct lane {
    /* constant after build */
    const struct model *model;
    const struct timebase *base;
    struct port *port;
    uint32_t queue;
    uint32_t kinds;                     /* bit enum frame_kind: what may come in here */
    struct trust trust;
    struct marks *marks;                /* of meters that have keys; NULL: not kept */
    struct endpoint local;
    struct ip_aside *aside;             /* for ARP and echo; NULL = the kernel does that */
    const struct site_address *host_address;
    const struct meter_names *names;
    uint8_t index;
    struct spsc *out;
    struct view *view;
    /* by meter or host, shared by the lanes */
    struct sender *meter_sender, *host_sender;  /* NULL: one thread polls all lanes */
    struct replay_window *meter_window, *host_window;
    struct age *age;
    struct lane_meters *meters;         /* with protocols of their own; NULL: there are none */
    struct untrue *host_untrue;         /* NULL: it is not told */
    const _Atomic bool *doubted;        /* by meter: clocks_doubt; NULL: not told */
    _Atomic uint64_t *host_mac;         /* learned from valid reports: 48 bits, bit 48 set; 0 = not yet */
    /* the receiving thread's own */
    int64_t t_poll_ns;                  /* of the newest burst */
    int64_t t_empty_ns;                 /* a clock before the newest poll that left nothing behind */
    int64_t within_ns;                  /* frames in hand waited at most so long for that burst */
    uint8_t waited;                     /* the same as slots carry it; 0 before the thread ran */
    bool waits;                         /* what was found waited for the thread, not for its start */
    bool emptied;                       /* a poll of the thread has left nothing behind */
    struct stamps stamps;               /* of frames, where the port has them */
    struct gap *gap;                    /* of the thread; NULL: not measured */
    struct lane_work *work;             /* for those meters */
    /* of `out`, at most: read once a burst, plus what was admitted since */
    uint32_t depth;
    uint32_t shed[CLASS_COUNT];         /* not yet told to decide */
    int64_t newest_ns;                  /* with senders: of the newest slot published; stamps never go back */
    int64_t sender_ns;                  /* the same of the sender in hand */
    struct lane_counters counters;
    struct latency decoded;             /* receive -> admitted */
    struct latency age_seen;            /* of readings when they came, those too old as well; no age_bound */
    struct budget budget;               /* what came too late */
};

/* rt, receiving thread: one burst, at most BURST_MAX frames. Returns how many came. */
uint32_t lane_burst(struct lane *lane);

/* rt, receiving thread: one frame found by the poll at t_receive_ns. Returns ACCEPTED or enum refusal,
 * counted; of a frame that is not ours, but ARP or ICMP for the port, it is counted as set aside instead. */
int lane_frame(struct lane *lane, const struct port_frame *frame, int64_t t_receive_ns);

/* rt, receiving thread: a slot to fill, or NULL where its class is shed (counted; the next slot admitted
 * tells). */
struct slot *lane_admit(struct lane *lane, enum slot_class class);

/* setup: places of a lane's queue, a power of two: the reserve above READING_SHED_PCT holds every report
 * that may arrive while decide stands still for 54 ms (the longest stop seen with a fair server, machine
 * notes), and a tick and a refused lease for each host. */
uint32_t lane_places(const struct model *model);

#endif
