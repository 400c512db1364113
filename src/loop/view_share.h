/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The view's memory, to be given to other processes: a memfd that only the daemon's own mapping can write.
 * It is sealed before it is handed out: it can neither shrink nor grow, no further mapping of it can be
 * writable, and no seal can be taken off or added. A reader gets one fixed header and the descriptor.
 */
#ifndef FLYBALL_LOOP_VIEW_SHARE_H
#define FLYBALL_LOOP_VIEW_SHARE_H

#include <stddef.h>

#include "loop/view.h"

#define VIEW_MAGIC "flyview"
enum { VIEW_VERSION = 7, VIEW_RECORD_BYTES = 64 };

/* The answer to "view", native byte order: it never leaves the machine. A field is never moved or given
 * another meaning within a version. */
struct view_header {
    char magic[8];              /* VIEW_MAGIC and its NUL */
    uint32_t version, header_bytes;
    uint32_t record_bytes;
    uint32_t counters;          /* words of struct core_counters */
    uint32_t degradations;
    uint32_t nodes, hosts, meters;
    uint32_t node_records, host_records;
    uint32_t detail_records, devices;   /* of a host: all of its detail; those of devices, the last of them */
    uint32_t alerts, alert_records;     /* places for alerts, more than there are; of each */
    struct view_layout at;      /* at.end: bytes of the memory */
    uint64_t epoch;             /* every start of the daemon is another */
    int64_t t_start_ns;         /* times, here and in the records: CLOCK_MONOTONIC of the daemon */
    int64_t t_now_ns;           /* when it answered ... */
    uint64_t t_now_tsc;         /* ... and the TSC then; 0 where it is not invariant */
};

static_assert(sizeof(struct seqlock) == VIEW_RECORD_BYTES, "a record is one cache line");
static_assert(sizeof(struct view_header) == 168, "the header has no padding");

struct view_share {
    int fd;                     /* -1 = closed */
    void *memory;
    uint64_t bytes;             /* mapped */
};

/* any: what view_share_open maps, whole pages. */
uint64_t view_share_bytes(uint32_t nodes, uint32_t hosts, uint32_t meters);

/* setup: memory for the view's records, mapped writable, touched page by page, then sealed. 0 or -errno. */
int view_share_open(struct view_share *share, struct view *view, uint32_t nodes, uint32_t hosts,
                    uint32_t meters);
void view_share_close(struct view_share *share);

/* cold: what stands in the header beside epoch and times. */
void view_share_header(const struct view *view, struct view_header *header);

/* cold, a reader's process: maps what the door handed out, read-only; the descriptor stays the caller's.
 * 0, -EPROTO for a header or memory of another version, or -errno. view_share_close unmaps. */
int view_share_map(struct view_share *share, struct view *view, const struct view_header *header, int fd);

#endif
