/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon whole: built from a site, started, stopped. Hot parts live in the arena and run in hot.c;
 * everything here is their cold twin.
 */
#ifndef FLYBALL_LOOP_LOOP_H
#define FLYBALL_LOOP_LOOP_H

#include <stdio.h>

#include "loop/clocks.h"
#include "loop/cold.h"
#include "loop/crew.h"
#include "loop/door.h"
#include "loop/hot.h"
#include "loop/keys.h"
#include "loop/lane_meter.h"
#include "loop/link.h"
#include "loop/losses.h"
#include "loop/orders.h"
#include "loop/schedule.h"
#include "loop/shed_desk.h"
#include "loop/spectra.h"
#include "loop/view_share.h"
#include "ring/arena.h"
#include "site/site.h"

enum { PORTS_MAX = 2, LOOP_ERROR_BYTES = 512, JOURNAL_PATH_BYTES = 300,
       LEDGER_PATH_BYTES = 300, JOURNAL_NUMBERS = 1000 };

struct loop_options {
    const char *journal;        /* path, "" = none */
    const char *door;           /* path, "" = none */
    const char *orders;         /* path of their log, NULL = in the journal's folder, or at the door */
    const char *ledger;         /* path, "" = none */
    bool take_over;             /* waits until the controller before has ended */
};

struct loop {
    const struct site *site;
    struct loop_options options;
    struct timebase base;
    struct arena arena;
    struct port port[PORTS_MAX];
    uint32_t ports;             /* open */
    struct ip_port *ip[PORTS_MAX];          /* NULL where the kernel owns the port's address */
    void *ip_memory[PORTS_MAX];
    /* realtime ns at start, above all that were used before: every start is a new epoch */
    uint64_t epoch;
    uint64_t session_before;    /* of whom it takes over from; 0 = none */
    uint64_t *incarnation_before;           /* by host, as that one left them; NULL = none */
    uint64_t epoch_before;      /* the highest that the disk knows; 0 = none */
    char epoch_path[LEDGER_PATH_BYTES + 32];    /* "" = not kept */
    int64_t t_start_ns;         /* monotonic */
    struct meter_names names;
    struct lane_meters meters;
    struct view view;
    struct view_share share;    /* its memory */
    void *core_memory;
    struct core *core;
    struct spsc lane_queue[LANES_MAX], ordered, returns, normal, emergency, tap;
    struct crew crew;
    struct path path;
    struct hot hot[HOTS_MAX];
    uint32_t hots;              /* started */
    struct journal_writer *journal;
    /* what was opened: the path asked for, or PATH.N beside older ones */
    char journal_path[JOURNAL_PATH_BYTES];
    int64_t journal_lost;       /* what journal_finish said */
    struct account_file account;
    enum account_state account_state;
    struct slot_account *handed;            /* what the writer before left, until decide has it */
    struct decide_record *records;          /* likewise; NULL = none */
    int64_t ledger_age_ns;                  /* of what was taken over */
    char ledger_path[LEDGER_PATH_BYTES];    /* "" = none */
    struct drain drain;
    struct watchdog watchdog;
    struct link_watch links;
    struct losses losses;
    struct door door;
    struct board board;
    struct orders orders;
    struct schedule schedule;
    struct shed_desk shed;
    struct spectra_desk spectra;
    struct keys keys;
    struct marks marks;
    struct clocks clocks;
    bool draining, watching, looking, answering, scheduling, keying, marking,
        timing;                 /* that thread runs */
    /* no hot thread is left: what they owned may be read by whoever sees this (release, acquire) */
    _Atomic bool stopped;
    char error[LOOP_ERROR_BYTES];           /* why build or start failed, in words */
};

/* Bytes of the arena by part, of the view's own memory, and of the waves of meters that are measured here. */
struct loop_memory {
    size_t total;
    size_t paths;               /* lanes, decide, egress, ports' own addresses, windows and frames */
    size_t view;                /* what the door shows: names in the arena, records in the sealed memory */
    size_t core;                /* the ledger and everything a decision needs */
    size_t ring;                /* the total order */
    size_t queues;              /* from the lanes, to egress and back */
    size_t tap;                 /* to the journal */
    size_t spectra;             /* samples that wait for their spectra, and the states of those */
};

/* setup: what loop_build would take for this site and its server, taking nothing. 0, -ENOMEM, or
 * -EINVAL where the ports ask for more queues than there are lanes. */
int loop_measure(const struct site *site, struct loop_memory *memory);

/* setup: memory, queues, ports. 0 or -errno with loop->error. On failure loop_close frees what there is. */
int loop_build(struct loop *loop, const struct site *site, const struct loop_options *options);

/* setup: opens the ports that are not open yet; before the wait of options.take_over only those that another
 * process may have open, too. 0 or -errno with loop->error. */
int loop_open_ports(struct loop *loop, bool waited);

/* setup: the epoch and its core begin now; the journal is created. Called by loop_start, once memory is
 * locked, which may take a second: the first tick is not late. */
int loop_begin(struct loop *loop);

/* setup: threads. What the machine does not permit is told to `notes`, one line each. 0 or -errno with
 * loop->error. */
int loop_start(struct loop *loop, FILE *notes);

/* cold: packets stop, decisions end, leases leave, tap and journal are drained, threads are joined. */
void loop_stop(struct loop *loop);

/* cold, after loop_stop: ports closed, memory freed. */
void loop_close(struct loop *loop);

/* cold: the answer to "status", one JSON object, and the summary at the end. */
void loop_document(struct loop *loop, FILE *out);

/* cold: the answer to "counters": the same without meters, nodes and hosts. */
void loop_document_counters(struct loop *loop, FILE *out);

/* cold: the answer to "clock": the time as it is known, and meters' clocks. */
void loop_document_clock(const struct loop *loop, FILE *out);

/* cold: the answer to "names": what the records of the view are about, in their order. Meters of a node and
 * nodes of a meter by their place in the list, -1 = none; kind as enum node_kind. */
void loop_document_names(const struct loop *loop, FILE *out);

#endif
